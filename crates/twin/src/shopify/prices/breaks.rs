//! `quantityPricingByVariantUpdate`: prices, rules and breaks in one write, deletions before additions, all or nothing
//! (shopify.dev). A break needs a fixed price and a quantity that the rule allows; an item has at most ten.

use super::fixed::{Codes, Judged, MoneyInput, Roots, doubles, judge};
use super::{Amount, Break, Fault, Kind, List, NO_RULE, PriceInput, Prices, Rule};
use crate::shopify::stock::{Good, Goods};
use std::collections::{BTreeMap, BTreeSet};

const BREAKS_MAX: usize = 10;

#[derive(Clone, Debug)]
pub(in crate::shopify) struct BreakInput {
    pub(in crate::shopify) variant: u64,
    pub(in crate::shopify) minimum: i64,
    pub(in crate::shopify) price: MoneyInput,
}

#[derive(Clone, Debug)]
pub(in crate::shopify) struct RuleInput {
    pub(in crate::shopify) variant: u64,
    pub(in crate::shopify) rule: Rule,
}

/// The whole input.
#[derive(Clone, Debug, Default)]
pub(in crate::shopify) struct QuantityPricing {
    pub(in crate::shopify) prices_to_add: Vec<PriceInput>,
    pub(in crate::shopify) prices_to_delete: Vec<u64>,
    pub(in crate::shopify) breaks_to_add: Vec<BreakInput>,
    pub(in crate::shopify) breaks_to_delete: Vec<u64>,
    pub(in crate::shopify) breaks_to_delete_by_variant: Vec<u64>,
    pub(in crate::shopify) rules_to_add: Vec<RuleInput>,
    pub(in crate::shopify) rules_to_delete: Vec<u64>,
}

const CODES: Codes = Codes {
    currency: "PRICE_ADD_CURRENCY_MISMATCH",
    add_variant: "PRICE_ADD_VARIANT_NOT_FOUND",
    not_fixed: "PRICE_DELETE_PRICE_NOT_FIXED",
    delete_variant: "PRICE_DELETE_VARIANT_NOT_FOUND",
};

/// Breaks and rules of the items that the write names, as they would be.
#[derive(Default)]
struct Draft {
    breaks: BTreeMap<Good, BTreeMap<i64, Option<(u64, Amount)>>>,
    added: Vec<(Good, i64, Amount)>,
    emptied: BTreeSet<Good>,
    deleted: BTreeSet<u64>,
    rules: BTreeMap<Good, Option<Rule>>,
}

struct Judge<'a> {
    list: &'a List,
    goods: Goods,
    faults: Vec<Fault>,
}

