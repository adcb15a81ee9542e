//! `tidegate demo`: the main job with real failures in it, and a ledger that a person can read. The hub is a process of
//! its own, so that it can be killed; shop and back office are the look-alikes, as is the warehouse whose stock the shop sells, in this process, so that they survive
//! it. What is counted is taken from them; the hub is asked for reasons alone.

mod acts;
mod config;
mod counter;
mod database;
mod hub_process;
mod hubs;
mod ledger;
mod play;
mod playground;
mod report;
mod stage;
mod warehouse;

pub use config::Office;
pub use database::Database;
pub use hub_process::{HubProcess, Stopped};
pub use hubs::Hubs;
pub use ledger::{Ledger, reasons};
pub use play::{Played, is_exportable, reference, workload};
pub use stage::{Ground, Nodes, Stage, StageOptions, new_folder, now, pause};
pub use warehouse::Warehouse;

use crate::cli::{Common, Failure, block_on};
use counter::Counter;
use report::Teller;
pub use report::written;
use std::path::PathBuf;
use std::time::Duration;

const EXAMPLES: &str = "\
Examples:
  tidegate demo                                  1,000 orders, in about a minute
  tidegate demo --orders 200                     the quick one
  tidegate demo --orders 20000 --seed 7          the long one
  tidegate demo --orders 20 --calm --keep        stays up, with a page to break things on: kill it, lose its webhooks, let its ERP lie
  tidegate demo --stock                          with a warehouse: its stock moves, orders reserve, nothing is sold twice
  tidegate demo --prices                         with contract prices: carts ask all the while, orders are compared
  tidegate demo --json                           the ledger as one object on standard output
  tidegate demo --store postgres --nodes 3       three nodes on one PostgreSQL, one of them killed every few seconds

It ends with exit code 0 if no order was lost, doubled or left unaccounted for.";

/// Runs the whole thing against look-alikes, breaks it on purpose, and takes the ledger from the ERP's own books
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// How many orders the shop gets
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    orders: u64,
    /// Orders in a second; without it, what ends in well under a minute and a half
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=2000))]
    rate: Option<u64>,
    /// Where chance begins: the same seed places the same orders
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Stays up at the end, until Ctrl-C, with a page on which ERP, webhooks and hub can be broken by hand, and orders are counted
    #[arg(long)]
    keep: bool,
    /// Where the hub's files go, and stay; without it, a folder that is removed at the end
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Nothing is broken on purpose
    #[arg(long)]
    calm: bool,
    /// A warehouse beside the ERP: its stock moves and is what the shop sells, and each order reserves there
    #[arg(long)]
    stock: bool,
    /// With --stock: pairs of SKU and location
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(100..=1_000_000))]
    pairs: u32,
    /// Prices of each buyer: carts ask for them whatever fails, and what each order was charged is compared with them
    #[arg(long)]
    prices: bool,
    /// Where the hub keeps its facts
    #[arg(long, value_enum, default_value_t = StoreKind::Sqlite)]
    store: StoreKind,
    /// Hubs on one PostgreSQL
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=16))]
    nodes: u32,
    /// A PostgreSQL in which a schema may be made and dropped again
    #[arg(long, value_name = "URL", env = "POSTGRES_URL", hide_env_values = true)]
    postgres_url: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum StoreKind {
    /// Embedded, for one process
    Sqlite,
    /// One PostgreSQL for all nodes
    Postgres,
}

impl Args {
    /// 1,000 orders come in forty seconds; more of them come faster, as far as a machine of two cores takes it.
    fn rate(&self) -> u64 {
        self.rate.unwrap_or((self.orders / 40).clamp(25, 50))
    }

    /// When a promotion begins by itself: after the night's load, before the last orders.
    fn promotion_after(&self) -> Duration {
        Duration::from_millis(self.orders * 750 / self.rate()) + Duration::from_secs(2)
    }
}

pub fn run(common: &Common, args: &Args) -> Result<(), Failure> {
    if args.nodes > 1 && args.store == StoreKind::Sqlite {
        return Err(Failure::Usage(
            "several nodes need a store that they can share: add --store postgres".to_owned(),
        ));
    }
    if args.nodes > 1 && args.prices {
        return Err(Failure::Usage(
            "each node has its own prices, and the demo loads them at one: leave --nodes or --prices out"
                .to_owned(),
        ));
    }
    let teller = Teller::new();
    let json = common.json;
    let ledger = block_on(async { Ok(play_all(args, &teller, json).await?) })?;
    if ledger.holds() { Ok(()) } else { Err(Failure::Found) }
}

/// How long the hub may make no headway once all is well again.
const CATCH_UP: Duration = Duration::from_secs(180);

async fn play_all(args: &Args, teller: &Teller, json: bool) -> anyhow::Result<Ledger> {
    let nodes = (args.store == StoreKind::Postgres)
        .then(|| Nodes { count: args.nodes, server: args.postgres_url.clone() });
    let options = StageOptions {
        dir: args.dir.clone(),
        seed: args.seed,
        mischief: !args.calm,
        by_look_up: false,
        nodes,
        pairs: if args.stock { args.pairs } else { 0 },
    };
    let mut stage = Stage::set(options).await?;
    if args.stock {
        stage.warehouse = Some(Warehouse::open(&stage.ground, args.seed, args.orders, args.pairs).await?);
    }
    if args.prices {
        stage.counter = Some(Counter::open(&stage.ground, &stage.erp, args.seed, args.promotion_after())?);
    }
    teller.opening(args, &stage);
    stage.ground.hub.start().await?;
    stage.ground.subscribed().await?;
    if let Some(warehouse) = &stage.warehouse {
        teller.act("the shop learns what the warehouse has, 250 pairs a call");
        warehouse.agreed(&stage.ground.shop, CATCH_UP, teller).await;
        teller.stocked(&warehouse.ledger(&stage.ground.shop));
    }
    if let Some(counter) = &mut stage.counter {
        counter.begin(&stage.ground).await?;
        teller.act("prices are loaded, and carts ask for them: ten lines, forty times a second");
    }
    let mut played = play::all(args, &mut stage, teller).await?;
    teller.catching_up();
    stage.caught_up(&played, CATCH_UP, Some(teller)).await;
    if let Some(warehouse) = &mut stage.warehouse {
        warehouse.checked(&stage.ground, CATCH_UP, teller).await?;
    }
    if let Some(counter) = &mut stage.counter {
        counter.rest().await;
    }
    let mut ledger = Ledger::take(&stage, &played).await?;
    teller.ledger(&ledger, json)?;
    if args.keep {
        let from = (args.seed.wrapping_add(1), args.orders + 1);
        if let Some(after) = playground::open(&mut stage, &mut played, teller, from, &ledger).await? {
            // The one that was asked for as JSON is the demo's.
            teller.ledger(&after, false)?;
            ledger = after;
        }
    }
    stage.strike(args.dir.is_some() || !ledger.holds()).await?;
    Ok(ledger)
}
