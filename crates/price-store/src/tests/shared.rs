//! Several nodes that share their prices: each has what the others have, byte for byte, whatever ends one of them and when.

use super::fuse::Fuse;
use super::given::*;
use super::nodes::*;
use crate::disk::Disk;
use crate::{LoadRequest, Mode, Outcome, PriceStore, PriceStoreError, Row};
use std::sync::Arc;
use tempfile::TempDir;

#[test]
fn whatever_one_node_does_the_others_have() {
    let common = Arc::<Common>::default();
    let (one, two) = (Node::new(&common), Node::new(&common));
    one.store.set_terms(TERMS.as_bytes(), "anna", false, at(1)).unwrap();
    assert!(matches!(one.load("A PUMP 9, A VALVE 5", 2), Outcome::Live { version: 2, .. }));
    assert_eq!(two.price("A", "PUMP"), None, "not yet");
    alike(&one, &two);
    assert_eq!((two.price("A", "PUMP").as_deref(), two.store.current().number()), (Some("9"), 2));
    assert_eq!(two.store.current().terms().lists().len(), 1);
    // A load is held where it came, and decided upon elsewhere; each node may write.
    let Outcome::Held { load: held, .. } = two.load("A PUMP 0", 3) else { panic!("a price of zero is held") };
    alike(&one, &two);
    one.store.approve(held, "anna", "a gift", at(4)).unwrap();
    alike(&one, &two);
    assert_eq!(two.price("A", "PUMP").as_deref(), Some("0"));
    let Outcome::Held { load: held, .. } = one.load("A VALVE 0", 5) else { panic!("held") };
    two.store.reject(held, "bert", "no", at(6)).unwrap();
    assert!(matches!(one.store.approve(held, "anna", "yes", at(7)), Err(PriceStoreError::NotHeld(_))));
    // Larger than a line of the journal, and than one chunk would be if each price were.
    let many = many("B", 0..5000, |number| format!("{}.5", number + 1));
    for (node, second) in [(&one, 8), (&two, 9)] {
        node.load(&many.replace(".5", &format!(".{second}")), second);
        node.load(&format!("B SKU-1 77.{second}"), second);
        assert_eq!(node.store.merge(at(second)).unwrap(), second == 8 || node.store.stats().layers_max == 1);
    }
    alike(&one, &two);
    let entries = two.store.entries(&crate::AuditQuery::default(), 100).unwrap();
    assert!(entries.iter().any(|entry| entry.by == "bert") && entries.iter().any(|entry| entry.by == "anna"));
    // The past is there as well.
    assert_eq!(two.store.price_at("A", "PUMP", at(2)).unwrap().unwrap().after.unwrap().to_string(), "9");
    let three = Node::new(&common);
    alike(&one, &three);
    let (one, two) = (one.again(&common), two.again(&common));
    alike(&one, &two);
}

#[test]
fn a_node_that_comes_late_begins_with_a_whole_copy() {
    let common = Arc::<Common>::default();
    let (one, late) = (Node::new(&common), Node::new(&common));
    one.store.set_terms(TERMS.as_bytes(), "anna", false, at(1)).unwrap();
    one.load(&many("A", 0..3000, |number| format!("{}", number + 1)), 2);
    for second in 3..9 {
        one.load(&format!("A SKU-{second} {second}.5"), second);
    }
    assert!(!one.store.copy_for_others(100, at(9)).unwrap());
    assert!(one.store.copy_for_others(5, at(9)).unwrap());
    assert_eq!(
        common.steps.lock().unwrap().len(),
        2,
        "what is before the step on which the copy rests is forgotten"
    );
    one.load("A SKU-1 99", 10);
    let new = Node::new(&common);
    alike(&one, &new);
    alike(&one, &late);
    assert!(late.store.why_joined().unwrap().contains("gone already"));
    assert_eq!(late.price("A", "SKU-1").as_deref(), Some("99"));
    // A copy changes nothing for who has it all.
    assert!(late.store.copy_for_others(0, at(11)).unwrap());
    alike(&one, &late);
    assert_eq!(one.store.why_joined(), None);
}

