//! Inventory: what a source has of one SKU at one location, and what of it may be sold.
//!
//! A level is a `state` fact of the subject `ats:SKU@LOCATION`: the whole of it, absolute; only the newest counts. What may
//! be sold is on hand − reserved − what is kept back, in whole sales units (DESIGN section 9); what of it a target is set to,
//! with what is in flight there, is the target's connector's.

mod canonical;
pub mod compare;
pub mod drop;
mod fault;
mod level;
mod names;
mod pair;
mod rules;
pub mod snapshot;

pub use canonical::{Canonical, Sold, Term, canonical, json_schema, sold};
pub use fault::{StockCode, StockFault};
pub use level::{Incoming, Stock, read};
pub use names::Key;
pub use pair::{parts, path, subject};
pub(crate) use pair::{spelled, written};
pub use rules::{RuleFault, Rules, SafetyOf};
