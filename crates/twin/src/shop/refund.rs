//! Refunds and removals. Shopify records what an order edit or a cancellation removes as a refund too, one without
//! transactions; `cause` tells the judge which it is.

use anyhow::{Result, bail, ensure};
use jiff::Timestamp;

use super::money::MoneyBag;
use super::order::Order;
use super::payment::{TransactionKind, TransactionStatus};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refund {
    pub id: u64,
    pub created_at: Timestamp,
    pub note: Option<String>,
    pub restock: bool,
    pub lines: Vec<RefundLine>,
    pub shipping: Vec<RefundShipping>,
    /// Duty id and amount.
    pub duties: Vec<(u64, MoneyBag)>,
    /// Ids of transactions of the order.
    pub transactions: Vec<u64>,
    /// The judge's own knowledge: on no wire.
    pub cause: RefundCause,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefundCause {
    Refund,
    Edit,
    Cancellation,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefundLine {
    pub id: u64,
    pub line_id: u64,
    pub quantity: u32,
    pub restock: RestockType,
    pub location_id: Option<u64>,
    /// After discounts; with tax where prices include it.
    pub subtotal: MoneyBag,
    pub total_tax: MoneyBag,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefundShipping {
    pub id: u64,
    pub shipping_line_id: u64,
    pub subtotal: MoneyBag,
    pub tax: MoneyBag,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RestockType {
    NoRestock,
    /// Not yet fulfilled.
    Cancel,
    /// Came back.
    Return,
}

impl RestockType {
    pub fn rest(self) -> &'static str {
        match self {
            Self::NoRestock => "no_restock",
            Self::Cancel => "cancel",
            Self::Return => "return",
        }
    }

    pub fn graphql(self) -> &'static str {
        match self {
            Self::NoRestock => "NO_RESTOCK",
            Self::Cancel => "CANCEL",
            Self::Return => "RETURN",
        }
    }
}

/// Lines (id and quantity) and whether shipping goes back with them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RefundRequest {
    pub lines: Vec<(u64, u32)>,
    pub shipping: bool,
    pub restock: bool,
    pub note: Option<String>,
}

impl Refund {
    /// What the refund is worth by its lines, shipping and duties.
    pub fn worth(&self, order: &Order) -> MoneyBag {
        let lines: MoneyBag =
            self.lines.iter().map(|line| line.subtotal + order.tax_on_top(line.total_tax)).sum();
        let shipping: MoneyBag =
            self.shipping.iter().map(|back| back.subtotal + order.tax_on_top(back.tax)).sum();
        lines + shipping + self.duties.iter().map(|(_, amount)| *amount).sum::<MoneyBag>()
    }
}

impl Order {
    /// Gives money back for lines (and shipping); refused when more is asked than is left or was ever paid.
    pub fn refund(&mut self, request: &RefundRequest, at: Timestamp) -> Result<u64> {
        for (line_id, quantity) in &request.lines {
            let Some(line) = self.line(*line_id) else { bail!("order {} has no line {line_id}", self.name) };
            ensure!(
                *quantity > 0 && *quantity <= line.current_quantity,
                "line {line_id} of order {} has {} units left, {quantity} were asked for",
                self.name,
                line.current_quantity
            );
        }
        let totals = self.totals();
        ensure!(!totals.received.is_zero(), "order {} was never paid: nothing to refund", self.name);
        let refund = self.remove(&request.lines, request.shipping, request.restock, RefundCause::Refund, at);
        let refund = Refund { note: request.note.clone(), ..refund };
        let (worth, left) = (refund.worth(self), totals.received - totals.refunded);
        let id = self.pay_back(refund, if worth.shop > left.shop { left } else { worth }, at);
        self.touch(at);
        Ok(id)
    }

    /// Takes units (and shipping) out of what is current; the record of it is not yet among the order's refunds.
    pub(crate) fn remove(
        &mut self,
        units: &[(u64, u32)],
        shipping: bool,
        restock: bool,
        cause: RefundCause,
        at: Timestamp,
    ) -> Refund {
        let mut refund = Refund {
            id: self.part_id(),
            created_at: at,
            note: None,
            restock,
            lines: Vec::new(),
            shipping: Vec::new(),
            duties: Vec::new(),
            transactions: Vec::new(),
            cause,
        };
        for (line_id, quantity) in units {
            self.remove_units(*line_id, *quantity, &mut refund);
        }
        if shipping {
            self.remove_shipping(&mut refund);
        }
        refund
    }

    fn remove_units(&mut self, line_id: u64, quantity: u32, refund: &mut Refund) {
        let id = self.part_id();
        let (money, location_id) = (self.money, self.shop.location_id);
        let Some(line) = self.lines.iter_mut().find(|line| line.id == line_id) else { return };
        let before = line.removed();
        let after = before + quantity;
        let share =
            |total| money.portion(total, after, line.quantity) - money.portion(total, before, line.quantity);
        let unfulfilled = line.fulfillable();
        let returned = if line.tip { 0 } else { quantity.saturating_sub(unfulfilled) };
        let restock = match (refund.restock && line.requires_shipping, returned > 0) {
            (false, _) => RestockType::NoRestock,
            (true, false) => RestockType::Cancel,
            (true, true) => RestockType::Return,
        };
        refund.lines.push(RefundLine {
            id,
            line_id,
            quantity,
            restock,
            location_id: (restock != RestockType::NoRestock).then_some(location_id),
            subtotal: share(line.net()),
            total_tax: share(line.tax()),
        });
        refund.duties.extend(line.duties.iter().map(|duty| (duty.id, share(duty.price))));
        line.current_quantity -= quantity;
        line.returned += returned;
    }

    fn remove_shipping(&mut self, refund: &mut Refund) {
        for index in 0..self.shipping_lines.len() {
            let id = self.part_id();
            let line = &mut self.shipping_lines[index];
            let (subtotal, tax) = (line.discounted() - line.refunded, line.tax() - line.refunded_tax);
            if subtotal.is_zero() && tax.is_zero() {
                continue;
            }
            line.refunded += subtotal;
            line.refunded_tax += tax;
            refund.shipping.push(RefundShipping { id, shipping_line_id: line.id, subtotal, tax });
        }
    }

    /// Adds the record, and a refund transaction of that amount where it is not zero.
    pub(crate) fn pay_back(&mut self, mut refund: Refund, amount: MoneyBag, at: Timestamp) -> u64 {
        if !amount.is_zero() {
            let parent = self.transactions.iter().rev().find(|transaction| {
                transaction.status == TransactionStatus::Success
                    && matches!(transaction.kind, TransactionKind::Sale | TransactionKind::Capture)
            });
            let (gateway, parent) = match parent {
                Some(parent) => (parent.gateway.clone(), Some(parent.id)),
                None => ("manual".to_owned(), None),
            };
            refund.transactions.push(self.transact(TransactionKind::Refund, amount, &gateway, parent, at));
        }
        let id = refund.id;
        self.refunds.push(refund);
        id
    }
}
