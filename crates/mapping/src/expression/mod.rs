//! CEL expressions of `when`, `where` and `expr`. The `cel` crate parses and evaluates them; what may be in them is
//! decided here (`check`): no macros or comprehensions, no floats, bounded size, known fields and types. Fields are
//! resolved to paths at load, so that a run hands over the few values it names and never a tree.
//!
//! Decimals are texts in an expression and are compared with `compare(a, b)`, exactly: -1, 0 or 1.

mod check;
mod kinds;
mod values;

use std::str::FromStr as _;
use std::sync::{Arc, LazyLock};

use cel::common::ast::IdedExpr;
use cel::common::types::{CelInt, CelString, INT_TYPE, STRING_TYPE};
use cel::common::value::CowVal;
use cel::{Context, Env, ExecutionError};
use rust_decimal::Decimal;
use serde_json::Value;

use crate::fault::{Failure, FaultCode};
use crate::path::SourcePath;
use values::Values;

/// A checked expression.
#[derive(Debug)]
pub(crate) struct Expression {
    pub(crate) text: String,
    tree: IdedExpr,
    /// What its variables `v0`, `v1`, … stand for.
    pub(crate) inputs: Vec<Input>,
}

/// One field that an expression names.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Input {
    pub(crate) path: SourcePath,
    /// `has(path)`: only whether there is a value.
    pub(crate) presence: bool,
    /// A JSON number with a fraction, handed over as text.
    pub(crate) as_text: bool,
}

/// What an expression came to.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Outcome {
    Null,
    Bool(bool),
    Integer(i64),
    Text(String),
}

impl Expression {
    /// Evaluates it over the values of its inputs, in their order.
    pub(crate) fn evaluate(&self, found: Vec<Option<&Value>>) -> Result<Outcome, Failure> {
        let values = Values::new(&self.inputs, found);
        let mut context = Context::with_env(Arc::clone(&ENVIRONMENT));
        context.set_variable_resolver(&values);
        let failure = |error: &dyn std::fmt::Display| {
            let message = format!("the expression `{}` ended in an error: {error}", self.text);
            Failure::new(FaultCode::Expression, message)
        };
        match cel::Value::resolve(&self.tree, &context) {
            Ok(cel::Value::Bool(flag)) => Ok(Outcome::Bool(flag)),
            Ok(cel::Value::Int(number)) => Ok(Outcome::Integer(number)),
            Ok(cel::Value::String(text)) => Ok(Outcome::Text(text.as_ref().clone())),
            Ok(cel::Value::Null) => Ok(Outcome::Null),
            Ok(_) => Err(failure(&"it yields neither a text, an integer, a boolean nor null")),
            Err(ExecutionError::NoSuchOverload(error)) => {
                Err(failure(&format!("{error}; guard a field that may be absent with has(…) &&")))
            }
            Err(error) => Err(failure(&reason(&error))),
        }
    }

    /// Evaluates a condition; null is false.
    pub(crate) fn holds(&self, found: Vec<Option<&Value>>) -> Result<bool, Failure> {
        match self.evaluate(found)? {
            Outcome::Bool(flag) => Ok(flag),
            Outcome::Null => Ok(false),
            _ => Err(Failure::new(
                FaultCode::Expression,
                format!("the condition `{}` is neither true nor false", self.text),
            )),
        }
    }
}

/// Why an expression failed, without the values that it held.
fn reason(error: &ExecutionError) -> &'static str {
    match error {
        ExecutionError::DivisionByZero(_) | ExecutionError::RemainderByZero(_) => "division by zero",
        ExecutionError::Overflow(..) => "a number is larger than 64 bits",
        ExecutionError::ValuesNotComparable(..) | ExecutionError::UnsupportedBinaryOperator(..) => {
            "two values cannot be compared or combined; guard a field that may be absent with has(…) &&"
        }
        ExecutionError::FunctionError { .. } => "a function refused its argument",
        _ => "a value has another type than the expression needs",
    }
}

/// CEL's standard functions without macros and without optional values, and `compare`.
static ENVIRONMENT: LazyLock<Arc<Env>> = LazyLock::new(|| Arc::new(environment()));

fn environment() -> Env {
    let mut env = Env::default().with_optional_support(false).with_stdlib();
    let signatures = [
        ("compare_text_text", vec![STRING_TYPE, STRING_TYPE]),
        ("compare_text_int", vec![STRING_TYPE, INT_TYPE]),
        ("compare_int_text", vec![INT_TYPE, STRING_TYPE]),
        ("compare_int_int", vec![INT_TYPE, INT_TYPE]),
    ];
    for (id, types) in signatures {
        // The names are new, so that the declaration cannot clash; a clash would show in every test.
        let declared = env.add_overload("compare", id, types, compare);
        debug_assert!(declared.is_ok());
    }
    env
}

fn compare<'b, 'v>(arguments: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let mut numbers = Vec::with_capacity(2);
    for argument in &arguments {
        let number = match argument.downcast_ref::<CelInt>() {
            Some(number) => Some(Decimal::from(*number.inner())),
            None => {
                argument.downcast_ref::<CelString>().and_then(|text| Decimal::from_str(text.inner()).ok())
            }
        };
        numbers.push(number.ok_or_else(|| ExecutionError::function_error("compare", "not a decimal"))?);
    }
    match numbers.as_slice() {
        [a, b] => Ok(CowVal::owned(CelInt::from(a.cmp(b) as i64))),
        _ => Err(ExecutionError::invalid_argument_count(2, numbers.len())),
    }
}
