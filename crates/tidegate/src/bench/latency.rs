//! From webhook to target: when an order's create arrives at a target that takes no time, counted from when its webhook
//! was due; what an order takes of the processor, from webhook to confirmation; how large the hub is meanwhile.

use super::clock::{Neighbours, cpu_s, resident_mb};
use super::figure::Figure;
use super::load::{Pace, steady, waits};
use super::orders::Requests;
use super::sink::Sink;
use super::stage::{Stage, Targets, orders, until};
use super::{Bench, PART_LATENCY as PART};
use anyhow::ensure;
use hdrhistogram::Histogram;
use std::sync::Arc;
use std::time::Duration;

/// Orders a second, with the percentile's bound and the bound on processor time.
const RATES: [(u64, &str); 2] = [(200, "< 10, aim 6"), (500, "< 25, aim 15")];
/// Connections that webhooks come over.
const CONNECTIONS: usize = 32;
/// What is delivered last has this long.
const REST: Duration = Duration::from_secs(30);

pub async fn measure(bench: &Bench) -> anyhow::Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for (rate, target) in RATES {
        figures.extend(at_rate(bench, rate, target).await?);
    }
    Ok(figures)
}

async fn at_rate(bench: &Bench, rate: u64, target: &'static str) -> anyhow::Result<Vec<Figure>> {
    let span_s = if bench.quick { 3 } else { 20 };
    let sink = Sink::start().await?;
    let url = sink.url();
    let mut stage = Stage::set(&bench.folder, "latency", Targets { erp: &url, beside: None }).await?;
    stage.hub.start().await?;
    let mut orders = orders()?;
    let warm = Arc::new(orders.make(usize::try_from(rate)?));
    steady(stage.address, warm.clone(), CONNECTIONS, Pace::from_now(rate)).await?;
    ensure!(arrived(&sink, &warm, REST).await, "the hub did not deliver: see {}", stage.folder.display());

    let requests = Arc::new(orders.make(usize::try_from(rate * span_s)?));
    let pid = stage.pid();
    let (cpu, neighbours) = (cpu_s(pid), Neighbours::look(&[pid]));
    let pace = Pace::from_now(rate);
    let answered = steady(stage.address, requests.clone(), CONNECTIONS, pace).await?;
    ensure!(answered.refused == 0, "{} webhooks were refused", answered.refused);
    ensure!(arrived(&sink, &requests, REST).await, "the hub did not deliver: see {}", stage.folder.display());
    let (cpu, others) = (cpu_s(pid) - cpu, neighbours.since(&[pid]));
    let resident = resident_mb(pid);
    let lags = lags(&sink, &requests, pace)?;
    ensure!(sink.doubled() == 0, "{} orders were created twice", sink.doubled());
    stage.strike().await?;

    let at = |percentile: f64| lags.value_at_percentile(percentile) as f64 / 1e3;
    let note = format!(
        "p50 {:.1}, p99.9 {:.1}, max {:.0} ms over {} orders; others took {others:.1} processors",
        at(50.0),
        at(99.9),
        at(100.0),
        requests.len()
    );
    let cpu_ms = cpu * 1e3 / requests.len() as f64;
    let of = |what: &str| format!("{what} at {rate} orders/s");
    let mut figures =
        vec![Figure::new(PART, of("webhook → target p99"), at(99.0), "ms").target(target).note(note)];
    let spent =
        Figure::new(PART, of("CPU an order"), cpu_ms, "ms").note("webhook to confirmation, user and system");
    let size = Figure::new(PART, of("resident size"), resident, "MB");
    if rate == 200 {
        figures.extend([spent.target("< 1"), size.target("< 80")]);
    } else {
        figures.extend([spent, size]);
    }
    Ok(figures)
}

/// Waits until each of these orders is there.
pub async fn arrived(sink: &Sink, requests: &Requests, within: Duration) -> bool {
    let last = requests.first_order + requests.len() as u64;
    until(within, || (requests.first_order..last).all(|order| sink.arrival(order).is_some())).await
}

/// From when each webhook was due to when its order arrived, in microseconds.
pub fn lags(sink: &Sink, requests: &Requests, pace: Pace) -> anyhow::Result<Histogram<u64>> {
    let mut lags = waits()?;
    for index in 0..requests.len() {
        if let Some(at) = sink.arrival(requests.first_order + index as u64) {
            let lag = at.saturating_duration_since(pace.due(index));
            lags.saturating_record(u64::try_from(lag.as_micros()).unwrap_or(u64::MAX).max(1));
        }
    }
    Ok(lags)
}
