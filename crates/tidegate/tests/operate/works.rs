//! Works that take their time, against the look-alikes: what is counted, what is brought, what does not add up.

use crate::folder::Folder;
use crate::hub::{Hub, until};
use crate::seeded;
use crate::twins::{ORDERS, Twins, post};
use serde_json::json;

#[test]
fn what_the_shop_has_and_the_log_has_not_is_counted_brought_and_missed_in_the_proof() {
    let twins = Twins::start();
    let folder = Folder::between(&twins.shop_url, &twins.erp_url);
    seeded::empty(&folder);
    let (day, before) = (twins.day.to_string(), twins.day.yesterday().unwrap().to_string());

    let plan = folder.json(&["backfill", "orders", "--since", "2026-11-01", "--dry-run"]);
    assert_eq!([&plan["listed"], &plan["appended"]], [ORDERS, ORDERS], "{plan}");
    assert_eq!(plan["parts"][0]["flow"], "orders_to_erp");
    assert_eq!(folder.json(&["status"])["log"]["envelopes"], 0, "a plan changes nothing");

    // Nobody has exported anything: it does not add up, and says what is missing.
    let prove = ["prove", "orders", "--day", &day];
    let said = folder.tidegate(&prove);
    assert_eq!(said.code, Some(3), "{said:?}");
    assert!(said.out.contains("DOES NOT ADD UP") && said.out.contains("unheard"), "{}", said.out);
    let said = folder.tidegate(&[prove.as_slice(), &["--json"]].concat());
    let proof: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!([&proof["source"], &proof["unheard"]], [ORDERS, ORDERS], "{proof}");
    assert_eq!((said.code, &proof["holds"]), (Some(3), &serde_json::json!(false)));

    let said = folder.tidegate(&["backfill", "orders", "--since", "2026-11-01", "--why", "the first day"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.err.contains("plan: 5 orders at the source"), "{}", said.err);
    assert!(said.out.contains("5 orders on the way"), "{}", said.out);
    assert_eq!(folder.json(&["status"])["log"]["envelopes"], ORDERS);
    assert_eq!(folder.json(&["audit"])["entries"][0]["why"], "the first day");

    // What was brought is not missed.
    assert_eq!(folder.json(&["sweep"])["missed"], 0);
    // A day on which nothing was sold adds up.
    let said = folder.tidegate(&["prove", "orders", "--day", &before]);
    assert!(said.code == Some(0) && said.out.contains("every order is accounted for"), "{said:?}");
}

#[test]
fn what_was_placed_just_now_is_swept_at_once_where_no_webhook_will_tell_of_it() {
    let twins = Twins::start();
    let folder = Folder::between(&twins.shop_url, &twins.erp_url);
    seeded::empty(&folder);
    // A webhook of it would be on its way: it is not missed yet, and it is said what was left out.
    let said = folder.tidegate(&["sweep"]);
    assert!(said.out.contains("nothing was missed"), "{}", said.out);
    assert!(said.out.contains("in the last 30 s was left to its webhook"), "{}", said.out);

    let polled = ["sweep", "--set", "flows.orders_to_erp.intake=poll"];
    let said = folder.tidegate(&polled);
    assert!(said.out.contains("5 changes of which no webhook told"), "{}", said.out);
    assert!(!said.out.contains("was left to its webhook"), "{}", said.out);
    assert_eq!(folder.json(&["status"])["log"]["envelopes"], ORDERS);
}

#[test]
fn an_order_whose_amount_somebody_changed_in_the_erp_is_named() {
    let twins = Twins::start();
    let folder = Folder::between(&twins.shop_url, &twins.erp_url);
    let path = folder.path("tidegate.toml");
    let polled = "mode = \"live\"\nintake = \"poll\"\nsweep = { every = \"5s\", overlap = \"20s\" }";
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("mode = \"live\"", polled)).unwrap();
    let _hub = Hub::start(&folder);
    let day = twins.day.to_string();
    let prove = ["prove", "orders", "--day", &day];
    until(&folder, &[prove.as_slice(), &["--json"]].concat(), "\"holds\":true");

    let proof = folder.json(&prove);
    assert_eq!(proof["amounts"]["compared"], proof["exported"], "{proof}");
    assert!(proof["amounts"]["compared"].as_u64().unwrap() > 0, "{proof}");
    let sum = &proof["amounts"]["sums"][0];
    assert_eq!(sum["difference"], json!({ "amount": "0.00", "currency": "EUR" }), "{proof}");

    // Behind everybody's back.
    let accounts = proof["accounts"].as_array().unwrap();
    let account = accounts.iter().find(|account| account["at_target"] == 1).unwrap();
    let reference = account["subject"].as_str().unwrap().replace(['/', ':'], "-");
    post(&twins.erp_url, "/twin/misprice", &json!({ "reference": reference, "by": "100.00" }));
    let said = folder.tidegate(&prove);
    assert_eq!(said.code, Some(3), "{said:?}");
    let line = said.out.lines().find(|line| line.contains("NOTHING EXPLAINS IT")).unwrap();
    assert!(line.contains(account["label"].as_str().unwrap()), "{}", said.out);
    assert!(said.out.contains("DOES NOT ADD UP: 1 amount that nothing explains"), "{}", said.out);
}
