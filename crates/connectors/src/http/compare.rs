//! Whether an object says what is wanted of it. Owns the comparison of a wanted body with what a target echoes:
//! field by field, amounts as numbers, instants as instants; decides nothing.

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde_json::Value;

/// More differences than a person reads at once.
const DIFFERENCES_MAX: usize = 20;

/// Which fields count. A pattern is a JSON pointer in which `*` stands for any one part; it covers all below it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Compare {
    /// If there are any: these, whether the target echoes them or not. If none: every wanted field that it echoes.
    pub(super) only: Vec<String>,
    pub(super) ignore: Vec<String>,
    /// The fields whose change is a change of address.
    pub(super) address: Vec<String>,
}

impl Compare {
    /// Pointers into the wanted body where the object says something else.
    pub(super) fn differences(&self, wanted: &Value, object: &Value) -> Vec<String> {
        let mut found = Vec::new();
        self.walk(String::new(), wanted, Some(object), &mut found);
        found
    }

    /// Whether all of these are a change of address.
    pub(super) fn only_address(&self, differences: &[String]) -> bool {
        !differences.is_empty() && differences.iter().all(|path| covered(&self.address, path))
    }

    fn walk(&self, path: String, wanted: &Value, object: Option<&Value>, found: &mut Vec<String>) {
        if found.len() >= DIFFERENCES_MAX || covered(&self.ignore, &path) || !self.may_count(&path) {
            return;
        }
        match (wanted, object) {
            (Value::Object(table), Some(Value::Object(_)) | None) => {
                for (name, inner) in table {
                    let below = format!("{path}/{}", escaped(name));
                    self.walk(below, inner, object.and_then(|object| object.get(name)), found);
                }
            }
            (Value::Array(items), Some(Value::Array(others))) if items.len() == others.len() => {
                for (index, (item, other)) in items.iter().zip(others).enumerate() {
                    self.walk(format!("{path}/{index}"), item, Some(other), found);
                }
            }
            (wanted, object) if !self.differs(&path, wanted, object) => {}
            _ => found.push(path),
        }
    }

    fn differs(&self, path: &str, wanted: &Value, object: Option<&Value>) -> bool {
        match object {
            Some(object) => !same(wanted, object),
            // Absent is as good as null; and what is never echoed cannot be compared, unless it was asked for.
            None => !wanted.is_null() && covered(&self.only, path),
        }
    }

    fn may_count(&self, path: &str) -> bool {
        self.only.is_empty() || covered(&self.only, path) || self.only.iter().any(|only| leads_to(path, only))
    }
}

/// Whether one of the patterns is this path or above it.
fn covered(patterns: &[String], path: &str) -> bool {
    patterns.iter().any(|pattern| leads_to(pattern, path))
}

/// Whether `above` is `below` or a beginning of it, part by part.
fn leads_to(above: &str, below: &str) -> bool {
    let mut parts = below.split('/');
    above
        .split('/')
        .all(|part| parts.next().is_some_and(|other| part == other || part == "*" || other == "*"))
}

fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// Equal as JSON, as amounts ("12.50" and 12.5) or as instants.
fn same(wanted: &Value, object: &Value) -> bool {
    if wanted == object {
        return true;
    }
    match (amount(wanted), amount(object)) {
        (Some(wanted), Some(object)) => wanted == object,
        _ => match (instant(wanted), instant(object)) {
            (Some(wanted), Some(object)) => wanted == object,
            _ => false,
        },
    }
}

/// A number, or a text that is written as one; `007` is not: it may be a code.
pub(super) fn amount(value: &Value) -> Option<Decimal> {
    match value {
        Value::Number(number) => Decimal::from_str_exact(&number.to_string()).ok(),
        Value::String(text) => {
            let digits = text.strip_prefix('-').unwrap_or(text);
            let padded = digits.len() > 1 && digits.starts_with('0') && !digits.starts_with("0.");
            let plain = digits.starts_with(|c: char| c.is_ascii_digit()) && !padded;
            plain.then(|| Decimal::from_str_exact(text).ok()).flatten()
        }
        _ => None,
    }
}

fn instant(value: &Value) -> Option<Timestamp> {
    value.as_str()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn found(compare: &Compare, wanted: &Value, object: &Value) -> Vec<String> {
        compare.differences(wanted, object)
    }

    #[test]
    fn what_counts_as_the_same() {
        let table = [
            (json!("12.50"), json!("12.5"), true),
            (json!("12.50"), json!(12.5), true),
            (json!("12"), json!("12.00"), true),
            (json!("007"), json!("7"), false),
            (json!("1e3"), json!(1000), false),
            (json!("-0.10"), json!("-0.1"), true),
            (json!("2026-11-24T01:00:00+01:00"), json!("2026-11-24T00:00:00Z"), true),
            (json!("2026-11-24"), json!("2026-11-25"), false),
            (json!("abc"), json!("ABC"), false),
            (json!(null), json!("x"), false),
            (json!(true), json!(1), false),
        ];
        for (wanted, object, expected) in table {
            assert_eq!(same(&wanted, &object), expected, "{wanted} {object}");
        }
    }

    #[test]
    fn what_is_echoed_is_compared_unless_something_else_was_said() {
        let wanted = json!({"po": "1", "note": null, "hidden": "x", "lines": [{"sku": "A", "qty": "2"}], "total": "9"});
        let object =
            json!({"po": "2", "lines": [{"sku": "A", "qty": "2.0", "id": 4}], "total": "8", "id": 1});
        let all = Compare::default();
        assert_eq!(found(&all, &wanted, &object), ["/po", "/total"]);
        let ignore = Compare { ignore: vec!["/total".into()], ..Compare::default() };
        assert_eq!(found(&ignore, &wanted, &object), ["/po"]);
        let only = |only: &[&str]| Compare {
            only: only.iter().map(|text| (*text).to_owned()).collect(),
            ..Compare::default()
        };
        assert_eq!(found(&only(&["/hidden", "/lines/*/qty", "/note"]), &wanted, &object), ["/hidden"]);
        let more = json!({"lines": [{"sku": "A"}, {"sku": "B"}]});
        assert_eq!(found(&only(&["/lines/*/sku"]), &more, &object), ["/lines"]);
        let other = json!({"lines": [{"sku": "B", "qty": "2"}]});
        assert_eq!(found(&all, &other, &object), ["/lines/0/sku"]);
    }

    #[test]
    fn a_change_of_address_is_nothing_else() {
        let compare = Compare { address: vec!["/shipment_address".into()], ..Compare::default() };
        assert!(compare.only_address(&["/shipment_address/city".into()]));
        assert!(!compare.only_address(&["/shipment_address/city".into(), "/po".into()]));
        assert!(!compare.only_address(&["/shipment_address_2".into()]) && !compare.only_address(&[]));
    }
}
