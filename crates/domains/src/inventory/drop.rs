//! A file of stock, as a source drops it: of levels or of changes, NDJSON (one a line, as it would push it) or CSV. Owns the reading of
//! the file: its form, which of both it holds, and the line and column of what is wrong; what a level or a change must be is `level`'s
//! and `change`'s. Opens nothing: whoever opens the file hands in what can be read.
//!
//! A file counts as a whole or not at all. One that does not fit in memory is read twice: [`check`] looks at all of it
//! and keeps nothing but the names; then [`Lines`] gives what one line after the other tells.

mod columns;
mod decimal;
mod fault;
mod file_names;
mod headers;
mod holds;
pub(super) mod lines;
mod named;
mod ndjson;
mod payload;
pub(super) mod row;
mod whole;

pub use payload::{change_payload, payload};

pub use fault::{FAULTS_MAX, LineFault, Refused};
pub use file_names::FileNames;
pub use holds::{Holds, Takes};
pub use whole::NotWhole;

use super::change::Change;
use super::level::Stock;
use columns::{Columns, Sheet};
use jiff::Timestamp;
use named::Named;
use std::io::BufRead;
use whole::Whole;

/// What counts where the file itself does not say it.
#[derive(Debug, Clone, Default)]
pub struct Defaults {
    /// The file is of one location.
    pub location: Option<String>,
    /// When the file was made.
    pub changed_at: Option<Timestamp>,
    /// Whether it may hold levels, changes, or either.
    pub takes: Takes,
    /// It is all that there is, for a full check: of NDJSON the last line counts it then.
    pub whole: bool,
}

/// What a line of the file tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// Where it begins; the first line is 1.
    pub line: u64,
    /// The source's sequence number, where the file has one.
    pub version: Option<i64>,
    /// The source's id of it; only a change has one.
    pub id: Option<String>,
    pub says: Says,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Says {
    Level(Stock),
    Change(Change),
}

impl Told {
    /// Whose it is: SKU and location.
    #[must_use]
    pub fn pair(&self) -> (&str, &str) {
        match &self.says {
            Says::Level(stock) => (&stock.sku, &stock.location),
            Says::Change(change) => (&change.sku, &change.location),
        }
    }

    #[must_use]
    pub fn changed_at(&self) -> Timestamp {
        match &self.says {
            Says::Level(stock) => stock.changed_at,
            Says::Change(change) => change.changed_at,
        }
    }
}

/// What a file tells, line after line. What stands twice comes twice: only [`check`] and [`read_all`] know.
#[derive(Debug)]
pub struct Lines<R> {
    lines: lines::Lines<R>,
    form: Form,
    holds: Holds,
    defaults: Defaults,
    whole: Whole,
}

#[derive(Debug)]
enum Form {
    Ndjson,
    Csv(Columns),
}

impl<R: BufRead> Lines<R> {
    /// Finds the form of the file, what it holds and, of CSV, its delimiter and columns.
    ///
    /// # Errors
    /// A file in neither form, one that holds what may not be in it, or a header without a column that is needed.
    pub fn new(reader: R, defaults: &Defaults) -> Result<Self, LineFault> {
        let mut lines = lines::Lines::new(reader);
        let first = match lines.next_filled() {
            None => {
                return Err(LineFault::new(
                    1,
                    1,
                    "the file is empty; a file that tells nothing has its header",
                ));
            }
            Some(first) => first?,
        };
        let (form, holds) = match first.text.trim_start().chars().next() {
            Some('{') => {
                let holds = ndjson::holds(&first, defaults.takes)?;
                lines.put_back(first);
                (Form::Ndjson, holds)
            }
            Some('[') => {
                let what = "this is a JSON list; write one object a line, without brackets and commas";
                return Err(LineFault::new(first.number, 1, what));
            }
            _ => {
                let columns = Columns::find(first, &mut lines, defaults)?;
                let holds = columns.holds;
                (Form::Csv(columns), holds)
            }
        };
        Ok(Self { lines, form, holds, defaults: defaults.clone(), whole: Whole::default() })
    }

