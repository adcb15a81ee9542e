//! The next step from what is to what is wanted. Pure: a function of the configuration, the wanted order and what was
//! observed. The order of its questions is the order of docs/connectors/medusa.md.

use super::code;
use super::compare::{Differences, paid, shown};
use super::config::Config;
use super::observe::{AT_REST, Context, VARIANT};
use super::order::Order;
use super::sale::{Edit, Sale};
use super::taken::{less_refunds, refunds_of};
use super::write;
use connector::port::{MissingReference, Observation, Observed, Plan, Stage, Wanted};
use kernel::fault::{Fault, FaultKind};
use kernel::flow::{ChangeBecomes, Difference};
use rust_decimal::Decimal;
use serde::Deserialize as _;

struct Standing<'a> {
    config: &'a Config,
    wanted: &'a Wanted,
    /// Without the units that refunds took off.
    order: Order,
    /// What these come to.
    given_back: Decimal,
    context: Context,
    missing: &'a [MissingReference],
}

pub(super) fn plan(config: &Config, wanted: &Wanted, observation: &Observation) -> Plan {
    let object = match &observation.object {
        Observed::Many(ids) => {
            let what =
                format!("Medusa has {} orders for {}: {}", ids.len(), wanted.object_key, ids.join(", "));
            return Plan::refused(code::MANY, what);
        }
        Observed::One(object) if object.adopted => return Plan::adopted(object.external.clone(), "an order"),
        Observed::None if wanted.stage == Stage::Cancelled && wanted.known.is_none() => {
            return Plan::nothing("Medusa has nothing to cancel");
        }
        Observed::None => None,
        Observed::One(object) => match Sale::deserialize(&object.body) {
            Ok(sale) => Some(sale),
            Err(error) => {
                let what = format!("an observed order cannot be read back: {error}");
                return Plan::NotAllowed(Fault::new(FaultKind::Bug, code::BODY, what));
            }
        },
    };
    if let Some(sale) = object.as_ref().filter(|sale| sale.cancelled() || wanted.stage == Stage::Cancelled) {
        return ending(wanted, sale);
    }
    let order = match Order::read(&wanted.body) {
        Ok(order) => order,
        Err(fault) => return Plan::NotAllowed(fault),
    };
    let (order, given_back) = match &object {
        Some(sale) => less_refunds(&order, &sale.edits),
        None => (order, Decimal::ZERO),
    };
    let context = Context::deserialize(&observation.context).unwrap_or_default();
    let standing = Standing { config, wanted, order, given_back, context, missing: &observation.missing };
    match object {
        None => standing.begin(),
        Some(sale) => standing.go_on(&sale),
    }
}

/// It is cancelled, or is to be.
fn ending(wanted: &Wanted, sale: &Sale) -> Plan {
    if sale.cancelled() {
        return if wanted.stage == Stage::Cancelled {
            done(sale, None)
        } else {
            Plan::refused(code::CLOSED, format!("{} in Medusa, and the order is not cancelled", sale.shown()))
        };
    }
    if sale.draft {
        return Plan::Next(write::cancel(sale));
    }
    if wanted.after_confirm.cancel != ChangeBecomes::Amend {
        return by_policy(sale, "the cancellation");
    }
    if sale.packed {
        let what = format!(
            "{} in Medusa, with goods that are packed or sent: cancel their fulfilments there first",
            sale.shown()
        );
        return Plan::refused(code::CLOSED, what);
    }
    Plan::Next(write::cancel(sale))
}

