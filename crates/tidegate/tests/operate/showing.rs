//! `tidegate ats show`: what the shop has this moment beside what it is to have, and why both differ; and a shop that does not answer,
//! or is not to be asked.

use crate::bundles::{comes_to, comes_to_rest, with_bundles};
use crate::hub::{Hub, until};
use crate::office::Office;
use crate::patience::eventually;
use crate::stock::{agree, asked_once, available, differing, level, push, settled, warehouse};
use serde_json::{Value, json};

fn pair(office: &Office, sku: &str) -> Value {
    office.folder.json(&["ats", "show", sku, "--location", "WH-1"])["stock"][0].clone()
}

/// The figures that the shop has, and why they are not what they are to be.
fn figures(pair: &Value) -> [&Value; 5] {
    ["available", "committed", "in_flight", "to_show", "why"].map(|figure| &pair["now"][figure])
}

/// What the lines of the explanation add up to, from what is available at the source on.
fn adds_up_to(pair: &Value) -> i64 {
    let terms = pair["now"]["terms"].as_array().unwrap();
    let number = |term: &Value| term.as_str().unwrap().split_whitespace().next().unwrap().parse::<i64>();
    let to_show =
        terms.iter().position(|term| term.as_str().unwrap().contains("to show in Shopify")).unwrap();
    let adds: i64 = terms[..to_show].iter().map(|term| number(term).unwrap()).sum();
    pair["fact"]["state"]["available"].as_i64().unwrap() + adds
}

