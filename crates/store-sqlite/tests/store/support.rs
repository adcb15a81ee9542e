//! What the tests of this store share: a clock that stands, the operating system's randomness, a fresh folder.

use jiff::Timestamp;
use kernel::clock::{Clock, Mono, Now};
use std::path::Path;
use std::sync::Arc;
use store::StoreError;
use store::seal::{MasterKey, Random};
use tidegate_store_sqlite::{Options, SqliteStore};

#[derive(Debug)]
pub(crate) struct Standing;

impl Clock for Standing {
    fn now(&self) -> Now {
        Now { wall: at(0), mono: Mono(0) }
    }
}

#[derive(Debug)]
pub(crate) struct System;

impl Random for System {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), StoreError> {
        getrandom::fill(bytes).map_err(|error| StoreError::Unavailable(error.to_string()))
    }
}

/// A second of a day in 2026.
pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_780_000_000 + second).unwrap()
}

pub(crate) fn options(path: &Path, key: u8) -> Options {
    Options {
        path: path.to_owned(),
        master_key: MasterKey::from_bytes([key; 32]),
        random: Arc::new(System),
        clock: Arc::new(Standing),
    }
}

pub(crate) fn open(path: &Path) -> Result<SqliteStore, StoreError> {
    SqliteStore::open(options(path, 1))
}
