//! What comes with an order: refunds, payments and shipments, and the pages in which Shopify tells of them; and what is kept of a
//! price list, bytes from a disk. What is read adds up and has a canonical form whose amounts read the same; what is stored of it
//! (stripped) is the same; pages end; a shipment reads back from its canonical form, and the record of a list from its bytes.

use domains::json::{self, Json, parse};
use domains::orders::{self, BodyFault, NextRead};
use domains::payments::{self, Listed, Payment};
use domains::prices::Record;
use domains::refunds::{self, Refund};
use domains::shipments::{self, Shipment, ShipmentFault};
use kernel::money::{MoneyBag, parse_exact};
use rust_decimal::Decimal;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// How the record of a list begins; its digest follows, and no fuzzer finds one.
const MAGIC: &[u8] = b"TGHELD01";

pub(crate) fn check(input: &[u8]) {
    match refunds::from_graphql(input) {
        Ok(refund) => check_refund(input, &refund),
        Err(fault) => check_fault(&fault),
    }
    match payments::from_graphql(input) {
        Ok(payment) => check_payment(input, &payment),
        Err(fault) => check_fault(&fault),
    }
    match shipments::read(input) {
        Ok(shipment) => check_shipment(input, &shipment),
        Err(fault) => check_shipment_fault(input, &fault),
    }
    let pages: Vec<Value> =
        input.split(|byte| *byte == b'\n').map_while(|page| serde_json::from_slice(page).ok()).collect();
    if let [only] = pages.as_slice() {
        check_listed(only);
    }
    check_refund_pages(&pages);
    check_order_pages(&pages);
    check_record(input);
}

fn check_fault(fault: &BodyFault) {
    assert!(fault.path.starts_with('$') && !fault.message.is_empty(), "{fault}");
}

fn check_refund(body: &[u8], refund: &Refund) {
    let (canonical, digest) = refunds::canonical(refund).expect("a refund can be written");
    let stored = json::strip(body).expect("what is read can be stripped");
    let again =
        refunds::from_graphql(&stored).unwrap_or_else(|fault| panic!("stripped, it is none: {fault}"));
    assert_eq!(&again, refund, "stripping changes the refund");
    assert_eq!(refunds::canonical(&again).expect("a refund can be written").1, digest);
    let of_lines = refund.lines.iter().flat_map(|line| [line.net, line.tax]);
    let of_shipping = refund.shipping.iter().flat_map(|back| [back.net, back.tax]);
    let sum = of_lines.chain(of_shipping).try_fold(refund.duties, MoneyBag::checked_add);
    if let Ok(sum) = sum.and_then(|sum| sum.checked_add(refund.difference)) {
        assert_same(sum, refund.total, "it does not add up");
    }
    assert!(refund.lines.is_sorted_by_key(|line| (line.line_id.len(), &line.line_id)));
    assert_written(&canonical["total"], refund.total);
    for (line, written) in refund.lines.iter().zip(canonical["lines"].as_array().expect("a list")) {
        assert_written(&written["net"], line.net);
        assert_written(&written["tax"], line.tax);
        assert_eq!(parse_exact(&line.quantity).expect("a quantity").scale(), 0, "whole units");
    }
}

fn assert_same(one: MoneyBag, other: MoneyBag, what: &str) {
    assert!(one.checked_sub(other).is_ok_and(MoneyBag::is_zero), "{what}: {one:?} and {other:?}");
}

/// An amount in its canonical form.
fn assert_written(written: &Value, amount: MoneyBag) {
    let read: MoneyBag = serde_json::from_value(written.clone()).expect("what is written can be read");
    assert_eq!(read, amount, "{written}");
}

fn check_payment(body: &[u8], payment: &Payment) {
    let (canonical, digest) = payments::canonical(payment).expect("a payment can be written");
    let stored = json::strip(body).expect("what is read can be stripped");
    let again =
        payments::from_graphql(&stored).unwrap_or_else(|fault| panic!("stripped, it is none: {fault}"));
    assert_eq!(&again, payment, "stripping changes the payment");
    assert_eq!(payments::canonical(&again).expect("a payment can be written").1, digest);
    assert_written(&canonical["amount"], payment.amount);
    assert!(payments::is_payment(&payment.kind, "success"), "{}", payment.kind);
    let list = payments::list_path(&payment.order_id);
    assert_eq!(payments::list_of(&list), Some(payment.order_id.as_str()));
}