#[tokio::test(flavor = "multi_thread")]
async fn each_figure_is_told_up_to_what_the_shop_has_now_and_why_it_differs() {
    let office = warehouse().await;
    let hub = Hub::start(&office.folder);
    let incoming = json!([{ "quantity": "40", "at": "2099-12-01T00:00:00Z" }]);
    let more = json!({ "reserved": "7", "safety": "3", "incoming": incoming });
    push(&hub, 1, &level("SKU-0001", "100000", more));
    settled(&office.folder, "SKU-0001", 1);
    let told = pair(&office, "SKU-0001");
    assert_eq!(told["now"]["answered"], "answered", "{told}");
    assert_eq!(
        figures(&told),
        [&json!(99_990), &json!(0), &json!(0), &json!(99_990), &Value::Null],
        "{told}"
    );
    assert!(told["now"]["since"].is_string(), "{told}");
    let figures_of = &told["fact"]["figures"];
    assert_eq!(figures_of["shelf"], json!({ "on_hand": "100000", "reserved": "7", "safety": "3" }));
    assert_eq!(figures_of["incoming"][0]["available"], 100_030, "{told}");
    let said = office.folder.tidegate(&["ats", "show", "SKU-0001"]).out;
    assert!(said.contains("from 2099-12-01 00:00:00 on 100030 available: 40 more come"), "{said}");

    // Sold, and not counted: in flight, and no difference. Then somebody types a number.
    office.orders(1001, 60);
    let sold = office.shop.stock("SKU-0001", "WH-1").unwrap().committed;
    assert!(sold > 0, "none of the orders had it");
    let free = 99_990 - sold;
    let told = pair(&office, "SKU-0001");
    assert_eq!(
        figures(&told),
        [&json!(free), &json!(sold), &json!(sold), &json!(free), &Value::Null],
        "{told}"
    );
    assert_eq!(adds_up_to(&told), free, "{told}");
    office.shop.set_by_hand("SKU-0001", "WH-1", 9_999).unwrap();
    let told = pair(&office, "SKU-0001");
    let by_hand = json!("changed_in_shop");
    assert_eq!(figures(&told), [&json!(9_999), &json!(sold), &json!(sold), &json!(free), &by_hand], "{told}");
    let said = office.folder.tidegate(&["ats", "show", "SKU-0001", "--explain"]).out;
    assert!(said.contains("changed in the shop by somebody else"), "{said}");
    assert!(said.contains(&format!("-{sold}  in flight: {sold} committed in Shopify")), "{said}");
    assert!(said.contains(&format!("{free}  to show in Shopify\n          9999  in Shopify now")), "{said}");

    // What waits is under way, what is dead says so with what is missing.
    office.folder.json(&["systems", "pause", "shopify", "--why", "a test"]);
    push(&hub, 2, &level("SKU-0001", "200000", json!({})));
    let is_there = || pair(&office, "SKU-0001")["fact"]["sequence"] == 2;
    eventually(|| is_there().then_some(())).unwrap();
    let told = pair(&office, "SKU-0001");
    assert_eq!(told["now"]["why"], "under_way", "{told}");
    let said = office.folder.tidegate(&["ats", "show", "SKU-0001"]).out;
    assert!(said.contains("under way, waits for the pause of system shopify"), "{said}");
    office.folder.json(&["systems", "resume", "shopify", "--why", "a test"]);
    push(&hub, 1, &level("NO-SUCH-SKU", "5", json!({})));
    until(&office.folder, &["dead-letters", "list"], "NO-SUCH-SKU");
    let told = pair(&office, "NO-SUCH-SKU");
    assert_eq!(
        figures(&told),
        [&Value::Null, &Value::Null, &Value::Null, &Value::Null, &json!("dead_letter")]
    );
    assert!(told["now"]["problem"].as_str().unwrap().contains("Shopify has no sku"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_that_does_not_answer_or_is_not_to_be_asked_fails_nothing() {
    let office = warehouse().await;
    let hub = Hub::start(&office.folder);
    push(&hub, 1, &level("SKU-0001", "120", json!({})));
    settled(&office.folder, "SKU-0001", 1);
    let offline = office.folder.json(&["ats", "show", "SKU-0001", "--location", "WH-1", "--offline"]);
    assert_eq!(offline["stock"][0]["now"]["answered"], "not_asked", "{offline}");
    let said = office.folder.tidegate(&["ats", "show", "SKU-0001", "--offline"]).out;
    assert!(said.contains("its shop was not asked") && said.contains("set in shop"), "{said}");

    // Nobody listens where the shop is by now.
    hub.kill();
    let path = office.folder.path("tidegate.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace(office.shop.url(), "http://127.0.0.1:9")).unwrap();
    let told = pair(&office, "SKU-0001");
    assert_eq!(told["now"]["answered"], "unreachable", "{told}");
    assert_eq!(told["fact"]["state"]["available"], 120, "{told}");
    let said = office.folder.tidegate(&["ats", "show", "SKU-0001"]).out;
    assert!(
        said.contains("the shop could not be asked") && said.contains("it was set to 120 last"),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_source_has_and_never_told_is_missed() {
    let (office, keeper) = asked_once().await;
    let _hub = Hub::start(&office.folder);
    agree(&office, &keeper);
    comes_to_rest(&office);
    keeper.stir(200);
    let sku = differing(&office, &keeper).into_iter().next().unwrap();
    let told = office.folder.json(&["ats", "show", &sku]);
    let missed = |pair: &&Value| pair["now"]["why"] == "missed";
    let missed = told["stock"].as_array().unwrap().iter().find(missed);
    let missed = missed.unwrap_or_else(|| panic!("{told}"));
    let last = missed["now"]["terms"].as_array().unwrap().last().unwrap().as_str().unwrap();
    assert!(last.contains("available at the source by now, which never came"), "{last}");
    let said = office.folder.tidegate(&["ats", "show", &sku]).out;
    assert!(said.contains("never came"), "{said}");
    let offline = office.folder.json(&["ats", "show", &sku, "--offline"]);
    assert!(!offline.to_string().contains("missed"), "the source was asked: {offline}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_shares_units_says_each_term_up_to_what_the_shop_has() {
    let office = warehouse().await;
    with_bundles(&office.folder, "SKU-0010,SKU-0001,2\n");
    let hub = Hub::start(&office.folder);
    push(&hub, 1, &level("SKU-0001", "100000", json!({})));
    comes_to(&office, &[("SKU-0001", "WH-1", 50_000), ("SKU-0010", "WH-1", 25_000)]);
    comes_to_rest(&office);
    office.orders(1001, 60);
    let [alone, bundled] =
        ["SKU-0001", "SKU-0010"].map(|sku| office.shop.stock(sku, "WH-1").unwrap().committed);
    assert!(alone > 0 && bundled > 0, "none of the orders had it");
    let told = pair(&office, "SKU-0001");
    let held = alone + 2 * bundled;
    assert_eq!(
        (&told["now"]["in_flight"], &told["now"]["committed"]),
        (&json!(held), &json!(alone)),
        "{told}"
    );
    assert_eq!(told["now"]["to_show"], adds_up_to(&told), "{told}");
    let terms = told["now"]["terms"].to_string();
    assert!(terms.contains("for bundles: 50 % of"), "{terms}");
    let told = pair(&office, "SKU-0010");
    assert_eq!(told["now"]["in_flight"], Value::Null, "{told}");
    let terms = told["now"]["terms"].to_string();
    assert!(
        terms.contains("by SKU-0001: 100000 available") && terms.contains("the least of these"),
        "{terms}"
    );
    assert_eq!(told["now"]["available"], available(&office.shop, "SKU-0010"), "{told}");
}
