//! Reads one section by its table of keys: unknown keys with the nearest known one, missing ones, defaults, and
//! the listing of what is in force. Goes on after a mistake, so that all findings come at once.

use crate::code::Code;
use crate::finding::Finding;
use crate::key::{Default, Key};
use crate::nearest::nearest;
use crate::source::{Origin, Setting};
use crate::tree::{Entry, Node, Raw, Table, value_of};
use crate::value::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// What reading gathers beside the values.
#[derive(Debug)]
pub(crate) struct Reading {
    pub(crate) findings: Vec<Finding>,
    pub(crate) in_force: Vec<InForce>,
    /// Sections with something wrong in them (`systems.erp`): what refers to them is not judged.
    pub(crate) damaged: BTreeSet<String>,
    /// The folder of the configuration file, from which relative paths count.
    pub(crate) base_dir: PathBuf,
}

/// One setting that is in force, whoever set it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InForce {
    pub key: String,
    /// In one canonical spelling; of a secret, its reference.
    pub value: String,
    pub origin: Origin,
    /// True where two nodes of one hub may differ.
    pub local: bool,
}

impl Reading {
    pub(crate) fn new(base_dir: &Path) -> Self {
        Self {
            findings: Vec::new(),
            in_force: Vec::new(),
            damaged: BTreeSet::new(),
            base_dir: base_dir.to_owned(),
        }
    }

    /// Notes what is wrong with a key and that its section is damaged.
    pub(crate) fn finding(&mut self, finding: Finding) {
        if let Some(key) = &finding.key {
            let depth = if key.starts_with("hub.") || key.starts_with("store.") { 1 } else { 2 };
            self.damaged.insert(key.split('.').take(depth).collect::<Vec<_>>().join("."));
        }
        self.findings.push(finding);
    }
}

/// A section that is being read.
pub(crate) struct Section<'a> {
    pub(crate) path: String,
    /// Its header, or where it would be.
    pub(crate) at: Origin,
    table: Option<&'a Table>,
    keys: &'static [Key],
    reading: &'a mut Reading,
}

impl<'a> Section<'a> {
    pub(crate) fn open(
        reading: &'a mut Reading,
        path: impl Into<String>,
        entry: Option<&'a Entry>,
        keys: &'static [Key],
    ) -> Self {
        let path = path.into();
        let at = entry.map_or(Origin::Default, |entry| entry.key_at.clone());
        let table = entry.and_then(|entry| match &entry.node.raw {
            Raw::Table(table) => Some(table),
            _ => {
                let message = format!("{path} is {} and not a table", entry.node.kind());
                let help = format!("write it as a section: [{path}]");
                reading.finding(
                    Finding::new(Code::Value, &entry.node.origin, message, help).key(format!("{path}.")),
                );
                None
            }
        });
        let section = Self { path, at, table, keys, reading };
        section.refuse_unknown_keys()
    }

    fn refuse_unknown_keys(self) -> Self {
        for (name, entry) in self.table.into_iter().flatten() {
            if self.keys.iter().any(|key| key.name == name) {
                continue;
            }
            let key = join(&self.path, name);
            let help = match nearest(name, self.keys.iter().map(|key| key.name)) {
                Some(near) => format!("did you mean {near}?"),
                None => {
                    let known: Vec<_> = self.keys.iter().map(|key| key.name).collect();
                    format!("it takes {}", known.join(", "))
                }
            };
            let place = if self.path.is_empty() { "the file".to_owned() } else { format!("[{}]", self.path) };
            let message = format!("{place} has no key {name}");
            self.reading.finding(Finding::new(Code::UnknownKey, &entry.key_at, message, help).key(key));
        }
        self
    }

    pub(crate) fn path_of(&self, name: &str) -> String {
        join(&self.path, name)
    }

