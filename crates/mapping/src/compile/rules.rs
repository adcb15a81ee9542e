//! Rules: which target field each writes, of which type, and what happens where there is no value.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::coverage::Coverage;
use super::{Compiler, Scope};
use crate::error::LoadCode;
use crate::mapping::FieldFacts;
use crate::nearest::{nearest, suggest};
use crate::path::{Path, parse_target};
use crate::plan::{Absent, Body, FieldPlan, RulePlan};
use crate::read::{Entry, Keys};
use crate::schema::NodeId;
use crate::types::{Fit, Ty, Typed, fits};
use crate::verb::{SOURCES, Verb};

const RULE_KEYS: &[&str] = &["to", "when", "missing", "each", "within", "where", "rules", "then", "default"];

/// The field that a rule writes.
struct Target {
    node: Option<NodeId>,
    path: Path,
    required: bool,
    nullable: bool,
}

impl Target {
    /// What to do without a value, if the mapping does not say.
    fn absent(&self) -> Absent {
        match (self.required, self.nullable) {
            (false, _) => Absent::Omit,
            (true, true) => Absent::Null,
            (true, false) => Absent::Fault,
        }
    }
}

/// A rule that was read.
struct Rule {
    plan: RulePlan,
    optional: bool,
    missing: Option<Absent>,
    span: Range<usize>,
}

