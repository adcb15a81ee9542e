//! What is wanted of one price list: for whom it is, and its prices, read once through a port and kept small.

use super::offer::{Item, Offer, Why, express};
use super::shelf::Shelf;
use jiff::Timestamp;
use kernel::money::Currency;
use serde::ser::{Serialize, SerializeStruct as _, Serializer};
use std::collections::BTreeSet;
use std::fmt;

/// Where the prices of a list come from. Asked once for each plan.
pub trait PriceSource: Send + Sync {
    /// Tells every price of the list, in any order; the error is shown to a person.
    fn each(&self, tell: &mut dyn FnMut(&str, &Offer)) -> Result<(), String>;
}

impl PriceSource for Vec<(String, Offer)> {
    fn each(&self, tell: &mut dyn FnMut(&str, &Offer)) -> Result<(), String> {
        self.iter().for_each(|(sku, offer)| tell(sku, offer));
        Ok(())
    }
}

/// For whom a list is, in the shop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// Company locations, by their numbers: catalogs are made for them.
    Locations(BTreeSet<u64>),
    /// A price list that a person made in the shop, by its name (below Plus, where only markets have catalogs): its prices
    /// are written, its catalog is left alone.
    Existing(String),
}

/// One list of one currency. The lists of a run stand in the order in which resolution asks them, and all lists of a
/// location are there: else it could not be known which price the location would be charged.
pub struct Wanted {
    pub id: String,
    pub currency: Currency,
    pub place: Place,
    pub prices: Box<dyn PriceSource>,
    /// Prices of it may depend on the quantity. Where that is excluded a large list is read far cheaper.
    pub has_quantities: bool,
}

impl fmt::Debug for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut told = f.debug_struct("Wanted");
        told.field("id", &self.id).field("currency", &self.currency).field("place", &self.place);
        told.finish_non_exhaustive()
    }
}

/// A price that a catalog cannot say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    pub sku: String,
    pub why: Why,
}

impl Serialize for Left {
    /// The reason in one word for programs, and in words for people.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Left", 3)?;
        fields.serialize_field("sku", &self.sku)?;
        fields.serialize_field("code", self.why.code())?;
        fields.serialize_field("why", &self.why.to_string())?;
        fields.end()
    }
}

/// A list, read: what can be said of it, and what cannot.
#[derive(Debug, Clone, Default)]
pub struct List {
    /// By the number of the good, rising.
    pub items: Vec<(u32, Item)>,
    pub left: Vec<Left>,
    /// SKUs that the shop does not have.
    pub unknown: Vec<String>,
    /// When the first of its prices will be another.
    pub ends: Option<Timestamp>,
}

/// Reads a list, in the shop's goods.
pub fn gather(wanted: &Wanted, shelf: &Shelf) -> Result<List, String> {
    let mut list = List::default();
    wanted.prices.each(&mut |sku, offer| {
        let Some(good) = shelf.find(sku) else {
            list.unknown.push(sku.to_owned());
            return;
        };
        list.ends = list.ends.into_iter().chain(offer.ends).min();
        match express(wanted.currency, offer) {
            Ok(item) => list.items.push((good, item)),
            Err(why) => list.left.push(Left { sku: sku.to_owned(), why }),
        }
    })?;
    list.items.sort_unstable_by_key(|(good, _)| *good);
    let twice: BTreeSet<u32> =
        list.items.windows(2).filter(|two| two[0].0 == two[1].0).map(|two| two[0].0).collect();
    if !twice.is_empty() {
        list.items.retain(|(good, _)| !twice.contains(good));
        let sku = |good: &u32| shelf.good(*good).map(|good| good.sku.clone()).unwrap_or_default();
        list.left.extend(twice.iter().map(|good| Left { sku: sku(good), why: Why::Twice }));
    }
    Ok(list)
}
