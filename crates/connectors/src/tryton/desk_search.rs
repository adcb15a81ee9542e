//! How the desk searches and what it shows: Tryton's domains and field paths, as far as the connector uses them.

use super::desk::Refusal;
use super::wire;
use serde_json::{Map, Value};

/// The records of a domain. A field that the records do not have is Tryton's `KeyError`.
pub(super) fn search(records: &[Value], domain: &Value) -> Result<Vec<Value>, Refusal> {
    let mut found = Vec::new();
    for record in records {
        if matches(record, domain)? {
            found.push(record.clone());
        }
    }
    Ok(found)
}

fn matches(record: &Value, domain: &Value) -> Result<bool, Refusal> {
    let clauses = domain.as_array().map(Vec::as_slice).unwrap_or_default();
    match clauses {
        [Value::String(word), any @ ..] if word == "OR" => Ok(any
            .iter()
            .map(|clause| matches(record, clause))
            .collect::<Result<Vec<_>, _>>()?
            .contains(&true)),
        [Value::String(field), Value::String(operator), value] => clause(record, field, operator, value),
        all => Ok(!all
            .iter()
            .map(|clause| matches(record, clause))
            .collect::<Result<Vec<_>, _>>()?
            .contains(&false)),
    }
}

fn clause(record: &Value, field: &str, operator: &str, value: &Value) -> Result<bool, Refusal> {
    let (name, rest) = field.split_once('.').unwrap_or((field, "id"));
    let held = record.get(name).ok_or_else(|| Refusal::Unnamed(format!("'{name}'")))?;
    let held = if held.is_object() { held.get(rest).unwrap_or(&Value::Null) } else { held };
    let date = |value: &Value| wire::read_date(value).map(|date| date.to_string());
    let text = held.as_str().unwrap_or_default();
    // Blanks at the ends of a text are nothing to Tryton.
    let same = |wanted: &Value| match (wanted.as_str(), held.as_str()) {
        (Some(wanted), Some(held)) => wanted.trim() == held,
        _ => wanted == held,
    };
    Ok(match operator {
        "=" => same(value),
        "in" => value.as_array().is_some_and(|values| values.iter().any(same)),
        "<=" => date(value).is_some_and(|day| text <= day.as_str()),
        ">=" => date(value).is_some_and(|day| text >= day.as_str()),
        "ilike" => {
            let pattern =
                value.as_str().unwrap_or_default().trim_matches('%').replace('\\', "").to_lowercase();
            text.to_lowercase().contains(&pattern)
        }
        other => return Err(Refusal::Unnamed(format!("'{other}'"))),
    })
}

pub(super) fn picked(records: &[Value], fields: &Value) -> Value {
    let fields: Vec<&str> = fields.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    records.iter().map(|record| pick(record, &fields)).collect()
}

/// `party.code` stands below `"party."`, a plain link is its id.
fn pick(record: &Value, fields: &[&str]) -> Value {
    let mut out = Map::from_iter([("id".to_owned(), record["id"].clone())]);
    let mut below: std::collections::BTreeMap<&str, Vec<&str>> = std::collections::BTreeMap::new();
    for field in fields {
        match field.split_once('.') {
            Some((link, rest)) => below.entry(link).or_default().push(rest),
            None => {
                let held = &record[*field];
                out.insert(
                    (*field).to_owned(),
                    if held.is_object() && held.get("id").is_some() {
                        held["id"].clone()
                    } else {
                        held.clone()
                    },
                );
            }
        }
    }
    for (link, fields) in below {
        let linked = match &record[link] {
            Value::Array(many) => many.iter().map(|one| pick(one, &fields)).collect(),
            Value::Null => Value::Null,
            one => pick(one, &fields),
        };
        out.insert(format!("{link}."), linked);
    }
    Value::Object(out)
}
