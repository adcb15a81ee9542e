//! Loads, guards and approvals.

use super::given::{at, copy_all, load, price, request, rows};
use crate::{Guards, LoadRequest, Mode, Options, Outcome, PriceStore, PriceStoreError, Reason, Row};
use pricing::Price;

fn open(folder: &tempfile::TempDir, guards: Guards) -> PriceStore {
    PriceStore::open(folder.path(), Options { guards }).unwrap()
}

fn told(store: &PriceStore, list: &str, sku: &str) -> Option<String> {
    match store.current().price_of(list, sku)? {
        Price::Plain(amount) => Some(amount.to_string()),
        Price::Windows(_) => Some("windows".to_owned()),
    }
}

#[test]
fn what_is_loaded_is_read_in_one_version_and_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder, Guards::none());
    let empty = store.current();
    let first = load(&store, Mode::All, "a X-1 4.75, a X-2 5, b X-1 6", 0).unwrap();
    assert!(matches!(first, Outcome::Live { load: 1, version: 1, .. }), "{first:?}");
    let held = store.current();
    load(&store, Mode::Changes, "a x-1 4.5, a X-2 -, a X-3 1", 1).unwrap();
    assert_eq!((empty.prices(), held.prices(), store.current().prices()), (0, 3, 3));
    assert_eq!(held.price_of("a", "X-1"), Some(price("4.75")));
    for store in [store, {
        drop((empty, held));
        open_again(&folder)
    }] {
        let answers = [("a", "X-1"), ("a", "X-2"), ("a", "X-3"), ("b", "X-1"), ("b", "X-2"), ("c", "X-1")]
            .map(|(list, sku)| told(&store, list, sku));
        let expected = [Some("4.5"), None, Some("1"), Some("6"), None, None];
        assert_eq!(answers, expected.map(|answer| answer.map(str::to_owned)));
        assert_eq!((store.current().number(), store.current().from()), (2, at(1)));
    }
}

fn open_again(folder: &tempfile::TempDir) -> PriceStore {
    let copy = tempfile::tempdir().unwrap();
    copy_all(folder.path(), copy.path());
    PriceStore::open(&copy.keep(), Options { guards: Guards::none() }).unwrap()
}

#[test]
fn a_load_that_halves_a_price_waits_for_a_name_and_a_reason_through_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder, Guards::default());
    load(&store, Mode::All, "a X-1 10, a X-2 10", 0).unwrap();
    let dry = LoadRequest { dry_run: true, ..request(Mode::All) };
    let outcome = store.load(dry, rows("a X-1 5, a X-2 10").into_iter(), at(1)).unwrap();
    let Outcome::DryRun { diff, reasons } = outcome else { panic!("{outcome:?}") };
    assert_eq!((diff.total.down, diff.total.same), (1, 1));
    assert_eq!(diff.largest_falls[0].percent.as_deref(), Some("-50"));
    assert_eq!(reasons[0].to_string(), "1 prices fall by more than 40 %; the most: X-1 in a, by 50 %");
    let outcome = load(&store, Mode::All, "a X-1 5, a X-2 10, a NEW 1", 1).unwrap();
    assert!(matches!(outcome, Outcome::Held { load: 2, .. }), "{outcome:?}");
    assert_eq!(told(&store, "a", "X-1").as_deref(), Some("10"));
    drop(store);
    let store = open(&folder, Guards::default());
    assert_eq!(store.held().unwrap()[0].load, 2);
    assert!(matches!(store.approve(2, "", "sale", at(2)), Err(PriceStoreError::Nameless)));
    assert!(matches!(store.approve(3, "Ada", "sale", at(2)), Err(PriceStoreError::NotHeld(3))));
    store.approve(2, "Ada", "the spring sale", at(2)).unwrap();
    assert_eq!(
        (told(&store, "a", "X-1").as_deref(), told(&store, "a", "NEW").as_deref()),
        (Some("5"), Some("1"))
    );
    assert!(store.held().unwrap().is_empty());
}

