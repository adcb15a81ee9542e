//! The types a mapping is checked with, and when a value of one may be written to a field of another.
//! Nothing is converted here: a conversion is a verb that the mapping names.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr as _;
use std::sync::Arc;

use rust_decimal::Decimal;
use serde_json::Value;

/// What a value is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Ty {
    /// Not known before the mapping runs.
    Any,
    Bool,
    Integer,
    /// A JSON number with a fraction: exact only as far as a double is.
    Number,
    Text(Text),
    List(Box<Ty>),
    Object,
    /// A reference marker of a kind.
    Reference(String),
}

/// What a text may hold.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Text {
    pub(crate) format: Format,
    pub(crate) allowed: Option<Arc<BTreeSet<String>>>,
    pub(crate) chars_max: Option<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Format {
    #[default]
    Plain,
    Decimal,
    Date,
    DateTime,
}

impl Ty {
    pub(crate) const DECIMAL: Self = Self::text(Format::Decimal);
    pub(crate) const DATE: Self = Self::text(Format::Date);
    pub(crate) const DATE_TIME: Self = Self::text(Format::DateTime);
    pub(crate) const PLAIN: Self = Self::text(Format::Plain);

    const fn text(format: Format) -> Self {
        Self::Text(Text { format, allowed: None, chars_max: None })
    }

    /// True if arithmetic may take it: decimals as text, and JSON numbers.
    pub(crate) fn is_numeric(&self) -> bool {
        match self {
            Self::Any | Self::Integer | Self::Number => true,
            Self::Text(text) => text.format == Format::Decimal,
            _ => false,
        }
    }

    /// True if it is one value, neither a list nor an object.
    pub(crate) fn is_scalar(&self) -> bool {
        !matches!(self, Self::List(_) | Self::Object)
    }
}

impl fmt::Display for Ty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("any value"),
            Self::Bool => f.write_str("boolean"),
            Self::Integer => f.write_str("integer"),
            Self::Number => f.write_str("number"),
            Self::Object => f.write_str("object"),
            Self::List(item) => write!(f, "list of {item}"),
            Self::Reference(kind) => write!(f, "reference to a {kind}"),
            Self::Text(text) => match (text.format, &text.allowed) {
                (Format::Decimal, _) => f.write_str("decimal"),
                (Format::Date, _) => f.write_str("date"),
                (Format::DateTime, _) => f.write_str("date and time"),
                (Format::Plain, Some(allowed)) => {
                    let shown: Vec<&str> = allowed.iter().take(8).map(String::as_str).collect();
                    let more = if allowed.len() > 8 { ", …" } else { "" };
                    write!(f, "one of {}{more}", shown.join(", "))
                }
                (Format::Plain, None) => f.write_str("text"),
            },
        }
    }
}

/// The type of an expression of the mapping.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Typed {
    pub(crate) ty: Ty,
    /// It may be absent or null.
    pub(crate) optional: bool,
    /// The value itself, where it stands in the mapping.
    pub(crate) literal: Option<Value>,
}

impl Typed {
    pub(crate) fn new(ty: Ty, optional: bool) -> Self {
        Self { ty, optional, literal: None }
    }

    pub(crate) fn literal(value: &Value) -> Self {
        let ty = match value {
            Value::Bool(_) => Ty::Bool,
            Value::Number(number) if number.is_i64() || number.is_u64() => Ty::Integer,
            Value::Number(_) => Ty::Number,
            Value::String(_) => Ty::PLAIN,
            Value::Array(_) => Ty::List(Box::new(Ty::Any)),
            Value::Object(_) => Ty::Object,
            Value::Null => Ty::Any,
        };
        Self { ty, optional: false, literal: Some(value.clone()) }
    }
}

impl Typed {
    /// The type that the first step sees: a constant that reads as a decimal or a date is one.
    pub(crate) fn for_steps(self) -> Self {
        let ty = match (&self.literal, &self.ty) {
            (Some(value), Ty::Text(_)) => [Ty::DECIMAL, Ty::DATE, Ty::DATE_TIME]
                .into_iter()
                .find(|ty| conforms(value, ty).is_ok())
                .unwrap_or(Ty::PLAIN),
            (_, ty) => ty.clone(),
        };
        Self { ty, optional: self.optional, literal: None }
    }
}

/// May a value be written to a field?
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fit {
    Yes,
    /// It depends on the value: checked at each run.
    AtRun,
    No(String),
}

/// Whether what `from` yields may be written to a field of type `to`.
pub(crate) fn fits(from: &Typed, to: &Ty) -> Fit {
    match &from.literal {
        Some(value) => match conforms(value, to) {
            Ok(()) => Fit::Yes,
            Err(reason) => Fit::No(reason),
        },
        None => ty_fits(&from.ty, to),
    }
}

fn ty_fits(from: &Ty, to: &Ty) -> Fit {
    match (from, to) {
        (_, Ty::Any) => Fit::Yes,
        (Ty::Any, _) => Fit::AtRun,
        (Ty::Bool, Ty::Bool) | (Ty::Integer, Ty::Integer) | (Ty::Integer | Ty::Number, Ty::Number) => {
            Fit::Yes
        }
        (Ty::Text(from), Ty::Text(to)) => text_fits(from, to),
        (Ty::List(from), Ty::List(to)) => ty_fits(from, to),
        (Ty::Reference(from), Ty::Reference(to)) if from == to => Fit::Yes,
        (Ty::Text(_), Ty::Reference(kind)) => {
            Fit::No(format!("a reference is wanted: end with {{ reference = \"{kind}\" }}"))
        }
        (Ty::Text(text), Ty::Integer | Ty::Number) if text.format == Format::Decimal => {
            Fit::No("a decimal is text; end with { as = \"integer\" } or { as = \"number\" }".to_owned())
        }
        (Ty::Integer | Ty::Number, Ty::Text(text)) if text.format == Format::Decimal => {
            Fit::No("end with { as = \"decimal\" }".to_owned())
        }
        (Ty::Integer | Ty::Number | Ty::Bool, Ty::Text(_)) => {
            Fit::No("end with { as = \"text\" }".to_owned())
        }
        _ => Fit::No(String::new()),
    }
}

