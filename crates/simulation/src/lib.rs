//! Seeded simulation: the engine's own step function on one thread, with a simulated clock, store faults, a target
//! in every bad mood, and a judge that shares no code with the engine.
//!
//! One seed gives one run, to the byte: [`run::run`]. What it finds is a [`judge::Violation`]; the same judge has to
//! catch every planted bug of [`engine::mutant`].

mod calls;
pub mod facts;
pub mod hub;
pub mod judge;
pub mod mix;
pub mod run;
pub mod source;
pub mod target;
pub mod world;
