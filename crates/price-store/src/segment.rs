//! A segment: a file of blocks, one for each list it speaks of. Owns its form: a mark, the blocks one after the other, the
//! directory, and the directory once more. Each block has its sum, and each directory: a byte that has changed costs the one
//! list that it is in, by name, and one in a directory costs nothing.

use crate::block::{Block, ENTRY_BYTES, Entry, sum};
use crate::disk::{Disk, Out};
use crate::sha::Digesting;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::sync::Arc;

const MARK: &[u8; 8] = b"TGPRICE1";

/// What a manifest, or the journal, says of a segment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SegmentFile {
    pub(crate) file: String,
    /// A later one is newer.
    pub(crate) ordinal: u32,
    pub(crate) bytes: u64,
    pub(crate) blocks: u64,
    pub(crate) sha256: String,
}

impl SegmentFile {
    fn directory_bytes(&self) -> u64 {
        self.blocks * ENTRY_BYTES as u64 + 8
    }
}

/// Writes a segment, block after block.
#[derive(Debug)]
pub(crate) struct Writer {
    name: String,
    ordinal: u32,
    out: Digesting<Out>,
    directory: Vec<u8>,
    body: Vec<u8>,
}

impl Writer {
    pub(crate) fn create(disk: &Disk, name: &str, ordinal: u32) -> io::Result<Self> {
        let mut out = Digesting::new(disk.create(name)?);
        out.write_all(MARK)?;
        Ok(Self { name: name.to_owned(), ordinal, out, directory: Vec::new(), body: Vec::new() })
    }

    pub(crate) fn add(&mut self, block: &Block) -> io::Result<()> {
        self.body.clear();
        block.write(&mut self.body).write(&mut self.directory);
        self.out.write_all(&self.body)
    }

    pub(crate) fn blocks(&self) -> usize {
        self.directory.len() / ENTRY_BYTES
    }

    /// On the disk.
    pub(crate) fn finish(mut self) -> io::Result<SegmentFile> {
        let blocks = self.blocks() as u64;
        let sum = sum(&self.directory);
        self.directory.extend_from_slice(&sum.to_le_bytes());
        self.out.write_all(&self.directory)?;
        self.out.write_all(&self.directory)?;
        let (out, sha256) = self.out.end();
        Ok(SegmentFile { file: self.name, ordinal: self.ordinal, bytes: out.finish()?, blocks, sha256 })
    }
}

/// What can be read of a segment, and what not.
#[derive(Debug, Default)]
pub(crate) struct Read {
    pub(crate) blocks: Vec<Arc<Block>>,
    /// What the directory says of the blocks that are lost.
    pub(crate) lost: Vec<Entry>,
    /// Which lists are lost is not known: there is no directory.
    pub(crate) unknown: bool,
    /// In words, what is wrong with the file.
    pub(crate) wrong: Vec<String>,
}

/// # Errors
/// The disk's. A file that is not there is a finding, not an error.
pub(crate) fn read(disk: &Disk, segment: &SegmentFile) -> io::Result<Read> {
    let mut found = Read::default();
    let file = match disk.open(&segment.file) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            found.unknown = true;
            found.wrong.push("the file is not there".to_owned());
            return Ok(found);
        }
        Err(error) => return Err(error),
    };
    let length = file.metadata()?.len();
    if length != segment.bytes {
        found.wrong.push(format!("it has {length} bytes, and {} were written", segment.bytes));
    }
    let mut file = BufReader::with_capacity(1 << 20, file);
    let Some(directory) = directory(&mut file, segment, &mut found)? else {
        found.unknown = true;
        return Ok(found);
    };
    file.seek(SeekFrom::Start(0))?;
    let mut mark = [0; 8];
    if file.read_exact(&mut mark).is_err() || mark != *MARK {
        found.wrong.push("its first bytes are not those of a segment".to_owned());
    }
    let mut body = Vec::new();
    for entry in directory.as_chunks::<ENTRY_BYTES>().0 {
        let entry = Entry::read(entry);
        body.resize(entry.body_bytes(), 0);
        match read_block(&mut file, &entry, segment.ordinal, &mut body)? {
            Some(block) => found.blocks.push(Arc::new(block)),
            None => found.lost.push(entry),
        }
    }
    Ok(found)
}

/// Reads single blocks of a segment, as the audit needs them.
#[derive(Debug)]
pub(crate) struct Reader {
    file: File,
    ordinal: u32,
    blocks: BTreeMap<u32, (Entry, u64)>,
}

impl Reader {
    /// None: it is not there, or has no directory.
    pub(crate) fn open(disk: &Disk, segment: &SegmentFile) -> io::Result<Option<Self>> {
        let mut file = match disk.open(&segment.file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            file => file?,
        };
        let Some(directory) = directory(&mut file, segment, &mut Read::default())? else { return Ok(None) };
        let mut at = MARK.len() as u64;
        let mut blocks = BTreeMap::new();
        for entry in directory.as_chunks::<ENTRY_BYTES>().0 {
            let entry = Entry::read(entry);
            blocks.insert(entry.list, (entry, at));
            at += entry.body_bytes() as u64;
        }
        Ok(Some(Self { file, ordinal: segment.ordinal, blocks }))
    }

    pub(crate) fn lists(&self) -> impl Iterator<Item = u32> {
        self.blocks.keys().copied()
    }

    /// Of a list that it does not speak of: none. Inside, none: the block is lost.
    pub(crate) fn block(&mut self, list: u32) -> io::Result<Option<Option<Block>>> {
        let Some((entry, at)) = self.blocks.get(&list) else { return Ok(None) };
        let mut body = vec![0; entry.body_bytes()];
        self.file.seek(SeekFrom::Start(*at))?;
        read_block(&mut self.file, entry, self.ordinal, &mut body).map(Some)
    }
}

/// None: cut off, or changed.
fn read_block(
    file: &mut impl io::Read,
    entry: &Entry,
    ordinal: u32,
    body: &mut [u8],
) -> io::Result<Option<Block>> {
    match file.read_exact(body) {
        Ok(()) => Ok(Block::read(entry, ordinal, body)),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error),
    }
}

/// The first of the two copies that is as it was written.
fn directory(
    file: &mut (impl io::Read + io::Seek),
    segment: &SegmentFile,
    found: &mut Read,
) -> io::Result<Option<Vec<u8>>> {
    let length = segment.directory_bytes();
    let mut good = None;
    for copy in [2, 1] {
        let Some(at) = segment.bytes.checked_sub(copy * length) else { continue };
        file.seek(SeekFrom::Start(at))?;
        let mut bytes = Vec::new();
        file.take(length).read_to_end(&mut bytes)?;
        match bytes.split_last_chunk::<8>() {
            Some((entries, its))
                if bytes.len() as u64 == length && sum(entries) == u64::from_le_bytes(*its) =>
            {
                good.get_or_insert_with(|| entries.to_owned());
            }
            _ => found.wrong.push(format!("copy {} of its directory is damaged", 3 - copy)),
        }
    }
    Ok(good)
}
