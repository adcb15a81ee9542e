//! The warehouse of a real Tryton, by hand: who works there fills shelves, has goods come and go, and ships. Not the
//! connector's code, and not through the gate.

use super::books::Books;
use crate::proof::order_of;
use crate::proof::stock::{Change, Parcel, Premises, Split, Truth};
use anyhow::Context as _;
use serde_json::{Value, json};
use std::collections::BTreeMap;

#[derive(Debug)]
pub struct House<'a> {
    books: &'a Books,
    warehouse: i64,
    shelf: i64,
    /// Where what is found comes from.
    outside: i64,
    /// By code.
    products: BTreeMap<String, Product>,
}

#[derive(Debug, Clone, Copy)]
struct Product {
    id: i64,
    unit: i64,
}

const WAREHOUSE: &str = "WH";
/// Records in one call: Tryton answers whoever waits only then.
const AT_ONCE: usize = 50;

impl<'a> House<'a> {
    /// With these SKUs; those that Tryton does not have are made, and are in no order.
    pub async fn open(books: &'a Books, skus: &[String]) -> anyhow::Result<Self> {
        let one = async |domain: Value| -> anyhow::Result<i64> {
            let found = books.all("stock.location", domain.clone(), &["code"]).await?;
            found.first().and_then(|row| row["id"].as_i64()).with_context(|| format!("no location {domain}"))
        };
        let mut house = Self {
            books,
            warehouse: one(json!([["code", "=", WAREHOUSE], ["type", "=", "warehouse"]])).await?,
            shelf: one(json!([["code", "=", "STO"]])).await?,
            outside: one(json!([["type", "=", "lost_found"]])).await?,
            products: BTreeMap::new(),
        };
        house.look_up(skus).await?;
        let missing: Vec<&String> = skus.iter().filter(|sku| !house.products.contains_key(*sku)).collect();
        for some in missing.chunks(AT_ONCE) {
            house.make(some).await?;
        }
        house.look_up(skus).await?;
        Ok(house)
    }

    async fn look_up(&mut self, skus: &[String]) -> anyhow::Result<()> {
        for some in skus.chunks(500) {
            let rows = self
                .books
                .all("product.product", json!([["code", "in", some]]), &["code", "default_uom"])
                .await?;
            for row in rows {
                let (id, unit) = (row["id"].as_i64(), row["default_uom"].as_i64());
                let (Some(code), Some(id), Some(unit)) = (row["code"].as_str(), id, unit) else { continue };
                self.products.insert(code.to_owned(), Product { id, unit });
            }
        }
        Ok(())
    }

    async fn make(&self, skus: &[&String]) -> anyhow::Result<()> {
        let price = json!({ "__class__": "Decimal", "decimal": "10.00" });
        let values: Vec<Value> = skus
            .iter()
            .map(|sku| {
                json!({ "name": sku, "code": sku, "type": "goods", "default_uom": 1, "list_price": price,
                    "products": [["create", [{}]]] })
            })
            .collect();
        self.books.ask("model.product.template.create", json!([values, { "company": 1 }])).await.map(drop)
    }

    /// What lies there of each, by SKU.
    async fn quantities(&self, location: i64, below: bool) -> anyhow::Result<BTreeMap<String, f64>> {
        let ids: Vec<i64> = self.products.values().map(|product| product.id).collect();
        let mut quantities = BTreeMap::new();
        for some in ids.chunks(500) {
            let context = json!({ "company": 1, "locations": [location], "with_childs": below });
            let params = json!([some, ["code", "quantity"], context]);
            let rows = self.books.ask("model.product.product.read", params).await?;
            let of = |row: &Value| (code(row), row["quantity"].as_f64().unwrap_or_default());
            quantities.extend(rows.as_array().into_iter().flatten().map(of));
        }
        Ok(quantities)
    }