impl Standing<'_> {
    fn begin(&self) -> Plan {
        if let Some(known) = &self.wanted.known {
            let what = format!(
                "Medusa no longer has order {} ({}); it is not made again by itself",
                known.number.as_ref().unwrap_or(&known.id),
                self.wanted.object_key
            );
            return Plan::refused(code::GONE, what);
        }
        match missing_fault(self.missing) {
            Some(fault) => Plan::NotAllowed(fault),
            None => Plan::Next(write::create(self.config, self.wanted, &self.order, &self.context)),
        }
    }

    fn go_on(&self, sale: &Sale) -> Plan {
        if let Some(edit) = sale.edit.as_ref().filter(|edit| !edit.ours) {
            return being_changed(sale, edit, self.wanted.object_key.as_str());
        }
        if sale.draft {
            // What a draft says otherwise is settled once it is an order: a draft's lines are changed by nobody.
            return match self.wanted.stage {
                Stage::Confirmed => Plan::Next(write::convert(sale)),
                Stage::Present | Stage::Cancelled => done(sale, None),
            };
        }
        let differences = Differences::of(&self.order, self.wanted.object_key.as_str(), sale);
        if !differences.is_empty() || sale.edit.is_some() {
            return self.amend(sale, &differences);
        }
        self.settle(sale)
    }

    fn amend(&self, sale: &Sale, differences: &Differences) -> Plan {
        if !differences.fixed.is_empty() {
            let what = format!(
                "{} of {}: Medusa's order cannot be given another one",
                shown(&differences.fixed),
                sale.shown()
            );
            return Plan::refused(code::BY_POLICY, what);
        }
        if !differences.addresses.is_empty() {
            return match self.wanted.after_confirm.address {
                ChangeBecomes::Amend => {
                    Plan::Next(write::amend(&self.order, self.wanted.object_key.as_str(), sale))
                }
                ChangeBecomes::CounterDocument | ChangeBecomes::Ticket => {
                    by_policy(sale, &shown(&differences.addresses))
                }
            };
        }
        // An edit that was begun is ended, whatever the policy: it keeps the order from being fulfilled.
        if sale.edit.is_none() && self.wanted.after_confirm.line != ChangeBecomes::Amend {
            return by_policy(sale, &shown(&differences.lines));
        }
        match missing_fault(self.missing) {
            Some(fault) => Plan::NotAllowed(fault),
            None => Plan::Next(write::edit(&self.order, &self.context, sale)),
        }
    }

    /// What it comes to, against what was charged. What refunds took off, and what came back, was charged as well.
    fn settle(&self, sale: &Sale) -> Plan {
        if let Some(excess) = sale.edits.excess.first() {
            return Plan::Next(write::unreserve(sale, excess));
        }
        let Some(total) = sale.sold().map(|total| paid(total + self.given_back, &sale.currency)) else {
            return done(sale, None);
        };
        let difference = total - self.order.gross;
        if difference.is_zero() {
            return done(sale, None);
        }
        let what = format!("{} at {total} in Medusa, and {} was charged", sale.shown(), self.order.gross);
        match &self.wanted.difference {
            Difference::Accept(most) if difference.abs() <= *most => {
                done(sale, Some(format!("a difference of {difference} was accepted")))
            }
            _ => Plan::refused(code::TOTALS_DIFFER, what),
        }
    }
}

/// It waits, until nobody is changing it any more.
pub(super) fn being_changed(sale: &Sale, edit: &Edit, order_key: &str) -> Plan {
    let why = match &edit.note {
        Some(note) if edit.ours => format!("its own change is not confirmed yet ({}, {note})", edit.id),
        Some(note) if note.starts_with(&refunds_of(order_key)) => {
            format!("a refund of it is being booked ({}, {note})", edit.id)
        }
        _ => format!("somebody is changing it in Medusa ({}): confirm or cancel that there", edit.id),
    };
    let what = format!("{} and {why}; this is released by itself when that is ended", sale.shown());
    Plan::NotAllowed(Fault::new(FaultKind::Rejected, code::EDITED, what).missing(AT_REST, order_key))
}

fn by_policy(sale: &Sale, what: &str) -> Plan {
    let what = format!(
        "{} and {what} came after it was confirmed: the flow's after_confirm makes it a ticket",
        sale.shown()
    );
    Plan::refused(code::BY_POLICY, what)
}

/// One that waits for a SKU to exist.
fn missing_fault(missing: &[MissingReference]) -> Option<Fault> {
    let (first, rest) = missing.split_first()?;
    let sku = &first.reference.value;
    let more = if rest.is_empty() { String::new() } else { format!(" (and {} more)", rest.len()) };
    let what = format!(
        "Medusa has no variant with the SKU {sku:?}{more}: create it there; this is released by itself as soon as it exists"
    );
    let fault = Fault::new(FaultKind::Rejected, format!("missing_{VARIANT}"), what);
    Some(fault.field(first.field.clone()).missing(VARIANT, sku))
}

fn done(sale: &Sale, note: Option<String>) -> Plan {
    Plan::unchanged(sale.external(), note)
}
