//! The free space where the data lies.

use api::intake::FreeSpace;
use std::path::PathBuf;

/// The file system of the data directory.
#[derive(Debug)]
pub struct DataDisk {
    folder: PathBuf,
}

impl DataDisk {
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }
}

impl FreeSpace for DataDisk {
    /// What an ordinary user may still write.
    fn free_bytes(&self) -> Option<u64> {
        let space = rustix::fs::statvfs(&self.folder).ok()?;
        Some(space.f_bavail.saturating_mul(space.f_frsize))
    }
}
