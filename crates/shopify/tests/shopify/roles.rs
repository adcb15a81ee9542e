//! For which company locations a customer may buy, as the look-alike shop has it and as a shop may answer.

use crate::support::{call, config, connection, ports, start};
use axum::Router;
use axum::routing::post;
use connector::port::CallContext;
use kernel::fault::FaultKind;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tidegate_shopify::graphql::{Claim, ShopClient};
use tidegate_shopify::roles::locations;
use twin::shopify::{ApiFault, Plan, Role, ShopClock, ShopConfig, ShopifyTwin};

fn gid(location: u64) -> Box<str> {
    format!("gid://shopify/CompanyLocation/{location}").into()
}

/// Acme has 300 locations, from 1001 on; Beta has two.
fn two_companies(twin: &ShopifyTwin) {
    let names: Vec<(u64, String)> = (1001..=1300).map(|id| (id, format!("Acme {id}"))).collect();
    let names: Vec<(u64, &str)> = names.iter().map(|(id, name)| (*id, name.as_str())).collect();
    twin.know_company(1, "Acme", &names);
    twin.know_company(2, "Beta", &[(2001, "Beta Berlin"), (2002, "Beta Paris")]);
}

#[tokio::test]
async fn a_customer_may_buy_where_a_role_was_given_and_until_it_is_taken() {
    let (twin, client) = start(config()).await;
    two_companies(&twin);
    assert_eq!(locations(&client, &call(), 7).await.unwrap(), [], "the shop has no such customer");
    for (location, role) in
        [(2002, Role::OrderingOnly), (1001, Role::LocationAdmin), (1001, Role::OrderingOnly)]
    {
        twin.give_role(7, location, role).unwrap();
    }
    twin.give_role(8, 2001, Role::LocationAdmin).unwrap();
    let of_7 = [gid(1001), gid(2002)];
    assert_eq!(locations(&client, &call(), 7).await.unwrap(), of_7, "of both companies, each once");
    assert_eq!(locations(&client, &call(), 8).await.unwrap(), [gid(2001)]);
    twin.take_roles(7, 1001).unwrap();
    assert_eq!(locations(&client, &call(), 7).await.unwrap(), [gid(2002)]);
    twin.take_roles(8, 2001).unwrap();
    assert_eq!(locations(&client, &call(), 8).await.unwrap(), [], "a contact without a role");
}

#[tokio::test]
async fn every_page_is_read_and_a_buyer_of_few_locations_costs_little() {
    let (twin, client) = start(config()).await;
    two_companies(&twin);
    let requests = || twin.stats().api.get("requests").copied().unwrap_or_default();
    twin.give_role(8, 2001, Role::OrderingOnly).unwrap();
    let before = client.bucket().status().available;
    locations(&client, &call(), 8).await.unwrap();
    assert_eq!((requests(), before - client.bucket().status().available <= 12), (1, true));
    let all: Vec<u64> = (1001..=1300).chain([2002]).collect();
    for location in &all {
        twin.give_role(7, *location, Role::OrderingOnly).unwrap();
    }
    let expected: Vec<Box<str>> = all.into_iter().map(gid).collect();
    assert_eq!(locations(&client, &call(), 7).await.unwrap(), expected);
    assert_eq!(requests(), 1 + 3, "10, then 250 and 40");
}

#[tokio::test]
async fn what_cannot_be_asked_is_said_and_is_no_empty_answer() {
    let (twin, client) = start(config()).await;
    two_companies(&twin);
    twin.give_role(7, 2001, Role::OrderingOnly).unwrap();
    twin.turn_faults(|faults| faults.on_queries = true);
    twin.fail_next(ApiFault::ErrorBefore);
    let fault = locations(&client, &call(), 7).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Transient);
    twin.grant(&BTreeSet::from(["read_companies".to_owned()]));
    let fault = locations(&client, &call(), 7).await.unwrap_err();
    assert_eq!((fault.kind, fault.code.as_str()), (FaultKind::Unauthorized, "ACCESS_DENIED"));
    twin.grant(&BTreeSet::from(["read_customers".to_owned()]));
    assert_eq!(locations(&client, &call(), 7).await.unwrap(), [gid(2001)], "and nothing else is needed");
}

