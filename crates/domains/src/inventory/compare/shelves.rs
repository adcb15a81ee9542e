//! Shopify's side: gathered in any order, then sorted by name. Owns its size: 24 bytes a pair and a bit, up to a stated number
//! of pairs.

use crate::inventory::names::Key;
use std::fmt;

/// What Shopify has of a pair; its quantities are GraphQL's `Int`. The location is named as the source names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shelf<'a> {
    pub sku: &'a str,
    pub location: &'a str,
    pub available: i32,
    pub committed: i32,
}

/// More pairs than the check was given memory for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooMany {
    pub max: usize,
}

impl fmt::Display for TooMany {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Shopify has more than the {} pairs that one check may hold: check one location at a time",
            self.max
        )
    }
}

impl std::error::Error for TooMany {}

/// Two halves of the name: one whole would be aligned to 16 bytes, and a pair would take 32.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    high: u64,
    low: u64,
    available: i32,
    committed: i32,
}

impl Entry {
    fn name(&self) -> u128 {
        u128::from(self.high) << 64 | u128::from(self.low)
    }
}

/// What Shopify has, as it comes.
#[derive(Debug)]
pub struct Shelves {
    key: Key,
    max: usize,
    entries: Vec<Entry>,
}

impl Shelves {
    /// `max`: pairs, of which each takes 24 bytes.
    #[must_use]
    pub fn new(key: Key, max: usize) -> Self {
        // The index counts in 32 bits.
        Self { key, max: max.min(u32::MAX as usize), entries: Vec::new() }
    }

    /// # Errors
    /// The bound.
    pub fn add(&mut self, shelf: &Shelf<'_>) -> Result<(), TooMany> {
        if self.entries.len() >= self.max {
            return Err(TooMany { max: self.max });
        }
        let name = self.key.name(shelf.sku, shelf.location);
        let (high, low) = ((name >> 64) as u64, name as u64);
        self.entries.push(Entry { high, low, available: shelf.available, committed: shelf.committed });
        Ok(())
    }

    /// Levels that were added.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.entries.len() as u64
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(super) fn sorted(mut self) -> (Key, Table) {
        self.entries.sort_unstable();
        (self.key, Table::new(self.entries))
    }
}

/// Buckets of about this many entries: the names are evenly spread, so that one look into the index is one cache line.
const BUCKET: usize = 8;

#[derive(Debug)]
pub(super) struct Table {
    entries: Vec<Entry>,
    /// Where the names begin that have these highest bits; one more at the end.
    starts: Vec<u32>,
    shift: u32,
}

impl Table {
    fn new(entries: Vec<Entry>) -> Self {
        let bits = (entries.len() / BUCKET).max(2).next_power_of_two().trailing_zeros();
        let shift = u64::BITS - bits;
        let mut starts = vec![0u32; (1 << bits) + 1];
        for entry in &entries {
            starts[(entry.high >> shift) as usize + 1] += 1;
        }
        for at in 1..starts.len() {
            starts[at] += starts[at - 1];
        }
        Self { entries, starts, shift }
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Pairs, however often each is there.
    pub(super) fn pairs(&self) -> u64 {
        (0..self.len()).filter(|at| self.is_first(*at)).count() as u64
    }

    /// Has the entries near these names brought from memory, all at once: no look waits for the one before it.
    pub(super) fn approach(&self, names: &[u128]) {
        let begin = |name: &u128| self.starts[((name >> 64) as u64 >> self.shift) as usize] as usize;
        let near = |name: &u128| self.entries.get(begin(name)).map_or(0, |entry| entry.high);
        std::hint::black_box(names.iter().map(near).fold(0, u64::wrapping_add));
    }

    /// The first entry of a name.
    pub(super) fn find(&self, name: u128) -> Option<usize> {
        let bucket = ((name >> 64) as u64 >> self.shift) as usize;
        let (start, end) = (self.starts[bucket] as usize, self.starts[bucket + 1] as usize);
        let at = start + self.entries[start..end].iter().take_while(|entry| entry.name() < name).count();
        (at < end && self.entries[at].name() == name).then_some(at)
    }

    pub(super) fn name(&self, at: usize) -> u128 {
        self.entries[at].name()
    }

    pub(super) fn quantities(&self, at: usize) -> (i64, i64) {
        let entry = &self.entries[at];
        (i64::from(entry.available), i64::from(entry.committed))
    }

    pub(super) fn is_first(&self, at: usize) -> bool {
        at == 0 || self.name(at - 1) != self.name(at)
    }

    /// Whether the first entry of a name is not its only one.
    pub(super) fn is_twice(&self, at: usize) -> bool {
        at + 1 < self.len() && self.name(at + 1) == self.name(at)
    }
}

/// A bit an entry.
#[derive(Debug)]
pub(super) struct Bits(Vec<u64>);

impl Bits {
    pub(super) fn new(len: usize) -> Self {
        Self(vec![0; len.div_ceil(64)])
    }

    /// Sets it, and says whether it was set.
    pub(super) fn set(&mut self, at: usize) -> bool {
        let was = self.get(at);
        self.0[at / 64] |= 1 << (at % 64);
        was
    }

    pub(super) fn get(&self, at: usize) -> bool {
        self.0[at / 64] & 1 << (at % 64) != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What 64 bits would take for one pair is two.
    #[test]
    fn names_that_share_half_their_bits_are_told_apart() {
        let entry = |high: u64, low: u64| Entry { high, low, available: low as i32, committed: 0 };
        let mut entries: Vec<_> = (0..200).map(|low| entry(1 << 63, low)).collect();
        entries.extend((0..2000u64).map(|n| entry(n.wrapping_mul(0x9E37_79B9_7F4A_7C15), 7)));
        entries.extend([entry(0, 0), entry(u64::MAX, u64::MAX)]);
        entries.sort_unstable();
        let table = Table::new(entries.clone());
        for entry in &entries {
            let at = table.find(entry.name()).unwrap();
            assert_eq!(table.name(at), entry.name());
            assert_eq!(table.quantities(at).0, i64::from(entry.available));
        }
        for (high, low) in [(1 << 63, 200), (1, 7), (u64::MAX, 0)] {
            assert_eq!(table.find(entry(high, low).name()), None);
        }
    }

    #[test]
    fn a_pair_takes_24_bytes() {
        assert_eq!(size_of::<Entry>(), 24);
    }
}
