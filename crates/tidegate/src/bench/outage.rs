//! What is lost, doubled, given up or handed out late: one load through kills of the service, a kill of its store where
//! that is a process of its own, and a target that is down for minutes. The target's ledger decides, and it is watched on
//! after the last order, for what a queue hands out twice.

use super::clock::now;
use super::figure::Figure;
use super::latency::arrived;
use super::load::Pace;
use super::orders::Requests;
use super::persistent::{Sent, send};
use super::side::{Side, Who};
use super::sink::Sink;
use super::stage::orders;
use super::{Bench, PART_OUTAGE as PART};
use crate::demo::pause;
use std::sync::Arc;
use std::time::{Duration, Instant};

const RATE: u64 = 50;
/// SIGKILLs of the service while the target is well, and between them.
const KILLS: u32 = 4;
const BETWEEN: Duration = Duration::from_secs(4);
/// A supervisor needs a moment.
const AWAY: Duration = Duration::from_millis(500);
/// Load goes on after the target is back.
const AFTER: Duration = Duration::from_secs(15);
/// An order that is later than this after the target's return was handed out late.
const LATE: Duration = Duration::from_secs(60);

/// What happened to one side.
#[derive(Debug)]
struct Told {
    sent: Sent,
    back_at: Instant,
    ended_at: Instant,
    given_up: u64,
    /// Both kinds.
    kills: u32,
}

/// All sides at the same time, each with a load and a target of its own: this is about the ledgers, not about pace.
pub async fn measure(bench: &Bench, sides: &[Who], down: Duration) -> anyhow::Result<Vec<Figure>> {
    let mut tasks = tokio::task::JoinSet::new();
    for (index, who) in sides.iter().enumerate() {
        let (bench, who) = (bench.clone(), who.clone());
        tasks.spawn(async move { anyhow::Ok((index, one(&bench, &who, down).await?)) });
    }
    let mut of_sides = Vec::new();
    while let Some(ended) = tasks.join_next().await {
        of_sides.push(ended??);
    }
    of_sides.sort_by_key(|(index, _)| *index);
    Ok(of_sides.into_iter().flat_map(|(_, figures)| figures).collect())
}

async fn one(bench: &Bench, who: &Who, down: Duration) -> anyhow::Result<Vec<Figure>> {
    bench.tell(&format!(
        "{}: kills, then the target down for {:.1} minutes",
        who.name(),
        down.as_secs_f64() / 60.0
    ));
    let sink = Sink::start().await?;
    let mut side = who.set(bench, &sink.url()).await?;
    side.start().await?;
    let kills_take = (BETWEEN + AWAY) * (KILLS + 2);
    let span = kills_take + down + AFTER;
    let requests = Arc::new(orders()?.make(usize::try_from(RATE * span.as_secs())?));
    let pace = Pace::from_now(RATE);
    let load = send(side.address(), requests.clone(), pace, pace.begun + span + Duration::from_secs(120));
    let (sent, happened) = tokio::join!(load, trouble(&mut side, &sink, down));
    let (sent, (back_at, kills)) = (sent?, happened?);
    // As long again as it was down, and a few times the longest back-off.
    let all = arrived(&sink, &requests, down + Duration::from_secs(240)).await;
    let ended_at = now();
    pause(if bench.quick { Duration::from_secs(5) } else { Duration::from_secs(90) }).await;
    let given_up = side.given_up().await?;
    if !all {
        bench.tell(&format!(
            "{}: {} of {} orders are not at the target",
            who.name(),
            requests.len() as u64 - sink.count(),
            requests.len()
        ));
    }
    for (order, apart) in sink.doubles() {
        let due = pace.due(usize::try_from(order - requests.first_order)?);
        let first = sink.arrival(order).unwrap_or(due);
        bench.tell(&format!(
            "{}: order {order}, due {:.1} s into the load, was created {:.1} s into it and again {:.1} s later",
            who.name(),
            due.duration_since(pace.begun).as_secs_f64(),
            first.duration_since(pace.begun).as_secs_f64(),
            apart.as_secs_f64()
        ));
    }
    let told = Told { sent, back_at, ended_at, given_up, kills };
    let figures = figures(who, &sink, &requests, pace, down, &told);
    side.strike().await?;
    Ok(figures)
}

/// Kills while the target is well, then the target down with a kill in its midst. When it was back, and how many kills.
async fn trouble(side: &mut Side, sink: &Sink, down: Duration) -> anyhow::Result<(Instant, u32)> {
    let mut kills = 0;
    for _ in 0..KILLS {
        pause(BETWEEN).await;
        kill(side).await?;
        kills += 1;
    }
    pause(BETWEEN).await;
    kills += u32::from(side.kill_store(AWAY).await?);
    pause(BETWEEN).await;
    sink.set_up(false);
    pause(down / 2).await;
    kill(side).await?;
    pause(down / 2).await;
    sink.set_up(true);
    Ok((now(), kills + 1))
}

async fn kill(side: &mut Side) -> anyhow::Result<()> {
    side.kill().await?;
    pause(AWAY).await;
    side.start().await
}

fn figures(
    who: &Who,
    sink: &Sink,
    requests: &Requests,
    pace: Pace,
    down: Duration,
    told: &Told,
) -> Vec<Figure> {
    let of = |what: &str| format!("{}: {what}", who.name());
    let arrival = |index: usize| sink.arrival(requests.first_order + index as u64);
    let acknowledged = told.sent.acknowledged.iter().enumerate().filter(|(_, acknowledged)| **acknowledged);
    let missing = acknowledged.filter(|(index, _)| arrival(*index).is_none()).count() as u64;
    // What was due before the target came back and arrived after it.
    let backlog: Vec<f64> = (0..requests.len())
        .filter(|index| pace.due(*index) < told.back_at)
        .filter_map(arrival)
        .filter(|at| *at > told.back_at)
        .map(|at| at.duration_since(told.back_at).as_secs_f64())
        .collect();
    let drained = backlog.iter().copied().fold(0.0, f64::max);
    let late = (0..requests.len())
        .filter_map(|index| Some((pace.due(index).max(told.back_at), arrival(index)?)))
        .filter(|(from, at)| at.saturating_duration_since(*from) > LATE)
        .count();
    let taken = format!(
        "of {} acknowledged; {} SIGKILLs, target down {:.1} minutes at {RATE} orders/s; {} answers were missing and sent for again",
        told.sent.acknowledged_count(),
        told.kills,
        down.as_secs_f64() / 60.0,
        told.sent.unanswered,
    );
    let watched = format!(
        "the ledger was watched for {:.0} s in all after the return",
        told.ended_at.duration_since(told.back_at).as_secs_f64()
    );
    let lost = missing.saturating_sub(told.given_up);
    vec![
        Figure::new(PART, of("acknowledged and not at the target"), lost as f64, "orders")
            .target("0")
            .note(taken),
        Figure::new(PART, of("given up"), told.given_up as f64, "orders")
            .target("0")
            .note("dead letters, failed jobs"),
        Figure::new(PART, of("created twice"), sink.doubled() as f64, "orders").target("0").note(watched),
        Figure::new(PART, of("the backlog's last order, after the return"), drained, "s")
            .note(format!("{} orders waited", backlog.len())),
        Figure::new(PART, of("handed out more than a minute late"), late as f64, "orders")
            .note("counted from the target's return, or from when it was due"),
    ]
}