    /// Shipments of this shop's sales that wait.
    async fn open_shipments(&self) -> anyhow::Result<Vec<Value>> {
        let domain = json!([
            ["state", "in", ["waiting", "assigned", "picked", "packed"]],
            ["moves.origin.sale.reference", "like", "acme-order-%", "sale.line"]
        ]);
        let fields =
            ["state", "inventory_moves", "inventory_moves.quantity", "outgoing_moves.sale.reference"];
        self.books.all("stock.shipment.out", domain, &fields).await
    }

    async fn send(&self, shipment: &Value, split: Split) -> anyhow::Result<bool> {
        let id = &shipment["id"];
        let press = async |button: &str| {
            let method = format!("model.stock.shipment.out.{button}");
            self.books.ask(&method, json!([[id], { "company": 1 }])).await
        };
        let moves = shipment["inventory_moves."].as_array().map(Vec::as_slice).unwrap_or_default();
        let first = moves.iter().find(|of| of["quantity"].as_f64().is_some_and(|units| units > 1.0));
        if let (Split::First, Some(first), "waiting") =
            (split, first, shipment["state"].as_str().unwrap_or_default())
        {
            let write = json!([[first["id"]], { "quantity": 1 }, { "company": 1 }]);
            self.books.ask("model.stock.move.write", write).await?;
        }
        if !press("assign_try").await?.as_bool().unwrap_or(true) {
            return Ok(false);
        }
        let tracking = json!([[id], { "reference": format!("TRACK-{id}") }, { "company": 1 }]);
        self.books.ask("model.stock.shipment.out.write", tracking).await?;
        for button in ["pick", "pack", "do"] {
            press(button).await?;
        }
        Ok(true)
    }
}

