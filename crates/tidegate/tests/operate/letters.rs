//! Dead letters and pauses by hand: what is done, and what of it stands in the audit.

use crate::folder::Folder;
use crate::seeded;
use serde_json::json;

#[test]
fn a_group_is_released_by_its_short_name() {
    let folder = Folder::new();
    seeded::two_orders(&folder);
    let listed = folder.json(&["dead-letters", "list"]);
    let group = listed["groups"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(group.len(), 8, "{group}");
    assert_eq!(listed["letters"][0]["label"], "#1001");

    let said = folder.tidegate(&["dead-letters", "list"]);
    assert!(said.out.contains(&group) && said.out.contains("erp has no item \"FROG\""), "{}", said.out);
    // What the ERP wrote is text on the terminal, and turns nothing red.
    assert!(!said.out.contains('\u{1b}'), "{:?}", said.out);

    let released = folder.json(&["dead-letters", "release", "--group", &group, "--why", "the item is there"]);
    assert_eq!(released, json!({ "count": 1 }));
    assert_eq!(folder.json(&["dead-letters", "list"])["groups"], json!([]));
    let entry = &folder.json(&["audit"])["entries"][0];
    assert_eq!([&entry["who"], &entry["action"], &entry["why"]], ["ada", "release", "the item is there"]);
}

#[test]
fn one_is_shown_and_given_up() {
    let folder = Folder::new();
    seeded::two_orders(&folder);
    let said = folder.tidegate(&["dead-letters", "show", "1"]);
    for text in ["#1001", "unknown_item", "lines[0].sku", "No call was made for it"] {
        assert!(said.out.contains(text), "{text:?} is missing: {}", said.out);
    }
    let said = folder.tidegate(&["dead-letters", "skip", "1", "--reason", "entered by hand as S-1021"]);
    assert!(said.out.contains("1 dead letter skipped"), "{said:?}");
    let closed = folder.json(&["dead-letters", "list", "--closed"]);
    assert_eq!(closed["letters"][0]["closed"]["who"], "ada");
    let said = folder.tidegate(&["orders", "show", "#1001"]);
    assert!(said.out.contains("skipped by ada: entered by hand as S-1021"), "{}", said.out);
    assert!(said.out.contains("Nothing is open."), "{}", said.out);
}

#[test]
fn a_dead_order_is_replayed_by_its_name() {
    let folder = Folder::new();
    seeded::two_orders(&folder);
    let answer = folder.json(&["replay", "1001", "--why", "new mapping"]);
    assert_eq!(answer, json!({ "released": 1, "appended": false }));
    let answer = folder.json(&["replay", "1002", "--why", "new mapping"]);
    assert_eq!(answer, json!({ "released": 0, "appended": true }));
}

#[test]
fn what_is_paused_says_so_until_it_goes_on() {
    let folder = Folder::new();
    seeded::two_orders(&folder);
    let paused = folder.json(&["systems", "pause", "erp", "--why", "their upgrade", "--for", "15m"]);
    assert_eq!([&paused["pause"]["scope"], &paused["pause"]["name"]], ["system", "erp"]);
    assert!(paused["pause"]["until"].is_string());
    let said = folder.tidegate(&["subjects", "pause", "#1002", "--why", "they call back"]);
    assert!(said.out.contains("tidegate subjects resume acme/order:5679"), "{said:?}");
    let said = folder.tidegate(&["status"]);
    assert!(
        said.out.contains("system erp is paused") && said.out.contains("ada: their upgrade"),
        "{}",
        said.out
    );
    assert!(folder.tidegate(&["flows", "list"]).out.contains("by ada: their upgrade"));

    let resume = ["systems", "resume", "erp", "--why", "it is done"];
    assert_eq!(folder.json(&resume), json!({ "resumed": true }));
    assert_eq!(folder.json(&resume), json!({ "resumed": false }));
    assert!(folder.tidegate(&["subjects", "resume", "#1002", "--why", "they did"]).out.contains("goes on"));
}

#[test]
fn the_hubs_own_name_is_no_persons() {
    let folder = Folder::new();
    seeded::two_orders(&folder);
    let done = |user: &str| {
        let args = ["flows", "pause", "orders_to_erp", "--why", "to see", "--json"];
        let output = folder.command(&args).env("USER", user).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        folder.json(&["audit"])["entries"][0]["who"].as_str().unwrap().to_owned()
    };
    assert_eq!(done("tidegate"), "operator");
    assert_eq!(done(""), "operator");
    assert_eq!(done("grace"), "grace");
}
