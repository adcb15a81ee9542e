//! The lines of a cart that have a price of their own, with it. Owns what is read of the input (what the queries beside the two
//! functions ask for), whose prices count and on which day. A line that the metafield says nothing of is left as Shopify has it.

use kernel::money::Currency;
use kernel::quantity::Unit;
use pricing::carried::decimal;
use pricing::carried::json::Value;
use pricing::{Priced, Resolver, carried};
use rust_decimal::Decimal;
use std::mem::ManuallyDrop;

/// A line, and what it is to cost.
#[derive(Debug)]
pub(crate) struct Decided<'i> {
    pub(crate) id: &'i str,
    pub(crate) quantity: Decimal,
    /// What Shopify would charge for one.
    pub(crate) charged: Decimal,
    /// What one costs, where all of them cost the same and it has no more decimals than the currency.
    pub(crate) each: Option<Decimal>,
    pub(crate) total: Decimal,
}

struct Line<'i> {
    id: &'i str,
    sku: &'i str,
    quantity: Decimal,
    charged: Decimal,
    currency: Currency,
}

/// Kept up to the end of the function, as all that is made of it.
pub(crate) fn read(input: &str) -> Result<ManuallyDrop<Value<'_>>, String> {
    Value::read(input).map(ManuallyDrop::new).map_err(|fault| fault.to_string())
}

/// In the order of the cart.
pub(crate) fn decide<'i>(input: &'i Value<'_>) -> Result<Vec<Decided<'i>>, String> {
    let cart = input.get("cart");
    let location = cart.get("buyerIdentity").get("purchasingCompany").get("location");
    let metafield = location.get("metafield").get("jsonValue");
    if metafield.is_null() {
        return Ok(Vec::new());
    }
    let day = input.get("shop").get("localTime").get("date").text().ok_or("the input has no day")?;
    let lines: Vec<Line<'_>> = cart.get("lines").rows().iter().filter_map(line).collect();
    let skus = lines.iter().map(|line| line.sku);
    let opened = carried::open(metafield, day, skus).map_err(|fault| fault.to_string())?;
    let mut decided = Vec::with_capacity(lines.len());
    let mut last: Option<Resolver<'_, _>> = None;
    for line in lines {
        let resolver = match last.take() {
            Some(resolver) if resolver.currency() == line.currency => resolver,
            _ => Resolver::new(&opened.terms, &opened.book, &opened.buyer, line.currency, opened.at_s),
        };
        let resolver = last.insert(resolver);
        let asked = pricing::Line { sku: line.sku, quantity: line.quantity, unit: Unit::piece() };
        if let Ok(priced) = resolver.price(&asked) {
            let Line { id, quantity, charged, .. } = line;
            decided.push(Decided {
                id,
                quantity,
                charged,
                each: each(&priced, line.currency),
                total: priced.total,
            });
        }
    }
    // The function ends with its answer: to tidy up behind it would be a tenth of what it computes.
    std::mem::forget(last);
    std::mem::forget(opened);
    Ok(decided)
}

/// None: it is no variant with a SKU.
fn line<'i>(line: &'i Value<'_>) -> Option<Line<'i>> {
    let cost = line.get("cost").get("amountPerQuantity");
    Some(Line {
        id: line.get("id").text()?,
        sku: line.get("merchandise").get("sku").text()?,
        quantity: decimal(line.get("quantity").digits()?)?,
        charged: decimal(cost.get("amount").digits()?)?,
        currency: Currency::from_code(cost.get("currencyCode").text()?).ok()?,
    })
}

fn each(priced: &Priced<'_>, currency: Currency) -> Option<Decimal> {
    let each = priced.unit_price.normalize();
    (!priced.is_average && each.scale() <= currency.minor_digits()).then_some(each)
}
