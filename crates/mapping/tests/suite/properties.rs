//! No bytes, no rules and no values make the mapping panic; what is mapped twice is the same.

use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::{Value, json};
use tidegate_mapping::{Condition, Mapping, Schema};

use crate::support::{context, file, load, loaded, order, source, target};

/// Pieces of rules, so that the generator gets beyond the TOML parser.
fn fragment() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec![
        "to",
        "copy",
        "then",
        "when",
        "first",
        "join",
        "each",
        "within",
        "rules",
        "where",
        "sum",
        "of",
        "over",
        "scale",
        "divide",
        "unit",
        "expr",
        "look_up",
        "reference",
        "default",
        "missing",
        "constant",
        "format",
        "parse",
        "split",
        "=",
        "{",
        "}",
        "[",
        "]",
        ",",
        "\"",
        "'",
        "\n",
        " ",
        "text",
        "\"text\"",
        "\"lines\"",
        "\"name\"",
        "\"total\"",
        "\"item.test\"",
        "\"lines[].sku\"",
        "2",
        "-1",
        "true",
        "\"\"",
        "\\u0000",
        "ä",
        "#",
        "[[rules]]",
        "1e400",
        "(",
        "$.",
        "^.",
    ]);
    prop::collection::vec(words, 0..40).prop_map(|words| words.concat())
}

/// A rule that is well formed TOML, with any words in it.
fn rule() -> impl Strategy<Value = String> {
    let verb = prop::sample::select(vec![
        "copy", "constant", "first", "join", "concat", "sum", "count", "add", "divide", "expr", "when",
        "each", "context",
    ]);
    let value = prop::sample::select(vec![
        r#""name""#,
        r#""total""#,
        r#""lines[].price""#,
        r#"["name", "note"]"#,
        r#"{ of = ["total", "count"], scale = 2 }"#,
        r#"{ over = "lines", of = "price" }"#,
        r#""item.count + 1""#,
        r#""lines""#,
        "7",
        "true",
        r#""""#,
        r#""^.x""#,
    ]);
    let step = prop::sample::select(vec![
        r#""trim""#,
        r#"{ scale = 2 }"#,
        r#"{ as = "integer" }"#,
        r#"{ as = "decimal" }"#,
        r#"{ split = "," }"#,
        r#"{ parse = "%Y" }"#,
        r#"{ truncate = 3 }"#,
        r#"{ look_up = "terms" }"#,
        r#"{ mask = 2 }"#,
        r#"{ add_days = 3 }"#,
        r#"{ format = "%d%" }"#,
        r#"{ unit = { from = "KGM", to = "GRM" } }"#,
        r#""hash""#,
    ]);
    let to = prop::sample::select(vec!["text", "decimal", "any", "lines", "texts", "integer", "date"]);
    (to, verb, value, prop::collection::vec(step, 0..3)).prop_map(|(to, verb, value, steps)| {
        format!("{{ to = \"{to}\", {verb} = {value}, then = [{}] }}", steps.join(", "))
    })
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        "[-0-9.e]{0,40}".prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
        Just(json!("2026-11-24T00:00:00Z")),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-z]{1,4}", inner, 0..4).prop_map(|map| json!(map)),
        ]
    })
}

