//! Names and their numbers: SKUs, and lists. Owns that a name has the same number in every version, so that numbers may
//! stand in segments and in the audit, and the file in which they stand, which only grows. Refuses to forget one.
//!
//! In memory: a few tables, each for a run of numbers, shared by the versions; a name that is added makes a new small
//! table, and tables of like size become one. In the file: runs of names, each with its sum.

use crate::block::sum;
use crate::word::{give, take};
use std::sync::Arc;

/// A run of names and where to find each: open addressing. A slot has half of the name's hash, so that only the right text is
/// looked at, and that text has its number beside it: a look-up reads memory at two places.
#[derive(Debug, Clone, Default)]
pub(crate) struct Table {
    first: u32,
    /// Of each name: its number within the table (four bytes), its length as [`give`] writes it, its text.
    text: Vec<u8>,
    /// Where each begins.
    starts: Vec<u32>,
    /// The upper half of the hash, and below it the place in `text`, and one more; 0: free.
    slots: Vec<u64>,
}

/// Numbers and texts are counted in 32 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there are more names than can be numbered: four thousand million, or four gigabytes of text")]
pub struct TooMany;

impl Table {
    pub(crate) fn beginning_at(first: u32) -> Self {
        Self { first, ..Self::default() }
    }

    pub(crate) fn len(&self) -> u32 {
        self.starts.len() as u32
    }

    /// The number of its first name.
    pub(crate) fn begins(&self) -> u32 {
        self.first
    }

    fn name(&self, place: usize) -> Option<&str> {
        let (_, text) = self.at(*self.starts.get(place)? as usize)?;
        std::str::from_utf8(text).ok()
    }

    #[inline]
    fn at(&self, start: usize) -> Option<(u32, &[u8])> {
        let (number, mut rest) = self.text.get(start..)?.split_first_chunk::<4>()?;
        let length = usize::try_from(take(&mut rest)?).ok()?;
        Some((u32::from_le_bytes(*number), rest.get(..length)?))
    }

    /// By its number.
    pub(crate) fn named(&self, number: u32) -> Option<&str> {
        self.name(number.checked_sub(self.first)? as usize)
    }

    #[inline]
    pub(crate) fn find(&self, name: &str, hash: u64) -> Option<u32> {
        if self.slots.is_empty() {
            return None;
        }
        let mask = self.slots.len() - 1;
        let mut slot = (hash as usize) & mask;
        loop {
            let found = self.slots[slot];
            if found == 0 {
                return None;
            }
            if (found ^ hash) >> 32 == 0
                && let Some((number, text)) = self.at(found as u32 as usize - 1)
                && text == name.as_bytes()
            {
                return Some(self.first + number);
            }
            slot = (slot + 1) & mask;
        }
    }

    /// Brings what look-ups of these hashes read into the processor's cache, all at once: one after the other they wait for memory
    /// twice each.
    pub(crate) fn read_ahead(&self, hashes: &[u64]) {
        let mask = self.slots.len().wrapping_sub(1);
        let slot = |hash: &u64| self.slots.get((*hash as usize) & mask).copied().unwrap_or(0);
        let text = |slot: u64| {
            let start = (slot as u32).checked_sub(1)?;
            self.text.get(start as usize).copied()
        };
        let slots = hashes.iter().fold(0, |sum, hash| sum ^ slot(hash));
        let texts = hashes.iter().fold(0, |sum, hash| sum ^ text(slot(hash)).unwrap_or(0));
        std::hint::black_box((slots, texts));
    }

    /// A name that is not in it yet.
    pub(crate) fn add(&mut self, name: &str, hash: u64) -> Result<u32, TooMany> {
        let number = self.first.checked_add(self.len()).filter(|number| *number < u32::MAX).ok_or(TooMany)?;
        let start = u32::try_from(self.text.len()).map_err(|_| TooMany)?;
        u32::try_from(self.text.len() + name.len() + 10).map_err(|_| TooMany)?;
        if (self.starts.len() + 1) * 3 > self.slots.len() * 2 {
            self.grow();
        }
        self.text.extend_from_slice(&self.len().to_le_bytes());
        give(&mut self.text, name.len() as u64);
        self.text.extend_from_slice(name.as_bytes());
        self.starts.push(start);
        self.take_slot(hash, start);
        Ok(number)
    }

    fn take_slot(&mut self, hash: u64, start: u32) {
        let mask = self.slots.len() - 1;
        let mut slot = (hash as usize) & mask;
        while self.slots[slot] != 0 {
            slot = (slot + 1) & mask;
        }
        self.slots[slot] = hash >> 32 << 32 | u64::from(start + 1);
    }

    fn grow(&mut self) {
        self.slots = vec![0; (self.slots.len() * 2).max(16)];
        for place in 0..self.starts.len() {
            let hash = self.name(place).map_or(0, hash);
            self.take_slot(hash, self.starts[place]);
        }
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        (0..self.starts.len()).filter_map(|place| self.name(place))
    }

    fn bytes(&self) -> usize {
        self.text.capacity() + self.starts.capacity() * 4 + self.slots.capacity() * 8
    }

    /// What it grew by in advance is given back.
    fn fit(&mut self) {
        self.text.shrink_to_fit();
        self.starts.shrink_to_fit();
    }
}

