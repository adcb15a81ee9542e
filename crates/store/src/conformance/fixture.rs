//! The small world of the cases: one shop, two targets, orders with whole-number versions.

use super::AnyStore;
use crate::delivery::{
    Claim, DeliveryKind, DeliveryState, EndedAttempt, Move, Moved, NewAttempt, NewDelivery, Outcome,
    StoredRef, Wait,
};
use crate::log::{About, Appended, DedupeKey, NewEnvelope, Routed};
use crate::operate::By;
use crate::port::ClaimRequest;
use crate::query::DeliveryFilter;
use bytes::Bytes;
use jiff::Timestamp;
use kernel::envelope::{FactKind, Priority, TraceId, Via};
use kernel::fault::{Fault, FaultKind};
use kernel::id::{AttemptId, DeliveryId, DomainName, FlowName, Position, ShopId, SystemName};
use kernel::key::{CallKey, ChangeKey, ObjectKey};
use kernel::subject::{Lane, Subject};
use kernel::version::EffectiveVersion;
use std::time::Duration;

/// A second of a day in 2026.
pub(super) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_780_000_000 + second).unwrap()
}
pub(super) fn shop() -> ShopId {
    ShopId::new("acme").unwrap()
}
pub(super) fn system(name: &str) -> SystemName {
    SystemName::new(name).unwrap()
}
pub(super) fn erp() -> SystemName {
    system("erp")
}
pub(super) fn flow() -> FlowName {
    FlowName::new("orders_to_erp").unwrap()
}
pub(super) fn order(key: &str) -> Subject {
    Subject::new(shop(), "order", key)
}
pub(super) fn sequence(sequence: i64) -> EffectiveVersion {
    EffectiveVersion::Sequence { sequence }
}
pub(super) fn person() -> By {
    By { who: "ada".into(), why: "because".into(), at: at(500) }
}
pub(super) fn due(second: i64) -> DeliveryState {
    DeliveryState::Waiting { due_at: Some(at(second)), wait: Wait::Turn }
}
pub(super) fn delivered() -> DeliveryState {
    DeliveryState::Ended(Outcome::Delivered { note: None })
}
pub(super) fn fault(code: &str) -> Fault {
    Fault::new(FaultKind::Rejected, code, format!("the target says {code}"))
}
pub(super) fn dedupe(key: u8) -> DedupeKey {
    DedupeKey([key; 16])
}

pub(super) fn fact(subject: &Subject, second: i64) -> NewEnvelope {
    NewEnvelope {
        shop: subject.shop.clone(),
        domain: DomainName::new("orders").unwrap(),
        source: system("shopify"),
        topic: "orders/updated".into(),
        kind: FactKind::State,
        via: Via::Webhook,
        subject: subject.clone(),
        version: None,
        occurred_at: at(second),
        received_at: at(second),
        trace: TraceId([7; 16]),
        raw_hash: [second as u8; 32],
        raw_bytes: 5000,
        dedupe: None,
        payload: Bytes::from(format!("{{\"order\":\"{}\",\"second\":{second}}}", subject.path)),
    }
}

pub(super) fn about(subject: &Subject, second: i64) -> About {
    About {
        subject: subject.clone(),
        label: format!("#{}", subject.key()),
        customer: None,
        created_at: at(0),
        updated_at: at(second),
    }
}

/// A state that waits at the ERP, due at a second.
pub(super) fn state(subject: &Subject, version: i64, second: i64) -> NewDelivery {
    NewDelivery {
        flow: flow(),
        lane: Lane::of(subject, &erp()),
        subject: subject.clone(),
        kind: DeliveryKind::State,
        state: due(second),
        version: Some(sequence(version)),
        priority: Priority::Live,
        supersedes: true,
        fault: None,
        changed_at: at(second),
    }
}
pub(super) fn event(subject: &Subject, second: i64) -> NewDelivery {
    NewDelivery { kind: DeliveryKind::Event, version: None, supersedes: false, ..state(subject, 0, second) }
}
/// A read at the source.
pub(super) fn read(subject: &Subject, second: i64) -> NewDelivery {
    let lane = Lane::of(subject, &system("shopify"));
    NewDelivery { kind: DeliveryKind::Read, version: None, lane, ..state(subject, 0, second) }
}
/// Dead from the start, as a mapping error is.
pub(super) fn dead(subject: &Subject, version: i64, fault: Fault) -> NewDelivery {
    NewDelivery { state: DeliveryState::Dead, fault: Some(fault), ..state(subject, version, version) }
}

pub(super) async fn append(store: &AnyStore, new: NewEnvelope) -> Position {
    match store.append(vec![new]).await.unwrap()[..] {
        [Appended::Stored(position)] => position,
        ref other => panic!("not stored: {other:?}"),
    }
}

pub(super) async fn route(store: &AnyStore, position: Position, deliveries: Vec<NewDelivery>) {
    let version = deliveries.first().and_then(|new| new.version.clone());
    let about = deliveries.first().map(|new| about(&new.subject, position.0));
    let decision = Routed { version, about, deliveries, ..Routed::nothing(position) };
    store.route(vec![decision], at(1)).await.unwrap();
}

