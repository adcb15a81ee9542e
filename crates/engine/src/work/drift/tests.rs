//! What is kept of full checks, and what goes.

use super::*;
use store::MemoryStore;

fn names() -> (FlowName, ShopId) {
    (FlowName::new("stock").unwrap(), ShopId::new("acme").unwrap())
}

fn found(pairs: usize, padding: usize) -> Report {
    let difference = |number| Difference {
        sku: format!("SKU-{number}{}", "x".repeat(padding)),
        location: "WH-1, \"old\"".to_owned(),
        cause: "differs".to_owned(),
        why: Some("missed".to_owned()),
        wanted: Some(5),
        has: Some(7),
        changed_at: Some(Timestamp::UNIX_EPOCH),
        ..Difference::default()
    };
    let causes = BTreeMap::from([("differs".to_owned(), pairs as u64)]);
    let causes = if pairs == 0 { BTreeMap::new() } else { causes };
    let checked = Checked { flow: "stock".into(), shop: "acme".into(), causes, ..Checked::default() };
    Report { checked, differences: (0..pairs).map(difference).collect() }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

async fn kept(store: &MemoryStore, reports: impl IntoIterator<Item = Report>) {
    let (flow, shop) = names();
    for (second, report) in (0..).zip(reports) {
        keep(store, (&flow, &shop), report, at(second * 3_600)).await.unwrap();
    }
}

async fn shown(store: &MemoryStore, number: Option<u64>) -> Known {
    let (flow, shop) = names();
    report(store, &flow, &shop, number).await.unwrap()
}

#[tokio::test]
async fn a_report_comes_back_with_every_pair_and_its_number() {
    let store = MemoryStore::new();
    // More than a chunk.
    kept(&store, [found(3, 0), found(5, 600_000)]).await;
    let Known::Whole(newest) = shown(&store, None).await else { panic!("it is not kept") };
    assert_eq!((newest.checked.number, newest.differences), (2, found(5, 600_000).differences));
    let Known::Whole(first) = shown(&store, Some(1)).await else { panic!("it is not kept") };
    assert_eq!((first.checked.number, first.differences.len()), (1, 3));
    assert_eq!(shown(&store, Some(3)).await, Known::Nothing);
    let other = ShopId::new("beta").unwrap();
    assert_eq!(report(&store, &names().0, &other, None).await.unwrap(), Known::Nothing);
}

#[tokio::test]
async fn checks_that_found_nothing_take_no_reports_place() {
    let store = MemoryStore::new();
    kept(&store, [found(1, 0)].into_iter().chain((0..100).map(|_| found(0, 0)))).await;
    assert!(matches!(shown(&store, Some(1)).await, Known::Whole(report) if report.differences.len() == 1));
    assert!(matches!(shown(&store, None).await, Known::Whole(report) if report.differences.is_empty()));
}

#[tokio::test]
async fn the_newest_reports_are_kept_whole_and_the_figures_of_more() {
    let store = MemoryStore::new();
    kept(&store, (0..REPORTS_MAX + 2).map(|_| found(1, 0))).await;
    let (flow, shop) = names();
    let all = history(&store, &flow, &shop, usize::MAX).await.unwrap();
    assert_eq!((all.len(), all[0].number), (REPORTS_MAX + 2, REPORTS_MAX as u64 + 2));
    assert_eq!(all.iter().filter(|check| check.whole).count(), REPORTS_MAX);
    assert!(matches!(shown(&store, Some(2)).await, Known::Figures(figures) if figures.differences() == 1));
    assert!(matches!(shown(&store, Some(3)).await, Known::Whole(_)));
    let steps = store.series_steps("full_checks/stock/acme", 0, u32::MAX).await.unwrap();
    assert_eq!(store.chunk("full_checks/stock/acme", &steps[0].body, 0).await.unwrap().map(|_| ()), Some(()));
    // What went has left nothing.
    let gone = format!("2/{}/{}", at(3_600).as_nanosecond(), steps[0].bytes);
    assert_eq!(store.chunk("full_checks/stock/acme", &gone, 0).await.unwrap(), None);
}

#[test]
fn reports_go_by_their_bytes_too_and_the_newest_never() {
    let step = |number: u64, bytes: u64| SeriesStep {
        number,
        body: String::new(),
        digest: String::new(),
        bytes,
        whole: true,
        at: at(0),
    };
    let third = REPORTS_BYTES_MAX / 3;
    for (bytes, oldest) in [
        (vec![third, third, third, third], 2),
        (vec![1, REPORTS_BYTES_MAX + 1], 2),
        (vec![third, 0, REPORTS_BYTES_MAX + 1, 0], 2),
        (vec![0; 3], 1),
        (vec![0; CHECKS_MAX as usize + 2], 3),
    ] {
        let steps: Vec<SeriesStep> = (1..).zip(bytes).map(|(number, bytes)| step(number, bytes)).collect();
        assert_eq!(oldest_of(&steps), oldest);
    }
}

#[tokio::test]
async fn the_figures_of_the_newest_thousand_are_kept() {
    let store = MemoryStore::new();
    kept(&store, (0..CHECKS_MAX + 2).map(|_| found(0, 0))).await;
    let (flow, shop) = names();
    let all = history(&store, &flow, &shop, usize::MAX).await.unwrap();
    assert_eq!((all.len() as u64, all.last().map(|check| check.number)), (CHECKS_MAX, Some(3)));
    let two = history(&store, &flow, &shop, 2).await.unwrap();
    assert_eq!(two.iter().map(|check| check.number).collect::<Vec<_>>(), [CHECKS_MAX + 2, CHECKS_MAX + 1]);
}

/// As in a store to which figures were moved, and no reports.
#[tokio::test]
async fn figures_that_moved_to_another_store_go_on_there() {
    let (former, store) = (MemoryStore::new(), MemoryStore::new());
    kept(&former, [found(1, 0), found(0, 0)]).await;
    for name in ["full_checks/stock/acme", "full_checks/stock/acme/1", "full_checks/stock/acme/2"] {
        store.set_cursor(name, &former.cursor(name).await.unwrap().unwrap()).await.unwrap();
    }
    kept(&store, [found(2, 0)]).await;
    let (flow, shop) = names();
    let all = history(&store, &flow, &shop, 9).await.unwrap();
    let all: Vec<_> = all.iter().map(|check| (check.number, check.whole)).collect();
    assert_eq!(all, [(3, true), (2, true), (1, false)]);
    assert!(matches!(shown(&store, Some(1)).await, Known::Figures(_)));
    assert!(matches!(shown(&store, None).await, Known::Whole(report) if report.differences.len() == 2));
}

#[test]
fn the_table_quotes_what_would_be_two_fields() {
    let table = csv([&found(1, 0)]);
    let mut lines = table.lines();
    assert_eq!(
        lines.next(),
        Some("flow,shop,sku,location,should_have,has,cause,why,spelt,changed_at,elsewhere,elsewhere_has")
    );
    assert_eq!(
        lines.next(),
        Some("stock,acme,SKU-0,\"WH-1, \"\"old\"\"\",5,7,differs,missed,,1970-01-01T00:00:00Z,,")
    );
}
