//! Where a stored order says something else than is wanted. Owns what counts as the same.

use super::observe::mark;
use super::order::{Address, Line, Order};
use super::sale::{Item, Sale};
use rust_decimal::{Decimal, RoundingStrategy};

/// More differences than a person reads at once.
const SHOWN_MAX: usize = 6;

/// Fields of the wanted body that differ.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Differences {
    /// Whom and where.
    pub(super) addresses: Vec<String>,
    pub(super) lines: Vec<String>,
    /// What cannot be changed in Medusa.
    pub(super) fixed: Vec<String>,
}

impl Differences {
    pub(super) fn of(order: &Order, key: &str, sale: &Sale) -> Self {
        let mut differences = Self { lines: lines(order, &sale.items), ..Self::default() };
        let mut whom = |field: &str, same: bool| {
            if !same {
                differences.addresses.push(field.to_owned());
            }
        };
        whom("email", order.email.as_deref().is_none_or(|email| sale.email.as_deref() == Some(email)));
        whom(
            "shipping_address",
            same_address(order.shipping_address.as_ref(), sale.shipping_address.as_ref()),
        );
        let billing = billing(order, key);
        whom("billing_address", same_address(Some(&billing), sale.billing_address.as_ref()));
        if order.currency() != sale.currency {
            differences.fixed.push("currency".to_owned());
        }
        if !same_shipping(order, sale) {
            differences.fixed.push("shipping".to_owned());
        }
        differences
    }

    pub(super) fn is_empty(&self) -> bool {
        self.addresses.is_empty() && self.lines.is_empty() && self.fixed.is_empty()
    }
}

/// For a person.
pub(super) fn shown(fields: &[String]) -> String {
    let mut shown = fields[..fields.len().min(SHOWN_MAX)].join(", ");
    if fields.len() > SHOWN_MAX {
        shown.push_str(&format!(" and {} more", fields.len() - SHOWN_MAX));
    }
    shown
}

/// The billing address with our mark in its second line. What stood there goes on in the first.
pub(super) fn billing(order: &Order, key: &str) -> Address {
    let billing = order.billing_address.clone().unwrap_or_default();
    let lines = [billing.address_1.as_deref(), billing.address_2.as_deref()];
    let lines: Vec<&str> =
        lines.into_iter().flatten().map(str::trim).filter(|line| !line.is_empty()).collect();
    Address { address_1: Some(lines.join(", ")), address_2: Some(mark(key)), ..billing }.written()
}

fn same_address(wanted: Option<&Address>, stored: Option<&Address>) -> bool {
    // Where the order says nothing, nothing is compared.
    let Some(wanted) = wanted.map(Address::written) else { return true };
    stored.map(Address::written).unwrap_or_default() == wanted
}

fn same_shipping(order: &Order, sale: &Sale) -> bool {
    let sum: Decimal = order.shipping.iter().map(|shipping| shipping.amount).sum();
    let stored: Decimal = sale.shipping.iter().map(|(_, amount)| *amount).sum();
    sum == stored
}

/// Lines that are missing, too many, or otherwise, by our names of them.
pub(super) fn lines(order: &Order, items: &[Item]) -> Vec<String> {
    let mut fields = Vec::new();
    for (at, line) in order.lines.iter().enumerate() {
        match items.iter().find(|item| is(item, line)) {
            Some(item) if item.quantity == line.quantity && item.unit_price == line.unit_price => {}
            _ => fields.push(format!("lines[{at}]")),
        }
    }
    let more = items.iter().filter(|item| !order.lines.iter().any(|line| is(item, line)));
    fields.extend(more.map(|item| item.sku.clone().unwrap_or_else(|| item.title.clone())));
    fields
}

/// Whether it is this line: another product under the same name is another line.
pub(super) fn is(item: &Item, line: &Line) -> bool {
    let same_thing = match line.sku() {
        Some(sku) => item.sku.as_deref() == Some(sku),
        None => item.sku.is_none(),
    };
    item.line.as_deref() == Some(line.line.as_str()) && same_thing
}

/// An amount as it is paid: Medusa rounds none of its own.
pub(super) fn paid(amount: Decimal, currency: &str) -> Decimal {
    let digits = currency
        .to_ascii_uppercase()
        .parse()
        .map_or(2, |currency: kernel::money::Currency| currency.minor_digits());
    amount.round_dp_with_strategy(digits, RoundingStrategy::MidpointAwayFromZero)
}
