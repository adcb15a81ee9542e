//! Reading TOML with its places: each key is taken once, what is left over is an unknown key with the nearest known
//! one. It knows forms (text, integer, list, table), not what they mean.

use std::ops::Range;

use serde_json::{Map, Value};
use toml::de::{DeTable, DeValue};

use crate::error::{Findings, LoadCode};
use crate::nearest::suggest;

/// A value in the file, with the key it stands under.
#[derive(Debug, Clone)]
pub(crate) struct Entry<'t, 'i> {
    pub(crate) key: &'t str,
    pub(crate) key_span: Range<usize>,
    pub(crate) value: &'t DeValue<'i>,
    pub(crate) span: Range<usize>,
}

impl<'t, 'i> Entry<'t, 'i> {
    fn wrong(&self, findings: &mut Findings, wanted: &str) {
        let found = match self.value {
            DeValue::String(_) => "a text",
            DeValue::Integer(_) => "an integer",
            DeValue::Float(_) => "a number with a fraction",
            DeValue::Boolean(_) => "true or false",
            DeValue::Datetime(_) => "a date",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        findings.add(
            LoadCode::WrongValue,
            self.span.clone(),
            format!("`{}` wants {wanted}; this is {found}", self.key),
        );
    }

    pub(crate) fn text(&self, findings: &mut Findings) -> Option<&'t str> {
        if let DeValue::String(text) = self.value {
            return Some(text);
        }
        self.wrong(findings, "a text");
        None
    }

    /// An integer from `low` to `high`.
    pub(crate) fn integer(&self, findings: &mut Findings, low: i64, high: i64) -> Option<i64> {
        if let DeValue::Integer(number) = self.value
            && let Ok(number) = i64::from_str_radix(number.as_str(), number.radix())
            && (low..=high).contains(&number)
        {
            return Some(number);
        }
        self.wrong(findings, &format!("an integer from {low} to {high}"));
        None
    }

    /// A text that is not empty.
    pub(crate) fn word(&self, findings: &mut Findings) -> Option<&'t str> {
        let text = self.text(findings)?;
        if text.is_empty() {
            findings.add(LoadCode::WrongValue, self.span.clone(), format!("`{}` is empty", self.key));
            return None;
        }
        Some(text)
    }

    pub(crate) fn items(&self, findings: &mut Findings) -> Option<Vec<Entry<'t, 'i>>> {
        let DeValue::Array(items) = self.value else {
            self.wrong(findings, "a list");
            return None;
        };
        let item = |item: &'t toml::Spanned<DeValue<'i>>| Entry {
            key: self.key,
            key_span: self.key_span.clone(),
            value: item.get_ref(),
            span: item.span(),
        };
        Some(items.iter().map(item).collect())
    }

    pub(crate) fn table(&self, findings: &mut Findings) -> Option<Keys<'t, 'i>> {
        if let DeValue::Table(table) = self.value {
            return Some(Keys::new(table, self.span.clone()));
        }
        self.wrong(findings, "a table");
        None
    }

    /// The table here, or `None` without a finding if it is something else.
    pub(crate) fn table_if(&self) -> Option<Keys<'t, 'i>> {
        match self.value {
            DeValue::Table(table) => Some(Keys::new(table, self.span.clone())),
            _ => None,
        }
    }

    /// A literal as JSON. Fractions are refused: a decimal is written as text.
    pub(crate) fn literal(&self, findings: &mut Findings) -> Option<Value> {
        match to_json(self.value) {
            Ok(value) => Some(value),
            Err(wanted) => {
                self.wrong(findings, wanted);
                None
            }
        }
    }
}

fn to_json(value: &DeValue<'_>) -> Result<Value, &'static str> {
    match value {
        DeValue::String(text) => Ok(Value::from(text.as_ref())),
        DeValue::Boolean(flag) => Ok(Value::from(*flag)),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map(Value::from)
            .map_err(|_| "an integer of at most 64 bits"),
        DeValue::Float(_) => Err("an integer, or a decimal written as text: \"1.50\""),
        DeValue::Datetime(_) => Err("a date written as text: \"2026-11-24\""),
        DeValue::Array(items) => items.iter().map(|item| to_json(item.get_ref())).collect(),
        DeValue::Table(table) => {
            let mut object = Map::new();
            for (key, value) in table {
                object.insert(key.get_ref().to_string(), to_json(value.get_ref())?);
            }
            Ok(Value::Object(object))
        }
    }
}

/// The content of a file without its spelling: for the revision, not for values.
pub(crate) fn normalised(value: &DeValue<'_>) -> Value {
    match value {
        DeValue::Array(items) => items.iter().map(|item| normalised(item.get_ref())).collect(),
        DeValue::Table(table) => normalised_table(table),
        DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) => Value::from(number),
            Err(_) => Value::from(number.as_str()),
        },
        DeValue::Float(number) => Value::from(number.as_str()),
        DeValue::Datetime(time) => Value::from(time.to_string()),
        DeValue::String(text) => Value::from(text.as_ref()),
        DeValue::Boolean(flag) => Value::from(*flag),
    }
}

pub(crate) fn normalised_table(table: &DeTable<'_>) -> Value {
    let pairs =
        table.iter().map(|(key, value)| (key.get_ref().to_string(), normalised(value.get_ref()))).collect();
    Value::Object(pairs)
}

/// The keys of a table that are not yet taken, in the order of the file.
#[derive(Debug)]
pub(crate) struct Keys<'t, 'i> {
    left: Vec<Entry<'t, 'i>>,
    pub(crate) span: Range<usize>,
}

impl<'t, 'i> Keys<'t, 'i> {
    pub(crate) fn new(table: &'t DeTable<'i>, span: Range<usize>) -> Self {
        let mut left: Vec<Entry<'t, 'i>> = table
            .iter()
            .map(|(key, value)| Entry {
                key: key.get_ref(),
                key_span: key.span(),
                value: value.get_ref(),
                span: value.span(),
            })
            .collect();
        left.sort_by_key(|entry| entry.key_span.start);
        Self { left, span }
    }

    pub(crate) fn take(&mut self, key: &str) -> Option<Entry<'t, 'i>> {
        let at = self.left.iter().position(|entry| entry.key == key)?;
        Some(self.left.remove(at))
    }

    /// Takes the next key whatever it is.
    pub(crate) fn take_next(&mut self) -> Option<Entry<'t, 'i>> {
        if self.left.is_empty() { None } else { Some(self.left.remove(0)) }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.left.is_empty()
    }

    pub(crate) fn has(&self, key: &str) -> bool {
        self.left.iter().any(|entry| entry.key == key)
    }

    /// Notes a finding for each key that nobody took.
    pub(crate) fn finish(self, findings: &mut Findings, what: &str, known: &[&str]) {
        for entry in self.left {
            findings.add_help(
                LoadCode::UnknownKey,
                entry.key_span,
                format!("{what} has no key `{}`", entry.key),
                suggest(entry.key, known.iter().copied()),
            );
        }
    }
}
