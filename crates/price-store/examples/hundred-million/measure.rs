//! Times and memory, as they are printed.

use pricing::book::ListIndex;
use std::fmt;
use std::time::{Duration, Instant};

#[derive(Clone)]
pub(crate) struct Cart {
    pub(crate) location: String,
    pub(crate) skus: Vec<String>,
    /// The same, and the lists of the location, as the store's numbers.
    pub(crate) list_numbers: Vec<ListIndex>,
    pub(crate) sku_numbers: Vec<u32>,
}

/// How long things took.
#[derive(Default)]
pub(crate) struct Spread {
    nanos: Vec<u64>,
}

impl Spread {
    pub(crate) fn add(&mut self, took: Duration) {
        self.nanos.push(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX));
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut nanos = self.nanos.clone();
        nanos.sort_unstable();
        let at = |permille: usize| {
            let place = (nanos.len() * permille / 1000).min(nanos.len().saturating_sub(1));
            nanos.get(place).copied().unwrap_or(0) as f64 / 1000.0
        };
        let (p50, p95, p99, p999) = (at(500), at(950), at(990), at(999));
        write!(
            f,
            "p50 {p50:>6.1}  p95 {p95:>6.1}  p99 {p99:>6.1}  p99.9 {p999:>7.1}  ({} carts)",
            nanos.len()
        )
    }
}

/// Each cart ten times, one round after the other, so that none is warm from the round before.
pub(crate) fn each<T>(carts: &[Cart], mut run: impl FnMut(&Cart) -> T) -> Spread {
    let mut spread = Spread::default();
    for _ in 0..10 {
        for cart in carts {
            // The texts of a request were read a moment ago.
            let cart = &cart.clone();
            let began = Instant::now();
            std::hint::black_box(run(cart));
            spread.add(began.elapsed());
        }
    }
    spread
}

/// How long something took, and how much of a processor: on a machine that others use too the two differ.
pub(crate) struct Clock {
    began: Instant,
    ticks: u64,
}

impl Clock {
    pub(crate) fn start() -> Self {
        Self { began: Instant::now(), ticks: ticks() }
    }
}

impl fmt::Display for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let processor = (ticks() - self.ticks) as f64 / 100.0;
        write!(f, "{:.1} s ({processor:.1} s of a processor)", self.began.elapsed().as_secs_f64())
    }
}

/// Hundredths of a second in which the process ran.
fn ticks() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    after_name.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum()
}

/// What the process takes, now and at its most.
pub(crate) fn memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let megabytes = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name));
        let kilobytes = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
        kilobytes.unwrap_or(0) * 1024 / 1_000_000
    };
    format!("resident {} MB, at most {} MB", megabytes("VmRSS:"), megabytes("VmHWM:"))
}
