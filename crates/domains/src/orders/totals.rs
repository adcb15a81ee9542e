//! Totals: recomputed from the lines, compared with what Shopify states, to the minor unit.
//!
//! Shopify's totals "before returns" are the sums over all lines at the quantity ordered, including lines that edits
//! added and units that edits removed; its current totals are less refunds as well. What an edit makes of the
//! former is not documented for every case, so a changed order is also taken when its current totals agree.
//!
//! Where the buyer paid in another currency, his side is exact and the shop's side is a conversion of each amount,
//! each rounded by itself: there it may be off by half a minor unit for each amount that was added up.

mod stated;
mod sums;

use kernel::money::{Money, MoneyBag};
use rust_decimal::Decimal;

use super::fault::{BodyCode, BodyFault};
use super::line::{Line, ShippingLine, Tax};
use super::model::{OrderTotals, Totals};
use super::read::{At, Currencies, Form, Read, arithmetic};
pub(super) use stated::Stated;
use sums::Sums;

/// What is needed to recompute and compare.
pub(super) struct Check<'a> {
    pub(super) lines: &'a [Line],
    pub(super) shipping_lines: &'a [ShippingLine],
    /// Taxes of the order that stand at no line.
    pub(super) order_taxes: &'a [Tax],
    pub(super) stated: &'a Stated,
    pub(super) money: Currencies,
    pub(super) taxes_included: bool,
    pub(super) duties_included: bool,
    /// Neither refunded nor cancelled: Shopify's current totals are then those of the edited order.
    pub(super) comparable: bool,
}

/// A disagreement: which stated total, what it says, and what the lines come to.
struct Disagreement {
    rest: &'static str,
    graphql: &'static str,
    stated: MoneyBag,
    computed: MoneyBag,
    what: &'static str,
}

