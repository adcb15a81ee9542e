//! A checked mapping and what can be done with it: run it, explain a run, ask what it reads and writes.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;
use serde_json::Value;

use crate::compile::{self, Facts};
use crate::digest::{canonical, hex};
use crate::error::MappingError;
use crate::explain::{Explanation, Trace};
use crate::fault::MapFault;
use crate::header::Header;
use crate::path::Path;
use crate::plan::FieldPlan;
use crate::run::Runner;
use crate::schema::Schema;
use crate::verb::Verb;

/// Tables that a run hands in: the name of each, and its rows.
pub type Tables = BTreeMap<String, BTreeMap<String, Value>>;

/// What a run may know beside its source.
#[derive(Debug, Clone)]
pub struct Context {
    /// The time of the run.
    pub now: Timestamp,
    /// The zone of dates where the mapping names none: the shop's.
    pub zone: TimeZone,
    /// The object key of the subject in the target system.
    pub object_key: String,
    /// That of what the subject belongs to: of a refund, its order's. Its own where it belongs to nothing.
    pub root_key: String,
    /// The subject's ids in other systems, by the system's name.
    pub external_refs: BTreeMap<String, String>,
    /// Rows for the tables that the mapping lists in `context_tables`.
    pub tables: Arc<Tables>,
}

impl Context {
    /// A context without external references and tables.
    #[must_use]
    pub fn new(now: Timestamp, zone: TimeZone, object_key: impl Into<String>) -> Self {
        let object_key = object_key.into();
        Self {
            now,
            zone,
            root_key: object_key.clone(),
            object_key,
            external_refs: BTreeMap::new(),
            tables: Arc::new(Tables::new()),
        }
    }

    /// Of a subject that belongs to another.
    #[must_use]
    pub fn below(self, root_key: impl Into<String>) -> Self {
        Self { root_key: root_key.into(), ..self }
    }
}

/// What a mapping made of a source value.
#[derive(Debug, Clone, PartialEq)]
pub struct Mapped {
    /// What is sent, with reference markers that the connector resolves.
    pub body: Value,
    /// SHA-256 over the body's canonical bytes (compact JSON, sorted keys).
    pub digest: [u8; 32],
}

/// A kind of object in another system that results point to: `{"$ref": {"kind": "party", "value": "C-1"}}`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct ReferenceKind {
    /// The system that is named; `None` is the target itself.
    pub system: Option<String>,
    /// The kind: `party`, `product`, `payment_term`.
    pub kind: String,
}

/// What a table of the file makes of a word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    pub value: Value,
    /// Where that is written, in bytes.
    pub span: Range<usize>,
}

/// One target field of a mapping: what `check` judges against ownership.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldFacts {
    /// The source fields that decide its value.
    pub reads: BTreeSet<Path>,
    /// The verbs that it goes through.
    pub verbs: BTreeSet<Verb>,
    /// What the file's own tables translate, where it is looked up in some without `otherwise`; anything else is refused there.
    pub words: BTreeMap<String, Word>,
    /// Where its first rule names it, in bytes.
    pub span: Range<usize>,
    /// The line of that place.
    pub line: usize,
}

/// A mapping file that was checked against both its schemas.
#[derive(Debug)]
pub struct Mapping {
    header: Header,
    revision: [u8; 32],
    plan: Vec<FieldPlan>,
    facts: Facts,
}

impl Mapping {
    /// Reads, checks and compiles a mapping. `name` is the file's name, for its errors.
    ///
    /// # Errors
    /// All findings in one go, in the order of the file.
    pub fn load(name: &str, text: &str, source: &Schema, target: &Schema) -> Result<Self, Vec<MappingError>> {
        compile::load(name, text, source, target)
    }

    /// Reads the header alone, to know which schemas a mapping is for.
    ///
    /// # Errors
    /// When the file is not TOML or its header is not complete.
    pub fn header_of(name: &str, text: &str) -> Result<Header, Vec<MappingError>> {
        compile::load_header(name, text)
    }

    pub(crate) fn new(header: Header, revision: [u8; 32], plan: Vec<FieldPlan>, facts: Facts) -> Self {
        Self { header, revision, plan, facts }
    }

    /// Maps one source value.
    ///
    /// # Errors
    /// The first fault, with the source and the target field.
    pub fn run(&self, source: &Value, context: &Context) -> Result<Mapped, MapFault> {
        let body = Value::Object(Runner::new(source, context, None).fields(&self.plan)?);
        let digest = canonical(&body);
        Ok(Mapped { body, digest })
    }

    /// Maps one source value and tells for each target field where it came from. Goes on after a fault.
    #[must_use]
    pub fn explain(&self, source: &Value, context: &Context) -> Explanation {
        let mut runner = Runner::new(source, context, Some(Trace::default()));
        let body = runner.fields(&self.plan).map(Value::Object);
        let trace = runner.into_trace().unwrap_or_default();
        Explanation::new(&self.header.name, self.revision_text(), trace, body)
    }

    /// The mapping's name and schemas.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The hash of what the mapping says, whatever its comments, spacing and order of keys.
    #[must_use]
    pub fn revision(&self) -> [u8; 32] {
        self.revision
    }

    /// The revision in hexadecimal.
    #[must_use]
    pub fn revision_text(&self) -> String {
        hex(&self.revision)
    }

    /// The source fields that are read: `lines[].sku`.
    #[must_use]
    pub fn reads(&self) -> &BTreeSet<Path> {
        &self.facts.reads
    }

    /// The target fields that are written.
    #[must_use]
    pub fn writes(&self) -> &BTreeSet<Path> {
        &self.facts.writes
    }

    /// For each target field where it stands, what it reads and what it goes through.
    #[must_use]
    pub fn fields(&self) -> &BTreeMap<Path, FieldFacts> {
        &self.facts.fields
    }

    /// For each target field the verbs that make it.
    #[must_use]
    pub fn transforms_by_field(&self) -> BTreeMap<&Path, &BTreeSet<Verb>> {
        self.facts.fields.iter().map(|(path, field)| (path, &field.verbs)).collect()
    }

    /// The kinds of reference that results may hold.
    #[must_use]
    pub fn references(&self) -> &BTreeSet<ReferenceKind> {
        &self.facts.references
    }

    /// The systems whose external reference the mapping asks the context for.
    #[must_use]
    pub fn external_refs(&self) -> &BTreeSet<String> {
        &self.facts.external_refs
    }

    /// The tables that the mapping asks the context for.
    #[must_use]
    pub fn context_tables(&self) -> &BTreeSet<String> {
        &self.facts.context_tables
    }
}
