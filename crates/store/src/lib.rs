//! The storage port: what the hub needs of a store (DESIGN section 7), the rows it speaks in, sealing, and the
//! conformance suite that every store passes.
//!
//! A store knows envelopes, deliveries, attempts, dead letters, records, external refs, cursors, leases, keys and
//! audit entries: no orders, no products, no SQL in this crate.

#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
pub mod dead;
pub mod delivery;
pub mod error;
#[cfg(any(test, feature = "conformance"))]
pub mod history;
pub mod lane;
pub mod log;
pub mod memory;
pub mod moving;
mod newest;
pub mod operate;
pub mod port;
pub mod pressure;
pub mod query;
pub mod schema;
pub mod seal;
pub mod series;

pub use error::StoreError;
pub use memory::MemoryStore;
pub use newest::newest_state;
pub use port::Store;
pub use schema::Schema;