    /// Levels or changes: never both.
    #[must_use]
    pub fn holds(&self) -> Holds {
        self.holds
    }

    /// Of a file that should be all that there is, once it was read to its end.
    #[must_use]
    pub fn not_whole(&self) -> Option<NotWhole> {
        self.whole.not
    }

    fn of_ndjson(&mut self) -> Option<Result<Told, LineFault>> {
        let Some(line) = self.lines.next_filled() else {
            let is_counted = self.defaults.whole;
            return is_counted.then(|| self.whole.missing(self.lines.number())).flatten().map(Err);
        };
        let told = line.and_then(|line| {
            let body = ndjson::parsed(&line)?;
            if self.defaults.whole && self.whole.is_last(&line, &body)? {
                return Ok(None);
            }
            ndjson::told(&line, body, self.holds, &self.defaults).map(Some)
        });
        if self.whole.not.is_some() {
            // What comes after is of another one.
            self.lines.end();
        }
        match told.transpose() {
            // Behind the last line comes nothing, or what should not.
            None => self.of_ndjson(),
            told => told,
        }
    }
}

impl<R: BufRead> Iterator for Lines<R> {
    type Item = Result<Told, LineFault>;

    fn next(&mut self) -> Option<Self::Item> {
        match &self.form {
            Form::Ndjson => self.of_ndjson(),
            Form::Csv(columns) => {
                let row = row::next(&mut self.lines, columns.delimiter)?;
                Some(row.and_then(|row| Sheet { columns, defaults: &self.defaults }.told(&row)))
            }
        }
    }
}

/// All that a file tells, or what is wrong with it.
///
/// # Errors
/// The first [`FAULTS_MAX`] faults, and how many there are.
pub fn read_all<R: BufRead>(reader: R, defaults: &Defaults) -> Result<Vec<Told>, Refused> {
    let mut all = Vec::new();
    walk(reader, defaults, |told| all.push(told))?;
    Ok(all)
}

/// How much a file tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counted {
    pub holds: Holds,
    /// Levels or changes.
    pub told: u64,
    /// Of these, how many have a sequence number.
    pub versioned: u64,
    /// And how many an id of their own.
    pub with_id: u64,
}

impl Counted {
    /// Whether it tells changes that nothing but their place in this file names.
    #[must_use]
    pub fn is_nameless(&self) -> bool {
        self.holds == Holds::Changes && self.versioned == 0 && self.with_id == 0
    }
}

/// Looks at all of a file and keeps nothing of it: how much it tells, or what is wrong.
///
/// # Errors
/// As [`read_all`]; and where some lines have a sequence number and some have none: what is newer than what cannot be
/// known then; or some changes an id and some have none.
pub fn check<R: BufRead>(reader: R, defaults: &Defaults) -> Result<Counted, Refused> {
    let named = walk(reader, defaults, |_| ())?;
    match named.uneven() {
        None => Ok(named.counted),
        Some(fault) => {
            let mut refused = Refused::default();
            refused.add(fault);
            Err(refused)
        }
    }
}

fn walk<R: BufRead>(reader: R, defaults: &Defaults, mut each: impl FnMut(Told)) -> Result<Named, Refused> {
    let (mut refused, mut named) = (Refused::default(), Named::default());
    match Lines::new(reader, defaults) {
        Ok(mut lines) => {
            named.counted.holds = lines.holds();
            for told in lines.by_ref() {
                match told.and_then(|told| named.once(told)) {
                    Ok(told) => each(told),
                    Err(fault) => refused.add(fault),
                }
            }
            refused.not_whole = lines.not_whole();
        }
        Err(fault) => refused.add(fault),
    }
    if refused.count == 0 { Ok(named) } else { Err(refused) }
}

#[cfg(test)]
mod tests;
