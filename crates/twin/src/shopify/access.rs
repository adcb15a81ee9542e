//! Who may see what: scopes of the token, and approval for protected customer data.
//!
//! A refusal is Shopify's own: `ACCESS_DENIED` on the field, null in its place, the rest of the answer intact.

use super::answer::Refusal;
use super::contract::{Contract, Requirement};
use serde_json::json;
use std::collections::BTreeSet;

/// What one app was granted.
#[derive(Clone, Debug)]
pub(super) struct Access {
    scopes: BTreeSet<String>,
    approved: BTreeSet<String>,
}

impl Access {
    pub(super) fn new(scopes: &BTreeSet<String>, approved: &BTreeSet<String>) -> Self {
        Self { scopes: scopes.clone(), approved: approved.clone() }
    }

    /// A `write_` scope holds its `read_`.
    pub(super) fn holds(&self, scope: &str) -> bool {
        let write = scope.strip_prefix("read_").map(|what| format!("write_{what}"));
        self.scopes.contains(scope) || write.is_some_and(|write| self.scopes.contains(&write))
    }

    pub(super) fn scopes(&self) -> impl Iterator<Item = &str> {
        self.scopes.iter().map(String::as_str)
    }

    pub(super) fn approved_for(&self, content: &str) -> bool {
        self.approved.contains(content)
    }

    /// The field by itself, and the type that it answers with.
    pub(super) fn check(
        &self,
        contract: &Contract,
        parent: &str,
        field: &str,
        answers_with: &str,
    ) -> Result<(), Refusal> {
        for needs in contract.requirements(parent, field, answers_with) {
            self.check_one(field, needs)?;
        }
        match contract.protected(parent, field) {
            Some(content) if !self.approved_for(content) => Err(Refusal::new(
                "ACCESS_DENIED",
                format!(
                    "This app is not approved to use the {field} field. See \
                     https://shopify.dev/docs/apps/launch/protected-customer-data for more details."
                ),
            )
            .with("documentation", json!("https://shopify.dev/docs/apps/launch/protected-customer-data"))),
            _ => Ok(()),
        }
    }

    pub(super) fn check_one(&self, field: &str, needs: &Requirement) -> Result<(), Refusal> {
        if needs.any_of.iter().any(|scope| self.holds(scope)) {
            return Ok(());
        }
        Err(denied(field, &needs.text))
    }

    /// For writes whose scope depends on what they write to.
    pub(super) fn check_scope(&self, field: &str, any_of: &[&str], text: &str) -> Result<(), Refusal> {
        if any_of.iter().any(|scope| self.holds(scope)) { Ok(()) } else { Err(denied(field, text)) }
    }
}

fn denied(field: &str, text: &str) -> Refusal {
    Refusal::new("ACCESS_DENIED", format!("Access denied for {field} field. Required access: {text}"))
        .with("documentation", json!("https://shopify.dev/api/usage/access-scopes"))
        .with("requiredAccess", json!(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_scope_holds_its_read_scope_and_nothing_else() {
        let access = Access::new(&["write_orders".to_owned()].into(), &BTreeSet::new());
        let cases =
            [("read_orders", true), ("write_orders", true), ("read_customers", false), ("orders", false)];
        for (scope, held) in cases {
            assert_eq!(access.holds(scope), held, "{scope}");
        }
    }
}
