//! Which open units of an order a shipment takes from a shop's fulfilment orders, each a part of the order that is to leave from
//! one place. Pure. A parcel is one fulfilment where one place has all of it. Where no one place has, and it may have left from
//! several that have it together, it is one fulfilment at each of them: as few as follow from taking from the place with the most
//! first. Refuses to take from a place that the shipment does not name.

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

/// What is taken from one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allotment {
    pub place: String,
    /// Each SKU once.
    pub lines: Vec<(String, u32)>,
    /// The same, by fulfilment order.
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
    /// It is there, and may not leave yet: waits.
    Later { why: String },
}

/// Takes the units from the first place that has all of them, else from several, the most last; `at`: from these places alone,
/// where it names any. At least one, each of another place.
///
/// # Errors
/// What stands against it; the first SKU where several are short.
pub fn allot(wanted: &[(&str, u32)], at: &[&str], open: &[Open]) -> Result<Vec<Allotment>, Short> {
    for (sku, _) in wanted {
        known(sku, open)?;
    }
    let all = distinct(open.iter().map(|order| order.place.as_str()));
    let places: Vec<&str> = if at.is_empty() { all } else { distinct(at.iter().copied()) };
    if let Some(allotment) = places.iter().find_map(|place| allot_at(wanted, place, open)) {
        return Ok(vec![allotment]);
    }
    // Held somewhere, where it would fit: it waits there, and is not sent off from a worse place meanwhile.
    let is_held = places.iter().any(|place| is_whole(&taken(wanted, place, open, is_ever_open), wanted));
    if !is_held && let Some(allotments) = divided(wanted, &places, open, is_open) {
        return Ok(allotments);
    }
    if is_held || divided(wanted, &places, open, is_ever_open).is_some() {
        let waits = |order: &&Open| places.contains(&order.place.as_str()) && of(order, wanted) > 0;
        let why = open.iter().filter(waits).find_map(|order| match &order.stand {
            Stand::Later(why) => Some(why.clone()),
            Stand::Open | Stand::Closed(_) => None,
        });
        return Err(Short::Later { why: why.unwrap_or_default() });
    }
    Err(short(wanted, at, open))
}

/// All of the units from one place, where they are all open there.
#[must_use]
pub fn allot_at(wanted: &[(&str, u32)], place: &str, open: &[Open]) -> Option<Allotment> {
    Some(taken(wanted, place, open, is_open)).filter(|allotment| is_whole(allotment, wanted))
}

/// From several places, the one that has the most of what is left first, the earlier of those that have as much: so it comes last,
/// when all else has been taken. `None` where they have not all of it together.
fn divided(
    wanted: &[(&str, u32)],
    places: &[&str],
    open: &[Open],
    may: impl Fn(&Stand) -> bool + Copy,
) -> Option<Vec<Allotment>> {
    let (mut left, mut places) = (wanted.to_vec(), places.to_vec());
    let mut allotments: Vec<Allotment> = Vec::new();
    while left.iter().any(|(_, units)| *units > 0) {
        let there = places.iter().map(|place| taken(&left, place, open, may));
        let most = there.reduce(|most, one| if one.units() > most.units() { one } else { most })?;
        if most.units() == 0 {
            return None;
        }
        for (sku, units) in &most.lines {
            let of = left.iter_mut().filter(|(wanted, _)| *wanted == sku.as_str());
            of.for_each(|(_, left)| *left = left.saturating_sub(*units));
        }
        places.retain(|place| *place != most.place);
        allotments.push(most);
    }
    allotments.reverse();
    Some(allotments).filter(|allotments| !allotments.is_empty())
}

/// Why there are not enough.
fn short(wanted: &[(&str, u32)], at: &[&str], open: &[Open]) -> Short {
    let all = wanted.iter().map(|(sku, units)| (*sku, *units, remaining(sku, &[], open)));
    if let Some((sku, wanted, everywhere)) = all.clone().find(|(_, units, there)| there < units) {
        let closed = open.iter().find_map(|order| match &order.stand {
            Stand::Closed(why) if order.lines.iter().any(|line| line.sku.as_deref() == Some(sku)) => {
                Some(why.clone())
            }
            _ => None,
        });
        let closed = closed.filter(|_| everywhere == 0);
        return Short::TooMany { sku: sku.to_owned(), wanted, open: everywhere, closed };
    }
    let elsewhere = all.clone().find(|(sku, units, _)| remaining(sku, at, open) < *units);
    let sku = elsewhere.or_else(|| all.clone().next()).map(|(sku, ..)| sku).unwrap_or_default();
    Short::Elsewhere { sku: sku.to_owned(), places: names(sku, open) }
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

/// As many of the units as one place has, in the order of its fulfilment orders.
fn taken(wanted: &[(&str, u32)], place: &str, open: &[Open], may: impl Fn(&Stand) -> bool) -> Allotment {
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
    let lines = wanted.iter().map(|(sku, units)| ((*sku).to_owned(), units.saturating_sub(left[sku])));
    let lines = lines.filter(|(_, units)| *units > 0).collect();
    Allotment { place: place.to_owned(), lines, parts }
}

impl Allotment {
    fn units(&self) -> u64 {
        self.lines.iter().map(|(_, units)| u64::from(*units)).sum()
    }
}

/// Whether it is all that is wanted, and something.
fn is_whole(allotment: &Allotment, wanted: &[(&str, u32)]) -> bool {
    let all: u64 = wanted.iter().map(|(_, units)| u64::from(*units)).sum();
    all > 0 && allotment.units() == all
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
