//! One location of a warehouse that the shop shows at two of its own: the real binary between the shop's look-alike and a warehouse
//! that knows nothing of it.

use crate::bundles::{comes_to, comes_to_rest, with_bundles};
use crate::folder::Folder;
use crate::hub::{Hub, until};
use crate::office::Office;
use crate::pooling::sums;
use crate::stock::{keeper, level, push, warehouse};
use serde_json::{Value, json};
use twin::wms::WmsTwin;

/// What these rules say, where the web shop is the shop's first warehouse and the store its second.
fn with_rules(folder: &Folder, rules: &str) {
    let path = folder.path("tidegate.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let table = "[flows.stock_to_shopify.stock]";
    assert!(text.contains(table));
    std::fs::write(&path, text.replace(table, &format!("{table}\n{rules}"))).unwrap();
    let path = folder.path("mappings/stock_to_shopify.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let (rules, _) = text.split_once("[tables.locations]").unwrap();
    let table = "[tables.locations]\n\"WEB\" = \"Warehouse 1\"\n\"STORE\" = \"Warehouse 2\"\n";
    std::fs::write(&path, format!("{rules}{table}")).unwrap();
}

/// What is shown at both, and what is sold there and not sent.
fn both(office: &Office, sku: &str) -> [(i64, i64); 2] {
    ["WH-1", "WH-2"].map(|at| office.shop.stock(sku, at).map(|it| (it.available, it.committed)).unwrap())
}

/// While nobody bought: whenever one of both was raised, both together showed no more than there is.
fn never_more_than(office: &Office, sku: &str, mut shown: [i64; 2], free: i64) {
    for set in office.shop.stock_sets().iter().filter(|set| set.sku == sku) {
        let at = usize::from(set.location == "WH-2");
        if set.key.is_some() && set.to > set.from {
            assert!(set.to + shown[1 - at].max(0) <= free, "{set:?} beside {shown:?}, of {free}");
        }
        shown[at] = set.to;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_lies_at_one_location_is_sold_at_two() {
    let office = warehouse().await;
    with_rules(&office.folder, "outlets = [\"WH-1 = STORE 30% + WEB 70%\"]");
    // The store has to give up what it shows before the web shop may have it; of another SKU it does not stock any.
    office.shop.set_by_hand("SKU-0001", "WH-2", 95).unwrap();
    office.shop.set_by_hand("SKU-0001", "WH-1", 5).unwrap();
    office.shop.set_by_hand("SKU-0004", "WH-1", 40).unwrap();
    office.shop.set_stocked("SKU-0004", "WH-2", false).unwrap();
    let idle = office.shop.stock("SKU-0004", "WH-2").unwrap().available;
    let hub = Hub::start(&office.folder);
    push(&hub, 1, &level("SKU-0001", "100", json!({})));
    push(&hub, 1, &level("SKU-0004", "40", json!({})));
    comes_to(&office, &[("SKU-0001", "WH-1", 70), ("SKU-0001", "WH-2", 30)]);
    comes_to(&office, &[("SKU-0004", "WH-1", 28), ("SKU-0004", "WH-2", 12)]);
    never_more_than(&office, "SKU-0001", [5, 95], 100);
    never_more_than(&office, "SKU-0004", [40, idle], 40);
    let said = office.folder.tidegate(&["ats", "show", "SKU-0001", "--explain"]);
    for expected in ["100  available at WH-1", "STORE shows 30 %, now 30", "WEB shows 70 %, now 70"] {
        assert!(said.out.contains(expected), "{expected}: {}", said.out);
    }
    // Each row has the part of its outlet, and none what lies there for both.
    let said = office.folder.tidegate(&["ats", "show", "SKU-0001"]);
    let row =
        |at: &str| said.out.lines().find(|line| line.contains(at)).unwrap_or_else(|| panic!("{}", said.out));
    let cells = |at: &str| row(at).split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    // Available, in flight, to show, in the shop, committed.
    assert_eq!(cells("WEB")[..7], ["acme", "WEB", "70", "0", "70", "70", "0"], "{}", said.out);
    assert_eq!(cells("STORE")[..7], ["acme", "STORE", "30", "0", "30", "30", "0"], "{}", said.out);
    assert!(said.out.contains("WEB 70 %") && said.out.contains("STORE 30 %"), "{}", said.out);
    let shown = office.folder.json(&["ats", "show", "SKU-0001"]);
    assert_eq!(
        shown["stock"].as_array().map(Vec::len),
        Some(2),
        "what is divided is told beside it: {shown}"
    );
    let part = |at: &str| {
        let mut pairs = shown["stock"].as_array().unwrap().iter();
        pairs.find(|pair| pair["fact"]["state"]["location"] == at).map(|pair| pair["fact"]["part"].clone())
    };
    assert_eq!(part("WEB"), Some(json!({ "available": 70, "takes": "70 %" })), "{shown}");

    // Orders and levels beside one another: what is sold at either is held back of both.
    for version in 2..8 {
        push(&hub, version, &level("SKU-0001", &(1000 + version).to_string(), json!({})));
        if version % 3 == 0 {
            office.orders(1001 + 100 * u64::try_from(version).unwrap(), 60);
        }
    }
    let sold = both(&office, "SKU-0001").map(|(_, committed)| committed).iter().sum::<i64>();
    assert!(sold > 0, "none of the orders had it");
    hub.kill();
    let hub = Hub::start(&office.folder);
    push(&hub, 8, &level("SKU-0001", "1008", json!({})));
    let free = 1008 - sold;
    let part = |free: i64| [free - free * 70 / 100, free * 70 / 100];
    let [store, web] = part(free);
    comes_to(&office, &[("SKU-0001", "WH-1", web), ("SKU-0001", "WH-2", store)]);
    // The warehouse has counted them, wherever it likes: nothing is held back twice.
    push(&hub, 9, &level("SKU-0001", "1009", json!({ "reserved": sold, "counted": sold })));
    let [store, web] = part(free + 1);
    comes_to(&office, &[("SKU-0001", "WH-1", web), ("SKU-0001", "WH-2", store)]);
    // More is sold than is left: it is missing where the rest goes.
    push(&hub, 10, &level("SKU-0001", "0", json!({ "reserved": sold, "counted": sold })));
    comes_to(&office, &[("SKU-0001", "WH-2", -sold), ("SKU-0001", "WH-1", 0)]);

    // Of an outlet it has a level from nobody.
    let mut own = level("SKU-0001", "7", json!({}));
    own["location"] = json!("WEB");
    push(&hub, 1, &own);
    until(&office.folder, &["dead-letters", "list"], "is written down as an outlet of");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_of_units_comes_first_and_bundles_have_their_share_of_each_part() {
    let office = warehouse().await;
    with_rules(&office.folder, "outlets = [\"WH-1 = WEB + STORE 5\"]");
    with_bundles(&office.folder, "SKU-0010,SKU-0001,2\n");
    let hub = Hub::start(&office.folder);
    push(&hub, 1, &level("SKU-0003", "20", json!({})));
    comes_to(&office, &[("SKU-0003", "WH-1", 15), ("SKU-0003", "WH-2", 5)]);
    push(&hub, 2, &level("SKU-0003", "3", json!({})));
    comes_to(&office, &[("SKU-0003", "WH-1", 0), ("SKU-0003", "WH-2", 3)]);
    // Half of each part is for the bundle of two.
    push(&hub, 1, &level("SKU-0001", "45", json!({})));
    comes_to(&office, &[("SKU-0001", "WH-1", 20), ("SKU-0010", "WH-1", 10)]);
    comes_to(&office, &[("SKU-0001", "WH-2", 3), ("SKU-0010", "WH-2", 1)]);
}

/// What is shown of each SKU: a fourth of both warehouses together at the store, and the rest for the web.
fn agrees(office: &Office, keeper: &WmsTwin) {
    let parts = |(sku, sum): (String, i64)| {
        let store = sum.max(0) / 4;
        [(sku.clone(), "WH-1", sum - store), (sku, "WH-2", store)]
    };
    let all: Vec<_> = sums(keeper).into_iter().flat_map(parts).collect();
    let all: Vec<_> = all.iter().map(|(sku, at, part)| (sku.as_str(), *at, *part)).collect();
    comes_to(office, &all);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_check_compares_the_parts() {
    let office = warehouse().await;
    let rules = "locations = [\"ALL = WH-1 + WH-2\"]\noutlets = [\"ALL = WEB + STORE 25%\"]";
    with_rules(&office.folder, rules);
    let keeper = keeper(&office).await;
    let _hub = Hub::start(&office.folder);
    agrees(&office, &keeper);
    comes_to_rest(&office);
    let check = ["reconcile", "inventory", "--why", "a test"];
    let clean = office.folder.json(&check);
    let part = &clean["parts"][0];
    assert_eq!((&part["source"], &part["same"]), (&json!(40), &json!(40)), "{clean}");
    assert_eq!(part["causes"], json!({}), "{clean}");

    // Typed at one of them, it is taken for shown there, and the other may not have it: both are told, and both are mended.
    office.shop.set_by_hand("SKU-0003", "WH-2", 9_999).unwrap();
    let dry = office.folder.json(&["reconcile", "inventory", "--dry-run"]);
    let lines = dry["parts"][0]["differences"].as_array().unwrap();
    let line = |at: &str| lines.iter().find(|line| line["location"] == at).unwrap_or_else(|| panic!("{dry}"));
    assert_eq!((&line("STORE")["sku"], &line("STORE")["has"]), (&json!("SKU-0003"), &json!(9_999)), "{dry}");
    assert_eq!(line("WEB")["wanted"], 0, "{dry}");
    office.folder.json(&check);
    agrees(&office, &keeper);

    comes_to_rest(&office);
    office.shop.set_by_hand("SKU-0004", "WH-2", 0).unwrap();
    let one = ["backfill", "inventory", "--location", "STORE", "--sku", "SKU-0004"];
    let counts = |part: &Value| ["meant", "agree", "appended"].map(|name| part[name].as_u64().unwrap());
    let told = office.folder.json(&one);
    assert_eq!(counts(&told["parts"][0]), [1, 0, 1], "{told}");
    agrees(&office, &keeper);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_outlets_that_are_one_location_are_found_before_anything_is_set() {
    let office = warehouse().await;
    with_rules(&office.folder, "outlets = [\"WH-1 = WEB 70% + STORE 30%\"]");
    let mapping = office.folder.path("mappings/stock_to_shopify.toml");
    let good = std::fs::read_to_string(&mapping).unwrap();
    let store_is = |what: &str| std::fs::write(&mapping, good.replace("\"Warehouse 2\"", what)).unwrap();
    let outlets = || -> Value {
        let said = office.folder.tidegate(&["doctor", "--json"]);
        let told: Value = serde_json::from_str(&said.out).unwrap_or_else(|error| panic!("{error}: {said:?}"));
        let probe = told["probes"].as_array().unwrap().iter().find(|probe| probe["probe"] == "outlets");
        probe.unwrap_or_else(|| panic!("{told}")).clone()
    };
    assert_eq!(outlets()["outcome"], "well", "{}", outlets());
    // Written alike, nobody has to be asked.
    store_is("\"Warehouse 1\"");
    let said = office.folder.tidegate(&["check"]);
    assert_eq!(said.code, Some(3), "{said:?}");
    assert!(
        format!("{}{}", said.out, said.err).contains("stand for one of the shop's locations"),
        "{said:?}"
    );
    // By name and by number only the shop can tell.
    store_is("\"gid://shopify/Location/72212345678\"");
    let told = outlets();
    assert_eq!(told["outcome"], "failed", "{told}");
    assert!(
        told["text"]
            .as_str()
            .unwrap()
            .contains("STORE and WEB are one of the shop's locations (Warehouse 1)"),
        "{told}"
    );
    // And where nobody asked, none of them is set.
    let hub = Hub::start(&office.folder);
    push(&hub, 1, &level("SKU-0001", "100", json!({})));
    until(&office.folder, &["dead-letters", "list"], "are one of the shop's");
    assert!(office.shop.stock_sets().iter().all(|set| set.sku != "SKU-0001"));
}
