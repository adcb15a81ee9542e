//! The warehouse of a real Medusa, by hand: who works there fills shelves, has goods come and go, and ships. Not the
//! connector's code, and not through the gate.

use super::books::{Books, Row, exact};
use crate::proof::stock::{Change, Parcel, Premises, Split, Truth};
use anyhow::Context as _;
use reqwest::Method;
use rust_decimal::prelude::ToPrimitive as _;
use serde_json::{Value, json};
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug)]
pub struct House<'a> {
    books: &'a Books,
    location: &'a str,
    /// By SKU.
    items: BTreeMap<String, String>,
    /// How often in a row Medusa failed to pack or to send, which it does where an order is changed at the same time.
    failed: Cell<u32>,
}

/// Medusa does not answer so for ever.
const FAILED_MAX: u32 = 20;

const LEVELS: &str = "/admin/inventory-items/location-levels/batch";
const ITEMS: &str = "/admin/inventory-items?fields=id,sku,*location_levels";
/// Levels in one call.
const AT_ONCE: usize = 50;

impl<'a> House<'a> {
    /// With these SKUs; those that Medusa does not have are made, and are in no order. What lies elsewhere is taken away: all
    /// that is sold is sold from one place.
    pub async fn open(books: &'a Books, location: &'a str, skus: &[String]) -> anyhow::Result<Self> {
        let mut house = Self { books, location, items: BTreeMap::new(), failed: Cell::new(0) };
        house.look_up(skus).await?;
        for sku in skus.iter().filter(|sku| !house.items.contains_key(*sku)) {
            let body = json!({ "sku": sku, "title": sku, "location_levels": [{ "location_id": location, "stocked_quantity": 0 }] });
            books.ask(Method::POST, "/admin/inventory-items", Some(&body)).await?;
        }
        house.look_up(skus).await?;
        let mut elsewhere = Vec::new();
        for item in books.all(ITEMS, "inventory_items").await? {
            for level in levels(&item).filter(|level| level["location_id"] != location) {
                elsewhere.push(json!({ "inventory_item_id": item["id"], "location_id": level["location_id"], "stocked_quantity": 0 }));
            }
        }
        house.write(&elsewhere).await?;
        Ok(house)
    }

    /// What is reserved and does not lie there comes in. Medusa confirms no edit of an order whose items are short, not even one that
    /// takes units off it.
    pub async fn comes_what_is_short(&self) -> anyhow::Result<()> {
        let short = |(sku, of): (String, Truth)| {
            (of.on_hand < of.reserved).then_some((sku, of.reserved.ceil() as i64))
        };
        self.count(&self.truth().await?.into_iter().filter_map(short).collect::<Vec<Change>>()).await
    }

    async fn look_up(&mut self, skus: &[String]) -> anyhow::Result<()> {
        let wanted: BTreeSet<&str> = skus.iter().map(String::as_str).collect();
        for item in self.books.all("/admin/inventory-items?fields=id,sku", "inventory_items").await? {
            if let (Some(sku), Some(id)) = (item["sku"].as_str(), item["id"].as_str())
                && wanted.contains(sku)
            {
                self.items.insert(sku.to_owned(), id.to_owned());
            }
        }
        Ok(())
    }

    async fn write(&self, levels: &[Value]) -> anyhow::Result<()> {
        for some in levels.chunks(AT_ONCE) {
            self.books.ask(Method::POST, LEVELS, Some(&json!({ "update": some }))).await?;
        }
        Ok(())
    }

    async fn pack(&self, row: &Row, split: Split) -> anyhow::Result<()> {
        let open = row.to_reserve()?;
        let units = |line: &str| open.get(line).and_then(rust_decimal::Decimal::to_i64).unwrap_or_default();
        let first = open.keys().find(|line| units(line) > 1);
        let items: Vec<Value> = match (split, first) {
            (Split::First, Some(line)) => vec![json!({ "id": line, "quantity": 1 })],
            _ => open.keys().map(|line| json!({ "id": line, "quantity": units(line) })).collect(),
        };
        let had: BTreeSet<String> = row.fulfilments().filter_map(id_of).collect();
        let path = format!("/admin/orders/{}/fulfillments", row.id()?);
        let body = json!({ "items": items, "location_id": self.location });
        let asked = format!("{path}?fields=id,*fulfillments");
        let packed = self.books.ask(Method::POST, &asked, Some(&body)).await?;
        let packed = packed["order"]["fulfillments"].as_array().context("an order without fulfilments")?;
        let new = packed.iter().find(|one| id_of(one).is_some_and(|id| !had.contains(&id)));
        let id = new.and_then(id_of).context("nothing was packed")?;
        self.send(row, &id, &items).await
    }

    async fn send(&self, row: &Row, id: &str, items: &[Value]) -> anyhow::Result<()> {
        let label =
            json!({ "tracking_number": format!("TRACK-{id}"), "tracking_url": "#", "label_url": "#" });
        let body = json!({ "items": items, "labels": [label] });
        let path = format!("/admin/orders/{}/fulfillments/{id}/shipments", row.id()?);
        self.books.ask(Method::POST, &path, Some(&body)).await.map(drop)
    }

    /// Sends what was packed and did not leave, because Medusa failed in between.
    async fn send_packed(&self, row: &Row) -> anyhow::Result<()> {
        for one in row.fulfilments().filter(|one| one["shipped_at"].is_null()) {
            let items = one["items"].as_array().into_iter().flatten();
            let wanted = |item: &Value| {
                let units =
                    exact(&item["raw_quantity"])?.to_i64().context("units that are no whole number")?;
                anyhow::Ok(json!({ "id": item["line_item_id"], "quantity": units }))
            };
            let items = items.map(wanted).collect::<anyhow::Result<Vec<Value>>>()?;
            self.send(row, &id_of(one).context("a fulfilment without an id")?, &items).await?;
        }
        Ok(())
    }

