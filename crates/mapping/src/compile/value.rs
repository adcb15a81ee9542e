//! Values: exactly one verb that yields a value, the steps of `then`, and `default`; each with its type.

use std::ops::Range;

use super::Compiler;
use crate::error::LoadCode;
use crate::nearest::suggest;
use crate::path::SourcePath;
use crate::plan::{Operation, Source, ValuePlan};
use crate::read::{Entry, Keys};
use crate::types::{Ty, Typed, either};
use crate::verb::{SOURCES, Verb};

type Sourced = Option<(Source, Typed)>;

impl Compiler<'_> {
    /// An operand: a source path as text, or a table like a rule without `to`.
    pub(super) fn operand(&mut self, entry: &Entry<'_, '_>) -> Option<(ValuePlan, Typed)> {
        let Some(mut keys) = entry.table_if() else {
            let (source, typed) = self.copy(entry)?;
            return Some((ValuePlan { source, steps: Vec::new(), default: None }, typed));
        };
        self.deeper(entry, |this| {
            let value = this.value_of(&mut keys, &entry.span);
            let mut known = vec!["then", "default"];
            known.extend(SOURCES.iter().map(|verb| verb.name()));
            keys.finish(&mut this.findings, "a value", &known);
            value
        })
    }

    /// The value that a table describes. The caller looks after keys that are left.
    pub(super) fn value_of(
        &mut self,
        keys: &mut Keys<'_, '_>,
        span: &Range<usize>,
    ) -> Option<(ValuePlan, Typed)> {
        let found: Vec<(Verb, Entry<'_, '_>)> =
            SOURCES.iter().filter_map(|verb| keys.take(verb.name()).map(|entry| (*verb, entry))).collect();
        let then = keys.take("then");
        let default = keys.take("default");
        let Some((verb, entry)) = found.first() else {
            // An unknown key is a finding of its own, and most likely the verb that is missing.
            if !keys.is_empty() {
                return None;
            }
            let names: Vec<&str> = SOURCES.iter().map(|verb| verb.name()).collect();
            self.findings.add_help(
                LoadCode::RuleShape,
                span.clone(),
                "nothing says where the value comes from",
                format!("name one verb: {}; or `each` or `within` with rules", names.join(", ")),
            );
            return None;
        };
        for (second, entry) in &found[1..] {
            self.findings.add_help(
                LoadCode::RuleShape,
                entry.key_span.clone(),
                format!("a value has one source; this one has `{verb}` and `{second}`"),
                "nest one in the other, or move it to `then`",
            );
        }
        self.rule_verbs.insert(*verb);
        let (source, typed) = self.source_of(*verb, entry)?;
        let (steps, mut typed) = match then {
            Some(then) => self.steps(&then, typed)?,
            None => (Vec::new(), typed),
        };
        let default = match default {
            Some(entry) => {
                self.rule_verbs.insert(Verb::Default);
                let value = entry.literal(&mut self.findings)?;
                typed = either(&typed, &Typed::literal(&value));
                Some(value)
            }
            None => None,
        };
        Some((ValuePlan { source, steps, default }, typed))
    }

    fn source_of(&mut self, verb: Verb, entry: &Entry<'_, '_>) -> Sourced {
        match verb {
            Verb::Copy => self.copy(entry),
            Verb::Constant => {
                let value = entry.literal(&mut self.findings)?;
                let typed = Typed::literal(&value);
                Some((Source::Constant(value), typed))
            }
            Verb::Context => self.context(entry),
            Verb::ExternalRef => {
                let system = entry.word(&mut self.findings)?.to_owned();
                self.facts.external_refs.insert(system.clone());
                Some((Source::ExternalRef(system), Typed::new(Ty::PLAIN, true)))
            }
            Verb::First => self.first(entry),
            Verb::Join => self.join(entry),
            Verb::Concat => {
                let (of, optional) = self.texts(entry)?;
                let typed = Typed::new(Ty::PLAIN, optional.iter().any(|optional| *optional));
                Some((Source::Concat(of), typed))
            }
            Verb::Sum => self.sum(entry),
            Verb::Count => {
                let (path, resolved) = self.path(entry)?;
                let typed = resolved.typed(self.source);
                self.expect(entry, &typed.ty, "a list", |ty| matches!(ty, Ty::List(_) | Ty::Any))?;
                self.note_read(&resolved);
                Some((Source::Count(path), Typed::new(Ty::Integer, false)))
            }
            Verb::Expr => {
                let (expression, typed) = self.expression(entry, None)?;
                Some((Source::Expr(Box::new(expression)), typed))
            }
            _ => self.arithmetic(Operation::of(verb)?, entry),
        }
    }

    /// One field, or with `[]` a list of them; objects are written field by field.
    fn copy(&mut self, entry: &Entry<'_, '_>) -> Sourced {
        let (path, resolved) = self.path(entry)?;
        let typed = resolved.typed(self.source);
        let plain = match &typed.ty {
            Ty::List(item) => item.is_scalar(),
            ty => ty.is_scalar(),
        };
        if !plain {
            self.findings.add_help(
                LoadCode::TypeMismatch,
                entry.span.clone(),
                format!(
                    "`{path}` is {}: only single values are copied, so that no field is sent unseen",
                    typed.ty
                ),
                "write an object with `within` and a list with `each`, field by field",
            );
            return None;
        }
        self.note_read(&resolved);
        Some((Source::Copy(path), typed))
    }

    fn context(&mut self, entry: &Entry<'_, '_>) -> Sourced {
        match entry.word(&mut self.findings)? {
            "object_key" => Some((Source::ObjectKey, Typed::new(Ty::PLAIN, false))),
            "root_key" => Some((Source::RootKey, Typed::new(Ty::PLAIN, false))),
            "now" => Some((Source::Now, Typed::new(Ty::DATE_TIME, false))),
            word => {
                self.findings.add_help(
                    LoadCode::UnknownName,
                    entry.span.clone(),
                    format!("the context has no `{word}`"),
                    suggest(word, ["object_key", "root_key", "now"]),
                );
                None
            }
        }
    }

    fn operands(&mut self, entry: &Entry<'_, '_>, at_least: usize) -> Option<Vec<(ValuePlan, Typed)>> {
        let items = entry.items(&mut self.findings)?;
        if items.len() < at_least {
            self.findings.add(
                LoadCode::WrongValue,
                entry.span.clone(),
                format!("`{}` wants a list of at least {at_least}", entry.key),
            );
            return None;
        }
        // All are read before one failure ends the rule, for the sake of their findings.
        let read: Vec<Option<(ValuePlan, Typed)>> = items.iter().map(|item| self.operand(item)).collect();
        read.into_iter().collect()
    }

    fn first(&mut self, entry: &Entry<'_, '_>) -> Sourced {
        let operands = self.operands(entry, 1)?;
        let mut types = operands.iter().map(|(_, typed)| typed.clone());
        // A text may be blank, and `first` then goes on: it is as good as absent.
        let may_be_blank = |typed: Typed| match (&typed.ty, &typed.literal) {
            (Ty::Text(text), None) if text.allowed.is_none() => Typed { optional: true, ..typed },
            _ => typed,
        };
        let start = may_be_blank(types.next()?);
        let typed = types.fold(start, |all, next| either(&all, &may_be_blank(next)));
        Some((Source::First(operands.into_iter().map(|(plan, _)| plan).collect()), typed))
    }

    /// Operands that are texts, and which of them may be absent.
    fn texts(&mut self, entry: &Entry<'_, '_>) -> Option<(Vec<ValuePlan>, Vec<bool>)> {
        let operands = self.operands(entry, 1)?;
        for (_, typed) in &operands {
            self.expect(entry, &typed.ty, "texts or numbers", |ty| match ty {
                Ty::List(item) => matches!(**item, Ty::Text(_) | Ty::Integer | Ty::Any),
                ty => matches!(ty, Ty::Text(_) | Ty::Integer | Ty::Any),
            })?;
        }
        // A list may be empty.
        let optional = |typed: &Typed| typed.optional || matches!(typed.ty, Ty::List(_));
        Some(operands.into_iter().map(|(plan, typed)| (plan, optional(&typed))).unzip())
    }

    fn join(&mut self, entry: &Entry<'_, '_>) -> Sourced {
        let Some(mut keys) = entry.table_if() else {
            let (of, optional) = self.texts(entry)?;
            return Some((Source::Join { of, with: " ".to_owned() }, joined(&optional)));
        };
        let with = match keys.take("with") {
            Some(with) => with.text(&mut self.findings)?.to_owned(),
            None => " ".to_owned(),
        };
        let of = self.required(&mut keys, "of", entry);
        keys.finish(&mut self.findings, "`join`", &["of", "with"]);
        let (of, optional) = self.texts(&of?)?;
        Some((Source::Join { of, with }, joined(&optional)))
    }

    fn sum(&mut self, entry: &Entry<'_, '_>) -> Sourced {
        let Some(mut keys) = entry.table_if() else {
            let (path, resolved) = self.path(entry)?;
            let ty = resolved.typed(self.source).ty;
            self.expect(entry, &ty, "a list of decimals, `lines[].net`", |ty| match ty {
                Ty::List(item) => item.is_numeric(),
                ty => *ty == Ty::Any,
            })?;
            self.note_read(&resolved);
            return Some((Source::Sum { over: path, of: None, keep: None }, Typed::new(Ty::DECIMAL, false)));
        };
        let over = self.required(&mut keys, "over", entry);
        let of = self.required(&mut keys, "of", entry);
        let keep = keys.take("where");
        keys.finish(&mut self.findings, "`sum`", &["over", "of", "where"]);
        let (over, of) = (over?, of?);
        let path = self.enter_items(&over)?;
        let result = self.operand(&of);
        let keep = keep.map(|keep| self.expression(&keep, Some(&Ty::Bool)));
        self.scopes.pop();
        let (plan, typed) = result?;
        let keep = match keep {
            Some(checked) => Some(Box::new(checked?.0)),
            None => None,
        };
        self.expect(&of, &typed.ty, "a decimal", Ty::is_numeric)?;
        let source = Source::Sum { over: path, of: Some(Box::new(plan)), keep };
        Some((source, Typed::new(Ty::DECIMAL, false)))
    }

    /// Makes the items of a list the current scope; the caller leaves it. An object counts as a list of one.
    pub(super) fn enter_items(&mut self, entry: &Entry<'_, '_>) -> Option<SourcePath> {
        let (path, resolved) = self.path(entry)?;
        let ty = resolved.node.map_or(Ty::Any, |node| self.source.ty(node));
        let list = matches!(ty, Ty::List(_));
        let fits = if resolved.many { !list } else { list || matches!(ty, Ty::Object | Ty::Any) };
        if !fits {
            let help = if resolved.many && list { format!("write `{path}[]`") } else { String::new() };
            self.findings.add_help(
                LoadCode::TypeMismatch,
                entry.span.clone(),
                format!("`{}` goes over the items of a list or one object; `{path}` is {ty}", entry.key),
                help,
            );
            return None;
        }
        self.note_read(&resolved);
        let scope = match resolved.node {
            Some(node) if list => super::Scope::new(self.source.items(node)?, resolved.path.items()),
            node => super::Scope { node, path: resolved.path, present: true },
        };
        self.scopes.push(scope);
        Some(path)
    }

    fn arithmetic(&mut self, operation: Operation, entry: &Entry<'_, '_>) -> Sourced {
        let (list, rounding) = match entry.table_if() {
            Some(mut keys) => {
                let of = self.required(&mut keys, "of", entry);
                let rounding = self.rounding_keys(&mut keys);
                keys.finish(&mut self.findings, &format!("`{}`", entry.key), &["of", "scale", "rounding"]);
                (of?, rounding)
            }
            None => (entry.clone(), None),
        };
        if operation == Operation::Divide && rounding.is_none() {
            self.findings.add_help(
                LoadCode::RuleShape,
                entry.span.clone(),
                "a division needs to know how many decimals its result has",
                "write `divide = { of = [A, B], scale = 4 }`",
            );
            return None;
        }
        let operands = self.operands(&list, 2)?;
        for (_, typed) in &operands {
            self.expect_number(&list, typed)?;
        }
        let optional = operands.iter().any(|(_, typed)| typed.optional);
        let of = operands.into_iter().map(|(plan, _)| plan).collect();
        Some((Source::Arithmetic { operation, of, rounding }, Typed::new(Ty::DECIMAL, optional)))
    }

    /// A decimal, an integer, or a constant that is one.
    pub(super) fn expect_number(&mut self, entry: &Entry<'_, '_>, typed: &Typed) -> Option<()> {
        let constant = typed.literal.as_ref().and_then(|value| value.as_str()).map(str::to_owned);
        self.expect(entry, &typed.ty, "decimals", |ty| match &constant {
            Some(text) => crate::types::conforms(&text.as_str().into(), &Ty::DECIMAL).is_ok(),
            None => ty.is_numeric(),
        })
    }

    /// A key that a table must have.
    pub(super) fn required<'t, 'i>(
        &mut self,
        keys: &mut Keys<'t, 'i>,
        key: &str,
        of: &Entry<'_, '_>,
    ) -> Option<Entry<'t, 'i>> {
        let entry = keys.take(key);
        if entry.is_none() {
            self.findings.add(LoadCode::RuleShape, of.span.clone(), format!("`{}` has no `{key}`", of.key));
        }
        entry
    }

    /// A finding unless the type is accepted.
    pub(super) fn expect(
        &mut self,
        entry: &Entry<'_, '_>,
        ty: &Ty,
        wanted: &str,
        accepts: impl Fn(&Ty) -> bool,
    ) -> Option<()> {
        if accepts(ty) {
            return Some(());
        }
        let help = match ty {
            Ty::Text(_) if wanted.contains("decimal") => "turn it into one with { as = \"decimal\" }",
            _ => "",
        };
        self.findings.add_help(
            LoadCode::TypeMismatch,
            entry.span.clone(),
            format!("`{}` takes {wanted}; this is {ty}", entry.key),
            help,
        );
        None
    }
}

/// A text that is there if one of its parts is.
fn joined(optional: &[bool]) -> Typed {
    Typed::new(Ty::PLAIN, optional.iter().all(|optional| *optional))
}
