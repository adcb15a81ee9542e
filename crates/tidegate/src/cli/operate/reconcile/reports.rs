//! `tidegate reconcile reports` and `show`: what full checks found, as it is kept: the drift's history, and the newest reports
//! pair by pair.

use super::super::client::Client;
use super::super::page::{self, Page, at, list as rows_of, number, span, text};
use super::super::{Place, query};
use super::{csv, figures, pairs};
use crate::cli::Failure;
use crate::cli::say;
use serde_json::Value;

const LIST_EXAMPLES: &str = "\
Examples:
  tidegate reconcile reports
  tidegate reconcile reports --limit 1000 --json | jq '.reports[] | {began, causes, whys}'

The figures of the newest 1,000 checks of each flow and shop are kept, and of the newest 30 that found something every pair.";

const SHOW_EXAMPLES: &str = "\
Examples:
  tidegate reconcile show                           the newest
  tidegate reconcile show 17 --csv > differences.csv
  tidegate reconcile show --flow stock_to_shopify --shop acme 17 --json";

/// What full checks found, by cadence or by hand, newest first
#[derive(Debug, clap::Args)]
#[command(after_help = LIST_EXAMPLES)]
pub(super) struct List {
    #[command(flatten)]
    place: Place,
    /// The newest of them
    #[arg(long, default_value_t = 30)]
    limit: usize,
}

/// One full check, pair by pair
#[derive(Debug, clap::Args)]
#[command(after_help = SHOW_EXAMPLES)]
pub(super) struct Show {
    /// Its number, as `reports` tells it; without it, the newest
    #[arg(value_name = "ID")]
    number: Option<u64>,
    #[command(flatten)]
    place: Place,
    /// The pairs as CSV
    #[arg(long)]
    csv: bool,
}

pub(super) async fn list(client: &Client, args: &List, json: bool) -> Result<(), Failure> {
    let limit = args.limit.to_string();
    let answer = asked(client, "/reconcile/reports", &args.place, ("limit", Some(limit.as_str()))).await?;
    if json {
        page::json(&answer);
    } else {
        listed(rows_of(&answer["reports"])).print();
    }
    Ok(())
}

pub(super) async fn show(client: &Client, args: &Show, json: bool) -> Result<(), Failure> {
    let number = args.number.map(|number| number.to_string());
    let answer = asked(client, "/reconcile/report", &args.place, ("number", number.as_deref())).await?;
    if json {
        page::json(&answer);
    } else if args.csv {
        say::out(csv(std::slice::from_ref(&answer))?);
    } else {
        shown(&answer).print();
    }
    Ok(())
}

async fn asked(
    client: &Client,
    path: &str,
    place: &Place,
    more: (&str, Option<&str>),
) -> Result<Value, Failure> {
    let asked = query(&[("flow", place.flow.as_deref()), ("shop", place.shop.as_deref()), more]);
    let result = client.get(&format!("{path}?{asked}")).await;
    place.judged(client, result).await
}

fn listed(reports: &[Value]) -> Page {
    let mut page = Page::new();
    if reports.is_empty() {
        page.line(
            "no full check has been made yet: tidegate reconcile inventory --dry-run makes one and changes nothing",
        );
        return page;
    }
    let heads =
        ["at (UTC)", "id", "flow", "shop", "took", "differences", "by why", "again", "kept", "who", "why"];
    page.table(&heads, reports.iter().map(row).collect());
    page
}

fn row(report: &Value) -> Vec<String> {
    let again = if report["dry_run"] == true {
        "only told".to_owned()
    } else {
        number(&report["appended"]).to_string()
    };
    vec![
        at(&report["began"]),
        text(&report["number"]),
        text(&report["flow"]),
        text(&report["shop"]),
        span(&report["took_ms"]),
        counts(&report["causes"], "none"),
        counts(&report["whys"], ""),
        again,
        if report["whole"] == true { "whole" } else { "figures" }.to_owned(),
        text(&report["who"]),
        text(&report["why"]),
    ]
}

fn counts(of: &Value, none: &str) -> String {
    let all = of.as_object().into_iter().flatten().map(|(name, count)| format!("{} {name}", number(count)));
    let all = all.collect::<Vec<_>>().join(", ");
    if all.is_empty() { none.to_owned() } else { all }
}

fn shown(report: &Value) -> Page {
    let mut page = Page::new();
    let what = if report["dry_run"] == true { "; it only told" } else { "" };
    page.line(format!(
        "check {} of {} UTC, by {}: {}{what}",
        text(&report["number"]),
        at(&report["began"]),
        text(&report["who"]),
        text(&report["why"]),
    ));
    figures(&mut page, report);
    pairs(&mut page, rows_of(&report["differences"]));
    if report["dry_run"] != true {
        page.line(format!(
            "{} taken up again, behind live ones",
            page::many(number(&report["appended"]), "pair")
        ));
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_check_stands_in_a_line_with_its_causes_and_one_alone_with_its_pairs() {
        let report = json!({
            "number": 17, "flow": "stock", "shop": "acme", "began": "2026-11-26T01:30:00Z", "took_ms": 14_900, "who": "tidegate",
            "why": "the cadence of its flow", "dry_run": false, "source": 40, "shop_has": 41, "same": 38, "appended": 1,
            "causes": {"differs": 2}, "whys": {"missed": 1, "settled": 1}, "whole": true, "notes": [],
            "differences": [{"sku": "SKU-0003", "location": "WH-1", "cause": "differs", "why": "missed", "wanted": 3, "has": 9}],
        });
        let text = listed(std::slice::from_ref(&report)).text().to_owned();
        for told in ["17", "2 differs", "1 missed, 1 settled", "whole", "the cadence of its flow"] {
            assert!(text.contains(told), "{told}: {text}");
        }
        let text = shown(&report).text().to_owned();
        for told in ["check 17 of 2026-11-26 01:30:00 UTC", "SKU-0003", "never came", "1 pair taken up again"]
        {
            assert!(text.contains(told), "{told}: {text}");
        }
        assert!(csv(&[report]).unwrap().contains("stock,acme,SKU-0003,WH-1,3,9,differs,missed,"));
    }
}
