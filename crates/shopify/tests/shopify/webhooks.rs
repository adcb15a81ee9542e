//! Webhooks as the look-alike sends them, on real sockets, judged as the intake does.

use crate::support::{acme, config};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use secrecy::SecretString;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use tidegate_shopify::webhook::{AppSecrets, Refusal, ShopEntry, VersionStanding, dedupe_key, verify};
use twin::shop::{Mix, What, Workload, WorkloadConfig};
use twin::shopify::{Mischief, ShopConfig, ShopifyTwin};

type Taken = Arc<Mutex<Vec<(HeaderMap, Bytes)>>>;

async fn take(State(taken): State<Taken>, headers: HeaderMap, body: Bytes) -> StatusCode {
    taken.lock().unwrap().push((headers, body));
    StatusCode::OK
}

async fn sink() -> (Taken, String) {
    let taken = Taken::default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/webhooks/shopify", listener.local_addr().unwrap());
    let app = Router::new().route("/webhooks/shopify", post(take)).with_state(taken.clone());
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    (taken, url)
}

fn apps(current: &str, previous: Option<&str>) -> Vec<AppSecrets> {
    let secret = |text: &str| SecretString::from(text.to_owned());
    vec![AppSecrets { name: "main".into(), current: secret(current), previous: previous.map(secret) }]
}

fn shops(domain: &str) -> Vec<ShopEntry> {
    vec![ShopEntry { id: acme(), domain: domain.into(), app: "main".into(), api_version: "2026-10".into() }]
}

#[tokio::test]
async fn every_webhook_of_the_look_alike_is_proved_and_its_copies_are_one() {
    let mischief = Mischief { seed: 5, copies_per_mille: 300, copies: 3, ..Mischief::default() };
    let config = ShopConfig { mischief, ..config() };
    let (taken, url) = sink().await;
    let twin = ShopifyTwin::start(config.clone()).await.unwrap();
    twin.subscribe("orders/create", &url);
    let workload = Workload::new(WorkloadConfig {
        seed: 5,
        orders: 40,
        first_number: 1,
        start: crate::support::noon(),
        interval_ms: 1000,
        shop: Arc::new(config.profile.clone()),
        mix: Mix::demo(),
    });
    for (_, change) in workload.filter(|(_, change)| matches!(change.what, What::Place(_))) {
        twin.apply(&change).unwrap();
    }
    twin.settled().await;
    let taken = taken.lock().unwrap().clone();
    assert!(taken.len() > 40, "{} with copies", taken.len());
    let mut keys = BTreeSet::new();
    for (headers, body) in &taken {
        for apps in [apps("hush", None), apps("new", Some("hush"))] {
            let found = verify(headers, body, &apps, &shops("acme.myshopify.com")).unwrap();
            assert_eq!(
                (&found.shop, found.topic.as_str(), &found.api_version, found.wrong_shop_of(body)),
                (&acme(), "orders/create", &VersionStanding::AsConfigured, None)
            );
            assert!(found.triggered_at.is_some() && found.event_id.is_some());
            keys.insert(dedupe_key(&acme(), &found.topic, &found.webhook_id));
        }
        let judged = |secret, domain| verify(headers, body, &apps(secret, None), &shops(domain)).unwrap_err();
        assert_eq!(judged("other", "acme.myshopify.com"), Refusal::WrongSignature);
        assert_eq!(judged("hush", "beta.myshopify.com").name(), "unknown_shop");
    }
    assert_eq!(keys.len(), 40);
}

/// The same signed body under the header of another shop that has the app as well.
#[tokio::test]
async fn a_body_that_is_sent_on_to_another_shop_is_seen() {
    let (taken, url) = sink().await;
    let config = config();
    let twin = ShopifyTwin::start(config.clone()).await.unwrap();
    twin.subscribe("orders/create", &url);
    let mut workload = Workload::new(WorkloadConfig {
        seed: 5,
        orders: 1,
        first_number: 1,
        start: crate::support::noon(),
        interval_ms: 1000,
        shop: Arc::new(config.profile.clone()),
        mix: Mix::plain(),
    });
    twin.apply(&workload.next().unwrap().1).unwrap();
    twin.settled().await;
    let (mut headers, body) = taken.lock().unwrap().remove(0);
    headers.insert("x-shopify-shop-domain", "beta.myshopify.com".parse().unwrap());
    let found = verify(&headers, &body, &apps("hush", None), &shops("beta.myshopify.com")).unwrap();
    assert_eq!(found.wrong_shop_of(&body).as_deref(), Some("acme.myshopify.com"));
}
