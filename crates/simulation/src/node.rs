//! The nodes of a run: each with clocks of its own, a process that dies and comes back, minutes of sleep, and wires to
//! store and target that are cut. What they say to each other goes by way of the store's beats.

use crate::hub::Process;
use crate::source::system;
use crate::world::{Todo, World};
use engine::effect::{Effect, Event};
use engine::nodes::{Elsewhere, Nodes, Share};
use kernel::clock::{Mono, Now};
use kernel::rng::Rng;
use std::collections::BTreeMap;
use std::time::Duration;
use store::operate::Beat;
use store::port::Store;

/// Between two beats; the binary's are shorter, and nothing here depends on it.
const BEAT_EVERY: Duration = Duration::from_millis(2500);
const BEAT_HOLDS: Duration = Duration::from_secs(8);
/// How long after a change among the nodes their shares may overlap.
pub const SHARES_SETTLE: Duration = Duration::from_secs(30);

/// A life of a node's process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct At {
    pub node: usize,
    pub life: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wire {
    Store,
    Target,
}

#[derive(Debug, Default)]
pub struct Node {
    pub process: Option<Process>,
    pub life: u32,
    /// Asleep until then (SIGSTOP, a virtual machine that is moved): nothing of it happens, its sockets stay open.
    pub asleep_until: u64,
    pub store_cut: bool,
    pub target_cut: bool,
    /// It never comes back.
    pub gone: bool,
    /// The revision of its configuration.
    pub revision: u32,
    pub wall_offset_ms: i64,
    /// How much faster its clocks go.
    pub drift_ppm: i64,
    pub(crate) says: Says,
    pub(crate) heard: BTreeMap<usize, Says>,
}

/// What a node says of itself.
#[derive(Debug, Clone, Default)]
pub struct Says {
    revision: u32,
    shut: Vec<String>,
    throttled_ms: BTreeMap<String, u64>,
}

pub fn name(node: usize) -> String {
    format!("node-{node}")
}

impl World {
    pub fn at_node(&self, node: usize) -> At {
        At { node, life: self.nodes[node].life }
    }

    /// Whether this life still is.
    pub fn is_alive(&self, at: At) -> bool {
        let node = &self.nodes[at.node];
        node.life == at.life && node.process.is_some()
    }

    pub fn is_asleep(&self, node: usize) -> bool {
        self.nodes[node].asleep_until > self.now
    }

    /// Takes webhooks: alive, awake, and its store answers.
    pub fn takes_webhooks(&self, node: usize) -> bool {
        let of = &self.nodes[node];
        of.process.is_some() && !of.store_cut && !self.is_asleep(node)
    }

    /// Both clocks as the node reads them.
    pub fn clock(&self, node: usize) -> Now {
        let of = &self.nodes[node];
        let mono = drifted(self.now, of.drift_ppm);
        Now { wall: crate::world::wall_at(mono, of.wall_offset_ms), mono: Mono(mono) }
    }

    /// Whether the nodes' clocks are so near to each other that none takes another's beat for an old one.
    pub fn clocks_agree(&self) -> bool {
        let walls =
            (0..self.nodes.len()).filter(|node| !self.nodes[*node].gone).map(|node| self.clock(node).wall);
        let (first, last) = (walls.clone().min(), walls.max());
        let apart = first.zip(last).map(|(first, last)| last.duration_since(first));
        apart.is_none_or(|apart| apart.unsigned_abs() < BEAT_HOLDS.saturating_sub(BEAT_EVERY))
    }

    /// When this node's monotonic clock shows that.
    pub fn when(&self, node: usize, mono: Mono) -> u64 {
        let ppm = i128::from(self.nodes[node].drift_ppm);
        let at = i128::from(mono.0) * 1_000_000 / (1_000_000 + ppm) + 1;
        u64::try_from(at).unwrap_or(u64::MAX)
    }

