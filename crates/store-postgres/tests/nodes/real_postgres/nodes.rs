//! What only several nodes can break: lanes shared, a fence ignored, facts lost or doubled between two commits.

use crate::support::*;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use store::Store;
use store::delivery::{DeliveryState, Moved, Outcome};
use store::log::{Appended, NewEnvelope, Routed};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_claim_side_by_side_and_share_no_lane() {
    const LANES: usize = 300;
    let database = Database::new().await;
    let schema = database.schema("claims").await;
    let (a, b) = (schema.open().await, schema.open().await);
    let orders: Vec<_> = (0..LANES).map(|n| order(&n.to_string())).collect();
    put(&a, &orders).await;
    let taken = Arc::new(AtomicUsize::new(0));
    let mut claiming = Vec::new();
    for (owner, store) in [("a", &a), ("b", &b), ("a", &a), ("b", &b)] {
        let (store, taken) = (store.clone(), taken.clone());
        claiming.push(tokio::spawn(async move {
            let mut lanes = Vec::new();
            // Lanes that the other is just looking at are passed over: nothing for now does not mean nothing left.
            while taken.load(Ordering::SeqCst) < LANES {
                let claims = claim(&store, owner, 5, 7).await;
                taken.fetch_add(claims.len(), Ordering::SeqCst);
                lanes.extend(claims.into_iter().map(|claim| (claim.lane, claim.fence)));
            }
            lanes
        }));
    }
    let (mut lanes, mut fences, mut shares) = (Vec::new(), Vec::new(), Vec::new());
    for node in claiming {
        let of_node = node.await.unwrap();
        shares.push(of_node.len());
        for (lane, fence) in of_node {
            lanes.push(lane);
            fences.push(fence);
        }
    }
    lanes.sort();
    lanes.dedup();
    fences.sort_unstable();
    fences.dedup();
    assert_eq!(
        (lanes.len(), fences.len(), shares.iter().sum::<usize>()),
        (LANES, LANES, LANES),
        "{shares:?}"
    );
    database.drop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_move_whose_commit_was_not_answered_begins_one_attempt_however_often_it_is_asked_for() {
    let database = Database::new().await;
    let schema = database.schema("again").await;
    let store = schema.open().await;
    let subject = order("1");
    put(&store, std::slice::from_ref(&subject)).await;
    let claim_ = claim(&store, "a", 2, 1).await.remove(0);
    let first = store.advance(vec![begun(&claim_, 2)]).await.unwrap();
    assert_eq!(store.advance(vec![begun(&claim_, 2)]).await.unwrap(), first, "the same attempt");
    let life = store.life(&shop(), "order:1").await.unwrap();
    assert_eq!((life.attempts.len(), life.deliveries[0].calls), (1, 1), "{life:?}");
    store.advance(vec![delivered(&claim_, 3)]).await.unwrap();
    database.drop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_only_slept_completes_nothing() {
    let database = Database::new().await;
    let schema = database.schema("fence").await;
    let asleep = schema.open().await;
    let subject = order("1");
    put(&asleep, std::slice::from_ref(&subject)).await;
    let awake = schema.open().await;
    let late = claim(&asleep, "asleep", 2, 1).await.remove(0);
    let started = asleep.advance(vec![begun(&late, 2)]).await.unwrap()[0];
    assert!(matches!(started, Moved::Done { begun: Some(_) }), "{started:?}");
    assert_eq!(claim(&awake, "awake", 61, 1).await, [], "held until its lease ends");
    let taken_over = claim(&awake, "awake", 62, 1).await.remove(0);
    assert!(taken_over.fence > late.fence);
    assert!(
        matches!(taken_over.delivery.state, DeliveryState::Unknown { .. }),
        "the first call may have arrived"
    );
    assert!(taken_over.open_attempt.is_some());
    assert_eq!(asleep.advance(vec![delivered(&late, 63)]).await.unwrap(), [Moved::Lost]);
    asleep.give_back(vec![(late.lane.clone(), late.fence, Some(at(63)))]).await.unwrap();
    let life = awake.life(&shop(), "order:1").await.unwrap();
    assert!(matches!(life.deliveries[0].state, DeliveryState::Unknown { .. }), "{:?}", life.deliveries);
    assert_eq!(awake.advance(vec![delivered(&taken_over, 64)]).await.unwrap(), [Moved::Done { begun: None }]);
    assert_eq!(asleep.advance(vec![begun(&late, 65)]).await.unwrap(), [Moved::Lost]);
    let life = asleep.life(&shop(), "order:1").await.unwrap();
    assert_eq!(life.deliveries[0].state, DeliveryState::Ended(Outcome::Delivered { note: None }));
    assert_eq!(life.attempts.len(), 1);
    database.drop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_open_appends_committed_in_reverse_lose_nothing() {
    let database = Database::new().await;
    let schema = database.schema("reverse").await;
    let (first, second) = (schema.open().await, schema.open().await);
    let warm =
        [append(&first, fact(&order("0"), "slow")).await, append(&second, fact(&order("0"), "fast")).await];
    let routed = Routed::nothing;
    first.route(warm.map(routed).to_vec(), at(1)).await.unwrap();
    // Whoever counts a fact of this topic waits, its position taken, its transaction open.
    let holder = connect(&schema.url).await;
    holder
        .batch_execute(
            "INSERT INTO topics SELECT DISTINCT t.shop, t.topic, g.slot, 0, 0 FROM topics t JOIN names n ON n.id = t.topic, \
             generate_series(0, 63) AS g (slot) WHERE n.name = 'slow' ON CONFLICT DO NOTHING; BEGIN; \
             SELECT 1 FROM topics t JOIN names n ON n.id = t.topic WHERE n.name = 'slow' FOR UPDATE OF t",
        )
        .await
        .unwrap();
    let open = {
        let first = first.clone();
        tokio::spawn(async move { append(&first, fact(&order("1"), "slow")).await })
    };
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
                   AND wait_event_type = 'Lock'";
    while schema.count(waiting).await == 0 {
        assert!(!open.is_finished(), "the first append did not wait");
    }
    let later = append(&second, fact(&order("2"), "fast")).await;
    let seen = second.unrouted(10).await.unwrap();
    assert_eq!(seen.iter().map(|one| one.envelope.position).collect::<Vec<_>>(), [later]);
    second.route(vec![routed(later)], at(2)).await.unwrap();
    holder.batch_execute("COMMIT").await.unwrap();
    let earlier = open.await.unwrap();
    assert!(earlier < later, "{earlier} was given out before {later}");
    for node in [&first, &second] {
        let left = node.unrouted(10).await.unwrap();
        assert_eq!(left.iter().map(|one| one.envelope.position).collect::<Vec<_>>(), [earlier]);
    }
    database.drop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm_of_duplicates_from_two_nodes_stores_one_of_each() {
    const IDS: u32 = 40;
    let database = Database::new().await;
    let schema = database.schema("storm").await;
    let nodes = [schema.open().await, schema.open().await];
    let mut storm = Vec::new();
    for round in 0..24_u32 {
        let store = nodes[round as usize % 2].clone();
        // Each in an order of its own, half of them beyond midnight.
        let mut copies: Vec<NewEnvelope> = (0..IDS)
            .map(|n| (n * 7 + round * 13) % IDS)
            .map(|id| copy_of(&order(&(id % 9).to_string()), id))
            .collect();
        if round % 3 == 0 {
            copies.reverse();
        }
        let midnight = at(1).as_second().div_euclid(86_400) * 86_400 + 86_400;
        for copy in &mut copies {
            let second = midnight + if round % 2 == 0 { -1 } else { 1 };
            copy.received_at = jiff::Timestamp::from_second(second).unwrap();
        }
        storm.push(tokio::spawn(async move {
            let ids: Vec<_> = copies.iter().map(|copy| copy.dedupe.unwrap()).collect();
            (ids, store.append(copies).await)
        }));
    }
    let mut stored: BTreeMap<_, usize> = BTreeMap::new();
    for batch in storm {
        let (ids, answers) = batch.await.unwrap();
        for (id, answer) in ids.into_iter().zip(answers.expect("no deadlock reaches the caller")) {
            *stored.entry(id).or_default() += usize::from(matches!(answer, Appended::Stored(_)));
        }
    }
    assert_eq!(stored.len(), IDS as usize);
    assert!(stored.values().all(|count| *count == 1), "{stored:?}");
    assert_eq!(schema.count("SELECT count(*) FROM envelopes").await, i64::from(IDS));
    let deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()";
    assert_eq!(schema.count(deadlocks).await, 0);
    database.drop().await;
}

/// Polling finds it, whatever becomes of notifications: what another node met first is known here after a moment.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_nodes_new_shop_is_taken_over_by_one_that_never_heard_of_it() {
    let database = Database::new().await;
    let schema = database.schema("new_shop").await;
    let survivor = schema.open().await;
    let dead = schema.open().await;
    put(&dead, &[order("routed")]).await;
    let unrouted = append(&dead, fact(&order("unrouted"), "orders/updated")).await;
    drop(dead);
    let take_over = async {
        while survivor.unrouted(10).await.unwrap().is_empty() {}
        claim(&survivor, "survivor", 5, 10).await
    };
    let claims = tokio::time::timeout(Duration::from_secs(20), take_over).await.expect("within seconds");
    assert_eq!(claims.iter().map(|claim| claim.delivery.subject.key()).collect::<Vec<_>>(), ["routed"]);
    let found = survivor.unrouted(10).await.unwrap();
    assert_eq!(found.iter().map(|one| one.envelope.position).collect::<Vec<_>>(), [unrouted]);
    assert!(found[0].payload.is_some());
    database.drop().await;
}
