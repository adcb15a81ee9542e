//! What an HTTP answer, or its absence, means (DESIGN section 5). The one place where it is decided; connectors add
//! only what their configuration declares. Knows no system.

use super::answer::Answer;
use http::StatusCode;
use http::header::{DATE, HeaderMap};
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use kernel::fault::{Fault, FaultKind};
use std::time::Duration;

/// What a call is, because the same silence means different things.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Changes nothing: its faults are never Ambiguous.
    Read,
    /// May change the target.
    Write,
    /// A read that asks after the system and the credentials.
    Health,
}

/// Why there is no answer. What it means depends on the [`Access`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The address guard refused; nothing was sent.
    Forbidden(String),
    /// No name, no route, refused, TLS, or no connection in time; nothing was sent.
    NotReached(String),
    /// The deadline passed and the first byte may have left.
    TimedOut { after: Duration },
    /// Reset, broken off or not HTTP, and the first byte may have left.
    Lost(String),
    /// The answer is longer than the bound.
    TooLarge { bytes_max: u64 },
    /// The whole answer came and says nothing that we understand.
    Unreadable(String),
    /// We could not build the request.
    NotBuilt(String),
}

/// Our codes for them; each has a page in `docs/errors/`.
pub mod code {
    pub const NOT_REACHED: &str = "TG-3101";
    pub const ADDRESS_REFUSED: &str = "TG-3102";
    pub const TIMED_OUT: &str = "TG-3103";
    pub const LOST: &str = "TG-3104";
    pub const TOO_LARGE: &str = "TG-3105";
    pub const UNREADABLE: &str = "TG-3106";
    pub const REDIRECTED: &str = "TG-3107";
    pub const NOT_BUILT: &str = "TG-3108";
    /// The token endpoint refused us.
    pub const NO_TOKEN: &str = "TG-3109";
}

/// Nothing came back, or nothing conclusive.
pub fn failure(access: Access, failure: &Failure) -> Fault {
    let open = match access {
        Access::Write => FaultKind::Ambiguous,
        Access::Read | Access::Health => FaultKind::Transient,
    };
    let outcome = match access {
        Access::Write => "whether the target took the change is not known: it will be looked up",
        Access::Read | Access::Health => "nothing was changed; it will be asked again",
    };
    let new = |kind, code, what: String| Fault::new(kind, code, what);
    match failure {
        Failure::Forbidden(why) => new(
            FaultKind::Transient,
            code::ADDRESS_REFUSED,
            format!("not called: {why}; nothing was sent, and all that concerns this system waits"),
        ),
        Failure::NotReached(why) => new(
            FaultKind::Transient,
            code::NOT_REACHED,
            format!("no connection to the target ({why}); nothing was sent"),
        ),
        Failure::TimedOut { after } => {
            let what = format!("no whole answer within {}; {outcome}", kernel::flow::duration_text(*after));
            new(open, code::TIMED_OUT, what)
        }
        Failure::Lost(why) => new(
            open,
            code::LOST,
            format!("the connection broke before the answer was whole ({why}); {outcome}"),
        ),
        Failure::TooLarge { bytes_max } => {
            new(open, code::TOO_LARGE, format!("the answer is longer than {bytes_max} bytes; {outcome}"))
        }
        Failure::Unreadable(why) => {
            new(open, code::UNREADABLE, format!("the answer cannot be read ({why}); {outcome}"))
        }
        Failure::NotBuilt(why) => new(
            FaultKind::Bug,
            code::NOT_BUILT,
            format!("the request could not be built ({why}); nothing was sent"),
        ),
    }
}

/// What a status means where no connector declares otherwise; `None` for success.
pub fn status(answer: &Answer) -> Option<Fault> {
    let status = answer.status;
    if status.is_success() {
        return None;
    }
    let kind = kind_of(answer.access, status);
    let mut fault = if status.is_redirection() {
        Fault::new(kind, code::REDIRECTED, redirected(answer))
    } else {
        Fault::new(kind, format!("http_{}", status.as_u16()), said(answer))
    };
    fault.retry_after = answer.retry_after();
    Some(fault)
}

/// The table itself.
pub fn kind_of(access: Access, status: StatusCode) -> FaultKind {
    let open = if access == Access::Write { FaultKind::Ambiguous } else { FaultKind::Transient };
    match status.as_u16() {
        429 => FaultKind::Throttled,
        401 => FaultKind::Unauthorized,
        403 if access == Access::Health => FaultKind::Unauthorized,
        // The target gave up waiting for the rest of a request: it may have begun.
        408 => open,
        // A duplicate or a call in flight under the same key; a stale `If-Match`.
        409 | 412 => FaultKind::Conflict,
        300..=499 => FaultKind::Rejected,
        // 5xx, and what HTTP does not know (an answer of 1xx cannot end a call).
        _ => open,
    }
}

fn redirected(answer: &Answer) -> String {
    let to = answer
        .header("location")
        .and_then(|location| reqwest::Url::parse(location).ok())
        .and_then(|url| url.host_str().map(str::to_owned));
    let whither = to.map_or_else(|| "elsewhere".to_owned(), |host| format!("to {host}"));
    format!(
        "the target redirects {whither} (HTTP {}); redirects are never followed: put the final address into the \
         system's url",
        answer.status.as_u16()
    )
}

