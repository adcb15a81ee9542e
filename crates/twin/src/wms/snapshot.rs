//! The whole stock as NDJSON, written as it is read: a million pairs need no memory of their own. Each piece is as the books
//! were at its moment; the last line says how many lines there were and from where the feed goes on.

use super::twin::Desk;
use axum::body::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

const PIECE: usize = 1000;

#[derive(Debug)]
pub(super) struct Snapshot {
    desk: Arc<Desk>,
    written: usize,
    /// Of the feed when it began: what changes meanwhile is told again.
    position: u64,
    tells_counted: bool,
    /// Ends there, without the last line.
    cut_after: Option<usize>,
    is_over: bool,
}

impl Snapshot {
    pub(super) fn new(desk: Arc<Desk>) -> Self {
        let knobs = desk.knobs();
        let position = desk.books().position();
        let cut_after = knobs.cut_snapshot_after.map(|after| usize::try_from(after).unwrap_or(usize::MAX));
        Self { desk, written: 0, position, tells_counted: knobs.tells_counted, cut_after, is_over: false }
    }

    /// The next lines; none at the end.
    fn next(&mut self) -> Option<Vec<u8>> {
        if self.is_over {
            return None;
        }
        let room = self.cut_after.map_or(PIECE, |after| after.saturating_sub(self.written).min(PIECE));
        let pairs = self.desk.books().stretch(self.written, room);
        self.written += pairs.len();
        let mut lines = String::with_capacity(pairs.len() * 192);
        for told in &pairs {
            lines.push_str(&told.item(self.tells_counted));
            lines.push('\n');
        }
        if self.cut_after == Some(self.written) {
            self.is_over = true;
        } else if pairs.len() < PIECE {
            self.is_over = true;
            lines.push_str(&format!("{{\"items\":{},\"next\":\"{}\"}}\n", self.written, self.position));
        }
        Some(lines.into_bytes())
    }
}

impl Body for Snapshot {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.next().map(|lines| Ok(Frame::data(lines.into()))))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::new()
    }
}
