//! `tidegate prove-medusa`: orders into a real Medusa, through a gate that loses requests and answers, with the hub killed
//! in the middle; then every order is read back from Medusa's own records and compared with what the shop charged, and
//! what is reserved with what was sold. With `--stock` Medusa also tells what there is to sell and what left, and those
//! records are compared as well.

mod books;
mod house;

use crate::cli::{Common, Failure, block_on};
use crate::demo::{Ground, Ledger, Office, Played, new_folder, pause, reasons, workload};
use crate::tryton_proof::Gate;
use crate::tryton_proof::flows;
use crate::tryton_proof::stock::Premises as _;
use crate::tryton_proof::stock::{self, Everyday, StockProof};
use anyhow::Context as _;
use books::{Books, Row};
use house::House;
use kernel::rng::{Rng, Seeded};
use rust_decimal::Decimal;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;
use twin::shop::Mix;
use twin::shopify::StockConfig;

const EXAMPLES: &str = "\
Examples:
  cargo xtask services ensure medusa
  set -a; . <(cargo xtask services env medusa); set +a
  tidegate prove-medusa --orders 200 --kills 3
  tidegate prove-medusa --stock --orders 100 --changes 1000 --kills 2";

/// Orders into a real Medusa with faults and kills, and the ledger from Medusa's own records
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[arg(long, default_value_t = 200)]
    orders: u64,
    /// Orders in a minute; Medusa beside the hub on two cores takes about forty
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=6000))]
    per_minute: u64,
    #[arg(long, default_value_t = 3)]
    kills: u32,
    /// Where chance begins; without it a new one, because the orders stay in Medusa
    #[arg(long)]
    seed: Option<u64>,
    /// Medusa's stock is what the shop sells, and what it ships is recorded there
    #[arg(long)]
    stock: bool,
    /// With --stock: changes of a SKU's stock, beside those that orders and shipments make
    #[arg(long, default_value_t = 500)]
    changes: u64,
    /// With --stock: SKUs beside the twenty that orders have, whose stock only moves
    #[arg(long, default_value_t = 100)]
    others: u32,
    /// With --stock: units of each of the twenty that are free at the beginning; few, and the shop sells out
    #[arg(long, default_value_t = 300)]
    free: u32,
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    #[arg(long, env = "MEDUSA_URL")]
    url: String,
    /// A secret API key
    #[arg(long, env = "MEDUSA_API_KEY", hide_env_values = true)]
    key: String,
    #[arg(long, env = "MEDUSA_REGION")]
    region: String,
    #[arg(long, env = "MEDUSA_SALES_CHANNEL")]
    sales_channel: String,
    #[arg(long, env = "MEDUSA_SHIPPING_OPTION")]
    shipping_option: String,
    #[arg(long, env = "MEDUSA_LOCATION")]
    location: String,
}

/// What Medusa reserved, by its own reservations.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
struct Reserved {
    /// Drafts that were never made an order.
    drafts: u64,
    lines: u64,
    /// Lines with more or fewer units reserved than are open.
    wrong: u64,
    #[serde(skip)]
    named: Vec<String>,
}

impl Reserved {
    fn holds(&self) -> bool {
        self.drafts == 0 && self.wrong == 0
    }
}

pub fn run(common: &Common, args: &Args) -> Result<(), Failure> {
    let (ledger, reserved, stock) = block_on(async { Ok(play(args).await?) })?;
    eprintln!("{}", crate::demo::written(&ledger, "Medusa's own records"));
    eprintln!(
        "reserved   {} lines are open in Medusa, {} of them not reserved once; {} drafts left{}",
        reserved.lines,
        reserved.wrong,
        reserved.drafts,
        reserved.named.iter().map(|what| format!("\n  {what}")).collect::<String>()
    );
    if let Some(stock) = &stock {
        eprintln!("{}", stock.written());
    }
    let holds = ledger.holds() && reserved.holds() && stock.as_ref().is_none_or(StockProof::holds);
    if common.json {
        let mut json = ledger.json();
        json["reserved"] = serde_json::to_value(&reserved).map_err(anyhow::Error::from)?;
        json["holds"] = holds.into();
        if let Some(stock) = &stock {
            json["stock"] = serde_json::to_value(stock).map_err(anyhow::Error::from)?;
        }
        writeln!(std::io::stdout().lock(), "{json}")?;
    }
    if holds { Ok(()) } else { Err(Failure::Found) }
}

/// Without headway: an unknown answer is looked up after thirty-five seconds.
const CATCH_UP: Duration = Duration::from_secs(120);
/// Of each thing: nobody sells out.
const ON_HAND: i64 = 1_000_000;

