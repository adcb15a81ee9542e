//! The result of an operation, line by line as it comes. Owns that it is whole: a file that ends early is a fault and
//! never a short result, because what is not in a full list would be taken for gone.

use super::{Finished, code};
use crate::graphql::ShopClient;
use connector::outbound::Pieces;
use connector::port::CallContext;
use kernel::clock::Mono;
use kernel::fault::{Fault, FaultKind};
use std::sync::Arc;
use std::time::Duration;

/// A line of a query that asks for a few fields is some hundred bytes.
const LINE_BYTES_MAX: usize = 1024 * 1024;
/// On average, where Shopify does not say how long the whole is.
const LINE_BYTES: u64 = 16 * 1024;

/// A result that is being read.
#[derive(Debug)]
pub struct Lines {
    client: Arc<ShopClient>,
    pieces: Option<Pieces>,
    id: String,
    expected: u64,
    size: Option<u64>,
    /// Lines that were given.
    read: u64,
    /// Bytes that came.
    came: u64,
    end: Mono,
    /// What came and was not given yet: from `from` on.
    buffer: Vec<u8>,
    from: usize,
    /// Up to here there is no line's end.
    searched: usize,
}

impl Lines {
    /// Begins to read; the call's time is for the beginning, `within` for the whole.
    pub async fn open(
        client: &Arc<ShopClient>,
        call: &CallContext,
        finished: &Finished,
        within: Duration,
    ) -> Result<Self, Fault> {
        let pieces = match &finished.url {
            None => None,
            Some(url) => {
                let of_lines = finished.lines.saturating_add(64).saturating_mul(LINE_BYTES);
                let bytes_max = finished.bytes.map_or(of_lines, |bytes| bytes.saturating_add(1));
                Some(client.elsewhere(url)?.open(call, bytes_max).await?)
            }
        };
        Ok(Self {
            pieces,
            id: finished.id.clone(),
            expected: finished.lines,
            size: finished.bytes,
            read: 0,
            came: 0,
            end: client.mono().plus(within),
            client: client.clone(),
            buffer: Vec::new(),
            from: 0,
            searched: 0,
        })
    }

    /// How many there are in all.
    pub fn expected(&self) -> u64 {
        self.expected
    }

    /// How many were given.
    pub fn read(&self) -> u64 {
        self.read
    }

    /// The next one; `None` after the last, if all of them came.
    pub async fn next(&mut self) -> Result<Option<&[u8]>, Fault> {
        loop {
            match memchr::memchr(b'\n', &self.buffer[self.searched..]) {
                Some(at) => {
                    let line = self.from..self.searched + at;
                    (self.from, self.searched) = (line.end + 1, line.end + 1);
                    if line.is_empty() {
                        continue;
                    }
                    if line.len() > LINE_BYTES_MAX {
                        return Err(self.too_long());
                    }
                    self.read += 1;
                    return Ok(Some(&self.buffer[line]));
                }
                None => self.searched = self.buffer.len(),
            }
            if self.buffer.len() - self.from > LINE_BYTES_MAX {
                return Err(self.too_long());
            }
            if !self.more().await? {
                return self.last();
            }
        }
    }

    /// A piece more in the buffer; `false` at the end.
    async fn more(&mut self) -> Result<bool, Fault> {
        if self.client.mono() >= self.end {
            let what = format!(
                "the result of {} was not read in its time: {} of {} lines",
                self.id, self.read, self.expected
            );
            return Err(Fault::new(FaultKind::Transient, code::ENDLESS, what));
        }
        let Some(pieces) = &mut self.pieces else { return Ok(false) };
        let Some(piece) = pieces.next().await? else {
            self.pieces = None;
            return Ok(false);
        };
        self.buffer.drain(..self.from);
        self.searched -= self.from;
        self.from = 0;
        self.came += piece.len() as u64;
        self.buffer.extend_from_slice(&piece);
        Ok(true)
    }

    fn too_long(&self) -> Fault {
        let what = format!("a line of the result of {} is longer than {LINE_BYTES_MAX} bytes", self.id);
        Fault::new(FaultKind::Transient, code::LINE, what)
    }

    /// The last line need not end like the others.
    fn last(&mut self) -> Result<Option<&[u8]>, Fault> {
        let rest = self.from..self.buffer.len();
        let lines = self.read + u64::from(!rest.is_empty());
        // What a server counts as an object may be more than a line; a byte is a byte.
        let whole = self.size.map_or(lines == self.expected, |size| size == self.came);
        if !whole {
            let what = format!(
                "the result of {} is not whole: {} lines and {} bytes came, of {} and {}; it is not taken for a full list, \
                 read it again",
                self.id,
                lines,
                self.came,
                self.expected,
                self.size.map_or_else(|| "an unknown size".to_owned(), |size| size.to_string())
            );
            return Err(Fault::new(FaultKind::Transient, code::TRUNCATED, what));
        }
        (self.read, self.from, self.searched) = (lines, rest.end, rest.end);
        Ok(Some(&self.buffer[rest]).filter(|rest| !rest.is_empty()))
    }
}
