//! Who may ask: whoever has the token, or whoever can open the operator's socket. Without the token every path below
//! `/admin` answers alike, so that nothing tells what exists.

use super::AdminError;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use std::sync::Arc;
use subtle::ConstantTimeEq as _;

/// How one door is guarded.
#[derive(Debug)]
pub enum Guard {
    /// `Authorization: Bearer <token>`.
    Bearer(SecretString),
    /// The socket's file is its owner's alone.
    Socket,
}

impl Guard {
    /// Tells by its time neither how much of a token was right nor how long it is. An empty token opens nothing.
    fn admits(&self, headers: &HeaderMap) -> bool {
        let token = match self {
            Guard::Socket => return true,
            Guard::Bearer(token) => token.expose_secret(),
        };
        let given = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let digest = |text: &str| Sha256::digest(text.as_bytes());
        let same = |given: &str| bool::from(digest(given).ct_eq(&digest(token)));
        !token.is_empty() && given.and_then(|value| value.strip_prefix("Bearer ")).is_some_and(same)
    }
}

pub(super) async fn guard(State(guard): State<Arc<Guard>>, request: Request, next: Next) -> Response {
    if guard.admits(request.headers()) {
        return next.run(request).await;
    }
    let mut response = AdminError::unauthorized().into_response();
    response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    response
}
