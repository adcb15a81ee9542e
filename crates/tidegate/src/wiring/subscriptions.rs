//! Which webhooks the flows need: what the intake takes, and what Shopify is asked to send.

use super::Loaded;
use config::{Flow, Intake, SHOPIFY};
use domains::orders::{TopicKind, classify};
use kernel::flow::Mode;
use kernel::id::ShopId;
use shopify::subscriptions::{Need, Wanted, order_topics};
use std::collections::{BTreeMap, BTreeSet};

/// Where Shopify sends, below the public address.
pub const CALLBACK: &str = "/webhooks/shopify";

/// The topics that are taken from each shop: also where a flow only polls, because somebody may have subscribed by hand.
pub fn topics(loaded: &Loaded) -> BTreeMap<ShopId, BTreeSet<String>> {
    let of_shop = |shop: &ShopId| {
        let flows = loaded.config.flows.values().filter(|flow| is_fed(flow) && flow.serves(shop));
        flows.flat_map(of_flow).collect()
    };
    loaded.config.shops.keys().map(|shop| (shop.clone(), of_shop(shop))).collect()
}

/// The subscriptions that a shop should have; `None` where Shopify cannot reach the hub, or no flow listens.
pub fn wanted(loaded: &Loaded, shop: &ShopId) -> Option<Wanted> {
    let public = loaded.config.hub()?.public_url.as_ref()?;
    let app = loaded.config.apps.get(&loaded.config.shops.get(shop)?.app.value)?;
    let listens = |flow: &&Flow| is_fed(flow) && flow.serves(shop) && flow.intake.value == Intake::Webhook;
    let needs: Vec<Need> = loaded
        .config
        .flows
        .values()
        .filter(listens)
        .flat_map(of_flow)
        .map(|topic| Need::whole(&topic))
        .collect();
    let callback = format!("{}{CALLBACK}", public.as_str());
    (!needs.is_empty()).then(|| Wanted::new(&callback, app.api_version.as_str(), needs))
}

/// Takes facts from Shopify.
fn is_fed(flow: &Flow) -> bool {
    flow.source.as_str() == SHOPIFY && flow.mode.value != Mode::Off
}

/// Refunds, payments and fulfilments change the order too, and its own topics tell of that: theirs would only cause a
/// read each. A flow that names them gets them.
fn tells_of_orders(topic: &str) -> bool {
    matches!(classify(topic), TopicKind::State | TopicKind::Hint)
}

fn of_flow(flow: &Flow) -> Vec<String> {
    match &flow.topics {
        Some(topics) => topics.iter().map(|topic| topic.value.clone()).collect(),
        None => order_topics()
            .map(|topic| topic.name)
            .filter(|topic| tells_of_orders(topic))
            .map(str::to_owned)
            .collect(),
    }
}
