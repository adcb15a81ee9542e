//! Who may buy for which company location, and what a storefront's request looks like at the app.

use crate::{CLIENT, ask, codes, config, noon, scopes, shop_with};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use tidegate_twin::shopify::{Forwarded, Role, ShopifyTwin};

const ROLES: &str = "query ($id: ID!) { customer(id: $id) { id companyContactProfiles { id isMainContact company { id name } customer { id } \
    roleAssignments(first: 2) { nodes { id role { id name } company { id } companyContact { id } companyLocation { id name company { id } } } pageInfo { hasNextPage endCursor } } } } }";
const REST: &str = "query ($id: ID!, $after: String) { companyContact(id: $id) { roleAssignments(first: 250, after: $after) { nodes { companyLocation { id } } pageInfo { hasNextPage } } } }";

fn gid(kind: &str, id: u64) -> String {
    format!("gid://shopify/{kind}/{id}")
}

async fn roles(twin: &ShopifyTwin, customer: u64) -> Value {
    let answer = ask(twin, ROLES, json!({ "id": gid("Customer", customer) })).await;
    assert_eq!(codes(&answer), Vec::<&str>::new(), "{answer}");
    answer["data"]["customer"].clone()
}

#[tokio::test]
async fn roles_are_given_and_taken_page_by_page_and_nobody_else_has_them() {
    let twin = ShopifyTwin::start(config()).await.unwrap();
    twin.know_company(5, "Acme", &[(1, "Acme Berlin"), (2, "Acme Paris"), (3, "Acme Rome")]);
    assert_eq!(roles(&twin, 7).await, Value::Null);
    for location in [1, 2, 3] {
        twin.give_role(7, location, Role::OrderingOnly).unwrap();
        twin.give_role(7, location, Role::OrderingOnly).unwrap();
    }
    twin.give_role(8, 3, Role::LocationAdmin).unwrap();
    let found = roles(&twin, 7).await;
    let contact = &found["companyContactProfiles"][0];
    assert_eq!(found["companyContactProfiles"].as_array().unwrap().len(), 1);
    assert_eq!((&contact["company"]["name"], &contact["customer"]["id"]), (&json!("Acme"), &found["id"]));
    let first = &contact["roleAssignments"];
    let one = &first["nodes"][0];
    assert_eq!(
        one["companyLocation"],
        json!({ "id": gid("CompanyLocation", 1), "name": "Acme Berlin", "company": { "id": gid("Company", 5) } })
    );
    assert_eq!(
        (&one["role"]["name"], &one["companyContact"]["id"]),
        (&json!("Ordering only"), &contact["id"])
    );
    assert_eq!(first["nodes"].as_array().unwrap().len(), 2);
    assert_eq!(first["pageInfo"]["hasNextPage"], true);
    let rest =
        ask(&twin, REST, json!({ "id": contact["id"], "after": first["pageInfo"]["endCursor"] })).await;
    let rest = &rest["data"]["companyContact"]["roleAssignments"];
    assert_eq!(rest["nodes"], json!([{ "companyLocation": { "id": gid("CompanyLocation", 3) } }]));
    assert_eq!(rest["pageInfo"]["hasNextPage"], false);
    let of_8 = roles(&twin, 8).await["companyContactProfiles"][0]["roleAssignments"]["nodes"].clone();
    assert_eq!((of_8.as_array().unwrap().len(), &of_8[0]["role"]["name"]), (1, &json!("Location admin")));
    for location in [1, 2, 3] {
        twin.take_roles(7, location).unwrap();
    }
    let left = roles(&twin, 7).await;
    assert_eq!(left["companyContactProfiles"][0]["roleAssignments"]["nodes"], json!([]), "a contact still");
    assert!(twin.take_roles(7, 1).is_err() && twin.give_role(7, 99, Role::OrderingOnly).is_err());
}

#[tokio::test]
async fn an_order_shows_a_contact_and_gives_no_role() {
    let twin = shop_with(config(), 60).await;
    let order = twin
        .orders()
        .into_iter()
        .find(|order| order.company.as_ref().is_some_and(|one| one.contact_id.is_some()));
    let order = order.expect("the demo has buyers who buy for a company");
    let (customer, company) = (order.customer.as_ref().unwrap().id, order.company.as_ref().unwrap());
    let contact = json!(gid("CompanyContact", company.contact_id.unwrap()));
    let profile = roles(&twin, customer).await["companyContactProfiles"][0].clone();
    assert_eq!((&profile["id"], &profile["roleAssignments"]["nodes"]), (&contact, &json!([])));
    twin.give_role(customer, company.location_id, Role::OrderingOnly).unwrap();
    let profile = roles(&twin, customer).await["companyContactProfiles"][0].clone();
    let location = &profile["roleAssignments"]["nodes"][0]["companyLocation"]["id"];
    assert_eq!((&profile["id"], location), (&contact, &json!(gid("CompanyLocation", company.location_id))));
}

