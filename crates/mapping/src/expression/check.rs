//! Checks an expression at load: bounds, refused constructs, types; and replaces its field names by variables.

use std::ops::Range;

use cel::common::ast::{CallExpr, Expr, IdedExpr, LiteralValue, SourceInfo, operators};

use super::kinds::{Checked, Kind, call_kind, literal_kind, refuse};
use super::{ENVIRONMENT, Expression, Input};
use crate::compile::{Compiler, Resolved};
use crate::error::LoadCode;
use crate::nearest::suggest;
use crate::path::{Base, Segment, SourcePath};
use crate::read::Entry;
use crate::types::{Ty, Typed};

const BYTES_MAX: usize = 1_000;
const NODES_MAX: usize = 200;
/// Opening brackets in all, those in texts included: a scanner that knew which are in texts could be wrong about it.
const BRACKETS_MAX: usize = 32;
/// How deep the checked tree may be: a level of the interpreter takes 33 kB of the caller's stack in a debug build.
/// `&&` and `||` make balanced trees, so that it is calls and sums that reach it.
const DEPTH_MAX: u16 = 24;
/// The parser's bound on its own rules, of which a level of the tree takes several.
const PARSER_DEPTH_MAX: u16 = 96;

const MACROS: [&str; 6] = ["all", "exists", "exists_one", "map", "filter", "reduce"];

impl Compiler<'_> {
    /// An expression that stands in an entry. With `wanted` its type must be that.
    pub(crate) fn expression(
        &mut self,
        entry: &Entry<'_, '_>,
        wanted: Option<&Ty>,
    ) -> Option<(Expression, Typed)> {
        let text = entry.word(&mut self.findings)?;
        let brackets = text.bytes().filter(|byte| matches!(byte, b'(' | b'[' | b'{')).count();
        if text.len() > BYTES_MAX || brackets > BRACKETS_MAX {
            self.findings.add(
                LoadCode::ExpressionBounds,
                entry.span.clone(),
                format!("an expression has at most {BYTES_MAX} bytes and {BRACKETS_MAX} brackets"),
            );
            return None;
        }
        let (mut tree, places) = match parse(text) {
            Ok(parsed) => parsed,
            Err(message) => {
                self.findings.add_help(
                    LoadCode::Expression,
                    entry.span.clone(),
                    format!("this is not a CEL expression: {message}"),
                    "for example: item.test == false && has(item.po_number)",
                );
                return None;
            }
        };
        let original = tree.clone();
        let mut walk =
            Walk { compiler: self, inputs: Vec::new(), resolved: Vec::new(), nodes: 0, optional: false };
        let checked = walk.check(&mut tree, 0).and_then(|kind| expect_result(&tree, kind, wanted));
        let Walk { inputs, resolved, optional, .. } = walk;
        match checked {
            Ok(kind) => {
                for resolved in &resolved {
                    self.note_read(resolved);
                }
                let ty = match kind {
                    Kind::Bool => Ty::Bool,
                    Kind::Integer => Ty::Integer,
                    Kind::Text => Ty::PLAIN,
                    Kind::Exact("decimal") => Ty::DECIMAL,
                    Kind::Exact("date and time") => Ty::DATE_TIME,
                    _ => Ty::Any,
                };
                Some((Expression::new(text, tree, inputs), Typed::new(ty, optional)))
            }
            Err(refusal) => {
                let span = find(&original, refusal.at)
                    .and_then(|part| extent(part, &places))
                    .and_then(|part| self.inside(entry, text, part))
                    .unwrap_or_else(|| entry.span.clone());
                self.findings.add_help(refusal.code, span, refusal.message, refusal.help);
                None
            }
        }
    }

    /// The place in the file of a part of an expression, where it is written there letter by letter.
    fn inside(&self, entry: &Entry<'_, '_>, text: &str, part: Range<usize>) -> Option<Range<usize>> {
        let raw = self.text_of(&entry.span)?;
        let base = entry.span.start + raw.find(text)?;
        (text.is_ascii() && part.end <= text.len()).then(|| base + part.start..base + part.end)
    }
}

