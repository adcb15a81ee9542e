//! One run: a seed, its mix, the world until it is quiet, and the judge's word.

use crate::flows::{WriteBack, plan};
use crate::hub::{Process, ready};
use crate::judge::Violation;
use crate::life::{FAULTS_FOR, at_the_latest, end_of_trouble, plan_life};
use crate::mix::{Mix, Setup, Story};
use crate::node::{At, Node};
use crate::planted::Bug;
use crate::source::system;
use crate::stock::Counter;
use crate::target::Convergence;
use crate::verdict::judge;
use crate::world::{Todo, World};
use engine::Engine;
use engine::effect::Event;
use engine::engine::Planner;
use engine::mutant::Planted;
use jiff::Timestamp;
use kernel::rng::{Rng, Seeded};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use store::port::Store;

/// What one run says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    pub seed: u64,
    pub violations: Vec<Violation>,
    pub trace: String,
    pub events: u64,
    pub simulated_s: u64,
    pub lives: u32,
    pub nodes: usize,
    /// What happened, if that was asked for.
    pub said: Vec<String>,
    pub writes: u64,
    pub orders: usize,
}

/// A run that is not quiet by then is stuck.
pub(crate) const EVENTS_MAX: u64 = 400_000;

/// Marks a broken promise in what is told.
pub const BROKEN: &str = "!!!";

/// Some keys are chosen for a fate, by their text alone.
pub fn chosen(key: &str, per_mille: u32, salt: u64) -> bool {
    let digest = Sha256::digest(key.as_bytes());
    let number =
        digest.iter().take(8).fold(salt, |sum, byte| sum.wrapping_mul(257).wrapping_add(u64::from(*byte)));
    Seeded::new(number).chance(per_mille)
}

pub fn run(setup: &Setup) -> Report {
    let mut rng = Seeded::new(setup.seed);
    let drawn = match setup.story {
        Story::Orders => Mix::of(&mut rng),
        Story::Stock => Mix::of_stock(&mut rng),
    };
    let mix = setup.mix.clone().unwrap_or(drawn);
    let mut world = World::new(mix, setup.bug, rng, FAULTS_FOR);
    world.tell = setup.tell;
    plan_life(&mut world);
    let mut quiet_checks = 0;
    let mut stuck = false;
    while let Some(todo) = world.pop() {
        let known = world.judge.violations.len();
        happen(&mut world, todo);
        for violation in world.judge.violations.iter().skip(known) {
            world.say(|| format!("{BROKEN} {violation}"));
        }
        if world.events > EVENTS_MAX {
            stuck = true;
            break;
        }
        if world.events.is_multiple_of(64) && world.now > end_of_trouble(&world.mix) {
            // Whatever waits for a time has had it: a confirmation, the last look after an answer that was unknown.
            let waits = world.open_work(true) > 0 && world.now < at_the_latest(&world.mix);
            quiet_checks = if is_quiet(&world) && !waits { quiet_checks + 1 } else { 0 };
            if quiet_checks > 8 {
                break;
            }
        }
    }
    judge(&mut world, stuck);
    Report {
        seed: setup.seed,
        violations: world.judge.violations.clone(),
        trace: world.trace_hash(),
        events: world.events,
        simulated_s: world.now / 1_000_000_000,
        lives: world.nodes.iter().map(|node| node.life + 1).sum(),
        nodes: world.nodes.len(),
        said: world.said(),
        writes: world.judge.writes,
        orders: world.shop.orders.len(),
    }
}

fn is_quiet(world: &World) -> bool {
    let is_back = |node: &Node| node.gone || (node.process.is_some() && node.asleep_until <= world.now);
    let unrouted = || ready(world.disk.unrouted(1)).len();
    world.nodes.iter().all(is_back) && world.open_work(false) == 0 && unrouted() == 0
}

/// To whom it happens, if it is one life of a node.
fn whose(todo: &Todo) -> Option<At> {
    match todo {
        Todo::Tell(at, _) | Todo::Wake(at) | Todo::Beat(at) | Todo::Perform(at, _) => Some(*at),
        Todo::Sweep(at) | Todo::LateAppend(at, _) | Todo::FullCheckLooks(at, _) => Some(*at),
        Todo::Answer(reply) => Some(reply.at),
        _ => None,
    }
}

