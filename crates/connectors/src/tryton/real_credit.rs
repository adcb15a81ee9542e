//! The real Tryton and its credit notes: one for each refund, to the cent, against the invoice of the sale.

use super::contract::{Tryton, call};
use super::credit::tests::{line, refund_of};
use super::real::{done, refused};
use connector::port::{Plan, Stage, Wanted};
use kernel::fault::Reference;
use kernel::flow::Difference;
use kernel::key::CallKey;
use serde_json::{Value, json};

/// What Tryton has under the key.
async fn stored(tryton: &Tryton, wanted: &Wanted) -> Vec<Value> {
    let fields = json!(["number", "state", "total_amount", "party.code", "lines.origin", "lines.taxes"]);
    let domain = json!([["reference", "=", wanted.object_key.as_str()]]);
    let params = vec![domain, json!(0), json!(null), json!(null), fields];
    tryton.ask("model.account.invoice.search_read", params).await.as_array().unwrap().clone()
}

#[tokio::test]
async fn real_tryton_credits_a_refund_once() {
    let tryton = Tryton::real().with("credit_note", json!("posted"));
    let connector = tryton.here();
    let mut order = tryton.order();
    done(&*connector, &mut order).await;
    let lines = json!([line("SKU-0001", "5", "21.25", "4.46"), line("SHIPPING", "1", "10.00", "2.10")]);
    let mut refund = refund_of(&order, "1", lines, "0", "37.81");
    // An answer that was lost: it is found under its key, and not made again.
    let observed = connector.observe(&call(), &refund).await.unwrap();
    let Plan::Next(create) = connector.plan(&refund, &observed) else { panic!("no step") };
    connector.apply(&call(), &CallKey("tg-1".to_owned()), &create).await.unwrap();
    let (steps, ended) = done(&*connector, &mut refund).await;
    assert_eq!(steps, ["post"]);
    assert!(ended.external.number.is_some(), "{ended:?}");
    let (again, _) = done(&*connector, &mut refund).await;
    assert!(again.is_empty());
    let stored = stored(&tryton, &refund).await;
    assert_eq!(stored.len(), 1);
    assert_eq!(
        (&stored[0]["state"], &stored[0]["total_amount"]["decimal"]),
        (&json!("posted"), &json!("-37.81"))
    );
    assert_eq!(stored[0]["party."]["code"], "CUST-001");
    let lines = stored[0]["lines."].as_array().unwrap();
    assert!(lines.iter().all(|line| line["origin"].as_str().unwrap().starts_with("account.invoice.line,")));
    // Nothing of it is invoiced once more.
    let sales = vec![
        json!([["reference", "=", order.object_key.as_str()]]),
        json!(0),
        json!(1),
        json!(null),
        json!(["invoices"]),
    ];
    let sale = tryton.ask("model.sale.sale.search_read", sales).await[0].clone();
    tryton.ask("model.sale.sale.process", vec![json!([sale["id"]])]).await;
    let invoices = tryton.ask("model.sale.sale.read", vec![json!([sale["id"]]), json!(["invoices"])]).await;
    assert_eq!(invoices[0]["invoices"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn real_tryton_settles_a_credit_note_to_the_cent_and_leaves_it_to_a_person() {
    let tryton = Tryton::real();
    let connector = tryton.here();
    let mut order = tryton.order();
    done(&*connector, &mut order).await;
    // A third of a line: the shop rounded its tax up.
    let lines = json!([line("SKU-0001", "7", "29.75", "6.26")]);
    let mut refund = refund_of(&order, "1", lines, "-5.00", "31.01");
    let (_, fault) = refused(&*connector, &mut refund).await;
    assert_eq!(fault.code, "TG-3204", "{fault}");
    refund.difference = Difference::AdjustLine;
    let (steps, _) = done(&*connector, &mut refund).await;
    assert_eq!(steps, ["adjust_gross"]);
    let stored = stored(&tryton, &refund).await;
    assert_eq!(
        (&stored[0]["state"], &stored[0]["total_amount"]["decimal"]),
        (&json!("draft"), &json!("-31.01"))
    );
}

#[tokio::test]
async fn real_tryton_waits_for_the_invoice_of_the_sale() {
    let tryton = Tryton::real();
    let connector = tryton.here();
    let mut order = tryton.order();
    order.stage = Stage::Present;
    done(&*connector, &mut order).await;
    let mut refund = refund_of(&order, "1", json!([line("SKU-0001", "1", "4.25", "0.89")]), "0", "5.14");
    let (_, fault) = refused(&*connector, &mut refund).await;
    let missing = fault.missing.expect("what it waits for");
    let is_there = async |reference: &Reference| connector.exists(&call(), reference).await.unwrap();
    assert!(!is_there(&missing).await);
    order.stage = Stage::Confirmed;
    done(&*connector, &mut order).await;
    assert!(is_there(&missing).await);
    done(&*connector, &mut refund).await;
    assert_eq!(stored(&tryton, &refund).await.len(), 1);
}
