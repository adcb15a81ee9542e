//! What the shop has: what it sells, its price lists and catalogs, and the prices of a list, in bulk or by pages.

use super::open::queries;
use super::patience::{Patience, Shop};
use super::places::{Places, SeenCatalog, SeenList};
use super::{Options, Progress, Tell, code};
use crate::bulk::{self, Lines};
use crate::graphql::{
    ALL_PRICES, ALL_VARIANTS, Document, LIST_PRICES, LIST_RULES, PLAIN_PRICES, PRICE_PLACES,
};
use domains::prices::{Held, HeldItem, Minor, Rule, Shelf};
use kernel::fault::{Fault, FaultKind};
use kernel::money::Currency;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Operations that read are begun again so often.
const TRIES: u32 = 3;

fn unreadable(what: &str, why: &str) -> Fault {
    let what = format!("{what} is not as Shopify's schema has it: {why}; nothing is written");
    Fault::new(FaultKind::Transient, code::UNREADABLE, what)
}

/// `gid://shopify/PriceList/7` → 7.
pub(crate) fn number(gid: &str) -> Option<u64> {
    gid.rsplit('/').next()?.split('?').next()?.parse().ok()
}

pub(super) fn gid(kind: &str, number: u64) -> String {
    format!("gid://shopify/{kind}/{number}")
}

/// None where the currency has no such amount: a price that nobody can have meant differs from every other.
pub(super) fn minor(currency: Currency, amount: &str) -> Option<Minor> {
    let scaled =
        amount.parse::<Decimal>().ok()?.checked_mul(Decimal::from(10_u64.pow(currency.minor_digits())))?;
    scaled.is_integer().then(|| scaled.to_i64()).flatten()
}

#[derive(Debug, Deserialize)]
struct Id {
    id: String,
}

#[derive(Debug, Deserialize)]
struct Amount {
    amount: String,
}

/// Of any of the operations.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Line {
    id: Option<String>,
    #[serde(rename = "__parentId")]
    parent: Option<String>,
    sku: Option<String>,
    name: Option<String>,
    title: Option<String>,
    status: Option<String>,
    currency: Option<String>,
    fixed_prices_count: Option<u64>,
    price_list: Option<Id>,
    variant: Option<Id>,
    price: Option<Value>,
}

