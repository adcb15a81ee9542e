//! `tidegate twin`: the look-alikes by themselves, for a person to play with.

use super::exit::Failure;
use std::path::PathBuf;
use twin::{erp, shopify, wms};

const EXAMPLES: &str = "\
Examples:
  tidegate twin erp                                      a REST back office that is in good health, for whatever shop
  tidegate twin erp --strict-items                       knows only the items of `tidegate twin shopify`
  tidegate twin erp --port 9002 --knob unanswered_per_mille=50 --knob latency_ms=200
  tidegate twin shopify --port 9001 --orders 100 --webhooks http://127.0.0.1:8080/webhooks/shopify
  tidegate twin wms --moves 5 --push http://127.0.0.1:8080/ingest/wms/inventory --knob drop_per_mille=20";

/// Runs a look-alike of Shopify, of a back office or of a warehouse
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(subcommand)]
    which: Which,
}

#[derive(Debug, clap::Subcommand)]
enum Which {
    Shopify(Shop),
    Erp(Office),
    Wms(Warehouse),
}

/// A shop with orders that keep coming and changing, its Admin GraphQL API and its webhooks
#[derive(Debug, clap::Args)]
struct Shop {
    /// The shop's permanent domain
    #[arg(long, default_value = "acme.myshopify.com")]
    domain: String,
    /// 0 takes a free one
    #[arg(long, default_value_t = 9001)]
    port: u16,
    /// How many orders are placed
    #[arg(long, default_value_t = 100)]
    orders: u64,
    /// Orders in a minute
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=60_000))]
    per_minute: u64,
    /// The same orders come of the same seed
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// What `X-Shopify-Access-Token` must hold
    #[arg(long, default_value = "shpat_twin", value_name = "TOKEN")]
    access_token: String,
    /// The same, from a file
    #[arg(long, value_name = "FILE", conflicts_with = "access_token")]
    access_token_file: Option<PathBuf>,
    /// Signs the webhooks
    #[arg(long, default_value = "hush", value_name = "SECRET")]
    client_secret: String,
    /// The same, from a file
    #[arg(long, value_name = "FILE", conflicts_with = "client_secret")]
    client_secret_file: Option<PathBuf>,
    /// Where order topics are sent; without it the hub subscribes by itself
    #[arg(long, value_name = "URL")]
    webhooks: Option<String>,
    /// standard, advanced, plus or enterprise
    #[arg(long, default_value = "plus")]
    plan: shopify::Plan,
    /// 3600 turns an hour between two retries into a second
    #[arg(long, default_value_t = 1)]
    compression: u32,
}

/// A REST back office with knobs for every way of failing, and a ledger that outlives it
#[derive(Debug, clap::Args)]
struct Office {
    /// 0 takes a free one
    #[arg(long, default_value_t = 9002)]
    port: u16,
    /// Serves /twin/… even in an outage; 0 takes a free one
    #[arg(long, default_value_t = 0)]
    control_port: u16,
    /// The same requests fail with the same seed
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// `Authorization: Bearer …`
    #[arg(long)]
    token: Option<String>,
    /// The same, from a file
    #[arg(long, value_name = "FILE", conflicts_with = "token")]
    token_file: Option<PathBuf>,
    /// Every change goes there before it is answered
    #[arg(long, value_name = "FILE")]
    ledger: Option<PathBuf>,
    /// Refuses an item that it does not know, as an ERP does; else it takes those of whatever shop, yours for one
    #[arg(long)]
    strict_items: bool,
    /// What is turned from the start; GET /twin/knobs lists them all
    #[arg(long = "knob", value_name = "NAME=VALUE")]
    knobs: Vec<String>,
}

