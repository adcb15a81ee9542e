//! Against the real Tryton (`cargo xtask test` starts it): what its own answers come to, and what it stored.

use super::contract::{Tryton, call};
use connector::port::{Connector, Done, Plan, Stage, Wanted};
use kernel::fault::Fault;
use kernel::key::CallKey;
use serde_json::{Value, json};

/// Walks an order as the engine would; the steps on the way, and how it ended.
async fn walk(connector: &dyn Connector, wanted: &mut Wanted) -> (Vec<String>, Result<Done, Fault>) {
    let mut steps = Vec::new();
    loop {
        let observation = match connector.observe(&call(), wanted).await {
            Ok(observation) => observation,
            Err(fault) => return (steps, Err(fault)),
        };
        let step = match connector.plan(wanted, &observation) {
            Plan::Done(done) => return (steps, Ok(done)),
            Plan::NotAllowed(fault) => return (steps, Err(fault)),
            Plan::Next(step) => step,
        };
        steps.push(step.name.clone());
        assert!(steps.len() < 12, "does not converge: {steps:?}");
        let key = CallKey(format!("tg-{}", steps.len()));
        match connector.apply(&call(), &key, &step).await {
            Ok(applied) => wanted.known = applied.external.or(wanted.known.take()),
            Err(fault) => return (steps, Err(fault)),
        }
    }
}

pub(super) async fn done(connector: &dyn Connector, wanted: &mut Wanted) -> (Vec<String>, Done) {
    let (steps, ended) = walk(connector, wanted).await;
    (steps, ended.unwrap())
}

pub(super) async fn refused(connector: &dyn Connector, wanted: &mut Wanted) -> (Vec<String>, Fault) {
    let (steps, ended) = walk(connector, wanted).await;
    (steps, ended.unwrap_err())
}

#[tokio::test]
async fn real_tryton_makes_a_sale_of_an_order() {
    let tryton = Tryton::real();
    let connector = tryton.here();
    let mut wanted = tryton.order();
    let (steps, done) = done(&*connector, &mut wanted).await;
    assert_eq!(steps, ["create", "quote", "confirm"]);
    assert!(done.external.number.is_some() && done.note.is_none(), "{done:?}");
}

#[tokio::test]
async fn real_tryton_stored_what_the_order_comes_to() {
    let tryton = Tryton::real();
    let connector = tryton.here();
    let mut wanted = tryton.order();
    let (_, ended) = done(&*connector, &mut wanted).await;
    let id: i64 = ended.external.id.parse().unwrap();
    let fields = json!([
        "reference",
        "description",
        "comment",
        "untaxed_amount",
        "tax_amount",
        "total_amount",
        "payment_term.name",
        "lines.product.code",
        "lines.amount",
        "invoices.taxes.tax.rate",
        "invoices.taxes.amount",
        "shipments.state"
    ]);
    let sale = tryton.ask("model.sale.sale.read", vec![json!([id]), fields]).await[0].clone();
    assert_eq!(sale["reference"], wanted.object_key.as_str());
    assert_eq!(sale["description"], wanted.body["description"]);
    assert_eq!(sale["comment"], "Ring twice.\nThank you.");
    assert_eq!(sale["payment_term."]["name"], "Net 60");
    let amount = |value: &Value| value["decimal"].as_str().unwrap().to_owned();
    let totals = ["untaxed_amount", "tax_amount", "total_amount"].map(|field| amount(&sale[field]));
    assert_eq!(totals, ["119.39", "18.07", "137.46"]);
    let lines: Vec<(&str, String)> = sale["lines."]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| (line["product."]["code"].as_str().unwrap(), amount(&line["amount"])))
        .collect();
    let stored = [("SKU-0001", "51.00"), ("SKU-0005", "58.39"), ("SHIPPING", "10.00")];
    assert_eq!(lines, stored.map(|(code, amount)| (code, amount.to_owned())));
    // The invoice that Tryton made holds the tax of each rate.
    let mut taxes: Vec<(String, String)> = sale["invoices."][0]["taxes."]
        .as_array()
        .unwrap()
        .iter()
        .map(|tax| (amount(&tax["tax."]["rate"]), amount(&tax["amount"])))
        .collect();
    taxes.sort();
    assert_eq!(
        taxes,
        [("0.09", "5.26"), ("0.21", "12.81")].map(|(rate, tax)| (rate.to_owned(), tax.to_owned()))
    );
    assert_eq!(sale["shipments."][0]["state"], "waiting");
}

