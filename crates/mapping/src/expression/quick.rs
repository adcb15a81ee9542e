//! The commonest conditions without the interpreter: flags, `has`, `!`, `&&`, `||`, a text against a fixed one, and
//! `compare`. A rule for each line of an order is asked for each line, and the interpreter takes about a microsecond.
//! Where anything is out of the ordinary it has no answer, and the interpreter, which is the reference, is asked; a
//! property test holds the two together.

use std::cmp::Ordering;
use std::str::FromStr as _;

use cel::common::ast::{CallExpr, Expr, IdedExpr, LiteralValue, operators};
use rust_decimal::Decimal;
use serde_json::Value;

use super::Input;

/// A condition of a plain form.
#[derive(Debug)]
pub(super) enum Quick {
    Fixed(bool),
    Flag(usize),
    Not(Box<Quick>),
    And(Box<Quick>, Box<Quick>),
    Or(Box<Quick>, Box<Quick>),
    Same { input: usize, text: String, equal: bool },
    Compare { a: Number, b: Number, operator: Operator, against: i64 },
}

#[derive(Debug)]
pub(super) enum Number {
    Input(usize),
    Fixed(Decimal),
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Quick {
    /// The plain form of a checked expression, if it has one.
    pub(super) fn of(expr: &IdedExpr) -> Option<Self> {
        match &expr.expr {
            Expr::Literal(LiteralValue::Boolean(flag)) => Some(Self::Fixed(*flag.inner())),
            Expr::Ident(name) => variable(name).map(Self::Flag),
            Expr::Call(call) => Self::of_call(call),
            _ => None,
        }
    }

    fn of_call(call: &CallExpr) -> Option<Self> {
        match (call.func_name.as_str(), call.args.as_slice()) {
            (operators::LOGICAL_NOT, [one]) => Some(Self::Not(Box::new(Self::of(one)?))),
            (operators::LOGICAL_AND, [a, b]) => {
                Some(Self::And(Box::new(Self::of(a)?), Box::new(Self::of(b)?)))
            }
            (operators::LOGICAL_OR, [a, b]) => Some(Self::Or(Box::new(Self::of(a)?), Box::new(Self::of(b)?))),
            (name, [a, b]) => {
                let operator = Operator::of(name)?;
                Self::compare(a, b, operator).or_else(|| Self::same(a, b, operator))
            }
            _ => None,
        }
    }

    /// `item.status == 'open'`
    fn same(a: &IdedExpr, b: &IdedExpr, operator: Operator) -> Option<Self> {
        let (Expr::Ident(name), Expr::Literal(LiteralValue::String(text))) = (&a.expr, &b.expr) else {
            return None;
        };
        let equal = match operator {
            Operator::Equal => true,
            Operator::NotEqual => false,
            _ => return None,
        };
        Some(Self::Same { input: variable(name)?, text: text.inner().to_owned(), equal })
    }

    /// `compare(item.total, '0') > 0`
    fn compare(a: &IdedExpr, b: &IdedExpr, operator: Operator) -> Option<Self> {
        let (Expr::Call(call), Expr::Literal(LiteralValue::Int(against))) = (&a.expr, &b.expr) else {
            return None;
        };
        let ("compare", None, [a, b]) = (call.func_name.as_str(), &call.target, call.args.as_slice()) else {
            return None;
        };
        Some(Self::Compare { a: Number::of(a)?, b: Number::of(b)?, operator, against: *against.inner() })
    }

    /// The answer, if there is a plain one.
    pub(super) fn holds(&self, inputs: &[Input], found: &[Option<&Value>]) -> Option<bool> {
        match self {
            Self::Fixed(flag) => Some(*flag),
            Self::Flag(index) => match (inputs.get(*index)?.presence, found.get(*index)?) {
                (true, value) => Some(value.is_some()),
                (false, Some(Value::Bool(flag))) => Some(*flag),
                _ => None,
            },
            Self::Not(inner) => Some(!inner.holds(inputs, found)?),
            Self::And(a, b) => match a.holds(inputs, found)? {
                true => b.holds(inputs, found),
                false => Some(false),
            },
            Self::Or(a, b) => match a.holds(inputs, found)? {
                true => Some(true),
                false => b.holds(inputs, found),
            },
            Self::Same { input, text, equal } => match found.get(*input)? {
                Some(Value::String(value)) => Some((value == text) == *equal),
                _ => None,
            },
            Self::Compare { a, b, operator, against } => {
                let order = a.value(found)?.cmp(&b.value(found)?) as i64;
                Some(operator.holds(order.cmp(against)))
            }
        }
    }
}

fn variable(name: &str) -> Option<usize> {
    name.strip_prefix('v')?.parse().ok()
}

impl Number {
    fn of(expr: &IdedExpr) -> Option<Self> {
        match &expr.expr {
            Expr::Ident(name) => variable(name).map(Self::Input),
            Expr::Literal(LiteralValue::Int(number)) => Some(Self::Fixed(Decimal::from(*number.inner()))),
            Expr::Literal(LiteralValue::String(text)) => {
                Decimal::from_str(text.inner()).ok().map(Self::Fixed)
            }
            _ => None,
        }
    }

    fn value(&self, found: &[Option<&Value>]) -> Option<Decimal> {
        match self {
            Self::Fixed(number) => Some(*number),
            Self::Input(index) => match found.get(*index)? {
                Some(Value::String(text)) => Decimal::from_str(text).ok(),
                Some(Value::Number(number)) => number.as_i64().map(Decimal::from),
                _ => None,
            },
        }
    }
}

impl Operator {
    fn of(name: &str) -> Option<Self> {
        Some(match name {
            operators::EQUALS => Self::Equal,
            operators::NOT_EQUALS => Self::NotEqual,
            operators::LESS => Self::Less,
            operators::LESS_EQUALS => Self::LessOrEqual,
            operators::GREATER => Self::Greater,
            operators::GREATER_EQUALS => Self::GreaterOrEqual,
            _ => return None,
        })
    }

    fn holds(self, order: Ordering) -> bool {
        match self {
            Self::Equal => order.is_eq(),
            Self::NotEqual => order.is_ne(),
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
        }
    }
}
