//! What the shop gave back before it left, beside the edits of Medusa's own records that took it off its orders.

use super::books::{Books, Row};
use crate::demo::reference;
use crate::proof::{CreditProof, units_given_back};
use anyhow::Context as _;
use reqwest::Method;
use rust_decimal::Decimal;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;
use twin::shopify::ShopifyTwin;

/// By the shop's id of the line.
type Units = BTreeMap<String, i64>;

/// A confirmed edit that bears a refund's name.
#[derive(Debug)]
pub struct Edit {
    name: String,
    units: Units,
    /// What these come to.
    pub amount: Decimal,
}

pub async fn edits(books: &Books, row: &Row) -> anyhow::Result<Vec<Edit>> {
    let path = format!("/admin/orders/{}/changes", row.id()?);
    let changes = books.ask(Method::GET, &path, None).await?;
    let changes = changes["order_changes"].as_array().context("no list of changes")?;
    let ours = format!("{}-refund-", reference(row.order));
    let named =
        |change: &&Value| change["internal_note"].as_str().is_some_and(|note| note.starts_with(&ours));
    changes.iter().filter(named).filter(|change| change["status"] == "confirmed").map(edit).collect()
}

fn edit(change: &Value) -> anyhow::Result<Edit> {
    let name = change["internal_note"].as_str().context("an edit without a note")?.to_owned();
    let mut last: BTreeMap<&str, (i64, &Value)> = BTreeMap::new();
    for action in change["actions"].as_array().into_iter().flatten() {
        let item = action["details"]["reference_id"].as_str().context("an action without a line")?;
        let number = action["ordering"].as_i64().context("an action without its place")?;
        if last.get(item).is_none_or(|(before, _)| *before < number) {
            last.insert(item, (number, action));
        }
    }
    let mut edit = Edit { name, units: BTreeMap::new(), amount: Decimal::ZERO };
    for (_, action) in last.into_values() {
        let line = action["internal_note"].as_str().context("a line without our name")?;
        let units = -action["details"]["quantity_diff"].as_i64().context("no whole number of units")?;
        let price: Decimal = action["details"]["unit_price"].to_string().parse()?;
        edit.amount += Decimal::from(units) * price;
        *edit.units.entry(line.to_owned()).or_default() += units;
    }
    Ok(edit)
}

async fn judge(books: &Books, shop: &ShopifyTwin) -> anyhow::Result<CreditProof> {
    let mut there: BTreeMap<String, Vec<Units>> = BTreeMap::new();
    for row in books.rows(&shop.orders()).await? {
        for edit in edits(books, &row).await? {
            there.entry(edit.name).or_default().push(edit.units);
        }
    }
    let sum = |units: &Units| Decimal::from(units.values().sum::<i64>());
    Ok(CreditProof::compared("units taken off", units_given_back(shop), there, sum))
}

/// Until each is taken off, or for so long.
pub async fn taken_off(books: &Books, shop: &ShopifyTwin, patience: Duration) -> anyhow::Result<CreditProof> {
    CreditProof::awaited(patience, async || judge(books, shop).await).await
}
