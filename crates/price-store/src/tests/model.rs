//! Random loads, merges, approvals and restarts, beside a plain map: at every step the store says what the map says, of today and of
//! each instant that is over.

use super::given::{at, request};
use crate::{AuditQuery, Guards, Mode, Options, Outcome, PriceForm, PriceStore, Row};
use jiff::tz::TimeZone;
use pricing::Price;
use proptest::prelude::*;
use std::collections::BTreeMap;

const LISTS: [&str; 3] = ["a", "b", "c"];

/// A list, a SKU, and which of a few prices; none: gone.
type Change = (usize, u16, Option<u8>);

#[derive(Debug, Clone)]
enum Step {
    Changes(Vec<Change>),
    /// All prices of these lists.
    Snapshot(Vec<usize>, Vec<Change>),
    All(Vec<Change>),
    DryRun(Vec<Change>),
    /// A load that is held, and then approved or not.
    Held(Vec<Change>, bool),
    Merge,
    Reopen,
}

type Model = BTreeMap<(&'static str, String), Price>;

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let one = (0..3_usize, 0..600_u16, prop::option::weighted(0.85, 0..9_u8));
    prop_oneof![
        8 => prop::collection::vec(one.clone(), 0..40),
        // More than stand in a line of the journal.
        2 => prop::collection::vec(one, 250..500),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => changes().prop_map(Step::Changes),
        2 => (prop::collection::vec(0..3_usize, 0..2), changes()).prop_map(|(lists, rows)| Step::Snapshot(lists, rows)),
        1 => changes().prop_map(Step::All),
        1 => changes().prop_map(Step::DryRun),
        2 => (changes(), any::<bool>()).prop_map(|(rows, yes)| Step::Held(rows, yes)),
        2 => Just(Step::Merge),
        2 => Just(Step::Reopen),
    ]
}

fn sku(number: u16) -> String {
    // Dense, sparse and of several spellings.
    if number.is_multiple_of(7) { format!("Ü {number}") } else { format!("SKU-{number}") }
}

fn price(which: u8) -> Price {
    let text = match which {
        0 => r#""0""#,
        1 => r#""4.75""#,
        2 => r#""4.8""#,
        3 => r#""999999999999.999999""#,
        4 => r#""2684354.56""#,
        5 => r#"[{"tiers":[["1","5"],["10","4.5"]]}]"#,
        6 => r#"[{"valid_from":"2030-01-01","tiers":[["1","5"]]}]"#,
        7 => r#"[{"valid_until":"2026-12-31","tiers":[["1","5"]]},{"unit":"CS","tiers":[["2","50"]]}]"#,
        _ => r#""0.000001""#,
    };
    serde_json::from_str::<PriceForm>(text).unwrap().read(&TimeZone::UTC).unwrap()
}

/// The last word of each SKU of each list.
fn last(changes: &[Change]) -> Vec<Change> {
    let map: BTreeMap<(usize, u16), Option<u8>> =
        changes.iter().map(|(list, sku, which)| ((*list, *sku), *which)).collect();
    map.into_iter().map(|((list, sku), which)| (list, sku, which)).collect()
}

fn rows(changes: &[Change]) -> Vec<Result<Row<'static>, crate::RowFault>> {
    let row = |(list, number, which): &Change| {
        let price = which.map(price);
        Ok(Row { list: LISTS[*list].into(), sku: sku(*number).to_lowercase().into(), price, line: None })
    };
    changes.iter().map(row).collect()
}

fn put(model: &mut Model, changes: &[Change]) {
    for (list, number, which) in changes {
        let key = (LISTS[*list], sku(*number));
        match which {
            Some(which) => drop(model.insert(key, price(*which))),
            None => drop(model.remove(&key)),
        }
    }
}

fn clear(model: &mut Model, lists: impl IntoIterator<Item = usize>) {
    for list in lists {
        model.retain(|(of, _), _| *of != LISTS[list]);
    }
}

#[derive(Debug)]
struct Run {
    store: Option<PriceStore>,
    model: Model,
    /// What there was at each second.
    past: Vec<Model>,
}

impl Run {
    fn store(&self) -> &PriceStore {
        self.store.as_ref().unwrap()
    }

