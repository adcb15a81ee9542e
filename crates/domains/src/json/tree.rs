//! A body as a tree that borrows from its text: numbers stay text, members stay in order, no key comes twice.

use std::borrow::Cow;

use super::fault::{JsonFault, JsonProblem};
use super::scan::Scanner;

/// One JSON value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Json<'a> {
    Null,
    Bool(bool),
    /// As spelled: `12.30` stays `12.30`.
    Number(&'a str),
    String(Cow<'a, str>),
    Array(Vec<Json<'a>>),
    /// In the order of the text.
    Object(Vec<(Cow<'a, str>, Json<'a>)>),
}

/// Most objects have no more members.
const FEW: usize = 8;

/// Parses the whole text.
pub fn parse(bytes: &[u8]) -> Result<Json<'_>, JsonFault> {
    let mut scanner = Scanner::new(bytes)?;
    scanner.blank();
    let value = value(&mut scanner, 0)?;
    scanner.end()?;
    Ok(value)
}

fn value<'a>(scanner: &mut Scanner<'a>, depth: usize) -> Result<Json<'a>, JsonFault> {
    Ok(match scanner.peek() {
        Some(b'{') => {
            let mut members: Vec<(Cow<'a, str>, Json<'a>)> = Vec::with_capacity(FEW);
            let start = scanner.offset();
            scanner.object(depth, |inner, key| {
                members.push((key.decode(), value(inner, depth + 1)?));
                Ok(())
            })?;
            refuse_duplicates(&members, start)?;
            Json::Object(members)
        }
        Some(b'[') => {
            let mut elements = Vec::new();
            scanner.array(depth, |inner, _| {
                elements.push(value(inner, depth + 1)?);
                Ok(())
            })?;
            Json::Array(elements)
        }
        Some(b'"') => Json::String(scanner.string()?.decode()),
        Some(b'-' | b'0'..=b'9') => Json::Number(scanner.number()?),
        Some(b'n') => scanner.literal("null").map(|()| Json::Null)?,
        Some(b't') => scanner.literal("true").map(|()| Json::Bool(true))?,
        Some(b'f') => scanner.literal("false").map(|()| Json::Bool(false))?,
        _ => {
            scanner.scalar()?;
            Json::Null // not reached: what is no scalar is a fault above
        }
    })
}

/// Two equal keys would let two readers of one body see two different orders.
fn refuse_duplicates(members: &[(Cow<'_, str>, Json<'_>)], start: usize) -> Result<(), JsonFault> {
    let twice = if members.len() <= FEW {
        let key = |at: usize| members[at].0.as_ref();
        (0..members.len()).find(|at| (at + 1..members.len()).any(|later| key(later) == key(*at))).map(key)
    } else {
        let mut keys: Vec<&str> = members.iter().map(|(key, _)| key.as_ref()).collect();
        keys.sort_unstable();
        keys.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| pair[0])
    };
    twice.map_or(Ok(()), |key| Err(JsonFault::at(JsonProblem::DuplicateKey, start).within_key(key)))
}

impl<'a> Json<'a> {
    /// The member of an object; `None` where there is none, or where this is no object.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Json<'a>> {
        match self {
            Json::Object(members) => members.iter().find(|(name, _)| name == key).map(|(_, value)| value),
            _ => None,
        }
    }

    /// What it is, for a message.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Json::Null => "null",
            Json::Bool(_) => "true or false",
            Json::Number(_) => "a number",
            Json::String(_) => "a string",
            Json::Array(_) => "a list",
            Json::Object(_) => "an object",
        }
    }
}
