//! Promise 5 at its second line: a state that a newer one has overtaken at the target is not applied, however it came to
//! be claimed. No seed can show it, because routing and the store end such a state before.

use crate::flows::{flow, plan};
use crate::mix::Mix;
use crate::source::{domain, shop_id, subject, system};
use crate::target::Convergence;
use crate::world::World;
use connector::descriptor::UnknownAnswer;
use engine::Engine;
use engine::effect::{Effect, Event};
use engine::engine::Planner;
use engine::mutant::{Mutant, Planted};
use engine::plan::Plan;
use kernel::envelope::{Envelope, FactKind, Priority, TraceId, Via};
use kernel::id::{DeliveryId, Position};
use kernel::rng::Seeded;
use kernel::subject::Lane;
use kernel::version::EffectiveVersion;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use store::delivery::{Claim, Delivery, DeliveryKind, DeliveryState, Outcome, Standing, Wait};

fn numbered(sequence: i64) -> Option<EffectiveVersion> {
    Some(EffectiveVersion::Sequence { sequence })
}

/// The first state of an order whose second one the target has.
pub(crate) fn overtaken(world: &World) -> Claim {
    let (now, lane) = (world.shop_wall(), Lane::of(&subject(1), &system("erp")));
    let order = crate::facts::Order {
        id: 1,
        content: 1,
        quantity: 1,
        address: "first street".into(),
        cancelled: false,
        created_at: now,
        updated_at: now,
        erp_number: None,
        refunds: Vec::new(),
    };
    Claim {
        lane: lane.clone(),
        fence: 1,
        delivery: Delivery {
            id: DeliveryId(1),
            position: Position(1),
            flow: flow("orders"),
            lane,
            subject: subject(1),
            kind: DeliveryKind::State,
            state: DeliveryState::Waiting { due_at: Some(now), wait: Wait::Turn },
            version: numbered(1),
            priority: Priority::Live,
            spent: 0,
            failures: 0,
            calls: 0,
            created_at: now,
            changed_at: now,
            ended_at: None,
        },
        envelope: Envelope {
            position: Position(1),
            shop: shop_id(),
            domain: domain(),
            source: system("shopify"),
            topic: "orders/create".into(),
            kind: FactKind::State,
            via: Via::Webhook,
            subject: subject(1),
            version: numbered(1),
            occurred_at: now,
            received_at: now,
            trace: TraceId([1; 16]),
            raw_hash: [0; 32],
            raw_bytes: 0,
        },
        payload: Some(serde_json::to_vec(&order).unwrap().into()),
        standing: Standing {
            routed: numbered(2),
            routed_position: Some(Position(2)),
            delivered: numbered(2),
            delivered_digest: Some([2; 32]),
            attempted: true,
            ..Standing::default()
        },
        open_attempt: None,
    }
}

/// One node, and nothing goes wrong.
pub(crate) fn calm() -> World {
    let mut world = World::new(Mix::calm(), None, Seeded::new(1), Duration::ZERO);
    world.nodes.push(crate::node::Node::default());
    world
}

pub(crate) fn engine(world: &World, mutant: Option<Mutant>) -> Engine {
    engine_of(world, plan(world), mutant)
}

/// Its flows compare what they write with what is there.
pub(crate) fn engine_that_compares(world: &World) -> Engine {
    let mut plan = plan(world);
    plan.flows.values_mut().for_each(|flow| (flow.observe_first, flow.readable) = (true, true));
    engine_of(world, plan, None)
}

/// Its target knows keys: what went without an answer is sent again.
pub(crate) fn engine_with_native_keys(world: &World) -> Engine {
    let mut plan = plan(world);
    let unknown = UnknownAnswer::NativeKey { lifetime: Duration::from_secs(3600) };
    plan.systems.values_mut().for_each(|system| system.unknown = unknown.clone());
    engine_of(world, plan, None)
}

fn engine_of(world: &World, plan: Plan, mutant: Option<Mutant>) -> Engine {
    let mut planners: BTreeMap<_, Arc<dyn Planner>> = BTreeMap::new();
    planners.insert(system("erp"), Arc::new(Convergence));
    Engine::new(Arc::new(plan), planners, Planted::new(mutant), world.clock(0))
}

fn claimed(mutant: Option<Mutant>) -> Vec<Effect> {
    let world = calm();
    let event = Event::Claimed { system: system("erp"), claims: vec![overtaken(&world)] };
    engine(&world, mutant).step(event, world.clock(0), &mut Seeded::new(1))
}

#[test]
fn a_state_that_was_overtaken_at_the_target_is_not_applied() {
    let ends = |effect: &Effect| match effect {
        Effect::Advance(moves) => moves
            .iter()
            .any(|of| of.state == Some(DeliveryState::Ended(Outcome::Superseded { by: Position(2) }))),
        _ => false,
    };
    let asks = |effect: &Effect| matches!(effect, Effect::Observe(_) | Effect::Apply(_));
    let effects = claimed(None);
    assert!(effects.iter().any(ends) && !effects.iter().any(asks), "{effects:?}");
    let planted = claimed(Some(Mutant::AppliesOlder));
    assert!(planted.iter().any(asks), "the planted bug goes on with it: {planted:?}");
}
