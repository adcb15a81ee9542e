//! Routing: what becomes of one envelope at each flow. Pure; committed in one transaction with `routed_at`.
//!
//! It decides who takes a fact, whether a newer state has overtaken it, whether it is filtered or waits, and whether
//! the source has to be read. It calls no network and knows no target's state.

mod fold;
mod known;

use crate::effect::Folded;
use crate::facts::{Admission, History, State};
use crate::mutant::Mutant;
use crate::mutant::Planted;
use crate::plan::{FlowPlan, Plan};
use kernel::clock::Now;
use kernel::envelope::{Envelope, FactKind, Priority, Via};
use kernel::fault::{Fault, FaultKind};
use kernel::flow::Mode;
use kernel::subject::{Lane, Subject};
use kernel::version::{CameBy, EffectiveVersion, Order};
use known::Known;
use std::time::Duration;
use store::delivery::{Claim, DeliveryKind, DeliveryState, NewDelivery, Outcome, Standing, Wait};
use store::log::{About, Routed, Unrouted};

/// Decides a batch, oldest first; and says what becomes of the changes in it. What is not decided waits for the next batch.
pub fn decide(plan: &Plan, planted: &Planted, batch: &[Unrouted], now: Now) -> (Vec<Routed>, Vec<Folded>) {
    let (mut known, mut records) = (Known::default(), fold::Records::default());
    let one = |item| decide_one(plan, planted, item, (&mut known, &mut records), now);
    let is_ready = |item: &&Unrouted| !comes_after_levels(plan, item, batch);
    let mut decisions: Vec<Routed> = batch.iter().filter(is_ready).map(one).collect();
    fold::only_the_last(&mut decisions);
    (decisions, records.folded)
}

/// A shipment whose source told a level before it that is still to be routed. Decided together, the store may take the one and pass over
/// the other, of which another node has routed something meanwhile: then an older level would be set once the shop knows of the shipment.
fn comes_after_levels(plan: &Plan, item: &Unrouted, batch: &[Unrouted]) -> bool {
    // Of most installations nothing does, and then nothing is asked for each envelope.
    if !plan.flows.values().any(|flow| flow.facts.follows_levels()) {
        return false;
    }
    let takers = |envelope: &Envelope| {
        let flows = plan.flows.values();
        let taking = flows.filter(|flow| flow.takes(&envelope.domain, &envelope.source, &envelope.shop));
        by_topic(taking.collect(), envelope)
    };
    let own = &item.envelope;
    let is_before = |other: &Envelope| {
        other.position < own.position && (&other.shop, &other.source) == (&own.shop, &own.source)
    };
    let is_level = |other: &Envelope| takers(other).iter().any(|flow| flow.observe_first);
    takers(own).iter().any(|flow| flow.facts.follows_levels())
        && batch.iter().any(|other| is_before(&other.envelope) && is_level(&other.envelope))
}

