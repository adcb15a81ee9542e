//! What a mapping says about itself and about one of its runs, on a small order.

use serde_json::{Value, json};
use tidegate_mapping::{Condition, Verb, cases};

use crate::support::{context, file, load, loaded, order, source, target};

const RULES: &str = r#"
    { to = "text", context = "object_key" },
    { to = "party", copy = "customer.code", then = ["trim", { reference = "party" }] },
    { to = "choice", when = "item.test", constant = "B" },
    { to = "choice", copy = "status", then = [{ look_up = "letters" }] },
    { to = "short", first = ["note", "attributes.blank"], default = "none" },
    { to = "lines", each = "lines", where = "item.gift != true", rules = [
        { to = "sku", copy = "sku" },
        { to = "amount", multiply = ["quantity", "price"], then = [{ scale = 2 }] },
        { to = "currency", copy = "^.currency" },
    ] }"#;

fn texts<'a>(paths: impl IntoIterator<Item = &'a tidegate_mapping::Path>) -> Vec<&'a str> {
    paths.into_iter().map(tidegate_mapping::Path::as_str).collect()
}

#[test]
fn it_says_what_it_reads_writes_and_does() {
    let mapping = loaded(RULES);
    assert_eq!(
        texts(mapping.reads()),
        [
            "attributes.blank",
            "currency",
            "customer.code",
            "lines",
            "lines[].gift",
            "lines[].price",
            "lines[].quantity",
            "lines[].sku",
            "note",
            "status",
            "test"
        ]
    );
    assert_eq!(
        texts(mapping.writes()),
        ["choice", "lines", "lines[].amount", "lines[].currency", "lines[].sku", "party", "short", "text"]
    );
    let verbs =
        |field: &str| -> Vec<Verb> { mapping.fields()[&field.into()].verbs.iter().copied().collect() };
    assert_eq!(verbs("party"), [Verb::Copy, Verb::Trim, Verb::Reference]);
    assert_eq!(verbs("choice"), [Verb::Copy, Verb::Constant, Verb::When, Verb::LookUp]);
    assert_eq!(verbs("lines[].amount"), [Verb::Multiply, Verb::Scale]);
    assert_eq!(
        texts(&mapping.fields()[&"lines[].amount".into()].reads),
        ["lines[].price", "lines[].quantity"]
    );
    let kinds: Vec<&str> = mapping.references().iter().map(|reference| reference.kind.as_str()).collect();
    assert_eq!(kinds, ["party"]);
}

#[test]
fn only_what_a_rule_reads_is_sent() {
    let body = loaded(RULES).run(&order(), &context()).unwrap().body.to_string();
    for unseen in ["Ada", "Byron", "PO 4711", "rush", "23:30", "c-9"] {
        assert!(!body.contains(unseen), "{unseen} in {body}");
    }
}

#[test]
fn the_digest_changes_with_what_is_read_and_with_nothing_else() {
    let mapping = loaded(RULES);
    let digest = |source: &Value| mapping.run(source, &context()).unwrap().digest;
    let same = digest(&order());
    let mut other = order();
    other["tags"] = json!(["new"]);
    other["customer"]["last_name"] = json!("Lovelace");
    assert_eq!(digest(&other), same);
    other["lines"][0]["quantity"] = json!("13");
    assert_ne!(digest(&other), same);
}

#[test]
fn the_revision_is_of_the_content_and_not_of_its_spelling() {
    let revision = |text: &str| {
        tidegate_mapping::Mapping::load("t.toml", text, &source(), &target()).unwrap().revision()
    };
    let one = file("{ to = \"text\", copy = \"name\", default = 'x' }");
    let two = file("# a comment\n  { default = \"x\",   to = \"text\", copy = \"name\" },");
    let three = file("{ to = \"text\", copy = \"name\", default = 'y' }");
    assert_eq!(revision(&one), revision(&two));
    assert_ne!(revision(&one), revision(&three));
    assert_eq!(loaded(RULES).revision_text().len(), 64);
}

