//! What happens to an order after it was placed, as Shopify does it: each operation changes the elementary amounts and
//! bumps `updated_at` to the whole second. What Shopify would turn down is refused, and then nothing has changed.

use anyhow::{Result, bail, ensure};
use jiff::Timestamp;

use super::line::Line;
use super::money::MoneyBag;
use super::order::{Address, CancelReason, Fulfilment, Metafield, Order, Tracking};
use super::payment::{Transaction, TransactionKind, TransactionStatus};
use super::refund::RefundCause;

impl Order {
    /// Captures an authorisation, or takes the outstanding amount as a sale.
    pub fn pay(&mut self, gateway: &str, at: Timestamp) -> Result<u64> {
        ensure!(self.cancelled_at.is_none(), "order {} is cancelled", self.name);
        let outstanding = self.totals().outstanding;
        ensure!(
            outstanding.shop.is_sign_positive() && !outstanding.shop.is_zero(),
            "order {} owes nothing",
            self.name
        );
        let authorisation = self
            .transactions
            .iter()
            .find(|t| t.kind == TransactionKind::Authorization && t.status == TransactionStatus::Success)
            .map(|t| (t.id, t.gateway.clone()));
        let id = match authorisation {
            Some((parent, gateway)) => {
                self.transact(TransactionKind::Capture, outstanding, &gateway, Some(parent), at)
            }
            None => self.transact(TransactionKind::Sale, outstanding, gateway, None, at),
        };
        self.complete_payment_terms(at);
        self.touch(at);
        Ok(id)
    }

    /// A payment of a part: the first of two gift cards, a deposit.
    pub fn pay_part(&mut self, gateway: &str, amount: MoneyBag, at: Timestamp) -> Result<u64> {
        let outstanding = self.totals().outstanding;
        ensure!(
            amount.shop.is_sign_positive() && amount.shop <= outstanding.shop,
            "order {} owes {}, {} was given",
            self.name,
            outstanding.shop,
            amount.shop
        );
        let id = self.transact(TransactionKind::Sale, amount, gateway, None, at);
        self.touch(at);
        Ok(id)
    }

    /// Reserves the outstanding amount.
    pub fn authorise(&mut self, gateway: &str, at: Timestamp) -> Result<u64> {
        ensure!(self.cancelled_at.is_none(), "order {} is cancelled", self.name);
        let outstanding = self.totals().outstanding;
        ensure!(!outstanding.is_zero(), "order {} owes nothing", self.name);
        let id = self.transact(TransactionKind::Authorization, outstanding, gateway, None, at);
        self.touch(at);
        Ok(id)
    }

    /// Order editing: sets how many units of a line are current. What goes is recorded as a refund without
    /// transactions; what comes raises the line's quantity and its tax, at the full price.
    pub fn edit_quantity(&mut self, line_id: u64, quantity: u32, at: Timestamp) -> Result<()> {
        ensure!(self.cancelled_at.is_none(), "order {} is cancelled", self.name);
        let Some(line) = self.line(line_id) else { bail!("order {} has no line {line_id}", self.name) };
        let current = line.current_quantity;
        ensure!(!line.tip, "a tip cannot be edited");
        if quantity < current {
            let removed = current - quantity;
            ensure!(
                removed <= line.fulfillable(),
                "line {line_id} has only {} units open",
                line.fulfillable()
            );
            let refund = self.remove(&[(line_id, removed)], false, true, RefundCause::Edit, at);
            self.refunds.push(refund);
        } else {
            self.grow_line(line_id, quantity - current)?;
        }
        self.touch(at);
        Ok(())
    }

    fn grow_line(&mut self, line_id: u64, more: u32) -> Result<()> {
        let (money, included) = (self.money, self.taxes_included);
        let Some(line) = self.lines.iter_mut().find(|line| line.id == line_id) else {
            bail!("order has no line {line_id}")
        };
        ensure!(
            line.removed() == 0,
            "units of line {line_id} were removed: Shopify adds a new line instead, and so must the caller"
        );
        line.quantity += more;
        line.current_quantity += more;
        let rates: Vec<_> = line.tax_lines.iter().map(|tax| (tax.title.clone(), tax.rate)).collect();
        line.tax_by(&money, &rates, included);
        Ok(())
    }

