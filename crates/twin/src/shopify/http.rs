//! The HTTP surface: the Admin GraphQL endpoint, the results of bulk operations, and all else as the storefront's.
//! Refusals before GraphQL (token, version, body) are the original's.

use super::app_proxy::storefront;
use super::clock::after;
use super::contract::API_VERSION;
use super::cut_off::cut_off;
use super::document::{Call, answer, asked, throttled_answer};
use super::faults::ApiFault;
use super::shop::Shop;
use super::staged::receive_upload;
use super::tokens::access_token;
use apollo_compiler::response::JsonMap;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

const BODY_BYTES_MAX: usize = 10 * 1024 * 1024;
const VERSION_HEADER: HeaderName = HeaderName::from_static("x-shopify-api-version");

pub(super) fn router(shop: Arc<Shop>) -> Router {
    Router::new()
        .route("/admin/api/{version}/graphql.json", post(graphql))
        .route("/admin/oauth/access_token", post(access_token))
        .route("/bulk/{file}", get(bulk_result))
        .fallback(storefront)
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        // Streamed to a file, within a bound of its own.
        .route("/staged", post(receive_upload).layer(DefaultBodyLimit::disable()))
        .with_state(shop)
}

pub(super) async fn not_found() -> Response {
    refusal(StatusCode::NOT_FOUND, &json!("Not Found"))
}

async fn graphql(
    State(shop): State<Arc<Shop>>,
    Path(version): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    shop.count("requests");
    if version != API_VERSION {
        return not_found().await;
    }
    let token = headers.get("x-shopify-access-token").map(|token| token.as_bytes());
    let known =
        |token: &[u8]| token == shop.config.access_token.as_bytes() || shop.tokens.serves(token, shop.now());
    if !token.is_some_and(known) {
        shop.count("unauthorized");
        let text = "[API] Invalid API key or access token (unrecognized login or wrong password)";
        return refusal(StatusCode::UNAUTHORIZED, &json!(text));
    }
    let call = match call(&headers, &body) {
        Ok(call) => call,
        Err(refused) => return refused,
    };
    let request = match shop.request(false) {
        Ok(request) => request,
        Err(error) => return refusal(StatusCode::INTERNAL_SERVER_ERROR, &json!(error.to_string())),
    };
    let asked = asked(&request, &call);
    let Some(fault) = shop.faults.fate(&asked) else {
        return answered(StatusCode::OK, &answer(&request, &call));
    };
    shop.count(fault.name());
    let failed = |status: StatusCode| refusal(status, &json!(status.canonical_reason()));
    match fault {
        ApiFault::Throttled => answered(StatusCode::OK, &throttled_answer(&shop)),
        ApiFault::ErrorBefore => failed(StatusCode::SERVICE_UNAVAILABLE),
        ApiFault::ErrorAfter => {
            answer(&request, &call);
            failed(StatusCode::BAD_GATEWAY)
        }
        ApiFault::CutOff => cut_off(answered(StatusCode::OK, &answer(&request, &call))).await,
        ApiFault::Unanswered => {
            answer(&request, &call);
            std::future::pending().await
        }
        ApiFault::TooMany => {
            let text = json!(
                "Exceeded the allowed rate of requests per second. Reduce request rates to resume uninterrupted service."
            );
            let mut refused = refusal(StatusCode::TOO_MANY_REQUESTS, &text);
            refused.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("2.0"));
            refused
        }
        ApiFault::Late | ApiFault::Slow => {
            let due = after(shop.config.clock.now(), shop.faults.late_by());
            let keys = if fault == ApiFault::Slow { asked.keys } else { Vec::new() };
            shop.state().stock.keys.begin(&keys);
            tokio::spawn(async move {
                request.shop.config.clock.wait_until(due).await;
                request.shop.state().stock.keys.end(&keys);
                answer(&request, &call);
            });
            failed(StatusCode::GATEWAY_TIMEOUT)
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Posted {
    query: String,
    #[serde(default)]
    variables: Option<JsonMap>,
    #[serde(default)]
    operation_name: Option<String>,
}

fn call(headers: &HeaderMap, body: &Bytes) -> Result<Call, Response> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if kind.starts_with("application/graphql") {
        let query = String::from_utf8_lossy(body).into_owned();
        return Ok(Call { query, ..Call::default() });
    }
    if !kind.starts_with("application/json") {
        return Err(refusal(StatusCode::NOT_ACCEPTABLE, &json!("Content-Type must be application/json")));
    }
    let posted: Posted = serde_json::from_slice(body).map_err(|_| {
        refusal(StatusCode::BAD_REQUEST, &json!({ "query": "Required parameter missing or invalid" }))
    })?;
    Ok(Call {
        query: posted.query,
        variables: posted.variables.unwrap_or_default(),
        operation_name: posted.operation_name,
    })
}

/// JSON lines of a finished bulk operation; the address is its only key, as with the original's signed one.
async fn bulk_result(State(shop): State<Arc<Shop>>, Path(file): Path<String>) -> Response {
    let id = file.strip_suffix(".jsonl").and_then(|id| id.parse().ok());
    let found =
        id.and_then(|id: u64| shop.state().bulk.get(&id).and_then(|operation| operation.result.clone()));
    match found {
        Some(lines) => {
            let headers = [
                (header::CONTENT_TYPE, "application/jsonl".to_owned()),
                (header::CONTENT_LENGTH, lines.bytes.to_string()),
            ];
            match lines.read() {
                Ok(pieces) => (headers, Body::from_stream(pieces)).into_response(),
                Err(error) => refusal(StatusCode::INTERNAL_SERVER_ERROR, &json!(error.to_string())),
            }
        }
        None => not_found().await,
    }
}

pub(super) fn refusal(status: StatusCode, errors: &Value) -> Response {
    answered(status, &json!({ "errors": errors }))
}

fn answered(status: StatusCode, body: &Value) -> Response {
    let headers = [(VERSION_HEADER, API_VERSION), (header::CONTENT_TYPE, "application/json; charset=utf-8")];
    (status, headers, body.to_string()).into_response()
}
