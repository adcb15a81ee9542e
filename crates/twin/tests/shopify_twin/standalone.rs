//! The look-alike by itself, as the command line starts it.

use crate::sink::Sink;
use std::collections::BTreeSet;
use tidegate_twin::shopify::{Plan, StandaloneOptions, run_standalone, signature};

#[tokio::test]
async fn by_itself_it_places_orders_and_tells_the_target_with_the_given_secret() {
    let (sink, url) = Sink::start().await;
    let options = StandaloneOptions {
        domain: "play.myshopify.com".to_owned(),
        port: 0,
        seed: 1,
        orders: 5,
        interval_ms: 1,
        access_token: "shpat_play".to_owned(),
        client_secret: "secret of the app".to_owned(),
        webhook_target: Some(url),
        plan: Plan::Standard,
        compression: 3600,
    };
    let running = tokio::spawn(run_standalone(options));
    sink.arrived(5).await;
    running.abort();
    let taken = sink.taken();
    let topics: BTreeSet<_> = taken.iter().map(|one| one.header("x-shopify-topic")).collect();
    assert!(topics.contains("orders/create"), "{topics:?}");
    for one in &taken {
        assert_eq!(one.header("x-shopify-shop-domain"), "play.myshopify.com");
        assert_eq!(one.header("x-shopify-hmac-sha256"), signature("secret of the app", &one.body));
    }
}
