//! A request's body that has to be whole within a time, whoever reads it. The doors have a deadline of their own and
//! answer 408 by it; this one is for every handler that has none, such as a form. A body that goes to the disk as it comes may be
//! long: of that it is each silence that has an end.

use crate::timer::{Timer, timer};
use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use std::io::{Error, ErrorKind};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

/// A handler with a deadline of its own answers by that one.
const AFTER_THE_HANDLER: Duration = Duration::from_secs(2);

pub(super) struct Whole {
    body: Incoming,
    within: Duration,
    /// Each piece begins the time anew.
    flows: bool,
    /// From when the body is first waited for.
    left: Option<Timer>,
}

impl Whole {
    pub(super) fn new(body: Incoming, deadline: Duration) -> Self {
        Self { body, within: deadline + AFTER_THE_HANDLER, flows: false, left: None }
    }

    pub(super) fn flowing(body: Incoming, deadline: Duration) -> Self {
        Self { flows: true, ..Self::new(body, deadline) }
    }
}

impl Body for Whole {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) {
            if self.flows {
                self.left = None;
            }
            return Poll::Ready(frame.map(|frame| frame.map_err(Error::other)));
        }
        let within = self.within;
        let left = self.left.get_or_insert_with(|| timer(within));
        let _ = ready!(left.as_mut().poll(context));
        Poll::Ready(Some(Err(Error::new(ErrorKind::TimedOut, "the body was not whole in time"))))
    }
    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }
    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
