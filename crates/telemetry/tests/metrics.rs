//! The page is what the code makes, and what is exposed is what the page says.

use kernel::fault::{FaultKind, Severity};
use kernel::id::{FlowName, ShopId, SystemName};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;
use tidegate_telemetry::{BreakerValue, Door, Kind, Metrics, NAMES, QueueSample, metrics_page};

#[test]
fn the_metrics_page_is_in_step_with_the_code() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/metrics.md");
    let made = metrics_page();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&page, &made).unwrap();
    }
    let kept = std::fs::read_to_string(&page).unwrap_or_default();
    assert!(kept == made, "docs/metrics.md is not what the code makes: run this test with UPDATE_DOCS=1");
}

/// Every method once.
fn touched() -> Metrics {
    let metrics = Metrics::new();
    let (system, flow) = (SystemName::new("erp").unwrap(), FlowName::new("orders").unwrap());
    let shop = ShopId::new("acme").unwrap();
    metrics.priced("server", 200, Duration::from_millis(2));
    metrics.price_lines("fallback", 3);
    metrics.hydration(&shop, "whole");
    metrics.hydrated(&shop, 1_800_000_000, 1, 2);
    metrics.catalog_drift(&shop, 3);
    metrics.answered(Door::Webhook, 200, "stored", Duration::from_millis(2));
    metrics.answered(Door::Ingest, 401, "unauthorized", Duration::from_millis(2));
    metrics.set_uncommitted(5, 64);
    metrics.connection_opened("public");
    metrics.set_committing(false);
    metrics.set_free_disk(7);
    metrics.ended(&system, &flow, "delivered", None, Some(59_000));
    metrics.change_folded(&system, &shop, "folded");
    metrics.ended(&system, &flow, "dead", Some(FaultKind::Rejected), None);
    metrics.stock_accepted(&flow, &shop, 119_000, true);
    metrics.stock_accepted(&flow, &shop, 121_000, false);
    metrics.stock_checked(&flow, &shop, 1_800_000_000, [("differs", 3), ("twice_in_source", 0)]);
    metrics.set_source_clock(&system, &shop, -2_500);
    metrics.called(&system, "create", Some(FaultKind::Ambiguous), Duration::from_secs(1));
    metrics.set_queue(&system, QueueSample { waiting: 4, due: 3, unknown: 2, dead: 1, oldest_s: 61.5 });
    metrics.set_system("erp", BreakerValue::parse("open"), true, 2);
    metrics.set_log(9, 1, 1000);
    metrics.set_topic_seen(&shop, "orders/create", 1_700_000_000);
    metrics.touched_by_hand("release", 3);
    metrics.missed_webhooks(&shop, 2);
    metrics.redacted("customers/redact");
    metrics.noticed("breaker_opened", Severity::Ticket);
    metrics.escalation_lost("webhook");
    metrics.set_build("0.1.0", "abc");
    metrics
}

/// `name{label="…"} value` → name and labels.
fn sample(line: &str) -> (String, BTreeSet<String>) {
    let series = line.rsplit_once(' ').unwrap().0;
    let Some((name, labels)) = series.split_once('{') else { return (series.to_owned(), BTreeSet::new()) };
    let labels = labels.trim_end_matches('}').split("\",").filter_map(|part| part.split_once('='));
    (name.to_owned(), labels.map(|(label, _)| label.to_owned()).filter(|label| label != "le").collect())
}

#[test]
fn what_is_exposed_is_what_is_documented() {
    let text = touched().encode();
    let mut exposed: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (name, labels) = sample(line);
        exposed.entry(name).or_default().extend(labels);
    }
    let mut documented: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for name in NAMES {
        let labels: BTreeSet<String> = name.labels.iter().map(ToString::to_string).collect();
        let ends: &[&str] = if name.kind == Kind::Histogram { &["_bucket", "_count", "_sum"] } else { &[""] };
        for end in ends {
            documented.insert(format!("{}{end}", name.exposed()), labels.clone());
        }
    }
    assert_eq!(exposed, documented);
}

#[test]
fn objectives_are_edges_of_buckets() {
    let text = touched().encode();
    for (metric, edges) in [
        ("tidegate_webhook_latency_seconds", ["0.3", "60.0", "120.0"]),
        ("tidegate_export_lag_seconds", ["0.3", "60.0", "120.0"]),
    ] {
        for edge in edges {
            assert!(
                text.lines().any(|l| l.starts_with(metric) && l.contains(&format!("le=\"{edge}\""))),
                "{metric} {edge}"
            );
        }
    }
    let within = |edge: &str| {
        let line = text
            .lines()
            .find(|l| l.starts_with("tidegate_export_lag_seconds_bucket") && l.contains(edge))
            .unwrap();
        line.rsplit_once(' ').unwrap().1.to_owned()
    };
    assert_eq!((within("le=\"30.0\"").as_str(), within("le=\"60.0\"").as_str()), ("0", "1"));
}

#[test]
fn values_are_those_that_were_told() {
    let metrics = touched();
    let text = metrics.encode();
    for line in [
        "tidegate_breaker_state{system=\"erp\"} 2",
        "tidegate_queue_depth{system=\"erp\",state=\"dead\"} 1",
        "tidegate_queue_age_seconds{system=\"erp\"} 61.5",
        "tidegate_store_committing 0",
        "tidegate_orders_touched_by_hand_total{action=\"release\"} 3",
        "tidegate_calls_total{system=\"erp\",step=\"create\",fault=\"ambiguous\"} 1",
        "tidegate_deliveries_ended_total{system=\"erp\",flow=\"orders\",outcome=\"delivered\",fault=\"none\"} 1",
    ] {
        assert!(text.lines().any(|l| l == line), "{line} is not in\n{text}");
    }
    assert_eq!(metrics.answers(Door::Webhook, 200, "stored"), 1);
    assert_eq!(metrics.missed(&ShopId::new("acme").unwrap()), 2);
    assert_eq!(metrics.notices("breaker_opened", Severity::Ticket), 1);
}
