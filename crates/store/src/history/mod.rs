//! Histories: what several owners at one store asked, what they were answered, and whether such answers can be.
//!
//! The conformance suite asks one thing at a time. Here owners append, route, claim, begin, end, fall asleep on a claim
//! and come back to it, all at once and by seed (`play`); each call is noted with where it began and ended in the one
//! order of calls (`record`); afterwards `judge` reads the notes alone and names each answer that breaks the contract:
//! an acknowledged fact that is missing or taken twice, a lane that two hold, a fenced owner that was heard, an attempt
//! that nobody was told of, a lane out of order, an older state over a newer one.
//!
//! Owns no store, no runtime and no clock: time is a counter that all owners share, which is what the port's times are.

pub mod judge;
mod play;
mod record;

pub use play::{Party, Plan, play, settle};
pub use record::{Entry, Record, What};

#[cfg(test)]
mod tests;
