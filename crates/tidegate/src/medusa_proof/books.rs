//! Medusa's own records, read and written with a client of its own: a judge shares no code with the connector.

use crate::proof::order_of;
use anyhow::Context as _;
use jiff::Timestamp;
use reqwest::Method;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use twin::erp::Sale;
use twin::shop::Order;

#[derive(Debug)]
pub struct Books {
    client: reqwest::Client,
    url: String,
    key: String,
}

const PAGE: usize = 200;
const FIELDS: &str = "id,display_id,status,is_draft_order,metadata,created_at,*summary,*items,*fulfillments,*fulfillments.items";

impl Books {
    pub fn new(url: &str, key: &str) -> anyhow::Result<Self> {
        // A connection that is idle for some seconds is closed by Node, perhaps as the next request leaves: each has its own.
        let client =
            reqwest::Client::builder().timeout(Duration::from_secs(120)).pool_max_idle_per_host(0).build()?;
        Ok(Self { client, url: url.trim_end_matches('/').to_owned(), key: key.to_owned() })
    }

    pub async fn ask(&self, method: Method, path: &str, body: Option<&Value>) -> anyhow::Result<Value> {
        let asked = format!("{method} {path}");
        let mut request =
            self.client.request(method, format!("{}{path}", self.url)).basic_auth(&self.key, Some(""));
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await?;
        let (status, text) = (answer.status(), answer.text().await?);
        anyhow::ensure!(status.is_success(), "{asked}: {status} {text}");
        serde_json::from_str(&text).with_context(|| format!("{asked} answered {text:?}"))
    }

    /// All of a list.
    pub async fn all(&self, path: &str, name: &str) -> anyhow::Result<Vec<Value>> {
        let mut all = Vec::new();
        loop {
            let path = format!("{path}&order=id&limit={PAGE}&offset={}", all.len());
            let page = self.ask(Method::GET, &path, None).await?;
            let page = page[name].as_array().with_context(|| format!("no list of {name}"))?;
            all.extend(page.iter().cloned());
            if page.len() < PAGE {
                return Ok(all);
            }
        }
    }

    /// Whether it answers at all.
    pub async fn known(&self) -> anyhow::Result<()> {
        self.ask(Method::GET, "/admin/stores?fields=id", None).await.map(drop)
    }

    /// Everything that bears a key of this shop's orders, of earlier plays and drafts as well.
    pub async fn ours(&self) -> anyhow::Result<Vec<Row>> {
        let mut rows = Vec::new();
        for (list, name) in [("draft-orders", "draft_orders"), ("orders", "orders")] {
            for row in self.all(&format!("/admin/{list}?fields={FIELDS}"), name).await? {
                if let Some(order) = row["metadata"]["tidegate_key"].as_str().and_then(order_of) {
                    rows.push(Row { order, row });
                }
            }
        }
        Ok(rows)
    }

    /// Those of these orders.
    pub async fn rows(&self, orders: &[Arc<Order>]) -> anyhow::Result<Vec<Row>> {
        let wanted: BTreeSet<u64> = orders.iter().map(|order| order.id).collect();
        Ok(self.ours().await?.into_iter().filter(|row| wanted.contains(&row.order)).collect())
    }

    /// What is reserved for lines, by the reservation.
    pub async fn reservations(&self) -> anyhow::Result<BTreeMap<String, Reserved>> {
        let mut reserved = BTreeMap::new();
        let path = "/admin/reservations?fields=id,line_item_id,inventory_item_id,raw_quantity";
        for row in self.all(path, "reservations").await? {
            let text = |field: &str| row[field].as_str().map(str::to_owned);
            let Some(line) = text("line_item_id") else { continue };
            let (id, item) = (text("id").context("no id")?, text("inventory_item_id").context("no item")?);
            reserved.insert(id, Reserved { line, item, units: exact(&row["raw_quantity"])? });
        }
        Ok(reserved)
    }
}

/// For a line, of an inventory item.
#[derive(Debug)]
pub struct Reserved {
    pub line: String,
    pub item: String,
    pub units: Decimal,
}

/// An order of Medusa, and of which one of the shop it is.
#[derive(Debug)]
pub struct Row {
    pub order: u64,
    row: Value,
}

impl Row {
    pub fn id(&self) -> anyhow::Result<&str> {
        self.row["id"].as_str().context("an order without an id")
    }

    /// Those that were not called off.
    pub fn fulfilments(&self) -> impl Iterator<Item = &Value> {
        let all = self.row["fulfillments"].as_array().into_iter().flatten();
        all.filter(|one| one["canceled_at"].is_null())
    }

    pub fn is_draft(&self) -> bool {
        self.row["is_draft_order"] == true
    }

