//! Who may see a page: sessions, the guard before every page, headers on every answer.
//!
//! Nothing outside tells what exists: without a session every page answers alike.

mod attempts;
mod cookies;
mod sessions;

pub(crate) use attempts::Attempts;
pub(crate) use cookies::{FORM_COOKIE, SESSION_COOKIE, cookie, is_secure, read_cookie};
pub(crate) use sessions::{Session, Sessions};

use crate::error::PageError;
use crate::state::Ui;
use axum::extract::{Request, State};
use axum::http::header::{self, HeaderName, HeaderValue};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use sha2::{Digest, Sha256};
use std::net::IpAddr;
use std::sync::Arc;
use subtle::ConstantTimeEq;

/// Where a request came from, put into its extensions by the server that knows which proxies to trust. Without it all
/// logins share one limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientAddress(pub IpAddr);

/// Lets a request with a session pass, with that session among its extensions.
pub(crate) async fn guard(State(ui): State<Arc<Ui>>, mut request: Request, next: Next) -> Response {
    let now = ui.given.clock.now().mono;
    let id = read_cookie(request.headers(), SESSION_COOKIE);
    let session = id.and_then(|id| ui.sessions().find(&id, now));
    if let Some(session) = session {
        request.extensions_mut().insert(session);
        return next.run(request).await;
    }
    if request.method() != Method::GET {
        return PageError::SignedOut.into_response();
    }
    let wanted = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let login = match wanted {
        "/" => "/login".to_owned(),
        wanted => format!("/login?next={}", crate::words::escaped(wanted)),
    };
    Redirect::to(&login).into_response()
}

/// Compares without telling by its time how much was right, nor how long the secret is.
pub(crate) fn same_secret(given: &str, secret: &str) -> bool {
    let digest = |text: &str| Sha256::digest(text.as_bytes());
    digest(given).ct_eq(&digest(secret)).into()
}

/// No script but ours, no frame, no other origin, nothing kept by a cache.
const HEADERS: [(HeaderName, &str); 7] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; connect-src 'self'; \
         form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("permissions-policy"), "camera=(), microphone=(), geolocation=()"),
];

pub(crate) async fn headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        // A picture brings what it may do itself.
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    response
}

/// Refuses what another origin made the browser send, where the browser tells.
pub(crate) fn same_origin(headers: &axum::http::HeaderMap) -> Result<(), StatusCode> {
    match headers.get("sec-fetch-site").map(HeaderValue::as_bytes) {
        None | Some(b"same-origin" | b"none") => Ok(()),
        Some(_) => Err(StatusCode::FORBIDDEN),
    }
}
