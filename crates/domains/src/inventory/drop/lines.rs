//! The lines of a file. Owns their bounds and encoding: UTF-8 with or without its mark, a line of a stated size at most,
//! ended by LF or CRLF.

use super::fault::LineFault;
use std::io::{BufRead, Read as _};

/// A level is some hundred bytes.
pub(in crate::inventory) const LINE_BYTES_MAX: usize = 64 * 1024;

const UTF8_MARK: &[u8] = &[0xEF, 0xBB, 0xBF];
const UTF16_MARKS: [&[u8]; 2] = [&[0xFF, 0xFE], &[0xFE, 0xFF]];

#[derive(Debug)]
pub(in crate::inventory) struct Line {
    pub(in crate::inventory) number: u64,
    /// Without its line break.
    pub(in crate::inventory) text: String,
    /// Whether a line break ended it, and not the file.
    pub(in crate::inventory) closed: bool,
}

#[derive(Debug)]
pub(in crate::inventory) struct Lines<R> {
    reader: R,
    /// Of the last line that was read.
    number: u64,
    back: Option<Line>,
    ended: bool,
}

impl<R: BufRead> Lines<R> {
    pub(in crate::inventory) fn new(reader: R) -> Self {
        Self { reader, number: 0, back: None, ended: false }
    }

    /// The next line that is not blank.
    pub(in crate::inventory) fn next_filled(&mut self) -> Option<Result<Line, LineFault>> {
        loop {
            match self.next()? {
                Ok(line) if line.text.trim().is_empty() => {}
                line => return Some(line),
            }
        }
    }

    pub(in crate::inventory) fn put_back(&mut self, line: Line) {
        self.back = Some(line);
    }

    /// Of the last line that was read; 0: none was.
    pub(in crate::inventory) fn number(&self) -> u64 {
        self.number
    }

    /// Nothing after this is read: what follows cannot be told apart.
    pub(in crate::inventory) fn end(&mut self) {
        self.ended = true;
    }

    pub(in crate::inventory) fn next(&mut self) -> Option<Result<Line, LineFault>> {
        if let Some(line) = self.back.take() {
            return Some(Ok(line));
        }
        if self.ended {
            return None;
        }
        let mut bytes = Vec::with_capacity(128);
        match self.part(&mut bytes) {
            Ok(0) => {
                self.end();
                None
            }
            Ok(_) => {
                self.number += 1;
                Some(self.line(bytes))
            }
            Err(fault) => Some(Err(fault)),
        }
    }

    /// Up to the next line break, or as much as a line may have and one more.
    fn part(&mut self, into: &mut Vec<u8>) -> Result<usize, LineFault> {
        let most = u64::try_from(LINE_BYTES_MAX + 1).unwrap_or(u64::MAX);
        (&mut self.reader).take(most).read_until(b'\n', into).map_err(|error| {
            self.ended = true;
            LineFault::new(self.number + 1, 1, format!("the file cannot be read any further: {error}"))
        })
    }

    fn line(&mut self, mut bytes: Vec<u8>) -> Result<Line, LineFault> {
        let number = self.number;
        let closed = bytes.last() == Some(&b'\n');
        if bytes.len() > LINE_BYTES_MAX {
            self.skip_rest(closed)?;
            let what = format!("the line has more than {LINE_BYTES_MAX} bytes; a level has some hundred");
            return Err(LineFault::new(number, 1, what));
        }
        if number == 1 {
            if UTF16_MARKS.iter().any(|mark| bytes.starts_with(mark)) {
                self.end();
                return Err(LineFault::new(1, 1, "the file is in UTF-16; save it as UTF-8"));
            }
            if bytes.starts_with(UTF8_MARK) {
                bytes.drain(..UTF8_MARK.len());
            }
        }
        if closed {
            bytes.pop();
        }
        if bytes.last() == Some(&b'\r') {
            bytes.pop();
        }
        let text = String::from_utf8(bytes).map_err(|error| {
            let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
            let column = String::from_utf8_lossy(good).chars().count() as u64 + 1;
            LineFault::new(
                number,
                column,
                "this is no UTF-8; save the file as UTF-8, not as Latin-1 or Windows",
            )
        })?;
        match text.find('\r') {
            None => Ok(Line { number, text, closed }),
            Some(at) => {
                let column = text[..at].chars().count() as u64 + 1;
                let what = "a carriage return without a line feed; end each line by LF or by CRLF";
                Err(LineFault::new(number, column, what))
            }
        }
    }

    fn skip_rest(&mut self, mut closed: bool) -> Result<(), LineFault> {
        let mut rest = Vec::new();
        while !closed && self.part(&mut rest)? > 0 {
            closed = rest.last() == Some(&b'\n');
            rest.clear();
        }
        Ok(())
    }
}
