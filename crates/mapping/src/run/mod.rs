//! Follows a checked plan over one source value. No clock, no network, no parsing; what it needs beside the source is
//! in the context. The first fault ends a run; an explanation goes on after it.

mod steps;
mod val;

use std::borrow::Cow;
use std::fmt::Write as _;

use rust_decimal::Decimal;
use serde_json::{Map, Value};

use crate::dates::write_instant;
use crate::explain::Trace;
use crate::expression::{Expression, Outcome};
use crate::fault::{Failure, FaultCode, MapFault};
use crate::mapping::Context;
use crate::path::{Base, SourcePath};
use crate::plan::{Absent, Body, FieldPlan, Operation, Rounding, RulePlan, Source, Step, ValuePlan};
use crate::types::conforms;
use steps::{Exact, combine, round};
use val::Val;

/// Fields that one run may write: far beyond any real order, near enough to bound the work.
const FIELDS_MAX: usize = 200_000;

/// An item that paths start from.
struct Frame<'a> {
    value: &'a Value,
    /// How its own path was found: from which frame, by which path, at which position.
    from: Option<(usize, &'a SourcePath, Option<usize>)>,
}

pub(crate) struct Runner<'a> {
    context: &'a Context,
    frames: Vec<Frame<'a>>,
    target: Vec<(&'a [String], Option<usize>)>,
    last_read: Option<(usize, &'a SourcePath)>,
    fields_left: usize,
    trace: Option<Trace>,
}

impl<'a> Runner<'a> {
    pub(crate) fn new(source: &'a Value, context: &'a Context, trace: Option<Trace>) -> Self {
        Self {
            context,
            frames: vec![Frame { value: source, from: None }],
            target: Vec::new(),
            last_read: None,
            fields_left: FIELDS_MAX,
            trace,
        }
    }

    /// What was noted for an explanation.
    pub(crate) fn into_trace(self) -> Option<Trace> {
        self.trace
    }

    /// Writes the fields of one target object.
    pub(crate) fn fields(&mut self, plans: &'a [FieldPlan]) -> Result<Map<String, Value>, MapFault> {
        let mut object = Map::new();
        let (depth, frames) = (self.target.len(), self.frames.len());
        for plan in plans {
            self.target.push((&plan.to, None));
            let value = match (self.field(plan), &mut self.trace) {
                (Err(fault), Some(trace)) => {
                    trace.fault(fault);
                    self.frames.truncate(frames);
                    None
                }
                (value, _) => value?,
            };
            self.target.truncate(depth);
            if let Some(value) = value {
                put(&mut object, &plan.to, value);
            }
        }
        Ok(object)
    }

    fn field(&mut self, plan: &'a FieldPlan) -> Result<Option<Value>, MapFault> {
        self.last_read = None;
        self.fields_left = self.fields_left.checked_sub(1).ok_or_else(|| {
            self.fault(Failure::new(
                FaultCode::TooLarge,
                format!("more than {FIELDS_MAX} fields would be written"),
            ))
        })?;
        if plan.append {
            return self.appended(plan);
        }
        for rule in &plan.rules {
            self.trace_rule(rule);
            if !self.applies(rule)? {
                continue;
            }
            let value = match &rule.body {
                Body::Value(value) => self.value(value).map_err(|failure| self.fault(failure))?.into_json(),
                Body::Each { over, keep, fields } => {
                    self.each(over, keep.as_ref(), fields, 0)?.map(Value::Array)
                }
                Body::Within { over, fields } => self.within(over.as_ref(), fields, plan.absent)?,
            };
            let Some(value) = value else { continue };
            if let Some(ty) = &rule.check
                && let Err(reason) = conforms(&value, ty)
            {
                let failure = Failure::with_value(FaultCode::DoesNotFit, reason, &value.to_string());
                return Err(self.fault(failure));
            }
            self.trace_written(rule, &value);
            return Ok(Some(value));
        }
        match plan.absent {
            Absent::Omit => {
                self.trace_absent("left out: no value");
                Ok(None)
            }
            Absent::Null => {
                self.trace_absent("null: no value");
                Ok(Some(Value::Null))
            }
            Absent::Fault => Err(self.fault(Failure::new(
                FaultCode::Missing,
                "the target requires this field and the source has no value for it",
            ))),
        }
    }

    /// A list that several rules add to.
    fn appended(&mut self, plan: &'a FieldPlan) -> Result<Option<Value>, MapFault> {
        let mut items = Vec::new();
        let mut present = false;
        for rule in &plan.rules {
            let Body::Each { over, keep, fields } = &rule.body else { continue };
            if !self.applies(rule)? {
                continue;
            }
            if let Some(more) = self.each(over, keep.as_ref(), fields, items.len())? {
                present = true;
                items.extend(more);
            }
        }
        match plan.absent {
            Absent::Omit if !present => Ok(None),
            Absent::Null if !present => Ok(Some(Value::Null)),
            _ => Ok(Some(Value::Array(items))),
        }
    }

    fn applies(&mut self, rule: &'a RulePlan) -> Result<bool, MapFault> {
        let Some(when) = &rule.when else { return Ok(true) };
        let holds = self.holds(when)?;
        if !holds && let Some(trace) = &mut self.trace {
            trace.note(format!("line {}: not when {}", rule.line, when.text));
        }
        Ok(holds)
    }

    fn holds(&mut self, condition: &'a Expression) -> Result<bool, MapFault> {
        let found = self.inputs(condition);
        condition.holds(found).map_err(|failure| self.fault(failure))
    }

    fn inputs(&mut self, expression: &'a Expression) -> Vec<Option<&'a Value>> {
        let mut found = Vec::with_capacity(expression.inputs.len());
        for input in &expression.inputs {
            let value = self.read(&input.path);
            self.trace_read(&input.path, &Val::of(value));
            found.push(value);
        }
        found
    }

    /// One item for each item of a source list; `first` is the position of the first of them.
    fn each(
        &mut self,
        over: &'a SourcePath,
        keep: Option<&'a Expression>,
        fields: &'a [FieldPlan],
        first: usize,
    ) -> Result<Option<Vec<Value>>, MapFault> {
        let base = self.base(over);
        let Some(list) = self.read(over) else { return Ok(None) };
        let Some(items) = list.as_array() else {
            return Err(self.fault(Failure::new(FaultCode::NotConvertible, "a list was expected")));
        };
        let mut written = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            self.frames.push(Frame { value: item, from: Some((base, over, Some(index))) });
            if let Some(place) = self.target.last_mut() {
                place.1 = Some(first + written.len());
            }
            let kept = match keep {
                Some(keep) => self.holds(keep)?,
                None => true,
            };
            if kept {
                written.push(Value::Object(self.fields(fields)?));
            }
            self.frames.pop();
        }
        if let Some(place) = self.target.last_mut() {
            place.1 = None;
        }
        Ok(Some(written))
    }

    fn within(
        &mut self,
        over: Option<&'a SourcePath>,
        fields: &'a [FieldPlan],
        absent: Absent,
    ) -> Result<Option<Value>, MapFault> {
        if let Some(over) = over {
            let base = self.base(over);
            let Some(value) = self.read(over) else { return Ok(None) };
            self.frames.push(Frame { value, from: Some((base, over, None)) });
        }
        let object = self.fields(fields)?;
        if over.is_some() {
            self.frames.pop();
        }
        if object.is_empty() && absent == Absent::Omit {
            return Ok(None);
        }
        Ok(Some(Value::Object(object)))
    }

    /// The value of a source, through its steps.
    fn value(&mut self, plan: &'a ValuePlan) -> Result<Val<'a>, Failure> {
        let mut value = self.source(&plan.source)?;
        self.trace_step(plan.source.verb().name(), &value);
        for step in &plan.steps {
            if value.is_absent() {
                break;
            }
            value = match step {
                Step::Arithmetic { operation, operand, rounding } => {
                    let operand = self.value(operand)?;
                    if operand.is_absent() {
                        Val::Absent
                    } else {
                        let exact = Exact::unless(*rounding);
                        let result = combine(*operation, value.decimal()?, operand.decimal()?, exact)?;
                        Val::Decimal(rounding.map_or(result, |rounding| round(result, rounding)))
                    }
                }
                step => steps::apply(step, value, self.context)?,
            };
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
            Source::Sum { over, of } => self.sum(over, of.as_deref()),
            Source::Count(path) => self.count(path),
            Source::Arithmetic { operation, of, rounding } => self.arithmetic(*operation, of, *rounding),
            Source::Expr(expression) => {
                let found = self.inputs(expression);
                Ok(match expression.evaluate(found)? {
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

    /// Texts one after the other; with a separator, blank ones are left out.
    fn join(&mut self, of: &'a [ValuePlan], with: Option<&str>) -> Result<Val<'a>, Failure> {
        let mut joined = String::new();
        let mut any = false;
        for plan in of {
            let value = self.value(plan)?;
            if value.is_absent() || (with.is_some() && value.is_blank()) {
                continue;
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
        Ok(if any { Val::Text(Cow::Owned(joined)) } else { Val::Absent })
    }

    fn sum(&mut self, over: &'a SourcePath, of: Option<&'a ValuePlan>) -> Result<Val<'a>, Failure> {
        let mut total = Decimal::ZERO;
        let Some(of) = of else {
            let start = self.frames[self.base(over)].value;
            self.last_read = Some((self.base(over), over));
            let mut failed = None;
            over.each(start, &mut |value| {
                let sum = Val::Json(value)
                    .decimal()
                    .and_then(|number| combine(Operation::Add, total, number, Exact::Yes));
                match sum {
                    Ok(sum) => total = sum,
                    Err(failure) => failed = failed.take().or(Some(failure)),
                }
            });
            return match failed {
                Some(failure) => Err(failure),
                None => Ok(Val::Decimal(total)),
            };
        };
        let base = self.base(over);
        let items = self.read(over).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        for (index, item) in items.iter().enumerate() {
            self.frames.push(Frame { value: item, from: Some((base, over, Some(index))) });
            let value = self.value(of)?;
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
            path.each(self.frames[self.base(path)].value, &mut |_| count += 1);
            count
        } else {
            self.read(path).and_then(Value::as_array).map_or(0, Vec::len)
        };
        i64::try_from(count)
            .map(Val::Integer)
            .map_err(|_| Failure::new(FaultCode::TooLarge, "a list is too long to be counted"))
    }

    /// The frame that a path starts from. Load has checked that there are enough.
    fn base(&self, path: &SourcePath) -> usize {
        match path.base {
            Base::Root => 0,
            Base::Up(levels) => (self.frames.len() - 1).saturating_sub(levels),
        }
    }

    fn read(&mut self, path: &'a SourcePath) -> Option<&'a Value> {
        let base = self.base(path);
        self.last_read = Some((base, path));
        path.follow(self.frames[base].value)
    }

    fn read_many(&mut self, path: &'a SourcePath) -> Val<'a> {
        let base = self.base(path);
        self.last_read = Some((base, path));
        let mut items = Vec::new();
        path.each(self.frames[base].value, &mut |value| items.push(Val::Json(value)));
        let list = Val::List(items);
        self.trace_read(path, &list);
        list
    }

    fn fault(&self, failure: Failure) -> MapFault {
        MapFault {
            code: failure.code,
            source_path: self.last_read.map(|(base, path)| self.path_text(base, path)).unwrap_or_default(),
            target_path: self.target_text(),
            message: failure.message,
            value: failure.value,
        }
    }

    /// A source path with the positions of the items around it.
    fn path_text(&self, base: usize, path: &SourcePath) -> String {
        let mut text = match self.frames.get(base).and_then(|frame| frame.from) {
            Some((outer, over, index)) => {
                let mut text = self.path_text(outer, over);
                if let Some(index) = index {
                    // Writing to a String cannot fail.
                    let _ = write!(text, "[{index}]");
                }
                text
            }
            None => String::new(),
        };
        path.write_onto(&mut text);
        text
    }

    fn target_text(&self) -> String {
        let mut text = String::new();
        for (keys, index) in &self.target {
            for key in *keys {
                if !text.is_empty() {
                    text.push('.');
                }
                text.push_str(key);
            }
            if let Some(index) = index {
                let _ = write!(text, "[{index}]");
            }
        }
        text
    }

    fn trace_rule(&mut self, rule: &RulePlan) {
        if self.trace.is_some() {
            let target = self.target_text();
            if let Some(trace) = &mut self.trace {
                trace.rule(target, rule.line);
            }
        }
    }

    fn trace_read(&mut self, path: &SourcePath, value: &Val<'_>) {
        if self.trace.is_some() {
            let text = self.path_text(self.base(path), path);
            if let Some(trace) = &mut self.trace {
                trace.read(text, value.clone().into_json());
            }
        }
    }

    fn trace_step(&mut self, verb: &str, value: &Val<'_>) {
        if let Some(trace) = &mut self.trace {
            trace.step(verb, value.clone().into_json());
        }
    }

    fn trace_written(&mut self, rule: &RulePlan, value: &Value) {
        if let Some(trace) = &mut self.trace
            && matches!(rule.body, Body::Value(_))
        {
            trace.written(value.clone());
        }
    }

    fn trace_absent(&mut self, why: &str) {
        if self.trace.is_some() {
            let target = self.target_text();
            if let Some(trace) = &mut self.trace {
                trace.absent(target, why);
            }
        }
    }
}

/// Writes a value at a path, making the objects on the way.
fn put(object: &mut Map<String, Value>, path: &[String], value: Value) {
    match path {
        [] => {}
        [key] => {
            object.insert(key.clone(), value);
        }
        [key, rest @ ..] => {
            let inner = object.entry(key.clone()).or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(inner) = inner {
                put(inner, rest, value);
            }
        }
    }
}
