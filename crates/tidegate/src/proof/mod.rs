//! A proof against a real system: orders through a gate that loses requests and answers, with the hub killed in the middle;
//! then what the system's own records say is compared with what the shop charged. With `--stock` the system also tells what
//! there is to sell and what left, and those records are compared as well. Owns the play and the judgement; how a system is
//! asked stands with the system.

mod flows;
mod gate;
mod play;
mod refunds;
pub mod stock;

use crate::cli::{Common, Failure, block_on};
use crate::demo::{Ledger, Office};
pub use flows::with_refunds;
pub use gate::Gate;
pub use refunds::{CreditProof, give_back, give_back_before, given_back, units_given_back};
use serde_json::Value;
use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use stock::{Premises, StockProof};
use twin::erp::Sale;
use twin::shop::Order;
use twin::shopify::{Plan, ShopifyTwin};

/// What each proof is told. The numbers are a fast system's: a slow one has others of its own.
#[derive(Debug, Clone, clap::Args)]
pub struct Day {
    #[arg(long, default_value_t = 500)]
    orders: u64,
    /// Orders in a minute
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=6000))]
    per_minute: u64,
    #[arg(long, default_value_t = 3)]
    kills: u32,
    /// Of the shop, which sets how much it may be asked: standard, advanced, plus or enterprise
    #[arg(long, default_value = "plus")]
    plan: Plan,
    /// Where chance begins; without it a new one, because the orders stay in the system
    #[arg(long)]
    seed: Option<u64>,
    /// The system's stock is what the shop sells, and what it ships is recorded there
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
}

/// The system that a proof is about, asked by a client of its own: a judge shares no code with the connector.
pub trait System {
    const NAME: &'static str;
    /// The word after `connector =`, and the name of its service.
    const CONNECTOR: &'static str;
    type House<'a>: Premises
    where
        Self: 'a;

    fn url(&self) -> &str;
    /// Reached at another address.
    fn office<'a>(&'a self, url: &'a str) -> Office<'a>;
    /// Whether it answers at all.
    async fn known(&self) -> anyhow::Result<()>;
    /// Its warehouse, with these SKUs.
    async fn house(&self, skus: &[String]) -> anyhow::Result<Self::House<'_>>;
    /// Before the first order, where its stock is not what the shop sells.
    async fn stocked(&self) -> anyhow::Result<()>;
    /// What its connection says besides, as the source of stock and shipments.
    fn as_source(&self) -> String;
    /// Flows of its own beside stock and shipments, added to what the hub runs with in this folder.
    fn configure(&self, _folder: &Path) -> anyhow::Result<()> {
        Ok(())
    }
    /// Whether units that have not left are given back: some orders do not leave before that.
    const GIVES_BACK_BEFORE: bool = false;
    /// What comes when these orders wait and all others have left, through the gate and with a kill; waited for so long.
    async fn before_they_leave(
        &self,
        _shop: &ShopifyTwin,
        _patience: Duration,
    ) -> anyhow::Result<Option<CreditProof>> {
        Ok(None)
    }
    /// What comes when all parcels have left, through the gate; waited for so long.
    async fn afterwards(
        &self,
        _shop: &ShopifyTwin,
        _patience: Duration,
    ) -> anyhow::Result<Option<CreditProof>> {
        Ok(None)
    }
    /// The references of orders that are there.
    async fn references(&self) -> anyhow::Result<BTreeSet<String>>;
    async fn records(&self, orders: &[Arc<Order>]) -> anyhow::Result<Records>;
}

/// What a system has of the orders of a play.
#[derive(Debug)]
pub struct Records {
    pub sales: Vec<Sale>,
    pub further: Option<Further>,
}

/// What its records say besides, judged.
#[derive(Debug)]
pub struct Further {
    /// Its key in what `--json` prints.
    pub name: &'static str,
    pub holds: bool,
    pub written: String,
    pub json: Value,
}

/// All that is judged at the end.
#[derive(Debug)]
struct Proof {
    ledger: Ledger,
    further: Option<Further>,
    stock: Option<StockProof>,
}

impl Proof {
    fn holds(&self) -> bool {
        self.ledger.holds()
            && self.further.as_ref().is_none_or(|further| further.holds)
            && self.stock.as_ref().is_none_or(StockProof::holds)
    }

    fn written(&self, books: &str) -> String {
        let further = self.further.as_ref().map(|further| format!("\n{}", further.written));
        let stock = self.stock.as_ref().map(|stock| format!("\n{}", stock.written()));
        let ledger = crate::demo::written(&self.ledger, books);
        [Some(ledger), further, stock].into_iter().flatten().collect()
    }

    fn json(&self) -> anyhow::Result<Value> {
        let mut json = self.ledger.json();
        if let Some(further) = &self.further {
            json[further.name] = further.json.clone();
        }
        if let Some(stock) = &self.stock {
            json["stock"] = serde_json::to_value(stock)?;
        }
        json["holds"] = self.holds().into();
        Ok(json)
    }
}

pub fn run<S: System>(
    common: &Common,
    day: &Day,
    system: impl FnOnce() -> anyhow::Result<S>,
) -> Result<(), Failure> {
    let proof = block_on(async { Ok(play::play(&system()?, day).await?) })?;
    eprintln!("{}", proof.written(&format!("{}'s own records", S::NAME)));
    if common.json {
        writeln!(std::io::stdout().lock(), "{}", proof.json()?)?;
    }
    if proof.holds() { Ok(()) } else { Err(Failure::Found) }
}

/// What every reference of this shop's orders begins with.
const OURS: &str = "acme-order-";

/// Which order of the shop a reference is of.
pub fn order_of(reference: &str) -> Option<u64> {
    reference.strip_prefix(OURS)?.parse().ok()
}
