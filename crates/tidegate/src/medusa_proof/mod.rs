//! `tidegate prove-medusa`: a [proof](crate::proof) against a real Medusa. Owns how Medusa is asked, and that what it reserved is
//! compared with what was sold, also where units are given back before they leave, and where they come back.

mod books;
mod given_back;
mod house;
mod reserved;

use crate::cli::{Common, Failure};
use crate::demo::{Office, reference};
use crate::proof::stock::{Premises as _, skus};
use crate::proof::{self, CreditProof, Day, Records, System, give_back, give_back_before};
use books::Books;
use house::House;
use reserved::Reserved;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use twin::shop::Order;
use twin::shopify::ShopifyTwin;

const EXAMPLES: &str = "\
Examples:
  cargo xtask services ensure medusa
  set -a; . <(cargo xtask services env medusa); set +a
  tidegate prove-medusa --orders 200 --kills 3
  tidegate prove-medusa --stock --orders 100 --changes 1000 --kills 2";

/// Orders into a real Medusa with faults and kills, and the ledger from Medusa's own records
#[derive(Debug, Clone, clap::Args)]
#[command(
    after_help = EXAMPLES,
    mut_arg("orders", |arg| arg.default_value("200")),
    mut_arg("per_minute", |arg| {
        arg.default_value("30").help("Orders in a minute; Medusa beside the hub on two cores takes about forty")
    }),
    mut_arg("changes", |arg| arg.default_value("500")),
    mut_arg("others", |arg| arg.default_value("100")),
)]
pub struct Args {
    #[command(flatten)]
    day: Day,
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

pub fn run(common: &Common, args: &Args) -> Result<(), Failure> {
    proof::run(common, &args.day, || Ok(Medusa { args, books: Books::new(&args.url, &args.key)? }))
}

const REFUNDS: &str = include_str!("../../../../mappings/refunds_to_medusa.toml");
/// Of each thing: nobody sells out.
const ON_HAND: i64 = 1_000_000;

struct Medusa<'a> {
    args: &'a Args,
    books: Books,
}

impl System for Medusa<'_> {
    const NAME: &'static str = "Medusa";
    const CONNECTOR: &'static str = "medusa";
    type House<'a>
        = House<'a>
    where
        Self: 'a;

    fn url(&self) -> &str {
        &self.args.url
    }

    fn office<'a>(&'a self, url: &'a str) -> Office<'a> {
        let Args { key, region, sales_channel, shipping_option, .. } = self.args;
        Office::Medusa { url, key, region, sales_channel, shipping_option }
    }

    async fn known(&self) -> anyhow::Result<()> {
        self.books.known().await
    }

    async fn house(&self, skus: &[String]) -> anyhow::Result<House<'_>> {
        House::open(&self.books, &self.args.location, skus).await
    }

    /// An order reserves, and is refused where there is too little.
    async fn stocked(&self) -> anyhow::Result<()> {
        let skus = skus(0);
        let house = self.house(&skus).await?;
        house.fill(&skus.into_iter().map(|sku| (sku, ON_HAND)).collect::<Vec<_>>()).await
    }

    fn as_source(&self) -> String {
        format!("locations = {{ \"WH-1\" = \"{}\" }}\n", self.args.location)
    }

    fn configure(&self, folder: &Path) -> anyhow::Result<()> {
        proof::with_refunds(folder, REFUNDS, "")
    }

    const GIVES_BACK_BEFORE: bool = true;

    async fn before_they_leave(
        &self,
        shop: &ShopifyTwin,
        patience: Duration,
    ) -> anyhow::Result<Option<CreditProof>> {
        give_back_before(shop);
        self.house(&skus(0)).await?.comes_what_is_short().await?;
        given_back::booked(&self.books, shop, patience).await.map(Some)
    }

    /// What left comes back, and lies on its shelf again.
    async fn afterwards(
        &self,
        shop: &ShopifyTwin,
        patience: Duration,
    ) -> anyhow::Result<Option<CreditProof>> {
        give_back(shop, true);
        given_back::booked(&self.books, shop, patience).await.map(Some)
    }

    async fn references(&self) -> anyhow::Result<BTreeSet<String>> {
        let rows = self.books.ours().await?;
        Ok(rows.iter().filter(|row| !row.is_draft()).map(|row| reference(row.order)).collect())
    }

    async fn records(&self, orders: &[Arc<Order>]) -> anyhow::Result<Records> {
        let rows = self.books.rows(orders).await?;
        let mut sales = Vec::new();
        for row in &rows {
            let given_back = given_back::edits(&self.books, row).await?;
            sales.push(row.sale(given_back.iter().map(|edit| edit.amount).sum())?);
        }
        let reserved = Reserved::judge(&self.books, &rows).await?;
        Ok(Records { sales, further: Some(reserved.told()?) })
    }
}