#[test]
fn rows_that_come_while_another_node_loads_have_the_numbers_that_count() {
    let common = Arc::<Common>::default();
    let (one, two) = (Node::new(&common), Node::new(&common));
    one.load("A PUMP 9", 1);
    let other = two.store.clone();
    let mut meanwhile = Some(move || {
        load(&other, Mode::Changes, "C BOLT 3, A NEW-1 5, A BOTH 2", 2).unwrap();
    });
    let mine = rows("D NEW-2 4, A NEW-2 6, A BOTH 7, A PUMP 8.5").into_iter().enumerate();
    let slow = mine.map(|(place, row): (usize, Result<Row<'_>, _>)| {
        if place == 2
            && let Some(meanwhile) = meanwhile.take()
        {
            meanwhile();
        }
        row
    });
    one.store.load(request(Mode::Changes), slow, at(3)).unwrap();
    alike(&one, &two);
    let prices =
        [("A", "PUMP"), ("A", "BOTH"), ("A", "NEW-1"), ("A", "NEW-2"), ("C", "BOLT"), ("D", "NEW-2")];
    let told = prices.map(|(list, sku)| two.price(list, sku).unwrap_or_default());
    assert_eq!(told, ["8.5", "7", "5", "6", "3", "4"]);
    // A load of all lists takes what came meanwhile with it: it is the later one.
    let other = one.store.clone();
    let mut meanwhile = Some(move || {
        load(&other, Mode::Changes, "E LAST 1", 4).unwrap();
    });
    let whole = rows("A PUMP 8.5, A BOTH 7, A NEW-1 5, A NEW-2 6, C BOLT 3, D NEW-2 4").into_iter();
    let slow = whole.inspect(|_| {
        if let Some(meanwhile) = meanwhile.take() {
            meanwhile();
        }
    });
    let all = LoadRequest { mode: Mode::All, ..request(Mode::All) };
    let outcome = two.store.load(all, slow, at(5)).unwrap();
    // It would empty a list: a person is asked.
    let Outcome::Held { load: held, .. } = outcome else { panic!("{outcome:?}") };
    one.store.approve(held, "anna", "it is over", at(6)).unwrap();
    alike(&one, &two);
    assert_eq!((one.price("E", "LAST"), one.price("A", "PUMP").as_deref()), (None, Some("8.5")));
}

#[test]
fn of_two_that_change_at_once_one_does_it_over() {
    let common = Arc::<Common>::default();
    let (one, two) = (Node::new(&common), Node::new(&common));
    one.load("A PUMP 9", 1);
    let other = two.store.clone();
    *common.meanwhile.lock().unwrap() =
        Some(Box::new(move || drop(load(&other, Mode::Changes, "A PUMP 8, A VALVE 3", 2).unwrap())));
    let outcome = one.load("A PUMP 7", 3);
    assert!(matches!(outcome, Outcome::Live { version: 3, load: 3, .. }), "{outcome:?}");
    alike(&one, &two);
    let told = two.store.price_at("A", "PUMP", at(9)).unwrap().unwrap();
    let (before, after) = (told.before.unwrap().to_string(), told.after.unwrap().to_string());
    assert_eq!((before.as_str(), after.as_str()), ("8", "7"), "weighed against what the other did");
}

#[test]
fn a_node_that_dies_in_the_middle_of_a_load_has_loaded_nothing() {
    let common = Arc::<Common>::default();
    let (one, two) = (Node::new(&common), Node::new(&common));
    one.load("A PUMP 9", 1);
    for room in 0..2 {
        *common.room.lock().unwrap() = Some(room);
        let dead = load(&one.store, Mode::Changes, "A PUMP 8, A VALVE 3", 2).unwrap_err();
        assert!(matches!(dead, PriceStoreError::Shared(_)), "{dead}");
        *common.room.lock().unwrap() = None;
        assert_eq!(one.price("A", "PUMP").as_deref(), Some("9"));
        alike(&one, &two);
    }
    two.load("A PUMP 7", 3);
    let one = one.again(&common);
    alike(&one, &two);
    assert_eq!((one.price("A", "PUMP").as_deref(), one.price("A", "VALVE")), (Some("7"), None));
    // It died after the step and before its own manifest: the change counts, and it finds it.
    *common.loses_answer.lock().unwrap() = true;
    let unknown = load(&one.store, Mode::Changes, "A PUMP 6, A VALVE 3", 4).unwrap_err();
    assert!(unknown.to_string().contains("look before doing it over"), "{unknown}");
    assert_eq!(one.price("A", "PUMP").as_deref(), Some("7"));
    let one = one.again(&common);
    assert_eq!(one.price("A", "VALVE").as_deref(), Some("3"));
    alike(&one, &two);
}

