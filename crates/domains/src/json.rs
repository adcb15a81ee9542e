//! JSON as this hub needs it at its border: exact numbers, no duplicate keys, a bounded depth, and a path in every
//! fault.
//!
//! Owns scanning (one scanner for all), the tree that bodies are read from, and stripping what may not be stored.
//! Refuses what `serde_json` would take quietly: the second of two equal keys, a number that turned into a float.

mod fault;
mod scan;
mod strip;
mod tree;

pub(crate) use fault::push_key;
pub use fault::{JsonFault, JsonProblem};
pub use scan::DEPTH_MAX;
pub(crate) use scan::{RawString, Scanner};
pub(crate) use strip::strip_and_note;
pub use strip::{REMOVED, Removed, strip, strip_with};
pub use tree::{Json, parse};
