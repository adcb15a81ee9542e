//! When work that no event drives is due: every so often, in a window, or at times of a place's own clock. Owns how it is
//! written and when the next time is; whoever runs it owns what was missed.
//!
//! Summer time: a fixed time that does not exist that day comes right after the gap; one that comes twice is kept once, the
//! first. `*/15` and the like follow the clock: nothing within the gap, both passes of the hour that comes twice.

use crate::unit;
use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::civil::Time;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use kernel::clock;
use std::fmt;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::time::Duration;

/// Whom it is written by, and when it is due next.
#[derive(Debug, Clone, PartialEq)]
pub struct Cadence {
    pace: Pace,
    text: String,
}

#[derive(Debug, Clone, PartialEq)]
enum Pace {
    Every {
        span: Duration,
        window: Option<Window>,
    },
    /// Once in each window, as it opens.
    In(Window),
    /// By nothing but a person's word.
    OnDemand,
    /// Five fields, read again at each use: a pattern is small.
    At {
        pattern: String,
        zone: TimeZone,
    },
}

/// From a time of day until another, over midnight where the second is earlier.
#[derive(Debug, Clone, PartialEq)]
struct Window {
    from: Time,
    until: Time,
    zone: TimeZone,
}

const HELP: &str = "write \"24h\", \"real time\", \"on demand\", \"22:00-05:00 Europe/Berlin\" (once, as it opens), \"10m in 22:00-05:00 \
                    Europe/Berlin\", or five fields of cron and a time zone, as in \"30 2 * * * Europe/Berlin\"";
/// What a source that tells by being asked can give for real time.
const REAL_TIME: Duration = Duration::from_secs(1);
/// From when on it is looked through: the answer is to be the same whenever it is asked.
const EXAMPLE: Timestamp = Timestamp::constant(1_767_225_600, 0);
/// Looked through for the longest time between two runs: longer than a week, and than any night.
const GAP_DAYS: u64 = 9;

impl Cadence {
    /// # Errors
    /// What is wrong, and how it is written.
    pub fn parse(text: &str) -> Result<Self, String> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let pace = match words.as_slice() {
            ["on", "demand"] => Pace::OnDemand,
            ["real", "time"] => Pace::Every { span: REAL_TIME, window: None },
            [span] => Pace::Every { span: self::span(span)?, window: None },
            [span, "in", times, zone] => {
                Pace::Every { span: self::span(span)?, window: Some(window(times, zone)?) }
            }
            [times, zone] => Pace::In(window(times, zone)?),
            [minute, hour, day, month, weekday, zone] => {
                let pattern = [*minute, hour, day, month, weekday].join(" ");
                cron(&pattern)?;
                Pace::At { pattern, zone: self::zone(zone)? }
            }
            [_, _, _, _, _] => return Err(format!("{text:?} has no time zone: {HELP}")),
            _ => return Err(format!("{text:?} is no cadence: {HELP}")),
        };
        let cadence = Self { pace, text: words.join(" ") };
        match cadence.after(Timestamp::UNIX_EPOCH) {
            None if cadence.pace == Pace::OnDemand => Ok(cadence),
            Some(_) => Ok(cadence),
            None => Err(format!("{text:?} never comes: {HELP}")),
        }
    }

    /// So often, whatever the clock says.
    #[must_use]
    pub fn every(span: Duration) -> Self {
        Self { pace: Pace::Every { span, window: None }, text: kernel::flow::duration_text(span) }
    }

    /// When it is made next: what is overdue now, or as its window opens again; `None`: never by itself.
    #[must_use]
    pub fn next(&self, last: Timestamp, now: Timestamp) -> Option<Timestamp> {
        let due = self.after(last)?.max(now);
        match &self.pace {
            Pace::Every { window: Some(window), .. } | Pace::In(window) => window.first(due),
            _ => Some(due),
        }
    }

    /// The same for a work of this name each of whose runs is put off by up to `jitter`: when it is due, it waits so long more.
    /// What was missed is made up for at once.
    #[must_use]
    pub fn next_put_off(
        &self,
        name: &str,
        jitter: Duration,
        last: Timestamp,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let due = self.after(last)?;
        Some(self.next(last, now)?.max(clock::after(due, put_off(name, due, jitter))))
    }

    /// The longest time between two runs; `None`: there may be none at all.
    #[must_use]
    pub fn longest_gap(&self) -> Option<Duration> {
        self.gaps()?.into_iter().max()
    }

    /// A run that is put off by less comes within its window, and before the next one; `None`: it never comes by itself.
    #[must_use]
    pub fn room(&self) -> Option<Duration> {
        let window = match &self.pace {
            Pace::Every { span, window } => {
                window.as_ref().map_or(*span, |window| window.length().min(*span))
            }
            Pace::In(window) => window.length(),
            Pace::OnDemand => return None,
            Pace::At { .. } => Duration::MAX,
        };
        Some(self.gaps()?.into_iter().min()?.min(window))
    }

    /// Between one run and the next.
    fn gaps(&self) -> Option<Vec<Duration>> {
        let from = EXAMPLE;
        if let Pace::Every { span, window: None } = &self.pace {
            return Some(vec![*span]);
        }
        let end = from.checked_add(Duration::from_secs(GAP_DAYS * 86_400)).ok()?;
        let (mut last, mut gaps) = (self.after(from)?, Vec::new());
        while last < end {
            let next = self.after(last)?;
            gaps.push(Duration::try_from(next.duration_since(last)).unwrap_or(Duration::MAX));
            last = next;
        }
        Some(gaps)
    }

    /// Every so often at any time of the day: it begins at once, and nobody has to know when it was made last.
    #[must_use]
    pub fn is_steady(&self) -> bool {
        matches!(self.pace, Pace::Every { window: None, .. })
    }

    /// When it is due first after it was made last; `None`: never.
    #[must_use]
    pub fn after(&self, last: Timestamp) -> Option<Timestamp> {
        match &self.pace {
            Pace::Every { span, window } => {
                let next = last.checked_add(*span).ok()?;
                window.as_ref().map_or(Some(next), |window| window.first(next))
            }
            Pace::In(window) => window.opens_after(last),
            Pace::OnDemand => None,
            Pace::At { pattern, zone } => {
                let from = last.to_zoned(zone.clone());
                cron(pattern).ok()?.find_next_occurrence(&from, false).ok().map(|next| next.timestamp())
            }
        }
    }

    /// How often it may be looked whether it is due.
    #[must_use]
    pub fn span(&self) -> Option<Duration> {
        match &self.pace {
            Pace::Every { span, .. } => Some(*span),
            Pace::In(_) | Pace::OnDemand | Pace::At { .. } => None,
        }
    }
}

