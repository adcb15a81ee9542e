//! A whole answer, within its bound. Owns its reading as JSON and what may be shown of it.

use super::classify::{self, Access, Failure};
use super::redact::Redactor;
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use kernel::fault::Fault;
use serde::de::DeserializeOwned;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// What came back: a status of any kind, and the body to its end.
#[derive(Clone)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
    /// What it is the answer to.
    pub access: Access,
    pub(super) now: Timestamp,
    pub(super) redactor: Arc<Redactor>,
}

impl fmt::Debug for Answer {
    /// Neither headers nor body: they may hold what must not be shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer")
            .field("status", &self.status)
            .field("body_bytes", &self.body.len())
            .field("access", &self.access)
            .finish_non_exhaustive()
    }
}

impl Answer {
    /// Itself, if its status is 2xx; else the fault that the status means.
    pub fn success(self) -> Result<Self, Fault> {
        match classify::status(&self) {
            None => Ok(self),
            Some(fault) => Err(fault),
        }
    }

    /// The body as JSON. What is not JSON is Ambiguous after a write, Transient after a read.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        serde_json::from_slice(&self.body)
            .map_err(|error| self.unreadable(format!("{error}; it begins: {}", self.excerpt())))
    }

    /// The fault of an answer that came whole and says nothing that we understand.
    pub fn unreadable(&self, why: impl Into<String>) -> Fault {
        classify::failure(self.access, &Failure::Unreadable(why.into()))
    }

    /// A header as text; the first, where there are several.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// `Retry-After`, counted from the call's `now`.
    pub fn retry_after(&self) -> Option<Duration> {
        classify::retry_after(self.header("retry-after")?, self.now)
    }

    /// What a person may see of the body: one bounded line without secrets.
    pub fn excerpt(&self) -> String {
        self.redactor.excerpt(&self.body)
    }

    /// A text of the answer, such as its message, as a person may see it.
    pub fn redacted(&self, text: &str) -> String {
        self.redactor.text(text)
    }
}
