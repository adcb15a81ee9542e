//! What a shop gave back of an order: units that are not to be sent any more, and such that came back. Each release is made
//! once, under the caller's name for it, and says what it did. What was released stays so when the order's lines are
//! written anew.

use super::books::Books;
use super::refusal::Refusal;
use super::shelf::Slot;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Units of an order that it is to have no more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GivenBack {
    pub sku: String,
    pub quantity: u32,
    pub restock: Restock,
}

/// What the shop says of the goods.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Restock {
    /// They never left.
    Cancel,
    /// They are back on the shelf.
    Return,
    /// Whatever became of them, they are not put back.
    NoRestock,
}

/// A release as the warehouse shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReleaseView {
    pub reference: String,
    pub order: String,
    /// Always `done`.
    pub state: &'static str,
    pub lines: Vec<ReleasedLine>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReleasedLine {
    pub sku: String,
    pub quantity: u32,
    /// That were open, and are free again.
    pub released: i64,
    /// That had left, and are on hand again.
    pub returned: i64,
}

#[derive(Debug, Default)]
pub(super) struct Releases(BTreeMap<String, (Vec<GivenBack>, ReleaseView)>);

impl Releases {
    pub(super) fn all(&self) -> impl Iterator<Item = &ReleaseView> {
        self.0.values().map(|(_, view)| view)
    }

    pub(super) fn one(&self, reference: &str) -> Result<&ReleaseView, Refusal> {
        let found = self.0.get(reference).map(|(_, view)| view);
        found.ok_or_else(|| Refusal::new(404, "not_found", format!("there is no release {reference}")))
    }
}

impl Books {
    /// Once for each reference; true: just now. Of an order that was cancelled nothing is open any more, and nothing is done.
    pub(super) fn release_of_order(
        &mut self,
        reference: &str,
        order: &str,
        lines: &[GivenBack],
        at: Timestamp,
    ) -> Result<(ReleaseView, bool), Refusal> {
        if let Some((known, view)) = self.releases.0.get(reference) {
            if view.order != order || known != lines {
                let text = format!("the release {reference} was made of another order or of other lines");
                return Err(Refusal::new(409, "duplicate", text));
            }
            self.counts.repeated += 1;
            return Ok((view.clone(), false));
        }
        if !self.orders.is_known(order) {
            let text = format!("there is no order {order}");
            return Err(Refusal::new(422, "unknown_order", text).of("order"));
        }
        if let Some(line) = lines.iter().find(|line| line.quantity == 0) {
            let text = format!("no unit of {} is given back by this line", line.sku);
            return Err(Refusal::new(422, "bad_quantity", text));
        }
        let lines_done = lines.iter().map(|line| self.give_back(order, line, at)).collect();
        let (reference, order) = (reference.to_owned(), order.to_owned());
        let view = ReleaseView { reference: reference.clone(), order, state: "done", lines: lines_done };
        self.releases.0.insert(reference, (lines.to_vec(), view.clone()));
        self.counts.releases += 1;
        Ok((view, true))
    }

    /// What came back is looked for among what had left, and then among what is open; all else among what is open alone.
    fn give_back(&mut self, order: &str, line: &GivenBack, at: Timestamp) -> ReleasedLine {
        let units = i64::from(line.quantity);
        let is_counted = self.orders.is_counted(order);
        let returned = match line.restock {
            Restock::Return => self.orders.bring_back(order, &line.sku, units),
            Restock::Cancel | Restock::NoRestock => Vec::new(),
        };
        let released = self.orders.release(order, &line.sku, units - sum(&returned));
        for (slot, units) in &returned {
            self.change(*slot, at, |pair| pair.on_hand += units);
        }
        self.counts.returned += sum(&returned).unsigned_abs();
        for (slot, units) in released.iter().filter(|_| is_counted) {
            self.promise(*slot, -units, at);
        }
        let (released, returned) = (sum(&released), sum(&returned));
        ReleasedLine { sku: line.sku.clone(), quantity: line.quantity, released, returned }
    }
}

fn sum(of: &[(Slot, i64)]) -> i64 {
    of.iter().map(|(_, units)| units).sum()
}
