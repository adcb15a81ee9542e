//! What a configuration comes to: each setting with who said so, the personal data that flows move, and what a shell
//! needs to complete all of it.

use crate::typed::{Desk, ended};
use serde_json::Value;
use std::io::Write as _;
use std::process::{Command, Stdio};

const AT: &[&str] = &["-c", "hub/tidegate.toml"];

#[test]
fn each_setting_says_where_it_comes_from() {
    let desk = Desk::begun();
    let shown = |args: &[&str]| -> Value {
        let mut command = desk.command(&[&["config", "show", "--json"], AT, args].concat());
        command.env("TIDEGATE__HUB__LOG_LEVEL", "debug").stdin(Stdio::null());
        ended(&mut command).ended(0).json()
    };
    let all = shown(&["--set", "hub.listen=127.0.0.1:9"]);
    let setting = |key: &str| {
        let found = all["settings"].as_array().unwrap().iter().find(|setting| setting["key"] == key);
        found.unwrap_or_else(|| panic!("{key} is not shown")).clone()
    };
    let line_of = |text: &str| {
        1 + desk.read("hub/tidegate.toml").lines().position(|line| line.starts_with(text)).unwrap()
    };
    for (key, value, from) in [
        ("hub.listen", "\"127.0.0.1:9\"", "flag"),
        ("hub.log_level", "\"debug\"", "environment"),
        ("hub.data_dir", "\"./data\"", "file"),
        ("hub.limits.drain_deadline", "\"20s\"", "default"),
    ] {
        let found = setting(key);
        assert_eq!((&found["value"], &found["from"]), (&value.into(), &from.into()), "{key}");
    }
    assert_eq!(setting("hub.data_dir")["at"]["line"], line_of("data_dir"));
    assert!(setting("hub.log_level")["origin"].as_str().unwrap().contains("TIDEGATE__HUB__LOG_LEVEL"));
    // What stands below a section, and only that.
    let below = shown(&["systems.erp"]);
    let below = below["settings"].as_array().unwrap();
    assert!(
        below.len() > 10 && below.iter().all(|one| one["key"].as_str().unwrap().starts_with("systems.erp."))
    );
}

#[test]
fn a_secret_is_shown_by_its_reference_alone() {
    let desk = Desk::begun();
    let mut command = desk.command(&[&["config", "show", "--origin"], AT].concat());
    command.env("SHOPIFY_ACCESS_TOKEN", "shpat_0123456789abcdef").stdin(Stdio::null());
    let said = ended(&mut command).ended(0);
    let said = said.shows(&["file:secrets/master.key", "hub.master_key", "tidegate.toml:"]);
    for secret in [
        "shpat_0123",
        desk.read("hub/secrets/master.key").trim(),
        desk.read("hub/secrets/admin.token").trim(),
    ] {
        assert!(!said.out.contains(secret), "a secret is shown");
    }
}

#[test]
fn a_setting_that_there_is_not_is_told_with_the_one_that_was_meant() {
    let desk = Desk::begun();
    desk.tidegate(&[&["config", "show", "hub.lisen"], AT].concat())
        .ended(4)
        .tells(&["did you mean hub.listen?"]);
    // What is wrong does not hide the rest: that is when one looks.
    let said = desk.tidegate(&[&["config", "show", "--set", "hub.listn=x"], AT].concat()).ended(3);
    said.shows(&["hub.data_dir = \"./data\""]).tells(&["hub.listn"]);
}

#[test]
fn each_field_with_personal_data_is_named_with_its_way_and_its_line() {
    let desk = Desk::begun();
    let told = desk.tidegate(&[&["report", "personal-data", "--json"], AT].concat()).ended(0).json();
    let flow = |name: &str| {
        let flows = told["flows"].as_array().unwrap();
        flows.iter().find(|flow| flow["flow"] == name).unwrap().clone()
    };
    let orders = flow("orders_to_erp");
    assert_eq!((&orders["source"], &orders["target"]), (&"shopify".into(), &"erp".into()));
    assert!(orders["reached_at"][0].as_str().unwrap().starts_with("http"), "{orders}");
    let mapping = desk.read("hub/mappings/orders_to_erp.toml");
    let moved = |field: &str| {
        let moves = orders["moves"].as_array().unwrap();
        moves
            .iter()
            .find(|moved| moved["field"] == field)
            .unwrap_or_else(|| panic!("{field}: {orders}"))
            .clone()
    };
    for (field, kind) in [
        ("billing_address.name", "identity"),
        ("billing_address.phone", "contact"),
        ("shipping_address.address1", "address"),
        ("note", "free text"),
        ("order_id", "pseudonym"),
    ] {
        let moved = moved(field);
        assert_eq!(moved["kind"], kind, "{field}");
        // The line that it names is the one that moves it.
        let (file, line) = moved["mapping"].as_str().unwrap().rsplit_once(':').unwrap();
        assert!(file.ends_with("mappings/orders_to_erp.toml"), "{file}");
        let line = mapping.lines().nth(line.parse::<usize>().unwrap() - 1).unwrap();
        assert!(line.contains(field.rsplit('.').next().unwrap()), "{field} is not in {line:?}");
    }
    // A group of fields moves nothing by itself.
    assert!(!orders["moves"].as_array().unwrap().iter().any(|moved| moved["field"] == "billing_address"));
    // Nothing of the sale alone is on the list, and nothing is forgotten that the mapping reads of a person.
    assert!(!orders.to_string().contains("lines.sku") && !orders.to_string().contains("totals"));
    assert!(
        told["kept"][0]["how_long"].as_str().unwrap().starts_with("90d (hub.payload_retention)"),
        "{told}"
    );
    // The way back carries the ERP's number: nobody's.
    assert_eq!(flow("erp_number_back")["moves"], serde_json::json!([]));
}

#[test]
fn the_data_protection_officer_gets_a_page() {
    let desk = Desk::begun();
    let said = desk.tidegate(&[&["report", "personal-data", "--markdown"], AT].concat()).ended(0);
    said.shows(&[
        "# Personal data",
        "## orders\\_to\\_erp",
        "| billing\\_address.name | identity |",
        "## What is kept",
    ]);
    desk.tidegate(&[&["report", "personal-data"], AT].concat()).ended(0).shows(&[
        "→",
        "identity",
        "How long the hub keeps",
    ]);
}

/// The shell itself reads what was written, where it is there.
#[test]
fn each_shell_takes_its_completion() {
    let desk = Desk::new();
    for (shell, check) in [("bash", &["-n"][..]), ("zsh", &["-n"]), ("fish", &["--no-execute"])] {
        let said = desk.tidegate(&["completion", shell]).ended(0);
        for word in ["personal-data", "dead-letters", "--diagram"] {
            assert!(said.out.contains(word.trim_start_matches('-')), "{shell}: {word}");
        }
        assert!(!said.out.contains("prove-tryton"), "{shell} completes what is hidden");
        let Ok(mut reading) = Command::new(shell).args(check).stdin(Stdio::piped()).spawn() else { continue };
        reading.stdin.take().unwrap().write_all(said.out.as_bytes()).unwrap();
        assert!(reading.wait().unwrap().success(), "{shell} does not take it");
    }
}
