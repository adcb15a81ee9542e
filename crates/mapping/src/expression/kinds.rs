//! The types of an expression's parts: what goes with which operator and function, and what is refused.

use cel::common::ast::{CallExpr, LiteralValue, operators};

use crate::error::LoadCode;
use crate::nearest::suggest;
use crate::types::{Format, Ty};

const FUNCTIONS: [&str; 8] =
    ["has", "compare", "size", "contains", "startsWith", "endsWith", "string", "int"];

/// What an expression's part yields.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    Bool,
    Integer,
    Text,
    /// A text that stands for a number or an instant: neither compared nor added as text.
    Exact(&'static str),
    List(Box<Kind>),
    Null,
    Any,
}

impl Kind {
    pub(super) fn of(ty: &Ty) -> Option<Self> {
        Some(match ty {
            Ty::Any => Self::Any,
            Ty::Bool => Self::Bool,
            Ty::Integer => Self::Integer,
            Ty::Number => Self::Exact("number"),
            Ty::Text(text) => match text.format {
                Format::Decimal => Self::Exact("decimal"),
                Format::DateTime => Self::Exact("date and time"),
                Format::Plain | Format::Date => Self::Text,
            },
            Ty::List(item) => Self::List(Box::new(Self::of(item)?)),
            Ty::Object | Ty::Reference(_) => return None,
        })
    }

    pub(super) fn name(&self) -> String {
        match self {
            Self::Bool => "boolean".to_owned(),
            Self::Integer => "integer".to_owned(),
            Self::Text => "text".to_owned(),
            Self::Exact(name) => (*name).to_owned(),
            Self::List(item) => format!("list of {}", item.name()),
            Self::Null => "null".to_owned(),
            Self::Any => "any value".to_owned(),
        }
    }

    pub(super) fn may_be(&self, other: &Self) -> bool {
        self == other || matches!(self, Self::Any | Self::Null) || matches!(other, Self::Any | Self::Null)
    }
}

/// A finding and the part of the expression that it is about.
pub(super) struct Refusal {
    pub(super) at: u64,
    pub(super) code: LoadCode,
    pub(super) message: String,
    pub(super) help: String,
}

pub(super) type Checked = Result<Kind, Refusal>;

pub(super) fn refuse<T>(at: u64, code: LoadCode, message: String, help: &str) -> Result<T, Refusal> {
    Err(Refusal { at, code, message, help: help.to_owned() })
}

pub(super) fn literal_kind(id: u64, literal: &LiteralValue) -> Checked {
    match literal {
        LiteralValue::Boolean(_) => Ok(Kind::Bool),
        LiteralValue::Int(_) => Ok(Kind::Integer),
        LiteralValue::String(_) => Ok(Kind::Text),
        LiteralValue::Null => Ok(Kind::Null),
        LiteralValue::Double(_) => refuse(
            id,
            LoadCode::ExpressionBounds,
            "numbers with a fraction are refused: they are not exact".to_owned(),
            "compare decimals as text: compare(item.total, \"99.95\") > 0",
        ),
        LiteralValue::Bytes(_) | LiteralValue::UInt(_) => {
            refuse(id, LoadCode::ExpressionBounds, "this kind of literal is refused".to_owned(), "")
        }
    }
}

