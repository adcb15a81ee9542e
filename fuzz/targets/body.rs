//! A signed body: what may be stored of it, and its tree: what must hold is in `checks/body.rs`.
#![no_main]

#[path = "../checks/body.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|input: &[u8]| body::check(input));
