//! What the shop has of a pair this moment, and how what it is to show there comes about: the terms from what the source has to sell up
//! to Shopify's `available`, for a person. Decides nothing: it is the same arithmetic that decides a set.

use super::seen::{Context, Seen};
use super::shared::{Shared, Units};
use super::want::{Want, Where};
use connector::port::{Observation, Observed, Wanted};
use domains::inventory::Term;
use domains::inventory::compare::InFlight;
use domains::inventory::family::{Component, Shown, in_flight_term};
use rust_decimal::Decimal;
use serde_json::Value;

/// A pair as it was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explained {
    /// Absent: the item is not stocked there.
    pub level: Option<LevelNow>,
    /// Of the units that Shopify has committed, what is held back; absent for a bundle, whose components have it each.
    pub in_flight: Option<i64>,
    /// What `available` is to be.
    pub to_show: i64,
    /// From what is available at the source to what is to be shown, and what is.
    pub terms: Vec<Term>,
}

/// What Shopify has of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LevelNow {
    pub id: String,
    pub available: i64,
    pub committed: i64,
}

/// By what a mapping made and what was looked at. `None`: it is not known in the shop, or not by one item alone, which a plan says.
#[must_use]
pub fn explained(body: &Value, observed: &Observation) -> Option<Explained> {
    if matches!(observed.object, Observed::Many(_)) {
        return None;
    }
    let want = Want::read(body).ok()?;
    let context = Context::read(&observed.context)?;
    let level = match &context.seen {
        Seen::Level(level) if level.active => {
            Some(LevelNow { id: level.id.clone(), available: level.available, committed: level.committed })
        }
        Seen::Level(_) | Seen::NotStocked { .. } => None,
        Seen::NoSku { .. } | Seen::NoLocation { .. } | Seen::Unreadable => return None,
    };
    let own = level.as_ref().map(|level| Shown { available: level.available, committed: level.committed });
    let own = own.unwrap_or_default();
    let others = |sku: &str, at: Option<&Where>| shown(&context, sku, at);
    let (in_flight, mut terms) = match want.shared.units(&want, own, &others) {
        Units::Own => {
            let term = in_flight_term(want.in_flight, own.committed, Some(want.counted), "");
            (Some(want.held_back(own.committed)), vec![term])
        }
        Units::Of(component) => (Some(held_of(&component, want.in_flight)), component.terms(want.in_flight)),
        Units::OfParts(parts) => {
            let terms = parts.iter().map(|(sku, part, place)| part.term_of(sku, *place, want.in_flight));
            (None, terms.collect())
        }
    };
    let to_show = want.shared.to_show(&want, own, &others);
    let least = if matches!(want.shared, Shared::OfParts(_)) { ", the least of these" } else { "" };
    terms.push(Term { adds: Some(Decimal::from(to_show)), text: format!("to show in Shopify{least}") });
    terms.push(match &level {
        Some(level) => Term {
            adds: Some(Decimal::from(level.available)),
            text: format!("in Shopify now, beside {} committed", level.committed),
        },
        None => Term { adds: None, text: "in Shopify it is not stocked there".to_owned() },
    });
    Some(Explained { level, in_flight, to_show, terms })
}

/// Whether more is sold of a pair than its source has counted, where it counts. Of a bundle that is seen at its components.
pub(crate) fn unaccounted(wanted: &Wanted, observed: &Observation) -> bool {
    let held = || {
        wanted.body.get("counted").filter(|counted| !counted.is_null())?;
        let want = Want::read(&wanted.body).ok().filter(|want| want.in_flight == InFlight::Counted)?;
        let context = Context::read(&observed.context)?;
        let Seen::Level(level) = &context.seen else { return None };
        let own = Shown { available: level.available, committed: level.committed };
        match want.shared.units(&want, own, &|sku, at| shown(&context, sku, at)) {
            Units::Own => Some(want.held_back(own.committed)),
            Units::Of(component) => Some(held_of(&component, want.in_flight)),
            Units::OfParts(_) => None,
        }
    };
    held().is_some_and(|held| held > 0)
}

/// What is shown of what shares its units.
fn shown(context: &Context, sku: &str, at: Option<&Where>) -> Option<Shown> {
    let kin = context.kin.get(sku, at.map(Where::as_str))?;
    Some(Shown { available: kin.available, committed: kin.committed })
}

fn held_of(component: &Component, in_flight: InFlight) -> i64 {
    component.available.saturating_sub(component.free(in_flight))
}

#[cfg(test)]
mod tests;
