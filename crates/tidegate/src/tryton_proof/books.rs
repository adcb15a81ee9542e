//! Tryton's own records of the sales, read with a client of its own: a judge shares no code with the connector.

use anyhow::{Context as _, bail};
use base64::Engine as _;
use jiff::Timestamp;
use jiff::civil::DateTime;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use twin::erp::Sale;
use twin::shop::Order;

#[derive(Debug)]
pub struct Books {
    client: reqwest::Client,
    rpc: String,
    user: String,
    password: String,
    /// A password costs Tryton a third of a second.
    session: tokio::sync::OnceCell<String>,
}

const FIELDS: [&str; 7] =
    ["reference", "number", "state", "untaxed_amount", "tax_amount", "total_amount", "create_date"];
/// Behind the reference of a sale that takes another back.
const TAKEN_BACK: &str = "/cancelled";
const PAGE: usize = 200;

impl Books {
    pub fn new(url: &str, database: &str, user: &str, password: &str) -> anyhow::Result<Self> {
        Ok(Self {
            // One that was kept may be closed by the server as the next request leaves.
            client: reqwest::Client::builder()
                .timeout(Duration::from_secs(120))
                .pool_max_idle_per_host(0)
                .build()?,
            rpc: format!("{}/{database}/rpc/", url.trim_end_matches('/')),
            user: user.to_owned(),
            password: password.to_owned(),
            session: tokio::sync::OnceCell::new(),
        })
    }

    async fn log_in(&self) -> anyhow::Result<String> {
        let params = json!([self.user, { "password": self.password }]);
        let body = json!({ "id": 1, "method": "common.db.login", "params": params });
        let answer: Value =
            self.client.post(&self.rpc).json(&body).send().await?.error_for_status()?.json().await?;
        let (id, key) = (&answer["result"][0], answer["result"][1].as_str());
        let ticket = format!("{}:{id}:{}", self.user, key.context("Tryton lets nobody in by that name")?);
        Ok(format!("Session {}", base64::engine::general_purpose::STANDARD.encode(ticket)))
    }

    pub(super) async fn ask(&self, method: &str, params: Value) -> anyhow::Result<Value> {
        let session = self.session.get_or_try_init(|| self.log_in()).await?;
        let body = json!({ "id": 1, "method": method, "params": params });
        let request = self.client.post(&self.rpc).header("authorization", session).json(&body);
        let mut answer: Value = request.send().await?.error_for_status()?.json().await?;
        if let Some(error) = answer.get("error") {
            bail!("{method}: {error}");
        }
        answer.get_mut("result").map(Value::take).context("an answer without a result")
    }

    /// All records of a domain.
    pub(super) async fn all(
        &self,
        model: &str,
        domain: Value,
        fields: &[&str],
    ) -> anyhow::Result<Vec<Value>> {
        let params = json!([domain, 0, null, [["id", "ASC"]], fields, { "company": 1 }]);
        let rows = self.ask(&format!("model.{model}.search_read"), params).await?;
        rows.as_array().cloned().with_context(|| format!("no list of {model}"))
    }

    /// Whether it answers at all.
    pub async fn known(&self) -> anyhow::Result<()> {
        self.ask("model.sale.sale.search_count", json!([[["id", "=", 0]], 0, 1, { "company": 1 }]))
            .await
            .map(drop)
    }

    /// The references of this shop's orders that are more than drafts: of a draft nothing can leave yet.
    pub async fn references(&self) -> anyhow::Result<BTreeSet<String>> {
        let rows = self.rows(&["reference", "state"]).await?;
        let through = rows.iter().filter(|row| is_through(row));
        Ok(through.filter_map(|row| row["reference"].as_str().map(str::to_owned)).collect())
    }

    async fn rows(&self, fields: &[&str]) -> anyhow::Result<Vec<Value>> {
        let mut all = Vec::new();
        loop {
            let domain = json!([["reference", "like", "acme-order-%"]]);
            let order = json!([["id", "ASC"]]);
            let params = json!([domain, all.len(), PAGE, order, fields, { "company": 1 }]);
            let rows = self.ask("model.sale.sale.search_read", params).await?;
            let rows = rows.as_array().context("no list of sales")?;
            all.extend(rows.iter().cloned());
            if rows.len() < PAGE {
                return Ok(all);
            }
        }
    }

