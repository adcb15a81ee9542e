//! Fixed prices and quantity pricing: their arguments and how they answer. The rules are `prices`'.

use crate::shop::gid;
use crate::shopify::answer::{Answer, Arguments, Record, Refusal, Request, Resolved};
use crate::shopify::nodes::{PriceListNode, PricedNode, VariantNode, id_of, user_error};
use crate::shopify::prices::{BreakInput, Fault, MoneyInput, PriceInput, QuantityPricing, Rule, RuleInput};
use crate::shopify::stock::Good;
use serde_json::Value;
use std::sync::Arc;

fn items(input: Option<&Value>) -> impl Iterator<Item = &Value> {
    input.and_then(Value::as_array).into_iter().flatten()
}

fn variant(input: &Value) -> Result<u64, Refusal> {
    id_of("ProductVariant", input.get("variantId").and_then(Value::as_str).unwrap_or_default())
}

fn price(input: &Value) -> Result<PriceInput, Refusal> {
    Ok(PriceInput {
        variant: variant(input)?,
        price: MoneyInput::read(&input["price"]),
        compare_at: input.get("compareAtPrice").filter(|at| !at.is_null()).map(MoneyInput::read),
    })
}

fn prices(input: Option<&Value>) -> Result<Vec<PriceInput>, Refusal> {
    items(input).map(price).collect()
}

fn ids(kind: &str, input: Option<&Value>) -> Result<Vec<u64>, Refusal> {
    items(input).map(|id| id_of(kind, id.as_str().unwrap_or_default())).collect()
}

fn list(args: &Arguments) -> Result<u64, Refusal> {
    id_of("PriceList", args.text("priceListId").unwrap_or_default())
}

fn errors(type_name: &'static str, faults: Vec<Fault>) -> Answer {
    let error = |fault: Fault| user_error(type_name, fault.code, Some(fault.field), &fault.text);
    Answer::List(faults.into_iter().map(error).collect())
}

type Changed = Result<(Vec<Good>, Vec<Good>), Vec<Fault>>;

fn change(request: &Request, list: u64, add: (&str, &[PriceInput]), delete: (&str, &[u64])) -> Changed {
    let mut state = request.shop.state();
    let goods = state.stock.goods();
    state.prices.change_fixed(goods, list, add, delete)
}

fn priced(request: &Request, list: u64, goods: &[Good]) -> Answer {
    Answer::List(PricedNode::of(request, list, goods).into_iter().map(Answer::node).collect())
}

fn deleted(goods: &[Good]) -> Answer {
    Answer::List(
        goods.iter().map(|good| Answer::Leaf(gid("ProductVariant", good.variant_id()).into())).collect(),
    )
}

fn null() -> Answer {
    Answer::Leaf(Value::Null)
}

pub(super) fn add(args: &Arguments, request: &Arc<Request>) -> Resolved {
    let list = list(args)?;
    let changed = change(request, list, ("prices", &prices(args.get("prices"))?), ("", &[]));
    let (added, faults) = match changed {
        Ok((set, _)) => (priced(request, list, &set), Vec::new()),
        Err(faults) => (null(), faults),
    };
    let record = Record::new("PriceListFixedPricesAddPayload").answer("prices", added);
    Ok(Answer::node(record.answer("userErrors", errors("PriceListPriceUserError", faults))))
}

pub(super) fn update(args: &Arguments, request: &Arc<Request>) -> Resolved {
    let id = list(args)?;
    let add = prices(args.get("pricesToAdd"))?;
    let delete = ids("ProductVariant", args.get("variantIdsToDelete"))?;
    let changed = change(request, id, ("pricesToAdd", &add), ("variantIdsToDelete", &delete));
    let record = Record::new("PriceListFixedPricesUpdatePayload");
    let (record, faults) = match changed {
        Ok((set, gone)) => {
            let list = PriceListNode::find(request, id).map_or_else(null, Answer::node);
            let record = record.answer("pricesAdded", priced(request, id, &set)).answer("priceList", list);
            (record.answer("deletedFixedPriceVariantIds", deleted(&gone)), Vec::new())
        }
        Err(faults) => {
            let record = record.answer("pricesAdded", null()).answer("priceList", null());
            (record.answer("deletedFixedPriceVariantIds", null()), faults)
        }
    };
    Ok(Answer::node(record.answer("userErrors", errors("PriceListPriceUserError", faults))))
}

pub(super) fn delete(args: &Arguments, request: &Arc<Request>) -> Resolved {
    let named = ids("ProductVariant", args.get("variantIds"))?;
    let changed = change(request, list(args)?, ("", &[]), ("variantIds", &named));
    let (gone, faults) = match changed {
        Ok((_, gone)) => (deleted(&gone), Vec::new()),
        Err(faults) => (null(), faults),
    };
    let record = Record::new("PriceListFixedPricesDeletePayload").answer("deletedFixedPriceVariantIds", gone);
    Ok(Answer::node(record.answer("userErrors", errors("PriceListPriceUserError", faults))))
}

pub(super) fn quantity_pricing(args: &Arguments, request: &Arc<Request>) -> Resolved {
    let id = list(args)?;
    let given = args.get("input").cloned().unwrap_or_default();
    let number = |value: &Value, name: &str| value.get(name).and_then(Value::as_i64);
    let one_break = |input: &Value| {
        let (minimum, price) =
            (number(input, "minimumQuantity").unwrap_or_default(), MoneyInput::read(&input["price"]));
        Ok(BreakInput { variant: variant(input)?, minimum, price })
    };
    let one_rule = |input: &Value| {
        let number = |name: &str| number(input, name);
        let rule = Rule {
            minimum: number("minimum").unwrap_or_default(),
            maximum: number("maximum"),
            increment: number("increment").unwrap_or_default(),
        };
        Ok(RuleInput { variant: variant(input)?, rule })
    };
    let variants = |name: &str| ids("ProductVariant", given.get(name));
    let input = QuantityPricing {
        prices_to_add: prices(given.get("pricesToAdd"))?,
        prices_to_delete: variants("pricesToDeleteByVariantId")?,
        breaks_to_add: items(given.get("quantityPriceBreaksToAdd"))
            .map(one_break)
            .collect::<Result<_, Refusal>>()?,
        breaks_to_delete: ids("QuantityPriceBreak", given.get("quantityPriceBreaksToDelete"))?,
        breaks_to_delete_by_variant: variants("quantityPriceBreaksToDeleteByVariantId")?,
        rules_to_add: items(given.get("quantityRulesToAdd")).map(one_rule).collect::<Result<_, Refusal>>()?,
        rules_to_delete: variants("quantityRulesToDeleteByVariantId")?,
    };
    let done = {
        let mut state = request.shop.state();
        let goods = state.stock.goods();
        state.prices.change_quantity_pricing(goods, id, &input)
    };
    let (touched, faults) = match done {
        Ok(touched) => {
            let nodes = touched.into_iter().map(|good| Answer::node(VariantNode::Sold(good)));
            (Answer::List(nodes.collect()), Vec::new())
        }
        Err(faults) => (null(), faults),
    };
    let record = Record::new("QuantityPricingByVariantUpdatePayload").answer("productVariants", touched);
    Ok(Answer::node(record.answer("userErrors", errors("QuantityPricingByVariantUserError", faults))))
}