#[test]
fn an_explanation_tells_where_each_field_came_from() {
    let explanation = loaded(RULES).explain(&order(), &context());
    let expected = r#"TARGET             VALUE                                         FROM                                                  STEPS
text               "shop-a:erp:order:5678"                                                                             context → "shop-a:erp:order:5678"
party              {"$ref":{"kind":"party","value":"CUST-001"}}  customer.code = "CUST-001"                            trim → "CUST-001", reference → {"$ref":{"kind":"party","value":"CUST-001"}}
choice             "A"                                           status = "open"                                       look_up → "A", line 9: not when item.test
short              "none"                                        note = absent, attributes.blank = "  "                first → absent, default → "none"
lines[0].sku       "SKU-0001"                                    lines[0].sku = "SKU-0001"
lines[0].amount    "51.00"                                       lines[0].quantity = "12", lines[0].price = "4.2500"   multiply → "51.0000", scale → "51.00"
lines[0].currency  "EUR"                                         currency = "EUR"
lines[1].sku       "SKU-0005"                                    lines[1].sku = "SKU-0005"
lines[1].amount    "58.39"                                       lines[1].quantity = "2.5", lines[1].price = "23.355"  multiply → "58.3875", scale → "58.39"
lines[1].currency  "EUR"                                         currency = "EUR"
"#;
    let text = explanation.to_string();
    let (title, table) = text.split_once('\n').unwrap();
    assert!(title.starts_with("mapping t, revision "), "{title}");
    assert_eq!(table, expected, "\n{table}");
    let json = serde_json::to_value(&explanation).unwrap();
    assert_eq!(json["fields"][3]["reads"][1], json!({"path": "attributes.blank", "value": "  "}));
    assert_eq!(json["body"]["lines"][1]["amount"], "58.39");
}

#[test]
fn an_explanation_goes_on_after_a_fault() {
    let mut source = order();
    source["status"] = json!("paused");
    source["lines"][1]["price"] = json!("12,50");
    let explanation = loaded(RULES).explain(&source, &context());
    let faults: Vec<String> = explanation.faults().map(ToString::to_string).collect();
    assert_eq!(
        faults,
        [
            "TG-2103: choice: the table `letters` has no row for this value; add one, or say `otherwise`",
            "TG-2102: lines[1].amount: a decimal was expected, such as \"12.50\"",
        ]
    );
    assert_eq!(explanation.body["lines"][1]["sku"], "SKU-0005");
    assert!(explanation.to_string().contains("✗ TG-2102"));
}

#[test]
fn a_folder_of_cases_is_a_test() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    let mapping = load(
        r#"{ to = "text", copy = "name" }, { to = "decimal", copy = "total", then = [{ scale = 1 }] },
        { to = "time", context = "now" }"#,
    )
    .unwrap();
    let context = r#"{"now": "2026-01-01T00:00:00Z", "zone": "Europe/Amsterdam"}"#;
    write("a_good/input.json", r#"{"name": "x", "total": "1.25"}"#);
    write("a_good/context.json", context);
    write("a_good/expected.json", r#"{"text": "x", "decimal": "1.3", "time": "2026-01-01T01:00:00+01:00"}"#);
    write("b_bad/input.json", r#"{"name": "x", "total": "1.25"}"#);
    write("b_bad/expected.json", r#"{"text": "y", "decimal": "1.3", "integer": 1}"#);
    write("c_fault/input.json", r#"{"name": "x", "total": "many"}"#);
    write("c_fault/error.txt", "TG-2102 decimal\n");
    write("d_no_fault/input.json", r#"{"name": "x", "total": "1"}"#);
    write("d_no_fault/error.txt", "TG-2102");
    let report = cases::run(&mapping, &cases::read_folder(folder.path()).unwrap());
    assert_eq!((report.passed(), report.is_good()), (2, false));
    let names: Vec<&str> =
        report.cases[1].differences.iter().map(|difference| difference.path.as_str()).collect();
    assert_eq!(names, ["integer", "text", "time"]);
    let text = report.to_string();
    assert!(
        text.contains("FAIL  b_bad\n") && text.contains("- expected  \"y\"\n        + found     \"x\""),
        "{text}"
    );
    assert!(text.ends_with("t: 2 of 4 cases hold\n"), "{text}");
    write("e_broken/input.json", "{");
    assert!(cases::read_folder(folder.path()).unwrap_err().to_string().contains("input.json"));
}

#[test]
fn a_condition_outside_a_mapping_is_checked_in_the_same_way() {
    let holds = |text: &str| Condition::load("filter", text, &source()).unwrap().holds(&order());
    assert!(holds("order.status == 'open' && !item.test && compare(source.total, '100') > 0").unwrap());
    assert!(!holds("has(order.note)").unwrap());
    assert_eq!(holds("order.note.contains('x')").unwrap_err().code.as_str(), "TG-2107");
    let errors = Condition::load("filter", "order.stauts == 'open'", &source()).unwrap_err();
    assert_eq!((errors[0].code.as_str(), errors[0].position()), ("TG-2005", (1, 1)));
    assert!(errors[0].help.as_deref().unwrap().contains("status"));
    let reads = Condition::load("filter", "order.test || size(order.tags) > 0", &source()).unwrap();
    assert_eq!(texts(reads.reads()), ["tags", "test"]);
}
