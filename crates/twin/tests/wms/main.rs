//! The warehouse, asked over HTTP as a client asks, and its pushes taken as a hub takes them.

mod feed;
mod movements;
mod orders;
mod pushes;
mod releases;
mod shipments;

use serde_json::Value;
use std::sync::LazyLock;
use tidegate_twin::shopify::ShopClock;
use tidegate_twin::wms::{WantedLine, WmsConfig, WmsTwin};

/// Every test's warehouse has ten of everything, and stands at this instant.
pub(crate) fn config() -> WmsConfig {
    WmsConfig {
        on_hand: (10, 10),
        clock: ShopClock::manual("2026-11-26T14:00:00Z".parse().unwrap()),
        ..WmsConfig::default()
    }
}

pub(crate) async fn warehouse() -> WmsTwin {
    WmsTwin::start(config()).await.unwrap()
}

pub(crate) fn line(sku: &str, quantity: u32) -> WantedLine {
    WantedLine { sku: sku.to_owned(), quantity, location: None }
}

pub(crate) fn at(location: &str, sku: &str, quantity: u32) -> WantedLine {
    WantedLine { location: Some(location.to_owned()), ..line(sku, quantity) }
}

/// On hand, reserved, counted, version.
pub(crate) fn truth(wms: &WmsTwin, sku: &str, location: &str) -> (i64, i64, i64, u64) {
    let truth = wms.truth(sku, location).unwrap();
    (truth.on_hand, truth.reserved, truth.counted, truth.version)
}

/// One client for all: making one reads the machine's certificates.
static CLIENT: LazyLock<reqwest::Client> =
    LazyLock::new(|| reqwest::Client::builder().pool_max_idle_per_host(0).build().unwrap());

pub(crate) fn request(wms: &WmsTwin, method: &str, path: &str) -> reqwest::RequestBuilder {
    let url = format!("{}{path}", wms.url());
    CLIENT.request(method.parse().unwrap(), url).bearer_auth(wms.token())
}

pub(crate) async fn get(wms: &WmsTwin, path: &str) -> Value {
    let answer = request(wms, "GET", path).send().await.unwrap();
    assert_eq!(answer.status(), 200, "{path}");
    answer.json().await.unwrap()
}
