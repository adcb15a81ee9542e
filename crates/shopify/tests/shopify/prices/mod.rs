//! Price lists into catalogs, against the look-alike: what is charged afterwards, and what it took.

mod bulk;
mod memory;
mod places;
mod trouble;

use crate::support::{call, config, start};
use domains::prices::{Offer, Place, Rule, Wanted};
use kernel::money::Currency;
use rust_decimal::Decimal;
use std::sync::Arc;
use std::time::Duration;
use tidegate_shopify::graphql::ShopClient;
use tidegate_shopify::prices::{Options, Plan, Report, Written, hydrate, plan};
use twin::shop::catalogue::generated;
use twin::shopify::{Plan as ShopPlan, ShopConfig, ShopifyTwin, StockConfig};

pub(crate) fn eur() -> Currency {
    Currency::from_code("EUR").unwrap()
}

/// A pause takes no time here, and the shop's own work does.
pub(crate) fn options() -> Options {
    Options { within: Duration::from_secs(3600 * 24 * 365), ..Options::default() }
}

pub(crate) fn d(text: &str) -> Decimal {
    text.parse().unwrap()
}

pub(crate) fn plain(price: &str) -> Offer {
    Offer::plain(d(price))
}

pub(crate) fn tiers(all: &[(&str, &str)]) -> Offer {
    Offer::tiered(all.iter().map(|(minimum, price)| (d(minimum), d(price))).collect())
}

pub(crate) fn list(id: &str, locations: &[u64], prices: Vec<(String, Offer)>) -> Wanted {
    let place = Place::Locations(locations.iter().copied().collect());
    let has_quantities = prices.iter().any(|(_, offer)| offer.tiers.len() > 1 || offer.rule.is_some());
    Wanted { id: id.to_owned(), currency: eur(), place, prices: Box::new(prices), has_quantities }
}

pub(crate) fn of(prices: &[(&str, Offer)]) -> Vec<(String, Offer)> {
    prices.iter().map(|(sku, offer)| ((*sku).to_owned(), offer.clone())).collect()
}

/// `GEN-000001` and so on, each at 5.00 and so many cents.
pub(crate) fn many(count: u32) -> Vec<(String, Offer)> {
    let price = |number: u32| Offer::plain(Decimal::new(500 + i64::from(number % 400), 2));
    (1..=count).map(|number| (generated::sku(number), price(number))).collect()
}

pub(crate) async fn shop(items: u32, plan: ShopPlan) -> (ShopifyTwin, Arc<ShopClient>) {
    let stock = StockConfig { generated: items, ..StockConfig::default() };
    let (twin, client) = start(ShopConfig { stock, plan, ..config() }).await;
    for location in 1..=3 {
        twin.know_company_location(location, &format!("Location {location}"));
    }
    (twin, Arc::new(client))
}

pub(crate) async fn run(client: &Arc<ShopClient>, wanted: &[Wanted], options: &Options) -> Report {
    hydrate(client, &call(), wanted, options, &mut |_| {}).await.unwrap()
}

pub(crate) async fn dry(client: &Arc<ShopClient>, wanted: &[Wanted]) -> Plan {
    plan(client, &call(), wanted, &options(), &mut |_| {}).await.unwrap()
}

/// What a buyer pays, and in whose catalog.
pub(crate) fn charged(
    twin: &ShopifyTwin,
    location: u64,
    sku: &str,
    quantity: i64,
) -> (String, Option<String>) {
    let charge = twin.charged(location, "EUR", sku, quantity).unwrap();
    (format!("{:.2}", charge.amount), charge.catalog)
}

fn paid(price: &str, catalog: &str) -> (String, Option<String>) {
    (price.to_owned(), Some(catalog.to_owned()))
}

fn both() -> Vec<Wanted> {
    let contract = of(&[("SKU-0001", plain("7.00"))]);
    let dealers = of(&[
        ("sku-0001", plain("9.00")),
        ("SKU-0002", tiers(&[("1", "4.50"), ("10", "4.00"), ("100", "3.25")])),
    ]);
    vec![list("contract", &[1], contract), list("dealers", &[1, 2], dealers)]
}

