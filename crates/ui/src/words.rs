//! How times, lengths and numbers are written for a person, and how a path goes into a link.

use engine::waits::span;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use kernel::clock::elapsed_ms;
use std::fmt::{self, Write};

/// An instant as a page shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Moment {
    /// For machines: `datetime` of a `time` element.
    pub(crate) iso: String,
    /// `02:13:05`, with its date where that is not today.
    pub(crate) text: String,
    /// With date and zone, for the tool tip.
    pub(crate) whole: String,
    /// `4 min ago`, `in 12 s`.
    pub(crate) distance: String,
}

/// A `time` element. All of it is made by `moment` from numbers and a zone's own names, so it is safe in a page.
impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, r#"<time datetime="{}" title="{}">{}</time>"#, self.iso, self.whole, self.text)
    }
}
impl askama::filters::HtmlSafe for Moment {}

pub(crate) fn moment(at: Timestamp, now: Timestamp, zone: &TimeZone) -> Moment {
    let (local, today) = (at.to_zoned(zone.clone()), now.to_zoned(zone.clone()));
    Moment {
        iso: at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        text: day_and_time(&local, &today),
        whole: local.strftime("%a %-d %b %Y %H:%M:%S %Z").to_string(),
        distance: distance(at, now),
    }
}

fn day_and_time(local: &Zoned, today: &Zoned) -> String {
    let form = match (local.date() == today.date(), local.year() == today.year()) {
        (true, _) => "%H:%M:%S",
        (false, true) => "%-d %b %H:%M:%S",
        (false, false) => "%-d %b %Y %H:%M",
    };
    local.strftime(form).to_string()
}

fn distance(at: Timestamp, now: Timestamp) -> String {
    match (elapsed_ms(at, now), elapsed_ms(now, at)) {
        (0..1000, 0) => "just now".to_owned(),
        (ago, 0) => format!("{} ago", span(ago / 1000 * 1000)),
        (_, ahead) => format!("in {}", span(ahead)),
    }
}

/// `1 order`, `12,345 orders`.
pub(crate) fn many(count: u64, one: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {one}{plural}", thousands(count))
}

pub(crate) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A length of time that may be absent.
pub(crate) fn span_or_dash(ms: Option<u64>) -> String {
    ms.map_or_else(|| "–".to_owned(), span)
}

/// Percent-encodes all but letters, digits and `-._~`.
pub(crate) fn escaped(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut out, byte| {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            // Writing to a String cannot fail.
            _ => _ = write!(out, "%{byte:02X}"),
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_shown_in_the_zone_of_its_shop() {
        let zone = TimeZone::get("Europe/Amsterdam").unwrap();
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let now = at("2026-11-24T01:13:05Z");
        let text = |text| moment(at(text), now, &zone).text;
        assert_eq!(text("2026-11-24T01:12:00Z"), "02:12:00");
        assert_eq!(text("2026-11-23T22:59:00Z"), "23 Nov 23:59:00");
        assert_eq!(text("2025-06-01T10:00:00Z"), "1 Jun 2025 12:00");
        let moment = moment(at("2026-11-24T01:09:00Z"), now, &zone);
        assert_eq!(moment.distance, "4 min 5 s ago");
        assert_eq!(moment.whole, "Tue 24 Nov 2026 02:09:00 CET");
        assert_eq!(super::distance(at("2026-11-24T01:13:17Z"), now), "in 12 s");
        assert_eq!(super::distance(now, now), "just now");
    }

    #[test]
    fn numbers_are_grouped_and_links_are_safe() {
        assert_eq!(
            (thousands(0), thousands(999), thousands(1_234_567)),
            ("0".into(), "999".into(), "1,234,567".into())
        );
        assert_eq!((many(1, "order"), many(1000, "order")), ("1 order".into(), "1,000 orders".into()));
        assert_eq!(escaped("#1001/ä?"), "%231001%2F%C3%A4%3F");
    }
}
