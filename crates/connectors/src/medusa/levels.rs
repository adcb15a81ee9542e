//! Stock as Medusa has it, page by page: what lies at a location, what of it is reserved, and how many of these units are for
//! orders of this shop. Owns that `counted` is never more than a level's `reserved` holds: the reservations are read before a page of
//! levels and after it, and what stands in both was there in between. What may be sold is worked out from these; Medusa's own
//! `available_quantity` is not looked at, because an answer to a write has the old one.

use super::ask::{Ask, moved};
use super::moved::Mark;
use super::source::Shared;
use super::wire::{exact, list, text};
use connector::outbound::{Access, Failure, classify, segment};
use connector::port::{CallContext, Fed};
use jiff::Timestamp;
use kernel::fault::Fault;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// What it gives.
pub(super) const SCHEMA: &str = "stock/1";
/// The topic of a level.
pub(super) const TOPIC: &str = "stock/level";
/// Items, and reservations, at once.
const PAGE: usize = 1000;

const FIELDS: &str = "id,sku,location_levels.location_id,location_levels.raw_stocked_quantity,\
                      location_levels.raw_reserved_quantity,location_levels.raw_incoming_quantity,\
                      location_levels.updated_at";

/// What is there of one SKU at one location.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Level {
    sku: String,
    /// As it is called here.
    location: String,
    stocked: Decimal,
    reserved: Decimal,
    counted: Decimal,
    /// On its way; Medusa knows of no date.
    incoming: Decimal,
    pub(super) updated_at: Timestamp,
}

impl Level {
    /// In the form of docs/connectors/stock_feed.md.
    pub(super) fn payload(&self) -> Vec<u8> {
        let mut body = json!({
            "sku": self.sku, "location": self.location, "on_hand": self.stocked.to_string(),
            "reserved": self.reserved.to_string(), "counted": self.counted.to_string(),
            "changed_at": self.updated_at.to_string(),
        });
        if !self.incoming.is_zero() {
            body["incoming"] = json!([{ "quantity": self.incoming.to_string() }]);
        }
        body.to_string().into_bytes()
    }

    pub(super) fn fed(&self, number: i64) -> Fed {
        Fed {
            path: self.path(),
            topic: TOPIC.to_owned(),
            sequence: number,
            payload: self.payload(),
            change: None,
        }
    }

    /// What is compared: one that was written again as it was has not changed.
    pub(super) fn mark(&self) -> Mark {
        let pair = Sha256::digest(self.path());
        let Self { stocked, reserved, counted, incoming, .. } = self;
        let has = Sha256::digest(format!("{stocked} {reserved} {counted} {incoming}"));
        let (mut pair_of, mut has_of) = ([0; 16], [0; 8]);
        pair_of.copy_from_slice(&pair[..16]);
        has_of.copy_from_slice(&has[..8]);
        (pair_of, u64::from_be_bytes(has_of))
    }

    pub(super) fn path(&self) -> String {
        domains::inventory::path(&self.sku, &self.location)
    }
}

/// A reservation for a line.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Reserved {
    /// Of which item, at which location.
    pair: (String, String),
    quantity: Decimal,
    line: String,
    at: Timestamp,
}

/// By their ids.
type Reservations = BTreeMap<String, Reserved>;

/// Which levels are asked for.
#[derive(Debug, Clone)]
pub(super) enum Of {
    All,
    Sku(String),
}

/// Levels that were read together.
#[derive(Debug)]
pub(super) struct Page {
    /// Of our own clock, from before they were read.
    pub(super) number: i64,
    pub(super) levels: Vec<Level>,
}

/// Levels, read as they are asked for.
#[derive(Debug)]
pub(super) struct Pages {
    of: Of,
    /// How many items were read, and the last of them.
    read: usize,
    last: Option<String>,
    ended: bool,
    before: Option<Reservations>,
}

impl Pages {
    pub(super) fn new(of: Of) -> Self {
        Self { of, read: 0, last: None, ended: false, before: None }
    }

