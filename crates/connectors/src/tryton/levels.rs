//! What Tryton has of products at the connection's places. Owns the order of two questions, on which it rests that no unit is
//! sold twice:
//!
//! 1. the moves that are to leave a place: what is *reserved*, and which of it for this shop's sales (*counted*). One move is
//!    in both or in neither, because one question answers both;
//! 2. then what is on hand.
//!
//! A sale that is confirmed between the two is neither reserved nor counted here: the shop has it in flight. One that is
//! shipped between them is off the shelf and still reserved, so that less is sold until the next read. The other way round
//! each would be sold once more. Tryton's own `forecast_quantity` is not used: it leaves out what is to be shipped later than
//! today, and has what is only expected.

use super::ask::Ask;
use super::places::Places;
use super::wire;
use connector::port::Fed;
use domains::inventory::{self, Stock};
use jiff::Timestamp;
use kernel::fault::Fault;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The topic of a level.
pub(super) const TOPIC: &str = "stock/level";
/// What it gives.
pub(super) const SCHEMA: &str = "stock/1";
/// Tryton's own symbol for one piece.
const PIECE: &str = "u";
/// Products whose levels are read at once.
pub(super) const BATCH: usize = 100;

/// What is to leave a place, of one product.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Leaving {
    reserved: Decimal,
    counted: Decimal,
}

/// A product as a level needs it.
struct Product {
    id: i64,
    active: bool,
    on_hand: Decimal,
    unit: Option<String>,
}

/// Which codes' levels, and since when each is as it is.
pub(super) type Codes = BTreeMap<String, Timestamp>;

impl Ask<'_> {
    /// The level of each code at each of the places, under the number of this read. Of what is no goods there is none.
    pub(super) async fn levels(
        &self,
        places: &Places,
        only: Option<usize>,
        codes: &Codes,
        number: i64,
    ) -> Result<Vec<Fed>, Fault> {
        let names: Vec<&str> = codes.keys().map(String::as_str).collect();
        let mut fed = Vec::new();
        if names.is_empty() {
            return Ok(fed);
        }
        let leaving = self.leaving(places, &names).await?;
        for (at, place) in places.all.iter().enumerate().filter(|(at, _)| only.is_none_or(|only| only == *at))
        {
            for (code, products) in self.on_hand(place.id, &names).await? {
                let Some(since) = codes.get(&code) else { continue };
                let leaves = |product: &Product| leaving.get(&(product.id, at)).copied().unwrap_or_default();
                let payload = match products.as_slice() {
                    [product] => {
                        let leaves = leaves(product);
                        inventory::drop::payload(&Stock {
                            sku: code.clone(),
                            location: place.name.clone(),
                            on_hand: product.on_hand.normalize(),
                            reserved: leaves.reserved.normalize(),
                            counted: Some(leaves.counted.normalize()),
                            safety: Decimal::ZERO,
                            unit: product.unit.clone(),
                            incoming: Vec::new(),
                            changed_at: *since,
                        })
                    }
                    several => unclear(&code, &place.name, several, *since),
                };
                let path = inventory::path(&code, &place.name);
                fed.push(Fed { path, topic: TOPIC.to_owned(), sequence: number, payload, change: None });
            }
        }
        Ok(fed)
    }

    /// What is to leave each place and did not yet, whenever it is planned to.
    async fn leaving(
        &self,
        places: &Places,
        codes: &[&str],
    ) -> Result<BTreeMap<(i64, usize), Leaving>, Fault> {
        let domain = json!([
            ["product.code", "in", codes],
            ["state", "in", ["draft", "assigned"]],
            ["company", "=", self.config.company],
            places.below("from_location"),
        ]);
        let fields = ["product", "from_location", "to_location", "internal_quantity", "sale.reference"];
        let ours = format!("{}-order-", self.call.shop);
        let mut leaving: BTreeMap<(i64, usize), Leaving> = BTreeMap::new();
        self.pages("stock.move", domain, &fields, |record| {
            let number = |field: &str| record.get(field).and_then(Value::as_i64);
            let quantity = record.get("internal_quantity").and_then(wire::read_decimal);
            let (Some(product), Some(quantity)) = (number("product"), quantity) else { return };
            let counts = wire::linked_text(record, "sale", "reference").is_some_and(|name| {
                name.strip_prefix(&ours).is_some_and(|order| order.bytes().all(|b| b.is_ascii_digit()))
            });
            let to = places.of(number("to_location"));
            for place in places.of(number("from_location")).iter().filter(|place| !to.contains(place)) {
                let sum = leaving.entry((product, *place)).or_default();
                sum.reserved += quantity;
                if counts {
                    sum.counted += quantity;
                }
            }
        })
        .await?;
        Ok(leaving)
    }

    /// By code: more than one product only where none of them is active.
    async fn on_hand(&self, place: i64, codes: &[&str]) -> Result<BTreeMap<String, Vec<Product>>, Fault> {
        let domain = json!([["code", "in", codes], goods(), ["active", "in", [true, false]]]);
        let fields = json!(["code", "active", "quantity", "default_uom.symbol"]);
        let context = json!({"locations": [place], "with_childs": true});
        let params = vec![domain, json!(0), json!(null), json!([["id", "ASC"]]), fields];
        let records = self.call_in("model.product.product.search_read", params, context).await?;
        let mut products: BTreeMap<String, Vec<Product>> = BTreeMap::new();
        for record in records.as_array().into_iter().flatten() {
            let on_hand = record.get("quantity").and_then(wire::read_decimal);
            let (Some(id), Some(code), Some(on_hand)) =
                (wire::id(record), wire::text(record, "code"), on_hand)
            else {
                continue;
            };
            let unit = wire::linked_text(record, "default_uom", "symbol").filter(|symbol| symbol != PIECE);
            let active =
                record.get("active").is_some_and(|active| *active == json!(true) || *active == json!(1));
            products.entry(code).or_default().push(Product { id, active, on_hand, unit });
        }
        // Tryton keeps codes unique among those that are active: one that is not has left its code to another.
        for of_code in products.values_mut() {
            if of_code.iter().any(|product| product.active) {
                of_code.retain(|product| product.active);
            }
        }
        Ok(products)
    }
}

/// What stock is kept of.
pub(super) fn goods() -> Value {
    json!([["type", "=", "goods"], ["consumable", "=", false]])
}

/// A code that several former products bear: which of them is meant cannot be known. It is refused by itself, with its reason, and
/// holds back no other one.
fn unclear(code: &str, location: &str, products: &[Product], changed_at: Timestamp) -> Vec<u8> {
    let ids: Vec<String> = products.iter().map(|product| product.id.to_string()).collect();
    let why = format!("products {}: one code", ids.join(", "));
    json!({"sku": code, "location": location, "on_hand": why, "changed_at": changed_at.to_string()})
        .to_string()
        .into_bytes()
}
