//! What is tried against the systems themselves before a hub runs: the doctor, and the subscriptions at a shop.

use crate::folder::Folder;
use crate::twins::Twins;
use serde_json::Value;

/// What a probe found.
fn probe<'a>(answer: &'a Value, of: &str, name: &str) -> &'a Value {
    let is = |one: &&Value| one["of"] == of && one["probe"] == name;
    answer["probes"].as_array().unwrap().iter().find(is).unwrap_or_else(|| panic!("{of} {name}: {answer}"))
}

#[test]
fn the_doctor_tries_each_system_and_subscriptions_are_made_as_the_flows_need_them() {
    let twins = Twins::start();
    let folder = Folder::between(&twins.shop_url, &twins.erp_url);
    let answer = folder.json(&["doctor"]);
    for (of, name) in [("acme", "token"), ("acme", "scopes"), ("acme", "clock"), ("erp", "health")] {
        assert_eq!(probe(&answer, of, name)["outcome"], "well", "{answer}");
    }
    // Nothing is subscribed to yet: the hub would see to it, so that it is no failure.
    let found = probe(&answer, "acme", "subscriptions");
    assert_eq!(found["outcome"], "warning");
    assert!(found["text"].as_str().unwrap().contains("subscriptions apply"), "{found}");

    let plan = ["shopify", "subscriptions", "plan"];
    let changes = |answer: &Value, action: &str| {
        let all = answer["shops"][0]["changes"].as_array().unwrap();
        all.iter().filter(|change| change["action"] == action).count()
    };
    let planned = folder.json(&plan);
    let wanted = changes(&planned, "create");
    assert!(wanted > 5, "{planned}");
    assert_eq!(changes(&folder.json(&plan), "create"), wanted, "a plan makes nothing");
    let said = folder.tidegate(&["shopify", "subscriptions", "apply", "--shop", "acme"]);
    assert_eq!((said.code, said.out.matches("done").count()), (Some(0), wanted), "{said:?}");
    let planned = folder.json(&plan);
    assert_eq!((changes(&planned, "create"), changes(&planned, "keep")), (0, wanted), "{planned}");
    assert_eq!(probe(&folder.json(&["doctor"]), "acme", "subscriptions")["outcome"], "well");

    folder.tidegate(&["shopify", "subscriptions", "plan", "--shop", "beta"]).refused(4, &["there are: acme"]);
}

#[test]
fn the_doctor_says_which_system_is_away_and_which_refuses_the_credentials() {
    let twins = Twins::start();
    let folder = Folder::between(&twins.shop_url, "http://127.0.0.1:9");
    std::fs::write(folder.path("secrets/access_token"), "shpat_another").unwrap();
    let said = folder.tidegate(&["doctor", "--json"]);
    assert_eq!(said.code, Some(3), "{said:?}");
    let answer: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(probe(&answer, "acme", "token")["outcome"], "failed", "{answer}");
    assert_eq!(probe(&answer, "erp", "health")["outcome"], "failed", "{answer}");
    assert!(!said.out.contains("shpat_another"), "a secret is shown");
    let said = folder.tidegate(&["doctor"]);
    assert_eq!((said.code, said.out.matches("FAILED").count()), (Some(3), 2), "{said:?}");
}

#[test]
fn the_doctor_tries_nothing_while_the_configuration_is_wrong() {
    let folder = Folder::new();
    let said = folder.tidegate(&["doctor", "--json", "--set", "flows.orders_to_erp.mode=alive"]);
    assert_eq!(said.code, Some(3), "{said:?}");
    let answer: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(answer["findings"].as_array().unwrap().len(), 1, "{answer}");
    assert!(said.err.contains("Nothing was done"), "{}", said.err);
}
