//! An order in both forms of Shopify. An order that is read has a canonical form that reads back the same; what is
//! stored of a body (stripped) is the same order as the body itself; identity and order name the same id.

use domains::json;
use domains::orders::{self, Order};

pub(crate) fn check(body: &[u8]) {
    let _ = orders::identify(body).map_err(|fault| fault.to_string());
    for read in [orders::from_rest, orders::from_graphql] {
        match read(body) {
            Ok(order) => check_order(body, &order, read),
            Err(fault) => drop(fault.to_string()),
        }
    }
}

fn check_order(body: &[u8], order: &Order, read: fn(&[u8]) -> Result<Order, orders::BodyFault>) {
    let canonical = orders::canonical_bytes(order).expect("an order can be written");
    let back: Order = serde_json::from_slice(&canonical).expect("what is written can be read");
    assert_eq!(
        orders::canonical_bytes(&back).expect("an order can be written"),
        canonical,
        "not the same when read back"
    );
    let stored = json::strip(body).expect("what is read can be stripped");
    let again = read(&stored).unwrap_or_else(|fault| panic!("stripped, it is no order: {fault}"));
    assert_eq!(
        orders::canonical_bytes(&again).expect("an order can be written"),
        canonical,
        "stripping changes the order"
    );
    assert_eq!(orders::digest(&again).expect("a digest"), orders::digest(order).expect("a digest"));
    assert_eq!(orders::events(&again), orders::events(order), "stripping changes the events");
}
