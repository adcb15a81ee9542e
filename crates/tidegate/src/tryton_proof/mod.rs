//! `tidegate prove-tryton`: orders into a real Tryton, through a gate that loses requests and answers, with the hub killed
//! in the middle; then every sale is read back from Tryton's own records and compared with what the shop charged. With
//! `--stock` Tryton also tells what there is to sell and what left, and those records are compared as well.

mod books;
mod credits;
pub mod flows;
mod gate;
mod house;
pub mod stock;

use crate::cli::{Common, Failure, block_on};
use crate::demo::{Ground, Ledger, Office, Played, new_folder, pause, reasons, workload};
use anyhow::Context as _;
use books::Books;
pub use gate::Gate;
use house::House;
use kernel::rng::{Rng, Seeded};
use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;
use stock::{Everyday, StockProof};
use twin::shop::Mix;
use twin::shopify::StockConfig;

const EXAMPLES: &str = "\
Examples:
  cargo xtask services ensure tryton
  set -a; . <(cargo xtask services env tryton); set +a
  tidegate prove-tryton --orders 500 --kills 3
  tidegate prove-tryton --stock --orders 300 --changes 10000 --kills 3";

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
    /// Tryton's stock is what the shop sells, and what it ships is recorded there
    #[arg(long)]
    stock: bool,
    /// With --stock: changes of a SKU's stock, beside those that orders and shipments make
    #[arg(long, default_value_t = 1000)]
    changes: u64,
    /// With --stock: SKUs beside the twenty that orders have, whose stock only moves
    #[arg(long, default_value_t = 200)]
    others: u32,
    /// With --stock: units of each of the twenty that are free at the beginning; few, and the shop sells out
    #[arg(long, default_value_t = 300)]
    free: u32,
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
    let (ledger, stock) = block_on(async { Ok(play(args).await?) })?;
    eprintln!("{}", crate::demo::written(&ledger, "Tryton's own records"));
    if let Some(stock) = &stock {
        eprintln!("{}", stock.written());
    }
    if common.json {
        let mut json = ledger.json();
        if let Some(stock) = &stock {
            json["stock"] = serde_json::to_value(stock).map_err(anyhow::Error::from)?;
            json["holds"] = (ledger.holds() && stock.holds()).into();
        }
        writeln!(std::io::stdout().lock(), "{json}")?;
    }
    let holds = ledger.holds() && stock.is_none_or(|stock| stock.holds());
    if holds { Ok(()) } else { Err(Failure::Found) }
}

/// Without headway: confirming a long sale takes Tryton ten seconds, several queue up, and an unknown answer is looked up
/// after thirty-five.
const CATCH_UP: Duration = Duration::from_secs(120);

async fn play(args: &Args) -> anyhow::Result<(Ledger, Option<StockProof>)> {
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
    let shelves = if args.stock { stock::shelves(args.others) } else { StockConfig::default() };
    let mut ground = Ground::lay(folder, seed, true, &office, None, shelves).await?;
    if args.stock {
        let more = "locations = { \"WH-1\" = \"WH\" }\ntracking = \"reference\"\noverlap = \"30s\"\n";
        flows::configure(&ground.folder, "tryton", more)?;
        credits::configure(&ground.folder)?;
    }
    eprintln!("seed {seed}; the hub's files are in {}", ground.folder.display());
    ground.hub.start().await?;
    ground.subscribed().await?;
    let skus = if args.stock { stock::skus(args.others) } else { Vec::new() };
    let house = if args.stock { Some(House::open(&books, &skus).await?) } else { None };
    let everyday = house.as_ref().map(|house| Everyday::new(house, &ground.shop, args.others, args.free));
    if let Some(everyday) = &everyday {
        everyday.prepare().await?;
        stock::ready(everyday, &ground).await?;
    }

    let mut played = Played::default();
    let span_ms = args.orders * 60_000 / args.per_minute;
    let orders = workload(rng.next_u64(), args.orders, 1, 60_000 / args.per_minute, mix(args, span_ms));
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
    let moves = async {
        let Some(everyday) = &everyday else { return anyhow::Ok(()) };
        everyday.changes(seed, args.changes, Duration::from_millis(span_ms)).await
    };
    let shipping = async {
        let Some(everyday) = &everyday else { return anyhow::Ok(()) };
        everyday.shipping().await
    };
    let day = async {
        let ((), killed, moved) = tokio::join!(play, kills, moves);
        if let Some(everyday) = &everyday {
            everyday.evening();
        }
        killed.and(moved)
    };
    gate.trouble(true);
    let (day, shipped) = tokio::join!(day, shipping);
    day.and(shipped)?;
    gate.trouble(false);
    eprintln!("all orders are placed; {} answers and requests were lost on their way so far", gate.lost());
    let missing = async || match books.references().await {
        Ok(there) => played.missing(&ground.shop, &there),
        Err(_) => usize::MAX,
    };
    ground.caught_up(CATCH_UP, missing).await;
    let stock = match &everyday {
        Some(everyday) => {
            everyday.ship_rest().await?;
            everyday.agreed(CATCH_UP).await?;
            // What is given back moves no stock here: the same is judged once it is credited.
            gate.trouble(true);
            credits::give_back(&ground.shop);
            let refunds = credits::credited(&books, &ground.shop, CATCH_UP).await?;
            gate.trouble(false);
            everyday.agreed(CATCH_UP).await?;
            Some(StockProof { sold_out: played.refused, refunds: Some(refunds), ..everyday.judge().await? })
        }
        None => None,
    };
    let orders = ground.shop.orders();
    let sales = books.sales(&orders).await?;
    let proofs = ground.proofs().await?;
    let mut ledger = Ledger::of(&orders, &sales, &played, &reasons(&proofs));
    ledger.proved(&proofs);
    // Tryton has SKUs that the shop does not have, and parcels of earlier plays: what is amiss with ours, pairs and parcels tell.
    ledger.stray(ground.letters(|flow| !stock::FLOWS.iter().any(|told| flow == told)).await?);
    ledger.kills = ground.hub.kills();
    ledger.webhooks(&ground.shop.stats().webhooks);
    let holds = ledger.holds() && stock.as_ref().is_none_or(StockProof::holds);
    drop(everyday);
    ground.strike(args.dir.is_some() || !holds).await?;
    Ok((ledger, stock))
}

/// What Tryton's test database knows: its taxes are 21 % and 9 %.
fn mix(args: &Args, span_ms: u64) -> Mix {
    let mix = Mix {
        vat_percent: (21, 9),
        unknown_sku: 0,
        poison: 0,
        gift_card_bought: 10,
        tip: 20,
        many_lines: 0,
        changed: 350,
        change_delay_ms: (0, span_ms / 4),
        ..Mix::demo()
    };
    // What is edited or called off after its confirmation is a ticket at Tryton; where parcels leave, orders stay as they are.
    if args.stock { Mix { changed: 0, ..mix } } else { mix }
}