fn text_fits(from: &Text, to: &Text) -> Fit {
    match (from.format, to.format) {
        (_, Format::Plain) => {}
        (from, to) if from == to => {}
        (_, Format::Decimal) => {
            return Fit::No("turn it into one with { as = \"decimal\" } or { scale = 2 }".to_owned());
        }
        (Format::DateTime, Format::Date) => {
            return Fit::No("take the day with { date = \"ZONE\" }".to_owned());
        }
        (_, Format::Date | Format::DateTime) => {
            return Fit::No("read it with { parse = \"%Y-%m-%d\" }".to_owned());
        }
    }
    if let Some(allowed) = &to.allowed {
        let Some(possible) = &from.allowed else {
            return Fit::No(format!("only {} fit; translate with {{ look_up = … }}", Ty::Text(to.clone())));
        };
        let strange: Vec<&str> =
            possible.iter().filter(|text| !allowed.contains(*text)).map(String::as_str).collect();
        if !strange.is_empty() {
            return Fit::No(format!("it may be {}, which the target does not know", strange.join(", ")));
        }
    }
    match (from.chars_max, to.chars_max, &from.allowed) {
        (_, None, _) => Fit::Yes,
        (Some(from), Some(to), _) if from <= to => Fit::Yes,
        (_, Some(to), Some(possible)) if possible.iter().all(|text| text.chars().count() <= to) => Fit::Yes,
        _ => Fit::AtRun,
    }
}

/// Checks a value against a type. The error says what to do, without the value.
pub(crate) fn conforms(value: &Value, to: &Ty) -> Result<(), String> {
    let ok = match (to, value) {
        (Ty::Any, _) | (Ty::Bool, Value::Bool(_)) | (Ty::Number, Value::Number(_)) => true,
        (Ty::Integer, Value::Number(number)) => number.is_i64() || number.is_u64(),
        (Ty::Text(text), Value::String(value)) => return text_conforms(value, text),
        (Ty::List(item), Value::Array(items)) => {
            return items.iter().try_for_each(|value| conforms(value, item));
        }
        (Ty::Object, Value::Object(_)) => true,
        (Ty::Reference(kind), Value::Object(object)) => object
            .get("$ref")
            .and_then(|inner| inner.get("kind"))
            .is_some_and(|found| found.as_str() == Some(kind)),
        _ => false,
    };
    if ok { Ok(()) } else { Err(format!("{to} expected")) }
}

fn text_conforms(value: &str, text: &Text) -> Result<(), String> {
    let ok = match text.format {
        Format::Plain => true,
        Format::Decimal => Decimal::from_str(value).is_ok(),
        Format::Date => jiff::civil::Date::from_str(value).is_ok() && value.len() == 10,
        Format::DateTime => jiff::Timestamp::from_str(value).is_ok(),
    };
    if !ok {
        return Err(format!("{} expected", Ty::Text(text.clone())));
    }
    if text.allowed.as_ref().is_some_and(|allowed| !allowed.contains(value)) {
        return Err(format!("{} expected", Ty::Text(text.clone())));
    }
    match text.chars_max {
        Some(max) if value.chars().count() > max => {
            Err(format!("longer than the {max} characters that fit; cut it with {{ truncate = {max} }}"))
        }
        _ => Ok(()),
    }
}

/// The type of a value that is either of two.
pub(crate) fn either(a: &Typed, b: &Typed) -> Typed {
    let optional = a.optional && b.optional;
    let ty = match (&a.literal, &b.literal) {
        (_, Some(value)) => with_literal(&a.ty, value),
        (Some(value), None) => with_literal(&b.ty, value),
        (None, None) => either_ty(&a.ty, &b.ty),
    };
    Typed::new(ty, optional)
}

/// A type and one more value that it may have: `"0.00"` beside a decimal leaves a decimal.
fn with_literal(ty: &Ty, value: &Value) -> Ty {
    if let (Ty::Text(text), Value::String(literal)) = (ty, value) {
        let bare = Text { allowed: None, chars_max: None, ..text.clone() };
        if text_conforms(literal, &bare).is_ok() {
            let allowed = text.allowed.as_ref().map(|allowed| {
                let mut allowed = BTreeSet::clone(allowed);
                allowed.insert(literal.clone());
                Arc::new(allowed)
            });
            let chars_max = text.chars_max.map(|max| max.max(literal.chars().count()));
            return Ty::Text(Text { format: text.format, allowed, chars_max });
        }
    }
    if conforms(value, ty).is_ok() { ty.clone() } else { either_ty(ty, &Typed::literal(value).ty) }
}

fn either_ty(a: &Ty, b: &Ty) -> Ty {
    match (a, b) {
        (a, b) if a == b => a.clone(),
        (Ty::Integer | Ty::Number, Ty::Integer | Ty::Number) => Ty::Number,
        (Ty::Text(a), Ty::Text(b)) => {
            let format = if a.format == b.format { a.format } else { Format::Plain };
            let allowed = match (&a.allowed, &b.allowed) {
                (Some(a), Some(b)) => Some(Arc::new(a.union(b).cloned().collect())),
                _ => None,
            };
            let chars_max = a.chars_max.zip(b.chars_max).map(|(a, b)| a.max(b));
            Ty::Text(Text { format, allowed, chars_max })
        }
        _ => Ty::Any,
    }
}
