//! The full check of stock as a person runs it: snapshots that cannot be the whole, and a hub that is killed in the middle.

use crate::hub::{Hub, until};
use crate::office::Office;
use crate::patience::comes;
use crate::stock::{agree, available, differing, keeper, level, push, settled, warehouse, with_stock};
use serde_json::{Value, json};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Stdio;

const APPROVE: &str = "Ada: the second floor is closed";

/// With the source approved by a person.
fn approved(text: &str) -> [&str; 8] {
    ["reconcile", "inventory", "--flow", "stock_to_shopify", "--shop", "acme", "--accept-smaller", text]
}

/// How often Shopify was asked for its list.
fn lists_asked(office: &Office) -> u64 {
    office.shop.stats().api.get("bulkOperationRunQuery").copied().unwrap_or(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_smaller_snapshot_is_refused_until_a_person_says_that_so_many_are_gone() {
    let office = warehouse().await;
    let keeper = keeper(&office).await;
    let _hub = Hub::start(&office.folder);
    agree(&office, &keeper);
    let check = ["reconcile", "inventory", "--why", "a test"];
    office.folder.json(&check);

    keeper.turn(|knobs| knobs.short_snapshot_after = Some(30));
    let said = office.folder.tidegate(&check);
    said.refused(1, &["TG-7030", "of the 40 pairs", "30 (75.0 %)", "--accept-smaller"]);
    assert!(differing(&office, &keeper).is_empty(), "something was changed for what it did not name");
    // Whoever approves says who and why.
    office.folder.tidegate(&approved("Ada")).refused(2, &["who approves and why"]);

    // What was approved is what was shown, and not whatever comes.
    keeper.turn(|knobs| knobs.short_snapshot_after = Some(20));
    office.folder.tidegate(&approved(APPROVE)).refused(1, &["20 (50.0 %)", "approve again"]);
    let said = office.folder.tidegate(&approved(APPROVE));
    assert!(said.code == Some(0) && said.out.contains("approved by Ada"), "{said:?}");
    assert!(differing(&office, &keeper).is_empty(), "what is not named is not zeroed");
    let audit = office.folder.json(&["audit"]);
    let entry = &audit["entries"][1];
    assert_eq!(
        (&entry["action"], &entry["who"], &entry["why"], &entry["count"]),
        (&json!("accept_smaller"), &json!("Ada"), &json!("the second floor is closed"), &json!(20)),
        "{audit}"
    );
    // From now on that is the whole.
    assert_eq!(office.folder.json(&check)["parts"][0]["source"], 20);
}

/// What the hub tells whoever watches it.
fn metrics(hub: &Hub) -> String {
    let mut stream = TcpStream::connect(&hub.address).unwrap();
    write!(stream, "GET /metrics HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n", hub.address).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_at_its_cadence_that_doubts_its_source_raises_a_ticket() {
    let office = warehouse().await;
    let keeper = keeper(&office).await;
    let hub = Hub::start_with(&office.folder, &["flows.stock_to_shopify.stock.full_check=1s"]);
    agree(&office, &keeper);
    until(&office.folder, &["audit"], "the cadence of its flow");
    keeper.turn(|knobs| knobs.short_snapshot_after = Some(30));
    let told = (0..500).any(|_| {
        office.folder.tidegate(&["status"]);
        metrics(&hub).lines().any(|line| line.contains("\"snapshot_refused\"") && line.contains("\"ticket\""))
    });
    assert!(told, "{}", metrics(&hub));
    assert!(differing(&office, &keeper).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn two_snapshots_that_were_mixed_are_refused() {
    let office = warehouse().await;
    let keeper = keeper(&office).await;
    let _hub = Hub::start(&office.folder);
    agree(&office, &keeper);
    keeper.turn(|knobs| knobs.mix_snapshots = true);
    let said = office.folder.tidegate(&["reconcile", "inventory", "--why", "a test"]);
    said.refused(1, &["TG-7030", "40 lines name a pair", "two snapshots mixed into one"]);
    assert!(differing(&office, &keeper).is_empty());
}

/// Until the hub has written down what the shop has, and a reading of the source hangs.
fn read_the_shop(office: &Office) {
    let state = office.folder.path("data/full-checks/stock_to_shopify@acme/check.json");
    let is_read = comes(|| {
        office.folder.tidegate(&["status"]);
        std::fs::read_to_string(&state).is_ok_and(|text| text.contains("sha256"))
    });
    assert!(is_read, "the shop was never read");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_whose_hub_is_killed_goes_on_with_what_it_had_read() {
    let office = warehouse().await;
    let keeper = keeper(&office).await;
    let hub = Hub::start(&office.folder);
    agree(&office, &keeper);
    office.shop.set_by_hand("SKU-0003", "WH-1", 9_999).unwrap();
    let check = ["reconcile", "inventory", "--dry-run"];
    keeper.turn(|knobs| knobs.hang_snapshot_after = Some(10));
    let mut asking =
        office.folder.command(&check).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    read_the_shop(&office);
    // Meanwhile nobody else may begin.
    office.folder.tidegate(&check).refused(1, &["TG-7031", "under way"]);
    hub.kill();
    assert!(!asking.wait().unwrap().success());
    keeper.turn(|knobs| knobs.hang_snapshot_after = None);

    let hub = Hub::start(&office.folder);
    let found = |checked: &Value| {
        let part = &checked["parts"][0];
        assert_eq!(part["causes"], json!({ "differs": 1 }), "{checked}");
        let line = &part["differences"][0];
        assert_eq!(
            (&line["sku"], &line["has"], &line["why"]),
            (&json!("SKU-0003"), &json!(9_999), &json!("changed_in_shop"))
        );
        part["notes"].clone()
    };
    let notes = found(&office.folder.json(&check));
    assert!(notes[0].as_str().is_some_and(|note| note.contains("goes on where a check of")), "{notes}");
    assert_eq!(lists_asked(&office), 1, "Shopify was asked for its list twice");
    // A check that has ended is not gone on with.
    assert_eq!(found(&office.folder.json(&check)), json!([]));
    assert_eq!(lists_asked(&office), 2);

    // Killed while Shopify still writes its list, it waits for that one, and asks for no other.
    keeper.turn(|knobs| knobs.hang_snapshot_after = Some(10));
    let mut asking =
        office.folder.command(&check).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    read_the_shop(&office);
    hub.kill();
    assert!(!asking.wait().unwrap().success());
    keeper.turn(|knobs| knobs.hang_snapshot_after = None);
    let state = office.folder.path("data/full-checks/stock_to_shopify@acme/check.json");
    let mut left: Value = serde_json::from_slice(&std::fs::read(&state).unwrap()).unwrap();
    left["shop"] = Value::Null;
    std::fs::write(&state, left.to_string()).unwrap();
    let hub = Hub::start(&office.folder);
    let asked = lists_asked(&office);
    let notes = found(&office.folder.json(&check));
    assert!(notes[0].as_str().is_some_and(|note| note.contains("was asked for before it")), "{notes}");
    assert_eq!(lists_asked(&office), asked);

    // What cannot be gone on with says why.
    keeper.turn(|knobs| knobs.hang_snapshot_after = Some(10));
    let mut asking =
        office.folder.command(&check).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    read_the_shop(&office);
    hub.kill();
    assert!(!asking.wait().unwrap().success());
    keeper.turn(|knobs| knobs.hang_snapshot_after = None);
    let rows = office.folder.path("data/full-checks/stock_to_shopify@acme/shop.rows");
    let mut bytes = std::fs::read(&rows).unwrap();
    bytes[0] ^= 1;
    std::fs::write(&rows, bytes).unwrap();
    let _hub = Hub::start(&office.folder);
    let notes = found(&office.folder.json(&check));
    assert!(notes[0].as_str().is_some_and(|note| note.contains("damaged")), "{notes}");
    assert_eq!(available(&office.shop, "SKU-0003"), 9_999, "a dry run changed something");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_warehouse_that_pushes_and_counts_anew_is_heard_from_its_first_number_on() {
    let office = warehouse().await;
    let hub = Hub::start(&office.folder);
    push(&hub, 700, &level("SKU-0001", "50", json!({})));
    settled(&office.folder, "SKU-0001", 700);
    push(&hub, 1, &level("SKU-0001", "7", json!({})));
    until(&office.folder, &["deliveries", "list", "--json"], "\"version\":\"1\"");
    assert_eq!(available(&office.shop, "SKU-0001"), 50, "an older number overwrote a newer one");

    let reset = ["ats", "reset-sequence", "--why", "restored"];
    assert_eq!(office.folder.json(&reset)["beginnings"], 1);
    // The hub hears of it within a second; what comes until then is an older one still.
    let sells = |number: i64| {
        push(&hub, number, &level("SKU-0001", "7", json!({})));
        (0..30).any(|_| {
            office.folder.tidegate(&["status"]);
            available(&office.shop, "SKU-0001") == 7
        })
    };
    assert!((2..60).any(sells), "it was never heard");
    assert_eq!(available(&office.shop, "SKU-0001"), 7);
    // And so on, each above the one before.
    push(&hub, 600, &level("SKU-0001", "9", json!({})));
    settled(&office.folder, "SKU-0001", 1_000_000_000_000_600);
    assert_eq!(available(&office.shop, "SKU-0001"), 9);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_only_the_shop_has_is_set_to_0_where_the_flow_says_so_and_the_source_is_believed() {
    let office = Office::open_with(|shop| {
        shop.stock.generated = 3;
        shop.stock.available = 17;
    })
    .await;
    with_stock(&office.folder);
    let keeper = keeper(&office).await;
    let _hub = Hub::start_with(&office.folder, &["flows.stock_to_shopify.stock.only_in_shop=zero"]);
    agree(&office, &keeper);
    let check = ["reconcile", "inventory", "--why", "a test"];
    let checked = || office.folder.json(&check)["parts"][0].clone();
    let told = |part: &Value, note: &str| {
        assert!(part["notes"].to_string().contains(note), "{note:?} is not in {part}");
    };
    let sells = |sku: &str, quantity: i64| {
        let sells = comes(|| {
            office.folder.tidegate(&["status"]);
            available(&office.shop, sku) == quantity
        });
        assert!(sells, "{sku} shows {}", available(&office.shop, sku));
    };

    // Nothing says yet that what the source names is all of it; and six of 46 are more than a snapshot may be smaller.
    let first = checked();
    told(&first, "no earlier snapshot");
    assert_eq!((&first["causes"], &first["appended"]), (&json!({ "unknown_in_source": 6 }), &json!(0)));
    let second = checked();
    told(&second, "more than 10 % of what the shop has");
    assert_eq!(second["appended"], 0, "{second}");
    assert_eq!(available(&office.shop, "GEN-000001"), 17);

    let said = office.folder.tidegate(&approved(APPROVE));
    assert!(said.out.contains("6 pairs that only the shop has are set to 0"), "{said:?}");
    sells("GEN-000001", 0);
    sells("GEN-000003", 0);
    let audit = office.folder.json(&["audit"]);
    let zeroed = audit["entries"].as_array().unwrap().iter().find(|one| one["action"] == "zero_only_in_shop");
    assert_eq!((&zeroed.unwrap()["who"], &zeroed.unwrap()["count"]), (&json!("Ada"), &json!(6)), "{audit}");
    // It was a set like any other, from what was seen there.
    assert!(office.shop.stock_sets().iter().any(|set| set.sku == "GEN-000001" && set.to == 0));
    let settled = checked();
    assert_eq!(
        (&settled["whys"], &settled["appended"], &settled["differences"]),
        (&json!({ "settled": 6 }), &json!(0), &json!([])),
        "{settled}"
    );

    // A few that the source leaves out are set to 0 without anybody, and told anew under their old number they come back.
    keeper.turn(|knobs| knobs.short_snapshot_after = Some(38));
    let short = checked();
    assert_eq!((&short["whys"]["zeroed"], &short["appended"]), (&json!(2), &json!(2)), "{short}");
    let gone = comes(|| {
        office.folder.tidegate(&["status"]);
        differing(&office, &keeper).len() == 2
    });
    assert!(gone, "{:?}", differing(&office, &keeper));
    keeper.turn(|knobs| knobs.short_snapshot_after = None);
    let back = checked();
    assert_eq!((&back["whys"]["missed"], &back["appended"]), (&json!(2), &json!(2)), "{back}");
    agree(&office, &keeper);

    // Half of a warehouse is refused before anything is set.
    keeper.turn(|knobs| knobs.short_snapshot_after = Some(20));
    office.folder.tidegate(&check).refused(1, &["TG-7030"]);
    assert!(differing(&office, &keeper).is_empty());
}
