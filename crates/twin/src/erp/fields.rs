//! Reads the members of one JSON object, each with its path, so that a refusal names the field that is to blame.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde_json::{Map, Value};

use super::refusal::{Code, Refusal};

#[derive(Debug)]
pub(super) struct Fields<'a> {
    members: &'a Map<String, Value>,
    at: String,
}

fn bad(field: String, message: impl Into<String>) -> Refusal {
    Refusal::of_field(Code::BadRequest, field, message)
}

impl<'a> Fields<'a> {
    /// Refuses what is no object, and members that are not known.
    pub(super) fn of(value: &'a Value, at: &str, known: &[&str]) -> Result<Self, Refusal> {
        let Value::Object(members) = value else { return Err(bad(at.to_owned(), "an object was expected")) };
        let fields = Self { members, at: at.to_owned() };
        match members.keys().find(|name| !known.contains(&name.as_str())) {
            Some(unknown) => Err(bad(fields.path(unknown), "no such field")),
            None => Ok(fields),
        }
    }

    pub(super) fn path(&self, name: &str) -> String {
        if self.at.is_empty() { name.to_owned() } else { format!("{}.{name}", self.at) }
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.members.contains_key(name)
    }

    fn given(&self, name: &str) -> Option<&'a Value> {
        self.members.get(name).filter(|value| !value.is_null())
    }

    fn missing(&self, name: &str) -> Refusal {
        bad(self.path(name), "is required")
    }

    pub(super) fn text_or_null(&self, name: &str, chars_max: usize) -> Result<Option<String>, Refusal> {
        match self.given(name) {
            None => Ok(None),
            Some(Value::String(text)) if text.chars().count() <= chars_max => Ok(Some(text.clone())),
            Some(Value::String(_)) => {
                Err(bad(self.path(name), format!("is longer than {chars_max} characters")))
            }
            Some(_) => Err(bad(self.path(name), "is to be a string")),
        }
    }

    pub(super) fn text(&self, name: &str, chars_max: usize) -> Result<String, Refusal> {
        let text = self.text_or_null(name, chars_max)?.ok_or_else(|| self.missing(name))?;
        if text.is_empty() { Err(bad(self.path(name), "is empty")) } else { Ok(text) }
    }

    pub(super) fn truth(&self, name: &str, absent: bool) -> Result<bool, Refusal> {
        match self.given(name) {
            None => Ok(absent),
            Some(Value::Bool(truth)) => Ok(*truth),
            Some(_) => Err(bad(self.path(name), "is to be true or false")),
        }
    }

    pub(super) fn instant_or_null(&self, name: &str) -> Result<Option<Timestamp>, Refusal> {
        let Some(text) = self.text_or_null(name, 64)? else { return Ok(None) };
        let instant = text.parse();
        instant
            .map(Some)
            .map_err(|_| bad(self.path(name), "is to be an instant such as 2026-10-31T09:30:00Z"))
    }

    pub(super) fn instant(&self, name: &str) -> Result<Timestamp, Refusal> {
        self.instant_or_null(name)?.ok_or_else(|| self.missing(name))
    }

    pub(super) fn amount_or_null(&self, name: &str) -> Result<Option<Decimal>, Refusal> {
        self.given(name).map(|value| amount(value, || self.path(name))).transpose()
    }

    pub(super) fn amount(&self, name: &str) -> Result<Decimal, Refusal> {
        self.amount_or_null(name)?.ok_or_else(|| self.missing(name))
    }

    /// A string or an integer.
    pub(super) fn quantity(&self, name: &str) -> Result<Decimal, Refusal> {
        match self.given(name).and_then(Value::as_i64) {
            Some(whole) => Ok(Decimal::from(whole)),
            None => self.amount(name),
        }
    }

    pub(super) fn amounts(&self, name: &str) -> Result<Vec<Decimal>, Refusal> {
        if self.given(name).is_none() {
            return Ok(Vec::new());
        }
        let values = self.list(name)?.iter().enumerate();
        values.map(|(index, value)| amount(value, || format!("{}[{index}]", self.path(name)))).collect()
    }

    pub(super) fn list(&self, name: &str) -> Result<&'a [Value], Refusal> {
        match self.given(name) {
            None => Err(self.missing(name)),
            Some(Value::Array(items)) => Ok(items),
            Some(_) => Err(bad(self.path(name), "is to be a list")),
        }
    }

    pub(super) fn object_or_null(&self, name: &str, known: &[&str]) -> Result<Option<Fields<'a>>, Refusal> {
        self.given(name).map(|value| Fields::of(value, &self.path(name), known)).transpose()
    }

    /// An object of strings; absent is empty.
    pub(super) fn texts(&self, name: &str) -> Result<BTreeMap<String, String>, Refusal> {
        match self.given(name) {
            None => Ok(BTreeMap::new()),
            Some(Value::Object(members)) => members
                .iter()
                .map(|(key, value)| match value {
                    Value::String(text) => Ok((key.clone(), text.clone())),
                    _ => Err(bad(format!("{}.{key}", self.path(name)), "is to be a string")),
                })
                .collect(),
            Some(_) => Err(bad(self.path(name), "is to be an object of strings")),
        }
    }
}

fn amount(value: &Value, path: impl Fn() -> String) -> Result<Decimal, Refusal> {
    let Value::String(text) = value else {
        return Err(bad(
            path(),
            "amounts are strings, such as \"12.40\": a JSON number may have been rounded",
        ));
    };
    text.parse().map_err(|_| bad(path(), "is no decimal number"))
}
