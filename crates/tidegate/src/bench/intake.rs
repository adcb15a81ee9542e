//! Intake: durable webhooks a second beside two floors of the same run, round after round, one server at a time: reading
//! and signature alone, SQLite used plainly, and the hub. Then how long an answer takes at half the hub's rate.

use super::clock::{Neighbours, block_until, cpu_s, median, now, spread};
use super::figure::{Figure, of_floor};
use super::floor::Floor;
use super::load::{Answered, Pace, saturate, steady};
use super::orders::Orders;
use super::sink::Sink;
use super::stage::{CLIENT_SECRET, Stage, Targets, free_address, orders, until};
use super::{Bench, PART_INTAKE as PART};
use anyhow::{Context as _, bail};
use std::net::{SocketAddr, TcpStream};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;
use tokio::process::{Child, Command};

/// Connections of the load; Shopify keeps many open at once.
const CONNECTIONS: usize = 256;
/// More than any server here takes in a second.
const REQUESTS_A_SECOND: usize = 60_000;

/// What a round measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Server {
    Floor(Floor),
    /// The target is down, as plain SQLite has none: what is taken is routed and waits.
    Hub,
    /// The target is up: what is taken is delivered at the same time.
    HubDelivering,
}

const SERVERS: [Server; 4] =
    [Server::Floor(Floor::Reading), Server::Floor(Floor::Plain), Server::Hub, Server::HubDelivering];

/// Of one round of one server.
#[derive(Debug, Clone, Copy)]
struct Round {
    rate: f64,
    cpu_us: f64,
    p99_ms: f64,
    others: f64,
}

pub async fn measure(bench: &Bench) -> anyhow::Result<Vec<Figure>> {
    let (rounds, span) =
        if bench.quick { (1, Duration::from_millis(800)) } else { (5, Duration::from_secs(3)) };
    let mut orders = orders()?;
    let mut measured: [Vec<Round>; 4] = Default::default();
    for round in 1..=rounds {
        for (server, of_server) in SERVERS.iter().zip(&mut measured) {
            let one = one_round(bench, &mut orders, *server, span).await?;
            bench.tell(&format!("round {round} of {rounds}: {server:?} {:.0}/s", one.rate));
            of_server.push(one);
        }
    }
    let [reading, plain, hub, delivering] = &measured;
    let mut figures = vec![
        figure("reading and signature alone", reading, None),
        figure("plain SQLite, the floor", plain, None),
        figure("the hub, durable, its target down", hub, Some(plain)).target("≥ 0.9 of plain"),
        figure("the hub, durable, delivering meanwhile", delivering, Some(plain)),
    ];
    let half = (median(rates(hub)) / 2.0) as u64;
    figures.push(at_half(bench, &mut orders, half, span).await?);
    Ok(figures)
}

fn rates(rounds: &[Round]) -> Vec<f64> {
    rounds.iter().map(|round| round.rate).collect()
}

fn figure(name: &str, rounds: &[Round], floor: Option<&Vec<Round>>) -> Figure {
    let rates = rates(rounds);
    let (low, high) = spread(&rates);
    let middle = |of: fn(&Round) -> f64| median(rounds.iter().map(of).collect());
    let ratio = floor.map(|floor| of_floor(&rates, &self::rates(floor), "plain"));
    let note = format!(
        "{}{low:.0} to {high:.0}; {:.0} µs CPU each; p99 {:.0} ms; others took {:.1} processors",
        ratio.unwrap_or_default(),
        middle(|round| round.cpu_us),
        middle(|round| round.p99_ms),
        middle(|round| round.others),
    );
    Figure::new(PART, name, median(rates), "1/s").note(note)
}

