//! An order in both forms of Shopify: what must hold is in `checks/order.rs`.
#![no_main]

#[path = "../checks/order.rs"]
mod order;

libfuzzer_sys::fuzz_target!(|input: &[u8]| order::check(input));
