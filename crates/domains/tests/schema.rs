//! The published JSON Schemas are those that the code has.

#[path = "support/mod.rs"]
#[expect(dead_code, reason = "this test uses one of the helpers")]
mod support;

use std::path::Path;

use tidegate_domains::{inventory, orders, payments, refunds, shipments};

fn path(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/schema").join(name)
}

#[test]
fn the_published_schema_is_in_step() {
    support::assert_file(&path("order.schema.json"), &orders::json_schema().unwrap());
}

#[test]
fn the_published_schema_of_stock_is_in_step() {
    support::assert_file(&path("stock.schema.json"), &inventory::json_schema().unwrap());
}

#[test]
fn the_published_schema_of_shipments_is_in_step() {
    support::assert_file(&path("shipment.schema.json"), &shipments::json_schema().unwrap());
}

#[test]
fn the_published_schema_of_payments_is_in_step() {
    support::assert_file(&path("payment.schema.json"), &payments::json_schema().unwrap());
}

#[test]
fn the_published_schema_of_refunds_is_in_step() {
    support::assert_file(&path("refund.schema.json"), &refunds::json_schema().unwrap());
}
