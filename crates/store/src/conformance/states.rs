//! Cases of supersession: only the newest state counts, and nothing is overtaken while its answer is unknown.

use super::AnyStore;
use super::fixture::*;
use crate::delivery::{DeliveryState, Move, Moved, NewDelivery, Outcome, Wait};
use crate::port::ClaimRequest;
use crate::query::DeliveryFilter;
use kernel::envelope::Priority;

pub(super) async fn a_newer_state_supersedes_those_that_wait(store: AnyStore) {
    let subject = order("1");
    put(&store, state(&subject, 1, 1)).await;
    put(&store, state(&order("2"), 1, 1)).await;
    let newest = put(&store, state(&subject, 2, 2)).await;
    let superseded = DeliveryState::Ended(Outcome::Superseded { by: newest });
    assert_eq!(states(&store, &subject).await, [superseded, due(2)]);
    let claims = claim(&store, 5).await;
    assert_eq!(keys(&claims), ["2", "1"]);
    assert_eq!(claims[1].delivery.version, Some(sequence(2)));
}

pub(super) async fn a_newer_state_heals_a_dead_one(store: AnyStore) {
    let subject = order("1");
    put(&store, dead(&subject, 1, fault("unknown_item").missing("item", "SKU-1"))).await;
    put(&store, state(&subject, 2, 2)).await;
    assert_eq!(words(&store, &subject).await, ["superseded", "waiting"]);
    let all = DeliveryFilter::default;
    assert_eq!(store.dead_letters(all(), false).await.unwrap(), []);
    let closed = store.dead_letters(all(), true).await.unwrap().remove(0).closed.unwrap();
    assert_eq!(closed.who, "tidegate");
    assert!(closed.why.contains("newer state"), "{}", closed.why);
    assert_eq!(store.awaited(None, 10).await.unwrap(), [], "nobody waits for the SKU");
}

pub(super) async fn the_highest_priority_is_taken_over(store: AnyStore) {
    let subject = order("1");
    put(&store, state(&subject, 1, 1)).await;
    put(&store, NewDelivery { priority: Priority::Backfill, ..state(&subject, 2, 2) }).await;
    put(&store, NewDelivery { priority: Priority::Sweep, ..state(&order("2"), 1, 1) }).await;
    let claims = claim(&store, 5).await;
    assert_eq!(keys(&claims), ["1", "2"]);
    assert_eq!(claims[0].delivery.priority, Priority::Live);
}

pub(super) async fn nothing_is_superseded_while_it_is_unknown(store: AnyStore) {
    let subject = order("1");
    put(&store, state(&subject, 1, 1)).await;
    let claim_ = take(&store, 2).await;
    begun(&store, &claim_, 2).await;
    put(&store, state(&subject, 2, 3)).await;
    put(&store, state(&subject, 3, 4)).await;
    assert_eq!(words(&store, &subject).await, ["unknown", "superseded", "waiting"]);
    assert_eq!(store.skip(only(claim_.delivery.id), person()).await.unwrap(), 0);
}

pub(super) async fn an_unknown_one_that_fails_gives_way_to_the_newer(store: AnyStore) {
    for give_up in [false, true] {
        let subject = order(if give_up { "dead" } else { "waiting" });
        put(&store, state(&subject, 1, 1)).await;
        let claim = take(&store, 2).await;
        let attempt = begun(&store, &claim, 2).await;
        let newer = put(&store, state(&subject, 2, 3)).await;
        let left = match give_up {
            true => to_dead(&claim, 5, fault("bad")),
            false => to(&claim, 5, due(6)),
        };
        done(&store, Move { ended: answered(attempt, 5, Some(fault("bad"))), ..left }).await;
        let superseded = DeliveryState::Ended(Outcome::Superseded { by: newer });
        assert_eq!(states(&store, &subject).await, [superseded, due(3)]);
        let next = take(&store, 5).await;
        assert_eq!(next.delivery.version, Some(sequence(2)));
        done(&store, to(&next, 6, delivered())).await;
    }
    assert_eq!(store.dead_letter_groups().await.unwrap(), []);
}

pub(super) async fn an_unknown_one_that_is_found_stays_delivered(store: AnyStore) {
    let subject = order("1");
    put(&store, state(&subject, 1, 1)).await;
    let claim = take(&store, 2).await;
    begun(&store, &claim, 2).await;
    put(&store, state(&subject, 2, 3)).await;
    done(&store, to(&claim, 5, delivered())).await;
    assert_eq!(words(&store, &subject).await, ["delivered", "waiting"]);
}

pub(super) async fn a_claimed_state_that_was_superseded_is_not_begun(store: AnyStore) {
    let subject = order("1");
    put(&store, state(&subject, 1, 1)).await;
    let old = take(&store, 2).await;
    put(&store, state(&subject, 2, 2)).await;
    assert_eq!(claim(&store, 3).await, [], "the lane is still held");
    assert_eq!(advance(&store, begin(&old, 3)).await, Moved::Lost);
    let new = take(&store, 3).await;
    assert_eq!(new.delivery.version, Some(sequence(2)));
    assert!(!new.standing.attempted);
}

pub(super) async fn events_are_never_superseded(store: AnyStore) {
    let subject = order("1");
    put(&store, event(&subject.child("refund", "1"), 1)).await;
    put(&store, event(&subject.child("refund", "2"), 1)).await;
    put(&store, state(&subject, 1, 1)).await;
    put(&store, state(&subject, 2, 1)).await;
    assert_eq!(words(&store, &subject).await, ["waiting", "waiting", "superseded", "waiting"]);
}

pub(super) async fn a_second_read_joins_the_one_that_waits(store: AnyStore) {
    let subject = order("1");
    put(&store, NewDelivery { priority: Priority::Backfill, ..read(&subject, 1) }).await;
    put(&store, read(&subject, 2)).await;
    let life = store.life(&shop(), "order:1").await.unwrap();
    assert_eq!(life.deliveries.len(), 1);
    assert_eq!(life.deliveries[0].priority, Priority::Live);
}

pub(super) async fn a_read_under_way_does_not_absorb_a_newer_one(store: AnyStore) {
    let subject = order("1");
    put(&store, read(&subject, 1)).await;
    let at_source = ClaimRequest { system: system("shopify"), ..request(2) };
    let under_way = store.claim(at_source, "hub").await.unwrap().remove(0);
    put(&store, read(&subject, 3)).await;
    done(&store, to(&under_way, 4, DeliveryState::Ended(Outcome::Read { found: true }))).await;
    assert_eq!(words(&store, &subject).await, ["read", "waiting"]);
    let waits = DeliveryState::Waiting { due_at: None, wait: Wait::Condition { text: "paid".into() } };
    put(&store, NewDelivery { state: waits, ..state(&subject, 1, 1) }).await;
    append(&store, fact(&subject, 9)).await;
    let standing = store.unrouted(1).await.unwrap().remove(0).standings.remove(0).1;
    assert!(standing.reading && standing.waiting_condition);
}
