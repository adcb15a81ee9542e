//! Cases of lanes: one holder, in order, nobody held by another's trouble.

use super::fixture::*;
use super::{AnyStore, Running, side_by_side};
use crate::delivery::{Claim, DeliveryState, Moved, NewDelivery, Outcome};
use crate::log::Routed;
use crate::port::ClaimRequest;
use kernel::envelope::Priority;
use kernel::id::FlowName;
use kernel::subject::Lane;

pub(super) async fn a_lane_is_claimed_by_one(store: AnyStore) {
    for key in ["1", "2", "3", "4"] {
        put(&store, state(&order(key), 1, 1)).await;
    }
    let owners: Vec<Running<Vec<Claim>>> = (0..6)
        .map(|owner| {
            let store = store.clone();
            let request = ClaimRequest { limit: 2, ..request(5) };
            Box::pin(async move { store.claim(request, &format!("node-{owner}")).await.unwrap() })
                as Running<Vec<Claim>>
        })
        .collect();
    let claims: Vec<Claim> = side_by_side(owners).await.into_iter().flatten().collect();
    let mut taken = keys(&claims);
    taken.sort_unstable();
    assert_eq!(taken, ["1", "2", "3", "4"]);
    assert_eq!(claim(&store, 6).await, []);
}

pub(super) async fn what_is_routed_is_claimed_along(store: AnyStore) {
    put(&store, state(&order("before"), 1, 1)).await;
    let position = append(&store, fact(&order("now"), 2)).await;
    let decision = |key: &str| Routed {
        version: Some(sequence(1)),
        about: Some(about(&order(key), 2)),
        deliveries: vec![state(&order(key), 1, 2)],
        ..Routed::nothing(position)
    };
    let nobody = ClaimRequest { system: system("wms"), ..request(5) };
    let claims = vec![nobody.clone(), request(5)];
    let claimed = store.route_and_claim(vec![decision("now")], at(2), claims, "hub").await.unwrap();
    let of: Vec<(&str, Vec<&str>)> = claimed.iter().map(|(of, claims)| (of.as_str(), keys(claims))).collect();
    assert_eq!(of, [("wms", vec![]), ("erp", vec!["before", "now"])]);
    assert_eq!(claim(&store, 6).await, [], "they are held");
    assert_eq!(claimed[1].1[1].payload, Some(fact(&order("now"), 2).payload));
    begun(&store, &claimed[1].1[1], 6).await;
    // Routed already: passed over, and nothing else is there to claim.
    let again = store.route_and_claim(vec![decision("other")], at(3), vec![request(7)], "hub").await.unwrap();
    assert_eq!(again, [(erp(), vec![])]);
}

pub(super) async fn a_lease_that_ended_is_taken_over_and_fenced(store: AnyStore) {
    put(&store, state(&order("1"), 1, 1)).await;
    let late = take(&store, 5).await;
    assert_eq!(claim(&store, 64).await, []);
    let new = take(&store, 65).await;
    assert!(new.fence > late.fence);
    assert_eq!(advance(&store, begin(&late, 66)).await, Moved::Lost);
    assert_eq!(advance(&store, to(&late, 66, delivered())).await, Moved::Lost);
    store.give_back(vec![(late.lane.clone(), late.fence, None)]).await.unwrap();
    assert_eq!(claim(&store, 67).await, [], "an old fence gives nothing back");
    begun(&store, &new, 67).await;
    assert_eq!(words(&store, &order("1")).await, ["unknown"]);
}

pub(super) async fn a_move_renews_the_lease(store: AnyStore) {
    put(&store, state(&order("1"), 1, 1)).await;
    let first = take(&store, 5).await;
    begun(&store, &first, 50).await;
    assert_eq!(claim(&store, 100).await, [], "renewed until 110");
    assert_eq!(take(&store, 110).await.delivery.id, first.delivery.id);
}

