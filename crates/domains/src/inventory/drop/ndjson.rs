//! A level or a change a line, as the source would push it: the thing itself, or `{"version": 17, "id": "…", "data": {…}}`.

use super::fault::{LineFault, field_of};
use super::holds::{Holds, Takes, not_taken};
use super::lines::Line;
use super::{Defaults, Says, Told};
use crate::inventory::{change, level};
use crate::json::{Json, parse};
use std::borrow::Cow;

/// What the first line says that the file holds.
pub(super) fn holds(line: &Line, takes: Takes) -> Result<Holds, LineFault> {
    // What is wrong with a line that cannot be read is said where it is read.
    let Ok(body) = parse(line.text.as_bytes()) else { return Ok(takes.only().unwrap_or_default()) };
    let holds = of(body.get("data").unwrap_or(&body));
    match takes.only() {
        Some(only) if only != holds => Err(not_taken(holds, line.number)),
        _ => Ok(holds),
    }
}

fn of(data: &Json<'_>) -> Holds {
    if data.get("change").is_some() && data.get("on_hand").is_none() { Holds::Changes } else { Holds::Levels }
}

pub(super) fn parsed(line: &Line) -> Result<Json<'_>, LineFault> {
    parse(line.text.as_bytes()).map_err(|fault| {
        let what = format!("the line {}; write one JSON object a line", fault.problem);
        LineFault::new(line.number, column(&line.text, fault.offset), what)
    })
}

pub(super) fn told(
    line: &Line,
    body: Json<'_>,
    holds: Holds,
    defaults: &Defaults,
) -> Result<Told, LineFault> {
    let version = match body.get("version") {
        None | Some(Json::Null) => None,
        Some(Json::Number(number)) => Some(version(number).map_err(|what| at(line, "version", what))?),
        Some(other) => {
            return Err(at(line, "version", format!("this is {}; write a whole number", other.kind())));
        }
    };
    let id = match body.get("id") {
        Some(Json::String(text)) if holds == Holds::Changes => {
            Some(change::id(text).map_err(|what| at(line, "id", what))?)
        }
        // A level may have what it likes under this name.
        None | Some(Json::Null) => None,
        Some(_) if holds == Holds::Levels => None,
        Some(other) => return Err(at(line, "id", format!("this is {}; write a text", other.kind()))),
    };
    let mut data = match body {
        Json::Object(mut members) => match members.iter().position(|(name, _)| name == "data") {
            Some(index) => members.swap_remove(index).1,
            None => Json::Object(members),
        },
        other => other,
    };
    if matches!(data, Json::Object(_)) && of(&data) != holds {
        let (is, others) = match holds {
            Holds::Levels => ("a change", "levels"),
            Holds::Changes => ("a level", "changes"),
        };
        let what = format!(
            "this is {is}, and the file begins with {others}; a file holds levels or changes, so write two files"
        );
        return Err(LineFault::new(line.number, 1, what));
    }
    if let Json::Object(members) = &mut data {
        fill(members, "location", defaults.location.clone());
        fill(members, "changed_at", defaults.changed_at.map(|instant| instant.to_string()));
    }
    let says = match holds {
        Holds::Levels => level::of(&data).map(Says::Level),
        Holds::Changes => change::of(&data).map(Says::Change),
    };
    let says = says.map_err(|fault| match field_of(&fault) {
        Some((field, spelled)) => at(line, field, fault.message.clone()).of(spelled),
        None => LineFault::new(line.number, 1, fault.message),
    })?;
    Ok(Told { line: line.number, version, id, says })
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
