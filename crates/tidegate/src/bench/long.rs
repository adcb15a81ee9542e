//! The long run: a hundred thousand orders or more through one hub, its size looked at all along; what they take on
//! disk; then a tenth as many, ten thousand at most, that wait behind a dead target, and how long such a hub takes to start.

use super::clock::{Neighbours, cpu_s, ms, now, peak_mb, resident_mb, spread};
use super::figure::Figure;
use super::growth::how_far;
use super::load::saturate;
use super::orders::Orders;
use super::sink::Sink;
use super::stage::{Stage, Targets, free_address, orders, until};
use super::{Bench, PART_MEMORY, PART_STARTUP};
use anyhow::ensure;
use std::sync::Arc;
use std::time::Duration;

/// Orders that are sent before their delivery is waited for: a backlog, but not the whole of it.
const BITE: usize = 2_000;
const CONNECTIONS: usize = 16;
const REST: Duration = Duration::from_secs(120);
/// Restarts; the median counts.
const STARTS: usize = 5;

pub async fn measure(bench: &Bench, memory: bool, startup: bool) -> anyhow::Result<Vec<Figure>> {
    let finished = bench.orders.unwrap_or(if bench.quick { 6_000 } else { 100_000 });
    let pending = (finished / 10).clamp(1, 10_000);
    let sink = Sink::start().await?;
    let url = sink.url();
    let mut stage = Stage::set(&bench.folder, "long", Targets { erp: &url, beside: None }).await?;
    stage.hub.start().await?;
    let mut orders = orders()?;
    let mut figures = finish(bench, &mut stage, &sink, &mut orders, finished).await?;
    if !memory {
        figures.clear();
    }
    if startup {
        figures.push(start(bench, &mut stage, &mut orders, &url, finished, pending).await?);
    }
    stage.strike().await?;
    Ok(figures)
}

/// Sends and waits, bite after bite, until all is delivered.
async fn finish(
    bench: &Bench,
    stage: &mut Stage,
    sink: &Sink,
    orders: &mut Orders,
    count: usize,
) -> anyhow::Result<Vec<Figure>> {
    let pid = stage.pid();
    let (begun, cpu, neighbours) = (now(), cpu_s(pid), Neighbours::look(&[pid]));
    let (mut sizes, mut body_bytes) = (Vec::new(), 0);
    for bite in 0..count.div_ceil(BITE) {
        let sent = bite * BITE;
        let requests = Arc::new(orders.make(BITE.min(count - sent)));
        body_bytes += requests.body_bytes;
        let last = (sent + requests.len()) as u64;
        let answered = saturate(stage.address, requests, CONNECTIONS, REST).await?;
        ensure!(answered.refused == 0, "{} webhooks were refused", answered.refused);
        let all = until(REST, || sink.count() >= last).await;
        ensure!(all, "only {} of {last} orders arrived: see {}", sink.count(), stage.folder.display());
        sizes.push(resident_mb(pid));
        if bite % 10 == 9 {
            let far = how_far("through the hub", last as usize, count, last as usize, begun.elapsed());
            bench.tell(&format!("{far}; {:.0} MB resident", sizes.last().unwrap_or(&0.0)));
        }
    }
    let (span, cpu, others) = (begun.elapsed(), cpu_s(pid) - cpu, neighbours.since(&[pid]));
    ensure!(sink.doubled() == 0, "{} orders were created twice", sink.doubled());
    let peak = peak_mb(pid);
    // A stop brings the log into the database.
    stage.hub.stop().await?;
    let data = stage.data_bytes() as f64;
    let (body, disk) = (body_bytes as f64 / count as f64, data / count as f64);
    let second_half = &sizes[sizes.len() / 2..];
    let (low, high) = spread(second_half);
    let (middle, end) = (second_half.first().unwrap_or(&0.0), second_half.last().unwrap_or(&0.0));
    let note =
        format!("{middle:.0} MB at the middle; {low:.0} to {high:.0} MB within it, over {count} orders");
    Ok(vec![
        Figure::new(
            PART_MEMORY,
            "orders delivered, as fast as they go",
            count as f64 / span.as_secs_f64(),
            "1/s",
        )
        .note(format!("{:.2} ms CPU each; others took {others:.1} processors", cpu * 1e3 / count as f64)),
        Figure::new(PART_MEMORY, "resident size at the end", *end, "MB")
            .target("< 100")
            .note(format!("{peak:.0} MB at its highest")),
        Figure::new(PART_MEMORY, "growth over the second half", end - middle, "MB")
            .target("level")
            .note(note),
        Figure::new(PART_MEMORY, "data directory", data / 1e6, "MB").note(format!("after {count} orders")),
        Figure::new(PART_MEMORY, "on disk for each order", disk, "bytes").note(format!(
            "{:.2} of the raw body's {body:.0}, with all that is kept of its life",
            disk / body
        )),
    ])
}

/// Orders pile up behind a target that is gone; then the hub is killed and started again.
async fn start(
    bench: &Bench,
    stage: &mut Stage,
    orders: &mut Orders,
    erp: &str,
    finished: usize,
    pending: usize,
) -> anyhow::Result<Figure> {
    let config = stage.folder.join("tidegate.toml");
    let text = std::fs::read_to_string(&config)?;
    let nowhere = format!("http://{}", free_address().await?);
    std::fs::write(&config, text.replace(erp, &nowhere))?;
    stage.hub.start().await?;
    let requests = Arc::new(orders.make(pending));
    let answered = saturate(stage.address, requests, CONNECTIONS, REST).await?;
    ensure!(answered.ok == pending as u64, "only {} of {pending} webhooks were taken", answered.ok);
    routed(stage).await?;
    let mut spans = Vec::new();
    for _ in 0..STARTS {
        stage.hub.kill().await?;
        let begun = now();
        stage.hub.start().await?;
        spans.push(ms(begun.elapsed()));
    }
    bench.tell(&format!("starts: {spans:.0?} ms"));
    let (low, high) = spread(&spans);
    let note = format!(
        "after SIGKILL, until it is ready; {low:.0} to {high:.0} ms; {finished} finished, {pending} pending deliveries"
    );
    let middle = super::clock::median(spans);
    Ok(Figure::new(PART_STARTUP, "start to ready", middle, "ms").target("< 1000").note(note))
}

/// Until nothing waits to be routed, as the hub itself says.
async fn routed(stage: &Stage) -> anyhow::Result<()> {
    let token = std::fs::read_to_string(stage.folder.join("secrets/admin.token"))?;
    let client = reqwest::Client::builder().timeout(Duration::from_secs(10)).build()?;
    let ask = || client.get(format!("{}/admin/v1/status", stage.hub.url())).bearer_auth(token.trim()).send();
    let wait = async {
        loop {
            let status: serde_json::Value = ask().await?.error_for_status()?.json().await?;
            if status["log"]["unrouted"].as_u64() == Some(0) {
                return anyhow::Ok(());
            }
            crate::demo::pause(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(REST, wait).await?
}
