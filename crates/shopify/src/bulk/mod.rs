//! Bulk operations: a query that Shopify runs in the background, without pages and without cost, its result a file of JSON
//! lines. Owns how one is begun, waited for and read to its end, and how a write in bulk gets its file; what a line means is its reader's. A second reading is a
//! second download of the same result, which Shopify keeps for a week.

mod lines;
mod wait;
mod write;

pub use lines::Lines;
pub use wait::{Progress, await_result, begin, progress};
pub use write::{AT_ONCE_MAX, FILE_BYTES_MAX, begin_write, cancel, open_writes, upload};

/// Our own codes; each has a page in `docs/errors/`.
pub(crate) mod code {
    /// The operation ended without a result.
    pub(crate) const FAILED: &str = "TG-6411";
    /// The operation does not end.
    pub(crate) const ENDLESS: &str = "TG-6412";
    /// The result is not whole.
    pub(super) const TRUNCATED: &str = "TG-6413";
    /// A line that is none.
    pub(crate) const LINE: &str = "TG-6414";
    /// No place for the file of a write.
    pub(super) const NO_PLACE: &str = "TG-6415";
}

/// The result of an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished {
    /// Of the operation, for people.
    pub id: String,
    /// Signed: whoever has it may read the result. Absent where there is nothing.
    url: Option<String>,
    /// How many lines it has, as Shopify counts.
    pub lines: u64,
    /// How many bytes, where Shopify says so.
    bytes: Option<u64>,
}
