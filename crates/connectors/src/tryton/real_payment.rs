//! The real Tryton and its payments: one for each that the shop took, for the order's sale, and for its invoice once that is posted.

use super::contract::{Tryton, call};
use super::payment::tests::payment_of;
use super::real::{done, refused};
use connector::port::{Plan, Stage, Wanted};
use kernel::fault::Reference;
use kernel::key::CallKey;
use serde_json::{Value, json};

/// What Tryton has under the key.
async fn stored(tryton: &Tryton, wanted: &Wanted) -> Vec<Value> {
    let fields = json!(["number", "state", "amount", "party.code", "origin", "line", "journal.name", "kind"]);
    let domain = json!([["reference", "=", wanted.object_key.as_str()]]);
    let params = vec![domain, json!(0), json!(null), json!(null), fields];
    tryton.ask("model.account.payment.search_read", params).await.as_array().unwrap().clone()
}

async fn sale(tryton: &Tryton, order: &Wanted, fields: Value) -> Value {
    let domain = json!([["reference", "=", order.object_key.as_str()]]);
    let params = vec![domain, json!(0), json!(1), json!(null), fields];
    tryton.ask("model.sale.sale.search_read", params).await[0].clone()
}

#[tokio::test]
async fn real_tryton_books_a_payment_once_for_its_sale() {
    let tryton = Tryton::real();
    let connector = tryton.here();
    let mut order = tryton.order();
    done(&*connector, &mut order).await;
    let mut paid = payment_of(&order, "1", "12.34");
    // An answer that was lost: it is found under its key, and not made again.
    let observed = connector.observe(&call(), &paid).await.unwrap();
    let Plan::Next(create) = connector.plan(&paid, &observed) else { panic!("no step") };
    connector.apply(&call(), &CallKey("tg-1".to_owned()), &create).await.unwrap();
    let (steps, ended) = done(&*connector, &mut paid).await;
    assert_eq!(steps, ["submit"]);
    assert!(ended.external.number.is_some(), "{ended:?}");
    assert!(done(&*connector, &mut paid).await.0.is_empty());
    let stored = stored(&tryton, &paid).await;
    assert_eq!(stored.len(), 1);
    assert_eq!((&stored[0]["state"], &stored[0]["kind"]), (&json!("submitted"), &json!("receivable")));
    assert_eq!(stored[0]["amount"]["decimal"], "12.34");
    assert_eq!(
        (&stored[0]["party."]["code"], &stored[0]["journal."]["name"]),
        (&json!("CUST-001"), &json!("Shopify"))
    );
    let sale = sale(&tryton, &order, json!(["payments", "invoices"])).await;
    assert_eq!(stored[0]["origin"], json!(format!("sale.sale,{}", sale["id"])));
    assert_eq!(sale["payments"], json!([stored[0]["id"]]));
}

#[tokio::test]
async fn real_tryton_has_what_was_paid_stand_against_a_posted_invoice() {
    let tryton = Tryton::real();
    let connector = tryton.here();
    let mut order = tryton.order();
    done(&*connector, &mut order).await;
    // One before the invoice is posted, and one after.
    let mut before = payment_of(&order, "1", "1.00");
    done(&*connector, &mut before).await;
    let invoices = sale(&tryton, &order, json!(["invoices"])).await["invoices"].clone();
    tryton.ask("model.account.invoice.post", vec![invoices]).await;
    let mut after = payment_of(&order, "2", "2.00");
    done(&*connector, &mut after).await;
    let [before, after] = [stored(&tryton, &before).await, stored(&tryton, &after).await];
    assert!(before[0]["line"].is_i64(), "Tryton itself takes it into account: {before:?}");
    assert_eq!(before[0]["line"], after[0]["line"]);
}

#[tokio::test]
async fn real_tryton_waits_for_the_quotation_and_for_the_journal() {
    let tryton = Tryton::real().with("quote", json!("with_confirmation"));
    let connector = tryton.here();
    let mut order = tryton.order();
    order.stage = Stage::Present;
    done(&*connector, &mut order).await;
    let mut paid = payment_of(&order, "1", "5.00");
    let is_there = async |reference: &Reference| connector.exists(&call(), reference).await.unwrap();
    let (_, fault) = refused(&*connector, &mut paid).await;
    let draft = fault.missing.expect("what it waits for");
    assert_eq!(draft.kind, "quoted_sale");
    assert!(!is_there(&draft).await);
    order.stage = Stage::Confirmed;
    done(&*connector, &mut order).await;
    assert!(is_there(&draft).await);
    paid.body["journal"] = json!("Somewhere else");
    let (_, fault) = refused(&*connector, &mut paid).await;
    let journal = fault.missing.expect("what it waits for");
    assert_eq!((journal.kind.as_str(), journal.value.as_str()), ("payment_journal", "Somewhere else"));
    assert!(!is_there(&journal).await);
    paid.body["journal"] = json!("Shopify");
    done(&*connector, &mut paid).await;
    assert_eq!(stored(&tryton, &paid).await.len(), 1);
}

#[tokio::test]
async fn real_tryton_cancels_no_sale_that_was_paid_and_says_so() {
    let tryton = Tryton::real();
    let connector = tryton.here();
    let mut order = tryton.order();
    order.stage = Stage::Present;
    done(&*connector, &mut order).await;
    done(&*connector, &mut payment_of(&order, "1", "5.00")).await;
    order.stage = Stage::Cancelled;
    let (_, fault) = refused(&*connector, &mut order).await;
    assert!(fault.code == "TG-3301" && fault.message.contains("payment"), "{fault}");
}
