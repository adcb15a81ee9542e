//! The look-alike by itself, for a person to play with: a shop with orders that keep coming and changing.

use super::clock::ShopClock;
use super::config::{Plan, ShopConfig};
use super::contract::API_VERSION;
use super::twin::ShopifyTwin;
use crate::shop::{Mix, Workload, WorkloadConfig};
use anyhow::{Context as _, Result};
use std::sync::Arc;

/// What `tidegate twin shopify` takes.
#[derive(Clone, Debug)]
pub struct StandaloneOptions {
    /// `acme.myshopify.com`.
    pub domain: String,
    /// 0 takes a free one.
    pub port: u16,
    pub seed: u64,
    pub orders: u64,
    /// Mean time between two orders.
    pub interval_ms: u64,
    pub access_token: String,
    /// Signs the webhooks.
    pub client_secret: String,
    /// Order topics are sent there; without it, a client subscribes through the API.
    pub webhook_target: Option<String>,
    pub plan: Plan,
    /// 3600 turns an hour between two retries into a second.
    pub compression: u32,
}

/// Subscribed to for a target that makes no subscriptions of its own.
const TOPICS: [&str; 8] = [
    "orders/create",
    "orders/updated",
    "orders/paid",
    "orders/cancelled",
    "orders/edited",
    "orders/fulfilled",
    "orders/partially_fulfilled",
    "refunds/create",
];

/// Serves until the process is told to stop (Ctrl-C), and prints what it serves.
pub async fn run_standalone(options: StandaloneOptions) -> Result<()> {
    let mut config = ShopConfig::new(&options.domain);
    config.port = options.port;
    config.access_token.clone_from(&options.access_token);
    config.client_secret.clone_from(&options.client_secret);
    config.plan = options.plan;
    config.clock = ShopClock::real(options.compression);
    config.mischief.seed = options.seed;
    // Orders come at their own pace: only webhooks' waits are compressed.
    let (clock, profile) = (ShopClock::real(1), Arc::new(config.profile.clone()));
    let twin = ShopifyTwin::start(config).await?;
    if let Some(target) = &options.webhook_target {
        for topic in TOPICS {
            twin.subscribe(topic, target);
        }
    }
    println!("{}", described(&twin, &options));
    let workload = Workload::new(WorkloadConfig {
        seed: options.seed,
        orders: options.orders,
        first_number: 1,
        start: clock.now(),
        interval_ms: options.interval_ms,
        shop: profile,
        mix: Mix::demo(),
    });
    let play = async {
        for (at, change) in workload {
            clock.wait_until(at).await;
            if let Err(error) = twin.apply(&change) {
                tracing::warn!(order.id = change.order_id, error = %error, "the shop refused a change");
            }
        }
        println!("All {} orders are placed; the shop stays open.", options.orders);
        std::future::pending::<()>().await;
    };
    tokio::select! {
        biased;
        stopped = tokio::signal::ctrl_c() => stopped.context("waiting for Ctrl-C")?,
        () = play => {}
    }
    println!("{}", serde_json::to_string_pretty(&twin.stats())?);
    twin.shutdown().await
}

fn described(twin: &ShopifyTwin, options: &StandaloneOptions) -> String {
    let target = options.webhook_target.as_deref().unwrap_or("whoever subscribes");
    format!(
        "Shop {} on plan {:?}\n  Admin API  POST {}/admin/api/{API_VERSION}/graphql.json\n  token      \
         X-Shopify-Access-Token: {}, or POST {}/admin/oauth/access_token as client {}\n  webhooks   to {target}\n  orders     {} at about one in {} ms, seed {}\nCtrl-C \
         stops it and prints what happened.",
        options.domain,
        options.plan,
        twin.url(),
        options.access_token,
        twin.url(),
        ShopConfig::new(&options.domain).client_id,
        options.orders,
        options.interval_ms,
        options.seed
    )
}
