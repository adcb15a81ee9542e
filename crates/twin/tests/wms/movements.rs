//! Movements of chance: the same of the same seed, and never of what is not there.

use crate::{config, truth, warehouse};
use tidegate_twin::wms::{WmsConfig, WmsTwin};

async fn stirred(seed: u64) -> WmsTwin {
    let wms = WmsTwin::start(WmsConfig { seed, generated: 100, on_hand: (0, 40), ..config() }).await.unwrap();
    wms.stir(5_000);
    wms
}

#[tokio::test]
async fn the_same_seed_moves_the_same_goods_and_promises_none_that_are_not_there() {
    let wms = stirred(7).await;
    let rows = wms.all_stock();
    assert_eq!(rows, stirred(7).await.all_stock());
    assert_ne!(rows, stirred(8).await.all_stock());
    let ledger = wms.ledger();
    let versions: u64 = rows.iter().map(|row| row.truth.version - 1).sum();
    assert_eq!(versions, ledger.counts.changes, "each change is one version of one pair");
    assert_eq!(ledger.position, rows.len() as u64 + ledger.counts.changes);
    assert!(rows.iter().all(|row| row.truth.on_hand >= 0 && row.truth.counted == 0));
    let counts = ledger.counts;
    assert!(
        counts.receipts > 0 && counts.picks > 0 && counts.holds > 0 && counts.corrections > 0,
        "{counts:?}"
    );
    assert_eq!(counts.oversold, 0);
}

#[tokio::test]
async fn a_sale_moves_the_hottest_pairs() {
    let wms = WmsTwin::start(WmsConfig { generated: 980, ..config() }).await.unwrap();
    wms.turn(|knobs| knobs.hot_per_mille = 900);
    wms.stir(2_000);
    let rows = wms.all_stock();
    let moved =
        |rows: &[tidegate_twin::wms::TruthRow]| rows.iter().map(|row| row.truth.version - 1).sum::<u64>();
    assert!(moved(&rows[..20]) > 3 * moved(&rows[20..]), "{} {}", moved(&rows[..20]), moved(&rows[20..]));
}

#[tokio::test]
async fn what_changes_nothing_is_no_change() {
    let wms = warehouse().await;
    wms.correct("SKU-0001", "WH-1", 10).unwrap();
    wms.pick("SKU-0001", "WH-1", 0).unwrap();
    assert_eq!(truth(&wms, "SKU-0001", "WH-1"), (10, 0, 0, 1));
    wms.pick("SKU-0001", "WH-1", 99).unwrap();
    assert_eq!(truth(&wms, "SKU-0001", "WH-1"), (0, 0, 0, 2));
    assert_eq!(wms.pick("SKU-0001", "WH-7", 1).unwrap_err().code, "unknown_item");
}