#[tokio::test]
async fn what_is_wanted_is_charged_and_a_second_run_sends_nothing() {
    let (twin, client) = shop(0, ShopPlan::Plus).await;
    let first = run(&client, &both(), &options()).await;
    assert_eq!((first.unsettled, first.refused.as_slice(), first.notes.as_slice()), (0, &[][..], &[][..]));
    assert_eq!(first.plan.counts().new, 3);
    assert_eq!(charged(&twin, 1, "SKU-0001", 1), paid("7.00", "tidegate/contract EUR"));
    assert_eq!(charged(&twin, 2, "SKU-0001", 1), paid("9.00", "tidegate/dealers EUR"));
    for (quantity, price) in [(1, "4.50"), (9, "4.50"), (10, "4.00"), (99, "4.00"), (100, "3.25")] {
        assert_eq!(charged(&twin, 1, "SKU-0002", quantity), paid(price, "tidegate/dealers EUR"));
    }
    assert_eq!(charged(&twin, 3, "SKU-0002", 1).1, None, "nobody else has them");
    // Two lists, two catalogs, three writes of prices, two that count from then on.
    assert_eq!((first.written.calls, first.rounds), (9, 2));
    let before = twin.price_counts();
    let second = run(&client, &both(), &options()).await;
    assert_eq!((sent(&second), second.rounds), (Written::default(), 1));
    assert!(
        second.plan.is_empty() && second.plan.to_string().contains("nothing is to be done"),
        "{}",
        second.plan
    );
    assert_eq!((second.plan.counts().same, twin.price_counts()), (3, before));
}

#[tokio::test]
async fn a_change_is_one_call_and_a_dry_run_is_none() {
    let (twin, client) = shop(300, ShopPlan::Plus).await;
    let wanted = |second: &str| {
        let mut prices = many(300);
        prices[1].1 = plain(second);
        vec![list("dealers", &[1], prices)]
    };
    run(&client, &wanted("6.00"), &options()).await;
    let before = twin.price_counts();
    assert_eq!((before.writes, before.prices_set), (2, 300));
    let told = dry(&client, &wanted("6.60")).await;
    let counts = told.counts();
    assert_eq!((counts.up, counts.down, counts.new, counts.gone, counts.same), (1, 0, 0, 0, 299));
    assert_eq!((told.calls(), told.steps.len(), told.in_bulk), (1, 0, false));
    let largest = &told.catalogs[0].largest[0];
    assert_eq!((largest.sku.as_str(), largest.from, largest.to), ("GEN-000002", 600, 660));
    assert_eq!(twin.price_counts(), before, "a dry run writes nothing");
    let done = run(&client, &wanted("6.60"), &options()).await;
    assert_eq!((done.written.calls, done.written.changes), (1, 1));
    let after = twin.price_counts();
    assert_eq!((after.prices_set, after.prices_set_again), (301, 0));
    assert_eq!(charged(&twin, 1, "GEN-000002", 1).0, "6.60");
}

