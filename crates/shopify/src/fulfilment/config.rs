//! What of the connection concerns shipments, and the schema of what is taken.

use crate::write_back::NAMESPACE;
use connector::settings::Section;

/// What a mapping of shipments into Shopify names.
pub const SCHEMA_NAME: &str = "shopify.fulfillment/1";
/// Its JSON Schema.
pub const SCHEMA: &str = include_str!("../../schemas/fulfillment.schema.json");

/// Of the metafield that holds our notes.
pub(super) const KEY: &str = "shipments";

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Config {
    /// The one in which the ERP's number stands too; what is wrong with it is said there.
    pub(super) namespace: String,
}

impl Config {
    pub(crate) fn read(at: &Section<'_>) -> Self {
        Self { namespace: at.text("namespace").unwrap_or_else(|| NAMESPACE.to_owned()) }
    }
}
