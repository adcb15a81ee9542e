//! Answers, whole and broken: the body that hyper sends may stop half-way, drip, or never end.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::Response;
use hyper::body::{Body, Frame, SizeHint};
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, ETAG, HeaderName, HeaderValue, LOCATION, RETRY_AFTER};
use serde_json::Value;
use tokio::time::Sleep;

use super::clock::pause;
use super::refusal::Refusal;

/// What the back office means to say.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Bytes,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
}

pub(super) const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

impl Answer {
    pub(super) fn json(status: u16, value: &Value) -> Self {
        Self::bytes(status, Bytes::from(value.to_string()))
    }

    pub(super) fn bytes(status: u16, body: Bytes) -> Self {
        Self { status, body, headers: Vec::new() }
    }

    pub(super) fn refusal(refusal: &Refusal) -> Self {
        Self::json(refusal.code.status(), &refusal.body())
    }

    /// The version goes as entity tag.
    pub(super) fn with_version(mut self, version: u32) -> Self {
        if let Ok(value) = HeaderValue::from_str(&format!("\"{version}\"")) {
            self.headers.push((ETAG, value));
        }
        self
    }

    pub(super) fn with_retry_after(mut self, seconds: u64) -> Self {
        self.headers.push((RETRY_AFTER, HeaderValue::from(seconds)));
        self
    }

    pub(super) fn with_location(mut self, location: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(location) {
            self.headers.push((LOCATION, value));
        }
        self
    }

    pub(super) fn replayed(mut self) -> Self {
        self.headers.push((REPLAYED, HeaderValue::from_static("true")));
        self
    }

    pub(super) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    pub(super) fn whole(self) -> Response<AnswerBody> {
        let length = self.body.len() as u64;
        let body = AnswerBody::Whole(self.body.clone());
        self.response(length, body)
    }

    /// Promises the whole length and stops in the middle.
    pub(super) fn half(self) -> Response<AnswerBody> {
        let length = self.body.len() as u64;
        let half = self.body.slice(..self.body.len() / 2);
        self.response(length, AnswerBody::Half { half: Some(half), flushed: false })
    }

    /// In eight pieces, spread over that time.
    pub(super) fn slow(self, ms: u64) -> Response<AnswerBody> {
        let length = self.body.len() as u64;
        let body = self.body.clone();
        let piece = body.len() / 8 + 1;
        self.response(length, AnswerBody::Slow { left: body, piece, pause_ms: ms / 8, sleep: None })
    }

    /// Valid JSON as far as anyone will read it: a string of that many bytes.
    pub(super) fn huge(self, bytes: u64) -> Response<AnswerBody> {
        self.response(bytes, AnswerBody::Huge { left: bytes, begun: false })
    }

    pub(super) fn garbage(mut self) -> Response<AnswerBody> {
        self.status = 200;
        self.body = Bytes::from_static(b"{\"id\": \xff\xfe\x00<html><h1>It works!</h1>]]");
        self.whole()
    }

    fn response(self, length: u64, body: AnswerBody) -> Response<AnswerBody> {
        let mut response = Response::new(body);
        *response.status_mut() = hyper::StatusCode::from_u16(self.status).unwrap_or_default();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
        headers.extend(self.headers);
        response
    }
}

#[derive(Debug)]
pub(super) enum AnswerBody {
    Whole(Bytes),
    Half { half: Option<Bytes>, flushed: bool },
    Slow { left: Bytes, piece: usize, pause_ms: u64, sleep: Option<Pin<Box<Sleep>>> },
    Huge { left: u64, begun: bool },
}

/// The connection ends here, by intent.
#[derive(Debug)]
pub(super) struct Dropped;

impl std::fmt::Display for Dropped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the connection was dropped, as asked for")
    }
}

impl std::error::Error for Dropped {}

const HUGE_PIECE: &[u8; 65_536] = &[b'x'; 65_536];

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = Dropped;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Dropped>>> {
        match self.get_mut() {
            Self::Whole(body) => match std::mem::take(body) {
                empty if empty.is_empty() => Poll::Ready(None),
                body => data(body),
            },
            Self::Half { half, flushed } => match half.take() {
                Some(half) => data(half),
                // Once pending, so that the half is on the wire before the connection ends.
                None if !*flushed => {
                    *flushed = true;
                    context.waker().wake_by_ref();
                    Poll::Pending
                }
                None => Poll::Ready(Some(Err(Dropped))),
            },
            Self::Slow { left, piece, pause_ms, sleep } => {
                if left.is_empty() {
                    return Poll::Ready(None);
                }
                let waiting = sleep.get_or_insert_with(|| Box::pin(pause(*pause_ms)));
                if waiting.as_mut().poll(context).is_pending() {
                    return Poll::Pending;
                }
                *sleep = None;
                data(left.split_to((*piece).min(left.len())))
            }
            Self::Huge { left: 0, .. } => Poll::Ready(None),
            Self::Huge { left, begun } => {
                let length = usize::try_from(*left).unwrap_or(usize::MAX).min(HUGE_PIECE.len());
                *left -= length as u64;
                if std::mem::replace(begun, true) {
                    return data(Bytes::from_static(&HUGE_PIECE[..length]));
                }
                let mut first = HUGE_PIECE[..length].to_vec();
                if let Some(start) = first.get_mut(..9) {
                    start.copy_from_slice(b"{\"junk\":\"");
                }
                data(Bytes::from(first))
            }
        }
    }

    /// Unknown on purpose: the header says what is promised.
    fn size_hint(&self) -> SizeHint {
        SizeHint::new()
    }
}

fn data(bytes: Bytes) -> Poll<Option<Result<Frame<Bytes>, Dropped>>> {
    Poll::Ready(Some(Ok(Frame::data(bytes))))
}
