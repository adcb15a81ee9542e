//! A mapping file, and one run of what can be loaded. Loading ends in findings that can be shown, or in a plan; the
//! plan maps the same value to the same result each time, and the explanation tells of the same result.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use mapping::{Context, Mapping, Schema};
use serde_json::Value;
use std::sync::LazyLock;

static SOURCE: LazyLock<Schema> =
    LazyLock::new(|| schema("order/1", include_str!("../fixtures/source.schema.json")));
static TARGET: LazyLock<Schema> =
    LazyLock::new(|| schema("erp/1", include_str!("../fixtures/target.schema.json")));
static ORDER: LazyLock<Value> = LazyLock::new(|| json(include_str!("../fixtures/source.json")));

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("the fixture is JSON")
}

fn schema(name: &str, text: &str) -> Schema {
    Schema::new(name, &json(text)).expect("the fixture is a schema")
}

pub(crate) fn check(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let mapping = match Mapping::load("m.toml", text, &SOURCE, &TARGET) {
        Ok(mapping) => mapping,
        Err(errors) => {
            assert!(!errors.is_empty(), "refused without a reason");
            errors.iter().for_each(|error| drop(error.to_string()));
            return;
        }
    };
    let again = Mapping::load("other.toml", text, &SOURCE, &TARGET).expect("it was loaded before");
    assert_eq!(mapping.revision(), again.revision(), "the revision depends on more than the text");
    let mut context = Context::new(Timestamp::UNIX_EPOCH, TimeZone::UTC, "shop-a:erp:order:1");
    context.external_refs.insert("erp".to_owned(), "S-42".to_owned());
    let (one, other) = (mapping.run(&ORDER, &context), again.run(&ORDER, &context));
    let explanation = mapping.explain(&ORDER, &context);
    match (one, other) {
        (Ok(one), Ok(other)) => {
            assert_eq!(one, other, "two runs differ");
            assert_eq!(one.body, explanation.body, "the explanation tells of another result");
        }
        (Err(one), Err(other)) => assert_eq!(one.to_string(), other.to_string()),
        (one, other) => panic!("two runs differ: {one:?}, {other:?}"),
    }
}