impl Judge<'_> {
    fn refuse(&mut self, code: &'static str, root: &str, index: usize, part: &str, text: &str) {
        self.faults.push(Fault::of(Some(code), &["input", root], index, part, text));
    }

    fn breaks_deleted(&mut self, input: &QuantityPricing, draft: &mut Draft) {
        let known: BTreeSet<u64> =
            self.list.breaks.values().flat_map(BTreeMap::values).map(|one| one.id).collect();
        for (index, id) in input.breaks_to_delete.iter().enumerate() {
            if known.contains(id) {
                draft.deleted.insert(*id);
            } else {
                let text = "Quantity price break not found.";
                self.refuse(
                    "QUANTITY_PRICE_BREAK_DELETE_NOT_FOUND",
                    "quantityPriceBreaksToDelete",
                    index,
                    "",
                    text,
                );
            }
        }
        for (index, variant) in input.breaks_to_delete_by_variant.iter().enumerate() {
            match self.goods.by_variant(*variant) {
                Some(good) => drop(draft.emptied.insert(good)),
                None => self.refuse(
                    "QUANTITY_PRICE_BREAK_DELETE_BY_VARIANT_ID_VARIANT_NOT_FOUND",
                    "quantityPriceBreaksToDeleteByVariantId",
                    index,
                    "",
                    "Variant to delete by is not found.",
                ),
            }
        }
    }

    fn rules(&mut self, input: &QuantityPricing, kind: Option<Kind>, draft: &mut Draft) {
        for (index, variant) in input.rules_to_delete.iter().enumerate() {
            let root = "quantityRulesToDeleteByVariantId";
            match self.goods.by_variant(*variant) {
                None => self.refuse(
                    "QUANTITY_RULE_DELETE_VARIANT_NOT_FOUND",
                    root,
                    index,
                    "",
                    "Variant not found.",
                ),
                Some(good) if self.list.rules.contains_key(&good) => drop(draft.rules.insert(good, None)),
                Some(_) => {
                    self.refuse("QUANTITY_RULE_DELETE_RULE_NOT_FOUND", root, index, "", "Rule not found.")
                }
            }
        }
        let root = "quantityRulesToAdd";
        for index in doubles(input.rules_to_add.iter().map(|one| one.variant)) {
            let text = "Quantity rules to add inputs must be unique by variant id.";
            self.refuse("QUANTITY_RULE_ADD_DUPLICATE_INPUT_FOR_VARIANT", root, index, "variantId", text);
        }
        for (index, one) in input.rules_to_add.iter().enumerate() {
            if kind == Some(Kind::App) {
                let text = "Quantity rule catalog context not supported.";
                self.refuse("QUANTITY_RULE_ADD_CATALOG_CONTEXT_NOT_SUPPORTED", root, index, "", text);
            }
            let Some(good) = self.goods.by_variant(one.variant) else {
                self.refuse(
                    "QUANTITY_RULE_ADD_VARIANT_NOT_FOUND",
                    root,
                    index,
                    "variantId",
                    "Variant not found.",
                );
                continue;
            };
            for (wrong, code, part) in rule_faults(one.rule) {
                if wrong {
                    self.refuse(code, root, index, part, "The quantity rule is not valid.");
                }
            }
            draft.rules.insert(good, Some(one.rule));
        }
    }

    fn breaks_added(
        &mut self,
        input: &QuantityPricing,
        prices: &Judged,
        kind: Option<Kind>,
        draft: &mut Draft,
    ) {
        let root = "quantityPriceBreaksToAdd";
        for index in doubles(input.breaks_to_add.iter().map(|one| (one.variant, one.minimum))) {
            let text =
                "Quantity price breaks to add inputs must be unique by variant id and minimum quantity.";
            let code = "QUANTITY_PRICE_BREAK_ADD_DUPLICATE_INPUT_FOR_VARIANT_AND_MIN";
            self.refuse(code, root, index, "minimumQuantity", text);
        }
        let set: BTreeSet<Good> = prices.set.iter().map(|(good, _)| *good).collect();
        let gone: BTreeSet<Good> = prices.delete.iter().copied().collect();
        for (index, one) in input.breaks_to_add.iter().enumerate() {
            let Some(good) = self.goods.by_variant(one.variant) else {
                let code = "QUANTITY_PRICE_BREAK_ADD_VARIANT_NOT_FOUND";
                self.refuse(code, root, index, "variantId", "Quantity price break variant not found.");
                continue;
            };
            let is_fixed =
                set.contains(&good) || self.list.prices.contains_key(&good) && !gone.contains(&good);
            if !is_fixed {
                let code = "QUANTITY_PRICE_BREAK_ADD_PRICE_LIST_PRICE_NOT_FOUND";
                self.refuse(code, root, index, "variantId", "Quantity price break's fixed price not found.");
            }
            if !one.price.is_of(self.list.currency) {
                let code = "QUANTITY_PRICE_BREAK_ADD_CURRENCY_MISMATCH";
                self.refuse(
                    code,
                    root,
                    index,
                    "price",
                    "Price list and quantity price break currency mismatch.",
                );
                continue;
            }
            let amount =
                one.price.amount(self.list.currency).filter(|_| one.minimum >= 1 && kind != Some(Kind::App));
            let Some(amount) = amount else {
                let code = "QUANTITY_PRICE_BREAK_ADD_INVALID";
                self.refuse(code, root, index, "minimumQuantity", "Invalid quantity price break.");
                continue;
            };
            draft.added.push((good, one.minimum, amount));
            let emptied = draft.emptied.contains(&good) || gone.contains(&good);
            let breaks =
                draft.breaks.entry(good).or_insert_with(|| kept(self.list, good, emptied, &draft.deleted));
            breaks.insert(one.minimum, None);
            if breaks.len() > BREAKS_MAX {
                let text = "Exceeded the allowed number of quantity price breaks per variant.";
                self.refuse("QUANTITY_PRICE_BREAK_ADD_LIMIT_EXCEEDED", root, index, "variantId", text);
            }
        }
    }

    /// Breaks and rules of an item must fit each other, whichever of them is new.
    fn together(&mut self, input: &QuantityPricing, draft: &Draft) {
        let rule_of = |good: &Good| match draft.rules.get(good) {
            Some(rule) => rule.unwrap_or(NO_RULE),
            None => self.list.rules.get(good).copied().unwrap_or(NO_RULE),
        };
        let mut found = Vec::new();
        for (index, one) in input.breaks_to_add.iter().enumerate() {
            let Some(good) = self.goods.by_variant(one.variant) else { continue };
            let rule = rule_of(&good);
            let root = "quantityPriceBreaksToAdd";
            for (wrong, code) in [
                (one.minimum < rule.minimum, "QUANTITY_PRICE_BREAK_ADD_MIN_LOWER_THAN_QUANTITY_RULES_MIN"),
                (
                    rule.maximum.is_some_and(|maximum| one.minimum > maximum),
                    "QUANTITY_PRICE_BREAK_ADD_MIN_HIGHER_THAN_QUANTITY_RULES_MAX",
                ),
                (
                    one.minimum % rule.increment.max(1) != 0,
                    "QUANTITY_PRICE_BREAK_ADD_MIN_NOT_A_MULTIPLE_OF_QUANTITY_RULES_INCREMENT",
                ),
            ] {
                if wrong {
                    found.push((code, root, index));
                }
            }
        }
        for (index, one) in input.rules_to_add.iter().enumerate() {
            let Some(good) = self.goods.by_variant(one.variant) else { continue };
            let emptied = draft.emptied.contains(&good);
            let root = "quantityRulesToAdd";
            for minimum in kept(self.list, good, emptied, &draft.deleted).into_keys() {
                for (wrong, code) in [
                    (
                        one.rule.minimum > minimum,
                        "QUANTITY_RULE_ADD_MIN_HIGHER_THAN_QUANTITY_PRICE_BREAK_MIN",
                    ),
                    (
                        one.rule.maximum.is_some_and(|maximum| maximum < minimum),
                        "QUANTITY_RULE_ADD_MAX_LOWER_THAN_QUANTITY_PRICE_BREAK_MIN",
                    ),
                    (
                        minimum % one.rule.increment.max(1) != 0,
                        "QUANTITY_RULE_ADD_INCREMENT_NOT_A_MULTIPLE_OF_QUANTITY_PRICE_BREAK_MIN",
                    ),
                ] {
                    if wrong {
                        found.push((code, root, index));
                    }
                }
            }
        }
        for (code, root, index) in found {
            self.refuse(
                code,
                root,
                index,
                "minimum",
                "Quantity rules and quantity price breaks do not fit each other.",
            );
        }
    }
}

