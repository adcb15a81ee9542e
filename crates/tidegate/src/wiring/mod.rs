//! Wiring: from a configuration to a running hub. The one place where everything meets.

pub mod clock;
pub mod connectors;
mod facts;
pub mod load;
mod mapper;
mod plan;
mod schemas;
pub mod shops;

pub use load::Loaded;
pub mod sweeps;
