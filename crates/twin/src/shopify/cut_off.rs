//! An answer that stops half-way: its length is announced, half of it comes, and the connection breaks.

use axum::body::{Body, Bytes};
use axum::http::header::CONTENT_LENGTH;
use axum::http::{HeaderValue, Response};
use axum::response::Response as Answer;
use http_body_util::BodyExt as _;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use std::pin::Pin;
use std::task::{Context, Poll};

/// The connection ends here, by intent.
#[derive(Debug)]
struct Dropped;

impl std::fmt::Display for Dropped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the connection was dropped, as asked for")
    }
}

impl std::error::Error for Dropped {}

struct Half {
    half: Option<Bytes>,
    flushed: bool,
}

impl HttpBody for Half {
    type Data = Bytes;
    type Error = Dropped;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Dropped>>> {
        match self.half.take() {
            Some(half) => Poll::Ready(Some(Ok(Frame::data(half)))),
            // Once pending, so that the half is on the wire before the connection ends.
            None if !self.flushed => {
                self.flushed = true;
                context.waker().wake_by_ref();
                Poll::Pending
            }
            None => Poll::Ready(Some(Err(Dropped))),
        }
    }

    /// Unknown on purpose: the header says what is promised.
    fn size_hint(&self) -> SizeHint {
        SizeHint::new()
    }
}

/// The same answer, of which only half arrives.
pub(super) async fn cut_off(whole: Answer) -> Answer {
    let (mut head, body) = whole.into_parts();
    // What this server made itself is there at once.
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    head.headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
    let half = Half { half: Some(body.slice(..body.len() / 2)), flushed: false };
    Response::from_parts(head, Body::new(half))
}
