//! An order that a person corrected, because as it came no target takes it. Owns what may be changed and what has to
//! hold of it afterwards; the order as it came stays in the log, and a newer state of the source takes its place.

mod schema;

use super::fault::BodyFault;
use super::model::{Order, OrderTotals};
use super::read::{from_graphql_value, from_rest_value};
use jiff::SignedDuration;
use kernel::money::{Money, MoneyError};
use serde::Deserialize as _;
use serde_json::Value;

/// The topic under which a corrected order is appended: its body is the canonical order itself.
pub const MENDED_TOPIC: &str = "orders/mended";

/// Why a correction is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {what}")]
pub struct MendFault {
    /// `lines[0].quantity.current.amount`.
    pub path: String,
    /// What is wrong, and what it should be.
    pub what: String,
}

impl MendFault {
    fn new(path: impl Into<String>, what: impl Into<String>) -> Self {
        Self { path: path.into(), what: what.into() }
    }
}

/// What makes it another order: nobody corrects these.
const IDENTITY: [&str; 7] =
    ["order_id", "gid", "name", "created_at", "currency", "presentment_currency", "test"];

/// A corrected canonical order. It stands between two of the source's whole seconds: newer than what it corrects, and
/// older than whatever the source says next.
///
/// # Errors
/// All that is wrong with it, in one go.
pub fn mend(original: &Order, corrected: &Value) -> Result<Order, Vec<MendFault>> {
    schema::check(corrected)?;
    let mut order = read(corrected)?;
    let before = serde_json::to_value(original).unwrap_or_default();
    let mut faults: Vec<MendFault> = IDENTITY
        .iter()
        .filter(|name| before.get(**name) != corrected.get(**name))
        .map(|name| MendFault::new(*name, format!("says which order it is, and stays {}", before[*name])))
        .collect();
    if original.updated_at != order.updated_at {
        faults.push(MendFault::new("updated_at", "is set by itself: leave it as it was"));
    }
    faults.extend(sums(original, &order));
    if faults.is_empty() && *original == (Order { events: original.events.clone(), ..order.clone() }) {
        faults.push(MendFault::new("the order", "is as it was: nothing was corrected"));
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    order.updated_at = a_moment_later(&order);
    Ok(order)
}

/// A corrected body, of which no canonical order could be made: it has to be readable now, as any body has.
///
/// # Errors
/// What keeps it from being read.
pub fn mend_body(body: &Value, graphql: bool) -> Result<Order, Vec<MendFault>> {
    let read = if graphql { from_graphql_value(body) } else { from_rest_value(body) };
    let mut order =
        read.map_err(|fault: BodyFault| vec![MendFault::new(fault.path.clone(), fault.message)])?;
    order.updated_at = a_moment_later(&order);
    Ok(order)
}

/// A canonical order that was written down.
///
/// # Errors
/// Where it is none.
pub fn read_canonical(body: &[u8]) -> Result<Order, MendFault> {
    serde_json::from_slice(body).map_err(|error| MendFault::new("the order", error.to_string()))
}

/// Where two JSON values differ, as dotted paths, at most so many: for the audit, which holds no values.
pub fn changed_paths(before: &Value, after: &Value, most: usize) -> Vec<String> {
    let mut found = Vec::new();
    differences(String::new(), before, after, most, &mut found);
    found
}

fn differences(path: String, before: &Value, after: &Value, most: usize, found: &mut Vec<String>) {
    if before == after || found.len() >= most {
        return;
    }
    match (before, after) {
        (Value::Object(one), Value::Object(other)) => {
            for (name, value) in one {
                let below = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                differences(below, value, other.get(name).unwrap_or(&Value::Null), most, found);
            }
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            for (index, (value, other)) in one.iter().zip(other).enumerate() {
                differences(format!("{path}[{index}]"), value, other, most, found);
            }
        }
        _ => found.push(path),
    }
}

fn read(corrected: &Value) -> Result<Order, Vec<MendFault>> {
    Order::deserialize(corrected).map_err(|error| vec![MendFault::new("the order", error.to_string())])
}

/// The source dates orders in whole seconds.
fn a_moment_later(order: &Order) -> jiff::Timestamp {
    order.updated_at.checked_add(SignedDuration::from_millis(1)).unwrap_or(order.updated_at)
}

/// The sums that held before have to hold now: whoever corrects an amount corrects what it adds up to.
fn sums(original: &Order, corrected: &Order) -> Vec<MendFault> {
    type Sum = fn(&Order) -> Result<(Money, Money), MoneyError>;
    let rules: [(&str, &str, Sum); 2] = [
        ("totals.current.total.shop.amount", "the subtotal, shipping, duties, fees, tips and tax", |order| {
            let totals = &order.totals.current;
            Ok((totals.total.shop.money(), total(order, totals)?))
        }),
        ("totals.current.subtotal.shop.amount", "the lines' current totals", |order| {
            let zero = Money::zero(order.currency);
            let lines = order.lines.iter().map(|line| line.current.total.shop.money());
            let sum = lines.into_iter().try_fold(zero, Money::checked_add)?;
            Ok((order.totals.current.subtotal.shop.money(), sum))
        }),
    ];
    let mut faults = Vec::new();
    for (path, of, sum) in rules {
        let held = sum(original).is_ok_and(|(stated, sum)| stated.agrees_with(sum).unwrap_or(false));
        match sum(corrected) {
            Ok((stated, sum)) if held && !stated.agrees_with(sum).unwrap_or(false) => {
                let what = format!("is {stated}, and {of} come to {sum}: correct both, or neither");
                faults.push(MendFault::new(path, what));
            }
            Err(error) => faults.push(MendFault::new(path, error.to_string())),
            Ok(_) => {}
        }
    }
    faults
}

fn total(order: &Order, totals: &OrderTotals) -> Result<Money, MoneyError> {
    let mut sum = totals.subtotal.checked_add(totals.shipping)?.checked_add(totals.fees)?;
    for (part, is_in_it) in [
        (totals.duties, order.duties_included),
        (totals.tips, order.totals.tips_in_lines),
        (totals.tax, order.taxes_included),
    ] {
        if !is_in_it {
            sum = sum.checked_add(part)?;
        }
    }
    Ok(sum.shop.money())
}
