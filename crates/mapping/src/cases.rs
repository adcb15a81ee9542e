//! Cases of a mapping: an input beside what is expected of it. A case is a folder: `input.json`, then either
//! `expected.json` (the body) or `error.txt` (the fault's code, and after it words that its message or paths hold);
//! and, where it matters, `context.json` with `now`, `zone`, `object_key`, `root_key`, `external_refs` and `tables`.
//! `read_folder` is the only place of this crate that opens files; everything else is pure.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::{fmt, fs, io};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::fault::MapFault;
use crate::mapping::{Context, Mapping, Tables};

/// A case file is at most so large.
const FILE_BYTES_MAX: u64 = 8 * 1024 * 1024;

/// One case.
#[derive(Debug, Clone)]
pub struct Case {
    /// The folder's name.
    pub name: String,
    /// The source value.
    pub input: Value,
    /// What the run may know beside it.
    pub context: Context,
    /// What is expected.
    pub expected: Expected,
}

/// What a case expects.
#[derive(Debug, Clone, PartialEq)]
pub enum Expected {
    /// This body.
    Body(Value),
    /// A fault whose text holds each of these words.
    Fault(Vec<String>),
}

/// What came of a case.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CaseResult {
    /// The case's name.
    pub name: String,
    /// Where result and expectation differ; empty when the case holds.
    pub differences: Vec<Difference>,
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Difference {
    /// The target field; empty for the whole.
    pub path: String,
    /// What was expected; absent is null.
    pub expected: Option<Value>,
    /// What there was; absent is null.
    pub found: Option<Value>,
}

/// What came of all cases.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// The mapping's name.
    pub mapping: String,
    /// Each case.
    pub cases: Vec<CaseResult>,
}

impl Report {
    /// How many cases hold.
    #[must_use]
    pub fn passed(&self) -> usize {
        self.cases.iter().filter(|case| case.differences.is_empty()).count()
    }

    /// True if there are cases and all of them hold.
    #[must_use]
    pub fn is_good(&self) -> bool {
        !self.cases.is_empty() && self.passed() == self.cases.len()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let show =
            |value: &Option<Value>| value.as_ref().map_or_else(|| "absent".to_owned(), Value::to_string);
        for case in &self.cases {
            let mark = if case.differences.is_empty() { "ok  " } else { "FAIL" };
            writeln!(f, "{mark}  {}", case.name)?;
            for difference in &case.differences {
                let path = if difference.path.is_empty() { "(whole)" } else { &difference.path };
                writeln!(f, "      {path}")?;
                writeln!(f, "        - expected  {}", show(&difference.expected))?;
                writeln!(f, "        + found     {}", show(&difference.found))?;
            }
        }
        writeln!(f, "{}: {} of {} cases hold", self.mapping, self.passed(), self.cases.len())
    }
}

/// Why a folder of cases could not be read.
#[derive(Debug, thiserror::Error)]
pub enum CaseError {
    /// A file or folder could not be read.
    #[error("{path}: {error}")]
    Io {
        /// The file.
        path: String,
        /// What the operating system said.
        error: io::Error,
    },
    /// A file is not what it should be.
    #[error("{path}: {message}")]
    Content {
        /// The file.
        path: String,
        /// What is wrong with it.
        message: String,
    },
}

/// Runs all cases.
#[must_use]
pub fn run(mapping: &Mapping, cases: &[Case]) -> Report {
    let cases = cases.iter().map(|case| run_case(mapping, case)).collect();
    Report { mapping: mapping.header().name.clone(), cases }
}

fn run_case(mapping: &Mapping, case: &Case) -> CaseResult {
    let mut differences = Vec::new();
    match (mapping.run(&case.input, &case.context), &case.expected) {
        (Ok(mapped), Expected::Body(expected)) => {
            compare(String::new(), Some(expected), Some(&mapped.body), &mut differences);
        }
        (Ok(mapped), Expected::Fault(words)) => differences.push(Difference {
            path: String::new(),
            expected: Some(Value::from(words.join(" "))),
            found: Some(mapped.body),
        }),
        (Err(fault), Expected::Body(expected)) => differences.push(Difference {
            path: fault.target_path.clone(),
            expected: Some(expected.clone()),
            found: Some(Value::from(fault_text(&fault))),
        }),
        (Err(fault), Expected::Fault(words)) => {
            let text = fault_text(&fault);
            if !words.iter().all(|word| text.contains(word.as_str())) {
                differences.push(Difference {
                    path: fault.target_path.clone(),
                    expected: Some(Value::from(words.join(" "))),
                    found: Some(Value::from(text)),
                });
            }
        }
    }
    CaseResult { name: case.name.clone(), differences }
}

