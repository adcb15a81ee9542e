//! `tidegate bench`: how fast, how late, how large, each figure beside what it is held against, in one run. The hub is
//! a process of its own; load and targets share the machine with it, which the figures say. It prints and judges
//! nothing: no test depends on the time that something takes. `docs/performance.md` tells how to read it.

mod beside;
mod breaker;
mod clock;
mod figure;
mod flash;
mod floor;
mod full_check;
mod growth;
mod hydrate;
mod intake;
mod latency;
mod load;
mod long;
mod orders;
mod outage;
mod peer;
mod persistent;
mod pg;
mod prices;
mod service;
mod side;
mod sink;
mod stage;
mod stock;
mod stock_beside;

use crate::cli::{Common, Failure, block_on};
use anyhow::Context as _;
use figure::Figure;
use floor::Floor;
use peer::Recipe;
use side::Who;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

const PART_INTAKE: &str = "intake";
const PART_LATENCY: &str = "latency";
const PART_BREAKER: &str = "breaker";
const PART_STARTUP: &str = "startup";
const PART_MEMORY: &str = "memory";
const PART_FLASH: &str = "flash sale";
const PART_OUTAGE: &str = "outage";
const PART_GROWTH: &str = "growth";
const PART_SHOPS: &str = "a hundred shops";
const PART_RETENTION: &str = "retention";
const PART_PG_INTAKE: &str = "intake on PostgreSQL";
const PART_PG_STEADY: &str = "500 orders a second on PostgreSQL";
const PART_PG_TAKEOVER: &str = "take-over on PostgreSQL";
const PART_STOCK: &str = "stock under a sale";
const PART_STOCK_BESIDE: &str = "orders beside stock";
const PART_FULL_CHECK: &str = "full check of stock";
const PART_HYDRATE: &str = "price lists into catalogs";
const PART_PRICES: &str = "prices at the cart";
const PART_BESIDE: &str = "beside peers";

/// Durable intake, latency to the target, CPU and memory, each against a floor of the same run
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Short rounds: shows that it works, not what the machine can do
    #[arg(long)]
    quick: bool,
    /// One part alone; may be given several times
    #[arg(long, value_enum)]
    only: Vec<Part>,
    /// Beside what a team would write: a folder of bench/peers (pg-boss, bullmq), or any such folder; may be given
    /// several times. Alone it means `--only beside`
    #[arg(long, value_name = "NAME|DIR")]
    peer: Vec<String>,
    /// Tidegate on PostgreSQL as well, where peers are beside it, in the sale, in the outage, as history grows and with a
    /// hundred shops
    #[arg(long)]
    postgres: bool,
    /// How long the target of the outage is down
    #[arg(long, value_name = "MINUTES", default_value_t = 1.0)]
    down_minutes: f64,
    /// How long 500 orders a second go on, at each number of nodes; absent: half a minute
    #[arg(long, value_name = "MINUTES")]
    minutes: Option<f64>,
    /// At so many nodes; may be given several times. Absent: at one, then at two
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u8).range(1..=8))]
    nodes: Vec<u8>,
    /// Contract prices of the read model from which carts are answered; absent: ten million
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u64).range(10_000..=200_000_000))]
    prices: Option<u64>,
    /// Orders of the long run (memory, start-up; absent: 100,000), of each store of one shop and of a hundred (100,000), of
    /// each generation of retention (20,000)
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(100..=10_000_000))]
    orders: Option<u32>,
    /// Measures nothing: draws what earlier runs of `--only growth --json` measured, as SVG on standard output; may be given
    /// several times
    #[arg(long, value_name = "FILE")]
    plot: Vec<PathBuf>,
    /// Where the hubs' files go; on the disk that is to be measured
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Serves as a floor
    #[arg(long, value_enum, hide = true, requires = "listen")]
    floor: Option<Floor>,
    #[arg(long, hide = true)]
    listen: Option<SocketAddr>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    Intake,
    Latency,
    Breaker,
    Startup,
    Memory,
    /// 20,000 webhooks in ten seconds
    FlashSale,
    /// Kills, and a target that is down for minutes
    Outage,
    /// What an append and a claim cost as history grows, from ten thousand rows to ten million
    Growth,
    /// The same of a hundred shops, beside one with the same total
    HundredShops,
    /// What of a file on SQLite stays when retention has been at it
    Retention,
    /// A thousand stock changes a second over a hundred thousand pairs
    Stock,
    /// Orders beside a hundred stock changes a second, and without
    StockBeside,
    /// `tidegate reconcile inventory` over a million pairs, of which a thousand differ
    FullCheck,
    /// 3.6 million prices into 150 catalogs of a shop; nothing to do; one in a hundred changed
    Hydrate,
    /// Carts of a hundred lines at 500 a second: alone, beside loads, and while a system that makes prices hangs
    Prices,
    /// The same carts out of PostgreSQL and Redis, beside ours in this process; of at most ten million prices
    PricesBeside,
    /// On PostgreSQL: durable webhooks a second beside its own inserts
    PgIntake,
    /// On PostgreSQL: 500 orders a second for minutes on end
    PgSteady,
    /// On PostgreSQL: how soon others take over what a dead node had in work
    PgTakeover,
    /// Latency, intake, CPU and memory beside the peers
    Beside,
}

/// How it is measured, and where.
#[derive(Debug, Clone)]
pub struct Bench {
    quick: bool,
    folder: PathBuf,
    /// In place of what a part says by itself.
    orders: Option<usize>,
}

impl Bench {
    /// What is going on, for a person who waits.
    fn tell(&self, what: &str) {
        eprintln!("  … {what}");
    }
}

