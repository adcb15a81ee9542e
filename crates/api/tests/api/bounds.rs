//! What is refused before anybody is asked who it is: too long, too slow, packed, or more than there is room for.

use crate::doors::{Doors, Webhook, Wish};
use crate::gated::Gated;
use axum::body::Body;
use bytes::Bytes;
use http::StatusCode;
use http_body::Frame;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};
use std::time::Duration;
use tidegate_api::intake::IntakeLimits;

/// A body in pieces, whose length nobody promises.
struct Pieces {
    pieces: Vec<Bytes>,
    /// After the last piece nothing comes any more, not even the end.
    never_ends: bool,
}

impl http_body::Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.pieces.pop() {
            Some(piece) => Poll::Ready(Some(Ok(Frame::data(piece)))),
            None if self.never_ends => Poll::Pending,
            None => Poll::Ready(None),
        }
    }
}

fn pieces(count: usize, bytes: usize, never_ends: bool) -> Body {
    Body::new(Pieces { pieces: vec![Bytes::from(vec![b' '; bytes]); count], never_ends })
}

fn small() -> IntakeLimits {
    IntakeLimits { body_bytes_max: 1000, received_uncommitted_max: 1500, ..IntakeLimits::default() }
}

#[tokio::test]
async fn a_body_over_the_bound_is_refused_whether_its_length_was_promised_or_not() {
    let doors = Doors::with(Wish { limits: small(), ..Default::default() });
    let promised = Webhook::new("orders/create", "w-1", vec![b' '; 1001]).header("content-length", "1001");
    let answer = doors.knock(promised).await;
    assert_eq!((answer.status, answer.header("connection")), (StatusCode::PAYLOAD_TOO_LARGE, "close"));
    let unpromised = Webhook::order("w-2").request_with(pieces(11, 100, false));
    let answer = doors.ask(unpromised).await;
    assert_eq!((answer.status, answer.header("connection")), (StatusCode::PAYLOAD_TOO_LARGE, "close"));
    // Whose length was promised too small.
    let lied = Webhook::order("w-3").header("content-length", "10").request_with(pieces(11, 100, true));
    assert_eq!(doors.ask(lied).await.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!((doors.counted(413, "too_large"), doors.log().await.len()), (3, 0));
    assert_eq!(doors.intake.room().used(), 0);
    // At the bound it is taken.
    let body = format!(r#"{{"id":5001,"note":"{}"}}"#, "x".repeat(1000 - 21));
    let answer = doors.knock(Webhook::new("orders/create", "w-4", body.clone())).await;
    assert_eq!((body.len(), answer.status), (1000, StatusCode::OK));
}

#[tokio::test(start_paused = true)]
async fn a_body_that_never_ends_is_cut_off_at_its_deadline() {
    let doors = Doors::new();
    let mut cut_off = doors.begin(Webhook::order("w-1").request_with(pieces(3, 100, true)));
    let early = tokio::time::timeout(Duration::from_millis(4_990), &mut cut_off).await;
    assert!(early.is_err(), "before its deadline");
    let answer = tokio::time::timeout(Duration::from_millis(20), cut_off).await.unwrap().unwrap();
    assert_eq!((answer.status, answer.header("connection")), (StatusCode::REQUEST_TIMEOUT, "close"));
    assert_eq!((doors.counted(408, "too_slow"), doors.intake.room().used()), (1, 0));
}

#[tokio::test]
async fn a_packed_body_is_not_unpacked() {
    let doors = Doors::new();
    for encoding in ["gzip", "br", "deflate", "identity, gzip", ""] {
        let answer = doors.knock(Webhook::order("w-1").header("content-encoding", encoding)).await;
        assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{encoding:?}");
        assert_eq!(answer.header("connection"), "close");
    }
    assert_eq!(doors.log().await.len(), 0);
    let plain = Webhook::order("w-1").header("content-encoding", "identity");
    assert_eq!(doors.knock(plain).await.status, StatusCode::OK);
}

#[tokio::test]
async fn at_the_bound_of_what_is_not_committed_the_sender_is_to_come_again() {
    let store = Gated::shut();
    let doors = Doors::with(Wish { store: store.clone(), limits: small(), ..Default::default() });
    let body = format!(r#"{{"id":5001,"note":"{}"}}"#, "x".repeat(900));
    let webhook = |id: &str| Webhook::new("orders/create", id, body.clone());
    let first = doors.begin(webhook("w-1").request());
    doors.at_gate(1).await;
    let promised = webhook("w-2").header("content-length", &body.len().to_string());
    for request in [promised.request(), webhook("w-3").request()] {
        let answer = doors.ask(request).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(answer.header("retry-after"), "2");
    }
    assert_eq!(doors.counted(503, "no_room"), 2);
    store.open();
    assert_eq!(first.await.unwrap().status, StatusCode::OK);
    assert_eq!(doors.knock(webhook("w-2")).await.status, StatusCode::OK, "room was given back");
    assert_eq!(doors.log().await.len(), 2);
}

#[tokio::test]
async fn a_backlog_is_no_reason_to_refuse() {
    let doors = Doors::with(Wish { limits: small(), ..Default::default() });
    for number in 0..200 {
        let answer = doors.knock(Webhook::order(&format!("w-{number}"))).await;
        assert_eq!(answer.status, StatusCode::OK);
    }
    // Nothing routes or delivers here: all of it waits.
    assert_eq!(doors.log().await.len(), 200);
}

#[tokio::test]
async fn below_the_free_space_nothing_is_taken_until_there_is_space_again() {
    let doors = Doors::new();
    let least = IntakeLimits::default().free_disk_min;
    doors.disk.0.store(least - 1, Ordering::SeqCst);
    let answer = doors.knock(Webhook::order("w-1")).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!((answer.header("retry-after"), answer.header("connection")), ("60", "close"));
    assert_eq!((doors.counted(503, "disk_full"), doors.log().await.len()), (1, 0));
    doors.disk.0.store(least, Ordering::SeqCst);
    doors.clock.forward(Duration::from_millis(250));
    assert_eq!(doors.knock(Webhook::order("w-1")).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_store_that_cannot_commit_is_no_promise() {
    let doors = Doors::new();
    doors.store.fails.store(true, Ordering::SeqCst);
    let answer = doors.knock(Webhook::order("w-1")).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.header("retry-after"), "5");
    assert_eq!(doors.counted(503, "store_unavailable"), 1);
    assert_eq!(doors.hub.appended.load(Ordering::SeqCst), 0);
    doors.store.fails.store(false, Ordering::SeqCst);
    assert_eq!(doors.knock(Webhook::order("w-1")).await.status, StatusCode::OK);
    assert_eq!(doors.log().await.len(), 1);
}