impl Shop<'_> {
    /// Runs a query in the background and hands over each line of its result.
    async fn in_bulk(
        &self,
        what: &'static str,
        document: &Document,
        options: &Options,
        tell: &mut Tell<'_>,
        take: &mut (dyn FnMut(Line) -> Result<(), String> + Send),
    ) -> Result<(), Fault> {
        let mut tries = 0;
        let finished = loop {
            let mut patience = Patience::new();
            let id = loop {
                match bulk::begin(self.client, self.call, document).await {
                    Ok(id) => break id,
                    Err(fault) => match patience.after(&fault) {
                        Some(wait) => self.client.pause(wait).await,
                        None => return Err(fault),
                    },
                }
            };
            let mut look =
                |progress: &bulk::Progress| tell(&Progress::Reading { what, lines: progress.lines });
            match bulk::await_result(self.client, self.call, &id, options.within, &mut look).await {
                Ok(finished) => break finished,
                Err(fault) if fault.kind == FaultKind::Transient && tries < TRIES => {
                    tries += 1;
                    bulk::cancel(self.client, self.call, &id, options.within).await?;
                }
                Err(fault) => return Err(fault),
            }
        };
        let mut lines = Lines::open(self.client, self.call, &finished, options.within).await?;
        while let Some(line) = lines.next().await? {
            let line: Line = serde_json::from_slice(line)
                .map_err(|error| unreadable(document.name, &error.to_string()))?;
            take(line).map_err(|why| unreadable(document.name, &why))?;
        }
        Ok(())
    }

    pub(super) async fn shelf(
        &self,
        own: Currency,
        options: &Options,
        tell: &mut Tell<'_>,
    ) -> Result<Shelf, Fault> {
        let mut shelf = Shelf::default();
        let mut take = |line: Line| {
            let id = line.id.as_deref().and_then(number).ok_or("a variant without id")?;
            let price = line.price.as_ref().and_then(Value::as_str).and_then(|amount| minor(own, amount));
            shelf.add(line.sku.as_deref().unwrap_or_default(), id, price);
            Ok(())
        };
        self.in_bulk("variants", &ALL_VARIANTS, options, tell, &mut take).await?;
        Ok(shelf)
    }

    pub(super) async fn variants(
        &self,
        options: &Options,
        take: &mut (dyn FnMut(u64, &str) + Send),
    ) -> Result<(), Fault> {
        let mut line = |line: Line| {
            let id = line.id.as_deref().and_then(number).ok_or("a variant without id")?;
            take(id, line.sku.as_deref().unwrap_or_default());
            Ok(())
        };
        self.in_bulk("variants", &ALL_VARIANTS, options, &mut |_| {}, &mut line).await
    }

    pub(super) async fn places(&self, options: &Options, tell: &mut Tell<'_>) -> Result<Places, Fault> {
        let mut places = Places::default();
        // A child may come before its parent.
        let mut located: Vec<(String, u64)> = Vec::new();
        let mut take = |line: Line| {
            let id = line.id.clone().ok_or("an object without id")?;
            if id.contains("/CompanyLocation/") {
                let catalog = line.parent.ok_or("a location without its catalog")?;
                located.push((catalog, number(&id).ok_or("a location without number")?));
            } else if id.contains("/PriceList/") {
                places.lists.push(SeenList {
                    id: number(&id).ok_or("a price list without number")?,
                    name: line.name.ok_or("a price list without name")?,
                    currency: line.currency.ok_or("a price list without currency")?,
                    prices: line.fixed_prices_count.unwrap_or(0),
                });
            } else {
                places.catalogs.push(SeenCatalog {
                    is_of_locations: id.contains("/CompanyLocationCatalog/"),
                    title: line.title.ok_or("a catalog without title")?,
                    is_active: line.status.as_deref() == Some("ACTIVE"),
                    list: line.price_list.as_ref().and_then(|list| number(&list.id)),
                    locations: Default::default(),
                    id,
                });
            }
            Ok(())
        };
        self.in_bulk("catalogs", &PRICE_PLACES, options, tell, &mut take).await?;
        for (catalog, location) in located {
            if let Some(catalog) = places.catalogs.iter_mut().find(|one| one.id == catalog) {
                catalog.locations.insert(location);
            }
        }
        Ok(places)
    }

    /// Of these lists, those without breaks and rules; of the others nothing is kept.
    pub(super) async fn all_prices(
        &self,
        of: &BTreeMap<u64, Currency>,
        options: &Options,
        tell: &mut Tell<'_>,
    ) -> Result<BTreeMap<u64, Held>, Fault> {
        let mut held: BTreeMap<u64, Held> = of.keys().map(|list| (*list, Held::new())).collect();
        let mut take = |line: Line| {
            let Some(list) = line.parent.as_deref().and_then(number) else { return Ok(()) };
            let (Some(held), Some(currency)) = (held.get_mut(&list), of.get(&list)) else { return Ok(()) };
            let variant = line.variant.as_ref().and_then(|variant| number(&variant.id));
            let amount = line.price.as_ref().and_then(|price| price.get("amount")?.as_str());
            let price = minor(*currency, amount.ok_or("a price without amount")?);
            held.insert(variant.ok_or("a price without variant")?, HeldItem { price, quantities: None });
            Ok(())
        };
        self.in_bulk("prices", &ALL_PRICES, options, tell, &mut take).await?;
        Ok(held)
    }

    /// Of one list, without what depends on the quantity.
    pub(super) async fn plain_prices_of(&self, list: u64, currency: Currency) -> Result<Held, Fault> {
        let nodes = self.pages(&PLAIN_PRICES, list, &Value::Null, "/priceList/prices").await?;
        nodes.into_iter().map(|node| plain_price(node, currency)).collect()
    }

    /// Of one list, all or of some variants, with breaks and, where there may be any, rules.
    pub(super) async fn prices_of(
        &self,
        list: u64,
        currency: Currency,
        of: Option<&BTreeSet<u64>>,
        has_rules: bool,
    ) -> Result<Held, Fault> {
        let mut held = Held::new();
        for query in of.map_or_else(|| vec![Value::Null], queries) {
            for node in self.pages(&LIST_PRICES, list, &query, "/priceList/prices").await? {
                let node: PriceNode = serde_json::from_value(node)
                    .map_err(|error| unreadable(LIST_PRICES.name, &error.to_string()))?;
                let variant = number(&node.variant.id)
                    .ok_or_else(|| unreadable(LIST_PRICES.name, "a variant without number"))?;
                let item = held.entry(variant).or_default();
                item.price = minor(currency, &node.price.amount);
                for one in node.quantity_price_breaks.nodes {
                    // An amount that the currency has not differs from every wanted one.
                    let price = minor(currency, &one.price.amount).unwrap_or(Minor::MIN);
                    item.quantities_mut().breaks.push((one.minimum_quantity, price));
                }
                if let Some(quantities) = &mut item.quantities {
                    quantities.breaks.sort_unstable();
                }
            }
        }
        if !has_rules {
            return Ok(held);
        }
        // Shopify finds them by nothing.
        for node in self.pages(&LIST_RULES, list, &Value::Null, "/priceList/quantityRules").await? {
            let node: RuleNode = serde_json::from_value(node)
                .map_err(|error| unreadable(LIST_RULES.name, &error.to_string()))?;
            let variant = number(&node.product_variant.id)
                .ok_or_else(|| unreadable(LIST_RULES.name, "a variant without number"))?;
            let RuleNode { minimum, maximum, increment, .. } = node;
            if of.is_none_or(|of| of.contains(&variant)) {
                held.entry(variant).or_default().quantities_mut().rule = Rule { minimum, maximum, increment };
            }
        }
        Ok(held)
    }

    async fn pages(
        &self,
        document: &Document,
        list: u64,
        query: &Value,
        at: &str,
    ) -> Result<Vec<Value>, Fault> {
        let (mut all, mut after) = (Vec::new(), Value::Null);
        loop {
            let mut variables = json!({ "list": gid("PriceList", list), "after": after });
            if !query.is_null() {
                variables["query"] = query.clone();
            }
            let mut reply = self.read(document, &variables).await?;
            // A list that is gone by now has no prices; the next round makes it anew.
            let Some(mut page) = reply.data.pointer_mut(at).map(Value::take) else { return Ok(all) };
            let has_next = page.pointer("/pageInfo/hasNextPage").and_then(Value::as_bool) == Some(true);
            let end = page.pointer("/pageInfo/endCursor").cloned().unwrap_or_default();
            if let Some(Value::Array(nodes)) = page.get_mut("nodes").map(Value::take) {
                all.extend(nodes);
            }
            match (has_next, end) {
                (false, _) => return Ok(all),
                (true, Value::Null) => return Err(unreadable(document.name, "a page without a cursor")),
                (true, end) => after = end,
            }
        }
    }
}

/// A price of a page, and whose it is.
pub(super) fn plain_price(node: Value, currency: Currency) -> Result<(u64, HeldItem), Fault> {
    let node: PlainNode =
        serde_json::from_value(node).map_err(|error| unreadable(PLAIN_PRICES.name, &error.to_string()))?;
    let variant =
        number(&node.variant.id).ok_or_else(|| unreadable(PLAIN_PRICES.name, "a variant without number"))?;
    Ok((variant, HeldItem { price: minor(currency, &node.price.amount), quantities: None }))
}

#[derive(Debug, Deserialize)]
struct PlainNode {
    price: Amount,
    variant: Id,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PriceNode {
    price: Amount,
    variant: Id,
    quantity_price_breaks: Breaks,
}

#[derive(Debug, Deserialize)]
struct Breaks {
    nodes: Vec<BreakNode>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct BreakNode {
    minimum_quantity: u32,
    price: Amount,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RuleNode {
    minimum: u32,
    maximum: Option<u32>,
    increment: u32,
    product_variant: Id,
}