/// The parts of a part.
fn parts(expr: &IdedExpr) -> Vec<&IdedExpr> {
    match &expr.expr {
        Expr::Call(call) => call.target.as_deref().into_iter().chain(&call.args).collect(),
        Expr::Select(select) => vec![&select.operand],
        Expr::List(list) => list.elements.iter().collect(),
        _ => Vec::new(),
    }
}

fn find(expr: &IdedExpr, id: u64) -> Option<&IdedExpr> {
    if expr.id == id { Some(expr) } else { parts(expr).into_iter().find_map(|part| find(part, id)) }
}

/// From where to where a part is written: the parser marks an operator or a dot alone.
fn extent(expr: &IdedExpr, places: &SourceInfo) -> Option<Range<usize>> {
    let own = places.offset_for(expr.id).map(|(start, stop)| start as usize..stop as usize + 1);
    let own = own.map(|range| match &expr.expr {
        // The name after the dot belongs to it.
        Expr::Select(select) => range.start..range.end + select.field.len(),
        _ => range,
    });
    parts(expr)
        .into_iter()
        .filter_map(|part| extent(part, places))
        .chain(own)
        .reduce(|a, b| a.start.min(b.start)..a.end.max(b.end))
}

/// Parses on a stack of its own. The parser goes down some twenty functions for each bracket, without a bound that it
/// keeps for broken input: with `BRACKETS_MAX` brackets it was measured to need less than half of this in a debug
/// build, while a thread of the runtime has an eighth.
fn parse(text: &str) -> Result<(IdedExpr, SourceInfo), String> {
    const STACK_BYTES: usize = 16 * 1024 * 1024;
    let parse = || {
        let parsed = ENVIRONMENT.parser().max_recursion_depth(PARSER_DEPTH_MAX).parse_with_source_info(text);
        parsed.map_err(|errors| errors.errors.first().map_or_else(String::new, |error| error.msg.clone()))
    };
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, parse);
        let thread = thread.map_err(|error| format!("no thread to parse it on: {error}"))?;
        thread.join().unwrap_or_else(|_| Err("the parser gave up on it".to_owned()))
    })
}

fn expect_result(tree: &IdedExpr, kind: Kind, wanted: Option<&Ty>) -> Checked {
    if wanted == Some(&Ty::Bool) && !kind.may_be(&Kind::Bool) {
        let message = format!("a condition is true or false; this is {}", kind.name());
        return refuse(tree.id, LoadCode::ExpressionType, message, "compare it with something");
    }
    if matches!(kind, Kind::List(_)) {
        let message = "an expression yields one value; this is a list".to_owned();
        return refuse(tree.id, LoadCode::ExpressionType, message, "lists are written by `copy` and `each`");
    }
    Ok(kind)
}

struct Walk<'w, 'a> {
    compiler: &'w Compiler<'a>,
    inputs: Vec<Input>,
    resolved: Vec<Resolved>,
    nodes: usize,
    optional: bool,
}

impl Walk<'_, '_> {
    fn check(&mut self, expr: &mut IdedExpr, depth: u16) -> Checked {
        self.nodes += 1;
        if self.nodes > NODES_MAX || depth > DEPTH_MAX {
            let message = format!("an expression has at most {NODES_MAX} parts, {DEPTH_MAX} deep");
            return refuse(expr.id, LoadCode::ExpressionBounds, message, "split it over several rules");
        }
        let id = expr.id;
        if let Some(path) = self.field_path(&expr.expr) {
            return self.field(expr, path, false);
        }
        match &mut expr.expr {
            Expr::Literal(literal) => literal_kind(id, literal),
            Expr::List(list) => {
                let mut kind: Option<Kind> = None;
                for element in &mut list.elements {
                    let next = self.check(element, depth + 1)?;
                    kind = Some(kind.filter(|kind| *kind == next).map_or(next, |kind| kind));
                }
                Ok(Kind::List(Box::new(kind.unwrap_or(Kind::Any))))
            }
            Expr::Call(call) if call.func_name == "has" => {
                let path = match call.args.as_slice() {
                    [only] if call.target.is_none() => self.field_path(&only.expr),
                    _ => None,
                };
                match path {
                    Some(path) => self.field(expr, path, true),
                    None => refuse(
                        id,
                        LoadCode::ExpressionType,
                        "`has` takes one field: has(item.po_number)".to_owned(),
                        "",
                    ),
                }
            }
            Expr::Call(call) => self.call(id, call, depth),
            Expr::Ident(name) => {
                let message = format!("there is no `{name}` in an expression");
                let roots = ["item", "source", "parent", self.compiler.source.noun()];
                refuse(id, LoadCode::ExpressionType, message, &suggest(name, roots))
            }
            Expr::Comprehension(_) => refuse(
                id,
                LoadCode::ExpressionBounds,
                "comprehensions are refused: an expression has no loops".to_owned(),
                "go over lists with `each`, `sum`, `count` or `first`",
            ),
            Expr::Select(select) => {
                self.check(&mut select.operand, depth + 1)?;
                let message = "a field starts at `item`, `parent` or `source`".to_owned();
                refuse(id, LoadCode::ExpressionType, message, "")
            }
            Expr::Map(_) | Expr::Struct(_) | Expr::Unspecified => refuse(
                id,
                LoadCode::ExpressionBounds,
                "maps and messages are refused in an expression".to_owned(),
                "objects are written by rules",
            ),
        }
    }

