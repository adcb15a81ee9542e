//! Canonical models of each domain, and the pure decisions about them.
//!
//! One folder a domain. No IO, no async, no clock: bodies come in as bytes, instants as parameters. Knows the
//! shapes in which Shopify sends things; knows no other system.

pub mod inventory;
pub mod json;
pub mod orders;
pub mod payments;
pub mod prices;
pub mod refunds;
pub mod shipments;
