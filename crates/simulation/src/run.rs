//! One run: a seed, its mix, the world until it is quiet, and the judge's word.

use crate::facts::{Content, Orders};
use crate::hub::{Process, SETTLE, TIME_OUT, object_key, ready};
use crate::judge::{Exempt, Expected, Outage, Violation};
use crate::mix::{Mix, Setup};
use crate::node::{At, Node, Wire};
use crate::planted::Bug;
use crate::source::{domain, shop_id, subject, system};
use crate::target::Convergence;
use crate::world::{Todo, World};
use connector::descriptor::UnknownAnswer;
use connector::port::{Done, Observation, Observed, Plan as Next, Step, Wanted};
use engine::Engine;
use engine::effect::Event;
use engine::engine::Planner;
use engine::facts::{Admission, Confirm, Facts, History, Mapped, Mapper, State};
use engine::mutant::{Mutant, Planted};
use engine::plan::{FlowPlan, Plan, SystemPlan};
use jiff::Timestamp;
use kernel::backoff::Backoff;
use kernel::envelope::FactKind;
use kernel::fault::{Fault, FaultKind};
use kernel::flow::{AfterConfirm, ConfirmWhen, Difference, Mode, OrderPolicy};
use kernel::id::FlowName;
use kernel::key::ObjectKey;
use kernel::rng::{Rng, Seeded};
use kernel::subject::Subject;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use store::delivery::DeliveryState;
use store::port::Store;
use store::query::DeliveryFilter;

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

/// Chance ends here; from then on everything must come right by itself.
const FAULTS_FOR: Duration = Duration::from_secs(1200);
/// A run that is not quiet by then is stuck.
const EVENTS_MAX: u64 = 400_000;

/// Marks a broken promise in what is told.
pub const BROKEN: &str = "!!!";

pub fn flow(text: &str) -> FlowName {
    match FlowName::new(text) {
        Ok(name) => name,
        Err(error) => unreachable!("a name written here: {error}"),
    }
}

/// Some keys are chosen for a fate, by their text alone.
pub fn chosen(key: &str, per_mille: u32, salt: u64) -> bool {
    let digest = Sha256::digest(key.as_bytes());
    let number =
        digest.iter().take(8).fold(salt, |sum, byte| sum.wrapping_mul(257).wrapping_add(u64::from(*byte)));
    Seeded::new(number).chance(per_mille)
}