fn kept(
    list: &List,
    good: Good,
    emptied: bool,
    deleted: &BTreeSet<u64>,
) -> BTreeMap<i64, Option<(u64, Amount)>> {
    let known = list.breaks.get(&good).filter(|_| !emptied);
    let kept = known.into_iter().flatten().filter(|(_, one)| !deleted.contains(&one.id));
    kept.map(|(minimum, one)| (*minimum, Some((one.id, one.amount)))).collect()
}

fn rule_faults(rule: Rule) -> [(bool, &'static str, &'static str); 7] {
    let step = rule.increment.max(1);
    let of_maximum = |wrong: fn(i64, Rule) -> bool| rule.maximum.is_some_and(|maximum| wrong(maximum, rule));
    [
        (rule.increment < 1, "QUANTITY_RULE_ADD_INCREMENT_IS_LESS_THAN_ONE", "increment"),
        (rule.minimum < 1, "QUANTITY_RULE_ADD_MINIMUM_IS_LESS_THAN_ONE", "minimum"),
        (rule.increment > rule.minimum, "QUANTITY_RULE_ADD_INCREMENT_IS_GREATER_THAN_MINIMUM", "increment"),
        (rule.minimum % step != 0, "QUANTITY_RULE_ADD_MINIMUM_NOT_A_MULTIPLE_OF_INCREMENT", "minimum"),
        (of_maximum(|maximum, _| maximum < 1), "QUANTITY_RULE_ADD_MAXIMUM_IS_LESS_THAN_ONE", "maximum"),
        (
            of_maximum(|maximum, rule| rule.minimum > maximum),
            "QUANTITY_RULE_ADD_MINIMUM_GREATER_THAN_MAXIMUM",
            "minimum",
        ),
        (
            of_maximum(|maximum, rule| maximum % rule.increment.max(1) != 0),
            "QUANTITY_RULE_ADD_MAXIMUM_NOT_A_MULTIPLE_OF_INCREMENT",
            "maximum",
        ),
    ]
}

