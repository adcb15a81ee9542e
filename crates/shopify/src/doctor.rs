//! What `tidegate doctor` asks of a shop: reachable, token, the right shop, scopes, API version, zone, pace, clock.
//! Owns the questions and what each answer means; changes nothing.

use crate::graphql::{Claim, Reply, SHOP, ShopClient, covers};
use crate::version;
use connector::port::CallContext;
use jiff::Timestamp;
use jiff::civil::{self, Date};
use jiff::fmt::rfc2822::DateTimeParser;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// `token`, `domain`, `scopes`, `api_version`, `time_zone`, `plan`, `clock`.
    pub name: &'static str,
    pub outcome: Outcome,
    /// What was found and, unless it is well, what to do.
    pub text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    Well,
    Warning,
    Failed,
}

/// What the configuration says of the shop.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Expected {
    /// Each scope that the flows need, with what needs it.
    pub scopes: BTreeMap<String, BTreeSet<String>>,
    /// IANA.
    pub time_zone: String,
    /// Points a second, by the plan.
    pub restore_rate: u32,
}

/// A clock that is off by more is warned of; by ten times as much it is a failure.
const SKEW_WARN: Duration = Duration::from_secs(30);
const SKEW_FAIL: Duration = Duration::from_secs(300);
/// A version that ends within so many days is warned of.
const DAYS_LEFT_WARN: i32 = 90;

/// Asks once; all answers come from that. `call.now` is our clock.
pub async fn probe(client: &ShopClient, call: &CallContext, expected: &Expected) -> Vec<Probe> {
    let reply = match client.ask(call, Claim::LIVE, &SHOP, &json!({})).await {
        Ok(reply) => reply,
        Err(fault) => {
            let text = format!("shop {} cannot be asked: {fault}", client.id());
            return vec![Probe { name: "token", outcome: Outcome::Failed, text }];
        }
    };
    let mut probes = vec![
        well("token", format!("shop {} answers, and takes the token", client.id())),
        domain(client, &reply),
        scopes(&reply, expected),
        api_version(client, &reply, call.now),
        time_zone(&reply, expected),
        plan(client, expected),
    ];
    probes.extend(reply.date.as_deref().map(|date| clock(date, call.now)));
    probes
}

fn well(name: &'static str, text: String) -> Probe {
    Probe { name, outcome: Outcome::Well, text }
}

fn warning(name: &'static str, text: String) -> Probe {
    Probe { name, outcome: Outcome::Warning, text }
}

fn failed(name: &'static str, text: String) -> Probe {
    Probe { name, outcome: Outcome::Failed, text }
}

fn text<'a>(reply: &'a Reply, pointer: &str) -> &'a str {
    reply.data.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn domain(client: &ShopClient, reply: &Reply) -> Probe {
    let found = text(reply, "/shop/myshopifyDomain");
    if found.eq_ignore_ascii_case(client.domain()) {
        return well("domain", format!("it is {found}"));
    }
    failed(
        "domain",
        format!(
            "the token is of {found}, and the configuration says {}: their webhooks would be taken for each other's; \
             mend domain or access_token",
            client.domain()
        ),
    )
}

fn scopes(reply: &Reply, expected: &Expected) -> Probe {
    let granted = reply.data.pointer("/currentAppInstallation/accessScopes").and_then(Value::as_array);
    let granted: BTreeSet<&str> =
        granted.into_iter().flatten().filter_map(|scope| scope.get("handle")?.as_str()).collect();
    let missing: Vec<String> = expected
        .scopes
        .iter()
        .filter(|(needed, _)| !granted.iter().any(|granted| covers(granted, needed)))
        .map(|(needed, why)| {
            let why: Vec<&str> = why.iter().map(String::as_str).collect();
            format!("{needed} ({})", why.join(", "))
        })
        .collect();
    if !missing.is_empty() {
        return failed(
            "scopes",
            format!("missing: {}; grant them to the app at Shopify", missing.join("; ")),
        );
    }
    let all = granted.into_iter().collect::<Vec<_>>().join(", ");
    well("scopes", format!("granted: {all}"))
}

