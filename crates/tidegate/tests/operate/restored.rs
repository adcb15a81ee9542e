//! A backup put back while orders keep coming: what was exported since is not made again, what came since is not lost.

use crate::folder::Folder;
use crate::hub::{Hub, until};
use crate::patience::{comes, eventually};
use crate::twins::{Twins, get};
use serde_json::Value;

/// Orders of a shop that does not stop for a restore.
const ORDERS: usize = 40;
/// In a minute: they come for six seconds, about as long as the test needs to its restore.
const PACE: &str = "600";

/// Everything is found by asking the shop, and the look-alike of the ERP is through with a request at once.
const SETTINGS: [&str; 3] =
    ["flows.orders_to_erp.intake=poll", "flows.orders_to_erp.sweep.every=1s", "systems.erp.settle_after=2s"];

/// Until the ERP has so many orders.
fn until_made(twins: &Twins, wanted: u64) {
    let made = || get(&twins.erp_url, "/twin/ledger")["references"].as_u64().unwrap();
    assert!(comes(|| made() >= wanted), "the ERP never had {wanted} orders, but {}", made());
}

#[test]
fn a_backup_put_back_under_traffic_makes_no_order_twice_and_loses_none() {
    let twins = Twins::busy(ORDERS, PACE);
    let folder = Folder::between(&twins.shop_url, &twins.erp_url);
    let hub = Hub::start_with(&folder, &SETTINGS);
    until_made(&twins, 8);
    folder.json(&["backup", "copy.db"]);
    let at_backup = get(&twins.erp_url, "/twin/ledger")["references"].as_u64().unwrap();
    // Exported after the backup: the store that is put back knows nothing of these.
    until_made(&twins, at_backup + 12);
    hub.kill();

    let restored = folder.json(&["restore", "--from", "copy.db", "--why", "somebody deleted too much"]);
    assert_eq!(restored["epoch"], 2, "{restored}");
    assert!(
        folder
            .path("data")
            .read_dir()
            .unwrap()
            .flatten()
            .any(|file| { file.file_name().to_string_lossy().starts_with("tidegate.db.before-restore-") })
    );
    let made = get(&twins.erp_url, "/twin/ledger")["creates"].as_u64().unwrap();
    let _hub = Hub::start_with(&folder, &SETTINGS);
    // Nothing is sent before a person says so.
    until(&folder, &["systems", "list"], "paused");
    let status = folder.json(&["systems", "list"]);
    assert_eq!(get(&twins.erp_url, "/twin/ledger")["creates"], made, "{status}");
    for system in ["erp", "shopify"] {
        folder.json(&["systems", "resume", system, "--why", "restored, and looked at"]);
    }

    let proof = until_accounted_for(&folder, &twins);
    // A test order is filtered, by a rule that is named.
    let made = proof["source"].as_u64().unwrap() - proof["filtered"].as_u64().unwrap();
    let ledger = get(&twins.erp_url, "/twin/ledger");
    assert_eq!([&ledger["references"], &ledger["creates"]], [made, made], "{ledger}\n{proof}");
    assert_eq!([&ledger["doubled"], &proof["lost"], &proof["doubled"]], [0, 0, 0], "{ledger}\n{proof}");
}

/// Until the shop has all its orders, and each of them its fate.
fn until_accounted_for(folder: &Folder, twins: &Twins) -> Value {
    let day = twins.day.to_string();
    let mut last = String::new();
    let proof = eventually(|| {
        last = folder.tidegate(&["prove", "orders", "--day", &day, "--json"]).out;
        let proof: Value = serde_json::from_str(&last).unwrap_or_default();
        let adds_up = proof["source"] == ORDERS && proof["waiting"] == 0 && proof["holds"] == true;
        adds_up.then_some(proof)
    });
    proof.unwrap_or_else(|| panic!("the day never added up: {last}"))
}
