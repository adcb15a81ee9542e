//! What one layer says of one list: its SKUs, a word for each, and the side area. Owns look-up and walk; never changes once
//! it is made, so that many versions may share it.

use crate::keys::{Ids, Keys, Shape};
use crate::word::Value;
use siphasher::sip::SipHasher13;
use std::hash::Hasher as _;

#[derive(Debug, Clone)]
pub(crate) struct Block {
    pub(crate) list: u32,
    /// The number of the segment that it stands in: a later one is newer.
    pub(crate) ordinal: u32,
    /// Older layers count below this number only: its own, where it lies upon all of them; less, where it was made of some;
    /// 0, where it is all of the list.
    pub(crate) below: u32,
    /// How many prices the list has, with this layer on the older ones.
    pub(crate) live: u32,
    keys: Keys,
    words: Box<[u32]>,
    side: Box<[u8]>,
}

impl Block {
    #[inline]
    pub(crate) fn value(&self, sku: u32) -> Option<Value<'_>> {
        let place = self.keys.find(sku)?;
        Value::of(*self.words.get(place)?, &self.side)
    }

    /// Of a SKU that is not in it: 0.
    #[inline]
    pub(crate) fn word(&self, sku: u32) -> u32 {
        self.keys.find(sku).and_then(|place| self.words.get(place)).copied().unwrap_or(0)
    }

    pub(crate) fn keys(&self) -> &Keys {
        &self.keys
    }

    /// In the order of the SKUs' ids.
    pub(crate) fn iter(&self) -> Entries<'_> {
        Entries { ids: self.keys.ids(), words: self.words.iter(), side: &self.side }
    }

    pub(crate) fn len(&self) -> usize {
        self.words.len()
    }

    /// What it takes of memory.
    pub(crate) fn bytes(&self) -> usize {
        size_of::<Self>() + self.keys.bytes() + self.words.len() * 4 + self.side.len()
    }
}

/// See [`Block::iter`].
#[derive(Debug)]
pub(crate) struct Entries<'a> {
    ids: Ids<'a>,
    words: std::slice::Iter<'a, u32>,
    side: &'a [u8],
}

impl<'a> Iterator for Entries<'a> {
    type Item = (u32, Value<'a>);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let (id, word) = (self.ids.next()?, *self.words.next()?);
        Some((id, Value::of(word, self.side)?))
    }
}

/// Gathers a block in the order of the ids.
#[derive(Debug, Default)]
pub(crate) struct Draft {
    ids: Vec<u32>,
    words: Vec<u32>,
    side: Vec<u8>,
}

/// Where a layer stands among the others of its list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) ordinal: u32,
    pub(crate) below: u32,
}

/// The windows and tiers of one list take more than two gigabytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Full;

impl Draft {
    pub(crate) fn push(&mut self, sku: u32, value: Value<'_>) -> Result<(), Full> {
        debug_assert!(self.ids.last().is_none_or(|last| *last < sku), "ids rise");
        self.words.push(value.put(&mut self.side).ok_or(Full)?);
        self.ids.push(sku);
        Ok(())
    }

    pub(crate) fn build(self, list: u32, place: Place, live: u32) -> Block {
        let keys = Keys::of(&self.ids);
        let Place { ordinal, below } = place;
        Block { list, ordinal, below, live, keys, words: self.words.into(), side: self.side.into() }
    }
}

// --- as bytes -------------------------------------------------------------------------------------

pub(crate) const ENTRY_BYTES: usize = 40;

/// What a segment's directory says of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) list: u32,
    pub(crate) below: u32,
    live: u32,
    count: u32,
    shape: Shape,
    side_bytes: u32,
    sum: u64,
}

impl Entry {
    pub(crate) fn body_bytes(&self) -> usize {
        Keys::written_bytes(self.shape, self.count as usize)
            + self.count as usize * 4
            + self.side_bytes as usize
    }

