//! The vocabulary of Tidegate (DESIGN section 2): ids, versions, envelopes, keys, money, faults, back-off, and
//! clock and chance as ports.
//!
//! No IO, no async, no clock of its own: whoever needs the time takes it as a parameter.

pub mod backoff;
pub mod clock;
pub mod envelope;
pub mod fault;
pub mod flow;
pub mod id;
pub mod key;
pub mod money;
pub mod quantity;
pub mod rng;
pub mod subject;
pub mod version;
