//! All that the system has, a pair a line, read as it comes. Owns that half of it is never taken for the whole: only the
//! last line, which says how many pairs there were, ends it; and that two are not taken for one: nothing comes behind that line,
//! and all lines are of the snapshot that the first one names.

use super::answer::{Line, Says, form, line};
use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use connector::outbound::Pieces;
use connector::port::{Stated, Whole};
use kernel::fault::{Fault, FaultKind};

/// Fifty million pairs, at some two hundred bytes each.
pub(super) const BYTES_MAX: u64 = 10_000_000_000;
/// No pair is longer.
const LINE_BYTES_MAX: usize = 64 * 1024;
/// A usual one.
const PAIR_BYTES: usize = 150;

/// What is left of what came, up to the next line's end.
#[derive(Debug)]
pub(super) struct Snapshot {
    pieces: Pieces,
    held: BytesMut,
    number: u64,
    pairs: u64,
    /// As the first line names it.
    name: Option<Box<str>>,
    /// No line with anything in it came yet.
    is_first: bool,
    ended: bool,
}

impl Snapshot {
    pub(super) fn new(pieces: Pieces) -> Self {
        Self { pieces, held: BytesMut::new(), number: 0, pairs: 0, name: None, is_first: true, ended: false }
    }

    /// Whole lines, as many as came: each with its end, but for the very last. `None` where no more comes.
    async fn lines(&mut self) -> Result<Option<Bytes>, Fault> {
        let mut searched = 0;
        loop {
            if let Some(at) = memchr::memrchr(b'\n', &self.held[searched..]) {
                return Ok(Some(self.held.split_to(searched + at + 1).freeze()));
            }
            searched = self.held.len();
            if searched > LINE_BYTES_MAX {
                return Err(self.too_long(self.number + 1));
            }
            match self.pieces.next().await? {
                Some(piece) => self.held.extend_from_slice(&piece),
                None if self.held.is_empty() => return Ok(None),
                None => return Ok(Some(self.held.split().freeze())),
            }
        }
    }

    fn too_long(&self, number: u64) -> Fault {
        form(format!("line {number} is longer than {LINE_BYTES_MAX} bytes"))
    }

    /// What one line says.
    fn line(&mut self, lines: &Bytes, text: &[u8]) -> Result<Option<Stated>, Fault> {
        self.number += 1;
        if text.len() > LINE_BYTES_MAX {
            return Err(self.too_long(self.number));
        }
        if text.trim_ascii().is_empty() {
            return Ok(None);
        }
        if self.ended {
            return Err(self.mixed("it comes behind the last line, which says how many pairs there are"));
        }
        let Line { says, snapshot } = line(text, self.number)?;
        if self.is_first {
            self.is_first = false;
            self.name = snapshot.map(Into::into);
        } else if snapshot != self.name.as_deref() {
            let says = |name: Option<&str>| {
                name.map_or("names none".to_owned(), |name| format!("names the snapshot {name}"))
            };
            return Err(self.mixed(&format!(
                "this line {}, and the first one {}",
                says(snapshot),
                says(self.name.as_deref())
            )));
        }
        match says {
            Says::Pair { sequence, data } => {
                self.pairs += 1;
                Ok(Some(Stated { sequence, payload: lines.slice_ref(data.as_bytes()) }))
            }
            Says::End { items } if items == self.pairs => {
                self.ended = true;
                Ok(None)
            }
            Says::End { items } => Err(form(format!(
                "{} pairs came, and the last line says {items}: it is not taken for the whole",
                self.pairs
            ))),
        }
    }

    fn mixed(&self, why: &str) -> Fault {
        let what = format!(
            "line {} of what the system has: {why}. Two snapshots are mixed into one, and which of two levels counts cannot \
             be known: nothing of it is taken. See that one is written at a time",
            self.number
        );
        Fault::new(FaultKind::Rejected, super::code::MIXED, what)
    }

    fn cut_off(&self) -> Fault {
        let what = format!(
            "what the system has ends after {} pairs without the last line that says how many there are: it is not taken \
             for the whole",
            self.pairs
        );
        Fault::new(FaultKind::Transient, super::code::CUT_OFF, what)
    }
}

#[async_trait]
impl Whole for Snapshot {
    fn topic(&self) -> &'static str {
        super::TOPIC
    }

    async fn next(&mut self) -> Result<Vec<Stated>, Fault> {
        loop {
            let Some(lines) = self.lines().await? else {
                return if self.ended { Ok(Vec::new()) } else { Err(self.cut_off()) };
            };
            let mut all = Vec::with_capacity(lines.len() / PAIR_BYTES);
            let mut rest = &lines[..];
            while !rest.is_empty() {
                let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
                all.extend(self.line(&lines, &rest[..end])?);
                rest = rest.get(end + 1..).unwrap_or_default();
            }
            if !all.is_empty() {
                return Ok(all);
            }
        }
    }
}
