//! Files of changes in the folder: each line once, whatever ends the process and under whatever name a copy comes.

use super::*;
use std::collections::BTreeSet;

const HEADER: &str = "sku,location,change,changed_at";
const AT: &str = "2026-11-26T14:00:00Z";

fn rows(from: usize, to: usize) -> String {
    (from..to).map(|n| format!("S{n},W,-1,{AT}\n")).collect()
}

fn nameless(changes: usize) -> String {
    format!("{HEADER}\n{}", rows(0, changes))
}

/// By what each is known, with its pair: what a store takes once.
fn names(fed: &[Fed]) -> Vec<String> {
    let name = |fed: &Fed| {
        let change = fed.change.as_ref().unwrap();
        format!("{}#{}", fed.path, change.id.as_deref().unwrap_or_default())
    };
    fed.iter().map(name).collect()
}

impl Drops {
    /// Settled and taken.
    fn takes(&mut self, name: &str, text: &str, seconds: i64) -> Result<Vec<Fed>, Fault> {
        self.drop(name, text);
        self.take(seconds)?;
        self.take(seconds + 1)
    }

    fn why(&self, name: &str) -> String {
        fs::read_to_string(self.path(&format!("refused/{name}.why.txt"))).unwrap()
    }
}

#[test]
fn each_line_is_a_change_under_its_own_name_or_number() {
    let mut drops = Drops::of(Takes::Changes);
    let named = format!("sku,location,change,id,changed_at\nA,W,-3,M1,{AT}\nB,W,2,M1,{AT}\n");
    let taken = drops.takes("named.csv", &named, 10).unwrap();
    assert_eq!(names(&taken), ["ats:A@W#M1", "ats:B@W#M1"]);
    assert!(taken.iter().all(|fed| fed.topic == "stock/change" && !fed.change.as_ref().unwrap().numbered));
    assert!(String::from_utf8(taken[0].payload.clone()).unwrap().contains(r#""change":{"on_hand":"-3"}"#));
    let numbered = format!("sku,location,change,version,changed_at\nA,W,-3,7,{AT}\n");
    let taken = drops.takes("numbered.csv", &numbered, 20).unwrap();
    assert_eq!(
        (taken[0].sequence, taken[0].change.clone()),
        (7, Some(FedChange { id: None, numbered: true }))
    );
    let taken = drops.takes("nameless.csv", &nameless(2), 30).unwrap();
    assert_eq!(names(&taken).iter().collect::<BTreeSet<_>>().len(), 2);
    // What its source names is known again by that, whichever file it comes in.
    assert_eq!(names(&drops.takes("again.csv", &named, 40).unwrap()), ["ats:A@W#M1", "ats:B@W#M1"]);
    assert!(drops.path("done/again.csv").exists());
}

#[test]
fn a_line_is_one_change_however_often_the_process_is_killed() {
    let mut drops = Drops::of(Takes::Changes);
    drops.drop("moves.csv", &nameless(2_500));
    drops.take(10).unwrap();
    let mut taken = Vec::new();
    let mut ended = false;
    while !ended {
        // Given, and killed: before it was committed; after that, and before the point was; after both.
        let lost = drops.look(11).unwrap();
        drops.restart();
        let again = drops.look(12).unwrap();
        assert_eq!(again, lost);
        drops.restart();
        taken.extend(names(&lost.items));
        taken.extend(names(&again.items));
        drops.point = Some(again.next);
        ended = again.items.is_empty();
    }
    assert_eq!(taken.len(), 5_000);
    assert_eq!(taken.iter().collect::<BTreeSet<_>>().len(), 2_500);
    assert!(drops.path("done/moves.csv").exists());
}

#[test]
fn a_second_copy_of_changes_that_nothing_names_is_refused_and_one_put_back_is_the_same() {
    let mut drops = Drops::of(Takes::Changes);
    let first = names(&drops.takes("moves.csv", &nameless(3), 10).unwrap());
    for name in ["moves.csv", "other.csv"] {
        let fault = drops.takes(name, &nameless(3), 20).unwrap_err();
        assert_eq!(fault.code.as_str(), "TG-3405");
        assert!(drops.why(name).contains("done/moves.csv has the same bytes"), "{}", drops.why(name));
    }
    // Put back, as after a restore: under the names that they had.
    fs::rename(drops.path("done/moves.csv"), drops.path("back.csv")).unwrap();
    drops.take(40).unwrap();
    assert_eq!(names(&drops.take(50).unwrap()), first);
    // Other movements are others.
    let other = drops.takes("moves.csv", &nameless(3).replace("14:00", "15:00"), 60).unwrap();
    assert!(names(&other).iter().all(|name| !first.contains(name)));
}

#[test]
fn a_bad_line_refuses_the_file_whole_with_line_and_column() {
    let mut drops = Drops::of(Takes::Changes);
    let bad = format!("{HEADER}\n{}S9,W,+1,{AT}\n", rows(0, 1_500));
    let fault = drops.takes("bad.csv", &bad, 10).unwrap_err();
    assert!(fault.message.contains("line 1502, column 6, change.on_hand"), "{fault}");
    assert_eq!(drops.point.as_deref(), Some(""), "nothing of it was given");
    assert!(drops.path("refused/bad.csv").exists());
    // A file of what is not taken here.
    for (takes, text) in [(Takes::Changes, LEVELS), (Takes::Levels, &*nameless(1))] {
        let mut drops = Drops::of(takes);
        drops.takes("other.csv", text, 10).unwrap_err();
        assert!(drops.why("other.csv").contains("files = \"both\""), "{}", drops.why("other.csv"));
    }
}

#[test]
fn a_file_that_became_another_while_it_was_taken_is_not_begun_anew() {
    let mut drops = Drops::of(Takes::Changes);
    drops.drop("moves.csv", &nameless(2_500));
    drops.take(10).unwrap();
    drops.point = Some(drops.look(11).unwrap().next);
    drops.restart();
    fs::write(drops.path("taking/moves.csv"), nameless(2_400)).unwrap();
    drops.look(12).unwrap_err();
    assert!(
        drops.why("moves.csv").contains("1000 lines of another file of this name"),
        "{}",
        drops.why("moves.csv")
    );
    // What names its changes itself is known again.
    let named = |to| format!("sku,location,change,id,changed_at\n{}", rows(0, to).replace(",-1,", ",-1,M,"));
    drops.drop("named.csv", &named(2_500));
    drops.take(20).unwrap();
    drops.point = Some(drops.look(21).unwrap().next);
    drops.restart();
    fs::write(drops.path("taking/named.csv"), named(2_400)).unwrap();
    assert_eq!(drops.take(22).unwrap().len(), 2_400);
}

#[test]
fn numbered_changes_and_levels_that_have_only_dates_do_not_meet() {
    let numbered = format!("sku,location,change,version,changed_at\nA,W,-3,7,{AT}\n");
    let levels = |version: &str| format!("sku,location,on_hand,version,changed_at\nA,W,5,{version},{AT}\n");
    let mut drops = Drops::of(Takes::Both);
    assert_eq!(drops.takes("levels.csv", &levels(""), 10).unwrap().len(), 1);
    assert_eq!(drops.takes("nameless.csv", &nameless(1), 20).unwrap().len(), 1);
    drops.restart();
    drops.takes("numbered.csv", &numbered, 30).unwrap_err();
    assert!(drops.why("numbered.csv").contains("levels that were dropped here had none"));
    let mut drops = Drops::of(Takes::Both);
    assert_eq!(drops.takes("levels.csv", &levels("6"), 10).unwrap()[0].sequence, 6);
    assert_eq!(drops.takes("numbered.csv", &numbered, 20).unwrap()[0].sequence, 7);
    drops.takes("dated.csv", &levels(""), 30).unwrap_err();
    assert!(drops.why("dated.csv").contains("its levels have no version"));
    // A source that began anew has told nothing yet.
    drops.point = None;
    assert_eq!(drops.takes("anew.csv", &levels("").replace(",5,", ",6,"), 40).unwrap().len(), 1);
}
