//! What Tryton has of products at the connection's places. Owns the order of two questions, on which it rests that no unit is
//! sold twice:
//!
//! 1. the moves that are to leave a place: what is *reserved*, and which of it for this shop's sales (*counted*). One move is
//!    in both or in neither, because one question answers both;
//! 2. then what is on hand.
//!
//! What is to come to a place and did not yet is a third, beside them: it is shown with its planned date, and sold only once it is on
//! hand.
//!
//! A sale that is confirmed between the two is neither reserved nor counted here: the shop has it in flight. One that is
//! shipped between them is off the shelf and still reserved, so that less is sold until the next read. The other way round
//! each would be sold once more. Tryton's own `forecast_quantity` is not used: it leaves out what is to be shipped later than
//! today, and has what is only expected.

use super::ask::Ask;
use super::places::Places;
use super::wire;
use connector::port::Fed;
use domains::inventory::{self, Incoming, Stock};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
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

/// What is to come to a place, of one product: by planned date.
type Coming = BTreeMap<Option<Date>, Decimal>;

/// By product, and place in the connection's.
type ByPlace<T> = BTreeMap<(i64, usize), T>;

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
        let coming = self.coming(places, &names).await?;
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
                            incoming: coming.get(&(product.id, at)).map(incoming).unwrap_or_default(),
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
    async fn leaving(&self, places: &Places, codes: &[&str]) -> Result<ByPlace<Leaving>, Fault> {
        let domain = self.not_done(codes, places.below("from_location"));
        let fields = ["product", "from_location", "to_location", "internal_quantity", "sale.reference"];
        let ours = format!("{}-order-", self.call.shop);
        let mut leaving: ByPlace<Leaving> = BTreeMap::new();
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

    /// What is to come to each place and did not yet.
    async fn coming(&self, places: &Places, codes: &[&str]) -> Result<ByPlace<Coming>, Fault> {
        let domain = self.not_done(codes, places.below("to_location"));
        let fields = ["product", "from_location", "to_location", "internal_quantity", "planned_date"];
        let mut coming: ByPlace<Coming> = BTreeMap::new();
        self.pages("stock.move", domain, &fields, |record| comes(record, places, &mut coming)).await?;
        Ok(coming)
    }

    /// Moves of these products that are to be made.
    fn not_done(&self, codes: &[&str], place: Value) -> Value {
        json!([
            ["product.code", "in", codes],
            ["state", "in", ["draft", "assigned"]],
            ["company", "=", self.config.company],
            place,
        ])
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

/// Adds a move to what is to come; one within a place brings nothing there.
fn comes(record: &Value, places: &Places, coming: &mut ByPlace<Coming>) {
    let number = |field: &str| record.get(field).and_then(Value::as_i64);
    let quantity = record.get("internal_quantity").and_then(wire::read_decimal);
    let (Some(product), Some(quantity)) = (number("product"), quantity) else { return };
    let planned = record.get("planned_date").and_then(wire::read_date);
    let from = places.of(number("from_location"));
    for place in places.of(number("to_location")).iter().filter(|place| !from.contains(place)) {
        *coming.entry((product, *place)).or_default().entry(planned).or_default() += quantity;
    }
}

/// Tryton plans by the day: at its beginning, in UTC.
fn incoming(coming: &Coming) -> Vec<Incoming> {
    let due = |(planned, quantity): (&Option<Date>, &Decimal)| {
        let at = planned.and_then(|day| day.to_zoned(TimeZone::UTC).ok()).map(|day| day.timestamp());
        Incoming { quantity: quantity.normalize(), at }
    };
    coming.iter().map(due).collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_to_a_place_is_told_by_its_planned_date_and_what_stays_within_is_not() {
        // Zones 11 and 12 lie within the first place, 21 within the second; 9 is a supplier.
        let places = Places::of_tree(
            &[("main", 1), ("other", 2)],
            &[(1, None), (11, Some(1)), (12, Some(1)), (2, None), (21, Some(2))],
        );
        let day = |day: i8| json!({"__class__": "date", "year": 2026, "month": 12, "day": day});
        let mut coming = ByPlace::new();
        for (from, to, quantity, planned) in [
            (9, 11, 40.0, day(9)),
            (9, 12, 2.5, day(1)),
            (9, 11, 10.0, day(9)),
            (9, 11, 3.0, Value::Null),
            (11, 12, 7.0, day(1)),
            (11, 21, 6.0, day(1)),
        ] {
            let record = json!({"product": 5, "from_location": from, "to_location": to, "internal_quantity": quantity,
                                "planned_date": planned});
            comes(&record, &places, &mut coming);
        }
        let told = |place: usize| -> Vec<(String, String)> {
            let said = |due: Incoming| {
                (due.at.map_or_else(String::new, |at| at.to_string()), due.quantity.to_string())
            };
            incoming(&coming[&(5, place)]).into_iter().map(said).collect()
        };
        let pair = |at: &str, quantity: &str| (at.to_owned(), quantity.to_owned());
        assert_eq!(
            told(0),
            [pair("", "3"), pair("2026-12-01T00:00:00Z", "2.5"), pair("2026-12-09T00:00:00Z", "50")]
        );
        assert_eq!(told(1), [pair("2026-12-01T00:00:00Z", "6")], "from one place to another");
    }
}
