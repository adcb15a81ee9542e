//! What is sold in bundles, and by itself as well: the real binary between the shop's look-alike and a warehouse that knows
//! components alone.

use crate::folder::Folder;
use crate::hub::{Hub, until};
use crate::office::Office;
use crate::patience::comes;
use crate::stock::{available, keeper, level, push, warehouse, with_stock};
use serde_json::{Value, json};

/// Gives the flow of stock a file of bundles.
pub(crate) fn with_bundles(folder: &Folder, rows: &str) {
    std::fs::write(folder.path("mappings/bundles.csv"), format!("bundle,component,quantity\n{rows}"))
        .unwrap();
    let path = folder.path("tidegate.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let table = "[flows.stock_to_shopify.stock]";
    assert!(text.contains(table));
    std::fs::write(&path, text.replace(table, &format!("{table}\nbundles = \"mappings/bundles.csv\"")))
        .unwrap();
}

/// Waits until the shop shows these.
pub(crate) fn comes_to(office: &Office, expected: &[(&str, &str, i64)]) {
    let shows = |sku: &str, at: &str| office.shop.stock(sku, at).map(|level| level.available);
    let is_shown = comes(|| {
        office.folder.tidegate(&["status"]);
        expected.iter().all(|(sku, at, quantity)| shows(sku, at) == Some(*quantity))
    });
    if is_shown {
        return;
    }
    let shown: Vec<_> = expected.iter().map(|(sku, at, _)| (sku, at, shows(sku, at))).collect();
    let said = office.folder.tidegate(&["deliveries", "list"]);
    panic!("{expected:?}, and the shop shows {shown:?}: {}", said.out);
}

/// Waits until nothing more is looked at: a look mends what somebody typed.
pub(crate) fn comes_to_rest(office: &Office) {
    let mut still = 0;
    let is_at_rest = comes(|| {
        let open = office.folder.json(&["deliveries", "list", "--phase", "open"]);
        still = if open["deliveries"].as_array().is_some_and(Vec::is_empty) { still + 1 } else { 0 };
        still == 3
    });
    assert!(is_at_rest, "it did not come to rest: {}", office.folder.tidegate(&["deliveries", "list"]).out);
}

/// Changes at the source that the shop has accepted.
fn news(office: &Office) -> u64 {
    let status = office.folder.json(&["status"]);
    status["stock"][0]["hour"]["count"].as_u64().unwrap_or_else(|| panic!("{status}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bundle_is_as_many_as_its_components_allow_and_no_unit_is_shown_twice() {
    let office = warehouse().await;
    with_bundles(&office.folder, "SKU-0010,SKU-0001,2\nSKU-0010,SKU-0002,1\n");
    let hub = Hub::start(&office.folder);
    // What was never told there cannot be had: neither can the bundle, whatever the shop showed of it before.
    push(&hub, 1, &level("SKU-0001", "40", json!({})));
    comes_to(&office, &[("SKU-0001", "WH-1", 20), ("SKU-0010", "WH-1", 0)]);
    // One of ten is kept back; of nine, four may be sold in bundles.
    push(&hub, 1, &level("SKU-0002", "10", json!({})));
    comes_to(&office, &[("SKU-0001", "WH-1", 20), ("SKU-0002", "WH-1", 5), ("SKU-0010", "WH-1", 4)]);
    let said = office.folder.tidegate(&["ats", "show", "SKU-0010", "--explain"]);
    assert!(said.out.contains("SKU-0002 limits it"), "{}", said.out);
    let said = office.folder.tidegate(&["ats", "show", "SKU-0001", "--location", "WH-1", "--explain"]);
    assert!(said.out.contains("50 % may be shown by 1 bundle: SKU-0010"), "{}", said.out);

    // A component goes, and the bundle with it; it comes back, and so does the bundle.
    push(&hub, 2, &level("SKU-0002", "0", json!({})));
    comes_to(&office, &[("SKU-0002", "WH-1", 0), ("SKU-0010", "WH-1", 0)]);
    push(&hub, 3, &level("SKU-0002", "100", json!({})));
    comes_to(&office, &[("SKU-0001", "WH-1", 20), ("SKU-0002", "WH-1", 45), ("SKU-0010", "WH-1", 10)]);

    // What is sold, in whatever form, is held back of all of them until the warehouse has counted it.
    office.orders(1001, 60);
    let of = |sku: &str| office.shop.stock(sku, "WH-1").unwrap();
    let sold = of("SKU-0001").committed + 2 * of("SKU-0010").committed;
    assert!(sold > 0, "none of the orders had it");
    push(&hub, 2, &level("SKU-0001", "41", json!({})));
    let free = 41 - sold;
    comes_to(&office, &[("SKU-0001", "WH-1", if free > 0 { free - free / 2 } else { free })]);
    let shown = of("SKU-0001").available.max(0) + 2 * of("SKU-0010").available.max(0);
    assert!(shown <= free.max(0), "{shown} are on sale of {free}");

    // Its own level it has from nobody.
    push(&hub, 1, &level("SKU-0010", "7", json!({})));
    until(&office.folder, &["dead-letters", "list"], "is written down as a bundle");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_check_compares_bundles_and_mends_them() {
    let office = Office::open_with(|shop| shop.stock.generated = 1).await;
    with_stock(&office.folder);
    let keeper = keeper(&office).await;
    with_bundles(&office.folder, "GEN-000001,SKU-0001,3\nGEN-000001,SKU-0002,1\n");
    let _hub = Hub::start(&office.folder);
    let free = |sku: &str, at: &str| {
        let truth = keeper.truth(sku, at).unwrap();
        truth.on_hand - truth.reserved
    };
    let mut expected = Vec::new();
    for at in ["WH-1", "WH-2"] {
        let (first, second) = (free("SKU-0001", at), free("SKU-0002", at));
        expected.push(("SKU-0001", at, first - first / 2));
        expected.push(("SKU-0002", at, second - second / 2));
        expected.push(("GEN-000001", at, (first / 2 / 3).min(second / 2)));
    }
    comes_to(&office, &expected);
    let clean = office.folder.json(&["reconcile", "inventory", "--dry-run"]);
    let part = &clean["parts"][0];
    assert_eq!((&part["source"], &part["causes"]), (&json!(42), &json!({})), "{clean}");

    comes_to_rest(&office);
    let told = news(&office);
    assert!(told >= 40, "{told} changes were counted");
    office.shop.set_by_hand("GEN-000001", "WH-1", 9_999).unwrap();
    let dry = office.folder.json(&["reconcile", "inventory", "--dry-run"]);
    let lines = dry["parts"][0]["differences"].as_array().unwrap();
    let bundle = lines.iter().find(|line| line["sku"] == "GEN-000001").expect("the bundle is told");
    assert_eq!((&bundle["has"], &bundle["why"]), (&json!(9_999), &json!("changed_in_shop")), "{dry}");
    assert_eq!(available(&office.shop, "GEN-000001"), 9_999, "a dry run changed something");
    office.folder.json(&["reconcile", "inventory", "--why", "a test"]);
    comes_to(&office, &expected);

    // A backfill of it, by its own name: the levels of its components are told again, and it follows.
    comes_to_rest(&office);
    office.shop.set_by_hand("GEN-000001", "WH-2", 9_999).unwrap();
    let one = ["backfill", "inventory", "--sku", "GEN-000001"];
    let dry = office.folder.json(&[one.as_slice(), &["--dry-run"]].concat());
    let counts = |part: &Value| ["meant", "agree", "appended"].map(|name| part[name].as_u64().unwrap());
    assert_eq!(counts(&dry["parts"][0]), [2, 1, 1], "{dry}");
    office.folder.json(&one);
    comes_to(&office, &expected);
    comes_to_rest(&office);
    let all = office.folder.json(&["backfill", "inventory", "all", "--dry-run"]);
    assert_eq!(counts(&all["parts"][0]), [42, 42, 0], "{all}");
    // None of that is news of the warehouse: its objective counts what it changed itself.
    assert_eq!(news(&office), told, "what was typed and mended was counted as a change at the source");
}

/// What shares units asks of the others again when it gave something up: that ends, and costs a look or two of each.
#[tokio::test(flavor = "multi_thread")]
async fn many_that_share_a_component_come_to_rest() {
    const BUNDLES: u32 = 10;
    let office = Office::open_with(|shop| shop.stock.generated = BUNDLES).await;
    with_stock(&office.folder);
    let names: Vec<String> = (1..=BUNDLES).map(|at| format!("GEN-{at:06}")).collect();
    with_bundles(
        &office.folder,
        &names.iter().map(|name| format!("{name},SKU-0001,1\n")).collect::<String>(),
    );
    let hub = Hub::start(&office.folder);
    for (version, on_hand, own, each) in [(1, "200", 100, 10), (2, "100", 50, 5), (3, "200", 100, 10)] {
        let before = office.shop.stats().api;
        push(&hub, version, &level("SKU-0001", on_hand, json!({})));
        let bundles = names.iter().map(|name| (name.as_str(), "WH-1", each));
        comes_to(&office, &bundles.chain([("SKU-0001", "WH-1", own)]).collect::<Vec<_>>());
        comes_to_rest(&office);
        let after = office.shop.stats().api;
        let asked =
            |name: &str| after.get(name).copied().unwrap_or(0) - before.get(name).copied().unwrap_or(0);
        let members = u64::from(BUNDLES) + 1;
        assert!(asked("inventorySetQuantities") <= 3 * members, "{after:?}, before {before:?}");
        assert!(asked("queries") <= 9 * members, "{after:?}, before {before:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_bundles_that_cannot_be_is_refused_with_its_line() {
    let office = warehouse().await;
    let path = office.folder.path("tidegate.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let refused = |rows: &str, expected: &[&str]| {
        std::fs::write(&path, &text).unwrap();
        with_bundles(&office.folder, rows);
        let said = office.folder.tidegate(&["check"]);
        let all = format!("{}{}", said.out, said.err);
        assert_ne!(said.code, Some(0), "{all}");
        for expected in expected {
            assert!(all.contains(expected), "{expected}: {all}");
        }
    };
    refused("A,B,1\nB,C,1\nC,A,1\nD,D,1\n", &["bundles.csv:4:3", "A → B → C → A", "bundles.csv:5:3"]);
    refused("E,F,0\n", &["bundles.csv:2:5", "none is needed"]);
}