fn decide_one(
    plan: &Plan,
    planted: &Planted,
    item: &Unrouted,
    (known, records): (&mut Known, &mut fold::Records),
    now: Now,
) -> Routed {
    let envelope = &item.envelope;
    let mut routed = Routed { version: envelope.version.clone(), ..Routed::nothing(envelope.position) };
    for (flow, standing) in &item.standings {
        known.learn(flow, &envelope.subject, standing);
    }
    let flows =
        plan.flows.values().filter(|flow| flow.takes(&envelope.domain, &envelope.source, &envelope.shop));
    // What is folded is folded whether a flow is on or not: it would be missing later.
    let flows: Vec<&FlowPlan> = flows.collect();
    let is_on = |flow: &&FlowPlan| flow.policy.mode != Mode::Off;
    let takers = by_topic(flows.iter().copied().filter(is_on).collect(), envelope);
    let flows = by_topic(flows, envelope);
    let newest = flows.iter().filter_map(|flow| known.get(&flow.name, &envelope.subject));
    let newest = newest.filter_map(|standing| standing.routed_position).map(|position| position.0).max();
    if let (FactKind::Change, Some(payload)) = (envelope.kind, &item.payload) {
        fold::change(plan, (&flows, &takers), item, payload, (&mut *records, newest), &mut routed);
        return routed;
    }
    let takes = fold::level(plan, (&flows, &takers), item, (&mut *records, newest), &mut routed);
    if matches!(takes, fold::Takes::Not) {
        return routed;
    }
    let Some(first) = takers.first() else { return routed };
    let Some(payload) = &item.payload else {
        routed.deliveries = takers.iter().map(|flow| ended(flow, envelope, Outcome::Redacted)).collect();
        return routed;
    };
    if envelope.kind == FactKind::Hint {
        let kin = takers.iter().find_map(|flow| Some((flow, flow.facts.kin(&envelope.subject)?)));
        if let Some((flow, paths)) = kin {
            // Not at once: others of the same are set in the same breath, and each of these is read once after them.
            let due_at = envelope.received_at.checked_add(KIN_AFTER).unwrap_or(envelope.received_at);
            let state = DeliveryState::Waiting { due_at: Some(due_at), wait: Wait::Turn };
            let read =
                |path| NewDelivery { state: state.clone(), ..composing_read(plan, flow, envelope, path) };
            routed.deliveries = paths.into_iter().map(read).collect();
            return routed;
        }
        // What we are to look at again is left where its source cannot be asked.
        let ours = envelope.via == Via::Outcome;
        let reader = takers.iter().find(|flow| flow.readable || !ours);
        routed.deliveries.extend(reader.map(|flow| reading(plan, flow, envelope)));
        return routed;
    }
    let state = if envelope.kind == FactKind::Unreadable {
        Err(Fault::new(
            FaultKind::Rejected,
            "unreadable_body",
            "the body is signed but cannot be read: it is kept as it came",
        ))
    } else {
        first.facts.read(&envelope.topic, payload)
    };
    match state {
        Err(fault) => {
            routed.deliveries.extend(takers.iter().map(|flow| dead(flow, envelope, fault.clone())));
        }
        Ok(state) => {
            let version = version_of(envelope, &state);
            // What is composed is as late as what made it so.
            let is_composed = first.facts.is_composed(&envelope.topic);
            let state = if is_composed { State { changed_at: envelope.occurred_at, ..state } } else { state };
            // What a target tells of its object is no news of the thing itself.
            routed.about = (envelope.via != Via::Outcome).then(|| about(envelope, &state));
            let version = if let fold::Takes::Under(folded) = takes { folded } else { version };
            records.took(item);
            for flow in takers {
                let standing = known.standing(&flow.name, &envelope.subject);
                route_state(
                    plan,
                    planted,
                    flow,
                    envelope,
                    &state,
                    &version,
                    standing,
                    now,
                    &mut routed.deliveries,
                );
            }
            known.stands_in(envelope, &routed.deliveries);
            routed.version = Some(version);
        }
    }
    routed
}

/// Where several flows of a domain take different things of it (orders, their refunds), each takes its own. What no flow names
/// goes to all, as what a system tells under a name of its own.
fn by_topic<'a>(takers: Vec<&'a FlowPlan>, envelope: &Envelope) -> Vec<&'a FlowPlan> {
    let names = |flow: &&FlowPlan| flow.facts.kind_of(&envelope.topic).is_some();
    if takers.iter().any(names) { takers.into_iter().filter(names).collect() } else { takers }
}

/// A fact that our own outcome gave rise to is ordered by its place in the log; all others by their source.
fn version_of(envelope: &Envelope, state: &State) -> EffectiveVersion {
    match (&envelope.version, envelope.via) {
        (Some(EffectiveVersion::Sequence { sequence }), _) => {
            EffectiveVersion::Sequence { sequence: *sequence }
        }
        (Some(EffectiveVersion::Folded { revision }), _) => EffectiveVersion::Folded { revision: *revision },
        (_, Via::Outcome) => EffectiveVersion::Sequence { sequence: envelope.position.0 },
        (_, via) => EffectiveVersion::Dated {
            updated_at: state.updated_at,
            digest: state.digest,
            came_by: if via == Via::Read { CameBy::Read } else { CameBy::Push },
        },
    }
}

fn about(envelope: &Envelope, state: &State) -> About {
    About {
        subject: envelope.subject.clone(),
        label: state.label.clone(),
        customer: state.customer.clone(),
        created_at: state.created_at,
        updated_at: state.updated_at,
    }
}

