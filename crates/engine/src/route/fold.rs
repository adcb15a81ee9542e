//! Folding while a batch is routed (ADR 0018): a change is folded into the record of its subject, and a state of what has a record takes the
//! place of what was folded so far. Decides, and writes nothing: the record goes with the decision, upon the revision that it was made
//! on, and what follows from it is a state like any other, later in the log.

use super::{COUNTS_ONCE, dead, ended, reading, to_takers};
use crate::effect::Folded;
use crate::facts::{Became, Folding, Told};
use crate::plan::{FlowPlan, Plan};
use bytes::Bytes;
use kernel::envelope::{Envelope, FactKind, Via};
use kernel::fault::Fault;
use kernel::id::{Position, SystemName};
use kernel::subject::Subject;
use kernel::version::EffectiveVersion;
use std::collections::{BTreeMap, BTreeSet};
use store::delivery::{DeliveryKind, DeliveryState, NewDelivery, Outcome, Wait};
use store::log::{NewEnvelope, NewRecord, Record, Routed, Unrouted};

/// Whose record.
type Of = (SystemName, Subject);

/// What is known of records within a batch: they move on within it.
#[derive(Debug, Default)]
pub(super) struct Records {
    known: BTreeMap<Of, Record>,
    /// States of the batch that were taken, by their place: the newest of a subject begins its record.
    states: BTreeMap<i64, (Envelope, Bytes)>,
    /// What became of the changes.
    pub(super) folded: Vec<Folded>,
}

/// What a state of a subject with a record is to be routed as.
pub(super) enum Takes {
    /// As it came: it has no record.
    Itself,
    /// As it came, under the version that the record gives it.
    Under(EffectiveVersion),
    /// Not: the record says what has become of it.
    Not,
}

fn of(envelope: &Envelope) -> Of {
    (envelope.source.clone(), envelope.subject.clone())
}

fn sequence_of(envelope: &Envelope) -> Option<i64> {
    match envelope.version {
        Some(EffectiveVersion::Sequence { sequence }) => Some(sequence),
        _ => None,
    }
}

fn told<'a>(envelope: &'a Envelope, payload: &'a [u8]) -> Told<'a> {
    Told {
        topic: &envelope.topic,
        payload,
        sequence: sequence_of(envelope),
        received_at: envelope.received_at,
        asked: matches!(envelope.via, Via::Read | Via::Sweep | Via::Backfill),
    }
}

impl Records {
    /// A state of the batch was taken.
    pub(super) fn took(&mut self, item: &Unrouted) {
        if let Some(payload) = &item.payload {
            self.states.insert(item.envelope.position.0, (item.envelope.clone(), payload.clone()));
        }
    }

    fn became(&mut self, envelope: &Envelope, outcome: &'static str) {
        let (system, shop) = (envelope.source.clone(), envelope.shop.clone());
        self.folded.push(Folded { system, shop, outcome });
    }

    fn record(&self, item: &Unrouted) -> Option<Record> {
        let known = self.known.get(&of(&item.envelope)).or(item.record.as_ref());
        known.cloned()
    }

    /// With what a record is begun: the newest state that was taken of the same source.
    fn base(&self, item: &Unrouted, newest: Option<i64>) -> Option<(Envelope, Bytes)> {
        let of_batch = newest.and_then(|newest| self.states.get(&newest)).cloned();
        of_batch.or_else(|| item.base.clone()).filter(|(base, _)| of(base) == of(&item.envelope))
    }

    fn keep(&mut self, envelope: &Envelope, upon: i64, body: Vec<u8>, routed: &mut Routed) {
        let body = Bytes::from(body);
        let (source, subject) = of(envelope);
        self.known
            .insert((source.clone(), subject.clone()), Record { revision: upon + 1, body: body.clone() });
        routed.record = Some(NewRecord { subject, source, upon, body });
    }
}

/// A change. `newest`: where the newest state of its subject stands that was taken.
pub(super) fn change(
    plan: &Plan,
    (flows, takers): (&[&FlowPlan], &[&FlowPlan]),
    item: &Unrouted,
    payload: &Bytes,
    (records, newest): (&mut Records, Option<i64>),
    routed: &mut Routed,
) {
    let envelope = &item.envelope;
    let Some(first) = flows.first() else { return };
    let fact = told(envelope, payload);
    // Sent again by a person: the level holds it by now, or it is counted twice.
    if envelope.via == Via::Replay && fact.sequence.is_none() {
        records.became(envelope, "known");
        let outcome = Outcome::Filtered { rule: COUNTS_ONCE.to_owned() };
        routed.deliveries = to_takers(takers, |flow| once(ended(flow, envelope, outcome.clone())));
        return;
    }
    let known = records.record(item);
    let upon = known.as_ref().map_or(0, |record| record.revision);
    // That of a root that was redacted is empty.
    let mut body = known.map(|record| record.body.to_vec()).filter(|body| !body.is_empty());
    if body.is_none()
        && let Some((base, level)) = records.base(item, newest)
        // A state that cannot be folded is none to begin with.
        && let Ok(begun) = first.facts.fold(&told(&base, &level), None)
    {
        body = begun.record;
    }
    let folding = match first.facts.fold(&fact, body.as_deref()) {
        Ok(folding) => folding,
        Err(fault) => {
            records.became(envelope, "refused");
            return refused(plan, takers, envelope, &fault, routed);
        }
    };
    records.became(
        envelope,
        match folding.became {
            Became::State { .. } | Became::AsTold => "folded",
            Became::Known | Became::Older => "known",
            Became::NoState(_) => "no_state",
        },
    );
    settle(plan, takers, envelope, upon, folding, records, routed);
}

