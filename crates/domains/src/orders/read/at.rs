//! A place in a body: the value, the form it is in, and the path that a fault will name.

use std::borrow::Cow;

use jiff::Timestamp;
use kernel::money::parse_exact;
use rust_decimal::Decimal;

use crate::json::{Json, push_key};
use crate::orders::fault::{BodyCode, BodyFault};

/// Which of Shopify's two forms a body is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Rest,
    GraphQl,
}

/// The step that leads to a place.
#[derive(Debug, Clone, Copy)]
enum Step<'a> {
    Root,
    Key(&'a str),
    /// An element of the list under the key; GraphQL wraps lists in `nodes` or `edges`.
    Element {
        key: &'a str,
        wrapper: &'static str,
        index: usize,
        inner: &'static str,
    },
}

/// A value with its path. Cheap to make; the path is only spelled out in a fault.
#[derive(Debug, Clone, Copy)]
pub(crate) struct At<'a> {
    pub(crate) json: &'a Json<'a>,
    pub(crate) form: Form,
    parent: Option<&'a At<'a>>,
    step: Step<'a>,
}

pub(crate) type Read<T> = Result<T, BodyFault>;

impl<'a> At<'a> {
    pub(crate) fn root(json: &'a Json<'a>, form: Form) -> Self {
        Self { json, form, parent: None, step: Step::Root }
    }

    /// The place that the path names.
    pub(crate) fn path(&self) -> String {
        let mut path = self.parent.map_or_else(|| String::from("$"), At::path);
        match self.step {
            Step::Root => {}
            Step::Key(key) => push_key(&mut path, key),
            Step::Element { key, wrapper, index, inner } => {
                push_key(&mut path, key);
                path.push_str(&format!("{wrapper}[{index}]{inner}"));
            }
        }
        path
    }

    pub(crate) fn fault(&self, code: BodyCode, message: impl Into<String>) -> BodyFault {
        BodyFault::new(code, self.path(), message)
    }

    pub(crate) fn wrong_type(&self, wanted: &str) -> BodyFault {
        self.fault(BodyCode::WrongType, format!("should be {wanted} but is {}", self.json.kind()))
    }

