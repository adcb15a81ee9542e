//! Rows on their way, in a file without a name: whoever tells them slowly holds nothing up, and one who breaks off has told nothing.

use super::code;
use kernel::fault::{Fault, FaultKind};
use std::fs::File;
use std::io;
use tokio::io::{AsyncSeekExt as _, AsyncWriteExt as _, BufWriter};

const BUFFER_BYTES: usize = 1 << 18;

#[derive(Debug)]
pub(crate) struct Spool {
    file: BufWriter<tokio::fs::File>,
    rows: u64,
}

impl Spool {
    pub(crate) fn new() -> Result<Self, Fault> {
        let file = tempfile::tempfile().map_err(|error| disk(&error))?;
        Ok(Self { file: BufWriter::with_capacity(BUFFER_BYTES, tokio::fs::File::from_std(file)), rows: 0 })
    }

    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    /// A row, without its end.
    pub(crate) async fn row(&mut self, row: &[u8]) -> Result<(), Fault> {
        self.rows += 1;
        self.line(row).await
    }

    /// A line that is no row, so that the numbers of the others stay.
    pub(crate) async fn line(&mut self, line: &[u8]) -> Result<(), Fault> {
        let written = async {
            self.file.write_all(line).await?;
            self.file.write_all(b"\n").await
        };
        written.await.map_err(|error| disk(&error))
    }

    /// From its first byte on.
    pub(crate) async fn end(self) -> Result<(File, u64), Fault> {
        let Self { mut file, rows } = self;
        let end = async {
            file.flush().await?;
            let mut file = file.into_inner();
            file.rewind().await?;
            Ok(file.into_std().await)
        };
        end.await.map(|file| (file, rows)).map_err(|error: io::Error| disk(&error))
    }
}

fn disk(error: &io::Error) -> Fault {
    let what =
        format!("prices cannot be put aside on their way: {error}; make room where temporary files lie");
    Fault::new(FaultKind::Transient, code::DISK, what)
}
