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
    /// Stops there.
    stops_after: Option<(usize, Stop)>,
    /// Each stretch twice.
    mixed: bool,
    is_over: bool,
}

/// What becomes of a snapshot that stops before its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stop {
    /// It ends, without the last line.
    Cut,
    /// It ends as if that were all.
    Short,
    /// Nothing more comes, and no end.
    Hang,
}

impl Snapshot {
    pub(super) fn new(desk: Arc<Desk>) -> Self {
        let knobs = desk.knobs();
        let position = desk.books().position();
        let stops = [
            (knobs.cut_snapshot_after, Stop::Cut),
            (knobs.short_snapshot_after, Stop::Short),
            (knobs.hang_snapshot_after, Stop::Hang),
        ];
        let stops_after = stops
            .into_iter()
            .find_map(|(after, stop)| Some((usize::try_from(after?).unwrap_or(usize::MAX), stop)));
        Self {
            desk,
            written: 0,
            position,
            tells_counted: knobs.tells_counted,
            stops_after,
            mixed: knobs.mix_snapshots,
            is_over: false,
        }
    }

    /// The next lines; none at the end.
    fn next(&mut self) -> Option<Vec<u8>> {
        if self.is_over {
            return None;
        }
        let room = self.stops_after.map_or(PIECE, |(after, _)| after.saturating_sub(self.written).min(PIECE));
        let pairs = self.desk.books().stretch(self.written, room);
        self.written += pairs.len();
        let mut lines = String::with_capacity(pairs.len() * 192);
        for _ in 0..if self.mixed { 2 } else { 1 } {
            for told in &pairs {
                lines.push_str(&told.item(self.tells_counted));
                lines.push('\n');
            }
        }
        let stop = self.stops_after.filter(|(after, _)| *after == self.written).map(|(_, stop)| stop);
        self.is_over = stop.is_some() || pairs.len() < PIECE;
        if self.is_over && !matches!(stop, Some(Stop::Cut | Stop::Hang)) {
            let items = if self.mixed { self.written * 2 } else { self.written };
            lines.push_str(&format!("{{\"items\":{items},\"next\":\"{}\"}}\n", self.position));
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
        let lines = self.next();
        let hangs = lines.is_none() && self.stops_after.is_some_and(|(_, stop)| stop == Stop::Hang);
        // Nobody is woken: it ends when whoever reads it goes away.
        if hangs { Poll::Pending } else { Poll::Ready(lines.map(|lines| Ok(Frame::data(lines.into())))) }
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::new()
    }
}
