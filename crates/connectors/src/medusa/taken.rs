//! What was changed of an order by edits, as Medusa keeps it: each edit that was confirmed stands there for good, with what it
//! was begun for and what it did to each line. Owns how an edit that brought a refund is known (its note is the refund's object
//! key), what such edits took off, and what an order comes to without them; judges nobody else's edit.

use super::ask::Ask;
use super::came_back::Return;
use super::order::{Line, Order};
use super::sale::{Item, Sale};
use super::wire::{exact, list, spelled, text};
use connector::outbound::segment;
use kernel::fault::Fault;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Reservations at once.
const PAGE: usize = 200;

/// What edits were made of an order.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(super) struct Edits {
    /// Those that bear the name of a refund of this order, confirmed or open.
    pub(super) refunds: Vec<Named>,
    /// Returns that bear the name of a refund of this order, begun or received.
    #[serde(default)]
    pub(super) returns: Vec<Return>,
    /// By ids, lines that a confirmed edit changed.
    changed: BTreeSet<String>,
    /// Reservations that hold more than is open.
    pub(super) excess: Vec<Excess>,
}

/// An edit that brings a refund.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Named {
    pub(super) id: String,
    /// The refund's object key.
    pub(super) name: String,
    pub(super) status: String,
    taken: Vec<Taken>,
}

/// Units of one line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Taken {
    /// Our name of the line.
    line: String,
    units: Decimal,
    unit_price: Option<Decimal>,
}

/// Medusa 2.21 reserves the whole quantity of a line that is edited, the units that left it included.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Excess {
    pub(super) reservation: String,
    /// What it is to hold.
    pub(super) open: Decimal,
}

/// How the names of an order's refunds begin.
pub(super) fn refunds_of(order_key: &str) -> String {
    format!("{order_key}-refund-")
}

impl Named {
    pub(super) fn is_confirmed(&self) -> bool {
        self.status == "confirmed"
    }

    /// What it took off, at the prices that stood there. `None`: one of them is not known.
    pub(super) fn amount(&self) -> Option<Decimal> {
        self.taken.iter().map(|taken| Some(taken.units * taken.unit_price?)).sum()
    }

    fn read(change: &Value, items: &[Item]) -> Option<Self> {
        let (id, status) = (text(change, "id")?, text(change, "status")?);
        let name = text(change, "internal_note")?;
        let mut last: BTreeMap<String, &Value> = BTreeMap::new();
        for action in actions(change) {
            last.insert(text(action.get("details")?, "reference_id")?, action);
        }
        let taken = last.iter().filter_map(|(item, action)| {
            let details = action.get("details")?;
            let units = -spelled(details.get("quantity_diff")?)?;
            // A line whose last unit was given back is an item no longer: its name stands in the action.
            let of_item = || items.iter().find(|own| own.id == *item)?.line.clone();
            let line = text(action, "internal_note").or_else(of_item)?;
            let unit_price = details.get("unit_price").and_then(spelled);
            (units > Decimal::ZERO).then_some(Taken { line, units, unit_price })
        });
        Some(Self { id, name, status, taken: taken.collect() })
    }
}

/// What was done to lines that were there, in its order: what was set last stands.
fn actions(change: &Value) -> Vec<&Value> {
    let mut actions: Vec<&Value> =
        list(change, "actions").filter(|one| text(one, "action").as_deref() == Some("ITEM_UPDATE")).collect();
    actions.sort_by_key(|action| action.get("ordering").and_then(Value::as_i64));
    actions
}

impl Edits {
    fn read(changes: &[Value], order_key: &str, items: &[Item]) -> Self {
        let is_edit = |change: &&Value| text(change, "change_type").as_deref() == Some("edit");
        let status = |change: &Value| text(change, "status").unwrap_or_default();
        let ours = refunds_of(order_key);
        let named = |change: &&Value| {
            let stands = matches!(status(change).as_str(), "pending" | "requested" | "confirmed");
            stands && text(change, "internal_note").is_some_and(|note| note.starts_with(&ours))
        };
        let edits = || changes.iter().filter(is_edit);
        let changed = edits()
            .filter(|change| status(change) == "confirmed")
            .flat_map(actions)
            .filter_map(|action| text(action.get("details")?, "reference_id"));
        Self {
            refunds: edits().filter(named).filter_map(|change| Named::read(change, items)).collect(),
            returns: Return::all(changes, &ours),
            changed: changed.collect(),
            excess: Vec::new(),
        }
    }

    /// Units of a line that refunds took off.
    fn taken(&self, line: &str) -> Decimal {
        self.all().filter(|taken| taken.line == line).map(|taken| taken.units).sum()
    }

    fn all(&self) -> impl Iterator<Item = &Taken> {
        self.refunds.iter().filter(|edit| edit.is_confirmed()).flat_map(|edit| &edit.taken)
    }

    /// What was taken off comes to, at the prices of the lines that are left, else at those that stood there. `None`: one of them
    /// is not known.
    pub(super) fn amount(&self, items: &[Item]) -> Option<Decimal> {
        let price = |taken: &Taken| {
            let left = items.iter().find(|item| item.line.as_deref() == Some(taken.line.as_str()));
            left.map(|item| item.unit_price).or(taken.unit_price)
        };
        self.all().map(|taken| Some(taken.units * price(taken)?)).sum()
    }
}