fn api_version(client: &ShopClient, reply: &Reply, now: Timestamp) -> Probe {
    let asked = client.api_version();
    let answered = reply.version.as_deref().unwrap_or(asked);
    if answered != asked {
        let what =
            format!("{asked} has ended: Shopify answers with {answered}; update, then set api_version");
        return failed("api_version", what);
    }
    let known = reply.data.get("publicApiVersions").and_then(Value::as_array);
    let entry =
        known.into_iter().flatten().find(|one| one.get("handle").and_then(Value::as_str) == Some(asked));
    let supported = entry.and_then(|one| one.get("supported")).and_then(Value::as_bool);
    if supported == Some(false) {
        return warning("api_version", format!("Shopify does not support {asked} (any more, or yet)"));
    }
    let made_for = match asked == version::CURRENT {
        true => String::new(),
        false => format!("; the documents are made for {}", version::CURRENT),
    };
    match days_left(asked, now) {
        Some(days) if days <= DAYS_LEFT_WARN => {
            warning("api_version", format!("{asked} may end in {days} days{made_for}"))
        }
        _ if !made_for.is_empty() => warning("api_version", format!("{asked} is supported{made_for}")),
        _ => well("api_version", format!("{asked} is supported")),
    }
}

/// A release is supported for at least twelve months.
fn days_left(release: &str, now: Timestamp) -> Option<i32> {
    let (year, month) = release.split_once('-')?;
    let end = Date::new(year.parse::<i16>().ok()?.checked_add(1)?, month.parse().ok()?, 1).ok()?;
    let today: civil::Date = now.to_zoned(jiff::tz::TimeZone::UTC).date();
    Some(today.until(end).ok()?.get_days())
}

fn time_zone(reply: &Reply, expected: &Expected) -> Probe {
    let found = text(reply, "/shop/ianaTimezone");
    if found == expected.time_zone {
        return well("time_zone", format!("it is {found}"));
    }
    let what = format!(
        "the shop's is {found}, and the configuration says {}: a day of `prove` would be another than the shop's",
        expected.time_zone
    );
    warning("time_zone", what)
}

fn plan(client: &ShopClient, expected: &Expected) -> Probe {
    let status = client.bucket().status();
    let text = format!(
        "the cost bucket holds {} of {} points and regains {} a second",
        status.available, status.maximum, status.restore_rate
    );
    if status.restore_rate == expected.restore_rate {
        return well("plan", text);
    }
    warning("plan", format!("{text}; the configured plan says {}: mend plan", expected.restore_rate))
}

fn clock(date: &str, now: Timestamp) -> Probe {
    let Ok(theirs) = DateTimeParser::new().parse_timestamp(date) else {
        return warning("clock", "the answer's date cannot be read".to_owned());
    };
    let ahead_ms = i64::try_from(theirs.duration_since(now).as_millis()).unwrap_or(i64::MAX);
    clock_of("Shopify", ahead_ms)
}

/// What it means that a system's clock is so many milliseconds ahead of ours; negative: behind. Whole seconds, and the time of
/// the answer on its way: small differences say nothing.
#[must_use]
pub fn clock_of(whose: &str, ahead_ms: i64) -> Probe {
    let skew = Duration::from_millis(ahead_ms.unsigned_abs());
    let side = if ahead_ms > 0 { "behind" } else { "ahead of" };
    let text = format!("our clock is {} s {side} {whose}'s", skew.as_secs());
    match skew {
        skew if skew >= SKEW_FAIL => failed("clock", format!("{text}: set it by NTP")),
        skew if skew >= SKEW_WARN => warning("clock", format!("{text}: set it by NTP")),
        _ => well("clock", text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_clock_that_is_off_is_seen() {
        let now = at("2026-11-24T12:00:00.900Z");
        let table = [
            ("Tue, 24 Nov 2026 12:00:00 GMT", Outcome::Well, "0 s ahead of"),
            ("Tue, 24 Nov 2026 12:00:29 GMT", Outcome::Well, "28 s behind"),
            ("Tue, 24 Nov 2026 11:59:30 GMT", Outcome::Warning, "30 s ahead of"),
            ("Tue, 24 Nov 2026 12:05:01 GMT", Outcome::Failed, "300 s behind"),
            ("soon", Outcome::Warning, "cannot be read"),
        ];
        for (date, outcome, part) in table {
            let found = clock(date, now);
            assert!(found.outcome == outcome && found.text.contains(part), "{date}: {found:?}");
        }
    }

    #[test]
    fn a_release_ends_after_a_year() {
        for (now, expected) in [
            ("2026-11-24T12:00:00Z", Some(311)),
            ("2027-09-30T12:00:00Z", Some(1)),
            ("2027-10-02T12:00:00Z", Some(-1)),
        ] {
            assert_eq!(days_left("2026-10", at(now)), expected);
        }
        assert_eq!(days_left("unstable", at("2026-11-24T12:00:00Z")), None);
    }
}
