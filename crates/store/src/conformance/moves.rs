//! Cases of moves: one commit with all that an outcome implies, and attempts that outlive the process.

use super::AnyStore;
use super::fixture::*;
use crate::delivery::{DeliveryKind, DeliveryState, Move, Moved, NewDelivery, Wait};
use crate::log::Appended;
use kernel::id::FlowName;

pub(super) async fn a_move_does_all_or_nothing(store: AnyStore) {
    let subject = order("1");
    put(&store, state(&subject, 1, 1)).await;
    let claim = take(&store, 2).await;
    let attempt = begun(&store, &claim, 2).await;
    let number = fact(&subject.child("erp_number", "SO-1"), 4);
    let whole = Move {
        ended: answered(attempt, 4, None),
        state: Some(delivered()),
        external: Some(link(&subject, "17")),
        delivered: Some((Some(sequence(1)), [5; 32])),
        follow_ups: vec![number],
        schedule: vec![NewDelivery { kind: DeliveryKind::Step, ..state(&subject, 1, 900) }],
        ..step(&claim, 4)
    };
    let lost = Move { fence: claim.fence + 1, ..whole.clone() };
    assert_eq!(store.advance(vec![lost, whole]).await.unwrap(), [Moved::Lost, Moved::Done { begun: None }]);
    assert_eq!(words(&store, &subject).await, ["delivered", "waiting"]);
    let life = store.life(&shop(), "order:1").await.unwrap();
    assert_eq!(life.external, [(erp(), subject.clone(), link(&subject, "17"))]);
    assert_eq!(life.envelopes.len(), 2);
    assert_eq!((life.attempts.len(), life.attempts[0].ended_at), (1, Some(at(4))));
    let confirm = take(&store, 900).await;
    assert_eq!((confirm.delivery.kind, confirm.envelope.subject), (DeliveryKind::Step, subject));
    assert_eq!(confirm.standing.delivered, Some(sequence(1)));
    assert_eq!(confirm.standing.delivered_digest, Some([5; 32]));
    assert_eq!(confirm.standing.external.map(|link| link.id), Some("17".into()));
    assert!(confirm.standing.attempted);
}

pub(super) async fn a_begun_attempt_survives_as_unknown(store: AnyStore) {
    let subject = order("1");
    put(&store, state(&subject, 1, 1)).await;
    put(&store, state(&order("2"), 1, 1)).await;
    let claims = claim(&store, 2).await;
    let attempt = begun(&store, &claims[0], 2).await;
    assert_eq!(store.begin_epoch("hub", at(3)).await.unwrap(), 1);
    let again = claim(&store, 3).await;
    assert_eq!(again.len(), 2, "both lanes are free again");
    let unknown = again.iter().find(|claim| claim.delivery.subject == subject).unwrap();
    assert!(matches!(unknown.delivery.state, DeliveryState::Unknown { .. }));
    assert_eq!(unknown.delivery.calls, 1);
    let open = unknown.open_attempt.as_ref().unwrap();
    assert_eq!((open.id, open.step.as_str(), open.started_at), (attempt, "create", at(2)));
    assert_eq!(&open.frozen[..], b"{\"frozen\":\"call\"}");
    assert!(unknown.standing.attempted);
    assert_eq!(advance(&store, begin(&claims[0], 4)).await, Moved::Lost, "the earlier life is fenced");
    let other = again.iter().find(|claim| claim.delivery.subject != subject).unwrap();
    assert!(other.open_attempt.is_none() && !other.standing.attempted);
}

pub(super) async fn an_unknown_one_holds_its_lane_until_its_look_up(store: AnyStore) {
    let subject = order("1");
    put(&store, state(&subject, 1, 1)).await;
    let claim_ = take(&store, 2).await;
    begun(&store, &claim_, 2).await;
    let wait = Wait::Settle { not_there: 1 };
    done(&store, to(&claim_, 3, DeliveryState::Unknown { due_at: at(90), wait: wait.clone() })).await;
    put(&store, event(&subject.child("refund", "1"), 4)).await;
    put(&store, state(&subject, 2, 4)).await;
    assert_eq!(claim(&store, 89).await, []);
    assert_eq!(store.next_due().await.unwrap()[&erp()], at(90));
    let look_up = take(&store, 90).await;
    assert_eq!(look_up.delivery.state, DeliveryState::Unknown { due_at: at(90), wait });
    assert!(look_up.open_attempt.is_some());
}

