//! What a Shopify Function carries of one company location's prices: the metafield that `functions/prices` reads, as large as Shopify
//! gives it to a function and no larger. Owns which SKUs fit; their form is `pricing::carried`'s. Nothing is sent to Shopify.

use super::{PriceError, Prices};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use price_store::{PriceStore, Version};
use pricing::Sku;
use pricing::carried::{BYTES_MAX, Carried, PackFault, Packing};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The app's own namespace, which buyers cannot read.
const NAMESPACE: &str = "$app:tidegate";
const KEY: &str = "prices";
/// No metafield takes more: the shortest entry has 17 bytes.
const SKUS_MAX: usize = 600;
/// Of those that do not fit, so many are named.
const NAMED_MAX: usize = 100;

/// What is asked.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Carry {
    pub company_location: String,
    /// In this order as many as fit; all that the location's lists have, where they are absent.
    pub skus: Option<Vec<String>>,
    /// The shop's, by its name in the tz database; that of the terms, where it is absent.
    pub zone: Option<String>,
}

/// One location's metafield, and what it does not hold.
#[derive(Debug, Clone, Serialize)]
pub struct Carriage {
    pub version: u64,
    pub at: Timestamp,
    /// An element of `metafields` of Shopify's `metafieldsSet`.
    pub metafield: Metafield,
    pub bytes: usize,
    pub bytes_max: usize,
    pub skus: usize,
    /// The first of those that do not fit, and whether there are more.
    pub left_out: Vec<String>,
    pub left_out_more: bool,
    /// Of those that were asked for: no list of the location has a price.
    pub without_price: Vec<String>,
    /// The last day of the shop on which it counts.
    pub last_day: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Metafield {
    pub owner_id: String,
    pub namespace: &'static str,
    pub key: &'static str,
    pub r#type: &'static str,
    pub value: String,
}

impl Prices {
    /// # Errors
    /// A location or a zone that is none, a list that is damaged, a price that changes within the day.
    pub async fn function(&self, asked: Carry) -> Result<Carriage, PriceError> {
        let at = super::whole_second(self.clock.now().wall);
        self.waiting(move |store| Ok(carriage(store, &asked, at))).await?
    }
}

fn carriage(store: &PriceStore, asked: &Carry, at: Timestamp) -> Result<Carriage, PriceError> {
    let version = store.current();
    let terms = version.terms();
    let buyer = terms
        .buyer(&asked.company_location)
        .ok_or_else(|| PriceError::unknown_buyer(&asked.company_location))?;
    let zone = match &asked.zone {
        Some(name) => TimeZone::get(name).map_err(|_| {
            PriceError::mend(format!("{name:?} is no time zone: write one such as Europe/Berlin"))
        })?,
        None => terms.zone(),
    };
    let book = version.book();
    let packing = Packing { terms, book: &book, buyer, at, zone: &zone };
    let pack = |skus: &[String]| packing.pack(skus.iter().map(String::as_str)).map_err(unpacked);
    let lists = pack(&[])?.lists;
    if let Some(list) = lists.iter().find(|list| version.damage().lists.contains(&list.id)) {
        return Err(PriceError::no_prices(format!("the list {} is damaged: load it anew first", list.id)));
    }
    let (skus, more) = match &asked.skus {
        Some(skus) => (one_spelling(skus), false),
        None => skus_of(&version, lists.iter().map(|list| list.id.as_str())),
    };
    // The longest beginning that fits: what is added makes it longer.
    let (mut fits, mut not) = (0, skus.len() + 1);
    let (mut carried, mut value) = written(pack(&[])?)?;
    while not - fits > 1 {
        let middle = fits + (not - fits) / 2;
        let (of_middle, text) = written(pack(&skus[..middle])?)?;
        if text.len() <= BYTES_MAX {
            (fits, carried, value) = (middle, of_middle, text);
        } else {
            not = middle;
        }
    }
    let out = &skus[fits..];
    let without_price =
        skus[..fits].iter().filter(|sku| !carried.prices.contains_key(*sku)).cloned().collect();
    Ok(Carriage {
        version: version.number(),
        at,
        bytes: value.len(),
        bytes_max: BYTES_MAX,
        skus: carried.prices.len(),
        left_out: out.iter().take(NAMED_MAX).cloned().collect(),
        left_out_more: more || out.len() > NAMED_MAX,
        without_price,
        last_day: carried.last,
        metafield: Metafield {
            owner_id: asked.company_location.clone(),
            namespace: NAMESPACE,
            key: KEY,
            r#type: "json",
            value,
        },
    })
}

fn written(carried: Carried) -> Result<(Carried, String), PriceError> {
    let value = serde_json::to_value(&carried).map(|value: Value| value.to_string());
    value.map(|value| (carried, value)).map_err(|_| PriceError::broke_off())
}

fn unpacked(fault: PackFault) -> PriceError {
    PriceError::mend(fault.to_string())
}

/// Each once, in the order in which they were written; what is no SKU has no price either.
fn one_spelling(skus: &[String]) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let spelled = skus.iter().map(|sku| Sku::spell(sku).map_or_else(|_| sku.clone(), |sku| sku.into_owned()));
    spelled.filter(|sku| seen.insert(sku.clone())).collect()
}

/// Those that any of the lists has, so far as a metafield could hold them, and whether there are more.
fn skus_of<'l>(version: &Arc<Version>, lists: impl Iterator<Item = &'l str>) -> (Vec<String>, bool) {
    let mut keys = BTreeSet::new();
    for list in lists.filter_map(|list| version.list(list)) {
        for (key, _) in version.walk(list) {
            keys.insert(key);
            if keys.len() > SKUS_MAX {
                break;
            }
        }
    }
    let names = keys.iter().take(SKUS_MAX).filter_map(|key| version.sku(*key)).map(str::to_owned);
    (names.collect(), keys.len() > SKUS_MAX)
}
