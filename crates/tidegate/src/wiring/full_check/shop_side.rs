//! The shop's side: Shopify's list by bulk operation, gathered in memory as names and figures, and beside it written down, so
//! that nothing is asked for twice: neither by a check that goes on, nor for the names of what the shop alone has.

use super::kept::Kept;
use super::rows::{Reading, Writing};
use super::told::Watch;
use super::{FullCheck, PAIRS_MAX, TELL_EVERY, WITHIN, bug, files};
use api::admin::{CheckError, StockChecked};
use domains::inventory::Key;
use domains::inventory::compare::{Naming, Report, Shelf, Shelves};
use engine::work::{Progress, WorkError};
use kernel::fault::{Fault, FaultKind};
use shopify::bulk::{self, Finished};
use shopify::inventory::snapshot::{self, Row, Snapshot};

/// Shopify has no result of the operation: it failed, was cancelled, or is too old.
const NO_RESULT: &str = "TG-6411";

impl FullCheck {
    /// What the shop has, read or read back.
    pub(super) async fn shop_side(
        &self,
        kept: &mut Kept,
        key: Key,
        progress: &dyn Progress,
        told: &mut StockChecked,
    ) -> Result<Shelves, CheckError> {
        let mut watch = Watch::begin(&self.scope.clock);
        if let Some(side) = kept.shop().cloned() {
            let rows = kept.rows();
            let read_back = tokio::task::spawn_blocking(move || {
                let mut shelves = Shelves::new(key, PAIRS_MAX);
                let mut reading = Reading::open(&rows, &side)?;
                while let Some(shelf) = reading.next()? {
                    shelves.add(&shelf).map_err(std::io::Error::other)?;
                }
                std::io::Result::Ok((shelves, side.without_sku))
            });
            match read_back.await.map_err(|_| bug("the reading ended by itself"))? {
                Ok((shelves, without_sku)) => {
                    told.without_sku = without_sku;
                    watch.told("shop", told);
                    return Ok(shelves);
                }
                Err(error) => {
                    told.notes =
                        vec![format!("began anew: what an interrupted check has left is damaged ({error})")];
                    kept.forget().map_err(files)?;
                }
            }
        }
        let finished = self.listed(kept, progress, told).await?;
        watch.told("waiting", told);
        let shelves = self.read(kept, &finished, key, progress, told).await?;
        watch.told("shop", told);
        Ok(shelves)
    }

    /// Waits for the list that an interrupted check has asked for, or asks for one.
    async fn listed(
        &self,
        kept: &mut Kept,
        progress: &dyn Progress,
        told: &mut StockChecked,
    ) -> Result<Finished, CheckError> {
        if let Some(operation) = kept.operation().map(str::to_owned) {
            match self.awaited(&operation, progress).await {
                Err(CheckError::Work(WorkError::Source(fault))) if fault.code == NO_RESULT => {
                    told.notes = vec![format!("began anew: {}", fault.message)];
                    kept.forget().map_err(files)?;
                }
                awaited => return awaited,
            }
        }
        let operation = snapshot::begin(&self.client, &self.scope.call()).await?;
        // Before it is waited for: whoever is killed meanwhile finds it.
        kept.asked(operation.clone(), self.scope.clock.now().wall).map_err(files)?;
        self.awaited(&operation, progress).await
    }

    async fn awaited(&self, operation: &str, progress: &dyn Progress) -> Result<Finished, CheckError> {
        let mut stopped = false;
        let tell = &mut |told: &bulk::Progress| stopped |= !progress.at(0, told.lines);
        let finished = bulk::await_result(&self.client, &self.scope.call(), operation, WITHIN, tell).await?;
        if stopped { Err(WorkError::Stopped.into()) } else { Ok(finished) }
    }

    async fn read(
        &self,
        kept: &mut Kept,
        finished: &Finished,
        key: Key,
        progress: &dyn Progress,
        told: &mut StockChecked,
    ) -> Result<Shelves, CheckError> {
        let mut shelves = Shelves::new(key, PAIRS_MAX);
        let mut writing = Writing::new(&kept.rows()).map_err(files)?;
        let mut levels = Snapshot::open(&self.client, &self.scope.call(), finished, WITHIN).await?;
        let mut done = 0u64;
        while let Some(row) = levels.next().await? {
            let shelf = shelf(&row)?;
            shelves
                .add(&shelf)
                .map_err(|many| Fault::new(FaultKind::Rejected, "TG-6107", many.to_string()))?;
            writing.add(&shelf).map_err(files)?;
            done += 1;
            // Items have lines of their own: there are fewer levels than lines.
            if done.is_multiple_of(TELL_EVERY) && !progress.at(done, finished.lines) {
                return Err(WorkError::Stopped.into());
            }
        }
        told.without_sku = levels.without_sku();
        let without_sku = told.without_sku;
        let side = tokio::task::spawn_blocking(move || writing.end(without_sku)).await;
        let side = side.map_err(|_| bug("the writing ended by itself"))?.map_err(files)?;
        kept.read(side).map_err(files)?;
        Ok(shelves)
    }
}

/// Gives what the shop alone has its names.
pub(super) fn named(kept: &Kept, mut naming: Naming) -> Result<Report, CheckError> {
    if naming.is_open() {
        let side = kept.shop().ok_or_else(|| bug("the shop was not read"))?;
        let mut reading = Reading::open(&kept.rows(), side).map_err(files)?;
        while naming.is_open()
            && let Some(shelf) = reading.next().map_err(files)?
        {
            naming.add(&shelf);
        }
    }
    Ok(naming.end())
}

/// A level of the shop's list; its quantities are GraphQL's `Int`.
fn shelf<'a>(row: &Row<'a>) -> Result<Shelf<'a>, Fault> {
    let quantity = |quantity: i64| i32::try_from(quantity).map_err(|_| bug("a quantity is no Int"));
    let (available, committed) = (quantity(row.available)?, quantity(row.committed)?);
    Ok(Shelf { sku: row.sku, location: row.location, available, committed })
}
