//! One order's life in the order of time, fit for printing: one line for each thing that happened.

use super::AdminParts;
use super::lines::cause_of;
use jiff::Timestamp;
use kernel::envelope::Via;
use kernel::id::DeliveryId;
use serde::Serialize;
use store::dead::closed_because;
use store::delivery::{Delivery, DeliveryKind, DeliveryState};
use store::query::{AttemptRow, Life};

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Moment {
    at: Timestamp,
    /// `received`, `due`, `call`, `answer`, `linked`, `ended`, `dead`, `closed`.
    what: &'static str,
    detail: String,
}

/// Of what has one instant, what led to what: a fact came in, a call was answered, a delivery went on, its link became
/// known, and a fact of our own arose from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Came,
    Answered,
    Went(DeliveryId),
    Linked,
    Arose,
}

#[derive(Default)]
struct Told {
    moments: Vec<(Timestamp, Rank, Moment)>,
}

impl Told {
    fn add(&mut self, at: Timestamp, rank: Rank, what: &'static str, detail: String) {
        self.moments.push((at, rank, Moment { at, what, detail }));
    }
}

pub(super) fn timeline(life: &Life, parts: &AdminParts) -> Vec<Moment> {
    let mut told = Told::default();
    for (envelope, _) in &life.envelopes {
        let rank = if matches!(envelope.via, Via::Outcome | Via::Fold) { Rank::Arose } else { Rank::Came };
        let detail = format!("{} from {} via {}", envelope.topic, envelope.source, envelope.via.as_str());
        told.add(envelope.received_at, rank, "received", detail);
    }
    for delivery in &life.deliveries {
        told.add(delivery.created_at, Rank::Went(delivery.id), "due", named(delivery));
    }
    for attempt in &life.attempts {
        let call = call(attempt, life);
        told.add(attempt.started_at, Rank::Went(attempt.delivery), "call", call.clone());
        if let Some(at) = attempt.ended_at {
            told.add(at, Rank::Answered, "answer", format!("{call}: {}", answer(attempt)));
        }
    }
    for letter in &life.dead_letters {
        let (rank, cause) = (Rank::Went(letter.delivery), cause_of(letter, parts));
        told.add(letter.dead_at, rank, "dead", format!("{}: {}; {}", letter.flow, cause.cause, cause.advice));
        if let Some(closed) = &letter.closed {
            told.add(closed.at, rank, "closed", format!("by {}: {}", closed.who, closed.why));
        }
    }
    for delivery in &life.deliveries {
        if let (Some(at), DeliveryState::Ended(outcome)) = (delivery.ended_at, &delivery.state) {
            let detail = format!("{}: {}", named(delivery), closed_because(outcome));
            told.add(at, Rank::Went(delivery.id), "ended", detail);
        }
    }
    for (system, subject, external) in &life.external {
        let name = external.number.as_deref().unwrap_or(&external.id);
        let state = external.state.as_deref().map(|state| format!(", {state}")).unwrap_or_default();
        let it = subject.part().unwrap_or_else(|| "it".to_owned());
        told.add(external.created_at, Rank::Linked, "linked", format!("{system} has {it} as {name}{state}"));
    }
    told.moments.sort_by_key(|(at, rank, _)| (*at, *rank));
    told.moments.into_iter().map(|(_, _, moment)| moment).collect()
}

fn named(delivery: &Delivery) -> String {
    let part = delivery.subject.part();
    let what = match (delivery.kind, part) {
        (DeliveryKind::Read, Some(part)) => format!("read, {part}"),
        (_, Some(part)) => part,
        (kind, None) => kind.as_str().to_owned(),
    };
    format!("{} to {} ({what}, delivery {})", delivery.flow, delivery.lane.system, delivery.id)
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
