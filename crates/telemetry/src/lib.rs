//! What can be watched: metrics (one struct, all names), and the one list of field names that logs use.
//!
//! Owns names, labels, buckets and the page that documents them. Starts no server, writes no log, knows no engine:
//! who measures calls [`Metrics`]. Never holds a payload, a secret or personal data: a label is a configured name or
//! a word of ours.

pub mod fields;
mod labels;
mod metrics;
mod names;
mod page;

pub use labels::{BreakerValue, Door, QueueState};
pub use metrics::{Metrics, QueueSample};
pub use names::{Kind, NAMES, Name};
pub use page::metrics_page;