/// Where a name is looked for: by eight bytes at a time, each multiplied into what was before. It stands in no file.
pub(crate) fn hash(name: &str) -> u64 {
    const ODD: u64 = 0x9E37_79B9_7F4A_7C15;
    let folded = |mixed: u64, word: u64| {
        let product = u128::from(mixed ^ word) * u128::from(ODD);
        (product >> 64) as u64 ^ product as u64
    };
    let (words, rest) = name.as_bytes().as_chunks::<8>();
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    let words = words.iter().chain([&last]).map(|word| u64::from_le_bytes(*word));
    folded(words.fold(name.len() as u64 ^ ODD >> 1, folded), 0)
}

/// All names of a version.
#[derive(Debug, Clone, Default)]
pub(crate) struct Names {
    tables: Vec<Arc<Table>>,
}

impl Names {
    pub(crate) fn len(&self) -> u32 {
        self.tables.last().map_or(0, |table| table.first + table.len())
    }

    pub(crate) fn find(&self, name: &str) -> Option<u32> {
        self.find_hashed(name, hash(name))
    }

    pub(crate) fn find_hashed(&self, name: &str, hash: u64) -> Option<u32> {
        self.tables.iter().find_map(|table| table.find(name, hash))
    }

    /// See [`Table::read_ahead`].
    pub(crate) fn read_ahead(&self, hashes: &[u64]) {
        for table in &self.tables {
            table.read_ahead(hashes);
        }
    }

    pub(crate) fn name(&self, number: u32) -> Option<&str> {
        let table = self.tables.iter().rev().find(|table| table.first <= number)?;
        table.name((number - table.first) as usize)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        self.tables.iter().flat_map(|table| table.names())
    }

    /// With these, whose numbers begin where the names end.
    pub(crate) fn with(&self, table: Table) -> Result<Self, TooMany> {
        debug_assert_eq!(table.first, self.len());
        let mut tables = self.tables.clone();
        let mut last = table;
        while let Some(before) = tables.pop_if(|before| before.len() < last.len().saturating_mul(2)) {
            let mut both = Arc::unwrap_or_clone(before);
            for name in last.names() {
                both.add(name, hash(name))?;
            }
            last = both;
        }
        if last.len() > 0 {
            last.fit();
            tables.push(Arc::new(last));
        }
        Ok(Self { tables })
    }

    pub(crate) fn bytes(&self) -> usize {
        self.tables.iter().map(|table| table.bytes()).sum()
    }
}

// --- as bytes -------------------------------------------------------------------------------------

/// A run as it is appended: its length and sum, then each name behind its length.
pub(crate) fn run(table: &Table) -> Vec<u8> {
    if table.len() == 0 {
        return Vec::new();
    }
    let mut body = Vec::with_capacity(table.text.len());
    for name in table.names() {
        give(&mut body, name.len() as u64);
        body.extend_from_slice(name.as_bytes());
    }
    let mut run = Vec::with_capacity(body.len() + 16);
    run.extend_from_slice(&(body.len() as u64).to_le_bytes());
    run.extend_from_slice(&sum(&body).to_le_bytes());
    run.extend_from_slice(&body);
    run
}

/// All names of a file. None: it is not what was written.
pub(crate) fn read(bytes: &[u8]) -> Option<Names> {
    Names::default().with(table(0, bytes)?).ok()
}

/// The names of runs that were appended behind the first so many.
pub(crate) fn table(first: u32, mut bytes: &[u8]) -> Option<Table> {
    let mut table = Table::beginning_at(first);
    while !bytes.is_empty() {
        let (head, rest) = bytes.split_first_chunk::<16>()?;
        let length = u64::from_le_bytes(*head.first_chunk()?);
        let (mut body, rest) = rest.split_at_checked(usize::try_from(length).ok()?)?;
        if sum(body) != u64::from_le_bytes(*head.last_chunk()?) {
            return None;
        }
        while !body.is_empty() {
            let length = usize::try_from(take(&mut body)?).ok()?;
            let (name, rest) = body.split_at_checked(length)?;
            let name = std::str::from_utf8(name).ok()?;
            table.add(name, hash(name)).ok()?;
            body = rest;
        }
        bytes = rest;
    }
    Some(table)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_keeps_its_number_through_every_growth_and_through_the_file() {
        let (mut names, mut file) = (Names::default(), Vec::new());
        for round in 0..40_u32 {
            let mut table = Table::beginning_at(names.len());
            for name in 0..round * 3 {
                let name = format!("SKU-{round}-{name}");
                table.add(&name, hash(&name)).unwrap();
            }
            file.extend(run(&table));
            names = names.with(table).unwrap();
        }
        let again = read(&file).unwrap();
        assert!(names.tables.len() < 8, "{}", names.tables.len());
        assert!(names.iter().eq(again.iter()));
        for (number, name) in names.iter().enumerate() {
            let number = number as u32;
            assert_eq!((names.find(name), again.find(name)), (Some(number), Some(number)));
            assert_eq!((names.name(number), again.name(number)), (Some(name), Some(name)));
        }
        assert_eq!((names.find("SKU"), names.name(names.len())), (None, None));
        for at in (0..file.len()).step_by(97) {
            file[at] ^= 4;
            assert!(read(&file).is_none_or(|names| names.len() == 0), "byte {at}");
            file[at] ^= 4;
        }
    }
}
