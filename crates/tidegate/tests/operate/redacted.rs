//! A redaction that came after the backup: the restore brings back what it destroyed, and destroys it again, from the list
//! that is kept outside the database.

use crate::hub::Hub;
use crate::office::Office;
use rusqlite::{Connection, OpenFlags};
use std::path::Path;

const SETTINGS: [&str; 3] =
    ["flows.orders_to_erp.intake=poll", "flows.orders_to_erp.sweep.every=1s", "systems.erp.settle_after=1s"];

/// Data keys of a root: what can be opened of it, can be by these alone.
fn keys(database: &Path, order: u64) -> i64 {
    let connection = Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let sql = "SELECT count(*) FROM data_keys k JOIN roots r ON r.id = k.root WHERE r.number = ?1";
    connection.query_row(sql, [order.cast_signed()], |row| row.get(0)).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_redacted_after_the_backup_stays_redacted_after_the_restore() {
    let office = Office::open().await;
    let folder = &office.folder;
    let hub = Hub::start_with(folder, &SETTINGS);
    let orders = office.orders(1, 4);
    office.made(4).await;
    folder.json(&["backup", "copy.db"]);

    // Somebody asks to be forgotten, with one order.
    let order = &orders[1];
    let customer = order.customer.as_ref().unwrap().id;
    let root = format!("order:{}", order.id);
    let id = customer.to_string();
    let held = ["privacy", "held", "--customer", &id];
    let before = folder.json(&held);
    assert!(before["subjects"].to_string().contains(&root), "{before}");
    let body = format!(
        "{{\"shop_domain\":\"acme.myshopify.com\",\"customer\":{{\"id\":{customer}}},\"orders_to_redact\":[{}]}}",
        order.id
    );
    assert_eq!(office.sends(&hub.address, "customers/redact", &body), 200);
    let list = std::fs::read_to_string(folder.path("data/redactions.ndjson")).unwrap();
    assert_eq!(list.lines().count(), 1, "{list}");
    hub.kill();
    assert_eq!(keys(&folder.path("data/tidegate.db"), order.id), 0);
    // The backup still has it: that is what the list is for.
    assert_eq!(keys(&folder.path("copy.db"), order.id), 1);

    let told = folder.json(&["restore", "--from", "copy.db", "--dry-run"]);
    assert_eq!(told["redactions_missing"], 1, "{told}");
    let told = folder.json(&["restore", "--from", "copy.db", "--why", "the disk died"]);
    assert_eq!(told["done"]["redacted"], 1, "{told}");
    assert!(told["done"]["keys_destroyed"].as_u64().unwrap() >= 1, "{told}");
    assert_eq!(keys(&folder.path("data/tidegate.db"), order.id), 0, "the payload cannot be read");
    assert_eq!(keys(&folder.path("data/tidegate.db"), orders[0].id), 1);
    let certificates = folder.json(&["privacy", "certificates"]);
    assert_eq!(certificates["certificates"].as_array().unwrap().len(), 1, "{certificates}");
    assert!(certificates["certificates"][0]["roots"].to_string().contains(&root), "{certificates}");
    // Done once: the next restore of the same file does it again, and asks nobody.
    let again = folder.json(&["restore", "--from", "copy.db"]);
    assert_eq!(again["done"]["redacted"], 1, "{again}");
    office.erp.stop();
}
