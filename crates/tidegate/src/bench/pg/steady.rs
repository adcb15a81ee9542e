//! 500 orders a second for minutes on end: each webhook at its time, whatever the answers do; when its create arrives at a
//! target that takes no time, the database on the same processors. Afterwards the target's ledger: each order once.

use super::Server;
use super::nodes::Nodes;
use crate::bench::clock::{Neighbours, cpu_tree_s, median, resident_tree_mb, spread};
use crate::bench::figure::Figure;
use crate::bench::latency::lags;
use crate::bench::load::{Answered, Pace, steady_over, waits};
use crate::bench::orders::{Orders, Requests};
use crate::bench::sink::Sink;
use crate::bench::stage::{orders, until};
use crate::bench::{Bench, PART_PG_STEADY as PART};
use anyhow::{Context as _, ensure};
use hdrhistogram::Histogram;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;

/// Orders a second.
const RATE: u64 = 500;
/// Connections that webhooks come over.
const CONNECTIONS: usize = 32;
/// Requests are made for so long a stretch at once, while the one before is on its way.
const STRETCH_S: u64 = 2;
/// So many of them between two lines for the person who waits.
const TOLD: u64 = 5;
const WARM_S: u64 = 4;
/// What is delivered last has this long.
const REST: Duration = Duration::from_secs(60);

pub async fn measure(bench: &Bench, minutes: f64, nodes: &[u8]) -> anyhow::Result<Vec<Figure>> {
    let stretches = ((minutes * 60.0 / STRETCH_S as f64).round() as u64).max(1);
    let mut figures = Vec::new();
    for count in nodes {
        figures.extend(of_nodes(bench, usize::from(*count), stretches).await?);
    }
    Ok(figures)
}

async fn of_nodes(bench: &Bench, count: usize, stretches: u64) -> anyhow::Result<Vec<Figure>> {
    let server = Server::start(bench).await?;
    let database = server.database("steady").await?;
    let sink = Sink::start().await?;
    let mut nodes = Nodes::set(&bench.folder, count, &sink.url(), &database, &[]).await?;
    nodes.start().await?;
    let to = nodes.addresses();
    let mut orders = orders()?;
    let warm = load(bench, &to, &mut orders, &sink, WARM_S.div_ceil(STRETCH_S), None).await?;
    settled(&sink, warm.sent, &nodes).await?;

    let pids: Vec<u32> = nodes.pids().into_iter().chain([server.pid()]).collect();
    let (cpu, of_server, neighbours) = (cpu_tree_s(&nodes.pids()), server.cpu_s(), Neighbours::look(&pids));
    let loaded = load(bench, &to, &mut orders, &sink, stretches, Some(&pids)).await?;
    let resident = resident_tree_mb(&nodes.pids());
    let sent = warm.sent + loaded.sent;
    settled(&sink, sent, &nodes).await?;
    let (cpu, of_server) = (cpu_tree_s(&nodes.pids()) - cpu, server.cpu_s() - of_server);
    let others = neighbours.since(&pids);
    let dead = nodes.dead_letters().await?;
    ensure!(dead == 0, "{dead} orders were given up");
    nodes.strike().await?;
    server.stop().await?;

    let at = |percentile: f64| loaded.lags.value_at_percentile(percentile) as f64 / 1e3;
    let (best, worst) = spread(&loaded.windows);
    let quiet = loaded.quiet.map_or_else(String::new, |(p99, share)| {
        format!("; {p99:.1} over the {:.0} % of stretches in which others took under 0.2", share * 100.0)
    });
    let name = |what: &str| format!("{what}, {count} node{}", if count == 1 { "" } else { "s" });
    let note = format!(
        "p50 {:.1}, p99.9 {:.1}, max {:.0} ms over {} orders; p99 of {STRETCH_S} s: median {:.1}, {best:.1} to {worst:.1}{quiet}; \
         others took {others:.1} processors",
        at(50.0),
        at(99.9),
        at(100.0),
        loaded.sent,
        median(loaded.windows.clone()),
    );
    let each = |seconds: f64| seconds * 1e3 / loaded.sent as f64;
    Ok(vec![
        Figure::new(PART, name("webhook → target p99 at 500/s"), at(99.0), "ms").target("< 40").note(note),
        Figure::new(PART, name("answer p99"), loaded.answers.value_at_percentile(99.0) as f64 / 1e3, "ms"),
        Figure::new(PART, name("CPU an order"), each(cpu + of_server), "ms").note(format!(
            "{:.2} of the nodes, {:.2} of the server; webhook to confirmation, user and system",
            each(cpu),
            each(of_server)
        )),
        Figure::new(PART, name("resident size"), resident, "MB").note("of all nodes, without the server"),
        Figure::new(PART, name("lost, doubled, given up"), 0.0, "orders")
            .note(format!("the target's ledger: {sent} sent, each there once and confirmed")),
    ])
}

