//! The warehouse's door: reads calls, lets some of them fail, and writes what the books say.

use super::config::Knobs;
use super::orders::{OrderView, WantedLine};
use super::refusal::Refusal;
use super::releases::GivenBack;
use super::snapshot::Snapshot;
use super::twin::Desk;
use crate::shop::Chance;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, Path, Query, Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::sync::Arc;

const BODY_BYTES_MAX: usize = 4 << 20;
const KEY: &str = "idempotency-key";

pub(super) fn router(desk: Arc<Desk>) -> Router {
    let work = Router::new()
        .route("/stock", get(feed))
        .route("/stock/snapshot", get(snapshot))
        .route("/stock/{sku}/{location}", get(pair))
        .route("/orders", post(reserve))
        .route("/orders/{order}", get(order).put(replace))
        .route("/orders/{order}/cancel", post(cancel))
        .route("/orders/{order}/ship", post(ship))
        .route("/orders/{order}/settle", post(settle))
        .route("/releases", post(release))
        .route("/releases/{reference}", get(released))
        .route("/shipments", get(shipments))
        .layer(from_fn_with_state(desk.clone(), admit));
    Router::new()
        .merge(work)
        .route("/health", get(async || StatusCode::OK))
        .route("/twin/ledger", get(ledger))
        .route("/twin/knobs", get(knobs).post(turn))
        .route("/twin/move", post(stir))
        .fallback(async || refused(&Refusal::new(404, "not_found", "there is no such call")))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(desk)
}

/// Asks for the token, and lets some requests fail: before they are carried out, or after.
async fn admit(State(desk): State<Arc<Desk>>, request: Request, next: Next) -> Response {
    let given = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    if given.and_then(|value| value.strip_prefix("Bearer ")) != Some(desk.token.as_str()) {
        return refused(&Refusal::new(
            401,
            "unauthorized",
            "a bearer token is needed, and it is not this one",
        ));
    }
    let knobs = desk.knobs();
    let mut chance = Chance::new(desk.seed ^ desk.next_request().wrapping_mul(0x9e37_79b9_7f4a_7c15));
    if chance.per_mille(knobs.error_per_mille) {
        return refused(&Refusal::new(503, "unavailable", "down for a moment"));
    }
    let fails_after = request.method() != Method::GET && chance.per_mille(knobs.error_after_per_mille);
    let answer = next.run(request).await;
    if fails_after {
        return refused(&Refusal::new(502, "bad_gateway", "the answer was lost on its way"));
    }
    answer
}

#[derive(Deserialize)]
struct Asked {
    after: Option<String>,
    limit: Option<usize>,
}

impl Asked {
    fn position(&self) -> Result<u64, Refusal> {
        let Some(text) = &self.after else { return Ok(0) };
        text.parse().map_err(|_| {
            Refusal::new(400, "bad_request", format!("after={text} is no position that was given out here"))
        })
    }

    fn limit(&self, knobs: &Knobs) -> usize {
        self.limit.unwrap_or(knobs.page_size).clamp(1, knobs.page_size.max(1))
    }
}

fn page(items: &[String], next: u64, more: bool) -> Response {
    let body = format!("{{\"items\":[{}],\"next\":\"{next}\",\"more\":{more}}}", items.join(","));
    written(StatusCode::OK, body)
}

async fn feed(State(desk): State<Arc<Desk>>, Query(asked): Query<Asked>) -> Result<Response, Refusal> {
    let (after, knobs) = (asked.position()?, desk.knobs());
    let (items, next, more) = desk.books().after(after, asked.limit(&knobs));
    let items: Vec<String> = items.into_iter().map(|told| told.item(knobs.tells_counted)).collect();
    Ok(page(&items, next, more))
}

/// There is one shop here: whatever `shop` says, all of them are its.
async fn shipments(State(desk): State<Arc<Desk>>, Query(asked): Query<Asked>) -> Result<Response, Refusal> {
    let (after, knobs) = (asked.position()?, desk.knobs());
    let (items, next, more) = desk.books().shipments.after(after, asked.limit(&knobs));
    let items: Vec<String> = items.iter().map(|told| told.item(knobs.tracks)).collect();
    Ok(page(&items, next, more))
}

async fn pair(
    State(desk): State<Arc<Desk>>,
    Path((sku, location)): Path<(String, String)>,
) -> Result<Response, Refusal> {
    let tells_counted = desk.knobs().tells_counted;
    let told = desk.told(&sku, &location);
    let told =
        told.ok_or_else(|| Refusal::new(404, "not_found", format!("there is no {sku} at {location}")))?;
    Ok(written(StatusCode::OK, told.item(tells_counted)))
}