/// Appends a fact of the delivery's subject and routes it to this delivery.
pub(super) async fn put(store: &AnyStore, new: NewDelivery) -> Position {
    let mut fact = fact(&new.subject, 1);
    if new.kind == DeliveryKind::Event {
        fact.kind = FactKind::Event;
    }
    let position = append(store, fact).await;
    route(store, position, vec![new]).await;
    position
}

pub(super) fn request(second: i64) -> ClaimRequest {
    ClaimRequest {
        system: erp(),
        now: at(second),
        lease: Duration::from_secs(60),
        limit: 10,
        except_flows: Vec::new(),
        except_lanes: Vec::new(),
    }
}
/// All that is due at the ERP.
pub(super) async fn claim(store: &AnyStore, second: i64) -> Vec<Claim> {
    store.claim(request(second), "hub").await.unwrap()
}
/// The one lane that is due.
pub(super) async fn take(store: &AnyStore, second: i64) -> Claim {
    let mut claims = claim(store, second).await;
    assert_eq!(claims.len(), 1, "one lane is due at second {second}: {claims:?}");
    claims.remove(0)
}
pub(super) fn keys(claims: &[Claim]) -> Vec<&str> {
    claims.iter().map(|claim| claim.delivery.subject.key()).collect()
}

/// A move that changes nothing and gives the lane back.
pub(super) fn step(claim: &Claim, second: i64) -> Move {
    Move {
        lane: claim.lane.clone(),
        fence: claim.fence,
        delivery: claim.delivery.id,
        at: at(second),
        ended: None,
        begun: None,
        state: None,
        spent: claim.delivery.spent,
        failures: claim.delivery.failures,
        dead: None,
        external: None,
        delivered: None,
        follow_ups: Vec::new(),
        schedule: Vec::new(),
        keep: false,
    }
}
pub(super) fn to(claim: &Claim, second: i64, state: DeliveryState) -> Move {
    Move { state: Some(state), ..step(claim, second) }
}
pub(super) fn to_dead(claim: &Claim, second: i64, fault: Fault) -> Move {
    Move { state: Some(DeliveryState::Dead), dead: Some(fault), ..step(claim, second) }
}
/// Begins the next attempt and keeps the lane.
pub(super) fn begin(claim: &Claim, second: i64) -> Move {
    let object = ObjectKey::of(&claim.delivery.subject);
    let version = claim.delivery.version.clone().unwrap_or_else(|| sequence(0));
    let change_key =
        ChangeKey::of(&object, &claim.lane.system, &claim.delivery.flow, &version, "r1", "create");
    let begun = NewAttempt {
        step: "create".into(),
        call_key: CallKey::of(&change_key, claim.delivery.id, claim.delivery.calls + 1),
        change_key,
        frozen: Bytes::from_static(b"{\"frozen\":\"call\"}"),
        started_at: at(second),
        revision: "r1".into(),
    };
    Move { begun: Some(begun), keep: true, ..step(claim, second) }
}
pub(super) fn answered(attempt: AttemptId, second: i64, fault: Option<Fault>) -> Option<EndedAttempt> {
    Some(EndedAttempt { id: attempt, ended_at: at(second), fault, by_look_up: None })
}
pub(super) fn link(subject: &Subject, id: &str) -> StoredRef {
    StoredRef {
        object_key: ObjectKey::of(subject),
        id: id.into(),
        number: Some(format!("SO-{id}")),
        state: Some("draft".into()),
        created_at: at(3),
        adopted: false,
    }
}

pub(super) async fn advance(store: &AnyStore, step: Move) -> Moved {
    store.advance(vec![step]).await.unwrap()[0]
}
/// A move that must be done.
pub(super) async fn done(store: &AnyStore, step: Move) -> Option<AttemptId> {
    match advance(store, step).await {
        Moved::Done { begun } => begun,
        Moved::Lost => panic!("the move was lost"),
    }
}
/// Begins an attempt of a claim; it stays without an answer.
pub(super) async fn begun(store: &AnyStore, claim: &Claim, second: i64) -> AttemptId {
    done(store, begin(claim, second)).await.expect("an attempt was begun")
}
/// The state of each delivery of a root, oldest first.
pub(super) async fn states(store: &AnyStore, root: &Subject) -> Vec<DeliveryState> {
    let life = store.life(&root.shop, root.root()).await.unwrap();
    life.deliveries.into_iter().map(|delivery| delivery.state).collect()
}
/// The outcome words of a root, `-` for one that has not ended.
pub(super) async fn words(store: &AnyStore, root: &Subject) -> Vec<&'static str> {
    let word = |state: DeliveryState| match state {
        DeliveryState::Waiting { .. } => "waiting",
        DeliveryState::Unknown { .. } => "unknown",
        DeliveryState::Dead => "dead",
        DeliveryState::Ended(outcome) => outcome.word(),
    };
    states(store, root).await.into_iter().map(word).collect()
}
pub(super) fn only(id: DeliveryId) -> DeliveryFilter {
    DeliveryFilter { ids: vec![id], ..DeliveryFilter::default() }
}
