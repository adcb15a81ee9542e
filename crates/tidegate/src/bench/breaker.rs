//! Whether a system that is down touches another: the other's p99 alone, and beside one whose breaker is open while
//! its orders pile up. Pairs are interleaved, and each has a second run alone beside it: what two equal runs differ
//! by is what no difference means.

use super::clock::{median, spread};
use super::figure::Figure;
use super::latency::{arrived, lags};
use super::load::{Pace, steady};
use super::sink::Sink;
use super::stage::{Stage, Targets, free_address, orders};
use super::{Bench, PART_BREAKER as PART};
use anyhow::ensure;
use std::sync::Arc;
use std::time::Duration;

const RATE: u64 = 200;
const CONNECTIONS: usize = 32;
/// In this time the dead system's breaker opens, and stays so.
const WARM_S: u64 = 2;

pub async fn measure(bench: &Bench) -> anyhow::Result<Vec<Figure>> {
    // A p99 of fewer orders than some thousands is the luck of a dozen.
    let (pairs, span_s) = if bench.quick { (1, 2) } else { (9, 20) };
    let (mut beside_ratios, mut alone_ratios, mut alone_p99) = (Vec::new(), Vec::new(), Vec::new());
    for pair in 0..pairs {
        // The order changes, so that what drifts touches all alike.
        let runs = match pair % 3 {
            0 => [false, true, false],
            1 => [true, false, false],
            _ => [false, false, true],
        };
        let (mut alone, mut beside) = (Vec::new(), f64::NAN);
        for open in runs {
            let p99 = run(bench, open, span_s).await?;
            if open { beside = p99 } else { alone.push(p99) }
        }
        bench.tell(&format!(
            "pair {} of {pairs}: alone {:.1} and {:.1} ms, beside {beside:.1} ms",
            pair + 1,
            alone[0],
            alone[1]
        ));
        beside_ratios.push(beside / alone[0]);
        alone_ratios.push(alone[1] / alone[0]);
        alone_p99.extend(alone);
    }
    let ((low, high), (a_low, a_high)) = (spread(&beside_ratios), spread(&alone_ratios));
    let note = format!(
        "{pairs} pairs, {low:.2} to {high:.2}; alone against alone: median {:.2}, {a_low:.2} to {a_high:.2}",
        median(alone_ratios)
    );
    Ok(vec![
        Figure::new(PART, "p99 at 200 orders/s alone", median(alone_p99), "ms"),
        Figure::new(PART, "p99 beside an open breaker, as a ratio", median(beside_ratios), "")
            .target("≤ 1.15")
            .note(note),
    ])
}

/// The p99 of the system that is well, in milliseconds.
async fn run(bench: &Bench, open: bool, span_s: u64) -> anyhow::Result<f64> {
    let sink = Sink::start().await?;
    let (url, nowhere) = (sink.url(), format!("http://{}", free_address().await?));
    let targets = Targets { erp: &url, beside: open.then_some(nowhere.as_str()) };
    let mut stage = Stage::set(&bench.folder, "breaker", targets).await?;
    stage.hub.start().await?;
    let mut orders = orders()?;
    let warm = Arc::new(orders.make(usize::try_from(RATE * WARM_S)?));
    steady(stage.address, warm, CONNECTIONS, Pace::from_now(RATE)).await?;
    let requests = Arc::new(orders.make(usize::try_from(RATE * span_s)?));
    let pace = Pace::from_now(RATE);
    steady(stage.address, requests.clone(), CONNECTIONS, pace).await?;
    let all = arrived(&sink, &requests, Duration::from_secs(20)).await;
    ensure!(all, "the hub did not deliver: see {}", stage.folder.display());
    let p99 = lags(&sink, &requests, pace)?.value_at_percentile(99.0) as f64 / 1e3;
    stage.strike().await?;
    Ok(p99)
}
