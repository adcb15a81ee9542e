//! What the desk has in stock, what it reserves and what it sends: levels of two locations, reservations of lines of orders,
//! fulfilments that take from the shelf. As Medusa: a level has no version, its time moves, and no filter knows what changed.

use super::desk::{Books, Query, Refusal, Told, amount, invalid, not_allowed, not_found, raw};
use super::wire::exact;
use http::Method;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use std::collections::BTreeMap;

pub(super) const PLACES: [&str; 2] = ["sloc_ROT", "sloc_HAM"];
const SKUS: [&str; 4] = ["SKU-0001", "SKU-0002", "SKU-0003", "SKU 4/x"];

#[derive(Debug, Clone)]
pub(super) struct Level {
    pub(super) stocked: Decimal,
    pub(super) reserved: Decimal,
    incoming: Decimal,
    updated_at: String,
}

#[derive(Debug, Clone)]
pub(super) struct Stock {
    /// By SKU and location.
    pub(super) levels: BTreeMap<(String, String), Level>,
    reservations: Vec<Value>,
    ticks: i64,
    numbers: i64,
}

impl Default for Stock {
    fn default() -> Self {
        let mut stock = Self { levels: BTreeMap::new(), reservations: Vec::new(), ticks: 0, numbers: 0 };
        for sku in SKUS {
            for (place, on_hand) in PLACES.into_iter().zip([10_000, 40]) {
                stock.set(sku, place, Decimal::from(on_hand));
            }
        }
        stock
    }
}

impl Stock {
    pub(super) fn knows(sku: &str) -> bool {
        SKUS.contains(&sku)
    }

    /// What is sold under a SKU, and where it has a level.
    pub(super) fn variant(&self, sku: &str) -> Value {
        let places =
            self.levels.keys().filter(|(own, _)| own == sku).map(|(_, place)| json!({"location_id": place}));
        let thing = json!({"location_levels": places.collect::<Vec<_>>()});
        json!({"id": format!("variant_{sku}"), "manage_inventory": true,
               "inventory_items": [{"inventory_item_id": format!("iitem_{sku}"), "inventory": thing}]})
    }

    /// The desk's clock: a second further at each look.
    pub(super) fn tick(&mut self) -> String {
        self.ticks += 1;
        let at = jiff::Timestamp::from_second(1_795_478_400 + self.ticks).unwrap();
        format!("{}.000Z", at.to_string().trim_end_matches('Z'))
    }

    pub(super) fn set(&mut self, sku: &str, place: &str, stocked: Decimal) {
        let updated_at = self.tick();
        let level = self.levels.entry((sku.to_owned(), place.to_owned()));
        let level = level.or_insert(Level {
            stocked,
            reserved: Decimal::ZERO,
            incoming: Decimal::ZERO,
            updated_at: String::new(),
        });
        (level.stocked, level.updated_at) = (stocked, updated_at);
    }

    /// So many are on their way there.
    pub(super) fn comes(&mut self, sku: &str, place: &str, incoming: Decimal) {
        let updated_at = self.tick();
        let level = self.levels.get_mut(&(sku.to_owned(), place.to_owned())).unwrap();
        (level.incoming, level.updated_at) = (incoming, updated_at);
    }

    fn add(&mut self, sku: &str, place: &str, stocked: Decimal, reserved: Decimal) {
        let updated_at = self.tick();
        let level = self.levels.get_mut(&(sku.to_owned(), place.to_owned())).unwrap();
        (level.stocked, level.reserved) = (level.stocked + stocked, level.reserved + reserved);
        level.updated_at = updated_at;
    }

