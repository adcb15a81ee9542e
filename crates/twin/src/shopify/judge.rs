//! Judges a document without a shop: is it valid, which scopes does it need, what does it cost; and spoils one in
//! every way that must be refused. For the tests of whoever writes documents.

use super::contract::Contract;
use super::cost::Bill;
use super::document::parse;
use anyhow::{Result, anyhow};
use apollo_compiler::ExecutableDocument;
use apollo_compiler::ast::{Argument, Definition, Document, Selection as Written, Value as Literal};
use apollo_compiler::executable::{Selection, SelectionSet};
use apollo_compiler::response::JsonMap;
use apollo_compiler::{Name, Node};
use serde_json::Value;
use std::collections::BTreeSet;

/// What is to be known of a valid document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// Of each set one scope is enough; a `write_` scope holds its `read_`. What a mutation needs because of the
    /// object that it is given (`metafieldsSet`, `tagsAdd`) is not among them.
    pub scopes: BTreeSet<BTreeSet<String>>,
    /// Personal data that it reads: `name`, `address`, `email`, `phone`.
    pub protected: BTreeSet<String>,
    pub requested_cost: u32,
}

/// The error says all that is wrong, with codes.
pub fn judge(text: &str, operation: Option<&str>, variables: &Value) -> Result<Judgement> {
    let contract = Contract::get()?;
    let document = parse(contract, text).map_err(|errors| anyhow!("{errors:#}"))?;
    let operation = document.operations.get(operation).map_err(|error| anyhow!("{}", error.message()))?;
    let variables: JsonMap = serde_json::from_value(variables.clone())?;
    let bill = Bill { document: &document, operation, variables: &variables };
    let mut judgement =
        Judgement { scopes: BTreeSet::new(), protected: BTreeSet::new(), requested_cost: bill.requested() };
    needs(contract, &document, &operation.selection_set, &mut judgement);
    Ok(judgement)
}

fn needs(contract: &Contract, document: &ExecutableDocument, set: &SelectionSet, judgement: &mut Judgement) {
    let of_type = |name: &str| contract.of_type(name).map(|needs| needs.any_of.iter().cloned().collect());
    for selection in &set.selections {
        match selection {
            Selection::Field(field) => {
                let answers_with = field.definition.ty.inner_named_type().as_str();
                let found = contract.requirements(set.ty.as_str(), &field.name, answers_with);
                judgement.scopes.extend(found.map(|needs| needs.any_of.iter().cloned().collect()));
                judgement
                    .protected
                    .extend(contract.protected(set.ty.as_str(), &field.name).map(str::to_owned));
                needs(contract, document, &field.selection_set, judgement);
            }
            Selection::InlineFragment(inline) => {
                judgement.scopes.extend(of_type(inline.selection_set.ty.as_str()));
                needs(contract, document, &inline.selection_set, judgement);
            }
            Selection::FragmentSpread(spread) => {
                if let Some(fragment) = spread.fragment_def(document) {
                    judgement.scopes.extend(of_type(fragment.type_condition().as_str()));
                    needs(contract, document, &fragment.selection_set, judgement);
                }
            }
        }
    }
}

/// The document once with each of its fields misspelled, and once with an argument too many on each.
pub fn spoiled(text: &str) -> Result<Vec<String>> {
    let document = Document::parse(text, "query.graphql").map_err(|error| anyhow!("{error}"))?;
    let mut variants = Vec::new();
    for spoil in [misspell as fn(&mut apollo_compiler::ast::Field), one_argument_more] {
        for index in 0.. {
            let mut spoiled = document.clone();
            let mut left = index;
            if !spoil_field(&mut spoiled, &mut left, spoil) {
                break;
            }
            variants.push(spoiled.to_string());
        }
    }
    Ok(variants)
}

fn misspell(field: &mut apollo_compiler::ast::Field) {
    if let Ok(name) = Name::new(&format!("{}z", field.name)) {
        field.name = name;
    }
}

fn one_argument_more(field: &mut apollo_compiler::ast::Field) {
    let value = Node::new(Literal::Boolean(true));
    if let Ok(name) = Name::new("tooMuch") {
        field.arguments.push(Node::new(Argument { name, value }));
    }
}

/// Spoils the field of that index in reading order; false where there are not as many.
fn spoil_field(
    document: &mut Document,
    left: &mut usize,
    spoil: fn(&mut apollo_compiler::ast::Field),
) -> bool {
    document.definitions.iter_mut().any(|definition| match definition {
        Definition::OperationDefinition(operation) => {
            spoil_in(&mut operation.make_mut().selection_set, left, spoil)
        }
        Definition::FragmentDefinition(fragment) => {
            spoil_in(&mut fragment.make_mut().selection_set, left, spoil)
        }
        _ => false,
    })
}

fn spoil_in(set: &mut [Written], left: &mut usize, spoil: fn(&mut apollo_compiler::ast::Field)) -> bool {
    set.iter_mut().any(|selection| match selection {
        Written::Field(field) => {
            let field = field.make_mut();
            // `__typename` is everywhere and takes no arguments.
            if !field.name.starts_with("__") {
                if *left == 0 {
                    spoil(field);
                    return true;
                }
                *left -= 1;
            }
            spoil_in(&mut field.selection_set, left, spoil)
        }
        Written::InlineFragment(inline) => spoil_in(&mut inline.make_mut().selection_set, left, spoil),
        Written::FragmentSpread(_) => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const PAGE: &str = "query P($n: Int!) { orders(first: $n) { nodes { ...O } } } \
                        fragment O on Order { id email purchasingEntity { ... on Customer { id } } }";

    #[test]
    fn a_document_is_judged_by_validity_scopes_personal_data_and_cost() {
        let judgement = judge(PAGE, None, &json!({ "n": 10 })).unwrap();
        let set = |scopes: &[&str]| scopes.iter().map(|scope| (*scope).to_owned()).collect::<BTreeSet<_>>();
        assert_eq!(
            judgement.scopes,
            [set(&["read_orders", "read_marketplace_orders", "read_quick_sale"]), set(&["read_customers"])]
                .into()
        );
        assert_eq!(judgement.protected, set(&["email"]));
        assert_eq!(judgement.requested_cost, 2 + 4 * 2);
        assert!(judge("{ orders }", None, &json!({})).is_err());
    }

    #[test]
    fn every_spoiled_document_is_refused() {
        let variants = spoiled(PAGE).unwrap();
        // orders, nodes, id, email, purchasingEntity, id: misspelled, and with an argument more.
        assert_eq!(variants.len(), 12);
        for variant in variants {
            let refused = judge(&variant, None, &json!({ "n": 10 })).unwrap_err().to_string();
            assert!(
                refused.contains("undefinedField") || refused.contains("argumentNotAccepted"),
                "{variant}\n{refused}"
            );
        }
    }
}
