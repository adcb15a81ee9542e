//! From the text of a mapping to its checked plan: header, tables, then every rule against both schemas. All findings
//! are collected; a plan exists only when there are none. Runs nothing and reads no file.

mod arguments;
mod coverage;
mod nested;
mod rules;
mod source_paths;
mod steps;
mod value;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use serde_json::Value;
use toml::de::DeTable;

use crate::error::{Findings, LoadCode, MappingError};
use crate::header::{self, Header};
use crate::mapping::{FieldFacts, Mapping, ReferenceKind, Word};
use crate::path::Path;
use crate::plan::FieldPlan;
use crate::read::{Entry, Keys, normalised_table};
use crate::schema::{NodeId, Schema};
use crate::verb::Verb;
pub(crate) use source_paths::Resolved;

/// A mapping file has at most so many bytes.
const FILE_BYTES_MAX: usize = 256 * 1024;
/// Rules in one mapping.
const RULES_MAX: usize = 2_000;
/// Rules within rules, and values within values.
const DEPTH_MAX: usize = 12;
/// Rows in one inline table.
const TABLE_ROWS_MAX: usize = 10_000;

/// Compiles a mapping.
pub(crate) fn load(
    name: &str,
    text: &str,
    source: &Schema,
    target: &Schema,
) -> Result<Mapping, Vec<MappingError>> {
    let mut findings = Findings::new(name, text);
    if text.len() > FILE_BYTES_MAX {
        findings.add(LoadCode::Bounds, 0..0, format!("the file has more than {FILE_BYTES_MAX} bytes"));
        return Err(findings.into_errors());
    }
    let Some(document) = parse(text, &mut findings) else { return Err(findings.into_errors()) };
    let mut keys = Keys::new(&document, 0..text.len().min(1));
    let header = header::read(&mut keys, &mut findings);
    if let Some(header) = &header {
        header.expect_schemas(source, target, &mut findings);
    }
    let mut compiler = Compiler::new(text, findings, source, target);
    compiler.read_tables(&mut keys);
    let fields = compiler.read_rules(&mut keys);
    keys.finish(&mut compiler.findings, "a mapping", header::KEYS);
    let Compiler { findings, facts, .. } = compiler;
    match header {
        Some(header) if findings.is_empty() => Ok(Mapping::new(header, revision(&document), fields, facts)),
        _ => Err(findings.into_errors()),
    }
}

/// Reads the header alone, to know which schemas the mapping is for.
pub(crate) fn load_header(name: &str, text: &str) -> Result<Header, Vec<MappingError>> {
    let mut findings = Findings::new(name, text);
    if text.len() > FILE_BYTES_MAX {
        findings.add(LoadCode::Bounds, 0..0, format!("the file has more than {FILE_BYTES_MAX} bytes"));
        return Err(findings.into_errors());
    }
    let header = parse(text, &mut findings)
        .and_then(|document| header::read(&mut Keys::new(&document, 0..text.len().min(1)), &mut findings));
    header.filter(|_| findings.is_empty()).ok_or_else(|| findings.into_errors())
}

fn parse<'i>(text: &'i str, findings: &mut Findings) -> Option<DeTable<'i>> {
    let (document, errors) = DeTable::parse_recoverable(text);
    if errors.is_empty() {
        return Some(document.into_inner());
    }
    for error in errors {
        let span = error.span().unwrap_or(0..0);
        findings.add(LoadCode::Syntax, span, format!("not TOML: {}", error.message()));
    }
    None
}

/// The hash of what the file says, whatever its spelling, order of keys and comments.
fn revision(document: &DeTable<'_>) -> [u8; 32] {
    crate::digest::canonical(&normalised_table(document))
}

/// What a checked mapping says about itself.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    pub(crate) reads: BTreeSet<Path>,
    pub(crate) writes: BTreeSet<Path>,
    pub(crate) fields: BTreeMap<Path, FieldFacts>,
    pub(crate) references: BTreeSet<ReferenceKind>,
    pub(crate) external_refs: BTreeSet<String>,
    pub(crate) context_tables: BTreeSet<String>,
}

/// The item that paths of a rule start from; `node` is `None` where anything may be.
#[derive(Debug, Clone)]
pub(super) struct Scope {
    pub(super) node: Option<NodeId>,
    pub(super) path: Path,
    /// The item is there, whatever its schema says: `within` is not entered without it.
    pub(super) present: bool,
}

impl Scope {
    pub(super) fn new(node: Option<NodeId>, path: Path) -> Self {
        Self { node, path, present: false }
    }
}

