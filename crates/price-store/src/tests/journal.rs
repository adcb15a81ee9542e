//! What the journal says, and that it cannot be changed unseen.

use super::given::{at, copy_all, load, options, price, request, rows};
use crate::{AuditQuery, Guards, LoadRequest, Mode, Options, PriceForm, PriceStore, What};
use std::collections::BTreeSet;

fn many(numbers: std::ops::Range<u32>) -> String {
    super::given::many("c", numbers, |number| (number + 1).to_string())
}

fn filled(folder: &std::path::Path) -> PriceStore {
    let store = PriceStore::open(folder, options()).unwrap();
    load(&store, Mode::All, "a X 10, a Y 10, b X 7", 0).unwrap();
    let large = LoadRequest {
        source: "file".into(),
        by: "Eve".into(),
        note: Some("spring".into()),
        ..request(Mode::Changes)
    };
    store.load(large, rows(&format!("{}, a X 9", many(0..300))).into_iter(), at(10)).unwrap();
    load(&store, Mode::Changes, &many(5..305), 20).unwrap();
    load(&store, Mode::Changes, "a X 1", 30).unwrap();
    store.approve(4, "Ada", "the sale", at(40)).unwrap();
    load(&store, Mode::Changes, "a X -, c SKU-7 70", 50).unwrap();
    let terms = "[[lists]]\nid = \"a\"\nkind = \"list\"\ncurrency = \"EUR\"\nfor = \"everyone\"\n";
    store.set_terms(terms.as_bytes(), "Ada", false, at(60)).unwrap();
    store
}

#[test]
fn each_change_of_a_price_says_who_when_why_and_by_which_load() {
    let folder = tempfile::tempdir().unwrap();
    let store = filled(folder.path());
    let plain = |text: &str| Some(PriceForm::Plain(text.into()));
    let history = store.history("a", " x ").unwrap();
    let told: Vec<_> = history
        .iter()
        .map(|row| (row.before.clone(), row.after.clone(), row.by.as_str(), row.load))
        .collect();
    assert_eq!(
        told,
        [
            (plain("1"), None, "nightly", 5),
            (plain("9"), plain("1"), "Ada", 4),
            (plain("10"), plain("9"), "Eve", 2),
            (None, plain("10"), "nightly", 1),
        ]
    );
    assert_eq!(history[1].approved_because.as_deref(), Some("the sale"));
    assert_eq!((history[1].loaded_by.as_deref(), history[1].at), (Some("nightly"), at(40)));
    assert_eq!((history[2].source.as_str(), history[2].note.as_deref()), ("file", Some("spring")));
    let on = |second| store.price_at("a", "X", at(second)).unwrap().and_then(|row| row.after);
    assert_eq!(
        [-1, 0, 9, 10, 39, 40, 49, 50].map(on),
        [None, plain("10"), plain("10"), plain("9"), plain("9"), plain("1"), plain("1"), None]
    );
}

#[test]
fn the_journal_is_searched_by_list_sku_person_and_time() {
    let folder = tempfile::tempdir().unwrap();
    let store = filled(folder.path());
    let count = |query: AuditQuery| store.audit(&query, usize::MAX).unwrap().len();
    let lists = |ids: &[&str]| Some(ids.iter().map(ToString::to_string).collect::<BTreeSet<_>>());
    assert_eq!(count(AuditQuery::default()), 3 + 301 + 5 + 1 + 2);
    assert_eq!(count(AuditQuery { lists: lists(&["a", "b"]), ..AuditQuery::default() }), 6);
    assert_eq!(count(AuditQuery { sku: Some("sku-7".into()), ..AuditQuery::default() }), 2);
    assert_eq!(count(AuditQuery { by: Some("Eve".into()), ..AuditQuery::default() }), 301);
    assert_eq!(count(AuditQuery { by: Some("Ada".into()), ..AuditQuery::default() }), 1);
    assert_eq!(count(AuditQuery { load: Some(3), ..AuditQuery::default() }), 5);
    assert_eq!(count(AuditQuery { from: Some(at(10)), until: Some(at(20)), ..AuditQuery::default() }), 301);
    assert_eq!(count(AuditQuery { sku: Some("NONE".into()), ..AuditQuery::default() }), 0);
    let two = store.audit(&AuditQuery { skip: 2, ..AuditQuery::default() }, 2).unwrap();
    assert_eq!((two[0].load, two[1].load), (4, 3));
    let entries = store.entries(&AuditQuery { by: Some("Ada".into()), ..AuditQuery::default() }, 10).unwrap();
    assert!(matches!(entries[0].what, What::Terms { .. }) && entries.len() == 2);
}

