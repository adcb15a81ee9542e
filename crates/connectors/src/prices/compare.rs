//! What a buyer was charged, held against what the buyer was to pay. Pure but for the questions to [`PricesAt`]; further ones are
//! asked only of lines that differ.

use super::asked::{Agreed, Changed, Goods, Price, PricesAt};
use super::body::{Line, Order};
use super::cause::Cause;
use super::code;
use connector::port::ExternalRef;
use jiff::{SignedDuration, Timestamp};
use kernel::fault::{Fault, FaultKind};
use kernel::money::{Currency, Money, exact_mul};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt;

/// So many former states of a price are tried.
const CHANGES_MAX: usize = 8;

/// All lines of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Compared {
    pub(super) order: String,
    pub(super) currency: Currency,
    /// When nothing was there to compare with.
    pub(super) before_prices: bool,
    pub(super) lines: Vec<Finding>,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Finding {
    pub(super) sku: String,
    pub(super) quantity: Decimal,
    /// For the quantity, after discounts, and with tax where the price has it.
    pub(super) charged: Decimal,
    /// None: nothing was agreed, or nobody can say what.
    pub(super) agreed: Option<Decimal>,
    /// The list that gave it, or the system that makes it.
    pub(super) by: Option<String>,
    /// None: it was charged as agreed.
    pub(super) cause: Option<Cause>,
}

impl Compared {
    pub(super) fn written(&self) -> Value {
        serde_json::to_value(self)
            .unwrap_or_else(|error| unreachable!("a comparison is texts and numbers: {error}"))
    }

    /// The order's name, and what the comparison came to in a word.
    pub(super) fn external(&self) -> ExternalRef {
        let state = match (self.before_prices, self.differing().count()) {
            (true, _) => "not_compared",
            (false, 0) => "as_agreed",
            (false, _) => "differs",
        };
        ExternalRef { id: self.order.clone(), number: None, state: Some(state.to_owned()) }
    }

    /// Those that were not charged as agreed.
    pub(super) fn differing(&self) -> impl Iterator<Item = &Finding> {
        self.lines.iter().filter(|line| line.cause.is_some())
    }

    /// By how much buyers paid too much and too little, whichever way.
    pub(super) fn difference(&self) -> Decimal {
        self.differing().map(|line| (line.charged - line.agreed.unwrap_or_default()).abs()).sum()
    }
}

pub(super) async fn compared(prices: &dyn PricesAt, order: &Order) -> Result<Compared, Fault> {
    let goods: Vec<Goods> = order.lines.iter().map(|line| line.goods(line.quantity)).collect();
    let location = order.company_location.as_deref();
    let agreed = prices.agreed(location, order.currency, order.at, &goods).await?;
    let mut compared = Compared {
        order: order.order.clone(),
        currency: order.currency,
        before_prices: agreed.is_none(),
        lines: Vec::new(),
    };
    for (line, agreed) in order.lines.iter().zip(agreed.unwrap_or_default()) {
        compared.lines.push(Question { prices, order, line }.finding(agreed).await?);
    }
    Ok(compared)
}

/// One line that is looked into.
struct Question<'a> {
    prices: &'a dyn PricesAt,
    order: &'a Order,
    line: &'a Line,
}

