//! Texts with `{names}` in them: paths, headers and constant bodies. Owns which names are known where, and that a
//! value cannot change the shape of the path that it is put into.

use connector::outbound::segment;
use connector::settings::Section;
use serde_json::Value;
use std::collections::BTreeMap;

/// What a name can stand for.
pub(super) type Values = BTreeMap<&'static str, String>;

/// A checked template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Template {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Name(&'static str),
}

/// Names of a step: its object and its key there.
pub(super) const STEP_NAMES: &[&str] = &["object_key", "id", "number", "version"];

impl Template {
    /// Refuses a brace without its other half and a name that is not among `names`.
    pub(super) fn parse(text: &str, names: &[&'static str]) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(start) = rest.find(['{', '}']) {
            let (before, braced) = rest.split_at(start);
            let inner = braced.strip_prefix('{').and_then(|inner| inner.split_once('}'));
            let Some((name, after)) = inner else {
                return Err(format!("{text:?} has a brace without its other half"));
            };
            let Some(name) = names.iter().find(|known| **known == name) else {
                return Err(format!("{text:?} names {{{name}}}; known here are {}", braces(names)));
            };
            parts.push(Part::Text(before.to_owned()));
            parts.push(Part::Name(name));
            rest = after;
        }
        parts.push(Part::Text(rest.to_owned()));
        Ok(Self { parts })
    }

    /// Reports what is wrong to the section that the template stands in.
    pub(super) fn read(at: &Section<'_>, key: &str, text: &str, names: &[&'static str]) -> Self {
        Self::parse(text, names).unwrap_or_else(|problem| {
            at.problem(key, problem);
            Self { parts: Vec::new() }
        })
    }

    pub(super) fn names(&self, name: &str) -> bool {
        self.parts.iter().any(|part| matches!(part, Part::Name(known) if *known == name))
    }

    /// As a text. `Err` is the name that has no value.
    pub(super) fn fill(&self, values: &Values) -> Result<String, &'static str> {
        self.fill_with(values, |value| Some(value.to_owned()))
    }

    /// As a path: each value is one segment, or a part of one, or of the query.
    pub(super) fn fill_path(&self, values: &Values) -> Result<String, &'static str> {
        self.fill_with(values, one_segment)
    }

    fn fill_with(
        &self,
        values: &Values,
        write: impl Fn(&str) -> Option<String>,
    ) -> Result<String, &'static str> {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Text(part) => text.push_str(part),
                Part::Name(name) => {
                    text.push_str(&values.get(name).and_then(|value| write(value)).ok_or(*name)?)
                }
            }
        }
        Ok(text)
    }
}

fn braces(names: &[&str]) -> String {
    names.iter().map(|name| format!("{{{name}}}")).collect::<Vec<_>>().join(", ")
}

/// Nothing, `.` and `..` would be another path.
fn one_segment(value: &str) -> Option<String> {
    (!matches!(value, "" | "." | "..")).then(|| segment(value))
}

/// A constant body: a JSON value whose texts are templates.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum ConstantBody {
    Text(Template),
    Other(Value),
    List(Vec<ConstantBody>),
    Table(BTreeMap<String, ConstantBody>),
}

impl ConstantBody {
    pub(super) fn read(at: &Section<'_>, key: &str, value: &Value) -> Self {
        match value {
            Value::String(text) => Self::Text(Template::read(at, key, text, STEP_NAMES)),
            Value::Array(items) => Self::List(items.iter().map(|item| Self::read(at, key, item)).collect()),
            Value::Object(table) => Self::Table(
                table.iter().map(|(name, inner)| (name.clone(), Self::read(at, key, inner))).collect(),
            ),
            other => Self::Other(other.clone()),
        }
    }

    pub(super) fn fill(&self, values: &Values) -> Result<Value, &'static str> {
        Ok(match self {
            Self::Text(template) => Value::String(template.fill(values)?),
            Self::Other(value) => value.clone(),
            Self::List(items) => {
                Value::Array(items.iter().map(|item| item.fill(values)).collect::<Result<_, _>>()?)
            }
            Self::Table(table) => {
                let mut filled = serde_json::Map::new();
                for (name, inner) in table {
                    filled.insert(name.clone(), inner.fill(values)?);
                }
                Value::Object(filled)
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_cannot_change_the_path() {
        let template = Template::parse("/sales/{id}/lines?key={object_key}", STEP_NAMES).unwrap();
        let fill = |id: &str| {
            let values = Values::from([("id", id.to_owned()), ("object_key", "a b&c=ä".to_owned())]);
            template.fill_path(&values)
        };
        assert_eq!(fill("7").unwrap(), "/sales/7/lines?key=a%20b%26c%3D%C3%A4");
        assert_eq!(fill("../x?y#z").unwrap(), "/sales/..%2Fx%3Fy%23z/lines?key=a%20b%26c%3D%C3%A4");
        for refused in ["", ".", ".."] {
            assert_eq!(fill(refused), Err("id"), "{refused:?}");
        }
        assert_eq!(template.fill_path(&Values::new()), Err("id"));
        assert!(template.names("id") && !template.names("version"));
    }

    #[test]
    fn a_template_is_refused_with_the_names_that_are_known() {
        let table = [
            ("/x/{nope}", "known here are {id}, {value}"),
            ("/x/{id", "brace"),
            ("/x/id}", "brace"),
            ("/{}", "names {}"),
        ];
        for (text, why) in table {
            let refused = Template::parse(text, &["id", "value"]).unwrap_err();
            assert!(refused.contains(why), "{text}: {refused}");
        }
    }
}
