//! What came back of an order, as Medusa keeps it: a return is asked for and received by changes of the order, which stand there for
//! good once they are confirmed. Owns how a return that brings a refund is known (the change that began it bears the refund's
//! object key), and how far it has come. The return's own status is not looked at: after a receipt that failed it says received.

use super::wire::{decimal, list, spelled, text};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The change by which a return is asked for.
pub(super) const REQUEST: &str = "return_request";
/// The change by which it is received.
pub(super) const RECEIPT: &str = "return_receive";

/// By ids of lines.
pub(super) type Units = BTreeMap<String, Decimal>;

/// A return that brings a refund, and that nobody has cancelled.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Return {
    pub(super) id: String,
    /// The refund's object key.
    pub(super) name: String,
    /// The change that began it is confirmed.
    pub(super) is_requested: bool,
    /// What is to come back.
    pub(super) units: Units,
    /// What was received of it.
    pub(super) received: Units,
    /// What stands in a receipt that is not confirmed.
    pub(super) receiving: Option<Units>,
}

impl Return {
    /// Those whose names begin so, of all changes of an order.
    pub(super) fn all(changes: &[Value], names: &str) -> Vec<Self> {
        // One that was dropped before it was confirmed is gone; one that was cancelled later stands, with a change that says so.
        let cancelled: BTreeSet<String> = changes
            .iter()
            .filter(|change| list(change, "actions").any(|action| is(action, &["CANCEL_RETURN_ITEM"])))
            .filter_map(|change| text(change, "return_id"))
            .collect();
        let begun = |change: &Value| {
            let id = text(change, "return_id").filter(|id| !cancelled.contains(id))?;
            let name = text(change, "internal_note").filter(|note| note.starts_with(names))?;
            let status = Status::of(change).filter(|_| of_kind(change, REQUEST))?;
            let receipts = |status: Status| {
                let of = |one: &&Value| of_kind(one, RECEIPT) && text(one, "return_id").as_ref() == Some(&id);
                changes.iter().filter(of).filter(move |one| Status::of(one) == Some(status))
            };
            let counted = ["RECEIVE_RETURN_ITEM", "RECEIVE_DAMAGED_RETURN_ITEM"];
            let received = sum(receipts(Status::Confirmed), &counted);
            let mut open = receipts(Status::Open).peekable();
            let receiving = open.peek().is_some().then(|| sum(open, &counted));
            let units = sum([change], &["RETURN_ITEM"]);
            Some(Self {
                name,
                is_requested: status == Status::Confirmed,
                units,
                received,
                receiving,
                id: id.clone(),
            })
        };
        changes.iter().filter_map(begun).collect()
    }

    /// What is still to be received.
    pub(super) fn rest(&self) -> Units {
        let mut rest = self.units.clone();
        for (item, units) in &self.received {
            *rest.entry(item.clone()).or_default() -= units;
        }
        rest.retain(|_, units| *units > Decimal::ZERO);
        rest
    }

    pub(super) fn is_received(&self) -> bool {
        self.is_requested && self.rest().is_empty()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Status {
    Open,
    Confirmed,
}

impl Status {
    /// `None`: it was called off.
    fn of(change: &Value) -> Option<Self> {
        match change.get("status").and_then(Value::as_str) {
            Some("pending" | "requested") => Some(Self::Open),
            Some("confirmed") => Some(Self::Confirmed),
            _ => None,
        }
    }
}

fn of_kind(change: &Value, kind: &str) -> bool {
    change.get("change_type").and_then(Value::as_str) == Some(kind)
}

fn is(action: &Value, kinds: &[&str]) -> bool {
    action.get("action").and_then(Value::as_str).is_some_and(|kind| kinds.contains(&kind))
}

/// Units of these kinds of actions; what was done twice counts twice, as it does there.
fn sum<'a>(changes: impl IntoIterator<Item = &'a Value>, kinds: &[&str]) -> Units {
    let mut units = Units::new();
    let actions = changes.into_iter().flat_map(|change| list(change, "actions"));
    for action in actions.filter(|action| is(action, kinds)) {
        let Some(details) = action.get("details") else { continue };
        let quantity = details.get("quantity").and_then(|value| decimal(value).or_else(|| spelled(value)));
        if let (Some(item), Some(quantity)) = (text(details, "reference_id"), quantity) {
            *units.entry(item).or_default() += quantity;
        }
    }
    units
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn change(kind: Value, status: &str, note: &str, of: &str, actions: &[(&str, &str, i64)]) -> Value {
        let action = |(action, item, quantity): &(&str, &str, i64)| json!({"action": action, "details": {"reference_id": item, "quantity": quantity}});
        json!({"id": format!("ordch_{note}"), "change_type": kind, "status": status, "internal_note": note, "return_id": of,
               "actions": actions.iter().map(action).collect::<Vec<_>>()})
    }

    #[test]
    fn a_return_is_what_the_changes_of_its_order_say() {
        let (request, receipt) = (json!(REQUEST), json!(RECEIPT));
        let changes = [
            change(Value::Null, "confirmed", "", "", &[("FULFILL_ITEM", "i1", 5)]),
            change(
                request.clone(),
                "confirmed",
                "acme-order-1-refund-7",
                "r1",
                &[("RETURN_ITEM", "i1", 2), ("RETURN_ITEM", "i2", 1)],
            ),
            change(receipt.clone(), "confirmed", "", "r1", &[("RECEIVE_RETURN_ITEM", "i1", 1)]),
            change(receipt.clone(), "pending", "", "r1", &[("RECEIVE_DAMAGED_RETURN_ITEM", "i1", 1)]),
            change(request.clone(), "confirmed", "acme-order-1-refund-8", "r2", &[("RETURN_ITEM", "i1", 1)]),
            change(Value::Null, "confirmed", "", "r2", &[("CANCEL_RETURN_ITEM", "i1", 1)]),
            change(
                request.clone(),
                "pending",
                "acme-order-1-refund-9",
                "r3",
                &[("RETURN_ITEM", "i1", 1), ("RETURN_ITEM", "i1", 1)],
            ),
            change(request.clone(), "declined", "acme-order-1-refund-6", "r4", &[]),
            change(request, "pending", "acme-order-11-refund-9", "r5", &[]),
            change(receipt, "confirmed", "", "r5", &[("RECEIVE_RETURN_ITEM", "i1", 1)]),
        ];
        let units = |of: &[(&str, i64)]| -> Units {
            of.iter().map(|(item, units)| ((*item).to_owned(), Decimal::from(*units))).collect()
        };
        let [received, open] = Return::all(&changes, "acme-order-1-refund-").try_into().unwrap();
        assert_eq!(
            (received.id.as_str(), received.is_requested, received.is_received()),
            ("r1", true, false)
        );
        assert_eq!(received.units, units(&[("i1", 2), ("i2", 1)]));
        assert_eq!(
            (received.received.clone(), received.receiving.clone()),
            (units(&[("i1", 1)]), Some(units(&[("i1", 1)])))
        );
        assert_eq!(received.rest(), units(&[("i1", 1), ("i2", 1)]));
        assert_eq!(
            (open.id.as_str(), open.is_requested, open.units.clone()),
            ("r3", false, units(&[("i1", 2)]))
        );
        assert_eq!(open.receiving, None);
    }
}
