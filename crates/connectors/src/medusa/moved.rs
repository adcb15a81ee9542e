//! What moved in Medusa's stock. It has no list of that: all levels are read at each question, and compared with what the hub
//! has of them. Owns what that is, which is kept in memory alone: what was told counts once the hub comes back with the point
//! that it was told under, and is told again until then. A process that begins anew tells only what Medusa wrote since the point.

use super::levels::{Level, Of, Pages};
use super::source::Shared;
use connector::port::{CallContext, Changes, Fed};
use jiff::{SignedDuration, Timestamp};
use kernel::fault::Fault;
use std::collections::{BTreeMap, VecDeque};

/// What is given at once, and committed together.
const AT_ONCE: usize = 1000;
/// A change that was begun before another one, and committed after it, is within this.
const OVERLAP: SignedDuration = SignedDuration::from_mins(5);
/// Points of which it is not known whether the hub has committed them.
const GIVEN_MAX: usize = 4;

/// A pair, and what it has, in short.
pub(super) type Mark = ([u8; 16], u64);

/// What was told to one shop.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// What the hub has committed.
    shown: BTreeMap<[u8; 16], u64>,
    /// Each level has been compared once: what is not in `shown` is news.
    complete: bool,
    given: VecDeque<(String, Vec<Mark>)>,
    rest: Option<Rest>,
    /// Pairs that were read by themselves, and under which number: the hub has what that said, and not what was told before.
    read: BTreeMap<[u8; 16], i64>,
}

/// What of a reading is not given yet, and under which point it is asked for.
#[derive(Debug)]
struct Rest {
    point: String,
    then: Point,
    waiting: VecDeque<(Mark, Fed)>,
}

/// `2026-11-26T14:00:00Z/812…/ROT=sloc_1`: how new the newest level was of which all were told, the number of the reading, and
/// which locations it was of.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Point {
    newest: Option<Timestamp>,
    number: i64,
    locations: String,
}

impl Point {
    fn read(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, '/');
        let (newest, number) = (parts.next()?.parse().ok(), parts.next()?.parse().ok()?);
        Some(Self { newest, number, locations: parts.next()?.to_owned() })
    }

    fn text(&self) -> String {
        let newest = self.newest.map(|at| at.to_string()).unwrap_or_default();
        format!("{newest}/{}/{}", self.number, self.locations)
    }
}

impl Shared {
    pub(super) async fn stock_changes(
        &self,
        call: &CallContext,
        after: Option<&str>,
    ) -> Result<Changes, Fault> {
        if let Some(rest) = self.told(&call.shop, |told| told.came_back(after)) {
            return Ok(rest);
        }
        let mut levels = Vec::new();
        let mut pages = Pages::new(Of::All);
        let began = self.numbers.next(call.now);
        while let Some(page) = pages.next(self, call).await? {
            levels.extend(page.levels.into_iter().map(|level| (page.number, level)));
        }
        let named = self.config.locations.iter().map(|(name, id)| format!("{name}={id}"));
        let locations = named.collect::<Vec<_>>().join(" ");
        Ok(self.told(&call.shop, |told| told.compared(levels, after, began, locations)))
    }
}

impl Told {
    /// The hub has committed what was given under this point. What of the same reading waits is given next.
    pub(super) fn came_back(&mut self, after: Option<&str>) -> Option<Changes> {
        let Some(after) = after else {
            *self = Self::default();
            return None;
        };
        if let Some(at) = self.given.iter().position(|(point, _)| point == after)
            && let Some((_, marks)) = self.given.remove(at)
        {
            self.shown.extend(marks);
        }
        let rest = self.rest.take().filter(|rest| rest.point == after)?;
        Some(self.give(rest.waiting, rest.then, Point::read(after).and_then(|point| point.newest)))
    }

    pub(super) fn compared(
        &mut self,
        levels: Vec<(i64, Level)>,
        after: Option<&str>,
        began: i64,
        locations: String,
    ) -> Changes {
        let before = after.and_then(Point::read).filter(|point| point.locations == locations);
        let newest = before.and_then(|point| point.newest);
        // Another process told it, if Medusa wrote it well before that point.
        let told_by_then = newest.filter(|_| !self.complete).map(|newest| newest - OVERLAP);
        let mut reached = newest;
        let mut waiting = VecDeque::new();
        for (number, level) in levels {
            reached = reached.max(Some(level.updated_at));
            let mark = level.mark();
            match self.read.get(&mark.0) {
                // It was read by itself after this page: its next reading is told, whatever it says.
                Some(read) if *read > number => continue,
                Some(_) => {}
                None if self.shown.get(&mark.0) == Some(&mark.1) => continue,
                None if told_by_then.is_some_and(|told| level.updated_at < told) => {
                    self.shown.insert(mark.0, mark.1);
                    continue;
                }
                None => {}
            }
            self.read.remove(&mark.0);
            self.shown.remove(&mark.0);
            waiting.push_back((mark, level.fed(number)));
        }
        self.read.retain(|_, number| *number >= began);
        self.complete = true;
        let then = Point { newest: reached, number: began, locations };
        match after {
            Some(after) if waiting.is_empty() => {
                Changes { items: Vec::new(), next: after.to_owned(), more: false }
            }
            _ => self.give(waiting, then, newest),
        }
    }

    /// The next part. Until the last of them the point is as new as the one before.
    fn give(
        &mut self,
        mut waiting: VecDeque<(Mark, Fed)>,
        then: Point,
        newest: Option<Timestamp>,
    ) -> Changes {
        let now: Vec<(Mark, Fed)> = waiting.drain(..waiting.len().min(AT_ONCE)).collect();
        let more = !waiting.is_empty();
        let next = if more {
            // Another number for each part: a point that stays the same says that there is no headway.
            let number = then.number.saturating_sub(i64::try_from(waiting.len()).unwrap_or(i64::MAX));
            Point { newest, number, locations: then.locations.clone() }.text()
        } else {
            then.text()
        };
        self.rest = more.then(|| Rest { point: next.clone(), then, waiting });
        let (marks, items): (Vec<Mark>, Vec<Fed>) = now.into_iter().unzip();
        self.given.push_back((next.clone(), marks));
        if self.given.len() > GIVEN_MAX {
            self.given.pop_front();
        }
        Changes { items, next, more }
    }

    /// One was read by itself, and is the hub's from now on.
    pub(super) fn read(&mut self, level: &Level, number: i64) {
        let (pair, _) = level.mark();
        let read = self.read.entry(pair).or_insert(number);
        *read = number.max(*read);
    }

    /// These were read for a full check, which may correct what the hub has of those that differ.
    pub(super) fn compare_only(&mut self, levels: &[Level], number: i64) {
        for level in levels {
            let mark = level.mark();
            if self.shown.get(&mark.0).is_some_and(|shown| *shown != mark.1) {
                self.read(level, number);
            }
        }
    }
}
