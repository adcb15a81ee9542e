//! A request before it is sent: data, so that it can be frozen, shown and compared. Owns no address: the origin is the
//! system's, a request has only a path below it.

use super::classify::Access;
use http::Method;
use serde_json::Value;

/// One call. A secret never stands in it; who we are is added when it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    pub access: Access,
    pub method: Method,
    /// Path and query below the system's base URL: `/sales?reference=acme-order-1`.
    pub path: String,
    pub headers: Vec<(String, String)>,
    /// Sent as it is, byte for byte.
    pub body: Option<Vec<u8>>,
    /// Where the answer may be as long as it needs to be: overrides the system's bound.
    pub answer_bytes_max: Option<u64>,
}

impl Request {
    fn new(access: Access, method: Method, path: impl Into<String>) -> Self {
        Self { access, method, path: path.into(), headers: Vec::new(), body: None, answer_bytes_max: None }
    }

    /// A call that changes nothing. Its method need not be GET: a query by POST is a read too.
    pub fn read(method: Method, path: impl Into<String>) -> Self {
        Self::new(Access::Read, method, path)
    }

    /// A call that may change something.
    pub fn write(method: Method, path: impl Into<String>) -> Self {
        Self::new(Access::Write, method, path)
    }

    /// A read that asks after the system and the credentials.
    pub fn health(method: Method, path: impl Into<String>) -> Self {
        Self::new(Access::Health, method, path)
    }

    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Bytes of a kind that a header of the caller's names.
    pub fn body(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.body = Some(bytes.into());
        self
    }

    /// Frozen bytes of JSON.
    pub fn json_bytes(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.body = Some(bytes.into());
        self.header("content-type", "application/json")
    }

    /// A JSON value; the same value gives the same bytes.
    pub fn json(self, value: &Value) -> Self {
        self.json_bytes(value.to_string())
    }

    pub fn answer_bytes_max(mut self, bytes: u64) -> Self {
        self.answer_bytes_max = Some(bytes);
        self
    }
}
