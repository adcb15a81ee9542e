//! One order's life in the order of time, fit for printing: one line for each thing that happened.

use super::AdminParts;
use super::lines::cause_of;
use jiff::Timestamp;
use serde::Serialize;
use store::dead::closed_because;
use store::delivery::{Delivery, DeliveryState};
use store::query::{AttemptRow, Life};

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Moment {
    at: Timestamp,
    /// `received`, `due`, `call`, `answer`, `linked`, `ended`, `dead`, `closed`.
    what: &'static str,
    detail: String,
}

pub(super) fn timeline(life: &Life, parts: &AdminParts) -> Vec<Moment> {
    let mut all = Vec::new();
    let mut add = |at: Timestamp, what, detail: String| all.push(Moment { at, what, detail });
    for (envelope, _) in &life.envelopes {
        let detail = format!("{} from {} via {}", envelope.topic, envelope.source, envelope.via.as_str());
        add(envelope.received_at, "received", detail);
    }
    for delivery in &life.deliveries {
        let name = named(delivery);
        add(delivery.created_at, "due", name.clone());
        if let (Some(at), DeliveryState::Ended(outcome)) = (delivery.ended_at, &delivery.state) {
            add(at, "ended", format!("{name}: {}", closed_because(outcome)));
        }
    }
    for attempt in &life.attempts {
        let call = call(attempt, life);
        add(attempt.started_at, "call", call.clone());
        if let Some(at) = attempt.ended_at {
            add(at, "answer", format!("{call}: {}", answer(attempt)));
        }
    }
    for (system, _, external) in &life.external {
        let name = external.number.as_deref().unwrap_or(&external.id);
        let state = external.state.as_deref().map(|state| format!(", {state}")).unwrap_or_default();
        add(external.created_at, "linked", format!("{system} has it as {name}{state}"));
    }
    for letter in &life.dead_letters {
        let cause = cause_of(letter, parts);
        add(letter.dead_at, "dead", format!("{}: {}; {}", letter.flow, cause.cause, cause.advice));
        if let Some(closed) = &letter.closed {
            add(closed.at, "closed", format!("by {}: {}", closed.who, closed.why));
        }
    }
    // Stable: what has one instant stays in the order in which it follows from one another.
    all.sort_by_key(|moment| moment.at);
    all
}

fn named(delivery: &Delivery) -> String {
    format!(
        "{} to {} ({}, delivery {})",
        delivery.flow,
        delivery.lane.system,
        delivery.kind.as_str(),
        delivery.id
    )
}

fn call(attempt: &AttemptRow, life: &Life) -> String {
    let delivery = life.deliveries.iter().find(|delivery| delivery.id == attempt.delivery);
    let system = delivery.map_or("the target", |delivery| delivery.lane.system.as_str());
    format!("{} at {system}", attempt.step)
}

fn answer(attempt: &AttemptRow) -> String {
    let looked = match attempt.by_look_up {
        Some(true) => ", a look-up found it there",
        Some(false) => ", a look-up proved it absent",
        None => "",
    };
    match &attempt.fault {
        None => format!("done{looked}"),
        Some(fault) => format!("{} ({}): {}{looked}", fault.kind, fault.code, fault.message),
    }
}
