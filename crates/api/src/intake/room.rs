//! How many bytes are received and not yet committed. Owns the bound; what is taken is given back when its holder is
//! dropped, after the commit or whatever else ended it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The bound, shared by all doors.
#[derive(Debug)]
pub struct Room {
    used: AtomicU64,
    bytes_max: u64,
}

impl Room {
    pub fn new(bytes_max: u64) -> Arc<Self> {
        Arc::new(Self { used: AtomicU64::new(0), bytes_max })
    }
    pub fn used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }
    pub fn bytes_max(&self) -> u64 {
        self.bytes_max
    }
    /// Whether so much would fit now; holds nothing.
    pub fn fits(&self, bytes: u64) -> bool {
        self.used().saturating_add(bytes) <= self.bytes_max
    }
    /// Holds nothing yet; grows as bytes come in.
    pub fn enter(self: &Arc<Self>) -> Held {
        Held { room: self.clone(), bytes: 0 }
    }
}

/// A part of the room, given back when dropped.
#[derive(Debug)]
pub struct Held {
    room: Arc<Room>,
    bytes: u64,
}

impl Held {
    /// False at the bound; nothing more is held then.
    pub fn grow(&mut self, by: u64) -> bool {
        let bytes_max = self.room.bytes_max;
        let grown = |used: u64| used.checked_add(by).filter(|sum| *sum <= bytes_max);
        let fits = self.room.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, grown).is_ok();
        if fits {
            self.bytes += by;
        }
        fits
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.room.used.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_holds_and_what_was_held_is_given_back() {
        let room = Room::new(100);
        let (mut one, mut two) = (room.enter(), room.enter());
        assert!(one.grow(60) && two.grow(40));
        assert!(!two.grow(1) && !one.grow(u64::MAX) && !room.fits(1));
        assert_eq!(room.used(), 100);
        drop(one);
        assert!(two.grow(60) && room.fits(0));
        drop(two);
        assert_eq!(room.used(), 0);
    }
}