/// The fault on one line: code, source, target, message.
fn fault_text(fault: &MapFault) -> String {
    format!("{} {} {} {}", fault.code, fault.source_path, fault.target_path, fault.message)
}

fn compare(path: String, expected: Option<&Value>, found: Option<&Value>, differences: &mut Vec<Difference>) {
    match (expected, found) {
        (Some(Value::Object(a)), Some(Value::Object(b))) => {
            let mut keys: Vec<&String> = a.keys().chain(b.keys()).collect();
            keys.sort_unstable();
            keys.dedup();
            for key in keys {
                let inner = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                compare(inner, a.get(key), b.get(key), differences);
            }
        }
        (Some(Value::Array(a)), Some(Value::Array(b))) => {
            for index in 0..a.len().max(b.len()) {
                compare(format!("{path}[{index}]"), a.get(index), b.get(index), differences);
            }
        }
        (a, b) if a == b => {}
        (a, b) => differences.push(Difference { path, expected: a.cloned(), found: b.cloned() }),
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct ContextFile {
    now: Timestamp,
    zone: String,
    object_key: String,
    /// Absent: the object key.
    root_key: Option<String>,
    external_refs: BTreeMap<String, String>,
    tables: Tables,
}

impl Default for ContextFile {
    fn default() -> Self {
        Self {
            now: Timestamp::UNIX_EPOCH,
            zone: "UTC".to_owned(),
            object_key: "shop/order:1".to_owned(),
            root_key: None,
            external_refs: BTreeMap::new(),
            tables: Tables::new(),
        }
    }
}

/// Reads a folder of cases, in the order of their names.
///
/// # Errors
/// When a file cannot be read or is not what it should be.
pub fn read_folder(folder: &Path) -> Result<Vec<Case>, CaseError> {
    let io_error = |path: &Path| {
        let path = path.display().to_string();
        move |error| CaseError::Io { path, error }
    };
    let mut folders = Vec::new();
    for entry in fs::read_dir(folder).map_err(io_error(folder))? {
        let path = entry.map_err(io_error(folder))?.path();
        if path.is_dir() {
            folders.push(path);
        }
    }
    folders.sort();
    folders.iter().map(|folder| read_case(folder)).collect()
}

fn read_case(folder: &Path) -> Result<Case, CaseError> {
    let name = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let input = folder.join("input.json");
    let input: Value = read_json(&input)?.ok_or_else(|| content(&input, "a case needs this file"))?;
    let context: ContextFile = read_json(&folder.join("context.json"))?.unwrap_or_default();
    let zone = TimeZone::get(&context.zone)
        .map_err(|_| content(&folder.join("context.json"), "there is no such time zone"))?;
    let context = Context {
        now: context.now,
        zone,
        root_key: context.root_key.unwrap_or_else(|| context.object_key.clone()),
        object_key: context.object_key,
        external_refs: context.external_refs,
        tables: Arc::new(context.tables),
    };
    let body: Option<Value> = read_json(&folder.join("expected.json"))?;
    let fault = read_text(&folder.join("error.txt"))?;
    let expected = match (body, fault) {
        (Some(body), None) => Expected::Body(body),
        (None, Some(text)) if !text.trim().is_empty() => {
            Expected::Fault(text.split_whitespace().map(str::to_owned).collect())
        }
        (Some(_), Some(_)) => return Err(content(folder, "has both expected.json and error.txt")),
        _ => return Err(content(folder, "needs expected.json, or error.txt with the fault's code")),
    };
    Ok(Case { name, input, context, expected })
}

fn content(path: &Path, message: impl Into<String>) -> CaseError {
    CaseError::Content { path: path.display().to_string(), message: message.into() }
}

fn read_text(path: &Path) -> Result<Option<String>, CaseError> {
    let io_error = |error| CaseError::Io { path: path.display().to_string(), error };
    match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(io_error(error)),
        Ok(metadata) if metadata.len() > FILE_BYTES_MAX => {
            return Err(content(path, format!("has more than {FILE_BYTES_MAX} bytes")));
        }
        Ok(_) => {}
    }
    fs::read_to_string(path).map(Some).map_err(io_error)
}

fn read_json<T: serde::de::DeserializeOwned>(path: &Path) -> Result<Option<T>, CaseError> {
    let Some(text) = read_text(path)? else { return Ok(None) };
    serde_json::from_str(&text).map(Some).map_err(|error| content(path, error.to_string()))
}
