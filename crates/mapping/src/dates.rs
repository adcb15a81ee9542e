//! Dates and times of values: days in a zone, instants in a zone, forms to write and to read. Time is always that of
//! the value or of the context; there is no clock here.

use std::str::FromStr as _;

use jiff::civil::Date;
use jiff::fmt::strtime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, Timestamp};

use crate::fault::{Failure, FaultCode};
use crate::plan::Parsed;

fn not_date(wanted: &str, text: &str) -> Failure {
    Failure::with_value(FaultCode::NotDate, format!("{wanted} expected"), text)
}

fn instant(text: &str) -> Result<Timestamp, Failure> {
    Timestamp::from_str(text).map_err(|_| not_date("a date and time with its offset (RFC 3339)", text))
}

fn day(text: &str) -> Result<Date, Failure> {
    if text.len() == 10
        && let Ok(date) = Date::from_str(text)
    {
        return Ok(date);
    }
    Err(not_date("a date of the form 2026-11-24", text))
}

/// The day of an instant in a zone.
pub(crate) fn date_of(text: &str, zone: &TimeZone) -> Result<String, Failure> {
    Ok(instant(text)?.to_zoned(zone.clone()).date().to_string())
}

/// The same instant, written in a zone.
pub(crate) fn in_zone(text: &str, zone: &TimeZone) -> Result<String, Failure> {
    let instant = instant(text)?;
    Ok(write_instant(instant, zone))
}

/// An instant as RFC 3339: `Z` for UTC, else the zone's offset.
pub(crate) fn write_instant(instant: Timestamp, zone: &TimeZone) -> String {
    if *zone == TimeZone::UTC {
        return instant.to_string();
    }
    let offset = zone.to_offset(instant);
    instant.display_with_offset(offset).to_string()
}

/// A date so many days later.
pub(crate) fn add_days(text: &str, days: i32) -> Result<String, Failure> {
    let span =
        Span::new().try_days(i64::from(days)).map_err(|_| not_date("a smaller number of days", text))?;
    day(text)?
        .checked_add(span)
        .map(|date| date.to_string())
        .map_err(|_| not_date("a date within the years 0 to 9999", text))
}

/// A date or an instant in a stated form.
pub(crate) fn format(text: &str, form: &str, zone: &TimeZone) -> Result<String, Failure> {
    let written = match day(text) {
        Ok(date) => strtime::format(form, date),
        Err(_) => strtime::format(form, &instant(text)?.to_zoned(zone.clone())),
    };
    written.map_err(|_| not_date("a date and time, for this form,", text))
}

/// A date or an instant from text of a stated form; a time without an offset is in the zone.
pub(crate) fn parse(text: &str, form: &str, zone: &TimeZone, yields: Parsed) -> Result<String, Failure> {
    let wrong = || not_date(&format!("a text of the form {form}"), text);
    let parsed = strtime::parse(form, text).map_err(|_| wrong())?;
    if yields == Parsed::Date {
        return parsed.to_date().map(|date| date.to_string()).map_err(|_| wrong());
    }
    if let Ok(instant) = parsed.to_timestamp() {
        return Ok(instant.to_string());
    }
    let local = parsed.to_datetime().map_err(|_| wrong())?;
    zone.to_timestamp(local).map(|instant| instant.to_string()).map_err(|_| wrong())
}

/// True if a form holds a time of day.
pub(crate) fn has_time(form: &str) -> bool {
    let mut chars = form.chars();
    while let Some(c) = chars.next() {
        if c != '%' {
            continue;
        }
        let directive = chars.by_ref().find(|c| !matches!(c, '-' | '_' | '0' | '^' | '#' | ':' | '.'));
        if directive.is_some_and(|c| "HIklMSTRrpPfNsXcQzZ".contains(c)) {
            return true;
        }
    }
    false
}

/// Whether a form can be written at all: tried on a sample.
pub(crate) fn check_form(form: &str, with_time: bool) -> Result<(), String> {
    let sample = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(500_000);
    let zoned = sample.to_zoned(TimeZone::UTC);
    let written = if with_time { strtime::format(form, &zoned) } else { strtime::format(form, zoned.date()) };
    written.map(|_| ()).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone(name: &str) -> TimeZone {
        TimeZone::get(name).unwrap()
    }

    #[test]
    fn the_day_is_that_of_the_zone() {
        for (text, name, expected) in [
            ("2026-11-23T23:30:00Z", "Europe/Amsterdam", "2026-11-24"),
            ("2026-11-23T23:30:00Z", "UTC", "2026-11-23"),
            ("2026-07-01T01:00:00+02:00", "America/New_York", "2026-06-30"),
        ] {
            assert_eq!(date_of(text, &zone(name)).unwrap(), expected, "{text} in {name}");
        }
        assert_eq!(date_of("2026-11-23", &TimeZone::UTC).unwrap_err().code, FaultCode::NotDate);
    }

    #[test]
    fn an_instant_is_the_same_in_every_zone() {
        for (name, expected) in [
            ("UTC", "2026-07-01T10:00:00Z"),
            ("Europe/Amsterdam", "2026-07-01T12:00:00+02:00"),
            ("Asia/Kolkata", "2026-07-01T15:30:00+05:30"),
        ] {
            assert_eq!(in_zone("2026-07-01T10:00:00Z", &zone(name)).unwrap(), expected);
        }
    }

    #[test]
    fn forms_are_written_and_read() {
        let utc = TimeZone::UTC;
        assert_eq!(format("2026-11-24", "%d.%m.%Y", &utc).unwrap(), "24.11.2026");
        assert_eq!(
            format("2026-11-24T08:05:00Z", "%Y%m%d%H%M", &zone("Europe/Amsterdam")).unwrap(),
            "202611240905"
        );
        assert_eq!(parse("24.11.2026", "%d.%m.%Y", &utc, Parsed::Date).unwrap(), "2026-11-24");
        assert_eq!(
            parse("24.11.2026 09:05", "%d.%m.%Y %H:%M", &zone("Europe/Amsterdam"), Parsed::DateTime).unwrap(),
            "2026-11-24T08:05:00Z"
        );
        assert_eq!(parse("31.02.2026", "%d.%m.%Y", &utc, Parsed::Date).unwrap_err().code, FaultCode::NotDate);
        assert!(has_time("%d %H") && !has_time("%d.%m.%Y") && has_time("%-I %p"));
        assert!(check_form("%d.%m.%Y", false).is_ok());
        assert!(check_form("%H:%M", false).is_err());
    }

    #[test]
    fn days_are_added_over_the_end_of_a_month() {
        assert_eq!(add_days("2026-11-24", 30).unwrap(), "2026-12-24");
        assert_eq!(add_days("2028-02-28", 1).unwrap(), "2028-02-29");
        assert_eq!(add_days("9999-12-31", 1).unwrap_err().code, FaultCode::NotDate);
    }
}
