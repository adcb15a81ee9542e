//! The read model of prices. Owns where a hundred million prices lie, so that a cart reads them from memory in microseconds:
//! immutable segments in layers, versions that are swapped at once, loads that are weighed before they count, and the
//! journal in which every change of a price stands with its who, when and why.
//!
//! Blocking and without a clock: the caller gives each instant, and a thread that may wait for a disk. Refuses to know what a
//! price means at a cart (`pricing`), where it comes from, and any network.
//!
//! The way of a load: [`load`] gathers rows into drafts, weighs them against the version that counts (`delta`, [`diff`]), asks
//! the [`guards`], and either holds them or publishes: names, segments, journal, and last the manifest (`manifest`), whose
//! rename is the one moment at which a store changes.

mod ahead;
mod approve;
pub mod audit;
mod block;
mod delta;
pub mod diff;
mod disk;
mod error;
mod follow;
pub mod form;
mod gather;
pub mod guards;
mod held;
mod join;
mod journal;
mod keys;
mod layers;
mod live;
pub mod load;
mod manifest;
mod merge;
mod names;
pub mod past;
mod quiet;
pub mod read;
mod reading;
mod renumber;
mod segment;
mod sha;
pub mod shared;
mod ship;
pub mod store;
pub mod terms;
mod verify;
mod version;
mod word;

pub use audit::{AuditQuery, PriceAudit};
pub use diff::{Counts, Diff, ListCounts, PriceChange};
pub use error::PriceStoreError;
pub use form::{PriceForm, WindowForm};
pub use gather::{Row, RowFault};
pub use guards::{Guards, Reason};
pub use held::HeldLoad;
pub use journal::{Approval, Entry, Loaded, TermsChange, What};
pub use load::{LoadRequest, Mode, Outcome};
pub use merge::Stats;
pub use past::Past;
pub use shared::{Shared, Standing, Step};
pub use store::{Options, PriceStore};
pub use terms::TermsOutcome;
pub use verify::Verified;
pub use version::{Damage, TermsBook, Version};

#[cfg(test)]
mod tests;
