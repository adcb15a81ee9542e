//! Values: the verbs that yield one, and its way through the steps.

use std::borrow::Cow;

use rust_decimal::Decimal;
use serde_json::Value;

use super::Runner;
use super::place::Frame;
use super::steps::{self, Exact, combine, round};
use super::val::Val;
use crate::dates::write_instant;
use crate::expression::{Expression, Outcome};
use crate::fault::{Failure, FaultCode};
use crate::path::SourcePath;
use crate::plan::{Operation, Rounding, Source, Step, ValuePlan};

impl<'a> Runner<'a> {
    /// The value of a source, through its steps.
    pub(super) fn value(&mut self, plan: &'a ValuePlan) -> Result<Val<'a>, Failure> {
        let mut value = self.source(&plan.source)?;
        self.trace_step(plan.source.verb().name(), &value);
        for step in &plan.steps {
            if value.is_absent() {
                break;
            }
            value = self.step(step, value)?;
            self.trace_step(step.verb().name(), &value);
        }
        if value.is_absent()
            && let Some(default) = &plan.default
        {
            value = Val::Json(default);
            self.trace_step("default", &value);
        }
        Ok(value)
    }

    /// One step; on a list, for each of its items.
    fn step(&mut self, step: &'a Step, value: Val<'a>) -> Result<Val<'a>, Failure> {
        let items = match value {
            Val::List(items) => items,
            Val::Json(Value::Array(items)) => items.iter().map(|item| Val::of(Some(item))).collect(),
            single => return self.step_single(step, single),
        };
        let mut changed = Vec::with_capacity(items.len());
        for item in items {
            let item = if item.is_absent() { item } else { self.step_single(step, item)? };
            if !item.is_absent() {
                changed.push(item);
            }
        }
        Ok(Val::List(changed))
    }

