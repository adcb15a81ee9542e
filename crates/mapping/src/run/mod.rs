//! Follows a checked plan over one source value. No clock, no network, no parsing; what it needs beside the source is
//! in the context. The first fault ends a run; an explanation goes on after it.

mod place;
mod steps;
mod val;
mod values;

use serde_json::{Map, Value};

use crate::explain::Trace;
use crate::expression::Expression;
use crate::fault::{Failure, FaultCode, MapFault};
use crate::mapping::Context;
use crate::path::{Positions, SourcePath};
use crate::plan::{Absent, Body, FieldPlan, RulePlan};
use crate::types::conforms;
use place::Frame;
use val::Val;

/// Fields that one run may write: far beyond any real order, near enough to bound the work.
const FIELDS_MAX: usize = 200_000;

pub(crate) struct Runner<'a> {
    context: &'a Context,
    frames: Vec<Frame<'a>>,
    target: Vec<(&'a [String], Option<usize>)>,
    last_read: Option<(usize, &'a SourcePath)>,
    fields_left: usize,
    /// Room for the values of an expression, used again and again.
    found: Vec<Option<&'a Value>>,
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
            found: Vec::new(),
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
        self.condition(condition).map_err(|failure| self.fault(failure))
    }

    fn condition(&mut self, condition: &'a Expression) -> Result<bool, Failure> {
        let found = self.inputs(condition);
        let holds = condition.holds(&found);
        self.found = found;
        holds
    }

    fn inputs(&mut self, expression: &'a Expression) -> Vec<Option<&'a Value>> {
        let mut found = std::mem::take(&mut self.found);
        found.clear();
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
        let items = self.items(over).map_err(|failure| self.fault(failure))?;
        let Some(items) = items else { return Ok(None) };
        let mut written = Vec::with_capacity(items.len());
        for (positions, item) in items {
            self.frames.push(Frame { value: item, from: Some((base, over, positions)) });
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
            self.frames.push(Frame { value, from: Some((base, over, Positions::None)) });
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