    /// Order editing: a new line, taxed at the rates of the first taxed line.
    pub fn add_line(&mut self, mut line: Line, at: Timestamp) -> Result<u64> {
        ensure!(self.cancelled_at.is_none(), "order {} is cancelled", self.name);
        let rates: Vec<_> = self
            .lines
            .iter()
            .find(|line| !line.tax_lines.is_empty())
            .map(|line| line.tax_lines.iter().map(|tax| (tax.title.clone(), tax.rate)).collect())
            .unwrap_or_default();
        line.id = self.part_id();
        line.added_by_edit = true;
        line.tax_by(&self.money, &rates, self.taxes_included);
        let id = line.id;
        self.lines.push(line);
        self.touch(at);
        Ok(id)
    }

    pub fn change_shipping_address(&mut self, address: Address, at: Timestamp) -> Result<()> {
        ensure!(self.cancelled_at.is_none(), "order {} is cancelled", self.name);
        self.shipping_address = Some(address);
        self.touch(at);
        Ok(())
    }

    /// Removes all that is open, voids an authorisation, gives back what was paid (if `give_back`), and closes.
    pub fn cancel(
        &mut self,
        reason: CancelReason,
        give_back: bool,
        restock: bool,
        at: Timestamp,
    ) -> Result<()> {
        ensure!(self.cancelled_at.is_none(), "order {} is cancelled already", self.name);
        ensure!(
            self.lines.iter().all(|line| line.fulfilled == line.returned),
            "order {} is partly fulfilled: Shopify cancels only what is not",
            self.name
        );
        let totals = self.totals();
        let units: Vec<_> = self
            .lines
            .iter()
            .filter(|line| line.current_quantity > 0)
            .map(|line| (line.id, line.current_quantity))
            .collect();
        let refund = self.remove(&units, true, restock, RefundCause::Cancellation, at);
        self.cancelled_at = Some(whole_second(at));
        self.cancel_reason = Some(reason);
        self.closed_at = Some(whole_second(at));
        let paid = totals.received - totals.refunded;
        self.pay_back(refund, if give_back { paid } else { MoneyBag::ZERO }, at);
        if totals.received.is_zero() {
            self.void(at);
        }
        self.touch(at);
        Ok(())
    }

    fn void(&mut self, at: Timestamp) {
        let open = self
            .transactions
            .iter()
            .find(|t| t.kind == TransactionKind::Authorization && t.status == TransactionStatus::Success)
            .map(|t| (t.id, t.amount, t.gateway.clone()));
        if let Some((parent, amount, gateway)) = open {
            self.transact(TransactionKind::Void, amount, &gateway, Some(parent), at);
        }
    }

    /// Ships units (line id and quantity), with a number of the shop's own; an empty list ships all that is open.
    pub fn fulfil(&mut self, units: &[(u64, u32)], at: Timestamp) -> Result<u64> {
        let number = format!("T{}{:02}", self.order_number(), self.fulfilments.len() + 1);
        let tracking =
            Tracking { company: Some("Other".to_owned()), numbers: vec![number], urls: Vec::new() };
        self.fulfil_with(units, tracking, at)
    }

    pub(crate) fn fulfil_with(
        &mut self,
        units: &[(u64, u32)],
        tracking: Tracking,
        at: Timestamp,
    ) -> Result<u64> {
        ensure!(self.cancelled_at.is_none(), "order {} is cancelled", self.name);
        let open: Vec<_> = self
            .lines
            .iter()
            .filter(|line| line.fulfillable() > 0)
            .map(|line| (line.id, line.fulfillable()))
            .collect();
        let units = if units.is_empty() { open.clone() } else { units.to_vec() };
        ensure!(!units.is_empty(), "order {} has nothing left to fulfil", self.name);
        for (line_id, quantity) in &units {
            let left = open.iter().find(|(id, _)| id == line_id).map_or(0, |(_, left)| *left);
            ensure!(
                *quantity > 0 && *quantity <= left,
                "line {line_id} has {left} units open, not {quantity}"
            );
        }
        for (line_id, quantity) in &units {
            if let Some(line) = self.lines.iter_mut().find(|line| line.id == *line_id) {
                line.fulfilled += quantity;
            }
        }
        let id = self.part_id();
        let count = self.fulfilments.len() + 1;
        self.fulfilments.push(Fulfilment {
            id,
            name: format!("{}.{count}", self.name),
            created_at: whole_second(at),
            updated_at: whole_second(at),
            location_id: self.shop.location_id,
            tracking,
            cancelled_at: None,
            lines: units,
        });
        self.touch(at);
        Ok(id)
    }