#[tokio::test]
async fn breaks_and_rules_follow_what_is_wanted_and_go_with_it() {
    let (twin, client) = shop(0, ShopPlan::Plus).await;
    let rule = Rule { minimum: 2, maximum: Some(200), increment: 2 };
    let with = |all: &[(&str, &str)], rule| {
        vec![list("l", &[1], of(&[("SKU-0001", Offer { rule, ..tiers(all) }), ("SKU-0002", plain("3"))]))]
    };
    run(&client, &with(&[("1", "9"), ("10", "8"), ("50", "7")], Some(rule)), &options()).await;
    assert_eq!(charged(&twin, 1, "SKU-0001", 50).0, "7.00");
    let told = dry(&client, &with(&[("1", "9"), ("10", "8"), ("40", "7")], Some(rule))).await;
    assert_eq!((told.counts().quantities, told.counts().same), (1, 1));
    let done = run(&client, &with(&[("1", "9"), ("10", "8"), ("40", "7")], Some(rule)), &options()).await;
    assert_eq!((done.unsettled, done.refused.as_slice()), (0, &[][..]));
    assert_eq!([39, 40].map(|quantity| charged(&twin, 1, "SKU-0001", quantity).0), ["8.00", "7.00"]);
    // The rule goes and the breaks with it; the list is told to have none any more, and what is there is seen all the same.
    let mut none = vec![list("l", &[1], of(&[("SKU-0001", plain("9")), ("SKU-0002", plain("3"))]))];
    none[0].has_quantities = true;
    let done = run(&client, &none, &options()).await;
    assert_eq!((done.plan.counts().quantities, done.unsettled), (1, 0));
    assert_eq!(charged(&twin, 1, "SKU-0001", 50).0, "9.00");
    let gone = run(&client, &[list("l", &[1], of(&[("SKU-0002", plain("3"))]))], &options()).await;
    assert_eq!((gone.plan.counts().gone, gone.unsettled), (1, 0));
    assert_eq!(charged(&twin, 1, "SKU-0001", 1).0, "12.49", "the shop's own price");
}

#[tokio::test]
async fn what_does_not_fit_and_what_the_shop_does_not_have_is_told_and_the_rest_is_there() {
    let (twin, client) = shop(0, ShopPlan::Plus).await;
    let ends = Some("2026-12-01T00:00:00Z".parse().unwrap());
    let prices = of(&[
        ("SKU-0001", Offer { ends, ..plain("7.00") }),
        ("SKU-0002", Offer { graduated: true, ..tiers(&[("1", "5"), ("10", "4")]) }),
        ("SKU-0003", plain("1.005")),
        ("NO-SUCH", plain("1")),
    ]);
    let wanted = [list("l", &[1], prices), list("nobody", &[], of(&[("SKU-0001", plain("1"))]))];
    let done = run(&client, &wanted, &options()).await;
    assert_eq!(charged(&twin, 1, "SKU-0001", 1).0, "7.00");
    let told = &done.plan.lists[0];
    let left: Vec<(&str, &str)> = told.left.iter().map(|left| (left.sku.as_str(), left.why.code())).collect();
    assert_eq!(left, [("SKU-0002", "graduated"), ("SKU-0003", "decimals")]);
    assert_eq!((told.unknown.as_slice(), told.ends, told.prices), (&["NO-SUCH".to_owned()][..], ends, 1));
    assert!(done.plan.lists[1].is_for_nobody);
    let machine = serde_json::to_value(&done).unwrap();
    assert_eq!(machine["plan"]["lists"][0]["left"][0]["code"], "graduated", "{machine}");
    assert_eq!(machine["plan"]["steps"][0]["step"], "make");
    let text = done.plan.to_string();
    for said in [
        "2 stay at the cart: SKU-0002: its tiers are graduated",
        "1 are not in the shop: NO-SUCH",
        "2026-12-01",
        "no company location",
    ] {
        assert!(text.contains(said), "{said}:\n{text}");
    }
}

#[tokio::test]
async fn a_price_that_was_typed_by_hand_becomes_again_what_the_owner_says() {
    let (twin, client) = shop(0, ShopPlan::Plus).await;
    run(&client, &both(), &options()).await;
    twin.price_by_hand("tidegate/dealers EUR", "SKU-0001", Some(d("1.00"))).unwrap();
    twin.price_by_hand("tidegate/dealers EUR", "SKU-0002", None).unwrap();
    twin.price_by_hand("tidegate/dealers EUR", "SKU-0003", Some(d("1.00"))).unwrap();
    let done = run(&client, &both(), &options()).await;
    let counts = done.plan.counts();
    assert_eq!((counts.up, counts.new, counts.gone, counts.same), (1, 1, 1, 1));
    assert_eq!(charged(&twin, 2, "SKU-0002", 100), paid("3.25", "tidegate/dealers EUR"));
    assert!(dry(&client, &both()).await.is_empty());
}

/// What was written: what reading cost is left out.
fn sent(report: &Report) -> Written {
    Written { points: 0, ..report.written }
}