impl Prices {
    /// The items that it touched, in the order of the input.
    pub(in crate::shopify) fn change_quantity_pricing(
        &mut self,
        goods: Goods,
        list: u64,
        input: &QuantityPricing,
    ) -> Result<Vec<Good>, Vec<Fault>> {
        let kind = self.catalog_of(list).map(|catalog| catalog.kind);
        let Some(of) = self.lists.get(&list) else {
            self.counts.refused += 1;
            return Err(vec![Fault::at(
                "PRICE_LIST_NOT_FOUND",
                &["priceListId"],
                "Price list does not exist.",
            )]);
        };
        let (mut judge_of, mut draft) = (Judge { list: of, goods, faults: Vec::new() }, Draft::default());
        for index in doubles(input.prices_to_add.iter().map(|one| one.variant)) {
            let text = "Prices to add inputs must be unique by variant id.";
            judge_of.refuse("PRICE_ADD_DUPLICATE_INPUT_FOR_VARIANT", "pricesToAdd", index, "variantId", text);
        }
        let roots = Roots { add: &["input", "pricesToAdd"], delete: &["input", "pricesToDeleteByVariantId"] };
        let both = (input.prices_to_add.as_slice(), input.prices_to_delete.as_slice());
        let prices = judge(of, goods, both, (CODES, &roots), &mut judge_of.faults);
        judge_of.breaks_deleted(input, &mut draft);
        judge_of.rules(input, kind, &mut draft);
        judge_of.breaks_added(input, &prices, kind, &mut draft);
        judge_of.together(input, &draft);
        let faults = judge_of.faults;
        if !faults.is_empty() {
            self.counts.refused += 1;
            return Err(faults);
        }
        self.counts.writes += 1;
        let mut touched: Vec<Good> = prices.delete.clone();
        touched.extend(prices.set.iter().map(|(good, _)| *good));
        touched.extend(draft.added.iter().map(|(good, ..)| *good));
        touched.extend(draft.rules.keys());
        touched.extend(&draft.emptied);
        let mut seen = BTreeSet::new();
        touched.retain(|good| seen.insert(*good));
        self.write_breaks(list, prices, draft);
        Ok(touched)
    }

    fn write_breaks(&mut self, list: u64, prices: Judged, draft: Draft) {
        if let Some(of) = self.lists.get_mut(&list) {
            for good in &draft.emptied {
                self.counts.breaks_deleted += of.breaks.remove(good).map_or(0, |breaks| breaks.len() as u64);
            }
            if !draft.deleted.is_empty() {
                self.counts.breaks_deleted += draft.deleted.len() as u64;
                of.breaks
                    .values_mut()
                    .for_each(|breaks| breaks.retain(|_, one| !draft.deleted.contains(&one.id)));
                of.breaks.retain(|_, breaks| !breaks.is_empty());
            }
        }
        self.apply(list, prices);
        let Some(of) = self.lists.get_mut(&list) else { return };
        for (good, minimum, amount) in draft.added {
            self.breaks_made += 1;
            self.counts.breaks_set += 1;
            let id = 4_100_000_000_000 + self.breaks_made;
            of.breaks.entry(good).or_default().insert(minimum, Break { id, amount });
        }
        for (good, rule) in draft.rules {
            match rule {
                Some(rule) => drop(of.rules.insert(good, rule)),
                None => drop(of.rules.remove(&good)),
            }
        }
    }
}