    /// In Medusa's word.
    pub fn status(&self) -> &str {
        self.row["status"].as_str().unwrap_or("without a status")
    }

    fn is_cancelled(&self) -> bool {
        self.row["status"] == "canceled"
    }

    /// As the ledger reads sales, as edited and not as refunded: with what was taken off it, and with what came back, which Medusa
    /// takes off the total. Medusa rounds nothing: what is paid is rounded here.
    pub fn sale(&self, given_back: Decimal) -> anyhow::Result<Sale> {
        let row = &self.row;
        let state = match (self.is_cancelled(), self.is_draft()) {
            (true, _) => "cancelled",
            (_, true) => "draft",
            _ => "confirmed",
        };
        let mut came_back = Decimal::ZERO;
        for item in self.items() {
            let units = |field: &str| exact(&item["detail"][field]);
            let units = units("raw_return_received_quantity")? + units("raw_return_dismissed_quantity")?;
            came_back += units * exact(&item["raw_unit_price"])?;
        }
        let gross = (exact(&row["summary"]["raw_current_order_total"])? + given_back + came_back)
            .round_dp_with_strategy(2, rust_decimal::RoundingStrategy::MidpointAwayFromZero)
            .to_string();
        let created_at: Timestamp = row["created_at"].as_str().context("an order without a date")?.parse()?;
        Ok(serde_json::from_value(json!({
            "id": row["display_id"], "number": row["display_id"].to_string(), "version": 1, "state": state,
            "reference": row["metadata"]["tidegate_key"], "party": "", "currency": "EUR", "tax_included": false,
            "metadata": {}, "lines": [], "totals": { "net": gross, "tax": "0", "gross": gross },
            "created_at": created_at, "updated_at": created_at,
            "confirmed_at": (state == "confirmed").then_some(created_at),
        }))?)
    }

    /// Lines that are to be reserved, and how many units of each: what is not packed, of what has a SKU.
    pub fn to_reserve(&self) -> anyhow::Result<BTreeMap<String, Decimal>> {
        let mut lines = BTreeMap::new();
        if self.is_draft() || self.is_cancelled() {
            return Ok(lines);
        }
        for item in self.items().filter(|item| item["variant_sku"].is_string()) {
            let open = exact(&item["raw_quantity"])? - exact(&item["detail"]["raw_fulfilled_quantity"])?;
            let id = item["id"].as_str().context("a line without an id")?;
            if !open.is_zero() {
                lines.insert(id.to_owned(), open);
            }
        }
        Ok(lines)
    }

    pub fn items(&self) -> impl Iterator<Item = &Value> {
        self.row["items"].as_array().into_iter().flatten()
    }
}

pub fn exact(raw: &Value) -> anyhow::Result<Decimal> {
    let text = raw["value"].as_str().with_context(|| format!("no exact value: {raw}"))?;
    text.parse().or_else(|_| Decimal::from_scientific(text)).context("no decimal")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_read_with_what_is_paid_and_with_what_is_to_be_reserved() {
        let raw = |value: &str| json!({ "value": value, "precision": 20 });
        let line = |id: &str, sku: Value, quantity: &str, packed: &str| {
            let came_back = if id == "c" { "1" } else { "0" };
            let detail = json!({ "raw_fulfilled_quantity": raw(packed), "raw_return_received_quantity": raw(came_back),
                                 "raw_return_dismissed_quantity": raw("0") });
            json!({ "id": id, "variant_sku": sku, "raw_quantity": raw(quantity), "raw_unit_price": raw("2.5"), "detail": detail })
        };
        let mut row = Row {
            order: 7,
            row: json!({
                "id": "order_1", "display_id": 4, "status": "pending", "is_draft_order": false,
                "metadata": { "tidegate_key": "acme-order-7" }, "created_at": "2026-11-24T10:01:02.500Z",
                "summary": { "raw_current_order_total": raw("136.844999") },
                "items": [line("a", json!("SKU-1"), "3", "1"), line("b", Value::Null, "1", "0"), line("c", json!("SKU-2"), "2", "2")],
            }),
        };
        let read = row.sale(Decimal::ONE).unwrap();
        assert_eq!(
            (read.totals.gross.to_string().as_str(), read.state),
            ("140.34", twin::erp::SaleState::Confirmed)
        );
        assert_eq!(row.to_reserve().unwrap(), BTreeMap::from([("a".to_owned(), Decimal::TWO)]));
        row.row["status"] = json!("canceled");
        assert_eq!(row.sale(Decimal::ZERO).unwrap().state, twin::erp::SaleState::Cancelled);
        assert!(row.to_reserve().unwrap().is_empty());
    }
}
