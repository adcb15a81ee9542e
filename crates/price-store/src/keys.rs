//! Which SKUs a list has, and at which place each stands. Owns two forms of a rising row of ids, of which a list takes the
//! smaller: lines of bits with their rank where many of the SKUs near each other are in it, and else buckets of two bytes an
//! id. Both answer with two or three reads of memory, whatever the list's length: no search over all of it.

/// Bits in a line: with the counts before them a line is what a processor reads at once.
const LINE_BITS: u32 = 448;
const LINE_WORDS: usize = 7;
/// About as many ids in a bucket as are compared in one line of a processor's cache.
const BUCKET_IDS: u64 = 32;

/// 64 bytes: how many ids stand before it, how many before its third, fifth and seventh word, and a bit for each id.
#[derive(Debug, Clone, Copy, Default)]
#[repr(align(64))]
pub(crate) struct Line {
    rank: u32,
    inner: u32,
    bits: [u64; LINE_WORDS],
}

/// A rising row of ids.
#[derive(Debug, Clone)]
pub(crate) enum Keys {
    Dense {
        first: u32,
        lines: Box<[Line]>,
    },
    Sparse {
        first: u32,
        shift: u32,
        /// Of each bucket where it begins, and the end of the last one.
        starts: Box<[u32]>,
        lows: Box<[u16]>,
    },
}

impl Keys {
    /// `ids`: rising.
    pub(crate) fn of(ids: &[u32]) -> Self {
        let (Some(&first), Some(&last)) = (ids.first(), ids.last()) else {
            return Self::Sparse { first: 0, shift: 0, starts: Box::new([0]), lows: Box::default() };
        };
        let span = u64::from(last - first) + 1;
        let count = ids.len() as u64;
        let lines = span.div_ceil(u64::from(LINE_BITS));
        let per_bucket = (span * BUCKET_IDS).div_ceil(count).clamp(1, 1 << 16);
        let shift = (63 - per_bucket.leading_zeros()).min(16);
        let buckets = ((span - 1) >> shift) + 1;
        if lines * 64 <= count * 2 + (buckets + 1) * 4 {
            return Self::dense(first, lines, ids);
        }
        let mut starts = Vec::with_capacity(usize::try_from(buckets).unwrap_or_default() + 1);
        let mut lows = Vec::with_capacity(ids.len());
        for id in ids {
            let at = id - first;
            let bucket = (at >> shift) as usize;
            while starts.len() <= bucket {
                starts.push(lows.len() as u32);
            }
            lows.push((at & low_mask(shift)) as u16);
        }
        starts.push(lows.len() as u32);
        Self::Sparse { first, shift, starts: starts.into(), lows: lows.into() }
    }

    fn dense(first: u32, lines: u64, ids: &[u32]) -> Self {
        let mut all = vec![Line::default(); usize::try_from(lines).unwrap_or_default()];
        for id in ids {
            let at = id - first;
            let bit = at % LINE_BITS;
            all[(at / LINE_BITS) as usize].bits[(bit / 64) as usize] |= 1 << (bit % 64);
        }
        count(&mut all);
        Self::Dense { first, lines: all.into() }
    }

    /// The place of an id.
    #[inline]
    pub(crate) fn find(&self, id: u32) -> Option<usize> {
        match self {
            Self::Dense { first, lines } => {
                let at = id.checked_sub(*first)?;
                let line = lines.get((at / LINE_BITS) as usize)?;
                let bit = at % LINE_BITS;
                let (word, mask) = ((bit / 64) as usize, 1_u64 << (bit % 64));
                let bits = line.bits[word];
                if bits & mask == 0 {
                    return None;
                }
                let before_pair = (u64::from(line.inner) << 10) >> (word / 2 * 10) & 0x3FF;
                let before_word = if word % 2 == 1 { line.bits[word - 1].count_ones() } else { 0 };
                Some(
                    (line.rank + before_pair as u32 + before_word + (bits & (mask - 1)).count_ones())
                        as usize,
                )
            }
            Self::Sparse { first, shift, starts, lows } => {
                let at = id.checked_sub(*first)?;
                let bucket = (at >> shift) as usize;
                let end = *starts.get(bucket + 1)? as usize;
                let start = starts[bucket] as usize;
                let low = (at & low_mask(*shift)) as u16;
                let within = lows.get(start..end)?.binary_search(&low).ok()?;
                Some(start + within)
            }
        }
    }

