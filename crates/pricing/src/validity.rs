//! When something counts. Owns half-open spans of instants, to the second, and how dates of a zone become such. Refuses spans
//! that end before they begin.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

/// From its first second on (none: always did) up to, and not with, its last (none: for ever). Seconds since 1970 in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Validity {
    pub from_s: Option<i64>,
    pub until_s: Option<i64>,
}

/// Why a span cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ValidityFault {
    #[error(
        "'{0}' is neither a date (2026-12-01) nor an instant with its offset (2026-12-01T00:00:00+01:00)"
    )]
    NotTime(String),
    #[error("it would end before it begins")]
    Empty,
}

impl Validity {
    pub const ALWAYS: Self = Self { from_s: None, until_s: None };

    /// From `valid_from` and `valid_until` as documents write them: an instant with its offset counts as it is, a date stands for
    /// its day in `zone`, and a last date is valid as a whole.
    ///
    /// # Errors
    /// A text that is neither, and a span that holds no second.
    pub fn parse(from: Option<&str>, until: Option<&str>, zone: &TimeZone) -> Result<Self, ValidityFault> {
        let from_s = from.map(|text| second_of(text, zone, false)).transpose()?;
        let until_s = until.map(|text| second_of(text, zone, true)).transpose()?;
        match (from_s, until_s) {
            (Some(from), Some(until)) if from >= until => Err(ValidityFault::Empty),
            _ => Ok(Self { from_s, until_s }),
        }
    }

    #[must_use]
    pub fn contains(self, at_s: i64) -> bool {
        self.from_s.is_none_or(|from| from <= at_s) && self.until_s.is_none_or(|until| at_s < until)
    }

    #[must_use]
    pub fn overlaps(self, other: Self) -> bool {
        let before =
            |a: Self, b: Self| matches!((a.until_s, b.from_s), (Some(end), Some(begin)) if end <= begin);
        !before(self, other) && !before(other, self)
    }
}

fn second_of(text: &str, zone: &TimeZone, whole_day: bool) -> Result<i64, ValidityFault> {
    if let Ok(instant) = text.parse::<Timestamp>() {
        return Ok(instant.as_second());
    }
    let not_time = || ValidityFault::NotTime(text.chars().take(40).collect());
    let plain_date = text.len() == 10;
    let date: Date = if plain_date { text.parse().map_err(|_| not_time())? } else { return Err(not_time()) };
    let first = if whole_day { date.checked_add(1.day()).map_err(|_| not_time())? } else { date };
    let begins = first.to_zoned(zone.clone()).map_err(|_| not_time())?;
    Ok(begins.timestamp().as_second())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn berlin() -> TimeZone {
        TimeZone::get("Europe/Berlin").unwrap()
    }

    #[test]
    fn a_date_is_its_day_in_the_zone_and_the_last_day_is_valid_as_a_whole() {
        let december = Validity::parse(Some("2026-12-01"), Some("2026-12-31"), &berlin()).unwrap();
        let at = |text: &str| text.parse::<Timestamp>().unwrap().as_second();
        assert!(!december.contains(at("2026-11-30T22:59:59Z")));
        assert!(december.contains(at("2026-11-30T23:00:00Z")));
        assert!(december.contains(at("2026-12-31T22:59:59Z")));
        assert!(!december.contains(at("2026-12-31T23:00:00Z")));
    }

    #[test]
    fn the_day_on_which_a_clock_is_put_forward_has_23_hours() {
        let day = Validity::parse(Some("2027-03-28"), Some("2027-03-28"), &berlin()).unwrap();
        assert_eq!(day.until_s.unwrap() - day.from_s.unwrap(), 23 * 3600);
    }

    #[test]
    fn spans_that_meet_at_a_second_do_not_overlap() {
        let span = |from, until| Validity { from_s: from, until_s: until };
        assert!(!span(None, Some(10)).overlaps(span(Some(10), None)));
        assert!(span(None, Some(11)).overlaps(span(Some(10), None)));
        assert!(Validity::ALWAYS.overlaps(span(Some(1), Some(2))));
    }

    #[test]
    fn what_is_no_time_or_holds_no_second_is_refused() {
        let fault = |from, until| Validity::parse(from, until, &TimeZone::UTC).unwrap_err();
        assert_eq!(fault(Some("2026-12-02"), Some("2026-12-01")), ValidityFault::Empty);
        for text in ["tomorrow", "2026-13-01", "2026-12-01T10:00:00", "01.12.2026", ""] {
            assert_eq!(fault(Some(text), None), ValidityFault::NotTime(text.into()), "{text}");
        }
    }
}
