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
use std::fmt;
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

    /// The longest time between two runs; `None`: there may be none at all.
    #[must_use]
    pub fn longest_gap(&self) -> Option<Duration> {
        let from = EXAMPLE;
        if let Pace::Every { span, window: None } = &self.pace {
            return Some(*span);
        }
        let end = from.checked_add(Duration::from_secs(GAP_DAYS * 86_400)).ok()?;
        let (mut last, mut longest) = (self.after(from)?, Duration::ZERO);
        while last < end {
            let next = self.after(last)?;
            longest = longest.max(Duration::try_from(next.duration_since(last)).unwrap_or(Duration::MAX));
            last = next;
        }
        Some(longest)
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
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn after(cadence: &str, last: &str) -> String {
        Cadence::parse(cadence).unwrap().after(at(last)).unwrap().to_string()
    }

    #[test]
    fn what_is_due_next() {
        for (cadence, last, next) in [
            ("24h", "2026-11-26T10:00:00Z", "2026-11-27T10:00:00Z"),
            ("30 2 * * * Europe/Berlin", "2026-11-26T10:00:00Z", "2026-11-27T01:30:00Z"),
            ("30 2 * * * Europe/Berlin", "2026-07-01T10:00:00Z", "2026-07-02T00:30:00Z"),
            ("0 6 * * 1-5 America/New_York", "2026-11-27T12:00:00Z", "2026-11-30T11:00:00Z"),
            // In the window, before it, over midnight, and after it.
            ("10m in 22:00-05:00 Europe/Berlin", "2026-11-26T21:30:00Z", "2026-11-26T21:40:00Z"),
            ("10m in 22:00-05:00 Europe/Berlin", "2026-11-26T23:55:00Z", "2026-11-27T00:05:00Z"),
            ("10m in 22:00-05:00 Europe/Berlin", "2026-11-27T03:55:00Z", "2026-11-27T21:00:00Z"),
            ("1h in 09:00-17:00 UTC", "2026-11-26T02:00:00Z", "2026-11-26T09:00:00Z"),
            ("1h in 09:00-17:00 UTC", "2026-11-26T16:30:00Z", "2026-11-27T09:00:00Z"),
            ("real time", "2026-11-26T16:30:00Z", "2026-11-26T16:30:01Z"),
            // Once a night, over midnight too.
            ("22:00–05:00 Europe/Berlin", "2026-11-26T10:00:00Z", "2026-11-26T21:00:00Z"),
            ("22:00-05:00 Europe/Berlin", "2026-11-26T21:00:00Z", "2026-11-27T21:00:00Z"),
            ("22:00-05:00 Europe/Berlin", "2026-11-27T02:00:00Z", "2026-11-27T21:00:00Z"),
        ] {
            assert_eq!(after(cadence, last), next, "{cadence} after {last}");
        }
    }

    /// Berlin: on 29 March 2026 two o'clock becomes three; on 25 October three becomes two.
    #[test]
    fn summer_time_skips_no_night_and_doubles_none() {
        for (cadence, last, next) in [
            // 02:30 is not there that day: right after the gap. The day after it is as always.
            ("30 2 * * * Europe/Berlin", "2026-03-28T12:00:00Z", "2026-03-29T01:00:00Z"),
            ("30 2 * * * Europe/Berlin", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"),
            // 02:30 comes twice: the first, and then the next day.
            ("30 2 * * * Europe/Berlin", "2026-10-24T12:00:00Z", "2026-10-25T00:30:00Z"),
            ("30 2 * * * Europe/Berlin", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"),
            // By the clock, in both passes of the hour.
            ("*/30 * * * * Europe/Berlin", "2026-10-25T00:30:00Z", "2026-10-25T01:00:00Z"),
            ("*/30 * * * * Europe/Berlin", "2026-03-29T00:30:00Z", "2026-03-29T01:00:00Z"),
            // A window that opens in the gap opens after it.
            ("1h in 02:30-06:00 Europe/Berlin", "2026-03-28T10:00:00Z", "2026-03-29T01:30:00Z"),
        ] {
            assert_eq!(after(cadence, last), next, "{cadence} after {last}");
        }
    }

    #[test]
    fn what_was_missed_is_made_up_for_within_its_window() {
        for (cadence, last, now, next) in [
            ("1h", "2026-11-26T10:00:00Z", "2026-11-26T10:30:00Z", "2026-11-26T11:00:00Z"),
            ("1h", "2026-11-26T10:00:00Z", "2026-11-27T10:30:00Z", "2026-11-27T10:30:00Z"),
            ("30 2 * * * UTC", "2026-11-26T02:30:00Z", "2026-11-27T08:00:00Z", "2026-11-27T08:00:00Z"),
            // The night was missed: at once while it lasts, else the next one.
            ("22:00-05:00 UTC", "2026-11-25T22:00:00Z", "2026-11-27T01:00:00Z", "2026-11-27T01:00:00Z"),
            ("22:00-05:00 UTC", "2026-11-25T22:00:00Z", "2026-11-27T08:00:00Z", "2026-11-27T22:00:00Z"),
            (
                "10m in 22:00-05:00 UTC",
                "2026-11-26T04:00:00Z",
                "2026-11-26T08:00:00Z",
                "2026-11-26T22:00:00Z",
            ),
        ] {
            let next_is = Cadence::parse(cadence).unwrap().next(at(last), at(now));
            assert_eq!(next_is, Some(at(next)), "{cadence}, made {last}, at {now}");
        }
        let on_demand = Cadence::parse("on demand").unwrap();
        assert_eq!(on_demand.next(at("2026-11-25T22:00:00Z"), at("2026-11-27T01:00:00Z")), None);
        assert_eq!(on_demand.to_string(), "on demand");
    }

    #[test]
    fn the_longest_gap_counts() {
        let hours = |hours: u64| Some(Duration::from_secs(hours * 3600));
        for (cadence, gap) in [
            ("15m", Some(Duration::from_secs(900))),
            ("real time", Some(Duration::from_secs(1))),
            ("30 2 * * * UTC", hours(24)),
            ("0 6 * * 1-5 UTC", hours(72)),
            ("10m in 22:00-05:00 UTC", Some(Duration::from_secs(17 * 3600 + 600))),
            ("22:00-05:00 UTC", hours(24)),
            ("on demand", None),
        ] {
            let gap_is = Cadence::parse(cadence).unwrap().longest_gap();
            assert_eq!(gap_is, gap, "{cadence}");
        }
    }

    #[test]
    fn what_is_no_cadence_says_how_it_is_written() {
        for (text, told) in [
            ("", "is no cadence"),
            ("nightly", "no duration"),
            ("0s", "due all the time"),
            ("30 2 * * *", "no time zone"),
            ("30 2 * * * Europe/Berln", "no time zone \"Europe/Berln\""),
            ("61 2 * * * UTC", "cannot be read"),
            ("0 0 31 2 * UTC", "never comes"),
            ("10m in 22-05 UTC", "no time of day"),
            ("10m in 22:00 UTC", "no window"),
            ("10m in 22:00-22:00 UTC", "is empty"),
        ] {
            let refused = Cadence::parse(text).unwrap_err();
            assert!(
                refused.contains(told) && refused.contains("30 2 * * * Europe/Berlin"),
                "{text}: {refused}"
            );
        }
    }
}
