//! Paths: how a rule names a field. Parses them and, when a mapping runs, follows them through a JSON value.
//! It knows no schema: whether a field exists is asked in `compile`.
//!
//! ```text
//! currency                 a field of the current item (of the source, outside `each` and `within`)
//! lines[0].sku             the first item of a list
//! lines[].net              every item: a list of values
//! refs[system=erp].id      the first item whose field has that text
//! attributes["po.no"]      a field whose name is not a plain word
//! .                        the current item itself
//! $.currency               from the source, whatever the current item is
//! ^.currency               from the item around the current one; ^^. two levels up
//! ```

use std::fmt;

use serde::Serialize;
use serde_json::Value;

/// A path as it is written in a mapping may have so many bytes.
const PATH_BYTES_MAX: usize = 256;

/// The name of a field from the root, with `[]` for every position of a list: `lines[].sku`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Path(String);

impl Path {
    /// The path of the root itself.
    pub(crate) fn root() -> Self {
        Self(String::new())
    }

    /// This path and one more field.
    pub(crate) fn key(&self, key: &str) -> Self {
        let mut text = self.0.clone();
        push_key(&mut text, key);
        Self(text)
    }

    /// The items of this list.
    pub(crate) fn items(&self) -> Self {
        Self(format!("{}[]", self.0))
    }

    /// The path as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Path {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn push_key(text: &mut String, key: &str) {
    if is_plain(key) {
        if !text.is_empty() {
            text.push('.');
        }
        text.push_str(key);
    } else {
        text.push_str("[\"");
        text.push_str(key);
        text.push_str("\"]");
    }
}

fn is_plain(key: &str) -> bool {
    !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

/// One step of a source path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Segment {
    Key(String),
    Index(usize),
    Every,
    Where { key: String, value: String },
}

/// Where a source path starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Base {
    Root,
    /// 0 is the current item, 1 the one around it.
    Up(usize),
}

/// A source path as a rule writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SourcePath {
    pub(crate) base: Base,
    pub(crate) segments: Vec<Segment>,
}

impl SourcePath {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if text.len() > PATH_BYTES_MAX {
            return Err(format!("a path has at most {PATH_BYTES_MAX} bytes"));
        }
        let (base, rest) = split_base(text)?;
        Ok(Self { base, segments: parse_segments(rest)? })
    }

    /// True if it stands for a list of values rather than for one.
    pub(crate) fn is_many(&self) -> bool {
        self.segments.contains(&Segment::Every)
    }

    /// The value it leads to from `start`. `null` counts as absent. Not for paths with `[]`.
    pub(crate) fn follow<'a>(&self, start: &'a Value) -> Option<&'a Value> {
        let mut value = start;
        for segment in &self.segments {
            value = step(value, segment)?;
        }
        (!value.is_null()).then_some(value)
    }

    /// Calls `visit` with each value it leads to from `start`, in order, and with the positions of its lists; absent
    /// ones are left out.
    pub(crate) fn each<'a>(&self, start: &'a Value, visit: &mut dyn FnMut(&[usize], &'a Value)) {
        each_from(&self.segments, start, &mut Vec::new(), visit);
    }

    /// Appends the path to the concrete path of its base, for faults and explanations.
    pub(crate) fn write_onto(&self, text: &mut String, positions: &Positions) {
        use fmt::Write as _;
        let mut every = match positions {
            Positions::Many(positions) => positions.iter(),
            _ => [].iter(),
        };
        for segment in &self.segments {
            // Writing to a String cannot fail.
            let _ = match segment {
                Segment::Key(key) => {
                    push_key(text, key);
                    Ok(())
                }
                Segment::Index(index) => write!(text, "[{index}]"),
                Segment::Every => match every.next() {
                    Some(position) => write!(text, "[{position}]"),
                    None => write!(text, "[]"),
                },
                Segment::Where { key, value } => write!(text, "[{key}={value}]"),
            };
        }
        if let Positions::One(position) = positions {
            let _ = write!(text, "[{position}]");
        }
    }
}

/// The positions of an item in the lists on the way to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Positions {
    /// It is no item of a list.
    None,
    /// Its position in the list that the path leads to.
    One(usize),
    /// One position for each `[]` of the path.
    Many(Box<[usize]>),
}

impl fmt::Display for SourcePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        self.write_onto(&mut text, &Positions::None);
        let dot = if text.starts_with('[') || text.is_empty() { "" } else { "." };
        match self.base {
            Base::Root => write!(f, "${dot}{text}"),
            Base::Up(0) if text.is_empty() => f.write_str("."),
            Base::Up(0) => f.write_str(&text),
            Base::Up(levels) => write!(f, "{}{dot}{text}", "^".repeat(levels)),
        }
    }
}

fn step<'a>(value: &'a Value, segment: &Segment) -> Option<&'a Value> {
    match segment {
        Segment::Key(key) => value.as_object()?.get(key),
        Segment::Index(index) => value.as_array()?.get(*index),
        Segment::Where { key, value: wanted } => value.as_array()?.iter().find(|item| {
            item.get(key).is_some_and(|found| match found {
                Value::String(text) => text == wanted,
                Value::Number(number) => number.to_string() == *wanted,
                Value::Bool(flag) => flag.to_string() == *wanted,
                _ => false,
            })
        }),
        Segment::Every => None,
    }
}

fn each_from<'a>(
    segments: &[Segment],
    value: &'a Value,
    at: &mut Vec<usize>,
    visit: &mut dyn FnMut(&[usize], &'a Value),
) {
    match segments.split_first() {
        None if value.is_null() => {}
        None => visit(at, value),
        Some((Segment::Every, rest)) => {
            for (position, item) in value.as_array().into_iter().flatten().enumerate() {
                at.push(position);
                each_from(rest, item, at, visit);
                at.pop();
            }
        }
        Some((segment, rest)) => {
            if let Some(next) = step(value, segment) {
                each_from(rest, next, at, visit);
            }
        }
    }
}