    pub(crate) fn entry(&self, name: &str) -> Option<&'a Entry> {
        self.table?.get(name)
    }

    /// Opens a table inside this section.
    pub(crate) fn table(&mut self, name: &str, keys: &'static [Key]) -> Section<'_> {
        let (entry, path) = (self.entry(name), self.path_of(name));
        Section::open(self.reading, path, entry, keys)
    }

    pub(crate) fn reading(&mut self) -> &mut Reading {
        self.reading
    }

    /// A key that must be there; says what is missing.
    pub(crate) fn required<T: Value>(&mut self, name: &str) -> Option<Setting<T>> {
        let key = self.key::<T>(name);
        if self.entry(name).is_none() {
            let full = self.path_of(name);
            let finding = Finding::new(
                Code::MissingKey,
                &self.at,
                format!("[{}] lacks {name}: {}", self.path, first_sentence(key.meaning)),
                format!("add a line like {name} = {}", key.example),
            );
            self.reading.finding(finding.key(full));
            return None;
        }
        self.written(key)
    }

    /// A key whose absence means something.
    pub(crate) fn optional<T: Value>(&mut self, name: &str) -> Option<Setting<T>> {
        let key = self.key::<T>(name);
        self.written(key)
    }

    /// A key with a default, which also stands in for a value that was refused.
    pub(crate) fn with_default<T: Value>(&mut self, name: &str) -> Option<Setting<T>> {
        match self.key::<T>(name).default {
            Default::Is(text) => self.with_default_of(name, text),
            _ => None,
        }
    }

    /// The same where the default depends on another key.
    pub(crate) fn with_default_of<T: Value>(&mut self, name: &str, text: &str) -> Option<Setting<T>> {
        let key = self.key::<T>(name);
        if let Some(setting) = self.written(key) {
            return Some(setting);
        }
        let node = value_of(text, &Origin::Default)?;
        let value = T::read(&node, &self.path_of(name), self.reading)?;
        if self.entry(name).is_none() {
            self.note(key, &node);
        }
        Some(Setting::new(value, Origin::Default))
    }

    fn written<T: Value>(&mut self, key: &'static Key) -> Option<Setting<T>> {
        let node = &self.entry(key.name)?.node;
        let value = T::read(node, &self.path_of(key.name), self.reading)?;
        self.note(key, node);
        Some(Setting::new(value, node.origin.clone()))
    }

    fn note(&mut self, key: &Key, node: &Node) {
        let entry = InForce {
            key: self.path_of(key.name),
            value: node.canonical(),
            origin: node.origin.clone(),
            local: key.local,
        };
        self.reading.in_force.push(entry);
    }

    /// The key's row; its kind must be what the reader takes, which a test over all keys holds true.
    fn key<T: Value>(&self, name: &str) -> &'static Key {
        let key = self.keys.iter().find(|key| key.name == name);
        let key = key.unwrap_or(&UNDOCUMENTED);
        debug_assert_eq!((key.name, key.kind), (name, T::KIND), "in {}", self.path);
        key
    }
}

/// Stands in for a row that is missing from a table, which the tests refuse.
static UNDOCUMENTED: Key = Key::optional("", "", "", "");

fn join(path: &str, name: &str) -> String {
    let bare = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    let name = if bare { name.to_owned() } else { format!("{name:?}") };
    if path.is_empty() { name } else { format!("{path}.{name}") }
}

fn first_sentence(meaning: &str) -> &str {
    meaning.split_once(". ").map_or(meaning, |(first, _)| first).trim_end_matches('.')
}

/// The entries of a table of named things (`[shops.NAME]`), each with the name that it may have.
pub(crate) fn named<'a, N>(
    reading: &mut Reading,
    path: &str,
    entry: Option<&'a Entry>,
    name_of: impl Fn(&str) -> Result<N, kernel::id::NameError>,
) -> Vec<(N, String, &'a Entry)> {
    let Some(entry) = entry else { return Vec::new() };
    let Raw::Table(table) = &entry.node.raw else {
        let message = format!("{path} is {} and not a table", entry.node.kind());
        let help = format!("write one section for each: [{path}.NAME]");
        reading.finding(Finding::new(Code::Value, &entry.node.origin, message, help).key(path));
        return Vec::new();
    };
    let mut found = Vec::new();
    for (name, entry) in table {
        match name_of(name) {
            Ok(typed) => found.push((typed, join(path, name), entry)),
            Err(refused) => {
                let finding =
                    Finding::new(Code::Name, &entry.key_at, refused.to_string(), "choose another name");
                reading.finding(finding.key(join(path, name)));
            }
        }
    }
    found
}