    pub(super) fn items(&self, query: &Query) -> Vec<Value> {
        let places = query.all("location_levels[location_id]");
        let skus = query.all("sku");
        let level = |((_, place), level): (&(String, String), &Level)| {
            json!({"location_id": place, "raw_stocked_quantity": raw(level.stocked), "raw_reserved_quantity": raw(level.reserved),
                   "raw_incoming_quantity": raw(level.incoming), "updated_at": level.updated_at,
                   // Of an earlier stock, as the answer of a write has it.
                   "available_quantity": -2})
        };
        let item = |sku: &&str| {
            let own: Vec<Value> = self.levels.iter().filter(|((of, _), _)| of == sku).map(level).collect();
            json!({"id": format!("iitem_{sku}"), "sku": sku, "location_levels": own})
        };
        let has = |item: &Value| {
            places.is_empty()
                || item["location_levels"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .any(|l| places.contains(&l["location_id"].as_str().unwrap()))
        };
        SKUS.iter().filter(|sku| skus.is_empty() || skus.contains(sku)).map(item).filter(has).collect()
    }

    pub(super) fn reserved(&self, query: &Query) -> Vec<Value> {
        let (places, items) = (query.all("location_id"), query.all("inventory_item_id"));
        let lines = query.all("line_item_id");
        let meant = |one: &&Value| {
            let is = |asked: &[&str], field: &str| {
                asked.is_empty() || asked.contains(&one[field].as_str().unwrap())
            };
            is(&places, "location_id") && is(&items, "inventory_item_id") && is(&lines, "line_item_id")
        };
        self.reservations.iter().filter(meant).cloned().collect()
    }

    /// Each line at the first location that has enough; all or nothing.
    pub(super) fn reserve(&mut self, items: &[Value]) -> Result<(), Refusal> {
        let places = self.places(items)?;
        for (item, sku, quantity, place) in places {
            let now = self.tick();
            self.add(sku, place, Decimal::ZERO, quantity);
            self.note(&item["id"], sku, place, quantity, &now);
        }
        Ok(())
    }

    /// Where each line can be had; a draft that cannot is not made.
    pub(super) fn places<'a>(
        &self,
        items: &'a [Value],
    ) -> Result<Vec<(&'a Value, &'a str, Decimal, &'static str)>, Refusal> {
        let mut places = Vec::new();
        for item in items.iter().filter(|item| item["variant_sku"].is_string()) {
            let (sku, quantity) = (item["variant_sku"].as_str().unwrap(), exact(item, "quantity").unwrap());
            let has = |place: &&str| {
                let level = &self.levels[&(sku.to_owned(), (*place).to_owned())];
                level.stocked - level.reserved >= quantity
            };
            let place = PLACES.into_iter().find(has).ok_or_else(|| {
                not_allowed(format!(
                    "Not enough stock available for item iitem_{sku} at location {}",
                    PLACES[0]
                ))
            })?;
            places.push((item, sku, quantity, place));
        }
        Ok(places)
    }

    pub(super) fn free(&mut self, items: &[Value]) {
        for item in items {
            let own = |one: &Value| one["line_item_id"] == item["id"];
            let (gone, kept): (Vec<Value>, Vec<Value>) =
                std::mem::take(&mut self.reservations).into_iter().partition(own);
            self.reservations = kept;
            for one in gone {
                let sku = one["inventory_item_id"].as_str().unwrap().trim_start_matches("iitem_").to_owned();
                self.add(
                    &sku,
                    one["location_id"].as_str().unwrap(),
                    Decimal::ZERO,
                    -exact(&one, "quantity").unwrap(),
                );
            }
        }
    }

    /// One is given another quantity, or is taken away: what is not there is taken away as well.
    pub(super) fn write_reservation(&mut self, id: &str, method: &Method, body: &Value) -> Told {
        let at = self.reservations.iter().position(|one| one["id"] == id);
        let (at, quantity) = match (at, *method == Method::DELETE) {
            (Some(at), true) => (at, Decimal::ZERO),
            (Some(at), false) => (at, amount(&body["quantity"]).ok_or_else(|| invalid("Field 'quantity'"))?),
            (None, true) => return Ok(json!({"id": id, "object": "reservation", "deleted": true})),
            (None, false) => return Err(invalid(format!("Reservation item with id {id} not found"))),
        };
        let one = self.reservations[at].clone();
        let held = exact(&one, "quantity").unwrap();
        let (sku, place) =
            (one["inventory_item"]["sku"].as_str().unwrap(), one["location_id"].as_str().unwrap());
        self.add(sku, place, Decimal::ZERO, quantity - held);
        if *method == Method::DELETE {
            self.reservations.remove(at);
            return Ok(json!({"id": id, "object": "reservation", "deleted": true}));
        }
        self.reservations[at]["raw_quantity"] = raw(quantity);
        Ok(json!({"reservation": self.reservations[at]}))
    }

    /// A part of what is reserved is on its way.
    fn take(&mut self, line: &Value, sku: &str, place: &str, quantity: Decimal) -> Result<(), Refusal> {
        let at = self.reservations.iter().position(|one| one["line_item_id"] == *line);
        let at = at.ok_or_else(|| invalid(format!("No stock reservation found for item {line}")))?;
        let (held, from) = (
            exact(&self.reservations[at], "quantity").unwrap(),
            self.reservations[at]["location_id"].clone(),
        );
        if held == quantity {
            self.reservations.remove(at);
        } else {
            self.reservations[at]["raw_quantity"] = raw(held - quantity);
        }
        self.add(sku, from.as_str().unwrap(), Decimal::ZERO, -quantity);
        self.add(sku, place, -quantity, Decimal::ZERO);
        Ok(())
    }
}

