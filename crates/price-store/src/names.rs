//! Names and their numbers: SKUs, and lists. Owns that a name has the same number in every version, so that numbers may
//! stand in segments and in the audit, and the file in which they stand, which only grows. Refuses to forget one.
//!
//! In memory: a few tables, each for a run of numbers, shared by the versions; a name that is added makes a new small
//! table, and tables of like size become one. In the file: runs of names, each with its sum.

use crate::block::sum;
use crate::word::{give, take};
use std::sync::Arc;

/// A run of names and where to find each: open addressing over numbers.
#[derive(Debug, Clone, Default)]
pub(crate) struct Table {
    first: u32,
    text: String,
    ends: Vec<u32>,
    /// The number within the table, and one more; 0: free.
    slots: Vec<u32>,
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
        self.ends.len() as u32
    }

    fn name(&self, place: usize) -> Option<&str> {
        let end = *self.ends.get(place)? as usize;
        let start = if place == 0 { 0 } else { self.ends[place - 1] as usize };
        self.text.get(start..end)
    }

    /// By its number.
    pub(crate) fn named(&self, number: u32) -> Option<&str> {
        self.name(number.checked_sub(self.first)? as usize)
    }

    pub(crate) fn find(&self, name: &str, hash: u64) -> Option<u32> {
        if self.slots.is_empty() {
            return None;
        }
        let mask = self.slots.len() - 1;
        let mut slot = (hash as usize) & mask;
        loop {
            match self.slots[slot] {
                0 => return None,
                taken if self.name(taken as usize - 1) == Some(name) => return Some(self.first + taken - 1),
                _ => slot = (slot + 1) & mask,
            }
        }
    }

    /// A name that is not in it yet.
    pub(crate) fn add(&mut self, name: &str, hash: u64) -> Result<u32, TooMany> {
        let number = self.first.checked_add(self.len()).filter(|number| *number < u32::MAX).ok_or(TooMany)?;
        let end = u32::try_from(self.text.len() + name.len()).map_err(|_| TooMany)?;
        if (self.ends.len() + 1) * 3 > self.slots.len() * 2 {
            self.grow();
        }
        self.text.push_str(name);
        self.ends.push(end);
        self.take_slot(hash, self.len());
        Ok(number)
    }

    fn take_slot(&mut self, hash: u64, entry: u32) {
        let mask = self.slots.len() - 1;
        let mut slot = (hash as usize) & mask;
        while self.slots[slot] != 0 {
            slot = (slot + 1) & mask;
        }
        self.slots[slot] = entry;
    }

    fn grow(&mut self) {
        self.slots = vec![0; (self.slots.len() * 2).max(16)];
        for place in 0..self.ends.len() {
            let hash = self.name(place).map_or(0, hash);
            self.take_slot(hash, place as u32 + 1);
        }
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        (0..self.ends.len()).filter_map(|place| self.name(place))
    }

    fn bytes(&self) -> usize {
        self.text.capacity() + (self.ends.capacity() + self.slots.capacity()) * 4
    }
}

pub(crate) fn hash(name: &str) -> u64 {
    sum(name.as_bytes())
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
    let mut body = Vec::with_capacity(table.text.len() + table.ends.len() * 2);
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
pub(crate) fn read(mut bytes: &[u8]) -> Option<Names> {
    let mut table = Table::default();
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
    Names::default().with(table).ok()
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
