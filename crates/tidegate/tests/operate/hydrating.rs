//! What the price lists say is brought into the shop's catalogs by command, and is what the shop charges then.

use crate::hub::Hub;
use crate::office::Office;
use crate::patience::comes;
use crate::pricing::{ACME, BOLT, load, with_prices};
use serde_json::json;
use twin::shopify::Plan;

const TERMS: &str = r#"
[[lists]]
id = "LIST-EUR"
kind = "list"
currency = "EUR"
for = "everyone"

[[lists]]
id = "ACME-2026"
kind = "contract"
currency = "EUR"
for = "company:ACME"

[[promotions]]
id = "SEALS"
for = "everyone"
skus = "SKU-0002"
buy = 2
get = 1
percent_off = "100"

[[locations]]
id = "gid://shopify/CompanyLocation/1001"
company = "ACME"

[[locations]]
id = "gid://shopify/CompanyLocation/2001"
company = "BOLT"
"#;

const PRICES: &str = "list,sku,price,min\n\
    LIST-EUR,SKU-0001,9.00,\n\
    LIST-EUR,SKU-0002,3.00,\n\
    LIST-EUR,NOT-IN-THE-SHOP,1.00,\n\
    ACME-2026,SKU-0001,7.00,1\n\
    ACME-2026,SKU-0001,6.50,10\n";

/// What a buyer at a location pays for a unit, and in whose catalog.
fn charged(office: &Office, location: u64, quantity: i64) -> (String, Option<String>) {
    let charge = office.shop.charged(location, "EUR", "SKU-0001", quantity).unwrap();
    (format!("{:.2}", charge.amount), charge.catalog)
}

