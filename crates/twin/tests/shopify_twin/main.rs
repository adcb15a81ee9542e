//! The Shopify look-alike, asked over HTTP as a client asks, and its webhooks taken as a hub takes them.

mod api;
mod bulk;
mod bulk_writes;
mod faults;
mod fulfilments;
mod holds;
mod hub;
mod pages;
mod prices;
mod sink;
mod standalone;
mod stock;
mod storefront;
mod webhooks;
mod writes;

use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};
use tidegate_twin::shop::{Change, Mix, What, Workload, WorkloadConfig};
use tidegate_twin::shopify::{API_VERSION, ShopClock, ShopConfig, ShopifyTwin};

/// Every test's shop stands at this instant.
pub(crate) fn noon() -> Timestamp {
    "2026-11-24T12:00:00Z".parse().unwrap()
}

pub(crate) fn config() -> ShopConfig {
    ShopConfig { clock: ShopClock::manual(noon()), ..ShopConfig::new("acme.myshopify.com") }
}

pub(crate) fn scopes(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// Orders of a seeded workload, one a second from that instant on.
pub(crate) fn placed(config: &ShopConfig, count: u64, start: Timestamp, mix: Mix) -> Vec<Change> {
    let shop = Arc::new(config.profile.clone());
    let workload = Workload::new(WorkloadConfig {
        seed: 7,
        orders: count,
        first_number: 1,
        start,
        interval_ms: 1000,
        shop,
        mix,
    });
    workload.map(|(_, change)| change).filter(|change| matches!(change.what, What::Place(_))).collect()
}

pub(crate) async fn shop_with(config: ShopConfig, orders: u64) -> ShopifyTwin {
    let changes = placed(&config, orders, noon(), Mix::demo());
    let twin = ShopifyTwin::start(config).await.unwrap();
    for change in changes {
        twin.apply(&change).unwrap();
    }
    twin
}

pub(crate) async fn ask(twin: &ShopifyTwin, query: &str, variables: Value) -> Value {
    let body = json!({ "query": query, "variables": variables });
    let answer =
        post(&format!("{}/admin/api/{API_VERSION}/graphql.json", twin.url()), "shpat_twin", &body).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["x-shopify-api-version"], API_VERSION);
    answer.json().await.unwrap()
}

/// One client for all: making one reads the machine's certificates.
pub(crate) static CLIENT: LazyLock<reqwest::Client> =
    LazyLock::new(|| reqwest::Client::builder().pool_max_idle_per_host(0).build().unwrap());

pub(crate) async fn post(url: &str, token: &str, body: &Value) -> reqwest::Response {
    CLIENT.post(url).header("X-Shopify-Access-Token", token).json(body).send().await.unwrap()
}

/// Codes of the errors of an answer.
pub(crate) fn codes(answer: &Value) -> Vec<&str> {
    let errors = answer["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
    errors.iter().map(|error| error["extensions"]["code"].as_str().unwrap_or("none")).collect()
}
