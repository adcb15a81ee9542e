//! `tidegate prove-tryton`: a [proof](crate::proof) against a real Tryton. Owns how Tryton is asked, and that of what the shop
//! gives back its own records hold a credit note.

mod books;
mod credits;
mod house;

use crate::cli::{Common, Failure};
use crate::demo::Office;
use crate::proof::{self, CreditProof, Day, Records, System, give_back};
use books::Books;
use house::House;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use twin::shop::Order;
use twin::shopify::ShopifyTwin;

const REFUNDS: &str = include_str!("../../../../mappings/refunds_to_tryton.toml");
const EXAMPLES: &str = "\
Examples:
  cargo xtask services ensure tryton
  set -a; . <(cargo xtask services env tryton); set +a
  tidegate prove-tryton --orders 500 --kills 3
  tidegate prove-tryton --stock --orders 300 --changes 10000 --kills 3";

/// Orders into a real Tryton with faults and kills, and the ledger from Tryton's own records
#[derive(Debug, Clone, clap::Args)]
#[command(
    after_help = EXAMPLES,
    mut_arg("per_minute", |arg| arg.help("Orders in a minute; Tryton on SQLite takes about a hundred")),
)]
pub struct Args {
    #[command(flatten)]
    day: Day,
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
    proof::run(common, &args.day, || {
        let books = Books::new(&args.url, &args.database, &args.user, &args.password)?;
        Ok(Tryton { args, books })
    })
}

struct Tryton<'a> {
    args: &'a Args,
    books: Books,
}

impl System for Tryton<'_> {
    const NAME: &'static str = "Tryton";
    const CONNECTOR: &'static str = "tryton";
    type House<'a>
        = House<'a>
    where
        Self: 'a;

    fn url(&self) -> &str {
        &self.args.url
    }

    fn office<'a>(&'a self, url: &'a str) -> Office<'a> {
        let Args { database, user, password, .. } = self.args;
        Office::Tryton { url, database, user, password }
    }

    async fn known(&self) -> anyhow::Result<()> {
        self.books.known().await
    }

    async fn house(&self, skus: &[String]) -> anyhow::Result<House<'_>> {
        House::open(&self.books, skus).await
    }

    /// A sale is confirmed whatever lies on the shelf.
    async fn stocked(&self) -> anyhow::Result<()> {
        Ok(())
    }

    fn as_source(&self) -> String {
        "locations = { \"WH-1\" = \"WH\" }\ntracking = \"reference\"\noverlap = \"30s\"\n".to_owned()
    }

    fn configure(&self, folder: &Path) -> anyhow::Result<()> {
        proof::with_refunds(folder, REFUNDS, "difference = \"adjust_line\"\n")
    }

    async fn afterwards(
        &self,
        shop: &ShopifyTwin,
        patience: Duration,
    ) -> anyhow::Result<Option<CreditProof>> {
        give_back(shop, false);
        credits::credited(&self.books, shop, patience).await.map(Some)
    }

    async fn references(&self) -> anyhow::Result<BTreeSet<String>> {
        self.books.references().await
    }

    async fn records(&self, orders: &[Arc<Order>]) -> anyhow::Result<Records> {
        Ok(Records { sales: self.books.sales(orders).await?, further: None })
    }
}
