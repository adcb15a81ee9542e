//! The configuration as it was written: tables, lists and values, each with where it came from. Owns the step from
//! TOML text to this tree; knows no key.

use crate::code::Code;
use crate::finding::Finding;
use crate::mask;
use crate::source::{Origin, Source, Spot};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use toml::de::{DeTable, DeValue};

#[derive(Clone)]
pub(crate) struct Node {
    pub(crate) raw: Raw,
    pub(crate) origin: Origin,
}

#[derive(Clone)]
pub(crate) enum Raw {
    Text(String),
    /// With its spelling; `None` beyond 64 bits.
    Integer(Option<i64>, String),
    Float(String),
    Boolean(bool),
    Datetime(String),
    List(Vec<Node>),
    Table(Table),
    /// From the environment or a flag: what it is depends on who reads it.
    Loose(String),
}

pub(crate) type Table = BTreeMap<String, Entry>;

#[derive(Clone)]
pub(crate) struct Entry {
    /// Where the key (or the header of its table) stands.
    pub(crate) key_at: Origin,
    pub(crate) node: Node,
}

/// Reads a file; what of it is TOML comes back even where something is wrong.
pub(crate) fn parse(name: &str, text: &str) -> (Source, Table, Vec<Finding>) {
    let source = Source::new(name, mask::masked(text));
    let (table, errors) = DeTable::parse_recoverable(text);
    let findings = errors.iter().map(|error| syntax(&source, error)).collect();
    let at = |span| Origin::File(Spot::new(&source, span));
    (source.clone(), from_table(table.get_ref(), &at), findings)
}

fn syntax(source: &Source, error: &toml::de::Error) -> Finding {
    let end = source.text().len();
    let origin = Origin::File(Spot::new(source, error.span().unwrap_or(end..end)));
    let message = error.message();
    if message.contains("duplicate key") {
        let key = error.span().and_then(|span| source.text().get(span)).unwrap_or("a key");
        let message = format!("{key} is set twice in one table");
        return Finding::new(Code::Syntax, &origin, message, "keep one of the two lines");
    }
    Finding::new(
        Code::Syntax,
        &origin,
        format!("this is not TOML: {message}"),
        "mend the line; text stands in quotes, a table begins with [name], https://toml.io shows the rest",
    )
}

fn from_table(table: &DeTable<'_>, at: &dyn Fn(std::ops::Range<usize>) -> Origin) -> Table {
    table
        .iter()
        .map(|(key, value)| {
            let node = Node { raw: from_value(value.get_ref(), at), origin: at(value.span()) };
            (key.get_ref().to_string(), Entry { key_at: at(key.span()), node })
        })
        .collect()
}

fn from_value(value: &DeValue<'_>, at: &dyn Fn(std::ops::Range<usize>) -> Origin) -> Raw {
    match value {
        DeValue::String(text) => Raw::Text(text.to_string()),
        DeValue::Integer(number) => {
            Raw::Integer(i64::from_str_radix(number.as_str(), number.radix()).ok(), number.to_string())
        }
        DeValue::Float(number) => Raw::Float(number.as_str().to_owned()),
        DeValue::Boolean(value) => Raw::Boolean(*value),
        DeValue::Datetime(instant) => Raw::Datetime(instant.to_string()),
        DeValue::Array(items) => Raw::List(
            items
                .iter()
                .map(|item| Node { raw: from_value(item.get_ref(), at), origin: at(item.span()) })
                .collect(),
        ),
        DeValue::Table(table) => Raw::Table(from_table(table, at)),
    }
}

/// A value that stands in no file: a default, or the text of a variable or flag.
pub(crate) fn value_of(text: &str, origin: &Origin) -> Option<Node> {
    let value = DeValue::parse(text.trim()).ok()?;
    Some(Node { raw: from_value(value.get_ref(), &|_| origin.clone()), origin: origin.clone() })
}

impl Node {
    /// Itself, or what loose text is when it is read as TOML; text that is not TOML stays loose.
    pub(crate) fn settled(&self) -> Node {
        match &self.raw {
            Raw::Loose(text) => value_of(text, &self.origin).unwrap_or_else(|| self.clone()),
            _ => self.clone(),
        }
    }

    /// The text, for a reader that wants text: a loose `12` is the text `12`.
    pub(crate) fn text(&self) -> Option<String> {
        match &self.raw {
            Raw::Text(text) => Some(text.clone()),
            Raw::Loose(text) => match value_of(text, &self.origin).map(|node| node.raw) {
                Some(Raw::Text(quoted)) => Some(quoted),
                _ => Some(text.clone()),
            },
            _ => None,
        }
    }

    pub(crate) fn kind(&self) -> &'static str {
        match &self.raw {
            Raw::Text(_) | Raw::Loose(_) => "text",
            Raw::Integer(..) => "a whole number",
            Raw::Float(_) => "a number",
            Raw::Boolean(_) => "true or false",
            Raw::Datetime(_) => "a date",
            Raw::List(_) => "a list",
            Raw::Table(_) => "a table",
        }
    }

    /// One spelling for one value, for the listing of what is in force.
    pub(crate) fn canonical(&self) -> String {
        match &self.settled().raw {
            Raw::Text(text) | Raw::Loose(text) => format!("{text:?}"),
            Raw::Integer(Some(number), _) => number.to_string(),
            Raw::Integer(None, text) | Raw::Float(text) | Raw::Datetime(text) => text.clone(),
            Raw::Boolean(value) => value.to_string(),
            Raw::List(items) => {
                format!("[{}]", items.iter().map(Node::canonical).collect::<Vec<_>>().join(", "))
            }
            Raw::Table(table) => {
                let mut text = String::from("{ ");
                for (at, (key, entry)) in table.iter().enumerate() {
                    let comma = if at == 0 { "" } else { ", " };
                    let _ = write!(text, "{comma}{key:?} = {}", entry.node.canonical());
                }
                text + " }"
            }
        }
    }
}
