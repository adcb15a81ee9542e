//! Plans of payments by table, without a Tryton.

use super::super::contract::Tryton;
use super::SCHEMA;
use connector::port::{ExternalRef, ObjectState, Observation, Observed, Plan, Stage, Wanted};
use kernel::key::ObjectKey;
use serde_json::{Value, json};

pub(in super::super) fn payment_of(order: &Wanted, number: &str, amount: &str) -> Wanted {
    let subject = order.subject.child("payment", number);
    let object_key = ObjectKey::of(&subject);
    let body = json!({
        "reference": object_key.as_str(), "sale": order.object_key.as_str(), "currency": "EUR",
        "amount": amount, "date": "2026-11-26", "journal": "Shopify",
    });
    Wanted { subject, object_key, body, known: None, stage: Stage::Present, ..order.clone() }
}

fn desk(settings: &[(&str, Value)]) -> Tryton {
    let desk = Tryton::new("127.0.0.1:9".parse().unwrap(), "desk", "u", "p", "payments".into());
    settings.iter().fold(desk, |desk, (key, value)| desk.with(key, value.clone()))
}

fn wanted() -> Wanted {
    payment_of(&desk(&[]).order(), "9", "10.29")
}

/// A sale in that state, and a journal.
fn known(state: &str, open: Value) -> Value {
    json!({
        "sale": { "id": 7, "state": state, "party": 2, "currency": "EUR", "open": open },
        "journal": { "id": 3, "currency": "EUR" },
    })
}

fn observed(stored: Option<Value>, context: Value) -> Observation {
    let object = stored.map_or(Observed::None, |body| {
        let external = ExternalRef { id: "4".into(), number: None, state: None };
        Observed::One(ObjectState { external, body, adopted: false })
    });
    Observation { object, context, missing: Vec::new() }
}

fn stored(state: &str, amount: &str) -> Option<Value> {
    Some(json!({ "id": 4, "number": "12", "state": state, "timestamp": "1.5", "amount": amount }))
}

/// What comes next; of a refusal its code.
fn planned(desk: &Tryton, wanted: &Wanted, observed: &Observation) -> String {
    match desk.here().plan(wanted, observed) {
        Plan::Next(step) => step.name,
        Plan::Done(done) => done.note.unwrap_or_else(|| "done".to_owned()),
        Plan::NotAllowed(fault) => fault.code,
    }
}

/// The values of the payment that is made.
fn made(context: Value) -> Value {
    let plan = desk(&[]).here().plan(&wanted(), &observed(None, context));
    let Plan::Next(step) = plan else { panic!("{plan:?}") };
    assert!(step.creates && !step.idempotent);
    let frozen: Value = serde_json::from_slice(&step.request).unwrap();
    let body: Value = serde_json::from_str(frozen["body"].as_str().unwrap()).unwrap();
    assert_eq!(body["method"], "model.account.payment.create");
    body["params"][0][0].clone()
}

#[test]
fn a_payment_is_for_its_sale_and_for_what_of_it_is_open() {
    let of_quotation = made(known("quotation", json!([])));
    assert_eq!(of_quotation["reference"], wanted().object_key.as_str());
    assert_eq!((&of_quotation["origin"], &of_quotation["line"]), (&json!("sale.sale,7"), &json!(null)));
    assert_eq!((&of_quotation["party"], &of_quotation["journal"]), (&json!(2), &json!(3)));
    assert_eq!(of_quotation["amount"]["decimal"], "10.29");
    assert_eq!(
        (&of_quotation["date"]["year"], &of_quotation["date"]["month"], &of_quotation["date"]["day"]),
        (&json!(2026), &json!(11), &json!(26))
    );
    // Of what is invoiced, the first line that is open by as much.
    let invoiced = made(known("processing", json!([[11, "5.00"], [12, "10.29"], [13, "50.00"]])));
    assert_eq!(invoiced["line"], 12);
    // Of a sale that was cancelled it is none; the money is its customer's.
    assert_eq!(made(known("cancelled", json!([])))["origin"], Value::Null);
}

#[test]
fn the_next_step_is_planned_by_what_there_is() {
    let (submits, drafts) = (desk(&[]), desk(&[("payment", json!("draft"))]));
    let quoted = || known("quotation", json!([]));
    let without = |of: &str| {
        let mut context = quoted();
        context[of].take();
        context
    };
    let in_dollars = |of: &str| {
        let mut context = quoted();
        context[of]["currency"] = json!("USD");
        context
    };
    let mut gone = wanted();
    gone.known = Some(ExternalRef { id: "4".into(), number: Some("12".into()), state: None });
    let mut nothing = wanted();
    nothing.body["amount"] = json!("0.00");
    let mut damaged = wanted();
    damaged.body["date"] = json!("yesterday");
    let usual = wanted();
    let many = Observation {
        object: Observed::Many(vec!["4".into(), "5".into()]),
        context: Value::Null,
        missing: Vec::new(),
    };
    for (desk, wanted, observed, expected) in [
        (&submits, &usual, observed(None, quoted()), "create"),
        (&submits, &usual, observed(stored("draft", "10.29"), Value::Null), "submit"),
        (&drafts, &usual, observed(stored("draft", "10.29"), Value::Null), "done"),
        (&submits, &usual, observed(stored("submitted", "10.29"), Value::Null), "done"),
        (&submits, &usual, observed(stored("succeeded", "10.29"), Value::Null), "done"),
        (
            &submits,
            &usual,
            observed(stored("processing", "10.00"), Value::Null),
            "payment 12 is of 10.00, and 10.29 was taken",
        ),
        (&submits, &usual, observed(stored("failed", "10.29"), Value::Null), "TG-3202"),
        (&submits, &usual, observed(None, without("sale")), "missing_quoted_sale"),
        (&submits, &usual, observed(None, known("draft", json!([]))), "missing_quoted_sale"),
        (&submits, &usual, observed(None, without("journal")), "missing_payment_journal"),
        (&submits, &usual, observed(None, in_dollars("sale")), "TG-3308"),
        (&submits, &usual, observed(None, in_dollars("journal")), "TG-3308"),
        (&submits, &gone, observed(None, quoted()), "TG-3206"),
        (&submits, &nothing, observed(None, quoted()), "TG-3308"),
        (&submits, &damaged, observed(None, quoted()), "TG-3308"),
        (&submits, &usual, many, "TG-3207"),
    ] {
        assert_eq!(planned(desk, wanted, &observed), expected, "{observed:?}");
    }
}

#[test]
fn how_far_a_payment_is_brought_is_one_of_two_words() {
    let wrong = desk(&[("payment", json!("paid"))]);
    let settings = wrong.settings("127.0.0.1:9".parse().unwrap());
    let problems = super::super::describe(&settings).unwrap_err().join("\n");
    assert!(problems.contains("payment") && problems.contains("draft or submitted"), "{problems}");
    let right = super::super::describe(&desk(&[]).settings("127.0.0.1:9".parse().unwrap())).unwrap();
    assert!(right.services.iter().any(|service| service.schema == SCHEMA));
}
