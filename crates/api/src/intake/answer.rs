//! What a door answers. Owns the statuses and the words that count them; the sender learns the status, and a reason
//! only where it can act on it.

use axum::response::{IntoResponse, Response};
use http::header::{CONNECTION, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, StatusCode};

/// One answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub status: StatusCode,
    /// For the counter and the log.
    pub reason: &'static str,
    pub retry_after_s: Option<u32>,
    /// The rest of the request is not read.
    pub close: bool,
    /// JSON for a system that pushes.
    pub text: Option<String>,
}

/// A commit may work again at once; a full disk takes a person.
const STORE_RETRY_S: u32 = 5;
const ROOM_RETRY_S: u32 = 2;
const DISK_RETRY_S: u32 = 60;

impl Answer {
    fn of(status: StatusCode, reason: &'static str) -> Self {
        Self { status, reason, retry_after_s: None, close: false, text: None }
    }

    /// It is committed, or was before, or nobody wants it: not to be sent again.
    pub fn taken(reason: &'static str) -> Self {
        Self::of(StatusCode::OK, reason)
    }
    /// A verdict of the verification; no word about why.
    pub fn refused(status: u16, reason: &'static str) -> Self {
        Self::of(StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST), reason)
    }
    pub fn unauthorized() -> Self {
        Self::of(StatusCode::UNAUTHORIZED, "unauthorized")
    }
    pub fn no_such_door() -> Self {
        Self::of(StatusCode::NOT_FOUND, "no_such_door")
    }
    /// What a pushing system has to mend, as JSON.
    pub fn mend(reason: &'static str, code: &str, message: &str) -> Self {
        let text = serde_json::json!({ "error": { "code": code, "message": message } }).to_string();
        Self { text: Some(text), ..Self::of(StatusCode::BAD_REQUEST, reason) }
    }

    /// TG-7001.
    pub fn too_large() -> Self {
        Self { close: true, ..Self::of(StatusCode::PAYLOAD_TOO_LARGE, "too_large") }
    }
    /// TG-7002.
    pub fn too_slow() -> Self {
        Self { close: true, ..Self::of(StatusCode::REQUEST_TIMEOUT, "too_slow") }
    }
    /// TG-7003.
    pub fn compressed() -> Self {
        Self { close: true, ..Self::of(StatusCode::UNSUPPORTED_MEDIA_TYPE, "compressed") }
    }
    /// The connection broke, or the chunks are no chunks.
    pub fn broken() -> Self {
        Self { close: true, ..Self::of(StatusCode::BAD_REQUEST, "broken_body") }
    }

    /// TG-7004.
    pub fn store_unavailable() -> Self {
        Self::later("store_unavailable", STORE_RETRY_S)
    }
    /// TG-7005.
    pub fn no_room() -> Self {
        Self { close: true, ..Self::later("no_room", ROOM_RETRY_S) }
    }
    /// TG-7006.
    pub fn disk_full() -> Self {
        Self { close: true, ..Self::later("disk_full", DISK_RETRY_S) }
    }
    fn later(reason: &'static str, retry_after_s: u32) -> Self {
        Self { retry_after_s: Some(retry_after_s), ..Self::of(StatusCode::SERVICE_UNAVAILABLE, reason) }
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        if let Some(text) = self.text {
            *response.body_mut() = text.into();
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        if let Some(seconds) = self.retry_after_s {
            response.headers_mut().insert(RETRY_AFTER, seconds.into());
        }
        if self.close {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}
