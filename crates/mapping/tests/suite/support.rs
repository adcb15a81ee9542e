//! A source and a target small enough to be read at a glance, with each type in them.

use jiff::tz::TimeZone;
use serde_json::{Value, json};
use tidegate_mapping::{Context, Mapping, MappingError, Schema};

pub(crate) fn source() -> Schema {
    let schema = json!({
        "type": "object",
        "required": ["id", "name", "currency", "total", "created_at", "day", "lines", "count", "test", "status", "tags"],
        "properties": {
            "id": {"type": "integer"},
            "name": {"type": "string"},
            "note": {"type": ["string", "null"]},
            "po_number": {"anyOf": [{"type": "string"}, {"type": "null"}]},
            "currency": {"$ref": "#/$defs/Currency"},
            "total": {"$ref": "#/$defs/Decimal"},
            "tip": {"anyOf": [{"$ref": "#/$defs/Decimal"}, {"type": "null"}]},
            "weight": {"type": "number"},
            "count": {"type": "integer"},
            "test": {"type": "boolean"},
            "status": {"oneOf": [{"const": "open", "type": "string"}, {"const": "closed", "type": "string"}]},
            "created_at": {"type": "string", "format": "date-time"},
            "day": {"type": "string", "format": "date"},
            "tags": {"type": "array", "items": {"type": "string"}},
            "attributes": {"type": "object", "additionalProperties": {"type": "string"}},
            "extra": true,
            "customer": {"anyOf": [{"$ref": "#/$defs/Customer"}, {"type": "null"}]},
            "refs": {"type": "array", "items": {"type": "object", "required": ["system", "id"], "properties": {
                "system": {"type": "string"}, "id": {"type": "string"}}}},
            "lines": {"type": "array", "items": {"$ref": "#/$defs/Line"}}
        },
        "$defs": {
            "Decimal": {"type": "string", "format": "decimal"},
            "Currency": {"type": "string", "minLength": 3, "maxLength": 3},
            "Customer": {"type": "object", "required": ["code"], "properties": {
                "code": {"type": "string"}, "first_name": {"type": "string"}, "last_name": {"type": "string"},
                "parent": {"anyOf": [{"$ref": "#/$defs/Customer"}, {"type": "null"}]}}},
            "Line": {"type": "object", "required": ["sku", "quantity", "price", "taxes"], "properties": {
                "sku": {"type": "string"}, "quantity": {"$ref": "#/$defs/Decimal"}, "price": {"$ref": "#/$defs/Decimal"},
                "gift": {"type": "boolean"},
                "taxes": {"type": "array", "items": {"type": "object", "required": ["rate"], "properties": {
                    "rate": {"$ref": "#/$defs/Decimal"}}}}}}
        }
    });
    Schema::new("order/1", &schema).unwrap()
}

/// Everything is optional here, so that a test writes only what it is about.
pub(crate) fn target() -> Schema {
    let schema = json!({
        "type": "object",
        "properties": {
            "any": true,
            "text": {"type": "string"},
            "short": {"type": "string", "maxLength": 5},
            "choice": {"enum": ["A", "B"]},
            "decimal": {"type": "string", "format": "decimal"},
            "integer": {"type": "integer"},
            "number": {"type": "number"},
            "boolean": {"type": "boolean"},
            "date": {"type": "string", "format": "date"},
            "time": {"type": "string", "format": "date-time"},
            "texts": {"type": "array", "items": {"type": "string"}},
            "party": {"type": "object", "x-reference": "party"},
            "address": {"type": "object", "required": ["code"], "properties": {
                "code": {"type": "string"}, "city": {"type": ["string", "null"]}}},
            "lines": {"type": "array", "items": {"type": "object", "required": ["sku"], "properties": {
                "sku": {"type": "string"}, "amount": {"type": "string", "format": "decimal"},
                "currency": {"type": "string"}, "order": {"type": "integer"},
                "rates": {"type": "array", "items": {"type": "object", "properties": {
                    "rate": {"type": "string", "format": "decimal"}, "sku": {"type": "string"}}}}}}}
        }
    });
    Schema::new("erp/1", &schema).unwrap()
}

/// A target that insists.
pub(crate) fn strict_target() -> Schema {
    let schema = json!({
        "type": "object", "required": ["text", "nothing", "address"],
        "properties": {
            "text": {"type": "string"},
            "nothing": {"type": ["string", "null"]},
            "address": {"type": "object", "required": ["code"], "properties": {
                "code": {"type": "string"}, "city": {"type": "string"}}}
        }
    });
    Schema::new("erp/1", &schema).unwrap()
}

pub(crate) fn order() -> Value {
    json!({
        "id": 5_678_901_234_567_i64, "name": "#1001", "note": null, "po_number": "PO 4711", "currency": "EUR",
        "total": "136.84", "weight": 1.25, "count": 3, "test": false, "status": "open",
        "created_at": "2026-11-23T23:30:00Z", "day": "2026-11-24", "tags": ["b2b", "rush"],
        "attributes": {"po.no": "X-1", "blank": "  "}, "extra": {"deep": [1, "two"]},
        "customer": {"code": "CUST-001", "first_name": "Ada", "last_name": " Byron ", "parent": {"code": "HQ"}},
        "refs": [{"system": "crm", "id": "c-9"}, {"system": "erp", "id": "S-42"}],
        "lines": [
            {"sku": "SKU-0001", "quantity": "12", "price": "4.2500", "gift": false, "taxes": [{"rate": "0.21"}]},
            {"sku": "SKU-0005", "quantity": "2.5", "price": "23.355", "taxes": [{"rate": "0.09"}, {"rate": "0.01"}]},
            {"sku": "GIFT", "quantity": "1", "price": "0", "gift": true, "taxes": []}
        ]
    })
}

pub(crate) fn context() -> Context {
    let now = "2026-11-24T08:00:00Z".parse().unwrap();
    let mut context = Context::new(now, TimeZone::get("Europe/Amsterdam").unwrap(), "shop-a:erp:order:5678");
    context.external_refs.insert("erp".to_owned(), "S-42".to_owned());
    context
}

/// A mapping with a header and these rules.
pub(crate) fn file(rules: &str) -> String {
    format!(
        "name = \"t\"\nsource = \"order/1\"\ntarget = \"erp/1\"\n\
         context_tables = [\"warehouses\"]\n\
         rules = [\n{rules}\n]\n\
         [tables.terms]\n\"PO 4711\" = \"NET30\"\nopen = \"A\"\nclosed = \"B\"\n\
         [tables.letters]\nopen = \"A\"\nclosed = \"B\"\n\
         [tables.days]\nopen = 30\nclosed = 0\n"
    )
}

pub(crate) fn load(rules: &str) -> Result<Mapping, Vec<MappingError>> {
    Mapping::load("t.toml", &file(rules), &source(), &target())
}

pub(crate) fn loaded(rules: &str) -> Mapping {
    load(rules).unwrap_or_else(|errors| {
        let errors: Vec<String> =
            errors.iter().map(|e| format!("{} {} {:?}", e.code, e.message, e.help)).collect();
        panic!("{rules}\n{}", errors.join("\n"))
    })
}