    /// A field becomes a variable.
    fn field(&mut self, expr: &mut IdedExpr, path: SourcePath, presence: bool) -> Checked {
        let resolved = match self.compiler.resolve(&path) {
            Ok(resolved) => resolved,
            Err(unknown) => {
                return refuse(expr.id, LoadCode::UnknownSourcePath, unknown.message, &unknown.help);
            }
        };
        let typed = resolved.typed(self.compiler.source);
        let kind = if presence { Some(Kind::Bool) } else { Kind::of(&typed.ty) };
        let Some(kind) = kind else {
            let message = format!("`{path}` is {}; an expression takes single values", typed.ty);
            return refuse(
                expr.id,
                LoadCode::ExpressionType,
                message,
                "name one of its fields, or ask has(…)",
            );
        };
        self.optional |= typed.optional && !presence;
        let as_text = matches!(kind, Kind::Exact(_));
        let input = Input { path, presence, as_text };
        let index = self.inputs.iter().position(|known| *known == input).unwrap_or_else(|| {
            self.inputs.push(input);
            self.resolved.push(resolved);
            self.inputs.len() - 1
        });
        expr.expr = Expr::Ident(format!("v{index}"));
        Ok(kind)
    }

    fn call(&mut self, id: u64, call: &mut CallExpr, depth: u16) -> Checked {
        let name = call.func_name.clone();
        if MACROS.contains(&name.as_str()) {
            let message = format!("`{name}` is refused: an expression has no loops");
            return refuse(
                id,
                LoadCode::ExpressionBounds,
                message,
                "go over lists with `each`, `sum`, `count` or `first`",
            );
        }
        let mut kinds = Vec::new();
        if let Some(target) = &mut call.target {
            kinds.push(self.check(target, depth + 1)?);
        }
        for argument in &mut call.args {
            kinds.push(self.check(argument, depth + 1)?);
        }
        call_kind(id, &name, &kinds, call)
    }

    /// `item.a[0].b` and the like; `None` if the expression is something else.
    fn field_path(&self, expr: &Expr) -> Option<SourcePath> {
        let mut segments = Vec::new();
        let mut at = expr;
        loop {
            match at {
                Expr::Ident(name) => {
                    let base = match name.as_str() {
                        "item" => Base::Up(0),
                        "parent" => Base::Up(1),
                        "source" => Base::Root,
                        noun if noun == self.compiler.source.noun() => Base::Root,
                        _ => return None,
                    };
                    segments.reverse();
                    return Some(SourcePath { base, segments });
                }
                Expr::Select(select) if !select.test => {
                    segments.push(Segment::Key(select.field.clone()));
                    at = &select.operand.expr;
                }
                Expr::Call(call) if call.func_name == operators::INDEX => {
                    let [operand, index] = call.args.as_slice() else { return None };
                    match &index.expr {
                        Expr::Literal(LiteralValue::Int(number)) => {
                            segments.push(Segment::Index(usize::try_from(*number.inner()).ok()?));
                        }
                        Expr::Literal(LiteralValue::String(key)) => {
                            segments.push(Segment::Key(key.inner().to_owned()));
                        }
                        _ => return None,
                    }
                    at = &operand.expr;
                }
                _ => return None,
            }
        }
    }
}