async fn play(args: &Args) -> anyhow::Result<(Ledger, Reserved, Option<StockProof>)> {
    let seed = args.seed.unwrap_or_else(crate::wiring::clock::seed);
    let mut rng = Seeded::new(seed);
    let books = Books::new(&args.url, &args.key)?;
    books
        .known()
        .await
        .context("Medusa cannot be asked; start it by `cargo xtask services ensure medusa`")?;
    let skus = stock::skus(if args.stock { args.others } else { 0 });
    let house = House::open(&books, &args.location, &skus).await?;
    let gate = Gate::open(&args.url, seed).await?;
    let folder = new_folder(args.dir.clone())?;
    let office = Office::Medusa {
        url: gate.url(),
        key: &args.key,
        region: &args.region,
        sales_channel: &args.sales_channel,
        shipping_option: &args.shipping_option,
    };
    let shelves = if args.stock { stock::shelves(args.others) } else { StockConfig::default() };
    let mut ground = Ground::lay(folder, seed, true, &office, None, shelves).await?;
    if args.stock {
        let locations = format!("locations = {{ \"WH-1\" = \"{}\" }}\n", args.location);
        flows::configure(&ground.folder, "medusa", &locations)?;
    }
    eprintln!("seed {seed}; the hub's files are in {}", ground.folder.display());
    ground.hub.start().await?;
    ground.subscribed().await?;
    let everyday = args.stock.then(|| Everyday::new(&house, &ground.shop, args.others, args.free));
    match &everyday {
        Some(everyday) => {
            everyday.prepare().await?;
            stock::ready(everyday, &ground).await?;
        }
        None => house.fill(&skus.into_iter().map(|sku| (sku, ON_HAND)).collect::<Vec<_>>()).await?,
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
    let missing = async || match books.rows(&ground.shop.orders()).await {
        Ok(rows) => {
            let there: BTreeSet<String> = rows
                .iter()
                .filter(|row| !row.is_draft())
                .map(|row| crate::demo::reference(row.order))
                .collect();
            played.missing(&ground.shop, &there)
        }
        Err(_) => usize::MAX,
    };
    ground.caught_up(CATCH_UP, missing).await;
    let stock = match &everyday {
        Some(everyday) => {
            everyday.ship_rest().await?;
            everyday.agreed(CATCH_UP).await?;
            Some(StockProof { sold_out: played.refused, ..everyday.judge().await? })
        }
        None => None,
    };
    let orders = ground.shop.orders();
    let rows = books.rows(&orders).await?;
    let sales = rows.iter().map(Row::sale).collect::<anyhow::Result<Vec<_>>>()?;
    let proofs = ground.proofs().await?;
    let mut ledger = Ledger::of(&orders, &sales, &played, &reasons(&proofs));
    ledger.proved(&proofs);
    // Medusa has SKUs that the shop does not have, and parcels of earlier plays: what is amiss with ours, pairs and parcels tell.
    ledger.stray(ground.letters(|flow| !stock::FLOWS.iter().any(|told| flow == told)).await?);
    ledger.kills = ground.hub.kills();
    ledger.webhooks(&ground.shop.stats().webhooks);
    let reserved = reserved(&books, &rows).await?;
    let holds = ledger.holds() && reserved.holds() && stock.as_ref().is_none_or(StockProof::holds);
    drop(everyday);
    ground.strike(args.dir.is_some() || !holds).await?;
    Ok((ledger, reserved, stock))
}

async fn reserved(books: &Books, rows: &[Row]) -> anyhow::Result<Reserved> {
    let mut there: BTreeMap<String, Decimal> = BTreeMap::new();
    for one in books.reservations().await?.into_values() {
        *there.entry(one.line).or_default() += one.units;
    }
    let mut reserved = Reserved::default();
    for row in rows {
        reserved.drafts += u64::from(row.is_draft());
        for (line, open) in row.to_reserve()? {
            reserved.lines += 1;
            let units = there.get(&line).copied().unwrap_or_default();
            if units != open {
                reserved.wrong += 1;
                reserved.named.push(format!("{line} of order {}: {units} reserved, {open} open", row.order));
            }
        }
    }
    reserved.named.truncate(10);
    Ok(reserved)
}

/// What Medusa's test database knows: the twenty things, without taxes of its own.
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
    // What has left cannot be edited; where parcels leave, orders stay as they are.
    if args.stock { Mix { changed: 0, ..mix } } else { mix }
}
