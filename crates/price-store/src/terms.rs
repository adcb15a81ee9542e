//! The terms beside the prices: which list is for whom, units, surcharges, promotions. Owns that a document with a fault is refused
//! as a whole, and what differs between two of them, field by field. What it means is [`pricing::terms`]' to say.

use crate::error::{Doing as _, PriceStoreError};
use crate::journal::{TermsChange, What};
use crate::manifest::TermsFile;
use crate::sha::sha256;
use crate::store::{PriceStore, Writing};
use crate::version::{ReadTerms, by_terms};
use jiff::Timestamp;
use kernel::key::hex;
use pricing::Terms;
use pricing::document::Document;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What a document changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TermsOutcome {
    /// The version that counts with it. None: a dry run, or a document that says the same.
    pub version: Option<u64>,
    pub sha256: String,
    pub difference: Vec<TermsChange>,
    /// Lists that have prices and that the document does not know: nobody sees them.
    pub lists_unknown: Vec<String>,
    /// Lists of the document that have neither prices nor a base.
    pub lists_empty: Vec<String>,
}

impl PriceStore {
    /// A document of terms, TOML or JSON, takes the place of the one before.
    ///
    /// # Errors
    /// All its faults; a disk that fails. Nothing has changed then.
    pub fn set_terms(
        &self,
        bytes: &[u8],
        by: &str,
        dry_run: bool,
        now: Timestamp,
    ) -> Result<TermsOutcome, PriceStoreError> {
        if by.trim().is_empty() {
            return Err(PriceStoreError::Nameless);
        }
        self.over_again(|| {
            // Its faults are told also where other nodes cannot be asked.
            compile(bytes)?;
            let mut writing = self.writing_at(now)?;
            self.set_terms_here(&mut writing, bytes, by, dry_run, now)
        })
    }

    /// Terms that are made of those before: of what every node has written until they count, so that nobody's change is lost. What
    /// `make` refuses changes nothing.
    ///
    /// # Errors
    /// As [`PriceStore::set_terms`].
    pub fn change_terms<E>(
        &self,
        make: impl Fn(&str) -> Result<String, E>,
        by: &str,
        dry_run: bool,
        now: Timestamp,
    ) -> Result<Result<TermsOutcome, E>, PriceStoreError> {
        if by.trim().is_empty() {
            return Err(PriceStoreError::Nameless);
        }
        self.over_again(|| {
            let mut writing = self.writing_at(now)?;
            let version = self.current();
            let before = version.terms_document().map(|(bytes, _)| String::from_utf8_lossy(bytes));
            match make(before.as_deref().unwrap_or_default()) {
                Ok(new) => self.set_terms_here(&mut writing, new.as_bytes(), by, dry_run, now).map(Ok),
                Err(refused) => Ok(Err(refused)),
            }
        })
    }

    fn set_terms_here(
        &self,
        writing: &mut Writing,
        bytes: &[u8],
        by: &str,
        dry_run: bool,
        now: Timestamp,
    ) -> Result<TermsOutcome, PriceStoreError> {
        let (document, terms) = compile(bytes)?;
        let version = self.current();
        let before = match version.terms_document() {
            Some((bytes, _)) => compile(bytes).map(|(document, _)| document).unwrap_or_default(),
            None => Document::default(),
        };
        let sha256 = hex(&sha256(bytes));
        let same_bytes = version.terms_document().is_some_and(|(_, before)| before == sha256);
        let with_prices: BTreeSet<&str> =
            version.lists().filter(|(_, prices)| *prices > 0).map(|(list, _)| list).collect();
        let unknown = with_prices.iter().filter(|list| terms.list_named(list).is_none());
        let empty =
            terms.lists().iter().filter(|list| list.base.is_none() && !with_prices.contains(&*list.id));
        let mut outcome = TermsOutcome {
            version: None,
            difference: difference(&before, &document),
            lists_unknown: unknown.map(ToString::to_string).collect(),
            lists_empty: empty.map(|list| list.id.to_string()).collect(),
            sha256,
        };
        if dry_run || same_bytes {
            return Ok(outcome);
        }
        let mut manifest = version.manifest.clone();
        let (file, _) = manifest.new_file("terms");
        self.disk.write(&file, bytes).doing("writing the terms")?;
        let sha256 = outcome.sha256.clone();
        manifest.terms = Some(TermsFile { file: file.clone(), sha256: sha256.clone() });
        let mut next = version.with(manifest);
        next.by_terms = by_terms(&terms, &next.lists);
        next.terms = Arc::new(ReadTerms { bytes: bytes.to_owned(), terms });
        let what = What::Terms { file, sha256, difference: outcome.difference.clone() };
        outcome.version = Some(self.publish(writing, next, Some((by, what)), true, now)?.number());
        Ok(outcome)
    }
}

