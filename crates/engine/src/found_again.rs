//! References that were found, let go what waited for them, and are waited for again: what looks for them and what refuses without them
//! do not mean the same. Owns the pace at which such a one is let go again, from seconds to once an hour; without it the two would go
//! round as fast as the target answers.

use kernel::backoff::Backoff;
use kernel::clock::{Mono, Now};
use kernel::fault::Reference;
use kernel::id::{ShopId, SystemName};
use kernel::rng::Rng;
use std::collections::BTreeMap;
use std::time::Duration;
use store::query::Awaited;

const PACE: Backoff = Backoff { first: Duration::from_secs(10), max: Duration::from_secs(3_600) };
/// One that was not waited for again for so long is forgotten: its next time is its first.
const FORGOTTEN: Duration = Duration::from_secs(2 * 3_600);
/// So many are looked through at once for what is to be forgotten.
const KEPT: usize = 1_000;

type Key = (ShopId, SystemName, Reference);

#[derive(Debug, Clone, Copy)]
struct Found {
    times: u32,
    at: Mono,
    wait: Duration,
}

#[derive(Debug, Default)]
pub(crate) struct FoundAgain(BTreeMap<Key, Found>);

impl FoundAgain {
    /// How long what waits for it has to wait yet, though it is there; `None`: it is let go now.
    pub(crate) fn wait(&mut self, awaited: &Awaited, now: Now, rng: &mut dyn Rng) -> Option<Duration> {
        let key = (awaited.shop.clone(), awaited.system.clone(), awaited.reference.clone());
        let known = self.0.get(&key).filter(|found| now.mono.since(found.at) < FORGOTTEN);
        if let Some(found) = known {
            let passed = now.mono.since(found.at);
            if passed < found.wait {
                return Some(found.wait.saturating_sub(passed));
            }
        }
        let times = known.map_or(1, |found| found.times.saturating_add(1));
        if self.0.len() >= KEPT {
            self.0.retain(|_, found| now.mono.since(found.at) < FORGOTTEN);
        }
        self.0.insert(key, Found { times, at: now.mono, wait: PACE.after(times, rng) });
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;
    use kernel::rng::Seeded;

    fn awaited(value: &str) -> Awaited {
        Awaited {
            shop: ShopId::new("acme").unwrap(),
            system: SystemName::new("erp").unwrap(),
            reference: Reference { kind: "sale".to_owned(), value: value.to_owned() },
            looks: 0,
            next_look_at: Timestamp::UNIX_EPOCH,
            waiting: 1,
        }
    }

    fn at(after: Duration) -> Now {
        Now { wall: Timestamp::UNIX_EPOCH + after, mono: Mono(0).plus(after) }
    }

    /// Looked for again as soon as it was let go in vain, all day.
    #[test]
    fn what_is_found_and_waited_for_again_is_let_go_ever_more_seldom() {
        let (mut again, mut rng) = (FoundAgain::default(), Seeded::new(7));
        let (mut now, mut let_go) = (Duration::ZERO, Vec::new());
        while now < Duration::from_secs(86_400) {
            match again.wait(&awaited("1"), at(now), &mut rng) {
                None => let_go.push(now),
                Some(wait) => now += wait,
            }
        }
        let early = let_go.iter().filter(|at| **at < Duration::from_secs(60)).count();
        assert!((2..=8).contains(&early), "{early} times within a minute");
        assert!((20..=120).contains(&let_go.len()), "{} times within a day", let_go.len());
    }

    #[test]
    fn another_one_and_one_of_long_ago_are_let_go_at_once() {
        let (mut again, mut rng) = (FoundAgain::default(), Seeded::new(7));
        assert_eq!(again.wait(&awaited("1"), at(Duration::ZERO), &mut rng), None);
        assert!(again.wait(&awaited("1"), at(Duration::ZERO), &mut rng).is_some());
        assert_eq!(again.wait(&awaited("2"), at(Duration::ZERO), &mut rng), None);
        assert_eq!(again.wait(&awaited("1"), at(FORGOTTEN), &mut rng), None);
        let soon = FORGOTTEN + Duration::from_secs(11);
        assert_eq!(again.wait(&awaited("1"), at(soon), &mut rng), None, "its first time again");
    }
}
