//! Seeded simulation: the engine's own step function on one thread, one to three nodes on one store, with simulated
//! clocks, faults of store, wires and processes, a target in every bad mood, and a judge that shares no code with the engine.
//!
//! One seed gives one run, to the byte: [`run::run`]. What it finds is a [`judge::Violation`]; the same judge has to
//! catch every planted bug of [`engine::mutant`].

mod calls;
pub mod evidence;
pub mod facts;
pub mod flows;
#[cfg(test)]
mod found;
pub mod holds;
pub mod hub;
pub mod judge;
mod life;
mod log;
pub mod mix;
pub mod node;
#[cfg(test)]
mod older;
pub mod planted;
pub mod run;
mod settle;
pub mod shrink;
pub mod source;
pub mod stock;
pub mod target;
mod verdict;
pub mod world;
