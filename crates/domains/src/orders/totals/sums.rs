//! Sums over lines and shipping lines, for the quantity ordered and for the quantity as edited.

use kernel::money::{MoneyBag, MoneyError};

use super::Check;
use crate::orders::line::{Line, LineAmounts, ShippingLine, Tax};

/// What the lines come to.
pub(super) struct Sums {
    pub(super) gross: MoneyBag,
    pub(super) subtotal: MoneyBag,
    pub(super) discount: MoneyBag,
    /// Of lines, shipping and, where it stands at no line, of the order.
    pub(super) tax: MoneyBag,
    pub(super) tax_on_duties: MoneyBag,
    /// Before discounts, removed ones included.
    pub(super) shipping_gross: MoneyBag,
    /// Less discounts; in the original sums with what edits removed.
    pub(super) shipping: MoneyBag,
    /// Less discounts, without what edits removed.
    pub(super) shipping_kept: MoneyBag,
    pub(super) duties: MoneyBag,
    pub(super) fees: MoneyBag,
    pub(super) tips: MoneyBag,
}

/// The sum of amounts, starting from a zero of the right currencies.
fn add(zero: MoneyBag, amounts: impl IntoIterator<Item = MoneyBag>) -> Result<MoneyBag, MoneyError> {
    amounts.into_iter().try_fold(zero, MoneyBag::checked_add)
}

impl Sums {
    pub(super) fn original(check: &Check<'_>) -> Result<Self, MoneyError> {
        Self::over(check, |line| line.original, |_| true, |_| true)
    }

    pub(super) fn current(check: &Check<'_>) -> Result<Self, MoneyError> {
        Self::over(check, |line| line.current, |line| !line.quantity.current.is_zero(), |line| !line.removed)
    }

    fn over(
        check: &Check<'_>,
        amounts: impl Fn(&Line) -> LineAmounts,
        counts: impl Fn(&Line) -> bool,
        ships: impl Fn(&ShippingLine) -> bool,
    ) -> Result<Self, MoneyError> {
        let zero = check.money.zero();
        let lines = || check.lines.iter();
        let shipping = || check.shipping_lines.iter().filter(|line| ships(line));
        let duties = || lines().filter(|line| counts(line)).flat_map(|line| line.duties.iter());
        let tax_of = |taxes: &[Tax]| add(zero, taxes.iter().map(|tax| tax.amount));
        let line_tax = add(zero, lines().map(|line| amounts(line).tax))?;
        let shipping_tax = add(zero, shipping().map(|line| line.tax))?;
        let line_discount = add(zero, lines().map(|line| amounts(line).discount))?;
        let shipping_discounts = shipping().flat_map(|line| line.discounts.iter().map(|share| share.amount));
        let kept = check.shipping_lines.iter().filter(|line| !line.removed);
        let of_lines = add(zero, duties().map(|duty| duty.amount))?;
        let nothing_removed = lines().all(&counts);
        Ok(Self {
            gross: add(zero, lines().map(|line| amounts(line).gross))?,
            subtotal: add(zero, lines().map(|line| amounts(line).total))?,
            discount: line_discount.checked_add(add(zero, shipping_discounts)?)?,
            tax: line_tax.checked_add(shipping_tax)?.checked_add(tax_of(check.order_taxes)?)?,
            tax_on_duties: add(zero, duties().flat_map(|duty| duty.taxes.iter().map(|tax| tax.amount)))?,
            shipping_gross: add(zero, check.shipping_lines.iter().map(|line| line.price))?,
            shipping: add(zero, shipping().map(|line| line.total))?,
            shipping_kept: add(zero, kept.map(|line| line.total))?,
            duties: check.stated.duties.filter(|_| nothing_removed).unwrap_or(of_lines),
            fees: check.stated.fees.unwrap_or(zero),
            tips: check.stated.tips,
        })
    }
}
