//! The owners: each does what a node does, at random, and some of it badly.

use super::record::{Record, Step, Taken, What};
use crate::delivery::{
    Claim, DeliveryKind, DeliveryState, EndedAttempt, Move, Moved, NewAttempt, NewDelivery, Outcome, Wait,
};
use crate::log::{About, Appended, DedupeKey, NewEnvelope, Routed, Unrouted};
use crate::port::{ClaimRequest, Store};
use bytes::Bytes;
use jiff::Timestamp;
use kernel::clock::after;
use kernel::envelope::{FactKind, Priority, TraceId, Via};
use kernel::id::{AttemptId, DomainName, FlowName, ShopId, SystemName};
use kernel::key::{CallKey, ChangeKey, ObjectKey};
use kernel::rng::{Rng, Seeded};
use kernel::subject::{Lane, Subject};
use kernel::version::{EffectiveVersion, Order};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

/// How long a claim holds.
const LEASE: Duration = Duration::from_secs(60);
/// Lanes in one claim.
const LANES: u32 = 3;
/// Envelopes looked at in one go.
const UNROUTED: u32 = 16;
/// Rounds that the end may take; each brings at least one delivery forward.
const ROUNDS: u32 = 20_000;

/// What is played.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    pub seed: u64,
    /// What each owner does, one after the other.
    pub turns: u32,
    /// Subjects that all owners share: the fewer, the more they meet.
    pub subjects: u64,
    /// Whether every owner routes, or the first alone (a store of one process has one that routes).
    pub all_route: bool,
}

/// What the owners share.
#[derive(Debug, Default)]
pub struct Party {
    pub record: Record,
    facts: AtomicI64,
}

/// One owner's turns, on its own way to the store. Several are run at once, each on a task of its own.
pub async fn play(plan: Plan, owner: usize, store: Arc<dyn Store>, party: Arc<Party>) {
    let rng = Seeded::new(plan.seed.wrapping_mul(1000).wrapping_add(owner as u64));
    let mut player = Player { plan, owner, store, party, rng, asleep: Vec::new() };
    for _ in 0..plan.turns {
        player.turn().await;
    }
}

/// After the play: one owner brings everything to its end.
///
/// # Panics
/// When something is still due after more rounds than there can be deliveries.
pub async fn settle(plan: Plan, owner: usize, store: Arc<dyn Store>, party: Arc<Party>) {
    let rng = Seeded::new(plan.seed);
    let mut player = Player { plan, owner, store, party, rng, asleep: Vec::new() };
    let mut quiet = 0;
    for _ in 0..ROUNDS {
        player.party.record.pass(LEASE * 2);
        let routed = player.route().await;
        let claims = player.claim().await;
        quiet = if routed == 0 && claims.is_empty() { quiet + 1 } else { 0 };
        if quiet > 3 {
            return;
        }
        for claim in claims {
            let open = claim.open_attempt.as_ref().map(|attempt| attempt.id);
            player.end(&claim, open).await;
        }
    }
    panic!("after {ROUNDS} rounds something is still due");
}

struct Player {
    plan: Plan,
    owner: usize,
    store: Arc<dyn Store>,
    party: Arc<Party>,
    rng: Seeded,
    /// Claims that it will come back to, perhaps too late.
    asleep: Vec<(Claim, Option<AttemptId>)>,
}

impl Player {
    async fn turn(&mut self) {
        match self.rng.below(12) {
            0..=2 => self.append().await,
            3..=5 if self.plan.all_route || self.owner == 0 => {
                self.route().await;
            }
            3..=9 => {
                for claim in self.claim().await {
                    self.work(claim).await;
                }
            }
            10 if !self.asleep.is_empty() => {
                let which = usize::try_from(self.rng.below(self.asleep.len() as u64)).unwrap_or(0);
                let (claim, attempt) = self.asleep.swap_remove(which);
                self.end(&claim, attempt).await;
            }
            10 => {}
            // Long enough to end some leases and not others.
            _ => self.party.record.pass(Duration::from_millis(self.rng.below(40_000))),
        }
    }

    /// New facts, and copies of some that others have sent or are about to send.
    async fn append(&mut self) {
        let count = 1 + self.rng.below(4);
        let mut batch = Vec::new();
        for _ in 0..count {
            let newest = self.party.facts.load(Ordering::SeqCst);
            let number = match self.rng.chance(250) && newest > 0 {
                true => newest - i64::try_from(self.rng.below(20)).unwrap_or(0),
                false => 1 + self.party.facts.fetch_add(1, Ordering::SeqCst),
            };
            batch.push(self.fact(number.max(1)));
        }
        let asked: Vec<_> = batch.iter().map(|fact| (fact.dedupe, fact.subject.clone(), of(fact))).collect();
        let began = self.party.record.place();
        let answers = self.store.append(batch).await.ok();
        for (index, (key, subject, number)) in asked.into_iter().enumerate() {
            let Some(key) = key else { continue };
            let answer: Option<Appended> = answers.as_ref().and_then(|answers| answers.get(index).copied());
            self.party.record.note(self.owner, began, What::Appended { key, subject, number, answer });
        }
    }

