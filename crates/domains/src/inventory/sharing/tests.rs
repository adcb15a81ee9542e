//! Which pairs stand for which, with bundles, with pools, and with both.

use super::*;
use crate::inventory::bundles::Bundles;
use crate::inventory::pools::Pools;
use kernel::id::ShopId;
use std::sync::Arc;

fn rules(rows: &str, pools: &[&str]) -> Rules {
    let rules = Rules::default();
    let text = format!("bundle,component,quantity\n{rows}");
    let bundles = Arc::new(Bundles::parse(text.as_bytes(), &rules).unwrap());
    let pools: Vec<String> = pools.iter().map(|text| (*text).to_owned()).collect();
    rules.with_bundles(bundles, &[]).unwrap().with_pools(Pools::parse(&pools).unwrap())
}

fn subject(path: &str) -> Subject {
    Subject { shop: ShopId::new("acme").unwrap(), path: path.to_owned() }
}

const ROWS: &str = "SET,TABLE,1\nSET,CHAIR,4\nPAIR,CHAIR,2\n";
const POOL: &str = "ALL = W + X";

#[test]
fn a_level_is_sent_as_what_is_made_of_it() {
    let rules = rules(ROWS, &[]);
    let composes = |path: &str| composes(&rules, &subject(path)).unwrap_or_default();
    let chairs = ["ats:CHAIR@W/ats:CHAIR", "ats:CHAIR@W/ats:PAIR", "ats:CHAIR@W/ats:SET"];
    assert_eq!(composes("ats:CHAIR@W"), chairs);
    assert_eq!(composes("ats:TABLE@W"), ["ats:CHAIR@W/ats:TABLE", "ats:CHAIR@W/ats:SET"]);
    assert!(composes("ats:LAMP@W").is_empty() && composes(chairs[0]).is_empty());
    // What one of them gave up, all others may take.
    let kin = |path: &str| kin(&rules, &subject(path)).unwrap_or_default();
    assert_eq!(kin("ats:CHAIR@W/ats:TABLE"), chairs);
    assert!(kin("ats:CHAIR@W").is_empty() && kin("ats:LAMP@W").is_empty());
}

#[test]
fn what_lies_at_several_locations_is_shown_at_one() {
    let rules = rules(ROWS, &[POOL]);
    let composes = |path: &str| composes(&rules, &subject(path)).unwrap_or_default();
    for at in ["W", "X", "ALL"] {
        assert_eq!(composes(&format!("ats:LAMP@{at}")), ["ats:LAMP@ALL/ats:LAMP"]);
        let table = ["ats:CHAIR@ALL/ats:TABLE", "ats:CHAIR@ALL/ats:SET"];
        assert_eq!(composes(&format!("ats:TABLE@{at}")), table);
    }
    assert!(composes("ats:LAMP@Y").is_empty());
    assert_eq!(composes("ats:TABLE@Y"), ["ats:CHAIR@Y/ats:TABLE", "ats:CHAIR@Y/ats:SET"]);
    let of = |sku: &str, at: &str| -> Vec<(String, Vec<String>)> {
        let made = made_of(&rules, sku, at).into_iter();
        made.map(|component| (component.piece.sku, component.locations)).collect()
    };
    let both = || vec!["W".to_owned(), "X".to_owned()];
    assert_eq!(of("SET", "ALL"), [("CHAIR".to_owned(), both()), ("TABLE".to_owned(), both())]);
    assert_eq!(of("LAMP", "Y"), [("LAMP".to_owned(), vec!["Y".to_owned()])]);
    // One that shares its units with nobody is asked for by its own name, and tells nobody.
    assert_eq!(kin(&rules, &subject("ats:LAMP@ALL/ats:LAMP")).unwrap(), ["ats:LAMP@ALL/ats:LAMP"]);
    assert_eq!(told_to_kin(&rules, "LAMP", "ALL"), None);
    assert_eq!(told_to_kin(&rules, "SET", "ALL").unwrap(), "ats:CHAIR@ALL/ats:SET");
}