    fn go(&mut self, step: &Step, folder: &std::path::Path) {
        let now = at(i64::try_from(self.past.len()).unwrap());
        let load = |mode, changes: &[Change]| {
            self.store().load(request(mode), rows(changes).into_iter(), now).unwrap()
        };
        match step {
            Step::Changes(changes) => {
                load(Mode::Changes, changes);
                put(&mut self.model, changes);
            }
            Step::Snapshot(lists, changes) => {
                let changes = last(changes);
                load(Mode::Lists(lists.iter().map(|list| LISTS[*list].to_owned()).collect()), &changes);
                clear(&mut self.model, lists.iter().copied().chain(changes.iter().map(|change| change.0)));
                put(&mut self.model, &changes);
            }
            Step::All(changes) => {
                let changes = last(changes);
                load(Mode::All, &changes);
                self.model.clear();
                put(&mut self.model, &changes);
            }
            Step::DryRun(changes) => {
                let dry = crate::LoadRequest { dry_run: true, ..request(Mode::Changes) };
                let before = self.store().current().manifest.clone();
                self.store().load(dry, rows(changes).into_iter(), now).unwrap();
                assert_eq!(self.store().current().manifest, before);
            }
            Step::Held(changes, yes) => {
                self.reopen(folder, Guards { fall_percent: Some(1.into()), zero: true, ..Guards::none() });
                let outcome =
                    self.store().load(request(Mode::Changes), rows(changes).into_iter(), now).unwrap();
                let mut counts = true;
                if let Outcome::Held { load, .. } = outcome {
                    counts = *yes;
                    self.reopen(folder, Guards::none());
                    if *yes {
                        self.store().approve(load, "Ada", "so be it", now).unwrap();
                    } else {
                        self.store().reject(load, "Ada", "no", now).unwrap();
                    }
                }
                self.reopen(folder, Guards::none());
                if counts {
                    put(&mut self.model, changes);
                }
            }
            Step::Merge => drop(self.store().merge(now).unwrap()),
            Step::Reopen => self.reopen(folder, Guards::none()),
        }
        self.past.push(self.model.clone());
    }

    fn reopen(&mut self, folder: &std::path::Path, guards: Guards) {
        self.store = None;
        self.store = Some(PriceStore::open(folder, Options { guards }).unwrap());
    }

    fn agrees(&self) {
        let version = self.store().current();
        // Given up are all but the largest; a load adds two at most.
        assert!(self.store().stats().segments <= 7 && self.store().stats().layers_max <= 6);
        assert_eq!(version.prices(), self.model.len() as u64);
        for ((list, sku), price) in &self.model {
            assert_eq!(version.price_of(list, sku).as_ref(), Some(price), "{list} {sku}");
        }
        for list in LISTS {
            let Some(number) = version.list(list) else { continue };
            let walked: BTreeMap<String, Price> = version
                .walk(number)
                .map(|(key, price)| (version.sku(key).unwrap().to_owned(), price))
                .collect();
            let of_list = self.model.iter().filter(|((of, _), _)| *of == list);
            assert!(walked.iter().eq(of_list.map(|((_, sku), price)| (sku, price))));
        }
    }

    /// The journal says of each instant what there was, and no change is missing or invented.
    fn remembers(&self) {
        assert_eq!(self.store().verify().unwrap().findings, Vec::<String>::new());
        let mut replayed: BTreeMap<(String, String), PriceForm> = BTreeMap::new();
        let mut changes = self.store().audit(&AuditQuery::default(), usize::MAX).unwrap();
        changes.reverse();
        let mut changes = changes.into_iter().peekable();
        for (second, model) in self.past.iter().enumerate() {
            let now = at(i64::try_from(second).unwrap());
            while let Some(change) = changes.next_if(|change| change.at <= now) {
                let key = (change.list, change.sku);
                let before = match change.after {
                    Some(after) => replayed.insert(key, after),
                    None => replayed.remove(&key),
                };
                assert_eq!(before, change.before);
            }
            let forms = model
                .iter()
                .map(|((list, sku), price)| (((*list).to_owned(), sku.clone()), PriceForm::from(price)));
            assert_eq!(replayed, forms.collect(), "at {second}");
        }
        let middle = self.past.len() / 2;
        if let Some(model) = self.past.get(middle) {
            for number in (0..600).step_by(37) {
                let then =
                    self.store().price_at("a", &sku(number), at(i64::try_from(middle).unwrap())).unwrap();
                let expected = model.get(&("a", sku(number))).map(PriceForm::from);
                assert_eq!(then.and_then(|change| change.after), expected);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), ..ProptestConfig::default() })]
    #[test]
    fn the_store_says_what_a_plain_map_says(steps in prop::collection::vec(step(), 1..25)) {
        let folder = tempfile::tempdir().unwrap();
        let mut run = Run { store: None, model: Model::new(), past: Vec::new() };
        run.reopen(folder.path(), Guards::none());
        for step in &steps {
            run.go(step, folder.path());
            run.agrees();
        }
        run.remembers();
        run.store().merge(at(1000)).unwrap();
        prop_assert!(run.store().stats().layers_max <= 1);
        run.agrees();
        run.remembers();
    }
}

/// A case is a whole life of a store: one for sixteen of a pure function. `PROPTEST_CASES` asks for more.
fn cases() -> u32 {
    (ProptestConfig::default().cases / 16).max(1)
}
