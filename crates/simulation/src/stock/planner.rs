//! The pure half of the shop's connector, with stock: a level is set by what is in flight, a parcel is made once, a number is
//! written back.

use super::bundles::Told;
use crate::flows::WriteBack;
use crate::planted::Bug;
use connector::port::{Done, ExternalRef, Observation, Observed, Plan as Next, Step, Wanted};
use domains::inventory::compare::InFlight;
use domains::inventory::division::{Division, Takes};
use domains::inventory::family::{Component, Holder, Shown, bundle_to_show};
use engine::engine::Planner;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What a frozen set holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Set {
    pub(super) sku: String,
    pub(super) location: String,
    pub(super) from: i64,
    pub(super) quantity: i64,
    pub(super) committed: i64,
    /// What else was shown, as it was seen.
    #[serde(default)]
    pub(super) kin: Value,
    /// And at other locations of the shop.
    #[serde(default)]
    pub(super) elsewhere: Value,
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
        let location = wanted.body["location"].as_str().unwrap_or_default().to_owned();
        let external = ExternalRef { id: format!("{sku}@{location}"), number: None, state: None };
        if quantity == available {
            return Next::Done(Done { external, note: None, unchanged: true, adopted: false });
        }
        let levels = serde_json::from_value(wanted.body["levels"].clone()).unwrap_or_default();
        let [kin, elsewhere] = ["kin", "elsewhere"].map(|name| observed.context[name].clone());
        let (from, committed) = (available, seen);
        step("set", false, &Set { sku, location, from, quantity, committed, kin, elsewhere, levels })
    }

    /// What is shown of an item, and what counts as sold of it.
    fn shown(&self, seen: &Value) -> Shown {
        let number = |name: &str| seen[name].as_i64().unwrap_or(0);
        let committed = match self.bug {
            Some(Bug::HoldsNothingBack) => 0,
            Some(Bug::HoldsByAge) => number("young"),
            Some(Bug::RefusalEndsTheHold) => number("committed") - number("refused"),
            _ => number("committed"),
        };
        Shown { available: number("available"), committed }
    }

    /// What is shown and sold of a component at the shop's other locations, alone and in bundles.
    fn elsewhere(&self, context: &Value, bundles: &[Value], component: &str, all: bool) -> Shown {
        let locations = context["elsewhere"].as_object();
        let mut sum = Shown::default();
        for seen in locations.into_iter().flat_map(|all| all.values()) {
            let held = bundles.iter().filter_map(|of| Some((of["sku"].as_str()?, of["quantity"].as_i64()?)));
            for (name, quantity) in std::iter::once((component, 1)).chain(held) {
                let Shown { available, committed } = self.shown(&seen[name]);
                sum.available += quantity * available.max(0);
                sum.committed += quantity * committed;
            }
        }
        if all {
            sum.available = 0;
        }
        if self.bug == Some(Bug::ForgetsOtherOutlets) {
            sum.committed = 0;
        }
        sum
    }

    /// Of what shares its units: its part, beside what the others show.
    fn divided(&self, body: &Value, context: &Value) -> Option<i64> {
        let own = body["sku"].as_str()?;
        let all = self.bug == Some(Bug::ShowsAllToAll);
        let division = division(body);
        let shown = |sku: &str| {
            let shown = self.shown(if sku == own { context } else { &context["kin"][sku] });
            if all { Shown { available: 0, ..shown } } else { shown }
        };
        let component = |of: &Value, sku: &str| {
            let held = |bundle: &Value| {
                Some(Holder { quantity: bundle["quantity"].as_i64()?, shown: shown(bundle["sku"].as_str()?) })
            };
            let none = Vec::new();
            let bundles = of["bundles"].as_array().unwrap_or(&none);
            if bundles.is_empty() && division.is_none() {
                return None;
            }
            let held: Vec<Holder> = bundles.iter().map(held).collect::<Option<_>>()?;
            let elsewhere = self.elsewhere(context, bundles, sku, all);
            Some(Component {
                available: of["available"].as_i64()?,
                counted: of["counted"].as_i64(),
                share: if all { 100 } else { u8::try_from(of["bundle_share"].as_u64().unwrap_or(0)).ok()? },
                alone: shown(sku),
                holders: held,
                division: division.clone().filter(|_| !all),
                elsewhere,
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

/// What falls to a body's location.
fn division(body: &Value) -> Option<Division> {
    let outlets = body["outlets"].as_array().filter(|outlets| !outlets.is_empty())?;
    let own = outlets.iter().position(|outlet| outlet["location"] == body["location"])?;
    let takes = |outlet: &Value| match (outlet["percent"].as_u64(), outlet["units"].as_i64()) {
        (Some(percent), _) => Takes::Percent(u8::try_from(percent).unwrap_or(0)),
        (None, Some(units)) => Takes::Units(units),
        (None, None) => Takes::Rest,
    };
    Some(Division::new(outlets.iter().map(takes).collect(), own))
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