fn happen(world: &mut World, todo: Todo) {
    if let Some(at) = whose(&todo) {
        if !world.is_alive(at) {
            return;
        }
        if world.is_asleep(at.node) {
            let until = world.nodes[at.node].asleep_until;
            return world.at(until, todo);
        }
    }
    match todo {
        Todo::Tell(at, event) => world.tell(at.node, *event),
        Todo::Wake(at) => world.tell(at.node, Event::Wake),
        Todo::Beat(at) => world.beat(at),
        Todo::Perform(at, effects) => world.woke_up(at.node, effects),
        Todo::Sweep(at) => {
            world.sweep(at.node);
            world.after(Duration::from_secs(300), Todo::Sweep(at));
        }
        Todo::LateAppend(at, webhook) => {
            if !world.fault(world.mix.store_fails) {
                world.append(at.node, &webhook);
            }
        }
        Todo::Restart(node) => restart(world, node),
        Todo::Killed(node, gone) => {
            world.nodes[node].gone |= gone;
            world.kill(node);
        }
        Todo::Upgrade(node) => {
            world.nodes[node].revision = 2;
            world.kill(node);
        }
        Todo::Cut(node, wire, is_cut) => world.cut(node, wire, is_cut),
        Todo::Webhook(webhook) => world.webhook_arrives(*webhook),
        Todo::ShopChanges(id) => world.shop_changes(id),
        Todo::Arrive(arrival) => world.arrive(*arrival),
        Todo::Answer(reply) => world.reply(*reply),
        Todo::OutageBegins => world.down = true,
        Todo::OutageEnds => world.down = false,
        Todo::ThrottleBegins => world.throttling = true,
        Todo::ThrottleEnds => world.throttling = false,
        Todo::ShelfMoves(pair, units) => world.shelf_moves(pair, units),
        Todo::ShelfShips(object) => world.shelf_ships(object),
        Todo::ShelfPush(push) => world.push_arrives(*push),
        Todo::ShelfPoll => world.shelf_is_polled(),
        Todo::FullCheck => world.full_check_begins(),
        Todo::FullCheckLooks(at, meant) => world.full_check_looks(at, meant),
        Todo::ShopByHand(item, units) => world.taken_off_sale(item, units),
        Todo::ShopCall(call) => world.shop_carries_out(*call),
        Todo::ComesBack(order, units) => world.comes_back(order, units),
        Todo::BooksBack(refund) => world.books_back(refund),
        Todo::RefusalsEnd => world.refusals_end(),
        Todo::PersonSettles => world.person_settles(),
        Todo::CredentialsExpire => world.unauthorized = true,
        Todo::CredentialsRenewed => world.unauthorized = false,
        Todo::ReferencesCreated => world.references_exist = true,
        Todo::ClockJumps(node, ms) => {
            world.nodes[node].wall_offset_ms += ms;
            world.jumped_at = world.now;
            world.members_changed();
        }
    }
}

fn restart(world: &mut World, node: usize) {
    if world.nodes[node].gone || world.nodes[node].process.is_some() {
        return;
    }
    if world.nodes[node].store_cut {
        return world.after(Duration::from_secs(1), Todo::Restart(node));
    }
    let now = world.clock(node);
    ready(world.disk.begin_epoch(&crate::node::name(node), now.wall));
    let mut planners: BTreeMap<_, Arc<dyn Planner>> = BTreeMap::new();
    planners.insert(system("erp"), Arc::new(Convergence));
    let counter: Arc<dyn Planner> = Arc::new(Counter { bug: world.bug });
    let shop = if world.stock.is_some() { counter } else { Arc::new(WriteBack) };
    planners.insert(system("shopify"), shop);
    let planted = Planted::new(world.bug.and_then(Bug::of_engine));
    let mut engine = Engine::new(Arc::new(plan(world)), planners, planted, now);
    let several = world.nodes.len() > 1;
    if several {
        engine.among_nodes();
    }
    let seed = world.rng.next_u64();
    world.nodes[node].process = Some(Process::new(engine, Seeded::new(seed), Timestamp::MIN));
    let at = world.at_node(node);
    world.members_changed();
    world.after(Duration::from_secs(60), Todo::Sweep(at));
    world.trace("restarted");
    world.say(|| format!("=== {} starts", crate::node::name(node)));
    world.tell(node, Event::Wake);
    if several && world.is_alive(at) {
        world.after(Duration::from_millis(10), Todo::Beat(at));
    }
}
