//! What one seed in a hundred thousand has found in the engine, each in a few steps: what was seen before minutes of
//! sleep, a call that goes unanswered behind another step, a filter decided while the earlier state was begun.

use crate::facts::Order;
use crate::older::{calm, engine, overtaken};
use crate::source::system;
use crate::target::{Action, Request};
use crate::world::World;
use connector::port::{ExternalRef, ObjectState, Observation, Observed, Step};
use engine::Engine;
use engine::effect::{Effect, Event};
use kernel::fault::{Fault, FaultKind};
use kernel::id::{AttemptId, Position};
use kernel::key::{CallKey, ObjectKey};
use kernel::rng::Seeded;
use serde_json::json;
use store::delivery::{
    Claim, DeliveryState, Move, NewDelivery, OpenAttempt, Outcome, Standing, StoredRef, Wait,
};
use store::log::Unrouted;

/// The claim of a state that nothing has overtaken; the target has its order as object 7.
fn claim(world: &World, cancelled: bool) -> Claim {
    let mut claim = overtaken(world);
    let payload = claim.payload.take().unwrap();
    let order = Order { cancelled, ..serde_json::from_slice(&payload).unwrap() };
    claim.payload = Some(serde_json::to_vec(&order).unwrap().into());
    claim.standing = Standing {
        external: Some(StoredRef {
            object_key: ObjectKey::of(&claim.delivery.subject),
            id: "7".into(),
            number: None,
            state: None,
            created_at: world.shop_wall(),
            adopted: false,
        }),
        attempted: true,
        ..Standing::default()
    };
    claim
}

/// The target has an older content than what is wanted, not called off.
fn older_there() -> Observation {
    let body = json!({ "content": { "content": 0 }, "confirmed": true, "cancelled": false });
    let external = ExternalRef { id: "7".into(), number: None, state: None };
    Observation {
        object: Observed::One(ObjectState { external, body, adopted: false }),
        context: serde_json::Value::Null,
        missing: Vec::new(),
    }
}

fn step(engine: &mut Engine, world: &World, event: Event) -> Vec<Effect> {
    engine.step(event, world.clock(0), &mut Seeded::new(1))
}

fn is_claimed(engine: &mut Engine, world: &World, claim: Claim) -> Vec<Effect> {
    // What it asked for before was answered with nothing.
    step(engine, world, Event::Claimed { system: system("erp"), claims: Vec::new() });
    step(engine, world, Event::Claimed { system: system("erp"), claims: vec![claim] })
}

fn is_observed(engine: &mut Engine, world: &World, of: &Claim) -> Vec<Effect> {
    let (lane, fence) = (of.lane.clone(), of.fence);
    step(engine, world, Event::Observed { lane, fence, result: Ok(older_there()) })
}

fn observes(effects: &[Effect]) -> bool {
    effects.iter().any(|effect| matches!(effect, Effect::Observe(_)))
}

fn moves(effects: Vec<Effect>) -> Vec<Move> {
    let of = |effect| if let Effect::Advance(moves) = effect { moves } else { Vec::new() };
    effects.into_iter().flat_map(of).collect()
}

/// Seed 71995: an amendment that was on its way had been carried out while the node slept, and was made once more.
#[test]
fn what_was_seen_before_minutes_of_sleep_is_looked_at_again() {
    let mut world = calm();
    let (mut engine, claim) = (engine(&world, None), claim(&world, false));
    assert!(observes(&is_claimed(&mut engine, &world, claim.clone())));
    world.now += 137_000_000_000;
    let late = is_observed(&mut engine, &world, &claim);
    assert!(observes(&late) && moves(late.clone()).is_empty(), "{late:?}");
    world.now += 1_000_000;
    let fresh = moves(is_observed(&mut engine, &world, &claim));
    assert_eq!(fresh[0].begun.as_ref().map(|new| new.step.as_str()), Some("amend"));
}

/// Seed 88246: a late call had undone the content, so that an amendment came before the cancellation, which was still
/// without an answer and was taken for carried out.
#[test]
fn another_step_is_no_proof_that_the_unanswered_one_was_carried_out() {
    let mut world = calm();
    let (mut engine, mut claim) = (engine(&world, None), claim(&world, true));
    let request = Request { key: String::new(), id: Some(7), action: Action::Cancel, content: json!(null) };
    let request = serde_json::to_vec(&request).unwrap();
    let open = Step { name: "cancel".into(), creates: false, idempotent: false, request };
    claim.open_attempt = Some(OpenAttempt {
        id: AttemptId(1),
        step: "cancel".into(),
        call_key: CallKey("tg-1".into()),
        frozen: serde_json::to_vec(&open).unwrap().into(),
        started_at: world.shop_wall(),
    });
    let due_at = world.shop_wall();
    claim.delivery.state = DeliveryState::Unknown { due_at, wait: Wait::Settle { not_there: 0 } };
    for not_there in [0, 1] {
        assert!(observes(&is_claimed(&mut engine, &world, claim.clone())));
        let done = moves(is_observed(&mut engine, &world, &claim));
        let wait = Wait::Settle { not_there };
        assert!(done[0].begun.is_none() && done[0].ended.is_none(), "{done:?}");
        assert!(
            matches!(&done[0].state, Some(DeliveryState::Unknown { wait: of, .. }) if *of == wait),
            "{done:?}"
        );
        is_committed(&mut engine, &world, &claim);
        world.now += 61_000_000_000;
    }
    is_claimed(&mut engine, &world, claim.clone());
    let done = moves(is_observed(&mut engine, &world, &claim));
    assert_eq!(done[0].begun.as_ref().map(|new| new.step.as_str()), Some("amend"));
    assert!(done[0].ended.as_ref().is_some_and(|ended| ended.by_look_up == Some(false)), "{done:?}");
    assert_eq!(
        done[0].schedule.len(),
        1,
        "whether it was carried out after all is looked at later: {done:?}"
    );
}

