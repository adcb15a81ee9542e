//! The totals of an order, summed from its elementary amounts: as ordered (with later added lines, without regard to
//! what was removed or refunded) and current (less what was).
//!
//! The rules are those that real bodies show: the subtotal is goods after discounts without tips, the discount total
//! has shipping discounts in it, tax is added unless prices include it, duties and tips come on top.

use super::line::{Line, ShippingLine};
use super::money::MoneyBag;
use super::order::Order;
use super::payment::{TransactionKind, TransactionStatus};

/// All in both currencies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Price × quantity of goods and gift cards, before discounts, without tips.
    pub line_items: MoneyBag,
    /// On lines and on shipping.
    pub discounts: MoneyBag,
    pub subtotal: MoneyBag,
    /// Before discounts.
    pub shipping: MoneyBag,
    pub tax: MoneyBag,
    /// None where no line has a duty.
    pub duties: Option<MoneyBag>,
    pub tips: MoneyBag,
    pub total: MoneyBag,
    pub current_discounts: MoneyBag,
    pub current_subtotal: MoneyBag,
    /// After discounts and refunds.
    pub current_shipping: MoneyBag,
    pub current_tax: MoneyBag,
    pub current_duties: Option<MoneyBag>,
    pub current_total: MoneyBag,
    /// Sales and captures that succeeded.
    pub received: MoneyBag,
    /// Refunds that succeeded.
    pub refunded: MoneyBag,
    /// Current total less what was received and not given back; negative when the shop owes.
    pub outstanding: MoneyBag,
    /// Grams.
    pub weight: u64,
}

impl Order {
    pub fn totals(&self) -> Totals {
        let money = &self.money;
        let mut totals = Totals::default();
        let mut duties = None;
        let mut current_duties = None;
        for line in &self.lines {
            if line.tip {
                totals.tips += line.net();
                continue;
            }
            totals.line_items += line.gross();
            totals.discounts += line.discount();
            totals.subtotal += line.net();
            totals.tax += line.tax();
            totals.current_discounts += line.current(money, line.discount());
            totals.current_subtotal += line.current(money, line.net());
            totals.current_tax += line.current(money, line.tax());
            totals.weight += u64::from(line.grams) * u64::from(line.current_quantity);
            if !line.duties.is_empty() {
                *duties.get_or_insert(MoneyBag::ZERO) += line.duty();
                *current_duties.get_or_insert(MoneyBag::ZERO) += line.current(money, line.duty());
            }
        }
        for shipping in &self.shipping_lines {
            totals.shipping += shipping.price;
            totals.discounts += shipping.discount();
            totals.current_discounts += shipping.discount();
            totals.tax += shipping.tax();
            totals.current_tax += shipping.tax() - shipping.refunded_tax;
            totals.current_shipping += shipping.discounted() - shipping.refunded;
        }
        totals.tips += self.tip_without_line;
        totals.duties = duties;
        totals.current_duties = current_duties;
        let shipping: MoneyBag = self.shipping_lines.iter().map(ShippingLine::discounted).sum();
        totals.total = totals.subtotal
            + shipping
            + self.tax_on_top(totals.tax)
            + totals.duties.unwrap_or_default()
            + totals.tips;
        totals.current_total = totals.current_subtotal
            + totals.current_shipping
            + self.tax_on_top(totals.current_tax)
            + totals.current_duties.unwrap_or_default()
            + self.current_tips();
        totals.received = self.sum_of(&[TransactionKind::Sale, TransactionKind::Capture]);
        totals.refunded = self.sum_of(&[TransactionKind::Refund]);
        totals.outstanding = totals.current_total - totals.received + totals.refunded;
        totals
    }

    /// Zero where prices include it.
    pub(crate) fn tax_on_top(&self, tax: MoneyBag) -> MoneyBag {
        if self.taxes_included { MoneyBag::ZERO } else { tax }
    }

    /// A tip that is no line goes when the order is cancelled; one that is a line, with its line.
    fn current_tips(&self) -> MoneyBag {
        let without_line = if self.cancelled_at.is_some() { MoneyBag::ZERO } else { self.tip_without_line };
        let lines: MoneyBag =
            self.lines.iter().filter(|line| line.tip).map(|line| line.price * line.current_quantity).sum();
        without_line + lines
    }

    fn sum_of(&self, kinds: &[TransactionKind]) -> MoneyBag {
        self.transactions
            .iter()
            .filter(|transaction| transaction.status == TransactionStatus::Success)
            .filter(|transaction| kinds.contains(&transaction.kind))
            .map(|transaction| transaction.amount)
            .sum()
    }

    /// The discount that each discount application gives in all, lines and shipping together.
    pub fn discount_of(&self, application: usize) -> MoneyBag {
        let lines = self.lines.iter().flat_map(|line: &Line| &line.discount_allocations);
        let shipping = self.shipping_lines.iter().flat_map(|line| &line.discount_allocations);
        lines.chain(shipping).filter(|share| share.application == application).map(|share| share.amount).sum()
    }

    /// Tax by title and rate over lines and shipping, in the order of first sight: the body's order-level `tax_lines`.
    pub fn taxes(&self) -> Vec<super::line::TaxLine> {
        let mut sums: Vec<super::line::TaxLine> = Vec::new();
        let lines = self.lines.iter().flat_map(|line| &line.tax_lines);
        for tax in lines.chain(self.shipping_lines.iter().flat_map(|line| &line.tax_lines)) {
            match sums.iter_mut().find(|sum| sum.title == tax.title && sum.rate == tax.rate) {
                Some(sum) => sum.price += tax.price,
                None => sums.push(tax.clone()),
            }
        }
        sums
    }
}
