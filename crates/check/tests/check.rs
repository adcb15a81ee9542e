//! Planted mistakes, one folder each: the configuration and the findings that a user sees, with line and column.
//! `UPDATE_CASES=1` writes what is found; read it before you keep it.

mod support;

use config::{Code, Config};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use tidegate_check::{Inputs, Report, Width};

fn tests() -> PathBuf {
    // Relative, so that no path of this machine stands in what is expected.
    PathBuf::from("tests")
}

fn judged(folder: &Path, change: impl FnOnce(&mut Inputs<'_>)) -> Report {
    let good = tests().join("good");
    let text = std::fs::read_to_string(folder.join("tidegate.toml")).unwrap();
    let flags = std::fs::read_to_string(folder.join("flags.txt")).unwrap_or_default();
    let flags: Vec<_> = flags
        .lines()
        .filter_map(|line| line.split_once('='))
        .map(|(k, v)| (k.to_owned(), v.to_owned()))
        .collect();
    let reading = Config::from_text("tidegate.toml", &text, folder, &BTreeMap::new(), &flags);
    let expressions = support::expressions();
    let mut inputs = support::inputs(&reading.config, folder, &good, &expressions);
    change(&mut inputs);
    tidegate_check::run(&reading.config, &inputs).with(reading.findings)
}

fn cases() -> Vec<PathBuf> {
    let mut cases: Vec<_> =
        std::fs::read_dir(tests().join("cases")).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    cases
}

#[test]
fn each_planted_mistake_is_found_where_it_is_and_nothing_else() {
    let mut wrong = Vec::new();
    for case in cases() {
        let found = config::render(&judged(&case, |_| {}).findings);
        let kept = case.join("expected.txt");
        if std::env::var_os("UPDATE_CASES").is_some() {
            std::fs::write(&kept, &found).unwrap();
        }
        let expected = std::fs::read_to_string(&kept).unwrap();
        assert!(!expected.is_empty(), "{} expects nothing", case.display());
        if found != expected {
            wrong.push(format!("== {}\n-- expected\n{expected}\n-- found\n{found}", case.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A rule without a planted mistake could be lost unseen.
#[test]
fn every_code_has_a_planted_mistake() {
    let mut seen = BTreeSet::new();
    for case in cases() {
        let expected = std::fs::read_to_string(case.join("expected.txt")).unwrap();
        for code in Code::ALL {
            if expected.contains(&format!("error {code}:")) {
                seen.insert(*code);
            }
        }
    }
    // The file itself, and its mode, cannot stand in a folder of the repository: crates/config tests them.
    let elsewhere = [Code::File, Code::SecretExposed];
    let unseen: Vec<_> =
        Code::ALL.iter().filter(|code| !seen.contains(code) && !elsewhere.contains(code)).collect();
    assert!(unseen.is_empty(), "{unseen:?}");
}

#[test]
fn the_good_configuration_passes_and_is_explained() {
    let report = judged(&tests().join("good"), |_| {});
    assert!(report.is_good(), "{}", config::render(&report.findings));
    insta::assert_snapshot!(report.explanation.to_string().replace("tests/good/", ""));
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["findings"], serde_json::json!([]));
    assert_eq!(json["explanation"]["flows"][1]["trigger"], "webhooks, and a sweep every 5m");
    assert_eq!(json["explanation"]["domains"][0]["fields"][0]["owner"], "erp");
}

#[test]
fn without_secrets_only_their_absence_is_left_out() {
    let case = tests().join("cases/mistakes_of_several_kinds_at_once");
    let codes =
        |report: Report| -> BTreeSet<Code> { report.findings.iter().map(|finding| finding.code).collect() };
    let (with, without) =
        (codes(judged(&case, |_| {})), codes(judged(&case, |inputs| inputs.secrets = None)));
    assert_eq!(with.difference(&without).collect::<Vec<_>>(), [&Code::SecretMissing]);
    assert!(without.len() > 3, "{without:?}");
}

#[test]
fn a_connection_that_is_given_an_idempotency_key_needs_no_person() {
    let case = tests().join("cases/neither_key_nor_look_up");
    let text = std::fs::read_to_string(case.join("tidegate.toml")).unwrap();
    assert!(!judged(&case, |_| {}).is_good());
    let flags = [("systems.erp.connection.idempotency.header".to_owned(), "Idempotency-Key".to_owned())];
    let config = Config::from_text("tidegate.toml", &text, &case, &BTreeMap::new(), &flags).finish().unwrap();
    let expressions = support::expressions();
    let inputs = support::inputs(&config, &case, &tests().join("good"), &expressions);
    let report = tidegate_check::run(&config, &inputs);
    assert!(report.is_good(), "{}", config::render(&report.findings));
}

#[test]
fn what_a_connector_says_about_its_connection_points_to_the_setting() {
    let report = judged(&tests().join("good"), |inputs| {
        let problems = ["user: must be longer", "database.name: is unknown", "needs a proxy"];
        inputs.systems.insert("erp".into(), Err(problems.map(str::to_owned).to_vec()));
    });
    let found: Vec<_> = report
        .findings
        .iter()
        .map(|f| (f.origin.to_string(), f.message.as_str(), f.key.as_deref().unwrap()))
        .collect();
    let expected = [
        ("tidegate.toml:38:14", "the connection needs a proxy", "systems.erp.connection"),
        ("tidegate.toml:40:12", "database.name is unknown", "systems.erp.connection.database.name"),
        ("tidegate.toml:41:8", "user must be longer", "systems.erp.connection.user"),
    ];
    assert_eq!(found, expected.map(|(at, message, key)| (at.to_owned(), message, key)));
}

mod arbitrary {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

        /// Whatever a person does to a good file, it is judged to the end.
        #[test]
        fn no_damage_makes_it_panic(
            at in any::<prop::sample::Index>(),
            cut in 0usize..60,
            piece in prop::sample::select(vec!["", "[", "\"", " = ", "erp", "shopify", "oms", "[]", "\n", "fields", ".", "0", "1000h"]),
        ) {
            let good = tests().join("good");
            let text = std::fs::read_to_string(good.join("tidegate.toml")).unwrap();
            let (at, end) = { let at = at.index(text.len()); (at, (at + cut).min(text.len())) };
            let text = format!("{}{piece}{}", &text[..at], &text[end..]);
            let reading = Config::from_text("tidegate.toml", &text, &good, &BTreeMap::new(), &[]);
            let expressions = support::expressions();
            let inputs = support::inputs(&reading.config, &good, &good, &expressions);
            let report = tidegate_check::run(&reading.config, &inputs).with(reading.findings);
            let _ = (config::render(&report.findings), report.explanation.to_string(), report.explanation.to_svg(Width::Wide), report.explanation.to_mermaid(), serde_json::to_string(&report).unwrap());
        }
    }
}
