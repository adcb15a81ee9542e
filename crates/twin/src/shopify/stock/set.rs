//! `inventorySetQuantities`: up to 250 absolute quantities, all of them or none, each only where it is still what the
//! caller saw.
//!
//! Where nothing changes there is no adjustment group. A level that is not stocked at its location can be set like any
//! other since 2026-04 (shopify.dev, changelog "Add isActive field to InventoryLevel"; 2026-10 has no error for it any
//! more) and stays inactive.

use super::{Pair, Stock};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Both ways.
const QUANTITY_MAX: i64 = 1_000_000_000;

const REASONS: [&str; 17] = [
    "correction",
    "cycle_count_available",
    "damaged",
    "movement_canceled",
    "movement_created",
    "movement_received",
    "movement_updated",
    "other",
    "promotion",
    "quality_control",
    "received",
    "reservation_created",
    "reservation_deleted",
    "reservation_updated",
    "restock",
    "safety_stock",
    "shrinkage",
];

/// The input, with ids as numbers.
#[derive(Clone, Debug)]
pub(in crate::shopify) struct SetQuantities {
    pub(in crate::shopify) name: String,
    pub(in crate::shopify) reason: String,
    pub(in crate::shopify) reference: Option<String>,
    pub(in crate::shopify) entries: Vec<Entry>,
}

#[derive(Clone, Copy, Debug)]
pub(in crate::shopify) struct Entry {
    pub(in crate::shopify) inventory_item_id: u64,
    pub(in crate::shopify) location_id: u64,
    pub(in crate::shopify) quantity: i64,
    /// None opts out of the comparison.
    pub(in crate::shopify) change_from: Option<i64>,
}

/// A `userError`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::shopify) struct Fault {
    pub(in crate::shopify) code: &'static str,
    pub(in crate::shopify) field: Option<Vec<String>>,
    pub(in crate::shopify) text: String,
}

/// `InventoryAdjustmentGroup`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::shopify) struct Adjustment {
    pub(in crate::shopify) id: u64,
    pub(in crate::shopify) at: Timestamp,
    pub(in crate::shopify) reason: String,
    pub(in crate::shopify) reference: Option<String>,
    /// What changed, and by how much: `available` and `on_hand` alike.
    pub(in crate::shopify) deltas: Vec<(Pair, i64)>,
}

impl Stock {
    /// The outer none: nothing changed. The caller raises what the deltas say.
    pub(in crate::shopify) fn set_quantities(
        &mut self,
        wanted: &SetQuantities,
        key: &Arc<str>,
        id: u64,
        at: Timestamp,
    ) -> Result<Option<Arc<Adjustment>>, Vec<Fault>> {
        self.counts.calls += 1;
        let plan = self.plan(wanted).inspect_err(|faults| {
            let is_stale = faults.iter().all(|fault| fault.code == "CHANGE_FROM_QUANTITY_STALE");
            *(if is_stale { &mut self.counts.stale } else { &mut self.counts.refused }) += 1;
        })?;
        let mut deltas = Vec::new();
        for (pair, available) in plan {
            let delta = available - self.levels[pair.slot()].available;
            if delta == 0 {
                self.counts.unchanged += 1;
                continue;
            }
            self.counts.sets += 1;
            self.set_available(pair, available, Some(key), at);
            deltas.push((pair, delta));
        }
        let (reason, reference) = (wanted.reason.clone(), wanted.reference.clone());
        Ok((!deltas.is_empty()).then(|| Arc::new(Adjustment { id, at, reason, reference, deltas })))
    }

    /// What each pair's `available` is to be; nothing is changed yet. The faults of the first rule that has any.
    fn plan(&self, wanted: &SetQuantities) -> Result<Vec<(Pair, i64)>, Vec<Fault>> {
        faults(words(wanted))?;
        faults(bounds(wanted))?;
        faults(doubles(&wanted.entries))?;
        let found: Vec<_> =
            wanted.entries.iter().enumerate().map(|(index, entry)| self.known(index, entry)).collect();
        faults(found.iter().filter_map(|one| one.as_ref().err().cloned()))?;
        let pairs: Vec<Pair> = found.into_iter().flatten().collect();
        let of_on_hand = wanted.name == "on_hand";
        let current = |pair: &Pair| {
            let level = &self.levels[pair.slot()];
            if of_on_hand { level.on_hand() } else { level.available }
        };
        let stale = wanted.entries.iter().zip(&pairs).enumerate().filter_map(|(index, (entry, pair))| {
            let is_stale = entry.change_from.is_some_and(|from| from != current(pair));
            is_stale.then(|| Fault {
                code: "CHANGE_FROM_QUANTITY_STALE",
                field: at(index, "changeFromQuantity"),
                text: "The changeFromQuantity value does not match persisted value.".to_owned(),
            })
        });
        faults(stale)?;
        let available = |(entry, pair): (&Entry, Pair)| {
            let committed = if of_on_hand { self.levels[pair.slot()].committed } else { 0 };
            (pair, entry.quantity - committed)
        };
        Ok(wanted.entries.iter().zip(pairs).map(available).collect())
    }