    /// The name that this form has for a member.
    pub(crate) fn name(&self, rest: &'a str, graphql: &'a str) -> &'a str {
        match self.form {
            Form::Rest => rest,
            Form::GraphQl => graphql,
        }
    }

    /// The member under this form's name; `None` where it is absent or null.
    pub(crate) fn get(&'a self, rest: &'a str, graphql: &'a str) -> Option<At<'a>> {
        let key = self.name(rest, graphql);
        let json = self.json.get(key).filter(|json| **json != Json::Null)?;
        Some(At { json, form: self.form, parent: Some(self), step: Step::Key(key) })
    }

    /// As [`At::get`], and a fault where there is nothing.
    pub(crate) fn need(&'a self, rest: &'a str, graphql: &'a str) -> Read<At<'a>> {
        self.get(rest, graphql).ok_or_else(|| {
            let mut path = self.path();
            push_key(&mut path, self.name(rest, graphql));
            BodyFault::new(BodyCode::Missing, path, "is missing; without it there is no order to deliver")
        })
    }

    /// The elements of a list; none where it is absent, null, or (in REST) an empty object.
    pub(crate) fn list(&'a self, rest: &'a str, graphql: &'a str) -> Read<Vec<At<'a>>> {
        let key = self.name(rest, graphql);
        let Some(json) = self.json.get(key) else { return Ok(Vec::new()) };
        let element = |json, wrapper, index, inner| At {
            json,
            form: self.form,
            parent: Some(self),
            step: Step::Element { key, wrapper, index, inner },
        };
        let all = |wrapper, list: &'a [Json<'a>]| -> Vec<At<'a>> {
            list.iter().enumerate().map(|(index, json)| element(json, wrapper, index, "")).collect()
        };
        match json {
            Json::Null => Ok(Vec::new()),
            Json::Array(list) => Ok(all("", list)),
            Json::Object(members) if members.is_empty() => Ok(Vec::new()),
            Json::Object(_) if self.form == Form::GraphQl => match (json.get("nodes"), json.get("edges")) {
                (Some(Json::Array(list)), _) => Ok(all(".nodes", list)),
                (None, Some(Json::Array(edges))) => Ok(edges
                    .iter()
                    .enumerate()
                    .filter_map(|(index, edge)| Some(element(edge.get("node")?, ".edges", index, ".node")))
                    .collect()),
                _ => Err(self.list_fault(key)),
            },
            _ => Err(self.list_fault(key)),
        }
    }

    fn list_fault(&self, key: &str) -> BodyFault {
        let mut path = self.path();
        push_key(&mut path, key);
        BodyFault::new(BodyCode::WrongType, path, "should be a list")
    }

    /// A string; an empty or blank one counts as nothing, as null does.
    pub(crate) fn text(&'a self, rest: &'a str, graphql: &'a str) -> Read<Option<String>> {
        let Some(at) = self.get(rest, graphql) else { return Ok(None) };
        match at.json {
            Json::String(text) if text.trim().is_empty() => Ok(None),
            Json::String(text) => Ok(Some(text.clone().into_owned())),
            Json::Number(text) => Ok(Some((*text).to_owned())),
            _ => Err(at.wrong_type("a string")),
        }
    }

    pub(crate) fn flag(&'a self, rest: &'a str, graphql: &'a str) -> Read<bool> {
        match self.get(rest, graphql) {
            None => Ok(false),
            Some(at) => match at.json {
                Json::Bool(flag) => Ok(*flag),
                _ => Err(at.wrong_type("true or false")),
            },
        }
    }

    /// The text of a number, or of a string that should hold one.
    pub(crate) fn spelled(&self) -> Read<&'a str> {
        match self.json {
            Json::Number(text) => Ok(text),
            Json::String(Cow::Borrowed(text)) => Ok(text),
            Json::String(Cow::Owned(text)) => Ok(text.as_str()),
            _ => Err(self.wrong_type("a decimal, as string or number")),
        }
    }

    pub(crate) fn decimal(&self) -> Read<Decimal> {
        parse_exact(self.spelled()?).map_err(|error| self.fault(BodyCode::NotDecimal, error.to_string()))
    }

    /// A count: whole, not negative, below 2^53.
    pub(crate) fn count(&self) -> Read<u64> {
        let value = self.decimal()?;
        if value.is_sign_negative() && !value.is_zero() {
            return Err(self.fault(BodyCode::Negative, format!("is {value}; a quantity cannot be negative")));
        }
        let whole = value.normalize();
        u64::try_from(whole).ok().filter(|count| whole.scale() == 0 && *count < 1 << 53).ok_or_else(|| {
            self.fault(BodyCode::WrongType, format!("is {value}; it should be a whole number"))
        })
    }

    pub(crate) fn count_of(&'a self, rest: &'a str, graphql: &'a str) -> Read<Option<u64>> {
        self.get(rest, graphql).map(|at| at.count()).transpose()
    }

    pub(crate) fn instant(&'a self, rest: &'a str, graphql: &'a str) -> Read<Option<Timestamp>> {
        let Some(at) = self.get(rest, graphql) else { return Ok(None) };
        let Json::String(text) = at.json else { return Err(at.wrong_type("a date and time")) };
        text.parse()
            .map(Some)
            .map_err(|_| at.fault(BodyCode::WrongType, "is not a date and time with its offset (RFC 3339)"))
    }

    pub(crate) fn need_instant(&'a self, rest: &'a str, graphql: &'a str) -> Read<Timestamp> {
        self.need(rest, graphql)?;
        self.instant(rest, graphql)?.ok_or_else(|| self.wrong_type("a date and time"))
    }
}
