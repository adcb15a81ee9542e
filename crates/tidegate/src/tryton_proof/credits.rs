//! The credit notes that Tryton's own records hold of what the shop gave back.

use super::books::Books;
use crate::proof::{CreditProof, given_back};
use anyhow::Context as _;
use rust_decimal::Decimal;
use serde_json::json;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;
use twin::shopify::ShopifyTwin;

const MAPPING: &str = include_str!("../../../../mappings/refunds_to_tryton.toml");
const FLOW: &str = r#"
[flows.refunds_to_erp]
domain = "orders"
source = "shopify"
target = "erp"
follows = "orders_to_erp"
mapping = "mappings/refunds_to_erp.toml"
difference = "adjust_line"
"#;

/// Adds the flow to what the hub runs with; before it starts.
pub fn configure(folder: &Path) -> anyhow::Result<()> {
    let path = folder.join("tidegate.toml");
    let text = std::fs::read_to_string(&path)?;
    std::fs::write(&path, text + FLOW)?;
    std::fs::write(folder.join("mappings/refunds_to_erp.toml"), MAPPING)
        .context("a mapping cannot be written")
}

/// Tryton's credit notes beside the shop's refunds.
pub async fn judge(books: &Books, shop: &ShopifyTwin) -> anyhow::Result<CreditProof> {
    let wanted = given_back(shop);
    let domain = json!([["type", "=", "out"], ["reference", "like", "acme-order-%-refund-%"]]);
    let mut there: BTreeMap<String, Vec<Decimal>> = BTreeMap::new();
    for row in books.all("account.invoice", domain, &["reference", "total_amount", "state"]).await? {
        let amount = row["total_amount"]["decimal"].as_str().and_then(|text| text.parse::<Decimal>().ok());
        let reference = row["reference"].as_str().unwrap_or_default().to_owned();
        there.entry(reference).or_default().push(-amount.unwrap_or_default());
    }
    Ok(CreditProof::compared("credited", wanted, there, |amount| *amount))
}

/// Until each is credited, or for so long.
pub async fn credited(books: &Books, shop: &ShopifyTwin, patience: Duration) -> anyhow::Result<CreditProof> {
    CreditProof::awaited(patience, async || judge(books, shop).await).await
}