impl Stock {
    /// What was packed lies on the shelf again, reserved as before.
    fn put_back(&mut self, one: &Value) {
        let place = one["location_id"].as_str().unwrap();
        for item in one["items"].as_array().unwrap() {
            let (sku, quantity) = (item["sku"].as_str().unwrap(), exact(item, "quantity").unwrap());
            self.add(sku, place, quantity, quantity);
            let now = self.tick();
            self.note(&item["line_item_id"], sku, place, quantity, &now);
        }
    }

    fn note(&mut self, line: &Value, sku: &str, place: &str, quantity: Decimal, now: &str) {
        self.numbers += 1;
        self.reservations.push(json!({"id": format!("resitem_{:06}", self.numbers), "line_item_id": line,
            "inventory_item_id": format!("iitem_{sku}"), "location_id": place, "raw_quantity": raw(quantity),
            "inventory_item": {"id": format!("iitem_{sku}"), "sku": sku}, "created_at": now}));
    }
}

impl Books {
    pub(super) fn fulfil(&mut self, id: &str, rest: &[&str], body: &Value) -> Told {
        let at = self.at(id)?;
        self.no_edit(at)?;
        match rest {
            [] => self.pack(at, body)?,
            [fulfilment, "shipments"] => {
                let now = self.stock.tick();
                let one = self.fulfilment(at, fulfilment)?;
                one["shipped_at"] = json!(now);
                one["updated_at"] = json!(now);
                one["labels"] = body["labels"].clone();
            }
            [fulfilment, "cancel"] => {
                let now = self.stock.tick();
                let one = self.fulfilment(at, fulfilment)?;
                if !one["shipped_at"].is_null() {
                    return Err(not_allowed(
                        "The fulfillment has already been shipped. Shipped fulfillments cannot be canceled",
                    ));
                }
                one["canceled_at"] = json!(now);
                one["updated_at"] = json!(now);
                let one = one.clone();
                self.stock.put_back(&one);
                for item in one["items"].as_array().unwrap() {
                    self.fulfilled(at, &item["line_item_id"], -exact(item, "quantity").unwrap());
                }
            }
            _ => return Err(not_found("no such path")),
        }
        self.touch(at);
        Ok(json!({"order": self.orders[at]}))
    }

    fn fulfilled(&mut self, at: usize, line: &Value, more: Decimal) {
        let items = self.orders[at]["items"].as_array_mut().unwrap();
        let detail = &mut items.iter_mut().find(|item| item["id"] == *line).unwrap()["detail"];
        detail["raw_fulfilled_quantity"] = raw(exact(detail, "fulfilled_quantity").unwrap() + more);
    }

    fn fulfilment(&mut self, at: usize, id: &str) -> Result<&mut Value, Refusal> {
        let all = self.orders[at]["fulfillments"].as_array_mut().unwrap();
        all.iter_mut().find(|one| one["id"] == id).ok_or_else(|| not_found("no fulfillment"))
    }

    fn pack(&mut self, at: usize, body: &Value) -> Result<(), Refusal> {
        let place = body["location_id"].as_str().unwrap();
        let mut items = Vec::new();
        for asked in body["items"].as_array().unwrap() {
            let lines = self.orders[at]["items"].as_array().unwrap();
            let line = lines
                .iter()
                .find(|line| line["id"] == asked["id"])
                .ok_or_else(|| not_found("no line"))?
                .clone();
            let quantity = Decimal::from(asked["quantity"].as_i64().unwrap());
            let sku = line["variant_sku"].as_str().unwrap();
            self.stock.take(&line["id"], sku, place, quantity)?;
            self.fulfilled(at, &line["id"], quantity);
            items.push(json!({"line_item_id": line["id"], "sku": sku, "raw_quantity": raw(quantity)}));
        }
        let now = self.stock.tick();
        let all = self.orders[at]["fulfillments"].as_array_mut().unwrap();
        let id = format!("ful_{}_{}", at, all.len() + 1);
        all.push(
            json!({"id": id, "location_id": place, "packed_at": now, "shipped_at": null, "canceled_at": null,
                        "updated_at": now, "items": items, "labels": []}),
        );
        Ok(())
    }
}
