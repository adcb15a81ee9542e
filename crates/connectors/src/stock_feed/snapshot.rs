//! All that the system has, a pair a line, read as it comes. Owns that half of it is never taken for the whole: only the
//! last line, which says how many pairs there were, ends it; and that two are not taken for one: nothing comes behind that line,
//! and all lines are of the snapshot that the first one names.

use super::answer::{Line, Says, form, line};
use async_trait::async_trait;
use bytes::{Buf as _, Bytes, BytesMut};
use connector::outbound::Pieces;
use connector::port::{Fed, Whole};
use kernel::fault::{Fault, FaultKind};

/// Fifty million pairs, at some two hundred bytes each.
pub(super) const BYTES_MAX: u64 = 10_000_000_000;
/// No pair is longer.
const LINE_BYTES_MAX: usize = 64 * 1024;

/// What is left of what came, up to the next line's end.
#[derive(Debug)]
pub(super) struct Snapshot {
    pieces: Pieces,
    held: BytesMut,
    number: u64,
    pairs: u64,
    /// As the first line names it.
    name: Option<Box<str>>,
    ended: bool,
}

impl Snapshot {
    pub(super) fn new(pieces: Pieces) -> Self {
        Self { pieces, held: BytesMut::new(), number: 0, pairs: 0, name: None, ended: false }
    }

    /// The next line without its end; `None` where no more comes.
    async fn line(&mut self) -> Result<Option<Bytes>, Fault> {
        let mut searched = 0;
        loop {
            if let Some(at) = self.held[searched..].iter().position(|byte| *byte == b'\n') {
                let line = self.held.split_to(searched + at).freeze();
                self.held.advance(1);
                self.number += 1;
                return Ok(Some(line));
            }
            searched = self.held.len();
            if searched > LINE_BYTES_MAX {
                return Err(form(format!("line {} is longer than {LINE_BYTES_MAX} bytes", self.number + 1)));
            }
            match self.pieces.next().await? {
                Some(piece) => self.held.extend_from_slice(&piece),
                None if self.held.is_empty() => return Ok(None),
                None => {
                    self.number += 1;
                    return Ok(Some(self.held.split().freeze()));
                }
            }
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
    async fn next(&mut self) -> Result<Option<Fed>, Fault> {
        if self.ended {
            return Ok(None);
        }
        loop {
            let Some(text) = self.line().await? else { return Err(self.cut_off()) };
            if text.trim_ascii().is_empty() {
                continue;
            }
            let Line { says, snapshot } = line(&text, self.number)?;
            if self.number == 1 {
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
            return match says {
                Says::Pair(fed) => {
                    self.pairs += 1;
                    Ok(Some(fed))
                }
                Says::End { items } if items == self.pairs => {
                    while let Some(more) = self.line().await? {
                        if !more.trim_ascii().is_empty() {
                            return Err(self.mixed(
                                "it comes behind the last line, which says how many pairs there are",
                            ));
                        }
                    }
                    self.ended = true;
                    Ok(None)
                }
                Says::End { items } => Err(form(format!(
                    "{} pairs came, and the last line says {items}: it is not taken for the whole",
                    self.pairs
                ))),
            };
        }
    }
}
