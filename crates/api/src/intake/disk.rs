//! Whether there is disk enough to take more. Asks the port at most four times a second, however many requests come.

use kernel::clock::Mono;
use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// Free bytes where the data directory is (`statvfs`); the binary knows how to ask.
pub trait FreeSpace: Send + Sync + Debug {
    /// `None` where it cannot be told: intake goes on, and the store says when it cannot commit.
    fn free_bytes(&self) -> Option<u64>;
}

const ASK_EVERY: Duration = Duration::from_millis(250);

#[derive(Debug)]
pub(crate) struct Disk {
    port: Arc<dyn FreeSpace>,
    free_min: u64,
    /// Nanoseconds; 0: never asked.
    asked_at: AtomicU64,
    enough: AtomicBool,
    free: AtomicU64,
}

impl Disk {
    pub(crate) fn new(port: Arc<dyn FreeSpace>, free_min: u64) -> Self {
        Self {
            port,
            free_min,
            asked_at: AtomicU64::new(0),
            enough: AtomicBool::new(true),
            free: AtomicU64::new(u64::MAX),
        }
    }

    pub(crate) fn is_enough(&self, now: Mono) -> bool {
        let asked = self.asked_at.load(Ordering::Relaxed);
        let due = asked == 0 || now.since(Mono(asked)) >= ASK_EVERY;
        let claim = || {
            self.asked_at.compare_exchange(asked, now.0.max(1), Ordering::Relaxed, Ordering::Relaxed).is_ok()
        };
        if due && claim() {
            let free = self.port.free_bytes();
            self.free.store(free.unwrap_or(u64::MAX), Ordering::Relaxed);
            self.enough.store(free.is_none_or(|free| free >= self.free_min), Ordering::Relaxed);
        }
        self.enough.load(Ordering::Relaxed)
    }

    /// As last asked; `None` where it cannot be told.
    pub(crate) fn free_bytes(&self) -> Option<u64> {
        Some(self.free.load(Ordering::Relaxed)).filter(|free| *free != u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default)]
    struct Port {
        free: AtomicU64,
        asked: AtomicU64,
    }
    impl FreeSpace for Port {
        fn free_bytes(&self) -> Option<u64> {
            self.asked.fetch_add(1, Ordering::Relaxed);
            Some(self.free.load(Ordering::Relaxed))
        }
    }

    #[test]
    fn the_port_is_asked_four_times_a_second_and_its_answer_counts() {
        let port = Arc::new(Port::default());
        port.free.store(100, Ordering::Relaxed);
        let disk = Disk::new(port.clone(), 50);
        let ms = |ms: u64| Mono(ms * 1_000_000);
        assert!((0..=240).all(|at| disk.is_enough(ms(at))));
        assert_eq!(port.asked.load(Ordering::Relaxed), 1);
        port.free.store(49, Ordering::Relaxed);
        assert!(!disk.is_enough(ms(251)));
        port.free.store(50, Ordering::Relaxed);
        assert!(!disk.is_enough(ms(252)), "not asked again yet");
        assert!(disk.is_enough(ms(600)));
        assert_eq!(disk.free_bytes(), Some(50));
    }
}