#[tokio::test]
async fn real_tryton_confirms_once() {
    let tryton = Tryton::real();
    let connector = tryton.here();
    let mut wanted = tryton.order();
    wanted.stage = Stage::Present;
    let (steps, present) = done(&*connector, &mut wanted).await;
    assert_eq!(steps, ["create", "quote"]);
    assert_eq!(present.external.state.as_deref(), Some("quotation"));
    wanted.stage = Stage::Confirmed;
    let observation = connector.observe(&call(), &wanted).await.unwrap();
    let Plan::Next(step) = connector.plan(&wanted, &observation) else { panic!("a confirmation") };
    let key = CallKey("tg-confirm".to_owned());
    connector.apply(&call(), &key, &step).await.unwrap();
    // The same bytes again, as after an answer that was lost: Tryton refuses them, and it was done.
    let again = connector.apply(&call(), &key, &step).await;
    assert!(again.is_ok() || again.as_ref().unwrap_err().code == "TG-3303", "{again:?}");
    let (steps, ended) = done(&*connector, &mut wanted).await;
    assert!(steps.is_empty() && ended.unchanged);
    assert_eq!(ended.external.state.as_deref(), Some("processing"));
}

#[tokio::test]
async fn real_tryton_takes_one_reference_twice_and_nobody_writes_to_either() {
    let tryton = Tryton::real();
    let connector = tryton.here();
    let mut wanted = tryton.order();
    let (_, _) = done(&*connector, &mut wanted).await;
    assert!(connector::contract::Fixture::duplicate(&tryton, &wanted).await);
    let (steps, fault) = refused(&*connector, &mut wanted).await;
    assert_eq!((fault.code.as_str(), steps.len()), ("TG-3207", 0), "{fault}");
    wanted.stage = Stage::Cancelled;
    let (steps, fault) = refused(&*connector, &mut wanted).await;
    assert_eq!((fault.code.as_str(), steps.len()), ("TG-3207", 0), "{fault}");
}

#[tokio::test]
async fn real_tryton_cancels_before_the_confirmation() {
    let tryton = Tryton::real();
    let connector = tryton.here();
    let mut wanted = tryton.order();
    wanted.stage = Stage::Present;
    done(&*connector, &mut wanted).await;
    wanted.stage = Stage::Cancelled;
    let (steps, ended) = done(&*connector, &mut wanted).await;
    assert_eq!(
        (steps.as_slice(), ended.external.state.as_deref()),
        (&["cancel".to_owned()][..], Some("cancelled"))
    );
    let (steps, _) = done(&*connector, &mut wanted).await;
    assert!(steps.is_empty());
    wanted.stage = Stage::Confirmed;
    assert_eq!(refused(&*connector, &mut wanted).await.1.code, "TG-3202");
    let mut never = tryton.order();
    never.stage = Stage::Cancelled;
    let (steps, ended) = done(&*connector, &mut never).await;
    assert!(steps.is_empty() && ended.external.id.is_empty());
}

#[tokio::test]
async fn real_tryton_cancels_after_the_confirmation_by_a_sale_against_it() {
    let tryton = Tryton::real();
    let connector = tryton.here();
    let mut wanted = tryton.order();
    let (_, first) = done(&*connector, &mut wanted).await;
    wanted.stage = Stage::Cancelled;
    let (steps, fault) = refused(&*connector, &mut wanted).await;
    assert_eq!((fault.code.as_str(), steps.len()), ("TG-3203", 0), "{fault}");
    wanted.after_confirm.cancel = kernel::flow::ChangeBecomes::CounterDocument;
    let (steps, ended) = done(&*connector, &mut wanted).await;
    assert_eq!(steps, ["counter", "counter_quote", "counter_confirm"]);
    assert_eq!(ended.external.id, first.external.id, "the link stays with the order's own sale");
    let (steps, again) = done(&*connector, &mut wanted).await;
    assert!(steps.is_empty() && again.note.unwrap().contains("stands against it"));
    let origin = format!("sale.sale,{}", first.external.id);
    let params = vec![
        json!([["origin", "=", origin]]),
        json!(0),
        json!(null),
        json!(null),
        json!(["total_amount", "state"]),
    ];
    let against = tryton.ask("model.sale.sale.search_read", params).await;
    assert_eq!(against.as_array().unwrap().len(), 1);
    assert_eq!(
        (&against[0]["total_amount"]["decimal"], &against[0]["state"]),
        (&json!("-137.46"), &json!("processing"))
    );
}