pub(super) async fn the_best_priority_goes_first_then_the_longest_due(store: AnyStore) {
    let rows = [
        ("backfill", Priority::Backfill, 1),
        ("late", Priority::Live, 8),
        ("sweep", Priority::Sweep, 2),
        ("early", Priority::Live, 3),
        ("not yet", Priority::Live, 90),
    ];
    for (key, priority, due_at) in rows {
        put(&store, NewDelivery { priority, ..state(&order(key), 1, due_at) }).await;
    }
    let two = store.claim(ClaimRequest { limit: 2, ..request(10) }, "hub").await.unwrap();
    assert_eq!(keys(&two), ["early", "late"]);
    assert_eq!(keys(&claim(&store, 10).await), ["sweep", "backfill"]);
}

pub(super) async fn flows_and_lanes_are_passed_over(store: AnyStore) {
    let other = FlowName::new("orders_to_erp_b2b").unwrap();
    put(&store, state(&order("1"), 1, 1)).await;
    put(&store, state(&order("2"), 1, 2)).await;
    put(&store, NewDelivery { flow: other.clone(), ..state(&order("3"), 1, 3) }).await;
    // A lane that two flows share.
    put(&store, state(&order("4"), 1, 4)).await;
    put(&store, NewDelivery { flow: other.clone(), ..state(&order("4"), 1, 5) }).await;
    let except = ClaimRequest {
        except_flows: vec![flow()],
        except_lanes: vec![Lane::of(&order("3"), &erp())],
        ..request(10)
    };
    let claims = store.claim(except, "hub").await.unwrap();
    assert_eq!(keys(&claims), ["4"]);
    assert_eq!(claims[0].delivery.flow, other);
    assert_eq!(keys(&claim(&store, 10).await), ["1", "2", "3"]);
    let elsewhere = ClaimRequest { system: system("wms"), ..request(10) };
    assert_eq!(store.claim(elsewhere, "hub").await.unwrap(), []);
}

pub(super) async fn a_lane_goes_in_order(store: AnyStore) {
    let subject = order("1");
    let (first, second) = (subject.child("refund", "1"), subject.child("refund", "2"));
    put(&store, event(&first, 1)).await;
    put(&store, event(&second, 1)).await;
    put(&store, state(&subject, 1, 2)).await;
    let mut order_of_delivery = Vec::new();
    for second in 10..13 {
        let claim = take(&store, second).await;
        order_of_delivery.push(claim.delivery.subject.clone());
        done(&store, to(&claim, second, delivered())).await;
    }
    assert_eq!(order_of_delivery, [subject, first, second]);
    assert_eq!(claim(&store, 20).await, []);
}

pub(super) async fn a_dead_event_holds_later_events_only(store: AnyStore) {
    let subject = order("1");
    put(&store, event(&subject.child("refund", "1"), 1)).await;
    put(&store, event(&subject.child("refund", "2"), 1)).await;
    let first = take(&store, 5).await;
    done(&store, to_dead(&first, 5, fault("closed_period"))).await;
    assert_eq!(claim(&store, 6).await, []);
    put(&store, state(&subject, 1, 7)).await;
    let state = take(&store, 8).await;
    assert_eq!(state.delivery.subject, subject);
    done(&store, to(&state, 8, delivered())).await;
    assert_eq!(store.skip(only(first.delivery.id), person()).await.unwrap(), 1);
    assert_eq!(take(&store, 9).await.delivery.subject, subject.child("refund", "2"));
}

pub(super) async fn another_lane_is_not_held(store: AnyStore) {
    put(&store, dead(&order("1"), 1, fault("bad"))).await;
    put(&store, state(&order("2"), 1, 1)).await;
    let unknown = take(&store, 2).await;
    begun(&store, &unknown, 2).await;
    put(&store, state(&order("3"), 1, 1)).await;
    put(&store, NewDelivery { lane: Lane::of(&order("2"), &system("oms")), ..state(&order("2"), 1, 1) })
        .await;
    assert_eq!(take(&store, 3).await.delivery.subject, order("3"));
    let oms = ClaimRequest { system: system("oms"), ..request(3) };
    assert_eq!(store.claim(oms, "hub").await.unwrap().len(), 1);
}

