//! Who may ask: whoever has the token, or whoever can open the operator's socket. Without the token every path below
//! `/admin` answers alike, so that nothing tells what exists.

use super::AdminError;
use crate::bearer::bears;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::header::WWW_AUTHENTICATE;
use http::{HeaderMap, HeaderValue};
use secrecy::SecretString;
use std::sync::Arc;

/// How one door is guarded.
#[derive(Debug)]
pub enum Guard {
    /// `Authorization: Bearer <token>`.
    Bearer(SecretString),
    /// The socket's file is its owner's alone.
    Socket,
}

impl Guard {
    fn admits(&self, headers: &HeaderMap) -> bool {
        match self {
            Guard::Socket => true,
            Guard::Bearer(token) => bears(headers, token),
        }
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
