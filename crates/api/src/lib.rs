//! HTTP: webhooks and ingest in ([`intake`]), what operators ask ([`admin`]), health and metrics, and the server that
//! carries them ([`server`]), also behind a proxy ([`forwarded`]); who watches ([`watch`]) and what privacy asks for
//! ([`privacy`]); what a buyer pays ([`prices`]).
//!
//! Decides nothing about orders or deliveries and reads no configuration: the binary hands in what is in force.

pub mod admin;
mod bearer;
pub mod forwarded;
pub mod health;
pub mod intake;
pub mod live;
pub mod prices;
pub mod privacy;
pub mod sampler;
pub mod server;
mod timer;
pub mod watch;

pub use live::LiveHub;