#[expect(
    clippy::too_many_arguments,
    reason = "one decision over all that is known; a struct would only name it"
)]
fn route_state(
    plan: &Plan,
    planted: &Planted,
    flow: &FlowPlan,
    envelope: &Envelope,
    state: &State,
    version: &EffectiveVersion,
    standing: &mut Standing,
    now: Now,
    deliveries: &mut Vec<NewDelivery>,
) {
    let order = match &standing.routed {
        None => Order::Newer,
        Some(_) if planted.is(Mutant::OrderByArrival) => Order::Newer,
        Some(known) => version.against(known),
    };
    let by = standing.routed_position.unwrap_or(envelope.position);
    match order {
        Order::Older => deliveries.push(ended_at(flow, envelope, state, version, Outcome::Superseded { by })),
        // Named by a person, or read to settle a doubt: a duty of its own, which takes the place of those that wait for
        // it. If the target has it, that is found without a call.
        Order::Same if is_asked_for(flow, envelope) => {
            let again = admitted(flow, envelope, state, standing, now);
            let again = composing((plan, planted), flow, envelope, again, deliveries);
            deliveries.push(pressing(flow, state, standing, duty(flow, envelope, state, version, again)));
        }
        Order::Same => deliveries.push(ended_at(flow, envelope, state, version, Outcome::Unchanged)),
        Order::InDoubt if flow.readable && !planted.is(Mutant::TieByArrival) => {
            let wait = DeliveryState::Waiting { due_at: None, wait: Wait::Reading };
            // The known one may already be at the target; only a read can say which is newer.
            deliveries.push(NewDelivery { supersedes: false, ..duty(flow, envelope, state, version, wait) });
            deliveries.push(reading(plan, flow, envelope));
            standing.reading = true;
        }
        Order::InDoubt | Order::Newer => {
            let state_of_delivery = admitted(flow, envelope, state, standing, now);
            let state_of_delivery = composing((plan, planted), flow, envelope, state_of_delivery, deliveries);
            let duty = duty(flow, envelope, state, version, state_of_delivery);
            deliveries.push(pressing(flow, state, standing, duty));
            standing.routed = Some(version.clone());
            standing.routed_position = Some(envelope.position);
            standing.reading = false;
        }
    }
}

/// The rule under which a change is kept out that was sent again: it counts once.
const COUNTS_ONCE: &str = "counts once";

/// One for each of them.
fn to_takers(takers: &[&FlowPlan], one: impl Fn(&FlowPlan) -> NewDelivery) -> Vec<NewDelivery> {
    takers.iter().map(|flow| one(flow)).collect()
}

/// Somebody wants to know, and not only heard of it; what is composed is always read on purpose.
fn is_asked_for(flow: &FlowPlan, envelope: &Envelope) -> bool {
    matches!(envelope.via, Via::Backfill | Via::Replay | Via::Read) || flow.facts.is_composed(&envelope.topic)
}

/// How long what is composed of the same is left alone once one of them was set.
const KIN_AFTER: Duration = Duration::from_secs(1);

/// The rule under which a state is kept out that others are composed of.
pub(crate) const COMPOSED: &str = "composed";

/// A state that others are composed of is not sent by itself: these are read anew, each once for however many such states. What
/// was composed before and waits gives way at once, as an older state does: what has happened since this one may be in the
/// target already, and not in that.
fn composing(
    (plan, planted): (&Plan, &Planted),
    flow: &FlowPlan,
    envelope: &Envelope,
    admitted: DeliveryState,
    deliveries: &mut Vec<NewDelivery>,
) -> DeliveryState {
    let Some(paths) = flow.facts.composes(&envelope.subject) else { return admitted };
    let version = known::composed_of(envelope.position);
    for path in paths {
        if !planted.is(Mutant::ComposedStays) {
            deliveries.push(until_composed(flow, envelope, &path, &version));
        }
        deliveries.push(composing_read(plan, flow, envelope, path));
    }
    DeliveryState::Ended(Outcome::Filtered { rule: COMPOSED.to_owned() })
}

/// What a state waits for that would be kept out, were it not for an earlier one that may be in work: whoever has the
/// lane knows whether it was begun, and decides anew.
const EARLIER_FIRST: &str = "an earlier state of the same thing, which may be in work";

/// Whether this state is admitted only now, by whoever has its lane.
pub(crate) fn is_admitted_late(claim: &Claim) -> bool {
    let state = &claim.delivery.state;
    matches!(state, DeliveryState::Waiting { wait: Wait::Scheduled { text }, .. } if text == EARLIER_FIRST)
}

/// Filters guard the create alone: once there is an external ref or an attempt, each newer state is delivered.
fn admitted(
    flow: &FlowPlan,
    envelope: &Envelope,
    state: &State,
    standing: &Standing,
    now: Now,
) -> DeliveryState {
    let history = History {
        exported: standing.external.is_some(),
        attempted: standing.attempted,
        named_by_backfill: envelope.via == Via::Backfill,
    };
    // An earlier state may be in work: its attempt may begin while this is decided, and a filter is no filter then.
    let may_be_begun =
        standing.routed.is_some() && !standing.waiting_condition && !(history.exported || history.attempted);
    match flow.facts.admit(state, &flow.policy, history, now.wall) {
        Admission::Export => DeliveryState::Waiting { due_at: Some(now.wall), wait: Wait::Turn },
        Admission::Wait { .. } | Admission::Filtered { .. } if may_be_begun => {
            let wait = Wait::Scheduled { text: EARLIER_FIRST.to_owned() };
            DeliveryState::Waiting { due_at: Some(now.wall), wait }
        }
        Admission::Wait { until, text } => {
            DeliveryState::Waiting { due_at: until, wait: Wait::Condition { text } }
        }
        Admission::Filtered { rule } => DeliveryState::Ended(Outcome::Filtered { rule }),
    }
}