#[test]
fn prices_that_were_never_shared_are_put_aside_and_the_first_ones_are_shared() {
    let common = Arc::<Common>::default();
    let (old, other) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    for (folder, text) in [(&old, "A PUMP 9"), (&other, "A PUMP 5, B VALVE 1")] {
        load(&PriceStore::open(folder.path(), options()).unwrap(), Mode::Changes, text, 1).unwrap();
    }
    let one = Node::at(&common, old);
    assert_eq!(common.steps.lock().unwrap().len(), 1);
    let two = Node::at(&common, other);
    assert_eq!((two.price("A", "PUMP").as_deref(), two.price("B", "VALVE")), (Some("9"), None));
    assert!(two.store.why_joined().unwrap().contains("never shared"));
    let aside = two.folder.path().join("apart");
    let put_aside = PriceStore::open(&aside, options()).unwrap();
    assert!(put_aside.current().price_of("B", "VALVE").is_some());
    alike(&one, &two);
}

#[test]
fn terms_that_are_made_of_those_before_lose_nobodys_change() {
    fn adds(store: &PriceStore, list: &str, second: i64) {
        let row = TERMS.replace("\"A\"", &format!("\"{list}\""));
        let make = |before: &str| Ok::<_, String>(format!("{before}{row}"));
        store.change_terms(make, "anna", false, at(second)).unwrap().unwrap();
    }
    let common = Arc::<Common>::default();
    let (one, two) = (Node::new(&common), Node::new(&common));
    adds(&one.store, "A", 1);
    // The other has not looked since.
    adds(&two.store, "B", 2);
    let other = two.store.clone();
    *common.meanwhile.lock().unwrap() = Some(Box::new(move || adds(&other, "C", 3)));
    adds(&one.store, "D", 4);
    alike(&one, &two);
    let version = two.store.current();
    assert_eq!(
        version.terms().lists().iter().map(|list| &*list.id).collect::<Vec<_>>(),
        ["A", "B", "C", "D"]
    );
    let refused = two.store.change_terms(|_| Err("no"), "anna", false, at(5)).unwrap();
    assert_eq!(refused.unwrap_err(), "no");
    assert_eq!(two.store.current().number(), version.number());
}

#[cfg(target_os = "linux")]
#[test]
fn what_others_did_is_taken_by_a_thread_that_gives_way_to_carts() {
    let common = Arc::<Common>::default();
    let (one, two) = (Node::new(&common), Node::new(&common));
    one.load("A PUMP 9", 1);
    two.store.follow(at(2)).unwrap();
    assert_eq!(two.price("A", "PUMP").as_deref(), Some("9"));
    let quiet = (nice() + crate::quiet::NICE).min(19);
    assert_eq!(*common.asked_by.lock().unwrap(), Some(quiet), "a step is taken beside carts that wait");
}

#[test]
fn a_node_whose_terms_are_damaged_takes_those_of_the_others() {
    let common = Arc::<Common>::default();
    let (one, two) = (Node::new(&common), Node::new(&common));
    one.store.set_terms(TERMS.as_bytes(), "anna", false, at(1)).unwrap();
    one.load("A PUMP 9", 2);
    alike(&one, &two);
    let file = two.store.current().manifest.terms.clone().unwrap().file;
    let Node { store, folder } = two;
    drop(store);
    std::fs::write(folder.path().join(file), "[[lists]]\n").unwrap();
    let two = Node::at(&common, folder);
    assert_eq!(two.store.current().terms().lists().len(), 1, "no list is for anybody");
    assert!(two.store.why_joined().unwrap().contains("terms are damaged"));
    alike(&one, &two);
}

