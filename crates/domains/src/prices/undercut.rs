//! Where the price list of a market is lower than what is wanted for company locations. Which locations a market reaches Shopify's
//! API does not say; one that it reaches is charged the lower of the two. So this is told, and nothing is decided by it.

use super::shelf::Shelf;
use super::wanted::{List, Place, Wanted};
use serde::Serialize;

/// Of one market's list and one list of company locations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Undercut {
    /// The name of the market's price list.
    pub market: String,
    /// The list that it is lower than.
    pub list: String,
    /// Goods of both that the market offers for less, at some quantity.
    pub prices: usize,
    /// The first of them.
    pub sku: String,
}

/// `lists` stand in the order of `wanted`.
#[must_use]
pub fn undercuts(wanted: &[Wanted], lists: &[List], shelf: &Shelf) -> Vec<Undercut> {
    let with_lists = || wanted.iter().zip(lists);
    let mut found = Vec::new();
    for (market, public) in with_lists() {
        let Place::Existing(name) = &market.place else { continue };
        let of_locations = with_lists()
            .filter(|(one, _)| one.currency == market.currency && matches!(one.place, Place::Locations(_)));
        for (one, list) in of_locations {
            let lower = lower(public, list);
            let first = lower.first().and_then(|good| shelf.good(*good));
            if let Some(first) = first {
                found.push(Undercut {
                    market: name.clone(),
                    list: one.id.clone(),
                    prices: lower.len(),
                    sku: first.sku.clone(),
                });
            }
        }
    }
    found
}

/// Goods that both have and the first has for less. Both are in the order of the goods.
fn lower(public: &List, list: &List) -> Vec<u32> {
    let mut theirs = list.items.iter().peekable();
    let mut lower = Vec::new();
    for (good, offered) in &public.items {
        while theirs.next_if(|(other, _)| other < good).is_some() {}
        let Some((_, wanted)) = theirs.next_if(|(other, _)| other == good) else { continue };
        let begins = offered.breaks().iter().chain(wanted.breaks()).map(|(minimum, _)| *minimum);
        if std::iter::once(1).chain(begins).any(|quantity| offered.at(quantity) < wanted.at(quantity)) {
            lower.push(*good);
        }
    }
    lower
}
