//! Tidegate beside what a team would write in its place: the same load, the same target, the same machine, round by round
//! and one after another, so that what drifts touches all alike. Each ratio is the median of the rounds' own ratios.

use super::clock::{Neighbours, median, now, spread};
use super::figure::Figure;
use super::latency::lags;
use super::load::{Pace, saturate, steady};
use super::side::{Side, Who};
use super::sink::Sink;
use super::stage::{free_address, orders, until};
use super::{Bench, PART_BESIDE as PART};
use anyhow::ensure;
use std::sync::Arc;
use std::time::Duration;

const RATES: [u64; 3] = [50, 200, 500];
/// Connections that webhooks come over, at a rate and as fast as they go.
const CONNECTIONS: usize = 32;
const CROWD: usize = 128;
/// What is delivered last has this long; what comes later counts as not delivered.
const REST: Duration = Duration::from_secs(60);
const WARM_S: u64 = 3;

/// Of one round at one rate.
#[derive(Debug, Clone, Copy)]
struct Round {
    p50_ms: f64,
    p99_ms: f64,
    answer_p99_ms: f64,
    cpu_ms: f64,
    store_cpu_ms: f64,
    resident_mb: f64,
    store_resident_mb: f64,
    others: f64,
    missing: u64,
}

pub async fn measure(bench: &Bench, sides: &[Who]) -> anyhow::Result<Vec<Figure>> {
    let rounds = if bench.quick { 1 } else { 3 };
    let mut figures = intake(bench, sides, rounds).await?;
    for rate in RATES {
        let mut measured: Vec<Vec<Round>> = vec![Vec::new(); sides.len()];
        for round in 0..rounds {
            for turn in 0..sides.len() {
                // Each goes first once.
                let index = (turn + round) % sides.len();
                let one = at_rate(bench, &sides[index], rate).await?;
                bench.tell(&format!(
                    "{} at {rate}/s, round {} of {rounds}: p99 {:.1} ms",
                    sides[index].name(),
                    round + 1,
                    one.p99_ms
                ));
                measured[index].push(one);
            }
        }
        for (who, of_side) in sides.iter().zip(&measured) {
            figures.extend(at_rate_figures(who, rate, of_side, &measured[0]));
        }
    }
    Ok(figures)
}

async fn at_rate(bench: &Bench, who: &Who, rate: u64) -> anyhow::Result<Round> {
    let span_s = if bench.quick { 3 } else { 12 };
    let sink = Sink::start().await?;
    let mut side = who.set(bench, &sink.url()).await?;
    side.start().await?;
    let mut orders = orders()?;
    let warm = Arc::new(orders.make(usize::try_from(rate * WARM_S)?));
    steady(side.address(), warm.clone(), CONNECTIONS, Pace::from_now(rate)).await?;
    until(REST, || sink.confirmed() >= warm.len() as u64).await;

    let requests = Arc::new(orders.make(usize::try_from(rate * span_s)?));
    let (cpu, store_cpu) = (side.cpu_s(), store_cpu_s(&side));
    let pids = side.pids();
    let neighbours = Neighbours::look(&pids);
    let pace = Pace::from_now(rate);
    let answered = steady(side.address(), requests.clone(), CONNECTIONS, pace).await?;
    ensure!(answered.refused == 0, "{} refused {} webhooks", who.name(), answered.refused);
    let resident_mb = side.resident_mb();
    let store_resident_mb = side.store().map_or(0.0, super::service::Service::resident_mb);
    let sent = (warm.len() + requests.len()) as u64;
    until(REST, || sink.confirmed() >= sent).await;
    let (cpu, store_cpu) = (side.cpu_s() - cpu, store_cpu_s(&side) - store_cpu);
    let others = neighbours.since(&pids);
    let lags = lags(&sink, &requests, pace)?;
    let round = Round {
        p50_ms: lags.value_at_percentile(50.0) as f64 / 1e3,
        p99_ms: lags.value_at_percentile(99.0) as f64 / 1e3,
        answer_p99_ms: answered.at_ms(99.0),
        cpu_ms: cpu * 1e3 / requests.len() as f64,
        store_cpu_ms: store_cpu * 1e3 / requests.len() as f64,
        resident_mb,
        store_resident_mb,
        others,
        missing: sent.saturating_sub(sink.count()),
    };
    ensure!(sink.doubled() == 0, "{}: {} orders were created twice", who.name(), sink.doubled());
    side.strike().await?;
    Ok(round)
}

fn store_cpu_s(side: &Side) -> f64 {
    side.store().map_or(0.0, super::service::Service::cpu_s)
}

