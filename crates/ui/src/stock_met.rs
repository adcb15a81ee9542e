//! How much of what changed in stock was accepted in time, drawn alike on the front page and on that of stock. The figures and
//! the words on the source's clock are `engine::overview`'s.

use crate::cards::{Tone, two};
use crate::words::{Moment, moment, thousands};
use engine::overview::{Met, StockObjective};
use engine::waits::span;
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// One flow at one shop.
#[derive(Debug)]
pub(crate) struct StockMet {
    pub(crate) name: String,
    pub(crate) now: Figure,
    pub(crate) hour: Figure,
    pub(crate) source: String,
    pub(crate) clock: String,
    /// The source's clock is seen to be ahead.
    pub(crate) ahead: bool,
    pub(crate) since: Option<Moment>,
}

/// A share, against the objective.
#[derive(Debug)]
pub(crate) struct Figure {
    pub(crate) tone: Tone,
    pub(crate) share: String,
    pub(crate) note: String,
}

impl StockMet {
    pub(crate) fn of(stock: &StockObjective, now: Timestamp, zone: &TimeZone) -> Self {
        Self {
            name: format!("{} at {}", stock.flow, stock.shop),
            now: figure(&stock.now, stock),
            hour: figure(&stock.hour, stock),
            source: stock.source.to_string(),
            clock: stock.clock.words.clone(),
            ahead: stock.clock.least_ms.is_some_and(|least| least < 0),
            since: stock.since.map(|since| moment(since, now, zone)),
        }
    }
}

fn figure(met: &Met, of: &StockObjective) -> Figure {
    let Some(share) = met.share_per_10_000() else {
        if met.more {
            let note = "what is late has waited for so long that it cannot be counted".to_owned();
            return Figure { tone: Tone::Bad, share: "–".to_owned(), note };
        }
        return Figure { tone: Tone::Idle, share: "–".to_owned(), note: "nothing changed".to_owned() };
    };
    // What is late and was not counted makes the share smaller still.
    let (at_most, at_least) = if met.more { ("at most ", "at least ") } else { ("", "") };
    let late = match met.late {
        0 if met.more => ", some late now".to_owned(),
        0 => String::new(),
        late => format!(", {at_least}{} late now", thousands(late)),
    };
    Figure {
        tone: if met.holds() { Tone::Good } else { Tone::Bad },
        share: format!("{at_most}{}.{:02} %", share / 100, share % 100),
        note: format!(
            "{} of {at_least}{} within {}; objective {} %; p50 / p99 {}{late}",
            thousands(met.within),
            thousands(met.count),
            span(of.objective_ms),
            of.share_percent,
            two(met.p50_ms, met.p99_ms),
        ),
    }
}
