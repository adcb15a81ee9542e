//! The back office look-alike over real HTTP: what it takes, what it refuses, how it breaks, and what it remembers.

mod calls;
mod client;
mod faults;
mod idempotency;
mod ledger;
mod refusals;
