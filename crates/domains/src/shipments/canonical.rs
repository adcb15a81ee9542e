//! The canonical shipment, the form that mappings read, and its digest.

use super::fault::{ShipmentCode, ShipmentFault};
use super::read::Shipment;
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// The canonical state and its digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Canonical {
    pub body: Value,
    pub digest: [u8; 32],
}

/// What a warehouse sent off of an order, or took back.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Shipment")]
struct State<'a> {
    /// The source's own number of it.
    shipment: &'a str,
    /// The order's number in the shop.
    order: &'a str,
    /// Where it left from, as the source calls it; null: where the units of the order are.
    location: Option<&'a str>,
    /// Each SKU once; empty only where it is cancelled.
    lines: Vec<Item<'a>>,
    tracking: Way<'a>,
    /// Whether the shop is to write to the customer.
    notify_customer: bool,
    /// When it left; null only where it is cancelled.
    shipped_at: Option<String>,
    /// When it was taken back; null: it was not.
    cancelled_at: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Line")]
struct Item<'a> {
    /// As the source spells it, without blanks at its ends.
    sku: &'a str,
    /// In whole sales units.
    quantity: u32,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Tracking")]
struct Way<'a> {
    /// The carrier's name.
    company: Option<&'a str>,
    numbers: &'a [String],
    urls: &'a [String],
}

/// The canonical state of a shipment.
///
/// # Errors
/// Only what `serde_json` reports.
pub fn canonical(shipment: &Shipment) -> Result<Canonical, ShipmentFault> {
    let unwritable = |error: serde_json::Error| {
        ShipmentFault::new(ShipmentCode::NotJson, "$", format!("a shipment cannot be written: {error}"))
    };
    let state = State {
        shipment: &shipment.shipment,
        order: &shipment.order,
        location: shipment.location.as_deref(),
        lines: shipment.lines.iter().map(|line| Item { sku: &line.sku, quantity: line.quantity }).collect(),
        tracking: Way {
            company: shipment.tracking.company.as_deref(),
            numbers: &shipment.tracking.numbers,
            urls: &shipment.tracking.urls,
        },
        notify_customer: shipment.notify_customer,
        shipped_at: shipment.shipped_at.map(|at| at.to_string()),
        cancelled_at: shipment.cancelled_at.map(|at| at.to_string()),
    };
    let body = serde_json::to_value(&state).map_err(unwritable)?;
    let digest = Sha256::digest(serde_json::to_vec(&body).map_err(unwritable)?).into();
    Ok(Canonical { body, digest })
}

/// The JSON Schema of the canonical state, pretty-printed and ending in a line break.
///
/// # Errors
/// Only what `serde_json` reports.
pub fn json_schema() -> Result<String, serde_json::Error> {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    let schema = settings.into_generator().into_root_schema_for::<State<'_>>();
    let mut text = serde_json::to_string_pretty(&schema)?;
    text.push('\n');
    Ok(text)
}