    /// It sleeps with whatever it was about to do still to be done, a request in its socket among it.
    pub fn fall_asleep(&mut self, node: usize, rest: Vec<Effect>) {
        let sleep = Duration::from_millis(5_000 + self.rng.below(295_000));
        let until = self.now + crate::world::ns(sleep);
        let at = self.at_node(node);
        self.nodes[node].asleep_until = until;
        self.judge.node_slept(node);
        self.members_changed();
        self.say(|| format!("=== {} sleeps for {} s", name(node), sleep.as_secs()));
        self.at(until, Todo::Perform(at, rest));
    }

    pub fn members_changed(&mut self) {
        self.changed_at = self.now;
    }

    pub fn cut(&mut self, node: usize, wire: Wire, is_cut: bool) {
        match wire {
            Wire::Store => self.nodes[node].store_cut = is_cut,
            Wire::Target => self.nodes[node].target_cut = is_cut,
        }
        self.members_changed();
        self.say(|| format!("=== {} {wire:?} cut: {is_cut}", name(node)));
    }

    /// The node says that it lives, and tells its engine what the others said.
    pub fn beat(&mut self, at: At) {
        self.after(BEAT_EVERY, Todo::Beat(at));
        let now = self.clock(at.node);
        if self.nodes[at.node].store_cut {
            return;
        }
        let revision = self.nodes[at.node].revision;
        let Some(process) = &self.nodes[at.node].process else { return };
        let views = process.engine.views(now);
        let shut = views.iter().filter(|view| view.breaker != "closed").map(|view| view.name.clone());
        let throttled = views.iter().filter_map(|view| Some((view.name.clone(), view.throttled_for_ms?)));
        let says = Says { revision, shut: shut.collect(), throttled_ms: throttled.collect() };
        self.nodes[at.node].says = says;
        let beat = Beat { node: name(at.node), says: String::new() };
        let live = crate::hub::ready(self.disk.beat(beat, now.wall, BEAT_HOLDS));
        let live: Vec<usize> =
            (0..self.nodes.len()).filter(|node| live.iter().any(|beat| beat.node == name(*node))).collect();
        // A newer configuration counts from its first node on, for as long as one of them lives.
        let newest = live.iter().map(|node| self.nodes[*node].says.revision).max().unwrap_or(revision);
        let told = self.told(at.node, &live, revision < newest);
        self.tell(at.node, Event::Nodes(told));
    }

    fn told(&mut self, ours: usize, live: &[usize], held: bool) -> Nodes {
        let revision = self.nodes[ours].says.revision;
        let working: Vec<usize> =
            live.iter().copied().filter(|node| self.nodes[*node].says.revision == revision).collect();
        let place = working.iter().position(|node| *node == ours);
        let mut elsewhere = BTreeMap::new();
        for text in ["erp", "shopify"] {
            let mut known = Elsewhere::default();
            for node in working.iter().copied().filter(|node| *node != ours) {
                let now = &self.nodes[node].says;
                let is_shut = now.shut.iter().any(|name| name == text);
                let was = self.nodes[ours].heard.get(&node);
                known.shut |= is_shut;
                known.first |= is_shut && node < ours;
                known.well |= !is_shut && was.is_some_and(|was| was.shut.iter().any(|name| name == text));
                let wait = now.throttled_ms.get(text).copied().map(Duration::from_millis);
                known.throttled_for = known.throttled_for.max(wait);
            }
            elsewhere.insert(system(text), known);
        }
        let heard = working.iter().map(|node| (*node, self.nodes[*node].says.clone())).collect();
        self.nodes[ours].heard = heard;
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        Nodes {
            held: held || place.is_none(),
            share: Share { place: count(place.unwrap_or_default()), of: count(working.len()).max(1) },
            elsewhere,
            holds: BEAT_HOLDS,
        }
    }
}

fn drifted(now: u64, ppm: i64) -> u64 {
    let more = i128::from(now) * i128::from(ppm) / 1_000_000;
    u64::try_from(i128::from(now) + more).unwrap_or(0)
}
