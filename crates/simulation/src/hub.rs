//! A simulated process: performs the engine's effects against the disk and the target, with faults between any two
//! of them, and dies in the middle.

use crate::node::At;
use crate::source::subject;
use crate::target::Request;
use crate::world::{Todo, World};
use connector::port::Step;
use engine::Engine;
use engine::effect::{Call, Effect, Event, StoreWork};
use engine::notice::What;
use futures_util::FutureExt;
use kernel::fault::FaultKind;
use kernel::key::{CallKey, ObjectKey};
use kernel::rng::Rng;
use kernel::rng::Seeded;
use std::time::Duration;
use store::delivery::Move;
use store::operate::By;
use store::port::{Store, StoreResult};

/// The simulation's settings of its target.
pub const TIME_OUT: Duration = Duration::from_secs(10);
pub const SETTLE: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub struct Process {
    pub engine: Engine,
    pub rng: Seeded,
    wake: Option<u64>,
    pub swept_to: jiff::Timestamp,
}

/// A write on its way to the target.
#[derive(Debug)]
pub struct Arrival {
    pub call: Call<(CallKey, Step)>,
    pub request: Request,
    /// What the network and the target do with it.
    pub fate: Fate,
    pub number: u64,
    pub at: At,
    /// When its attempt was committed as `sending`: whoever takes over counts from there at the earliest.
    pub begun_at: u64,
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
    pub at: At,
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
        Self { engine, rng, wake: None, swept_to }
    }
}

impl World {
    pub fn tell(&mut self, node: usize, event: Event) {
        let now = self.clock(node);
        let nothing = matches!(&event, Event::Unrouted(batch) if batch.is_empty());
        let looks_around = matches!(
            event,
            Event::Wake | Event::Pauses(_) | Event::NextDue(_) | Event::Awaited(_) | Event::Nodes(_)
        );
        if !looks_around && !nothing {
            self.say(|| brief(&format!("{node}< {event:?}")));
        }
        self.judge_hears(node, &event);
        let Some(process) = &mut self.nodes[node].process else { return };
        let effects = process.engine.step(event, now, &mut process.rng);
        self.holds.asks(node, &effects, self.now);
        for effect in &effects {
            if let Effect::Apply(call) = effect {
                // Whoever takes over under a native key sends it again, whenever that is.
                let ours = self.at_node(node);
                let begun = self.begun.get(call.what.0.as_str()).filter(|(_, at)| *at == ours);
                // The lease under which it leaves: the same node may have claimed it anew meanwhile.
                let held = self.holds.since(&call.lane, call.fence);
                let begun = begun.map(|(when, _)| held.unwrap_or(*when));
                self.judge.decides(call.what.0.as_str(), begun, self.now);
            }
        }
        self.perform_all(node, effects);
        if self.nodes[node].process.is_some() && !self.is_asleep(node) {
            self.schedule_wake(node);
        }
    }

    /// The rest of what a step asked for; between any two of them the process may die or fall asleep.
    pub fn perform_all(&mut self, node: usize, effects: Vec<Effect>) {
        let mut rest = effects.into_iter();
        while let Some(effect) = rest.next() {
            if self.fault(self.mix.kill) {
                return self.kill(node);
            }
            let sends = matches!(&effect, Effect::Apply(_));
            let begins = |moves: &[Move]| moves.iter().any(|movement| movement.begun.is_some());
            let begins = matches!(&effect, Effect::Advance(moves) if begins(moves));
            if self.fault(self.mix.sleep) || (sends && self.fault(self.mix.sleep_sending)) {
                let rest = std::iter::once(effect).chain(rest).collect();
                return self.fall_asleep(node, rest);
            }
            self.perform(node, effect, false);
            if begins && self.fault(self.mix.sleep_sending / 2) {
                // The attempt is committed, or about to be; the answer finds it asleep.
                return self.fall_asleep(node, rest.collect());
            }
        }
    }

    /// It has woken up, and goes on where it was.
    pub fn woke_up(&mut self, node: usize, effects: Vec<Effect>) {
        self.members_changed();
        self.say(|| format!("=== {} wakes up", crate::node::name(node)));
        for effect in effects {
            self.perform(node, effect, true);
        }
        self.schedule_wake(node);
    }

    fn schedule_wake(&mut self, node: usize) {
        let now = self.clock(node);
        let at = self.at_node(node);
        let earliest = self.now + 1_000_000;
        let Some(process) = &mut self.nodes[node].process else { return };
        let mono = process.engine.wake_at(now);
        // A wake at this very instant would not let time pass.
        let when = self.when(node, mono).max(earliest);
        let now = self.now;
        let Some(process) = &mut self.nodes[node].process else { return };
        if process.wake.is_none_or(|known| known > when || known <= now) {
            process.wake = Some(when);
            self.at(when, Todo::Wake(at));
        }
    }