async fn one_round(
    bench: &Bench,
    orders: &mut Orders,
    server: Server,
    span: Duration,
) -> anyhow::Result<Round> {
    let requests = (span.as_secs_f64() * REQUESTS_A_SECOND as f64) as usize;
    // The floor that only reads would run out of requests; that it is faster is all that is to be known.
    let requests = Arc::new(orders.make(requests.min(100_000)));
    let load = |to| saturate(to, requests.clone(), CONNECTIONS, span);
    match server {
        Server::Floor(floor) => {
            let (mut child, to) = start_floor(bench, floor).await?;
            let round = timed(child.id().unwrap_or_default(), load(to)).await?;
            child.kill().await?;
            Ok(round)
        }
        Server::Hub | Server::HubDelivering => {
            let sink = Sink::start().await?;
            let (sink_url, nowhere) = (sink.url(), format!("http://{}", free_address().await?));
            let erp = if server == Server::Hub { &nowhere } else { &sink_url };
            let mut stage = Stage::set(&bench.folder, "intake", Targets { erp, beside: None }).await?;
            stage.hub.start().await?;
            let round = timed(stage.pid(), load(stage.address)).await?;
            stage.hub.kill().await?;
            stage.strike().await?;
            Ok(round)
        }
    }
}

async fn timed(pid: u32, load: impl Future<Output = anyhow::Result<Answered>>) -> anyhow::Result<Round> {
    let (cpu, neighbours) = (cpu_s(pid), Neighbours::look(&[pid]));
    let answered = load.await?;
    let (cpu, others) = (cpu_s(pid) - cpu, neighbours.since(&[pid]));
    if answered.refused > 0 {
        bail!("{} webhooks were refused: a rate with refusals in it is none", answered.refused);
    }
    Ok(Round {
        rate: answered.rate(),
        cpu_us: cpu / answered.ok as f64 * 1e6,
        p99_ms: answered.at_ms(99.0),
        others,
    })
}

async fn start_floor(bench: &Bench, floor: Floor) -> anyhow::Result<(Child, SocketAddr)> {
    let folder = bench.folder.join(floor.name());
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder)?;
    let address = free_address().await?;
    let child = Command::new(std::env::current_exe()?)
        .args(["bench", "--floor", floor.name(), "--listen", &address.to_string(), "--dir"])
        .arg(&folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .context("the floor cannot be started")?;
    let up = until(Duration::from_secs(10), || TcpStream::connect(address).is_ok()).await;
    anyhow::ensure!(up, "the floor {} does not listen", floor.name());
    Ok((child, address))
}

pub fn floor(floor: Floor, listen: SocketAddr, bench: &Bench) -> Result<(), crate::cli::Failure> {
    super::floor::serve(floor, listen, &bench.folder, CLIENT_SECRET)
}

/// At half of what the hub takes, steadily, whatever the answers do.
async fn at_half(bench: &Bench, orders: &mut Orders, rate: u64, span: Duration) -> anyhow::Result<Figure> {
    let nowhere = format!("http://{}", free_address().await?);
    let mut stage = Stage::set(&bench.folder, "half", Targets { erp: &nowhere, beside: None }).await?;
    stage.hub.start().await?;
    let span = span * if bench.quick { 2 } else { 5 };
    let requests = Arc::new(orders.make((rate as f64 * span.as_secs_f64()) as usize));
    let neighbours = Neighbours::look(&[stage.pid()]);
    let answered = steady(stage.address, requests, CONNECTIONS, Pace::from_now(rate)).await?;
    let others = neighbours.since(&[stage.pid()]);
    stage.hub.kill().await?;
    stage.strike().await?;
    // The disk is left with what was written.
    block_until(now() + Duration::from_millis(200));
    let note = format!(
        "{rate}/s; p50 {:.1}, p99.9 {:.1}, max {:.0} ms; {} refused; others took {others:.1} processors",
        answered.at_ms(50.0),
        answered.at_ms(99.9),
        answered.at_ms(100.0),
        answered.refused
    );
    Ok(Figure::new(PART, "answer p99 at half of the hub's rate", answered.at_ms(99.0), "ms")
        .target("< 20")
        .note(note))
}
