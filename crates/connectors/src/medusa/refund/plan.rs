//! The next step of a refund: an edit of its order is begun in its name, each line is lowered in it, and it is confirmed; then what
//! came back is received ([`back`]). Pure. The order of its questions is that of docs/connectors/medusa.md.

use super::super::plan::being_changed;
use super::super::sale::{Edit, Sale};
use super::super::{code, write as order_write};
use super::{Booked, Context, Refund, back, going, of_edit, order_key, write};
use connector::port::{ExternalRef, Observation, Observed, Plan, Wanted};
use kernel::fault::{Fault, FaultKind};
use serde::Deserialize as _;

pub(in super::super) fn plan(wanted: &Wanted, observation: &Observation) -> Plan {
    let refund = match Refund::read(wanted) {
        Ok(refund) => refund,
        Err(fault) => return Plan::NotAllowed(fault),
    };
    let context = Context::deserialize(&observation.context).unwrap_or_default();
    let many = |what: &str, of: &str, ids: &[String]| {
        Plan::refused(code::MANY, format!("Medusa has {} {what} for {of}: {}", ids.len(), ids.join(", ")))
    };
    if !context.several.is_empty() {
        return many("orders", &refund.order, &context.several);
    }
    let own = match &observation.object {
        Observed::Many(ids) => return many("edits or returns", wanted.object_key.as_str(), ids),
        Observed::None => Booked { edit: None, back: None },
        Observed::One(object) => match Booked::deserialize(&object.body) {
            Ok(booked) => booked,
            Err(error) => {
                let what = format!("what was observed of a refund cannot be read back: {error}");
                return Plan::NotAllowed(Fault::new(FaultKind::Bug, code::BODY, what));
            }
        },
    };
    let Some(order) = context.order.as_ref().filter(|order| !order.draft) else {
        return waits(observation, &refund);
    };
    let off = match &own.edit {
        Some(edit) if edit.is_confirmed() => confirmed(order, of_edit(edit)),
        // What comes back is begun when there is nothing to take off any more.
        None if own.back.is_some() => Plan::nothing("nothing of it was open in Medusa"),
        edit => open(wanted, &refund, &context, order, edit.as_ref().map(of_edit), own.back.is_none()),
    };
    match off {
        Plan::Done(off) => back::plan(wanted, &refund, order, &context.shelves, own.back.as_ref(), off),
        other => other,
    }
}

fn waits(observation: &Observation, refund: &Refund) -> Plan {
    let what = format!(
        "Medusa has no order {} yet, which this was given back of; this is released by itself when it is there",
        refund.order
    );
    let fault = Fault::new(FaultKind::Rejected, "missing_order", what).field("order");
    Plan::NotAllowed(match observation.missing.first() {
        Some(missing) => fault.missing(missing.reference.kind.clone(), missing.reference.value.clone()),
        None => fault,
    })
}

fn confirmed(order: &Sale, external: ExternalRef) -> Plan {
    match order.edits.excess.first() {
        Some(excess) => Plan::Next(order_write::unreserve_of(order, excess, external)),
        None => Plan::unchanged(external, None),
    }
}

/// It is not begun, or not confirmed. `comes`: what came back is to be received afterwards, and if it cannot be, nothing is taken off.
fn open(
    wanted: &Wanted,
    refund: &Refund,
    context: &Context,
    order: &Sale,
    own: Option<ExternalRef>,
    comes: bool,
) -> Plan {
    if order.cancelled() {
        let why = "the order is cancelled in Medusa: nothing is reserved for it any more";
        return own
            .map_or_else(|| Plan::nothing(why), |external| Plan::unchanged(external, Some(why.to_owned())));
    }
    let key = order_key(wanted);
    let is_own = |edit: &Edit| own.as_ref().is_some_and(|own| own.id == edit.id);
    match (&own, &order.edit) {
        (_, Some(edit)) if !is_own(edit) => return being_changed(order, edit, key.as_str()),
        (Some(own), None) => {
            let what = format!("the edit {} was ended while it was looked at: it is looked at again", own.id);
            return Plan::NotAllowed(Fault::new(FaultKind::Conflict, code::CHANGED, what));
        }
        _ => {}
    }
    let mut going = going(refund, order);
    if comes && !refund.came_back().is_empty() {
        going = going.and_then(|going| back::receivable(refund, order, &context.shelves).map(|_| going));
    }
    let nothing = going.as_ref().is_ok_and(|going| going.iter().all(|line| line.units.is_zero()));
    match (own, &order.edit, going) {
        // It keeps the order from being packed: what leads nowhere is not left open.
        (Some(own), Some(_), Err(_)) => Plan::Next(write::cancel(order, own)),
        (Some(own), Some(_), Ok(_)) if nothing => Plan::Next(write::cancel(order, own)),
        (Some(own), Some(edit), Ok(going)) => match write::next_line(order, edit, &going, &own) {
            Some(step) => Plan::Next(step),
            None => Plan::Next(write::confirm(order, own)),
        },
        (_, _, Err(fault)) => Plan::NotAllowed(fault),
        _ if nothing => Plan::nothing("nothing of it is open in Medusa"),
        _ => Plan::Next(write::begin(order, wanted.object_key.as_str())),
    }
}
