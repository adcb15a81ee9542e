//! Plays a generated workload against a map of orders and shows each state to a test. Of what a test file does not use
//! nothing is exported.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use serde_json::Value;
use tidegate_twin::shop::{
    Change, Mix, Notice, Order, ShopProfile, What, Workload, WorkloadConfig, webhook_body,
};

/// Of a JSON string or number, exactly.
pub(crate) fn dec(value: &Value) -> Decimal {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    text.parse().unwrap_or_else(|_| panic!("no decimal: {text}"))
}

pub(crate) fn config(seed: u64, orders: u64, mix: Mix) -> WorkloadConfig {
    WorkloadConfig {
        seed,
        orders,
        first_number: 1,
        start: "2026-10-25T00:30:00Z".parse::<Timestamp>().unwrap(),
        interval_ms: 9_000,
        shop: Arc::new(ShopProfile {
            id: 548_380_009,
            domain: "acme.myshopify.com".to_owned(),
            time_zone: TimeZone::get("Europe/Berlin").unwrap(),
            location_id: 76_683_084_061,
        }),
        mix,
    }
}

/// Every state of every order of the strange mix: the order, its body, and what was raised.
pub(crate) fn play(seed: u64, orders: u64, mut see: impl FnMut(&Order, &Value, &[Notice])) {
    let mut shop: BTreeMap<u64, Order> = BTreeMap::new();
    for (at, change) in Workload::new(config(seed, orders, Mix::strange())) {
        let Change { order_id, what } = &change;
        if let What::Place(order) = what {
            shop.insert(*order_id, order.as_ref().clone());
        }
        let order = shop.get_mut(order_id).expect("placed before it changes");
        let notices = change.apply(order, at).expect("the workload emits only what the shop accepts");
        see(order, &webhook_body(order), &notices);
    }
}
