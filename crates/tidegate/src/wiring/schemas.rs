//! The schemas that mappings are checked against, by the names in their headers.

use mapping::Schema;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The canonical order, for filters as well.
pub const ORDER: &str = "order/1";

/// What a source has of one SKU at one location.
pub const STOCK: &str = "stock/1";

/// What left a warehouse of an order.
pub const SHIPMENT: &str = "shipment/1";

/// What was taken for an order.
pub const PAYMENT: &str = "payment/1";

/// What was given back of an order.
pub const REFUND: &str = "refund/1";

/// What a target refuses of what a flow brings.
pub const REFUSAL: &str = "object.refusal/1";

const FILES: &[(&str, &str)] = &[
    ("http_erp.sale/1", include_str!("../../../mapping/schemas/http_erp.sale.schema.json")),
    ("medusa.order/1", include_str!("../../../mapping/schemas/medusa.order.schema.json")),
    ("medusa.refund/1", include_str!("../../../mapping/schemas/medusa.refund.schema.json")),
    ("prices.charged/1", include_str!("../../../mapping/schemas/prices.charged.schema.json")),
    (REFUSAL, include_str!("../../../mapping/schemas/object.refusal.schema.json")),
    ("object.told/1", include_str!("../../../mapping/schemas/object.told.schema.json")),
    (shopify::fulfilment::SCHEMA_NAME, shopify::fulfilment::SCHEMA),
    (shopify::hold::SCHEMA_NAME, shopify::hold::SCHEMA),
    (shopify::inventory::SCHEMA_NAME, shopify::inventory::SCHEMA),
    (shopify::write_back::SCHEMA_NAME, shopify::write_back::SCHEMA),
    ("tryton.credit_note/1", include_str!("../../../mapping/schemas/tryton.credit_note.schema.json")),
    ("tryton.payment/1", include_str!("../../../mapping/schemas/tryton.payment.schema.json")),
    ("tryton.sale/1", include_str!("../../../mapping/schemas/tryton.sale.schema.json")),
];

/// Every schema that is known.
///
/// # Panics
/// Never with the files of this build: a test loads them all.
pub fn all() -> BTreeMap<String, Schema> {
    let files = FILES.iter().map(|(name, text)| {
        let schema: Value =
            serde_json::from_str(text).unwrap_or_else(|error| unreachable!("{name}: {error}"));
        (*name, schema)
    });
    let order = domains::orders::json_schema().unwrap_or_default();
    let order: Value =
        serde_json::from_str(&order).unwrap_or_else(|error| unreachable!("the order's schema: {error}"));
    let stock = domains::inventory::json_schema().unwrap_or_default();
    let stock: Value =
        serde_json::from_str(&stock).unwrap_or_else(|error| unreachable!("the stock's schema: {error}"));
    let shipment = domains::shipments::json_schema().unwrap_or_default();
    let shipment: Value = serde_json::from_str(&shipment)
        .unwrap_or_else(|error| unreachable!("the shipment's schema: {error}"));
    let object = ("http.object/1", json!({ "type": "object" }));
    let refund = domains::refunds::json_schema().unwrap_or_default();
    let refund: Value =
        serde_json::from_str(&refund).unwrap_or_else(|error| unreachable!("the refund's schema: {error}"));
    let payment = domains::payments::json_schema().unwrap_or_default();
    let payment: Value =
        serde_json::from_str(&payment).unwrap_or_else(|error| unreachable!("the payment's schema: {error}"));
    files
        .chain([
            (PAYMENT, payment),
            (REFUND, refund),
            (ORDER, order),
            (SHIPMENT, shipment),
            (STOCK, stock),
            object,
        ])
        .map(|(name, schema)| {
            let schema = Schema::new(name, &schema).unwrap_or_else(|error| unreachable!("{name}: {error}"));
            (name.to_owned(), schema)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_schema_of_this_build_loads() {
        assert_eq!(super::all().len(), super::FILES.len() + 6);
    }
}
