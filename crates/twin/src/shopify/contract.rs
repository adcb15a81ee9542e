//! The published contract: the schema extract, parsed and validated once, and what access each type and field needs.
//!
//! It answers what is there and who may see it. It refuses to know any value.

use apollo_compiler::Schema;
use apollo_compiler::validation::Valid;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

/// The only version that this look-alike speaks.
pub const API_VERSION: &str = "2026-10";

const SDL: &str = include_str!("../../schema/admin-2026-10.graphql");
const SCOPES: &str = include_str!("../../schema/scopes.json");

/// Which scopes open a type or field: any one of them.
#[derive(Debug, Deserialize)]
pub(super) struct Requirement {
    pub(super) any_of: Vec<String>,
    /// As the documentation says it; goes into the refusal.
    pub(super) text: String,
}

#[derive(Debug, Deserialize)]
struct Scopes {
    types: BTreeMap<String, Requirement>,
    fields: BTreeMap<String, Requirement>,
    /// `Order.email` → `email`.
    protected: BTreeMap<String, String>,
    left_out: BTreeMap<String, BTreeSet<String>>,
}

/// Schema and access rules.
#[derive(Debug)]
pub(super) struct Contract {
    pub(super) schema: Valid<Schema>,
    scopes: Scopes,
}

impl Contract {
    /// Fails only where the committed extract is damaged.
    pub(super) fn get() -> anyhow::Result<&'static Self> {
        static CONTRACT: OnceLock<Result<Contract, String>> = OnceLock::new();
        CONTRACT.get_or_init(Self::load).as_ref().map_err(|error| anyhow::anyhow!("{error}"))
    }

    fn load() -> Result<Self, String> {
        let schema = Schema::parse_and_validate(SDL, "admin-2026-10.graphql")
            .map_err(|error| format!("the schema extract is not valid: {error}"))?;
        let scopes = serde_json::from_str(SCOPES).map_err(|error| format!("scopes.json: {error}"))?;
        Ok(Self { schema, scopes })
    }

    /// What the field itself needs, then what the type that it answers with needs.
    pub(super) fn requirements<'a>(
        &'a self,
        parent: &str,
        field: &str,
        answers_with: &str,
    ) -> impl Iterator<Item = &'a Requirement> {
        let of_field = self.scopes.fields.get(&format!("{parent}.{field}"));
        let node = answers_with.strip_suffix("Connection").unwrap_or(answers_with);
        of_field.into_iter().chain(self.of_type(node))
    }

    pub(super) fn of_type(&self, name: &str) -> Option<&Requirement> {
        self.scopes.types.get(name)
    }

    /// `name`, `address`, `email` or `phone`, where the field holds protected customer data.
    pub(super) fn protected(&self, parent: &str, field: &str) -> Option<&str> {
        self.scopes.protected.get(&format!("{parent}.{field}")).map(String::as_str)
    }

    /// The published schema has this field, the extract has not.
    pub(super) fn is_left_out(&self, parent: &str, field: &str) -> bool {
        self.scopes.left_out.get(parent).is_some_and(|fields| fields.contains(field))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_extract_is_a_valid_schema_and_knows_what_access_orders_need() {
        let contract = Contract::get().unwrap();
        let needs: Vec<_> = contract.requirements("QueryRoot", "orders", "OrderConnection").collect();
        assert!(needs[0].any_of.contains(&"read_orders".to_owned()), "{needs:?}");
        assert_eq!(contract.protected("Order", "email"), Some("email"));
        assert!(contract.is_left_out("Order", "agreements"));
        assert!(!contract.is_left_out("Order", "agreementz"));
    }
}
