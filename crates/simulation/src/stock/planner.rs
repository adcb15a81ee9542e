//! The pure half of the shop's connector, with stock: a level is set by what is in flight, a parcel is made once, a number is
//! written back.

use super::bundles::Told;
use crate::flows::WriteBack;
use crate::planted::Bug;
use connector::port::{Done, ExternalRef, Observation, Observed, Plan as Next, Step, Wanted};
use domains::inventory::compare::InFlight;
use domains::inventory::family::{Component, Holder, Shown, bundle_to_show};
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
    /// What else was shown, as it was seen.
    #[serde(default)]
    pub(super) kin: Value,
    /// Which levels it came of; for the judge.
    pub(super) levels: Vec<Told>,
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
        let held = InFlight::Counted
            .held_back(self.shown(&observed.context).committed, number(&wanted.body, "counted"));
        let alone = number(&wanted.body, "available").unwrap_or(0) - held;
        let quantity = self.divided(&wanted.body, &observed.context).unwrap_or(alone);
        let sku = wanted.body["sku"].as_str().unwrap_or_default().to_owned();
        let external = ExternalRef { id: sku.clone(), number: None, state: None };
        if quantity == available {
            return Next::Done(Done { external, note: None, unchanged: true, adopted: false });
        }
        let levels = serde_json::from_value(wanted.body["levels"].clone()).unwrap_or_default();
        let kin = observed.context["kin"].clone();
        step("set", false, &Set { sku, from: available, quantity, committed: seen, kin, levels })
    }

    /// What is shown of an item, and what counts as sold of it.
    fn shown(&self, seen: &Value) -> Shown {
        let number = |name: &str| seen[name].as_i64().unwrap_or(0);
        let committed = match self.bug {
            Some(Bug::HoldsNothingBack) => 0,
            Some(Bug::HoldsByAge) => number("young"),
            _ => number("committed"),
        };
        Shown { available: number("available"), committed }
    }

    /// Of what shares its units: its part, beside what the others show.
    fn divided(&self, body: &Value, context: &Value) -> Option<i64> {
        let own = body["sku"].as_str()?;
        let all = self.bug == Some(Bug::ShowsAllToAll);
        let shown = |sku: &str| {
            let shown = self.shown(if sku == own { context } else { &context["kin"][sku] });
            if all { Shown { available: 0, ..shown } } else { shown }
        };
        let component = |of: &Value, sku: &str| {
            let held = |bundle: &Value| {
                Some(Holder { quantity: bundle["quantity"].as_i64()?, shown: shown(bundle["sku"].as_str()?) })
            };
            let bundles = of["bundles"].as_array().filter(|bundles| !bundles.is_empty())?;
            Some(Component {
                available: of["available"].as_i64()?,
                counted: of["counted"].as_i64(),
                share: if all { 100 } else { u8::try_from(of["bundle_share"].as_u64()?).ok()? },
                alone: shown(sku),
                holders: bundles.iter().map(held).collect::<Option<_>>()?,
            })
        };
        let parts = body["parts"].as_array().filter(|parts| !parts.is_empty());
        let Some(parts) = parts else {
            let component = component(body, own)?;
            return Some(if all {
                component.free(InFlight::Counted)
            } else {
                component.to_show(InFlight::Counted)
            });
        };
        let part = |part: &Value| {
            let place = part["bundles"].as_array()?.iter().position(|bundle| bundle["sku"] == own)?;
            let mut component = component(part, part["sku"].as_str()?)?;
            if all {
                component.holders = vec![component.holders[place]];
                return Some((component, 0));
            }
            Some((component, place))
        };
        Some(bundle_to_show(&parts.iter().map(part).collect::<Option<Vec<_>>>()?, InFlight::Counted))
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
