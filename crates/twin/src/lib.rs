//! Stateful look-alikes of Shopify, a back office and a warehouse, as strict as the original.
//!
//! A judge does not share the parser that it judges: this crate uses `kernel` alone of our crates. It refuses to be lenient: what the
//! real system would turn down, it turns down, with the real system's answer.

pub mod erp;
pub mod shop;
pub mod shopify;
mod standalone;
pub mod wms;
