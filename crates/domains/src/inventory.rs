//! Inventory: what a source has of one SKU at one location, and what of it may be sold.
//!
//! A level is a `state` fact of the subject `ats:SKU@LOCATION`: the whole of it, absolute; only the newest counts. What may
//! be sold is on hand − reserved − what is kept back, in whole sales units (DESIGN section 9); what of it a target is set to,
//! with what is in flight there, is the target's connector's.
//!
//! A bundle has no level of its own at its source: it is composed of the newest levels of its components, and what is shown of
//! it and of them is divided (`family`), so that no unit is on sale twice. What lies at several locations that are one to the shop
//! (`pools`) is composed in the same way, as the sum. And what the shop shows at several of its own (`outlets`) is divided among them
//! in the same way.

pub mod bundles;
mod canonical;
pub mod change;
pub mod compare;
pub mod composed;
pub mod division;
pub mod drop;
pub mod family;
mod fault;
pub mod figures;
pub mod folding;
mod level;
mod names;
pub mod outlets;
mod pair;
mod part;
pub mod pools;
mod rule_text;
mod rules;
pub mod sharing;
pub mod snapshot;

pub use canonical::{Canonical, Sold, Term, canonical, json_schema, sold};
pub use fault::{StockCode, StockFault};
pub(crate) use level::is_spelled;
pub use level::{Incoming, Stock, read};
pub use names::Key;
pub use pair::{alone, divided, parts, path, shared, subject};
pub(crate) use pair::{spelled, written};
pub use part::{Part, part};
pub use rules::{BUNDLE_SHARE, RuleFault, Rules, SafetyOf};
