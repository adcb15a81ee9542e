//! The simulated process: performs the engine's effects against the disk and the target, with faults between any two
//! of them, and dies in the middle.

use crate::judge::{Seen, Write};
use crate::source::{shop_id, subject, system};
use crate::target::{Object, Request};
use crate::world::{Todo, World};
use connector::port::{Applied, ExternalRef, ObjectState, Observation, Observed, Read, Step, Wanted};
use engine::Engine;
use engine::effect::{Call, Effect, Event, StoreWork};
use engine::notice::What;
use futures_util::FutureExt;
use kernel::clock::Mono;
use kernel::envelope::{FactKind, Via};
use kernel::fault::{Fault, FaultKind};
use kernel::key::{CallKey, ObjectKey};
use kernel::rng::Rng;
use kernel::rng::Seeded;
use serde_json::json;
use std::time::Duration;
use store::log::{Appended, NewEnvelope};
use store::operate::By;
use store::port::{Store, StoreResult};
use store::query::Phase;

/// The simulation's settings of its target.
pub const TIME_OUT: Duration = Duration::from_secs(10);
pub const SETTLE: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub struct Process {
    pub engine: Engine,
    pub rng: Seeded,
    wake: Option<u64>,
    pub swept_to: jiff::Timestamp,
    /// Late applies that the hub told people about.
    pub told_many: u64,
}

/// A write on its way to the target.
#[derive(Debug)]
pub struct Arrival {
    pub call: Call<(CallKey, Step)>,
    pub request: Request,
    /// What the network and the target do with it.
    pub fate: Fate,
    pub number: u64,
    pub life: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    Answered,
    /// Carried out; the answer never comes.
    Unanswered,
    /// Carried out; the answer is a 502.
    BadGateway,
    /// Carried out long after the sender gave up.
    Late,
}

#[derive(Debug)]
pub struct Reply {
    pub life: u32,
    pub key: String,
    pub number: u64,
    pub lost: bool,
    pub conclusive: bool,
    pub event: Event,
}

/// Every future of the memory store is ready at once.
pub fn ready<T>(future: impl Future<Output = StoreResult<T>>) -> T {
    match future.now_or_never() {
        Some(Ok(value)) => value,
        other => unreachable!("the memory store is always ready: {:?}", other.map(|result| result.err())),
    }
}

impl Process {
    pub fn new(engine: Engine, rng: Seeded, swept_to: jiff::Timestamp) -> Self {
        Self { engine, rng, wake: None, swept_to, told_many: 0 }
    }
}

impl World {
    pub fn tell(&mut self, event: Event) {
        let now = self.clock();
        if !matches!(event, Event::Wake | Event::Pauses(_) | Event::NextDue(_) | Event::Awaited(_)) {
            self.say(|| brief(&format!("< {event:?}")));
        }
        let Some(process) = &mut self.process else { return };
        let effects = process.engine.step(event, now, &mut process.rng);
        for effect in effects {
            if self.fault(self.mix.kill) {
                return self.kill();
            }
            self.perform(effect);
        }
        self.schedule_wake();
    }

    fn schedule_wake(&mut self) {
        let now = self.clock();
        let life = self.life;
        let Some(process) = &mut self.process else { return };
        let Mono(at) = process.engine.wake_at(now);
        // A wake at this very instant would not let time pass.
        let at = at.max(self.now + 1_000_000);
        if process.wake.is_none_or(|known| known > at || known <= self.now) {
            process.wake = Some(at);
            self.at(at, Todo::Wake(life));
        }
    }

    pub fn kill(&mut self) {
        self.process = None;
        self.life += 1;
        self.judge.process_died(self.now);
        let wait = Duration::from_millis(200 + self.rng.below(5000));
        self.after(wait, Todo::Restart);
        self.trace("killed");
        self.say(|| "=== killed".to_owned());
    }

    fn answer(&mut self, event: Event) {
        let life = self.life;
        let wait = Duration::from_micros(200 + self.rng.below(2000));
        self.after(wait, Todo::Tell(life, Box::new(event)));
    }