impl Question<'_> {
    async fn finding(&self, agreed: Agreed) -> Result<Finding, Fault> {
        let line = self.line;
        let finding = |charged, agreed, by, cause| Finding {
            sku: line.sku.clone(),
            quantity: line.quantity,
            charged,
            agreed,
            by,
            cause,
        };
        let as_charged = line.gross - line.discount;
        Ok(match agreed {
            Agreed::MadeBy(system) => finding(as_charged, None, Some(system), None),
            Agreed::NoPrice(why) => finding(as_charged, None, None, Some(Cause::NoPrice { why })),
            Agreed::Price(price) => {
                let charged = self.charged(&price);
                let cause = if (charged - price.total).abs() <= self.cent() {
                    None
                } else {
                    Some(self.cause(&price, charged).await?)
                };
                finding(charged, Some(price.total), Some(price.list), cause)
            }
        })
    }

    /// On the price's own basis of tax.
    fn charged(&self, price: &Price) -> Decimal {
        let charged = self.line.gross - self.line.discount;
        match (self.order.tax_included, price.tax_included) {
            (true, false) => charged - self.line.tax,
            (false, true) => charged + self.line.tax,
            _ => charged,
        }
    }

    /// Shares of discounts and taxes are rounded by Shopify, a line at a time.
    fn cent(&self) -> Decimal {
        Decimal::new(1, self.order.currency.minor_digits())
    }

    async fn cause(&self, agreed: &Price, charged: Decimal) -> Result<Cause, Fault> {
        let (line, order) = (self.line, self.order);
        let is_broken = agreed.unit_price.normalize().scale() > order.currency.minor_digits();
        let half_cents = exact_mul(self.cent() / Decimal::TWO, line.quantity).map_err(too_long)?;
        if is_broken && (charged - agreed.total).abs() <= half_cents {
            return Ok(Cause::UnitRounded);
        }
        if line.discount > Decimal::ZERO && charged < agreed.total && charged + line.discount >= agreed.total
        {
            return Ok(Cause::Stacked);
        }
        let location = order.company_location.as_deref();
        let whole = line.goods(line.quantity);
        let changes = self.prices.changes(&line.sku, order.at).await?;
        let changes = &changes[..changes.len().min(CHANGES_MAX)];
        let before = |changed: &Changed| {
            changed.at.checked_sub(SignedDuration::from_nanos(1)).unwrap_or(Timestamp::MIN)
        };
        for changed in changes {
            if self.is_charged(location, before(changed), &whole).await? {
                return Ok(Cause::Stale { until: changed.at, by: changed.by.clone() });
            }
        }
        if location.is_some() {
            // Also where a catalog for everybody is behind.
            for at in std::iter::once(order.at).chain(changes.iter().map(before)) {
                if self.is_charged(None, at, &whole).await? {
                    return Ok(Cause::EverybodysPrice);
                }
            }
        }
        if line.quantity > Decimal::ONE
            && let Some(single) = self.price(location, order.at, &line.goods(Decimal::ONE)).await?
            && self.agrees(&single, exact_mul(single.total, line.quantity).map_err(too_long)?)
        {
            return Ok(Cause::NoBreaks);
        }
        Ok(if order.by_hand { Cause::ByHand } else { Cause::Unexplained })
    }

    async fn price(
        &self,
        location: Option<&str>,
        at: Timestamp,
        goods: &Goods,
    ) -> Result<Option<Price>, Fault> {
        let goods = std::slice::from_ref(goods);
        let told = self.prices.agreed(location, self.order.currency, at, goods).await?;
        Ok(match told.and_then(|told| told.into_iter().next()) {
            Some(Agreed::Price(price)) => Some(price),
            _ => None,
        })
    }

    async fn is_charged(&self, location: Option<&str>, at: Timestamp, goods: &Goods) -> Result<bool, Fault> {
        let price = self.price(location, at, goods).await?;
        Ok(price.is_some_and(|price| self.agrees(&price, price.total)))
    }

    /// With or without what was then taken off it.
    fn agrees(&self, price: &Price, total: Decimal) -> bool {
        let charged = self.charged(price);
        [charged, charged + self.line.discount].iter().any(|charged| (charged - total).abs() <= self.cent())
    }
}

impl Line {
    fn goods(&self, quantity: Decimal) -> Goods {
        Goods { sku: self.sku.clone(), quantity }
    }
}

fn too_long(error: impl fmt::Display) -> Fault {
    Fault::new(FaultKind::Rejected, code::BODY, error.to_string())
}

impl Finding {
    /// One sentence for a person.
    pub(super) fn sentence(&self, currency: Currency) -> String {
        let told = |amount| Money::new(amount, currency);
        let Self { sku, quantity, charged, .. } = self;
        let charged = told(*charged);
        let quantity = quantity.normalize();
        match (self.agreed, &self.by, &self.cause) {
            (Some(agreed), Some(by), Some(cause)) => {
                format!(
                    "{quantity} × {sku}: charged {charged}, and {} by {by} is right; {cause}",
                    told(agreed)
                )
            }
            (Some(_), Some(by), None) => format!("{quantity} × {sku}: charged {charged}, as agreed by {by}"),
            (None, Some(by), _) => {
                format!("{quantity} × {sku}: charged {charged}; {by} makes this price when it is asked")
            }
            (_, _, cause) => {
                let cause = cause.as_ref().map(ToString::to_string).unwrap_or_default();
                format!("{quantity} × {sku}: charged {charged}; {cause}")
            }
        }
    }
}
