//! `PriceList`, its prices and the breaks of each.

use super::product::VariantNode;
use super::{CatalogNode, id_of};
use crate::shop::{Currency, gid, graphql_amount};
use crate::shopify::answer::{
    Arguments, Node, Record, Refusal, Request, Resolved, leaf, null, object, optional, unmodelled,
};
use crate::shopify::page::{Key, Shape, connection};
use crate::shopify::prices::{Amount, Break, List, NO_RULE, Price};
use crate::shopify::search::Query;
use crate::shopify::stock::Good;
use rust_decimal::Decimal;
use std::sync::Arc;

const LISTS: Shape = Shape { connection: "PriceListConnection", edge: "PriceListEdge" };
const PRICES: Shape = Shape { connection: "PriceListPriceConnection", edge: "PriceListPriceEdge" };
const BREAKS: Shape = Shape { connection: "QuantityPriceBreakConnection", edge: "QuantityPriceBreakEdge" };
const RULES: Shape = Shape { connection: "QuantityRuleConnection", edge: "QuantityRuleEdge" };

/// Reads what it needs when it is asked: a list may hold tens of thousands of prices.
pub(in crate::shopify) struct PriceListNode(u64);

pub(in crate::shopify) fn price_lists(args: &Arguments, request: &Request) -> Resolved {
    if args.text("sortKey").is_some_and(|key| key != "ID") {
        return Err(Refusal::not_modelled("priceLists in another order than by id"));
    }
    let ids: Vec<u64> = {
        let state = request.shop.state();
        let (skip, take) = request.piece.unwrap_or((0, usize::MAX));
        state.prices.lists.keys().copied().skip(skip).take(take).collect()
    };
    let items = ids.into_iter().map(|id| (Key { value: i128::from(id), id }, id)).collect();
    connection(LISTS, items, args, request, PriceListNode)
}

fn money(currency: Currency, amount: Amount) -> Record {
    Record::new("MoneyV2")
        .leaf("amount", graphql_amount(currency, amount.decimal()))
        .leaf("currencyCode", currency.code())
}

impl PriceListNode {
    pub(in crate::shopify) fn find(request: &Request, id: u64) -> Option<Self> {
        request.shop.state().prices.lists.contains_key(&id).then_some(Self(id))
    }

    fn read<T>(&self, request: &Request, of: impl FnOnce(&List) -> T) -> Result<T, Refusal> {
        let state = request.shop.state();
        let list = state.prices.lists.get(&self.0);
        list.map(of).ok_or_else(|| Refusal::new("RESOURCE_NOT_FOUND", "The price list is gone."))
    }

    fn prices(&self, args: &Arguments, request: &Arc<Request>) -> Resolved {
        let wanted = variants("prices", args, request)?;
        let origin = args.text("originType");
        let goods = request.shop.state().stock.goods();
        let found: Vec<(Key, PricedNode)> = self.read(request, |list| {
            let one = |good: Good| {
                let (own, fixed) = (own_price(good), list.prices.get(&good).copied());
                let is_wanted = origin.is_none_or(|origin| (origin == "FIXED") == fixed.is_some());
                let price = match fixed {
                    Some(price) => price,
                    None if list.currency == request.shop.config.currency => {
                        Price { amount: list.relative(own)?, compare_at: None }
                    }
                    // Converted by a rate that the look-alike has not.
                    None => return None,
                };
                let id = good.variant_id();
                let node = PricedNode {
                    list: self.0,
                    good,
                    currency: list.currency,
                    price,
                    is_fixed: fixed.is_some(),
                };
                is_wanted.then_some((Key { value: i128::from(id), id }, node))
            };
            match (&wanted, origin) {
                (Some(wanted), _) => {
                    let mut named: Vec<Good> = wanted.iter().filter_map(|id| goods.by_variant(*id)).collect();
                    named.sort_unstable();
                    named.dedup();
                    named.into_iter().filter_map(one).collect()
                }
                (None, Some("FIXED")) => list.prices.keys().copied().filter_map(one).collect(),
                (None, _) => goods.all().filter_map(one).collect(),
            }
        })?;
        connection(PRICES, sorted(found), args, request, |price| price)
    }

    fn rules(&self, args: &Arguments, request: &Arc<Request>) -> Resolved {
        if args.text("originType") != Some("FIXED") {
            return Err(Refusal::not_modelled("quantityRules of another origin than FIXED"));
        }
        let found: Vec<_> = self.read(request, |list| {
            let rules = list.rules.iter();
            rules
                .map(|(good, rule)| {
                    (Key { value: i128::from(good.variant_id()), id: good.variant_id() }, (*good, *rule))
                })
                .collect()
        })?;
        connection(RULES, sorted(found), args, request, |(good, rule)| {
            Record::new("QuantityRule")
                .leaf("minimum", rule.minimum)
                .leaf("maximum", rule.maximum)
                .leaf("increment", rule.increment)
                .leaf("isDefault", rule == NO_RULE)
                .leaf("originType", "FIXED")
                .node("productVariant", VariantNode::Sold(good))
        })
    }
}

fn sorted<T>(mut found: Vec<(Key, T)>) -> Vec<(Key, T)> {
    found.sort_by_key(|(key, _)| *key);
    found
}

fn own_price(good: Good) -> Decimal {
    Decimal::new(good.price_cents(), 2)
}

