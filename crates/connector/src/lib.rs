//! What a connector is: what it declares ([`descriptor`]), what it does ([`port`]), the outbound HTTP stack it does
//! it with ([`outbound`]), what it is told by the configuration ([`settings`], [`connection`]), and the contract every
//! connector passes.
//!
//! A connector is stateless towards the hub: it keeps no queue, retries nothing, classifies each fault once and
//! says what a target has, what the next step is, and what came of a step. The engine does the rest.

#![expect(
    clippy::result_large_err,
    reason = "a fault is made once in a call over a network, and boxing it would burden each reader"
)]

pub mod connection;
#[cfg(any(test, feature = "contract"))]
pub mod contract;
pub mod descriptor;
pub mod list;
pub mod outbound;
pub mod polled;
pub mod port;
pub mod prices;
pub mod settings;
