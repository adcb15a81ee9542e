//! Against Shopify's published schemas (2026-10): the input queries, the inputs that the tests make, every answer, and the draft order
//! of the guide. The schemas in `functions/prices/schema` are made by `cargo xtask schema`.

use crate::carts::{Full, input};
use apollo_compiler::request::coerce_variable_values;
use apollo_compiler::response::JsonMap;
use apollo_compiler::validation::Valid;
use apollo_compiler::{ExecutableDocument, Schema, executable};
use serde_json::{Value, json};

const CART_TRANSFORM: (&str, &str) = (
    include_str!("../../schema/cart_transform.graphql"),
    include_str!("../../extensions/tidegate-cart-transform/input.graphql"),
);
const DISCOUNT: (&str, &str) = (
    include_str!("../../schema/discount.graphql"),
    include_str!("../../extensions/tidegate-discounts/input.graphql"),
);
const ADMIN: &str = include_str!("../../schema/draft_order.graphql");
const GUIDE: &str = include_str!("../../../../docs/checkout.md");
/// "The maximum input query size, excluding comments, is 3,000 bytes."
const QUERY_BYTES_MAX: usize = 3_000;
/// "The calculated query cost has a maximum of 30": a metafield costs 3, another leaf 1.
const QUERY_COST_MAX: u32 = 30;

fn schema(text: &str) -> Valid<Schema> {
    Schema::parse_and_validate(text, "schema.graphql").unwrap_or_else(|fault| panic!("{fault}"))
}

fn document(schema: &Valid<Schema>, text: &str) -> Valid<ExecutableDocument> {
    ExecutableDocument::parse_and_validate(schema, text, "document.graphql")
        .unwrap_or_else(|fault| panic!("{fault}"))
}

/// Whether Shopify would take these variables of a document.
fn taken(schema: &Valid<Schema>, text: &str, variables: &Value) -> Result<(), String> {
    let document = document(schema, text);
    let operation = document.operations.get(None).unwrap();
    let variables: JsonMap = serde_json::from_value(variables.clone()).unwrap();
    coerce_variable_values(schema, operation, &variables).map(drop).map_err(|fault| format!("{fault:?}"))
}

