//! The values of an expression's fields, handed to the interpreter one by one and borrowed where they can be.

use cel::common::types::{CelBool, CelInt, CelList, CelNull, CelString};
use cel::common::value::{CowVal, Val};
use cel::context::VariableResolver;
use serde_json::Value;

use super::Input;

pub(super) struct Values<'a> {
    found: Vec<(Option<&'a Value>, bool, bool)>,
}

impl<'a> Values<'a> {
    pub(super) fn new(inputs: &[Input], found: &[Option<&'a Value>]) -> Self {
        let found =
            inputs.iter().zip(found).map(|(input, value)| (*value, input.presence, input.as_text)).collect();
        Self { found }
    }
}

impl VariableResolver for Values<'_> {
    fn resolve<'b>(&'b self, variable: &str) -> Option<CowVal<'b, 'b>> {
        let index: usize = variable.strip_prefix('v')?.parse().ok()?;
        let (value, presence, as_text) = self.found.get(index)?;
        if *presence {
            return Some(CowVal::owned(CelBool::from(value.is_some())));
        }
        let Some(value) = value else { return Some(CowVal::owned(CelNull)) };
        Some(CowVal::Owned(convert(value, *as_text)))
    }
}

fn convert<'b>(value: &'b Value, as_text: bool) -> Box<dyn Val + 'b> {
    match value {
        Value::String(text) => Box::new(CelString::from(text.as_str())),
        Value::Bool(flag) => Box::new(CelBool::from(*flag)),
        Value::Number(number) => match number.as_i64() {
            Some(integer) if !as_text => Box::new(CelInt::from(integer)),
            _ => Box::new(CelString::from(number.to_string())),
        },
        Value::Array(items) => {
            let items: Vec<Box<dyn Val + 'b>> = items.iter().map(|item| convert(item, as_text)).collect();
            Box::new(CelList::from(items))
        }
        Value::Null | Value::Object(_) => Box::new(CelNull),
    }
}
