//! Amounts and the policies of a flow: what must hold is in `checks/amount.rs`.
#![no_main]

#[path = "../checks/amount.rs"]
mod amount;

libfuzzer_sys::fuzz_target!(|input: &[u8]| amount::check(input));