    fn store_broke(&mut self, what: StoreWork) -> bool {
        let broke = self.fault(self.mix.store_fails);
        if broke {
            self.answer(Event::StoreFailed { what, why: "disk full".into() });
        }
        broke
    }

    fn perform(&mut self, effect: Effect) {
        let disk = self.disk.clone();
        if !matches!(effect, Effect::FetchPauses | Effect::FetchNextDue | Effect::FetchAwaited { .. }) {
            self.say(|| brief(&format!("> {effect:?}")));
        }
        match effect {
            Effect::FetchUnrouted { limit } => {
                if !self.store_broke(StoreWork::Unrouted) {
                    let mut batch = ready(disk.unrouted(limit));
                    let now = self.now;
                    batch.retain(|item| {
                        self.withheld.get(&item.envelope.position.0).is_none_or(|until| *until <= now)
                    });
                    self.answer(Event::Unrouted(batch));
                }
            }
            Effect::Route { decisions, at } => {
                if !self.store_broke(StoreWork::Route) {
                    ready(disk.route(decisions, at));
                    self.answer(Event::Routed);
                }
            }
            Effect::Claim(request) => {
                let system = request.system.clone();
                if !self.store_broke(StoreWork::Claim(system.clone())) {
                    let claims = ready(disk.claim(request, "node"));
                    self.answer(Event::Claimed { system, claims });
                }
            }
            Effect::Advance(moves) => {
                let lanes: Vec<_> = moves.iter().map(|movement| movement.lane.clone()).collect();
                if !self.store_broke(StoreWork::Advance(lanes.clone())) {
                    let told = moves.iter().any(|movement| !movement.follow_ups.is_empty());
                    let moved = ready(disk.advance(moves));
                    self.answer(Event::Advanced(lanes.into_iter().zip(moved).collect()));
                    if told {
                        self.answer(Event::Appended);
                    }
                }
            }
            Effect::GiveBack(lanes) => ready(disk.give_back(lanes)),
            Effect::FetchNextDue => {
                let due = ready(disk.next_due());
                self.answer(Event::NextDue(due));
            }
            Effect::FetchPauses => self.answer(Event::Pauses(Vec::new())),
            Effect::FetchAwaited { due, limit } => {
                let awaited = ready(disk.awaited(Some(due), limit));
                self.answer(Event::Awaited(awaited));
            }
            Effect::AwaitedAgain { awaited, next } => {
                ready(disk.awaited_again(&awaited.shop, &awaited.system, &awaited.reference, next));
            }
            Effect::AwaitedFound { awaited, at } => {
                let by = By::hub("it exists now", at);
                ready(disk.awaited_found(&awaited.shop, &awaited.system, &awaited.reference, by));
                self.answer(Event::Changed);
            }
            Effect::Observe(call) => self.observe(call),
            Effect::Apply(call) => self.send(call),
            Effect::Read(call) => self.read(call),
            Effect::Health { system } => {
                self.outage_call();
                let result = self.trouble().map_or(Ok(()), Err);
                let life = self.life;
                let told = Todo::Tell(life, Box::new(Event::Health { system, result }));
                self.after(Duration::from_millis(30), told);
            }
            Effect::Look { awaited, .. } => {
                let result = self.trouble().map_or(Ok(self.references_exist), Err);
                self.answer(Event::Looked { awaited, result });
            }
            Effect::Ended(_) => {}
            Effect::Raise(notice) => {
                self.trace(&format!("{:?}", std::mem::discriminant(&notice.what)));
                if matches!(notice.what, What::ManyObjects { .. })
                    && let Some(process) = &mut self.process
                {
                    process.told_many += 1;
                }
            }
        }
    }

    fn outage_call(&mut self) {
        if self.down {
            self.judge.calls_in_outage += 1;
        }
    }

    /// The fault that every call meets now.
    fn trouble(&self) -> Option<Fault> {
        if self.down {
            Some(Fault::new(FaultKind::Transient, "refused", "connection refused"))
        } else if self.unauthorized {
            Some(Fault::new(FaultKind::Unauthorized, "http_401", "the credentials are refused"))
        } else {
            None
        }
    }

    fn latency(&mut self) -> Duration {
        Duration::from_millis(2 + self.rng.below(60))
    }

    // --- reads ----------------------------------------------------------------------------------

