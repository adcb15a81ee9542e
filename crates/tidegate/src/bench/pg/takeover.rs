//! One of three nodes is killed with its leases open: how long until each lane that it held is another's.
//!
//! The target falls silent, so that the node has as much in work as it may; it is killed; then the target speaks again, so
//! that the others are free. What they do is read from the lanes themselves, every few milliseconds.

use super::nodes::Nodes;
use super::{Server, connect};
use crate::bench::clock::{median, ms, now, spread};
use crate::bench::figure::Figure;
use crate::bench::load::{Pace, steady_over};
use crate::bench::sink::Sink;
use crate::bench::stage::{orders, until};
use crate::bench::{Bench, PART_PG_TAKEOVER as PART};
use crate::demo::pause;
use anyhow::ensure;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio_postgres::Client;

const NODES: usize = 3;
/// Of all nodes together; each may have a third in work.
const CONCURRENCY: usize = 48;
const LEASE: Duration = Duration::from_secs(5);
/// Shorter than the lease, as it has to be.
const REQUEST: Duration = Duration::from_secs(4);
const SETTLE: Duration = Duration::from_secs(2);
const LOOK_EVERY: Duration = Duration::from_millis(4);
/// What was in work is delivered by then.
const REST: Duration = Duration::from_secs(60);
/// Orders of a round: more than are in work at once.
const ORDERS: usize = 150;

/// A lane that the dead node held.
#[derive(Debug)]
struct Held {
    fence: i64,
    /// From the kill to the end of its lease, in milliseconds; by the same clock as the node's.
    left_ms: f64,
    /// From the kill to another's hold, in milliseconds.
    taken_ms: Option<f64>,
}

pub async fn measure(bench: &Bench) -> anyhow::Result<Vec<Figure>> {
    let rounds = if bench.quick { 1 } else { 5 };
    let server = Server::start(bench).await?;
    let database = server.database("takeover").await?;
    let sink = Sink::start().await?;
    let seconds = |span: Duration| format!("{}s", span.as_secs());
    let settings = [
        ("systems.erp.concurrency", CONCURRENCY.to_string()),
        ("systems.erp.lease", seconds(LEASE)),
        ("systems.erp.request_timeout", seconds(REQUEST)),
        ("systems.erp.settle_after", seconds(SETTLE)),
    ];
    let mut nodes = Nodes::set(&bench.folder, NODES, &sink.url(), &database, &settings).await?;
    let client = connect(&database).await?;
    let mut orders = orders()?;
    let (mut after_kill, mut after_lease, mut sent) = (Vec::new(), Vec::new(), 0);
    for round in 0..rounds {
        nodes.start().await?;
        // A node that comes takes its share when the others have made room.
        pause(Duration::from_secs(3)).await;
        let requests = Arc::new(orders.make(ORDERS));
        sent += ORDERS as u64;
        sink.set_answers(false);
        let pace = Pace::from_now(500);
        let answered = steady_over(&nodes.addresses(), requests, NODES * 4, pace).await?;
        ensure!(answered.refused == 0, "{} webhooks were refused", answered.refused);
        let dying = round % NODES;
        let name = nodes.name(dying)?;
        let busy = until_held(&client, &name).await?;
        let held = one_kill(&client, &mut nodes, dying, &name, &sink).await?;
        let of_round: Vec<f64> = held.values().filter_map(|held| held.taken_ms).collect();
        bench.tell(&format!(
            "round {} of {rounds}: {} lanes of the dead node, {busy} before the kill; the last taken over after {:.2} s",
            round + 1,
            held.len(),
            spread(&of_round).1 / 1e3
        ));
        for held in held.values() {
            let taken_ms = held.taken_ms.unwrap_or(f64::INFINITY);
            after_kill.push(taken_ms / 1e3);
            after_lease.push(taken_ms - held.left_ms);
        }
        ensure!(
            until(REST, || sink.confirmed() >= sent).await,
            "{sent} orders were sent, {} arrived and {} were confirmed: see {}",
            sink.count(),
            sink.confirmed(),
            nodes.folder().display()
        );
        ensure!(sink.doubled() == 0, "{} orders were created twice", sink.doubled());
    }
    nodes.start().await?;
    nodes.strike().await?;
    server.stop().await?;
    let (first, last) = spread(&after_kill);
    let (soonest, latest) = spread(&after_lease);
    Ok(vec![
        Figure::new(PART, "kill of one of three → its last lane is another's", last, "s")
            .target("≤ lease + 1 s")
            .note(format!(
                "lease {} s; {} lanes in {rounds} kills, {first:.2} to {last:.2}, median {:.2}",
                LEASE.as_secs(),
                after_kill.len(),
                median(after_kill.clone())
            )),
        Figure::new(PART, "end of the lease → another's, median", median(after_lease.clone()), "ms")
            .target("≤ 1000")
            .note(format!("{soonest:.0} to {latest:.0}")),
        Figure::new(PART, "lost, doubled", 0.0, "orders")
            .note(format!("the target's ledger: {sent} sent, each there once and confirmed")),
    ])
}

/// Waits until the node has as many lanes as it may, or a good part of them, and returns how many.
async fn until_held(client: &Client, node: &str) -> anyhow::Result<i64> {
    let begun = now();
    loop {
        let held: i64 =
            client.query_one("SELECT count(*) FROM lanes WHERE owner = $1", &[&node]).await?.get(0);
        if held >= i64::try_from(CONCURRENCY / NODES)? {
            return Ok(held);
        }
        ensure!(begun.elapsed() < LEASE, "node {node} holds {held} lanes: too few to be worth a kill");
        pause(LOOK_EVERY).await;
    }
}

async fn one_kill(
    client: &Client,
    nodes: &mut Nodes,
    dying: usize,
    name: &str,
    sink: &Sink,
) -> anyhow::Result<BTreeMap<(String, i32), Held>> {
    nodes.kill(dying).await?;
    let killed = now();
    // Nobody writes these rows now but who takes them.
    let rows = client
        .query(
            "SELECT root, system, fence, \
             (held_until / 1e6 - extract(epoch FROM clock_timestamp()) * 1e3)::float8 FROM lanes WHERE owner = $1",
            &[&name],
        )
        .await?;
    let asked = ms(killed.elapsed());
    let mut held = BTreeMap::new();
    for row in &rows {
        let of_lane = Held { fence: row.get(2), left_ms: row.get::<_, f64>(3) + asked, taken_ms: None };
        held.insert((row.get(0), row.get(1)), of_lane);
    }
    ensure!(!held.is_empty(), "the node died with nothing in work");
    sink.set_answers(true);
    let roots: Vec<String> = held.keys().map(|(root, _): &(String, i32)| root.clone()).collect();
    while held.values().any(|held| held.taken_ms.is_none()) {
        ensure!(killed.elapsed() < LEASE * 6, "after {:?} nobody has taken over", killed.elapsed());
        // What it still held with its fence is nobody else's; a lane that is gone was taken and is done.
        let still = client
            .query(
                "SELECT root, system, fence FROM lanes WHERE root = ANY($1) AND owner = $2",
                &[&roots, &name],
            )
            .await?;
        let at = ms(killed.elapsed());
        let still: BTreeMap<(String, i32), i64> =
            still.iter().map(|row| ((row.get(0), row.get(1)), row.get(2))).collect();
        for (lane, held) in held.iter_mut().filter(|(_, held)| held.taken_ms.is_none()) {
            if still.get(lane) != Some(&held.fence) {
                held.taken_ms = Some(at);
            }
        }
        pause(LOOK_EVERY).await;
    }
    Ok(held)
}