fn duty(
    flow: &FlowPlan,
    envelope: &Envelope,
    state: &State,
    version: &EffectiveVersion,
    delivery: DeliveryState,
) -> NewDelivery {
    NewDelivery {
        flow: flow.name.clone(),
        lane: Lane::of(&envelope.subject, &flow.target),
        subject: envelope.subject.clone(),
        kind: DeliveryKind::from(envelope.kind),
        state: delivery,
        version: Some(version.clone()),
        priority: envelope.via.priority(),
        supersedes: true,
        fault: None,
        changed_at: state.changed_at,
    }
}

/// What its domain finds less pressing goes after the rest, however it came.
fn pressing(flow: &FlowPlan, state: &State, standing: &Standing, duty: NewDelivery) -> NewDelivery {
    let known = standing.external.as_ref().and_then(|external| external.state.as_deref());
    NewDelivery { priority: duty.priority.max(flow.facts.urgency(state, known)), ..duty }
}

fn ended_at(
    flow: &FlowPlan,
    envelope: &Envelope,
    state: &State,
    version: &EffectiveVersion,
    outcome: Outcome,
) -> NewDelivery {
    // A duplicate of what waits at low priority raises it: the delivery has the highest of all that it stands for.
    NewDelivery { supersedes: false, ..duty(flow, envelope, state, version, DeliveryState::Ended(outcome)) }
}

fn ended(flow: &FlowPlan, envelope: &Envelope, outcome: Outcome) -> NewDelivery {
    NewDelivery {
        flow: flow.name.clone(),
        lane: Lane::of(&envelope.subject, &flow.target),
        subject: envelope.subject.clone(),
        kind: DeliveryKind::from(envelope.kind),
        state: DeliveryState::Ended(outcome),
        version: envelope.version.clone(),
        priority: envelope.via.priority(),
        supersedes: false,
        fault: None,
        changed_at: envelope.occurred_at,
    }
}

fn dead(flow: &FlowPlan, envelope: &Envelope, fault: Fault) -> NewDelivery {
    NewDelivery {
        state: DeliveryState::Dead,
        fault: Some(fault),
        ..ended(flow, envelope, Outcome::Unchanged)
    }
}

/// Stands in the place of what is composed, until that is read: under its version, so that what was composed without this
/// envelope and is appended later is an older one.
fn until_composed(
    flow: &FlowPlan,
    envelope: &Envelope,
    path: &str,
    version: &EffectiveVersion,
) -> NewDelivery {
    let subject = Subject { shop: envelope.shop.clone(), path: path.to_owned() };
    NewDelivery {
        lane: Lane::of(&subject, &flow.target),
        subject,
        state: DeliveryState::Waiting { due_at: None, wait: Wait::Reading },
        version: Some(version.clone()),
        supersedes: true,
        ..ended(flow, envelope, Outcome::Unchanged)
    }
}

/// Of another subject than the envelope's, which is composed of it: as pressing as what it is composed for.
fn composing_read(plan: &Plan, flow: &FlowPlan, envelope: &Envelope, path: String) -> NewDelivery {
    let subject = Subject { shop: envelope.shop.clone(), path };
    let lane = Lane::of(&subject, &flow.source);
    NewDelivery { lane, subject, priority: envelope.via.priority(), ..reading(plan, flow, envelope) }
}

/// A read is a delivery too: its lane is at the source.
fn reading(plan: &Plan, flow: &FlowPlan, envelope: &Envelope) -> NewDelivery {
    let subject = envelope.subject.clone();
    NewDelivery {
        flow: plan.reading.clone(),
        lane: Lane::of(&subject, &flow.source),
        subject,
        kind: DeliveryKind::Read,
        state: DeliveryState::Waiting { due_at: Some(envelope.received_at), wait: Wait::Turn },
        version: None,
        priority: Priority::Live,
        supersedes: true,
        fault: None,
        changed_at: envelope.occurred_at,
    }
}
