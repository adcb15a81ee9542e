//! The play's counter: carts ask the hub for prices all the while, whatever happens to the ERP and to the hub; a night brings
//! other prices, a file that was halved by mistake is stopped, and what each order was charged is compared. Every answer is
//! judged by [`table`], which knows the prices and not the hub's rules.

mod carts;
mod ledger;
mod table;

pub use ledger::PricesLedger;

use super::stage::Ground;
use anyhow::{Context as _, bail};
use carts::{Carts, Heard};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::task::JoinHandle;
use twin::erp::ErpTwin;

/// The flow that compares.
pub const FLOW: &str = "orders_to_prices";
const SYSTEM: &str = "prices";
const TOKEN: &str = "token-of-the-demo-storefront";
const MAPPING: &str = include_str!("../../../../../mappings/orders_to_prices.toml");

/// As docs/prices.md shows it.
const OWN: &str = r#"
[prices]

[prices.callers.storefront]
bearer_token = "file:secrets/storefront.prices"

[prices.live]
url = "ERP_URL/prices"
bearer_token = "file:secrets/erp.secret"
skus = ["CFG-*"]
fresh = "2s"
stale = "5s"
request_timeout = "2s"

[systems.prices]
role = "pricing"
connector = "prices"

[flows.orders_to_prices]
domain = "orders"
source = "shopify"
target = "prices"
mapping = "mappings/orders_to_prices.toml"
go_live_at = "2026-01-01T00:00:00Z"
export_when = ["payment_terms", "paid", "authorised"]
sweep = { every = "5s", overlap = "20s" }
"#;

#[derive(Debug)]
pub struct Counter {
    carts: Carts,
    asking: Option<JoinHandle<()>>,
    heard: Arc<Mutex<Heard>>,
    /// From when on there are prices.
    first_at: Timestamp,
    /// From when on the promotion counts.
    promotion_at: Timestamp,
    /// From which version on the night's prices count; and the instants between which they began to.
    night: Option<(u64, Timestamp, Timestamp)>,
    /// A load that nobody should have made was stopped.
    is_held: Option<bool>,
}

impl Counter {
    /// Tells the hub's configuration of it; before the hub starts. `promotion_after`: from now.
    pub fn open(
        ground: &Ground,
        erp: &ErpTwin,
        seed: u64,
        promotion_after: Duration,
    ) -> anyhow::Result<Self> {
        configure(&ground.folder, erp)?;
        let at = kernel::clock::after(super::now(), promotion_after);
        // Prices change at whole seconds.
        let promotion_at = Timestamp::from_second(at.as_second())?;
        Ok(Self {
            carts: Carts::new(ground.hub.url(), TOKEN, seed)?,
            asking: None,
            heard: Arc::default(),
            first_at: Timestamp::MAX,
            promotion_at,
            night: None,
            is_held: None,
        })
    }

    /// Terms and prices are loaded, and carts begin to ask.
    pub async fn begin(&mut self, ground: &Ground) -> anyhow::Result<()> {
        let terms =
            json!({ "document": table::terms(self.promotion_at), "who": "demo", "why": "the first terms" });
        ground.ask("prices/terms", &terms).await?;
        let told = load(ground, "all.csv", &table::prices()).await?;
        self.first_at = super::now();
        anyhow::ensure!(told["outcome"] == "live", "the first prices did not go live: {told}");
        let (carts, heard) = (self.carts.clone(), self.heard.clone());
        self.asking = Some(tokio::spawn(async move {
            let mut carts = carts;
            loop {
                let one = carts.ask().await;
                heard.lock().unwrap_or_else(PoisonError::into_inner).take(one);
                super::pause(carts::BEAT).await;
            }
        }));
        Ok(())
    }

    /// The nightly load: some prices rise. Made again until it is known to be live: a killed hub answers nothing.
    pub async fn night(&mut self, ground: &Ground) -> anyhow::Result<()> {
        let before = super::now();
        let told = load(ground, "night.csv", &table::night()).await?;
        let version = match told["outcome"].as_str() {
            Some("live") => told["version"].as_u64().context("a load that is live has a version")?,
            // The one before was live, and its answer was lost.
            Some("unchanged") => ground.see("prices").await?["version"].as_u64().context("a version")?,
            _ => bail!("the night's prices did not go live: {told}"),
        };
        self.night = Some((version, before, super::now()));
        Ok(())
    }

    /// Somebody loads a file in which every price is halved.
    pub async fn halved(&mut self, ground: &Ground) -> anyhow::Result<()> {
        let told = load(ground, "halved.csv", &table::halved()).await?;
        self.is_held = Some(told["outcome"] == "held");
        Ok(())
    }

    /// No more carts.
    pub async fn rest(&mut self) {
        if let Some(asking) = self.asking.take() {
            asking.abort();
            let _ = asking.await;
        }
    }

    /// What the answers came to, and what became of each order.
    pub async fn ledger(&self, ground: &Ground) -> anyhow::Result<PricesLedger> {
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let status = ground.see("prices").await?;
        let mut ledger = PricesLedger {
            prices: status["prices"].as_u64().unwrap_or_default(),
            is_held: self.is_held,
            ..PricesLedger::default()
        };
        let night_version = self.night.map_or(u64::MAX, |(version, ..)| version);
        ledger.carts(heard, night_version, self.promotion_at);
        let night = self.night.map_or((Timestamp::MAX, Timestamp::MAX), |(_, from, until)| (from, until));
        ledger.orders(ground, self.first_at, night, self.promotion_at).await?;
        Ok(ledger)
    }
}

/// Until the hub has said what became of it.
async fn load(ground: &Ground, name: &str, rows: &str) -> anyhow::Result<Value> {
    let path = ground.folder.join(name);
    std::fs::write(&path, rows).with_context(|| format!("{} cannot be written", path.display()))?;
    let asked = json!({ "file": path, "who": "demo", "why": name });
    let mut last = None;
    for _ in 0..100 {
        match ground.ask("prices/loads", &asked).await {
            Ok(told) => return Ok(told),
            Err(error) => last = Some(error),
        }
        super::pause(Duration::from_millis(200)).await;
    }
    Err(last.unwrap_or_else(|| anyhow::anyhow!("{name} was not loaded")))
}

fn configure(folder: &Path, erp: &ErpTwin) -> anyhow::Result<()> {
    let path = folder.join("tidegate.toml");
    let text = std::fs::read_to_string(&path)?;
    std::fs::write(&path, text + &OWN.replace("ERP_URL", &erp.url()))?;
    std::fs::write(folder.join("mappings/orders_to_prices.toml"), MAPPING)?;
    let path = folder.join("secrets/storefront.prices");
    let mut file =
        std::fs::OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&path)?;
    std::io::Write::write_all(&mut file, TOKEN.as_bytes())
        .with_context(|| format!("{} cannot be written", path.display()))
}