/// The first side is the one that the others are held against.
fn at_rate_figures(who: &Who, rate: u64, rounds: &[Round], first: &[Round]) -> Vec<Figure> {
    let of = |what: &str| format!("{} at {rate}/s: {what}", who.name());
    let middle = |of: fn(&Round) -> f64| median(rounds.iter().map(of).collect());
    let against = |of: fn(&Round) -> f64| {
        median(rounds.iter().zip(first).map(|(one, first)| of(one) / of(first)).collect())
    };
    let p99: Vec<f64> = rounds.iter().map(|round| round.p99_ms).collect();
    let (low, high) = spread(&p99);
    let missing: u64 = rounds.iter().map(|round| round.missing).sum();
    let late = if missing > 0 {
        format!("; {missing} not delivered after {} s", REST.as_secs())
    } else {
        String::new()
    };
    let lag_note = format!(
        "{:.2} of the first's; {low:.1} to {high:.1}; p50 {:.1}; answer p99 {:.1} ms; others took {:.1} processors{late}",
        against(|round| round.p99_ms),
        middle(|round| round.p50_ms),
        middle(|round| round.answer_p99_ms),
        middle(|round| round.others),
    );
    let cpu_note = format!(
        "{:.2} of the first's; {:.2} service, {:.2} store",
        against(|round| round.cpu_ms + round.store_cpu_ms),
        middle(|round| round.cpu_ms),
        middle(|round| round.store_cpu_ms)
    );
    let size_note = format!(
        "{:.2} of the first's; {:.0} service, {:.0} store",
        against(|round| round.resident_mb + round.store_resident_mb),
        middle(|round| round.resident_mb),
        middle(|round| round.store_resident_mb)
    );
    vec![
        Figure::new(PART, of("webhook → target p99"), median(p99), "ms").note(lag_note),
        Figure::new(PART, of("CPU an order"), middle(|round| round.cpu_ms + round.store_cpu_ms), "ms")
            .note(cpu_note),
        Figure::new(PART, of("resident"), middle(|round| round.resident_mb + round.store_resident_mb), "MB")
            .note(size_note),
    ]
}

/// Durable intake as fast as it goes, the target down; a peer's worker, which could only fail, is not started.
async fn intake(bench: &Bench, sides: &[Who], rounds: usize) -> anyhow::Result<Vec<Figure>> {
    let span = if bench.quick { Duration::from_secs(1) } else { Duration::from_secs(4) };
    let mut rates: Vec<Vec<f64>> = vec![Vec::new(); sides.len()];
    let mut cpu_us: Vec<Vec<f64>> = vec![Vec::new(); sides.len()];
    for round in 0..rounds {
        for turn in 0..sides.len() {
            let index = (turn + round) % sides.len();
            let (rate, cpu) = intake_round(bench, &sides[index], span).await?;
            bench.tell(&format!(
                "{} intake, round {} of {rounds}: {rate:.0}/s",
                sides[index].name(),
                round + 1
            ));
            rates[index].push(rate);
            cpu_us[index].push(cpu);
        }
    }
    let figure = |index: usize| {
        let (low, high) = spread(&rates[index]);
        let ratio = median(rates[0].iter().zip(&rates[index]).map(|(first, one)| first / one).collect());
        let note = format!(
            "the first takes {ratio:.1} times as many; {low:.0} to {high:.0}; {:.0} µs CPU each, store included",
            median(cpu_us[index].clone())
        );
        Figure::new(
            PART,
            format!("{}: durable intake", sides[index].name()),
            median(rates[index].clone()),
            "1/s",
        )
        .note(note)
    };
    Ok((0..sides.len()).map(figure).collect())
}

/// Webhooks a second, and microseconds of processor time for each.
async fn intake_round(bench: &Bench, who: &Who, span: Duration) -> anyhow::Result<(f64, f64)> {
    let nowhere = format!("http://{}", free_address().await?);
    let mut side = who.set(bench, &nowhere).await?;
    side.start_door().await?;
    let mut orders = orders()?;
    // Compiled while it runs: the first second of such a program says little.
    let warm = Arc::new(orders.make(2_000));
    saturate(side.address(), warm, CROWD, Duration::from_secs(1)).await?;
    let requests = Arc::new(orders.make((span.as_secs_f64() * 25_000.0) as usize));
    let cpu = side.cpu_s() + store_cpu_s(&side);
    let begun = now();
    let answered = saturate(side.address(), requests, CROWD, span).await?;
    ensure!(answered.refused == 0, "{} refused {} webhooks", who.name(), answered.refused);
    ensure!(begun.elapsed() < span * 4, "{} stood still", who.name());
    let cpu = side.cpu_s() + store_cpu_s(&side) - cpu;
    side.kill().await?;
    side.strike().await?;
    Ok((answered.rate(), cpu * 1e6 / answered.ok as f64))
}
