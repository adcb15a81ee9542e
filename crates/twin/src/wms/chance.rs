//! Movements that are not the shop's: goods come in, other channels reserve and take theirs, and now and then somebody
//! counts and finds another number. From the seed alone.

use super::books::Books;
use super::config::Knobs;
use super::shelf::Slot;
use jiff::Timestamp;

impl Books {
    /// One movement of chance; none where the pair that it hits has nothing to move.
    pub(super) fn stir(&mut self, knobs: &Knobs, at: Timestamp) {
        let pairs = u64::from(self.shelf.pairs());
        let hot = self.chance.per_mille(knobs.hot_per_mille);
        let drawn = self.chance.below(if hot { (pairs / 100).max(1) } else { pairs });
        let slot = Slot(u32::try_from(drawn).unwrap_or(0));
        let (kind, size) = (self.chance.below(100), i64::try_from(self.chance.between(1, 12)).unwrap_or(1));
        match kind {
            0..25 => self.receive(slot, size * 4, at),
            25..65 => {
                self.pick(slot, size, at);
            }
            65..80 => self.hold(slot, size, at),
            80..95 => self.release(slot, size, at),
            _ => {
                let counted = (self.pair(slot).on_hand + size - 6).max(0);
                self.correct(slot, counted, at);
            }
        }
    }

    pub(super) fn receive(&mut self, slot: Slot, units: i64, at: Timestamp) {
        self.counts.receipts += 1;
        self.change(slot, at, |pair| pair.on_hand += units);
    }

    /// Another channel takes what is free, and no more; how much that was.
    pub(super) fn pick(&mut self, slot: Slot, units: i64, at: Timestamp) -> i64 {
        let taken = units.min(self.pair(slot).free()).max(0);
        self.counts.picks += u64::from(taken > 0);
        self.change(slot, at, |pair| pair.on_hand -= taken);
        taken
    }

    /// Another channel reserves what is free, and no more.
    fn hold(&mut self, slot: Slot, units: i64, at: Timestamp) {
        let taken = units.min(self.pair(slot).free()).max(0);
        self.counts.holds += u64::from(taken > 0);
        self.change(slot, at, |pair| pair.held += taken);
    }

    /// What another channel had reserved leaves the house; or is free again, every second time.
    fn release(&mut self, slot: Slot, units: i64, at: Timestamp) {
        let pair = self.pair(slot);
        let taken = units.min(pair.held).min(pair.on_hand).max(0);
        let leaves = self.chance.below(2) == 0;
        self.change(slot, at, |pair| {
            pair.held -= taken;
            pair.on_hand -= if leaves { taken } else { 0 };
        });
    }

    /// Somebody counted.
    pub(super) fn correct(&mut self, slot: Slot, on_hand: i64, at: Timestamp) {
        self.counts.corrections += 1;
        let before = (-self.pair(slot).free()).max(0);
        self.change(slot, at, |pair| pair.on_hand = on_hand);
        let after = (-self.pair(slot).free()).max(0);
        self.counts.shortage += u64::try_from(after - before).unwrap_or(0);
    }
}
