//! A series: steps that every node of a store takes alike and in one order. The store keeps their order and their bytes, and knows
//! nothing of what they are.

use jiff::Timestamp;

/// One step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeriesStep {
    /// From 1, without a gap, until the oldest ones are forgotten.
    pub number: u64,
    /// Under which name its chunks were put.
    pub body: String,
    /// Of what a node has after it, so that one that has something else is found.
    pub digest: String,
    /// Of all its chunks.
    pub bytes: u64,
    /// It has all that there is, so that a node may begin with it.
    pub whole: bool,
    pub at: Timestamp,
}
