//! The published description of the doors: every answer that any test of prices has is held against it.

use crate::answer::Answer;
use crate::prices::Counter;
use http::{Method, StatusCode};
use jsonschema::Validator;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::LazyLock;

const DOCUMENT: &str = include_str!("../../../../../docs/schema/prices.openapi.json");

static DESCRIBED: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(DOCUMENT).unwrap());

/// By the name below `components.schemas`.
static SCHEMAS: LazyLock<BTreeMap<String, Validator>> = LazyLock::new(|| {
    let names = DESCRIBED["components"]["schemas"].as_object().unwrap();
    let one = |name: &String| {
        let schema = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$ref": format!("#/components/schemas/{name}"),
            "components": DESCRIBED["components"],
        });
        (name.clone(), jsonschema::validator_for(&schema).unwrap())
    };
    names.keys().map(one).collect()
});

fn is_valid(content: &Value, text: &str) -> Result<(), String> {
    let schema = content["application/json"]["schema"]["$ref"].as_str().unwrap_or_default();
    let Some(validator) = schema.rsplit('/').next().and_then(|name| SCHEMAS.get(name)) else { return Ok(()) };
    let value: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    validator.validate(&value).map_err(|error| format!("{error} at {}", error.instance_path()))
}

/// Whether an answer, and the question where it was taken, are as described.
pub(crate) fn is(verb: &Method, path: &str, answer: &Answer, asked: &str) {
    let operation = &DESCRIBED["paths"][path][verb.as_str().to_lowercase()];
    // What is no operation is answered 404 or 405 by whoever serves all doors.
    if operation.is_null() {
        return;
    }
    let responses = operation["responses"].as_object().unwrap();
    let Some(described) = responses.get(answer.status.as_str()) else {
        panic!(
            "{verb} {path} is answered {}, and its description has no such answer: {}",
            answer.status, answer.text
        )
    };
    let text = if answer.status == StatusCode::NOT_MODIFIED { "null" } else { answer.text.as_str() };
    if let Err(problem) = is_valid(&described["content"], text) {
        panic!("{verb} {path}: the answer is not as described: {problem}: {text}");
    }
    if answer.status == StatusCode::OK
        && let Err(problem) = is_valid(&operation["requestBody"]["content"], asked)
    {
        panic!("{verb} {path}: a question was taken that is not as described: {problem}: {asked}");
    }
}

#[tokio::test]
async fn the_hub_serves_its_own_description() {
    let counter = Counter::new();
    let told = counter.send(Method::GET, "/v1/prices/openapi.json", &[], "").await;
    assert_eq!(told.header("content-type"), "application/json");
    assert_eq!(told.json(), *DESCRIBED);
    assert_eq!(SCHEMAS.len(), DESCRIBED["components"]["schemas"].as_object().unwrap().len());
}

#[test]
fn what_is_not_described_is_noticed() {
    let answer = &DESCRIBED["paths"]["/v1/prices/resolve"]["post"]["responses"]["200"]["content"];
    let line = |price: &str| {
        json!({
            "version": 1, "at": "2026-11-26T02:00:00Z", "currency": "EUR", "company_location": null,
            "lines": [{ "status": "priced", "sku": "A", "quantity": "1", "unit": "C62", "unit_price": price,
                "total": "1.00", "list_price": null, "tax": "excluded",
                "source": { "list": "L", "kind": "list", "for": "everyone" } }],
        })
        .to_string()
    };
    assert_eq!(is_valid(answer, &line("1.00")), Ok(()));
    assert!(is_valid(answer, &line("1,00")).is_err());
    let cart = &DESCRIBED["paths"]["/v1/prices/resolve"]["post"]["requestBody"]["content"];
    assert!(is_valid(cart, r#"{"currency": "EUR", "lines": []}"#).is_err());
}
