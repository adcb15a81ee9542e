//! Shipments: what a warehouse sent off of an order, or took back before it left.
//!
//! A shipment is a `state` fact of the subject `order:5678/shipment:SH-1`: the whole of it, as its source has it now; only the
//! newest counts. So a correction heals what was refused, a cancellation overtakes what was not yet sent, and a shipment that
//! is stuck holds back no other one of its order. What it becomes at the target is `allot`'s to say, as far as it needs no
//! network; how a target is asked is its connector's.

mod allot;
mod canonical;
mod fault;
mod path;
mod read;

pub use allot::{Allotment, Line as OpenLine, Open, Part, Short, Stand, allot, allot_at};
pub use canonical::{Canonical, canonical, json_schema};
pub use fault::{ShipmentCode, ShipmentFault};
pub use path::{parts, path};
pub use read::{Line, Shipment, Tracking, path_of, read};

/// The topic of a shipment, shipped or cancelled.
pub const TOPIC: &str = "shipment/state";
/// What a subject of ours is: `shipment` of `order:5678/shipment:SH-1`.
pub const KIND: &str = "shipment";
