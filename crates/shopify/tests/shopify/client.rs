//! The client against the look-alike: what each kind of answer means, and that no more is spent than is there.

use crate::support::{acme, call, config, connection, noon, ports, start};
use connector::contract::{CuttingProxy, Trouble};
use connector::port::CallContext;
use kernel::fault::FaultKind;
use secrecy::SecretString;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tidegate_shopify::graphql::{
    Claim, DELETE_SUBSCRIPTION, ERP_FIELDS, LIST_ORDERS, SET_ERP_FIELDS, SHOP, ShopAccess, ShopClient,
    ShopConnection, Shops,
};
use twin::shop::{Mix, What, Workload, WorkloadConfig};
use twin::shopify::{Plan, ShopConfig, ShopifyTwin};

fn no_order() -> Value {
    json!({ "id": "gid://shopify/Order/1", "namespace": "custom", "number": "erp_number", "state": "erp_state" })
}

fn set(owner: &str, value: &str) -> Value {
    json!({ "metafields": [
        { "ownerId": owner, "namespace": "custom", "key": "erp_number", "type": "single_line_text_field", "value": value }
    ] })
}

fn scopes(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn place(twin: &ShopifyTwin, config: &ShopConfig, orders: u64) -> String {
    let workload = Workload::new(WorkloadConfig {
        seed: 7,
        orders,
        first_number: 1,
        start: crate::support::noon(),
        interval_ms: 1000,
        shop: std::sync::Arc::new(config.profile.clone()),
        mix: Mix::plain(),
    });
    for (_, change) in workload.filter(|(_, change)| matches!(change.what, What::Place(_))) {
        twin.apply(&change).unwrap();
    }
    twin.orders()[0].gid()
}

#[tokio::test]
async fn an_answer_brings_data_and_corrects_the_bucket() {
    let config = ShopConfig { plan: Plan::Advanced, ..config() };
    let (_twin, client) = {
        let (twin, _) = start(config.clone()).await;
        // The plan that the configuration says is another than the shop's.
        let connection = ShopConnection { restore_rate: 100, ..connection(twin.url()) };
        let client = ShopClient::connect(connection, ports(&config.clock)).unwrap();
        (twin, client)
    };
    assert_eq!(client.bucket().status().maximum, 2000);
    let reply = client.ask(&call(), Claim::LIVE, &SHOP, &json!({})).await.unwrap();
    assert_eq!(reply.data["shop"]["myshopifyDomain"], "acme.myshopify.com");
    assert_eq!(reply.version.as_deref(), Some("2026-10"));
    assert!(reply.date.is_some());
    let status = client.bucket().status();
    assert_eq!((status.maximum, status.restore_rate), (4000, 200));
    assert!(status.available >= 3990);
}

#[tokio::test]
async fn a_wrong_token_a_wrong_version_and_a_missing_scope_stop_the_shop_and_not_one_order() {
    let config = config();
    let (twin, client) = start(config.clone()).await;
    let order = place(&twin, &config, 1);
    let fault = |mut changed: ShopConnection, version: Option<&str>| {
        changed.api_version = version.unwrap_or("2026-10").to_owned();
        let client = ShopClient::connect(changed, ports(&config.clock)).unwrap();
        async move { client.ask(&call(), Claim::LIVE, &SHOP, &json!({})).await.unwrap_err() }
    };
    let wrong_token =
        ShopConnection { access: ShopAccess::Token(SecretString::from("wrong")), ..connection(twin.url()) };
    let found = fault(wrong_token, None).await;
    assert_eq!((found.kind, found.code.as_str()), (FaultKind::Unauthorized, "http_401"));
    let found = fault(connection(twin.url()), Some("2020-01")).await;
    assert_eq!((found.kind, found.code.as_str()), (FaultKind::Unauthorized, "http_404"));
    twin.grant(&scopes(&["read_orders", "read_all_orders"]));
    let found = client.ask(&call(), Claim::LIVE, &SET_ERP_FIELDS, &set(&order, "S-1")).await.unwrap_err();
    assert_eq!((found.kind, found.code.as_str()), (FaultKind::Unauthorized, "ACCESS_DENIED"));
    assert!(client.ask(&call(), Claim::LIVE, &ERP_FIELDS, &no_order()).await.is_ok());
    twin.grant(&scopes(&["read_products"]));
    let found = client.ask(&call(), Claim::LIVE, &ERP_FIELDS, &no_order()).await.unwrap_err();
    assert_eq!((found.kind, found.code.as_str()), (FaultKind::Unauthorized, "ACCESS_DENIED"));
    assert_eq!(found.field.as_deref(), Some("order"));
}

/// A client that has no token but the app's id and secret.
fn by_credentials(config: &ShopConfig, url: &str) -> ShopClient {
    let client_secret = SecretString::from("hush");
    let access = ShopAccess::ClientCredentials { client_id: "twin-client-id".into(), client_secret };
    ShopClient::connect(ShopConnection { access, ..connection(url) }, ports(&config.clock)).unwrap()
}

#[tokio::test]
async fn a_token_is_asked_for_by_id_and_secret_and_lasts_a_day() {
    let config = config();
    let (twin, _) = start(config.clone()).await;
    let client = Arc::new(by_credentials(&config, twin.url()));
    let ask = |hours: i64| {
        let now = noon().checked_add(jiff::SignedDuration::from_hours(hours)).unwrap();
        let (client, call) = (client.clone(), CallContext { now, ..call() });
        async move { client.ask(&call, Claim::LIVE, &ERP_FIELDS, &no_order()).await }
    };
    let together: tokio::task::JoinSet<_> = (0..10).map(|_| ask(0)).collect();
    assert!(together.join_all().await.iter().all(Result::is_ok));
    assert_eq!(twin.tokens_given(), 1, "ten waited for one token");
    ask(23).await.unwrap();
    assert_eq!(twin.tokens_given(), 1);
    // Shortly before the end of the day, and before Shopify would refuse it.
    ask(24).await.unwrap();
    assert_eq!(twin.tokens_given(), 2);
    twin.revoke_tokens();
    ask(24).await.unwrap();
    assert_eq!(twin.tokens_given(), 3, "a token that was taken back is asked for anew");
}

#[tokio::test]
async fn an_app_of_another_organisation_gets_no_token_and_it_is_said() {
    let config = ShopConfig { own_organisation: false, ..config() };
    let (twin, _) = start(config.clone()).await;
    let client = by_credentials(&config, twin.url());
    let before = client.bucket().status().available;
    let found = client.ask(&call(), Claim::LIVE, &ERP_FIELDS, &no_order()).await.unwrap_err();
    assert_eq!((found.kind, found.code.as_str()), (FaultKind::Unauthorized, "TG-3109"));
    assert!(found.message.contains("shop_not_permitted") && !found.message.contains("hush"), "{found}");
    assert_eq!(client.bucket().status().available, before, "nothing was sent to the API");
    twin.shutdown().await.unwrap();
    let found = client.ask(&call(), Claim::LIVE, &ERP_FIELDS, &no_order()).await.unwrap_err();
    assert_eq!(found.kind, FaultKind::Transient, "{found}");
}

#[tokio::test]
async fn user_errors_are_rejections_with_code_and_field() {
    let config = config();
    let (twin, client) = start(config.clone()).await;
    let order = place(&twin, &config, 1);
    let ask = async |value: &Value| client.ask(&call(), Claim::LIVE, &SET_ERP_FIELDS, value).await;
    let found = ask(&set(&order, "")).await.unwrap_err();
    assert_eq!(
        (found.kind, found.code.as_str(), found.field.as_deref()),
        (FaultKind::Rejected, "INVALID_VALUE", Some("metafields.0.value"))
    );
    let found = ask(&set("gid://shopify/Order/1", "S-1")).await.unwrap_err();
    assert_eq!(found.field.as_deref(), Some("metafields.0.ownerId"));
    let mut stale = set(&order, "S-1");
    stale["metafields"][0]["compareDigest"] = json!("0000");
    assert_eq!(ask(&stale).await.unwrap_err().kind, FaultKind::Conflict);
    // Without a code.
    let gone = json!({ "id": "gid://shopify/WebhookSubscription/1" });
    let found = client.ask(&call(), Claim::LIVE, &DELETE_SUBSCRIPTION, &gone).await.unwrap_err();
    assert_eq!(
        (found.kind, found.code.as_str(), found.field.as_deref()),
        (FaultKind::Rejected, "user_error", Some("id"))
    );
    assert!(ask(&set(&order, "S-1")).await.is_ok());
}

#[tokio::test]
async fn nobody_spends_more_than_is_there() {
    let config = ShopConfig { plan: Plan::Standard, ..config() };
    let clock = config.clock.clone();
    let (twin, client) = start(config.clone()).await;
    let order = place(&twin, &config, 1);
    let mut waits = 0;
    for number in 0..400 {
        let wanted = set(&order, &format!("S-{number}"));
        while let Err(fault) = client.ask(&call(), Claim::LIVE, &SET_ERP_FIELDS, &wanted).await {
            assert_eq!((fault.kind, fault.code.as_str()), (FaultKind::Throttled, "TG-6101"), "{fault}");
            clock.advance(fault.retry_after.unwrap());
            waits += 1;
        }
    }
    assert!(waits > 100, "200 calls are in the bucket, the other 200 wait: {waits}");
    assert_eq!(twin.stats().api.get("throttled"), None, "Shopify never had to refuse");
}

/// Another process, or another node, spends from the same bucket.
#[tokio::test]
async fn throttled_by_shopify_is_throttled_until_the_bucket_has_it() {
    let config = ShopConfig { plan: Plan::Standard, ..config() };
    let clock = config.clock.clone();
    let (twin, client) = start(config.clone()).await;
    let order = place(&twin, &config, 1);
    let other =
        ShopClient::connect(ShopConnection { restore_rate: 100, ..connection(twin.url()) }, ports(&clock))
            .unwrap();
    for number in 0..200 {
        let wanted = set(&order, &format!("S-{number}"));
        other.ask(&call(), Claim::LIVE, &SET_ERP_FIELDS, &wanted).await.unwrap();
    }
    let wanted = set(&order, "S-last");
    let fault = client.ask(&call(), Claim::LIVE, &SET_ERP_FIELDS, &wanted).await.unwrap_err();
    assert_eq!((fault.kind, fault.code.as_str()), (FaultKind::Throttled, "THROTTLED"));
    assert_eq!(fault.retry_after, Some(Duration::from_millis(100)));
    // It has learnt: the next one is not even sent.
    let fault = client.ask(&call(), Claim::LIVE, &SET_ERP_FIELDS, &wanted).await.unwrap_err();
    assert_eq!((fault.code.as_str(), twin.stats().api["throttled"]), ("TG-6101", 1));
    clock.advance(fault.retry_after.unwrap());
    client.ask(&call(), Claim::LIVE, &SET_ERP_FIELDS, &wanted).await.unwrap();
}

#[tokio::test]
async fn data_that_the_app_is_not_approved_for_is_withheld_and_the_rest_is_there() {
    let config = ShopConfig { approved: BTreeSet::new(), ..config() };
    let (twin, client) = start(config.clone()).await;
    let order = place(&twin, &config, 1);
    let variables = json!({ "id": order });
    let reply =
        client.ask(&call(), Claim::LIVE, &tidegate_shopify::graphql::ORDER, &variables).await.unwrap();
    assert!(reply.withheld.contains(&"order.email".to_owned()), "{:?}", reply.withheld);
    assert_eq!(reply.data["order"]["id"], order);
    assert_eq!(reply.data["order"]["email"], Value::Null);
}

/// Head and body of an answer, and what it means to a read and to a write.
#[tokio::test]
async fn answers_that_no_shop_would_give() {
    use FaultKind::*;
    let (twin, _) = start(config()).await;
    let at = twin.url().trim_start_matches("http://").parse().unwrap();
    let proxy = CuttingProxy::start(at, |_| false).await.unwrap();
    let ok = "200 OK\r\ncontent-type: application/json";
    let other_version = "200 OK\r\ncontent-type: application/json\r\nx-shopify-api-version: 2027-01";
    let undefined =
        r#"{"errors":[{"message":"Field 'x' doesn't exist","extensions":{"code":"undefinedField"}}]}"#;
    let table = [
        (ok, "{}", Transient, Ambiguous),
        (ok, "null", Transient, Ambiguous),
        (ok, "[]", Transient, Ambiguous),
        (ok, r#"{"data":null}"#, Transient, Ambiguous),
        (ok, r#"{"data":{"metafieldsSet":null},"errors":[]}"#, Transient, Ambiguous),
        (ok, r#"{"data":{"order":{"id":"1"#, Transient, Ambiguous),
        (ok, r#"{"errors":"Internal error"}"#, Transient, Ambiguous),
        (
            ok,
            r#"{"errors":[{"message":"x","extensions":{"code":"INTERNAL_SERVER_ERROR"}}]}"#,
            Transient,
            Ambiguous,
        ),
        (ok, r#"{"errors":[{"message":"x","extensions":{"code":"THROTTLED"}}]}"#, Throttled, Throttled),
        (
            ok,
            r#"{"errors":[{"message":"x","extensions":{"code":"SHOP_INACTIVE"}}]}"#,
            Unauthorized,
            Unauthorized,
        ),
        (ok, undefined, Bug, Bug),
        (other_version, undefined, Unauthorized, Unauthorized),
        ("402 Payment Required", r#"{"errors":"frozen"}"#, Unauthorized, Unauthorized),
        ("423 Locked", r#"{"errors":"locked"}"#, Unauthorized, Unauthorized),
        ("403 Forbidden", r#"{"errors":"no"}"#, Rejected, Rejected),
        ("429 Too Many Requests\r\nretry-after: 2.0", "", Throttled, Throttled),
        ("502 Bad Gateway", "<html>", Transient, Ambiguous),
    ];
    for (head, body, read, write) in table {
        let client =
            ShopClient::connect(connection(&format!("http://{}", proxy.address())), ports(&config().clock))
                .unwrap();
        proxy.set(Trouble::answer(head, body));
        let found = client.ask(&call(), Claim::LIVE, &ERP_FIELDS, &no_order()).await;
        let is_data = body.contains("metafieldsSet");
        if !is_data {
            assert_eq!(found.unwrap_err().kind, read, "read: {head} {body}");
        }
        let found = client.ask(&call(), Claim::LIVE, &SET_ERP_FIELDS, &set("x", "y")).await;
        assert_eq!(found.unwrap_err().kind, write, "write: {head} {body}");
    }
}

#[tokio::test]
async fn a_refused_connection_costs_nothing() {
    let port = connector::contract::RefusingPort::bind().unwrap();
    let url = format!("http://{}", port.address().unwrap());
    let client = ShopClient::connect(connection(&url), ports(&config().clock)).unwrap();
    let fault = client.ask(&call(), Claim::LIVE, &LIST_ORDERS, &json!({})).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Transient);
    assert_eq!(client.bucket().status().available, 20_000);
}

#[test]
fn a_shop_that_is_not_configured_is_named() {
    let fault = Shops::default().get(&acme()).unwrap_err();
    assert_eq!((fault.kind, fault.code.as_str()), (FaultKind::Rejected, "TG-6104"));
}
