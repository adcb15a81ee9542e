//! The simulated world: one queue of what happens when, one clock, one seed. Owns the order of things; knows no
//! engine.

use crate::judge::Judge;
use crate::mix::Mix;
use crate::node::{At, Node, Wire};
use crate::planted::Bug;
use crate::source::Shop;
use crate::stock::Stock;
use crate::target::Target;
use engine::effect::{Effect, Event};
use jiff::Timestamp;
use kernel::rng::{Rng, Seeded};
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use store::memory::MemoryStore;

/// Simulated nanoseconds of a duration.
pub fn ns(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// 2026-11-27, a Black Friday.
const BEGINNING_S: i64 = 1_795_737_600;

/// Lines kept of what was said.
const SAID_MAX: usize = 200_000;

/// What a clock shows that has gone for so long.
pub fn wall_at(mono: u64, offset_ms: i64) -> Timestamp {
    let ms = i64::try_from(mono / 1_000_000).unwrap_or(i64::MAX);
    Timestamp::from_millisecond(BEGINNING_S * 1000 + ms + offset_ms).unwrap_or(Timestamp::MAX)
}

/// What is to happen.
#[derive(Debug)]
pub enum Todo {
    /// To the process of this life; to nobody if it has died.
    Tell(At, Box<Event>),
    Wake(At),
    Beat(At),
    /// What it was about to do when it fell asleep.
    Perform(At, Vec<Effect>),
    Restart(usize),
    /// Killed from outside; `true`: it never comes back.
    Killed(usize, bool),
    /// Restarted with a newer configuration.
    Upgrade(usize),
    Cut(usize, Wire, bool),
    /// A webhook arrives.
    Webhook(Box<crate::source::Webhook>),
    /// The append of a webhook that was answered before its commit (planted).
    LateAppend(At, Box<crate::source::Webhook>),
    ShopChanges(u64),
    Sweep(At),
    /// A write reaches the target, or is carried out late.
    Arrive(Box<crate::hub::Arrival>),
    /// What `Arrive` leads to, on the way back.
    Answer(Box<crate::hub::Reply>),
    OutageBegins,
    OutageEnds,
    CredentialsExpire,
    CredentialsRenewed,
    ReferencesCreated,
    ClockJumps(usize, i64),
    ThrottleBegins,
    ThrottleEnds,
    /// Units arrive on a shelf of the warehouse, or are sold elsewhere.
    ShelfMoves(usize, i64),
    /// The warehouse packs what this object reserves.
    ShelfShips(u64),
    ShelfPush(Box<crate::stock::Push>),
    /// The warehouse is asked for all that it has, by one of the nodes.
    ShelfPoll,
    /// A full check of the stock begins, at one of the nodes.
    FullCheck,
    /// It looks once more at what the warehouse said.
    FullCheckLooks(At, Vec<crate::stock::Meant>),
    /// Somebody takes units of an item off sale in the shop.
    ShopByHand(usize, i64),
    /// Units of an order come back.
    ComesBack(u64, u64),
    /// The warehouse books by itself what came back with a refund.
    BooksBack(u64),
    /// The warehouse refuses nothing any more,
    RefusalsEnd,
    /// and a person has some of what it refused tried again.
    PersonSettles,
    /// A set or a parcel reaches the shop.
    ShopCall(Box<crate::stock::ShopCall>),
}

#[derive(Debug)]
pub struct World {
    pub now: u64,
    pub mix: Mix,
    pub bug: Option<Bug>,
    pub rng: Seeded,
    pub disk: MemoryStore,
    pub nodes: Vec<Node>,
    /// When a node came, went, slept or woke last.
    pub changed_at: u64,
    pub shop: Shop,
    /// A warehouse and what the shop shows of it, in the runs that have one.
    pub stock: Option<Stock>,
    pub target: Target,
    pub judge: Judge,
    pub down: bool,
    pub throttling: bool,
    pub unauthorized: bool,
    pub references_exist: bool,
    /// Faults of chance happen only until then; afterwards everything must come right.
    pub calm_after: u64,
    /// Webhook ids that were answered 200, and how often each was stored.
    pub acknowledged: BTreeSet<u64>,
    pub stored: BTreeMap<u64, u32>,
    /// Envelopes of an append that is not visible yet, with when it will be.
    pub withheld: BTreeMap<i64, u64>,
    /// Who appended, and when: the others leave it to that node for a while.
    pub appended_by: BTreeMap<i64, (usize, u64)>,
    /// Who holds which lane.
    pub holds: crate::holds::Holds,
    /// When a clock jumped last.
    pub jumped_at: u64,
    /// How often something of a root was routed, and how often it had been when an envelope was handed out to a node.
    pub routed: BTreeMap<String, u64>,
    pub handed_out: BTreeMap<(usize, i64), (String, u64)>,
    /// When an attempt was committed as `sending`, by its call key.
    pub begun: BTreeMap<String, (u64, At)>,
    /// Only for the planted bugs of the intake: ids that a node remembers by itself.
    pub remembered: BTreeSet<(usize, u64)>,
    pub events: u64,
    pub tell: bool,
    queue: BTreeMap<(u64, u64), Todo>,
    next: u64,
    trace: Sha256,
    last_said: std::cell::RefCell<std::collections::VecDeque<String>>,
}

impl World {
    pub fn new(mix: Mix, bug: Option<Bug>, rng: Seeded, calm_after: Duration) -> Self {
        Self {
            now: 0,
            mix,
            bug,
            rng,
            disk: bug.and_then(Bug::of_store).map_or_else(MemoryStore::new, MemoryStore::with_bug),
            nodes: Vec::new(),
            changed_at: 0,
            shop: Shop::default(),
            stock: None,
            target: Target::default(),
            judge: Judge::default(),
            down: false,
            throttling: false,
            unauthorized: false,
            references_exist: false,
            calm_after: ns(calm_after),
            acknowledged: BTreeSet::new(),
            stored: BTreeMap::new(),
            withheld: BTreeMap::new(),
            appended_by: BTreeMap::new(),
            holds: Default::default(),
            jumped_at: 0,
            routed: BTreeMap::new(),
            handed_out: BTreeMap::new(),
            begun: BTreeMap::new(),
            remembered: BTreeSet::new(),
            events: 0,
            tell: false,
            queue: BTreeMap::new(),
            next: 0,
            trace: Sha256::new(),
            last_said: Default::default(),
        }
    }

    /// The shop's clock does not jump.
    pub fn shop_wall(&self) -> Timestamp {
        let seconds = i64::try_from(self.now / 1_000_000_000).unwrap_or(i64::MAX);
        Timestamp::from_second(BEGINNING_S + seconds).unwrap_or(Timestamp::MAX)
    }

    pub fn after(&mut self, wait: Duration, todo: Todo) {
        self.at(self.now + ns(wait), todo);
    }

    pub fn at(&mut self, when: u64, todo: Todo) {
        self.next += 1;
        self.queue.insert((when.max(self.now), self.next), todo);
    }

    pub fn pop(&mut self) -> Option<Todo> {
        let ((when, _), todo) = self.queue.pop_first()?;
        self.now = when;
        self.events += 1;
        Some(todo)
    }

    /// A fault of chance, only while faults are on.
    pub fn fault(&mut self, per_mille: u32) -> bool {
        self.now < self.calm_after && self.rng.chance(per_mille)
    }

    /// For a person who looks into one seed: the end of it is in the report.
    pub fn say(&self, what: impl FnOnce() -> String) {
        if self.tell {
            let mut said = self.last_said.borrow_mut();
            said.push_back(format!("{:>12.3} {}", self.now as f64 / 1e9, what()));
            if said.len() > SAID_MAX {
                said.pop_front();
            }
        }
    }

    pub fn said(&self) -> Vec<String> {
        self.last_said.borrow().iter().cloned().collect()
    }

    /// Part of the run's trace: two runs of one seed have the same.
    pub fn trace(&mut self, what: &str) {
        self.trace.update(self.now.to_be_bytes());
        self.trace.update(what.as_bytes());
    }

    pub fn trace_hash(&self) -> String {
        kernel::key::hex(&self.trace.clone().finalize()[..8])
    }
}
