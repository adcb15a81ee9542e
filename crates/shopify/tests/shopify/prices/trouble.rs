//! What goes wrong: a run that is killed, answers that are lost.

use super::bulk::{in_bulk, lists};
use super::{charged, list, many, options, run, shop};
use crate::support::call;
use std::sync::Arc;
use tidegate_shopify::prices::{Progress, hydrate};
use tokio::sync::Notify;
use twin::shop::catalogue::generated;
use twin::shopify::{ApiFault, BulkFault, Plan as ShopPlan};

/// Killed once it writes, with a write in bulk at Shopify that has not ended: the next run waits for it, writes what is left,
/// and nothing twice.
#[tokio::test]
async fn a_run_that_was_killed_goes_on_and_writes_nothing_twice() {
    let (twin, client) = shop(1_000, ShopPlan::Plus).await;
    for _ in 0..3 {
        twin.order_bulk_fault(BulkFault::TimeOut { after: u64::MAX });
    }
    twin.order_bulk_fault(BulkFault::Hang { after: 1 });
    let (writing, other) = (Arc::new(Notify::new()), client.clone());
    let told = writing.clone();
    let killed = tokio::spawn(async move {
        let mut tell = |progress: &Progress<'_>| {
            if matches!(progress, Progress::Writing { done, .. } if *done > 0) {
                told.notify_one();
            }
        };
        hydrate(&other, &call(), &lists(), &in_bulk(), &mut tell).await
    });
    writing.notified().await;
    killed.abort();
    assert!(killed.await.is_err_and(|error| error.is_cancelled()));
    let before = twin.price_counts().prices_set;
    assert!((250..3_000).contains(&before), "killed in the middle: {before}");
    let mut waited = 0;
    let mut tell =
        |progress: &Progress<'_>| waited += u32::from(matches!(progress, Progress::Waiting { .. }));
    let done = hydrate(&client, &call(), &lists(), &in_bulk(), &mut tell).await.unwrap();
    assert_eq!((done.unsettled, done.refused.as_slice()), (0, &[][..]));
    assert!(waited > 0, "what the first run began is waited for");
    let counts = twin.price_counts();
    assert_eq!((counts.prices_set, counts.prices_set_again), (3_000, 0));
    assert_eq!(charged(&twin, 3, &generated::sku(1), 1).0, "5.01");
}

/// Killed call by call.
#[tokio::test]
async fn a_run_that_was_killed_between_two_calls_goes_on() {
    let (twin, client) = shop(2_000, ShopPlan::Plus).await;
    let wanted = || vec![list("l", &[1], many(2_000))];
    let writing = Arc::new(Notify::new());
    let (told, other) = (writing.clone(), client.clone());
    let killed = tokio::spawn(async move {
        let mut tell = |progress: &Progress<'_>| {
            if matches!(progress, Progress::Writing { done: 3, .. }) {
                told.notify_one();
            }
        };
        hydrate(&other, &call(), &wanted(), &options(), &mut tell).await
    });
    writing.notified().await;
    killed.abort();
    let _ = killed.await;
    let done = run(&client, &[list("l", &[1], many(2_000))], &options()).await;
    assert_eq!(done.unsettled, 0);
    let counts = twin.price_counts();
    assert_eq!((counts.prices_set, counts.prices_set_again), (2_000, 0));
    assert_eq!(charged(&twin, 1, &generated::sku(2_000), 1).0, "5.00");
}

/// Carried out and not answered, for each kind of write: it is looked at again, and nothing is made or written twice.
#[tokio::test]
async fn a_lost_answer_is_found_out_by_looking() {
    for (field, fault) in [
        ("priceListCreate", ApiFault::CutOff),
        ("catalogCreate", ApiFault::ErrorAfter),
        ("priceListFixedPricesUpdate", ApiFault::CutOff),
        ("priceListFixedPricesUpdate", ApiFault::ErrorBefore),
        ("bulkOperationRunMutation", ApiFault::CutOff),
        ("catalogUpdate", ApiFault::CutOff),
        ("catalogUpdate", ApiFault::ErrorBefore),
    ] {
        let (twin, client) = shop(600, ShopPlan::Plus).await;
        twin.turn_faults(|faults| faults.only = [field.to_owned()].into());
        twin.fail_next(fault);
        let mut how = options();
        how.direct_max = if field.starts_with("bulk") { 0 } else { 100 };
        let done = run(&client, &[list("l", &[1], many(600))], &how).await;
        assert_eq!((done.unsettled, done.refused.as_slice()), (0, &[][..]), "{field}");
        let counts = twin.price_counts();
        assert_eq!((counts.prices_set, counts.prices_set_again), (600, 0), "{field}");
        let again = run(&client, &[list("l", &[1], many(600))], &options()).await;
        assert!(again.plan.catalogs.len() == 1 && again.plan.calls() == 0, "{field}");
        assert_eq!(charged(&twin, 1, &generated::sku(600), 1).0, "7.00", "{field}");
        assert_eq!(twin.charged(1, "EUR", &generated::sku(600), 1).unwrap().offers.len(), 1, "{field}");
    }
}
