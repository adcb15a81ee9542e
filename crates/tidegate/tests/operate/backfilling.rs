//! The backfill of stock as a person runs it: what differs is brought, once, whatever ends the hub in between.

use crate::hub::Hub;
use crate::office::Office;
use crate::patience::comes;
use crate::stock::{agree, available, differing, keeper, warehouse};
use serde_json::{Value, json};
use std::process::Stdio;

fn counts(part: &Value) -> [u64; 4] {
    ["meant", "agree", "under_way", "appended"].map(|name| part[name].as_u64().unwrap())
}

fn lists_asked(office: &Office) -> u64 {
    office.shop.stats().api.get("bulkOperationRunQuery").copied().unwrap_or(0)
}

fn backfills(office: &Office) -> usize {
    let audit = office.folder.json(&["audit", "--limit", "100"]);
    audit["entries"].as_array().unwrap().iter().filter(|entry| entry["action"] == "backfill").count()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_differs_is_brought_and_nothing_else() {
    let office = warehouse().await;
    let keeper = keeper(&office).await;
    let _hub = Hub::start(&office.folder);
    agree(&office, &keeper);
    office.shop.set_by_hand("SKU-0003", "WH-1", 9_999).unwrap();
    office.shop.set_by_hand("SKU-0004", "WH-2", 9_999).unwrap();

    // One SKU: its two pairs, and what becomes of each.
    let one = ["backfill", "inventory", "--sku", "SKU-0003"];
    let dry = office.folder.json(&[one.as_slice(), &["--dry-run"]].concat());
    let part = &dry["parts"][0];
    assert_eq!(counts(part), [2, 1, 0, 1], "{dry}");
    let outcomes: Vec<_> = part["pairs"].as_array().unwrap().iter().map(|pair| &pair["outcome"]).collect();
    assert!(outcomes.contains(&&json!("agrees")) && outcomes.contains(&&json!("brought")), "{dry}");
    assert_eq!(available(&office.shop, "SKU-0003"), 9_999, "a dry run changed something");
    assert_eq!((backfills(&office), lists_asked(&office)), (0, 0));

    let done = office.folder.json(&one);
    assert_eq!(done["plan"]["appended"], 1, "{done}");
    assert_eq!(done["parts"][0]["pairs"].as_array().unwrap().len(), 2);
    let is_brought = || {
        office.folder.tidegate(&["status"]);
        available(&office.shop, "SKU-0003") != 9_999
    };
    assert!(comes(is_brought), "SKU-0003 was never brought");
    assert_eq!(differing(&office, &keeper), ["SKU-0004"], "another SKU was brought as well");

    // A location: looked at directly, since they are few.
    let there = office.folder.json(&["backfill", "inventory", "--location", "WH-1", "--dry-run"]);
    assert_eq!(counts(&there["parts"][0]), [20, 20, 0, 0], "{there}");
    // What was changed since a time after all of it is nothing.
    let since = ["backfill", "inventory", "--since", "2999-01-01", "--dry-run"];
    assert_eq!(counts(&office.folder.json(&since)["parts"][0]), [0, 0, 0, 0]);
    let since = ["backfill", "inventory", "--since", "2000-01-01", "--location", "WH-2", "--dry-run"];
    assert_eq!(counts(&office.folder.json(&since)["parts"][0]), [20, 19, 0, 1]);
    assert_eq!(lists_asked(&office), 0);

    // All: past the shop's list, which the plan and its doing ask for once.
    let all = office.folder.tidegate(&["backfill", "inventory", "all", "--why", "a test"]);
    assert!(all.out.contains("1 pair on the way") && all.out.contains("changed in shop"), "{all:?}");
    assert!(
        all.err.contains("plan: 40 pairs of the source meant; 39 agree, 0 under way, 1 to be brought"),
        "{all:?}"
    );
    assert_eq!(lists_asked(&office), 1);
    agree(&office, &keeper);
    let again = office.folder.json(&["backfill", "inventory", "all", "--dry-run"]);
    assert_eq!(counts(&again["parts"][0]), [40, 40, 0, 0], "{again}");
    assert_eq!(lists_asked(&office), 2, "it was told of a shop that was read before");

    office.folder.tidegate(&["backfill", "inventory", "--sku", "sku-0003"]).refused(4, &["Capitals count"]);
    office.folder.tidegate(&["backfill", "inventory"]).refused(2, &["nothing says which stock"]);
    assert_eq!(backfills(&office), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backfill_whose_hub_is_killed_is_gone_on_with() {
    let office = warehouse().await;
    let keeper = keeper(&office).await;
    let hub = Hub::start(&office.folder);
    agree(&office, &keeper);
    for number in 1..=9 {
        office.shop.set_by_hand(&format!("SKU-000{number}"), "WH-1", 9_999).unwrap();
    }
    let all = ["backfill", "inventory", "all", "--why", "a test"];
    keeper.turn(|knobs| knobs.hang_snapshot_after = Some(10));
    let mut asking = office.folder.command(&all).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let state = office.folder.path("data/backfills/stock_to_shopify@acme/check.json");
    let has_read = |_: &i32| {
        office.folder.tidegate(&["status"]);
        std::fs::read_to_string(&state).is_ok_and(|text| text.contains("sha256"))
    };
    assert!((0..500).find(has_read).is_some(), "the shop was never read");
    // Meanwhile nobody else may begin, a full check neither.
    office.folder.tidegate(&all).refused(1, &["TG-7031", "a backfill of the stock"]);
    office.folder.tidegate(&["reconcile", "inventory", "--dry-run"]).refused(1, &["TG-7031"]);
    hub.kill();
    assert!(!asking.wait().unwrap().success());
    keeper.turn(|knobs| knobs.hang_snapshot_after = None);

    let _hub = Hub::start(&office.folder);
    let done = office.folder.json(&all);
    let notes = done["plan"]["parts"][0]["notes"].to_string();
    assert!(notes.contains("goes on where a check"), "{done}");
    assert_eq!(lists_asked(&office), 1, "Shopify was asked for its list twice");
    assert_eq!(done["appended"], 9, "{done}");
    agree(&office, &keeper);
    assert_eq!(office.folder.json(&all)["appended"], 0, "what was brought was brought again");
}