    /// Takes a fulfilment back: its units are open again. What came back to the shop meanwhile stays where it is.
    pub fn cancel_fulfilment(&mut self, id: u64, at: Timestamp) -> Result<()> {
        let name = self.name.clone();
        let Some(fulfilment) = self.fulfilments.iter_mut().find(|one| one.id == id) else {
            bail!("order {name} has no fulfilment {id}")
        };
        ensure!(fulfilment.cancelled_at.is_none(), "fulfilment {id} is cancelled already");
        let units = fulfilment.lines.clone();
        let is_back = |(line_id, quantity): &(u64, u32)| {
            self.lines
                .iter()
                .any(|line| line.id == *line_id && line.fulfilled < quantity.saturating_add(line.returned))
        };
        ensure!(!units.iter().any(is_back), "units of fulfilment {id} came back already");
        fulfilment.cancelled_at = Some(whole_second(at));
        fulfilment.updated_at = whole_second(at);
        for (line_id, quantity) in units {
            if let Some(line) = self.lines.iter_mut().find(|line| line.id == line_id) {
                line.fulfilled -= quantity;
            }
        }
        self.touch(at);
        Ok(())
    }

    /// Says otherwise how a fulfilment's way can be followed.
    pub(crate) fn track(&mut self, id: u64, tracking: Tracking, at: Timestamp) -> Result<()> {
        let name = self.name.clone();
        let Some(fulfilment) = self.fulfilments.iter_mut().find(|one| one.id == id) else {
            bail!("order {name} has no fulfilment {id}")
        };
        fulfilment.tracking = tracking;
        fulfilment.updated_at = whole_second(at);
        self.touch(at);
        Ok(())
    }

    /// Sets a metafield; the same value again still bumps `updated_at`, as Shopify's does.
    pub fn set_metafield(
        &mut self,
        namespace: &str,
        key: &str,
        kind: &str,
        value: &str,
        at: Timestamp,
    ) -> u64 {
        let at_second = whole_second(at);
        let known = self.metafields.iter_mut().find(|field| field.namespace == namespace && field.key == key);
        let id = if let Some(field) = known {
            field.kind = kind.to_owned();
            field.value = value.to_owned();
            field.updated_at = at_second;
            field.id
        } else {
            let id = self.part_id();
            self.metafields.push(Metafield {
                id,
                namespace: namespace.to_owned(),
                key: key.to_owned(),
                kind: kind.to_owned(),
                value: value.to_owned(),
                created_at: at_second,
                updated_at: at_second,
            });
            id
        };
        self.touch(at);
        id
    }

    /// Adds a tag, whatever its case, once.
    pub fn add_tag(&mut self, tag: &str, at: Timestamp) {
        let tag = tag.trim();
        if tag.is_empty() || self.tags.iter().any(|known| known.eq_ignore_ascii_case(tag)) {
            return;
        }
        self.tags.push(tag.to_owned());
        self.tags.sort();
        self.touch(at);
    }

    pub(crate) fn transact(
        &mut self,
        kind: TransactionKind,
        amount: MoneyBag,
        gateway: &str,
        parent_id: Option<u64>,
        at: Timestamp,
    ) -> u64 {
        let id = self.part_id();
        let count = self.transactions.len() + 1;
        self.transactions.push(Transaction {
            id,
            kind,
            status: TransactionStatus::Success,
            gateway: gateway.to_owned(),
            amount,
            parent_id,
            created_at: whole_second(at),
            test: self.test,
            payment_id: format!("{}.{count}", self.name),
            authorization: (kind == TransactionKind::Authorization).then(|| format!("A{id}")),
        });
        id
    }

    fn complete_payment_terms(&mut self, at: Timestamp) {
        if let Some(terms) = &mut self.payment_terms {
            terms.updated_at = whole_second(at);
            for schedule in &mut terms.schedules {
                schedule.completed_at.get_or_insert(whole_second(at));
            }
        }
    }

    /// `updated_at` never goes back, and knows whole seconds only.
    pub(crate) fn touch(&mut self, at: Timestamp) {
        self.updated_at = self.updated_at.max(whole_second(at));
    }
}

/// Cut to the second, as every date of Shopify.
pub fn whole_second(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}
