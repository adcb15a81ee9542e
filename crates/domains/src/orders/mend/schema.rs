//! Whether a JSON value is a canonical order, by its published schema: every mistake with its path and, for a name, the
//! nearest one. Owns the reading of those words of JSON Schema that the schema uses; a word that it does not know is a
//! mistake of ours, which a test finds.

use super::MendFault;
use crate::orders::canonical::json_schema;
use jiff::Timestamp;
use kernel::money::parse_exact;
use serde_json::{Map, Value};

/// More mistakes than a person mends at once.
const FAULTS_MAX: usize = 20;

pub(super) fn check(order: &Value) -> Result<(), Vec<MendFault>> {
    let schema = json_schema().ok().and_then(|text| serde_json::from_str::<Value>(&text).ok());
    let Some(schema) = schema else { return Ok(()) };
    let mut walk = Walk { root: &schema, faults: Vec::new() };
    walk.value(&schema, order, "");
    if walk.faults.is_empty() { Ok(()) } else { Err(walk.faults) }
}

struct Walk<'a> {
    root: &'a Value,
    faults: Vec<MendFault>,
}

impl<'a> Walk<'a> {
    fn fault(&mut self, path: &str, what: impl Into<String>) {
        if self.faults.len() < FAULTS_MAX {
            let path = if path.is_empty() { "the order" } else { path };
            self.faults.push(MendFault::new(path, what));
        }
    }

    /// A reference stands for what it names; an alternative with null, for its other side.
    fn resolved(&self, mut schema: &'a Value) -> (&'a Value, bool) {
        let mut nullable = false;
        loop {
            if let Some(name) = schema.get("$ref").and_then(Value::as_str) {
                let Some(found) = self.root.pointer(name.trim_start_matches('#')) else {
                    return (schema, nullable);
                };
                schema = found;
            } else if let Some(any) = schema.get("anyOf").and_then(Value::as_array) {
                let is_null = |one: &&Value| one.get("type").and_then(Value::as_str) == Some("null");
                nullable |= any.iter().any(|one| is_null(&one));
                let Some(other) = any.iter().find(|one| !is_null(one)) else { return (schema, nullable) };
                schema = other;
            } else {
                return (schema, nullable);
            }
        }
    }

    fn value(&mut self, schema: &'a Value, value: &Value, path: &str) {
        let (schema, nullable) = self.resolved(schema);
        let types: Vec<&str> = match schema.get("type") {
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        if value.is_null() && (nullable || types.contains(&"null")) {
            return;
        }
        if !types.is_empty() && !types.iter().any(|one| is_of(one, value)) {
            let expected: Vec<&str> =
                types.iter().filter(|one| **one != "null").map(|one| named(one)).collect();
            return self.fault(path, format!("is {}, and has to be {}", kind(value), expected.join(" or ")));
        }
        match value {
            Value::Object(members) => self.object(schema, members, path),
            Value::Array(items) => {
                if let Some(of) = schema.get("items") {
                    for (index, item) in items.iter().enumerate() {
                        self.value(of, item, &format!("{path}[{index}]"));
                    }
                }
            }
            Value::String(text) => self.text(schema, text, path),
            Value::Number(number) => {
                let least = schema.get("minimum").and_then(Value::as_f64);
                if least.is_some_and(|least| number.as_f64().is_some_and(|number| number < least)) {
                    self.fault(path, format!("is {number}, which is too small"));
                }
            }
            Value::Null | Value::Bool(_) => {}
        }
    }

    fn object(&mut self, schema: &'a Value, members: &Map<String, Value>, path: &str) {
        let Some(known) = schema.get("properties").and_then(Value::as_object) else { return };
        let below = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
        for (name, value) in members {
            match known.get(name) {
                Some(schema) => self.value(schema, value, &below(name)),
                None => self.fault(&below(name), unknown(name, known.keys().map(String::as_str))),
            }
        }
        let required = schema.get("required").and_then(Value::as_array);
        for name in required.into_iter().flatten().filter_map(Value::as_str) {
            if !members.contains_key(name) {
                self.fault(&below(name), "is missing: null says that it is not known");
            }
        }
    }

    fn text(&mut self, schema: &'a Value, text: &str, path: &str) {
        if let Some(words) = schema.get("enum").and_then(Value::as_array) {
            let words: Vec<&str> = words.iter().filter_map(Value::as_str).collect();
            if !words.contains(&text) {
                self.fault(path, format!("is {text:?}, and has to be one of {}", words.join(", ")));
            }
        }
        if schema.get("format").and_then(Value::as_str) == Some("date-time")
            && text.parse::<Timestamp>().is_err()
        {
            self.fault(path, format!("{text:?} is no instant: write it as 2026-11-24T10:00:00Z"));
        }
        if let Some(pattern) = schema.get("pattern").and_then(Value::as_str)
            && let Some(expected) = unlike(pattern, text)
        {
            self.fault(path, format!("is {text:?}, and has to be {expected}"));
        }
    }
}

/// What a text has to be, where it is not; by the patterns that the schema has.
fn unlike(pattern: &str, text: &str) -> Option<&'static str> {
    let decimal =
        parse_exact(text).is_ok() && text.bytes().all(|b| b.is_ascii_digit() || b == b'.' || b == b'-');
    let code = |least: usize, most: usize, digits: bool| {
        (least..=most).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_uppercase() || (digits && b.is_ascii_digit()))
    };
    let (good, expected) = match pattern {
        r"^-?[0-9]+(\.[0-9]+)?$" => (decimal, "a decimal as text: \"12.50\""),
        r"^[0-9]+(\.[0-9]+)?$" => (decimal && !text.starts_with('-'), "a decimal of zero or more: \"2\""),
        r"^[A-Z]{3}$" => (code(3, 3, false), "a currency: EUR"),
        r"^[A-Z0-9]{2,3}$" => (code(2, 3, true), "a unit of UN/ECE Recommendation 20: C62"),
        // Whether it is readable is found out by reading it.
        _ => (true, ""),
    };
    (!good).then_some(expected)
}

