//! Failed logins: so many a minute from one address, then a wait. Bounded, and a success forgets them.

use kernel::clock::Mono;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

const FAILURES_MAX: usize = 5;
const WINDOW: Duration = Duration::from_secs(60);
/// At the bound the address that failed longest ago goes.
const ADDRESSES_MAX: usize = 1024;

/// `None`: the server told no address.
type Address = Option<IpAddr>;

#[derive(Debug, Default)]
pub(crate) struct Attempts {
    failed: BTreeMap<Address, Vec<Mono>>,
}

impl Attempts {
    /// How long this address has to wait before its next login; `None`: it may try.
    pub(crate) fn wait(&mut self, address: Address, now: Mono) -> Option<Duration> {
        let failed = self.failed.get_mut(&address)?;
        failed.retain(|at| now.since(*at) < WINDOW);
        let oldest = failed.iter().rev().nth(FAILURES_MAX - 1)?;
        Some(oldest.plus(WINDOW).since(now))
    }

    pub(crate) fn failed(&mut self, address: Address, now: Mono) {
        let last = |failed: &Vec<Mono>| failed.last().copied();
        if self.failed.len() >= ADDRESSES_MAX
            && !self.failed.contains_key(&address)
            && let Some(oldest) =
                self.failed.iter().min_by_key(|(_, failed)| last(failed)).map(|(key, _)| *key)
        {
            self.failed.remove(&oldest);
        }
        self.failed.entry(address).or_default().push(now);
    }

    pub(crate) fn succeeded(&mut self, address: Address) {
        self.failed.remove(&address);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: u64) -> Mono {
        Mono::default().plus(Duration::from_secs(second))
    }

    #[test]
    fn five_a_minute_from_one_address() {
        let mut attempts = Attempts::default();
        let here = Some("10.0.0.1".parse().unwrap());
        let there = Some("10.0.0.2".parse().unwrap());
        for second in 0..5 {
            assert_eq!(attempts.wait(here, at(second)), None);
            attempts.failed(here, at(second));
        }
        assert_eq!(attempts.wait(here, at(10)), Some(Duration::from_secs(50)));
        assert_eq!(attempts.wait(there, at(10)), None);
        assert_eq!(attempts.wait(here, at(60)), None);
        attempts.succeeded(here);
        assert_eq!(attempts.failed.len(), 0);
    }

    #[test]
    fn the_number_of_addresses_is_bounded() {
        let mut attempts = Attempts::default();
        for number in 0..5000_u32 {
            attempts.failed(Some(IpAddr::from(number.to_be_bytes())), at(u64::from(number)));
        }
        assert_eq!(attempts.failed.len(), ADDRESSES_MAX);
    }
}
