//! What orders were charged is compared with what was agreed, by the configuration that docs/prices.md shows: an order of the day of
//! a change, an article without a price, and what a person reads of it.

use crate::hub::Hub;
use crate::office::{Office, PATIENCE, now};
use crate::pricing::{load, with_prices};
use kernel::clock::after;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use twin::shop::{Mix, Order, What, Workload, WorkloadConfig};
use twin::shopify::ShopConfig;

const PAGE: &str = include_str!("../../../../docs/prices.md");
const MAPPING: &str = include_str!("../../../../mappings/orders_to_prices.toml");
const SETTINGS: [&str; 2] = ["flows.orders_to_erp.intake=poll", "flows.orders_to_erp.sweep.every=1s"];

/// An office whose orders are compared.
async fn office() -> Office {
    let office = Office::open().await;
    let folder = &office.folder;
    with_prices(folder, "");
    let (_, rest) = PAGE.split_once("<!-- example: charged -->\n```toml\n").unwrap();
    let path = folder.path("tidegate.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, format!("{text}\n{}", rest.split_once("```").unwrap().0)).unwrap();
    std::fs::write(folder.path("mappings/orders_to_prices.toml"), MAPPING).unwrap();
    let said = folder.tidegate(&["check"]);
    assert_eq!(said.code, Some(0), "what the page shows is refused: {}{}", said.out, said.err);
    office
}

/// Orders that are placed in a moment, half of them of companies; the same ones whenever they are asked for.
fn orders() -> Vec<Order> {
    let shop = Arc::new(ShopConfig::new("acme.myshopify.com").profile);
    // Prices of this second count from then on.
    let start = after(now(), Duration::from_secs(2));
    let config = WorkloadConfig {
        seed: 5,
        orders: 12,
        first_number: 1,
        start,
        interval_ms: 1,
        shop,
        mix: Mix::plain(),
    };
    let placed = Workload::new(config).filter_map(|(_, change)| match change.what {
        What::Place(order) => Some(*order),
        _ => None,
    });
    placed.collect()
}

fn skus(order: &Order) -> impl Iterator<Item = &str> {
    order.lines.iter().filter_map(|line| line.sku.as_deref())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_charged_is_as_agreed_or_explained() {
    let office = office().await;
    let before = orders();
    // What each article costs in the shop, and who buys.
    let mut prices: BTreeMap<&str, String> = BTreeMap::new();
    let mut locations = BTreeSet::new();
    for order in &before {
        locations.extend(order.company.as_ref().map(|company| company.location_id));
        for line in &order.lines {
            prices.insert(line.sku.as_deref().unwrap(), line.price.shop.to_string());
        }
    }
    let changed = skus(&before[0]).next().unwrap();
    let forgotten = skus(&before[1]).find(|sku| *sku != changed).unwrap();
    let mut terms =
        "[[lists]]\nid = \"LIST-EUR\"\nkind = \"list\"\ncurrency = \"EUR\"\nfor = \"everyone\"\n".to_owned();
    for location in locations {
        terms = format!(
            "{terms}[[locations]]\nid = \"gid://shopify/CompanyLocation/{location}\"\ncompany = \"C-{location}\"\n"
        );
    }
    let rows = prices.iter().filter(|(sku, _)| **sku != forgotten);
    let rows: String = rows.map(|(sku, price)| format!("LIST-EUR,{sku},{price}\n")).collect();
    let hub = Hub::start_with(&office.folder, &SETTINGS);
    load(&office.folder, &terms, &format!("list,sku,price\n{rows}"));
    std::fs::write(office.folder.path("new.csv"), format!("list,sku,price\nLIST-EUR,{changed},9999.00\n"))
        .unwrap();
    let told = office.folder.json(&["prices", "load", "new.csv"]);
    assert_eq!(told["outcome"], "live", "{told}");
    let load = &told["load"];

    // Placed after all that was loaded counts, however long that took.
    let orders = orders();
    let is_good = |order: &Order| skus(order).all(|sku| sku != changed && sku != forgotten);
    for order in &orders {
        office.shop.place(order.clone()).unwrap();
    }
    // The ERP has them, whatever they were charged.
    office.made(orders.len() as u64).await;
    // Until each is compared, one way or the other.
    let wanted = orders.iter().filter(|order| !is_good(order)).count();
    let patience = after(now(), PATIENCE);
    let mut lives = Vec::new();
    for order in &orders {
        let is_compared = |life: &String| life.contains("as_agreed") || life.contains("TG-3601");
        let life = || office.folder.json(&["orders", "show", &order.name]).to_string();
        let mut told = life();
        while !is_compared(&told) {
            assert!(now() < patience, "{} is not compared: {told}", order.name);
            told = life();
        }
        lives.push((order, told));
    }
    for (order, life) in &lives {
        assert_eq!(life.contains("as_agreed"), is_good(order), "{}: {life}", order.name);
        let mut said = Vec::new();
        if skus(order).any(|sku| sku == changed) {
            said.push(format!("(load {load} of new.csv): Shopify's catalog is behind"));
        }
        if skus(order).any(|sku| sku == forgotten) {
            said.push(format!("{forgotten}: charged"));
            said.push("nothing was agreed (no list that is for this buyer has a price for it)".to_owned());
        }
        for said in said {
            assert!(life.contains(&said), "{}: {said} is missing: {life}", order.name);
        }
    }
    assert!(wanted > 1 && wanted < orders.len());
    let letters = office.folder.json(&["dead-letters", "list"])["groups"].to_string();
    assert!(letters.contains("TG-3601") && letters.contains("orders_to_prices"), "{letters}");
    drop(hub);
}
