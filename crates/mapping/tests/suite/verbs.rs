//! What each verb does, in rows: a rule beside what it writes or the fault it ends in.

use crate::support::{context, loaded, order};
use serde_json::{Value, json};

/// Each row: the rule, and the value of the field that it writes (`null`: nothing is written).
fn check(rows: &[(&str, Value)]) {
    for (rule, expected) in rows {
        let mapping = loaded(rule);
        let mapped = mapping.run(&order(), &context()).unwrap_or_else(|fault| panic!("{rule}: {fault}"));
        let field = mapping.writes().iter().next().unwrap().as_str().split('.').next().unwrap().to_owned();
        let found = mapped.body.get(&field).cloned().unwrap_or(Value::Null);
        assert_eq!(found, *expected, "{rule}");
    }
}

#[test]
fn verbs_that_yield_a_value() {
    check(&[
        (r#"{ to = "text", copy = "name" }"#, json!("#1001")),
        (r#"{ to = "integer", copy = "id" }"#, json!(5_678_901_234_567_i64)),
        (r#"{ to = "text", copy = "note" }"#, Value::Null),
        (r#"{ to = "text", copy = "note", default = "none" }"#, json!("none")),
        (r#"{ to = "text", copy = "customer.parent.code" }"#, json!("HQ")),
        (r#"{ to = "text", copy = "refs[system=erp].id" }"#, json!("S-42")),
        (r#"{ to = "text", copy = "refs[system=wms].id" }"#, Value::Null),
        (r#"{ to = "text", copy = 'attributes["po.no"]' }"#, json!("X-1")),
        (r#"{ to = "texts", copy = "lines[].sku" }"#, json!(["SKU-0001", "SKU-0005", "GIFT"])),
        (r#"{ to = "texts", copy = "tags" }"#, json!(["b2b", "rush"])),
        (r#"{ to = "any", copy = "extra.deep[1]" }"#, json!("two")),
        (r#"{ to = "boolean", constant = true }"#, json!(true)),
        (r#"{ to = "decimal", constant = "0.00" }"#, json!("0.00")),
        (r#"{ to = "text", context = "object_key" }"#, json!("shop-a:erp:order:5678")),
        (r#"{ to = "time", context = "now" }"#, json!("2026-11-24T09:00:00+01:00")),
        (r#"{ to = "text", external_ref = "erp" }"#, json!("S-42")),
        (r#"{ to = "text", external_ref = "wms" }"#, Value::Null),
        (r#"{ to = "text", first = ["note", "attributes.blank", "po_number"] }"#, json!("PO 4711")),
        (r#"{ to = "text", first = ["note", { constant = "-" }] }"#, json!("-")),
        (
            r#"{ to = "text", join = ["customer.first_name", "note", "customer.last_name"] }"#,
            json!("Ada  Byron "),
        ),
        (r#"{ to = "text", join = { of = ["tags", "name"], with = "/" } }"#, json!("b2b/rush/#1001")),
        (r#"{ to = "text", concat = [{ constant = "Order " }, "name"] }"#, json!("Order #1001")),
        (r#"{ to = "text", concat = [{ constant = "Order " }, "note"] }"#, Value::Null),
        (r#"{ to = "text", join = ["note", "attributes.blank"] }"#, json!("")),
        (r#"{ to = "text", join = ["note", "tip"] }"#, Value::Null),
        (r#"{ to = "decimal", sum = "lines[].price" }"#, json!("27.6050")),
        (
            r#"{ to = "decimal", sum = { over = "lines", of = { multiply = ["quantity", "price"] } } }"#,
            json!("109.3875"),
        ),
        (r#"{ to = "integer", count = "lines" }"#, json!(3)),
        (r#"{ to = "integer", count = "lines[].gift" }"#, json!(2)),
        (
            r#"{ to = "decimal", sum = { over = "lines", where = "item.gift != true", of = "quantity" } }"#,
            json!("14.5"),
        ),
        (r#"{ to = "decimal", sum = { over = "lines[].taxes[]", of = "rate" } }"#, json!("0.31")),
        (r#"{ to = "decimal", add = ["total", "total"] }"#, json!("273.68")),
        (r#"{ to = "decimal", subtract = ["total", { constant = "36.84" }] }"#, json!("100.00")),
        (r#"{ to = "decimal", subtract = ["total", "tip"] }"#, Value::Null),
        (r#"{ to = "decimal", subtract = ["total", { copy = "tip", default = "0" }] }"#, json!("136.84")),
        (r#"{ to = "decimal", divide = { of = ["total", "count"], scale = 4 } }"#, json!("45.6133")),
        (r#"{ to = "integer", expr = "item.count * 2" }"#, json!(6)),
        (r#"{ to = "text", expr = "item.test ? 'test' : item.name + '!'" }"#, json!("#1001!")),
    ]);
}

#[test]
fn verbs_that_change_a_value() {
    check(&[
        (r#"{ to = "text", copy = "customer.last_name", then = ["trim", "upper"] }"#, json!("BYRON")),
        (r#"{ to = "text", copy = "name", then = ["lower", { truncate = 3 }] }"#, json!("#10")),
        (r#"{ to = "short", copy = "name", then = [{ truncate = 5 }] }"#, json!("#1001")),
        (r#"{ to = "texts", copy = "po_number", then = [{ split = " " }] }"#, json!(["PO", "4711"])),
        (
            r#"{ to = "text", copy = "po_number", then = [{ split = { by = " ", index = 1 } }] }"#,
            json!("4711"),
        ),
        (r#"{ to = "text", copy = "po_number", then = [{ split = { by = " ", index = 2 } }] }"#, Value::Null),
        (r#"{ to = "texts", copy = "tags", then = ["upper", { truncate = 2 }] }"#, json!(["B2", "RU"])),
        (r#"{ to = "any", copy = "lines[].price", then = [{ scale = 1 }] }"#, json!(["4.3", "23.4", "0.0"])),
        (r#"{ to = "choice", copy = "status", then = [{ look_up = "letters" }] }"#, json!("A")),
        (r#"{ to = "integer", copy = "status", then = [{ look_up = "days" }] }"#, json!(30)),
        (
            r#"{ to = "text", copy = "name", then = [{ look_up = { table = "terms", otherwise = "?" } }] }"#,
            json!("?"),
        ),
        (
            r#"{ to = "party", copy = "customer.code", then = [{ reference = "party" }] }"#,
            json!({"$ref": {"kind": "party", "value": "CUST-001"}}),
        ),
        (
            r#"{ to = "any", copy = "id", then = [{ reference = { kind = "order", system = "shop" } }] }"#,
            json!({"$ref": {"kind": "order", "system": "shop", "value": "5678901234567"}}),
        ),
        (r#"{ to = "decimal", copy = "lines[1].price", then = [{ scale = 2 }] }"#, json!("23.36")),
        (
            r#"{ to = "decimal", constant = "2.345", then = [{ scale = { places = 2, rounding = "half_even" } }] }"#,
            json!("2.34"),
        ),
        (r#"{ to = "decimal", copy = "count", then = [{ scale = 2 }] }"#, json!("3.00")),
        (r#"{ to = "decimal", copy = "weight", then = [{ as = "decimal" }] }"#, json!("1.25")),
        (r#"{ to = "integer", copy = "lines[0].quantity", then = [{ as = "integer" }] }"#, json!(12)),
        (r#"{ to = "number", copy = "lines[1].quantity", then = [{ as = "number" }] }"#, json!(2.5)),
        (r#"{ to = "text", copy = "id", then = [{ as = "text" }] }"#, json!("5678901234567")),
        (r#"{ to = "boolean", constant = "yes", then = [{ as = "boolean" }] }"#, json!(true)),
        (
            r#"{ to = "decimal", copy = "total", then = [{ multiply = { constant = "100" } }, { scale = 0 }] }"#,
            json!("13684"),
        ),
        (
            r#"{ to = "decimal", copy = "total", then = [{ divide = { by = "count", scale = 2, rounding = "down" } }] }"#,
            json!("45.61"),
        ),
        (
            r#"{ to = "decimal", copy = "weight", then = [{ unit = { from = "KGM", to = "GRM" } }] }"#,
            json!("1250.00"),
        ),
        (
            r#"{ to = "decimal", copy = "weight", then = [{ unit = { from = "KGM", to = "LBR", scale = 3 } }] }"#,
            json!("2.756"),
        ),
        (r#"{ to = "date", copy = "created_at", then = [{ date = "context" }] }"#, json!("2026-11-24")),
        (
            r#"{ to = "date", copy = "created_at", then = [{ date = "UTC" }, { add_days = 14 }] }"#,
            json!("2026-12-07"),
        ),
        (
            r#"{ to = "time", copy = "created_at", then = [{ zone = "Asia/Kolkata" }] }"#,
            json!("2026-11-24T05:00:00+05:30"),
        ),
        (r#"{ to = "text", copy = "day", then = [{ format = "%d.%m.%Y" }] }"#, json!("24.11.2026")),
        (
            r#"{ to = "text", copy = "created_at", then = [{ format = { form = "%Y%m%d %H%M", zone = "UTC" } }] }"#,
            json!("20261123 2330"),
        ),
        (r#"{ to = "date", constant = "24/11/2026", then = [{ parse = "%d/%m/%Y" }] }"#, json!("2026-11-24")),
        (
            r#"{ to = "text", copy = "name", then = ["hash"] }"#,
            json!("8d570b1d8f7432fa422ce0864da5fcbe6deabd4fe615d660af39efa77ca2732d"),
        ),
        (r#"{ to = "text", copy = "customer.code", then = [{ mask = 3 }] }"#, json!("*****001")),
        (
            r#"{ to = "text", copy = "customer.code", then = [{ mask = { keep = 0, with = "x" } }] }"#,
            json!("xxxxxxxx"),
        ),
    ]);
}

#[test]
fn lists_and_objects() {
    check(&[
        (
            r#"{ to = "lines", each = "lines", where = "item.gift != true", rules = [
                { to = "sku", copy = "sku" },
                { to = "amount", multiply = ["quantity", "price"], then = [{ scale = 2 }] },
                { to = "currency", copy = "$.currency" },
            ] }"#,
            json!([{"sku": "SKU-0001", "amount": "51.00", "currency": "EUR"},
                   {"sku": "SKU-0005", "amount": "58.39", "currency": "EUR"}]),
        ),
        (
            r#"{ to = "lines", each = "lines", rules = [{ to = "sku", copy = "sku" },
                { to = "rates", each = "taxes", rules = [{ to = "rate", copy = "rate" }, { to = "sku", copy = "^.sku" }] }] }"#,
            json!([{"sku": "SKU-0001", "rates": [{"rate": "0.21", "sku": "SKU-0001"}]},
                   {"sku": "SKU-0005", "rates": [{"rate": "0.09", "sku": "SKU-0005"}, {"rate": "0.01", "sku": "SKU-0005"}]},
                   {"sku": "GIFT", "rates": []}]),
        ),
        (
            r#"{ to = "lines", each = "tags", rules = [{ to = "sku", copy = "." }] },
            { to = "lines", each = "refs", rules = [{ to = "sku", copy = "id" }] }"#,
            json!([{"sku": "b2b"}, {"sku": "rush"}, {"sku": "c-9"}, {"sku": "S-42"}]),
        ),
        (
            r#"{ to = "address", within = "customer", rules = [{ to = "code", copy = "code" }, { to = "city", copy = "$.note" }] }"#,
            json!({"code": "CUST-001"}),
        ),
        (
            r#"{ to = "address", within = "customer.parent.parent", rules = [{ to = "code", copy = "code" }] }"#,
            Value::Null,
        ),
        (
            r#"{ to = "address.code", copy = "name" }, { to = "address.city", copy = "note", missing = "null" }"#,
            json!({"code": "#1001", "city": null}),
        ),
    ]);
}

#[test]
fn each_goes_into_lists_of_lists_and_takes_an_object_for_a_list_of_one() {
    check(&[(
        r#"{ to = "lines", each = "lines[].taxes[]", where = "item.rate != null", rules = [{ to = "sku", constant = "tax" },
                { to = "amount", copy = "rate" }] },
               { to = "lines", each = "customer", rules = [{ to = "sku", copy = "code" }] },
               { to = "lines", each = ".", when = "item.test", rules = [{ to = "sku", copy = "name" }] },
               { to = "lines", each = ".", rules = [{ to = "sku", copy = "currency" }] }"#,
        json!([{"sku": "tax", "amount": "0.21"}, {"sku": "tax", "amount": "0.09"}, {"sku": "tax", "amount": "0.01"},
                   {"sku": "CUST-001"}, {"sku": "EUR"}]),
    )]);
    let mapping = loaded(
        r#"{ to = "lines", each = "lines[].taxes[]", rules = [{ to = "sku", constant = "x" },
            { to = "amount", divide = { of = ["rate", { constant = "0" }], scale = 1 } }] }"#,
    );
    let mut source = order();
    source["lines"][0]["taxes"] = json!([]);
    let fault = mapping.run(&source, &context()).unwrap_err();
    assert_eq!(
        (fault.source_path.as_str(), fault.target_path.as_str()),
        ("lines[1].taxes[0].rate", "lines[0].amount")
    );
}

#[test]
fn the_first_rule_that_applies_and_has_a_value_wins() {
    check(&[
        (
            r#"{ to = "text", when = "item.test", constant = "test" }, { to = "text", copy = "note" }, { to = "text", constant = "else" }"#,
            json!("else"),
        ),
        (
            r#"{ to = "text", when = "item.status == 'open'", constant = "open" }, { to = "text", constant = "else" }"#,
            json!("open"),
        ),
        (r#"{ to = "text", when = "has(item.note)", constant = "x" }"#, Value::Null),
        (
            r#"{ to = "text", when = "compare(item.total, '136.8400') == 0", constant = "same" }"#,
            json!("same"),
        ),
        (
            r#"{ to = "text", when = "'rush' in item.tags && item.customer.code.startsWith('CUST')", constant = "x" }"#,
            json!("x"),
        ),
        (
            r#"{ to = "text", when = "item.created_at != null && size(item.name) == 5", constant = "x" }"#,
            json!("x"),
        ),
        (r#"{ to = "text", when = "item.refs[1].id == \"S-42\"", constant = "x" }"#, json!("x")),
    ]);
}

#[test]
fn faults_name_the_source_and_the_target() {
    for (rule, code, source, target) in [
        (r#"{ to = "text", copy = "note", missing = "fault" }"#, "TG-2101", "note", "text"),
        (
            r#"{ to = "decimal", copy = "extra.deep[1]", then = [{ scale = 2 }] }"#,
            "TG-2102",
            "extra.deep[1]",
            "decimal",
        ),
        (r#"{ to = "text", copy = "name", then = [{ look_up = "terms" }] }"#, "TG-2103", "name", "text"),
        (
            r#"{ to = "lines", each = "lines", rules = [{ to = "sku", copy = "sku" },
             { to = "amount", divide = { of = ["quantity", "price"], scale = 2 } }] }"#,
            "TG-2104",
            "lines[2].price",
            "lines[2].amount",
        ),
        (r#"{ to = "date", copy = "name", then = [{ parse = "%Y-%m-%d" }] }"#, "TG-2105", "name", "date"),
        (r#"{ to = "integer", copy = "total", then = [{ as = "integer" }] }"#, "TG-2106", "total", "integer"),
        (r#"{ to = "text", when = "item.note.startsWith('x')", constant = "x" }"#, "TG-2107", "note", "text"),
        (r#"{ to = "short", copy = "customer.code" }"#, "TG-2108", "customer.code", "short"),
        (r#"{ to = "integer", copy = "extra.deep[1]" }"#, "TG-2108", "extra.deep[1]", "integer"),
        (r#"{ to = "text", copy = "name", then = [{ look_up = "warehouses" }] }"#, "TG-2109", "name", "text"),
    ] {
        let fault = loaded(rule).run(&order(), &context()).expect_err(rule);
        assert_eq!(fault.code.as_str(), code, "{rule}: {fault}");
        assert_eq!(
            (fault.source_path.as_str(), fault.target_path.as_str()),
            (source, target),
            "{rule}: {fault}"
        );
        assert!(!fault.message.contains("CUST-001"), "a message holds no value: {fault}");
    }
}

#[test]
fn a_table_row_that_differs_only_by_case_is_named() {
    let mut source = order();
    source["name"] = json!("po 4711 ");
    let fault = loaded(r#"{ to = "text", copy = "name", then = [{ look_up = "terms" }] }"#)
        .run(&source, &context())
        .unwrap_err();
    assert!(fault.value.unwrap().contains("the row `PO 4711` differs only by case or blanks"));
}

#[test]
fn tables_may_come_with_the_run() {
    let mapping = loaded(r#"{ to = "text", copy = "currency", then = [{ look_up = "warehouses" }] }"#);
    assert!(mapping.context_tables().contains("warehouses"));
    let mut context = context();
    let rows = [("EUR".to_owned(), json!("WH-1"))].into();
    context.tables = std::sync::Arc::new([("warehouses".to_owned(), rows)].into());
    assert_eq!(mapping.run(&order(), &context).unwrap().body, json!({"text": "WH-1"}));
}
