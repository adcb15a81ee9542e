//! `tidegate torture`: rounds of orders under load, with SIGKILL at random instants, duplicates in flight and an ERP that
//! applies late, lies and goes away. With several nodes of one PostgreSQL also nodes that stay away, nodes that sleep
//! for longer than their lease and then go on, and connections that are cut all at once. After each round the ledger must hold: over all orders since the beginning, from
//! the ERP's own books. Goes on on one store, so that what a round leaves behind is the next one's past.

use crate::cli::{Common, Failure, block_on};
use crate::demo::{Database, Ground, Ledger, Nodes, Played, Stage, StageOptions, StoreKind, pause, workload};
use anyhow::Context as _;
use kernel::rng::{Rng, Seeded};
use serde::Serialize;
use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;
use twin::erp::{FaultsOn, Knobs, Outage};
use twin::shop::Mix;

const EXAMPLES: &str = "\
Examples:
  tidegate torture --minutes 10
  tidegate torture --minutes 1 --seed 42         the same orders, faults and kills as last time, as far as time allows
  tidegate torture --store postgres --nodes 3    nodes of one PostgreSQL: killed, frozen, cut off";

/// SIGKILL at random instants under load, and the ledger after each round
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// How long to go on; the round that is under way is played to its end, and there is always one
    #[arg(long, default_value_t = 1)]
    minutes: u32,
    /// Where chance begins; without it, a seed that is printed
    #[arg(long)]
    seed: Option<u64>,
    /// Orders in a round
    #[arg(long, default_value_t = 300)]
    orders: u64,
    /// Orders in a second
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=1000))]
    rate: u64,
    /// Kills in a round; with several nodes some of them are freezes and cut connections
    #[arg(long, default_value_t = 4)]
    kills: u32,
    /// Where the hub keeps its log and its duties
    #[arg(long, value_enum, default_value = "sqlite")]
    store: StoreKind,
    /// Nodes that share the PostgreSQL
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=16))]
    nodes: u32,
    /// A PostgreSQL in which a schema may be made and dropped again
    #[arg(long, value_name = "URL", env = "POSTGRES_URL", hide_env_values = true)]
    postgres_url: Option<String>,
    /// The ERP knows no idempotency key, whatever the seed
    #[arg(long)]
    look_up: bool,
    /// Where the hub's files go, and stay
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

/// What came of it.
#[derive(Debug, Clone, Default, Serialize)]
struct Tally {
    seed: u64,
    rounds: u32,
    kills: u32,
    /// Nodes put to sleep for longer than their lease.
    freezes: u32,
    /// Connections to the store that were cut.
    cut: u32,
    orders: u64,
    exported: u64,
    lost: u64,
    doubled: u64,
    wrong: Vec<String>,
}

/// A node's lease where nodes are frozen, and for how long they are: they wake to find their lanes taken over.
const LEASE: &str = "6s";
const REQUEST_TIMEOUT: &str = "4s";
const FROZEN_MS: (u64, u64) = (7_000, 5_000);

/// After each round; what is missing when nothing has moved for so long is lost.
const CATCH_UP: Duration = Duration::from_secs(180);

pub fn run(common: &Common, args: &Args) -> Result<(), Failure> {
    if args.nodes > 1 && args.store == StoreKind::Sqlite {
        return Err(Failure::Usage(
            "several nodes need a store that they can share: add --store postgres".to_owned(),
        ));
    }
    let tally = block_on(async { Ok(play(args).await?) })?;
    eprintln!(
        "\n{} rounds, {} kills, {} freezes, {} connections cut, {} orders: {} exported, {} lost, {} doubled (seed {})",
        tally.rounds,
        tally.kills,
        tally.freezes,
        tally.cut,
        tally.orders,
        tally.exported,
        tally.lost,
        tally.doubled,
        tally.seed
    );
    if common.json {
        let line = serde_json::to_string(&tally).context("the tally as JSON")?;
        writeln!(std::io::stdout().lock(), "{line}")?;
    }
    if tally.wrong.is_empty() { Ok(()) } else { Err(Failure::Found) }
}

