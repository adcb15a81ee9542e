//! When a check is made again that failed, on a clock that is turned.

use super::*;
use api::admin::{Cadenced, StockBackfilled, StockChecked, StockNamed, Work, cadence_lines};
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

/// A night's, and the clock that it goes by.
fn nightly(jitter: Duration, whys: Vec<CheckError>) -> (Arc<Fails>, Arc<Turned>, Due) {
    let check = Arc::new(Fails {
        flow: FlowName::new("stock").unwrap(),
        shop: ShopId::new("acme").unwrap(),
        zone: TimeZone::UTC,
        whys: Mutex::new(whys.into()),
    });
    let turned = Arc::new(Turned(Mutex::new("2026-11-26T12:00:00Z".parse().unwrap())));
    let clock: Arc<dyn Clock> = turned.clone();
    let due = Due {
        check: check.clone(),
        cadence: Cadence::parse("30 2 * * * UTC").unwrap(),
        jitter,
        mends: true,
        store: Arc::new(MemoryStore::new()),
        clock: clock.clone(),
        appended: Box::new(|| ()),
        watching: Arc::new(Watching::new(Arc::new(Metrics::new()), clock, Vec::new())),
        again: Again::default(),
    };
    (check, turned, due)
}

#[tokio::test]
async fn a_check_is_put_off_by_its_jitter_once_a_night_and_shown_where_it_comes() {
    let doubted = || CheckError::Doubted("half of it is gone".to_owned());
    let jitter = Duration::from_secs(3600);
    let (check, turned, mut due) = nightly(jitter, vec![doubted(), doubted()]);
    let name = cursor(check.flow(), check.shop());
    due.look(&name).await;
    let night: Timestamp = "2026-11-27T02:30:00Z".parse().unwrap();
    let put_off = config::put_off(&name, night, jitter);
    assert!(put_off >= Duration::from_secs(120), "this name's is too short to show anything: {put_off:?}");
    let comes = kernel::clock::after(night, put_off);
    let (flow, shop) = (check.flow(), check.shop());
    let work = Cadenced::of_flow(Work::FullCheck, flow, shop, due.cadence.clone(), name.clone());
    let work = work.put_off(jitter);
    let second = jiff::SignedDuration::from_secs(1);
    for (at, left) in [(night, 2), (comes - second, 2), (comes, 1), (comes + second, 1)] {
        *turned.0.lock().unwrap() = at;
        if left == 2 {
            let lines = cadence_lines(due.store.as_ref(), std::slice::from_ref(&work), at).await.unwrap();
            let line = &lines[0];
            // What is put off is neither due nor missed.
            assert_eq!((line.next, line.due, line.missed), (Some(comes), false, 0), "{at}");
            assert_eq!(line.jitter_ms, 3_600_000);
        }
        due.look(&name).await;
        assert_eq!(check.whys.lock().unwrap().len(), left, "{at}");
    }
    // A night that was missed is made up for at once.
    *turned.0.lock().unwrap() = "2026-11-28T09:00:00Z".parse().unwrap();
    due.look(&name).await;
    assert!(check.whys.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_nightly_check_that_failed_is_made_again_in_the_same_night_unless_a_person_has_to_mend_it() {
    let down = || CheckError::from(StoreError::Unavailable("no connection".to_owned()));
    let whys = [down(), down(), CheckError::Doubted("half of it is gone".to_owned())];
    let (check, turned, mut due) = nightly(Duration::ZERO, whys.into());
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
