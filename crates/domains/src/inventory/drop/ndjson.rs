//! A level a line, as the source would push it: the level itself, or `{"version": 17, "data": {…}}`.

use super::fault::{LineFault, member};
use super::lines::Line;
use super::{Defaults, Told};
use crate::inventory::level;
use crate::json::{Json, parse};
use std::borrow::Cow;

pub(super) fn level(line: &Line, defaults: &Defaults) -> Result<Told, LineFault> {
    let body = parse(line.text.as_bytes()).map_err(|fault| {
        let what = format!("the line {}; write one JSON object a line", fault.problem);
        LineFault::new(line.number, column(&line.text, fault.offset), what)
    })?;
    let version = match body.get("version") {
        None | Some(Json::Null) => None,
        Some(Json::Number(number)) => Some(version(number).map_err(|what| at(line, "version", what))?),
        Some(other) => {
            return Err(at(line, "version", format!("this is {}; write a whole number", other.kind())));
        }
    };
    let mut data = match body {
        Json::Object(mut members) => match members.iter().position(|(name, _)| name == "data") {
            Some(index) => members.swap_remove(index).1,
            None => Json::Object(members),
        },
        other => other,
    };
    if let Json::Object(members) = &mut data {
        fill(members, "location", defaults.location.clone());
        fill(members, "changed_at", defaults.changed_at.map(|instant| instant.to_string()));
    }
    let stock = level::of(&data).map_err(|fault| match member(&fault) {
        Some(field) => at(line, field, fault.message.clone()),
        None => LineFault::new(line.number, 1, fault.message),
    })?;
    Ok(Told { line: line.number, version, stock })
}

/// A sequence number.
pub(super) fn version(text: &str) -> Result<i64, String> {
    text.parse().ok().filter(|version| *version >= 0).ok_or_else(|| {
        let shown: String = text.chars().take(40).collect();
        format!("{shown:?} is no sequence number; write a whole number, zero or more")
    })
}

/// What the file's own circumstances say, where the level does not.
pub(super) fn fill<'a>(members: &mut Vec<(Cow<'a, str>, Json<'a>)>, key: &'a str, value: Option<String>) {
    let Some(value) = value else { return };
    let said = |(name, value): &(Cow<'_, str>, Json<'_>)| name == key && *value != Json::Null;
    if !members.iter().any(said) {
        members.retain(|(name, _)| name != key);
        members.push((Cow::Borrowed(key), Json::String(Cow::Owned(value))));
    }
}

fn at(line: &Line, field: &str, problem: String) -> LineFault {
    let quoted = format!("\"{field}\"");
    let is_key =
        |(offset, _): &(usize, &str)| line.text[offset + quoted.len()..].trim_start().starts_with(':');
    let offset = line.text.match_indices(&quoted).find(is_key).map_or(0, |(offset, _)| offset);
    LineFault::new(line.number, column(&line.text, offset), problem).of(field)
}

/// Of a byte, in characters from 1.
fn column(text: &str, offset: usize) -> u64 {
    text.char_indices().take_while(|(at, _)| *at < offset).count() as u64 + 1
}
