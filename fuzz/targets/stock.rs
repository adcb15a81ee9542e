//! Levels and changes of stock, as they are pushed: what must hold is in `checks/stock.rs`.
#![no_main]

#[path = "../checks/stock.rs"]
mod stock;

libfuzzer_sys::fuzz_target!(|input: &[u8]| stock::check(input));
