//! The steps of `then`: each takes the value before it and yields one of a known type.

use std::ops::Range;

use serde_json::Value;

use super::Compiler;
use crate::dates;
use crate::error::LoadCode;
use crate::mapping::{ReferenceKind, Word};
use crate::nearest::suggest;
use crate::plan::{Cast, Operation, Parsed, Step, Table};
use crate::read::Entry;
use crate::types::{Format, Text, Ty, Typed, either};
use crate::units;
use crate::verb::{STEPS, Verb};

const CHARS_MAX: i64 = 100_000;

impl Compiler<'_> {
    pub(super) fn steps(&mut self, then: &Entry<'_, '_>, start: Typed) -> Option<(Vec<Step>, Typed)> {
        let mut typed = start.for_steps();
        let mut steps = Vec::new();
        for entry in then.items(&mut self.findings)? {
            // On a list a step is made for each item.
            let (step, next) = match typed.ty {
                Ty::List(item) => {
                    let (step, next) = self.step(&entry, &Typed::new(*item, false))?;
                    (step, Typed::new(Ty::List(Box::new(next.ty)), typed.optional))
                }
                _ => self.step(&entry, &typed)?,
            };
            self.rule_verbs.insert(step.verb());
            steps.push(step);
            typed = next;
        }
        Some((steps, typed))
    }

    /// A step is a table with one key, or the name of a verb that needs no more.
    fn step(&mut self, entry: &Entry<'_, '_>, before: &Typed) -> Option<(Step, Typed)> {
        if entry.table_if().is_none() {
            let name = entry.text(&mut self.findings)?;
            return match self.step_verb(name, &entry.span)? {
                verb @ (Verb::Trim | Verb::Upper | Verb::Lower | Verb::Hash) => {
                    self.plain_step(verb, entry, before)
                }
                verb => {
                    self.findings.add_help(
                        LoadCode::RuleShape,
                        entry.span.clone(),
                        format!("`{verb}` needs to know more"),
                        format!("write {{ {verb} = … }}"),
                    );
                    None
                }
            };
        }
        let mut keys = entry.table(&mut self.findings)?;
        let argument = keys.take_next();
        if let Some(second) = keys.take_next() {
            self.findings.add(
                LoadCode::RuleShape,
                second.key_span,
                "a step has one verb; write the next one as a step of its own",
            );
        }
        let Some(argument) = argument else {
            self.findings.add(LoadCode::RuleShape, entry.span.clone(), "this step has no verb");
            return None;
        };
        let verb = self.step_verb(argument.key, &argument.key_span)?;
        self.step_with(verb, &argument, before)
    }

    fn step_verb(&mut self, name: &str, span: &Range<usize>) -> Option<Verb> {
        let verb = STEPS.iter().copied().find(|verb| verb.name() == name);
        if verb.is_none() {
            self.findings.add_help(
                LoadCode::UnknownKey,
                span.clone(),
                format!("there is no step `{name}`"),
                suggest(name, STEPS.iter().map(|verb| verb.name())),
            );
        }
        verb
    }

    fn plain_step(&mut self, verb: Verb, entry: &Entry<'_, '_>, before: &Typed) -> Option<(Step, Typed)> {
        self.expect_text(verb, entry, before)?;
        let step = match verb {
            Verb::Trim => Step::Trim,
            Verb::Upper => Step::Upper,
            Verb::Lower => Step::Lower,
            _ => return Some((Step::Hash, Typed::new(hash_type(), before.optional))),
        };
        let changed = match &before.ty {
            // Capital letters may be more than the small ones were: ß becomes SS.
            Ty::Text(text) => {
                let chars_max = if verb == Verb::Trim { text.chars_max } else { None };
                Ty::Text(Text { format: Format::Plain, allowed: None, chars_max })
            }
            _ => Ty::PLAIN,
        };
        Some((step, Typed::new(changed, before.optional)))
    }

    fn step_with(&mut self, verb: Verb, argument: &Entry<'_, '_>, before: &Typed) -> Option<(Step, Typed)> {
        let optional = before.optional;
        match verb {
            Verb::Trim | Verb::Upper | Verb::Lower => {
                self.findings.add_help(
                    LoadCode::WrongValue,
                    argument.span.clone(),
                    format!("`{verb}` takes nothing"),
                    format!("write \"{verb}\""),
                );
                None
            }
            Verb::Hash => {
                self.one_of(argument, "a hash", &["sha256"])?;
                self.plain_step(Verb::Hash, argument, before)
            }
            Verb::Truncate => {
                self.expect_text(verb, argument, before)?;
                let max = argument.integer(&mut self.findings, 1, CHARS_MAX).and_then(to_usize)?;
                let text = Text { chars_max: Some(max), ..Text::default() };
                Some((Step::Truncate(max), Typed::new(Ty::Text(text), optional)))
            }
            Verb::Split => self.split(argument, before),
            Verb::LookUp => self.look_up(argument, before),
            Verb::Reference => self.reference(argument, before),
            Verb::Scale => {
                self.expect_number_before(argument, before)?;
                let rounding = self.rounding(argument)?;
                Some((Step::Scale(rounding), Typed::new(Ty::DECIMAL, optional)))
            }
            Verb::As => self.cast(argument, before),
            Verb::Unit => self.unit(argument, before),
            Verb::Date => {
                self.expect_format(argument, before, &[Format::DateTime])?;
                Some((Step::Date(self.zone(argument)?), Typed::new(Ty::DATE, optional)))
            }
            Verb::Zone => {
                self.expect_format(argument, before, &[Format::DateTime])?;
                Some((Step::Zone(self.zone(argument)?), Typed::new(Ty::DATE_TIME, optional)))
            }
            Verb::Format => self.format(argument, before),
            Verb::Parse => self.parse(argument, before),
            Verb::AddDays => {
                self.expect_format(argument, before, &[Format::Date])?;
                let days = argument.integer(&mut self.findings, -36_500, 36_500)?;
                Some((Step::AddDays(i32::try_from(days).ok()?), Typed::new(Ty::DATE, optional)))
            }
            Verb::Mask => self.mask(argument, before),
            _ => self.arithmetic_step(Operation::of(verb)?, argument, before),
        }
    }

    fn arithmetic_step(
        &mut self,
        operation: Operation,
        argument: &Entry<'_, '_>,
        before: &Typed,
    ) -> Option<(Step, Typed)> {
        self.expect_number_before(argument, before)?;
        let (operand, rounding) = match argument.table_if() {
            Some(mut keys) if keys.has("by") => {
                let by = keys.take("by")?;
                let rounding = self.rounding_keys(&mut keys);
                keys.finish(&mut self.findings, &format!("`{}`", argument.key), &["by", "scale", "rounding"]);
                (by, rounding)
            }
            _ => (argument.clone(), None),
        };
        if operation == Operation::Divide && rounding.is_none() {
            self.findings.add_help(
                LoadCode::RuleShape,
                argument.span.clone(),
                "a division needs to know how many decimals its result has",
                "write { divide = { by = …, scale = 4 } }",
            );
            return None;
        }
        let (plan, typed) = self.operand(&operand)?;
        self.expect_number(&operand, &typed)?;
        let optional = before.optional || typed.optional;
        let step = Step::Arithmetic { operation, operand: Box::new(plan), rounding };
        Some((step, Typed::new(Ty::DECIMAL, optional)))
    }

    fn split(&mut self, argument: &Entry<'_, '_>, before: &Typed) -> Option<(Step, Typed)> {
        self.expect_text(Verb::Split, argument, before)?;
        let Some(mut keys) = argument.table_if() else {
            let by = argument.word(&mut self.findings)?.to_owned();
            let list = Ty::List(Box::new(Ty::PLAIN));
            return Some((Step::Split { by, index: None }, Typed::new(list, before.optional)));
        };
        let by = self.required(&mut keys, "by", argument);
        let index = keys.take("index");
        keys.finish(&mut self.findings, "`split`", &["by", "index"]);
        let by = by?.word(&mut self.findings)?.to_owned();
        let Some(index) = index else {
            let list = Ty::List(Box::new(Ty::PLAIN));
            return Some((Step::Split { by, index: None }, Typed::new(list, before.optional)));
        };
        let index = index.integer(&mut self.findings, 0, 1_000).and_then(to_usize)?;
        Some((Step::Split { by, index: Some(index) }, Typed::new(Ty::PLAIN, true)))
    }

    fn look_up(&mut self, argument: &Entry<'_, '_>, before: &Typed) -> Option<(Step, Typed)> {
        self.expect(argument, &before.ty, "a text, an integer or a boolean", |ty| {
            matches!(ty, Ty::Text(_) | Ty::Integer | Ty::Bool | Ty::Any)
        })?;
        let (name_entry, otherwise) = match argument.table_if() {
            Some(mut keys) => {
                let table = self.required(&mut keys, "table", argument);
                let otherwise = match keys.take("otherwise") {
                    Some(entry) => Some(entry.literal(&mut self.findings)?),
                    None => None,
                };
                keys.finish(&mut self.findings, "`look_up`", &["table", "otherwise"]);
                (table?, otherwise)
            }
            None => (argument.clone(), None),
        };
        let name = name_entry.word(&mut self.findings)?.to_owned();
        if self.context_tables.contains(&name) {
            self.facts.context_tables.insert(name.clone());
            let step = Step::LookUp { name, table: Table::FromContext, otherwise };
            return Some((step, Typed::new(Ty::Any, before.optional)));
        }
        let Some(table) = self.tables.get(&name).cloned() else {
            let known = self.tables.keys().chain(&self.context_tables).map(String::as_str);
            self.findings.add_help(
                LoadCode::UnknownTable,
                name_entry.span.clone(),
                format!("there is no table `{name}`"),
                suggest(&name, known),
            );
            return None;
        };
        if otherwise.is_none() {
            let written = self.written.get(&name);
            let word = |(word, value): (&String, &Value)| {
                let span = written.and_then(|written| written.get(word)).cloned().unwrap_or_default();
                (word.clone(), Word { value: value.clone(), span })
            };
            self.rule_words.extend(table.iter().map(word));
        }
        let values = table.values().chain(&otherwise);
        let ty = type_of_values(values);
        let step = Step::LookUp { name, table: Table::Inline(table), otherwise };
        Some((step, Typed::new(ty, before.optional)))
    }

    fn reference(&mut self, argument: &Entry<'_, '_>, before: &Typed) -> Option<(Step, Typed)> {
        self.expect(argument, &before.ty, "a text or an integer", |ty| {
            matches!(ty, Ty::Text(_) | Ty::Integer | Ty::Any)
        })?;
        let (kind, system) = match argument.table_if() {
            Some(mut keys) => {
                let kind = self.required(&mut keys, "kind", argument);
                let system = match keys.take("system") {
                    Some(entry) => Some(entry.word(&mut self.findings)?.to_owned()),
                    None => None,
                };
                keys.finish(&mut self.findings, "`reference`", &["kind", "system"]);
                (kind?.word(&mut self.findings)?.to_owned(), system)
            }
            None => (argument.word(&mut self.findings)?.to_owned(), None),
        };
        self.facts.references.insert(ReferenceKind { system: system.clone(), kind: kind.clone() });
        let ty = Ty::Reference(kind.clone());
        Some((Step::Reference { kind, system }, Typed::new(ty, before.optional)))
    }

    fn cast(&mut self, argument: &Entry<'_, '_>, before: &Typed) -> Option<(Step, Typed)> {
        self.expect(argument, &before.ty, "a single value", |ty| {
            matches!(ty, Ty::Text(_) | Ty::Integer | Ty::Number | Ty::Bool | Ty::Any)
        })?;
        let name = self.one_of(argument, "a type", &["text", "decimal", "integer", "number", "boolean"])?;
        let (cast, ty) = match name {
            "text" => (Cast::Text, Ty::PLAIN),
            "decimal" => (Cast::Decimal, Ty::DECIMAL),
            "integer" => (Cast::Integer, Ty::Integer),
            "number" => (Cast::Number, Ty::Number),
            _ => (Cast::Boolean, Ty::Bool),
        };
        Some((Step::As(cast), Typed::new(ty, before.optional)))
    }

    fn unit(&mut self, argument: &Entry<'_, '_>, before: &Typed) -> Option<(Step, Typed)> {
        self.expect_number_before(argument, before)?;
        let mut keys = argument.table(&mut self.findings)?;
        let from = self.required(&mut keys, "from", argument);
        let to = self.required(&mut keys, "to", argument);
        let rounding = self.rounding_keys(&mut keys);
        keys.finish(&mut self.findings, "`unit`", &["from", "to", "scale", "rounding"]);
        let (from, to) = (from?.word(&mut self.findings)?, to?.word(&mut self.findings)?);
        let (numerator, denominator) = match units::factor(from, to) {
            Ok(factor) => factor,
            Err(problem) => {
                let unknown = problem == from || problem == to;
                let message = if unknown { format!("there is no unit `{problem}`") } else { problem.clone() };
                let help = if unknown { suggest(&problem, units::codes()) } else { String::new() };
                self.findings.add_help(LoadCode::UnknownName, argument.span.clone(), message, help);
                return None;
            }
        };
        if rounding.is_none() && !units::divides_evenly(denominator) {
            self.findings.add_help(
                LoadCode::RuleShape,
                argument.span.clone(),
                format!("{from} does not divide evenly into {to}"),
                "say how many decimals the result has: `scale = 3`",
            );
            return None;
        }
        Some((Step::Unit { numerator, denominator, rounding }, Typed::new(Ty::DECIMAL, before.optional)))
    }

    fn format(&mut self, argument: &Entry<'_, '_>, before: &Typed) -> Option<(Step, Typed)> {
        self.expect_format(argument, before, &[Format::Date, Format::DateTime])?;
        let (form, zone) = self.form(argument, "`format`")?;
        let with_time =
            matches!(&before.ty, Ty::Text(text) if text.format == Format::DateTime) || before.ty == Ty::Any;
        if let Err(reason) = dates::check_form(&form, with_time) {
            self.findings.add_help(
                LoadCode::UnknownName,
                argument.span.clone(),
                format!("`{form}` cannot be written: {reason}"),
                "%Y year, %m month, %d day, %H hour, %M minute, %S second, %:z offset",
            );
            return None;
        }
        Some((Step::Format { form, zone }, Typed::new(Ty::PLAIN, before.optional)))
    }

    fn parse(&mut self, argument: &Entry<'_, '_>, before: &Typed) -> Option<(Step, Typed)> {
        self.expect_text(Verb::Parse, argument, before)?;
        let (form, zone) = self.form(argument, "`parse`")?;
        let yields = if dates::has_time(&form) { Parsed::DateTime } else { Parsed::Date };
        let ty = if yields == Parsed::Date { Ty::DATE } else { Ty::DATE_TIME };
        Some((Step::Parse { form, zone, yields }, Typed::new(ty, before.optional)))
    }

    fn mask(&mut self, argument: &Entry<'_, '_>, before: &Typed) -> Option<(Step, Typed)> {
        self.expect_text(Verb::Mask, argument, before)?;
        let (keep, with) = match argument.table_if() {
            Some(mut keys) => {
                let keep = self.required(&mut keys, "keep", argument);
                let with = keys.take("with");
                keys.finish(&mut self.findings, "`mask`", &["keep", "with"]);
                (keep?, with)
            }
            None => (argument.clone(), None),
        };
        let keep = keep.integer(&mut self.findings, 0, 1_000).and_then(to_usize)?;
        let with = match with {
            Some(entry) => {
                let text = entry.word(&mut self.findings)?;
                let mut chars = text.chars();
                match (chars.next(), chars.next()) {
                    (Some(only), None) => only,
                    _ => {
                        self.findings.add(LoadCode::WrongValue, entry.span, "`with` is one character");
                        return None;
                    }
                }
            }
            None => '*',
        };
        Some((Step::Mask { keep, with }, Typed::new(Ty::PLAIN, before.optional)))
    }
}

fn to_usize(number: i64) -> Option<usize> {
    usize::try_from(number).ok()
}

fn hash_type() -> Ty {
    Ty::Text(Text { chars_max: Some(64), ..Text::default() })
}

/// The type of values that stand in the mapping: for texts, exactly those.
fn type_of_values<'v>(values: impl Iterator<Item = &'v Value>) -> Ty {
    let mut all: Option<Typed> = None;
    let mut texts = Some(std::collections::BTreeSet::new());
    for value in values {
        match (value.as_str(), &mut texts) {
            (Some(text), Some(texts)) => {
                texts.insert(text.to_owned());
            }
            _ => texts = None,
        }
        let typed = Typed { literal: None, ..Typed::literal(value) };
        all = Some(all.map_or_else(|| typed.clone(), |all| either(&all, &typed)));
    }
    match (texts, all) {
        (Some(texts), Some(_)) => {
            Ty::Text(Text { allowed: Some(std::sync::Arc::new(texts)), ..Text::default() })
        }
        (_, Some(all)) => all.ty,
        _ => Ty::Any,
    }
}
