//! What commands answer: for a person, and as JSON for scripts.

use crate::folder::Folder;
use crate::seeded;
use serde_json::json;

#[test]
fn an_empty_store_stands_well() {
    let folder = Folder::new();
    seeded::empty(&folder);
    let said = folder.tidegate(&["status"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.out.contains("nothing has arrived yet"), "{}", said.out);
    assert!(said.err.contains("no hub runs here"), "{}", said.err);

    let status = folder.json(&["status"]);
    assert_eq!(status["verdict"], "well");
    assert_eq!(status["fresh"], true);
    assert_eq!(status["objective_ms"], 60_000);
    assert_eq!(folder.json(&["dead-letters", "list"]), json!({ "groups": [], "letters": [], "next": null }));
    assert_eq!(folder.json(&["deliveries", "list"]), json!({ "deliveries": [], "next": null }));
    assert_eq!(folder.json(&["orders", "list"]), json!({ "orders": [], "next": null }));
    assert_eq!(folder.json(&["audit"]), json!({ "entries": [] }));
    assert_eq!(folder.json(&["privacy", "certificates"]), json!({ "certificates": [] }));
}

#[test]
fn the_whole_life_of_an_order_is_shown() {
    let folder = Folder::new();
    seeded::two_orders(&folder);
    // `#` is often lost on a command line.
    for name in ["#1001", "1001", "5678", "acme/order:5678"] {
        let said = folder.tidegate(&["orders", "show", name]);
        assert_eq!(said.code, Some(0), "{said:?}");
        for text in [
            "#1001 of acme",
            "orders/create from shopify via webhook",
            "erp has no item \"FROG\"",
            "abababab",
        ] {
            assert!(said.out.contains(text), "{text:?} is missing: {}", said.out);
        }
    }
    let life = folder.json(&["orders", "show", "#1002"]);
    assert_eq!(life["subject"], "acme/order:5679");
    assert_eq!(life["deliveries"][0]["flow"], "orders_to_erp");
    assert!(life["deliveries"][0]["waits"].is_string(), "{life}");
    assert_eq!(life["timeline"][0]["what"], "received");
}

#[test]
fn lists_say_what_each_waits_for() {
    let folder = Folder::new();
    seeded::two_orders(&folder);
    let open = folder.json(&["orders", "list", "--phase", "waiting", "--system", "erp"]);
    assert_eq!(open["orders"][0]["about"]["label"], "#1002");
    assert_eq!(open["orders"].as_array().unwrap().len(), 1);
    assert_eq!(folder.json(&["deliveries", "list", "--limit", "1"])["next"], 2);

    let said = folder.tidegate(&["orders", "list"]);
    assert!(said.out.contains("#1001") && said.out.contains("waits for"), "{}", said.out);
    // In a pipe: a head and two rows, in columns.
    assert_eq!(said.out.lines().count(), 3, "{}", said.out);
}

#[test]
fn flows_and_systems_are_those_of_the_configuration() {
    let folder = Folder::new();
    seeded::empty(&folder);
    let flows = folder.json(&["flows", "list"]);
    assert_eq!(flows["flows"][1]["name"], "orders_to_erp");
    assert_eq!(flows["flows"][1]["shops"], json!(["acme"]));
    assert!(folder.tidegate(&["flows", "list"]).out.contains("shopify → erp"));
    assert!(folder.json(&["systems", "list"])["systems"].is_array());
}

#[test]
fn what_is_held_of_a_customer_is_listed_by_ids() {
    let folder = Folder::new();
    seeded::two_orders(&folder);
    let held = folder.json(&["privacy", "held", "--customer", "7001"]);
    assert_eq!(held["subjects"], json!(["acme/order:5678", "acme/order:5679"]));
    assert_eq!(held["shop"], "acme");
}

#[test]
fn a_backup_is_a_store_of_its_own_and_overwrites_nothing() {
    let folder = Folder::new();
    seeded::two_orders(&folder);
    let answer = folder.json(&["backup", "copy.db"]);
    assert_eq!(answer["file"], folder.path("copy.db").to_str().unwrap());
    let bytes = std::fs::read(folder.path("copy.db")).unwrap();
    assert_eq!(answer["bytes"], bytes.len());
    folder.tidegate(&["backup", "copy.db"]).refused(1, &["TG-7028", "copy.db", "name another file"]);
    assert_eq!(std::fs::read(folder.path("copy.db")).unwrap(), bytes);
    folder.tidegate(&["backup", "no/folder/copy.db"]).refused(1, &["TG-7028", "make it first"]);
}
