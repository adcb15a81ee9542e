//! From what Shopify has to what it is to have: stocked there, then set, each as one frozen member of a call. Pure.

use super::code;
use super::config::Config;
use super::seen::{AllKin, Context, Level, Seen};
use super::want::{QUANTITY_MAX, Want};
use connector::port::{Done, ExternalRef, MissingReference, Observation, Observed, Plan, Step, Wanted};
use kernel::fault::{Fault, FaultKind};
use serde::{Deserialize, Serialize};

/// A member of a call, as it is frozen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Frozen {
    /// The level as it was seen, and what it is set to.
    Set {
        level: Level,
        quantity: i64,
        /// What shares its units, as it was seen when this was decided.
        #[serde(flatten)]
        kin: AllKin,
    },
    Activate {
        item: String,
        location: String,
        sku: String,
        #[serde(flatten)]
        kin: AllKin,
    },
}

impl Frozen {
    fn step(&self) -> Step {
        let name = match self {
            Frozen::Set { .. } => "set",
            Frozen::Activate { .. } => "activate",
        };
        // Plain data always serialises.
        let request = serde_json::to_vec(self).unwrap_or_default();
        Step { name: name.to_owned(), creates: false, idempotent: true, request }
    }

    pub(super) fn read(step: &Step) -> Result<Self, Fault> {
        serde_json::from_slice(&step.request).map_err(|_| {
            let what = format!("the frozen {} cannot be read back; nothing was sent", step.name);
            Fault::new(FaultKind::Bug, code::FROZEN, what)
        })
    }
}

pub(super) fn plan(config: &Config, wanted: &Wanted, observed: &Observation) -> Plan {
    if let Observed::Many(ids) = &observed.object {
        let what = format!(
            "{} variants have this SKU ({}): give each its own in Shopify",
            ids.len(),
            ids.join(", ")
        );
        return refused(FaultKind::Rejected, code::MANY, what, "sku");
    }
    let want = match Want::read(&wanted.body) {
        Ok(want) => want,
        Err(fault) => return Plan::NotAllowed(fault),
    };
    let Some(context) = Context::read(&observed.context) else {
        let what = "a stock level is looked at before it is set, and this one was not";
        return Plan::NotAllowed(Fault::new(FaultKind::Bug, code::UNSEEN, what));
    };
    let (item, location, tracked) = match &context.seen {
        Seen::NoSku { .. } | Seen::NoLocation { .. } => return not_there(&observed.missing),
        Seen::Unreadable => {
            let what = "a stock level was looked for by what named no pair";
            return Plan::NotAllowed(Fault::new(FaultKind::Bug, code::UNSEEN, what));
        }
        Seen::Level(level) if level.active && level.tracked => {
            return set(&want, level, &context);
        }
        // Nothing can be sold of a bundle of which a component was never told there: it is not stocked for that.
        Seen::Level(Level { active: false, .. }) | Seen::NotStocked { .. } if want.is_empty_bundle() => {
            let external = ExternalRef { id: String::new(), number: None, state: None };
            let note = Some("it is not stocked there, and none can be sold".to_owned());
            return Plan::Done(Done { external, note, unchanged: true, adopted: false });
        }
        Seen::Level(level) => (&level.item, &level.location, level.tracked),
        Seen::NotStocked { item, location, tracked, .. } => (item, location, *tracked),
    };
    let sku = &want.sku;
    if !tracked {
        let what = format!(
            "Shopify does not track {sku:?}, so it sells without end and takes no quantity: switch \"Track quantity\" on \
             at the variant, or filter it out of this flow"
        );
        return refused(FaultKind::Rejected, code::UNTRACKED, what, "sku");
    }
    if !config.activate {
        let what = format!(
            "{sku:?} is not stocked at {location}: stock it there in Shopify, or let it be done with activate = true in \
             the connection"
        );
        return refused(FaultKind::Rejected, code::NOT_STOCKED, what, "location");
    }
    let (item, location, sku) = (item.clone(), location.clone(), sku.clone());
    Plan::Next(Frozen::Activate { item, location, sku, kin: context.kin.clone() }.step())
}

/// A set whose answer never came: what is to be set moves with what was sold since, so that "it is what it should be" does
/// not say that the call is not on its way any more. It was carried out if the pair is as it made it, and nothing else has
/// happened there.
pub(super) fn shows(frozen: &Frozen, observed: &Observation) -> Option<bool> {
    let Frozen::Set { level, quantity, .. } = frozen else { return None };
    let is_as_set = |now: &Level| now.available == *quantity && now.committed == level.committed;
    let context = Context::read(&observed.context);
    Some(matches!(context, Some(Context { seen: Seen::Level(now), .. }) if is_as_set(&now)))
}