    pub fn kill(&mut self, node: usize) {
        if self.nodes[node].process.take().is_none() {
            return;
        }
        self.nodes[node].life += 1;
        self.nodes[node].asleep_until = 0;
        self.judge.node_died(node, self.now);
        self.holds.node_ends(node);
        self.members_changed();
        // Mostly it is back soon; sometimes for so long that another takes over.
        let most = if self.rng.chance(150) { 240_000 } else { 5000 };
        let wait = Duration::from_millis(200 + self.rng.below(most));
        self.after(wait, Todo::Restart(node));
        self.trace("killed");
        self.say(|| format!("=== {} killed", crate::node::name(node)));
    }

    pub(crate) fn answer(&mut self, node: usize, event: Event) {
        let at = self.at_node(node);
        let wait = Duration::from_micros(200 + self.rng.below(2000));
        self.after(wait, Todo::Tell(at, Box::new(event)));
    }

    /// A store that has much to do: what it answers may be old by then.
    fn answer_slowly(&mut self, node: usize, event: Event) {
        if !self.fault(self.mix.slow_store) {
            return self.answer(node, event);
        }
        let (at, wait) = (self.at_node(node), Duration::from_millis(self.rng.below(1200)));
        self.after(wait, Todo::Tell(at, Box::new(event)));
    }

    fn store_broke(&mut self, node: usize, what: StoreWork) -> bool {
        if self.nodes[node].store_cut {
            let at = self.at_node(node);
            let event = Event::StoreFailed { what, why: "no way to the store".into() };
            self.after(Duration::from_secs(1), Todo::Tell(at, Box::new(event)));
            return true;
        }
        let broke = self.fault(self.mix.store_fails);
        if broke {
            self.answer(node, Event::StoreFailed { what, why: "disk full".into() });
        }
        broke
    }

    /// The commit is done; the answer may be lost on its way.
    fn committed(&mut self, node: usize, what: StoreWork, event: Event) {
        if self.fault(self.mix.answer_lost) {
            self.say(|| format!("{node}* the store's answer is lost"));
            return self.answer(node, Event::StoreFailed { what, why: "connection reset".into() });
        }
        self.answer(node, event);
    }

