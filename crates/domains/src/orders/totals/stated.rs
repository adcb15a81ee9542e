//! The totals that Shopify states.

use kernel::money::{Money, MoneyBag, PresentmentMoney, ShopMoney};

use crate::orders::read::{Amount, At, Currencies, Read};

/// As stated; what a body leaves out is not compared.
pub(in crate::orders) struct Stated {
    /// Lines before discounts; REST only.
    pub(super) lines: Option<MoneyBag>,
    pub(super) subtotal: Option<MoneyBag>,
    pub(super) tax: Option<MoneyBag>,
    pub(super) shipping: Option<MoneyBag>,
    pub(super) total: MoneyBag,
    pub(super) duties: Option<MoneyBag>,
    pub(super) fees: Option<MoneyBag>,
    pub(super) tips: MoneyBag,
    pub(super) current_subtotal: Option<MoneyBag>,
    pub(super) current_total: Option<MoneyBag>,
}

impl Stated {
    pub(in crate::orders) fn read(at: &At<'_>, money: Currencies) -> Read<Self> {
        let find = |bare, set, graphql| money.find(at, Amount { bare, set, graphql });
        let total = Amount { bare: "total_price", set: "total_price_set", graphql: "totalPriceSet" };
        let current_total = find("current_total_price", "current_total_price_set", "currentTotalPriceSet")?;
        let current_subtotal =
            find("current_subtotal_price", "current_subtotal_price_set", "currentSubtotalPriceSet")?;
        Ok(Self {
            lines: lines(at, money)?,
            subtotal: find("subtotal_price", "subtotal_price_set", "subtotalPriceSet")?,
            tax: find("total_tax", "total_tax_set", "totalTaxSet")?,
            shipping: find("", "total_shipping_price_set", "totalShippingPriceSet")?,
            total: money.need(at, total)?,
            duties: find("", "original_total_duties_set", "originalTotalDutiesSet")?,
            fees: find("", "original_total_additional_fees_set", "originalTotalAdditionalFeesSet")?,
            tips: tips(at, money)?,
            current_subtotal,
            current_total,
        })
    }
}

fn lines(at: &At<'_>, money: Currencies) -> Read<Option<MoneyBag>> {
    let names = Amount { bare: "total_line_items_price", set: "total_line_items_price_set", graphql: "" };
    if super::is_rest(at) { money.find(at, names) } else { Ok(None) }
}

/// REST has a bare amount in the shop's currency; the buyer's side is settled from his total.
fn tips(at: &At<'_>, money: Currencies) -> Read<MoneyBag> {
    if !super::is_rest(at) {
        let names = Amount { bare: "", set: "", graphql: "totalTipReceivedSet" };
        return Ok(money.find(at, names)?.unwrap_or(money.zero()));
    }
    let Some(found) = at.get("total_tip_received", "") else { return Ok(money.zero()) };
    let amount = found.decimal()?;
    let presentment = if money.differ() {
        PresentmentMoney::zero(money.presentment)
    } else {
        PresentmentMoney::new(Money::new(amount, money.presentment))
    };
    Ok(MoneyBag::new(ShopMoney::new(Money::new(amount, money.shop)), presentment))
}

/// Where the line with this id stands in the body.
pub(super) fn path_of_line(at: &At<'_>, line_id: &str) -> Option<String> {
    let places = at.list("line_items", "lineItems").ok()?;
    places
        .iter()
        .find(|place| crate::orders::read::own_id(place, "LineItem").as_deref() == Some(line_id))
        .map(At::path)
}