fn is_committed(engine: &mut Engine, world: &World, of: &Claim) {
    let moved = store::delivery::Moved::Done { begun: None };
    step(engine, world, Event::Advanced(vec![(of.lane.clone(), moved)]));
}

/// A state of an order that was called off, routed while an earlier one waits its turn or is in work.
fn routed(world: &World) -> NewDelivery {
    let claim = claim(world, true);
    let known = overtaken(world);
    let earlier = Standing {
        routed: known.delivery.version.map(|_| kernel::version::EffectiveVersion::Sequence { sequence: 0 }),
        routed_position: Some(Position(1)),
        ..Standing::default()
    };
    let item = Unrouted {
        envelope: claim.envelope.clone(),
        payload: claim.payload.clone(),
        standings: vec![(claim.delivery.flow.clone(), earlier)],
        record: None,
        base: None,
    };
    let effects = step(&mut engine(world, None), world, Event::Unrouted(vec![item]));
    let decided = effects.into_iter().find_map(|effect| match effect {
        Effect::Route { mut decisions, .. } => Some(decisions.remove(0).deliveries.remove(0)),
        _ => None,
    });
    decided.unwrap()
}

/// Seeds 49200 and 69545: the create of the earlier state was begun between the decision and its commit, the order was
/// made, and its cancellation was filtered as one "before export".
#[test]
fn an_order_called_off_while_its_create_may_begin_is_filtered_by_whoever_has_its_lane() {
    let world = calm();
    let duty = routed(&world);
    assert!(matches!(duty.state, DeliveryState::Waiting { due_at: Some(_), .. }), "{duty:?}");
    // Nothing was begun: it is kept out.
    let mut unbegun = claim(&world, true);
    unbegun.delivery.state = duty.state.clone();
    unbegun.standing = Standing::default();
    let effects = is_claimed(&mut engine(&world, None), &world, unbegun.clone());
    assert!(!observes(&effects), "{effects:?}");
    let filtered = moves(effects);
    assert!(
        matches!(&filtered[0].state, Some(DeliveryState::Ended(Outcome::Filtered { rule })) if rule == "cancelled before export"),
        "{filtered:?}"
    );
    // It was: the target is looked at, and what is there is called off.
    let begun = Claim { standing: Standing { attempted: true, ..Standing::default() }, ..unbegun };
    assert!(observes(&is_claimed(&mut engine(&world, None), &world, begun)));
}

/// An attempt that nobody has answered yet.
fn unanswered(step: &str, creates: bool, request: &Request, world: &World) -> OpenAttempt {
    let request = serde_json::to_vec(request).unwrap();
    let open = Step { name: step.into(), creates, idempotent: true, request };
    OpenAttempt {
        id: AttemptId(1),
        step: step.into(),
        call_key: CallKey("tg-1".into()),
        frozen: serde_json::to_vec(&open).unwrap().into(),
        started_at: world.shop_wall(),
    }
}

/// Stock, seed 7: a level whose call was unknown kept its place while newer ones came, was proved absent, and was set once
/// more over what had been shipped since.
#[test]
fn what_was_overtaken_while_its_call_was_unknown_is_not_made_again() {
    let mut world = calm();
    let (mut engine, mut claim) = (engine(&world, None), claim(&world, false));
    let sequence = |sequence| Some(kernel::version::EffectiveVersion::Sequence { sequence });
    claim.delivery.version = sequence(1);
    claim.standing.routed = sequence(2);
    claim.standing.routed_position = Some(Position(9));
    let request = Request { key: String::new(), id: Some(7), action: Action::Amend, content: json!(null) };
    claim.open_attempt = Some(unanswered("amend", false, &request, &world));
    let due_at = world.shop_wall();
    claim.delivery.state = DeliveryState::Unknown { due_at, wait: Wait::Settle { not_there: 0 } };
    for _ in 0..2 {
        assert!(observes(&is_claimed(&mut engine, &world, claim.clone())));
        assert!(moves(is_observed(&mut engine, &world, &claim))[0].ended.is_none());
        is_committed(&mut engine, &world, &claim);
        world.now += 61_000_000_000;
    }
    is_claimed(&mut engine, &world, claim.clone());
    let done = moves(is_observed(&mut engine, &world, &claim));
    let state = Some(DeliveryState::Ended(Outcome::Superseded { by: Position(9) }));
    assert_eq!((done[0].begun.is_none(), &done[0].state), (true, &state), "{done:?}");
    assert_eq!(done[0].schedule.len(), 1, "it may still be carried out, and is looked for later: {done:?}");
}

