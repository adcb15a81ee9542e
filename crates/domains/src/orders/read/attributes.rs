//! Names and values that anybody may have put there: `note_attributes`, `properties`, `customAttributes`, tags.

use super::at::{At, Form, Read};
use crate::json::Json;
use crate::orders::line::Attribute;

/// Tags with this beginning are ours; they are no part of the order's state, so that our own write-back comes home
/// as *unchanged*.
pub(crate) const OWN_TAG_PREFIX: &str = "tidegate";

/// A list of `{name, value}` (REST) or `{key, value}` (GraphQL), or an object; values of any kind become text.
/// Sorted by name, so that both forms agree.
pub(crate) fn read<'a>(at: &'a At<'a>, rest: &'a str) -> Read<Vec<Attribute>> {
    let name_key = match at.form {
        Form::Rest => "name",
        Form::GraphQl => "key",
    };
    let mut attributes: Vec<Attribute> = match at.get(rest, "customAttributes").map(|found| found.json) {
        None => Vec::new(),
        Some(Json::Array(elements)) => elements
            .iter()
            .filter_map(|element| attribute(element.get(name_key).map(text)?, element.get("value")))
            .collect(),
        Some(Json::Object(members)) => {
            members.iter().filter_map(|(name, value)| attribute(name.to_string(), Some(value))).collect()
        }
        // Seen in the wild: a bare string or number. Nothing follows from it.
        Some(_) => Vec::new(),
    };
    attributes.sort();
    Ok(attributes)
}

fn attribute(name: String, value: Option<&Json<'_>>) -> Option<Attribute> {
    (!name.is_empty()).then(|| Attribute { name, value: value.map(text).unwrap_or_default() })
}

/// Strings as they are, everything else as its JSON; null is nothing.
fn text(json: &Json<'_>) -> String {
    match json {
        Json::Null => String::new(),
        Json::String(text) => text.to_string(),
        Json::Number(text) => (*text).to_owned(),
        Json::Bool(flag) => flag.to_string(),
        Json::Array(elements) => {
            format!("[{}]", elements.iter().map(quoted).collect::<Vec<_>>().join(","))
        }
        Json::Object(members) => {
            let members: Vec<_> = members
                .iter()
                .map(|(name, value)| format!("{:?}:{}", name.as_ref(), quoted(value)))
                .collect();
            format!("{{{}}}", members.join(","))
        }
    }
}

fn quoted(json: &Json<'_>) -> String {
    match json {
        Json::Null => "null".to_owned(),
        Json::String(text) => format!("{:?}", text.as_ref()),
        other => text(other),
    }
}

/// In whatever case: Shopify keeps the spelling in which somebody wrote the tag first.
fn is_own(tag: &str) -> bool {
    tag.get(..OWN_TAG_PREFIX.len()).is_some_and(|beginning| beginning.eq_ignore_ascii_case(OWN_TAG_PREFIX))
}

/// `"b, a"` in REST, `["b", "a"]` in GraphQL: sorted, each once, without our own.
pub(crate) fn tags(at: &At<'_>) -> Read<Vec<String>> {
    let mut tags: Vec<String> = match at.get("tags", "tags") {
        None => Vec::new(),
        Some(found) => match found.json {
            Json::String(list) => list.split(',').map(|tag| tag.trim().to_owned()).collect(),
            Json::Array(elements) => elements
                .iter()
                .filter_map(|element| match element {
                    Json::String(tag) => Some(tag.trim().to_owned()),
                    _ => None,
                })
                .collect(),
            _ => return Err(found.wrong_type("tags: a string or a list")),
        },
    };
    tags.retain(|tag| !tag.is_empty() && !is_own(tag));
    tags.sort();
    tags.dedup();
    Ok(tags)
}
