//! What the engine asks for, done at once: by the store in memory, the hub's own connectors and source. No time passes by it.

use super::planted::Mistake;
use super::world::World;
use connector::port::{CallContext, Found};
use engine::effect::{Call, Effect, Event};
use kernel::clock::Clock as _;
use kernel::envelope::TraceId;
use kernel::id::ShopId;
use std::time::Duration;
use store::operate::By;

const OWNER: &str = "here";

/// The events that answer it.
pub(super) async fn perform(world: &World, effect: Effect) -> Vec<Event> {
    let (store, now) = (world.store(), world.clock.now().wall);
    let event = match effect {
        Effect::FetchUnrouted { limit } => Event::Unrouted(store.unrouted(limit).await.unwrap()),
        Effect::Route { decisions, at, claims } => {
            Event::Routed(store.route_and_claim(decisions, at, claims, OWNER).await.unwrap())
        }
        Effect::Claim(request) => {
            let system = request.system.clone();
            Event::Claimed { system, claims: store.claim(request, OWNER).await.unwrap() }
        }
        Effect::Advance(moves) => {
            let lanes: Vec<_> = moves.iter().map(|movement| movement.lane.clone()).collect();
            let tells = moves.iter().any(|movement| !movement.follow_ups.is_empty());
            let moved = store.advance(moves).await.unwrap();
            let mut events = vec![Event::Advanced(lanes.into_iter().zip(moved).collect())];
            events.extend(tells.then_some(Event::Appended));
            return events;
        }
        Effect::GiveBack(lanes) => {
            store.give_back(lanes).await.unwrap();
            return Vec::new();
        }
        Effect::FetchNextDue => Event::NextDue(store.next_due().await.unwrap()),
        Effect::Recall(asked) => {
            let recalled = engine::last_look::recall(store.as_ref(), &asked).await.unwrap();
            Event::Recalled { lane: asked.lane, fence: asked.fence, recalled }
        }
        Effect::FetchPauses => Event::Pauses(store.pauses(now).await.unwrap()),
        Effect::FetchAwaited { due, limit } => Event::Awaited(store.awaited(Some(due), limit).await.unwrap()),
        Effect::AwaitedAgain { awaited, next } => {
            let (shop, system) = (&awaited.shop, &awaited.system);
            store.awaited_again(shop, system, &awaited.reference, next).await.unwrap();
            return Vec::new();
        }
        Effect::AwaitedFound { awaited, at } => {
            let by = By::hub("it exists now", at);
            store.awaited_found(&awaited.shop, &awaited.system, &awaited.reference, by).await.unwrap();
            Event::Changed
        }
        Effect::Observe(call) => {
            let result =
                world.connected.connectors[&call.system].observe(&of(world, &call), &call.what).await;
            Event::Observed { lane: call.lane, fence: call.fence, result }
        }
        Effect::Apply(call) => {
            let (key, step) = &call.what;
            if world.mistake == Some(Mistake::SendsAgain) && call.system.as_str() == "erp_credit" {
                let first =
                    world.connected.connectors[&call.system].apply(&of(world, &call), key, step).await;
                assert!(first.is_ok(), "{first:?}");
            }
            let result = world.connected.connectors[&call.system].apply(&of(world, &call), key, step).await;
            Event::Applied { lane: call.lane, fence: call.fence, result }
        }
        Effect::Read(call) => {
            let (source, context) = (&world.connected.sources[&call.system], of(world, &call));
            let result = match source.parts(&context, &call.what).await {
                Ok(Some(parts)) => Ok(Found::Parts(parts)),
                Ok(None) => source.read(&context, &call.what).await.map(Found::from),
                Err(fault) => Err(fault),
            };
            Event::HasRead { lane: call.lane, fence: call.fence, result }
        }
        Effect::Health { system } => {
            let result = world.connected.connectors[&system].health(&context(world, None)).await;
            Event::Health { system, result }
        }
        Effect::Look { system, shop, reference, awaited } => {
            let context = context(world, Some(shop));
            let result = world.connected.connectors[&system].exists(&context, &reference).await;
            Event::Looked { awaited, result }
        }
        // The judge reads the store and the books.
        Effect::Raise(_) | Effect::Ended(_) | Effect::Folded(_) | Effect::Unaccounted(_) => {
            return Vec::new();
        }
    };
    vec![event]
}

fn of<T>(world: &World, call: &Call<T>) -> CallContext {
    let plain = context(world, Some(call.lane.shop.clone()));
    CallContext { trace: call.trace, span: call.span, ..plain }
}

fn context(world: &World, shop: Option<ShopId>) -> CallContext {
    CallContext {
        shop: shop.unwrap_or_else(|| ShopId::new("any").unwrap()),
        time_out: Duration::from_secs(20),
        trace: TraceId::default(),
        span: 1,
        now: world.clock.now().wall,
    }
}
