//! A small server that is what the second example of docs/connectors/http.md describes: no idempotency keys, wrapped
//! orders, versions as `ETag`, a search by `external_id`, statuses that are set. As strict as a real one about what it
//! is sent.

use axum::Json;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

type Orders = Arc<Mutex<Vec<Value>>>;

/// Ends when dropped.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) address: SocketAddr,
    orders: Orders,
    serving: JoinHandle<()>,
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

pub(super) const PASSWORD: &str = "orderdesk-password";
const SKUS: [&str; 2] = ["SKU-A", "SKU-B"];

impl Desk {
    pub(super) async fn start() -> Self {
        let orders = Orders::default();
        let router = Router::new()
            .route("/api/v2/status", get(async || Json(json!({"up": true}))))
            .route("/api/v2/orders", post(create).get(search))
            .route("/api/v2/orders/{id}", get(read).put(replace).patch(set))
            .with_state(orders.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, orders, serving }
    }

    pub(super) fn orders(&self, external_id: &str) -> Vec<Value> {
        let orders = self.orders.lock().unwrap();
        orders.iter().filter(|order| order["external_id"] == external_id).cloned().collect()
    }

    /// Another writer's.
    pub(super) fn add(&self, order: &Value) {
        made(&mut self.orders.lock().unwrap(), order);
    }
}

fn made(orders: &mut Vec<Value>, content: &Value) -> Value {
    let mut order = content.clone();
    let id = orders.len() + 1;
    order["id"] = json!(id);
    order["name"] = json!(format!("OD-{id}"));
    order["status"] = json!("open");
    order["version"] = json!(1);
    orders.push(order.clone());
    order
}

fn allowed(headers: &HeaderMap) -> Result<(), Response> {
    // tidegate:orderdesk-password
    let expected = "Basic dGlkZWdhdGU6b3JkZXJkZXNrLXBhc3N3b3Jk";
    match headers.get("authorization").and_then(|value| value.to_str().ok()) {
        Some(told) if told == expected => Ok(()),
        _ => Err(refusal(StatusCode::UNAUTHORIZED, "LOGIN", "who are you?", "")),
    }
}

fn refusal(status: StatusCode, code: &str, detail: &str, pointer: &str) -> Response {
    (status, Json(json!({"errors": [{"code": code, "detail": detail, "pointer": pointer}]}))).into_response()
}

fn shown(status: StatusCode, order: &Value) -> Response {
    (status, [("etag", format!("\"v{}\"", order["version"]))], Json(json!({"order": order}))).into_response()
}

fn content(body: &Value) -> Result<Value, Response> {
    let order = body.get("order").filter(|order| order["external_id"].is_string()).cloned();
    let order =
        order.ok_or_else(|| refusal(StatusCode::BAD_REQUEST, "BODY", "an order is expected", "/order"))?;
    for (index, line) in order["lines"].as_array().into_iter().flatten().enumerate() {
        if !SKUS.iter().any(|sku| line["sku"] == *sku) {
            let pointer = format!("/lines/{index}/sku");
            return Err(refusal(StatusCode::UNPROCESSABLE_ENTITY, "NO_SKU", "no such SKU", &pointer));
        }
    }
    Ok(order)
}

async fn create(State(orders): State<Orders>, headers: HeaderMap, Json(body): Json<Value>) -> Response {
    let checked = allowed(&headers).and_then(|()| content(&body));
    match checked {
        Ok(content) => shown(StatusCode::CREATED, &made(&mut orders.lock().unwrap(), &content)),
        Err(refused) => refused,
    }
}

/// Its search is by prefix, as many are, and shows no version.
async fn search(
    State(orders): State<Orders>,
    headers: HeaderMap,
    Query(query): Query<BTreeMap<String, String>>,
) -> Response {
    if let Err(refused) = allowed(&headers) {
        return refused;
    }
    let wanted = query.get("external_id").cloned().unwrap_or_default();
    let orders = orders.lock().unwrap();
    let hits: Vec<Value> = orders
        .iter()
        .filter(|order| order["external_id"].as_str().is_some_and(|id| id.starts_with(&wanted)))
        .map(|order| json!({"id": order["id"], "external_id": order["external_id"], "status": order["status"]}))
        .collect();
    Json(json!({"orders": hits})).into_response()
}

async fn read(State(orders): State<Orders>, headers: HeaderMap, Path(id): Path<usize>) -> Response {
    if let Err(refused) = allowed(&headers) {
        return refused;
    }
    let orders = orders.lock().unwrap();
    match orders.get(id.wrapping_sub(1)) {
        Some(order) => shown(StatusCode::OK, order),
        None => refusal(StatusCode::NOT_FOUND, "NONE", "no such order", ""),
    }
}

/// Changes an order under the version that the caller has seen, where it says one.
fn change(
    orders: &Orders,
    headers: &HeaderMap,
    id: usize,
    how: impl FnOnce(&mut Value) -> Result<(), Response>,
) -> Response {
    if let Err(refused) = allowed(headers) {
        return refused;
    }
    let mut orders = orders.lock().unwrap();
    let Some(order) = orders.get_mut(id.wrapping_sub(1)) else {
        return refusal(StatusCode::NOT_FOUND, "NONE", "no such order", "");
    };
    let seen = headers.get("if-match").and_then(|value| value.to_str().ok());
    if seen.is_some_and(|seen| seen != format!("\"v{}\"", order["version"])) {
        return refusal(StatusCode::PRECONDITION_FAILED, "STALE", "read it again", "");
    }
    if let Err(refused) = how(order) {
        return refused;
    }
    order["version"] = json!(order["version"].as_u64().unwrap_or_default() + 1);
    shown(StatusCode::OK, order)
}

async fn replace(
    State(orders): State<Orders>,
    headers: HeaderMap,
    Path(id): Path<usize>,
    Json(body): Json<Value>,
) -> Response {
    change(&orders, &headers, id, |order| {
        for (name, value) in content(&body)?.as_object().into_iter().flatten() {
            order[name] = value.clone();
        }
        Ok(())
    })
}

async fn set(
    State(orders): State<Orders>,
    headers: HeaderMap,
    Path(id): Path<usize>,
    Json(body): Json<Value>,
) -> Response {
    change(&orders, &headers, id, |order| {
        let to = body["order"]["status"].clone();
        if order["status"] == to || order["status"] == "void" {
            return Err(refusal(StatusCode::CONFLICT, "STATUS", "it is there already", "/status"));
        }
        order["status"] = to;
        Ok(())
    })
}
