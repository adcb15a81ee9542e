//! What drawings over time have in common: where an instant stands, the labels below, and the shape of a drawing that the
//! template takes. Owns no meaning: what is drawn is each page's.

use crate::chart::{Dot, Mark, px};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use kernel::clock::{after, elapsed_ms};
use std::time::Duration;

const DAY_MS: u64 = 86_400_000;

/// One drawing; numbers are pixels of its own view box.
#[derive(Debug)]
pub(crate) struct Drawing {
    pub(crate) class: &'static str,
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) left: String,
    pub(crate) right: String,
    /// Where the texts of the ticks end.
    pub(crate) ticks_end: String,
    pub(crate) ticks: Vec<Mark>,
    pub(crate) times: Vec<Mark>,
    /// One for each time without a gap.
    pub(crate) lines: Vec<String>,
    pub(crate) dots: Vec<Dot>,
}

/// A stretch of time, from left to right.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stretch {
    pub(crate) left: f64,
    pub(crate) right: f64,
    pub(crate) from: Timestamp,
    pub(crate) length_ms: u64,
}

impl Stretch {
    /// By time: a gap is as wide as it was long. One instant alone stands in the middle.
    pub(crate) fn x(&self, at: Timestamp) -> f64 {
        if self.length_ms == 0 {
            return f64::midpoint(self.left, self.right);
        }
        let share = elapsed_ms(self.from, at).min(self.length_ms) as f64 / self.length_ms as f64;
        self.left + share * (self.right - self.left)
    }

    /// So many labels, evenly.
    pub(crate) fn times(&self, zone: &TimeZone, labels: u64) -> Vec<Mark> {
        let form = if self.length_ms >= 2 * DAY_MS { "%-d %b" } else { "%-d %b %H:%M" };
        let labels = if self.length_ms == 0 { 1 } else { labels };
        let mark = |place: u64| {
            let offset_ms = self.length_ms / labels.saturating_sub(1).max(1) * place;
            let at = after(self.from, Duration::from_millis(offset_ms));
            let x = self.x(at);
            // The first and last label stay within the drawing.
            let text_x = x.clamp(self.left + 24.0, self.right - 24.0);
            Mark {
                at: px(x),
                text_at: px(text_x),
                text: at.to_zoned(zone.clone()).strftime(form).to_string(),
            }
        };
        let mut marks: Vec<Mark> = (0..labels).map(mark).collect();
        // A short stretch has no two days to tell apart.
        marks.dedup_by(|next, before| next.text == before.text);
        marks
    }
}