pub(crate) struct Compiler<'a> {
    text: &'a str,
    pub(crate) findings: Findings,
    pub(crate) source: &'a Schema,
    pub(super) target: &'a Schema,
    pub(super) tables: BTreeMap<String, Arc<BTreeMap<String, Value>>>,
    /// Where each word's value is written, of each table.
    pub(super) written: BTreeMap<String, BTreeMap<String, Range<usize>>>,
    pub(super) context_tables: BTreeSet<String>,
    pub(super) scopes: Vec<Scope>,
    pub(super) facts: Facts,
    pub(super) rule_count: usize,
    pub(super) depth: usize,
    /// What the rule at hand reads and does; moved to its target field at its end.
    pub(crate) rule_reads: BTreeSet<Path>,
    pub(super) rule_verbs: BTreeSet<Verb>,
    /// What the tables translate that the rule at hand looks something up in, where anything else is refused.
    pub(super) rule_words: BTreeMap<String, Word>,
}

impl<'a> Compiler<'a> {
    pub(crate) fn new(text: &'a str, findings: Findings, source: &'a Schema, target: &'a Schema) -> Self {
        Self {
            text,
            findings,
            source,
            target,
            tables: BTreeMap::new(),
            written: BTreeMap::new(),
            context_tables: BTreeSet::new(),
            scopes: vec![Scope::new(Some(source.root()), Path::root())],
            facts: Facts::default(),
            rule_count: 0,
            depth: 0,
            rule_reads: BTreeSet::new(),
            rule_verbs: BTreeSet::new(),
            rule_words: BTreeMap::new(),
        }
    }

    /// The text of a place in the file.
    pub(crate) fn text_of(&self, span: &std::ops::Range<usize>) -> Option<&str> {
        self.text.get(span.clone())
    }

    pub(super) fn line(&self, at: usize) -> usize {
        self.text.get(..at).unwrap_or_default().matches('\n').count() + 1
    }

    fn read_tables(&mut self, keys: &mut Keys<'_, '_>) {
        let findings = &mut self.findings;
        for entry in keys.take("context_tables").and_then(|entry| entry.items(findings)).into_iter().flatten()
        {
            if let Some(name) = entry.word(findings) {
                self.context_tables.insert(name.to_owned());
            }
        }
        let Some(mut tables) = keys.take("tables").and_then(|entry| entry.table(findings)) else { return };
        while let Some(entry) = tables.take_next() {
            let Some(mut rows) = entry.table(findings) else { continue };
            let (mut table, mut written) = (BTreeMap::new(), BTreeMap::new());
            while let Some(row) = rows.take_next() {
                if let Some(value) = row.literal(findings) {
                    written.insert(row.key.to_owned(), row.span.clone());
                    table.insert(row.key.to_owned(), value);
                }
            }
            if table.len() > TABLE_ROWS_MAX {
                findings.add(
                    LoadCode::Bounds,
                    entry.key_span.clone(),
                    format!(
                        "a table has at most {TABLE_ROWS_MAX} rows; hand larger ones in with context_tables"
                    ),
                );
            }
            if self.context_tables.contains(entry.key) {
                findings.add(
                    LoadCode::WrongValue,
                    entry.key_span,
                    format!("`{}` is both in the mapping and among context_tables", entry.key),
                );
            }
            self.tables.insert(entry.key.to_owned(), Arc::new(table));
            self.written.insert(entry.key.to_owned(), written);
        }
    }

    fn read_rules(&mut self, keys: &mut Keys<'_, '_>) -> Vec<FieldPlan> {
        let Some(entry) = keys.take("rules") else {
            self.findings.add_help(
                LoadCode::Header,
                keys.span.clone(),
                "the mapping has no rules",
                "write `rules = [ { to = \"TARGET\", copy = \"SOURCE\" }, … ]`",
            );
            return Vec::new();
        };
        let rules = entry.items(&mut self.findings).unwrap_or_default();
        let target = Scope::new(Some(self.target.root()), Path::root());
        self.fields(&rules, &target, entry.key_span)
    }

    /// Goes one level deeper, unless that is too deep.
    pub(super) fn deeper<T>(
        &mut self,
        entry: &Entry<'_, '_>,
        run: impl FnOnce(&mut Self) -> Option<T>,
    ) -> Option<T> {
        if self.depth >= DEPTH_MAX {
            self.findings.add(
                LoadCode::Bounds,
                entry.span.clone(),
                format!("rules and values lie in one another at most {DEPTH_MAX} deep"),
            );
            return None;
        }
        self.depth += 1;
        let result = run(self);
        self.depth -= 1;
        result
    }

    /// Notes one more rule; false beyond the bound.
    pub(super) fn count_rule(&mut self, entry: &Entry<'_, '_>) -> bool {
        self.rule_count += 1;
        if self.rule_count == RULES_MAX + 1 {
            self.findings.add(
                LoadCode::Bounds,
                entry.span.clone(),
                format!("a mapping has at most {RULES_MAX} rules"),
            );
        }
        self.rule_count <= RULES_MAX
    }
}
