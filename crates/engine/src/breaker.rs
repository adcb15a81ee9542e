//! One breaker for each system: shut while a target is in trouble, so that it is not hammered (promise 7).
//!
//! It counts *distinct lanes* that fail without a success of any other between: one poisoned order to which the
//! target always answers 500 cannot open it. A probe is the health call, or a lane that did not fail; where there is
//! neither, a lane that failed, at the slowest pace. After a success it opens its width again step by step.

use kernel::backoff::Backoff;
use kernel::clock::Mono;
use kernel::rng::Rng;
use kernel::subject::Lane;
use std::collections::BTreeSet;

/// Whether calls may be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BreakerState {
    Closed,
    /// No call until then.
    Open {
        until: Mono,
    },
    /// One probe is under way.
    Probing,
}

#[derive(Debug, Clone)]
pub struct Breaker {
    state: BreakerState,
    failed: BTreeSet<Lane>,
    lanes_to_open: usize,
    backoff: Backoff,
    /// How often it opened without a success since.
    opened: u32,
    /// Lanes allowed at once after it closed; doubles with each success up to the system's own width.
    width: u32,
    /// Opened because of credentials: said so to people.
    credentials: bool,
}

impl Breaker {
    pub fn new(lanes_to_open: u32, backoff: Backoff) -> Self {
        Self {
            state: BreakerState::Closed,
            failed: BTreeSet::new(),
            lanes_to_open: lanes_to_open.max(1) as usize,
            backoff,
            opened: 0,
            width: u32::MAX,
            credentials: false,
        }
    }

    pub fn state(&self) -> BreakerState {
        self.state
    }
    pub fn is_closed(&self) -> bool {
        self.state == BreakerState::Closed
    }
    pub fn for_credentials(&self) -> bool {
        self.credentials && !self.is_closed()
    }
    /// How many lanes may be in work while it widens again.
    pub fn width(&self) -> u32 {
        self.width
    }
    /// Whether the lane's own failure is part of the trouble: such a lane is the last to be a probe.
    pub fn failed(&self, lane: &Lane) -> bool {
        self.failed.contains(lane)
    }
    pub fn failed_lanes(&self) -> impl Iterator<Item = &Lane> {
        self.failed.iter()
    }

    /// A call of a lane failed in a way that trips. True if the breaker opened by it.
    pub fn failure(&mut self, lane: &Lane, now: Mono, rng: &mut dyn Rng) -> bool {
        self.failed.insert(lane.clone());
        match self.state {
            BreakerState::Closed if self.failed.len() >= self.lanes_to_open => {
                self.open(now, rng);
                true
            }
            BreakerState::Probing => {
                self.open(now, rng);
                false
            }
            BreakerState::Closed | BreakerState::Open { .. } => false,
        }
    }

    /// The credentials were refused: every lane would fail.
    pub fn unauthorized(&mut self, now: Mono, rng: &mut dyn Rng) -> bool {
        let was_closed = self.is_closed();
        self.credentials = true;
        if self.state == BreakerState::Closed || self.state == BreakerState::Probing {
            self.open(now, rng);
        }
        was_closed
    }

    /// The health call failed.
    pub fn unwell(&mut self, now: Mono, rng: &mut dyn Rng) {
        if self.state == BreakerState::Probing {
            self.open(now, rng);
        }
    }

    /// The system did something well: a lane's call, or the health call. True if the breaker closed by it.
    pub fn success(&mut self) -> bool {
        let was_open = !self.is_closed();
        self.failed.clear();
        self.opened = 0;
        self.credentials = false;
        self.state = BreakerState::Closed;
        self.width = if was_open { 1 } else { self.width.saturating_mul(2) };
        was_open
    }

    /// Begins a probe if it is time. True: the caller makes one call now.
    pub fn probe(&mut self, now: Mono) -> bool {
        match self.state {
            BreakerState::Open { until } if until <= now => {
                self.state = BreakerState::Probing;
                true
            }
            _ => false,
        }
    }

    /// The probe could not be made (nothing to probe with): asked again after the same pace.
    pub fn probe_not_made(&mut self, now: Mono, rng: &mut dyn Rng) {
        if self.state == BreakerState::Probing {
            self.opened = self.opened.saturating_sub(1);
            self.open(now, rng);
        }
    }

    /// Only lanes that failed are left to probe with: the next probe may be one of them.
    pub fn forget_failed(&mut self) {
        self.failed.clear();
    }

    /// The store could not give the probe its lane: asked again at once.
    pub fn probe_lost(&mut self, now: Mono) {
        if self.state == BreakerState::Probing {
            self.state = BreakerState::Open { until: now };
        }
    }

    fn open(&mut self, now: Mono, rng: &mut dyn Rng) {
        self.opened = self.opened.saturating_add(1);
        self.state = BreakerState::Open { until: now.plus(self.backoff.after(self.opened, rng)) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::id::{ShopId, SystemName};
    use kernel::rng::Seeded;
    use std::time::Duration;

    fn lane(number: u32) -> Lane {
        Lane {
            shop: ShopId::new("acme").unwrap(),
            system: SystemName::new("erp").unwrap(),
            root: format!("order:{number}"),
        }
    }

    fn breaker() -> Breaker {
        Breaker::new(3, Backoff { first: Duration::from_secs(1), max: Duration::from_secs(8) })
    }

    #[test]
    fn one_poisoned_order_never_opens_it() {
        let (mut breaker, mut rng) = (breaker(), Seeded::new(1));
        for _ in 0..100 {
            assert!(!breaker.failure(&lane(1), Mono(0), &mut rng));
        }
        assert!(breaker.is_closed());
    }

    #[test]
    fn distinct_lanes_open_it_and_a_success_between_starts_the_count_anew() {
        let (mut breaker, mut rng) = (breaker(), Seeded::new(1));
        breaker.failure(&lane(1), Mono(0), &mut rng);
        breaker.failure(&lane(2), Mono(0), &mut rng);
        assert!(!breaker.success());
        breaker.failure(&lane(3), Mono(0), &mut rng);
        breaker.failure(&lane(4), Mono(0), &mut rng);
        assert!(breaker.is_closed());
        assert!(breaker.failure(&lane(5), Mono(0), &mut rng));
        assert!(!breaker.is_closed());
    }

    #[test]
    fn it_probes_once_when_its_time_has_come_and_widens_step_by_step() {
        let (mut breaker, mut rng) = (breaker(), Seeded::new(1));
        for number in 0..3 {
            breaker.failure(&lane(number), Mono(0), &mut rng);
        }
        let BreakerState::Open { until } = breaker.state() else { panic!("not open") };
        assert!(!breaker.probe(Mono(until.0 - 1)));
        assert!(breaker.probe(until));
        assert!(!breaker.probe(until), "one probe at a time");
        assert!(!breaker.failure(&lane(9), until, &mut rng), "a failed probe is no news");
        let BreakerState::Open { until: later } = breaker.state() else { panic!("not open") };
        assert!(later > until);
        assert!(breaker.probe(later));
        assert!(breaker.success());
        assert_eq!(breaker.width(), 1);
        assert!(!breaker.success());
        assert_eq!(breaker.width(), 2);
    }

    #[test]
    fn refused_credentials_open_it_at_once() {
        let (mut breaker, mut rng) = (breaker(), Seeded::new(1));
        assert!(breaker.unauthorized(Mono(0), &mut rng));
        assert!(breaker.for_credentials());
        breaker.success();
        assert!(!breaker.for_credentials());
    }
}
