//! `init`: what it writes is right as it stands, for either ERP and from whatever folder it is asked; it writes over nothing.

use crate::typed::{Desk, ended};
use serde_json::Value;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;

#[test]
fn what_init_writes_passes_the_check_for_either_erp() {
    for erp in ["http", "tryton"] {
        let desk = Desk::new();
        desk.tidegate(&["init", "hub", "--shop", "acme.myshopify.com", "--erp", erp]).ended(0);
        // In CI no secret is at hand.
        let said = desk.tidegate(&["check", "-c", "hub/tidegate.toml", "--without-secrets"]).ended(0);
        assert_eq!(said.err, "", "{erp}");
        said.shows(&["orders_to_erp: shopify → erp", "erp_number_back: erp → shopify", "it can run"]);
        // Where it runs, what is not set is named.
        let said = desk.tidegate(&["check", "-c", "hub/tidegate.toml"]).ended(3);
        said.tells(&["TG-1108", "SHOPIFY_ACCESS_TOKEN is not set"]);
        let mut command = desk.command(&["check", "-c", "hub/tidegate.toml"]);
        command.env("SHOPIFY_ACCESS_TOKEN", "shpat_x").env("ERP_SECRET", "hush").stdin(Stdio::null());
        ended(&mut command).ended(0);
    }
}

#[test]
fn a_configuration_is_the_same_from_inside_its_folder_and_from_outside() {
    let desk = Desk::begun();
    let outside = desk.tidegate(&["check", "-c", "hub/tidegate.toml", "--json"]).ended(0).json();
    let mut command = desk.command(&["check", "--json"]);
    let inside = ended(command.current_dir(desk.path("hub")).stdin(Stdio::null())).ended(0).json();
    assert_eq!(outside, inside);
    // What lies beside it is found, and nothing is made elsewhere.
    let asked = desk.tidegate(&["status", "-c", "hub/tidegate.toml", "--json"]).ended(0);
    assert_eq!(asked.json()["fresh"], true);
    assert!(!desk.path("hub/hub").exists());
}

#[test]
fn secrets_are_readable_by_one_alone_and_stand_in_no_configuration() {
    let desk = Desk::new();
    desk.write("token", "shpat_0123456789abcdef0123456789abcdef\n");
    desk.write("password", "correct horse\n");
    let files = ["--access-token-file", "token", "--erp-secret-file", "password"];
    let args = [&["init", "hub", "--shop", "acme.myshopify.com", "--erp", "tryton"], &files[..]].concat();
    desk.tidegate(&args).ended(0);
    desk.tidegate(&["check", "-c", "hub/tidegate.toml"]).ended(0);
    let mode = |name: &str| desk.path(name).metadata().unwrap().permissions().mode() & 0o777;
    for name in ["master.key", "admin.token", "client_secret", "access_token", "erp.secret"] {
        assert_eq!(mode(&format!("hub/secrets/{name}")), 0o600, "{name}");
    }
    assert_eq!(desk.read("hub/secrets/access_token").trim(), "shpat_0123456789abcdef0123456789abcdef");
    let text = desk.read("hub/tidegate.toml");
    for secret in ["shpat_0123", "correct horse", desk.read("hub/secrets/master.key").trim()] {
        assert!(!text.contains(secret), "a secret stands in tidegate.toml");
    }
    assert!(desk.read("hub/.gitignore").contains("/secrets/"));
}

#[test]
fn nothing_is_written_over() {
    let desk = Desk::begun();
    let key = desk.read("hub/secrets/master.key");
    let again = desk.tidegate(&["init", "hub", "--shop", "acme.myshopify.com", "--twin"]).ended(1);
    assert_eq!(again.out, "");
    again.tells(&["hub/tidegate.toml is there already", "name another folder"]);
    // Even where the configuration itself was taken away: a new master key would lose the database.
    std::fs::remove_file(desk.path("hub/tidegate.toml")).unwrap();
    let again = desk.tidegate(&["init", "hub", "--shop", "acme.myshopify.com", "--twin"]).ended(1);
    again.tells(&["hub/secrets/master.key is there already"]);
    assert_eq!(desk.read("hub/secrets/master.key"), key);
    assert!(!desk.path("hub/tidegate.toml").exists(), "all or nothing");
}

#[test]
fn what_init_cannot_begin_with_is_told_and_nothing_is_written() {
    let desk = Desk::new();
    let cases: &[(&[&str], &str)] = &[
        (&["--shop", "acme"], "acme.myshopify.com"),
        (&["--shop", "https://admin.shopify.com/store/acme"], "acme.myshopify.com"),
        (&["--shop", "www.acme.com"], "acme.myshopify.com"),
        (&["--shop", "acme.myshopify.com", "--time-zone", "CEST"], "Europe/Amsterdam"),
        (&["--shop", "acme.myshopify.com", "--erp-url", "erp.example"], "https://"),
        (&["--shop", "acme.myshopify.com", "--erp", "sap"], "tryton"),
        (&["--shop", "acme.myshopify.com", "--erp", "tryton", "--twin"], "no look-alike plays Tryton"),
        (&[], "--shop"),
    ];
    for (args, told) in cases {
        desk.tidegate(&[&["init", "hub"], *args].concat()).ended(2).tells(&[told]);
    }
    let file = ["init", "hub", "--shop", "acme.myshopify.com", "--access-token-file", "nowhere"];
    desk.tidegate(&file).ended(1).tells(&["nowhere cannot be read"]);
    assert!(!desk.path("hub").exists());
}

#[test]
fn the_next_steps_name_what_is_still_missing() {
    let desk = Desk::new();
    let said = desk.tidegate(&["init", "hub", "--shop", "acme.myshopify.com", "--erp", "tryton"]).ended(0);
    said.shows(&["export SHOPIFY_ACCESS_TOKEN", "export ERP_SECRET", "cd hub", "tidegate run"]);
    let said = desk.tidegate(&["init", "own", "--shop", "acme.myshopify.com", "--json"]).ended(0).json();
    let next: Vec<&str> = said["next"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert!(next[0].starts_with("export SHOPIFY_ACCESS_TOKEN"), "{next:?}");
    assert!(next[1].starts_with("tidegate twin erp"), "{next:?}");
    let written: Vec<&str> = said["written"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert!(written.contains(&"own/tidegate.toml") && written.contains(&"own/secrets/master.key"));
    // Against both look-alikes nothing is missing.
    let said = desk.tidegate(&["init", "play", "--shop", "acme.myshopify.com", "--twin"]).ended(0);
    assert!(!said.out.contains("export"), "{}", said.out);
    said.shows(&["tidegate twin shopify", "tidegate twin erp"]);
}