pub fn run(common: &Common, args: &Args) -> Result<(), Failure> {
    let own = std::env::temp_dir().join(format!("tidegate-bench-{}", std::process::id()));
    if !args.plot.is_empty() {
        write!(std::io::stdout().lock(), "{}", growth::plot::draw(&args.plot)?)?;
        return Ok(());
    }
    let bench = Bench {
        quick: args.quick,
        folder: args.dir.clone().unwrap_or_else(|| own.clone()),
        orders: args.orders.map(|orders| orders as usize),
    };
    if let (Some(floor), Some(listen)) = (args.floor, args.listen) {
        return intake::floor(floor, listen, &bench);
    }
    std::fs::create_dir_all(&bench.folder)
        .with_context(|| format!("{} cannot be made", bench.folder.display()))?;
    let figures = block_on(async { Ok(measure(&bench, args).await?) });
    if args.dir.is_none() && figures.is_ok() {
        std::fs::remove_dir_all(&own)?;
    }
    if common.json {
        let line = serde_json::to_string(&serde_json::json!({ "quick": args.quick, "figures": figures? }))
            .context("the figures as JSON")?;
        writeln!(std::io::stdout().lock(), "{line}")?;
    } else {
        figures?;
    }
    Ok(())
}

impl Args {
    fn wants(&self, part: Part) -> bool {
        match part {
            Part::Beside => !self.peer.is_empty() && (self.only.is_empty() || self.only.contains(&part)),
            // They take long, or need a PostgreSQL.
            Part::Growth
            | Part::HundredShops
            | Part::Retention
            | Part::Stock
            | Part::StockBeside
            | Part::FullCheck
            | Part::Hydrate
            | Part::Prices
            | Part::PgIntake
            | Part::PgSteady
            | Part::PgTakeover => self.only.contains(&part),
            _ if self.only.is_empty() => self.peer.is_empty(),
            _ => self.only.contains(&part),
        }
    }

    /// Tidegate first: the others are held against it.
    async fn sides(&self) -> anyhow::Result<Vec<Who>> {
        let mut sides = vec![Who::Tidegate];
        if self.postgres {
            sides.push(Who::TidegateOnPostgres);
        }
        for peer in &self.peer {
            sides.push(Who::Peer(Recipe::of(peer).await?));
        }
        Ok(sides)
    }
}

async fn measure(bench: &Bench, args: &Args) -> anyhow::Result<Vec<Figure>> {
    let processors = std::thread::available_parallelism().map_or(0, usize::from);
    eprintln!("{processors} processors, shared by hub, load and target; files in {}", bench.folder.display());
    if cfg!(debug_assertions) {
        eprintln!(
            "this build is not optimised: the figures mean nothing (cargo xtask bench builds one that is)"
        );
    }
    let wants = |part| args.wants(part);
    let sides = args.sides().await?;
    let mut all = Vec::new();
    if wants(Part::Intake) {
        told(&mut all, intake::measure(bench).await?);
    }
    if wants(Part::Latency) {
        told(&mut all, latency::measure(bench).await?);
    }
    if wants(Part::Breaker) {
        told(&mut all, breaker::measure(bench).await?);
    }
    if wants(Part::Memory) || wants(Part::Startup) {
        told(&mut all, long::measure(bench, wants(Part::Memory), wants(Part::Startup)).await?);
    }
    if wants(Part::FlashSale) {
        told(&mut all, flash::measure(bench, &sides).await?);
    }
    if wants(Part::Outage) {
        let down = Duration::try_from_secs_f64(args.down_minutes * 60.0).context("--down-minutes")?;
        told(&mut all, outage::measure(bench, &sides, down).await?);
    }
    if wants(Part::Growth) {
        told(&mut all, growth::measure(bench, args.postgres).await?);
    }
    if wants(Part::HundredShops) {
        told(&mut all, growth::shops::measure(bench, args.postgres).await?);
    }
    if wants(Part::Retention) {
        told(&mut all, growth::retention::measure(bench).await?);
    }
    if wants(Part::Stock) {
        told(&mut all, stock::measure(bench).await?);
    }
    if wants(Part::StockBeside) {
        told(&mut all, stock_beside::measure(bench).await?);
    }
    if wants(Part::FullCheck) {
        told(&mut all, full_check::measure(bench).await?);
    }
    if wants(Part::Hydrate) {
        told(&mut all, hydrate::measure(bench).await?);
    }
    if wants(Part::Prices) {
        let prices = args.prices.unwrap_or(if bench.quick { 100_000 } else { 10_000_000 });
        told(&mut all, prices::measure(bench, prices).await?);
    }
    if wants(Part::PricesBeside) {
        let prices = args.prices.unwrap_or(if bench.quick { 100_000 } else { 10_000_000 });
        told(&mut all, prices::beside(bench, prices).await?);
    }
    if wants(Part::PgIntake) {
        told(&mut all, pg::intake::measure(bench).await?);
    }
    if wants(Part::PgSteady) {
        let minutes = args.minutes.unwrap_or(if args.quick { 0.1 } else { 0.5 });
        let nodes = if args.nodes.is_empty() { &[1, 2] } else { &args.nodes[..] };
        told(&mut all, pg::steady::measure(bench, minutes, nodes).await?);
    }
    if wants(Part::PgTakeover) {
        told(&mut all, pg::takeover::measure(bench).await?);
    }
    if wants(Part::Beside) {
        told(&mut all, beside::measure(bench, &sides).await?);
    }
    Ok(all)
}

/// Each part when it is done.
fn told(all: &mut Vec<Figure>, figures: Vec<Figure>) {
    let mut part = "";
    for figure in &figures {
        if figure.part != part {
            part = figure.part;
            eprintln!("{part}");
        }
        eprintln!("{}", figure.line());
    }
    all.extend(figures);
}