    fn step_single(&mut self, step: &'a Step, value: Val<'a>) -> Result<Val<'a>, Failure> {
        let Step::Arithmetic { operation, operand, rounding } = step else {
            return steps::apply(step, value, self.context);
        };
        let operand = self.value(operand)?;
        if operand.is_absent() {
            return Ok(Val::Absent);
        }
        let exact = Exact::unless(*rounding);
        let result = combine(*operation, value.decimal()?, operand.decimal()?, exact)?;
        Ok(Val::Decimal(rounding.map_or(result, |rounding| round(result, rounding))))
    }

    fn source(&mut self, source: &'a Source) -> Result<Val<'a>, Failure> {
        match source {
            Source::Copy(path) if path.is_many() => Ok(self.read_many(path)),
            Source::Copy(path) => {
                let value = Val::of(self.read(path));
                self.trace_read(path, &value);
                Ok(value)
            }
            Source::Constant(value) => Ok(Val::Json(value)),
            Source::ObjectKey => Ok(Val::Text(Cow::Borrowed(&self.context.object_key))),
            Source::RootKey => Ok(Val::Text(Cow::Borrowed(&self.context.root_key))),
            Source::Now => Ok(Val::Text(Cow::Owned(write_instant(self.context.now, &self.context.zone)))),
            Source::ExternalRef(system) => {
                let found = self.context.external_refs.get(system);
                Ok(found.map_or(Val::Absent, |id| Val::Text(Cow::Borrowed(id))))
            }
            Source::First(of) => {
                for plan in of {
                    let value = self.value(plan)?;
                    if !value.is_blank() {
                        return Ok(value);
                    }
                }
                Ok(Val::Absent)
            }
            Source::Join { of, with } => self.join(of, Some(with)),
            Source::Concat(of) => self.join(of, None),
            Source::Sum { over, of: None, .. } => self.sum(over),
            Source::Sum { over, of: Some(of), keep } => self.sum_of(over, of, keep.as_deref()),
            Source::Count(path) => self.count(path),
            Source::Arithmetic { operation, of, rounding } => self.arithmetic(*operation, of, *rounding),
            Source::Expr(expression) => {
                let found = self.inputs(expression);
                Ok(match expression.evaluate(&found)? {
                    Outcome::Null => Val::Absent,
                    Outcome::Bool(flag) => Val::Bool(flag),
                    Outcome::Integer(number) => Val::Integer(number),
                    Outcome::Text(text) => Val::Text(Cow::Owned(text)),
                })
            }
        }
    }

    /// From left to right; without one of the operands there is no result.
    fn arithmetic(
        &mut self,
        operation: Operation,
        of: &'a [ValuePlan],
        rounding: Option<Rounding>,
    ) -> Result<Val<'a>, Failure> {
        let mut result = None;
        for plan in of {
            let next = self.value(plan)?;
            if next.is_absent() {
                return Ok(Val::Absent);
            }
            let next = next.decimal()?;
            result = Some(match result {
                Some(before) => combine(operation, before, next, Exact::unless(rounding))?,
                None => next,
            });
        }
        Ok(match (result, rounding) {
            (Some(result), Some(rounding)) => Val::Decimal(round(result, rounding)),
            (Some(result), None) => Val::Decimal(result),
            (None, _) => Val::Absent,
        })
    }

    /// Texts with a separator between those that are not blank; without one, all of them or nothing.
    fn join(&mut self, of: &'a [ValuePlan], with: Option<&str>) -> Result<Val<'a>, Failure> {
        let mut joined = String::new();
        let (mut present, mut any) = (false, false);
        for plan in of {
            let value = self.value(plan)?;
            match with {
                None if value.is_absent() => return Ok(Val::Absent),
                Some(_) if value.is_blank() => {
                    present |= !value.is_absent();
                    continue;
                }
                _ => present = true,
            }
            let parts = match value {
                Val::List(items) => items,
                Val::Json(Value::Array(items)) => items.iter().map(|item| Val::of(Some(item))).collect(),
                one => vec![one],
            };
            for part in parts {
                if let (true, Some(with)) = (any, with) {
                    joined.push_str(with);
                }
                joined.push_str(&part.text()?);
                any = true;
            }
        }
        Ok(if present { Val::Text(Cow::Owned(joined)) } else { Val::Absent })
    }

    /// The sum of the values that a path leads to.
    fn sum(&mut self, over: &'a SourcePath) -> Result<Val<'a>, Failure> {
        let values = self.read_many(over);
        let mut total = Decimal::ZERO;
        if let Val::List(values) = &values {
            for value in values {
                total = combine(Operation::Add, total, value.decimal()?, Exact::Yes)?;
            }
        }
        Ok(Val::Decimal(total))
    }

    /// The sum of a value of each item of a list; items without it count as nothing.
    fn sum_of(
        &mut self,
        over: &'a SourcePath,
        of: &'a ValuePlan,
        keep: Option<&'a Expression>,
    ) -> Result<Val<'a>, Failure> {
        let base = self.base(over);
        let mut total = Decimal::ZERO;
        for (positions, item) in self.items(over)?.unwrap_or_default() {
            self.frames.push(Frame { value: item, from: Some((base, over, positions)) });
            let kept = match keep {
                Some(keep) => self.condition(keep)?,
                None => true,
            };
            let value = if kept { self.value(of)? } else { Val::Absent };
            if !value.is_absent() {
                total = combine(Operation::Add, total, value.decimal()?, Exact::Yes)?;
            }
            self.frames.pop();
        }
        Ok(Val::Decimal(total))
    }

    fn count(&mut self, path: &'a SourcePath) -> Result<Val<'a>, Failure> {
        let count = if path.is_many() {
            let mut count = 0_usize;
            path.each(self.frames[self.base(path)].value, &mut |_, _| count += 1);
            count
        } else {
            self.read(path).and_then(Value::as_array).map_or(0, Vec::len)
        };
        i64::try_from(count)
            .map(Val::Integer)
            .map_err(|_| Failure::new(FaultCode::TooLarge, "a list is too long to be counted"))
    }
}