/// The order as Medusa is to have it: without the units that refunds took off, and what these come to.
pub(super) fn less_refunds(order: &Order, edits: &Edits) -> (Order, Decimal) {
    let mut given_back = Decimal::ZERO;
    let less = |line: &Line| {
        let units = edits.taken(&line.line).min(line.quantity);
        given_back += units * line.unit_price;
        Line { quantity: line.quantity - units, ..line.clone() }
    };
    let mut left = order.clone();
    left.lines = order.lines.iter().map(less).collect();
    left.lines.retain(|line| !line.quantity.is_zero());
    (left, given_back)
}

impl Ask<'_> {
    /// The edits and returns of an order that is known under this key. One that was never changed is not asked for them.
    pub(super) async fn edits(&self, sale: &Sale, order_key: &str) -> Result<Edits, Fault> {
        if sale.draft || (sale.version <= 1 && sale.edit.is_none()) {
            return Ok(Edits::default());
        }
        let fields = "id,status,change_type,internal_note,return_id,*actions";
        let path = format!("/admin/orders/{}/changes?fields={fields}", segment(&sale.id));
        let changes = self.whole(path, "order_changes").await?;
        let mut edits = Edits::read(&changes, order_key, &sale.items);
        if !sale.cancelled() {
            edits.excess = self.excess(sale, &edits).await?;
        }
        Ok(edits)
    }

    /// Of lines that were edited after some of their units had left.
    async fn excess(&self, sale: &Sale, edits: &Edits) -> Result<Vec<Excess>, Fault> {
        let edited = |item: &&Item| edits.changed.contains(&item.id) && !item.fulfilled.is_zero();
        let items: Vec<&Item> = sale.items.iter().filter(edited).filter(|item| item.sku.is_some()).collect();
        if items.is_empty() {
            return Ok(Vec::new());
        }
        let asked: String = items
            .iter()
            .map(|item| format!("{}={}&", segment("line_item_id[]"), segment(&item.id)))
            .collect();
        let fields = "id,line_item_id,raw_quantity,inventory_item.sku";
        let path = format!("/admin/reservations?{asked}order=id&fields={fields}");
        let held = self.all(&path, "reservations", PAGE).await?;
        let of = |item: &&Item| {
            let mut own =
                held.iter().filter(|one| text(one, "line_item_id").as_deref() == Some(item.id.as_str()));
            // What is made of several things is reserved as these: how many of each is not known here.
            let (Some(one), None) = (own.next(), own.next()) else { return None };
            let same = one.get("inventory_item").and_then(|thing| text(thing, "sku")) == item.sku;
            let more = exact(one, "quantity")? > item.open();
            (same && more).then_some(Excess { reservation: text(one, "id")?, open: item.open() })
        };
        Ok(items.iter().filter_map(of).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn action(ordering: i64, item: &str, diff: i64, line: Option<&str>) -> Value {
        json!({"ordering": ordering, "action": "ITEM_UPDATE", "internal_note": line,
               "details": {"reference_id": item, "quantity": 1, "quantity_diff": diff, "unit_price": 0.3333}})
    }

    fn change(note: &str, status: &str, actions: &[Value]) -> Value {
        json!({"id": format!("ordch_{note}"), "change_type": "edit", "status": status, "internal_note": note, "actions": actions})
    }

    #[test]
    fn only_confirmed_edits_that_bear_a_refund_of_this_order_took_something_off() {
        let changes = [
            change(
                "acme-order-1-refund-7",
                "confirmed",
                &[action(2, "i1", -2, Some("l1")), action(1, "i1", -3, Some("l1"))],
            ),
            change(
                "acme-order-1-refund-8",
                "confirmed",
                &[action(3, "i2", -1, Some("l2")), action(4, "i1", 4, Some("l1"))],
            ),
            change("acme-order-1-refund-9", "pending", &[action(5, "i1", -1, Some("l1"))]),
            change("acme-order-1-refund-6", "canceled", &[action(5, "i1", -1, Some("l1"))]),
            change("acme-order-11-refund-7", "confirmed", &[action(6, "i1", -1, Some("l1"))]),
            change("tidegate", "confirmed", &[action(7, "i1", -1, Some("l1"))]),
            json!({"id": "ordch_f", "change_type": null, "status": "confirmed", "internal_note": "acme-order-1-refund-5",
                   "actions": [action(8, "i1", -1, Some("l1"))]}),
        ];
        let edits = Edits::read(&changes, "acme-order-1", &[]);
        assert_eq!(
            edits.taken("l1"),
            Decimal::from(2),
            "what was set last of one refund, and nothing of the others"
        );
        assert_eq!(edits.taken("l2"), Decimal::ONE);
        assert_eq!(edits.refunds.len(), 3, "those that are there, and the one that is open");
        assert_eq!(edits.amount(&[]), Some("0.9999".parse().unwrap()));
    }
}