pub fn run(setup: &Setup) -> Report {
    let mut rng = Seeded::new(setup.seed);
    let drawn = Mix::of(&mut rng);
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
            quiet_checks = if is_quiet(&world) { quiet_checks + 1 } else { 0 };
            // Long enough for the last look after an answer that was unknown.
            if quiet_checks > 8 && world.now > end_of_trouble(&world.mix) + 1_000_000_000_000 {
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

fn end_of_trouble(mix: &Mix) -> u64 {
    let outage = mix.outage.map_or(0, crate::world::ns);
    crate::world::ns(FAULTS_FOR) + outage + 1_200_000_000_000
}

fn is_quiet(world: &World) -> bool {
    let is_back = |node: &Node| node.gone || node.process.is_some();
    world.nodes.iter().all(is_back) && world.open_work() == 0 && ready(world.disk.unrouted(1)).is_empty()
}

/// Lays out what will happen whatever the hub does.
fn plan_life(world: &mut World) {
    nodes_begin(world);
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
        world.at(begins + crate::world::ns(outage), Todo::OutageEnds);
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
        world.at(begins + crate::world::ns(length), Todo::ThrottleEnds);
    }
}

fn some_node(world: &mut World) -> usize {
    usize::try_from(world.rng.below(world.nodes.len() as u64)).unwrap_or(0)
}

/// To whom it happens, if it is one life of a node.
fn whose(todo: &Todo) -> Option<At> {
    match todo {
        Todo::Tell(at, _) | Todo::Wake(at) | Todo::Beat(at) | Todo::Perform(at, _) => Some(*at),
        Todo::Sweep(at) | Todo::LateAppend(at, _) => Some(*at),
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
        Todo::Webhook(webhook) => world.webhook_arrives(webhook),
        Todo::ShopChanges(id) => world.shop_changes(id),
        Todo::Arrive(arrival) => world.arrive(*arrival),
        Todo::Answer(reply) => world.reply(*reply),
        Todo::OutageBegins => world.down = true,
        Todo::OutageEnds => world.down = false,
        Todo::ThrottleBegins => world.throttling = true,
        Todo::ThrottleEnds => world.throttling = false,
        Todo::CredentialsExpire => world.unauthorized = true,
        Todo::CredentialsRenewed => world.unauthorized = false,
        Todo::ReferencesCreated => world.references_exist = true,
        Todo::ClockJumps(node, ms) => {
            world.nodes[node].wall_offset_ms += ms;
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
    planners.insert(system("shopify"), Arc::new(WriteBack));
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

fn plan(world: &World) -> Plan {
    let mix = &world.mix;
    let forget_address = world.bug == Some(Bug::Engine(Mutant::DigestIgnoresField));
    let policy = OrderPolicy {
        mode: Mode::Live,
        go_live_at: Timestamp::MIN,
        export_when: BTreeSet::new(),
        confirm_when: mix.confirm_after.map_or(ConfirmWhen::AtOnce, ConfirmWhen::After),
        after_confirm: AfterConfirm::default(),
        difference: Difference::default(),
    };
    let base =
        |name: &str, source: &str, target: &str, facts: Arc<dyn Facts>, mapper: Arc<dyn Mapper>| FlowPlan {
            name: flow(name),
            domain: domain(),
            source: system(source),
            target: system(target),
            shops: BTreeSet::from([shop_id()]),
            policy: policy.clone(),
            facts,
            mapper,
            also_known_as: Vec::new(),
            tells: name == "orders",
            readable: name == "orders",
        };
    let flows = [
        base("orders", "shopify", "erp", Arc::new(Orders { forget_address }), Arc::new(Content)),
        base("numbers", "erp", "shopify", Arc::new(Numbers), Arc::new(Numbers)),
    ];
    let unknown = if mix.native_key {
        UnknownAnswer::NativeKey { lifetime: Duration::from_secs(86_400 * 7) }
    } else {
        UnknownAnswer::LookUp { lag: mix.lag }
    };
    let mut erp = SystemPlan::new(system("erp"), unknown);
    erp.health = mix.health_call;
    erp.resolves_references = true;
    erp.time_out = TIME_OUT;
    erp.settle_after = SETTLE;
    erp.concurrency = mix.width;
    erp.attempts_max = 25;
    erp.backoff = Backoff { first: Duration::from_millis(500), max: Duration::from_secs(60) };
    let mut shopify = SystemPlan::new(system("shopify"), UnknownAnswer::LookUp { lag: Duration::ZERO });
    shopify.settle_after = Duration::from_secs(5);
    shopify.attempts_max = 25;
    shopify.health = false;
    Plan {
        revision: "1".into(),
        flows: flows.into_iter().map(|flow| (flow.name.clone(), flow)).collect(),
        systems: [erp, shopify].into_iter().map(|system| (system.name.clone(), system)).collect(),
        reading: flow("reading"),
    }
}

/// Each order of the shop against the target, then the log.
fn judge(world: &mut World, stuck: bool) {
    if stuck {
        let what = format!("not quiet after {EVENTS_MAX} events, {} open deliveries", world.open_work());
        world.judge.violations.push(Violation { promise: 6, what });
    }
    let orders: Vec<_> = world.shop.orders.values().cloned().collect();
    let status = {
        let subjects: Vec<_> = orders.iter().map(|order| subject(order.id)).collect();
        ready(world.disk.status(&flow("orders"), &subjects))
    };
    // A later look finds the second object: its letter stands beside the state's own outcome.
    let letters = ready(world.disk.dead_letters(DeliveryFilter::default(), false));
    let told_of_many = |of: u64| {
        letters.iter().any(|letter| letter.subject == subject(of) && letter.fault.code == "many_objects")
    };
    let expected: Vec<Expected> = orders
        .iter()
        .zip(&status)
        .map(|(order, status)| {
            let key = object_key(order.id);
            let dead = status.delivery.as_ref().is_some_and(|d| d.state == DeliveryState::Dead);
            Expected {
                content: order.content,
                cancelled: order.cancelled,
                exempt: if chosen(&key, world.mix.poison, 1) {
                    Exempt::Refused
                } else if order.cancelled {
                    Exempt::Filtered
                } else {
                    Exempt::No
                },
                dead,
                told_of_many: told_of_many(order.id),
                told: format!(
                    "{:?} {:?}",
                    status.delivery.as_ref().map(|delivery| &delivery.state),
                    status.fault.as_ref().map(ToString::to_string)
                ),
                key,
            }
        })
        .collect();
    let outage = world.mix.outage.map(|outage| Outage {
        seconds: outage.as_secs(),
        lanes: orders.len() as u64,
        lives: world.nodes.iter().map(|node| u64::from(node.life) + 1).sum::<u64>() - 1,
        nodes: world.nodes.len() as u64,
    });
    let target = world.target.clone();
    world.judge.settle(&expected, &target, outage);
    // Nobody but the shop calls orders off here, and it never takes that back: no step has a reason to meet a closed object.
    for letter in letters.iter().filter(|letter| letter.fault.code == "object_closed") {
        let what = format!("{}: pressed on after it was called off", letter.subject);
        world.judge.violations.push(Violation { promise: 6, what });
    }
    for (id, times) in &world.stored {
        if *times > 1 {
            let what = format!("webhook {id} was stored {times} times");
            world.judge.violations.push(Violation { promise: 2, what });
        }
    }
    let lost: Vec<u64> =
        world.acknowledged.iter().filter(|id| !world.stored.contains_key(id)).copied().collect();
    if !lost.is_empty() {
        let what = format!("webhooks {lost:?} were answered 200 and are not in the log");
        world.judge.violations.push(Violation { promise: 1, what });
    }
    let unrouted = ready(world.disk.log_size()).unrouted;
    if unrouted > 0 {
        let what = format!("{unrouted} committed envelopes were never routed");
        world.judge.violations.push(Violation { promise: 1, what });
    }
}

/// The write-back of the target's number to the shop.
#[derive(Debug)]
struct Numbers;

impl Facts for Numbers {
    fn kind_of(&self, _topic: &str) -> Option<FactKind> {
        Some(FactKind::State)
    }
    fn read(&self, _topic: &str, payload: &[u8]) -> Result<State, Fault> {
        let body: Value = serde_json::from_slice(payload)
            .map_err(|error| Fault::new(FaultKind::Rejected, "unreadable_body", error.to_string()))?;
        let at: Timestamp =
            body["told_at"].as_str().and_then(|text| text.parse().ok()).unwrap_or(Timestamp::MIN);
        Ok(State {
            label: String::new(),
            customer: None,
            created_at: at,
            updated_at: at,
            changed_at: at,
            digest: Sha256::digest(body.to_string().as_bytes()).into(),
            cancelled: false,
            body: Arc::new(body),
        })
    }
    fn can_be(&self, _body: &Value, _fingerprint: &str) -> bool {
        true
    }

    fn admit(&self, _: &State, _: &OrderPolicy, _: History, _: Timestamp) -> Admission {
        Admission::Export
    }
    fn confirm(&self, _: &State, _: &OrderPolicy, _: Timestamp, _: Timestamp) -> Confirm {
        Confirm::NotByThis
    }
}

impl Mapper for Numbers {
    fn revision(&self) -> &str {
        "r1"
    }
    fn map(&self, body: &Value, _: &Subject, _: &ObjectKey, _: Timestamp) -> Result<Mapped, Fault> {
        let body = json!({ "number": body["number"] });
        Ok(Mapped { digest: Sha256::digest(body.to_string().as_bytes()).into(), body })
    }
}

#[derive(Debug)]
struct WriteBack;

impl Planner for WriteBack {
    fn plan(&self, wanted: &Wanted, observed: &Observation) -> Next {
        match &observed.object {
            Observed::One(object) if object.body["number"] == wanted.body["number"] => Next::Done(Done {
                external: object.external.clone(),
                note: None,
                unchanged: true,
                adopted: false,
            }),
            _ => Next::Next(Step {
                name: "set".into(),
                creates: false,
                idempotent: true,
                request: json!({ "order": wanted.subject.key(), "number": wanted.body["number"] })
                    .to_string()
                    .into_bytes(),
            }),
        }
    }
}
