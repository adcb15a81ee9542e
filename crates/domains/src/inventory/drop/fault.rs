//! What is wrong in a file, and where.

use super::whole::NotWhole;
use crate::inventory::StockFault;
use std::fmt;

/// A file's first faults are told; beyond, it is another file that is needed.
pub const FAULTS_MAX: usize = 100;

/// What is wrong at one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineFault {
    /// From 1.
    pub line: u64,
    /// In characters, from 1.
    pub column: u64,
    pub field: Option<String>,
    /// For a person: what is wrong and what to write.
    pub problem: String,
}

impl LineFault {
    pub(in crate::inventory) fn new(line: u64, column: u64, problem: impl Into<String>) -> Self {
        Self { line, column, field: None, problem: problem.into() }
    }

    pub(in crate::inventory) fn of(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }
}

impl fmt::Display for LineFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)?;
        if let Some(field) = &self.field {
            write!(f, ", {field}")?;
        }
        write!(f, ": {}", self.problem)
    }
}

impl std::error::Error for LineFault {}

/// The field that a fault is of, and how it is told: `$.incoming[1].quantity` is of `incoming`, `$.change.on_hand` of `on_hand`, told as
/// `change.on_hand`.
pub(super) fn field_of(fault: &StockFault) -> Option<(&str, &str)> {
    let path = fault.path.strip_prefix("$.")?;
    let first = |path: &'_ str| path.split(['.', '[']).next().map_or(0, str::len);
    let (field, spelled) = match path.strip_prefix("change.") {
        Some(rest) => (&rest[..first(rest)], path),
        None => (&path[..first(path)], &path[..first(path)]),
    };
    (!field.is_empty()).then_some((field, spelled))
}

/// A file of which nothing is applied.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Refused {
    /// The first [`FAULTS_MAX`], in the order of the file.
    pub faults: Vec<LineFault>,
    /// All of them.
    pub count: u64,
    /// Where it should be all that there is.
    pub not_whole: Option<NotWhole>,
}

impl Refused {
    pub(in crate::inventory) fn add(&mut self, fault: LineFault) {
        self.count += 1;
        if self.faults.len() < FAULTS_MAX {
            self.faults.push(fault);
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = if self.count == 1 { "mistake" } else { "mistakes" };
        write!(f, "nothing of the file is applied: {} {lines}", self.count)?;
        for fault in &self.faults {
            write!(f, "\n  {fault}")?;
        }
        let shown = u64::try_from(self.faults.len()).unwrap_or(u64::MAX);
        if self.count > shown {
            write!(f, "\n  and {} more", self.count - shown)?;
        }
        Ok(())
    }
}

impl std::error::Error for Refused {}
