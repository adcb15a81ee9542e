//! A source of pages that can be cut off between two of them.

use super::*;
use connector::port::{CallContext, Changes, ListPage, ListQuery, Read, Source};
use jiff::Timestamp;
use kernel::clock::{Clock, Mono, Now};
use kernel::fault::{Fault, FaultKind};
use kernel::id::FlowName;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use store::Store;
use store::memory::MemoryStore;

/// Three changes, two a page; `after` is the number of those that were told.
#[derive(Debug, Default)]
struct Pages {
    asked: Mutex<Vec<Option<String>>>,
    /// Answers that are given before it is silent.
    answers: AtomicUsize,
    stuck: bool,
}

#[async_trait::async_trait]
impl Source for Pages {
    async fn read(&self, _: &CallContext, _: &Subject) -> Result<Option<Read>, Fault> {
        unreachable!("nobody reads")
    }
    async fn list(&self, _: &CallContext, _: &str, _: &ListQuery) -> Result<ListPage, Fault> {
        unreachable!("nobody lists")
    }
    async fn changes(&self, _: &CallContext, _: &str, after: Option<&str>) -> Result<Changes, Fault> {
        self.asked.lock().unwrap().push(after.map(str::to_owned));
        if self.answers.fetch_sub(1, Ordering::SeqCst) == 0 {
            return Err(Fault::new(FaultKind::Transient, "silent", "no answer"));
        }
        let begin: i64 = after.map_or(0, |after| after.parse().unwrap());
        let end = (begin + 2).min(3);
        let items = (begin..end).map(|number| Fed {
            path: format!("ats:SKU-{number}@WH-1"),
            topic: "stock/level".to_owned(),
            sequence: number + 1,
            payload: b"{}".to_vec(),
            change: None,
        });
        let next = if self.stuck { begin } else { end };
        Ok(Changes { items: items.collect(), next: next.to_string(), more: self.stuck || end < 3 })
    }
}

#[derive(Debug)]
struct Still;

impl Clock for Still {
    fn now(&self) -> Now {
        Now { mono: Mono(0), wall: Timestamp::UNIX_EPOCH }
    }
}

#[derive(Debug)]
struct NoFacts;

impl crate::facts::Facts for NoFacts {
    fn kind_of(&self, _: &str) -> Option<FactKind> {
        None
    }
    fn read(&self, _: &str, _: &[u8]) -> Result<crate::facts::State, Fault> {
        unreachable!("nobody routes")
    }
    fn admit(
        &self,
        _: &crate::facts::State,
        _: &kernel::flow::OrderPolicy,
        _: crate::facts::History,
        _: Timestamp,
    ) -> crate::facts::Admission {
        unreachable!("nobody routes")
    }
    fn confirm(
        &self,
        _: &crate::facts::State,
        _: &kernel::flow::OrderPolicy,
        _: Timestamp,
        _: Timestamp,
    ) -> crate::facts::Confirm {
        unreachable!("nobody routes")
    }
}

fn scope(store: &MemoryStore, source: &Arc<Pages>) -> Scope {
    Scope {
        store: Arc::new(store.clone()),
        source: source.clone(),
        facts: Arc::new(NoFacts),
        clock: Arc::new(Still),
        shop: ShopId::new("acme").unwrap(),
        flow: FlowName::new("stock").unwrap(),
        domain: DomainName::new("inventory").unwrap(),
        source_system: SystemName::new("wms").unwrap(),
        budget_percent: 100,
        time_out: std::time::Duration::from_secs(1),
    }
}

fn pages(answers: usize, stuck: bool) -> Arc<Pages> {
    Arc::new(Pages { asked: Mutex::default(), answers: AtomicUsize::new(answers), stuck })
}

#[tokio::test]
async fn a_feed_that_broke_off_goes_on_where_the_last_commit_was_and_takes_each_state_once() {
    let store = MemoryStore::new();
    let source = pages(1, false);
    pass(&scope(&store, &source), &|| {}).await.unwrap_err();
    source.answers.store(9, Ordering::SeqCst);
    let told = AtomicUsize::new(0);
    let count = || {
        told.fetch_add(1, Ordering::SeqCst);
    };
    let taken = pass(&scope(&store, &source), &count).await.unwrap();
    assert_eq!((taken, told.load(Ordering::SeqCst)), (Taken { told: 1, news: 1 }, 1));
    let asked: Vec<_> = source.asked.lock().unwrap().clone();
    assert_eq!(asked, [None, Some("2".to_owned()), Some("2".to_owned())]);
    assert_eq!(store.unrouted(9).await.unwrap().len(), 3);
    assert_eq!(pass(&scope(&store, &source), &count).await.unwrap(), Taken::default());
}

