//! CEL expressions of `when`, `where` and `expr`. The `cel` crate parses and evaluates them; what may be in them is
//! decided here (`check`): no macros or comprehensions, no floats, bounded size, known fields and types. Fields are
//! resolved to paths at load, so that a run hands over the few values it names and never a tree.
//!
//! Decimals are texts in an expression and are compared with `compare(a, b)`, exactly: -1, 0 or 1.

mod check;
mod kinds;
mod quick;
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
use quick::Quick;
use values::Values;

/// A checked expression.
#[derive(Debug)]
pub(crate) struct Expression {
    pub(crate) text: String,
    tree: IdedExpr,
    /// The same without the interpreter, for conditions of a plain form.
    quick: Option<Quick>,
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
    fn new(text: &str, tree: IdedExpr, inputs: Vec<Input>) -> Self {
        let quick = Quick::of(&tree);
        Self { text: text.to_owned(), tree, quick, inputs }
    }

    /// Evaluates it over the values of its inputs, in their order.
    pub(crate) fn evaluate(&self, found: &[Option<&Value>]) -> Result<Outcome, Failure> {
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
    pub(crate) fn holds(&self, found: &[Option<&Value>]) -> Result<bool, Failure> {
        if let Some(answer) = self.quick.as_ref().and_then(|quick| quick.holds(&self.inputs, found)) {
            return Ok(answer);
        }
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::condition::Condition;
    use crate::schema::Schema;

    fn schema() -> Schema {
        let schema = json!({"type": "object", "required": ["flag", "text", "amount", "count"], "properties": {
            "flag": {"type": "boolean"}, "text": {"type": "string"}, "note": {"type": ["string", "null"]},
            "amount": {"type": "string", "format": "decimal"}, "count": {"type": "integer"}}});
        Schema::new("order/1", &schema).unwrap()
    }

    fn condition() -> impl Strategy<Value = String> {
        let leaf = prop::sample::select(vec![
            "true",
            "item.flag",
            "has(item.note)",
            "has(item.text)",
            "item.text == 'a'",
            "item.text != 'a'",
            "item.note == 'a'",
            "item.note != 'b'",
            "compare(item.amount, 0) > 0",
            "compare(item.amount, '1.50') == 0",
            "compare(item.count, item.amount) <= 0",
            "compare('2', item.amount) != 1",
            "compare(item.amount, 3) >= -1",
            "compare(item.amount, 3) < 0",
        ]);
        let leaf = leaf.prop_map(str::to_owned);
        leaf.prop_recursive(3, 12, 2, |inner| {
            prop_oneof![
                inner.clone().prop_map(|a| format!("!({a})")),
                (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a}) && ({b})")),
                (inner.clone(), inner).prop_map(|(a, b)| format!("({a}) || ({b})")),
            ]
        })
    }

    fn value() -> impl Strategy<Value = Value> {
        let scalar = || {
            prop::sample::select(vec![
                json!(null),
                json!(true),
                json!(false),
                json!("a"),
                json!("b"),
                json!("1.5"),
                json!("-2"),
                json!("x"),
                json!(""),
                json!(3),
                json!(0.5),
                json!(u64::MAX),
                json!([]),
            ])
        };
        (scalar(), scalar(), scalar(), scalar(), scalar()).prop_map(|(flag, text, note, amount, count)| {
            json!({"flag": flag, "text": text, "note": note, "amount": amount, "count": count})
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn the_quick_answer_is_that_of_the_interpreter(text in condition(), value in value()) {
            let schema = schema();
            let condition = Condition::load("test", &text, &schema).unwrap();
            let expression = condition.expression();
            let found: Vec<_> = expression.inputs.iter().map(|input| input.path.follow(&value)).collect();
            let quick = expression.quick.as_ref().expect("each of these has a plain form");
            if let Some(answer) = quick.holds(&expression.inputs, &found) {
                prop_assert_eq!(expression.evaluate(&found).unwrap(), Outcome::Bool(answer), "{} on {}", text, value);
            }
        }
    }
}