#[tokio::test]
async fn a_buyer_waits_for_the_bucket_only_as_long_as_the_call_has_time() {
    let (twin, client) = start(ShopConfig { plan: Plan::Standard, ..config() }).await;
    two_companies(&twin);
    twin.give_role(7, 2001, Role::OrderingOnly).unwrap();
    drop(client.bucket().take(Claim::LIVE, 2000).unwrap());
    let short = CallContext { time_out: Duration::from_millis(200), ..call() };
    let fault = locations(&client, &short, 7).await.unwrap_err();
    assert_eq!((fault.kind, fault.code.as_str()), (FaultKind::Throttled, "TG-6101"));
    assert_eq!(twin.stats().api.get("requests"), None, "nothing was sent");
    let long = CallContext { time_out: Duration::from_secs(5), ..call() };
    assert_eq!(locations(&client, &long, 7).await.unwrap(), [gid(2001)]);
}

fn assignments(locations: &[u64], next: Option<&str>) -> Value {
    let nodes: Vec<Value> =
        locations.iter().map(|id| json!({ "companyLocation": { "id": gid(*id) } })).collect();
    json!({ "nodes": nodes, "pageInfo": { "hasNextPage": next.is_some(), "endCursor": next } })
}

fn customer(of: Value) -> Value {
    json!({ "customer": { "companyContactProfiles": [{ "id": "gid://shopify/CompanyContact/1", "roleAssignments": of }] } })
}

/// A shop that answers with these data one after another, the last for ever; each takes a second.
async fn told(data: Vec<Value>) -> ShopClient {
    answering(data.into_iter().map(|data| json!({ "data": data })).collect()).await
}

async fn answering(answers: Vec<Value>) -> ShopClient {
    let clock = ShopClock::manual(crate::support::noon());
    let (hand, answers) = (clock.clone(), Arc::new(Mutex::new(answers)));
    let answer = move || {
        hand.advance(Duration::from_secs(1));
        let mut answers = answers.lock().unwrap();
        let answer = if answers.len() > 1 { answers.remove(0) } else { answers[0].clone() };
        std::future::ready(axum::Json(answer))
    };
    let router = Router::new().route("/admin/api/2026-10/graphql.json", post(answer));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    ShopClient::connect(connection(&url), ports(&clock)).unwrap()
}

#[tokio::test]
async fn half_an_answer_is_none() {
    let first = || customer(assignments(&[1, 2], Some("c")));
    let gone = told(vec![first(), json!({ "companyContact": null })]).await;
    let fault = locations(&gone, &call(), 7).await.unwrap_err();
    assert_eq!((fault.kind, fault.field.as_deref()), (FaultKind::Transient, Some("companyContact")));
    let endless = json!({ "companyContact": { "roleAssignments": assignments(&[3], Some("c")) } });
    let fault = locations(&told(vec![first(), endless]).await, &call(), 7).await.unwrap_err();
    assert_eq!((fault.kind, fault.code.as_str()), (FaultKind::Transient, "TG-6105"));
    let nowhere = json!({ "nodes": [{ "companyLocation": null }], "pageInfo": { "hasNextPage": false } });
    for strange in [json!({}), json!({ "customer": {} }), customer(json!({})), customer(nowhere)] {
        let fault = locations(&told(vec![strange.clone()]).await, &call(), 7).await.unwrap_err();
        assert_eq!((fault.kind, fault.code.as_str()), (FaultKind::Transient, "TG-6204"), "{strange}");
    }
    let nobody = told(vec![json!({ "customer": null })]).await;
    assert_eq!(locations(&nobody, &call(), 7).await.unwrap(), []);
}

/// As Shopify words it for an app without that approval.
#[tokio::test]
async fn a_customer_that_is_withheld_is_not_one_without_roles() {
    let withheld = json!({
        "data": { "customer": null },
        "errors": [{
            "message": "This app is not approved to access the Customer object.", "path": ["customer"],
            "extensions": { "code": "ACCESS_DENIED", "documentation": "https://shopify.dev/docs/apps/launch/protected-customer-data" }
        }]
    });
    let fault = locations(&answering(vec![withheld]).await, &call(), 7).await.unwrap_err();
    assert_eq!((fault.kind, fault.field.as_deref()), (FaultKind::Unauthorized, Some("customer")));
    assert!(fault.message.contains("approval for protected customer data"), "{fault}");
}
