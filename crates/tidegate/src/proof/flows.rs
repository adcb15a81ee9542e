//! What the play's hub runs with beside the orders: the same system a second time, as the source of stock and shipments.

use anyhow::Context as _;
use std::path::Path;

/// One that follows the orders to the system, and carries what was given back.
const REFUNDS: &str = r#"
[flows.refunds_to_erp]
domain = "orders"
source = "shopify"
target = "erp"
follows = "orders_to_erp"
mapping = "mappings/refunds_to_erp.toml"
"#;

/// Adds the flow of refunds, with what else it says, to what the hub runs with; before it starts.
pub fn with_refunds(folder: &Path, mapping: &str, more: &str) -> anyhow::Result<()> {
    let path = folder.join("tidegate.toml");
    let text = std::fs::read_to_string(&path)?;
    std::fs::write(&path, text + REFUNDS + more)?;
    std::fs::write(folder.join("mappings/refunds_to_erp.toml"), mapping)
        .context("a mapping cannot be written")
}

const STOCK: &str = include_str!("../../../../mappings/stock_to_shopify.toml");
const SHIPMENTS: &str = include_str!("../../../../mappings/shipments_to_shopify.toml");
/// The same system once more: whoever takes orders and whoever is asked each have limits and a breaker of their own.
const SYSTEM: &str = r#"
[systems.wms]
role = "wms"
connector = "CONNECTOR"
request_timeout = "30s"
lease = "60s"
settle_after = "35s"
"#;

/// As docs/connectors/tryton.md shows it, with shorter waits.
const FLOWS: &str = r#"
[ownership.inventory]
system_of_record = "wms"

[flows.stock_to_shopify]
domain = "inventory"
source = "wms"
target = "shopify"
intake = "poll"
mapping = "mappings/stock_to_shopify.toml"

[flows.stock_to_shopify.stock]
units = ["kg = 1 each"]

[flows.stock_to_shopify.sweep]
every = "1s"

[flows.shipments_to_shopify]
domain = "orders"
source = "wms"
target = "shopify"
intake = "poll"
mapping = "mappings/shipments_to_shopify.toml"

[flows.shipments_to_shopify.sweep]
every = "2s"
"#;

/// Adds the flows to what the hub runs with; before it starts.
/// `more`: what its connection says besides, as the source.
pub fn configure(folder: &Path, connector: &str, more: &str) -> anyhow::Result<()> {
    let path = folder.join("tidegate.toml");
    let mut text = std::fs::read_to_string(&path)?;
    for (from, to) in [
        (
            "\"read_products\"]",
            "\"read_products\", \"read_inventory\", \"write_inventory\", \"read_locations\", \
             \"write_merchant_managed_fulfillment_orders\"]",
        ),
        (
            "\"erp.state\" = { owner = \"erp\" }",
            "\"erp.state\" = { owner = \"erp\" }, \"wms\" = { owner = \"wms\" }",
        ),
    ] {
        anyhow::ensure!(text.contains(from), "the starting configuration has no line {from:?}");
        text = text.replacen(from, to, 1);
    }
    let (_, connection) =
        text.split_once("[systems.erp.connection]\n").context("the ERP has no connection")?;
    let connection = connection.split("\n\n").next().unwrap_or_default();
    let (system, connection) = (SYSTEM.replace("CONNECTOR", connector), connection.trim());
    text += &format!("\n{system}\n[systems.wms.connection]\n{connection}\n{more}");
    std::fs::write(&path, text + FLOWS)?;
    std::fs::write(folder.join("mappings/stock_to_shopify.toml"), STOCK)?;
    std::fs::write(folder.join("mappings/shipments_to_shopify.toml"), SHIPMENTS)
        .context("a mapping cannot be written")
}