    fn observe(&mut self, call: Call<Wanted>) {
        let wait = self.latency();
        let life = self.life;
        let key = call.what.object_key.to_string();
        if call.system == system("shopify") {
            let result = Ok(self.written_back(&call.what));
            let event = Event::Observed { lane: call.lane, fence: call.fence, result };
            return self.after(wait, Todo::Tell(life, Box::new(event)));
        }
        self.outage_call();
        let result = if let Some(fault) = self.trouble() {
            Err(fault)
        } else if self.fault(self.mix.read_fails) {
            Err(Fault::new(FaultKind::Transient, "http_503", "a read failed"))
        } else {
            let seen_until = self.now.saturating_sub(crate::world::ns(self.mix.lag));
            let mut observation = self.target.look_up(&key, seen_until);
            let seen = match &observation.object {
                Observed::None => None,
                _ => self.target.objects.iter().find(|object| object.key == key).map(seen),
            };
            self.judge.looked_up(&key, seen, self.now);
            if self.is_missing(&key) && !self.references_exist {
                observation.missing.push(connector::port::MissingReference {
                    reference: kernel::fault::Reference { kind: "item".into(), value: "SKU-9".into() },
                    field: "lines[0].sku".into(),
                    similar: None,
                });
            }
            Ok(observation)
        };
        self.trace("observe");
        let event = Event::Observed { lane: call.lane, fence: call.fence, result };
        self.after(wait, Todo::Tell(life, Box::new(event)));
    }

    /// The shop's side of the write-back: the number that the order carries.
    fn written_back(&self, wanted: &Wanted) -> Observation {
        let id: u64 = wanted.subject.key().parse().unwrap_or(0);
        let number = self.shop.orders.get(&id).and_then(|order| order.erp_number.clone());
        Observation {
            object: Observed::One(ObjectState {
                external: ExternalRef { id: id.to_string(), number: None, state: None },
                body: json!({ "number": number }),
                adopted: false,
            }),
            context: serde_json::Value::Null,
            missing: Vec::new(),
        }
    }

    fn read(&mut self, call: Call<kernel::subject::Subject>) {
        let wait = self.latency();
        let life = self.life;
        let id: u64 = call.what.key().parse().unwrap_or(0);
        let result = if self.fault(self.mix.read_fails) {
            Err(Fault::new(FaultKind::Transient, "http_502", "a read failed"))
        } else {
            Ok(self.shop.orders.get(&id).map(|order| Read {
                payload: serde_json::to_vec(order).unwrap_or_default(),
                topic: "orders/read".into(),
                updated_at: order.updated_at,
            }))
        };
        let event = Event::HasRead { lane: call.lane, fence: call.fence, result };
        self.after(wait, Todo::Tell(life, Box::new(event)));
    }

    // --- writes ---------------------------------------------------------------------------------

