//! What goes wrong with API requests on purpose: an answer that is cut off after all was done, errors before and after,
//! and both of Shopify's ways to say "not so fast". Drawn from the seed and the count of requests, or ordered for the next.

use crate::shop::Chance;
use std::collections::{BTreeSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Shares are per mille of the requests that they concern. The default is an API in good health.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ApiFaults {
    pub seed: u64,
    /// Only requests with one of these mutations; empty: all mutations.
    pub only: BTreeSet<String>,
    /// Queries too.
    pub on_queries: bool,
    /// Carried out; half of the answer comes, then the connection is dropped.
    pub cut_off_per_mille: u32,
    /// Carried out; nothing is answered for as long as anybody waits.
    pub unanswered_per_mille: u32,
    /// Not carried out; 503.
    pub error_before_per_mille: u32,
    /// Carried out; 502.
    pub error_after_per_mille: u32,
    /// Not carried out; 200 with `THROTTLED`.
    pub throttled_per_mille: u32,
    /// Not carried out; 429 with `Retry-After`.
    pub too_many_per_mille: u32,
    /// 504 at once; carried out `late_by` later, whatever came in between: it stood in a queue.
    pub late_per_mille: u32,
    /// The same, and its key is in progress until then: the shop works on it.
    pub slow_per_mille: u32,
    /// Shop time.
    pub late_by: Duration,
}

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApiFault {
    CutOff,
    Unanswered,
    ErrorBefore,
    ErrorAfter,
    Throttled,
    TooMany,
    Late,
    Slow,
}

impl ApiFault {
    /// In the counts of requests.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::CutOff => "fault_cut_off",
            Self::Unanswered => "fault_unanswered",
            Self::ErrorBefore => "fault_error_before",
            Self::ErrorAfter => "fault_error_after",
            Self::Throttled => "fault_throttled",
            Self::TooMany => "fault_too_many",
            Self::Late => "fault_late",
            Self::Slow => "fault_slow",
        }
    }
}

/// What a request asks for, as far as its fate depends on it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) is_mutation: bool,
    /// Of the root.
    pub(super) fields: Vec<String>,
    /// Of `@idempotent(key:)` on them.
    pub(super) keys: Vec<String>,
}

impl ApiFaults {
    fn concerns(&self, asked: &Asked) -> bool {
        if asked.is_mutation {
            self.only.is_empty() || asked.fields.iter().any(|field| self.only.contains(field))
        } else {
            self.on_queries && !asked.fields.is_empty()
        }
    }

    /// One draw over all shares laid side by side.
    fn draw(&self, count: u64) -> Option<ApiFault> {
        let shares = [
            (self.cut_off_per_mille, ApiFault::CutOff),
            (self.unanswered_per_mille, ApiFault::Unanswered),
            (self.error_before_per_mille, ApiFault::ErrorBefore),
            (self.error_after_per_mille, ApiFault::ErrorAfter),
            (self.throttled_per_mille, ApiFault::Throttled),
            (self.too_many_per_mille, ApiFault::TooMany),
            (self.late_per_mille, ApiFault::Late),
            (self.slow_per_mille, ApiFault::Slow),
        ];
        let mut drawn = Chance::new(self.seed ^ count.wrapping_mul(0x9e37_79b9_7f4a_7c15)).below(1000);
        for (share, fault) in shares {
            match drawn.checked_sub(u64::from(share)) {
                Some(left) => drawn = left,
                None => return Some(fault),
            }
        }
        None
    }
}

/// The faults in force, how many requests they concerned, and what was ordered for the next ones.
#[derive(Debug, Default)]
pub(super) struct FaultDesk(Mutex<Desk>);

#[derive(Debug, Default)]
struct Desk {
    faults: ApiFaults,
    count: u64,
    ordered: VecDeque<ApiFault>,
}

impl FaultDesk {
    pub(super) fn new(faults: ApiFaults) -> Self {
        Self(Mutex::new(Desk { faults, ..Desk::default() }))
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn turn(&self, how: impl FnOnce(&mut ApiFaults)) {
        how(&mut self.desk().faults);
    }

    /// For the next request that the faults concern.
    pub(super) fn order(&self, fault: ApiFault) {
        self.desk().ordered.push_back(fault);
    }

    pub(super) fn late_by(&self) -> Duration {
        self.desk().faults.late_by
    }

    /// None: the request is answered as it should be.
    pub(super) fn fate(&self, asked: &Asked) -> Option<ApiFault> {
        let mut desk = self.desk();
        if !desk.faults.concerns(asked) {
            return None;
        }
        desk.count += 1;
        match desk.ordered.pop_front() {
            Some(fault) => Some(fault),
            None => desk.faults.draw(desk.count),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_concern_the_mutations_that_are_named_and_come_in_their_shares() {
        let only: BTreeSet<String> = ["inventorySetQuantities".to_owned()].into();
        let faults = ApiFaults { seed: 7, only, cut_off_per_mille: 100, ..ApiFaults::default() };
        let run = |field: &str, is_mutation| {
            let desk = FaultDesk::new(faults.clone());
            let asked = Asked { is_mutation, fields: vec![field.to_owned()], ..Asked::default() };
            (0..10_000).filter(|_| desk.fate(&asked) == Some(ApiFault::CutOff)).count()
        };
        assert!((900..1100).contains(&run("inventorySetQuantities", true)));
        assert_eq!((run("tagsAdd", true), run("inventoryItems", false)), (0, 0));
    }
}
