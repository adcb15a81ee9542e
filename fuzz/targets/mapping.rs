//! A mapping file, and one run of what can be loaded: what must hold is in `checks/mapping.rs`.
#![no_main]

#[path = "../checks/mapping.rs"]
mod mapping;

libfuzzer_sys::fuzz_target!(|input: &[u8]| mapping::check(input));