impl Premises for House<'_> {
    /// What an earlier play left unshipped is nobody's order any more.
    async fn clear(&self) -> anyhow::Result<u64> {
        let open = self.open_shipments().await?;
        let ids: Vec<&Value> = open.iter().map(|shipment| &shipment["id"]).collect();
        for some in ids.chunks(20) {
            self.books.ask("model.stock.shipment.out.cancel", json!([some, { "company": 1 }])).await?;
        }
        Ok(ids.len() as u64)
    }

    /// So many of each are free.
    async fn fill(&self, wanted: &[Change]) -> anyhow::Result<()> {
        let (truth, shelf) = (self.truth().await?, self.quantities(self.shelf, false).await?);
        let changes: Vec<Change> = wanted
            .iter()
            .map(|(sku, free)| {
                let now = truth.get(sku).copied().unwrap_or_default();
                let there = shelf.get(sku).copied().unwrap_or_default();
                (sku.clone(), free + (now.reserved - now.on_hand + there).ceil() as i64)
            })
            .collect();
        for some in changes.chunks(AT_ONCE) {
            self.count(some).await?;
        }
        Ok(())
    }

    /// So many lie on the shelf, as a count of it says.
    async fn count(&self, counted: &[Change]) -> anyhow::Result<()> {
        let line =
            |(sku, there): &Change| Some(json!({ "product": self.products.get(sku)?.id, "quantity": there }));
        let lines: Vec<Value> = counted.iter().filter_map(line).collect();
        if lines.is_empty() {
            return Ok(());
        }
        let values = json!({ "location": self.shelf, "company": 1, "empty_quantity": "keep",
            "lines": [["create", lines]] });
        let made =
            self.books.ask("model.stock.inventory.create", json!([[values], { "company": 1 }])).await?;
        self.books.ask("model.stock.inventory.confirm", json!([made, { "company": 1 }])).await.map(drop)
    }

    /// Goods come in, all in one transaction.
    async fn come(&self, coming: &[Change]) -> anyhow::Result<()> {
        let value = |(sku, units): &Change| {
            let product = self.products.get(sku)?;
            Some(json!({ "product": product.id, "unit": product.unit, "quantity": units,
                "from_location": self.outside, "to_location": self.shelf, "company": 1 }))
        };
        let values: Vec<Value> = coming.iter().filter_map(value).collect();
        if values.is_empty() {
            return Ok(());
        }
        let made = self.books.ask("model.stock.move.create", json!([values, { "company": 1 }])).await?;
        self.books.ask("model.stock.move.do", json!([made, { "company": 1 }])).await.map(drop)
    }

    /// Ships what waits for these orders, up to so many parcels; `split`: of the first line only one unit, so that the rest
    /// becomes a parcel of its own. How many left.
    async fn ship(&self, most: usize, which: &dyn Fn(u64) -> Option<Split>) -> anyhow::Result<u64> {
        let mut left = 0;
        for shipment in self.open_shipments().await? {
            let order = shipment["outgoing_moves."].as_array().and_then(|moves| sold_to(moves.first()?));
            let Some(split) = order.and_then(which) else { continue };
            if left as usize >= most {
                break;
            }
            left += u64::from(self.send(&shipment, split).await?);
        }
        Ok(left)
    }

    async fn waiting(&self) -> anyhow::Result<String> {
        let ours = json!([["reference", "like", "acme-order-%"]]);
        let fields = ["reference", "state", "shipment_method", "shipments.state", "shipments.moves.state"];
        let sales = self.books.all("sale.sale", ours, &fields).await?;
        Ok(format!("open shipments {}; sales {}", json!(self.open_shipments().await?), json!(sales)))
    }

    /// What there is of each SKU.
    async fn truth(&self) -> anyhow::Result<BTreeMap<String, Truth>> {
        let ids: Vec<i64> = self.products.values().map(|product| product.id).collect();
        let mut truth: BTreeMap<String, Truth> = BTreeMap::new();
        for some in ids.chunks(500) {
            let leaving = json!([
                ["product", "in", some],
                ["state", "in", ["draft", "assigned"]],
                ["from_location", "child_of", [self.warehouse], "parent"],
                ["to_location", "not child_of", [self.warehouse], "parent"]
            ]);
            let fields = ["product.code", "internal_quantity", "sale.reference"];
            for row in self.books.all("stock.move", leaving, &fields).await? {
                let of = truth.entry(code(&row["product."])).or_default();
                let units = row["internal_quantity"].as_f64().unwrap_or_default();
                of.reserved += units;
                if sold_to(&row).is_some() {
                    of.counted += units;
                }
            }
        }
        for (sku, on_hand) in self.quantities(self.warehouse, true).await? {
            truth.entry(sku).or_default().on_hand = on_hand;
        }
        Ok(truth)
    }

    /// All that has left for this shop's orders.
    async fn parcels(&self) -> anyhow::Result<Vec<Parcel>> {
        let domain = json!([
            ["state", "=", "done"],
            ["moves.origin.sale.reference", "like", "acme-order-%", "sale.line"]
        ]);
        let fields = [
            "outgoing_moves.state",
            "outgoing_moves.internal_quantity",
            "outgoing_moves.product.code",
            "outgoing_moves.sale.reference",
        ];
        let mut parcels = Vec::new();
        for row in self.books.all("stock.shipment.out", domain, &fields).await? {
            let mut orders: BTreeMap<u64, BTreeMap<String, i64>> = BTreeMap::new();
            for of in row["outgoing_moves."].as_array().into_iter().flatten() {
                let units = of["internal_quantity"].as_f64().unwrap_or_default().round() as i64;
                let Some(order) = sold_to(of).filter(|_| of["state"] == "done" && units > 0) else {
                    continue;
                };
                *orders.entry(order).or_default().entry(code(&of["product."])).or_default() += units;
            }
            parcels.extend(orders.into_iter().map(|(order, lines)| Parcel { order, lines }));
        }
        parcels.sort();
        Ok(parcels)
    }
}

fn code(row: &Value) -> String {
    row["code"].as_str().unwrap_or_default().to_owned()
}

/// Whose move it is.
fn sold_to(of: &Value) -> Option<u64> {
    order_of(of["sale."]["reference"].as_str()?)
}
