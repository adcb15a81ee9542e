//! A refund, payment or shipment, and the record of a price list: what must hold is in `checks/papers.rs`.
#![no_main]

#[path = "../checks/papers.rs"]
mod papers;

libfuzzer_sys::fuzz_target!(|input: &[u8]| papers::check(input));