    /// `None` after the last. Each page begins with the last item of the one before: if another one stands there, items were taken
    /// away meanwhile, and one may have been left out.
    pub(super) async fn next(&mut self, shared: &Shared, call: &CallContext) -> Result<Option<Page>, Fault> {
        if self.ended {
            return Ok(None);
        }
        let ask = shared.ask(call);
        let before = match self.before.take() {
            Some(before) => before,
            None => ask.reservations(&self.of).await?,
        };
        let number = shared.numbers.next(call.now);
        let of = match &self.of {
            Of::All => String::new(),
            Of::Sku(sku) => format!("sku={}&", segment(sku)),
        };
        let locations = ask.locations("location_levels[location_id]");
        let path = format!("/admin/inventory-items?{of}{locations}order=id&fields={FIELDS}");
        let (items, _) = ask.page(&path, "inventory_items", PAGE, self.read.saturating_sub(1)).await?;
        let full = items.len() >= PAGE;
        let items = match &self.last {
            None => &items[..],
            Some(last) => match items.split_first() {
                Some((first, rest)) if text(first, "id").as_ref() == Some(last) => rest,
                _ => return Err(moved("inventory_items")),
            },
        };
        self.read += items.len();
        self.last = items.last().and_then(|item| text(item, "id"));
        self.ended = !full || items.is_empty();
        let after = if before.is_empty() { Reservations::new() } else { ask.reservations(&self.of).await? };
        let counted = counted(shared, call, &before, &after).await?;
        if matches!(self.of, Of::All) {
            let reserved: BTreeSet<&str> = after.values().map(|one| one.line.as_str()).collect();
            shared.ours(&call.shop, |ours| ours.only(&reserved));
        }
        self.before = Some(after).filter(|_| !before.is_empty());
        let mut levels = Vec::new();
        for item in items {
            levels.extend(ask.levels_of(item, &counted).ok_or_else(unreadable)?);
        }
        if let Of::Sku(sku) = &self.of {
            levels.retain(|level| level.sku == *sku);
        }
        Ok(Some(Page { number, levels }))
    }
}

/// By item and location: what is reserved for this shop's orders.
async fn counted(
    shared: &Shared,
    call: &CallContext,
    before: &Reservations,
    after: &Reservations,
) -> Result<BTreeMap<(String, String), Decimal>, Fault> {
    let held = both(before, after);
    let lines: Vec<(&str, Timestamp)> = held.iter().map(|one| (one.line.as_str(), one.at)).collect();
    let ours = shared.ours_of(call, &lines).await?;
    let mut sums = BTreeMap::new();
    for one in held.iter().filter(|one| ours.contains(one.line.as_str())) {
        *sums.entry(one.pair.clone()).or_default() += one.quantity;
    }
    Ok(sums)
}

