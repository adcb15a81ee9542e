//! The credit notes that Tryton's own records hold of what the shop gave back.

use super::books::Books;
use crate::proof::{CreditProof, given_back};
use rust_decimal::Decimal;
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Duration;
use twin::shopify::ShopifyTwin;

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