#[test]
fn what_waits_from_before_the_rules_were_changed_is_composed_anew() {
    let bundled = rules(ROWS, &[]);
    let of = |is_composed: bool, path: &str| displaced(&bundled, is_composed, &subject(path));
    assert_eq!(of(false, "ats:LAMP@W"), None);
    assert_eq!(of(true, "ats:CHAIR@W/ats:SET"), None);
    // Its level was to be sent by itself; another SKU stood for all of them.
    for (is_composed, path) in [(false, "ats:CHAIR@W"), (true, "ats:ARMCHAIR@W/ats:CHAIR")] {
        let paths = of(is_composed, path).unwrap();
        let kin = |path: &String| kin(&bundled, &subject(path)).unwrap();
        let all: std::collections::BTreeSet<String> = paths.iter().flat_map(kin).collect();
        assert_eq!(all.len(), 4, "{all:?}");
    }
    // It is in no bundle any more.
    let alone = Some(vec!["ats:LAMP@W".to_owned()]);
    assert_eq!(of(true, "ats:CHAIR@W/ats:LAMP"), alone);
    assert_eq!(of(false, "ats:CHAIR@W/ats:LAMP"), alone);

    // Its location was put into a pool, and taken out of one.
    let pooled = rules(ROWS, &[POOL]);
    let of = |is_composed: bool, path: &str| displaced(&pooled, is_composed, &subject(path));
    assert_eq!(of(false, "ats:LAMP@W").unwrap(), ["ats:LAMP@ALL/ats:LAMP"]);
    assert_eq!(of(true, "ats:LAMP@ALL/ats:LAMP"), None);
    assert_eq!(of(true, "ats:CHAIR@W/ats:TABLE").unwrap().len(), 2);
    assert_eq!(of(true, "ats:LAMP@NORTH/ats:LAMP").unwrap(), ["ats:LAMP@NORTH"]);
    assert_eq!(of(false, "ats:LAMP@Y"), None);
}

fn outlets(rules: Rules, texts: &[&str]) -> Rules {
    let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
    let outlets = crate::inventory::outlets::Outlets::parse(&texts, rules.pools()).unwrap();
    rules.with_outlets(outlets)
}

#[test]
fn what_lies_at_one_place_is_shown_at_each_of_its_outlets() {
    let rules = outlets(rules(ROWS, &[POOL]), &["Z = WEB 70% + SHOP 30%", "ALL = NORTH + SOUTH 5"]);
    let composes = |path: &str| composes(&rules, &subject(path)).unwrap_or_default();
    let lamps = ["ats:LAMP@Z/ats:LAMP@WEB", "ats:LAMP@Z/ats:LAMP@SHOP"];
    assert_eq!(
        (composes("ats:LAMP@Z"), composes("ats:LAMP@WEB")),
        (lamps.map(String::from).into(), lamps.map(String::from).into())
    );
    assert_eq!(composes("ats:LAMP@W"), ["ats:LAMP@ALL/ats:LAMP@NORTH", "ats:LAMP@ALL/ats:LAMP@SOUTH"]);
    // All SKUs and all outlets are one lane, and what one gave up the others may take.
    let tables = composes("ats:TABLE@Z");
    assert_eq!(tables.len(), 4, "itself and the set, at two outlets: {tables:?}");
    assert!(tables.iter().all(|path| subject(path).root() == "ats:CHAIR@Z"), "{tables:?}");
    let kin = |path: &str| kin(&rules, &subject(path)).unwrap_or_default();
    assert_eq!((kin(lamps[0]), kin(&tables[0]).len()), (vec![lamps[1].to_owned()], 7));
    assert_eq!(told_to_kin(&rules, "LAMP", "SHOP").unwrap(), lamps[1]);
    assert_eq!(told_to_kin(&rules, "TABLE", "WEB").unwrap(), tables[0]);
    let of = |sku: &str, at: &str| -> Vec<(String, Vec<String>)> {
        let made = made_of(&rules, sku, at).into_iter();
        made.map(|component| (component.piece.sku, component.locations)).collect()
    };
    assert_eq!(of("LAMP", "SHOP"), [("LAMP".to_owned(), vec!["Z".to_owned()])]);
    assert_eq!(of("LAMP", "SOUTH"), [("LAMP".to_owned(), vec!["W".to_owned(), "X".to_owned()])]);
    assert_eq!(shown_at(&rules, place(&rules, "X")), ["NORTH", "SOUTH"]);

    // What waits from before the place was divided, divided otherwise, or is divided no more.
    let displaced = |is_composed: bool, path: &str| displaced(&rules, is_composed, &subject(path));
    assert_eq!(displaced(true, lamps[1]), None);
    assert_eq!(displaced(false, "ats:LAMP@Z").unwrap(), lamps);
    assert_eq!(displaced(true, "ats:LAMP@Z/ats:LAMP@B2B").unwrap(), lamps);
    assert_eq!(displaced(true, "ats:LAMP@ALL/ats:LAMP").unwrap().len(), 2);
    assert_eq!(displaced(true, "ats:LAMP@Y/ats:LAMP@EAST").unwrap(), ["ats:LAMP@Y"]);
}
