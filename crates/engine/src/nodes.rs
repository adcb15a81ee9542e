//! Several nodes on one store: which share of a system's limits is this node's, and which systems another node holds
//! back, so that all of them together do no more than one would (docs/adr/0009).
//!
//! Owns what a node makes of what it was told; what nodes tell each other, and how often, is the binary's.

use crate::engine::Engine;
use crate::notice::What;
use kernel::clock::{Mono, Now};
use kernel::fault::Severity;
use kernel::id::SystemName;
use std::collections::BTreeMap;
use std::time::Duration;

/// How this node stands among those that work on the store.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Nodes {
    /// It takes no new work: its configuration is not the one in force.
    pub held: bool,
    pub share: Share,
    /// What other nodes say of systems that are in trouble.
    pub elsewhere: BTreeMap<SystemName, Elsewhere>,
    /// All of it is true for so long; a node that hears nothing more takes no new work after that, because the others
    /// count it no longer.
    pub holds: Duration,
}

/// A node's place among those that work, counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    pub place: u32,
    pub of: u32,
}

impl Default for Share {
    fn default() -> Self {
        Self { place: 0, of: 1 }
    }
}

impl Share {
    /// Its part of so many: all parts together are the whole. What cannot be divided goes to the first places, which are
    /// other nodes' for another `turn`.
    pub fn part_of(self, whole: u32, turn: u32) -> u32 {
        let of = self.of.max(1);
        let place = (self.place % of + turn % of) % of;
        whole / of + u32::from(place < whole % of)
    }

    /// So many distinct lanes in each node that together no more fail than one node would let; never one alone, because
    /// one poisoned order must not open a breaker.
    pub fn lanes_to_open(self, lanes: u32) -> u32 {
        let each = (lanes.max(1) - 1) / self.of.max(1) + 1;
        each.max(lanes.min(2))
    }
}

/// A system as another node has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Elsewhere {
    /// Its breaker is not closed: nobody calls, and that node probes.
    pub shut: bool,
    /// That node goes before this one, where both would probe.
    pub first: bool,
    /// The target asked for a pause of which so much is left.
    pub throttled_for: Option<Duration>,
}

/// What a system remembers of it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Held {
    pub(crate) shut: bool,
    pub(crate) first: bool,
    pub(crate) until: Mono,
}

impl Held {
    /// Whether the node leaves calls and probes to another one now.
    pub(crate) fn holds(self, is_closed: bool, now: Mono) -> bool {
        self.shut && now < self.until && (is_closed || self.first)
    }
}

/// While several nodes work on the store: when what they said ends.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Among {
    pub(crate) held: bool,
    pub(crate) first: bool,
    pub(crate) until: Mono,
}

impl Engine {
    /// To be said before the first step: other nodes may work on the store, so that nothing is taken before this node
    /// was told how it stands among them.
    pub fn among_nodes(&mut self) {
        self.among = Some(Among { held: true, first: false, until: Mono(0) });
    }

    /// Takes no new work because of the other nodes.
    pub(crate) fn stands_back(&self, now: Now) -> bool {
        self.among.is_some_and(|among| among.held || among.until <= now.mono)
    }

    /// What one node is enough for is this one's.
    pub(crate) fn goes_first(&self, now: Now) -> bool {
        self.among.is_none_or(|among| among.first) && !self.stands_back(now)
    }

    pub(crate) fn nodes_told(&mut self, nodes: &Nodes, now: Now) {
        let until = now.mono.plus(nodes.holds);
        self.among = Some(Among { held: nodes.held, first: nodes.share.place == 0, until });
        let mut well_again = Vec::new();
        for (turn, (name, system)) in (0..).zip(&mut self.systems) {
            system.share = (nodes.share, turn);
            system
                .limiter
                .set_rate(system.plan.rate_per_s.map(|rate| nodes.share.part_of(rate, turn)), now.mono);
            system.breaker.set_lanes_to_open(nodes.share.lanes_to_open(system.plan.breaker_lanes));
            let told = nodes.elsewhere.get(name).copied().unwrap_or_default();
            if let Some(wait) = told.throttled_for {
                system.limiter.throttled(now.mono, wait);
            }
            // Who probed has found it well: this node need not find that out by a call of its own.
            let was_left_to_another =
                std::mem::replace(&mut system.elsewhere, Held { shut: told.shut, first: told.first, until })
                    .shut;
            if was_left_to_another && !told.shut {
                system.maybe_due = true;
                if !system.breaker.is_closed() {
                    system.proved_well(None, now.mono);
                    system.trouble = None;
                    system.breaker.success();
                    well_again.push(name.clone());
                }
            }
        }
        for system in well_again {
            self.raise(Severity::Info, What::BreakerClosed { system });
        }
    }

    /// Another node committed something.
    pub(crate) fn woken(&mut self) {
        self.route_again = true;
        for system in self.systems.values_mut() {
            system.maybe_due = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_parts_are_the_whole() {
        for whole in [0, 1, 2, 5, 8, 100] {
            for of in 1..7 {
                for turn in 0..4 {
                    let parts: u32 = (0..of).map(|place| Share { place, of }.part_of(whole, turn)).sum();
                    assert_eq!(parts, whole, "{whole} among {of}");
                }
            }
        }
        let first = |turn| Share { place: 0, of: 3 }.part_of(1, turn);
        assert_eq!([first(0), first(1), first(2), first(3)], [1, 0, 0, 1], "the rest goes round");
    }

    #[test]
    fn together_no_more_lanes_fail_than_at_one_node_and_never_one_alone_counts() {
        for lanes in 1..10 {
            for of in 1..5 {
                let each = Share { place: 0, of }.lanes_to_open(lanes);
                assert!(each >= lanes.min(2));
                let all = of * (each - 1) + 1;
                assert!(all <= lanes.max(of + 1), "{lanes} among {of}: {all}");
            }
        }
        assert_eq!(Share::default().lanes_to_open(5), 5);
    }
}