/// Stock, seeds 32218 and 40352: a look showed that the call had been carried out, and that more is to be done. By then that is
/// the newer state's: what this one was routed with would put on sale what has been shipped since.
#[test]
fn what_is_compared_and_was_overtaken_is_not_gone_on_with_when_its_call_was_carried_out() {
    let world = calm();
    for (is_overtaken, goes_on) in [(true, false), (false, true)] {
        let (mut engine, mut claim) = (crate::older::engine_that_compares(&world), claim(&world, false));
        let sequence = |sequence| Some(kernel::version::EffectiveVersion::Sequence { sequence });
        claim.delivery.version = sequence(1);
        claim.standing.routed = sequence(if is_overtaken { 2 } else { 1 });
        claim.standing.routed_position = Some(Position(9));
        let request = Request { key: String::new(), id: None, action: Action::Create, content: json!(null) };
        claim.open_attempt = Some(unanswered("create", true, &request, &world));
        let due_at = world.shop_wall();
        claim.delivery.state = DeliveryState::Unknown { due_at, wait: Wait::Settle { not_there: 0 } };
        assert!(observes(&is_claimed(&mut engine, &world, claim.clone())));
        let done = moves(is_observed(&mut engine, &world, &claim));
        assert_eq!(done[0].ended.as_ref().unwrap().by_look_up, Some(true), "{done:?}");
        assert_eq!(done[0].begun.is_some(), goes_on, "{done:?}");
        let superseded = DeliveryState::Ended(Outcome::Superseded { by: Position(9) });
        assert_eq!(done[0].state == Some(superseded), !goes_on, "{done:?}");
    }
}

/// Stock, seed 46447: a call was refused when it was sent again under its key, while its first copy lay in the socket of a node
/// that slept; that one was carried out later, and nobody looked.
#[test]
fn a_refusal_of_what_was_sent_again_is_followed_by_a_last_look() {
    let world = calm();
    for was_sent_again in [true, false] {
        let (mut engine, mut claim) = (crate::older::engine_with_native_keys(&world), claim(&world, false));
        if was_sent_again {
            let request = Request { key: String::new(), id: None, action: Action::Create, content: json!(1) };
            claim.open_attempt = Some(unanswered("create", true, &request, &world));
            let due_at = world.shop_wall();
            claim.delivery.state = DeliveryState::Unknown { due_at, wait: Wait::Settle { not_there: 0 } };
        }
        let mut effects = is_claimed(&mut engine, &world, claim.clone());
        if !was_sent_again {
            let begun = moves(is_observed(&mut engine, &world, &claim));
            assert!(begun[0].begun.is_some(), "{begun:?}");
            let moved = store::delivery::Moved::Done { begun: Some(AttemptId(1)) };
            effects = step(&mut engine, &world, Event::Advanced(vec![(claim.lane.clone(), moved)]));
        }
        assert!(effects.iter().any(|effect| matches!(effect, Effect::Apply(_))), "{effects:?}");
        let refusal = Fault::new(FaultKind::Rejected, "unknown_customer", "make the customer");
        let (lane, fence) = (claim.lane.clone(), claim.fence);
        let done = moves(step(&mut engine, &world, Event::Applied { lane, fence, result: Err(refusal) }));
        assert!(matches!(done[0].state, Some(DeliveryState::Dead)), "{done:?}");
        assert_eq!(done[0].schedule.len(), usize::from(was_sent_again), "{done:?}");
    }
}

/// A thing that changes faster than a look and a call take: the newer state goes on from the look of the one that it has
/// overtaken, or none would ever be written.
#[test]
fn what_is_overtaken_between_look_and_call_leaves_its_look_to_the_newer_one() {
    let mut world = calm();
    for (waits_s, looks_again) in [(1, false), (6, true)] {
        let mut engine = crate::older::engine_that_compares(&world);
        let first = claim(&world, false);
        assert!(observes(&is_claimed(&mut engine, &world, first.clone())));
        let begun = moves(is_observed(&mut engine, &world, &first));
        assert!(begun[0].begun.is_some(), "{begun:?}");
        let lost = store::delivery::Moved::Lost;
        step(&mut engine, &world, Event::Advanced(vec![(first.lane.clone(), lost)]));
        world.now += waits_s * 1_000_000_000;
        let mut newer = claim(&world, false);
        newer.fence += 1;
        let effects = is_claimed(&mut engine, &world, newer.clone());
        assert_eq!(observes(&effects), looks_again, "{waits_s} s later: {effects:?}");
        assert_eq!(moves(effects).iter().any(|of| of.begun.is_some()), !looks_again);
    }
}
