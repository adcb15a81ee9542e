//! What was read of each price list, kept between runs. Owns when it is believed: a record is of what was read and of nothing
//! else, and what is going to be written stands in it as open before it is sent. Where it is kept is the caller's.

use super::code;
use async_trait::async_trait;
use domains::prices::{Batch, Record};
use kernel::fault::{Fault, FaultKind};
use std::collections::BTreeSet;
use std::fmt::Debug;
use std::sync::Arc;

/// Where records of one shop are kept, one for each price list. Its errors are shown to a person.
#[async_trait]
pub trait Memory: Send + Sync + Debug {
    /// None where there is none.
    async fn read(&self, list: u64) -> Result<Option<Vec<u8>>, String>;

    /// On the disk when it returns; a power cut leaves the old one or the new one.
    async fn write(&self, list: u64, record: Vec<u8>) -> Result<(), String>;

    /// Those of all other lists go.
    async fn keep_only(&self, lists: &BTreeSet<u64>) -> Result<(), String>;
}

/// What is said by a memory, or by none.
pub(super) enum Recalled {
    Nothing,
    /// There is one, and it is not as it was written.
    Damaged,
    Record(Box<Record>),
}

pub(super) async fn recall(memory: Option<&Arc<dyn Memory>>, list: u64) -> Recalled {
    let Some(memory) = memory else { return Recalled::Nothing };
    match memory.read(list).await {
        Ok(None) => Recalled::Nothing,
        Ok(Some(bytes)) => match Record::from_bytes(&bytes).filter(|record| record.list == list) {
            Some(record) => Recalled::Record(Box::new(record)),
            None => Recalled::Damaged,
        },
        Err(_) => Recalled::Damaged,
    }
}

pub(super) async fn keep(memory: Option<&Arc<dyn Memory>>, record: &Record) -> Result<(), Fault> {
    let Some(memory) = memory else { return Ok(()) };
    memory.write(record.list, record.to_bytes()).await.map_err(|why| {
        let what = format!(
            "what was read of the price list {} cannot be kept: {why}; nothing is written that could not be known to be \
             open, so make room for it and begin again",
            record.list
        );
        Fault::new(FaultKind::Rejected, code::MEMORY, what)
    })
}

/// Before these are sent.
pub(super) async fn open(
    memory: Option<&Arc<dyn Memory>>,
    list: u64,
    batches: &[Batch],
) -> Result<(), Fault> {
    // Without a record nothing is believed.
    let Recalled::Record(mut record) = recall(memory, list).await else { return Ok(()) };
    for batch in batches {
        record.is_plain &= !batch.has_quantities;
        record.open.extend(batch.changes.iter().map(|change| change.variant));
    }
    keep(memory, &record).await
}
