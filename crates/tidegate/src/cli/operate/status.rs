//! `tidegate status`: the verdict, what is wrong, why and what happens next; then the figures behind it. The words are
//! the engine's, the same as on the page.

use super::client::Client;
use super::page::{self, Page, at, list, many, number, span, text};
use super::{dead_letters, systems};
use crate::cli::Failure;
use serde_json::Value;

const EXAMPLES: &str = "\
Examples:
  tidegate status
  tidegate status --json | jq .verdict          well, attention or trouble";

/// How everything stands: what is late, why, and what happens next
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {}

pub async fn run(client: &Client, _: &Args, json: bool) -> Result<(), Failure> {
    let status = client.get("/status").await?;
    if json {
        page::json(&status);
    } else {
        drawn(&status, client.hub_runs()).print();
    }
    Ok(())
}

fn drawn(status: &Value, hub_runs: bool) -> Page {
    let mut page = Page::new();
    page.line(format!("{} UTC: {}", at(&status["at"]), verdict(status)));
    for finding in list(&status["findings"]) {
        page.blank();
        page.line(format!("{}  {}", text(&finding["severity"]), text(&finding["what"])));
        if !finding["why"].is_null() {
            page.line(format!("    why   {}", text(&finding["why"])));
        }
        let until = if finding["until"].is_null() {
            String::new()
        } else {
            format!(", {} UTC", at(&finding["until"]))
        };
        page.line(format!("    next  {}{until}", text(&finding["next"])));
    }
    page.blank();
    lag(&mut page, status);
    stock(&mut page, list(&status["stock"]));
    touched(&mut page, &status["touched"]);
    page.blank();
    page.line("Systems");
    systems::table(&mut page, list(&status["systems"]), hub_runs);
    if !list(&status["dead_letters"]).is_empty() {
        page.blank();
        page.line("Dead letters, by cause (tidegate dead-letters list)");
        dead_letters::groups(&mut page, list(&status["dead_letters"]));
    }
    page
}

fn verdict(status: &Value) -> &'static str {
    if status["fresh"] == true {
        return "nothing has arrived yet";
    }
    match status["verdict"].as_str() {
        Some("well") => "all is well",
        Some("attention") => "somebody should look, in working hours",
        _ => "trouble: late, or stuck until a person acts",
    }
}

fn lag(page: &mut Page, status: &Value) {
    let objective = span(&status["objective_ms"]);
    let row = |name: &str, lag: &Value| {
        let over = match number(&lag["count"]) {
            0 => "–".to_owned(),
            count => format!("{} of {count}", number(&lag["over"])),
        };
        vec![name.to_owned(), span(&lag["p50_ms"]), span(&lag["p99_ms"]), over]
    };
    let lag = &status["lag"];
    page.line(format!("Lag of exports, against {objective}"));
    page.table(
        &["over", "p50", "p99", "too late"],
        vec![row("five minutes", &lag["now"]), row("an hour", &lag["hour"])],
    );
    if !lag["covered_since"].is_null() {
        page.line(format!("(of the newest, since {} UTC)", at(&lag["covered_since"])));
    }
    let late = number(&status["late"]["count"]);
    if late > 0 {
        let at_least = if status["late"]["more"] == true { "at least " } else { "" };
        let oldest = span(&status["late"]["oldest_ms"]);
        page.line(format!("late now: {at_least}{late}, the oldest by {oldest}"));
    }
}

/// How much of what changed in stock was accepted in time, and how far the source's clock may be off.
fn stock(page: &mut Page, stock: &[Value]) {
    if stock.is_empty() {
        return;
    }
    page.blank();
    page.line("Stock accepted in time");
    let row = |over: &str, of: &Value, met: &Value| {
        let (count, within) = (number(&met["count"]), number(&met["within"]));
        // More are late than were counted.
        let (at_least, at_most) = if met["more"] == true { ("at least ", "at most ") } else { ("", "") };
        let in_time = match (within * 10_000).checked_div(count) {
            None if met["more"] == true => "more are late than can be counted".to_owned(),
            None => "–".to_owned(),
            Some(share) => {
                format!("{within} of {at_least}{count}, {at_most}{}.{:02} %", share / 100, share % 100)
            }
        };
        let against = format!("{} % within {}", number(&of["share_percent"]), span(&of["objective_ms"]));
        let place = [text(&of["flow"]), text(&of["shop"]), over.to_owned(), in_time, against];
        place.into_iter().chain(["p50_ms", "p95_ms", "p99_ms"].map(|name| span(&met[name]))).collect()
    };
    let rows =
        stock.iter().flat_map(|of| [row("five minutes", of, &of["now"]), row("an hour", of, &of["hour"])]);
    page.table(&["flow", "shop", "over", "in time", "objective", "p50", "p95", "p99"], rows.collect());
    for of in stock {
        page.line(format!("{}: {}", text(&of["source"]), text(&of["clock"]["words"])));
        if !of["since"].is_null() {
            page.line(format!("(counted since {} UTC)", at(&of["since"])));
        }
    }
}

fn touched(page: &mut Page, touched: &Value) {
    page.blank();
    page.line(format!(
        "{} so far; touched by hand {}, released by triage {}, found by the sweep {}",
        many(number(&touched["orders"]), "order"),
        number(&touched["by_hand"]),
        number(&touched["by_triage"]),
        number(&touched["swept"]),
    ));
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn stock_is_told_against_its_objective_with_its_source_s_clock() {
        let mut page = Page::new();
        let met =
            json!({ "count": 21, "within": 19, "late": 1, "p50_ms": 900, "p95_ms": 5000, "p99_ms": 600_000 });
        let clock = json!({ "least_ms": -180_000, "ahead": 2, "words": "its clock is ahead of ours by at least 3 min" });
        stock(
            &mut page,
            &[json!({
                "flow": "stock_to_shopify", "shop": "acme", "source": "wms", "objective_ms": 120_000, "share_percent": 95,
                "now": met, "hour": { "count": 0, "within": 0 }, "clock": clock, "since": "2026-11-27T09:30:00Z",
            })],
        );
        let text = page.text();
        for told in
            ["19 of 21, 90.47 %", "95 % within 2 min", "wms: its clock is ahead", "counted since", "–"]
        {
            assert!(text.contains(told), "{told}: {text}");
        }
    }
}