pub(super) async fn a_call_key_number_is_never_used_twice(store: AnyStore) {
    let subject = order("1");
    put(&store, state(&subject, 1, 1)).await;
    let first = take(&store, 2).await;
    let attempt = begun(&store, &first, 2).await;
    let failed = Move { ended: answered(attempt, 3, Some(fault("http_502"))), ..to(&first, 3, due(10)) };
    done(&store, Move { spent: 1, failures: 2, ..failed }).await;
    let second = take(&store, 10).await;
    let delivery = &second.delivery;
    assert_eq!((delivery.calls, delivery.spent, delivery.failures), (1, 1, 2));
    begun(&store, &second, 10).await;
    store.begin_epoch("hub", at(11)).await.unwrap();
    assert_eq!(take(&store, 11).await.delivery.calls, 2);
}

pub(super) async fn follow_ups_are_deduplicated(store: AnyStore) {
    put(&store, state(&order("1"), 1, 1)).await;
    let claim = take(&store, 2).await;
    let mut follow_up = fact(&order("1"), 3);
    follow_up.dedupe = Some(dedupe(1));
    done(&store, Move { follow_ups: vec![follow_up.clone(), follow_up.clone()], ..step(&claim, 3) }).await;
    assert_eq!(store.log_size().await.unwrap().unrouted, 1);
    let again = store.append(vec![follow_up]).await.unwrap();
    assert_eq!(again, [Appended::Duplicate { same_body: true }]);
}

/// What the engine keeps in place of a digest, and the fact that it tells, with the move that ends in a dead letter.
pub(super) async fn what_a_dead_letter_says_of_its_subject_is_kept_and_told(store: AnyStore) {
    let subject = order("1");
    put(&store, state(&subject, 1, 1)).await;
    let claim = take(&store, 2).await;
    let told = fact(&subject.child("refusal", "orders_to_erp"), 3);
    let dies = Move {
        delivered: Some((None, [0; 32])),
        follow_ups: vec![told],
        ..to_dead(&claim, 3, fault("no_stock"))
    };
    let lost = Move { fence: claim.fence + 1, ..dies.clone() };
    assert_eq!(store.advance(vec![lost]).await.unwrap(), [Moved::Lost]);
    assert_eq!(store.log_size().await.unwrap().unrouted, 0);
    done(&store, dies).await;
    assert_eq!(store.log_size().await.unwrap().unrouted, 1);
    put(&store, state(&subject, 2, 4)).await;
    let newer = take(&store, 5).await.standing;
    assert_eq!((newer.delivered, newer.delivered_digest), (None, Some([0; 32])));
}

pub(super) async fn a_later_step_is_that_of_the_newest_state(store: AnyStore) {
    let subject = order("1");
    let confirm = NewDelivery { kind: DeliveryKind::Step, ..state(&subject, 1, 900) };
    for version in 1..=2 {
        put(&store, state(&subject, version, 1)).await;
        let claim = take(&store, 2).await;
        let later = NewDelivery { version: Some(sequence(version)), ..confirm.clone() };
        done(&store, Move { schedule: vec![later], ..to(&claim, 3, delivered()) }).await;
    }
    assert_eq!(words(&store, &subject).await, ["delivered", "superseded", "delivered", "waiting"]);
    let step = take(&store, 900).await.delivery;
    assert_eq!((step.kind, step.version), (DeliveryKind::Step, Some(sequence(2))));
}

pub(super) async fn an_ended_delivery_is_not_moved_on(store: AnyStore) {
    let subject = order("1");
    put(&store, state(&subject, 1, 1)).await;
    let claim = take(&store, 2).await;
    store.skip(only(claim.delivery.id), person()).await.unwrap();
    done(&store, to(&claim, 3, due(9))).await;
    assert_eq!(words(&store, &subject).await, ["skipped"]);
    assert_eq!(super::fixture::claim(&store, 10).await, []);
}

pub(super) async fn links_are_shared_by_flows_of_one_target(store: AnyStore) {
    let subject = order("1");
    put(&store, state(&subject, 1, 1)).await;
    let claim = take(&store, 2).await;
    done(&store, Move { external: Some(link(&subject, "17")), ..to(&claim, 3, delivered()) }).await;
    let other = FlowName::new("order_changes").unwrap();
    put(&store, NewDelivery { flow: other, ..state(&subject, 1, 4) }).await;
    assert_eq!(take(&store, 5).await.standing.external, Some(link(&subject, "17")));
}