    fn perform(&mut self, node: usize, effect: Effect, late: bool) {
        let disk = self.disk.clone();
        let owner = crate::node::name(node);
        let looks_around = matches!(
            effect,
            Effect::FetchPauses
                | Effect::FetchNextDue
                | Effect::FetchAwaited { .. }
                | Effect::FetchUnrouted { .. }
        );
        if !looks_around {
            self.say(|| brief(&format!("{node}> {effect:?}")));
        }
        match effect {
            Effect::FetchUnrouted { limit } => {
                self.judge.asks("envelopes to route", limit, crate::judge::BATCH_MAX);
                if !self.store_broke(node, StoreWork::Unrouted) {
                    let batch = self.unrouted(node, limit);
                    self.answer_slowly(node, Event::Unrouted(batch));
                }
            }
            Effect::Route { decisions, at, claims } => {
                let along: Vec<_> = claims.iter().map(|request| request.system.clone()).collect();
                if !self.store_broke(node, StoreWork::Route(along.clone())) {
                    let decisions = self.still_current(node, decisions);
                    let claimed = ready(disk.route_and_claim(decisions, at, claims, &owner));
                    claimed.iter().for_each(|(_, claims)| self.now_holds(node, claims));
                    self.committed(node, StoreWork::Route(along), Event::Routed(claimed));
                }
            }
            Effect::Claim(request) => {
                let system = request.system.clone();
                self.judge.asks("lanes", request.limit, crate::judge::BATCH_MAX);
                if !self.store_broke(node, StoreWork::Claim(system.clone())) {
                    let claims = ready(disk.claim(request, &owner));
                    self.now_holds(node, &claims);
                    self.committed(node, StoreWork::Claim(system.clone()), Event::Claimed { system, claims });
                }
            }
            Effect::Advance(moves) => {
                let lanes: Vec<_> = moves.iter().map(|movement| movement.lane.clone()).collect();
                if !self.store_broke(node, StoreWork::Advance(lanes.clone())) {
                    self.advance(node, moves, lanes);
                }
            }
            Effect::GiveBack(lanes) => {
                if !self.nodes[node].store_cut {
                    lanes.iter().for_each(|(lane, fence, _)| self.holds.let_go(lane, *fence));
                    ready(disk.give_back(lanes));
                }
            }
            Effect::FetchNextDue => {
                if !self.store_broke(node, StoreWork::NextDue) {
                    let due = ready(disk.next_due());
                    self.answer(node, Event::NextDue(due));
                }
            }
            Effect::Recall(asked) => {
                let (lane, fence) = (asked.lane.clone(), asked.fence);
                if !self.store_broke(node, StoreWork::Recall(lane.clone())) {
                    let recalled = ready(engine::last_look::recall(&disk, &asked));
                    self.answer(node, Event::Recalled { lane, fence, recalled });
                }
            }
            Effect::FetchPauses => {
                if !self.store_broke(node, StoreWork::Pauses) {
                    self.answer(node, Event::Pauses(Vec::new()));
                }
            }
            Effect::FetchAwaited { due, limit } => {
                if !self.store_broke(node, StoreWork::Awaited) {
                    let awaited = ready(disk.awaited(Some(due), limit));
                    self.answer(node, Event::Awaited(awaited));
                }
            }
            Effect::AwaitedAgain { awaited, next } => {
                if !self.nodes[node].store_cut {
                    ready(disk.awaited_again(&awaited.shop, &awaited.system, &awaited.reference, next));
                }
            }
            Effect::AwaitedFound { awaited, at } => {
                if !self.nodes[node].store_cut {
                    let by = By::hub("it exists now", at);
                    ready(disk.awaited_found(&awaited.shop, &awaited.system, &awaited.reference, by));
                    self.answer(node, Event::Changed);
                }
            }
            Effect::Observe(call) => self.observe(node, call),
            Effect::Apply(call) => self.send(node, call, late),
            Effect::Read(call) => self.read(node, call),
            Effect::Health { system } => {
                self.outage_call();
                let result = self.trouble(node).map_or(Ok(()), Err);
                let at = self.at_node(node);
                let told = Todo::Tell(at, Box::new(Event::Health { system, result }));
                self.after(Duration::from_millis(30), told);
            }
            Effect::Look { awaited, .. } => {
                let result = self.trouble(node).map_or(Ok(self.references_exist), Err);
                self.answer(node, Event::Looked { awaited, result });
            }
            Effect::Ended(_) | Effect::Folded(_) | Effect::Unaccounted(_) => {}
            Effect::Raise(notice) => {
                self.trace(&format!("{:?}", std::mem::discriminant(&notice.what)));
                if let What::BreakerOpened { system, .. } = &notice.what
                    && system.as_str() == "erp"
                {
                    self.judge.breaker_opened(node);
                }
            }
        }
    }

    fn advance(&mut self, node: usize, moves: Vec<store::delivery::Move>, lanes: Vec<kernel::subject::Lane>) {
        let told = moves.iter().any(|movement| !movement.follow_ups.is_empty());
        let calls: Vec<_> = moves
            .iter()
            .map(|step| step.begun.as_ref().map(|new| new.call_key.as_str().to_owned()))
            .collect();
        let hands: Vec<_> = moves.iter().map(|of| (of.lane.clone(), of.fence, of.keep)).collect();
        let moved = ready(self.disk.advance(moves));
        self.holds.moved(&hands, &moved, self.now);
        for (call, moved) in calls.into_iter().zip(&moved) {
            if let (Some(call), store::delivery::Moved::Done { .. }) = (call, moved) {
                let at = self.at_node(node);
                self.begun.entry(call).or_insert((self.now, at));
            }
        }
        let event = Event::Advanced(lanes.iter().cloned().zip(moved).collect());
        self.committed(node, StoreWork::Advance(lanes), event);
        if told {
            self.answer(node, Event::Appended);
        }
    }

    /// What the judge learns from what a process is told.
    fn judge_hears(&mut self, node: usize, event: &Event) {
        let (lane, fault) = match event {
            Event::Observed { lane, result, .. } => (lane, result.as_ref().err()),
            Event::Applied { lane, result, .. } => (lane, result.as_ref().err()),
            Event::HasRead { lane, result, .. } => (lane, result.as_ref().err()),
            Event::Health { system, result } if system.as_str() == "erp" && result.is_ok() => {
                return self.judge.target_is_well(node);
            }
            _ => return,
        };
        if lane.system.as_str() != "erp" {
            return;
        }
        self.judge.call_ended(node, &lane.root);
        match fault.map(|fault| fault.kind) {
            None | Some(FaultKind::Rejected) => self.judge.target_is_well(node),
            Some(FaultKind::Transient | FaultKind::Ambiguous) => self.judge.target_failed(node, &lane.root),
            Some(_) => {}
        }
    }
}

/// The long parts are for nobody.
fn brief(text: &str) -> String {
    text.chars().take(2500).collect()
}

/// The key under which an order stands in the target.
pub fn object_key(id: u64) -> String {
    ObjectKey::of(&subject(id)).to_string()
}
