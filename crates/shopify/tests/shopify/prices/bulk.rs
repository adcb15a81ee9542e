//! Many prices: in bulk.

use super::{charged, list, many, options, run, sent, shop};
use domains::prices::Wanted;
use std::time::Duration;
use tidegate_shopify::prices::{Options, Written};
use twin::shop::catalogue::generated;
use twin::shopify::{BulkFault, Plan as ShopPlan};

const ITEMS: u32 = 1_000;

/// Three lists of four lines each, of which two fit a file.
pub(super) fn lists() -> Vec<Wanted> {
    (1..=3).map(|location| list(&format!("l{location}"), &[location], many(ITEMS))).collect()
}

pub(super) fn in_bulk() -> Options {
    Options {
        direct_max: 10,
        paged_max: 100,
        file_bytes_max: 80_000,
        at_once: 2,
        within: Duration::from_secs(3 * 3600),
        ..options()
    }
}

#[tokio::test]
async fn many_prices_are_written_in_bulk_and_read_back() {
    let (twin, client) = shop(ITEMS, ShopPlan::Plus).await;
    let done = run(&client, &lists(), &in_bulk()).await;
    assert_eq!((done.unsettled, done.refused.as_slice(), done.notes.as_slice()), (0, &[][..], &[][..]));
    assert!(done.plan.in_bulk);
    let Written { operations, lines, .. } = done.written;
    assert_eq!((operations, lines), (6, 12));
    let counts = twin.price_counts();
    assert_eq!((counts.prices_set, counts.prices_set_again, counts.writes), (3_000, 0, 12));
    for location in 1..=3 {
        assert_eq!(charged(&twin, location, &generated::sku(ITEMS), 1).0, "7.00");
        assert_eq!(charged(&twin, location, &generated::sku(399), 1).0, "8.99");
    }
    let again = run(&client, &lists(), &in_bulk()).await;
    assert_eq!((sent(&again), again.plan.counts().same), (Written::default(), 3_000));
}

#[tokio::test]
async fn an_operation_that_runs_out_of_time_or_hangs_is_made_good() {
    for fault in [BulkFault::TimeOut { after: 1 }, BulkFault::Hang { after: 1 }] {
        let (twin, client) = shop(ITEMS, ShopPlan::Plus).await;
        // The first three are reads: catalogs, variants; the third is a write.
        twin.order_bulk_fault(BulkFault::TimeOut { after: u64::MAX });
        twin.order_bulk_fault(BulkFault::TimeOut { after: u64::MAX });
        twin.order_bulk_fault(fault);
        // One that hangs is given up after the time that it has; the shop's clock runs ahead of its work here.
        let done = run(&client, &lists(), &in_bulk()).await;
        assert_eq!((done.unsettled, done.refused.as_slice()), (0, &[][..]), "{fault:?}");
        assert_eq!(done.notes.len(), 1, "{:?}", done.notes);
        let counts = twin.price_counts();
        assert_eq!(
            (counts.prices_set, counts.prices_set_again),
            (3_000, 0),
            "{fault:?}: nothing was written twice"
        );
        assert_eq!(charged(&twin, 1, &generated::sku(1), 1).0, "5.01");
    }
}
