//! What a shop has of one pair this moment, made ready for its card: the figures, since when, why they are not what they are to be, and
//! the terms between.

use super::stock_pair::{Term, term};
use crate::words::{Moment, moment};
use engine::work::stock_now::{Answered, StockNow, why_words};
use jiff::Timestamp;
use jiff::tz::TimeZone;

#[derive(Debug)]
pub(crate) struct ShopNow {
    /// The shop answered: its figures stand, as far as it has the item.
    pub(crate) answered: bool,
    pub(crate) in_flight: String,
    pub(crate) to_show: String,
    pub(crate) available: String,
    pub(crate) committed: String,
    pub(crate) since: Option<Moment>,
    /// The shop's own page of what happened to it.
    pub(crate) history_url: Option<String>,
    pub(crate) why: Option<String>,
    /// Why the shop was not asked, did not answer, or has nothing.
    pub(crate) problem: Option<String>,
    pub(crate) terms: Vec<Term>,
}

impl ShopNow {
    pub(super) fn of(seen: StockNow, now: Timestamp, zone: &TimeZone) -> Self {
        let figure = |of: Option<i64>| of.map_or_else(|| "–".to_owned(), |figure| figure.to_string());
        let problem = seen.problem.map(|problem| match seen.answered {
            Answered::NotAsked => format!("The shop was not asked what it has now: {problem}."),
            Answered::Unreachable => format!("The shop could not be asked what it has now: {problem}"),
            Answered::Answered => problem,
        });
        Self {
            answered: seen.answered == Answered::Answered,
            in_flight: figure(seen.in_flight),
            to_show: figure(seen.to_show),
            available: figure(seen.available),
            committed: figure(seen.committed),
            since: seen.since.map(|since| moment(since, now, zone)),
            history_url: seen.history_url,
            why: seen.why.map(|why| why_words(why).to_owned()),
            problem,
            terms: seen.terms.iter().map(|line| term(line)).collect(),
        }
    }
}
