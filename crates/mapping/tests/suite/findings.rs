//! What is wrong with a mapping is found at load: in rows, with the code, the marked text and the advice.

use std::fmt::Write as _;

use crate::support::{context, file, load, order, source, strict_target, target};
use miette::Diagnostic as _;
use tidegate_mapping::{LoadCode, Mapping, MappingError};

fn marked<'t>(text: &'t str, error: &MappingError) -> &'t str {
    &text[error.span.clone()]
}

#[test]
fn each_mistake_is_found_at_its_place() {
    for (rules, code, place, words) in [
        (r#"{ to = "text", copyy = "name" }"#, "TG-2002", "copyy", "did you mean `copy`?"),
        (
            r#"{ to = "text", copy = "name", then = ["trimm"] }"#,
            "TG-2002",
            "\"trimm\"",
            "did you mean `trim`?",
        ),
        (r#"{ copy = "name" }"#, "TG-2003", "{ copy = \"name\" }", "name the target field"),
        (r#"{ to = "text" }"#, "TG-2003", "to", "name one verb"),
        (r#"{ to = "text", copy = "name", constant = "x" }"#, "TG-2003", "constant", "nest one in the other"),
        (r#"{ to = "decimal", divide = ["total", "count"] }"#, "TG-2003", "[\"total\", \"count\"]", "scale"),
        (
            r#"{ to = "decimal", copy = "total", then = [{ scale = 1, truncate = 2 }] }"#,
            "TG-2003",
            "truncate",
            "",
        ),
        (r#"{ to = "decimal", copy = "total", then = ["scale"] }"#, "TG-2003", "\"scale\"", "{ scale = … }"),
        (
            r#"{ to = "decimal", copy = "weight", then = [{ unit = { from = "HUR", to = "DAY" } }] }"#,
            "TG-2003",
            "{ from = \"HUR\", to = \"DAY\" }",
            "scale",
        ),
        (r#"{ to = "decimal", constant = 1.5 }"#, "TG-2004", "1.5", ""),
        (r#"{ to = "decimal", copy = "total", then = [{ scale = 99 }] }"#, "TG-2004", "99", ""),
        (r#"{ to = "text", copy = "nmae" }"#, "TG-2005", "\"nmae\"", "did you mean `name`?"),
        (r#"{ to = "text", copy = "sku" }"#, "TG-2005", "\"sku\"", "lines[].sku"),
        (
            r#"{ to = "text", copy = "lines.sku" }"#,
            "TG-2005",
            "\"lines.sku\"",
            "`lines[].sku` is each of them",
        ),
        (r#"{ to = "text", copy = "customer..code" }"#, "TG-2005", "\"customer..code\"", ""),
        (r#"{ to = "text", copy = "^.name" }"#, "TG-2005", "\"^.name\"", "one `^`"),
        (
            r#"{ to = "text", copy = "refs[sistem=erp].id" }"#,
            "TG-2005",
            "\"refs[sistem=erp].id\"",
            "did you mean `system`?",
        ),
        (r#"{ to = "txet", copy = "name" }"#, "TG-2006", "\"txet\"", "did you mean `text`?"),
        (r#"{ to = "lines.sku", copy = "name" }"#, "TG-2006", "\"lines.sku\"", "write it with `each`"),
        (r#"{ to = "rate", copy = "name" }"#, "TG-2006", "\"rate\"", "did you mean `date`?"),
        (r#"{ to = "integer", copy = "name" }"#, "TG-2007", "\"integer\"", ""),
        (r#"{ to = "integer", copy = "total" }"#, "TG-2007", "\"integer\"", "as = \"integer\""),
        (r#"{ to = "text", copy = "id" }"#, "TG-2007", "\"text\"", "as = \"text\""),
        (r#"{ to = "decimal", copy = "name" }"#, "TG-2007", "\"decimal\"", "as = \"decimal\""),
        (r#"{ to = "date", copy = "created_at" }"#, "TG-2007", "\"date\"", "date = "),
        (r#"{ to = "party", copy = "customer.code" }"#, "TG-2007", "\"party\"", "reference = \"party\""),
        (
            r#"{ to = "party", copy = "customer.code", then = [{ reference = "product" }] }"#,
            "TG-2007",
            "\"party\"",
            "",
        ),
        (r#"{ to = "any", copy = "customer" }"#, "TG-2007", "\"customer\"", "within"),
        (r#"{ to = "choice", copy = "status" }"#, "TG-2007", "\"choice\"", "the target does not know"),
        (r#"{ to = "choice", copy = "name" }"#, "TG-2007", "\"choice\"", "look_up"),
        (
            r#"{ to = "decimal", add = ["total", "name"] }"#,
            "TG-2007",
            "[\"total\", \"name\"]",
            "as = \"decimal\"",
        ),
        (r#"{ to = "text", copy = "day", then = [{ date = "UTC" }] }"#, "TG-2007", "\"UTC\"", ""),
        (r#"{ to = "address", each = "lines", rules = [] }"#, "TG-2007", "\"address\"", "`within`"),
        (
            r#"{ to = "lines", each = "name", rules = [{ to = "sku", copy = "." }] }"#,
            "TG-2007",
            "\"name\"",
            "one object",
        ),
        (
            r#"{ to = "lines", each = "lines[].taxes", rules = [{ to = "sku", copy = "rate" }] }"#,
            "TG-2007",
            "\"lines[].taxes\"",
            "write `lines[].taxes[]`",
        ),
        (
            r#"{ to = "lines", each = "lines", rules = [{ to = "amount", copy = "price" }] }"#,
            "TG-2008",
            "rules",
            "lines[].sku",
        ),
        (r#"{ to = "address.city", copy = "name" }"#, "TG-2008", "rules", "address.code"),
        (r#"{ to = "address.code", copy = "note" }"#, "TG-2009", "\"address.code\"", "missing = \"fault\""),
        (
            r#"{ to = "address.code", when = "item.test", copy = "name" }"#,
            "TG-2009",
            "\"address.code\"",
            "default",
        ),
        (
            r#"{ to = "text", copy = "name" }, { to = "text", copy = "currency" }"#,
            "TG-2010",
            "\"text\"",
            "give the earlier rule a `when`",
        ),
        (
            r#"{ to = "text", copy = "name", then = [{ look_up = "term" }] }"#,
            "TG-2011",
            "\"term\"",
            "did you mean `terms`?",
        ),
        (r#"{ to = "text", expr = "item.name +" }"#, "TG-2012", "\"item.name +\"", "for example"),
        (r#"{ to = "text", when = "item.tags.exists(t, t == 'x')", constant = "x" }"#, "TG-2013", "", "each"),
        (r#"{ to = "text", when = "item.count > 1.5", constant = "x" }"#, "TG-2013", "1.5", "compare("),
        (r#"{ to = "text", expr = "shout(item.name)" }"#, "TG-2013", "", "known here"),
        (r#"{ to = "text", expr = "{'a': item.name}" }"#, "TG-2013", "", "written by rules"),
        (r#"{ to = "text", when = "item.total > '5'", constant = "x" }"#, "TG-2014", "", "compare(a, b)"),
        (r#"{ to = "text", when = "item.total == '5'", constant = "x" }"#, "TG-2014", "", "compare(a, b)"),
        (r#"{ to = "decimal", expr = "item.total + item.total" }"#, "TG-2014", "", "the verb `add`"),
        (r#"{ to = "text", when = "item.count == 'x'", constant = "x" }"#, "TG-2014", "", ""),
        (r#"{ to = "text", when = "item.name", constant = "x" }"#, "TG-2014", "item.name", "compare it"),
        (r#"{ to = "text", when = "itm.test", constant = "x" }"#, "TG-2014", "itm", "did you mean `item`?"),
        (
            r#"{ to = "text", when = "item.tset", constant = "x" }"#,
            "TG-2005",
            "item.tset",
            "did you mean `test`?",
        ),
        (
            r#"{ to = "date", copy = "created_at", then = [{ date = "Europe/Amsterdm" }] }"#,
            "TG-2016",
            "\"Europe/Amsterdm\"",
            "IANA",
        ),
        (
            r#"{ to = "decimal", copy = "weight", then = [{ unit = { from = "KGMM", to = "GRM" } }] }"#,
            "TG-2016",
            "{ from = \"KGMM\", to = \"GRM\" }",
            "did you mean `KGM`?",
        ),
        (
            r#"{ to = "decimal", copy = "weight", then = [{ unit = { from = "KGM", to = "LTR" } }] }"#,
            "TG-2016",
            "{ from = \"KGM\", to = \"LTR\" }",
            "",
        ),
        (
            r#"{ to = "text", copy = "day", then = [{ format = "%H:%M" }] }"#,
            "TG-2016",
            "\"%H:%M\"",
            "%Y year",
        ),
        (r#"{ to = "text", context = "clock" }"#, "TG-2016", "\"clock\"", "object_key"),
        (
            r#"{ to = "decimal", copy = "total", then = [{ scale = { places = 2, rounding = "bankers" } }] }"#,
            "TG-2016",
            "\"bankers\"",
            "half_even",
        ),
        (r#"{ to = "choice", constant = "C" }"#, "TG-2018", "\"choice\"", "one of A, B"),
        (r#"{ to = "integer", constant = "7" }"#, "TG-2018", "\"integer\"", ""),
    ] {
        let text = file(rules);
        let errors = load(rules).expect_err(rules);
        let found = errors
            .iter()
            .find(|error| error.code.as_str() == code)
            .unwrap_or_else(|| panic!("{rules}: {errors:?}"));
        assert!(place.is_empty() || marked(&text, found) == place, "{rules}: marks {}", marked(&text, found));
        let help = found.help.clone().unwrap_or_default();
        assert!(help.contains(words) || found.message.contains(words), "{rules}: {} / {help}", found.message);
        assert_eq!(errors.len(), 1, "one mistake, one finding: {rules}: {errors:?}");
    }
}

#[test]
fn a_strict_target_wants_each_of_its_fields() {
    let text = file(r#"{ to = "address.city", copy = "name" }"#);
    let errors = Mapping::load("t.toml", &text, &source(), &strict_target()).unwrap_err();
    let mut found = String::new();
    for error in &errors {
        writeln!(found, "{} {}", error.code, error.message).unwrap();
    }
    assert_eq!(
        found,
        "TG-2008 the target requires `nothing`, and no rule writes it\n\
         TG-2008 the target requires `text`, and no rule writes it\n\
         TG-2008 the target requires `address.code`, and no rule writes it\n"
    );
    let good = file(
        r#"{ to = "text", copy = "name" }, { to = "nothing", copy = "note" },
           { to = "address", within = "customer", missing = "fault", rules = [{ to = "code", copy = "code" }] }"#,
    );
    let mapping = Mapping::load("t.toml", &good, &source(), &strict_target()).unwrap();
    let body = mapping.run(&order(), &context()).unwrap().body;
    assert_eq!(body, serde_json::json!({"text": "#1001", "nothing": null, "address": {"code": "CUST-001"}}));
    let mut without = order();
    without["customer"] = serde_json::Value::Null;
    let fault = mapping.run(&without, &context()).unwrap_err();
    assert_eq!((fault.code.as_str(), fault.target_path.as_str()), ("TG-2101", "address"));
}

#[test]
fn all_findings_come_in_one_go_and_in_the_order_of_the_file() {
    let rules = r#"{ to = "txet", copy = "name" },
        { to = "text", copy = "nmae" },
        { to = "lines", each = "lines", rules = [{ to = "sku", copy = "skuu" }, { to = "amount", copy = "sku" }] },
        { to = "boolean", when = "item.count +", constant = 7 }"#;
    let codes: Vec<&str> = load(rules).unwrap_err().iter().map(|error| error.code.as_str()).collect();
    assert_eq!(codes, ["TG-2006", "TG-2005", "TG-2005", "TG-2007", "TG-2018", "TG-2012"]);
}

#[test]
fn the_header_says_what_the_mapping_is_for() {
    for (text, words) in [
        ("source = \"order/1\"\ntarget = \"erp/1\"\nrules = []", "no `name`"),
        ("name = \"t\"\nsource = \"order/2\"\ntarget = \"erp/1\"\nrules = []", "`order/1` is needed"),
        ("name = \"t\"\nsource = \"order/1\"\ntarget = \"erp/1\"", "no rules"),
    ] {
        let errors = Mapping::load("t.toml", text, &source(), &target()).unwrap_err();
        assert!(errors.iter().any(|e| e.code == LoadCode::Header && e.message.contains(words)), "{errors:?}");
    }
    let errors = Mapping::load("t.toml", "name = \"t\"\nname = 7\n[rules", &source(), &target()).unwrap_err();
    assert!(errors.len() >= 2 && errors.iter().all(|error| error.code == LoadCode::Syntax), "{errors:?}");
    let header = Mapping::header_of("t.toml", &file("")).unwrap();
    assert_eq!((header.source.as_str(), header.target.as_str()), ("order/1", "erp/1"));
}

#[test]
fn a_finding_knows_its_line_and_serialises_for_ci() {
    let error = load("{ to = \"text\", copy = \"näme\" },\n{ to = \"text\", copy = \"nmae\" }")
        .unwrap_err()
        .remove(1);
    assert_eq!(error.position(), (7, 23));
    assert_eq!(
        serde_json::to_value(&error).unwrap(),
        serde_json::json!({"code": "TG-2005", "file": "t.toml", "line": 7, "column": 23,
            "message": "`nmae`: the source has no field `nmae`", "help": "did you mean `name`?"})
    );
    assert_eq!(error.code().unwrap().to_string(), "TG-2005");
}

#[test]
fn what_is_too_large_or_too_deep_is_refused() {
    let deep = format!("{}\"name\"{}", "{ first = [".repeat(20), "] }".repeat(20));
    let long = format!("item.count == {}1", "1 + ".repeat(300));
    let many = "{ to = \"text\", constant = \"x\" },\n".repeat(2_100);
    let parts = format!("item.count == {}1", "1+".repeat(220));
    for (rules, code) in [
        (format!("{{ to = \"text\", first = [{deep}] }}"), "TG-2017"),
        (format!("{{ to = \"text\", when = \"{long}\", constant = \"x\" }}"), "TG-2013"),
        (format!("{{ to = \"text\", when = \"{parts}\", constant = \"x\" }}"), "TG-2013"),
        (
            format!(
                "{{ to = \"text\", when = \"{}true{}\", constant = \"x\" }}",
                "(".repeat(60),
                ")".repeat(60)
            ),
            "TG-2013",
        ),
        (format!("{{ to = \"text\", when = \"{}\", constant = \"x\" }}", "[".repeat(32)), "TG-2012"),
        (format!("{{ to = \"text\", when = \"{}\", constant = \"x\" }}", "{".repeat(33)), "TG-2013"),
        (many, "TG-2017"),
        ("#".repeat(300_000), "TG-2017"),
    ] {
        let errors = load(&rules).expect_err("over the bounds");
        assert!(errors.iter().any(|error| error.code.as_str() == code), "{code}: {:?}", errors.first());
    }
}

#[test]
fn every_code_has_its_page() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/errors");
    let load_codes = LoadCode::ALL.iter().map(|code| code.as_str());
    let fault_codes = tidegate_mapping::FaultCode::ALL.iter().map(|code| code.as_str());
    for code in load_codes.chain(fault_codes) {
        let page = std::fs::read_to_string(folder.join(format!("{code}.md"))).unwrap_or_default();
        assert!(
            page.starts_with(&format!("# {code}: ")),
            "docs/errors/{code}.md is missing or has another title"
        );
        for part in ["## What it means", "## Why", "## What to do"] {
            assert!(page.contains(part), "docs/errors/{code}.md has no part {part}");
        }
    }
}
