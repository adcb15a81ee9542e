//! A webhook's headers and body, as far as intake judges them before it commits: what must hold is in `checks/intake.rs`.
#![no_main]

#[path = "../checks/intake.rs"]
mod intake;

libfuzzer_sys::fuzz_target!(|input: &[u8]| intake::check(input));
