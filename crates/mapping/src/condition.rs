//! A condition on a source value that stands outside a mapping: a flow's filter. The same language, bounds and checks
//! as `when`; the value is `item`, `source`, or the noun of its schema: `order.test == false`.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde_json::Value;
use toml::de::DeValue;

use crate::compile::Compiler;
use crate::error::{Findings, MappingError};
use crate::expression::Expression;
use crate::fault::{Failure, FaultCode, MapFault};
use crate::path::Path;
use crate::read::Entry;
use crate::schema::Schema;
use crate::types::Ty;

/// A checked condition.
#[derive(Debug)]
pub struct Condition {
    expression: Expression,
    reads: BTreeSet<Path>,
}

impl Condition {
    /// Checks a condition against the schema of its source. `name` stands in its errors, whose places count from the
    /// start of the text.
    ///
    /// # Errors
    /// When it cannot be parsed, is over the bounds, or names a field that is not there.
    pub fn load(name: &str, text: &str, source: &Schema) -> Result<Self, Vec<MappingError>> {
        let mut compiler = Compiler::new(text, Findings::new(name, text), source, source);
        let value = DeValue::String(Cow::Borrowed(text));
        let entry = Entry { key: "condition", key_span: 0..0, value: &value, span: 0..text.len() };
        let checked = compiler.expression(&entry, Some(&Ty::Bool));
        let reads = std::mem::take(&mut compiler.rule_reads);
        match checked {
            Some((expression, _)) => Ok(Self { expression, reads }),
            None => Err(compiler.findings.into_errors()),
        }
    }

    /// Whether it holds; a condition that comes to null does not.
    ///
    /// # Errors
    /// When a value is absent or of another type where the condition does not provide for it.
    pub fn holds(&self, source: &Value) -> Result<bool, MapFault> {
        let inputs = &self.expression.inputs;
        let found: Vec<_> = inputs.iter().map(|input| input.path.follow(source)).collect();
        self.expression.holds(&found).map_err(|Failure { message, value, .. }| MapFault {
            code: FaultCode::Expression,
            source_path: inputs.last().map(|input| input.path.to_string()).unwrap_or_default(),
            target_path: String::new(),
            message,
            value,
        })
    }

    #[cfg(test)]
    pub(crate) fn expression(&self) -> &Expression {
        &self.expression
    }

    /// The condition as it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.expression.text
    }

    /// The source fields that it reads.
    #[must_use]
    pub fn reads(&self) -> &BTreeSet<Path> {
        &self.reads
    }
}