/// All are there, each once and confirmed.
async fn settled(sink: &Sink, sent: u64, nodes: &Nodes) -> anyhow::Result<()> {
    let done = until(REST, || sink.confirmed() >= sent).await;
    ensure!(
        done && sink.count() == sent,
        "{sent} orders were acknowledged, {} arrived and {} were confirmed: see {}",
        sink.count(),
        sink.confirmed(),
        nodes.folder().display()
    );
    ensure!(sink.doubled() == 0, "{} orders were created twice", sink.doubled());
    Ok(())
}

struct Loaded {
    sent: u64,
    lags: Histogram<u64>,
    answers: Histogram<u64>,
    /// p99 of each stretch, in milliseconds.
    windows: Vec<f64>,
    /// p99 over the stretches in which nobody else worked much, and their share.
    quiet: Option<(f64, f64)>,
}

/// One pace throughout: a stretch's requests are made, and its connections opened, before it begins.
async fn load(
    bench: &Bench,
    to: &[SocketAddr],
    orders: &mut Orders,
    sink: &Sink,
    stretches: u64,
    pids: Option<&[u32]>,
) -> anyhow::Result<Loaded> {
    let per_stretch = usize::try_from(RATE * STRETCH_S)?;
    let mut loaded = Loaded { sent: 0, lags: waits()?, answers: waits()?, windows: vec![], quiet: None };
    let (mut calm, mut calm_stretches) = (waits()?, 0);
    let mut next = Arc::new(orders.make(per_stretch));
    let first = Pace::from_now(RATE);
    let mut before: Option<(JoinHandle<anyhow::Result<Answered>>, Arc<Requests>, Pace)> = None;
    let mut neighbours = Neighbours::look(pids.unwrap_or_default());
    for stretch in 0..=stretches {
        let pace = Pace { begun: first.begun + Duration::from_secs(stretch * STRETCH_S), per_second: RATE };
        let under_way = (stretch < stretches).then(|| {
            let (to, requests) = (to.to_vec(), next.clone());
            let sending = tokio::spawn({
                let requests = requests.clone();
                async move { steady_over(&to, requests, CONNECTIONS, pace).await }
            });
            (sending, requests, pace)
        });
        let last = std::mem::replace(&mut before, under_way);
        if stretch + 1 < stretches {
            next = Arc::new(orders.make(per_stretch));
        }
        if let Some((sending, requests, pace)) = last {
            let answered = sending.await.context("the load")??;
            let others = neighbours.since(pids.unwrap_or_default());
            neighbours = Neighbours::look(pids.unwrap_or_default());
            ensure!(answered.refused == 0, "{} webhooks were refused", answered.refused);
            // Its last orders are on their way; so late, they would be worse than any that arrived.
            until(REST, || arrived(sink, &requests)).await;
            let of_stretch = lags(sink, &requests, pace)?;
            let p99 = of_stretch.value_at_percentile(99.0) as f64 / 1e3;
            loaded.sent += answered.ok;
            loaded.answers.add(&answered.waits)?;
            loaded.lags.add(&of_stretch)?;
            loaded.windows.push(p99);
            if others < 0.2 {
                calm.add(&of_stretch)?;
                calm_stretches += 1;
            }
            if pids.is_some() && (stretch % TOLD == 0 || stretch == stretches) {
                bench.tell(&format!(
                    "{} of {} s at {} node(s): p99 {p99:.1} ms; others took {others:.1} processors",
                    stretch * STRETCH_S,
                    stretches * STRETCH_S,
                    to.len()
                ));
            }
        }
    }
    if calm_stretches > 0 {
        let share = f64::from(calm_stretches) / stretches as f64;
        loaded.quiet = Some((calm.value_at_percentile(99.0) as f64 / 1e3, share));
    }
    Ok(loaded)
}

/// The last of them first: nearly always the one that is missing.
fn arrived(sink: &Sink, requests: &Requests) -> bool {
    let orders = requests.first_order..requests.first_order + requests.len() as u64;
    orders.rev().all(|order| sink.arrival(order).is_some())
}
