//! The guide holds what it says: each of its examples loads, and it knows every verb.

use std::path::Path;

use serde_json::{Value, json};
use tidegate_mapping::{Mapping, Schema, Verb};

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn schema(name: &str, text: &str) -> Schema {
    Schema::new(name, &serde_json::from_str::<Value>(text).unwrap()).unwrap()
}

#[test]
fn every_example_of_the_guide_loads() {
    let guide = read("docs/mapping.md");
    let source = schema("order/1", &read("docs/schema/order.schema.json"));
    let sale = schema("http_erp.sale/1", &read("crates/mapping/schemas/http_erp.sale.schema.json"));
    let anything = Schema::new("any/1", &json!({"type": "object"})).unwrap();
    let examples: Vec<&str> =
        guide.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert_eq!(examples.len(), 4);
    for example in examples {
        let loaded = if example.starts_with("name") {
            Mapping::load("guide", example, &source, &sale)
        } else {
            let head = "name = \"guide\"\nsource = \"order/1\"\ntarget = \"any/1\"";
            let whole = format!("{head}\nrules = [\n{example}]\n[tables.parties]\n1 = \"CUST-001\"\n");
            Mapping::load("guide", &whole, &source, &anything)
        };
        if let Err(errors) = loaded {
            let errors: Vec<String> =
                errors.iter().map(|e| format!("{}: {e} {:?}", e.code, e.help)).collect();
            panic!("{example}\n{}", errors.join("\n"));
        }
    }
}

#[test]
fn the_guide_knows_every_verb() {
    let guide = read("docs/mapping.md");
    for verb in Verb::ALL {
        let name = verb.name();
        let spellings = [format!("`{name}`"), format!("`{name} ="), format!("`\"{name}\"`")];
        assert!(spellings.iter().any(|spelling| guide.contains(spelling)), "docs/mapping.md lacks {name}");
    }
}
