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

const HELP: &str = "write \"24h\", \"10m in 22:00-05:00 Europe/Berlin\", or five fields of cron and a time zone, as in \
                    \"30 2 * * * Europe/Berlin\"";

impl Cadence {
    /// # Errors
    /// What is wrong, and how it is written.
    pub fn parse(text: &str) -> Result<Self, String> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let pace = match words.as_slice() {
            [span] => Pace::Every { span: self::span(span)?, window: None },
            [span, "in", times, zone] => {
                Pace::Every { span: self::span(span)?, window: Some(window(times, zone)?) }
            }
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
            Some(_) => Ok(cadence),
            None => Err(format!("{text:?} never comes: {HELP}")),
        }
    }

    /// So often, whatever the clock says.
    #[must_use]
    pub fn every(span: Duration) -> Self {
        Self { pace: Pace::Every { span, window: None }, text: kernel::flow::duration_text(span) }
    }

    /// When it is due first after it was made last; `None`: never.
    #[must_use]
    pub fn after(&self, last: Timestamp) -> Option<Timestamp> {
        match &self.pace {
            Pace::Every { span, window } => {
                let next = last.checked_add(*span).ok()?;
                window.as_ref().map_or(Some(next), |window| window.first(next))
            }
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
            Pace::At { .. } => None,
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
        let opens = |date: jiff::civil::Date| date.to_datetime(self.from).to_zoned(self.zone.clone()).ok();
        let today = opens(here.date())?;
        let next =
            if today.timestamp() >= at { today } else { opens(here.date().checked_add(1.day()).ok()?)? };
        Some(next.timestamp())
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
