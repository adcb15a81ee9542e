//! A work that takes its time, answered as one JSON object a line (`application/x-ndjson`): how far it is, at most a few
//! times a second, and last its result or its error. A client that goes away stops the work.

use super::{AdminError, AdminParts};
use axum::body::Body;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use engine::work::Progress;
use http::HeaderValue;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http_body::Frame;
use kernel::clock::{Clock, Mono};
use serde::Serialize;
use serde_json::json;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::mpsc;

/// A line of progress at most this often.
const TELL_EVERY: Duration = Duration::from_millis(250);
/// Lines that a slow client has not read yet; further ones of progress are left out.
const LINES: usize = 16;

/// Runs a work on a task of its own and answers with its lines.
pub(super) fn streamed<W, F, T>(parts: &Arc<AdminParts>, work: W) -> Response
where
    W: FnOnce(Arc<Teller>) -> F,
    F: Future<Output = Result<T, AdminError>> + Send + 'static,
    T: Serialize + Send + 'static,
{
    let (lines, inbox) = mpsc::channel(LINES);
    let teller = Arc::new(Teller::new(lines.clone(), parts.clock.clone()));
    let work = work(teller);
    tokio::spawn(async move {
        let result = tokio::select! {
            biased;
            // Also while it waits for an answer of the source.
            () = lines.closed() => return,
            result = work => result,
        };
        let last = match &result {
            Ok(result) => line(&json!({ "result": result })),
            Err(error) => line(&error.told()),
        };
        // Nobody reads it any more: there is nobody to tell.
        let _ = lines.send(last).await;
    });
    let mut response = Body::new(Lines { inbox }).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-ndjson"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn line(value: &impl Serialize) -> Bytes {
    let mut line = serde_json::to_vec(value).unwrap_or_else(|error| {
        let message = format!("the result cannot be written: {error}");
        json!({ "error": { "code": "TG-7021", "message": message } }).to_string().into_bytes()
    });
    line.push(b'\n');
    line.into()
}

/// Tells how far a work is. What several parts of a work have done is counted together.
pub(super) struct Teller {
    lines: mpsc::Sender<Bytes>,
    clock: Arc<dyn Clock>,
    began: Mono,
    told_ns: AtomicU64,
}

impl Teller {
    fn new(lines: mpsc::Sender<Bytes>, clock: Arc<dyn Clock>) -> Self {
        let began = clock.now().mono;
        Self { lines, clock, began, told_ns: AtomicU64::new(began.0) }
    }

    /// `done` of `total` (0: not known); false once the client is gone.
    pub(super) fn tell(&self, done: u64, total: u64) -> bool {
        let now = self.clock.now().mono;
        if now.since(Mono(self.told_ns.load(Ordering::Relaxed))) >= TELL_EVERY {
            self.told_ns.store(now.0, Ordering::Relaxed);
            let took_ms = u64::try_from(now.since(self.began).as_millis()).unwrap_or(u64::MAX).max(1);
            let rate_per_s = done.saturating_mul(1000) / took_ms;
            let progress = json!({ "progress": { "done": done, "total": total, "rate_per_s": rate_per_s } });
            // A client that reads slowly misses some.
            let _ = self.lines.try_send(line(&progress));
        }
        !self.lines.is_closed()
    }

    /// For one part of a work, of which other parts had done so many before.
    pub(super) fn after(&self, before: u64) -> After<'_> {
        After { teller: self, before }
    }
}

/// One part of a work.
pub(super) struct After<'a> {
    teller: &'a Teller,
    before: u64,
}

impl Progress for After<'_> {
    fn at(&self, done: u64, total: u64) -> bool {
        self.teller.tell(self.before + done, total)
    }
}

struct Lines {
    inbox: mpsc::Receiver<Bytes>,
}

impl http_body::Body for Lines {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.inbox.poll_recv(context).map(|line| line.map(|line| Ok(Frame::data(line))))
    }
}