async fn play(args: &Args) -> anyhow::Result<Tally> {
    let nodes = (args.store == StoreKind::Postgres)
        .then(|| Nodes { count: args.nodes, server: args.postgres_url.clone() });
    let several = nodes.is_some() && args.nodes > 1;
    let seed = args.seed.unwrap_or_else(crate::wiring::clock::seed);
    let mut rng = Seeded::new(seed);
    // Every other seed has an ERP without a memory for keys: what is unknown can only be looked up there.
    let by_look_up = args.look_up || seed.is_multiple_of(2);
    let mut stage =
        Stage::set(StageOptions { dir: args.dir.clone(), seed, mischief: true, by_look_up, nodes }).await?;
    eprintln!(
        "seed {seed}: {}; the hub's files are in {}",
        if by_look_up { "the ERP knows no idempotency key" } else { "the ERP knows idempotency keys" },
        stage.ground.folder.display()
    );
    if several {
        stage.ground.hub.set("systems.erp.lease", LEASE);
        stage.ground.hub.set("systems.erp.request_timeout", REQUEST_TIMEOUT);
    }
    stage.ground.hub.start().await?;
    stage.ground.subscribed().await?;
    let (mut tally, mut played) = (Tally { seed, ..Tally::default() }, Played::default());
    let end = kernel::clock::after(crate::demo::now(), Duration::from_secs(u64::from(args.minutes) * 60));
    loop {
        tally.rounds += 1;
        tally.cut += round(args, tally.rounds, &mut stage, &mut played, &mut rng).await?;
        tally.freezes = stage.ground.hub.freezes;
        stage.caught_up(&played, CATCH_UP, None).await;
        let ledger = Ledger::take(&stage, &played).await?;
        tally.take(&ledger);
        eprintln!(
            "round {:>3}: {} kills so far, {} orders: {} exported, {} dead, {} filtered, {} lost, {} doubled; lag p99 {} ms",
            tally.rounds,
            ledger.kills,
            ledger.counts.sent,
            ledger.counts.exported,
            ledger.counts.dead,
            ledger.counts.filtered,
            ledger.counts.lost,
            ledger.counts.doubled,
            ledger.lag_p99_ms
        );
        if !ledger.holds() {
            eprintln!("THE LEDGER DOES NOT HOLD:\n  {}", ledger.wrong.join("\n  "));
            break;
        }
        if crate::demo::now() >= end {
            break;
        }
    }
    stage.strike(args.dir.is_some() || !tally.wrong.is_empty()).await?;
    Ok(tally)
}

impl Tally {
    fn take(&mut self, ledger: &Ledger) {
        self.kills = ledger.kills;
        self.orders = ledger.counts.sent;
        self.exported = ledger.counts.exported;
        self.lost = ledger.counts.lost;
        self.doubled = ledger.counts.doubled;
        if !ledger.holds() {
            self.wrong.clone_from(&ledger.wrong);
        }
    }
}

/// What befalls the hub at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Blow {
    /// SIGKILL, and it is started again after so long.
    Kill { away_ms: u64 },
    /// SIGKILL to one of several, which stays away while the others go on.
    KillOne { away_ms: u64 },
    /// SIGSTOP for longer than a lease, then SIGCONT.
    Freeze { for_ms: u64 },
    /// All connections to the store at once.
    Cut,
}

/// When, and what; in their order.
fn blows(rng: &mut Seeded, count: u32, span_ms: u64, several: bool) -> Vec<(u64, Blow)> {
    let mut instants: Vec<u64> = (0..count).map(|_| rng.below(span_ms + 2_000)).collect();
    instants.sort_unstable();
    let blow = |instant: u64, rng: &mut Seeded| match several {
        false => Blow::Kill { away_ms: if instant.is_multiple_of(5) { 700 } else { 0 } },
        true => match rng.below(8) {
            0..=3 => Blow::KillOne { away_ms: rng.below(5_000) },
            4..=6 => Blow::Freeze { for_ms: FROZEN_MS.0 + rng.below(FROZEN_MS.1) },
            _ => Blow::Cut,
        },
    };
    instants.into_iter().map(|instant| (instant, blow(instant, rng))).collect()
}

