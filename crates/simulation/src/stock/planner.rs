//! The pure half of the shop's connector, with stock: a level is set by what is in flight, a parcel is made once, a number is
//! written back.

use crate::flows::WriteBack;
use crate::planted::Bug;
use connector::port::{Done, ExternalRef, Observation, Observed, Plan as Next, Step, Wanted};
use domains::inventory::compare::InFlight;
use engine::engine::Planner;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What a frozen set holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Set {
    pub(super) sku: String,
    pub(super) from: i64,
    pub(super) quantity: i64,
    pub(super) committed: i64,
    /// Which level it came of; for the judge.
    pub(super) changed_at: String,
}

/// What a frozen parcel holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Parcel {
    pub(super) id: u64,
    pub(super) order: u64,
    pub(super) quantity: u64,
}

#[derive(Debug)]
pub(crate) struct Counter {
    pub(crate) bug: Option<Bug>,
}

impl Planner for Counter {
    fn plan(&self, wanted: &Wanted, observed: &Observation) -> Next {
        match wanted.subject.kind() {
            "ats" => self.level(wanted, observed),
            "shipment" => parcel(wanted, observed),
            _ => WriteBack.plan(wanted, observed),
        }
    }

    /// As the real one: a set was carried out if the pair is as it made it, and nothing else has happened there.
    fn shows(&self, step: &Step, observed: &Observation) -> Option<bool> {
        let set: Set = serde_json::from_slice(&step.request).ok()?;
        let seen = |name: &str| observed.context[name].as_i64();
        if self.bug == Some(Bug::TakesTheSameForDone) {
            return None;
        }
        Some(seen("available") == Some(set.quantity) && seen("committed") == Some(set.committed))
    }
}

impl Counter {
    fn level(&self, wanted: &Wanted, observed: &Observation) -> Next {
        let number = |of: &Value, name: &str| of[name].as_i64();
        let available = number(&observed.context, "available").unwrap_or(0);
        let seen = number(&observed.context, "committed").unwrap_or(0);
        let committed = match self.bug {
            Some(Bug::HoldsNothingBack) => 0,
            Some(Bug::HoldsByAge) => number(&observed.context, "young").unwrap_or(0),
            _ => seen,
        };
        let held = InFlight::Counted.held_back(committed, number(&wanted.body, "counted"));
        let quantity = number(&wanted.body, "available").unwrap_or(0) - held;
        let sku = wanted.body["sku"].as_str().unwrap_or_default().to_owned();
        let external = ExternalRef { id: sku.clone(), number: None, state: None };
        if quantity == available {
            return Next::Done(Done { external, note: None, unchanged: true, adopted: false });
        }
        let changed_at = wanted.body["changed_at"].as_str().unwrap_or_default().to_owned();
        step("set", false, &Set { sku, from: available, quantity, committed: seen, changed_at })
    }
}

fn parcel(wanted: &Wanted, observed: &Observation) -> Next {
    let number = |name: &str| wanted.body[name].as_u64().unwrap_or_default();
    match &observed.object {
        Observed::One(object) => Next::Done(Done {
            external: object.external.clone(),
            note: None,
            unchanged: true,
            adopted: false,
        }),
        _ => {
            let (id, order, quantity) = (number("id"), number("order"), number("quantity"));
            step("create", true, &Parcel { id, order, quantity })
        }
    }
}

fn step(name: &str, creates: bool, request: &impl Serialize) -> Next {
    let request = serde_json::to_vec(request).unwrap_or_default();
    Next::Next(Step { name: name.to_owned(), creates, idempotent: !creates, request })
}
