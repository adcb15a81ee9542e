//! The power is cut before every change of the disk, one after the other: what is opened then is the state before or the one after,
//! never another, and it can be written on.

use super::fuse::Fuse;
use super::given::{self, at, copy_all, many, options, request};
use crate::disk::Disk;
use crate::{Mode, Outcome, PriceStore, PriceStoreError};
use std::path::Path;

const TERMS: &str = "[[lists]]\nid = \"a\"\nkind = \"list\"\ncurrency = \"EUR\"\nfor = \"everyone\"\n";

/// One thing that a user does.
type Act = fn(&PriceStore) -> Result<(), PriceStoreError>;

/// Only what comes after it is looked at.
const NOT_CUT: &str = "";

const ACTS: [(&str, Act); 13] = [
    ("first load", |store| load(store, Mode::All, "a X 10, a Y 10, b X 7")),
    ("changes", |store| load(store, Mode::Changes, "a X 9, a Z 3")),
    ("terms", |store| store.set_terms(TERMS.as_bytes(), "Ada", false, at(3)).map(drop)),
    ("a large load", |store| {
        load(store, Mode::Lists(vec![]), &many("c", 0..400, |number| (number + 1).to_string()))
    }),
    ("merge", |store| store.merge(at(5)).map(drop)),
    ("held", |store| load(store, Mode::Changes, "a X 1, b NEW 5")),
    ("approved", |store| store.approve(4, "Ada", "sale", at(7)).map(drop)),
    (NOT_CUT, |store| load(store, Mode::Changes, "d X 1, d Y 1, d Z 1")),
    (NOT_CUT, |store| load(store, Mode::Changes, "e X 1, e Y 1, e Z 1")),
    (NOT_CUT, |store| load(store, Mode::Changes, "f X 1, f Y 1, f Z 1")),
    (NOT_CUT, |store| load(store, Mode::Changes, "g X 1")),
    ("one segment too many", |store| load(store, Mode::Changes, "a Z 4")),
    ("unchanged", |store| load(store, Mode::Changes, "a X 1")),
];

fn load(store: &PriceStore, mode: Mode, text: &str) -> Result<(), PriceStoreError> {
    given::load(store, mode, text, 1).map(drop)
}

/// All that a user can see.
fn seen(store: &PriceStore) -> String {
    let version = store.current();
    assert_eq!(version.damage(), &crate::Damage::default());
    let lists: Vec<_> = version
        .lists()
        .filter(|(_, count)| *count > 0)
        .map(|(list, count)| {
            let prices: Vec<_> = version
                .walk(version.list(list).unwrap())
                .map(|(sku, price)| (version.sku(sku).unwrap().to_owned(), price))
                .collect();
            assert_eq!(prices.len() as u64, count);
            (list.to_owned(), prices)
        })
        .collect();
    let held: Vec<u64> = store.held().unwrap().iter().map(|held| held.load).collect();
    let terms = version.terms_document().map(|(bytes, _)| bytes.len());
    let entries = store.entries(&crate::AuditQuery::default(), 100).unwrap().len();
    format!("{} {lists:?} {held:?} {terms:?} {entries}", version.number())
}

fn open(folder: &Path, fuse: &Fuse) -> Result<PriceStore, PriceStoreError> {
    let mut disk = Disk::new(folder);
    disk.fuse = Some(fuse.clone());
    PriceStore::open_on(disk, options(), None)
}

#[test]
fn a_power_cut_before_any_write_leaves_the_version_before_or_the_one_after() {
    let base = tempfile::tempdir().unwrap();
    let mut cuts = 0;
    for (name, act) in ACTS {
        if name == NOT_CUT {
            act(&PriceStore::open(base.path(), options()).unwrap()).unwrap();
            continue;
        }
        let before = seen(&PriceStore::open(base.path(), options()).unwrap());
        let after = {
            let folder = tempfile::tempdir().unwrap();
            copy_all(base.path(), folder.path());
            let store = PriceStore::open(folder.path(), options()).unwrap();
            act(&store).unwrap();
            seen(&store)
        };
        let mut outcomes = (0, 0);
        for steps in 0.. {
            let folder = tempfile::tempdir().unwrap();
            copy_all(base.path(), folder.path());
            let fuse = Fuse::after(steps);
            let told = open(folder.path(), &fuse).and_then(|store| act(&store));
            fuse.lose();
            let store = PriceStore::open(folder.path(), options()).unwrap();
            let found = seen(&store);
            assert!(found == before || found == after, "{name}, cut before step {steps}:\n{found}");
            if told.is_ok() {
                assert_eq!(found, after, "{name}, cut before step {steps}: it was told to be done");
            }
            outcomes = (outcomes.0 + u32::from(found == before), outcomes.1 + u32::from(found == after));
            assert_eq!(store.verify().unwrap().findings, Vec::<String>::new(), "{name}, {steps}");
            if found == before {
                act(&store).unwrap();
                assert_eq!(seen(&store), after, "{name}, done again after step {steps}");
            }
            if !fuse.is_cut() {
                break;
            }
            cuts += 1;
        }
        // Of each act some cuts come before it counts, and some after.
        assert!(name == "unchanged" || (outcomes.0 > 0 && outcomes.1 > 1), "{name}: {outcomes:?}");
        act(&PriceStore::open(base.path(), options()).unwrap()).unwrap();
    }
    assert!(cuts > 100, "{cuts}");
    let stats = PriceStore::open(base.path(), options()).unwrap().stats();
    assert!(stats.segments <= 4, "those that are small were given up: {stats:?}");
}

#[test]
fn a_write_of_which_nobody_knows_whether_it_counts_stops_the_writer_and_not_the_readers() {
    let folder = tempfile::tempdir().unwrap();
    let mut in_doubt = 0;
    for steps in 0..60 {
        let folder = folder.path().join(steps.to_string());
        std::fs::create_dir(&folder).unwrap();
        let fuse = Fuse::after(steps);
        let Ok(store) = open(&folder, &fuse) else { continue };
        let first = load(&store, Mode::All, "a X 1");
        let second = load(&store, Mode::All, "a X 2");
        if first.is_err() {
            assert_eq!(store.current().prices(), 0);
            in_doubt += u32::from(matches!(second, Err(PriceStoreError::InDoubt)));
        }
        let _ = fuse.seen();
    }
    assert!(in_doubt > 0);
}

#[test]
fn a_folder_has_one_process() {
    let folder = tempfile::tempdir().unwrap();
    let store = PriceStore::open(folder.path(), options()).unwrap();
    assert!(matches!(PriceStore::open(folder.path(), options()), Err(PriceStoreError::InUse(_))));
    drop(store);
    let store = PriceStore::open(folder.path(), options()).unwrap();
    let outcome = store.load(request(Mode::All), std::iter::empty(), at(0)).unwrap();
    assert!(matches!(outcome, Outcome::Unchanged { .. }));
}