    fn send(&mut self, call: Call<(CallKey, Step)>) {
        let Ok(request) = serde_json::from_slice::<Request>(&call.what.1.request) else {
            return self.write_back(call);
        };
        let (life, key) = (self.life, request.key.clone());
        let committed = self.is_committed(&call);
        let number = self.judge.write_begins(
            &Write {
                key: &key,
                call: call.what.0.as_str(),
                action: request.action,
                content: request.content["content"].as_u64().unwrap_or(0),
                committed,
                settle: SETTLE,
                native: self.mix.native_key,
            },
            self.now,
        );
        self.outage_call();
        self.trace("send");
        let reply = |fault: Fault, lost: bool, conclusive: bool| {
            let result = Err(fault);
            let event = Event::Applied { lane: call.lane.clone(), fence: call.fence, result };
            Todo::Answer(Box::new(Reply { life, key: key.clone(), number, lost, conclusive, event }))
        };
        if let Some(fault) = self.trouble() {
            return self.after(Duration::from_millis(3), reply(fault, false, false));
        }
        if self.fault(self.mix.refused) {
            let fault = Fault::new(FaultKind::Transient, "refused", "connection refused");
            return self.after(Duration::from_millis(3), reply(fault, false, false));
        }
        if self.fault(self.mix.throttled) {
            let fault =
                Fault::new(FaultKind::Throttled, "http_429", "too many").retry_after(Duration::from_secs(2));
            return self.after(Duration::from_millis(9), reply(fault, false, false));
        }
        if self.is_poison(&key) {
            let fault = Fault::new(FaultKind::Rejected, "refused_for_ever", "no").field("lines[0].quantity");
            return self.after(Duration::from_millis(9), reply(fault, false, true));
        }
        if self.fault(self.mix.unapplied_unanswered) {
            let fault = Fault::new(FaultKind::Ambiguous, "time_out", "no answer");
            return self.after(TIME_OUT, reply(fault, true, false));
        }
        let fate = if self.fault(self.mix.applied_unanswered) {
            Fate::Unanswered
        } else if self.fault(self.mix.bad_gateway) {
            Fate::BadGateway
        } else if self.fault(self.mix.late_apply) {
            Fate::Late
        } else {
            Fate::Answered
        };
        let mut wait = self.latency();
        if fate == Fate::Late {
            let fault = Fault::new(FaultKind::Ambiguous, "time_out", "no answer");
            self.after(TIME_OUT, reply(fault, true, false));
            // Within what the target declares: settle_after less the lag of its search.
            let most = SETTLE.saturating_sub(self.mix.lag + Duration::from_secs(1));
            wait = TIME_OUT + Duration::from_nanos(self.rng.below(crate::world::ns(most)));
        }
        let arrival = Arrival { call, request, fate, number, life };
        self.after(wait, Todo::Arrive(Box::new(arrival)));
    }

    /// The target carries a write out.
    pub fn arrive(&mut self, arrival: Arrival) {
        let Arrival { call, request, fate, number, life } = arrival;
        self.say(|| {
            format!(
                "* {:?} {} {} {fate:?} {}",
                request.action, request.key, request.content["content"], call.what.0
            )
        });
        let before = self.target.objects.iter().find(|o| Some(o.id) == request.id).map(|o| o.content.clone());
        let native = self.mix.native_key;
        let done = self.target.carry_out(&request, &call.what.0, native, self.now);
        let content = request.content["content"].as_u64().unwrap_or(0);
        if matches!(done, Ok((_, true))) {
            let changed = before.as_ref() != Some(&request.content);
            self.judge.carried_out(
                &request.key,
                request.action,
                content,
                changed || fate == Fate::Late || native,
            );
        }
        if fate == Fate::Late {
            return;
        }
        let result = match (fate, done) {
            (Fate::Answered, Ok((id, _))) => {
                let object = self.target.objects.iter().find(|object| object.id == id).cloned();
                let external = object.as_ref().map(external_of);
                let shown = object.filter(|_| self.rng.chance(500));
                Ok(Applied { external, observation: shown.map(|object| observation_of(&object)) })
            }
            (Fate::Answered, Err(text)) => Err(Fault::new(FaultKind::Conflict, "state", text)),
            (Fate::BadGateway, _) => Err(Fault::new(FaultKind::Ambiguous, "http_502", "bad gateway")),
            (Fate::Unanswered | Fate::Late, _) => {
                Err(Fault::new(FaultKind::Ambiguous, "reset", "connection reset"))
            }
        };
        let lost = fate != Fate::Answered;
        let event = Event::Applied { lane: call.lane, fence: call.fence, result };
        let reply = Reply { life, key: request.key, number, lost, conclusive: !lost, event };
        let wait = self.latency();
        self.after(wait, Todo::Answer(Box::new(reply)));
    }

    pub fn reply(&mut self, reply: Reply) {
        if reply.life != self.life || self.process.is_none() {
            return;
        }
        if reply.lost {
            self.judge.write_lost(&reply.key, reply.number, self.now);
        } else {
            self.judge.write_answered(&reply.key, reply.number, reply.conclusive, self.now);
        }
        self.tell(reply.event);
    }

