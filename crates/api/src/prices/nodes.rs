//! Nodes that share the prices, for people: who has what.

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt::Debug;

/// How one node stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeStanding {
    pub node: String,
    /// The last change of what all share that this node has.
    pub step: u64,
    /// The newest one that it had heard of.
    pub newest: u64,
    /// Which version it answers from.
    pub version: u64,
    /// When it said so.
    pub at: Timestamp,
}

/// Who can say how the nodes stand.
#[async_trait]
pub trait SharedNodes: Send + Sync + Debug {
    /// In the order of their names.
    ///
    /// # Errors
    /// What kept it from being known.
    async fn all(&self) -> Result<Vec<NodeStanding>, String>;
}
