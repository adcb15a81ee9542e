//! Cuts a stream into records: lines, or lines of CSV whose quotes may hold line ends. Owns the bound of their length and the
//! numbers of their lines.

use super::ROW_BYTES_MAX;
use crate::gather::RowFault;
use std::io::{BufRead, Read as _};

#[derive(Debug)]
pub(super) struct Records<R> {
    reader: R,
    /// Of the last line that was read, from 1.
    line: u64,
    ended: bool,
}

impl<R: BufRead> Records<R> {
    pub(super) fn new(reader: R) -> Self {
        Self { reader, line: 0, ended: false }
    }

    /// One that is not empty, with the line at which it begins. `quotes`: a line end between them is text.
    pub(super) fn next(&mut self, quotes: bool) -> Option<Result<(u64, String), RowFault>> {
        while !self.ended {
            let first = self.line + 1;
            let fault = |what: String| Some(Err(RowFault { line: Some(first), what }));
            match self.record(quotes) {
                Err(what) => return fault(what),
                Ok(bytes) => {
                    let bytes = if first == 1 {
                        bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&bytes)
                    } else {
                        &bytes
                    };
                    match std::str::from_utf8(bytes) {
                        Err(_) => return fault("the row is not UTF-8: write the file in it".to_owned()),
                        Ok(text) if text.trim().is_empty() => {}
                        Ok(text) => return Some(Ok((first, text.to_owned()))),
                    }
                }
            }
        }
        None
    }

    fn record(&mut self, quotes: bool) -> Result<Vec<u8>, String> {
        let mut record = Vec::new();
        let mut open = false;
        loop {
            let from = record.len();
            let room = (ROW_BYTES_MAX + 1 - from) as u64;
            let read = (&mut self.reader).take(room).read_until(b'\n', &mut record);
            if let Err(error) = read {
                self.ended = true;
                return Err(format!("the file cannot be read on: {error}"));
            }
            let whole_line = record.last() == Some(&b'\n');
            if record.len() > ROW_BYTES_MAX {
                self.pass_over(whole_line);
                return Err(format!("the row has more than {ROW_BYTES_MAX} bytes"));
            }
            if record.len() == from {
                self.ended = true;
            } else {
                self.line += 1;
            }
            let marks = record[from..].iter().filter(|byte| **byte == b'"').count();
            open ^= quotes && !marks.is_multiple_of(2);
            match (open, self.ended || !whole_line) {
                (true, true) => {
                    self.ended = true;
                    return Err("a quote is opened and never closed".to_owned());
                }
                (true, false) => {}
                (false, ended) => {
                    self.ended = ended;
                    return Ok(record);
                }
            }
        }
    }

    /// The rest of a line that is too long.
    fn pass_over(&mut self, mut at_end: bool) {
        self.line += 1;
        while !at_end {
            let Ok(bytes) = self.reader.fill_buf() else { break };
            let end = bytes.iter().position(|byte| *byte == b'\n');
            let used = end.map_or(bytes.len(), |end| end + 1);
            at_end = end.is_some() || used == 0;
            self.ended |= used == 0;
            self.reader.consume(used);
        }
    }
}
