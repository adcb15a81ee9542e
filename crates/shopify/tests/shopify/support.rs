//! A look-alike shop, a client that speaks to it, and one clock for both that is moved by hand.

use async_trait::async_trait;
use connector::port::CallContext;
use jiff::Timestamp;
use kernel::clock::{Clock, Mono, Now};
use kernel::envelope::TraceId;
use kernel::id::ShopId;
use secrecy::SecretString;
use std::sync::Arc;
use std::time::Duration;
use tidegate_shopify::graphql::{Pause, Ports, ShopAccess, ShopClient, ShopConnection};
use twin::shopify::{ShopClock, ShopConfig, ShopifyTwin};

pub(crate) fn noon() -> Timestamp {
    "2026-11-24T12:00:00Z".parse().unwrap()
}

pub(crate) fn acme() -> ShopId {
    ShopId::new("acme").unwrap()
}

/// The shop's own clock, read by us too; a pause moves it on.
#[derive(Debug, Clone)]
pub(crate) struct Hand(pub(crate) ShopClock);

impl Clock for Hand {
    fn now(&self) -> Now {
        let wall = self.0.now();
        let since = wall.as_nanosecond() - noon().as_nanosecond();
        Now { wall, mono: Mono(u64::try_from(since).unwrap()) }
    }
}

#[async_trait]
impl Pause for Hand {
    async fn pause(&self, wait: Duration) {
        self.0.advance(wait);
    }
}

pub(crate) fn config() -> ShopConfig {
    ShopConfig { clock: ShopClock::manual(noon()), ..ShopConfig::new("acme.myshopify.com") }
}

pub(crate) fn ports(clock: &ShopClock) -> Ports {
    let hand = Arc::new(Hand(clock.clone()));
    Ports { clock: hand.clone(), pause: hand }
}

pub(crate) fn connection(url: &str) -> ShopConnection {
    ShopConnection {
        id: acme(),
        domain: "acme.myshopify.com".into(),
        admin_url: Some(url.to_owned()),
        api_version: "2026-10".into(),
        access: ShopAccess::Token(SecretString::from("shpat_twin")),
        restore_rate: 1000,
    }
}

pub(crate) async fn start(config: ShopConfig) -> (ShopifyTwin, ShopClient) {
    let (clock, rate) = (config.clock.clone(), config.plan.restore_rate());
    let twin = ShopifyTwin::start(config).await.unwrap();
    let connection = ShopConnection { restore_rate: rate, ..connection(twin.url()) };
    let client = ShopClient::connect(connection, ports(&clock)).unwrap();
    (twin, client)
}

pub(crate) fn call() -> CallContext {
    CallContext {
        shop: acme(),
        time_out: Duration::from_secs(30),
        trace: TraceId([7; 16]),
        span: 1,
        now: noon(),
    }
}