#[test]
fn the_past_is_resolved_from_the_journal() {
    let folder = tempfile::tempdir().unwrap();
    let store = filled(folder.path());
    load(&store, Mode::Changes, "a X 8", 70).unwrap();
    use pricing::{Book as _, book::ListIndex};
    let on = |second| {
        let past = store.past(at(second)).unwrap();
        let key = past.key("X").unwrap();
        let found = past.price(ListIndex(0), key);
        (past.number(), past.terms().lists().len(), found, past.fault().is_none())
    };
    // Before the terms nobody knew the list.
    assert_eq!(on(50), (5, 0, None, true));
    assert_eq!(on(65), (6, 1, None, true));
    assert_eq!(on(70), (7, 1, Some(price("8")), true));
}

#[test]
fn any_changed_byte_of_any_file_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let store = filled(folder.path());
    load(&store, Mode::Changes, "c SKU-9 0", 80).unwrap();
    assert_eq!(store.held().unwrap().len(), 1);
    assert_eq!(store.verify().unwrap().findings, Vec::<String>::new());
    let root = folder.path();
    let mut looked_at = 0;
    for under in ["", "data", "versions"] {
        for entry in std::fs::read_dir(root.join(under)).unwrap() {
            let path = entry.unwrap().path();
            if !path.is_file() || path.ends_with("lock") {
                continue;
            }
            let bytes = std::fs::read(&path).unwrap();
            for at in (0..bytes.len()).step_by(1 + bytes.len() / 25).chain([bytes.len() - 1]) {
                let mut changed = bytes.clone();
                changed[at] ^= 1;
                std::fs::write(&path, &changed).unwrap();
                assert!(!store.verify().unwrap().findings.is_empty(), "{}, byte {at}", path.display());
                looked_at += 1;
            }
            std::fs::write(&path, &bytes).unwrap();
        }
    }
    assert!(looked_at > 200, "{looked_at}");
    assert_eq!(store.verify().unwrap().findings, Vec::<String>::new());
}

#[test]
fn a_list_with_a_changed_byte_answers_nothing_until_it_is_loaded_anew() {
    let folder = tempfile::tempdir().unwrap();
    let guards = || Options { guards: Guards::none() };
    let store = PriceStore::open(folder.path(), guards()).unwrap();
    load(&store, Mode::All, &format!("{}, a X 10", many(0..300)), 0).unwrap();
    let copy = tempfile::tempdir().unwrap();
    copy_all(folder.path(), copy.path());
    let segment = std::fs::read_dir(copy.path().join("data")).unwrap().next().unwrap().unwrap().path();
    let mut bytes = std::fs::read(&segment).unwrap();
    bytes[40] ^= 1;
    std::fs::write(&segment, bytes).unwrap();
    let open = || PriceStore::open(copy.path(), guards()).unwrap();
    let store = open();
    let damaged: Vec<String> = store.current().damage().lists.iter().cloned().collect();
    assert_eq!(damaged, ["c"]);
    assert_eq!(store.current().price_of("c", "SKU-1"), None);
    assert_eq!(store.current().price_of("a", "X"), Some(price("10")));
    let refused = load(&store, Mode::Changes, "c SKU-1 5", 1).unwrap_err();
    assert!(refused.to_string().contains("load it as a whole"), "{refused}");
    // Other lists go on, and after a restart it is still known.
    load(&store, Mode::Changes, "a X 11", 2).unwrap();
    store.merge(at(3)).unwrap();
    drop(store);
    let store = open();
    assert!(store.current().damage().lists.contains("c"));
    load(&store, Mode::Lists(vec![]), "c SKU-1 5", 4).unwrap();
    assert_eq!(store.current().price_of("c", "SKU-1"), Some(price("5")));
    assert!(store.current().damage().lists.is_empty());
    drop(store);
    assert!(open().current().damage().lists.is_empty());
    assert_eq!(open().current().price_of("c", "SKU-2"), None);
}

