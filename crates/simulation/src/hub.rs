//! The simulated process: performs the engine's effects against the disk and the target, with faults between any two
//! of them, and dies in the middle.

use crate::source::subject;
use crate::target::Request;
use crate::world::{Todo, World};
use connector::port::Step;
use engine::Engine;
use engine::effect::{Call, Effect, Event, StoreWork};
use engine::notice::What;
use futures_util::FutureExt;
use kernel::clock::Mono;
use kernel::envelope::{FactKind, Via};
use kernel::key::{CallKey, ObjectKey};
use kernel::rng::Rng;
use kernel::rng::Seeded;
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

    pub(crate) fn answer(&mut self, event: Event) {
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
            Effect::Route { decisions, at, claims } => {
                let along = claims.iter().map(|request| request.system.clone()).collect();
                if !self.store_broke(StoreWork::Route(along)) {
                    let claimed = ready(disk.route_and_claim(decisions, at, claims, "node"));
                    self.answer(Event::Routed(claimed));
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

/// The long parts are for nobody.
fn brief(text: &str) -> String {
    text.chars().take(900).collect()
}

/// The key under which an order stands in the target.
pub fn object_key(id: u64) -> String {
    ObjectKey::of(&subject(id)).to_string()
}