/// What of an input is not as the query asks: a field too many, too few, or null where the schema has none.
fn unlike(asked: &executable::SelectionSet, given: &Value, path: &str) -> Vec<String> {
    let Some(given) = given.as_object() else { return vec![format!("{path} is no object")] };
    let concrete = given.get("__typename").and_then(Value::as_str);
    let mut fields = Vec::new();
    for selection in &asked.selections {
        match selection {
            executable::Selection::Field(field) => fields.push(field),
            executable::Selection::InlineFragment(fragment)
                if fragment.type_condition.as_ref().map(|name| name.as_str()) == concrete =>
            {
                fields.extend(fragment.selection_set.fields());
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    for name in given.keys().filter(|name| !fields.iter().any(|field| field.response_key() == name.as_str()))
    {
        found.push(format!("{path}.{name} is not asked for"));
    }
    for field in fields {
        let path = format!("{path}.{}", field.response_key());
        let value = given.get(field.response_key().as_str()).unwrap_or(&Value::Null);
        match value {
            Value::Null if field.ty().is_non_null() => found.push(format!("{path} is missing")),
            value if field.selection_set.selections.is_empty() || value.is_null() => {}
            Value::Array(rows) if field.ty().is_list() => {
                found.extend(rows.iter().flat_map(|row| unlike(&field.selection_set, row, &path)));
            }
            value => found.extend(unlike(&field.selection_set, value, &path)),
        }
    }
    found
}

fn cost(asked: &executable::SelectionSet) -> u32 {
    asked
        .selections
        .iter()
        .map(|selection| match selection {
            executable::Selection::Field(field) if field.name == "metafield" => 3,
            executable::Selection::Field(field) if field.name == "__typename" => 0,
            executable::Selection::Field(field) if field.selection_set.selections.is_empty() => 1,
            executable::Selection::Field(field) => cost(&field.selection_set),
            executable::Selection::InlineFragment(fragment) => cost(&fragment.selection_set),
            executable::Selection::FragmentSpread(_) => unreachable!("the queries have none"),
        })
        .sum()
}

#[test]
fn the_input_queries_are_of_the_published_schemas_and_the_inputs_of_the_tests_are_what_they_ask_for() {
    let row = Full::new(40).row(50, 20);
    for ((schema_text, query), of_a_discount) in [(CART_TRANSFORM, false), (DISCOUNT, true)] {
        let schema = schema(schema_text);
        let document = document(&schema, query);
        let asked = &document.operations.get(None).unwrap().selection_set;
        assert!(query.len() <= QUERY_BYTES_MAX && cost(asked) <= QUERY_COST_MAX, "{}", cost(asked));
        let mut input = row.input.clone();
        if !of_a_discount {
            input.as_object_mut().unwrap().remove("discount");
        }
        assert_eq!(unlike(asked, &input, "input"), Vec::<String>::new());
        input["cart"]["lines"][0]["quantity"] = Value::Null;
        assert_eq!(unlike(asked, &input, "input"), ["input.cart.lines.quantity is missing"]);
    }
}

#[test]
fn what_they_answer_is_what_shopify_takes() {
    let transform = "mutation($result: CartTransformRunResult!) { cartTransformRun(result: $result) }";
    let discount = "mutation($result: CartLinesDiscountsGenerateRunResult!) \
                    { cartLinesDiscountsGenerateRun(result: $result) }";
    let row = Full::new(40).row(50, 50);
    row.holds("fifty lines");
    for ((schema_text, _), mutation, answer) in
        [(CART_TRANSFORM, transform, &row.cart_transform), (DISCOUNT, discount, &row.discounts)]
    {
        let schema = schema(schema_text);
        assert!(answer["operations"].as_array().is_some_and(|operations| !operations.is_empty()));
        taken(&schema, mutation, &json!({"result": answer})).unwrap();
        taken(&schema, mutation, &json!({"result": {"operations": []}})).unwrap();
        let mut other = answer.clone();
        other["operations"][0]["lineUpgrade"] = json!({});
        assert!(taken(&schema, mutation, &json!({"result": other})).is_err(), "the schema takes anything");
    }
}

/// The block of the guide behind a mark.
fn block(mark: &str, language: &str) -> String {
    let (_, rest) = GUIDE.split_once(&format!("<!-- {mark} -->\n```{language}\n")).expect("the guide has it");
    rest.split_once("\n```").unwrap().0.to_owned()
}

#[test]
fn the_draft_order_of_the_guide_is_one_that_shopify_takes() {
    let schema = schema(ADMIN);
    let mutation = block("draft order", "graphql");
    let variables: Value = serde_json::from_str(&block("draft order's variables", "json")).unwrap();
    taken(&schema, &mutation, &variables).unwrap();
    let mut other = variables;
    other["input"]["lineItems"][0]["priceOverride"]["amount"] = Value::Null;
    assert!(taken(&schema, &mutation, &other).is_err());
}

#[test]
fn the_metafield_of_the_guide_prices_what_the_guide_says() {
    let carried: Value = serde_json::from_str(&block("carried", "json")).unwrap();
    let line = |id: &str, sku: &str, quantity: u32| {
        let cost = json!({"amountPerQuantity": {"amount": "200.0", "currencyCode": "EUR"}});
        json!({"id": id, "quantity": quantity, "cost": cost, "merchandise": {"__typename": "ProductVariant", "sku": sku}})
    };
    let lines = [line("1", "PUMP-10", 12), line("2", "seal-4", 9), line("3", "BOLT", 1)];
    let input = input(&carried, "2026-12-31", &lines);
    let transformed: Value =
        serde_json::from_str(&tidegate_function::cart_transform::run(&input.to_string()).unwrap()).unwrap();
    let price = &transformed["operations"][0]["lineUpdate"]["price"]["adjustment"]["fixedPricePerUnit"];
    assert_eq!((price, transformed["operations"].as_array().unwrap().len()), (&json!({"amount": "99"}), 1));
    let lowered: Value =
        serde_json::from_str(&tidegate_function::discounts::run(&input.to_string()).unwrap()).unwrap();
    let seal = &lowered["operations"][0]["productDiscountsAdd"]["candidates"][1];
    assert_eq!(
        seal["value"]["fixedAmount"]["amount"], "1620",
        "nine at 200 less three times two at 30 is 1800 - 180"
    );
    let later = crate::carts::input(&carried, "2027-01-01", &lines).to_string();
    assert!(tidegate_function::cart_transform::run(&later).unwrap_err().contains("do not count on this day"));
}