/// By how much less than `most` the run of a work is put off that is due at an instant: the same for this work and this instant on each
/// node, another for each other, so that not all ask at once.
#[must_use]
pub fn put_off(name: &str, at: Timestamp, most: Duration) -> Duration {
    let Ok(most_ms) = u64::try_from(most.as_millis()) else { return most };
    let mut hasher = DefaultHasher::new();
    (name, at.as_millisecond()).hash(&mut hasher);
    Duration::from_millis(hasher.finish().checked_rem(most_ms).unwrap_or(0))
}

impl fmt::Display for Cadence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Window {
    fn holds(&self, time: Time) -> bool {
        match self.from < self.until {
            true => self.from <= time && time < self.until,
            false => self.from <= time || time < self.until,
        }
    }

    /// By the clock on the wall: summer time shortens one night a year.
    fn length(&self) -> Duration {
        let length = self.from.duration_until(self.until);
        let day = jiff::SignedDuration::from_hours(24);
        Duration::try_from(if length.is_negative() { length + day } else { length }).unwrap_or(Duration::ZERO)
    }

    /// The first instant in it that is not before this one.
    fn first(&self, at: Timestamp) -> Option<Timestamp> {
        let here = at.to_zoned(self.zone.clone());
        if self.holds(here.time()) {
            return Some(at);
        }
        let today = self.opens(here.date())?;
        if today >= at { Some(today) } else { self.opens(here.date().checked_add(1.day()).ok()?) }
    }

    fn opens(&self, date: jiff::civil::Date) -> Option<Timestamp> {
        Some(date.to_datetime(self.from).to_zoned(self.zone.clone()).ok()?.timestamp())
    }

    /// The first opening later than this.
    fn opens_after(&self, at: Timestamp) -> Option<Timestamp> {
        let here = at.to_zoned(self.zone.clone()).date();
        let today = self.opens(here)?;
        if today > at { Some(today) } else { self.opens(here.checked_add(1.day()).ok()?) }
    }
}

fn span(text: &str) -> Result<Duration, String> {
    let span = unit::duration(text).map_err(|_| format!("{text:?} is no duration: {HELP}"))?;
    if span.is_zero() { Err(format!("it cannot be due all the time: {HELP}")) } else { Ok(span) }
}

fn window(times: &str, zone: &str) -> Result<Window, String> {
    let time = |text: &str| -> Result<Time, String> {
        let read = Time::strptime("%H:%M", text);
        read.map_err(|_| format!("{text:?} is no time of day, as in 22:00: {HELP}"))
    };
    let (from, until) = times
        .split_once(['-', '–'])
        .ok_or_else(|| format!("{times:?} is no window, as in 22:00-05:00: {HELP}"))?;
    let window = Window { from: time(from)?, until: time(until)?, zone: self::zone(zone)? };
    if window.from == window.until { Err(format!("the window {times} is empty: {HELP}")) } else { Ok(window) }
}

fn zone(text: &str) -> Result<TimeZone, String> {
    TimeZone::get(text).map_err(|_| format!("there is no time zone {text:?}: {HELP}"))
}

fn cron(pattern: &str) -> Result<Cron, String> {
    let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
    parser.parse(pattern).map_err(|error| format!("{pattern:?} cannot be read ({error}): {HELP}"))
}

#[cfg(test)]
mod tests;
