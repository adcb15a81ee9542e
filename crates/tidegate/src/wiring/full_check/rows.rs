//! The shop's side as a file: 12 bytes and the SKU for each level. Owns its form and its checksum; a file that was cut or
//! changed is a fault, never a short list.

use super::kept::ShopSide;
use domains::inventory::compare::Shelf;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read as _, Write as _};
use std::path::Path;

const BUFFER_BYTES: usize = 1 << 18;
/// Available, committed, the location's number, the length of the SKU.
const HEAD_BYTES: usize = 12;

/// Rows that are being written.
#[derive(Debug)]
pub(super) struct Writing {
    out: BufWriter<File>,
    hash: Sha256,
    record: Vec<u8>,
    numbers: BTreeMap<String, u16>,
    side: ShopSide,
}

impl Writing {
    /// What an interrupted check has left there is written over.
    pub(super) fn new(path: &Path) -> io::Result<Self> {
        let side =
            ShopSide { pairs: 0, without_sku: 0, locations: Vec::new(), bytes: 0, sha256: String::new() };
        Ok(Self {
            out: BufWriter::with_capacity(BUFFER_BYTES, File::create(path)?),
            hash: Sha256::new(),
            record: Vec::new(),
            numbers: BTreeMap::new(),
            side,
        })
    }

    pub(super) fn add(&mut self, shelf: &Shelf<'_>) -> io::Result<()> {
        let location = self.number(shelf.location)?;
        let length = u16::try_from(shelf.sku.len()).map_err(|_| io::Error::other("a SKU of 64 kB"))?;
        self.record.clear();
        self.record.extend_from_slice(&shelf.available.to_le_bytes());
        self.record.extend_from_slice(&shelf.committed.to_le_bytes());
        self.record.extend_from_slice(&location.to_le_bytes());
        self.record.extend_from_slice(&length.to_le_bytes());
        self.record.extend_from_slice(shelf.sku.as_bytes());
        self.hash.update(&self.record);
        self.side.pairs += 1;
        self.side.bytes += self.record.len() as u64;
        self.out.write_all(&self.record)
    }

    fn number(&mut self, location: &str) -> io::Result<u16> {
        if let Some(number) = self.numbers.get(location) {
            return Ok(*number);
        }
        let number = u16::try_from(self.side.locations.len())
            .map_err(|_| io::Error::other("more locations than a shop may have"))?;
        self.numbers.insert(location.to_owned(), number);
        self.side.locations.push(location.to_owned());
        Ok(number)
    }

    /// On disk when it returns.
    pub(super) fn end(mut self, without_sku: u64) -> io::Result<ShopSide> {
        self.out.flush()?;
        self.out.get_ref().sync_all()?;
        self.side.without_sku = without_sku;
        self.side.sha256 = kernel::key::hex(&self.hash.finalize());
        Ok(self.side)
    }
}

/// Rows that are read back.
#[derive(Debug)]
pub(super) struct Reading<'a> {
    input: BufReader<File>,
    hash: Sha256,
    side: &'a ShopSide,
    read: u64,
    sku: Vec<u8>,
}

impl<'a> Reading<'a> {
    pub(super) fn open(path: &Path, side: &'a ShopSide) -> io::Result<Self> {
        let file = File::open(path)?;
        if file.metadata()?.len() != side.bytes {
            return Err(damaged());
        }
        let input = BufReader::with_capacity(BUFFER_BYTES, file);
        Ok(Self { input, hash: Sha256::new(), side, read: 0, sku: Vec::new() })
    }

    /// `None` after the last, if all of them are as they were written.
    pub(super) fn next(&mut self) -> io::Result<Option<Shelf<'_>>> {
        if self.read == self.side.pairs {
            let is_same = kernel::key::hex(&self.hash.clone().finalize()) == self.side.sha256;
            return if is_same { Ok(None) } else { Err(damaged()) };
        }
        let mut head = [0; HEAD_BYTES];
        self.input.read_exact(&mut head)?;
        let [a0, a1, a2, a3, c0, c1, c2, c3, l0, l1, s0, s1] = head;
        self.sku.resize(usize::from(u16::from_le_bytes([s0, s1])), 0);
        self.input.read_exact(&mut self.sku)?;
        self.hash.update(head);
        self.hash.update(&self.sku);
        self.read += 1;
        let location = self.side.locations.get(usize::from(u16::from_le_bytes([l0, l1])));
        Ok(Some(Shelf {
            sku: std::str::from_utf8(&self.sku).map_err(|_| damaged())?,
            location: location.ok_or_else(damaged)?,
            available: i32::from_le_bytes([a0, a1, a2, a3]),
            committed: i32::from_le_bytes([c0, c1, c2, c3]),
        }))
    }
}

fn damaged() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the file is not as it was written")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(path: &Path) -> ShopSide {
        let mut writing = Writing::new(path).unwrap();
        for number in 0..1000i32 {
            let (sku, location) = (format!("SKÜ-{number}"), format!("gid://shopify/Location/{}", number % 3));
            let shelf = Shelf { sku: &sku, location: &location, available: number - 500, committed: 7 };
            writing.add(&shelf).unwrap();
        }
        writing.end(4).unwrap()
    }

    #[test]
    fn what_is_written_is_read_back_to_the_last_row() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows");
        let side = written(&path);
        assert_eq!((side.pairs, side.without_sku, side.locations.len()), (1000, 4, 3));
        let mut reading = Reading::open(&path, &side).unwrap();
        for number in 0..1000i32 {
            let row = reading.next().unwrap().unwrap();
            assert_eq!(row.sku, format!("SKÜ-{number}"));
            assert_eq!(row.location, format!("gid://shopify/Location/{}", number % 3));
            assert_eq!((row.available, row.committed), (number - 500, 7));
        }
        assert_eq!(reading.next().unwrap(), None);
    }

    #[test]
    fn a_file_that_is_not_as_it_was_written_is_no_list() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows");
        let side = written(&path);
        let whole = std::fs::read(&path).unwrap();
        let mut changed = whole.clone();
        changed[0] ^= 1;
        for bytes in [&whole[..whole.len() - 1], &changed] {
            std::fs::write(&path, bytes).unwrap();
            let read = Reading::open(&path, &side).and_then(|mut reading| {
                while reading.next()?.is_some() {}
                Ok(())
            });
            assert_eq!(read.unwrap_err().kind(), io::ErrorKind::InvalidData);
        }
    }
}