#[test]
fn a_held_load_that_another_overtook_is_looked_at_again() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder, Guards::default());
    load(&store, Mode::All, "a X 10", 0).unwrap();
    load(&store, Mode::All, "a X 5", 1).unwrap();
    load(&store, Mode::Changes, "a X 9", 2).unwrap();
    let again = store.approve(2, "Ada", "sale", at(3)).unwrap_err();
    let PriceStoreError::LookAgain(held) = again else { panic!("{again:?}") };
    assert!(held.reasons.contains(&Reason::Overtaken { load: 3 }));
    assert_eq!(told(&store, "a", "X").as_deref(), Some("9"));
    store.approve(2, "Ada", "sale", at(4)).unwrap();
    assert_eq!(told(&store, "a", "X").as_deref(), Some("5"));
    load(&store, Mode::All, "a X 1", 5).unwrap();
    store.reject(4, "Ada", "a typing error", at(6)).unwrap();
    assert_eq!((store.held().unwrap().len(), told(&store, "a", "X").as_deref()), (0, Some("5")));
}

#[test]
fn one_row_that_is_wrong_refuses_all_of_them() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder, Guards::none());
    let wrong = rows("a X 1, b Y 2, a x 3");
    let PriceStoreError::Rows { faults, count } =
        store.load(request(Mode::All), wrong.into_iter(), at(0)).unwrap_err()
    else {
        panic!("not refused")
    };
    assert_eq!(count, 1);
    assert!(faults[0].to_string().starts_with("SKU X comes twice in list a"), "{}", faults[0]);
    assert_eq!(store.current().number(), 0);
    // Among changes the last word counts.
    load(&store, Mode::Changes, "a X 1, a x 3", 0).unwrap();
    assert_eq!(told(&store, "a", "X").as_deref(), Some("3"));
}

#[test]
fn a_newer_snapshot_of_the_same_lists_takes_the_place_of_one_that_waits() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder, Guards::default());
    load(&store, Mode::All, "a X 10, b X 10", 0).unwrap();
    let lists = || Mode::Lists(vec![]);
    let load = |mode, text| load(&store, mode, text, 1).unwrap();
    let waiting = || store.held().unwrap().iter().map(|held| held.load).collect::<Vec<_>>();
    load(lists(), "a X 1");
    load(Mode::Changes, "a X 2");
    load(lists(), "b X 1");
    assert_eq!(waiting(), [2, 3, 4]);
    // Another night: the first is moot; changes count each, and list b is not in it.
    load(lists(), "a X 3");
    assert_eq!(waiting(), [3, 4, 5]);
    let other = LoadRequest { source: "file".into(), ..request(Mode::All) };
    store.load(other, rows("a X 4, b X 4").into_iter(), at(2)).unwrap();
    assert_eq!(waiting(), [3, 4, 5, 6]);
    load(Mode::All, "a X 5, b X 5");
    assert_eq!(waiting(), [3, 6, 7]);
}

#[test]
fn so_many_loads_wait_and_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder, Guards::default());
    load(&store, Mode::All, "a X 10", 0).unwrap();
    for _ in 0..100 {
        load(&store, Mode::Changes, "a X 1", 1).unwrap();
    }
    let refused = load(&store, Mode::Changes, "a X 1", 1).unwrap_err();
    assert!(matches!(refused, PriceStoreError::ManyHeld(100)));
    store.reject(2, "Ada", "no", at(2)).unwrap();
    load(&store, Mode::Changes, "a X 1", 1).unwrap();
}

#[test]
fn a_reader_sees_one_version_whatever_goes_live_meanwhile() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder, Guards::none());
    let lists = ["a", "b", "c"];
    let load = |round: i64| {
        let amount = round.to_string();
        let all = lists.iter().flat_map(|list| (0..100).map(move |sku| (list, format!("S-{sku}"))));
        let rows = all.map(|(list, sku)| {
            Ok(Row { list: (*list).into(), sku: sku.into(), price: Some(price(&amount)), line: None })
        });
        store.load(request(Mode::All), rows, at(round)).unwrap();
        if round % 3 == 0 {
            store.merge(at(round)).unwrap();
        }
    };
    load(1);
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut seen = std::collections::BTreeSet::new();
            while !done.load(std::sync::atomic::Ordering::Acquire) {
                let version = store.current();
                let expected = price(&version.number().to_string());
                for list in lists {
                    for sku in 0..100 {
                        assert_eq!(version.price_of(list, &format!("S-{sku}")), Some(expected.clone()));
                    }
                }
                seen.insert(version.number());
            }
            seen.len()
        });
        (2..30).for_each(load);
        done.store(true, std::sync::atomic::Ordering::Release);
        assert!(reader.join().unwrap() > 1);
    });
}
