//! One answer over HTTP, and what tests ask of it.

use axum::Router;
use axum::body::Body;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt as _;
use serde_json::Value;
use tower::ServiceExt as _;

/// One answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) async fn of(
        router: Router,
        method: Method,
        path: &str,
        authorization: Option<&str>,
        body: Option<&str>,
    ) -> Self {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(authorization) = authorization {
            request = request.header("authorization", authorization);
        }
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_owned()));
        Self::to(router, request.body(body).unwrap()).await
    }

    pub(crate) async fn to(router: Router, request: Request<Body>) -> Self {
        let (head, body) = router.oneshot(request).await.unwrap().into_parts();
        let text = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
        Self { status: head.status, headers: head.headers, text }
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.status, StatusCode::OK, "{}", self.text);
        serde_json::from_str(&self.text).unwrap()
    }

    /// Every line, each whole JSON.
    pub(crate) fn lines(&self) -> Vec<Value> {
        assert_eq!(self.header("content-type"), "application/x-ndjson", "{}", self.text);
        self.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
    /// The result of a work that came to its end.
    pub(crate) fn result(&self) -> Value {
        let last = self.lines().pop().unwrap();
        assert!(last.get("result").is_some(), "{last}");
        last["result"].clone()
    }

    /// Refused with this code and a sentence that has these words.
    pub(crate) fn refused(&self, status: StatusCode, code: &str, words: &str) {
        assert_eq!(self.status, status, "{}", self.text);
        let told: Value = serde_json::from_str(&self.text).unwrap();
        assert_eq!(told["error"]["code"], code, "{told}");
        let message = told["error"]["message"].as_str().unwrap();
        assert!(message.contains(words), "{message:?} says nothing of {words:?}");
    }
}
