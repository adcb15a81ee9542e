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
}

/// A system as another node has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Elsewhere {
    /// Its breaker is not closed: nobody calls, and that node probes.
    pub shut: bool,
    /// That node goes before this one, where both would probe.
    pub first: bool,
    /// A node that left it alone has found it well, since the last time.
    pub well: bool,
    /// The target asked for a pause of which so much is left.
    pub throttled_for: Option<Duration>,
    /// Lanes that other nodes have in work.
    pub in_work: u32,
}

/// What a system remembers of it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Held {
    pub(crate) shut: bool,
    pub(crate) first: bool,
    pub(crate) in_work: u32,
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
        if self.stands_back(now) {
            // What came meanwhile was not asked for.
            self.woken();
        }
        self.among = Some(Among { held: nodes.held, first: nodes.share.place == 0, until });
        let mut well_again = Vec::new();
        for (turn, (name, system)) in (0..).zip(&mut self.systems) {
            system.share = (nodes.share, turn);
            system
                .limiter
                .set_rate(system.plan.rate_per_s.map(|rate| nodes.share.part_of(rate, turn)), now.mono);
            let told = nodes.elsewhere.get(name).copied().unwrap_or_default();
            if let Some(wait) = told.throttled_for {
                system.limiter.throttled(now.mono, wait);
            }
            // Who probed has found it well: this node need not find that out by a call of its own.
            let now_held = Held { shut: told.shut, first: told.first, in_work: told.in_work, until };
            let was_held = std::mem::replace(&mut system.elsewhere, now_held);
            system.maybe_due |= was_held.shut && !told.shut;
            if told.well && !told.shut && !system.breaker.is_closed() {
                system.proved_well(None, now.mono);
                system.trouble = None;
                system.breaker.success();
                system.maybe_due = true;
                well_again.push(name.clone());
            }
        }
        for system in well_again {
            self.raise(Severity::Info, What::BreakerClosed { system });
        }
    }

    /// Lanes that other nodes have in work, by system.
    pub fn in_work_elsewhere(&self) -> BTreeMap<SystemName, u32> {
        let counts = self.systems.iter().map(|(name, system)| (name.clone(), system.elsewhere.in_work));
        counts.filter(|(_, count)| *count > 0).collect()
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
    use crate::effect::{Effect, Event};
    use crate::mutant::Planted;
    use crate::plan::{Plan, SystemPlan};
    use kernel::rng::Seeded;
    use std::sync::Arc;

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

    fn erp() -> SystemName {
        SystemName::new("erp").unwrap()
    }

    /// An engine among others, with one system of four lanes and no health call, and what it asks for at an event.
    struct World(Engine);

    impl World {
        fn new() -> Self {
            let system = SystemPlan {
                health: false,
                concurrency: 4,
                ..SystemPlan::new(erp(), connector::descriptor::UnknownAnswer::Neither)
            };
            let plan = Plan {
                revision: "r".into(),
                flows: BTreeMap::new(),
                systems: BTreeMap::from([(erp(), system)]),
                reading: kernel::id::FlowName::new("reading").unwrap(),
            };
            let mut engine = Engine::new(Arc::new(plan), BTreeMap::new(), Planted::default(), at_ms(0));
            engine.among_nodes();
            Self(engine)
        }

        fn step(&mut self, event: Event, ms: u64) -> Vec<Effect> {
            self.0.step(event, at_ms(ms), &mut Seeded::new(1))
        }

        /// How many lanes it asks for, at most.
        fn claims(&mut self, event: Event, ms: u64) -> Option<u32> {
            let effects = self.step(event, ms);
            let asked = effects.iter().find_map(|effect| match effect {
                Effect::Claim(request) => Some(request.limit),
                _ => None,
            });
            if asked.is_some() {
                // Nothing is due.
                self.step(Event::Claimed { system: erp(), claims: Vec::new() }, ms);
            }
            asked
        }
    }

    fn at_ms(ms: u64) -> Now {
        let wall = jiff::Timestamp::from_millisecond(1_780_000_000_000 + ms.cast_signed()).unwrap();
        Now { wall, mono: Mono(ms * 1_000_000) }
    }

    fn nodes(of: u32, elsewhere: Elsewhere) -> Event {
        Event::Nodes(Nodes {
            held: false,
            share: Share { place: 0, of },
            elsewhere: BTreeMap::from([(erp(), elsewhere)]),
            holds: Duration::from_secs(3),
        })
    }

    #[test]
    fn a_node_takes_its_share_while_it_is_counted_and_nothing_before_or_after() {
        let mut world = World::new();
        assert_eq!(world.claims(Event::Wake, 0), None, "nobody has heard of it");
        assert_eq!(world.claims(nodes(3, Elsewhere::default()), 10), Some(2));
        assert_eq!(world.claims(Event::Woken, 20), Some(2));
        let held = Nodes { held: true, holds: Duration::from_secs(3), ..Nodes::default() };
        assert_eq!(world.claims(Event::Nodes(held), 30), None);
        assert_eq!(world.claims(nodes(1, Elsewhere::default()), 40), Some(4), "it is alone now");
        let effects = world.step(Event::Woken, 3_100);
        let takes = |effect: &Effect| matches!(effect, Effect::Claim(_) | Effect::FetchUnrouted { .. });
        assert!(!effects.iter().any(takes), "it was heard of no more, and the others count it out");
    }

    #[test]
    fn a_system_that_another_node_leaves_alone_is_left_alone_here() {
        let mut world = World::new();
        let shut = Elsewhere { shut: true, ..Elsewhere::default() };
        assert_eq!(world.claims(nodes(2, shut), 0), None);
        assert_eq!(world.claims(Event::Woken, 10), None);
        assert_eq!(world.claims(nodes(2, Elsewhere::default()), 20), Some(2), "without another event");
    }

    #[test]
    fn one_node_probes_and_what_it_finds_counts_for_all() {
        let mut world = World::new();
        world.claims(nodes(2, Elsewhere::default()), 0);
        let system = world.0.systems.get_mut(&erp()).unwrap();
        system.breaker.unauthorized(Mono(0), &mut Seeded::new(1));
        let first = Elsewhere { shut: true, first: true, ..Elsewhere::default() };
        let long_after = 2_900;
        assert_eq!(world.claims(nodes(2, first), long_after), None, "the other probes");
        // The other has gone, and nobody knows whether the system is well.
        assert_eq!(world.claims(nodes(1, Elsewhere::default()), 200_000), Some(1), "a probe of its own");
        let system = world.0.systems.get_mut(&erp()).unwrap();
        system.breaker.unauthorized(Mono(200_000_000_000), &mut Seeded::new(1));
        let well = Elsewhere { well: true, ..Elsewhere::default() };
        let effects = world.step(nodes(2, well), 200_010);
        let closed = |effect: &Effect| matches!(effect, Effect::Raise(notice) if matches!(notice.what, What::BreakerClosed { .. }));
        assert!(effects.iter().any(closed), "{effects:?}");
    }

    #[test]
    fn what_the_target_asked_of_one_node_all_do() {
        let mut world = World::new();
        let throttled = Elsewhere { throttled_for: Some(Duration::from_secs(2)), ..Elsewhere::default() };
        assert_eq!(world.claims(nodes(2, throttled), 0), None);
        assert_eq!(world.claims(nodes(2, Elsewhere::default()), 1_900), None);
        assert_eq!(world.claims(Event::Wake, 2_000), Some(2));
    }
}