fn is_of(one: &str, value: &Value) -> bool {
    match one {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_u64() || value.is_i64(),
        "number" => value.is_number(),
        "null" => value.is_null(),
        _ => true,
    }
}

fn named(one: &str) -> &str {
    match one {
        "object" => "a table",
        "array" => "a list",
        "string" => "a text",
        "boolean" => "true or false",
        "integer" => "a whole number",
        "number" => "a number",
        other => other,
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a table",
    }
}

fn unknown<'a>(name: &str, known: impl Iterator<Item = &'a str> + Clone) -> String {
    match known.clone().map(|one| (distance(name, one), one)).min() {
        Some((distance, near)) if distance <= 2.max(name.len() / 3) => {
            format!("is no field; did you mean {near}?")
        }
        _ => format!("is no field; there are {}", known.collect::<Vec<_>>().join(", ")),
    }
}

/// How many letters are to be inserted, deleted or replaced.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut last: Vec<usize> = (0..=other.len()).collect();
    for (row, letter) in one.chars().enumerate() {
        let mut next = vec![row + 1];
        for (column, its) in other.iter().enumerate() {
            let replaced = last[column] + usize::from(letter != *its);
            next.push(replaced.min(last[column + 1] + 1).min(next[column] + 1));
        }
        last = next;
    }
    last[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The schema may grow by a word that nobody checks here.
    #[test]
    fn every_word_and_pattern_of_the_schema_is_known() {
        const WORDS: [&str; 14] = [
            "$schema",
            "$defs",
            "$ref",
            "title",
            "description",
            "type",
            "properties",
            "required",
            "items",
            "enum",
            "anyOf",
            "additionalProperties",
            "format",
            "minimum",
        ];
        fn walk(schema: &Value) {
            let Value::Object(members) = schema else { return };
            for (word, value) in members {
                match (word.as_str(), value) {
                    ("properties" | "$defs", Value::Object(named)) => named.values().for_each(walk),
                    ("pattern", Value::String(pattern)) => {
                        assert!(unlike(pattern, "?").is_some(), "{pattern} is not known")
                    }
                    (word, value) => {
                        assert!(WORDS.contains(&word), "{word} is not known");
                        match value {
                            Value::Array(several) => several.iter().for_each(walk),
                            one => walk(one),
                        }
                    }
                }
            }
        }
        walk(&serde_json::from_str(&json_schema().unwrap()).unwrap());
    }
}
