//! Lines that may be gigabytes, kept in a file that goes with them.

use bytes::Bytes;
use futures_util::Stream;
use futures_util::stream::try_unfold;
use serde_json::Value;
use std::fs::File;
use std::io::{BufReader, BufWriter, Read as _, Result, Write as _};
use tempfile::{NamedTempFile, TempPath};

/// A file that is being written.
#[derive(Debug)]
pub(super) struct Spool {
    file: BufWriter<NamedTempFile>,
    bytes: u64,
}

/// One that is whole.
#[derive(Debug)]
pub(super) struct Spooled {
    path: TempPath,
    pub(super) bytes: u64,
}

const PIECE_BYTES: usize = 256 * 1024;

impl Spool {
    pub(super) fn new() -> Result<Self> {
        Ok(Self { file: BufWriter::with_capacity(PIECE_BYTES, NamedTempFile::new()?), bytes: 0 })
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.bytes += bytes.len() as u64;
        self.file.write_all(bytes)
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(super) fn line(&mut self, value: &Value) -> Result<()> {
        let mut line = serde_json::to_vec(value)?;
        line.push(b'\n');
        self.write(&line)
    }

    pub(super) fn end(self) -> Result<Spooled> {
        let file = self.file.into_inner().map_err(std::io::IntoInnerError::into_error)?;
        Ok(Spooled { path: file.into_temp_path(), bytes: self.bytes })
    }
}

impl Spooled {
    pub(super) fn lines(&self) -> Result<BufReader<File>> {
        Ok(BufReader::with_capacity(PIECE_BYTES, File::open(&self.path)?))
    }

    /// In pieces; the file may go meanwhile, what is open stays readable.
    pub(super) fn read(&self) -> Result<impl Stream<Item = Result<Bytes>> + use<>> {
        Ok(try_unfold(File::open(&self.path)?, |mut file| async move {
            let mut piece = vec![0; PIECE_BYTES];
            let read = file.read(&mut piece)?;
            piece.truncate(read);
            Ok((read > 0).then(|| (Bytes::from(piece), file)))
        }))
    }
}
