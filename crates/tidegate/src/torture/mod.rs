//! `tidegate torture`: rounds of orders under load, with SIGKILL at random instants, duplicates in flight and an ERP that
//! applies late, lies and goes away. With several nodes of one PostgreSQL also nodes that stay away, nodes that sleep
//! for longer than their lease and then go on, and connections that are cut all at once; with a server of its own the
//! server is killed too; with `--disk-full` the disk fills. After each round the ledger must hold: over all orders since
//! the beginning, from the ERP's own books. Goes on on one store, so that what a round leaves behind is the next one's
//! past. `--rolling` breaks nothing: it upgrades, and measures what a webhook meets meanwhile.

mod availability;
mod blows;
mod disk;
mod mood;
mod rolling;
mod server;

use crate::cli::{Common, Failure, block_on};
use crate::demo::{Ledger, Nodes, Played, Stage, StageOptions, StoreKind};
use anyhow::Context as _;
use blows::{Struck, round};
use disk::{HowFull, SmallDisk};
use kernel::rng::Seeded;
use serde::Serialize;
use server::Server;
use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

const EXAMPLES: &str = "\
Examples:
  tidegate torture --minutes 10
  tidegate torture --minutes 1 --seed 42         the same orders, faults and kills as last time, as far as time allows
  tidegate torture --store postgres --nodes 3    nodes of one PostgreSQL: killed, frozen, cut off
  tidegate torture --store postgres --nodes 3 --own-postgres services/postgres.sh    the server is killed as well
  tidegate torture --disk-full                   the disk fills under load, and has space again
  tidegate torture --rolling --store postgres    two versions side by side: upgrade, roll back, upgrade, contract
  tidegate torture --rolling                     one process, restarted: what a webhook meets meanwhile";

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
    /// A PostgreSQL of its own, by the script that starts and stops one (services/postgres.sh), so that the server itself
    /// can be killed; goes before a PostgreSQL that was named
    #[arg(long, value_name = "SCRIPT")]
    own_postgres: Option<PathBuf>,
    /// The embedded store's disk fills once in each round: a small file system is mounted for it, or writing is forbidden
    /// to the process; without a word, whichever of the two can be had
    #[arg(long, value_enum, num_args = 0..=1, default_missing_value = "any")]
    disk_full: Option<HowFull>,
    /// Nothing is broken: nodes are stopped and started one after the other, with the next version and back again, and
    /// the share of webhooks that are answered 2xx within 5 s is measured; `--minutes 0` is the short version
    #[arg(long)]
    rolling: bool,
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
    /// Connections to the store that were cut, and kills of its server.
    cut: u32,
    server_kills: u32,
    /// How often the disk was full, how many webhooks were refused for it, and the longest time from when it had space
    /// again to the next one that was taken.
    disk_full: u32,
    refused: u64,
    recovered_ms: u64,
    orders: u64,
    exported: u64,
    lost: u64,
    doubled: u64,
    wrong: Vec<String>,
}

/// A node's lease where nodes are frozen.
const LEASE: &str = "6s";
const REQUEST_TIMEOUT: &str = "4s";

/// After each round; what is missing when nothing has moved for so long is lost.
const CATCH_UP: Duration = Duration::from_secs(180);

pub fn run(common: &Common, args: &Args) -> Result<(), Failure> {
    let embedded = args.store == StoreKind::Sqlite;
    if args.nodes > 1 && embedded {
        return Err(Failure::Usage(
            "several nodes need a store that they can share: add --store postgres".to_owned(),
        ));
    }
    if args.own_postgres.is_some() && embedded {
        return Err(Failure::Usage("--own-postgres goes with --store postgres".to_owned()));
    }
    if args.disk_full.is_some() && (!embedded || args.rolling) {
        return Err(Failure::Usage(
            "--disk-full is of the embedded store, and of a round that breaks things".to_owned(),
        ));
    }
    if args.rolling {
        return rolling::run(common, args);
    }
    let tally = block_on(async { Ok(play(args).await?) })?;
    eprintln!(
        "\n{} rounds, {} kills, {} freezes, {} connections cut, {} kills of the server, {} times a full disk, {} orders: {} \
         exported, {} lost, {} doubled (seed {})",
        tally.rounds,
        tally.kills,
        tally.freezes,
        tally.cut,
        tally.server_kills,
        tally.disk_full,
        tally.orders,
        tally.exported,
        tally.lost,
        tally.doubled,
        tally.seed
    );
    if tally.disk_full > 0 {
        eprintln!(
            "{} webhooks were refused for the disk; {} ms after it had space again at the longest, one was taken",
            tally.refused, tally.recovered_ms
        );
    }
    if common.json {
        let line = serde_json::to_string(&tally).context("the tally as JSON")?;
        writeln!(std::io::stdout().lock(), "{line}")?;
    }
    if tally.wrong.is_empty() { Ok(()) } else { Err(Failure::Found) }
}

/// Where the nodes' store is, and the server where it is one of the play's own.
async fn nodes(args: &Args, count: u32) -> anyhow::Result<(Option<Nodes>, Option<Server>)> {
    if args.store == StoreKind::Sqlite {
        return Ok((None, None));
    }
    let own = match &args.own_postgres {
        Some(script) => Some(Server::start(script).await?),
        None => None,
    };
    let server = own.as_ref().map(|own| own.url().to_owned()).or_else(|| args.postgres_url.clone());
    Ok((Some(Nodes { count, server }), own))
}

async fn play(args: &Args) -> anyhow::Result<Tally> {
    let (nodes, mut server) = nodes(args, args.nodes).await?;
    let several = nodes.is_some() && args.nodes > 1;
    let seed = args.seed.unwrap_or_else(crate::wiring::clock::seed);
    let mut rng = Seeded::new(seed);
    // Every other seed has an ERP without a memory for keys: what is unknown can only be looked up there.
    let by_look_up = args.look_up || seed.is_multiple_of(2);
    let mut stage =
        Stage::set(StageOptions { dir: args.dir.clone(), seed, mischief: true, by_look_up, nodes, pairs: 0 })
            .await?;
    eprintln!(
        "seed {seed}: {}; the hub's files are in {}",
        if by_look_up { "the ERP knows no idempotency key" } else { "the ERP knows idempotency keys" },
        stage.ground.folder.display()
    );
    if several {
        stage.ground.hub.set("systems.erp.lease", LEASE);
        stage.ground.hub.set("systems.erp.request_timeout", REQUEST_TIMEOUT);
    }
    let mut disk = match args.disk_full {
        Some(how) => Some(SmallDisk::under(&mut stage.ground, how)?),
        None => None,
    };
    stage.ground.hub.start().await?;
    stage.ground.subscribed().await?;
    let (mut tally, mut played) = (Tally { seed, ..Tally::default() }, Played::default());
    let end = kernel::clock::after(crate::demo::now(), Duration::from_secs(u64::from(args.minutes) * 60));
    loop {
        tally.rounds += 1;
        let with = Struck { server: server.as_mut(), disk: disk.as_mut() };
        round(args, &mut tally, &mut stage, &mut played, &mut rng, with).await?;
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
    let keep = args.dir.is_some() || !tally.wrong.is_empty();
    if let Some(disk) = disk {
        stage.ground.hub.stop().await?;
        disk.take_away(keep)?;
    }
    stage.strike(keep).await?;
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