/// Those that a query names; prices are found by no other field.
fn variants(path: &str, args: &Arguments, request: &Request) -> Result<Option<Vec<u64>>, Refusal> {
    let text = args.text("query").unwrap_or_default();
    if text.trim().is_empty() {
        return Ok(None);
    }
    let query =
        Query::parse(text).map_err(|error| Refusal::bad_request(format!("Invalid search query: {error}")))?;
    request.warn_of_unknown(path, text, &query, &["id", "product_id", "variant_id"]);
    let only = query.fields().iter().all(|field| *field == "variant_id");
    let named = query.values_of("variant_id").filter(|_| only);
    let named = named.ok_or_else(|| Refusal::not_modelled("prices found by anything but variant_id"))?;
    let id = |text: &str| match id_of("ProductVariant", text) {
        Ok(id) => Some(id),
        Err(_) => text.parse().ok(),
    };
    Ok(Some(named.into_iter().filter_map(id).collect()))
}

impl Node for PriceListNode {
    fn type_name(&self) -> &'static str {
        "PriceList"
    }

    fn field(&self, name: &str, args: &Arguments, request: &Arc<Request>) -> Resolved {
        match name {
            "id" => leaf(gid("PriceList", self.0)),
            "name" => leaf(self.read(request, |list| list.name.clone())?),
            "currency" => leaf(self.read(request, |list| list.currency.code())?),
            "fixedPricesCount" => leaf(self.read(request, |list| list.prices.len())?),
            "catalog" => {
                let catalog = request.shop.state().prices.catalog_of(self.0).cloned();
                optional(catalog.map(CatalogNode))
            }
            "parent" => object(parent(self.read(request, |list| list.adjustment)?)),
            "prices" => self.prices(args, request),
            "quantityRules" => self.rules(args, request),
            other => Err(unmodelled("PriceList", other)),
        }
    }
}

fn parent(adjustment: Decimal) -> Record {
    let kind = if adjustment > Decimal::ZERO { "PERCENTAGE_INCREASE" } else { "PERCENTAGE_DECREASE" };
    let value: f64 = adjustment.abs().try_into().unwrap_or_default();
    let adjustment = Record::new("PriceListAdjustment").leaf("type", kind).leaf("value", value);
    Record::new("PriceListParent")
        .node("adjustment", adjustment)
        .node("settings", Record::new("PriceListAdjustmentSettings").leaf("compareAtMode", "NULLIFY"))
}

/// A price as it was when it was asked for.
pub(in crate::shopify) struct PricedNode {
    list: u64,
    good: Good,
    currency: Currency,
    price: Price,
    is_fixed: bool,
}

impl PricedNode {
    /// The fixed prices of these items, as they are now.
    pub(in crate::shopify) fn of(request: &Request, list: u64, goods: &[Good]) -> Vec<Self> {
        let state = request.shop.state();
        let Some(of) = state.prices.lists.get(&list) else { return Vec::new() };
        let one = |good: &Good| {
            let price = *of.prices.get(good)?;
            Some(Self { list, good: *good, currency: of.currency, price, is_fixed: true })
        };
        goods.iter().filter_map(one).collect()
    }
}

impl Node for PricedNode {
    fn type_name(&self) -> &'static str {
        "PriceListPrice"
    }

    fn field(&self, name: &str, args: &Arguments, request: &Arc<Request>) -> Resolved {
        match name {
            "price" => object(money(self.currency, self.price.amount)),
            "compareAtPrice" => match self.price.compare_at {
                Some(amount) => object(money(self.currency, amount)),
                None => null(),
            },
            "originType" => leaf(if self.is_fixed { "FIXED" } else { "RELATIVE" }),
            "variant" => object(VariantNode::Sold(self.good)),
            "quantityPriceBreaks" => {
                let found: Vec<(Key, (i64, Break))> = {
                    let state = request.shop.state();
                    let breaks =
                        state.prices.lists.get(&self.list).and_then(|list| list.breaks.get(&self.good));
                    let breaks = breaks.into_iter().flatten();
                    breaks
                        .map(|(minimum, one)| {
                            (Key { value: i128::from(*minimum), id: one.id }, (*minimum, *one))
                        })
                        .collect()
                };
                let (list, good, currency) = (self.list, self.good, self.currency);
                connection(BREAKS, found, args, request, |(minimum, one)| BreakNode {
                    list,
                    good,
                    currency,
                    minimum,
                    one,
                })
            }
            other => Err(unmodelled("PriceListPrice", other)),
        }
    }
}

struct BreakNode {
    list: u64,
    good: Good,
    currency: Currency,
    minimum: i64,
    one: Break,
}

impl Node for BreakNode {
    fn type_name(&self) -> &'static str {
        "QuantityPriceBreak"
    }

    fn field(&self, name: &str, _: &Arguments, _: &Arc<Request>) -> Resolved {
        match name {
            "id" => leaf(gid("QuantityPriceBreak", self.one.id)),
            "minimumQuantity" => leaf(self.minimum),
            "price" => object(money(self.currency, self.one.amount)),
            "variant" => object(VariantNode::Sold(self.good)),
            "priceList" => object(PriceListNode(self.list)),
            other => Err(unmodelled("QuantityPriceBreak", other)),
        }
    }
}