/// Each payment of a list is that payment when it is read by itself.
fn check_listed(data: &Value) {
    let all = match payments::listed(data) {
        Ok(all) => all.unwrap_or_default(),
        Err(fault) => return check_fault(&fault),
    };
    for Listed { payment_id, paid_at, payload } in all {
        assert!(payload["payment"].is_object(), "{payment_id} has nothing that is kept of it: {payload}");
        match payments::from_graphql(payload.to_string().as_bytes()) {
            Ok(payment) => assert_eq!((payment.payment_id, payment.paid_at), (payment_id, paid_at)),
            Err(fault) => check_fault(&fault),
        }
    }
}

fn check_shipment(body: &[u8], shipment: &Shipment) {
    let path = shipments::path(&shipment.order, &shipment.shipment);
    assert_eq!(shipments::path_of(body).as_deref(), Ok(path.as_str()), "it has two paths");
    assert_eq!(shipments::parts(&path), Some((shipment.order.as_str(), shipment.shipment.clone())));
    assert!(!shipment.order.starts_with('0'), "an order has one spelling");
    let canonical = shipments::canonical(shipment).expect("a shipment can be written");
    let written = canonical.body.to_string();
    let again = shipments::read(written.as_bytes())
        .unwrap_or_else(|fault| panic!("in its canonical form it is none: {fault}\n{written}"));
    assert_eq!(&again, shipment, "not the same when read back");
    assert_eq!(shipments::canonical(&again).expect("a shipment can be written"), canonical);
    let tree = parse(body).expect("what is read is JSON");
    let lines = match tree.get("lines") {
        Some(Json::Array(lines)) => lines.as_slice(),
        _ => &[],
    };
    let units = |line: &Json<'_>| match line.get("quantity") {
        Some(Json::Number(text)) => parse_exact(text).expect("a quantity that is read is a number"),
        Some(Json::String(text)) => parse_exact(text.trim()).expect("a quantity that is read is a number"),
        other => panic!("{other:?} was read as a quantity"),
    };
    let told: Decimal = lines.iter().map(units).sum();
    let read: Decimal = shipment.lines.iter().map(|line| Decimal::from(line.quantity)).sum();
    assert_eq!(told, read, "units are lost or made");
    assert!(shipment.lines.iter().all(|line| line.quantity > 0));
    assert_eq!(shipment.changed_at(), again.changed_at());
}

fn check_shipment_fault(body: &[u8], fault: &ShipmentFault) {
    assert!(fault.path.starts_with('$') && !fault.message.is_empty(), "{fault}");
    // It can be refused by itself, if it says whose it is.
    if let Ok(path) = shipments::path_of(body) {
        assert!(shipments::parts(&path).is_some(), "{path}");
    }
}

/// As they are asked for: each page is another one, or it is the last.
fn check_refund_pages(pages: &[Value]) {
    let (mut data, mut after) = (Value::Null, None);
    for page in pages {
        if let Err(fault) = refunds::merge(&mut data, page.clone()) {
            return check_fault(&fault);
        }
        match refunds::next_page(&data) {
            Ok(None) => break,
            Ok(next) if next == after => panic!("{next:?} is asked for again and again"),
            Ok(next) => after = next,
            Err(fault) => return check_fault(&fault),
        }
    }
    drop(refunds::from_graphql(data.to_string().as_bytes()).map_err(|fault| check_fault(&fault)));
}

fn check_order_pages(pages: &[Value]) {
    let (mut data, mut read) = (Value::Null, NextRead::order("gid://shopify/Order/5678"));
    for page in pages {
        let before = data.clone();
        if let Err(fault) = orders::merge(&mut data, &read, page.clone()) {
            return check_fault(&fault);
        }
        if read.document != orders::Document::Order {
            assert_ne!(data, before, "a page that brings nothing is asked for again");
            assert_eq!(refund_ids(&data), refund_ids(&before), "a page is taken for one of another refund");
        }
        match orders::next_read(&data) {
            Ok(None) => break,
            Ok(Some(next)) => read = next,
            Err(fault) => return check_fault(&fault),
        }
    }
    drop(orders::from_graphql_value(&data).map_err(|fault| check_fault(&fault)));
    drop(orders::external_ids(&data));
}

fn refund_ids(data: &Value) -> Vec<Value> {
    let refunds = data.pointer("/order/refunds").and_then(Value::as_array);
    refunds.into_iter().flatten().map(|refund| refund["id"].clone()).collect()
}

fn check_record(body: &[u8]) {
    assert_eq!(Record::from_bytes(body), None, "believed without its digest");
    let Some(record) = Record::from_bytes(&[MAGIC, &Sha256::digest(body)[..], body].concat()) else { return };
    let written = record.to_bytes();
    assert_eq!(Record::from_bytes(&written).as_ref(), Some(&record), "not the same when read back");
    assert!(record.fixed_prices() <= (record.held.len() as u64).saturating_add_signed(record.others.max(0)));
}