fn split_base(text: &str) -> Result<(Base, &str), String> {
    if text.is_empty() {
        return Err("a path is empty; `.` is the current item".to_owned());
    }
    if text == "." {
        return Ok((Base::Up(0), ""));
    }
    if let Some(rest) = text.strip_prefix('$') {
        return Ok((Base::Root, after_base(rest)?));
    }
    let levels = text.bytes().take_while(|byte| *byte == b'^').count();
    if levels > 0 {
        return Ok((Base::Up(levels), after_base(&text[levels..])?));
    }
    Ok((Base::Up(0), text))
}

fn after_base(rest: &str) -> Result<&str, String> {
    if rest.is_empty() || rest.starts_with('[') {
        return Ok(rest);
    }
    rest.strip_prefix('.')
        .filter(|rest| !rest.is_empty())
        .ok_or_else(|| "after `$` or `^` comes `.` and a field".to_owned())
}

fn parse_segments(text: &str) -> Result<Vec<Segment>, String> {
    let mut segments = Vec::new();
    let mut rest = text;
    let mut first = true;
    while !rest.is_empty() {
        if let Some(inside) = rest.strip_prefix('[') {
            let (segment, after) = parse_bracket(inside)?;
            segments.push(segment);
            rest = after;
        } else {
            let word = if first {
                rest
            } else {
                rest.strip_prefix('.').ok_or_else(|| format!("`.` or `[` expected before `{rest}`"))?
            };
            let end = word.find(['.', '[']).unwrap_or(word.len());
            let key = &word[..end];
            if !is_plain(key) {
                return Err(format!("`{key}` is not a field name; write [\"{key}\"] if it is meant so"));
            }
            segments.push(Segment::Key(key.to_owned()));
            rest = &word[end..];
        }
        first = false;
    }
    Ok(segments)
}

/// What stands in brackets, and what follows them.
fn parse_bracket(inside: &str) -> Result<(Segment, &str), String> {
    if let Some(quoted) = inside.strip_prefix('"') {
        let (key, after) =
            quoted.split_once("\"]").ok_or_else(|| "`[\"` is not closed by `\"]`".to_owned())?;
        if key.is_empty() {
            return Err("a field name is empty".to_owned());
        }
        return Ok((Segment::Key(key.to_owned()), after));
    }
    let (content, after) = inside.split_once(']').ok_or_else(|| "`[` is not closed by `]`".to_owned())?;
    if content.is_empty() {
        return Ok((Segment::Every, after));
    }
    if let Some((key, value)) = content.split_once('=') {
        if !is_plain(key) {
            return Err(format!("`{key}` is not a field name"));
        }
        return Ok((Segment::Where { key: key.to_owned(), value: value.to_owned() }, after));
    }
    content
        .parse()
        .map(|index| (Segment::Index(index), after))
        .map_err(|_| format!("`[{content}]` is neither a position, `[]`, `[field=text]` nor `[\"field\"]`"))
}

/// A target path: plain field names only, since lists are written by `each`.
pub(crate) fn parse_target(text: &str) -> Result<Vec<String>, String> {
    let path = SourcePath::parse(text)?;
    if path.base != Base::Up(0) || path.segments.is_empty() {
        return Err("a target path is field names joined by dots".to_owned());
    }
    path.segments
        .into_iter()
        .map(|segment| match segment {
            Segment::Key(key) => Ok(key),
            _ => Err("a target path has no brackets: a list is written by a rule with `each`".to_owned()),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn paths_lead_to_their_values() {
        let source = json!({
            "currency": "EUR", "nothing": null, "a.b": {"c": 1},
            "lines": [{"sku": "A", "net": "1"}, {"sku": "B"}, {"sku": "C", "net": "3"}],
        });
        for (path, expected) in [
            ("currency", Some(json!("EUR"))),
            ("nothing", None),
            ("lines[1].sku", Some(json!("B"))),
            ("lines[9].sku", None),
            ("lines[sku=C].net", Some(json!("3"))),
            ("[\"a.b\"].c", Some(json!(1))),
            ("$.currency", Some(json!("EUR"))),
            ("currency.deeper", None),
        ] {
            let parsed = SourcePath::parse(path).unwrap();
            assert_eq!(parsed.follow(&source), expected.as_ref(), "{path}");
            assert_eq!(parsed.to_string(), path);
        }
    }

    #[test]
    fn brackets_without_content_lead_to_every_value_that_is_there() {
        let source = json!({"lines": [{"net": "1"}, {"net": null}, {}, {"net": "3"}]});
        let mut seen = Vec::new();
        SourcePath::parse("lines[].net").unwrap().each(&source, &mut |_, value| seen.push(value.clone()));
        assert_eq!(seen, [json!("1"), json!("3")]);
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for text in ["", "$x", "^", "a..b", "a.", ".a", "a[", "a[x", "a[x]", "a b", "[\"\"]", "a[0]b", "ä"] {
            let result = SourcePath::parse(text);
            assert!(text == "^" || result.is_err(), "{text}: {result:?}");
        }
        assert!(parse_target("lines[0].sku").is_err());
        assert!(parse_target("$.x").is_err());
    }

    proptest! {
        #[test]
        fn no_text_panics_and_what_parses_prints_as_it_was_read(text in "[a-c$^.\\[\\]\"=0-9 ä]{0,20}") {
            if let Ok(path) = SourcePath::parse(&text) {
                prop_assert_eq!(SourcePath::parse(&path.to_string()).unwrap(), path);
            }
        }
    }
}