fn ours(price: &str, catalog: &str) -> (String, Option<String>) {
    (price.to_owned(), Some(format!("tidegate/{catalog} EUR")))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_resolution_says_is_what_the_shop_charges() {
    let office = Office::open_with(|config| config.plan = Plan::Plus).await;
    office.shop.know_company(1, "Acme", &[(ACME, "Acme Berlin")]);
    office.shop.know_company(2, "Bolt", &[(BOLT, "Bolt Wien")]);
    let folder = &office.folder;
    with_prices(folder, "");
    let _hub = Hub::start(folder);
    load(folder, TERMS, PRICES);

    // A plan writes nothing, and tells what a catalog cannot say.
    let plan = folder.json(&["prices", "plan"]);
    assert_eq!((&plan["nothing_to_do"], &plan["counts"]["new"]), (&json!(false), &json!(2)), "{plan}");
    let lists = plan["lists"].as_array().unwrap();
    assert_eq!(lists.len(), 2, "one for each kind of buyer: {plan}");
    for list in lists {
        let left = (&list["prices"], &list["at_the_cart"], &list["not_in_the_shop"]);
        assert_eq!(left, (&json!(1), &json!({"cart": 1}), &json!(1)), "{plan}");
    }
    assert_eq!(charged(&office, ACME, 1).1, None);

    let done = folder.json(&["prices", "hydrate", "--why", "the lists of December"]);
    assert_eq!((&done["unsettled"], &done["refused"]), (&json!(0), &json!([])), "{done}");
    assert_eq!(charged(&office, ACME, 1), ours("7.00", "ACME-2026 + LIST-EUR"));
    assert_eq!(charged(&office, ACME, 10), ours("6.50", "ACME-2026 + LIST-EUR"));
    assert_eq!(charged(&office, BOLT, 10), ours("9.00", "LIST-EUR"));

    // Nothing changed, nothing is sent; then one price does.
    let again = folder.json(&["prices", "hydrate"]);
    let sent = (&again["plan"]["nothing_to_do"], &again["written"]["calls"], &again["written"]["lines"]);
    assert_eq!(sent, (&json!(true), &json!(0), &json!(0)), "{again}");
    std::fs::write(folder.path("changed.csv"), "list,sku,price\nLIST-EUR,SKU-0001,8.80\n").unwrap();
    folder.json(&["prices", "load", "changed.csv"]);
    let third = folder.json(&["prices", "hydrate"]);
    assert_eq!(third["plan"]["counts"]["down"], 1, "{third}");
    assert_eq!(charged(&office, BOLT, 1), ours("8.80", "LIST-EUR"));
    assert_eq!(charged(&office, ACME, 1), ours("7.00", "ACME-2026 + LIST-EUR"));
    assert_eq!(
        third["plan"]["basis"],
        json!({"kept": 2, "again": 0, "whole": []}),
        "no price was read: {third}"
    );

    // Who changed what, for other programs.
    let exported = folder.tidegate(&["prices", "changes", "--sku", "SKU-0001", "--ndjson"]).out;
    let newest: serde_json::Value = serde_json::from_str(exported.lines().next().unwrap()).unwrap();
    assert_eq!((exported.lines().count(), &newest["list"]), (3, &json!("LIST-EUR")), "{exported}");
    let loads = folder.tidegate(&["prices", "journal", "--csv"]).out;
    assert!(loads.starts_with("at (UTC),entry,what,") && loads.contains("terms"), "{loads}");

    // What somebody types into the shop is seen by whoever asks for it, and becomes again what the owner says.
    let typed = Some(rust_decimal::Decimal::ONE);
    office.shop.price_by_hand("tidegate/LIST-EUR EUR", "SKU-0001", typed).unwrap();
    assert_eq!(folder.json(&["prices", "plan"])["nothing_to_do"], true);
    let told = folder.json(&["prices", "plan", "--against-shop"]);
    assert_eq!((&told["drift"], &told["counts"]["up"]), (&json!(1), &json!(1)), "{told}");
    let text = told["text"].as_str().unwrap();
    assert!(
        text.contains("1 prices were changed by somebody else") && text.contains("SKU-0001 880 → 100"),
        "{text}"
    );
    assert_eq!(charged(&office, BOLT, 1), ours("1.00", "LIST-EUR"), "a plan writes nothing");
    folder.json(&["prices", "hydrate", "--against-shop"]);
    assert_eq!(charged(&office, BOLT, 1), ours("8.80", "LIST-EUR"));
    let who = folder.tidegate(&["audit"]).out;
    for said in ["hydrate", "the lists of December", "1 prices to change, 1 by somebody else"] {
        assert!(who.contains(said), "{said}: {who}");
    }
}

/// Below Plus no catalog of company locations counts; those of markets do, which a person makes.
#[tokio::test(flavor = "multi_thread")]
async fn below_plus_a_markets_price_list_says_what_its_buyers_pay() {
    let office = Office::open_with(|config| config.plan = Plan::Advanced).await;
    office.shop.know_company(1, "Acme", &[(ACME, "Acme Berlin")]);
    office.shop.know_company(2, "Bolt", &[(BOLT, "Bolt Wien")]);
    office.shop.market_catalog_by_hand("Spain", "EUR", &[BOLT]).unwrap();
    office.shop.market_catalog_by_hand("Acme's", "EUR", &[ACME]).unwrap();
    let folder = &office.folder;
    let markets = r#"markets = ["EUR Spain", "EUR Acme's for company:ACME", "EUR Portugal"]"#;
    by_itself(&office, &format!("cadence = \"24h\"\nafter_load = false\nwhen_prices_end = false\n{markets}"));
    let config = std::fs::read_to_string(folder.path("tidegate.toml")).unwrap();
    assert!(config.contains("plan = \"plus\""));
    let config = config.replace("plan = \"plus\"", "plan = \"advanced\"");
    std::fs::write(folder.path("tidegate.toml"), config).unwrap();
    let _hub = Hub::start(folder);
    load(folder, TERMS, PRICES);
    let done = folder.json(&["prices", "hydrate"]);
    assert_eq!(charged(&office, BOLT, 1), ("9.00".to_owned(), Some("Spain".to_owned())), "{done}");
    assert_eq!(charged(&office, ACME, 10), ("6.50".to_owned(), Some("Acme's".to_owned())), "{done}");
    let text = done["plan"]["text"].as_str().unwrap();
    assert!(text.contains("the shop has no price list of this name"), "{text}");
    assert!(
        text.contains("LIST-EUR stays at the cart for 1 locations: below Plus"),
        "no catalog of ours is tried: {text}"
    );
    assert_eq!(done["refused"], json!([]), "{done}");
    let again = folder.json(&["prices", "hydrate"]);
    assert_eq!(
        (&again["plan"]["nothing_to_do"], &again["written"]["calls"]),
        (&json!(true), &json!(0)),
        "{again}"
    );
}

/// The hub does it by itself, with these keys.
fn by_itself(office: &Office, keys: &str) {
    with_prices(&office.folder, &format!("\n[prices.hydrate]\n{keys}\n"));
    let config = office.folder.path("tidegate.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    let scopes = "\"read_products\"]";
    assert!(text.contains(scopes));
    std::fs::write(&config, text.replace(scopes, "\"write_products\", \"read_companies\"]")).unwrap();
}

/// Until a buyer is charged so.
async fn charges(office: &Office, location: u64, price: &str) {
    let is_charged = comes(|| {
        office.folder.tidegate(&["prices", "hydrations"]);
        charged(office, location, 1).0 == price
    });
    if is_charged {
        return;
    }
    let told = office.folder.tidegate(&["prices", "hydrations", "--json"]).out;
    panic!("{location} is never charged {price}, but {:?}: {told}", charged(office, location, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_went_live_is_charged_by_itself_and_what_somebody_typed_is_found_and_told() {
    let office = Office::open_with(|config| config.plan = Plan::Plus).await;
    office.shop.know_company(1, "Acme", &[(ACME, "Acme Berlin")]);
    office.shop.know_company(2, "Bolt", &[(BOLT, "Bolt Wien")]);
    by_itself(&office, "against_shop = \"1s\"\nlists = [\"LIST-EUR\"]");
    let folder = &office.folder;
    let _hub = Hub::start(folder);
    load(folder, TERMS, PRICES);

    // Nobody asked for it; and who has a list that is not brought out stays at the cart, told with the reason.
    charges(&office, BOLT, "9.00").await;
    assert_eq!(charged(&office, ACME, 1).1, None);
    let plan = folder.json(&["prices", "plan"]);
    let left = &plan["left_at_the_cart"][0];
    assert_eq!((&left["id"], &left["locations"]), (&json!("ACME-2026 + LIST-EUR"), &json!(1)), "{plan}");
    assert!(
        plan["text"].as_str().unwrap().contains("the list ACME-2026 is none of those that are brought out")
    );

    std::fs::write(folder.path("changed.csv"), "list,sku,price\nLIST-EUR,SKU-0001,8.80\n").unwrap();
    folder.json(&["prices", "load", "changed.csv"]);
    charges(&office, BOLT, "8.80").await;
    // What is typed before it was read back is not told apart from a write that was not done.
    crate::hub::until(folder, &["prices", "hydrations", "--json", "--limit", "1000"], "\"down\":1");

    // What somebody types into the shop's admin is found by the comparison, told, and becomes again what the owner says.
    office.shop.price_by_hand("tidegate/LIST-EUR EUR", "SKU-0001", Some(rust_decimal::Decimal::ONE)).unwrap();
    charges(&office, BOLT, "8.80").await;
    crate::hub::until(folder, &["prices", "hydrations", "--limit", "1000"], "1 (SKU-0001 880 → 100)");
    let told = folder.json(&["prices", "hydrations", "--limit", "1000"]);
    let runs = told["hydrations"].as_array().unwrap();
    let of = |why: &str| runs.iter().filter(|run| run["why"] == why).count();
    // A load is seen within seconds: the comparison of each second may be there first.
    assert!(of("the cadence of against_shop") >= 1, "{told}");
    let drifted = runs.iter().find(|run| run["drift"] == 1).unwrap();
    assert_eq!(
        (&drifted["up"], &drifted["lists_at_the_cart"], &drifted["failed"]),
        (&json!(1), &json!(1), &json!(null))
    );
    let csv = folder.tidegate(&["prices", "hydrations", "--csv"]).out;
    assert!(csv.starts_with("began,shop,took_ms,") && csv.contains("SKU-0001 880 → 100"), "{csv}");
    let cadence = folder.json(&["cadence"]);
    let of_catalogs = |line: &&serde_json::Value| line["work"] == "catalog_check" && line["shop"] == "acme";
    let line = cadence["cadences"].as_array().unwrap().iter().find(of_catalogs).unwrap();
    assert_eq!(line["ran"]["failed"], false, "{cadence}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_price_is_charged_from_its_second_on_and_until_its_second() {
    let office = Office::open_with(|config| config.plan = Plan::Plus).await;
    office.shop.know_company(2, "Bolt", &[(BOLT, "Bolt Wien")]);
    by_itself(&office, "");
    let folder = &office.folder;
    let _hub = Hub::start(folder);
    let second =
        |seconds: i64| crate::office::now().checked_add(jiff::SignedDuration::from_secs(seconds)).unwrap();
    // A load is seen within five seconds, and what it began is done well before.
    let until = jiff::Timestamp::from_second(second(20).as_second()).unwrap();
    let prices = format!(
        "list,sku,price,valid_from,valid_until\nLIST-EUR,SKU-0001,9.00,,{until}\nLIST-EUR,SKU-0001,9.50,{until},\n"
    );
    load(folder, TERMS, &prices);
    charges(&office, BOLT, "9.00").await;
    charges(&office, BOLT, "9.50").await;
    assert!(crate::office::now() >= until, "it was charged before its second");
    // It is charged before its run has read it back and is kept.
    crate::hub::until(folder, &["prices", "hydrations", "--json"], "prices begin or end");
    let told = folder.json(&["prices", "hydrations"]);
    let runs = told["hydrations"].as_array().unwrap();
    let why = |run: Option<&serde_json::Value>| run.unwrap()["why"].clone();
    assert_eq!(
        (why(runs.first()), why(runs.last())),
        (json!("prices begin or end"), json!("other prices went live")),
        "{told}"
    );
}
