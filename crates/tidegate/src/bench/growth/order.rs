//! An order at the store's port: its webhook, what routing makes of it, and the two moves that deliver it. Owns the rows
//! that come of it; knows no clock.

use bytes::Bytes;
use jiff::Timestamp;
use kernel::clock::after;
use kernel::envelope::{FactKind, Priority, TraceId, Via};
use kernel::id::{AttemptId, DomainName, FlowName, ShopId, SystemName};
use kernel::key::{CallKey, ChangeKey, ObjectKey};
use kernel::rng::{Rng as _, Seeded};
use kernel::subject::{Lane, Subject};
use kernel::version::EffectiveVersion;
use std::time::Duration;
use store::delivery::{
    Claim, DeliveryKind, DeliveryState, EndedAttempt, Move, NewAttempt, NewDelivery, Outcome, StoredRef, Wait,
};
use store::log::{About, DedupeKey, NewEnvelope, Routed, Unrouted};

/// Five kilobytes that are compressed to a little more than half, as an order is. Of one of so many shops, in turn.
pub(super) fn fact(order: usize, shops: usize, at: Timestamp) -> anyhow::Result<NewEnvelope> {
    let mut rng = Seeded::new(order as u64);
    let body: String = (0..150).map(|_| format!(r#"{{"sku":"{:016x}"}},"#, rng.next_u64())).collect();
    let shop = match shops {
        1 => ShopId::new("acme")?,
        shops => ShopId::new(&format!("shop-{}", order % shops))?,
    };
    webhook(shop, order, body.into_bytes(), at)
}

/// A webhook of an order of its own, as the intake hands it to the store.
pub(in crate::bench) fn fact_of(order: usize, body: Vec<u8>, at: Timestamp) -> anyhow::Result<NewEnvelope> {
    webhook(ShopId::new("acme")?, order, body, at)
}

fn webhook(shop: ShopId, order: usize, body: Vec<u8>, at: Timestamp) -> anyhow::Result<NewEnvelope> {
    let number = 5_000_000_000 + order;
    let mut id = [0; 16];
    id[..8].copy_from_slice(&twin::shop::chance::mix(number as u64).to_be_bytes());
    id[8..].copy_from_slice(&(number as u64).to_be_bytes());
    let mut raw_hash = [0; 32];
    raw_hash[..16].copy_from_slice(&id);
    Ok(NewEnvelope {
        subject: Subject::new(shop.clone(), "order", &number.to_string()),
        shop,
        domain: DomainName::new("orders")?,
        source: SystemName::new("shopify")?,
        topic: "orders/create".into(),
        kind: FactKind::State,
        via: Via::Webhook,
        version: None,
        occurred_at: at,
        received_at: at,
        trace: TraceId(id),
        raw_hash,
        raw_bytes: 5_000,
        dedupe: Some(DedupeKey(id)),
        payload: Bytes::from(body),
    })
}

pub(super) fn decision(one: &Unrouted, at: Timestamp) -> anyhow::Result<Routed> {
    let subject = one.envelope.subject.clone();
    let version = Some(EffectiveVersion::Sequence { sequence: 1 });
    let duty = NewDelivery {
        flow: FlowName::new("orders_to_erp")?,
        lane: Lane::of(&subject, &SystemName::new("erp")?),
        subject: subject.clone(),
        kind: DeliveryKind::State,
        state: DeliveryState::Waiting { due_at: Some(at), wait: Wait::Turn },
        version: version.clone(),
        priority: Priority::Live,
        supersedes: true,
        fault: None,
        changed_at: at,
    };
    let label = format!("#{}", subject.key());
    let about = About { subject, label, customer: Some("7001".into()), created_at: at, updated_at: at };
    Ok(Routed {
        version,
        about: Some(about),
        deliveries: vec![duty],
        ..Routed::nothing(one.envelope.position)
    })
}

fn still(claim: &Claim, at: Timestamp) -> Move {
    Move {
        lane: claim.lane.clone(),
        fence: claim.fence,
        delivery: claim.delivery.id,
        at,
        ended: None,
        begun: None,
        state: None,
        spent: 0,
        failures: 0,
        dead: None,
        external: None,
        delivered: None,
        follow_ups: Vec::new(),
        schedule: Vec::new(),
        keep: false,
    }
}

pub(super) fn begin(claim: &Claim, at: Timestamp) -> Move {
    let version = EffectiveVersion::Sequence { sequence: 1 };
    let object_key = ObjectKey::of(&claim.delivery.subject);
    let change_key =
        ChangeKey::of(&object_key, &claim.lane.system, &claim.delivery.flow, &version, "r1", "create");
    let frozen = claim.payload.clone().unwrap_or_default();
    let begun = NewAttempt {
        step: "create".into(),
        call_key: CallKey::of(&change_key, claim.delivery.id, claim.delivery.calls + 1),
        change_key,
        frozen: frozen.slice(..frozen.len().min(1_500)),
        started_at: at,
        revision: "r1".into(),
    };
    Move { begun: Some(begun), keep: true, ..still(claim, at) }
}

pub(super) fn end(claim: &Claim, attempt: AttemptId, at: Timestamp) -> Move {
    let external = StoredRef {
        object_key: ObjectKey::of(&claim.delivery.subject),
        id: claim.delivery.id.0.to_string(),
        number: Some(format!("SO{}", claim.delivery.id.0)),
        state: None,
        created_at: at,
        adopted: false,
    };
    Move {
        ended: Some(EndedAttempt {
            id: attempt,
            ended_at: after(at, Duration::from_millis(5)),
            fault: None,
            by_look_up: None,
        }),
        state: Some(DeliveryState::Ended(Outcome::Delivered { note: None })),
        external: Some(external),
        delivered: Some((Some(EffectiveVersion::Sequence { sequence: 1 }), [4; 32])),
        ..still(claim, at)
    }
}
