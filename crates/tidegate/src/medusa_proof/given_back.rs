//! What the shop gave back, beside Medusa's own records: what never left, beside the edits that took it off its orders, and what came
//! back, beside the returns that received it.

use super::books::{Books, Row, exact};
use crate::demo::reference;
use crate::proof::{CreditProof, units_given_back};
use anyhow::Context as _;
use reqwest::Method;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;
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
    // What begins and receives a return bears the same note.
    let edits = |change: &&Value| change["change_type"] == "edit" && change["status"] == "confirmed";
    changes.iter().filter(named).filter(edits).map(edit).collect()
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

/// The units of each return that bears a refund's name and was received, by that name.
async fn returns(books: &Books, row: &Row) -> anyhow::Result<Vec<(String, Units)>> {
    let path = format!("/admin/returns?order_id={}&fields=id,canceled_at,metadata,*items", row.id()?);
    let mut all = Vec::new();
    for one in books.all(&path, "returns").await?.iter().filter(|one| one["canceled_at"].is_null()) {
        let Some(name) = one["metadata"]["tidegate_key"].as_str() else { continue };
        let mut units = Units::new();
        for item in one["items"].as_array().into_iter().flatten() {
            let of = row.items().find(|own| own["id"] == item["item_id"]).context("a return of no line")?;
            let line = of["metadata"]["line"].as_str().context("a line without our name")?;
            let received =
                exact(&item["raw_received_quantity"])?.to_i64().context("no whole number of units")?;
            *units.entry(line.to_owned()).or_default() += received;
        }
        all.push((name.to_owned(), units));
    }
    Ok(all)
}

/// What came back of a refund is named beside what it took off.
const CAME_BACK: &str = " (came back)";

async fn judge(books: &Books, shop: &ShopifyTwin) -> anyhow::Result<CreditProof> {
    let mut there: BTreeMap<String, Vec<Units>> = BTreeMap::new();
    for row in books.rows(&shop.orders()).await? {
        for edit in edits(books, &row).await? {
            there.entry(edit.name).or_default().push(edit.units);
        }
        for (name, units) in returns(books, &row).await? {
            there.entry(name + CAME_BACK).or_default().push(units);
        }
    }
    let [mut wanted, came_back] = units_given_back(shop);
    wanted.extend(came_back.into_iter().map(|(name, units)| (name + CAME_BACK, units)));
    let sum = |units: &Units| Decimal::from(units.values().sum::<i64>());
    Ok(CreditProof::compared("units taken off or received", wanted, there, sum))
}

/// Until each is taken off or received, or for so long.
pub async fn booked(books: &Books, shop: &ShopifyTwin, patience: Duration) -> anyhow::Result<CreditProof> {
    CreditProof::awaited(patience, async || judge(books, shop).await).await
}