/// A change that cannot be read is no state that a newer one heals: its quantity is missing until a person has seen to it.
fn refused(plan: &Plan, takers: &[&FlowPlan], envelope: &Envelope, fault: &Fault, routed: &mut Routed) {
    routed.deliveries = to_takers(takers, |flow| once(dead(flow, envelope, fault.clone())));
    routed.deliveries.extend(read(plan, takers, envelope));
}

fn once(delivery: NewDelivery) -> NewDelivery {
    NewDelivery { kind: DeliveryKind::Event, ..delivery }
}

fn read(plan: &Plan, takers: &[&FlowPlan], envelope: &Envelope) -> Option<NewDelivery> {
    takers.iter().find(|flow| flow.readable).map(|flow| reading(plan, flow, envelope))
}

fn settle(
    plan: &Plan,
    takers: &[&FlowPlan],
    envelope: &Envelope,
    upon: i64,
    folding: Folding,
    records: &mut Records,
    routed: &mut Routed,
) {
    let Folding { record, became, read: asks } = folding;
    if let Some(body) = record {
        records.keep(envelope, upon, body, routed);
    }
    let asked = if asks { read(plan, takers, envelope) } else { None };
    match became {
        Became::State { topic, payload } => {
            let version = EffectiveVersion::Folded { revision: upon + 1 };
            routed.follow_ups.push(state(envelope, topic, version, payload));
        }
        // The state that is asked for takes its place; where nobody can be asked, one that is sent.
        Became::NoState(fault) => {
            let one = |flow: &FlowPlan| match asked {
                Some(_) => waiting(flow, envelope),
                None => dead(flow, envelope, fault.clone()),
            };
            routed.deliveries = to_takers(takers, |flow| NewDelivery { supersedes: true, ..one(flow) });
        }
        Became::AsTold | Became::Known | Became::Older => {}
    }
    routed.deliveries.extend(asked);
}

fn waiting(flow: &FlowPlan, envelope: &Envelope) -> NewDelivery {
    let state = DeliveryState::Waiting { due_at: None, wait: Wait::Reading };
    NewDelivery { state, ..ended(flow, envelope, Outcome::Unchanged) }
}

/// The state that the record is now, as a fact of its source.
fn state(envelope: &Envelope, topic: &str, version: EffectiveVersion, payload: Vec<u8>) -> NewEnvelope {
    let follows = NewEnvelope::follows(envelope, topic.to_owned(), Via::Fold, payload);
    NewEnvelope { version: Some(version), ..follows }
}

/// A state of what has a record. What it cannot read is left to whoever reads states.
pub(super) fn level(
    plan: &Plan,
    (flows, takers): (&[&FlowPlan], &[&FlowPlan]),
    item: &Unrouted,
    (records, newest): (&mut Records, Option<i64>),
    routed: &mut Routed,
) -> Takes {
    let envelope = &item.envelope;
    if envelope.kind != FactKind::State || matches!(envelope.version, Some(EffectiveVersion::Folded { .. })) {
        return Takes::Itself;
    }
    let (Some(record), Some(payload), Some(first)) = (records.record(item), &item.payload, flows.first())
    else {
        return Takes::Itself;
    };
    let body = Some(&record.body[..]).filter(|body| !body.is_empty());
    let Ok(folding) = first.facts.fold(&told(envelope, payload), body) else {
        return Takes::Itself;
    };
    let became = folding.became.clone();
    settle(plan, takers, envelope, record.revision, folding, records, routed);
    match became {
        Became::AsTold => Takes::Under(EffectiveVersion::Folded { revision: record.revision + 1 }),
        _ => {
            let by = match became {
                Became::Older => newest.map_or(envelope.position, Position),
                _ => envelope.position,
            };
            let superseded = Outcome::Superseded { by };
            let of_takers = to_takers(takers, |flow| ended(flow, envelope, superseded.clone()));
            routed.deliveries.extend(of_takers);
            Takes::Not
        }
    }
}

/// Of several states that follow in one batch from one record the last says it all.
pub(super) fn only_the_last(decisions: &mut [Routed]) {
    let mut later = BTreeSet::new();
    for decision in decisions.iter_mut().rev() {
        decision.follow_ups.retain(|new| later.insert((new.source.clone(), new.subject.clone())));
    }
}

#[cfg(test)]
mod tests;
