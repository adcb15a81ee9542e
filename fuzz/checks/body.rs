//! A signed body: what may be stored of it, and its tree. serde_json is the second opinion: what we take, it takes
//! too and reads alike; what we strip is gone at every depth, and nothing else is.

use domains::json::{self, Json, REMOVED};
use serde_json::Value;

pub(crate) fn check(body: &[u8]) {
    let stripped = json::strip(body);
    let Ok(tree) = json::parse(body) else {
        // What cannot be read is kept whole, or stripped by the same grammar; both only must not panic.
        if let Err(fault) = json::parse(body) {
            let _ = (fault.path(), fault.to_string());
        }
        return;
    };
    let stripped = stripped.unwrap_or_else(|fault| panic!("read, but not stripped: {fault}"));
    let again =
        json::strip(&stripped).unwrap_or_else(|fault| panic!("stripped into what is no JSON: {fault}"));
    assert_eq!(again, stripped, "stripping twice removes more");
    let kept =
        json::parse(&stripped).unwrap_or_else(|fault| panic!("stripped into another grammar: {fault}"));
    assert_eq!(kept, without_removed(&tree), "not what should be kept");
    match serde_json::from_slice::<Value>(body) {
        Ok(value) => assert!(same(&tree, &value), "serde_json reads it otherwise"),
        Err(error) => assert!(is_stricter(&error), "serde_json refuses it: {error}"),
    }
}

fn without_removed<'a>(tree: &Json<'a>) -> Json<'a> {
    match tree {
        Json::Array(elements) => Json::Array(elements.iter().map(without_removed).collect()),
        Json::Object(members) => {
            let stays = |key: &str| !key.starts_with("credit_card") && REMOVED.iter().all(|r| r.key != key);
            let kept = members.iter().filter(|(key, _)| stays(key));
            Json::Object(kept.map(|(key, value)| (key.clone(), without_removed(value))).collect())
        }
        other => other.clone(),
    }
}

fn same(tree: &Json<'_>, value: &Value) -> bool {
    match (tree, value) {
        (Json::Null, Value::Null) | (Json::Number(_), Value::Number(_)) => true,
        (Json::Bool(ours), Value::Bool(theirs)) => ours == theirs,
        (Json::String(ours), Value::String(theirs)) => ours == theirs,
        (Json::Array(ours), Value::Array(theirs)) => {
            ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(one, other)| same(one, other))
        }
        (Json::Object(ours), Value::Object(theirs)) => {
            let member = |(key, one): &(_, Json<'_>)| {
                theirs.get::<str>(AsRef::<str>::as_ref(key)).is_some_and(|other| same(one, other))
            };
            ours.len() == theirs.len() && ours.iter().all(member)
        }
        _ => false,
    }
}

/// A number that no float holds is text to us; a depth of more than 127 is our own bound's business.
fn is_stricter(error: &serde_json::Error) -> bool {
    let text = error.to_string();
    text.starts_with("number out of range") || text.starts_with("recursion limit exceeded")
}