fn set(want: &Want, level: &Level, context: &Context) -> Plan {
    let quantity = want.quantity(level, &context.kin);
    if !(-QUANTITY_MAX..=QUANTITY_MAX).contains(&quantity) {
        let what = format!("{quantity} is more than Shopify takes: mend the source or the mapping");
        return refused(FaultKind::Rejected, code::BODY, what, "available");
    }
    if quantity == level.available {
        let note = want.note(level.committed);
        return Plan::Done(Done {
            external: level.external(),
            note,
            unchanged: !context.wrote,
            adopted: false,
        });
    }
    Plan::Next(Frozen::Set { level: level.clone(), quantity, kin: context.kin.clone() }.step())
}

fn not_there(missing: &[MissingReference]) -> Plan {
    let Some(missing) = missing.first() else {
        let what = "a reference is missing and is not named";
        return Plan::NotAllowed(Fault::new(FaultKind::Bug, code::UNSEEN, what));
    };
    let reference = &missing.reference;
    let what = match &missing.similar {
        Some(similar) => format!(
            "Shopify has no {reference}, but {similar:?}, which differs only by case or blanks: correct one of the two; \
             this is released by itself as soon as {reference} exists"
        ),
        None => format!(
            "Shopify has no {reference}: create it there; this is released by itself as soon as it exists"
        ),
    };
    let fault = Fault::new(FaultKind::Rejected, format!("missing_{}", reference.kind), what);
    let fault = fault.field(missing.field.clone());
    Plan::NotAllowed(fault.missing(reference.kind.clone(), reference.value.clone()))
}

fn refused(kind: FaultKind, code: &str, what: impl Into<String>, field: &str) -> Plan {
    Plan::NotAllowed(Fault::new(kind, code, what).field(field))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::seen::observation;

    fn level(available: i64, committed: i64) -> Level {
        let id = |kind: &str| format!("gid://shopify/{kind}/1");
        Level {
            id: id("InventoryLevel"),
            item: id("InventoryItem"),
            location: id("Location"),
            sku: "A".to_owned(),
            tracked: true,
            active: true,
            available,
            committed,
        }
    }

    #[test]
    fn a_bundle_of_which_none_can_be_sold_is_not_stocked_for_that() {
        let config = Config { activate: true, reason: String::new() };
        let wanted = |available: i64| {
            let part = serde_json::json!({ "sku": "B", "available": available, "bundles": [{ "sku": "A", "quantity": 1 }] });
            let body =
                serde_json::json!({ "sku": "A", "location": 1, "available": available, "parts": [part] });
            let subject =
                kernel::subject::Subject::new(kernel::id::ShopId::new("acme").unwrap(), "ats", "A@1");
            Wanted {
                object_key: kernel::key::ObjectKey::of(&subject),
                subject,
                body,
                stage: connector::port::Stage::Present,
                after_confirm: kernel::flow::AfterConfirm::default(),
                difference: kernel::flow::Difference::Ticket,
                known: None,
                also_known_as: Vec::new(),
            }
        };
        let Level { item, location, sku, .. } = level(0, 0);
        let seen = observation(Seen::NotStocked { item, location, sku, tracked: true }, false, None);
        assert!(matches!(plan(&config, &wanted(0), &seen), Plan::Done(Done { unchanged: true, .. })));
        assert!(
            matches!(plan(&config, &wanted(3), &seen), Plan::Next(Step { name, .. }) if name == "activate")
        );
    }

    /// Found by the simulation: a set that was late was taken for done, because the shop showed what was wanted by then, and
    /// was carried out after that.
    #[test]
    fn a_set_without_an_answer_is_done_where_the_pair_is_as_it_made_it() {
        let step = Frozen::Set { level: level(2, 2), quantity: 0, kin: AllKin::default() };
        for (available, committed, expected) in [
            (0, 2, true),
            // Not yet, or never.
            (2, 2, false),
            // Sold, or shipped, meanwhile: whether it was carried out before cannot be told.
            (0, 4, false),
            (2, 0, false),
            (0, 0, false),
        ] {
            let seen = observation(Seen::Level(level(available, committed)), false, None);
            assert_eq!(shows(&step, &seen), Some(expected), "{available} {committed}");
        }
        assert_eq!(shows(&step, &Observation::unasked()), Some(false));
        let (item, location) = (level(0, 0).item, level(0, 0).location);
        let stocked = Frozen::Activate { item, location, sku: "A".to_owned(), kin: AllKin::default() };
        assert_eq!(shows(&stocked, &Observation::unasked()), None, "what plan says of it tells");
    }
}
