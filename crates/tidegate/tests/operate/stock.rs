//! Stock, from a warehouse that pushes it to what the shop sells: the real binary between the shop's look-alike and a
//! sender of signed levels.

use crate::folder::Folder;
use crate::hub::{Hub, until};
use crate::office::Office;
use crate::patience::{comes, eventually};
use serde_json::{Value, json};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use twin::shopify::{ShopifyTwin, signature};
use twin::wms::{WmsConfig, WmsTwin};

const SECRET: &str = "warehouse";
const MAPPING: &str = include_str!("../../../../mappings/stock_to_shopify.toml");
const STOCK_FLOW: &str = include_str!("../../stock_flow.toml");
/// What is its own.
const OWN: &str = r#"
[systems.wms.connection]

[flows.stock_to_shopify.stock]
safety = ["SKU-0002: 10%"]
units = ["case = 12 each"]
"#;

/// The office with a warehouse beside it.
pub(crate) async fn warehouse() -> Office {
    let office = Office::open().await;
    with_stock(&office.folder);
    office
}

pub(crate) fn with_stock(folder: &Folder) {
    let config = folder.path("tidegate.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    let scopes = "\"read_products\"]";
    assert!(text.contains(scopes));
    let more = "\"read_products\", \"read_inventory\", \"write_inventory\", \"read_locations\"]";
    std::fs::write(&config, text.replace(scopes, more) + STOCK_FLOW + OWN).unwrap();
    std::fs::write(folder.path("mappings/stock_to_shopify.toml"), MAPPING).unwrap();
    let secret = folder.path("secrets/wms.push");
    std::fs::write(&secret, SECRET).unwrap();
    std::fs::set_permissions(&secret, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
}

/// A level of a SKU, in the first warehouse where `more` does not say otherwise; what it says beside that comes from there.
pub(crate) fn level(sku: &str, on_hand: &str, more: Value) -> Value {
    let mut data = json!({
        "sku": sku, "location": "WH-1", "on_hand": on_hand, "changed_at": crate::office::now().to_string(),
    });
    data.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    data
}

pub(crate) fn push(hub: &Hub, version: i64, data: &Value) -> (u16, Value) {
    let text = |name: &str| data[name].as_str().unwrap();
    let subject = format!("acme/ats:{}@{}", text("sku"), text("location"));
    let body = json!({ "subject": subject, "version": version, "topic": "stock/level", "data": data });
    send(hub, &body.to_string())
}

pub(crate) fn send(hub: &Hub, body: &str) -> (u16, Value) {
    // HMAC-SHA256 in base64: Shopify's way and ours.
    let signed = signature(SECRET, body.as_bytes());
    let request = format!(
        "POST /ingest/wms/inventory HTTP/1.1\r\nhost: {}\r\nconnection: close\r\ncontent-type: application/json\r\n\
         content-length: {}\r\nx-tidegate-hmac-sha256: {signed}\r\n\r\n{body}",
        hub.address,
        body.len()
    );
    let mut stream = TcpStream::connect(&hub.address).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    let body = answer.split_once("\r\n\r\n").unwrap().1;
    (status, serde_json::from_str(body).unwrap_or(Value::Null))
}

pub(crate) fn available(shop: &ShopifyTwin, sku: &str) -> i64 {
    shop.stock(sku, "WH-1").unwrap().available
}

/// What the command says of the one pair, once nothing of it is open.
pub(crate) fn settled(folder: &Folder, sku: &str, version: i64) -> Value {
    let version = format!("\"sequence\":{version}");
    let settled = eventually(|| {
        let said =
            folder.tidegate(&["ats", "show", sku, "--location", "WH-1", "--explain", "--offline", "--json"]);
        let is_settled = said.out.contains(&version) && said.out.contains("\"open\":[]");
        is_settled.then(|| said.json()["stock"][0].clone())
    });
    settled
        .unwrap_or_else(|| panic!("{sku} did not come to rest: {:?}", folder.tidegate(&["ats", "show", sku])))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_level_that_is_pushed_is_what_the_shop_sells() {
    let office = warehouse().await;
    let hub = Hub::start(&office.folder);
    let told = push(&hub, 7, &level("SKU-0001", "120", json!({ "reserved": "7" })));
    assert_eq!(told.0, 200, "{told:?}");
    let pair = settled(&office.folder, "SKU-0001", 7);
    assert_eq!(available(&office.shop, "SKU-0001"), 113);
    assert_eq!(pair["fact"]["state"]["available"], 113, "{pair}");
    let said = office.folder.tidegate(&["ats", "show", "SKU-0001", "--explain"]);
    assert!(said.out.contains("113") && said.out.contains("on hand"), "{}", said.out);

    // Ten of a hundred are kept back, and three cases are 36 pieces.
    push(&hub, 1, &level("SKU-0002", "100", json!({})));
    push(&hub, 1, &level("SKU-0003", "3", json!({ "unit": "case" })));
    settled(&office.folder, "SKU-0002", 1);
    settled(&office.folder, "SKU-0003", 1);
    assert_eq!((available(&office.shop, "SKU-0002"), available(&office.shop, "SKU-0003")), (90, 36));

    // The same again is one fact; an older one changes nothing.
    assert_eq!(push(&hub, 7, &level("SKU-0001", "120", json!({}))).0, 200);
    push(&hub, 6, &level("SKU-0001", "1", json!({})));
    push(&hub, 8, &level("SKU-0001", "50", json!({})));
    settled(&office.folder, "SKU-0001", 8);
    assert_eq!(available(&office.shop, "SKU-0001"), 50);
    assert!(office.shop.stock_sets().iter().all(|set| set.to != 1), "an older level was written");

    // One that comes late is no news to whoever asks either.
    push(&hub, 5, &level("SKU-0001", "2", json!({})));
    until(&office.folder, &["deliveries", "list", "--json"], "\"version\":\"5\"");
    let shown = office.folder.json(&["ats", "show", "SKU-0001", "--location", "WH-1"]);
    assert_eq!(shown["stock"][0]["fact"]["sequence"], 8, "{shown}");
}

/// All wait at a system that takes one at a time, so that what is claimed first is set first.
#[tokio::test(flavor = "multi_thread")]
async fn what_comes_on_sale_or_goes_off_it_overtakes_what_only_moves_a_number() {
    let office = warehouse().await;
    let hub = Hub::start_with(&office.folder, &["systems.shopify.concurrency=1"]);
    let sku = |number: u32| format!("SKU-{number:04}");
    for number in (1..=12).filter(|number| *number != 2) {
        // The last of them is sold out.
        let on_hand = if number == 12 { "0" } else { "50" };
        push(&hub, 1, &level(&sku(number), on_hand, json!({})));
    }
    for number in (1..=12).filter(|number| *number != 2) {
        settled(&office.folder, &sku(number), 1);
    }
    office.folder.json(&["systems", "pause", "shopify", "--why", "so that all wait"]);
    let before = office.shop.stock_sets().len();
    for number in 3..=10 {
        push(&hub, 2, &level(&sku(number), "51", json!({})));
    }
    push(&hub, 2, &level(&sku(1), "0", json!({})));
    push(&hub, 2, &level(&sku(11), "52", json!({})));
    push(&hub, 2, &level(&sku(12), "5", json!({})));
    let all_wait = comes(|| {
        let open =
            office.folder.json(&["deliveries", "list", "--phase", "open", "--flow", "stock_to_shopify"]);
        open["deliveries"].as_array().is_some_and(|open| open.len() == 11)
    });
    assert!(all_wait, "{}", office.folder.tidegate(&["deliveries", "list"]).out);
    office.folder.json(&["systems", "resume", "shopify", "--why", "all wait"]);
    for number in (1..=12).filter(|number| *number != 2) {
        settled(&office.folder, &sku(number), 2);
    }
    let sets = office.shop.stock_sets();
    let order: Vec<(&str, i64)> = sets[before..].iter().map(|set| (set.sku.as_str(), set.to)).collect();
    assert_eq!(order.len(), 11, "{order:?}");
    let first: std::collections::BTreeSet<_> = order[..2].iter().copied().collect();
    assert_eq!(first, [("SKU-0001", 0), ("SKU-0012", 5)].into(), "{order:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_unit_that_was_sold_and_is_not_counted_yet_does_not_go_back_on_sale() {
    let office = warehouse().await;
    let hub = Hub::start(&office.folder);
    push(&hub, 1, &level("SKU-0001", "100000", json!({})));
    settled(&office.folder, "SKU-0001", 1);
    office.orders(1001, 60);
    let sold = office.shop.stock("SKU-0001", "WH-1").unwrap().committed;
    assert!(sold > 0, "none of the orders had it");
    assert_eq!(available(&office.shop, "SKU-0001"), 100_000 - sold);

    // The warehouse counts its shelves and knows of no order.
    push(&hub, 2, &level("SKU-0001", "100001", json!({})));
    settled(&office.folder, "SKU-0001", 2);
    assert_eq!(available(&office.shop, "SKU-0001"), 100_001 - sold, "sold units went back on sale");

    // Now it has reserved them, and says so.
    push(&hub, 3, &level("SKU-0001", "100001", json!({ "reserved": sold, "counted": sold })));
    settled(&office.folder, "SKU-0001", 3);
    assert_eq!(available(&office.shop, "SKU-0001"), 100_001 - sold, "they were counted twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_or_is_not_known_is_told_and_holds_nobody_back() {
    let office = warehouse().await;
    let hub = Hub::start(&office.folder);
    push(&hub, 1, &level("NO-SUCH-SKU", "5", json!({})));
    push(&hub, 1, &level("SKU-0002", "1.5e3", json!({})));
    push(&hub, 1, &level("SKU-0001", "5", json!({})));
    settled(&office.folder, "SKU-0001", 1);
    assert_eq!(available(&office.shop, "SKU-0001"), 5);
    until(&office.folder, &["dead-letters", "list"], "NO-SUCH-SKU");
    let said = office.folder.tidegate(&["ats", "show", "NO-SUCH-SKU"]);
    assert!(said.out.contains("dead"), "{}", said.out);
    office.folder.tidegate(&["ats", "show", "SKU-9"]).refused(4, &["SKU-9"]);

    // Under another's subject it would overwrite that one's.
    let other = json!({ "subject": "acme/ats:SKU-0001@WH-2", "version": 9, "topic": "stock/level",
                        "data": level("SKU-0001", "7", json!({})) });
    let (status, told) = send(&hub, &other.to_string());
    assert!(status == 422 || status == 400, "{status} {told}");
    assert!(told.to_string().contains("acme/ats:SKU-0001@WH-1"), "{told}");
}

/// With one that pushes nothing, and that is asked once and then not for an hour.
pub(crate) async fn asked_once() -> (Office, WmsTwin) {
    let office = warehouse().await;
    let keeper = keeper(&office).await;
    let path = office.folder.path("tidegate.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let seldom = text.replace("every = \"1s\"", "every = \"1h\"");
    assert_ne!(seldom, text, "nothing there says how often it is asked");
    std::fs::write(&path, seldom).unwrap();
    keeper.push_to(None);
    (office, keeper)
}

/// A warehouse of its own process' kind: it can be asked as well as push.
pub(crate) async fn keeper(office: &Office) -> WmsTwin {
    let config = WmsConfig { on_hand: (5, 500), ..WmsConfig::default() };
    let keeper = WmsTwin::start(config).await.unwrap();
    let path = office.folder.path("tidegate.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let connection = format!("url = \"{}\"\ntoken = \"file:secrets/wms.token\"", keeper.url());
    let asked = text
        .replace("[systems.wms.connection]", &format!("[systems.wms.connection]\n{connection}"))
        .replace(
            "[flows.stock_to_shopify.stock]",
            "[flows.stock_to_shopify.sweep]\nevery = \"1s\"\n\n[flows.stock_to_shopify.stock]",
        )
        .replace("safety = [\"SKU-0002: 10%\"]", "safety = []");
    std::fs::write(&path, asked).unwrap();
    let secret = office.folder.path("secrets/wms.token");
    std::fs::write(&secret, keeper.token()).unwrap();
    std::fs::set_permissions(&secret, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    keeper
}

/// Pairs of which the shop does not sell what the warehouse has to sell.
pub(crate) fn differing(office: &Office, keeper: &WmsTwin) -> Vec<String> {
    let free = |row: &twin::wms::TruthRow| row.truth.on_hand - row.truth.reserved;
    let has =
        |row: &twin::wms::TruthRow| office.shop.stock(&row.sku, row.location).map(|level| level.available);
    keeper.all_stock().iter().filter(|row| has(row) != Some(free(row))).map(|row| row.sku.clone()).collect()
}

pub(crate) fn agree(office: &Office, keeper: &WmsTwin) {
    let agree = comes(|| {
        office.folder.tidegate(&["status"]);
        differing(office, keeper).is_empty()
    });
    assert!(agree, "they never agreed: {:?}", differing(office, keeper));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_warehouse_never_pushed_is_asked_for() {
    let office = warehouse().await;
    let keeper = keeper(&office).await;
    // Nobody is told of anything.
    keeper.push_to(None);
    let _hub = Hub::start(&office.folder);
    agree(&office, &keeper);
    keeper.stir(200);
    agree(&office, &keeper);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_check_finds_what_was_changed_in_the_shop_and_mends_it() {
    let office = warehouse().await;
    let keeper = keeper(&office).await;
    let _hub = Hub::start(&office.folder);
    agree(&office, &keeper);
    let clean = office.folder.json(&["reconcile", "inventory", "--dry-run"]);
    let part = &clean["parts"][0];
    assert_eq!((&part["source"], &part["same"]), (&json!(40), &json!(40)), "{clean}");
    assert_eq!(part["causes"], json!({}), "{clean}");

    office.shop.set_by_hand("SKU-0003", "WH-1", 9_999).unwrap();
    let dry = office.folder.json(&["reconcile", "inventory", "--dry-run"]);
    let line = &dry["parts"][0]["differences"][0];
    assert_eq!(
        (&line["sku"], &line["has"], &line["why"]),
        (&json!("SKU-0003"), &json!(9_999), &json!("changed_in_shop"))
    );
    assert_eq!(available(&office.shop, "SKU-0003"), 9_999, "a dry run changed something");
    let csv = office.folder.tidegate(&["reconcile", "inventory", "--dry-run", "--csv"]);
    assert!(csv.out.contains("SKU-0003,WH-1,"), "{csv:?}");

    let done = office.folder.json(&["reconcile", "inventory", "--why", "a test"]);
    assert_eq!(done["parts"][0]["appended"], 1, "{done}");
    agree(&office, &keeper);
    // Each check left its figures.
    let audit = office.folder.tidegate(&["audit"]);
    assert!(audit.out.contains("1 differs") && audit.out.contains("no difference"), "{}", audit.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_only_the_shop_has_is_told_with_what_it_has_and_left_alone() {
    let office = Office::open_with(|shop| {
        shop.stock.generated = 1;
        shop.stock.available = 17;
    })
    .await;
    with_stock(&office.folder);
    let keeper = keeper(&office).await;
    let _hub = Hub::start(&office.folder);
    agree(&office, &keeper);
    let done = office.folder.json(&["reconcile", "inventory", "--why", "a test"]);
    let part = &done["parts"][0];
    assert_eq!(
        (&part["causes"], &part["appended"]),
        (&json!({ "unknown_in_source": 2 }), &json!(0)),
        "{done}"
    );
    let line = &part["differences"][0];
    assert_eq!(
        (&line["sku"], &line["has"], &line["wanted"]),
        (&json!("GEN-000001"), &json!(17), &Value::Null)
    );
    assert_eq!(available(&office.shop, "GEN-000001"), 17);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_check_at_its_cadence_mends_what_somebody_typed_in_the_shop() {
    let office = warehouse().await;
    let keeper = keeper(&office).await;
    let every = ["flows.stock_to_shopify.stock.full_check=1s"];
    let _hub = Hub::start_with(&office.folder, &every);
    agree(&office, &keeper);
    office.shop.set_by_hand("SKU-0003", "WH-1", 9_999).unwrap();
    agree(&office, &keeper);
    until(&office.folder, &["audit"], "the cadence of its flow");
}

#[tokio::test(flavor = "multi_thread")]
async fn half_of_a_warehouse_is_not_taken_for_all_of_it() {
    let office = warehouse().await;
    let keeper = keeper(&office).await;
    let _hub = Hub::start(&office.folder);
    agree(&office, &keeper);
    keeper.turn(|knobs| knobs.cut_snapshot_after = Some(10));
    office.folder.tidegate(&["reconcile", "inventory", "--why", "a test"]).refused(1, &["last line"]);
    assert!(
        differing(&office, &keeper).is_empty(),
        "something was changed for what a half list did not name"
    );
}
