//! A batch as the variables of a call, and what Shopify refused of it, by its place in them.

use super::read::gid;
use crate::graphql::{Document, SET_PRICES, SET_QUANTITY_PRICES};
use domains::prices::{Batch, Change, Minor};
use kernel::money::Currency;
use rust_decimal::Decimal;
use serde_json::{Value, json};

/// A catalog's name, and a variant of it or none.
pub(super) type Key = (String, Option<u64>);

/// What an error of a write says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) variant: Option<u64>,
    pub(super) code: String,
    pub(super) message: String,
}

fn variant(number: u64) -> String {
    gid("ProductVariant", number)
}

fn money(currency: Currency, amount: Minor) -> Value {
    let amount = Decimal::new(amount, currency.minor_digits());
    json!({ "amount": amount.to_string(), "currencyCode": currency.code() })
}

fn price(change: &Change, currency: Currency) -> Option<Value> {
    let item = change.to.as_ref().filter(|_| change.sets_price)?;
    Some(json!({ "variantId": variant(change.variant), "price": money(currency, item.price) }))
}

/// The document and the variables of a call.
pub(super) fn variables(batch: &Batch, list: u64, currency: Currency) -> (&'static Document, Value) {
    let changes = &batch.changes;
    let prices: Vec<Value> = changes.iter().filter_map(|change| price(change, currency)).collect();
    let of = |holds: &dyn Fn(&Change) -> bool| -> Vec<Value> {
        changes.iter().filter(|change| holds(change)).map(|change| variant(change.variant).into()).collect()
    };
    let gone = of(&|change| change.to.is_none() && change.has_price);
    let list = gid("PriceList", list);
    if !batch.has_quantities {
        return (&SET_PRICES, json!({ "list": list, "pricesToAdd": prices, "variantIdsToDelete": gone }));
    }
    let one_break = |change: &Change, (minimum, amount): (u32, Minor)| {
        let price = money(currency, amount);
        json!({ "variantId": variant(change.variant), "minimumQuantity": minimum, "price": price })
    };
    let breaks_of = |change: &Change| -> Vec<Value> {
        let item = change.to.as_ref().filter(|_| change.sets_breaks);
        item.map_or(&[][..], |item| item.breaks()).iter().map(|one| one_break(change, *one)).collect()
    };
    let breaks: Vec<Value> = changes.iter().flat_map(breaks_of).collect();
    let rules: Vec<Value> = changes
        .iter()
        .filter_map(|change| {
            let rule = change.rule_to_set()?;
            let (minimum, maximum, increment) = (rule.minimum, rule.maximum, rule.increment);
            let id = variant(change.variant);
            Some(json!({ "variantId": id, "minimum": minimum, "maximum": maximum, "increment": increment }))
        })
        .collect();
    let input = json!({
        "pricesToAdd": prices,
        "pricesToDeleteByVariantId": gone,
        "quantityPriceBreaksToAdd": breaks,
        "quantityPriceBreaksToDelete": [],
        "quantityPriceBreaksToDeleteByVariantId": of(&|change| change.has_breaks),
        "quantityRulesToAdd": rules,
        "quantityRulesToDeleteByVariantId": of(&Change::rule_goes),
    });
    (&SET_QUANTITY_PRICES, json!({ "list": list, "input": input }))
}

/// Whose an error is: `pricesToAdd.3.variantId` is the fourth of that array.
pub(super) fn at(variables: &Value, field: &str) -> Option<u64> {
    let mut here = variables;
    for part in field.split('.') {
        here = match here {
            Value::Array(all) => all.get(part.parse::<usize>().ok()?)?,
            Value::Object(fields) => fields.get(part)?,
            _ => break,
        };
        let named = here.as_str().or_else(|| here.get("variantId").and_then(Value::as_str));
        if let Some(number) = named.filter(|id| id.contains("/ProductVariant/")).and_then(super::read::number)
        {
            return Some(number);
        }
    }
    None
}

/// Of the payload of a write as it stands in a result in bulk.
pub(super) fn said(answer: &Value, variables: &Value) -> Vec<Said> {
    let text =
        |value: &Value, name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut said = Vec::new();
    for payload in answer.get("data").and_then(Value::as_object).into_iter().flat_map(serde_json::Map::values)
    {
        for error in payload.get("userErrors").and_then(Value::as_array).into_iter().flatten() {
            let parts = error.get("field").and_then(Value::as_array);
            let field: Vec<&str> = parts.into_iter().flatten().filter_map(Value::as_str).collect();
            let variant = at(variables, &field.join("."));
            said.push(Said { variant, code: text(error, "code"), message: text(error, "message") });
        }
    }
    for error in answer.get("errors").and_then(Value::as_array).into_iter().flatten() {
        let code = error.pointer("/extensions/code").and_then(Value::as_str).unwrap_or_default().to_owned();
        said.push(Said { variant: None, code, message: text(error, "message") });
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;
    use domains::prices::{Item, Quantities, Rule};

    #[test]
    fn an_error_names_the_variant_at_its_place() {
        let eur = Currency::from_code("EUR").unwrap();
        let item =
            Item::new(1250, Quantities { breaks: vec![(10, 1200), (20, 1100)], rule: Rule::default() });
        let change = |variant: u64, to: Option<Item>| Change {
            variant,
            sets_price: to.is_some(),
            sets_breaks: to.is_some(),
            has_breaks: to.is_none(),
            has_price: true,
            rule: None,
            to,
        };
        let changes = vec![change(7, Some(item.clone())), change(8, Some(item)), change(9, None)];
        let (document, variables) = variables(&Batch { changes, has_quantities: true }, 5, eur);
        assert_eq!(document.name, "SetQuantityPrices");
        assert_eq!(
            variables["input"]["pricesToAdd"][1]["price"],
            json!({ "amount": "12.50", "currencyCode": "EUR" })
        );
        for (field, expected) in [
            ("input.pricesToAdd.1.variantId", Some(8)),
            ("input.quantityPriceBreaksToAdd.1.price", Some(7)),
            ("input.pricesToDeleteByVariantId.0", Some(9)),
            ("input.quantityPriceBreaksToDeleteByVariantId.0", Some(9)),
            ("input.pricesToAdd.7", None),
            ("priceListId", None),
            ("", None),
        ] {
            assert_eq!(at(&variables, field), expected, "{field}");
        }
    }
}
