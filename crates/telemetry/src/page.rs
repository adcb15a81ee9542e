//! The page that documents the metrics and the log fields, made from the lists.

use crate::fields::FIELDS;
use crate::names::NAMES;
use std::fmt::Write as _;

const HEAD: &str = "\
# Metrics and logs

<!-- Made from crates/telemetry/src/names.rs and fields.rs; `UPDATE_DOCS=1 cargo test -p tidegate-telemetry` rewrites it. -->

`GET /metrics` answers in the OpenMetrics text format. No label and no log field holds a payload, a secret or personal
data: they are configured names, ids and words of the hub's own.

Objectives: a webhook is answered within 0.3 s; an order is in the target within 60 s of its change, an amended one
within 120 s; of what changes in stock, 95 % are accepted by the shop within 120 s. These edges are buckets of the histograms, so the share within an objective is exact, not interpolated.
The intake is available if 99.95 % of what is ours to take is answered 2xx within 5 s (all that Shopify waits), over 30
days; what reaches no process is counted by none: `tidegate torture --rolling` measures that from outside.
Lag counts whatever a delivery waited for: a limit, a breaker or a pause leave nothing out of the figure.

## Metrics

| name | kind | labels | meaning |
| --- | --- | --- | --- |
";

const ALERTS: &str = "
## What to alert on

| what | expression |
| --- | --- |
| intake refuses | `sum(rate(tidegate_intake_total{status=\"503\"}[5m])) > 0` |
| carts are not priced in time | `histogram_quantile(0.95, sum by (le) (rate(tidegate_price_latency_seconds_bucket[5m]))) > 0.3` |
| the system that makes prices does not | `sum(rate(tidegate_price_lines_total{came=\"fallback\"}[5m])) > 0` |
| webhooks are not answered in time | `histogram_quantile(0.99, sum by (le) (rate(tidegate_webhook_latency_seconds_bucket[5m]))) > 0.3` |
| the intake misses its objective | `sum(rate(tidegate_intake_on_time_total{met=\"no\"}[30d])) / sum(rate(tidegate_intake_on_time_total[30d])) > 0.0005` |
| orders are late | `max(tidegate_queue_age_seconds) > 60` |
| stock misses its objective | `sum(rate(tidegate_stock_on_time_total{met=\"no\"}[1h])) / sum(rate(tidegate_stock_on_time_total[1h])) > 0.05` |
| the nightly check finds drift | `sum by (flow, shop) (tidegate_stock_drift{cause!=\"unknown_in_source\"}) > 100` |
| no full check came to its end | `time() - tidegate_stock_checked_last_seconds > 2 * 86400` |
| a source's clock is ahead | `min(tidegate_source_clock_seconds) < -2` |
| a breaker stays open | `min_over_time(tidegate_breaker_state[5m]) == 2` |
| dead letters | `sum(tidegate_queue_depth{state=\"dead\"}) > 0` |
| webhooks go missing | `increase(tidegate_missed_webhooks_total[1h]) > 0` |
| too many hands | `sum(increase(tidegate_orders_touched_by_hand_total[1d])) / sum(increase(tidegate_deliveries_ended_total{outcome=\"delivered\"}[1d])) > 0.001` |

## Log fields

Logs are structured; each event is written once, where it is handled. These are all the fields:

| field | meaning |
| --- | --- |
";

/// The text of `docs/metrics.md`.
pub fn metrics_page() -> String {
    let mut page = HEAD.to_owned();
    for name in NAMES {
        let labels: Vec<String> = name.labels.iter().map(|label| format!("`{label}`")).collect();
        let labels = if labels.is_empty() { "–".to_owned() } else { labels.join(", ") };
        // Writing to a String cannot fail.
        let _ =
            writeln!(page, "| `{}` | {} | {labels} | {} |", name.exposed(), name.kind.as_str(), name.help);
    }
    page.push_str(ALERTS);
    for (name, meaning) in FIELDS {
        let _ = writeln!(page, "| `{name}` | {meaning} |");
    }
    page
}