    fn write_back(&mut self, call: Call<(CallKey, Step)>) {
        let body: serde_json::Value = serde_json::from_slice(&call.what.1.request).unwrap_or_default();
        let id: u64 = body["order"].as_str().and_then(|text| text.parse().ok()).unwrap_or(0);
        let result = if self.fault(self.mix.applied_unanswered) {
            Err(Fault::new(FaultKind::Ambiguous, "reset", "connection reset"))
        } else {
            Ok(Applied { external: None, observation: None })
        };
        let number = body["number"].as_str().unwrap_or_default().to_owned();
        self.shop_number_set(id, &number);
        let (wait, life) = (self.latency(), self.life);
        let event = Event::Applied { lane: call.lane, fence: call.fence, result };
        self.after(wait, Todo::Tell(life, Box::new(event)));
    }

    /// Whether the disk has this call as begun and not ended: what promise 3 asks before the first byte.
    fn is_committed(&self, call: &Call<(CallKey, Step)>) -> bool {
        let life = ready(self.disk.life(&shop_id(), &call.lane.root));
        let key = call.what.0.as_str();
        life.attempts.iter().any(|attempt| attempt.call_key == key && attempt.ended_at.is_none())
    }

    fn is_poison(&self, key: &str) -> bool {
        crate::run::chosen(key, self.mix.poison, 1)
    }
    fn is_missing(&self, key: &str) -> bool {
        crate::run::chosen(key, self.mix.missing, 2)
    }

    // --- the sweep ------------------------------------------------------------------------------

    /// Appends what the shop has and the log has not. The watermark is the last full pass less an overlap.
    pub fn sweep(&mut self) {
        let now = self.wall();
        let Some(process) = &self.process else { return };
        let since = process.swept_to;
        let flow = crate::run::flow("orders");
        for order in self.changed_since(since) {
            let status = ready(self.disk.status(&flow, &[subject(order.id)]));
            let known = status.first().and_then(|s| s.about.as_ref()).map(|about| about.updated_at);
            // Two changes within one second: the list's fingerprint tells them apart.
            let print = ready(self.disk.newest_payload(&subject(order.id)))
                .and_then(|(_, payload)| serde_json::from_slice::<crate::facts::Order>(&payload).ok())
                .map(|known| (known.content, known.cancelled));
            if known.is_none_or(|known| known < order.updated_at)
                || print != Some((order.content, order.cancelled))
            {
                let envelope = self.envelope(&order, "orders/read", FactKind::State, Via::Sweep);
                self.append_envelope(envelope);
            }
        }
        if let Some(process) = &mut self.process {
            process.swept_to = now.checked_sub(Duration::from_secs(600)).unwrap_or(since);
        }
    }

    /// True: stored, not a duplicate.
    pub fn append_envelope(&mut self, envelope: NewEnvelope) -> bool {
        let appended = ready(self.disk.append(vec![envelope]));
        let Some(Appended::Stored(position)) = appended.first().copied() else { return false };
        if self.fault(self.mix.withheld) {
            // Another transaction with an earlier position commits later.
            let until = self.now + self.rng.below(3_000_000_000);
            self.withheld.insert(position.0, until);
        }
        self.answer(Event::Appended);
        true
    }

    /// Open work, for the end of a run.
    pub fn open_work(&self) -> usize {
        let filter =
            store::query::DeliveryFilter { phase: Some(Phase::Open), limit: 1000, ..Default::default() };
        let open = ready(self.disk.deliveries(filter));
        open.iter().filter(|delivery| delivery.kind != store::delivery::DeliveryKind::Step).count()
    }
}

fn external_of(object: &Object) -> ExternalRef {
    ExternalRef {
        id: object.id.to_string(),
        number: Some(format!("S{}", object.id)),
        state: Some(if object.confirmed { "confirmed" } else { "draft" }.to_owned()),
    }
}

/// The long parts are for nobody.
fn brief(text: &str) -> String {
    text.chars().take(900).collect()
}

fn seen(object: &Object) -> Seen {
    Seen {
        content: object.content["content"].as_u64().unwrap_or(0),
        confirmed: object.confirmed,
        cancelled: object.cancelled,
    }
}

fn observation_of(object: &Object) -> Observation {
    let mut one = crate::target::Target::default();
    one.objects.push(object.clone());
    one.look_up(&object.key, u64::MAX)
}

/// The key under which an order stands in the target.
pub fn object_key(id: u64) -> String {
    ObjectKey::of(&subject(id)).to_string()
}
