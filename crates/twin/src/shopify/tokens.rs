//! `POST /admin/oauth/access_token`: the client credentials grant for an app of the store's own organisation
//! (shopify.dev: "Using the client credentials grant"). Takes a form or JSON, gives a token of a day, and refuses as the
//! original does: 400 with an OAuth error.

use super::shop::Shop;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use reqwest::Url;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// A day, less the second that the original takes off.
const LIFE: Duration = Duration::from_secs(86_399);

/// What was given, and until when it serves.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    given: Mutex<(u64, BTreeMap<String, Timestamp>)>,
}

impl Tokens {
    fn give(&self, now: Timestamp) -> String {
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        given.0 += 1;
        let token = format!("shpat_granted{:08}", given.0);
        given.1.insert(token.clone(), now.checked_add(LIFE).unwrap_or(Timestamp::MAX));
        token
    }

    pub(super) fn serves(&self, token: &[u8], now: Timestamp) -> bool {
        let given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        std::str::from_utf8(token).is_ok_and(|token| given.1.get(token).is_some_and(|until| now < *until))
    }

    pub(super) fn count(&self) -> u64 {
        self.given.lock().unwrap_or_else(PoisonError::into_inner).0
    }

    pub(super) fn revoke(&self) {
        self.given.lock().unwrap_or_else(PoisonError::into_inner).1.clear();
    }
}

pub(super) async fn access_token(State(shop): State<Arc<Shop>>, headers: HeaderMap, body: Bytes) -> Response {
    shop.count("token_requests");
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let Some(asked) = fields(kind, &body) else {
        return refusal("invalid_request", "Could not read the request's parameters");
    };
    let field = |name: &str| asked.get(name).map(String::as_str).unwrap_or_default();
    if field("grant_type") != "client_credentials" {
        return refusal("unsupported_grant_type", "The grant type is not supported");
    }
    if field("client_id") != shop.config.client_id {
        return refusal(
            "application_cannot_be_found",
            "The application cannot be found. Verify that the client_id is correct.",
        );
    }
    if field("client_secret") != shop.config.client_secret {
        return refusal("invalid_client", "Client authentication failed");
    }
    if !shop.config.own_organisation {
        return refusal("shop_not_permitted", "Client credentials cannot be performed on this shop.");
    }
    let scope = shop.granted().join(",");
    let granted = json!({
        "access_token": shop.tokens.give(shop.now()), "scope": scope, "expires_in": LIFE.as_secs(),
    });
    answered(StatusCode::OK, &granted)
}

fn fields(kind: &str, body: &[u8]) -> Option<BTreeMap<String, String>> {
    if kind.starts_with("application/json") {
        return serde_json::from_slice(body).ok();
    }
    if !kind.starts_with("application/x-www-form-urlencoded") {
        return None;
    }
    let form = Url::parse(&format!("http://form/?{}", std::str::from_utf8(body).ok()?)).ok()?;
    Some(form.query_pairs().into_owned().collect())
}

fn refusal(error: &str, description: &str) -> Response {
    answered(StatusCode::BAD_REQUEST, &json!({ "error": error, "error_description": description }))
}

fn answered(status: StatusCode, body: &Value) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "application/json; charset=utf-8"),
        (header::CACHE_CONTROL, "no-cache, no-store, must-revalidate"),
    ];
    (status, headers, body.to_string()).into_response()
}