    /// Reads the first that a look-up reads.
    #[inline]
    pub(crate) fn first_read(&self, id: u32) -> u32 {
        match self {
            Self::Dense { first, lines } => {
                lines.get((id.wrapping_sub(*first) / LINE_BITS) as usize).map_or(0, |line| line.rank)
            }
            Self::Sparse { first, shift, starts, .. } => {
                starts.get((id.wrapping_sub(*first) >> shift) as usize).copied().unwrap_or(0)
            }
        }
    }

    /// Reads the second, once the first is there.
    #[inline]
    pub(crate) fn second_read(&self, id: u32) -> u16 {
        match self {
            Self::Dense { .. } => 0,
            Self::Sparse { lows, .. } => {
                // The middle of a bucket: most lie in one line of the cache.
                let middle = self.first_read(id) as usize + (BUCKET_IDS / 3) as usize;
                lows.get(middle).copied().unwrap_or(0)
            }
        }
    }

    /// All ids, rising.
    pub(crate) fn ids(&self) -> Ids<'_> {
        Ids { keys: self, at: 0, bits: 0, next: 0 }
    }

    /// What it takes of memory.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Dense { lines, .. } => lines.len() * 64,
            Self::Sparse { starts, lows, .. } => starts.len() * 4 + lows.len() * 2,
        }
    }
}

fn low_mask(shift: u32) -> u32 {
    (1 << shift) - 1
}

/// Fills in the ranks; the number of all.
fn count(lines: &mut [Line]) -> u32 {
    let mut rank = 0;
    for line in lines {
        line.rank = rank;
        let mut within = 0;
        let mut inner = 0;
        for (word, bits) in line.bits.iter().enumerate() {
            if word > 0 && word % 2 == 0 {
                inner |= within << ((word / 2 - 1) * 10);
            }
            within += bits.count_ones();
        }
        line.inner = inner;
        rank += within;
    }
    rank
}

/// See [`Keys::ids`].
#[derive(Debug)]
pub(crate) struct Ids<'a> {
    keys: &'a Keys,
    /// Of lines: the next word; of buckets: the bucket.
    at: usize,
    bits: u64,
    next: usize,
}

impl Iterator for Ids<'_> {
    type Item = u32;

    #[inline]
    fn next(&mut self) -> Option<u32> {
        match self.keys {
            Keys::Dense { first, lines } => {
                while self.bits == 0 {
                    self.bits = lines.get(self.at / LINE_WORDS)?.bits[self.at % LINE_WORDS];
                    self.at += 1;
                }
                let bit = self.bits.trailing_zeros();
                self.bits &= self.bits - 1;
                let word = self.at - 1;
                Some(first + (word / LINE_WORDS) as u32 * LINE_BITS + (word % LINE_WORDS) as u32 * 64 + bit)
            }
            Keys::Sparse { first, shift, starts, lows } => {
                let low = *lows.get(self.next)?;
                while *starts.get(self.at + 1)? as usize <= self.next {
                    self.at += 1;
                }
                self.next += 1;
                Some(first + ((self.at as u32) << shift) + u32::from(low))
            }
        }
    }
}

// --- as bytes -------------------------------------------------------------------------------------

/// What a reader must know before the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) dense: bool,
    pub(crate) shift: u32,
    pub(crate) first: u32,
    /// Lines, or buckets.
    pub(crate) parts: u32,
}

impl Keys {
    pub(crate) fn shape(&self) -> Shape {
        match self {
            Self::Dense { first, lines } => {
                Shape { dense: true, shift: 0, first: *first, parts: lines.len() as u32 }
            }
            Self::Sparse { first, shift, starts, .. } => {
                Shape { dense: false, shift: *shift, first: *first, parts: starts.len() as u32 - 1 }
            }
        }
    }

    /// How long [`Keys::write`] makes it.
    pub(crate) fn written_bytes(shape: Shape, count: usize) -> usize {
        let parts = shape.parts as usize;
        if shape.dense { parts * LINE_WORDS * 8 } else { parts * 4 + count * 2 }
    }