async fn snapshot(State(desk): State<Arc<Desk>>) -> Response {
    ([(header::CONTENT_TYPE, "application/x-ndjson")], Body::new(Snapshot::new(desk))).into_response()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    order: String,
    lines: Vec<WantedLine>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Lines {
    #[serde(default)]
    lines: Vec<WantedLine>,
}

async fn reserve(
    State(desk): State<Arc<Desk>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let key = headers.get(KEY).and_then(|key| key.to_str().ok()).filter(|key| !key.is_empty());
    let key = key.ok_or_else(|| Refusal::new(400, "key_missing", "an Idempotency-Key is needed"))?;
    let wanted: Wanted = parsed(&body)?;
    let (view, is_new) = desk.reserve(key, &wanted.order, &wanted.lines)?;
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok(written(status, json!(view).to_string()))
}

async fn order(State(desk): State<Arc<Desk>>, Path(order): Path<String>) -> Result<Response, Refusal> {
    shown(desk.books().order(&order))
}

/// As it was posted, or its lines alone.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Instead {
    order: Option<String>,
    #[serde(default)]
    lines: Vec<WantedLine>,
}

async fn replace(
    State(desk): State<Arc<Desk>>,
    Path(order): Path<String>,
    body: Bytes,
) -> Result<Response, Refusal> {
    let wanted: Instead = parsed(&body)?;
    if let Some(named) = wanted.order.filter(|named| *named != order) {
        let text = format!("the body names the order {named}, and the path {order}");
        return Err(Refusal::new(400, "bad_request", text));
    }
    shown(desk.replace(&order, &wanted.lines))
}

async fn cancel(State(desk): State<Arc<Desk>>, Path(order): Path<String>) -> Result<Response, Refusal> {
    shown(desk.act(|books, at| books.cancel(&order, at)))
}

async fn ship(
    State(desk): State<Arc<Desk>>,
    Path(order): Path<String>,
    body: Bytes,
) -> Result<Response, Refusal> {
    let some: Lines = if body.is_empty() { Lines::default() } else { parsed(&body)? };
    shown(desk.ship(&order, &some.lines))
}

async fn settle(State(desk): State<Arc<Desk>>, Path(order): Path<String>) -> Result<Response, Refusal> {
    shown(desk.act(|books, at| books.settle(&order, at)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GivesBack {
    reference: String,
    order: String,
    lines: Vec<GivenBack>,
}

async fn release(State(desk): State<Arc<Desk>>, body: Bytes) -> Result<Response, Refusal> {
    let wanted: GivesBack = parsed(&body)?;
    let (view, is_new) =
        desk.act(|books, at| books.release_of_order(&wanted.reference, &wanted.order, &wanted.lines, at))?;
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok(written(status, json!(view).to_string()))
}

async fn released(State(desk): State<Arc<Desk>>, Path(reference): Path<String>) -> Result<Response, Refusal> {
    desk.books().releases.one(&reference).map(|view| written(StatusCode::OK, json!(view).to_string()))
}

async fn ledger(State(desk): State<Arc<Desk>>) -> Response {
    written(StatusCode::OK, json!(desk.ledger()).to_string())
}

async fn knobs(State(desk): State<Arc<Desk>>) -> Response {
    written(StatusCode::OK, json!(desk.knobs()).to_string())
}

async fn turn(State(desk): State<Arc<Desk>>, body: Bytes) -> Result<Response, Refusal> {
    let some: Value = parsed(&body)?;
    let wrong = |error: serde_json::Error| Refusal::new(422, "no_such_knob", error.to_string());
    let all: Knobs = desk.knobs().turned(&some).map_err(wrong)?;
    desk.set_knobs(all.clone());
    Ok(written(StatusCode::OK, json!(all).to_string()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Movements {
    count: u32,
}

async fn stir(State(desk): State<Arc<Desk>>, body: Bytes) -> Result<Response, Refusal> {
    let wanted: Movements = parsed(&body)?;
    desk.stir(wanted.count);
    Ok(written(StatusCode::OK, json!({ "position": desk.books().position() }).to_string()))
}

fn parsed<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(|error| Refusal::new(400, "bad_request", error.to_string()))
}

fn shown(view: Result<OrderView, Refusal>) -> Result<Response, Refusal> {
    view.map(|view| written(StatusCode::OK, json!(view).to_string()))
}

fn written(status: StatusCode, body: String) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}

fn refused(refusal: &Refusal) -> Response {
    let status = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut body = json!({ "error": { "code": refusal.code, "message": refusal.message } });
    if let Some(field) = refusal.field {
        body["error"]["field"] = json!(field);
    }
    let mut answer = written(status, body.to_string());
    if refusal.status == 503 {
        answer.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from_static("1"));
    }
    answer
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        refused(&self)
    }
}
