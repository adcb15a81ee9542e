//! A row of CSV (RFC 4180) as cells with their places. Strict, which no reader of the shelf is: a quote that is never
//! closed, or stands within a cell, is a fault with its column, and not half a file in one cell.

use super::fault::LineFault;
use super::lines::{LINE_BYTES_MAX, Lines};
use std::io::BufRead;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::inventory) struct Cell {
    pub(in crate::inventory) text: String,
    pub(in crate::inventory) line: u64,
    /// In characters, from 1.
    pub(in crate::inventory) column: u64,
    pub(in crate::inventory) quoted: bool,
}

#[derive(Debug)]
pub(in crate::inventory) struct Row {
    pub(in crate::inventory) cells: Vec<Cell>,
    /// Whether a line break ended it, and not the file.
    pub(in crate::inventory) closed: bool,
}

/// The next row that has anything in it.
pub(in crate::inventory) fn next<R: BufRead>(
    lines: &mut Lines<R>,
    delimiter: char,
) -> Option<Result<Row, LineFault>> {
    loop {
        let line = match lines.next_filled()? {
            Ok(line) => line,
            Err(fault) => return Some(Err(fault)),
        };
        let mut split = Split::new(delimiter);
        match split.line(&line.text, line.number).and_then(|open| match open {
            true => rest(&mut split, lines),
            false => Ok(line.closed),
        }) {
            // A spreadsheet's rows below its last one.
            Ok(_) if split.cells.iter().all(|cell| cell.text.trim().is_empty()) => {}
            Ok(closed) => return Some(Ok(Row { cells: split.cells, closed })),
            Err(fault) => return Some(Err(fault)),
        }
    }
}

/// The lines that a quoted cell goes on in.
fn rest<R: BufRead>(split: &mut Split, lines: &mut Lines<R>) -> Result<bool, LineFault> {
    loop {
        let bytes: usize = split.cells.iter().map(|cell| cell.text.len()).sum();
        let next = if bytes > LINE_BYTES_MAX { None } else { lines.next() };
        match next {
            Some(Ok(line)) => {
                if !split.line(&line.text, line.number)? {
                    return Ok(line.closed);
                }
            }
            Some(Err(fault)) => {
                lines.end();
                return Err(fault);
            }
            None => {
                lines.end();
                let (line, column) = split.cells.last().map_or((1, 1), |cell| (cell.line, cell.column));
                let what =
                    "the quote that opens here is not closed; what follows it in the file was not looked at";
                return Err(LineFault::new(line, column, what));
            }
        }
    }
}

/// The cells of one line, as far as it goes.
pub(in crate::inventory) fn one_line(
    text: &str,
    number: u64,
    delimiter: char,
) -> Result<Vec<Cell>, LineFault> {
    let mut split = Split::new(delimiter);
    if split.line(text, number)? {
        return Err(LineFault::new(number, 1, "a quote of the header is not closed in its line"));
    }
    Ok(split.cells)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    Plain,
    Quoted,
    /// A quote within quotes: the end, or the first of two.
    Quote,
    /// Behind the closing quote.
    Behind,
}

struct Split {
    delimiter: char,
    cells: Vec<Cell>,
    at: At,
}

impl Split {
    fn new(delimiter: char) -> Self {
        Self { delimiter, cells: Vec::new(), at: At::Plain }
    }

    /// Takes a line; `true`: a quoted cell goes on in the next one.
    fn line(&mut self, text: &str, number: u64) -> Result<bool, LineFault> {
        let mut cell = match (self.at, self.cells.pop()) {
            (At::Quoted, Some(mut cell)) => {
                cell.text.push('\n');
                cell
            }
            _ => Cell { text: String::new(), line: number, column: 1, quoted: false },
        };
        for (column, char) in (1u64..).zip(text.chars()) {
            self.at = match (self.at, char) {
                (At::Quoted, '"') => At::Quote,
                (At::Quote, '"') | (At::Quoted, _) => {
                    cell.text.push(char);
                    At::Quoted
                }
                (_, char) if char == self.delimiter => {
                    let next = Cell { text: String::new(), line: number, column: column + 1, quoted: false };
                    self.cells.push(std::mem::replace(&mut cell, next));
                    At::Plain
                }
                (At::Plain, '"') if cell.text.trim().is_empty() => {
                    cell = Cell { text: String::new(), line: number, column, quoted: true };
                    At::Quoted
                }
                (At::Quote | At::Behind, ' ') => At::Behind,
                (At::Quote | At::Behind, _) => {
                    let what =
                        "behind a closing quote comes the delimiter; a quote within a cell is written twice";
                    return Err(LineFault::new(number, column, what));
                }
                (At::Plain, '"') => {
                    let what = "a quote within a cell without quotes; put the cell in quotes and write this one twice";
                    return Err(LineFault::new(number, column, what));
                }
                (At::Plain, char) => {
                    cell.text.push(char);
                    At::Plain
                }
            };
        }
        self.cells.push(cell);
        Ok(self.at == At::Quoted)
    }
}
