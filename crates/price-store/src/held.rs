//! Loads that wait for a person. Owns the two files of each: what it would change and why it is held, and its prices, whole.

use crate::diff::Diff;
use crate::disk::Disk;
use crate::error::{Doing as _, PriceStoreError};
use crate::guards::Reason;
use crate::load::Mode;
use crate::segment::SegmentFile;
use crate::sha::sha256;
use jiff::Timestamp;
use kernel::key::hex;
use serde::{Deserialize, Serialize};

/// What a manifest says of a held load.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct HeldFile {
    pub(crate) load: u64,
    pub(crate) file: String,
    pub(crate) sha256: String,
    pub(crate) segment: SegmentFile,
}

/// A load that waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldLoad {
    pub load: u64,
    pub at: Timestamp,
    pub source: String,
    pub by: String,
    pub note: Option<String>,
    pub mode: Mode,
    /// How many rows it has.
    pub rows: u64,
    /// The version that it was weighed against.
    pub against: u64,
    pub diff: Diff,
    pub reasons: Vec<Reason>,
}

impl HeldLoad {
    pub(crate) fn write(
        &self,
        disk: &Disk,
        file: String,
        segment: SegmentFile,
    ) -> Result<HeldFile, PriceStoreError> {
        let text = serde_json::to_vec(self).map_err(std::io::Error::other).doing("writing a held load")?;
        disk.write(&file, &text).doing("writing a held load")?;
        Ok(HeldFile { load: self.load, file, sha256: hex(&sha256(&text)), segment })
    }

    pub(crate) fn read(disk: &Disk, held: &HeldFile) -> Result<Self, PriceStoreError> {
        let damaged = |what| PriceStoreError::Damaged { file: held.file.clone(), what };
        let text = disk.read(&held.file).doing("reading a held load")?;
        if hex(&sha256(&text)) != held.sha256 {
            return Err(damaged("its digest is another: reject the load and load it again"));
        }
        serde_json::from_slice(&text).map_err(|_| damaged("it is no held load"))
    }
}
