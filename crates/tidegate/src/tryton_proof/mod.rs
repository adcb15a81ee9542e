//! `tidegate prove-tryton`: orders into a real Tryton, through a gate that loses requests and answers, with the hub killed
//! in the middle; then every sale is read back from Tryton's own records and compared with what the shop charged.

mod books;
mod gate;

use crate::cli::{Common, Failure, block_on};
use crate::demo::{Ground, Ledger, Office, Played, new_folder, pause, reasons, workload};
use anyhow::Context as _;
use books::Books;
use gate::Gate;
use kernel::rng::{Rng, Seeded};
use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;
use twin::shop::Mix;

const EXAMPLES: &str = "\
Examples:
  cargo xtask services ensure tryton
  set -a; . <(cargo xtask services env tryton); set +a
  tidegate prove-tryton --orders 500 --kills 3";

/// Orders into a real Tryton with faults and kills, and the ledger from Tryton's own records
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[arg(long, default_value_t = 500)]
    orders: u64,
    /// Orders in a minute; Tryton on SQLite takes about a hundred
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=6000))]
    per_minute: u64,
    #[arg(long, default_value_t = 3)]
    kills: u32,
    /// Where chance begins; without it a new one, because the sales stay in Tryton
    #[arg(long)]
    seed: Option<u64>,
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    #[arg(long, env = "TRYTON_URL")]
    url: String,
    #[arg(long, env = "TRYTON_DATABASE", default_value = "tryton")]
    database: String,
    #[arg(long, env = "TRYTON_USER", default_value = "tidegate")]
    user: String,
    #[arg(long, env = "TRYTON_PASSWORD", hide_env_values = true)]
    password: String,
}

pub fn run(common: &Common, args: &Args) -> Result<(), Failure> {
    let ledger = block_on(async { Ok(play(args).await?) })?;
    eprintln!("{}", crate::demo::written(&ledger, "Tryton's own records"));
    if common.json {
        writeln!(std::io::stdout().lock(), "{}", ledger.json())?;
    }
    if ledger.holds() { Ok(()) } else { Err(Failure::Found) }
}

/// Without headway: confirming a long sale takes Tryton ten seconds, several queue up, and an unknown answer is looked up
/// after thirty-five.
const CATCH_UP: Duration = Duration::from_secs(120);

async fn play(args: &Args) -> anyhow::Result<Ledger> {
    let seed = args.seed.unwrap_or_else(crate::wiring::clock::seed);
    let mut rng = Seeded::new(seed);
    let books = Books::new(&args.url, &args.database, &args.user, &args.password)?;
    books
        .known()
        .await
        .context("Tryton cannot be asked; start it by `cargo xtask services ensure tryton`")?;
    let gate = Gate::open(&args.url, seed).await?;
    let folder = new_folder(args.dir.clone())?;
    let office = Office::Tryton {
        url: gate.url(),
        database: &args.database,
        user: &args.user,
        password: &args.password,
    };
    let mut ground = Ground::lay(folder, seed, true, &office, None).await?;
    eprintln!("seed {seed}; the hub's files are in {}", ground.folder.display());
    ground.hub.start().await?;
    ground.subscribed().await?;

    let mut played = Played::default();
    let span_ms = args.orders * 60_000 / args.per_minute;
    let orders = workload(rng.next_u64(), args.orders, 1, 60_000 / args.per_minute, mix(span_ms));
    let mut instants: Vec<u64> =
        (0..args.kills).map(|_| span_ms / 10 + rng.below(span_ms * 8 / 10)).collect();
    instants.sort_unstable();
    let (shop, hub) = (&ground.shop, &mut ground.hub);
    let kills = async {
        let mut at_ms = 0;
        for instant in instants {
            pause(Duration::from_millis(instant - at_ms)).await;
            at_ms = instant;
            eprintln!("the hub is killed");
            hub.kill().await?;
            hub.start().await?;
        }
        anyhow::Ok(())
    };
    let play = async {
        for (at, change) in orders {
            played.apply(shop, at, &change).await;
        }
    };
    gate.trouble(true);
    let ((), killed) = tokio::join!(play, kills);
    killed?;
    gate.trouble(false);
    eprintln!("all orders are placed; {} answers and requests were lost on their way so far", gate.lost());
    let missing = async || match books.references().await {
        Ok(there) => played.missing(&ground.shop, &there),
        Err(_) => usize::MAX,
    };
    ground.caught_up(CATCH_UP, missing).await;
    let orders = ground.shop.orders();
    let sales = books.sales(&orders).await?;
    let proofs = ground.proofs().await?;
    let mut ledger = Ledger::of(&orders, &sales, &played, &reasons(&proofs));
    ledger.proved(&proofs);
    ledger.stray(ground.dead_letters().await?);
    ledger.kills = ground.hub.kills();
    ledger.webhooks(&ground.shop.stats().webhooks);
    ground.strike(args.dir.is_some() || !ledger.holds()).await?;
    Ok(ledger)
}

/// What Tryton's test database knows: its taxes are 21 % and 9 %.
fn mix(span_ms: u64) -> Mix {
    Mix {
        vat_percent: (21, 9),
        unknown_sku: 0,
        poison: 0,
        gift_card_bought: 10,
        tip: 20,
        many_lines: 0,
        changed: 350,
        change_delay_ms: (0, span_ms / 4),
        ..Mix::demo()
    }
}