    /// The sales of these orders. One that was taken back by a counter document counts as cancelled.
    pub async fn sales(&self, orders: &[Arc<Order>]) -> anyhow::Result<Vec<Sale>> {
        let rows = self.rows(&FIELDS).await?;
        let wanted: BTreeSet<String> = orders.iter().map(|order| crate::demo::reference(order.id)).collect();
        let taken_back: BTreeSet<&str> =
            rows.iter().filter_map(|row| row["reference"].as_str()?.strip_suffix(TAKEN_BACK)).collect();
        let ours =
            |row: &&Value| row["reference"].as_str().is_some_and(|reference| wanted.contains(reference));
        rows.iter().filter(ours).map(|row| sale(row, &taken_back)).collect()
    }
}

/// Confirmed and processed, or called off: what the connector wants of it is done.
fn is_through(sale: &Value) -> bool {
    sale["state"].as_str().is_some_and(|state| matches!(state, "processing" | "done" | "cancelled"))
}

fn sale(row: &Value, taken_back: &BTreeSet<&str>) -> anyhow::Result<Sale> {
    let text = |name: &str| row[name].as_str().with_context(|| format!("a sale without {name}: {row}"));
    let amount =
        |name: &str| row[name]["decimal"].as_str().with_context(|| format!("a sale without {name}: {row}"));
    let reference = text("reference")?;
    let state = match text("state")? {
        "cancelled" => "cancelled",
        _ if taken_back.contains(reference) => "cancelled",
        "draft" | "quotation" => "draft",
        _ => "confirmed",
    };
    let created_at = instant(&row["create_date"]).with_context(|| format!("a sale without a date: {row}"))?;
    let confirmed_at = (state == "confirmed").then_some(created_at);
    Ok(serde_json::from_value(json!({
        "id": row["id"], "number": row["number"].as_str().unwrap_or_default(), "version": 1, "state": state,
        "reference": reference, "party": "", "currency": "EUR", "tax_included": false, "metadata": {}, "lines": [],
        "totals": {
            "net": amount("untaxed_amount")?, "tax": amount("tax_amount")?, "gross": amount("total_amount")?
        },
        "created_at": created_at, "updated_at": created_at, "confirmed_at": confirmed_at,
    }))?)
}

/// `{"__class__":"datetime","year":…}`, UTC.
fn instant(value: &Value) -> Option<Timestamp> {
    let part = |name: &str| value[name].as_i64();
    let small = |name: &str| i8::try_from(part(name)?).ok();
    let nanosecond = i32::try_from(part("microsecond")? * 1000).ok()?;
    let (year, month, day) = (i16::try_from(part("year")?).ok()?, small("month")?, small("day")?);
    let time =
        DateTime::new(year, month, day, small("hour")?, small("minute")?, small("second")?, nanosecond)
            .ok()?;
    Some(time.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sale_is_through_when_something_of_it_can_leave_or_never_will() {
        let through = |state: &str| is_through(&json!({ "state": state }));
        assert_eq!(["processing", "done", "cancelled"].map(through), [true; 3]);
        assert_eq!(["draft", "quotation", "confirmed"].map(through), [false; 3]);
    }

    #[test]
    fn a_sale_is_read_with_its_amounts_and_one_taken_back_counts_as_cancelled() {
        let row = json!({
            "id": 4, "reference": "acme-order-7", "number": "1", "state": "processing",
            "untaxed_amount": { "__class__": "Decimal", "decimal": "118.89" },
            "tax_amount": { "__class__": "Decimal", "decimal": "17.95" },
            "total_amount": { "__class__": "Decimal", "decimal": "136.84" },
            "create_date": { "__class__": "datetime", "year": 2026, "month": 11, "day": 24, "hour": 10, "minute": 1,
                "second": 2, "microsecond": 500_000 },
        });
        let read = sale(&row, &BTreeSet::new()).unwrap();
        assert_eq!(
            (read.totals.gross.to_string().as_str(), read.state),
            ("136.84", twin::erp::SaleState::Confirmed)
        );
        assert_eq!(read.created_at.to_string(), "2026-11-24T10:01:02.5Z");
        let taken_back = BTreeSet::from(["acme-order-7"]);
        assert_eq!(sale(&row, &taken_back).unwrap().state, twin::erp::SaleState::Cancelled);
    }
}