pub(crate) fn compile(bytes: &[u8]) -> Result<(Document, Terms), PriceStoreError> {
    let text =
        std::str::from_utf8(bytes).map_err(|error| PriceStoreError::TermsUnreadable(error.to_string()))?;
    let is_json = text.trim_start().starts_with('{');
    let document: Result<Document, String> = if is_json {
        serde_json::from_str(text).map_err(|error| error.to_string())
    } else {
        toml::from_str(text).map_err(|error| error.to_string())
    };
    let document = document.map_err(PriceStoreError::TermsUnreadable)?;
    let terms = Terms::compile(&document).map_err(PriceStoreError::Terms)?;
    Ok((document, terms))
}

type Section = BTreeMap<String, Value>;

fn difference(before: &Document, after: &Document) -> Vec<TermsChange> {
    let (before, after) = (sections(before), sections(after));
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let none = Section::new();
    let mut found = Vec::new();
    for section in names {
        let (was, is) = (before.get(section).unwrap_or(&none), after.get(section).unwrap_or(&none));
        let ids: BTreeSet<&String> = was.keys().chain(is.keys()).collect();
        for id in ids {
            of_one(section, id, was.get(id), is.get(id), &mut found);
        }
    }
    found
}

fn of_one(section: &str, id: &str, was: Option<&Value>, is: Option<&Value>, found: &mut Vec<TermsChange>) {
    let change = |field: Option<&String>, before: Option<&Value>, after: Option<&Value>| TermsChange {
        section: section.to_owned(),
        id: id.to_owned(),
        field: field.cloned(),
        before: before.cloned(),
        after: after.cloned(),
    };
    match (was, is) {
        (Some(Value::Object(was)), Some(Value::Object(is))) => {
            let fields: BTreeSet<&String> = was.keys().chain(is.keys()).collect();
            let differing = fields.into_iter().filter(|field| was.get(*field) != is.get(*field));
            found.extend(differing.map(|field| change(Some(field), was.get(field), is.get(field))));
        }
        (was, is) if was != is => found.push(change(None, was, is)),
        _ => {}
    }
}

/// Each section by what names its rows.
fn sections(document: &Document) -> BTreeMap<String, Section> {
    let Ok(Value::Object(document)) = serde_json::to_value(document) else { return BTreeMap::new() };
    let mut sections = BTreeMap::new();
    for (section, value) in document {
        let mut rows = Section::new();
        match value {
            Value::Array(all) => rows.extend(all.into_iter().map(|row| (row_name(&row), row))),
            other => drop(rows.insert(section.clone(), other)),
        }
        sections.insert(section, rows);
    }
    sections
}

fn row_name(row: &Value) -> String {
    let field = |name: &str| row.get(name).and_then(Value::as_str);
    match (field("id"), field("unit"), field("sku")) {
        (Some(id), ..) => id.to_owned(),
        (None, Some(unit), Some(sku)) => format!("{unit} of {sku}"),
        (None, unit, sku) => unit.or(sku).unwrap_or_default().to_owned(),
    }
}