#[tokio::test]
async fn real_tryton_rewrites_a_quotation_in_one_call() {
    let tryton = Tryton::real();
    let connector = tryton.here();
    let mut wanted = tryton.order();
    wanted.stage = Stage::Present;
    let (_, first) = done(&*connector, &mut wanted).await;
    let mut newer = connector::contract::Fixture::changed(&tryton, &wanted).unwrap();
    newer.body["shipment_address"] = json!({
        "name": "Ida Buyer", "company": "Northern Tools BV", "street": "Havenweg 14", "street2": "Dock 4",
        "postal_code": "3011 XY", "city": "Rotterdam", "country_code": "NL", "subdivision_code": "ZH",
    });
    let (steps, ended) = done(&*connector, &mut newer).await;
    let last: Vec<&str> = steps.iter().map(String::as_str).filter(|step| *step != "address").collect();
    assert_eq!(last, ["reopen", "amend", "quote"]);
    assert_eq!((&ended.external.id, &ended.external.number), (&first.external.id, &first.external.number));
    let fields =
        json!(["total_amount", "lines.product.code", "shipment_address.street", "shipment_address.attn"]);
    let id: i64 = ended.external.id.parse().unwrap();
    let sale = tryton.ask("model.sale.sale.read", vec![json!([id]), fields]).await[0].clone();
    assert_eq!(sale["total_amount"]["decimal"], "33.12");
    assert_eq!(sale["lines."].as_array().unwrap().len(), 1);
    assert_eq!(sale["shipment_address."]["street"], "Havenweg 14\nDock 4");
    // The same place is not made a second time.
    let mut other = tryton.order();
    other.body["shipment_address"] = newer.body["shipment_address"].clone();
    let (steps, _) = done(&*connector, &mut other).await;
    assert_eq!(steps, ["create", "quote", "confirm"]);
}

#[tokio::test]
async fn real_tryton_changes_an_address_and_no_line_after_the_confirmation() {
    let tryton = Tryton::real();
    let connector = tryton.here();
    let mut wanted = tryton.order();
    done(&*connector, &mut wanted).await;
    let mut other_lines = connector::contract::Fixture::changed(&tryton, &wanted).unwrap();
    other_lines.after_confirm.line = kernel::flow::ChangeBecomes::Amend;
    let (steps, fault) = refused(&*connector, &mut other_lines).await;
    assert_eq!((fault.code.as_str(), steps.len()), ("TG-3203", 0), "{fault}");
    let mut moved = wanted.clone();
    moved.body["shipment_address"] = json!({
        "name": format!("Door {}", wanted.object_key), "street": "Kade 1", "postal_code": "3012 AB", "city": "Rotterdam",
        "country_code": "NL",
    });
    moved.body["invoice_address"] = moved.body["shipment_address"].clone();
    assert_eq!(refused(&*connector, &mut moved).await.1.code, "TG-3203");
    moved.after_confirm.address = kernel::flow::ChangeBecomes::Amend;
    let (steps, ended) = done(&*connector, &mut moved).await;
    assert_eq!(steps, ["address", "amend_address", "amend_shipments", "amend_invoices"]);
    let id: i64 = ended.external.id.parse().unwrap();
    let fields = json!([
        "shipment_address",
        "invoice_address",
        "shipments.delivery_address.street",
        "invoices.invoice_address"
    ]);
    let sale = tryton.ask("model.sale.sale.read", vec![json!([id]), fields]).await[0].clone();
    assert_eq!(sale["shipment_address"], sale["invoice_address"], "one place is made once");
    assert_eq!(sale["invoices."][0]["invoice_address"], sale["invoice_address"]);
    assert_eq!(sale["shipments."][0]["delivery_address."]["street"], "Kade 1");
}
