//! Durable webhooks a second on PostgreSQL, round after round beside what the same server inserts for a program that does
//! nothing else: in batches, and one row at a time.

use super::Server;
use super::floor::{self, Floor};
use super::nodes::Nodes;
use super::port;
use crate::bench::clock::{Neighbours, cpu_tree_s, median, spread};
use crate::bench::figure::{Figure, of_floor};
use crate::bench::load::saturate;
use crate::bench::orders::Orders;
use crate::bench::sink::Sink;
use crate::bench::stage::{free_address, orders};
use crate::bench::{Bench, PART_PG_INTAKE as PART};
use anyhow::ensure;
use std::sync::Arc;
use std::time::Duration;

/// Connections of the load, and appends under way at the port.
const CONNECTIONS: usize = 256;
/// More than anybody here takes in a second.
const REQUESTS_A_SECOND: f64 = 45_000.0;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Taker {
    Floor(Floor),
    /// The store alone, without HTTP.
    Port,
    /// The target is down: what is taken is routed and waits.
    Hub,
    /// The target is up: what is taken is delivered at the same time.
    HubDelivering,
}

const TAKERS: [Taker; 5] = [
    Taker::Floor(Floor::Batched),
    Taker::Floor(Floor::Single),
    Taker::Port,
    Taker::Hub,
    Taker::HubDelivering,
];

/// Of one round of one taker.
#[derive(Debug, Clone, Copy)]
struct Round {
    rate: f64,
    server_us: f64,
    /// Of the hub, where there is one.
    hub_us: f64,
    others: f64,
}

pub async fn measure(bench: &Bench) -> anyhow::Result<Vec<Figure>> {
    let (rounds, span) =
        if bench.quick { (1, Duration::from_millis(1_500)) } else { (5, Duration::from_secs(4)) };
    let server = Server::start(bench).await?;
    let mut orders = orders()?;
    let mut measured: [Vec<Round>; 5] = Default::default();
    for round in 1..=rounds {
        for (taker, of_taker) in TAKERS.iter().zip(&mut measured) {
            let one = one_round(bench, &server, &mut orders, *taker, span).await?;
            bench.tell(&format!("round {round} of {rounds}: {taker:?} {:.0}/s", one.rate));
            of_taker.push(one);
        }
    }
    server.stop().await?;
    let [batched, single, port, hub, delivering] = &measured;
    Ok(vec![
        figure("UNNEST of 512 on two connections, the floor", batched, None),
        figure("one row a commit on 64 connections", single, Some(batched)),
        figure("the store alone, without HTTP", port, Some(batched)),
        figure("the hub, durable, its target down", hub, Some(batched)).target("≥ 0.5 of batched"),
        figure("the hub, durable, delivering meanwhile", delivering, Some(batched)),
    ])
}

fn rates(rounds: &[Round]) -> Vec<f64> {
    rounds.iter().map(|round| round.rate).collect()
}

fn figure(name: &str, rounds: &[Round], floor: Option<&Vec<Round>>) -> Figure {
    let rates = rates(rounds);
    let (low, high) = spread(&rates);
    let middle = |of: fn(&Round) -> f64| median(rounds.iter().map(of).collect());
    let ratio = floor.map(|floor| of_floor(&rates, &self::rates(floor), "batched"));
    let note = format!(
        "{}{low:.0} to {high:.0}; {:.0} µs CPU each of the server, {:.0} of the hub; others took {:.1} processors",
        ratio.unwrap_or_default(),
        middle(|round| round.server_us),
        middle(|round| round.hub_us),
        middle(|round| round.others),
    );
    Figure::new(PART, name, median(rates), "1/s").note(note)
}

async fn one_round(
    bench: &Bench,
    server: &Server,
    orders: &mut Orders,
    taker: Taker,
    span: Duration,
) -> anyhow::Result<Round> {
    let requests = Arc::new(orders.make((span.as_secs_f64() * REQUESTS_A_SECOND) as usize));
    let database = server.database("round").await?;
    server.settle().await?;
    let (mut hubs, url) = match taker {
        Taker::Hub | Taker::HubDelivering => {
            let erp = match taker {
                Taker::Hub => format!("http://{}", free_address().await?),
                _ => Sink::start().await?.url(),
            };
            let mut nodes = Nodes::set(&bench.folder, 1, &erp, &database, &[]).await?;
            nodes.start().await?;
            let url = nodes.addresses();
            (Some(nodes), url)
        }
        _ => (None, Vec::new()),
    };
    let pids = hubs.as_ref().map(Nodes::pids).unwrap_or_default();
    let all: Vec<u32> = pids.iter().copied().chain([server.pid()]).collect();
    let (cpu, of_server, neighbours) = (cpu_tree_s(&pids), server.cpu_s(), Neighbours::look(&all));
    let (taken, rate) = match taker {
        Taker::Floor(floor) => floor::rate(floor, &database, requests, span).await?,
        Taker::Port => port::rate(&database, requests, CONNECTIONS, span).await?,
        Taker::Hub | Taker::HubDelivering => {
            let answered = saturate(url[0], requests, CONNECTIONS, span).await?;
            ensure!(
                answered.refused == 0,
                "{} webhooks were refused: a rate with refusals in it is none",
                answered.refused
            );
            (answered.ok, answered.rate())
        }
    };
    let each = |seconds: f64| seconds * 1e6 / taken.max(1) as f64;
    let round = Round {
        rate,
        server_us: each(server.cpu_s() - of_server),
        hub_us: each(cpu_tree_s(&pids) - cpu),
        others: neighbours.since(&all),
    };
    if let Some(mut nodes) = hubs.take() {
        nodes.kill_all().await?;
        nodes.strike().await?;
    }
    server.drop_database("round").await?;
    Ok(round)
}
