//! When each kind of cadence is due, over summer time, after missed times, and put off; and what is none.

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
        ("10m in 22:00-05:00 UTC", "2026-11-26T04:00:00Z", "2026-11-26T08:00:00Z", "2026-11-26T22:00:00Z"),
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
fn a_run_has_room_until_its_window_ends_or_the_next_one_comes() {
    let minutes = |minutes: u64| Some(Duration::from_secs(minutes * 60));
    for (cadence, room) in [
        ("24h", minutes(24 * 60)),
        ("30 2 * * * UTC", minutes(24 * 60)),
        ("0 2,5 * * * UTC", minutes(3 * 60)),
        ("22:00-05:00 UTC", minutes(7 * 60)),
        ("02:00-05:30 UTC", minutes(210)),
        ("10m in 22:00-05:00 UTC", minutes(10)),
        ("2h in 22:00-22:30 UTC", minutes(30)),
        ("on demand", None),
    ] {
        assert_eq!(Cadence::parse(cadence).unwrap().room(), room, "{cadence}");
    }
}

#[test]
fn what_is_put_off_waits_and_what_was_missed_does_not() {
    let night = Cadence::parse("30 2 * * * UTC").unwrap();
    let (last, jitter) = (at("2026-11-26T02:30:00Z"), Duration::from_secs(3600));
    let due = at("2026-11-27T02:30:00Z");
    let next = |name: &str, now: Timestamp| night.next_put_off(name, jitter, last, now).unwrap();
    let shops: std::collections::BTreeSet<_> =
        (0..50).map(|shop| next(&format!("full_check/stock/{shop}"), last)).collect();
    assert!(shops.len() > 40, "they are all put off alike: {shops:?}");
    assert!(*shops.first().unwrap() >= due && *shops.last().unwrap() < clock::after(due, jitter));
    // Whoever asks, and whenever until then: the same.
    assert_eq!(next("a", last), next("a", due));
    let late = at("2026-11-27T09:00:00Z");
    assert_eq!(next("a", late), late);
    assert_eq!(night.next_put_off("a", Duration::ZERO, last, last), Some(due));
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
        assert!(refused.contains(told) && refused.contains("30 2 * * * Europe/Berlin"), "{text}: {refused}");
    }
}
