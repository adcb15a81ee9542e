//! A file of prices: what must hold is in `checks/price_file.rs`.
#![no_main]

#[path = "../checks/price_file.rs"]
mod price_file;

libfuzzer_sys::fuzz_target!(|input: &[u8]| price_file::check(input));