impl Ask<'_> {
    /// A filter by the connection's locations.
    fn locations(&self, name: &str) -> String {
        self.config.locations.values().map(|id| format!("{}[]={}&", segment(name), segment(id))).collect()
    }

    /// What is reserved for lines. One that a page left out while others went is counted next time.
    async fn reservations(&self, of: &Of) -> Result<Reservations, Fault> {
        let mut found = Reservations::new();
        let of = match of {
            Of::All => String::new(),
            Of::Sku(sku) => match self.item_of(sku).await? {
                Some(item) => format!("inventory_item_id[]={}&", segment(&item)),
                None => return Ok(found),
            },
        };
        let locations = self.locations("location_id");
        let fields = "id,line_item_id,inventory_item_id,location_id,raw_quantity,created_at";
        let path = format!("/admin/reservations?{of}{locations}order=id&fields={fields}");
        let mut offset = 0;
        loop {
            let (page, count) = self.page(&path, "reservations", PAGE, offset).await?;
            offset += page.len();
            for one in &page {
                let Some(line) = text(one, "line_item_id") else { continue };
                let read = || {
                    let pair = (text(one, "inventory_item_id")?, text(one, "location_id")?);
                    let (quantity, at) = (exact(one, "quantity")?, text(one, "created_at")?.parse().ok()?);
                    Some((text(one, "id")?, Reserved { pair, quantity, line, at }))
                };
                let (id, held) = read().ok_or_else(unreadable)?;
                found.insert(id, held);
            }
            if page.is_empty() || offset >= count {
                return Ok(found);
            }
        }
    }

    async fn item_of(&self, sku: &str) -> Result<Option<String>, Fault> {
        let path = format!("/admin/inventory-items?sku={}&fields=id,sku", segment(sku));
        let items = self.all(&path, "inventory_items", PAGE).await?;
        let item = items.iter().find(|item| text(item, "sku").as_deref() == Some(sku));
        Ok(item.and_then(|item| text(item, "id")))
    }

    /// The levels of an item at our locations; none of one without a SKU. `None`: it is not of the form that is known.
    fn levels_of(&self, item: &Value, counted: &BTreeMap<(String, String), Decimal>) -> Option<Vec<Level>> {
        let Some(sku) = text(item, "sku").filter(|sku| !sku.trim().is_empty()) else {
            return Some(Vec::new());
        };
        let id = text(item, "id")?;
        let mut levels = Vec::new();
        for level in list(item, "location_levels") {
            let place = text(level, "location_id")?;
            let Some(location) = self.config.called(&place).map(str::to_owned) else { continue };
            let pair = (id.clone(), place);
            levels.push(Level {
                sku: sku.clone(),
                location,
                stocked: exact(level, "stocked_quantity")?,
                reserved: exact(level, "reserved_quantity")?,
                counted: counted.get(&pair).copied().unwrap_or_default(),
                // One that says nothing of it expects none.
                incoming: match level.get("raw_incoming_quantity") {
                    None | Some(Value::Null) => Decimal::ZERO,
                    Some(_) => exact(level, "incoming_quantity")?,
                },
                updated_at: text(level, "updated_at")?.parse().ok()?,
            });
        }
        Some(levels)
    }
}

/// What stood there before and after, as much of it as both times.
fn both(before: &Reservations, after: &Reservations) -> Vec<Reserved> {
    let still = |(id, was): (&String, &Reserved)| {
        let is = after.get(id).filter(|is| is.pair == was.pair)?;
        Some(Reserved { quantity: was.quantity.min(is.quantity), ..is.clone() })
    };
    before.iter().filter_map(still).collect()
}

fn unreadable() -> Fault {
    let why = "a level or a reservation is not of the form that is known".to_owned();
    classify::failure(Access::Read, &Failure::Unreadable(why))
}

/// Levels of so many things, each written a second after the one before.
#[cfg(test)]
pub(super) fn many(number: i64) -> Vec<(i64, Level)> {
    let level = |at: i64| Level {
        sku: format!("SKU-{at}"),
        location: "ROT".to_owned(),
        stocked: Decimal::from(at),
        reserved: Decimal::ZERO,
        counted: Decimal::ZERO,
        incoming: Decimal::ZERO,
        updated_at: Timestamp::from_second(1_795_478_400 + at).unwrap_or_default(),
    };
    (1..=number).map(|at| (at, level(at))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_reserved_before_and_after_is_counted() {
        let of = |all: &[(&str, &str, i64)]| -> Reservations {
            let one = |item: &str, quantity: i64| Reserved {
                pair: (item.to_owned(), "L".to_owned()),
                quantity: Decimal::from(quantity),
                line: format!("line of {item}"),
                at: Timestamp::UNIX_EPOCH,
            };
            all.iter().map(|(id, item, quantity)| ((*id).to_owned(), one(item, *quantity))).collect()
        };
        let before = of(&[("r1", "a", 2), ("r2", "a", 3), ("r3", "b", 1)]);
        let after = of(&[("r1", "a", 2), ("r2", "a", 1), ("r4", "b", 7)]);
        let both: Vec<(String, Decimal)> =
            both(&before, &after).into_iter().map(|one| (one.pair.0, one.quantity)).collect();
        assert_eq!(both, [("a".to_owned(), Decimal::from(2)), ("a".to_owned(), Decimal::from(1))]);
    }
}