    /// What Medusa failed in is done in the next round; not for ever.
    fn later(&self, done: anyhow::Result<()>) -> anyhow::Result<bool> {
        let Err(error) = done else {
            self.failed.set(0);
            return Ok(true);
        };
        self.failed.set(self.failed.get() + 1);
        if self.failed.get() > FAILED_MAX {
            return Err(error);
        }
        eprintln!("{error:#}");
        Ok(false)
    }
}

impl Premises for House<'_> {
    async fn clear(&self) -> anyhow::Result<u64> {
        let ours = lines(&self.books.ours().await?);
        let mut gone = 0;
        for (id, reserved) in self.books.reservations().await? {
            if ours.contains(&reserved.line) {
                self.books.ask(Method::DELETE, &format!("/admin/reservations/{id}"), None).await?;
                gone += 1;
            }
        }
        Ok(gone)
    }

    async fn fill(&self, wanted: &[Change]) -> anyhow::Result<()> {
        let truth = self.truth().await?;
        let free = |(sku, free): &Change| {
            let reserved = truth.get(sku).map_or(0, |of| of.reserved.ceil() as i64);
            (sku.clone(), free + reserved)
        };
        self.count(&wanted.iter().map(free).collect::<Vec<Change>>()).await
    }

    async fn count(&self, counted: &[Change]) -> anyhow::Result<()> {
        let level = |(sku, there): &Change| {
            let item = self.items.get(sku)?;
            Some(
                json!({ "inventory_item_id": item, "location_id": self.location, "stocked_quantity": there }),
            )
        };
        self.write(&counted.iter().filter_map(level).collect::<Vec<Value>>()).await
    }

    /// Levels are written whole: what is shipped in between is found again when it is counted.
    async fn come(&self, coming: &[Change]) -> anyhow::Result<()> {
        if coming.is_empty() {
            return Ok(());
        }
        let truth = self.truth().await?;
        let more =
            |(sku, units): &Change| (sku.clone(), units + truth.get(sku).map_or(0, |of| of.on_hand as i64));
        self.count(&coming.iter().map(more).collect::<Vec<Change>>()).await
    }

    async fn ship(&self, most: usize, which: &dyn Fn(u64) -> Option<Split>) -> anyhow::Result<u64> {
        let mut left = 0;
        for row in self.books.ours().await? {
            if left as usize >= most {
                break;
            }
            if !self.later(self.send_packed(&row).await)? || row.to_reserve()?.is_empty() {
                continue;
            }
            let Some(split) = which(row.order) else { continue };
            left += u64::from(self.later(self.pack(&row, split).await)?);
        }
        Ok(left)
    }

    async fn waiting(&self) -> anyhow::Result<String> {
        let rows = self.books.ours().await?;
        let orders: Vec<String> = rows.iter().map(|row| format!("{} {}", row.order, row.status())).collect();
        Ok(format!("orders {}", orders.join(", ")))
    }

    async fn truth(&self) -> anyhow::Result<BTreeMap<String, Truth>> {
        let ours = lines(&self.books.ours().await?);
        let number = |value: &Value| anyhow::Ok(exact(value)?.to_f64().unwrap_or_default());
        let mut truth: BTreeMap<String, Truth> = BTreeMap::new();
        let mut skus: BTreeMap<String, String> = BTreeMap::new();
        for item in self.books.all(ITEMS, "inventory_items").await? {
            let (Some(sku), Some(id)) = (item["sku"].as_str(), item["id"].as_str()) else { continue };
            if !self.items.contains_key(sku) {
                continue;
            }
            skus.insert(id.to_owned(), sku.to_owned());
            let of = truth.entry(sku.to_owned()).or_default();
            for level in levels(&item).filter(|level| level["location_id"] == self.location) {
                of.on_hand = number(&level["raw_stocked_quantity"])?;
                of.reserved = number(&level["raw_reserved_quantity"])?;
            }
        }
        for reserved in self.books.reservations().await?.into_values() {
            if let Some(sku) = skus.get(&reserved.item).filter(|_| ours.contains(&reserved.line)) {
                truth.entry(sku.clone()).or_default().counted += reserved.units.to_f64().unwrap_or_default();
            }
        }
        Ok(truth)
    }

    async fn parcels(&self) -> anyhow::Result<Vec<Parcel>> {
        let mut parcels = Vec::new();
        for row in self.books.ours().await? {
            for one in row.fulfilments().filter(|one| one["shipped_at"].is_string()) {
                let mut parcel = Parcel { order: row.order, lines: BTreeMap::new() };
                for item in one["items"].as_array().into_iter().flatten() {
                    let units = exact(&item["raw_quantity"])?.to_i64().unwrap_or_default();
                    *parcel.lines.entry(item["sku"].as_str().unwrap_or_default().to_owned()).or_default() +=
                        units;
                }
                parcels.push(parcel);
            }
        }
        parcels.sort();
        Ok(parcels)
    }
}

fn levels(item: &Value) -> impl Iterator<Item = &Value> {
    item["location_levels"].as_array().into_iter().flatten()
}

fn id_of(one: &Value) -> Option<String> {
    one["id"].as_str().map(str::to_owned)
}

/// All lines of these orders.
fn lines(rows: &[Row]) -> BTreeSet<String> {
    rows.iter().flat_map(Row::items).filter_map(id_of).collect()
}
