//! Rules with rules of their own: `each`, `within`, and a plain group.

use super::{Compiler, Scope};
use crate::error::LoadCode;
use crate::plan::Body;
use crate::read::{Entry, Keys};
use crate::types::{Ty, Typed};
use crate::verb::Verb;

impl Compiler<'_> {
    /// A rule with rules of its own: `each`, `within`, or a plain group.
    pub(super) fn nested(
        &mut self,
        keys: &mut Keys<'_, '_>,
        to: &Entry<'_, '_>,
        target: &Scope,
    ) -> Option<(Body, Typed)> {
        let each = keys.take("each");
        let within = keys.take("within");
        let keep = keys.take("where");
        let rules = keys.take("rules");
        let Some(rules) = rules else {
            self.findings.add_help(
                LoadCode::RuleShape,
                to.span.clone(),
                "`each` and `within` need `rules`",
                "write `rules = [ { to = …, copy = … } ]`: their paths start at the item",
            );
            return None;
        };
        if let (Some(_), Some(within)) = (&each, &within) {
            self.findings.add(
                LoadCode::RuleShape,
                within.key_span.clone(),
                "a rule has `each` or `within`, not both",
            );
        }
        if let (None, Some(keep)) = (&each, &keep) {
            self.findings.add_help(
                LoadCode::RuleShape,
                keep.key_span.clone(),
                "`where` chooses items of `each`",
                "for the whole rule say `when`",
            );
        }
        self.deeper(&rules.clone(), |this| match each {
            Some(each) => this.each(&each, keep.as_ref(), &rules, to, target),
            None => this.within(within.as_ref(), &rules, to, target),
        })
    }

    fn each(
        &mut self,
        each: &Entry<'_, '_>,
        keep: Option<&Entry<'_, '_>>,
        rules: &Entry<'_, '_>,
        to: &Entry<'_, '_>,
        target: &Scope,
    ) -> Option<(Body, Typed)> {
        let items = match target.node.map(|node| self.target.items(node)) {
            Some(Some(items)) => items,
            Some(None) => {
                self.findings.add_help(
                    LoadCode::TypeMismatch,
                    to.span.clone(),
                    format!("`{}` is no list in the target", target.path),
                    "`each` writes lists; `within` writes an object",
                );
                return None;
            }
            None => None,
        };
        let over = self.enter_items(each)?;
        let condition = keep.and_then(|keep| {
            self.rule_verbs.insert(Verb::When);
            self.expression(keep, Some(&Ty::Bool)).map(|(expression, _)| expression)
        });
        self.rule_verbs.insert(Verb::Each);
        self.note_written(&target.path, to);
        let entries = rules.items(&mut self.findings).unwrap_or_default();
        let inner = Scope::new(items, target.path.items());
        let fields = self.fields(&entries, &inner, rules.key_span.clone());
        self.scopes.pop();
        Some((
            Body::Each { over, keep: condition, fields },
            Typed::new(Ty::List(Box::new(Ty::Object)), false),
        ))
    }

    fn within(
        &mut self,
        within: Option<&Entry<'_, '_>>,
        rules: &Entry<'_, '_>,
        to: &Entry<'_, '_>,
        target: &Scope,
    ) -> Option<(Body, Typed)> {
        if let Some(node) = target.node
            && !matches!(self.target.ty(node), Ty::Object | Ty::Any)
        {
            self.findings.add_help(
                LoadCode::TypeMismatch,
                to.span.clone(),
                format!("`{}` is no object in the target", target.path),
                "rules within a rule write an object, or a list with `each`",
            );
            return None;
        }
        let mut optional = false;
        let mut over = None;
        if let Some(within) = within {
            let (path, resolved) = self.path(within)?;
            let typed = resolved.typed(self.source);
            if !matches!(typed.ty, Ty::Object | Ty::Any) {
                self.findings.add(
                    LoadCode::TypeMismatch,
                    within.span.clone(),
                    format!("`within` goes into an object; `{path}` is a {}", typed.ty),
                );
                return None;
            }
            optional = typed.optional;
            self.note_read(&resolved);
            self.scopes.push(Scope { node: resolved.node, path: resolved.path, present: true });
            over = Some(path);
            self.rule_verbs.insert(Verb::Within);
            self.note_written(&target.path, to);
        }
        let entries = rules.items(&mut self.findings).unwrap_or_default();
        let fields = self.fields(&entries, target, rules.key_span.clone());
        if over.is_some() {
            self.scopes.pop();
        }
        Some((Body::Within { over, fields }, Typed::new(Ty::Object, optional)))
    }
}
