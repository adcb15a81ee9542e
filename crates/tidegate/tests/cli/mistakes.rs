//! A configuration that is wrong: all of it is told in one go, with the place and what to do, to a person and to CI; the
//! likeliest mistakes are told so that one need not look further.

use crate::typed::Desk;
use serde_json::Value;

const CONFIG: &str = "hub/tidegate.toml";

fn check(desk: &Desk) -> crate::typed::Said {
    desk.tidegate(&["check", "-c", CONFIG])
}

/// What is changed, and what is then told.
type Mistake = (&'static str, &'static str, &'static [&'static str]);

const MISTAKES: &[Mistake] = &[
    ("listen = ", "lisen = ", &["TG-1102", "[hub] has no key lisen", "did you mean listen?"]),
    (
        "data_dir = ",
        "payload_retention = 30\ndata_dir = ",
        &["TG-1105", "payload_retention", "a duration, and this number has no unit"],
    ),
    (
        "request_timeout = \"20s\"",
        "request_timeout = \"90s\"",
        &["TG-1304", "two attempts could overlap", "write request_timeout below"],
    ),
    (
        "system_of_record = \"shopify\"",
        "system_of_record = [\"shopify\", \"erp\"]",
        &["TG-1201", "2 owners: shopify and erp", "keep one"],
    ),
    ("\"write_orders\", ", "", &["write_orders", "document SetErpFields"]),
    (
        "export_when = [\"payment_terms\", \"paid\", \"authorised\"]",
        "export_when = [\"payment_terms\", \"paid\", \"authorized\"]",
        &["\"authorized\" is not an export condition", "did you mean authorised?"],
    ),
    (
        "mapping = \"mappings/orders_to_erp.toml\"",
        "mapping = \"mappings/orders.toml\"",
        &["TG-1401", "correct the path", "the folder of the configuration file"],
    ),
];

/// Beside this one a missing scope is not told: of which app is it?
const UNKNOWN_APP: Mistake =
    ("app = \"main\"", "app = \"mian\"", &["TG-1111", "there is no [apps.mian]", "did you mean main?"]);

#[test]
fn all_mistakes_are_told_in_one_go_with_their_place_and_what_to_do() {
    let desk = Desk::begun();
    for (from, to, _) in MISTAKES {
        desk.edit(CONFIG, from, to);
    }
    let said = check(&desk).ended(3);
    let answer = desk.tidegate(&["check", "-c", CONFIG, "--json"]).ended(3).json();
    let findings = answer["findings"].as_array().unwrap();
    assert_eq!(findings.len(), MISTAKES.len(), "{}", said.err);
    for finding in findings {
        let of = |name: &str| finding[name].as_str().unwrap();
        assert!(!of("help").is_empty(), "{finding}");
        assert!(crate::typed::ours(of("page")).is_file(), "{finding}");
        // A person is told the same, at the same place.
        let at = |name: &str| finding["at"][name].as_u64().unwrap();
        let place = format!("--> {CONFIG}:{}:{}", at("line"), at("column"));
        let heading = format!("error {}: {}", of("code"), of("message"));
        for text in [place.as_str(), heading.as_str(), of("help")] {
            assert!(said.err.contains(text), "{text:?} is missing: {}", said.err);
        }
        assert!(desk.read(CONFIG).lines().count() as u64 >= at("line"));
    }
    for (_, _, told) in MISTAKES {
        for text in *told {
            assert!(said.err.contains(text), "{text:?} is missing: {}", said.err);
        }
    }
    said.tells(&[&format!("{} to mend in {CONFIG}.", MISTAKES.len())]);
}

#[test]
fn each_mistake_is_found_by_itself_and_no_other_with_it() {
    for (from, to, told) in MISTAKES.iter().chain([&UNKNOWN_APP]) {
        let desk = Desk::begun();
        desk.edit(CONFIG, from, to);
        check(&desk).ended(3).tells(told).tells(&["1 to mend"]);
    }
}

#[test]
fn a_configuration_that_is_not_there_says_how_to_begin() {
    let desk = Desk::new();
    for command in [&["check"][..], &["run"], &["doctor"], &["shopify", "subscriptions", "plan"]] {
        let said = desk.tidegate(command).ended(3);
        said.tells(&["TG-1100", "tidegate.toml cannot be read", "--config", "tidegate init"]);
    }
}

#[test]
fn a_secret_that_is_not_there_is_refused_except_in_ci() {
    let desk = Desk::begun();
    desk.edit(CONFIG, "\"file:secrets/access_token\"", "\"env:ACME_TOKEN\"");
    std::fs::remove_file(desk.path("hub/secrets/erp.secret")).unwrap();
    let said = check(&desk).ended(3);
    said.tells(&["TG-1108", "environment variable ACME_TOKEN is not set", "erp.secret", "2 to mend"]);
    desk.tidegate(&["run", "-c", CONFIG]).ended(3).tells(&["ACME_TOKEN is not set"]);
    desk.tidegate(&["check", "-c", CONFIG, "--without-secrets"]).ended(0);
}

#[test]
fn a_literal_secret_is_refused_and_is_not_shown() {
    let desk = Desk::begun();
    let secret = "shpat_0123456789abcdef0123456789abcdef";
    desk.edit(CONFIG, "\"file:secrets/access_token\"", &format!("\"{secret}\""));
    let said = check(&desk).ended(3);
    assert!(!said.err.contains(secret) && !said.out.contains(secret), "{said:?}");
    said.tells(&["TG-1107", "access_token holds a secret itself", "env:ACCESS_TOKEN", "1 to mend"]);
    let said = desk.tidegate(&["check", "-c", CONFIG, "--json"]).ended(3);
    assert!(!said.out.contains(secret) && !said.err.contains(secret), "{said:?}");
}

#[test]
fn a_mistake_over_the_file_names_what_it_came_from() {
    let desk = Desk::begun();
    let flag = ["check", "-c", CONFIG, "--set", "hub.lisen=127.0.0.1:8081"];
    desk.tidegate(&flag).ended(3).tells(&[
        "[hub] has no key lisen",
        "flag --set hub.lisen",
        "did you mean listen?",
    ]);
    desk.tidegate(&["check", "-c", CONFIG, "--set", "hub.listen"]).ended(2).tells(&["write KEY=VALUE"]);
    let mut command = desk.command(&["check", "-c", CONFIG]);
    command.env("TIDEGATE__HUB__LISEN", "127.0.0.1:8081");
    crate::typed::ended(&mut command).ended(3).tells(&["environment variable TIDEGATE__HUB__LISEN"]);
}

#[test]
fn a_file_that_is_no_toml_is_told_where_it_ends_to_be() {
    let desk = Desk::begun();
    desk.edit(CONFIG, "[shops.acme]", "[shops.acme");
    let line = desk.read(CONFIG).lines().position(|line| line == "[shops.acme").unwrap() + 1;
    check(&desk).ended(3).tells(&[&format!("{CONFIG}:{line}:")]);
}

#[test]
fn a_mistake_in_a_mapping_is_told_in_the_mapping() {
    let desk = Desk::begun();
    let name = "hub/mappings/orders_to_erp.toml";
    desk.edit(name, "po_number", "po_numbr");
    check(&desk).ended(3).tells(&[&format!("--> {name}:"), "po_number"]);
    let answer = desk.tidegate(&["mapping", "check", name, "--json"]).ended(3).json();
    let at: Vec<&Value> =
        answer["findings"].as_array().unwrap().iter().map(|one| &one["at"]["file"]).collect();
    assert!(!at.is_empty() && at.iter().all(|file| *file == name), "{answer}");
}
