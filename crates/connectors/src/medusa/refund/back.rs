//! The next step of what came back: a return of its order is begun in the refund's name, asked for and received. Pure. The order of
//! its questions is that of docs/connectors/medusa.md.

use super::super::came_back::{Return, Units};
use super::super::plan::being_changed;
use super::super::sale::Sale;
use super::super::{code, receipt};
use super::shelf::Shelves;
use super::{Refund, order_key};
use connector::port::{Done, ExternalRef, Plan, Wanted};
use kernel::fault::{Fault, FaultKind};
use rust_decimal::Decimal;
use std::collections::BTreeMap;

/// By our names of lines.
type Lines<'a> = BTreeMap<&'a str, Decimal>;

/// What is to be received, and where. A fault is for a person.
pub(super) fn receivable<'a>(
    refund: &Refund,
    order: &Sale,
    shelves: &'a Shelves,
) -> Result<(Units, &'a str), Fault> {
    let units = units(&refund.came_back(), order)?;
    let place = shelves.place(&units).map_err(|why| {
        let what = format!("what came back cannot be counted in Medusa: {why} ({})", order.shown());
        Fault::new(FaultKind::Rejected, code::NO_SHELF, what).field("lines")
    })?;
    Ok((units, place))
}

/// By ids of the order's lines. One that the order does not have never left.
fn units(lines: &Lines<'_>, order: &Sale) -> Result<Units, Fault> {
    let mut all = Units::new();
    for (line, came_back) in lines {
        let mut rest = *came_back;
        for item in order.items.iter().filter(|item| item.line.as_deref() == Some(line)) {
            let units = rest.min(item.away());
            rest -= units;
            if !units.is_zero() {
                all.insert(item.id.clone(), units);
            }
        }
        if !rest.is_zero() {
            let title = order
                .items
                .iter()
                .find(|item| item.line.as_deref() == Some(line))
                .map_or(*line, |item| &item.title);
            let what = format!(
                "{came_back} of {title:?} came back, and Medusa has {} of it that left and did not come back yet ({}): release this when \
                 it was sent there, or skip it where its shelf has them",
                came_back - rest,
                order.shown()
            );
            return Err(Fault::new(FaultKind::Rejected, code::NEVER_LEFT, what).field("lines"));
        }
    }
    Ok(all)
}

/// `off`: how taking off what never left has ended.
pub(super) fn plan(
    wanted: &Wanted,
    refund: &Refund,
    order: &Sale,
    shelves: &Shelves,
    own: Option<&Return>,
    off: Done,
) -> Plan {
    let lines = refund.came_back();
    let (Some(own), false) = (own, order.cancelled()) else {
        // An order is cancelled once nothing of it is packed any more: what came back lies on the shelf.
        if lines.is_empty() || order.cancelled() {
            return Plan::Done(off);
        }
        return begin(wanted, refund, order, shelves, off);
    };
    let external = if off.external.id.is_empty() { external(own) } else { off.external };
    let is_own = order.edit.as_ref().is_none_or(|edit| edit.of_return.as_ref() == Some(&own.id));
    let is_same = by_line(&own.units, order) == lines;
    if is_same && own.is_received() {
        // A receipt that was begun once more, by a call that was lost on its way.
        return match (&own.receiving, is_own) {
            (Some(_), true) => Plan::Next(receipt::end(order, own, external)),
            _ => Plan::unchanged(external, None),
        };
    }
    if let Some(edit) = order.edit.as_ref().filter(|_| !is_own) {
        return being_changed(order, edit, order_key(wanted).as_str());
    }
    if (!own.is_requested || own.receiving.is_some()) != order.edit.is_some() {
        let what = format!("the return {} was changed while it was looked at: it is looked at again", own.id);
        return Plan::NotAllowed(Fault::new(FaultKind::Conflict, code::CHANGED, what));
    }
    Plan::Next(match (own.is_requested, is_same, &own.receiving) {
        (false, true, _) => receipt::ask(order, own, external),
        (false, false, _) if own.units.is_empty() => match units(&lines, order) {
            Ok(units) if !units.is_empty() => receipt::name_units(order, own, &units, external),
            // It keeps the order from being packed: what leads nowhere is not left open.
            _ => receipt::call_off(order, own, external),
        },
        (false, false, _) => receipt::call_off(order, own, external),
        (true, false, Some(_)) => receipt::end(order, own, external),
        (true, false, None) if own.received.is_empty() => receipt::cancel(order, own, external),
        (true, false, None) => return otherwise(order, own),
        (true, true, None) => receipt::begin(order, own, external),
        (true, true, Some(units)) if units.is_empty() => receipt::lay(order, own, external),
        (true, true, Some(units)) if *units == own.rest() => receipt::confirm(order, own, external),
        (true, true, Some(_)) => receipt::end(order, own, external),
    })
}

fn begin(wanted: &Wanted, refund: &Refund, order: &Sale, shelves: &Shelves, off: Done) -> Plan {
    if let Some(edit) = &order.edit {
        return being_changed(order, edit, order_key(wanted).as_str());
    }
    match receivable(refund, order, shelves) {
        Err(fault) => Plan::NotAllowed(fault),
        Ok((_, place)) => {
            let external = Some(off.external).filter(|external| !external.id.is_empty());
            Plan::Next(receipt::open(order, wanted.object_key.as_str(), place, external))
        }
    }
}

/// A part of it was received, and it is not what came back.
fn otherwise(order: &Sale, own: &Return) -> Plan {
    let what = format!(
        "the return {} that bears this refund's name was changed in Medusa and received in part: it is not what came back ({})",
        own.id,
        order.shown()
    );
    Plan::NotAllowed(Fault::new(FaultKind::Rejected, code::OTHERWISE, what).field("lines"))
}

fn by_line<'a>(units: &Units, order: &'a Sale) -> Lines<'a> {
    let mut lines = Lines::new();
    for (id, units) in units {
        let line = order.items.iter().find(|item| item.id == *id).and_then(|item| item.line.as_deref());
        *lines.entry(line.unwrap_or_default()).or_default() += units;
    }
    lines
}

pub(super) fn external(own: &Return) -> ExternalRef {
    let state = if own.is_received() {
        "received"
    } else if own.is_requested {
        "requested"
    } else {
        "open"
    };
    ExternalRef { id: own.id.clone(), number: None, state: Some(state.to_owned()) }
}
