//! Plans of credit notes by table, without a Tryton.

use super::super::contract::Tryton;
use super::SCHEMA;
use connector::port::{ExternalRef, ObjectState, Observation, Observed, Plan, Wanted};
use kernel::flow::Difference;
use kernel::key::ObjectKey;
use serde_json::{Value, json};

pub(in super::super) fn refund_of(
    order: &Wanted,
    number: &str,
    lines: Value,
    other: &str,
    total: &str,
) -> Wanted {
    let subject = order.subject.child("refund", number);
    let object_key = ObjectKey::of(&subject);
    let body = json!({
        "reference": object_key.as_str(), "sale": order.object_key.as_str(), "currency": "EUR",
        "description": "#1001 / refund", "lines": lines, "other": other, "total": total,
    });
    let (known, stage) = (None, connector::port::Stage::Present);
    Wanted { subject, object_key, body, known, stage, difference: Difference::Ticket, ..order.clone() }
}

pub(in super::super) fn line(sku: &str, quantity: &str, net: &str, tax: &str) -> Value {
    json!({"product": {"$ref": {"kind": "product", "value": sku}}, "description": sku, "quantity": quantity, "net": net,
           "tax": tax})
}

fn desk(settings: &[(&str, Value)]) -> Tryton {
    let desk = Tryton::new("127.0.0.1:9".parse().unwrap(), "desk", "u", "p", "credits".into());
    settings.iter().fold(desk, |desk, (key, value)| desk.with(key, value.clone()))
}

fn wanted() -> Wanted {
    let order = desk(&[]).order();
    refund_of(&order, "9", json!([line("SKU-0001", "2", "8.50", "1.79")]), "0", "10.29")
}

fn original() -> Value {
    let of = |id: i64, product: Value, taxes: Value, rate: &str| json!({"id": id, "product": product, "description": "Tip", "account": 99, "unit": 1, "taxes": taxes, "rate": rate});
    json!({"original": {
        "party": 2, "invoice_address": 2, "account": 39, "journal": 1, "currency": 1, "currency_code": "EUR",
        "payment_term": 3,
        "lines": [of(5, json!([1, "SKU-0001"]), json!([1]), "0.21"), of(6, json!([2, "SKU-0005"]), json!([2]), "0.09"),
                  of(7, json!(null), json!([]), "0")],
    }})
}

fn observed(note: Option<Value>) -> Observation {
    let object = note.map_or(Observed::None, |body| {
        let external = ExternalRef { id: "4".into(), number: None, state: None };
        Observed::One(ObjectState { external, body, adopted: false })
    });
    Observation { object, context: original(), missing: Vec::new() }
}

fn note(state: &str, gross: &str) -> Option<Value> {
    Some(json!({"id": 4, "number": null, "state": state, "timestamp": "1.5", "gross": gross}))
}

fn planned(desk: &Tryton, wanted: &Wanted, observed: &Observation) -> String {
    match desk.here().plan(wanted, observed) {
        Plan::Next(step) => step.name,
        Plan::Done(_) => "done".to_owned(),
        Plan::NotAllowed(fault) => fault.code,
    }
}

/// The values of the invoice that is made.
fn made(wanted: &Wanted) -> Value {
    let Plan::Next(step) = desk(&[]).here().plan(wanted, &observed(None)) else { panic!("no step") };
    assert!(step.creates);
    let frozen: Value = serde_json::from_slice(&step.request).unwrap();
    let body: Value = serde_json::from_str(frozen["body"].as_str().unwrap()).unwrap();
    assert_eq!(body["method"], "model.account.invoice.create");
    body["params"][0][0].clone()
}

#[test]
fn what_was_given_back_stands_against_the_lines_of_the_invoice() {
    let mut wanted = wanted();
    wanted.body["lines"].as_array_mut().unwrap().push(line("", "1", "3.00", "0"));
    wanted.body["lines"][1]["product"].take();
    wanted.body["lines"][1]["description"] = json!("Tip");
    wanted.body["other"] = json!("-1.50");
    let made = made(&wanted);
    assert_eq!(made["reference"], wanted.object_key.as_str());
    assert_eq!((made["party"].as_i64(), made["type"].as_str()), (Some(2), Some("out")));
    let lines = made["lines"][0][1].as_array().unwrap();
    assert_eq!(
        (lines[0]["quantity"].as_f64(), &lines[0]["unit_price"]["decimal"]),
        (Some(-2.0), &json!("4.25"))
    );
    assert_eq!(
        (&lines[0]["origin"], &lines[0]["taxes"][0][1]),
        (&json!("account.invoice.line,5"), &json!([1]))
    );
    assert_eq!(
        lines[1]["origin"], "account.invoice.line,7",
        "a line without a product is known by its words"
    );
    // Kept: so much less is given back.
    assert_eq!(
        (lines[2]["quantity"].as_i64(), &lines[2]["unit_price"]["decimal"]),
        (Some(1), &json!("1.50"))
    );
}

#[test]
fn the_next_step_is_planned_by_what_there_is() {
    let (plain, posts) = (desk(&[]), desk(&[("credit_note", json!("posted"))]));
    let (ticket, mut adjusts, mut accepts) = (wanted(), wanted(), wanted());
    adjusts.difference = Difference::AdjustLine;
    accepts.difference = Difference::Accept("0.02".parse().unwrap());
    let (right, short) = (note("draft", "-10.29"), note("draft", "-10.28"));
    for (desk, wanted, observed, expected) in [
        (&plain, &ticket, observed(None), "create"),
        (&plain, &ticket, observed(right.clone()), "done"),
        (&posts, &ticket, observed(right), "post"),
        (&plain, &ticket, observed(short.clone()), "TG-3204"),
        (&plain, &adjusts, observed(short.clone()), "adjust_gross"),
        (&plain, &accepts, observed(short), "done"),
        (&plain, &accepts, observed(note("draft", "-10.20")), "TG-3204"),
        (&plain, &adjusts, observed(note("draft", "-9.29")), "TG-3204"),
        (&posts, &ticket, observed(note("posted", "-10.29")), "done"),
        (&posts, &ticket, observed(note("paid", "-10.20")), "done"),
        (&plain, &ticket, observed(note("cancelled", "-10.29")), "TG-3202"),
        (
            &plain,
            &ticket,
            Observation { object: Observed::Many(vec!["4".into(), "5".into()]), ..observed(None) },
            "TG-3207",
        ),
        (&plain, &ticket, Observation { context: json!({}), ..observed(None) }, "missing_sale_invoice"),
    ] {
        assert_eq!(planned(desk, wanted, &observed), expected, "{observed:?}");
    }
    let mut gone = wanted();
    gone.known = Some(ExternalRef { id: "4".into(), number: None, state: None });
    assert_eq!(planned(&plain, &gone, &observed(None)), "TG-3206");
    let mut other_money = wanted();
    other_money.body["currency"] = json!("USD");
    assert_eq!(planned(&plain, &other_money, &observed(None)), "TG-3308");
    let order = plain.order();
    let nothing = refund_of(&order, "9", json!([line("SKU-0001", "2", "0", "0")]), "0", "0");
    assert_eq!(planned(&plain, &nothing, &observed(None)), "done", "units came back, and no money went");
    let mut no_body = wanted();
    no_body.body = json!({"sale": "x"});
    let Plan::NotAllowed(fault) = plain.here().plan(&no_body, &observed(None)) else { panic!("planned") };
    assert!(fault.code == "TG-3308" && fault.message.contains(SCHEMA), "{fault}");
}
