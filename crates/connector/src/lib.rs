//! What a connector is: what it declares ([`descriptor`]), what it does ([`port`]), the outbound HTTP stack it does
//! it with, and the contract every connector passes.
//!
//! A connector is stateless towards the hub: it keeps no queue, retries nothing, classifies each fault once and
//! says what a target has, what the next step is, and what came of a step. The engine does the rest.

pub mod descriptor;
pub mod port;