pub(super) async fn a_lane_is_given_back(store: AnyStore) {
    put(&store, state(&order("1"), 1, 1)).await;
    let first = take(&store, 5).await;
    store.give_back(vec![(first.lane.clone(), first.fence, None)]).await.unwrap();
    let second = take(&store, 5).await;
    assert_eq!(second.delivery, first.delivery);
    store.give_back(vec![(second.lane.clone(), second.fence, Some(at(30)))]).await.unwrap();
    assert_eq!(claim(&store, 29).await, []);
    assert_eq!(take(&store, 30).await.delivery.id, first.delivery.id);
}

pub(super) async fn next_due_is_that_of_free_lanes(store: AnyStore) {
    assert!(store.next_due().await.unwrap().is_empty());
    put(&store, state(&order("1"), 1, 20)).await;
    put(&store, state(&order("2"), 1, 10)).await;
    put(&store, read(&order("3"), 40)).await;
    let next = store.next_due().await.unwrap();
    assert_eq!(next.into_iter().collect::<Vec<_>>(), [(erp(), at(10)), (system("shopify"), at(40))]);
    let claim = take(&store, 10).await;
    assert_eq!(store.next_due().await.unwrap()[&erp()], at(20));
    done(&store, to(&claim, 10, due(15))).await;
    assert_eq!(store.next_due().await.unwrap()[&erp()], at(15));
}

/// What shares its units with a level is read because of it (a bundle), and lies in a lane of its own.
pub(super) async fn a_read_may_be_of_another_root_than_its_fact(store: AnyStore) {
    let (level, first) = (order("5678"), order("9"));
    let (bundle, other) = (first.child("line", "1"), first.child("line", "2"));
    for second in 1..3 {
        let position = append(&store, fact(&level, second)).await;
        // Once for however many facts wait.
        route(&store, position, vec![state(&level, second, 1), read(&bundle, 1), read(&other, 1)]).await;
    }
    let source = ClaimRequest { system: system("shopify"), ..request(5) };
    for read in [&bundle, &other] {
        let mut claims = store.claim(source.clone(), "hub").await.unwrap();
        assert_eq!(claims.len(), 1, "one lane for both: {claims:?}");
        let claim = claims.remove(0);
        assert_eq!((&claim.delivery.subject, &claim.envelope.subject), (read, &level));
        assert!(claim.payload.is_some(), "the fact's own payload, under the key of its root");
        if read == &bundle {
            // The level changes once more, while the first is read: that one may miss it, the one that waits does not.
            let position = append(&store, fact(&level, 3)).await;
            let again = [read, &other].map(|read| NewDelivery { changed_at: at(4), ..self::read(read, 4) });
            route(&store, position, again.into()).await;
        }
        let mut step = step(&claim, 5);
        step.state = Some(DeliveryState::Ended(Outcome::Read { found: true }));
        step.follow_ups = vec![fact(read, 6)];
        store.advance(vec![step]).await.unwrap();
    }
    let once_more = store.claim(source.clone(), "hub").await.unwrap();
    assert_eq!(once_more.len(), 1, "{once_more:?}");
    assert_eq!(once_more[0].delivery.subject, bundle);
    store
        .advance(vec![to(&once_more[0], 7, DeliveryState::Ended(Outcome::Read { found: false }))])
        .await
        .unwrap();
    assert_eq!(store.claim(source, "hub").await.unwrap(), [], "the other one was waiting, and is read once");
    let unrouted = store.unrouted(10).await.unwrap();
    let subjects: Vec<_> = unrouted.iter().map(|item| &item.envelope.subject).collect();
    assert_eq!(subjects, [&bundle, &other]);
    assert!(unrouted.iter().all(|item| item.payload.is_some()));
    assert_eq!(take(&store, 5).await.delivery.subject, level);
}
