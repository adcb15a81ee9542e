//! Two locations of a warehouse that are one to the shop: the real binary between the shop's look-alike and a warehouse that counts
//! each by itself.

use crate::bundles::{comes_to, comes_to_rest, with_bundles};
use crate::folder::Folder;
use crate::hub::{Hub, until};
use crate::office::Office;
use crate::stock::{available, keeper, level, push, warehouse};
use serde_json::{Value, json};
use twin::wms::WmsTwin;

/// Both warehouses are the shop's first.
fn with_pool(folder: &Folder) {
    let path = folder.path("tidegate.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let table = "[flows.stock_to_shopify.stock]";
    assert!(text.contains(table));
    let pool = format!("{table}\nlocations = [\"CENTRAL = WH-1 + WH-2\"]");
    std::fs::write(&path, text.replace(table, &pool)).unwrap();
    let path = folder.path("mappings/stock_to_shopify.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let (rules, _) = text.split_once("[tables.locations]").unwrap();
    std::fs::write(&path, format!("{rules}[tables.locations]\n\"CENTRAL\" = \"Warehouse 1\"\n")).unwrap();
}

/// In the second warehouse.
fn second(sku: &str, on_hand: &str, more: Value) -> Value {
    let mut level = level(sku, on_hand, more);
    level["location"] = json!("WH-2");
    level
}

#[tokio::test(flavor = "multi_thread")]
async fn what_lies_at_two_locations_is_sold_at_one() {
    let office = warehouse().await;
    with_pool(&office.folder);
    let elsewhere = office.shop.stock("SKU-0001", "WH-2").unwrap();
    let hub = Hub::start(&office.folder);
    push(&hub, 1, &level("SKU-0001", "40", json!({})));
    comes_to(&office, &[("SKU-0001", "WH-1", 40)]);
    push(&hub, 1, &second("SKU-0001", "12", json!({ "reserved": "2" })));
    comes_to(&office, &[("SKU-0001", "WH-1", 50)]);
    let said = office.folder.tidegate(&["ats", "show", "SKU-0001", "--explain"]);
    for expected in ["40  WH-1: on hand", "-2  WH-2: reserved at the source", "50  available at CENTRAL"] {
        assert!(said.out.contains(expected), "{expected}: {}", said.out);
    }
    let shown = office.folder.json(&["ats", "show", "SKU-0001"]);
    assert_eq!(shown["stock"].as_array().map(Vec::len), Some(1), "a part of it is told beside it: {shown}");
    assert_eq!(shown["stock"][0]["fact"]["state"]["on_hand"], "52", "{shown}");

    // Killed in the middle of a burst at both: the newest of each counts, whatever was composed before.
    for version in 2..12 {
        push(&hub, version, &level("SKU-0001", &(100 + version).to_string(), json!({})));
        push(&hub, version, &second("SKU-0001", &(200 + version).to_string(), json!({})));
    }
    hub.kill();
    let hub = Hub::start(&office.folder);
    comes_to(&office, &[("SKU-0001", "WH-1", 322)]);

    // What is sold at the shop's one location the warehouse counts wherever it likes, and it is held back once.
    comes_to_rest(&office);
    office.orders(1001, 60);
    let sold = office.shop.stock("SKU-0001", "WH-1").unwrap().committed;
    assert!(sold > 0, "none of the orders had it");
    push(&hub, 12, &level("SKU-0001", "100", json!({})));
    comes_to(&office, &[("SKU-0001", "WH-1", 311 - sold)]);
    push(&hub, 12, &second("SKU-0001", "212", json!({ "reserved": sold, "counted": sold })));
    comes_to(&office, &[("SKU-0001", "WH-1", 312 - sold)]);

    let now = office.shop.stock("SKU-0001", "WH-2").unwrap();
    assert_eq!(
        now.available + now.committed,
        elsewhere.available + elsewhere.committed,
        "it was set elsewhere"
    );
    // A level of both together it has from nobody.
    let mut own = level("SKU-0001", "7", json!({}));
    own["location"] = json!("CENTRAL");
    push(&hub, 1, &own);
    until(
        &office.folder,
        &["dead-letters", "list"],
        "is written down as what several locations have together",
    );
    assert_eq!(available(&office.shop, "SKU-0001"), 312 - sold);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bundle_is_made_of_what_lies_at_both() {
    let office = warehouse().await;
    with_pool(&office.folder);
    with_bundles(&office.folder, "SKU-0010,SKU-0001,2\nSKU-0010,SKU-0003,1\n");
    let hub = Hub::start(&office.folder);
    push(&hub, 1, &level("SKU-0001", "30", json!({})));
    push(&hub, 1, &second("SKU-0001", "10", json!({})));
    push(&hub, 1, &second("SKU-0003", "6", json!({})));
    comes_to(&office, &[("SKU-0001", "WH-1", 20), ("SKU-0003", "WH-1", 3), ("SKU-0010", "WH-1", 3)]);
    push(&hub, 1, &level("SKU-0003", "34", json!({})));
    comes_to(&office, &[("SKU-0001", "WH-1", 20), ("SKU-0003", "WH-1", 20), ("SKU-0010", "WH-1", 10)]);
    let said = office.folder.tidegate(&["ats", "show", "SKU-0010", "--explain"]);
    assert!(said.out.contains("of SKU-0001: 40 available (WH-1: 30, WH-2: 10), 2 in each"), "{}", said.out);
}

/// What may be sold of each SKU at all locations of the warehouse together.
pub(crate) fn sums(keeper: &WmsTwin) -> Vec<(String, i64)> {
    let mut sums = std::collections::BTreeMap::new();
    for row in keeper.all_stock() {
        *sums.entry(row.sku.clone()).or_insert(0) += row.truth.on_hand - row.truth.reserved;
    }
    sums.into_iter().collect()
}

fn agrees(office: &Office, keeper: &WmsTwin) {
    let sums = sums(keeper);
    let expected: Vec<_> = sums.iter().map(|(sku, sum)| (sku.as_str(), "WH-1", *sum)).collect();
    comes_to(office, &expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_check_compares_the_sums_and_misses_a_location_that_is_left_out() {
    let office = warehouse().await;
    with_pool(&office.folder);
    let keeper = keeper(&office).await;
    let _hub = Hub::start(&office.folder);
    agrees(&office, &keeper);
    comes_to_rest(&office);
    let check = ["reconcile", "inventory", "--why", "a test"];
    let clean = office.folder.json(&check);
    let part = &clean["parts"][0];
    // The shop's second location is nobody's by now.
    assert_eq!((&part["source"], &part["same"]), (&json!(20), &json!(20)), "{clean}");
    assert_eq!(part["causes"], json!({ "unknown_in_source": 20 }), "{clean}");

    office.shop.set_by_hand("SKU-0003", "WH-1", 9_999).unwrap();
    let dry = office.folder.json(&["reconcile", "inventory", "--dry-run"]);
    let lines = dry["parts"][0]["differences"].as_array().unwrap();
    let line = lines.iter().find(|line| line["cause"] == "differs").unwrap();
    assert_eq!(
        [&line["sku"], &line["location"], &line["has"], &line["why"]],
        [&json!("SKU-0003"), &json!("CENTRAL"), &json!(9_999), &json!("changed_in_shop")],
        "{dry}"
    );
    assert_eq!(available(&office.shop, "SKU-0003"), 9_999, "a dry run changed something");
    office.folder.json(&check);
    agrees(&office, &keeper);

    // Whatever is named of it, the whole of it is brought.
    comes_to_rest(&office);
    office.shop.set_by_hand("SKU-0004", "WH-1", 9_999).unwrap();
    let one = ["backfill", "inventory", "--location", "WH-2", "--sku", "SKU-0004"];
    let dry = office.folder.json(&[one.as_slice(), &["--dry-run"]].concat());
    let counts = |part: &Value| ["meant", "agree", "appended"].map(|name| part[name].as_u64().unwrap());
    assert_eq!(counts(&dry["parts"][0]), [1, 0, 1], "{dry}");
    office.folder.json(&one);
    agrees(&office, &keeper);

    // Half of its lines are half of its stock: no pair is gone, and nothing of it is believed.
    comes_to_rest(&office);
    keeper.turn(|knobs| knobs.short_snapshot_after = Some(20));
    let said = office.folder.tidegate(&check);
    said.refused(1, &["TG-7030", "of the 40 pairs", "20 (50.0 %)"]);
    keeper.turn(|knobs| (knobs.short_snapshot_after, knobs.mix_snapshots) = (None, true));
    let said = office.folder.tidegate(&check);
    said.refused(1, &["TG-7030", "40 lines name a pair", "two snapshots mixed into one"]);
    comes_to_rest(&office);
    agrees(&office, &keeper);
}

#[tokio::test(flavor = "multi_thread")]
async fn locations_that_would_count_twice_are_refused() {
    let office = warehouse().await;
    let path = office.folder.path("tidegate.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let table = "[flows.stock_to_shopify.stock]";
    let refused = |locations: &str, expected: &[&str]| {
        std::fs::write(&path, text.replace(table, &format!("{table}\nlocations = {locations}"))).unwrap();
        let said = office.folder.tidegate(&["check"]);
        let all = format!("{}{}", said.out, said.err);
        assert_ne!(said.code, Some(0), "{all}");
        for expected in expected {
            assert!(all.contains(expected), "{expected}: {all}");
        }
    };
    refused("[\"A = WH-1 + WH-2\", \"B = WH-2 + WH-3\"]", &["\"WH-2\" is in \"A\" already"]);
    refused("[\"A = WH-1 + WH-3\"]", &["does not know \"A\"", "\"WH-1\" is shown at \"A\", and stands in"]);
}