    /// Ranks are counted anew by the reader: what is not written cannot be wrong.
    pub(crate) fn write(&self, into: &mut Vec<u8>) {
        match self {
            Self::Dense { lines, .. } => {
                for word in lines.iter().flat_map(|line| line.bits) {
                    into.extend_from_slice(&word.to_le_bytes());
                }
            }
            Self::Sparse { starts, lows, .. } => {
                for pair in starts.windows(2) {
                    into.extend_from_slice(&(pair[1] - pair[0]).to_le_bytes());
                }
                for low in lows {
                    into.extend_from_slice(&low.to_le_bytes());
                }
            }
        }
    }

    /// None: these are not `count` rising ids of that shape.
    pub(crate) fn read(shape: Shape, count: usize, bytes: &[u8]) -> Option<Self> {
        let Shape { dense, shift, first, parts } = shape;
        if shift > 16 || bytes.len() != Self::written_bytes(shape, count) {
            return None;
        }
        if dense {
            let (words, _) = bytes.as_chunks::<8>();
            let mut lines: Box<[Line]> = words
                .as_chunks::<LINE_WORDS>()
                .0
                .iter()
                .map(|words| Line { rank: 0, inner: 0, bits: words.map(u64::from_le_bytes) })
                .collect();
            let fits = u64::from(first) + u64::from(parts) * u64::from(LINE_BITS) <= (1 << 32) + 448;
            return (fits && self::count(&mut lines) as usize == count)
                .then_some(Self::Dense { first, lines });
        }
        let (counts, lows) = bytes.split_at_checked(parts as usize * 4)?;
        let mut starts = Vec::with_capacity(parts as usize + 1);
        let mut sum = 0_u32;
        starts.push(0);
        for bytes in counts.as_chunks::<4>().0 {
            sum = sum.checked_add(u32::from_le_bytes(*bytes))?;
            starts.push(sum);
        }
        let fits = u64::from(first) + (u64::from(parts) << shift) <= (1 << 32) + (1 << 16);
        let lows: Box<[u16]> = lows.as_chunks::<2>().0.iter().map(|low| u16::from_le_bytes(*low)).collect();
        (fits && sum as usize == count).then(|| Self::Sparse { first, shift, starts: starts.into(), lows })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn holds(ids: &BTreeSet<u32>) {
        let row: Vec<u32> = ids.iter().copied().collect();
        let keys = Keys::of(&row);
        let mut bytes = Vec::new();
        keys.write(&mut bytes);
        let again = Keys::read(keys.shape(), row.len(), &bytes).unwrap();
        for keys in [keys, again] {
            assert!(keys.ids().eq(row.iter().copied()));
            for (place, id) in row.iter().enumerate() {
                assert_eq!(keys.find(*id), Some(place));
                for near in [id.wrapping_sub(1), id.wrapping_add(1), id ^ 64, id ^ 0x1_0000] {
                    assert_eq!(keys.find(near).is_some(), ids.contains(&near), "{near} beside {id}");
                }
            }
            assert_eq!(keys.find(u32::MAX).is_some(), ids.contains(&u32::MAX));
        }
    }

    #[test]
    fn both_forms_find_what_is_there_and_nothing_else() {
        holds(&BTreeSet::new());
        holds(&BTreeSet::from([0]));
        holds(&BTreeSet::from([u32::MAX]));
        holds(&BTreeSet::from([0, u32::MAX]));
        holds(&(0..5000).collect());
        holds(&(7..9000).step_by(3).collect());
        holds(&(5..2_000_000).step_by(977).collect());
        holds(&(u32::MAX - 1000..=u32::MAX).collect());
    }

    #[test]
    fn dense_lists_take_a_seventh_of_a_byte_for_each_sku_that_there_is() {
        let every_second = Keys::of(&(0..100_000).step_by(2).collect::<Vec<_>>());
        assert!(matches!(every_second, Keys::Dense { .. }) && every_second.bytes() < 15_000);
        let few = Keys::of(&(0..10_000_000).step_by(1000).collect::<Vec<_>>());
        assert!(matches!(few, Keys::Sparse { .. }) && few.bytes() < 10_000 * 9 / 4);
    }

    proptest! {
        #[test]
        fn any_ids(ids in prop::collection::btree_set(0..3000_u32, 0..400), spread in 1..2000_u32) {
            holds(&ids.into_iter().map(|id| id * spread).collect());
        }
    }
}
