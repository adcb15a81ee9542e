//! The one place of the back office that touches the real clock: it is a server of its own, at the edge, whose delays
//! and dates are what others are tested against.

use std::time::Duration;

use jiff::Timestamp;

#[expect(clippy::disallowed_methods, reason = "a look-alike of a foreign system has a clock of its own")]
pub(super) fn now() -> Timestamp {
    Timestamp::now()
}

/// Waits on the runtime's timer.
#[expect(clippy::disallowed_methods, reason = "being slow is what this server is asked to be")]
pub(super) fn pause(ms: u64) -> tokio::time::Sleep {
    tokio::time::sleep(Duration::from_millis(ms))
}

/// Milliseconds from one instant to a later one; 0 where it is not later.
pub(super) fn elapsed_ms(from: Timestamp, to: Timestamp) -> u64 {
    u64::try_from(to.as_millisecond().saturating_sub(from.as_millisecond())).unwrap_or(0)
}
