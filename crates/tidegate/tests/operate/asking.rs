//! What cannot be asked so, and what there is not: each with its exit code and with what to do.

use crate::folder::Folder;
use crate::seeded;

#[test]
fn what_is_asked_wrongly_is_refused_before_anything_is_opened() {
    let folder = Folder::new();
    let cases: &[(&[&str], &str)] = &[
        (&["prove", "orders", "--day", "24.11.2026"], "2026-11-24"),
        (&["prove", "orders", "--day", "2026-02-30"], "no day of the calendar"),
        (&["prove", "orders"], "--day"),
        (&["prove", "products", "--day", "2026-11-24"], "orders"),
        (&["backfill", "orders", "--since", "yesterday"], "neither a day"),
        (&["dead-letters", "release", "4711"], "--why"),
        (&["dead-letters", "skip", "4711", "--why", "  "], "write the reason"),
        (&["dead-letters", "release", "--why", "fixed"], "--all"),
        (&["replay", "#1001"], "--why"),
        (&["systems", "pause", "erp"], "--why"),
        (&["systems", "pause", "erp", "--why", "upgrade", "--for", "15"], "15m"),
        (&["systems", "pause", "erp", "--why", "upgrade", "--for", "0s"], "15m"),
        (&["deliveries", "list", "--phase", "lost"], "waiting"),
    ];
    for (args, told) in cases {
        folder.tidegate(args).refused(2, &[told]);
    }
    assert!(!folder.path("data").exists(), "nothing was opened");
}

#[test]
fn where_no_hub_has_ever_run_a_question_makes_nothing() {
    let folder = Folder::new();
    assert_eq!(folder.json(&["status"])["fresh"], true);
    let said = folder.tidegate(&["status"]);
    assert!(said.err.contains("no hub has ever run here"), "{}", said.err);
    folder.tidegate(&["orders", "show", "#1001"]).refused(4, &["#1001"]);
    let pause = ["systems", "pause", "erp", "--why", "not yet"];
    folder.tidegate(&pause).refused(4, &["tidegate.db is not there", "tidegate run"]);
    folder.tidegate(&["backup", "copy.db"]).refused(4, &["tidegate.db is not there"]);
    assert!(!folder.path("data").exists(), "nothing was made");
}

#[test]
fn what_there_is_not_is_told_with_what_to_do() {
    let folder = Folder::new();
    seeded::two_orders(&folder);
    folder.tidegate(&["orders", "show", "#9999"]).refused(4, &["#9999", "sweep", "backfill orders --since"]);
    folder
        .tidegate(&["orders", "show", "#1001", "--shop", "beta"])
        .refused(4, &["no shop \"beta\"", "there are: acme"]);
    folder.tidegate(&["replay", "#9999", "--why", "to see"]).refused(4, &["#9999"]);
    folder
        .tidegate(&["dead-letters", "show", "99"])
        .refused(4, &["was never a dead letter", "dead-letters list"]);
    folder.tidegate(&["dead-letters", "release", "99", "--why", "to see"]).refused(4, &["nothing was done"]);
    folder
        .tidegate(&["dead-letters", "skip", "--group", "00000000", "--why", "x"])
        .refused(4, &["there are: "]);
    folder.tidegate(&["flows", "pause", "orders", "--why", "x"]).refused(4, &["orders_to_erp"]);
    folder
        .tidegate(&["prove", "orders", "--day", "2026-11-24", "--shop", "beta"])
        .refused(4, &["orders_to_erp at acme"]);
}

#[test]
fn a_configuration_that_is_wrong_is_told_whole() {
    let folder = Folder::new();
    let path = folder.path("tidegate.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("mode = \"live\"", "mode = \"alive\"\nsurprise = 1")).unwrap();
    folder.tidegate(&["status"]).refused(3, &["alive", "surprise", "tidegate.toml", "No hub runs"]);
    // For scripts, the same as `check` has.
    let said = folder.tidegate(&["doctor", "--json"]);
    let findings = serde_json::from_str::<serde_json::Value>(&said.out).unwrap()["findings"].take();
    assert_eq!((said.code, findings.as_array().unwrap().len()), (Some(3), 2), "{said:?}");
    // To a script as `check` tells it.
    let said = folder.tidegate(&["status", "--json"]);
    let told: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    let count = told["findings"].as_array().unwrap().len();
    assert!(count >= 2 && said.err.contains(&format!("{count} to mend first")), "{said:?}");
    folder.tidegate(&["status", "-c", "nowhere.toml"]).refused(3, &["nowhere.toml", "tidegate init"]);
}

#[test]
fn a_day_that_the_shop_does_not_show_is_refused_with_that_sentence() {
    let folder = Folder::new();
    seeded::empty(&folder);
    folder
        .tidegate(&["prove", "orders", "--day", "2020-01-01"])
        .refused(1, &["TG-7026", "60 days", "read_all_orders"]);
}
