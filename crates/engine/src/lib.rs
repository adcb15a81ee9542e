//! The engine: route, deliver, retry, break, triage, as one step function ([`engine::Engine::step`]), and what drives it.
//!
//! It knows neither SQL nor HTTP nor any system's name. Its decisions have no async, no clock and no chance of their
//! own; see DESIGN section 10.

mod approach;
pub mod breaker;
mod claimed;
mod committed;
mod converge;
mod doubt;
pub mod effect;
pub mod engine;
pub mod facts;
mod faulted;
mod finish;
mod found_again;
pub mod hub;
pub mod last_look;
pub mod limiter;
mod looked;
pub mod mutant;
pub mod nodes;
pub mod notice;
pub mod overview;
pub mod plan;
mod pump;
pub mod refusal;
pub mod route;
mod running;
mod system;
pub mod triage;
mod unaccounted;
mod unknown;
pub mod waits;
pub mod work;

pub use engine::Engine;
pub use system::SystemView;
