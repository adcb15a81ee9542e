//! A request body that tells whether the request may have left. Owns the one fact on which Transient and Ambiguous
//! part: hyper asks for a body only when it has a connection and writes the head into its buffer, and flushes only
//! after that, so a body that nobody asked for belongs to a request of which no byte has left.

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

/// Set before the first byte can leave; unset only by an answer that says that nothing was done.
#[derive(Debug, Clone, Default)]
pub(super) struct MayHaveLeft(Arc<AtomicBool>);

impl MayHaveLeft {
    pub(super) fn get(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
    pub(super) fn nothing_was_done(&self) {
        self.0.store(false, Ordering::SeqCst);
    }
    fn set(&self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

#[derive(Debug)]
pub(super) struct MarkedBody {
    bytes: Option<Bytes>,
    left: MayHaveLeft,
}

impl MarkedBody {
    pub(super) fn new(bytes: Bytes, left: MayHaveLeft) -> Self {
        Self { bytes: Some(bytes).filter(|bytes| !bytes.is_empty()), left }
    }
}

impl Body for MarkedBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.left.set();
        Poll::Ready(self.bytes.take().map(|bytes| Ok(Frame::data(bytes))))
    }

    /// An empty body is never asked for its bytes, only whether it is empty. Who asks early makes a fault Ambiguous
    /// that could have been Transient; the other way round cannot be.
    fn is_end_stream(&self) -> bool {
        if self.bytes.is_none() {
            self.left.set();
        }
        self.bytes.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
    }
}
