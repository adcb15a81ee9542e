//! `tidegate torture`: rounds of orders under load, with SIGKILL at random instants, duplicates in flight and an ERP that
//! applies late, lies and goes away. After each round the ledger must hold: over all orders since the beginning, from
//! the ERP's own books. Goes on on one store, so that what a round leaves behind is the next one's past.

use crate::cli::{Common, Failure, block_on};
use crate::demo::{Ledger, Played, Stage, StageOptions, pause, workload};
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
  tidegate torture --minutes 1 --seed 42         the same orders, faults and kills as last time, as far as time allows";

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
    /// Kills in a round
    #[arg(long, default_value_t = 4)]
    kills: u32,
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
    orders: u64,
    exported: u64,
    lost: u64,
    doubled: u64,
    wrong: Vec<String>,
}

/// After each round; what is missing when nothing has moved for so long is lost.
const CATCH_UP: Duration = Duration::from_secs(180);

pub fn run(common: &Common, args: &Args) -> Result<(), Failure> {
    let tally = block_on(async { Ok(play(args).await?) })?;
    eprintln!(
        "\n{} rounds, {} kills, {} orders: {} exported, {} lost, {} doubled (seed {})",
        tally.rounds, tally.kills, tally.orders, tally.exported, tally.lost, tally.doubled, tally.seed
    );
    if common.json {
        let line = serde_json::to_string(&tally).context("the tally as JSON")?;
        writeln!(std::io::stdout().lock(), "{line}")?;
    }
    if tally.wrong.is_empty() { Ok(()) } else { Err(Failure::Found) }
}

async fn play(args: &Args) -> anyhow::Result<Tally> {
    let seed = args.seed.unwrap_or_else(crate::wiring::clock::seed);
    let mut rng = Seeded::new(seed);
    // Every other seed has an ERP without a memory for keys: what is unknown can only be looked up there.
    let by_look_up = args.look_up || seed.is_multiple_of(2);
    let mut stage =
        Stage::set(StageOptions { dir: args.dir.clone(), seed, mischief: true, by_look_up, nodes: None })
            .await?;
    eprintln!(
        "seed {seed}: {}; the hub's files are in {}",
        if by_look_up { "the ERP knows no idempotency key" } else { "the ERP knows idempotency keys" },
        stage.ground.folder.display()
    );
    stage.ground.hub.start().await?;
    stage.ground.subscribed().await?;
    let (mut tally, mut played) = (Tally { seed, ..Tally::default() }, Played::default());
    let end = kernel::clock::after(crate::demo::now(), Duration::from_secs(u64::from(args.minutes) * 60));
    loop {
        tally.rounds += 1;
        round(args, tally.rounds, &mut stage, &mut played, &mut rng).await?;
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

/// One round: orders at their pace, and kills at instants that chance chooses, side by side.
async fn round(
    args: &Args,
    number: u32,
    stage: &mut Stage,
    played: &mut Played,
    rng: &mut Seeded,
) -> anyhow::Result<()> {
    stage.erp.turn(|knobs| *knobs = mood(rng, &healthy(knobs)));
    let span_ms = (args.orders * 1000 / args.rate).max(1000);
    let mut mix = Mix::demo();
    mix.change_delay_ms = (0, span_ms / 2);
    // Nobody adds items here.
    mix.unknown_sku = 0;
    let first = u64::from(number - 1) * args.orders + 1;
    let orders = workload(rng.next_u64(), args.orders, first, 1000 / args.rate, mix);
    let mut instants: Vec<u64> = (0..args.kills).map(|_| rng.below(span_ms + 2_000)).collect();
    instants.sort_unstable();
    let (shop, hub) = (&stage.ground.shop, &mut stage.ground.hub);
    let kill_all = async {
        let mut at_ms = 0;
        for instant in instants {
            pause(Duration::from_millis(instant - at_ms)).await;
            at_ms = instant;
            hub.kill().await?;
            if instant.is_multiple_of(5) {
                pause(Duration::from_millis(700)).await;
            }
            hub.start().await?;
        }
        anyhow::Ok(())
    };
    let play_all = async {
        for (at, change) in orders {
            played.apply(shop, at, &change).await;
        }
    };
    let ((), killed) = tokio::join!(play_all, kill_all);
    killed?;
    stage.erp.turn(|knobs| *knobs = healthy(knobs));
    Ok(())
}

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
    fn a_seed_gives_the_same_moods() {
        let (mut one, mut other) = (Seeded::new(9), Seeded::new(9));
        for _ in 0..50 {
            assert_eq!(mood(&mut one, &Knobs::default()), mood(&mut other, &Knobs::default()));
        }
    }
}
