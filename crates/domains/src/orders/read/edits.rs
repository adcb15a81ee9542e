//! What edits took off a line: its current quantity and amounts.

use std::collections::BTreeMap;

use kernel::money::{Money, MoneyBag, MoneyError, PresentmentMoney, ShopMoney};
use kernel::quantity::Quantity;
use rust_decimal::Decimal;

use super::amounts::arithmetic;
use super::at::Read;
use super::happenings::{Refund, RefundIs};
use super::lines::ReadLine;
use crate::orders::line::{Line, LineAmounts};

/// Units that left a line, by what they left as.
#[derive(Debug, Default, Clone)]
struct Left {
    by_event: u64,
    by_cancellation: u64,
    by_edit: u64,
    edit_subtotal: Vec<Option<MoneyBag>>,
    edit_tax: Vec<Option<MoneyBag>>,
}

/// Sets each line's current quantity and amounts: as edited, not as refunded.
pub(crate) fn apply(lines: Vec<ReadLine>, refunds: &[Refund], cancelled: bool) -> Read<Vec<Line>> {
    let mut left: BTreeMap<&str, Left> = BTreeMap::new();
    for refund in refunds {
        for line in &refund.lines {
            let entry = left.entry(&line.line_id).or_default();
            match refund.is {
                RefundIs::Event => entry.by_event = entry.by_event.saturating_add(line.quantity),
                RefundIs::Cancellation => {
                    entry.by_cancellation = entry.by_cancellation.saturating_add(line.quantity)
                }
                RefundIs::Edit => {
                    entry.by_edit = entry.by_edit.saturating_add(line.quantity);
                    entry.edit_subtotal.push(line.subtotal);
                    entry.edit_tax.push(line.tax);
                }
            }
        }
    }
    let none = Left::default();
    lines
        .into_iter()
        .map(|read| {
            let left = left.get(read.line.line_id.as_str()).unwrap_or(&none);
            let removed = removed(&read, left, cancelled);
            let path = read.path.clone();
            edited(read, removed, left).map_err(arithmetic(path))
        })
        .collect()
}

/// Units that edits removed. Shopify's own `current_quantity` counts refunds too, so these are taken off; a
/// cancelled order has nothing remaining, so there only the edits before it count.
fn removed(read: &ReadLine, left: &Left, cancelled: bool) -> u64 {
    let removed = match read.remaining {
        Some(remaining) if !cancelled => {
            (read.original - remaining).saturating_sub(left.by_event).saturating_sub(left.by_cancellation)
        }
        _ => left.by_edit,
    };
    removed.min(read.original)
}

fn edited(read: ReadLine, removed: u64, left: &Left) -> Result<Line, MoneyError> {
    let mut line = read.line;
    if removed == 0 {
        return Ok(line);
    }
    let kept = read.original - removed;
    line.quantity.current = Quantity::pieces(kept);
    // What the edit's own record says is exact; without one the share of the units is.
    let recorded = left.by_edit == removed;
    let taken_off = |records: &[Option<MoneyBag>], whole: MoneyBag| -> Result<MoneyBag, MoneyError> {
        let known: Option<Vec<MoneyBag>> = records.iter().copied().collect();
        match known.filter(|_| recorded) {
            Some(bags) => bags.into_iter().try_fold(whole, MoneyBag::checked_sub),
            None => share(whole, kept, removed),
        }
    };
    let total = taken_off(&left.edit_subtotal, line.original.total)?;
    let tax = taken_off(&left.edit_tax, line.original.tax)?;
    let gross = line.unit_price.checked_mul(Decimal::from(kept))?;
    line.current = LineAmounts { gross, discount: gross.checked_sub(total)?, total, tax };
    Ok(line)
}

/// The part of `whole` that belongs to `kept` of `kept + removed` units.
fn share(whole: MoneyBag, kept: u64, removed: u64) -> Result<MoneyBag, MoneyError> {
    let weights = [Decimal::from(kept), Decimal::from(removed)];
    let first = |money: Money| -> Result<Money, MoneyError> {
        money.allocate(&weights)?.first().copied().ok_or(MoneyError::NoWeights)
    };
    Ok(MoneyBag::new(
        ShopMoney::new(first(whole.shop.money())?),
        PresentmentMoney::new(first(whole.presentment.money())?),
    ))
}
