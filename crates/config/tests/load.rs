//! What a person writes and what comes of it: layers, defaults, all findings in one go, no secret in any of them.

use kernel::flow::{ConfirmWhen, Mode};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;
use tidegate_config::{self as config, Code, Config, Finding, Intake, Origin, Reading};

const GOOD: &str = r#"
[hub]
master_key = "file:secrets/master.key"
admin_token = "env:ADMIN_TOKEN"

[apps.main]
client_secret = "env:CLIENT_SECRET"
scopes = ["read_orders"]

[shops.acme]
domain = "acme.myshopify.com"
app = "main"
access_token = "env:ACME_TOKEN"
time_zone = "Europe/Amsterdam"

[systems.erp]
role = "erp"
connector = "http"

[systems.erp.connection]
base_url = "http://127.0.0.1:9002"
headers = { "X-Api-Key" = "env:ERP_KEY", "X-Client" = "tidegate" }

[ownership.orders]
system_of_record = "shopify"
fields = { "erp.number" = { owner = "erp" } }

[flows.orders_to_erp]
domain = "orders"
source = "shopify"
target = "erp"
mapping = "mappings/orders.toml"
go_live_at = "2026-11-24T00:00:00Z"
confirm_when = 'after("15m")'
"#;

fn env(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn read_with(text: &str, variables: &[(&str, &str)], flags: &[(&str, &str)]) -> Reading {
    let flags: Vec<_> = flags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    Config::from_text("tidegate.toml", text, Path::new("/etc/tidegate"), &env(variables), &flags)
}

fn good() -> Config {
    let reading = read_with(GOOD, &[], &[]);
    assert_eq!(reading.findings, [], "{}", config::render(&reading.findings));
    reading.config
}

fn flow(config: &Config) -> &config::Flow {
    config.flows.values().next().unwrap()
}

#[test]
fn defaults_are_in_force_and_say_so() {
    let config = good();
    let hub = config.hub().unwrap();
    assert_eq!(hub.data_dir.value, Path::new("/etc/tidegate/./data"));
    assert_eq!(hub.data_dir.origin, Origin::Default);
    assert_eq!(hub.limits.body_bytes_max.value.0, 2 << 20);
    let flow = flow(&config);
    assert_eq!(flow.mapping.value, Path::new("/etc/tidegate/mappings/orders.toml"));
    assert_eq!((flow.mode.value, flow.intake.value), (Mode::Live, Intake::Poll));
    assert_eq!(flow.sweep.every.value, Duration::from_secs(15), "a poll asks often");
    assert_eq!(flow.orders.confirm_when.value, ConfirmWhen::After(Duration::from_secs(900)));
    assert_eq!(flow.orders.confirm_when.origin.to_string(), "tidegate.toml:34:16");
    assert!(flow.orders.policy(Mode::Live).is_some());
    let names: Vec<_> = config.systems.keys().map(|name| name.as_str()).collect();
    assert_eq!(names, ["erp", "shopify"], "every shop's own Shopify needs no section");
    let secrets: Vec<_> = config.secrets().into_iter().map(|secret| secret.key).collect();
    assert_eq!(
        secrets,
        [
            "apps.main.client_secret",
            "hub.admin_token",
            "hub.master_key",
            "shops.acme.access_token",
            "systems.erp.connection.headers.X-Api-Key"
        ]
    );
}

#[test]
fn a_public_address_makes_webhooks_the_default() {
    let config =
        read_with(GOOD, &[("TIDEGATE__HUB__PUBLIC_URL", "https://hub.example.com")], &[]).finish().unwrap();
    assert_eq!(flow(&config).intake.value, Intake::Webhook);
    assert_eq!(flow(&config).sweep.every.value, Duration::from_secs(300));
}

#[test]
fn flags_win_over_the_environment_and_that_over_the_file() {
    let variables = [
        ("TIDEGATE__FLOWS__ORDERS_TO_ERP__MODE", "shadow"),
        ("TIDEGATE__HUB__LISTEN", "0.0.0.0:80"),
        ("TIDEGATE__APPS__MAIN__SCOPES", "read_orders,write_orders"),
        ("TIDEGATE__HUB__TRUSTED_PROXIES", "[\"10.0.0.0/8\"]"),
        ("TIDEGATE__SYSTEMS__ERP__CONCURRENCY", "9"),
        ("TIDEGATE__SYSTEMS__ERP__CONNECTION__DATABASE", "12"),
        ("TIDEGATE__OWNERSHIP__ORDERS__FIELDS__ERP_NUMBER__OWNER", "shopify"),
    ];
    let flags = [("flows.orders_to_erp.mode", "off"), ("hub.limits.body_bytes_max", "\"1MiB\"")];
    let reading = read_with(GOOD, &variables, &flags);
    assert_eq!(reading.findings, [], "{}", config::render(&reading.findings));
    let config = reading.config;
    let hub = config.hub().unwrap();
    assert_eq!(flow(&config).mode.value, Mode::Off);
    assert_eq!(flow(&config).mode.origin.to_string(), "flag --set flows.orders_to_erp.mode");
    assert_eq!(hub.listen.to_string(), "0.0.0.0:80");
    assert_eq!(hub.listen.origin.to_string(), "environment variable TIDEGATE__HUB__LISTEN");
    assert_eq!(hub.limits.body_bytes_max.value.0, 1 << 20);
    assert_eq!(hub.trusted_proxies.len(), 1);
    let scopes: Vec<_> = config.apps["main"].scopes.iter().map(|scope| scope.value.as_str()).collect();
    assert_eq!(scopes, ["read_orders", "write_orders"]);
    let erp = &config.systems[&kernel::id::SystemName::new("erp").unwrap()];
    assert_eq!(erp.concurrency.value, 9);
    let orders = config.ownership.values().next().unwrap();
    assert_eq!(orders.fields["erp.number"].owner.value.0[0].as_str(), "shopify");
    let listed = config.in_force.iter().find(|setting| setting.key == "flows.orders_to_erp.mode").unwrap();
    assert_eq!((listed.value.as_str(), listed.origin.kind()), ("\"off\"", "flag"));
}

#[test]
fn the_revision_follows_what_is_in_force_and_not_how_it_was_written() {
    let revision =
        |text: &str, variables: &[(&str, &str)]| config::revision(&read_with(text, variables, &[]).config);
    let plain = revision(GOOD, &[]);
    assert_eq!(
        plain,
        revision(&GOOD.replace("[hub]", "# a note\n[hub]\ndata_dir = './data'"), &[]),
        "a default, written"
    );
    assert_eq!(
        plain,
        revision(GOOD, &[("TIDEGATE__HUB__LISTEN", "127.0.0.1:9")]),
        "nodes may differ in this"
    );
    assert_ne!(plain, revision(GOOD, &[("TIDEGATE__FLOWS__ORDERS_TO_ERP__MODE", "off")]));
    assert_ne!(plain, revision(GOOD, &[("TIDEGATE__SYSTEMS__ERP__CONNECTION__BASE_URL", "http://other")]));
    let with = |content: &str| {
        let mappings = BTreeMap::from([("orders_to_erp".to_owned(), content.as_bytes().to_vec())]);
        config::revision_with_mappings(&good(), &mappings)
    };
    assert_ne!(with("a"), with("b"));
    let targets = |variables: &[(&str, &str)]| config::targets(&read_with(GOOD, variables, &[]).config);
    assert_eq!(targets(&[]), targets(&[("TIDEGATE__FLOWS__ORDERS_TO_ERP__MODE", "off")]));
    assert_ne!(targets(&[]), targets(&[("TIDEGATE__SYSTEMS__ERP__CONNECTION__BASE_URL", "http://other")]));
}

#[test]
fn all_mistakes_come_at_once_and_in_the_order_of_the_file() {
    let text = GOOD
        .replace("master_key =", "master_keys =")
        .replace("domain = \"acme.myshopify.com\"", "domain = \"acme.com\"")
        .replace("Europe/Amsterdam", "Europe/Amstrdam")
        .replace("connector = \"http\"", "connector = \"http\"\nlease = 60\nconcurrency = 0")
        .replace("go_live_at", "golive_at")
        .replace("after(\"15m\")", "after(\"15\")");
    let findings = read_with(&text, &[], &[]).findings;
    let found: Vec<_> =
        findings.iter().map(|f| (f.code, f.origin.to_string().replace("tidegate.toml:", ""))).collect();
    assert_eq!(
        found,
        [
            (Code::MissingKey, "2:2".to_owned()),
            (Code::UnknownKey, "3:1".to_owned()),
            (Code::Value, "11:10".to_owned()),
            (Code::Value, "14:13".to_owned()),
            (Code::Unit, "19:9".to_owned()),
            (Code::Value, "20:15".to_owned()),
            (Code::MissingKey, "30:8".to_owned()),
            (Code::UnknownKey, "35:1".to_owned()),
            (Code::Unit, "36:16".to_owned()),
        ],
        "{}",
        config::render(&findings)
    );
    assert_eq!(findings[1].help, "did you mean master_key?");
    assert_eq!(findings[4].help, "write \"60s\"");
}

#[test]
fn a_literal_secret_is_never_echoed() {
    const SECRET: &str = "hunter2-Zauberwort";
    for (from, to) in [
        ("\"env:CLIENT_SECRET\"", "\"hunter2-Zauberwort\""),
        ("\"env:CLIENT_SECRET\"", "'''hunter2-Zauberwort'''"),
        ("\"env:CLIENT_SECRET\"", "[\"hunter2-Zauberwort\"]"),
        ("\"env:CLIENT_SECRET\"", "hunter2-Zauberwort"),
        ("\"env:CLIENT_SECRET\"", "\"hunter2-Zauberwort"),
        ("\"env:ERP_KEY\"", "\"hunter2-Zauberwort\""),
        ("http://127.0.0.1:9002", "http://user:hunter2-Zauberwort@127.0.0.1:9002"),
        ("tidegate\" }", "shpat_hunter2-Zauberwort\" }"),
    ] {
        let text = GOOD.replace(from, to);
        assert_ne!(text, GOOD);
        assert_unechoed(&read_with(&text, &[], &[]), to);
    }
    for key in ["TIDEGATE__APPS__MAIN__CLIENT_SECRET", "TIDEGATE__SYSTEMS__ERP__CONNECTION__PASSWORD"] {
        let reading = read_with(GOOD, &[(key, SECRET)], &[]);
        assert_eq!(reading.findings[0].code, Code::LiteralSecret);
        assert_unechoed(&reading, key);
    }
}

fn assert_unechoed(reading: &Reading, case: &str) {
    assert!(!reading.findings.is_empty(), "{case}");
    let mut shown = config::render(&reading.findings);
    shown += &serde_json::to_string(&reading.findings).unwrap();
    for finding in &reading.findings {
        miette::NarratableReportHandler::new()
            .with_context_lines(20)
            .render_report(&mut shown, finding)
            .unwrap();
    }
    shown += &format!("{:?}", reading.findings);
    shown += &format!("{:?}", reading.config.in_force);
    // The head alone may be seen where nothing marks the rest as a secret: there is no such case here.
    assert!(!shown.contains("Zauberwort"), "{case}: {shown}");
}

#[test]
fn a_file_that_is_not_there_says_what_to_do() {
    let findings = Config::load(Path::new("/nowhere/tidegate.toml"), &env(&[]), &[]).unwrap_err();
    assert_eq!(findings.iter().map(|f: &Finding| f.code).collect::<Vec<_>>(), [Code::File]);
    assert!(findings[0].help.contains("tidegate init"), "{}", findings[0].help);
}

#[test]
fn what_a_broken_line_swallowed_is_not_reported_as_missing() {
    let findings = read_with(&GOOD.replace("[hub]", "[hub"), &[], &[]).findings;
    assert!(findings.iter().any(|finding| finding.code == Code::Syntax));
    assert!(findings.iter().all(|finding| finding.code != Code::MissingKey), "{}", config::render(&findings));
    let twice =
        read_with(&GOOD.replace("role = \"erp\"", "role = \"erp\"\nrole = \"oms\""), &[], &[]).findings;
    assert_eq!(twice.len(), 1, "{}", config::render(&twice));
    assert!(
        twice[0].message.contains("twice") && twice[0].origin.to_string() == "tidegate.toml:18:1",
        "{twice:?}"
    );
}

mod arbitrary {
    use super::*;
    use proptest::prelude::*;

    /// Text made of what configurations are made of, so that more than the lexer is reached.
    fn pieces() -> impl Strategy<Value = String> {
        let words = [
            "[",
            "]",
            "[[",
            "]]",
            "{",
            "}",
            "=",
            ".",
            ",",
            "\"",
            "'",
            "\"\"\"",
            "\n",
            "\r\n",
            "#",
            " ",
            "\\",
            "\\u",
            "é",
            "\u{0}",
            "hub",
            "apps",
            "shops.a",
            "systems.erp",
            "flows.x",
            "ownership.orders",
            "fields",
            "connection",
            "password",
            "token",
            "env:A",
            "file:",
            "shpat_",
            "http://u:p@h",
            "1e400",
            "99999999999999999999",
            "2026-11-24",
            "30",
            "true",
            "export_when",
            "after(\"1\")",
            "retry",
            "listen",
            "domain",
            "orders",
            "slo",
            "sweep",
            "every",
        ];
        proptest::collection::vec(proptest::sample::select(words.to_vec()), 0..60)
            .prop_map(|words| words.concat())
    }

    fn survives(text: &str) {
        let reading = read_with(text, &[("TIDEGATE__HUB__LISTEN", text)], &[(text, text)]);
        let _ = (config::render(&reading.findings), serde_json::to_string(&reading.findings).unwrap());
        for finding in &reading.findings {
            let mut drawn = String::new();
            miette::NarratableReportHandler::new().render_report(&mut drawn, finding).unwrap();
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_text_makes_it_panic(text in any::<String>()) {
            survives(&text);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            survives(&String::from_utf8_lossy(&bytes));
        }

        #[test]
        fn no_pieces_make_it_panic(text in pieces()) {
            survives(&text);
        }

        #[test]
        fn no_damage_to_a_good_file_makes_it_panic(at in 0..GOOD.len(), piece in pieces(), cut in 0usize..40) {
            let end = (at + cut).min(GOOD.len());
            survives(&format!("{}{piece}{}", &GOOD[..at], &GOOD[end..]));
        }
    }

    #[test]
    fn deep_nesting_is_a_finding() {
        for text in [
            "[".repeat(50_000),
            "a.".repeat(50_000) + "b = 1",
            format!("a = {}", "[".repeat(50_000)),
            "a = {b = ".repeat(20_000),
        ] {
            assert!(!read_with(&text, &[], &[]).findings.is_empty());
        }
    }
}
