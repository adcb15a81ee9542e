//! Where a run is: the items that paths start from, the target field at hand, and the notes of an explanation.

use std::fmt::Write as _;

use serde_json::Value;

use super::Runner;
use super::val::Val;
use crate::fault::{Failure, FaultCode, MapFault};
use crate::path::{Base, Positions, SourcePath};
use crate::plan::{Body, RulePlan};

/// An item that paths start from.
pub(super) struct Frame<'a> {
    pub(super) value: &'a Value,
    /// How its own path was found: from which frame, by which path, at which positions of its lists.
    pub(super) from: Option<(usize, &'a SourcePath, Positions)>,
}

impl<'a> Runner<'a> {
    /// The frame that a path starts from. Load has checked that there are enough.
    pub(super) fn base(&self, path: &SourcePath) -> usize {
        match path.base {
            Base::Root => 0,
            Base::Up(levels) => (self.frames.len() - 1).saturating_sub(levels),
        }
    }

    pub(super) fn read(&mut self, path: &'a SourcePath) -> Option<&'a Value> {
        let base = self.base(path);
        self.last_read = Some((base, path));
        path.follow(self.frames[base].value)
    }

    pub(super) fn read_many(&mut self, path: &'a SourcePath) -> Val<'a> {
        let base = self.base(path);
        self.last_read = Some((base, path));
        let mut items = Vec::new();
        path.each(self.frames[base].value, &mut |_, value| items.push(Val::Json(value)));
        let list = Val::List(items);
        self.trace_read(path, &list);
        list
    }

    /// The items that a path leads to: of a list, of every list on the way, or one object by itself.
    pub(super) fn items(
        &mut self,
        over: &'a SourcePath,
    ) -> Result<Option<Vec<(Positions, &'a Value)>>, Failure> {
        if over.is_many() {
            let base = self.base(over);
            self.last_read = Some((base, over));
            let mut items = Vec::new();
            over.each(self.frames[base].value, &mut |at, value| {
                items.push((Positions::Many(at.into()), value))
            });
            return Ok(Some(items));
        }
        match self.read(over) {
            None => Ok(None),
            Some(Value::Array(list)) => {
                let items = list.iter().enumerate().map(|(at, item)| (Positions::One(at), item));
                Ok(Some(items.collect()))
            }
            Some(object @ Value::Object(_)) => Ok(Some(vec![(Positions::None, object)])),
            Some(_) => Err(Failure::new(FaultCode::NotConvertible, "a list was expected")),
        }
    }

    pub(super) fn fault(&self, failure: Failure) -> MapFault {
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
        let mut text = self.frame_text(base);
        path.write_onto(&mut text, &Positions::None);
        text
    }

    fn frame_text(&self, frame: usize) -> String {
        match self.frames.get(frame).and_then(|frame| frame.from.as_ref()) {
            Some((outer, over, positions)) => {
                let mut text = self.frame_text(*outer);
                over.write_onto(&mut text, positions);
                text
            }
            None => String::new(),
        }
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

    pub(super) fn trace_rule(&mut self, rule: &RulePlan) {
        if self.trace.is_some() {
            let target = self.target_text();
            if let Some(trace) = &mut self.trace {
                trace.rule(target, rule.line);
            }
        }
    }

    pub(super) fn trace_read(&mut self, path: &SourcePath, value: &Val<'_>) {
        if self.trace.is_some() {
            let text = self.path_text(self.base(path), path);
            if let Some(trace) = &mut self.trace {
                trace.read(text, value.clone().into_json());
            }
        }
    }

    pub(super) fn trace_step(&mut self, verb: &str, value: &Val<'_>) {
        if let Some(trace) = &mut self.trace {
            trace.step(verb, value.clone().into_json());
        }
    }

    pub(super) fn trace_written(&mut self, rule: &RulePlan, value: &Value) {
        if let Some(trace) = &mut self.trace
            && matches!(rule.body, Body::Value(_))
        {
            trace.written(value.clone());
        }
    }

    pub(super) fn trace_absent(&mut self, why: &str) {
        if self.trace.is_some() {
            let target = self.target_text();
            if let Some(trace) = &mut self.trace {
                trace.absent(target, why);
            }
        }
    }
}
