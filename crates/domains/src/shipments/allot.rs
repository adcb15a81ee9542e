//! Which open units of an order a shipment takes: from a shop's fulfilment orders at one location, each a part of the order
//! that is to leave from one place. Pure. A shipment is one parcel run from one place, so it becomes one fulfilment; what would
//! need two is refused, never split in silence.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One fulfilment order, as it stands now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Open {
    pub id: String,
    /// What tells locations apart.
    pub place: String,
    /// What people call it.
    pub place_name: String,
    pub stand: Stand,
    pub lines: Vec<Line>,
}

/// Whether something of it may leave now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stand {
    Open,
    /// Not now, and later perhaps: on hold, scheduled. In words.
    Later(String),
    /// Never: closed, cancelled, in the hands of somebody else. In words.
    Closed(String),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    pub id: String,
    /// `None` for what has none.
    pub sku: Option<String>,
    /// Units that have not left yet.
    pub remaining: u32,
}

/// What is taken from one fulfilment order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    pub fulfilment_order: String,
    /// Line and units.
    pub lines: Vec<(String, u32)>,
}

/// What is taken, and from where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allotment {
    pub place: String,
    pub parts: Vec<Part>,
}

/// Why a shipment cannot be recorded as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Short {
    /// The order has no such SKU; `similar` differs by case or blanks alone.
    UnknownSku { sku: String, similar: Option<String> },
    /// Less is open of it, anywhere.
    TooMany { sku: String, wanted: u32, open: u32, closed: Option<String> },
    /// It is open, and not at a place that the shipment names.
    Elsewhere { sku: String, places: Vec<String> },
    /// No one place has all of it.
    Spread { places: Vec<String> },
    /// It is there, and may not leave yet: waits.
    Later { why: String },
}

/// Takes the units from the first place that has all of them; `at`: from these places alone, where it names any.
///
/// # Errors
/// What stands against it; the first SKU where several are short.
pub fn allot(wanted: &[(&str, u32)], at: &[&str], open: &[Open]) -> Result<Allotment, Short> {
    for (sku, _) in wanted {
        known(sku, open)?;
    }
    let all = distinct(open.iter().map(|order| order.place.as_str()));
    let places: Vec<&str> = if at.is_empty() { all } else { at.to_vec() };
    if let Some(allotment) = places.iter().find_map(|place| taken(wanted, place, open, is_open)) {
        return Ok(allotment);
    }
    // Held somewhere, where it would fit: it waits there, and is not sent off from a worse place meanwhile.
    if places.iter().any(|place| taken(wanted, place, open, is_ever_open).is_some()) {
        let waits = |order: &&Open| places.contains(&order.place.as_str()) && of(order, wanted) > 0;
        let why = open.iter().filter(waits).find_map(|order| match &order.stand {
            Stand::Later(why) => Some(why.clone()),
            Stand::Open | Stand::Closed(_) => None,
        });
        return Err(Short::Later { why: why.unwrap_or_default() });
    }
    for (sku, units) in wanted {
        let everywhere = remaining(sku, &[], open);
        if everywhere < *units {
            let closed = open.iter().find_map(|order| match &order.stand {
                Stand::Closed(why) if order.lines.iter().any(|line| line.sku.as_deref() == Some(sku)) => {
                    Some(why.clone())
                }
                _ => None,
            });
            return Err(Short::TooMany {
                sku: (*sku).to_owned(),
                wanted: *units,
                open: everywhere,
                closed: closed.filter(|_| everywhere == 0),
            });
        }
        if !at.is_empty() && remaining(sku, at, open) < *units {
            return Err(Short::Elsewhere { sku: (*sku).to_owned(), places: names(sku, open) });
        }
    }
    let names = wanted.iter().flat_map(|(sku, _)| names(sku, open));
    let mut places: Vec<String> = Vec::new();
    for name in names {
        if !places.contains(&name) {
            places.push(name);
        }
    }
    Err(Short::Spread { places })
}

fn is_open(stand: &Stand) -> bool {
    *stand == Stand::Open
}

fn is_ever_open(stand: &Stand) -> bool {
    !matches!(stand, Stand::Closed(_))
}

fn known(sku: &str, open: &[Open]) -> Result<(), Short> {
    let skus = || open.iter().flat_map(|order| &order.lines).filter_map(|line| line.sku.as_deref());
    if skus().any(|known| known == sku) {
        return Ok(());
    }
    let bare = |text: &str| -> String {
        text.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).collect()
    };
    let similar = skus().find(|known| bare(known) == bare(sku)).map(str::to_owned);
    Err(Short::UnknownSku { sku: sku.to_owned(), similar })
}

/// All of the units at one place, in the order of its fulfilment orders; `None` where they are not all there.
fn taken(
    wanted: &[(&str, u32)],
    place: &str,
    open: &[Open],
    may: impl Fn(&Stand) -> bool,
) -> Option<Allotment> {
    let mut left: BTreeMap<&str, u32> = wanted.iter().copied().collect();
    let mut parts = Vec::new();
    for order in open.iter().filter(|order| order.place == place && may(&order.stand)) {
        let mut lines = Vec::new();
        for line in &order.lines {
            let Some(left) = line.sku.as_deref().and_then(|sku| left.get_mut(sku)) else { continue };
            let units = (*left).min(line.remaining);
            if units > 0 {
                *left -= units;
                lines.push((line.id.clone(), units));
            }
        }
        if !lines.is_empty() {
            parts.push(Part { fulfilment_order: order.id.clone(), lines });
        }
    }
    let is_all = left.values().all(|left| *left == 0) && !parts.is_empty();
    is_all.then(|| Allotment { place: place.to_owned(), parts })
}

/// Units of what is wanted that one fulfilment order still has.
fn of(order: &Open, wanted: &[(&str, u32)]) -> u32 {
    let is_wanted = |line: &&Line| wanted.iter().any(|(sku, _)| line.sku.as_deref() == Some(*sku));
    order.lines.iter().filter(is_wanted).map(|line| line.remaining).sum()
}

/// Units that may leave now or later.
fn remaining(sku: &str, at: &[&str], open: &[Open]) -> u32 {
    let is_named = |order: &Open| at.is_empty() || at.contains(&order.place.as_str());
    let here = |order: &&Open| is_ever_open(&order.stand) && is_named(order);
    open.iter().filter(here).map(|order| of(order, &[(sku, 0)])).sum()
}

/// Where units of it may still leave from.
fn names(sku: &str, open: &[Open]) -> Vec<String> {
    let has = |order: &&Open| is_ever_open(&order.stand) && of(order, &[(sku, 0)]) > 0;
    let names = distinct(open.iter().filter(has).map(|order| order.place_name.as_str()));
    names.into_iter().map(str::to_owned).collect()
}

fn distinct<'a>(all: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut found = Vec::new();
    for one in all {
        if !found.contains(&one) {
            found.push(one);
        }
    }
    found
}

#[cfg(test)]
mod tests;