fn said(answer: &Answer) -> String {
    let excerpt = answer.excerpt();
    let status = answer.status.as_u16();
    let reason = answer.status.canonical_reason().unwrap_or("no standard status");
    if excerpt.is_empty() {
        format!("the target answered HTTP {status} ({reason}) without a text")
    } else {
        format!("the target answered HTTP {status} ({reason}): {excerpt}")
    }
}

/// No target is waited for longer than this because it says so.
pub const RETRY_AFTER_MAX: Duration = Duration::from_secs(24 * 3600);

/// `Retry-After` (RFC 9110, 10.2.3): seconds, or a date, which counts from `now`; a date in the past is zero.
pub fn retry_after(header: &str, now: Timestamp) -> Option<Duration> {
    let header = header.trim();
    let wait = match header.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let at = DateTimeParser::new().parse_timestamp(header).ok()?;
            Duration::try_from(at.duration_since(now)).unwrap_or(Duration::ZERO)
        }
    };
    Some(wait.min(RETRY_AFTER_MAX))
}

/// What time the answer's sender had (`Date`, RFC 9110, 6.6.1), to the second.
pub(super) fn date(headers: &HeaderMap) -> Option<Timestamp> {
    let date = headers.get(DATE)?.to_str().ok()?;
    DateTimeParser::new().parse_timestamp(date.trim()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_statuses() {
        use Access::*;
        use FaultKind::*;
        let table = [
            (429, [Throttled, Throttled, Throttled]),
            (401, [Unauthorized, Unauthorized, Unauthorized]),
            (403, [Rejected, Rejected, Unauthorized]),
            (400, [Rejected, Rejected, Rejected]),
            (404, [Rejected, Rejected, Rejected]),
            (422, [Rejected, Rejected, Rejected]),
            (408, [Transient, Ambiguous, Transient]),
            (409, [Conflict, Conflict, Conflict]),
            (412, [Conflict, Conflict, Conflict]),
            (301, [Rejected, Rejected, Rejected]),
            (307, [Rejected, Rejected, Rejected]),
            (500, [Transient, Ambiguous, Transient]),
            (502, [Transient, Ambiguous, Transient]),
            (503, [Transient, Ambiguous, Transient]),
            (599, [Transient, Ambiguous, Transient]),
        ];
        for (status, kinds) in table {
            let code = StatusCode::from_u16(status).unwrap();
            for (access, kind) in [Read, Write, Health].into_iter().zip(kinds) {
                assert_eq!(kind_of(access, code), kind, "{status} {access:?}");
            }
        }
    }

    #[test]
    fn silence_after_a_write_is_ambiguous_and_after_a_read_is_not() {
        let open = [
            Failure::TimedOut { after: Duration::from_secs(30) },
            Failure::Lost("reset".into()),
            Failure::TooLarge { bytes_max: 9 },
            Failure::Unreadable("not JSON".into()),
        ];
        for what in open {
            assert_eq!(failure(Access::Write, &what).kind, FaultKind::Ambiguous, "{what:?}");
            assert_eq!(failure(Access::Read, &what).kind, FaultKind::Transient, "{what:?}");
            assert_eq!(failure(Access::Health, &what).kind, FaultKind::Transient, "{what:?}");
        }
        for (what, kind) in [
            (Failure::NotReached("refused".into()), FaultKind::Transient),
            (Failure::Forbidden("inside".into()), FaultKind::Transient),
            (Failure::NotBuilt("bad header".into()), FaultKind::Bug),
        ] {
            assert_eq!(failure(Access::Write, &what).kind, kind);
        }
    }

    #[test]
    fn retry_after_is_seconds_or_a_date_and_has_a_bound() {
        let now: Timestamp = "2015-10-21T07:28:00Z".parse().unwrap();
        let seconds = |s| Some(Duration::from_secs(s));
        let table = [
            ("0", seconds(0)),
            (" 120 ", seconds(120)),
            ("999999999999", Some(RETRY_AFTER_MAX)),
            ("Wed, 21 Oct 2015 07:28:30 GMT", seconds(30)),
            ("Wed, 21 Oct 2015 07:27:30 GMT", seconds(0)),
            ("Fri, 31 Dec 2100 00:00:00 GMT", Some(RETRY_AFTER_MAX)),
            ("soon", None),
            ("", None),
            ("-1", None),
        ];
        for (header, expected) in table {
            assert_eq!(retry_after(header, now), expected, "{header:?}");
        }
    }

    #[test]
    fn the_time_of_an_answer_is_read() {
        let of = |text: &'static str| date(&HeaderMap::from_iter([(DATE, text.parse().unwrap())]));
        assert_eq!(of("Tue, 24 Nov 2026 12:00:29 GMT"), "2026-11-24T12:00:29Z".parse().ok());
        assert_eq!(of("soon"), None);
        assert_eq!(date(&HeaderMap::new()), None);
    }
}