impl Compiler<'_> {
    /// All rules that write the fields of one target object.
    pub(super) fn fields(
        &mut self,
        entries: &[Entry<'_, '_>],
        target: &Scope,
        span: Range<usize>,
    ) -> Vec<FieldPlan> {
        let mut order: Vec<Vec<String>> = Vec::new();
        let mut groups: BTreeMap<Vec<String>, (Target, Vec<Rule>)> = BTreeMap::new();
        let mut lost = false;
        for entry in entries {
            let Some((to, field, rule)) = self.rule(entry, target) else {
                lost = true;
                continue;
            };
            if !groups.contains_key(&to) {
                order.push(to.clone());
            }
            groups.entry(to).or_insert_with(|| (field, Vec::new())).1.extend(rule);
        }
        let mut coverage = Coverage::default();
        let mut fields = Vec::new();
        for to in order {
            let Some((field, rules)) = groups.remove(&to) else { continue };
            let overlap = coverage.add(&to).err();
            if let (Some(first), Some(other)) = (rules.first(), overlap) {
                self.findings.add(
                    LoadCode::WrittenTwice,
                    first.span.clone(),
                    format!("`{}` is written here and, as a part or as the whole, by `{other}`", field.path),
                );
            }
            fields.push(self.group(to, &field, rules));
        }
        // A rule whose target is misspelt was meant for one of the fields that seem to be missing.
        if let Some(node) = target.node
            && !lost
        {
            self.check_coverage(node, &coverage, &target.path, &span);
        }
        fields
    }

    /// The rules of one field become its plan.
    fn group(&mut self, to: Vec<String>, field: &Target, rules: Vec<Rule>) -> FieldPlan {
        let append = rules.iter().all(|rule| matches!(rule.plan.body, Body::Each { .. }));
        let absent = rules.iter().rev().find_map(|rule| rule.missing).unwrap_or_else(|| field.absent());
        if !append {
            self.check_turns(&rules, &field.path);
        }
        let stated = rules.iter().any(|rule| rule.missing.is_some());
        // Without a single good rule there is nothing to say about absence.
        let optional = !append
            && !rules.is_empty()
            && rules.iter().all(|rule| rule.optional || rule.plan.when.is_some());
        if optional
            && !stated
            && absent == Absent::Fault
            && let Some(last) = rules.last()
        {
            self.findings.add_help(
                LoadCode::MayBeAbsent,
                last.span.clone(),
                format!("the target requires `{}`, and the source may have no value for it", field.path),
                "say `default = …`, use `first`, or `missing = \"fault\"` to send such a fact to the dead letters",
            );
        }
        FieldPlan { to, rules: rules.into_iter().map(|rule| rule.plan).collect(), absent, append }
    }

    /// A rule after one that always has a value never gets its turn.
    fn check_turns(&mut self, rules: &[Rule], path: &Path) {
        for pair in rules.windows(2) {
            let [before, after] = pair else { continue };
            if before.plan.when.is_none() && !before.optional {
                self.findings.add_help(
                    LoadCode::WrittenTwice,
                    after.span.clone(),
                    format!(
                        "`{path}` is written on line {} already, so this rule never gets its turn",
                        before.plan.line
                    ),
                    "give the earlier rule a `when`, or put it last",
                );
            }
        }
    }

    /// A rule and its target; a rule with findings still claims its target.
    fn rule(&mut self, entry: &Entry<'_, '_>, target: &Scope) -> Option<(Vec<String>, Target, Option<Rule>)> {
        if !self.count_rule(entry) {
            return None;
        }
        let mut keys = entry.table(&mut self.findings)?;
        let Some(to) = keys.take("to") else {
            self.findings.add_help(
                LoadCode::RuleShape,
                entry.span.clone(),
                "this rule has no `to`",
                "name the target field: { to = \"currency\", copy = \"currency\" }",
            );
            return None;
        };
        // Without its target the rest is still read, for its own findings.
        let field = self.target_field(&to, target);
        self.rule_reads.clear();
        self.rule_verbs.clear();
        self.rule_words.clear();
        let when = keys.take("when").and_then(|when| {
            self.rule_verbs.insert(Verb::When);
            self.expression(&when, Some(&Ty::Bool)).map(|(expression, _)| expression)
        });
        let missing =
            keys.take("missing").and_then(|missing| self.missing(&missing, field.as_ref().map(|f| &f.1)));
        let node = field.as_ref().and_then(|(_, field)| field.node);
        let path = field.as_ref().map_or_else(Path::root, |(_, field)| field.path.clone());
        let body = self.body(keys, &to, Scope::new(node, path));
        let (to_path, field) = field?;
        let Some((body, typed)) = body else { return Some((to_path, field, None)) };
        let check = self.check_fit(&field, &typed, &to, &body);
        let plan = RulePlan { when, body, check, line: self.line(entry.span.start) };
        let rule = Rule { plan, optional: typed.optional, missing, span: to.span };
        Some((to_path, field, Some(rule)))
    }

    fn body(&mut self, mut keys: Keys<'_, '_>, to: &Entry<'_, '_>, target: Scope) -> Option<(Body, Typed)> {
        let grouped = keys.has("each") || keys.has("within") || keys.has("rules");
        let result = if grouped {
            self.nested(&mut keys, to, &target)
        } else {
            let value = self.value_of(&mut keys, &to.key_span);
            if value.is_some() {
                self.note_written(&target.path, to);
            }
            value.map(|(plan, typed)| (Body::Value(plan), typed))
        };
        let mut known: Vec<&str> = RULE_KEYS.to_vec();
        known.extend(SOURCES.iter().map(|verb| verb.name()));
        keys.finish(&mut self.findings, "a rule", &known);
        result
    }

    fn missing(&mut self, entry: &Entry<'_, '_>, field: Option<&Target>) -> Option<Absent> {
        let word = entry.word(&mut self.findings)?;
        let absent = match word {
            "fault" => Absent::Fault,
            "null" => Absent::Null,
            "omit" => Absent::Omit,
            _ => {
                self.findings.add_help(
                    LoadCode::WrongValue,
                    entry.span.clone(),
                    format!("`missing` cannot be `{word}`"),
                    suggest(word, ["fault", "null", "omit"]),
                );
                return None;
            }
        };
        let clash = field.and_then(|field| match absent {
            Absent::Omit if field.required => Some("the target requires this field"),
            Absent::Null if !field.nullable => Some("the target does not take null here"),
            _ => None,
        });
        if let Some(clash) = clash {
            self.findings.add(
                LoadCode::TypeMismatch,
                entry.span.clone(),
                format!("`missing = \"{word}\"` cannot be: {clash}"),
            );
        }
        Some(absent)
    }

    /// The target field of `to`, from the object at hand.
    fn target_field(&mut self, to: &Entry<'_, '_>, target: &Scope) -> Option<(Vec<String>, Target)> {
        let text = to.text(&mut self.findings)?;
        let keys = match parse_target(text) {
            Ok(keys) => keys,
            Err(reason) => {
                self.findings.add(
                    LoadCode::UnknownTargetPath,
                    to.span.clone(),
                    format!("`{text}`: {reason}"),
                );
                return None;
            }
        };
        let mut field =
            Target { node: target.node, path: target.path.clone(), required: false, nullable: true };
        for key in &keys {
            let Some(node) = field.node else {
                field.path = field.path.key(key);
                continue;
            };
            let Some(found) = self.target.field(node, key) else {
                self.unknown_target(to, node, key, &field.path);
                return None;
            };
            field.node = found.node;
            field.required = found.required;
            field.nullable = found.node.is_none_or(|node| self.target.nullable(node));
            field.path = field.path.key(key);
        }
        Some((keys, field))
    }

    fn unknown_target(&mut self, to: &Entry<'_, '_>, node: NodeId, key: &str, parent: &Path) {
        let holder = if parent.as_str().is_empty() { "the target".to_owned() } else { format!("`{parent}`") };
        let keys = self.target.keys(node);
        let help = match (nearest(key, keys.iter().copied()), self.target.paths_ending_in(key)) {
            _ if matches!(self.target.ty(node), Ty::List(_)) => {
                format!("{holder} is a list: write it with `each`")
            }
            (Some(near), _) => format!("did you mean `{near}`?"),
            (None, elsewhere) if !elsewhere.is_empty() => {
                format!("the target has it as {}", elsewhere.join(" and "))
            }
            _ => suggest(key, keys.iter().copied()),
        };
        self.findings.add_help(
            LoadCode::UnknownTargetPath,
            to.span.clone(),
            format!("{holder} has no field `{key}`"),
            help,
        );
    }

    /// Whether the value may be written; the type to check at each run, if it depends on the value.
    fn check_fit(&mut self, field: &Target, typed: &Typed, to: &Entry<'_, '_>, body: &Body) -> Option<Ty> {
        if !matches!(body, Body::Value(_)) {
            return None;
        }
        let wanted = self.target.ty(field.node?);
        match fits(typed, &wanted) {
            Fit::Yes => None,
            Fit::AtRun => Some(wanted),
            Fit::No(help) => {
                let (code, message) = match &typed.literal {
                    Some(value) => {
                        (LoadCode::NotAllowed, format!("`{}` is {wanted}; {value} does not fit", field.path))
                    }
                    None => (
                        LoadCode::TypeMismatch,
                        format!("`{}` is {wanted}; the value is {}", field.path, typed.ty),
                    ),
                };
                self.findings.add_help(code, to.span.clone(), message, help);
                None
            }
        }
    }

    /// The rule at hand writes this field: what it reads and does is noted under it.
    pub(super) fn note_written(&mut self, path: &Path, to: &Entry<'_, '_>) {
        self.facts.writes.insert(path.clone());
        self.facts.reads.extend(self.rule_reads.iter().cloned());
        let line = self.line(to.span.start);
        let field = self.facts.fields.entry(path.clone()).or_insert_with(|| FieldFacts {
            reads: BTreeSet::new(),
            verbs: BTreeSet::new(),
            words: BTreeMap::new(),
            span: to.span.clone(),
            line,
        });
        field.reads.append(&mut self.rule_reads);
        field.verbs.append(&mut self.rule_verbs);
        field.words.append(&mut self.rule_words);
    }
}
