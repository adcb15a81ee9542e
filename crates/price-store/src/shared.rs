//! What several nodes share: the steps of a series that a store keeps for all of them. Owns the port, and what a step is made of. Each
//! node has a folder of its own, byte for byte the same: whoever changes it ships the files that the change made, and the other nodes
//! put them beside their own (docs/adr/0017). The store's commit of a step is the moment at which a change counts.

use crate::error::PriceStoreError;
use crate::manifest::Manifest;
use crate::sha::sha256;
use jiff::Timestamp;
use kernel::key::hex;
use serde::{Deserialize, Serialize};
use std::fmt::Debug;

/// One step of the series.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// From 1, without a gap.
    pub number: u64,
    /// Under which name its chunks were put.
    pub body: String,
    /// Of the manifest after it.
    pub digest: String,
    pub bytes: u64,
    /// It has everything: a node may begin with it.
    pub whole: bool,
    pub at: Timestamp,
}

/// Where the series is kept. Blocking. Its errors are shown to a person.
pub trait Shared: Send + Sync + Debug {
    /// The newest step.
    ///
    /// # Errors
    /// The store cannot be asked.
    fn head(&self) -> Result<Option<Step>, String>;

    /// From a number on, in order; more may follow.
    ///
    /// # Errors
    /// The store cannot be asked.
    fn steps(&self, from: u64) -> Result<Vec<Step>, String>;

    /// False: another node was first.
    ///
    /// # Errors
    /// Whether it counts is not known.
    fn append(&self, step: &Step) -> Result<bool, String>;

    /// A name that no body has.
    ///
    /// # Errors
    /// There is no chance to be had.
    fn new_body(&self) -> Result<String, String>;

    /// # Errors
    /// It is not kept.
    fn put(&self, body: &str, part: u32, bytes: Vec<u8>, now: Timestamp) -> Result<(), String>;

    /// # Errors
    /// The store cannot be asked, or has it no more.
    fn get(&self, body: &str, part: u32) -> Result<Vec<u8>, String>;

    /// Steps before a number are not needed any more, nor what was put long before `now` and belongs to no step.
    ///
    /// # Errors
    /// They are still there.
    fn forget(&self, before: u64, now: Timestamp) -> Result<(), String>;
}

/// Of one chunk of a body.
pub(crate) const CHUNK_BYTES: usize = 4 << 20;

/// The first chunk of a step's body; the bytes of its parts follow, one behind the other.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Head {
    /// As it is written.
    pub(crate) manifest: String,
    pub(crate) kind: Kind,
    /// Files that are new.
    pub(crate) files: Vec<Part>,
    /// What stands behind the first `at` bytes of files that grow.
    pub(crate) grown: Vec<Part>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// Something happened.
    Change,
    /// Nothing happened but that layers became one, which each node does by itself: to the same bytes.
    Merge,
    /// Nothing happened: all files, for a node that has none.
    Whole,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Part {
    pub(crate) file: String,
    pub(crate) at: u64,
    pub(crate) bytes: u64,
}

/// How a node stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Standing {
    /// The last step that this node took.
    pub step: u64,
    /// The newest that there is.
    pub newest: u64,
}

pub(crate) fn unshared(what: String) -> PriceStoreError {
    PriceStoreError::Shared(what)
}

impl Manifest {
    pub(crate) fn text(&self) -> Result<String, PriceStoreError> {
        serde_json::to_string(self).map_err(|error| unshared(error.to_string()))
    }

    pub(crate) fn digest(&self) -> Result<String, PriceStoreError> {
        Ok(hex(&sha256(self.text()?.as_bytes())))
    }
}
