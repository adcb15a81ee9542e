//! From who holds an order to whether it is to be held: one fulfilment order after the other. Pure.

use super::code;
use super::seen::{Part, Seen};
use super::want::Want;
use crate::graphql::{Document, HOLD_FULFILMENT_ORDER, RELEASE_HOLD, frozen};
use crate::source::{order_gid, order_of};
use connector::port::{Observation, Plan, Stage, Step, Wanted};
use kernel::fault::{Fault, FaultKind};
use serde_json::{Value, json};

/// Each is a call of its own, and a delivery has so many.
const HELD_MAX: usize = 10;

pub(super) fn plan(wanted: &Wanted, observed: &Observation) -> Plan {
    let (order, want) = match (order_of(&wanted.subject), Want::read(&wanted.body)) {
        (Ok(order), Ok(want)) => (order, want),
        (Err(fault), _) | (_, Err(fault)) => return Plan::NotAllowed(fault),
    };
    let Some(seen) = Seen::of(observed) else {
        let what = "an order is looked at before it is held, and this one was not";
        return Plan::NotAllowed(Fault::new(FaultKind::Bug, code::FROZEN, what));
    };
    match wanted.stage {
        Stage::Cancelled => release(wanted, order, &want, &seen),
        Stage::Present | Stage::Confirmed => hold(wanted, order, &want, &seen),
    }
}

fn hold(wanted: &Wanted, order: &str, want: &Want, seen: &Seen) -> Plan {
    if !seen.has_order {
        return Plan::NotAllowed(no_order(order));
    }
    let open = |part: &&Part| part.may_be_held && part.ours(&want.handle).is_none();
    let open: Vec<&Part> = seen.parts.iter().filter(open).collect();
    if open.len() > HELD_MAX {
        let what = format!(
            "{} fulfilment orders of the order are to be held, and at most {HELD_MAX} are: hold it in Shopify by hand, \
             and skip this",
            open.len()
        );
        return Plan::refused(code::TOO_MANY, what);
    }
    let Some(first) = open.first() else {
        return Plan::unchanged(seen.external(order_gid(order), Some(&want.handle)), not_held(want, seen));
    };
    let input = json!({
        "reason": want.reason,
        "reasonNotes": want.notes,
        "handle": want.handle,
        "externalId": wanted.object_key.as_str(),
        "notifyMerchant": false,
    });
    step("hold", &HOLD_FULFILMENT_ORDER, &json!({ "id": first.id, "hold": input }))
}

fn release(wanted: &Wanted, order: &str, want: &Want, seen: &Seen) -> Plan {
    let held = seen.parts.iter().find_map(|part| Some((part, part.ours(&want.handle)?)));
    let Some((part, id)) = held else {
        return Plan::unchanged(seen.external(order_gid(order), Some(&want.handle)), None);
    };
    let variables = json!({ "id": part.id, "holds": [id], "by": wanted.object_key.as_str() });
    step("release", &RELEASE_HOLD, &variables)
}

/// What is left of the order and takes no hold now.
fn not_held(want: &Want, seen: &Seen) -> Option<String> {
    let left = |part: &&Part| part.is_left() && part.ours(&want.handle).is_none();
    let left: Vec<String> =
        seen.parts.iter().filter(left).map(|part| part.status.to_ascii_lowercase()).collect();
    let is_held = seen.parts.iter().any(|part| part.ours(&want.handle).is_some());
    match (left.is_empty(), is_held) {
        (true, true) => None,
        (true, false) => Some("nothing of the order is left to be held".to_owned()),
        (false, _) => Some(format!("not held, because Shopify takes no hold of it now: {}", left.join(", "))),
    }
}

fn no_order(order: &str) -> Fault {
    let what = format!(
        "Shopify shows no order {order}: it was deleted, or it is older than 60 days and the app lacks read_all_orders; this \
         is released by itself as soon as it is there"
    );
    let fault = Fault::new(FaultKind::Rejected, "missing_order", what).field("order");
    fault.missing("order".to_owned(), order.to_owned())
}

fn step(name: &str, document: &Document, variables: &Value) -> Plan {
    // The handle stands there once; what was released is released.
    let request = frozen(document, variables);
    Plan::Next(Step { name: name.to_owned(), creates: false, idempotent: true, request })
}