pub(super) fn call_kind(id: u64, name: &str, kinds: &[Kind], call: &CallExpr) -> Checked {
    let mismatch = |what: &str, help: &str| {
        let found: Vec<String> = kinds.iter().map(Kind::name).collect();
        refuse(id, LoadCode::ExpressionType, format!("{what}; here: {}", found.join(" and ")), help)
    };
    let all = |kind: &Kind| kinds.iter().all(|found| found.may_be(kind));
    let exact = kinds.iter().any(|kind| matches!(kind, Kind::Exact(_)));
    match name {
        operators::LOGICAL_AND | operators::LOGICAL_OR | operators::LOGICAL_NOT => {
            if all(&Kind::Bool) {
                Ok(Kind::Bool)
            } else {
                mismatch("`&&`, `||` and `!` take booleans", "")
            }
        }
        operators::CONDITIONAL => match kinds {
            [condition, a, b] if condition.may_be(&Kind::Bool) && a.may_be(b) => {
                Ok(if *a == Kind::Null { b.clone() } else { a.clone() })
            }
            _ => mismatch("`? :` takes a boolean and two values of one type", ""),
        },
        operators::EQUALS | operators::NOT_EQUALS => {
            let against_null = kinds.contains(&Kind::Null);
            match kinds {
                _ if exact && !against_null => mismatch(
                    "`==` compares letters, not numbers or instants",
                    "use compare(a, b) == 0 for decimals",
                ),
                [a, b] if a.may_be(b) => Ok(Kind::Bool),
                _ => mismatch("both sides of `==` have one type", ""),
            }
        }
        operators::LESS | operators::LESS_EQUALS | operators::GREATER | operators::GREATER_EQUALS => {
            if exact {
                return mismatch(
                    "`<` compares letters, not numbers or instants",
                    "use compare(a, b) < 0 for decimals",
                );
            }
            if all(&Kind::Integer) || all(&Kind::Text) {
                Ok(Kind::Bool)
            } else {
                mismatch("both sides of `<` are integers or texts", "")
            }
        }
        operators::ADD if !exact && all(&Kind::Integer) => Ok(Kind::Integer),
        operators::ADD if !exact && all(&Kind::Text) => Ok(Kind::Text),
        operators::ADD => {
            mismatch("`+` takes two integers or two texts", "decimals are added by the verb `add`")
        }
        operators::SUBSTRACT
        | operators::MULTIPLY
        | operators::DIVIDE
        | operators::MODULO
        | operators::NEGATE => {
            if all(&Kind::Integer) {
                Ok(Kind::Integer)
            } else {
                mismatch(
                    "arithmetic takes integers",
                    "decimals have the verbs add, subtract, multiply, divide",
                )
            }
        }
        operators::IN => match kinds {
            [item, Kind::List(items)] if item.may_be(items) => Ok(Kind::Bool),
            [_, Kind::Any] => Ok(Kind::Bool),
            _ => mismatch("`in` takes a value and a list of such values", ""),
        },
        _ => function_kind(id, name, kinds, call, &mismatch),
    }
}

fn function_kind(
    id: u64,
    name: &str,
    kinds: &[Kind],
    call: &CallExpr,
    mismatch: &dyn Fn(&str, &str) -> Checked,
) -> Checked {
    let text = |kind: &Kind| kind.may_be(&Kind::Text);
    match (name, kinds) {
        ("compare", [a, b]) if call.target.is_none() => {
            let number = |kind: &Kind| {
                matches!(kind, Kind::Exact("decimal" | "number") | Kind::Integer | Kind::Any | Kind::Text)
            };
            let numeric =
                |kind: &Kind| matches!(kind, Kind::Exact("decimal" | "number") | Kind::Integer | Kind::Any);
            if number(a) && number(b) && (numeric(a) || numeric(b)) {
                Ok(Kind::Integer)
            } else {
                mismatch(
                    "`compare` takes two decimals",
                    "write a fixed one as text: compare(item.total, \"99.95\")",
                )
            }
        }
        ("size", [one]) if text(one) || matches!(one, Kind::List(_)) => Ok(Kind::Integer),
        ("contains" | "startsWith" | "endsWith", [a, b]) if call.target.is_some() && text(a) && text(b) => {
            Ok(Kind::Bool)
        }
        ("string", [Kind::Integer | Kind::Bool | Kind::Text | Kind::Any | Kind::Exact(_)]) => Ok(Kind::Text),
        ("int", [Kind::Integer | Kind::Text | Kind::Any]) => Ok(Kind::Integer),
        _ if FUNCTIONS.contains(&name) => mismatch(&format!("`{name}` does not take this"), ""),
        _ => refuse(
            id,
            LoadCode::ExpressionBounds,
            format!("there is no function `{name}` in an expression"),
            &suggest(name, FUNCTIONS),
        ),
    }
}