#[tokio::test]
async fn roles_need_their_scope_and_a_roles_name_is_protected() {
    let twin = ShopifyTwin::start(config()).await.unwrap();
    twin.know_company(5, "Acme", &[(1, "Acme Berlin")]);
    twin.give_role(7, 1, Role::OrderingOnly).unwrap();
    twin.grant(&scopes(&["read_companies"]));
    assert_eq!(codes(&ask(&twin, ROLES, json!({ "id": gid("Customer", 7) })).await), ["ACCESS_DENIED"]);
    let unapproved =
        ShopifyTwin::start(tidegate_twin::shopify::ShopConfig { approved: scopes(&[]), ..config() })
            .await
            .unwrap();
    unapproved.know_company(5, "Acme", &[(1, "Acme Berlin")]);
    unapproved.give_role(7, 1, Role::OrderingOnly).unwrap();
    let answer = ask(&unapproved, ROLES, json!({ "id": gid("Customer", 7) })).await;
    assert_eq!(codes(&answer), ["ACCESS_DENIED"], "{answer}");
    assert!(answer["errors"][0]["message"].as_str().unwrap().contains("name field"));
}

type Came = (String, HeaderMap, Bytes);

/// An app that remembers what came, and answers with a cookie.
async fn app() -> (Arc<Mutex<Vec<Came>>>, String) {
    async fn take(State(came): State<Arc<Mutex<Vec<Came>>>>, request: Request) -> Response {
        let (head, body) = request.into_parts();
        let body = axum::body::to_bytes(body, 1024).await.unwrap();
        came.lock().unwrap().push((format!("{} {}", head.method, head.uri), head.headers, body));
        let mut answer = (StatusCode::IM_A_TEAPOT, "so be it").into_response();
        answer.headers_mut().insert("set-cookie", HeaderValue::from_static("a=1"));
        answer.headers_mut().insert("etag", HeaderValue::from_static("\"1\""));
        answer
    }
    let came = Arc::new(Mutex::new(Vec::new()));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/proxy/prices", listener.local_addr().unwrap());
    let router = Router::new().fallback(take).with_state(came.clone());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    (came, url)
}

#[tokio::test]
async fn a_storefronts_request_reaches_the_app_signed_and_without_its_cookies() {
    let (twin, (came, url)) = (ShopifyTwin::start(config()).await.unwrap(), app().await);
    let asked = format!("{}/apps/prices/resolve?sku=A%20b", twin.url());
    assert_eq!(CLIENT.get(&asked).send().await.unwrap().status(), 404, "no app has a proxy there");
    twin.forward_storefront("/apps/prices", &url).unwrap();
    let request = CLIENT
        .post(&asked)
        .header("Cookie", "theme=x; logged_in_customer=7")
        .header("Accept", "application/json");
    let answer = request.header("Authorization", "Bearer x").body("{}").send().await.unwrap();
    let header = |name: &str| answer.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
    assert_eq!(
        (answer.status().as_u16(), header("etag").as_deref(), header("set-cookie")),
        (418, Some("\"1\""), None)
    );
    assert_eq!(answer.text().await.unwrap(), "so be it");
    assert_eq!(CLIENT.get(&asked).send().await.unwrap().status(), 418);
    let came = came.lock().unwrap();
    let said = |customer| {
        let shop = "acme.myshopify.com";
        let said = Forwarded { shop, path_prefix: "/apps/prices", customer, at: noon() };
        format!("/proxy/prices/resolve?{}", said.query("sku=A%20b", "hush"))
    };
    let (line, headers, body) = &came[0];
    assert_eq!((line, &body[..]), (&format!("POST {}", said(Some(7))), &b"{}"[..]));
    assert_eq!(
        (&headers["accept"], &headers["x-forwarded-host"], &headers["x-forwarded-for"]),
        (
            &"application/json".parse::<HeaderValue>().unwrap(),
            &"acme.myshopify.com".parse().unwrap(),
            &"127.0.0.1".parse().unwrap()
        )
    );
    assert!(!headers.contains_key("cookie") && !headers.contains_key("authorization"));
    assert_eq!(came[1].0, format!("GET {}", said(None)));
}
