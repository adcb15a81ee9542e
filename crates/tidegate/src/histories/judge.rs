//! What the ERP has to have of an order, worked out from the shop's own order and compared with the ERP's own books. It shares no
//! code with the hub: neither parser, nor totals, nor what the hub takes for a refund.

use rust_decimal::Decimal;
use std::collections::BTreeMap;
use twin::erp::{CreditNote, Payment, Sale, SaleState};
use twin::shop::{
    FinancialStatus, Order, Refund, RestockType, Transaction, TransactionKind, TransactionStatus,
};

/// Whether the ERP is to have a sale of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sold {
    Must,
    /// It was ready for the ERP once, and is no more: whether the hub has heard of it by then is chance.
    May,
    MustNot,
}

/// What `export_when` waits for: paid or authorised, by the shop's own word.
pub(super) fn is_ready(order: &Order) -> bool {
    use FinancialStatus::{Authorized, Paid, PartiallyRefunded, Refunded};
    let ready = matches!(order.financial_status(), Authorized | Paid | PartiallyRefunded | Refunded);
    ready && order.cancelled_at.is_none()
}

/// All that the ERP has under an order's name.
#[derive(Debug, Clone, Default)]
pub(super) struct Books {
    pub(super) sales: Vec<Sale>,
    pub(super) credit_notes: Vec<CreditNote>,
    pub(super) payments: Vec<Payment>,
}

/// The name of its sale.
pub(super) fn reference(order: &Order) -> String {
    format!("acme-order-{}", order.id)
}

/// What is wrong.
pub(super) fn judge(order: &Order, sold: Sold, books: &Books) -> Vec<String> {
    let mut wrong = Vec::new();
    let called_off = order.cancelled_at.is_some();
    let sale = match books.sales.as_slice() {
        [] if sold == Sold::Must => return vec!["the sale is missing".to_owned()],
        // It was called off before the hub heard of it, or is not paid: then nothing of it is there.
        [] => {
            let documents = books.credit_notes.len() + books.payments.len();
            return if documents == 0 { wrong } else { vec![format!("{documents} documents of no sale")] };
        }
        [_] if sold == Sold::MustNot => return vec!["a sale of an order that is not to be there".to_owned()],
        [sale] => sale,
        many => return vec![format!("{} sales", many.len())],
    };
    if (sale.state == SaleState::Cancelled) != called_off {
        wrong.push(format!("the sale is {:?}, and the order's cancellation is {called_off}", sale.state));
    }
    let total = as_edited(order);
    if !called_off && sale.totals.gross != total {
        wrong.push(format!("the sale's gross is {} and should be {total}", sale.totals.gross));
    }
    let units: Decimal =
        sale.content.lines.iter().filter(|line| line.sku != "SHIPPING").map(|line| line.quantity).sum();
    if !called_off && units != ordered(order) {
        wrong.push(format!("the sale has {units} units and should have {}", ordered(order)));
    }
    let wanted = order.refunds.iter().filter(|refund| is_refund(refund));
    let wanted =
        wanted.map(|refund| (format!("{}-refund-{}", reference(order), refund.id), worth(order, refund)));
    let found = books.credit_notes.iter().map(|note| (note.reference.clone(), note.total));
    compare("credit note", wanted, found, &mut wrong);
    let wanted = order.transactions.iter().filter(|one| is_payment(one));
    let wanted = wanted.map(|one| (format!("{}-payment-{}", reference(order), one.id), one.amount.shop));
    let found = books.payments.iter().map(|payment| (payment.reference.clone(), payment.amount));
    compare("payment", wanted, found, &mut wrong);
    wrong
}

/// Each once, under its name, with its amount; and nothing else.
fn compare(
    what: &str,
    wanted: impl Iterator<Item = (String, Decimal)>,
    found: impl Iterator<Item = (String, Decimal)>,
    wrong: &mut Vec<String>,
) {
    let mut amounts: BTreeMap<String, (Option<Decimal>, Vec<Decimal>)> = BTreeMap::new();
    wanted.for_each(|(name, amount)| amounts.entry(name).or_default().0 = Some(amount));
    found.for_each(|(name, amount)| amounts.entry(name).or_default().1.push(amount));
    for (name, (wanted, found)) in amounts {
        if wanted.is_none_or(|wanted| found != [wanted]) {
            wrong.push(format!("{what} {name}: wanted {wanted:?}, found {found:?}"));
        }
    }
}

/// Money went back, or goods did. What takes units off that were neither paid back nor sent is an edit, and the sale says it.
fn is_refund(refund: &Refund) -> bool {
    let came_back = refund.lines.iter().any(|line| line.restock == RestockType::Return);
    !refund.transactions.is_empty() || came_back || refund.lines.is_empty()
}

fn is_payment(transaction: &Transaction) -> bool {
    transaction.status == TransactionStatus::Success
        && matches!(transaction.kind, TransactionKind::Sale | TransactionKind::Capture)
}

/// What the buyer got back.
fn worth(order: &Order, refund: &Refund) -> Decimal {
    refund.transactions.iter().filter_map(|id| order.transaction(*id)).map(|one| one.amount.shop).sum()
}

/// What stands to be paid now, and what was taken off it by refunds.
fn as_edited(order: &Order) -> Decimal {
    let refunds = order.refunds.iter().filter(|refund| is_refund(refund));
    let given_back: Decimal = refunds.map(|refund| refund.worth(order).shop).sum();
    order.totals().current_total.shop + given_back
}

fn ordered(order: &Order) -> Decimal {
    let current: u32 = order.lines.iter().filter(|line| !line.tip).map(|line| line.current_quantity).sum();
    let lines = order.refunds.iter().filter(|refund| is_refund(refund)).flat_map(|refund| &refund.lines);
    Decimal::from(current + lines.map(|line| line.quantity).sum::<u32>())
}
