//! Where each target field came from and through which steps, as data (JSON) and as a table for a terminal.
//! It holds payload values: what is printed here is for the eyes of the one who asked, not for a log.

use std::fmt;

use serde::Serialize;
use serde_json::Value;

use crate::fault::MapFault;

/// Columns are at most so wide in the table; the JSON has everything.
const CELL_CHARS_MAX: usize = 60;

/// A run of a mapping, field by field.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explanation {
    /// The mapping's name.
    pub mapping: String,
    /// The mapping's revision.
    pub revision: String,
    /// The target fields in the order in which they were written.
    pub fields: Vec<FieldTrace>,
    /// What would be sent; with faults, what could be made of the rest.
    pub body: Value,
}

/// How one target field came about.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct FieldTrace {
    /// The target field, with list positions.
    pub target: String,
    /// The line of the rule that was applied last.
    pub line: usize,
    /// The source fields that were read, and what was there.
    pub reads: Vec<Read>,
    /// The verbs, each with the value after it.
    pub steps: Vec<StepTrace>,
    /// Why a rule was passed over, or why nothing was written.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// What was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
    /// What went wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<MapFault>,
}

/// One source field that was read.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Read {
    /// The source field, with list positions.
    pub path: String,
    /// What was there; absent is null.
    pub value: Option<Value>,
}

/// One verb and what it made.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StepTrace {
    /// The verb.
    pub verb: String,
    /// The value after it; absent is null.
    pub value: Option<Value>,
}

/// Takes notes while a mapping runs.
#[derive(Debug, Default)]
pub(crate) struct Trace {
    fields: Vec<FieldTrace>,
    current: FieldTrace,
}

impl Trace {
    /// A rule gets its turn; notes of an earlier rule for the same field are kept.
    pub(crate) fn rule(&mut self, target: String, line: usize) {
        if self.current.target == target {
            self.current.line = line;
            self.current.reads.clear();
            self.current.steps.clear();
        } else {
            self.current = FieldTrace { target, line, ..FieldTrace::default() };
        }
    }

    pub(crate) fn read(&mut self, path: String, value: Option<Value>) {
        self.current.reads.push(Read { path, value });
    }

    pub(crate) fn step(&mut self, verb: &str, value: Option<Value>) {
        self.current.steps.push(StepTrace { verb: verb.to_owned(), value });
    }

    pub(crate) fn note(&mut self, note: String) {
        self.current.notes.push(note);
    }

    pub(crate) fn written(&mut self, value: Value) {
        let field = std::mem::take(&mut self.current);
        self.fields.push(FieldTrace { value: Some(value), ..field });
    }

    pub(crate) fn absent(&mut self, target: String, why: &str) {
        let mut field = std::mem::take(&mut self.current);
        if field.target != target {
            field = FieldTrace { target, ..FieldTrace::default() };
        }
        field.notes.push(why.to_owned());
        self.fields.push(field);
    }

    pub(crate) fn fault(&mut self, fault: MapFault) {
        let mut field = std::mem::take(&mut self.current);
        if field.target != fault.target_path {
            field = FieldTrace { target: fault.target_path.clone(), ..FieldTrace::default() };
        }
        field.fault = Some(fault);
        self.fields.push(field);
    }
}

impl Explanation {
    pub(crate) fn new(mapping: &str, revision: String, trace: Trace, body: Result<Value, MapFault>) -> Self {
        let mut fields = trace.fields;
        let body = body.unwrap_or_else(|fault| {
            fields.push(FieldTrace {
                target: fault.target_path.clone(),
                fault: Some(fault),
                ..FieldTrace::default()
            });
            Value::Null
        });
        Self { mapping: mapping.to_owned(), revision, fields, body }
    }

    /// The faults of the run.
    pub fn faults(&self) -> impl Iterator<Item = &MapFault> {
        self.fields.iter().filter_map(|field| field.fault.as_ref())
    }
}

/// An aligned table: target, value, from, steps.
impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let short = self.revision.get(..12).unwrap_or(&self.revision);
        writeln!(f, "mapping {}, revision {short}", self.mapping)?;
        let mut rows = vec![["TARGET", "VALUE", "FROM", "STEPS"].map(str::to_owned)];
        rows.extend(self.fields.iter().map(row));
        let mut widths = [0; 4];
        for row in &rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        for row in &rows {
            let mut line = String::new();
            for (cell, width) in row.iter().zip(widths) {
                line.push_str(cell);
                line.extend(std::iter::repeat_n(' ', width - cell.chars().count() + 2));
            }
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

fn row(field: &FieldTrace) -> [String; 4] {
    let value = match (&field.fault, &field.value) {
        (Some(fault), _) => format!("✗ {}", fault.code),
        (None, Some(value)) => plain(Some(value)),
        (None, None) => "–".to_owned(),
    };
    let from: Vec<String> =
        field.reads.iter().map(|read| format!("{} = {}", read.path, plain(read.value.as_ref()))).collect();
    let mut steps: Vec<String> = Vec::new();
    for step in &field.steps {
        // A copied value stands in the column before already.
        if step.verb == "copy" && !field.reads.is_empty() {
            continue;
        }
        steps.push(format!("{} → {}", step.verb, plain(step.value.as_ref())));
    }
    steps.extend(field.notes.iter().cloned());
    steps.extend(field.fault.iter().map(|fault| fault.message.clone()));
    [field.target.clone(), shorten(&value), shorten(&from.join(", ")), steps.join(", ")]
}

fn plain(value: Option<&Value>) -> String {
    match value {
        None => "absent".to_owned(),
        Some(Value::String(text)) => format!("{text:?}"),
        Some(value) => value.to_string(),
    }
}

fn shorten(text: &str) -> String {
    if text.chars().count() <= CELL_CHARS_MAX {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(CELL_CHARS_MAX - 1).collect();
    short.push('…');
    short
}