/// A mapping that sends values through most of the verbs.
const WIDE: &str = r#"
    { to = "text", join = ["name", "tags", { copy = "extra", then = [{ as = "text" }] }] },
    { to = "short", copy = "extra", then = [{ truncate = 5 }] },
    { to = "decimal", sum = { over = "lines", of = { multiply = ["quantity", "price"] } }, then = [{ scale = 2 }] },
    { to = "integer", copy = "total", then = [{ multiply = "count" }, { as = "integer" }] },
    { to = "number", copy = "weight", then = [{ as = "decimal" }, { divide = { by = "total", scale = 6 } }, { as = "number" }] },
    { to = "date", copy = "created_at", then = [{ date = "context" }, { add_days = 30000 }] },
    { to = "time", copy = "created_at", then = [{ zone = "Asia/Kolkata" }] },
    { to = "texts", copy = "name", then = [{ split = "e" }] },
    { to = "boolean", expr = "item.test || item.count > 3 && size(item.name) < 4" },
    { to = "any", copy = "attributes.x", then = ["upper", { mask = 2 }, "hash"] },
    { to = "address", within = "customer", rules = [{ to = "code", copy = "code" }] },
    { to = "lines", each = "lines", where = "item.sku != 'x'", rules = [
        { to = "sku", copy = "sku" }, { to = "order", copy = "$.count" },
        { to = "rates", each = "taxes", rules = [{ to = "rate", copy = "rate", then = [{ scale = 4 }] }] } ] }"#;

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_panics_the_loader(text in "\\PC{0,200}") {
        let _ = Mapping::load("t.toml", &text, &source(), &target());
        let _ = load(&text);
    }

    #[test]
    fn no_heap_of_rules_panics_the_loader(text in fragment()) {
        let _ = Mapping::load("t.toml", &text, &source(), &target());
        if let Err(errors) = load(&text) {
            let whole = file(&text);
            for error in errors {
                prop_assert!(whole.get(error.span.clone()).is_some(), "{error:?} marks no text");
                let _ = error.position();
            }
        }
    }

    #[test]
    fn no_expression_panics(text in "[a-z0-9 .()\\[\\]{}!<>=&|?:+*/%,'-]{0,60}") {
        let _ = load(&format!("{{ to = \"any\", expr = \"{text}\" }}"));
        let _ = load(&format!("{{ to = \"any\", expr = \"item.{text}\" }}"));
    }

    #[test]
    fn no_condition_of_any_letters_panics(text in "(\\PC|item\\.|'|\"|\\\\|[(){}\\[\\]?:&|]){0,40}", value in any_json()) {
        if let Ok(condition) = Condition::load("filter", &text, &source()) {
            let _ = condition.holds(&value);
            let _ = condition.holds(&order());
        }
    }

    #[test]
    fn a_rule_that_loads_runs_without_a_panic(rule in rule(), value in any_json()) {
        if let Ok(mapping) = load(&rule) {
            let mut source = order();
            for field in ["name", "total", "count"] {
                let _ = mapping.run(&source, &context());
                source[field] = value.clone();
            }
            let _ = mapping.explain(&source, &context()).to_string();
            let _ = mapping.run(&value, &context());
        }
    }

    #[test]
    fn no_source_panics_the_run(
        fields in prop::collection::btree_map(prop::sample::select(vec![
            "name", "total", "tags", "extra", "count", "weight", "created_at", "test", "attributes", "customer", "lines",
        ]), any_json(), 0..6)
    ) {
        static MAPPING: LazyLock<Mapping> = LazyLock::new(|| loaded(WIDE));
        let mapping = &*MAPPING;
        let mut source = order();
        for (field, value) in fields {
            source[field] = value;
        }
        let explanation = mapping.explain(&source, &context());
        match mapping.run(&source, &context()) {
            Ok(mapped) => {
                prop_assert_eq!(explanation.faults().count(), 0);
                prop_assert_eq!(&explanation.body, &mapped.body);
                prop_assert_eq!(mapping.run(&source, &context()).unwrap().digest, mapped.digest);
            }
            Err(fault) => prop_assert_eq!(explanation.faults().next(), Some(&fault)),
        }
    }

    #[test]
    fn no_schema_panics(schema in any_json()) {
        let _ = Schema::new("x/1", &schema);
        let _ = Schema::new("x/1", &json!({"type": "object", "properties": {"a": schema.clone(), "b": {"anyOf": [schema]}}}));
    }
}

#[test]
fn the_deepest_expression_that_loads_can_be_evaluated() {
    let chain =
        |terms: usize| format!("{{ to = \"integer\", expr = \"item.count{}\" }}", " + 1".repeat(terms));
    let deepest = (1..200).rev().find_map(|terms| load(&chain(terms)).ok().map(|mapping| (terms, mapping)));
    let (terms, mapping) = deepest.unwrap();
    assert!((20..30).contains(&terms), "{terms}");
    assert_eq!(mapping.run(&order(), &context()).unwrap().body, json!({"integer": 3 + terms}));
}

#[test]
fn a_schema_may_refer_to_itself_even_in_a_ring() {
    let ring = json!({"type": "object", "properties": {"a": {"$ref": "#/$defs/A"}},
        "$defs": {"A": {"$ref": "#/$defs/B"}, "B": {"$ref": "#/$defs/A"}}});
    let schema = Schema::new("order/1", &ring).unwrap();
    let text = file("{ to = \"any\", copy = \"a.b.c\" }");
    assert!(Mapping::load("t.toml", &text, &schema, &target()).is_ok());
    assert!(
        Schema::new("x/1", &json!({"type": "object", "properties": {"a": {"$ref": "#/nowhere"}}})).is_err()
    );
    assert!(Schema::new("x/1", &json!({"type": "string"})).is_err());
}