#[test]
fn one_changed_byte_of_what_all_depends_upon_costs_nothing_and_two_are_told() {
    let folder = tempfile::tempdir().unwrap();
    drop(filled(folder.path()));
    let manifest = std::fs::read_dir(folder.path().join("versions")).unwrap().next().unwrap().unwrap().path();
    let change = |path: &std::path::Path, places: &[usize]| {
        let mut bytes = std::fs::read(path).unwrap();
        for at in places {
            bytes[*at] ^= 1;
        }
        std::fs::write(path, bytes).unwrap();
    };
    let open = || PriceStore::open(folder.path(), options());
    change(&manifest, &[20]);
    change(&folder.path().join("skus"), &[30]);
    let store = open().unwrap();
    assert_eq!(store.current().price_of("b", "X"), Some(price("7")));
    assert!(
        store.current().damage().findings[0].starts_with("skus: its sums are wrong; it was brought back")
    );
    drop(store);
    assert_eq!(open().unwrap().current().damage(), &crate::Damage::default());
    // The other copy of the manifest too.
    let length = std::fs::metadata(&manifest).unwrap().len() as usize;
    change(&manifest, &[length - 100]);
    let refused = open().unwrap_err().to_string();
    assert!(refused.starts_with("versions/") && refused.contains("from a backup"), "{refused}");
    // A folder without versions is not begun anew over what is left of it.
    std::fs::remove_file(&manifest).unwrap();
    let refused = open().unwrap_err().to_string();
    assert!(refused.contains("the journal tells of some"), "{refused}");
    assert!(std::fs::read_dir(folder.path().join("data")).unwrap().count() > 2);
}

#[test]
fn prices_go_on_beside_a_damaged_journal_and_nothing_that_it_may_name_is_removed() {
    let folder = tempfile::tempdir().unwrap();
    drop(filled(folder.path()));
    let files = || std::fs::read_dir(folder.path().join("data")).unwrap().count();
    let before = files();
    let journal = folder.path().join("journal");
    let mut bytes = std::fs::read(&journal).unwrap();
    // Where the second line says that it names files.
    let names = bytes.windows(9).position(|text| text == b"\"files\":{").unwrap();
    bytes[names + 1] ^= 1;
    std::fs::write(&journal, bytes).unwrap();
    let store = PriceStore::open(folder.path(), options()).unwrap();
    let finding = "journal: a line does not follow on the line before it, of which one was changed";
    assert_eq!(store.current().damage().findings, [finding]);
    load(&store, Mode::All, "a X 3", 90).unwrap();
    store.approve(6, "Ada", "all of them", at(91)).unwrap();
    store.merge(at(92)).unwrap();
    assert_eq!(store.current().price_of("a", "X"), Some(price("3")));
    assert!(files() >= before);
    // What is newer than the damage is still found.
    let last = store.price_at("a", "X", at(95)).unwrap().unwrap();
    assert_eq!((last.by.as_str(), last.load), ("Ada", 6));
    assert!(store.verify().unwrap().findings.iter().any(|finding| finding.starts_with("journal, line 2")));
}
