//! When a check is made again that failed, on a clock that is turned.

use super::*;
use api::admin::{StockBackfilled, StockChecked, StockNamed};
use async_trait::async_trait;
use engine::work::Progress;
use jiff::tz::TimeZone;
use kernel::clock::{Mono, Now};
use std::collections::VecDeque;
use std::sync::Mutex;
use store::{MemoryStore, StoreError};
use telemetry::Metrics;

#[derive(Debug)]
struct Turned(Mutex<Timestamp>);

impl Clock for Turned {
    fn now(&self) -> Now {
        let wall = *self.0.lock().unwrap();
        Now { wall, mono: Mono(u64::try_from(wall.as_nanosecond()).unwrap()) }
    }
}

/// A check that always fails, and why.
#[derive(Debug)]
struct Fails {
    flow: FlowName,
    shop: ShopId,
    zone: TimeZone,
    whys: Mutex<VecDeque<CheckError>>,
}

#[async_trait]
impl StockCheck for Fails {
    fn flow(&self) -> &FlowName {
        &self.flow
    }
    fn shop(&self) -> &ShopId {
        &self.shop
    }
    fn zone(&self) -> &TimeZone {
        &self.zone
    }
    async fn run(&self, _: &Checking, _: &dyn Progress) -> Result<StockChecked, CheckError> {
        Err(self.whys.lock().unwrap().pop_front().unwrap())
    }
    async fn backfill(
        &self,
        _: &StockNamed,
        _: bool,
        _: &dyn Progress,
    ) -> Result<StockBackfilled, CheckError> {
        unreachable!("nobody asks for it")
    }
}

#[tokio::test]
async fn a_nightly_check_that_failed_is_made_again_in_the_same_night_unless_a_person_has_to_mend_it() {
    let down = || CheckError::from(StoreError::Unavailable("no connection".to_owned()));
    let whys = [down(), down(), CheckError::Doubted("half of it is gone".to_owned())];
    let check = Arc::new(Fails {
        flow: FlowName::new("stock").unwrap(),
        shop: ShopId::new("acme").unwrap(),
        zone: TimeZone::UTC,
        whys: Mutex::new(whys.into()),
    });
    let turned = Arc::new(Turned(Mutex::new("2026-11-26T12:00:00Z".parse().unwrap())));
    let clock: Arc<dyn Clock> = turned.clone();
    let mut due = Due {
        check: check.clone(),
        cadence: Cadence::parse("30 2 * * * UTC").unwrap(),
        mends: true,
        store: Arc::new(MemoryStore::new()),
        clock: clock.clone(),
        appended: Box::new(|| ()),
        watching: Arc::new(Watching::new(Arc::new(Metrics::new()), clock, Vec::new())),
        again: Again::default(),
    };
    let name = cursor(check.flow(), check.shop());
    due.look(&name).await;
    for (time, left) in [
        ("02:29:59", 3),
        ("02:30:00", 2),
        ("02:30:59", 2),
        ("02:31:00", 1),
        ("02:32:59", 1),
        ("02:33:00", 0),
        // A person is told, and the next one comes at its cadence.
        ("02:40:00", 0),
        ("09:00:00", 0),
    ] {
        *turned.0.lock().unwrap() = format!("2026-11-27T{time}Z").parse().unwrap();
        due.look(&name).await;
        assert_eq!(check.whys.lock().unwrap().len(), left, "{time}");
    }
}
