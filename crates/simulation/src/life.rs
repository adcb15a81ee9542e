//! What happens in a run whatever the hub does: orders that come and change, an outage, clocks that jump, nodes that come
//! and go. Owns when chance ends; everything has to come right after that.

use crate::mix::Mix;
use crate::node::{Node, Wire};
use crate::world::{Todo, World, ns};
use kernel::rng::Rng;
use std::time::Duration;

/// Chance ends here; from then on everything must come right by itself.
pub(crate) const FAULTS_FOR: Duration = Duration::from_secs(1200);
/// A rush comes when nodes no longer come and go.
const RUSH_AT: Duration = Duration::from_secs(1500);
/// Two sweeps and what they lead to.
const SWEEPS: Duration = Duration::from_secs(700);

/// When the last fault is over, the last order has changed and a sweep or two have found what no webhook told.
pub(crate) fn end_of_trouble(mix: &Mix) -> u64 {
    let outage = mix.outage.map_or(0, crate::world::ns);
    ns(FAULTS_FOR.max(RUSH_AT)) + outage + ns(SWEEPS)
}

/// A step that waits for what never comes (its newer state is refused for ever) is not waited for.
pub(crate) fn at_the_latest(mix: &Mix) -> u64 {
    end_of_trouble(mix) + 1_600_000_000_000
}

/// Lays out what will happen whatever the hub does.
pub(crate) fn plan_life(world: &mut World) {
    nodes_begin(world);
    crate::stock::plan(world);
    for order in 0..u64::from(world.mix.orders) {
        let mut at = world.rng.below(600_000);
        for _ in 0..=world.rng.below(u64::from(world.mix.changes_each) + 1) {
            world.at(at * 1_000_000, Todo::ShopChanges(1000 + order));
            at += world.rng.below(120_000);
        }
    }
    if let Some(outage) = world.mix.outage {
        let begins = world.rng.below(500) * 1_000_000_000;
        world.at(begins, Todo::OutageBegins);
        world.at(begins + ns(outage), Todo::OutageEnds);
    }
    if world.mix.credentials_expire {
        let at = world.rng.below(600) * 1_000_000_000;
        world.at(at, Todo::CredentialsExpire);
        world.at(at + 120_000_000_000, Todo::CredentialsRenewed);
    }
    if world.mix.clock_jumps {
        for _ in 0..4 {
            let at = world.rng.below(1200) * 1_000_000_000;
            let jump = i64::try_from(world.rng.below(240_000)).unwrap_or(0) - 120_000;
            let node = some_node(world);
            world.at(at, Todo::ClockJumps(node, jump));
        }
    }
    world.at(1_300_000_000_000, Todo::ReferencesCreated);
    if world.mix.rush {
        for order in 0..u64::from(world.mix.orders) {
            let at = ns(RUSH_AT) + world.rng.below(1_000_000_000);
            world.at(at, Todo::ShopChanges(1000 + order));
        }
    }
}

/// Clocks that differ, wires that are cut, a node that goes, a newer configuration.
fn nodes_begin(world: &mut World) {
    for number in 0..world.mix.nodes.max(1) {
        let mut node = Node { revision: 1, ..Node::default() };
        if world.mix.skew {
            node.wall_offset_ms = i64::try_from(world.rng.below(6000)).unwrap_or(0) - 3000;
            node.drift_ppm = i64::try_from(world.rng.below(200)).unwrap_or(0) - 100;
        }
        world.nodes.push(node);
        let at = world.rng.below(3) * 500_000_000 * u64::from(number > 0);
        world.at(at, Todo::Restart(number));
    }
    for _ in 0..world.mix.cuts {
        let (node, begins) = (some_node(world), world.rng.below(1100) * 1_000_000_000);
        let wire = if world.rng.chance(500) { Wire::Store } else { Wire::Target };
        let length = 1_000_000_000 + world.rng.below(90_000_000_000);
        world.at(begins, Todo::Cut(node, wire, true));
        world.at(begins + length, Todo::Cut(node, wire, false));
    }
    if world.mix.gone && world.nodes.len() > 1 {
        let (node, at) = (some_node(world), world.rng.below(1000) * 1_000_000_000);
        world.at(at, Todo::Killed(node, true));
    }
    if world.mix.upgrade && world.nodes.len() > 1 {
        let mut at = world.rng.below(600) * 1_000_000_000;
        for node in 0..world.nodes.len() {
            world.at(at, Todo::Upgrade(node));
            at += world.rng.below(200) * 1_000_000_000;
        }
    }
    if let Some(length) = world.mix.throttle_for {
        let begins = world.rng.below(600) * 1_000_000_000;
        world.at(begins, Todo::ThrottleBegins);
        world.at(begins + ns(length), Todo::ThrottleEnds);
    }
}

fn some_node(world: &mut World) -> usize {
    usize::try_from(world.rng.below(world.nodes.len() as u64)).unwrap_or(0)
}
