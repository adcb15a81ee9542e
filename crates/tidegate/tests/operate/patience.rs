//! Waiting for what a hub does by itself: by the clock and not by a number of looks, since a quick machine looks more often.

use std::time::{Duration, Instant};

/// A busy machine of two cores needs half of it for the longest of these tests.
const PATIENCE: Duration = Duration::from_secs(100);

/// Looks again and again, until there is something; nothing after [`PATIENCE`].
///
/// Whoever looks asks another process, here or inside, so that this does not take the processor from the one that is waited for.
pub(crate) fn eventually<T>(mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let until = now() + PATIENCE;
    loop {
        let found = look();
        if found.is_some() || now() > until {
            return found;
        }
    }
}

/// Looks again and again; false: it never was so.
pub(crate) fn comes(mut look: impl FnMut() -> bool) -> bool {
    eventually(|| look().then_some(())).is_some()
}

#[expect(clippy::disallowed_methods, reason = "patience with another process ends by the clock")]
fn now() -> Instant {
    Instant::now()
}