    pub(crate) fn write(&self, into: &mut Vec<u8>) {
        let flags = u32::from(self.shape.dense) | self.shape.shift << 8;
        let Shape { first, parts, .. } = self.shape;
        let words = [self.list, flags, self.live, self.count, first, parts, self.side_bytes, self.below];
        for word in words {
            into.extend_from_slice(&word.to_le_bytes());
        }
        into.extend_from_slice(&self.sum.to_le_bytes());
    }

    pub(crate) fn read(bytes: &[u8; ENTRY_BYTES]) -> Self {
        let word = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        let flags = word(4);
        let shape = Shape { dense: flags & 1 != 0, shift: flags >> 8, first: word(16), parts: word(20) };
        Self {
            list: word(0),
            below: word(28),
            live: word(8),
            count: word(12),
            shape,
            side_bytes: word(24),
            sum: u64::from(word(32)) | u64::from(word(36)) << 32,
        }
    }
}

impl Block {
    /// The body, and what the directory says of it.
    pub(crate) fn write(&self, into: &mut Vec<u8>) -> Entry {
        let from = into.len();
        self.keys.write(into);
        for word in &self.words {
            into.extend_from_slice(&word.to_le_bytes());
        }
        into.extend_from_slice(&self.side);
        Entry {
            list: self.list,
            below: self.below,
            live: self.live,
            count: self.words.len() as u32,
            shape: self.keys.shape(),
            side_bytes: self.side.len() as u32,
            sum: sum(&into[from..]),
        }
    }

    /// None: the body is not what was written.
    pub(crate) fn read(entry: &Entry, ordinal: u32, body: &[u8]) -> Option<Self> {
        if sum(body) != entry.sum {
            return None;
        }
        let count = entry.count as usize;
        let (keys, rest) = body.split_at_checked(Keys::written_bytes(entry.shape, count))?;
        let (words, side) = rest.split_at_checked(count * 4)?;
        let words = words.as_chunks::<4>().0.iter().map(|word| u32::from_le_bytes(*word)).collect();
        let Entry { list, below, live, .. } = *entry;
        let keys = Keys::read(entry.shape, count, keys)?;
        Some(Self { list, ordinal, below, live, keys, words, side: side.into() })
    }
}

/// Finds accidents, not forgers: the audit's digests find these.
pub(crate) fn sum(bytes: &[u8]) -> u64 {
    let mut hasher = SipHasher13::new_with_keys(0x7469_6465_6761_7465, 0x7072_6963_6573_2e31);
    hasher.write(bytes);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::word::Encoded;
    use kernel::money::parse_exact;
    use pricing::Price;

    #[test]
    fn a_block_comes_back_and_any_changed_byte_of_it_is_found() {
        let mut draft = Draft::default();
        for (sku, text) in [(3, "4.75"), (9, "999999999999.5"), (500_000, "0")] {
            let price = Encoded::of(&Price::Plain(parse_exact(text).unwrap())).unwrap();
            draft.push(sku, price.value()).unwrap();
        }
        draft.push(600_000, Value::Gone).unwrap();
        let block = draft.build(7, Place { ordinal: 5, below: 2 }, 3);
        let (mut body, mut entry) = (Vec::new(), Vec::new());
        block.write(&mut body).write(&mut entry);
        let entry = Entry::read(entry[..].try_into().unwrap());
        assert_eq!(entry.body_bytes(), body.len());
        let again = Block::read(&entry, 5, &body).unwrap();
        assert!(again.iter().eq(block.iter()) && again.below == 2 && again.live == 3 && again.list == 7);
        assert_eq!(again.value(600_000), Some(Value::Gone));
        assert_eq!(again.value(4), None);
        for at in 0..body.len() {
            body[at] ^= 0x10;
            assert!(Block::read(&entry, 5, &body).is_none(), "byte {at}");
            body[at] ^= 0x10;
        }
    }
}
