//! When a source is asked. Pure: what is kept and the instant say it. What was missed while no hub ran is due once.

use super::kept::Kept;
use config::Cadence;
use jiff::Timestamp;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// What its mode tells.
    Usual,
    /// All of its prices anew; the usual question is answered by it.
    Snapshot,
}

/// `since`: when it was first looked whether it is.
pub(super) fn of(
    every: &Cadence,
    snapshot: Option<&Cadence>,
    kept: &Kept,
    (since, now): (Timestamp, Timestamp),
) -> Option<Due> {
    let is_due = |cadence: &Cadence, last| next(cadence, last, (since, now)).is_some_and(|next| next <= now);
    // The first answer of a source is all that it has.
    let begun = kept.asked_at.is_some();
    if begun && snapshot.is_some_and(|cadence| is_due(cadence, kept.snapshot_at.or(kept.asked_at))) {
        return Some(Due::Snapshot);
    }
    is_due(every, kept.asked_at).then_some(Due::Usual)
}

/// One that was never asked is asked at once where its cadence is a span, in its window; at fixed times at the first of them after it
/// was first looked.
pub(super) fn next(
    cadence: &Cadence,
    last: Option<Timestamp>,
    (since, now): (Timestamp, Timestamp),
) -> Option<Timestamp> {
    match (last, cadence.span()) {
        (Some(last), _) => cadence.after(last),
        (None, Some(span)) => cadence.after(now.checked_sub(span).ok()?),
        (None, None) => cadence.after(since),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_source_with_fixed_times_that_was_never_asked_is_asked_at_the_first_of_them() {
        let since = at("2026-11-26T01:00:00Z");
        for (every, now, expected) in [
            ("30 2 * * * UTC", "2026-11-26T02:29:59Z", None),
            ("30 2 * * * UTC", "2026-11-26T02:30:41Z", Some(Due::Usual)),
            ("22:00-05:00 UTC", "2026-11-26T21:59:59Z", None),
            ("22:00-05:00 UTC", "2026-11-26T22:00:13Z", Some(Due::Usual)),
            ("on demand", "2026-12-26T02:30:41Z", None),
        ] {
            let cadence = Cadence::parse(every).unwrap();
            assert_eq!(of(&cadence, None, &Kept::default(), (since, at(now))), expected, "{every} at {now}");
        }
    }

    #[test]
    fn what_was_missed_is_due_once_and_the_first_question_comes_by_its_cadence() {
        let now = at("2026-11-26T10:00:00Z");
        for (every, snapshot, asked, whole, expected) in [
            ("5m", None, None, None, Some(Due::Usual)),
            ("5m in 22:00-05:00 UTC", None, None, None, None),
            ("30 2 * * * UTC", None, None, None, None),
            ("5m", None, Some("2026-11-26T09:57:00Z"), None, None),
            ("5m", None, Some("2026-11-26T09:55:00Z"), None, Some(Due::Usual)),
            // A week without a hub.
            ("30 2 * * * UTC", None, Some("2026-11-19T02:30:00Z"), None, Some(Due::Usual)),
            ("30 2 * * * UTC", None, Some("2026-11-26T02:30:00Z"), None, None),
            (
                "5m",
                Some("30 2 * * * UTC"),
                Some("2026-11-26T09:59:00Z"),
                Some("2026-11-25T02:30:00Z"),
                Some(Due::Snapshot),
            ),
            ("5m", Some("30 2 * * * UTC"), Some("2026-11-26T09:59:00Z"), Some("2026-11-26T02:30:00Z"), None),
            ("5m", Some("30 2 * * * UTC"), None, None, Some(Due::Usual)),
            ("5m", Some("30 2 * * * UTC"), Some("2026-11-26T09:59:00Z"), None, None),
        ] {
            let (cadence, nightly) =
                (Cadence::parse(every).unwrap(), snapshot.map(|text| Cadence::parse(text).unwrap()));
            let kept = Kept { asked_at: asked.map(at), snapshot_at: whole.map(at), ..Kept::default() };
            assert_eq!(
                of(&cadence, nightly.as_ref(), &kept, (now, now)),
                expected,
                "{every}, {snapshot:?}, {asked:?}"
            );
        }
    }
}