/// A warehouse whose stock moves, that reserves a shop's orders and pushes each change
#[derive(Debug, clap::Args)]
struct Warehouse {
    /// 0 takes a free one
    #[arg(long, default_value_t = 9003)]
    port: u16,
    /// The same stock and the same movements come of the same seed
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// `Authorization: Bearer …`
    #[arg(long)]
    token: Option<String>,
    /// The same, from a file
    #[arg(long, value_name = "FILE", conflicts_with = "token")]
    token_file: Option<PathBuf>,
    /// SKUs beside those of `tidegate twin shopify`, which does not know them: GEN-000001 and on
    #[arg(long, default_value_t = 0, value_name = "SKUS")]
    generated: u32,
    /// Movements in a second that are not this shop's: goods come in, another channel takes some
    #[arg(long, default_value_t = 0, value_name = "PER_SECOND")]
    moves: u32,
    /// Where each change is told, signed; without it the warehouse waits to be asked
    #[arg(long, value_name = "URL")]
    push: Option<String>,
    /// Signs what is pushed
    #[arg(long, default_value = "hush", value_name = "SECRET")]
    push_secret: String,
    /// The same, from a file
    #[arg(long, value_name = "FILE", conflicts_with = "push_secret")]
    push_secret_file: Option<PathBuf>,
    /// The shop's id in tidegate.toml, where it pushes to
    #[arg(long, default_value = "acme", value_name = "ID")]
    shop: String,
    /// What is turned from the start; GET /twin/knobs lists them all
    #[arg(long = "knob", value_name = "NAME=VALUE")]
    knobs: Vec<String>,
}

pub fn run(args: &Args) -> Result<(), Failure> {
    super::block_on(async {
        match &args.which {
            Which::Shopify(shop) => {
                let options = shopify::StandaloneOptions {
                    domain: shop.domain.clone(),
                    port: shop.port,
                    seed: shop.seed,
                    orders: shop.orders,
                    interval_ms: 60_000 / shop.per_minute,
                    access_token: secret(shop.access_token_file.as_ref(), &shop.access_token)?,
                    client_secret: secret(shop.client_secret_file.as_ref(), &shop.client_secret)?,
                    webhook_target: shop.webhooks.clone(),
                    plan: shop.plan,
                    compression: shop.compression,
                };
                Ok(shopify::run_standalone(options).await?)
            }
            Which::Erp(office) => {
                let token = match &office.token_file {
                    Some(_) => Some(secret(office.token_file.as_ref(), "")?),
                    None => office.token.clone(),
                };
                // What is turned by hand comes after, and wins.
                let lenient = format!("accept_any_item={}", !office.strict_items);
                let options = erp::StandaloneOptions {
                    port: office.port,
                    control_port: office.control_port,
                    seed: office.seed,
                    token,
                    ledger_file: office.ledger.clone(),
                    knobs: std::iter::once(lenient).chain(office.knobs.iter().cloned()).collect(),
                };
                Ok(erp::run_standalone(options).await?)
            }
            Which::Wms(warehouse) => Ok(wms::run_standalone(warehouse.options()?).await?),
        }
    })
}

impl Warehouse {
    fn options(&self) -> Result<wms::StandaloneOptions, Failure> {
        let token = match &self.token_file {
            Some(_) => Some(secret(self.token_file.as_ref(), "")?),
            None => self.token.clone(),
        };
        let push_secret = secret(self.push_secret_file.as_ref(), &self.push_secret)?;
        let target =
            |url: &String| wms::PushTarget { url: url.clone(), secret: push_secret, shop: self.shop.clone() };
        Ok(wms::StandaloneOptions {
            port: self.port,
            seed: self.seed,
            token,
            generated: self.generated,
            moves_per_second: self.moves,
            push: self.push.as_ref().map(target),
            knobs: self.knobs.clone(),
        })
    }
}

fn secret(file: Option<&PathBuf>, given: &str) -> Result<String, Failure> {
    let Some(file) = file else { return Ok(given.to_owned()) };
    let text = std::fs::read_to_string(file)
        .map_err(|error| anyhow::anyhow!("{} cannot be read: {error}", file.display()))?;
    Ok(text.trim().to_owned())
}
