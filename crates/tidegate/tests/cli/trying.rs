//! Mappings by hand: one order through one file in whatever form it came, where each field comes from, and the folders of
//! cases.

use crate::typed::{Desk, ours};
use serde_json::Value;

/// One B2B order as Shopify sends it, as Shopify answers it, and as it is kept.
const PAIR: &str = "crates/domains/tests/fixtures/pairs/b2b_complete";

/// Our mapping with a row for the company location of that order.
fn desk() -> Desk {
    let desk = Desk::new();
    desk.write("orders.toml", &std::fs::read_to_string(ours("mappings/orders_to_http_erp.toml")).unwrap());
    desk.edit("orders.toml", "[tables.parties]", "[tables.parties]\n8612086066 = \"CUST-NORTH\"");
    desk
}

fn map(desk: &Desk, form: &str, more: &[&str]) -> crate::typed::Said {
    let args = [&["mapping", "run", "orders.toml"], more].concat();
    desk.given(&args, &ours(&format!("{PAIR}/{form}.json")))
}

#[test]
fn an_order_maps_to_the_same_body_in_whatever_form_it_comes() {
    let desk = desk();
    let bodies: Vec<Value> =
        ["rest", "graphql", "canonical"].map(|form| map(&desk, form, &[]).ended(0).json()).into();
    assert!(bodies[0]["lines"].as_array().is_some_and(|lines| !lines.is_empty()), "{}", bodies[0]);
    assert_eq!(bodies[0], bodies[1]);
    assert_eq!(bodies[0], bodies[2]);
    // As the answer of a REST read wraps it.
    let rest = std::fs::read_to_string(ours(&format!("{PAIR}/rest.json"))).unwrap();
    let said = desk.told(&["mapping", "run", "orders.toml"], &format!("{{\"order\": {rest}}}"));
    assert_eq!(said.ended(0).json(), bodies[0]);
}

#[test]
fn each_field_is_explained() {
    let desk = desk();
    let said = map(&desk, "rest", &["--explain"]).ended(0);
    let line = |of: &str| {
        said.out.lines().find(|line| line.starts_with(of)).unwrap_or_else(|| panic!("{}", said.out))
    };
    let told = |of: &str, texts: &[&str]| {
        for text in texts {
            assert!(line(of).contains(text), "{text:?} is missing: {}", line(of));
        }
    };
    told("party ", &["\"CUST-NORTH\"", "company.company_location_id = \"8612086066\"", "look_up"]);
    told("payment_term ", &["\"NET30\"", "payment_terms.name = \"Net 30\"", "look_up"]);
    told("lines[0].quantity ", &["\"7000\"", "lines[0].quantity.current.amount"]);
    let explained = map(&desk, "rest", &["--explain", "--json"]).ended(0).json();
    assert!(explained.to_string().contains("CUST-NORTH"), "{explained}");
}

#[test]
fn what_cannot_be_mapped_says_why() {
    let desk = Desk::new();
    let file = ours("mappings/orders_to_http_erp.toml");
    let run = ["mapping", "run", file.to_str().unwrap()];
    desk.told(&run, "{]").ended(2).tells(&["standard input is no JSON"]);
    desk.told(&run, "{\"id\": 1}").ended(2).tells(&["standard input is no order", "line_items", "order_id"]);
    desk.told(&["mapping", "run", "nowhere.toml"], "{}").ended(4).tells(&["nowhere.toml cannot be read"]);
    desk.told(&[&run[..], &["--zone", "CEST"]].concat(), "{}").ended(2).tells(&["Europe/Amsterdam"]);
    let input = ours("mappings/cases/orders_to_http_erp/unknown_company_location/input.json");
    let said = desk.given(&run, &input).ended(3);
    assert_eq!(said.out, "");
    said.tells(&["error TG-2103: party: ", "parties", "from company.company_location_id = "]);
    let fault = desk.given(&[&run[..], &["--json"]].concat(), &input).ended(3).json();
    assert_eq!(
        (&fault["fault"]["code"], &fault["fault"]["target_path"]),
        (&"TG-2103".into(), &"party".into())
    );
    // With its explanation it is shown which fields did come out.
    desk.given(&[&run[..], &["--explain"]].concat(), &input).ended(3).shows(&["party", "lines"]);
}

#[test]
fn our_own_mappings_hold_their_cases() {
    let desk = Desk::new();
    let folder = ours("mappings");
    let test = ["mapping", "test", folder.to_str().unwrap()];
    desk.tidegate(&test).ended(0).shows(&["b2b_on_terms", "unknown_company_location"]);
    let answer = desk.tidegate(&[&test[..], &["--json"]].concat()).ended(0).json();
    assert_eq!(answer["holds"], true);
    let cases = |of: &Value| of["cases"].as_array().unwrap().len();
    let mappings = answer["mappings"].as_array().unwrap();
    assert!(mappings.len() >= 3 && mappings.iter().all(|mapping| cases(mapping) > 0), "{answer}");
}

#[test]
fn a_case_that_does_not_hold_is_shown_with_the_difference() {
    let desk = Desk::new();
    let case = "mappings/cases/orders_to_http_erp/b2b_on_terms";
    std::fs::create_dir_all(desk.path(case)).unwrap();
    let ours = |name: &str| std::fs::read_to_string(ours(name)).unwrap();
    desk.write("mappings/orders_to_http_erp.toml", &ours("mappings/orders_to_http_erp.toml"));
    for name in ["input.json", "context.json", "expected.json"] {
        desk.write(&format!("{case}/{name}"), &ours(&format!("{case}/{name}")));
    }
    desk.tidegate(&["mapping", "test"]).ended(0);
    let mut expected: Value = serde_json::from_str(&desk.read(&format!("{case}/expected.json"))).unwrap();
    expected["po_number"] = "PO-4711-OTHER".into();
    desk.write(&format!("{case}/expected.json"), &expected.to_string());
    desk.tidegate(&["mapping", "test"]).ended(3).shows(&["b2b_on_terms", "po_number", "PO-4711-OTHER"]);
    assert_eq!(desk.tidegate(&["mapping", "test", "--json"]).ended(3).json()["holds"], false);
    desk.tidegate(&["mapping", "test", "nowhere"]).ended(4).tells(&["nowhere cannot be read"]);
}
