//! How often somebody may ask. Owns the even pace, with as much at once as one period allows.

use config::Rate;
use kernel::clock::Mono;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

#[derive(Debug)]
pub(super) struct Pace {
    rate: Rate,
    /// When the next one may come at the even pace; behind now by as much as was saved.
    next: Mutex<Mono>,
}

impl Pace {
    pub(super) fn new(rate: Rate) -> Self {
        Self { rate, next: Mutex::default() }
    }

    /// Takes one; else how long to wait.
    pub(super) fn take(&self, now: Mono) -> Result<(), Duration> {
        let Rate { count, per } = self.rate;
        let each = per / count.max(1);
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let at = (*next).max(now);
        let ahead = at.since(now);
        let most = per.saturating_sub(each);
        if ahead > most {
            return Err(ahead - most);
        }
        *next = at.plus(each);
        Ok(())
    }
}