#[tokio::test]
async fn what_was_pushed_already_is_no_news() {
    let store = MemoryStore::new();
    let source = pages(9, false);
    let scope = scope(&store, &source);
    let pushed = Fed {
        path: "ats:SKU-1@WH-1".to_owned(),
        topic: "stock/level".to_owned(),
        sequence: 2,
        payload: b"{}".to_vec(),
        change: None,
    };
    store.append(vec![scope.fact(pushed, Via::Ingest)]).await.unwrap();
    assert_eq!(pass(&scope, &|| {}).await.unwrap(), Taken { told: 3, news: 2 });
}

#[tokio::test]
async fn a_change_is_known_by_its_pair_and_its_id() {
    use connector::port::FedChange;
    let store = MemoryStore::new();
    let scope = scope(&store, &pages(9, false));
    let change = |sku: &str, id: Option<&str>, sequence: i64| Fed {
        path: format!("ats:{sku}@WH-1"),
        topic: "stock/change".to_owned(),
        sequence,
        payload: b"{}".to_vec(),
        change: Some(FedChange { id: id.map(str::to_owned), numbered: sequence > 0 }),
    };
    let told = [
        change("A", Some("m-1"), 0),
        change("A", Some("m-1"), 0),
        // One document may move several pairs.
        change("B", Some("m-1"), 0),
        change("A", None, 7),
        change("A", None, 7),
    ];
    let facts = told.map(|fed| scope.fact(lifted(fed, 1000), Via::Ingest));
    let appended = scope.store.append(Vec::from(facts)).await.unwrap();
    let stored: Vec<bool> = appended.iter().map(|one| matches!(one, Appended::Stored(_))).collect();
    assert_eq!(stored, [true, false, true, true, false]);
    let waits = store.unrouted(9).await.unwrap();
    let shown: Vec<_> = waits.iter().map(|one| (one.envelope.kind, one.envelope.version.clone())).collect();
    let numbered = Some(EffectiveVersion::Sequence { sequence: 1007 });
    assert_eq!(shown, [(FactKind::Change, None), (FactKind::Change, None), (FactKind::Change, numbered)]);
}

#[tokio::test]
async fn a_source_that_gives_no_new_point_is_not_asked_for_ever() {
    let store = MemoryStore::new();
    let source = pages(9, true);
    pass(&scope(&store, &source), &|| {}).await.unwrap();
    assert_eq!(source.asked.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn a_source_that_began_anew_is_heard_from_its_first_number_on() {
    let store = MemoryStore::new();
    let source = pages(99, false);
    let scope = scope(&store, &source);
    pass(&scope, &|| {}).await.unwrap();
    // Its numbers and its points begin anew; the same levels are told again.
    store.set_cursor(&crate::work::lift::name_of(&scope.source_system, &scope.shop), "1").await.unwrap();
    store.set_cursor(&point_of(&scope.source_system, &scope.domain, &scope.shop), "").await.unwrap();
    assert_eq!(pass(&scope, &|| {}).await.unwrap(), Taken { told: 3, news: 3 });
    assert_eq!(source.asked.lock().unwrap().last(), Some(&Some("2".to_owned())));
    let newest = store.unrouted(9).await.unwrap().into_iter().last().unwrap();
    assert_eq!(
        newest.envelope.version,
        Some(kernel::version::EffectiveVersion::Sequence { sequence: crate::work::lift::STEP + 3 })
    );
}

/// An older level must not be set once the shop knows what was shipped.
#[tokio::test]
async fn the_stock_is_asked_after_the_shipments_and_committed_before_them() {
    let store = MemoryStore::new();
    let source = pages(99, false);
    let stock = scope(&store, &source);
    let shipments = Scope { domain: DomainName::new("orders").unwrap(), ..stock.clone() };
    pass_after(&shipments, Some(&stock), &|| {}).await.unwrap();
    let log = store.unrouted(99).await.unwrap();
    let domains: Vec<_> = log.iter().map(|item| item.envelope.domain.as_str()).collect();
    let (stock_first, then) = (["inventory"; 3], ["orders"; 3]);
    assert_eq!(domains, [stock_first, then].concat());
    // What cannot be asked about its stock is not told of its shipments either.
    let (store, source) = (MemoryStore::new(), pages(1, false));
    let stock = scope(&store, &source);
    let shipments = Scope { domain: DomainName::new("orders").unwrap(), ..stock.clone() };
    assert!(pass_after(&shipments, Some(&stock), &|| {}).await.is_err());
    assert!(store.unrouted(99).await.unwrap().is_empty());
}