/// One round: orders at their pace, and blows at instants that chance chooses, side by side. Returns how many connections
/// were cut.
async fn round(
    args: &Args,
    number: u32,
    stage: &mut Stage,
    played: &mut Played,
    rng: &mut Seeded,
) -> anyhow::Result<u32> {
    stage.erp.turn(|knobs| *knobs = mood(rng, &healthy(knobs)));
    let span_ms = (args.orders * 1000 / args.rate).max(1000);
    let mut mix = Mix::demo();
    mix.change_delay_ms = (0, span_ms / 2);
    // Nobody adds items here.
    mix.unknown_sku = 0;
    let first = u64::from(number - 1) * args.orders + 1;
    let orders = workload(rng.next_u64(), args.orders, first, 1000 / args.rate, mix);
    let Ground { shop, hub, database, .. } = &mut stage.ground;
    let blows = blows(rng, args.kills, span_ms, hub.count() > 1);
    let strike_all = async {
        let (mut at_ms, mut cut) = (0, 0);
        for (instant, blow) in blows {
            while at_ms < instant {
                let step = (instant - at_ms).min(LOOK_MS);
                pause(Duration::from_millis(step)).await;
                at_ms += step;
                hub.back().await?;
            }
            match blow {
                Blow::Kill { away_ms } => {
                    hub.kill().await?;
                    pause(Duration::from_millis(away_ms)).await;
                    hub.start().await?;
                }
                Blow::KillOne { away_ms } => hub.kill_for(Duration::from_millis(away_ms)).await?,
                Blow::Freeze { for_ms } => hub.freeze_for(Duration::from_millis(for_ms))?,
                Blow::Cut => cut += cut_all(database.as_ref()).await?,
            }
        }
        // Whoever sleeps sleeps out: its lease has to end before it wakes.
        while hub.is_short_of_nodes() {
            pause(Duration::from_millis(LOOK_MS)).await;
            hub.back().await?;
        }
        anyhow::Ok(cut)
    };
    let play_all = async {
        for (at, change) in orders {
            played.apply(shop, at, &change).await;
        }
    };
    let ((), cut) = tokio::join!(play_all, strike_all);
    let cut = cut?;
    stage.erp.turn(|knobs| *knobs = healthy(knobs));
    Ok(cut)
}

async fn cut_all(database: Option<&Database>) -> anyhow::Result<u32> {
    match database {
        Some(database) => database.cut().await,
        None => Ok(0),
    }
}

/// How often who is away or frozen is looked after.
const LOOK_MS: u64 = 100;

/// As it was set up, without a fault.
fn healthy(knobs: &Knobs) -> Knobs {
    Knobs {
        page_size: knobs.page_size,
        idempotency_lifetime_ms: knobs.idempotency_lifetime_ms,
        ..Knobs::default()
    }
}

/// How the ERP behaves in a round.
fn mood(rng: &mut Seeded, healthy: &Knobs) -> Knobs {
    let often = |rng: &mut Seeded, max: u64| u32::try_from(rng.below(max)).unwrap_or(0);
    let mut knobs = Knobs {
        latency_ms: rng.below(20),
        latency_tail_ms: rng.below(400),
        latency_tail_per_mille: often(rng, 100),
        error_per_mille: often(rng, 150),
        error_applied_per_mille: 500,
        throttled_per_mille: often(rng, 100),
        unanswered_per_mille: often(rng, 150),
        late_apply_per_mille: often(rng, 100),
        late_apply_ms: 200 + rng.below(1_300),
        half_answer_per_mille: often(rng, 50),
        hang_per_mille: often(rng, 10),
        garbage_per_mille: often(rng, 30),
        faults_on: if rng.chance(500) { FaultsOn::Writes } else { FaultsOn::All },
        ..healthy.clone()
    };
    if rng.chance(250) {
        knobs.outage = if rng.chance(500) { Outage::Refused } else { Outage::Unavailable };
        knobs.outage_for_ms = Some(500 + rng.below(4_000));
    }
    knobs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_nodes_are_killed_frozen_and_cut_off_and_one_is_killed_alone() {
        let mut rng = Seeded::new(1);
        let blows_of = |several, rng: &mut Seeded| blows(rng, 100, 10_000, several);
        let (one, many) = (blows_of(false, &mut rng), blows_of(true, &mut rng));
        assert!(one.iter().all(|(_, blow)| matches!(blow, Blow::Kill { .. })));
        let count = |of: fn(&Blow) -> bool| many.iter().filter(|(_, blow)| of(blow)).count();
        assert!(count(|blow| matches!(blow, Blow::KillOne { .. })) > 20);
        assert!(count(|blow| matches!(blow, Blow::Freeze { for_ms } if *for_ms > 6_000)) > 20);
        assert!(count(|blow| matches!(blow, Blow::Cut)) > 3 && many.is_sorted_by_key(|(at, _)| *at));
    }

    #[test]
    fn a_seed_gives_the_same_moods() {
        let (mut one, mut other) = (Seeded::new(9), Seeded::new(9));
        for _ in 0..50 {
            assert_eq!(mood(&mut one, &Knobs::default()), mood(&mut other, &Knobs::default()));
        }
    }
}