    /// The fact with this number: the same subject and bytes whoever sends it. Every fifth is an event.
    fn fact(&self, number: i64) -> NewEnvelope {
        let mut of_number = Seeded::new(self.plan.seed ^ number.unsigned_abs());
        let key = of_number.below(self.plan.subjects).to_string();
        let (kind, path) = match of_number.chance(200) {
            true => (FactKind::Event, format!("order:{key}/refund:{number}")),
            false => (FactKind::State, format!("order:{key}")),
        };
        let shop = shop(of_number.below(2));
        let at = self.party.record.now();
        let mut dedupe = [0; 16];
        dedupe[..8].copy_from_slice(&number.to_be_bytes());
        dedupe[8..].copy_from_slice(&self.plan.seed.to_be_bytes());
        let mut raw_hash = [0; 32];
        raw_hash[..16].copy_from_slice(&dedupe);
        NewEnvelope {
            subject: Subject { shop: shop.clone(), path },
            shop,
            domain: name(DomainName::new("orders")),
            source: name(SystemName::new("shopify")),
            topic: "orders/updated".into(),
            kind,
            via: Via::Webhook,
            version: None,
            occurred_at: at,
            received_at: at,
            trace: TraceId([7; 16]),
            raw_hash,
            raw_bytes: 8,
            dedupe: Some(DedupeKey(dedupe)),
            payload: Bytes::from(number.to_string()),
        }
    }

    /// Decides as the engine does: an older state than the one that was routed is superseded.
    async fn route(&mut self) -> usize {
        let Ok(waiting) = self.store.unrouted(UNROUTED).await else { return 0 };
        let at = self.party.record.now();
        // Of one subject only the first: how it stands is known before each decision, as the engine sees to.
        let mut subjects = std::collections::BTreeSet::new();
        let first = waiting.into_iter().filter(|one| subjects.insert(one.envelope.subject.root().to_owned()));
        let decisions: Vec<Routed> = first.map(|one| decide(&one, at)).collect();
        if decisions.is_empty() {
            return 0;
        }
        let positions: Vec<_> = decisions.iter().map(|decision| decision.position).collect();
        let (count, began) = (positions.len(), self.party.record.place());
        // What was not committed is found again.
        let _ = self.store.route(decisions, at).await;
        self.party.record.note(self.owner, began, What::Routed { positions });
        count
    }

    async fn claim(&mut self) -> Vec<Claim> {
        let now = self.party.record.now();
        let request = ClaimRequest {
            system: erp(),
            now,
            lease: LEASE,
            limit: LANES,
            except_flows: Vec::new(),
            except_lanes: Vec::new(),
        };
        let began = self.party.record.place();
        let claims = self.store.claim(request, &format!("node-{}", self.owner)).await.unwrap_or_default();
        for claim in &claims {
            let what = What::Claimed { claim: taken(claim), until: after(now, LEASE), now };
            self.party.record.note(self.owner, began, what);
        }
        claims
    }

    async fn work(&mut self, claim: Claim) {
        let open = claim.open_attempt.as_ref().map(|attempt| attempt.id);
        match (open, self.rng.below(10)) {
            // The look-up found the object, or that it is not there.
            (Some(_), 0..=6) | (None, 0) => self.end(&claim, open).await,
            (None, 1) => self.give_back(&claim).await,
            (Some(_), _) | (None, 2) => self.asleep.push((claim, open)),
            (None, fate) => match self.begin(&claim).await {
                Some(attempt) if fate < 8 => self.end(&claim, Some(attempt)).await,
                Some(attempt) if fate == 8 => self.asleep.push((claim, Some(attempt))),
                // It dies with the attempt in `sending`, or has lost the lane.
                _ => {}
            },
        }
    }

    async fn begin(&mut self, claim: &Claim) -> Option<AttemptId> {
        let at = self.party.record.now();
        let version = claim.delivery.version.clone().unwrap_or(EffectiveVersion::Sequence { sequence: 0 });
        let object = ObjectKey::of(&claim.delivery.subject);
        let change_key =
            ChangeKey::of(&object, &claim.lane.system, &claim.delivery.flow, &version, "r1", "create");
        let begun = NewAttempt {
            step: "create".into(),
            call_key: CallKey::of(&change_key, claim.delivery.id, claim.delivery.calls + 1),
            change_key,
            frozen: Bytes::from_static(b"{}"),
            started_at: at,
            revision: "r1".into(),
        };
        let step = Move { begun: Some(begun), keep: true, ..still(claim, at) };
        match self.move_on(claim, step, Step::Begins).await {
            Some(Moved::Done { begun }) => begun,
            _ => None,
        }
    }

