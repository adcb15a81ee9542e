//! A file of levels, as a source drops it: NDJSON (a level a line, as it would push it) or CSV. Owns the reading of the file:
//! its form, and the line and column of what is wrong; what a level must be is `level`'s. Opens nothing: whoever opens the
//! file hands in what can be read.
//!
//! A file counts as a whole or not at all. One that does not fit in memory is read twice: [`check`] looks at all of it
//! and keeps nothing but the names; then [`Levels`] gives one level after the other.

mod columns;
mod decimal;
mod fault;
pub(super) mod lines;
mod ndjson;
mod payload;
pub(super) mod row;

pub use payload::payload;

pub use fault::{FAULTS_MAX, LineFault, Refused};

use super::level::Stock;
use super::names::Key;
use columns::{Columns, Sheet};
use jiff::Timestamp;
use lines::Lines;
use std::collections::BTreeMap;
use std::io::BufRead;

/// What counts where the file itself does not say it.
#[derive(Debug, Clone, Default)]
pub struct Defaults {
    /// The file is of one location.
    pub location: Option<String>,
    /// When the file was made.
    pub changed_at: Option<Timestamp>,
}

/// A level of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// Where it begins; the first line is 1.
    pub line: u64,
    /// The source's sequence number, where the file has one.
    pub version: Option<i64>,
    pub stock: Stock,
}

/// The levels of a file, one after the other. A pair that stands twice comes twice: only [`check`] and [`read_all`] know.
#[derive(Debug)]
pub struct Levels<R> {
    lines: Lines<R>,
    form: Form,
    defaults: Defaults,
}

#[derive(Debug)]
enum Form {
    Ndjson,
    Csv(Columns),
}

/// Only finds a pair again in its own file: a sender who made two meet would have his own file refused.
const KEY: Key = Key([0x7469_6465, 0x6761_7465]);

impl<R: BufRead> Levels<R> {
    /// Finds the form of the file and, of CSV, its delimiter and columns.
    ///
    /// # Errors
    /// A file in neither form, or a header without a column that a level needs.
    pub fn new(reader: R, defaults: &Defaults) -> Result<Self, LineFault> {
        let mut lines = Lines::new(reader);
        let first = match lines.next_filled() {
            None => {
                return Err(LineFault::new(1, 1, "the file is empty; a file without levels has its header"));
            }
            Some(first) => first?,
        };
        let form = match first.text.trim_start().chars().next() {
            Some('{') => {
                lines.put_back(first);
                Form::Ndjson
            }
            Some('[') => {
                let what = "this is a JSON list; write one object a line, without brackets and commas";
                return Err(LineFault::new(first.number, 1, what));
            }
            _ => Form::Csv(Columns::find(first, &mut lines, defaults)?),
        };
        Ok(Self { lines, form, defaults: defaults.clone() })
    }
}

impl<R: BufRead> Iterator for Levels<R> {
    type Item = Result<Told, LineFault>;

    fn next(&mut self) -> Option<Self::Item> {
        match &self.form {
            Form::Ndjson => {
                let line = self.lines.next_filled()?;
                Some(line.and_then(|line| ndjson::level(&line, &self.defaults)))
            }
            Form::Csv(columns) => {
                let row = row::next(&mut self.lines, columns.delimiter)?;
                Some(row.and_then(|row| Sheet { columns, defaults: &self.defaults }.level(&row)))
            }
        }
    }
}

/// All levels of a file, or what is wrong with it.
///
/// # Errors
/// The first [`FAULTS_MAX`] faults, and how many there are.
pub fn read_all<R: BufRead>(reader: R, defaults: &Defaults) -> Result<Vec<Told>, Refused> {
    let mut all = Vec::new();
    walk(reader, defaults, |told| all.push(told))?;
    Ok(all)
}

/// How many levels a file has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counted {
    pub levels: u64,
    /// Of these, how many have a sequence number.
    pub versioned: u64,
}

/// Looks at all of a file and keeps no level of it: how many there are, or what is wrong.
///
/// # Errors
/// As [`read_all`]; and where some levels have a sequence number and some have none: what is newer than what cannot be
/// known then.
pub fn check<R: BufRead>(reader: R, defaults: &Defaults) -> Result<Counted, Refused> {
    let (mut counted, mut lone) = (Counted::default(), [None; 2]);
    walk(reader, defaults, |told| {
        let versioned = told.version.is_some();
        counted.levels += 1;
        counted.versioned += u64::from(versioned);
        lone[usize::from(versioned)].get_or_insert(told.line);
    })?;
    if let [Some(without), Some(_)] = lone {
        let what = format!(
            "it has no version, and {} of {} levels have one; give each of them one, or none",
            counted.versioned, counted.levels
        );
        let mut refused = Refused::default();
        refused.add(LineFault::new(without, 1, what).of("version"));
        return Err(refused);
    }
    Ok(counted)
}

fn walk<R: BufRead>(reader: R, defaults: &Defaults, mut each: impl FnMut(Told)) -> Result<(), Refused> {
    let (mut refused, mut seen) = (Refused::default(), BTreeMap::new());
    match Levels::new(reader, defaults) {
        Ok(levels) => {
            for told in levels {
                match told.and_then(|told| once(&mut seen, told)) {
                    Ok(told) => each(told),
                    Err(fault) => refused.add(fault),
                }
            }
        }
        Err(fault) => refused.add(fault),
    }
    if refused.count == 0 { Ok(()) } else { Err(refused) }
}

/// Which of two counts cannot be known: neither does. `seen`: of each pair the line that names it.
fn once(seen: &mut BTreeMap<u128, u64>, told: Told) -> Result<Told, LineFault> {
    let (sku, location) = (&told.stock.sku, &told.stock.location);
    let first = *seen.entry(KEY.name(sku, location)).or_insert(told.line);
    if first == told.line {
        return Ok(told);
    }
    let what = format!(
        "{sku:?} at {location:?} stands in line {first} already, and which of the two counts cannot be known; leave one out \
         (blanks at the ends make no other SKU)"
    );
    Err(LineFault::new(told.line, 1, what).of("sku"))
}

#[cfg(test)]
mod tests;