/// Another database, or one that was put back to a day on which nobody shared any prices.
#[test]
fn a_node_whose_shared_prices_are_gone_shares_its_own_anew() {
    let (before, common) = (Arc::<Common>::default(), Arc::<Common>::default());
    let one = Node::new(&before);
    one.load("A PUMP 9", 1);
    one.load("A PUMP 8", 2);
    let one = one.again(&common);
    assert_eq!(common.steps.lock().unwrap().keys().copied().collect::<Vec<_>>(), [1]);
    let two = Node::new(&common);
    assert_eq!(two.price("A", "PUMP").as_deref(), Some("8"));
    one.load("A PUMP 7", 3);
    alike(&one, &two);
}

#[test]
fn what_a_node_changed_alone_is_put_aside_once_it_shares_again() {
    let common = Arc::<Common>::default();
    let (one, two) = (Node::new(&common), Node::new(&common));
    one.load("A PUMP 9", 1);
    alike(&one, &two);
    let Node { store, folder } = two;
    drop(store);
    load(&PriceStore::open(folder.path(), options()).unwrap(), Mode::Changes, "A VALVE 3", 2).unwrap();
    one.load("A PUMP 8", 3);
    let two = Node::at(&common, folder);
    alike(&one, &two);
    assert_eq!((two.price("A", "PUMP").as_deref(), two.price("A", "VALVE")), (Some("8"), None));
    let aside = PriceStore::open(&two.folder.path().join("apart"), options()).unwrap();
    assert!(aside.current().price_of("A", "VALVE").is_some(), "what was loaded is thrown away");
}

#[test]
fn what_was_changed_behind_a_nodes_back_is_found_and_taken_anew() {
    let common = Arc::<Common>::default();
    let (one, two) = (Node::new(&common), Node::new(&common));
    one.load(&many("A", 0..3000, |number| format!("{}", number + 1)), 1);
    one.store.copy_for_others(0, at(2)).unwrap();
    alike(&one, &two);
    let segment = two.store.current().manifest.segments[0].file.clone();
    let Node { store, folder } = two;
    drop(store);
    let path = folder.path().join(&segment);
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[100] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let two = Node::at(&common, folder);
    assert_eq!(two.price("A", "SKU-7").as_deref(), Some("8"), "as the others have it");
    alike(&one, &two);
    // The shared ones were put back to an earlier day: they count.
    one.load("A SKU-7 50", 3);
    alike(&one, &two);
    common.steps.lock().unwrap().pop_last();
    two.load("A SKU-8 60", 4);
    alike(&one, &two);
    assert_eq!(
        (one.price("A", "SKU-7").as_deref(), one.price("A", "SKU-8").as_deref()),
        (Some("8"), Some("60"))
    );
}

/// Whenever the power goes while a node takes what others did, it comes back and has it.
#[test]
fn a_node_that_is_cut_off_while_it_follows_or_joins_has_it_all_in_the_end() {
    let common = Arc::<Common>::default();
    let one = Node::new(&common);
    one.load(&many("A", 0..30, |number| format!("{}", number + 1)), 1);
    let before = TempDir::new().unwrap();
    drop(open(&common, before.path()).unwrap());
    one.load(&many("A", 0..30, |number| format!("{}", number + 2)), 2);
    one.store.merge(at(3)).unwrap();
    let behind = TempDir::new().unwrap();
    load(&PriceStore::open(behind.path(), options()).unwrap(), Mode::Changes, "OWN PUMP 9", 1).unwrap();
    for (start, forgets) in [(&before, false), (&behind, true)] {
        if forgets {
            one.store.copy_for_others(0, at(4)).unwrap();
        }
        let mut cut = 0;
        loop {
            let folder = TempDir::new().unwrap();
            copy_all(start.path(), folder.path());
            let fuse = Fuse::after(cut);
            let mut disk = Disk::new(folder.path());
            disk.fuse = Some(fuse.clone());
            let opened = PriceStore::open_on(disk, options(), Some(common.clone()))
                .and_then(|store| store.follow(at(5)));
            fuse.lose();
            let two = Node::at(&common, folder);
            alike(&one, &two);
            if opened.is_ok() && !fuse.is_cut() {
                break;
            }
            // Every second change of the disk: each is two, a file and its syncing.
            cut += 2;
        }
        assert!(cut > 5, "{cut}");
    }
}
