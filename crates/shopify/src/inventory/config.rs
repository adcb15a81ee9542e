//! What of the connection concerns stock, and the schema of what is taken.

use connector::descriptor::{Setting, SettingKind};
use connector::settings::Section;

/// What a mapping of stock into Shopify names.
pub const SCHEMA_NAME: &str = "shopify.inventory/1";
/// Its JSON Schema.
pub const SCHEMA: &str = include_str!("../../schemas/inventory.schema.json");

/// The keys of `[systems.shopify.connection]` that concern stock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Config {
    /// Whether an item that is not stocked at a location is stocked there when the source has it.
    pub(super) activate: bool,
    /// Shown in the item's history in Shopify.
    pub(super) reason: String,
}

const REASON: &str = "correction";
/// Shopify takes these and no others (shopify.dev: "Inventory adjustment reasons").
const REASONS: &[&str] = &[
    "correction",
    "cycle_count_available",
    "damaged",
    "movement_canceled",
    "movement_created",
    "movement_received",
    "movement_updated",
    "other",
    "promotion",
    "quality_control",
    "received",
    "reservation_created",
    "reservation_deleted",
    "reservation_updated",
    "restock",
    "safety_stock",
    "shrinkage",
];

impl Config {
    pub(crate) fn read(at: &Section<'_>) -> Self {
        let reason = at.text("reason").unwrap_or_else(|| REASON.to_owned());
        if !REASONS.contains(&reason.as_str()) {
            at.problem("reason", format!("must be one of Shopify's own: {}", REASONS.join(", ")));
        }
        Self { activate: at.boolean("activate", true), reason }
    }
}

pub(crate) const SETTINGS: &[Setting] = &[
    Setting {
        name: "activate",
        kind: SettingKind::Boolean,
        required: false,
        default: Some("true"),
        meaning: "Whether an item that Shopify does not stock at a location is stocked there as soon as the source has \
                  it there. With false it becomes a ticket.",
        example: "false",
    },
    Setting {
        name: "reason",
        kind: SettingKind::Text,
        required: false,
        default: Some(REASON),
        meaning: "Shopify's word for why a stock level changed, as it stands in the item's history there.",
        example: "cycle_count_available",
    },
];