    async fn end(&mut self, claim: &Claim, open: Option<AttemptId>) {
        let at = self.party.record.now();
        let answered = |id| EndedAttempt { id, ended_at: at, fault: None, by_look_up: None };
        let state = Some(DeliveryState::Ended(Outcome::Delivered { note: None }));
        let delivered = (claim.delivery.kind == DeliveryKind::State)
            .then(|| (claim.delivery.version.clone(), Default::default()));
        let step = Move { ended: open.map(answered), state, delivered, ..still(claim, at) };
        self.move_on(claim, step, Step::Ends).await;
    }

    async fn move_on(&mut self, claim: &Claim, step: Move, kind: Step) -> Option<Moved> {
        let (at, keep) = (step.at, step.keep);
        let began = self.party.record.place();
        let answer = self.store.advance(vec![step]).await.ok().and_then(|moved| moved.first().copied());
        let until = keep.then(|| after(at, LEASE));
        let what = What::Moved { claim: taken(claim), kind, at, until, answer };
        self.party.record.note(self.owner, began, what);
        answer
    }

    async fn give_back(&mut self, claim: &Claim) {
        let began = self.party.record.place();
        // Not given back: the lease ends by itself.
        let _ = self.store.give_back(vec![(claim.lane.clone(), claim.fence, None)]).await;
        self.party.record.note(self.owner, began, What::GaveBack { claim: taken(claim) });
    }
}

/// A move that changes nothing.
fn still(claim: &Claim, at: Timestamp) -> Move {
    Move {
        lane: claim.lane.clone(),
        fence: claim.fence,
        delivery: claim.delivery.id,
        at,
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

fn taken(claim: &Claim) -> Taken {
    Taken {
        lane: format!("{}", claim.lane),
        fence: claim.fence,
        delivery: claim.delivery.id,
        position: claim.delivery.position,
        subject: claim.delivery.subject.clone(),
        number: claim.payload.as_deref().map_or(0, number_in),
        is_event: claim.delivery.kind == DeliveryKind::Event,
        open_attempt: claim.open_attempt.as_ref().map(|attempt| attempt.id),
    }
}

fn decide(one: &Unrouted, at: Timestamp) -> Routed {
    let (envelope, number) = (&one.envelope, one.payload.as_deref().map_or(0, number_in));
    let version = EffectiveVersion::Sequence { sequence: number };
    let is_event = envelope.kind == FactKind::Event;
    let newer = one.standings.iter().find_map(|(_, standing)| {
        let known = standing.routed.as_ref()?;
        (version.against(known) == Order::Older).then_some(standing.routed_position)?
    });
    let state = match newer {
        Some(by) if !is_event => DeliveryState::Ended(Outcome::Superseded { by }),
        _ => DeliveryState::Waiting { due_at: Some(at), wait: Wait::Turn },
    };
    let supersedes = !is_event && matches!(state, DeliveryState::Waiting { .. });
    let version = (!is_event).then_some(version);
    let delivery = NewDelivery {
        flow: name(FlowName::new("orders_to_erp")),
        lane: Lane::of(&envelope.subject, &erp()),
        subject: envelope.subject.clone(),
        kind: if is_event { DeliveryKind::Event } else { DeliveryKind::State },
        state,
        version: version.clone(),
        priority: Priority::Live,
        supersedes,
        fault: None,
        changed_at: at,
    };
    let about = About {
        subject: envelope.subject.clone(),
        label: format!("#{}", envelope.subject.key()),
        customer: None,
        created_at: at,
        updated_at: at,
    };
    Routed { version, about: Some(about), deliveries: vec![delivery], ..Routed::nothing(envelope.position) }
}

fn of(fact: &NewEnvelope) -> i64 {
    number_in(&fact.payload)
}

fn number_in(payload: &[u8]) -> i64 {
    std::str::from_utf8(payload).ok().and_then(|text| text.parse().ok()).unwrap_or(0)
}

fn shop(which: u64) -> ShopId {
    name(ShopId::new(if which == 0 { "acme" } else { "bolt" }))
}

pub(super) fn erp() -> SystemName {
    name(SystemName::new("erp"))
}

fn name<T, E: std::fmt::Debug>(name: Result<T, E>) -> T {
    name.expect("the names of the play are names")
}