impl Check<'_> {
    /// Recomputes; compares unless the order is a test, which is never exported: Shopify's own test notifications
    /// do not add up.
    pub(super) fn run(&self, at: &At<'_>, test: bool) -> Read<Totals> {
        let exact = || arithmetic(at.path());
        let original = Sums::original(self).map_err(exact())?;
        let current = Sums::current(self).map_err(exact())?;
        let shape = self.shape(&original).map_err(exact())?;
        let mut totals = Totals {
            original: self.totals(&original, &shape).map_err(exact())?,
            current: self.totals(&current, &shape).map_err(exact())?,
            tips_in_lines: shape.tips_in_lines,
        };
        self.settle_tips(&mut totals).map_err(exact())?;
        if test {
            return Ok(totals);
        }
        let verdict = self.disagreement(&original, &totals);
        match verdict {
            Some(disagreement) if !self.changed_and_agrees(&totals) => Err(self.fault(at, &disagreement)),
            _ => self.refuse_wrong_current(at, &totals).map(|()| totals),
        }
    }

    /// Finds out what the stated totals count: whether duty taxes are in the tax, tips in the lines, and shipping
    /// that an edit removed in the total.
    fn shape(&self, sums: &Sums) -> Result<Shape, kernel::money::MoneyError> {
        let both = sums.tax.checked_add(sums.tax_on_duties)?;
        let duty_tax_counts =
            self.stated.tax.is_some_and(|stated| !self.close(stated, sums.tax) && self.close(stated, both));
        let mut shape = Shape { duty_tax_counts, tips_in_lines: false, without_removed_shipping: false };
        for (tips_in_lines, without_removed_shipping) in
            [(false, false), (false, true), (true, false), (true, true)]
        {
            let candidate = Shape { duty_tax_counts, tips_in_lines, without_removed_shipping };
            if self.close(self.stated.total, self.totals(sums, &candidate)?.total) {
                shape = candidate;
                break;
            }
        }
        Ok(shape)
    }

    fn totals(&self, sums: &Sums, shape: &Shape) -> Result<OrderTotals, kernel::money::MoneyError> {
        let tax = if shape.duty_tax_counts { sums.tax.checked_add(sums.tax_on_duties)? } else { sums.tax };
        let shipping = if shape.without_removed_shipping { sums.shipping_kept } else { sums.shipping };
        let mut total = sums.subtotal.checked_add(shipping)?.checked_add(sums.fees)?;
        if !self.duties_included {
            total = total.checked_add(sums.duties)?;
        }
        if !shape.tips_in_lines {
            total = total.checked_add(sums.tips)?;
        }
        if !self.taxes_included {
            total = total.checked_add(tax)?;
        }
        Ok(OrderTotals {
            subtotal: sums.subtotal,
            discount: sums.discount,
            shipping,
            duties: sums.duties,
            fees: sums.fees,
            tips: sums.tips,
            tax,
            total,
        })
    }

    /// REST gives tips in the shop's currency alone. The buyer's side is what his total leaves over, in both forms
    /// alike, so that they agree.
    fn settle_tips(&self, totals: &mut Totals) -> Result<(), kernel::money::MoneyError> {
        if !self.money.differ() || totals.original.tips.shop.is_zero() || totals.tips_in_lines {
            return Ok(());
        }
        let without = totals.original.total.presentment.checked_sub(totals.original.tips.presentment)?;
        let rest = self.stated.total.presentment.checked_sub(without)?;
        for set in [&mut totals.original, &mut totals.current] {
            set.total.presentment =
                set.total.presentment.checked_sub(set.tips.presentment)?.checked_add(rest)?;
            set.tips.presentment = rest;
        }
        Ok(())
    }

    fn disagreement(&self, sums: &Sums, totals: &Totals) -> Option<Disagreement> {
        let stated = self.stated;
        let original = &totals.original;
        let compare = |rest, graphql, stated: Option<MoneyBag>, computed: &[MoneyBag], what| {
            let stated = stated?;
            let agrees = computed.iter().any(|computed| self.close(stated, *computed));
            let computed = *computed.first()?;
            (!agrees).then_some(Disagreement { rest, graphql, stated, computed, what })
        };
        let shipping = [original.shipping, sums.shipping, sums.shipping_kept, sums.shipping_gross];
        let lines = self.with_and_without_tips(sums.gross, totals);
        let subtotal = self.with_and_without_tips(sums.subtotal, totals);
        compare("total_line_items_price", "", stated.lines, &lines, "the lines' prices")
            .or_else(|| {
                let what = "the lines less their discounts";
                compare("subtotal_price", "subtotalPriceSet", stated.subtotal, &subtotal, what)
            })
            .or_else(|| {
                let what = "the taxes of lines and shipping";
                compare("total_tax", "totalTaxSet", stated.tax, &[original.tax], what)
            })
            .or_else(|| {
                let what = "the shipping lines";
                compare("total_shipping_price_set", "totalShippingPriceSet", stated.shipping, &shipping, what)
            })
            .or_else(|| {
                let what = "lines, shipping, taxes, duties, fees and tips";
                compare("total_price", "totalPriceSet", Some(stated.total), &[original.total], what)
            })
    }

    /// A tip that is a line counts in no sum of goods that Shopify states (`fragments/line-item-tip` of the real bodies).
    fn with_and_without_tips(&self, sum: MoneyBag, totals: &Totals) -> Vec<MoneyBag> {
        let without = totals.tips_in_lines.then(|| sum.checked_sub(totals.original.tips).ok()).flatten();
        [Some(sum), without].into_iter().flatten().collect()
    }

    /// Shopify says itself that the order was changed: its totals before the change are sound in themselves, and its
    /// current ones are those of the edited lines.
    fn changed_and_agrees(&self, totals: &Totals) -> bool {
        let stated = self.stated;
        let (Some(total), Some(subtotal)) = (stated.current_total, stated.current_subtotal) else {
            return false;
        };
        self.comparable
            && !self.close(total, stated.total)
            && self.close(total, totals.current.total)
            && self
                .with_and_without_tips(totals.current.subtotal, totals)
                .iter()
                .any(|computed| self.close(subtotal, *computed))
            && self.stated_adds_up().unwrap_or(false)
    }

    /// Whether the stated totals follow from each other, whatever the lines say.
    fn stated_adds_up(&self) -> Option<bool> {
        let stated = self.stated;
        let zero = self.money.zero();
        let duties = stated.duties.filter(|_| !self.duties_included).unwrap_or(zero);
        let tax = stated.tax.filter(|_| !self.taxes_included).unwrap_or(zero);
        let parts = [stated.subtotal?, stated.shipping?, duties, stated.fees.unwrap_or(zero), tax];
        let sum = parts.into_iter().try_fold(zero, MoneyBag::checked_add).ok()?;
        Some(self.close(stated.total, sum) || self.close(stated.total, sum.checked_add(stated.tips).ok()?))
    }

    fn refuse_wrong_current(&self, at: &At<'_>, totals: &Totals) -> Read<()> {
        let Some(stated) = self.stated.current_total.filter(|_| self.comparable) else { return Ok(()) };
        if self.close(stated, totals.current.total) {
            return Ok(());
        }
        Err(self.fault(
            at,
            &Disagreement {
                rest: "current_total_price",
                graphql: "currentTotalPriceSet",
                stated,
                computed: totals.current.total,
                what: "the lines as edited, with shipping, taxes, duties, fees and tips",
            },
        ))
    }

    /// Agrees to the minor unit; on the shop's side of two currencies within the conversion's rounding.
    fn close(&self, a: MoneyBag, b: MoneyBag) -> bool {
        let presentment = a.presentment.agrees_with(b.presentment).unwrap_or(false);
        let shop = if self.money.differ() {
            near(a.shop.money(), b.shop.money(), self.amounts())
        } else {
            a.shop.agrees_with(b.shop).unwrap_or(false)
        };
        presentment && shop
    }

    /// How many amounts were converted and rounded before they were added up.
    fn amounts(&self) -> usize {
        let of_lines: usize = self
            .lines
            .iter()
            .map(|line| 1 + line.discounts.len() + line.taxes.len() + line.duties.len())
            .sum();
        let of_shipping: usize =
            self.shipping_lines.iter().map(|line| 1 + line.discounts.len() + line.taxes.len()).sum();
        of_lines + of_shipping + 2
    }

    /// Names the one line whose amount is the whole difference, or else the total.
    fn fault(&self, at: &At<'_>, wrong: &Disagreement) -> BodyFault {
        let name = at.name(wrong.rest, wrong.graphql);
        let (stated, computed) = self.shown(wrong);
        let message = format!("{name} says {stated}, but {} come to {computed}", wrong.what);
        let total_path = format!("{}.{name}", at.path());
        match self.culprit(at, stated, computed) {
            Some((path, amount)) => BodyFault::new(
                BodyCode::TotalsDisagree,
                path,
                format!("{message}; the difference is this line's {amount}"),
            ),
            None => BodyFault::new(BodyCode::TotalsDisagree, total_path, message),
        }
    }

    /// The side that disagrees: the shop's, unless only the buyer's does.
    fn shown(&self, wrong: &Disagreement) -> (Money, Money) {
        let shop = (wrong.stated.shop.money(), wrong.computed.shop.money());
        if shop.0.agrees_with(shop.1).unwrap_or(false) {
            (wrong.stated.presentment.money(), wrong.computed.presentment.money())
        } else {
            shop
        }
    }

    fn culprit(&self, at: &At<'_>, stated: Money, computed: Money) -> Option<(String, &'static str)> {
        let difference = stated.checked_sub(computed).ok()?.amount().abs();
        let is_it = |bag: MoneyBag| {
            bag.shop.money().amount() == difference || bag.presentment.money().amount() == difference
        };
        let mut found = self.lines.iter().filter_map(|line| {
            let amounts = [
                (line.original.total, "total"),
                (line.original.discount, "discount"),
                (line.original.tax, "tax"),
            ];
            let (_, what) = amounts.into_iter().find(|(bag, _)| is_it(*bag))?;
            Some((line, what))
        });
        let (line, what) = found.next().filter(|_| !difference.is_zero())?;
        if found.next().is_some() {
            return None;
        }
        Some((stated::path_of_line(at, &line.line_id)?, what))
    }
}

/// What the stated totals count.
struct Shape {
    duty_tax_counts: bool,
    tips_in_lines: bool,
    without_removed_shipping: bool,
}

/// Within half a minor unit for each of `amounts`.
fn near(a: Money, b: Money, amounts: usize) -> bool {
    let half_unit = Decimal::new(5, a.currency().minor_digits() + 1);
    let Ok(difference) = a.checked_sub(b) else { return false };
    difference.amount().abs() <= half_unit * Decimal::from(amounts)
}

/// Whether the body is in the REST form; only that one states tips in one currency.
fn is_rest(at: &At<'_>) -> bool {
    at.form == Form::Rest
}