    fn known(&self, index: usize, entry: &Entry) -> Result<Pair, Fault> {
        let Some(good) = self.goods.by_inventory_item(entry.inventory_item_id) else {
            let text = "The specified inventory item could not be found.".to_owned();
            return Err(Fault { code: "INVALID_INVENTORY_ITEM", field: at(index, "inventoryItemId"), text });
        };
        self.pair(good, entry.location_id).ok_or_else(|| Fault {
            code: "INVALID_LOCATION",
            field: at(index, "locationId"),
            text: "The specified location could not be found.".to_owned(),
        })
    }
}

fn faults(all: impl IntoIterator<Item = Fault>) -> Result<(), Vec<Fault>> {
    let all: Vec<_> = all.into_iter().collect();
    if all.is_empty() { Ok(()) } else { Err(all) }
}

/// `["input", "quantities", "3", "quantity"]`.
fn at(index: usize, part: &str) -> Option<Vec<String>> {
    Some(vec!["input".to_owned(), "quantities".to_owned(), index.to_string(), part.to_owned()])
}

fn words(wanted: &SetQuantities) -> Option<Fault> {
    let fault = |code, part: &str, text: String| {
        Some(Fault { code, field: Some(vec!["input".to_owned(), part.to_owned()]), text })
    };
    if !["available", "on_hand"].contains(&wanted.name.as_str()) {
        let text = "The quantity name must be either 'available' or 'on_hand'.";
        return fault("INVALID_NAME", "name", text.to_owned());
    }
    if !REASONS.contains(&wanted.reason.as_str()) {
        let text = format!("The specified reason is invalid. Valid values are: {}.", REASONS.join(", "));
        return fault("INVALID_REASON", "reason", text);
    }
    match &wanted.reference {
        Some(uri) if !is_document(uri) => {
            let text = "The specified reference document is invalid.";
            fault("INVALID_REFERENCE_DOCUMENT", "referenceDocumentUri", text.to_owned())
        }
        _ => None,
    }
}

/// A scheme and content; of a global id the app, the kind and the id.
fn is_document(uri: &str) -> bool {
    match uri.split_once("://") {
        Some(("gid", rest)) => rest.splitn(3, '/').filter(|part| !part.is_empty()).count() == 3,
        Some((scheme, rest)) => {
            !rest.is_empty()
                && scheme.starts_with(|first: char| first.is_ascii_alphabetic())
                && scheme.bytes().all(|one| one.is_ascii_alphanumeric() || b"+-.".contains(&one))
        }
        None => false,
    }
}

fn bounds(wanted: &SetQuantities) -> impl Iterator<Item = Fault> {
    wanted.entries.iter().enumerate().filter_map(|(index, entry)| {
        let (code, text) = match entry.quantity {
            ..=-1 if wanted.name == "on_hand" => {
                ("INVALID_QUANTITY_NEGATIVE", "The quantity can't be negative.")
            }
            quantity if quantity < -QUANTITY_MAX => {
                ("INVALID_QUANTITY_TOO_LOW", "The quantity can't be lower than -1,000,000,000.")
            }
            quantity if quantity > QUANTITY_MAX => {
                ("INVALID_QUANTITY_TOO_HIGH", "The quantity can't be higher than 1,000,000,000.")
            }
            _ => return None,
        };
        Some(Fault { code, field: at(index, "quantity"), text: text.to_owned() })
    })
}

/// Each of those that are there twice.
fn doubles(entries: &[Entry]) -> Vec<Fault> {
    let pair = |entry: &Entry| (entry.inventory_item_id, entry.location_id);
    let mut seen: BTreeMap<(u64, u64), u32> = BTreeMap::new();
    for entry in entries {
        *seen.entry(pair(entry)).or_default() += 1;
    }
    let doubled = entries.iter().enumerate().filter(|(_, entry)| seen[&pair(entry)] > 1);
    let fault = |index| Fault {
        code: "NO_DUPLICATE_INVENTORY_ITEM_ID_GROUP_ID_PAIR",
        field: at(index, "locationId"),
        text: "The combination of inventoryItemId and locationId must be unique.".to_owned(),
    };
    doubled.map(|(index, _)| fault(index)).collect()
}
