//! A file of stock as it is dropped, and one of bundles: what must hold is in `checks/stock_file.rs`.
#![no_main]

#[path = "../checks/stock_file.rs"]
mod stock_file;

libfuzzer_sys::fuzz_target!(|input: &[u8]| stock_file::check(input));
