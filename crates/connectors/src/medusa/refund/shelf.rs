//! Where what came back is laid: at the stock location that it was sent from. Owns that nothing is received where Medusa would not
//! count it: it adds to the levels that it has at the location of the return, passes over a thing that has none there, and adds a
//! thing that two variants are made of for one of them alone.

use super::super::ask::Ask;
use super::super::came_back::Units;
use super::super::wire::{exact, list, text};
use connector::outbound::segment;
use kernel::fault::Fault;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

const FIELDS: &str = "id,items.id,items.variant.id,items.variant.manage_inventory,items.variant.inventory_items.inventory_item_id,\
                      items.variant.inventory_items.inventory.location_levels.location_id,fulfillments.location_id,\
                      fulfillments.canceled_at,fulfillments.items.line_item_id,fulfillments.items.raw_quantity";

/// From where an order was sent, and where its things have a level.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(super) struct Shelves {
    /// By location, what was packed there.
    sent: BTreeMap<String, Units>,
    /// By line. What Medusa keeps no stock of is not there.
    kept: BTreeMap<String, Kept>,
}

/// What Medusa keeps of a line's variant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Kept {
    variant: String,
    things: BTreeSet<String>,
    /// Where all of these have a level.
    levels: BTreeSet<String>,
}

impl Ask<'_> {
    pub(super) async fn shelves(&self, order: &str) -> Result<Shelves, Fault> {
        let path = format!("/admin/orders/{}?fields={FIELDS}", segment(order));
        Ok(self.one(path, "order").await?.as_ref().map(Shelves::read).unwrap_or_default())
    }
}

impl Shelves {
    fn read(order: &Value) -> Self {
        let mut shelves = Self::default();
        for parcel in
            list(order, "fulfillments").filter(|one| one.get("canceled_at").is_none_or(Value::is_null))
        {
            let Some(place) = text(parcel, "location_id") else { continue };
            let sent = shelves.sent.entry(place).or_default();
            for item in list(parcel, "items") {
                let line = text(item, "line_item_id").unwrap_or_default();
                *sent.entry(line).or_default() += exact(item, "quantity").unwrap_or_default();
            }
        }
        shelves.kept =
            list(order, "items").filter_map(|item| Some((text(item, "id")?, Kept::of(item)?))).collect();
        shelves
    }

    /// The location for these units, or why there is none.
    pub(super) fn place(&self, units: &Units) -> Result<&str, String> {
        let kept: Vec<&Kept> = units.keys().filter_map(|line| self.kept.get(line)).collect();
        let mut of: BTreeMap<&str, &str> = BTreeMap::new();
        for one in &kept {
            for thing in &one.things {
                if *of.entry(thing).or_insert(&one.variant) != one.variant {
                    return Err(format!(
                        "two variants of it are made of the same inventory item ({thing}), which Medusa would count once"
                    ));
                }
            }
        }
        let counts = |place: &&String| kept.iter().all(|one| one.levels.contains(*place));
        let from = |place: &String| -> Decimal {
            let sent =
                |(line, units): (&String, &Decimal)| self.sent[place].get(line).map(|sent| *sent.min(units));
            units.iter().filter_map(sent).sum()
        };
        // Of several, the one that most of it was sent from.
        let place =
            self.sent.keys().filter(counts).max_by(|a, b| from(a).cmp(&from(b)).then_with(|| b.cmp(a)));
        place.map(String::as_str).ok_or_else(|| {
            let places: Vec<&str> = self.sent.keys().map(String::as_str).collect();
            format!("no location that it was sent from ({}) has a level of each thing", places.join(", "))
        })
    }
}

impl Kept {
    /// `None`: Medusa keeps no stock of it.
    fn of(item: &Value) -> Option<Self> {
        let variant = item
            .get("variant")
            .filter(|variant| variant.get("manage_inventory") == Some(&Value::Bool(true)))?;
        let mut levels: Option<BTreeSet<String>> = None;
        let mut things = BTreeSet::new();
        for part in list(variant, "inventory_items") {
            things.extend(text(part, "inventory_item_id"));
            let thing = part.get("inventory").unwrap_or(&Value::Null);
            let own: BTreeSet<String> =
                list(thing, "location_levels").filter_map(|level| text(level, "location_id")).collect();
            levels = Some(levels.map_or(own.clone(), |all| all.intersection(&own).cloned().collect()));
        }
        Some(Self { variant: text(variant, "id")?, things, levels: levels.unwrap_or_default() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn item(id: &str, variant: &str, parts: &[(&str, &[&str])]) -> Value {
        let level = |place: &&str| json!({"location_id": place});
        let part = |(thing, places): &(&str, &[&str])| json!({"inventory_item_id": thing, "inventory": {"location_levels": places.iter().map(level).collect::<Vec<_>>()}});
        json!({"id": id, "variant": {"id": variant, "manage_inventory": true, "inventory_items": parts.iter().map(part).collect::<Vec<_>>()}})
    }

    fn parcel(place: &str, cancelled: bool, items: &[(&str, i64)]) -> Value {
        let item = |(line, units): &(&str, i64)| json!({"line_item_id": line, "raw_quantity": {"value": units.to_string()}});
        json!({"location_id": place, "canceled_at": cancelled.then_some("2026-11-27T10:00:00Z"), "items": items.iter().map(item).collect::<Vec<_>>()})
    }

    fn units(of: &[(&str, i64)]) -> Units {
        of.iter().map(|(line, units)| ((*line).to_owned(), Decimal::from(*units))).collect()
    }

    #[test]
    fn what_came_back_is_laid_where_it_was_sent_from_and_is_counted() {
        let order = json!({
            "items": [item("a", "v1", &[("t1", &["s1", "s2"])]), item("b", "v2", &[("t2", &["s2"]), ("t3", &["s1", "s2", "s3"])]),
                      item("c", "v3", &[("t1", &["s1"])]), {"id": "fee", "variant": null},
                      {"id": "free", "variant": {"id": "v4", "manage_inventory": false}}],
            "fulfillments": [parcel("s1", false, &[("a", 2), ("fee", 1)]), parcel("s2", false, &[("a", 1), ("b", 1)]),
                             parcel("s3", true, &[("a", 9), ("b", 9)])],
        });
        let shelves = Shelves::read(&order);
        assert_eq!(shelves.place(&units(&[("a", 2)])), Ok("s1"), "where most of it was sent from");
        assert_eq!(shelves.place(&units(&[("a", 1)])), Ok("s1"), "of two, the first");
        assert_eq!(
            shelves.place(&units(&[("a", 2), ("b", 1)])),
            Ok("s2"),
            "where each of its things is counted"
        );
        assert_eq!(shelves.place(&units(&[("fee", 1), ("free", 1)])), Ok("s1"));
        let none = shelves.place(&units(&[("b", 1), ("c", 1)])).unwrap_err();
        assert!(none.contains("s1, s2)"), "{none}");
        let shared = shelves.place(&units(&[("a", 1), ("c", 1)])).unwrap_err();
        assert!(shared.contains("t1"), "{shared}");
    }
}
