//! What a play needs: a shop, a back office, a hub as a process of its own, and a folder. Also the torture's stage.

use super::config::{self, Addresses, FLOW, Office, SHOP, SHOP_DOMAIN};
use super::counter::{self, Counter};
use super::database::Database;
use super::hub_process::HubProcess;
use super::hubs::Hubs;
use super::play::Played;
use super::report::Teller;
use super::warehouse::{self, Warehouse};
use anyhow::{Context as _, bail};
use jiff::Timestamp;
use reqwest::StatusCode;
use serde_json::Value;
use std::path::PathBuf;
use std::time::Duration;
use twin::erp::{ErpConfig, ErpTwin, Knobs};
use twin::shopify::{Mischief, Plan, ShopClock, ShopConfig, ShopifyTwin, StockConfig};

/// An hour between two of Shopify's retries is a minute here.
const COMPRESSION: u32 = 60;
const ACCESS_TOKEN: &str = "shpat_demo";
const CLIENT_SECRET: &str = "demo-client-secret";

#[derive(Debug, Clone)]
pub struct StageOptions {
    pub dir: Option<PathBuf>,
    pub seed: u64,
    /// Whether webhooks are doubled, reordered, held and dropped.
    pub mischief: bool,
    /// The ERP ignores idempotency keys, and the configuration says so: what is unknown is looked up.
    pub by_look_up: bool,
    /// Several nodes of one PostgreSQL in place of one process with its own store.
    pub nodes: Option<Nodes>,
    /// Of SKU and location that the shop has, about; never fewer than its catalogue's.
    pub pairs: u32,
}

/// How many nodes, and where the PostgreSQL is.
#[derive(Debug, Clone)]
pub struct Nodes {
    pub count: u32,
    pub server: Option<String>,
}

/// Everything but the back office: a folder, a shop, a hub that can be killed.
#[derive(Debug)]
pub struct Ground {
    pub folder: PathBuf,
    pub shop: ShopifyTwin,
    pub hub: Hubs,
    /// Where several nodes have their store.
    pub database: Option<Database>,
    began: Timestamp,
    client: reqwest::Client,
    admin_token: String,
}

/// The ground with the look-alike of a back office.
#[derive(Debug)]
pub struct Stage {
    pub ground: Ground,
    pub erp: ErpTwin,
    /// Whose stock the shop sells; the torture has none.
    pub warehouse: Option<Warehouse>,
    /// Where carts ask for prices.
    pub counter: Option<Counter>,
}

/// Lets real time pass.
#[expect(clippy::disallowed_methods, reason = "a play happens in real time")]
pub async fn pause(for_: Duration) {
    tokio::time::sleep(for_).await;
}

#[expect(clippy::disallowed_methods, reason = "a play happens in real time")]
pub fn now() -> Timestamp {
    Timestamp::now()
}

/// A folder for a hub: the one that was named, which must hold none, or a new one.
pub fn new_folder(named: Option<PathBuf>) -> anyhow::Result<PathBuf> {
    let name = || format!("tidegate-demo-{}-{}", std::process::id(), now().as_millisecond());
    let folder = named.unwrap_or_else(|| std::env::temp_dir().join(name()));
    std::fs::create_dir_all(&folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    if folder.join("tidegate.toml").exists() {
        bail!("{} holds a hub already: name a new folder", folder.display());
    }
    Ok(folder.canonicalize()?)
}

impl Ground {
    /// Everything but the hub's start.
    pub async fn lay(
        folder: PathBuf,
        seed: u64,
        mischievous: bool,
        office: &Office<'_>,
        nodes: Option<&Nodes>,
        plan: Plan,
        shelves: StockConfig,
    ) -> anyhow::Result<Self> {
        let database = match nodes {
            Some(nodes) => Some(Database::new(nodes.server.as_deref()).await?),
            None => None,
        };
        let began = now();
        let mut shop = ShopConfig::new(SHOP_DOMAIN);
        shop.access_token = ACCESS_TOKEN.to_owned();
        shop.client_secret = CLIENT_SECRET.to_owned();
        shop.plan = plan;
        shop.clock = ShopClock::real(COMPRESSION);
        shop.stock = shelves;
        shop.mischief = if mischievous { mischief(seed) } else { Mischief::default() };
        let shop = ShopifyTwin::start(shop).await?;
        let url = free_address().await?;
        let at = Addresses {
            hub: &url,
            shop: shop.url(),
            access_token: ACCESS_TOKEN,
            client_secret: CLIENT_SECRET,
            plan,
        };
        config::write(&folder, &at, office, database.as_ref().map(Database::url).as_deref(), began)?;
        let hub = match nodes {
            Some(nodes) => Hubs::several(nodes.count, &folder, &url).await?,
            None => Hubs::one(HubProcess::new(&folder.join("tidegate.toml"), &folder.join("hub.log"), &url)?),
        };
        let admin_token = std::fs::read_to_string(folder.join("secrets/admin.token"))?.trim().to_owned();
        let client = reqwest::Client::builder().timeout(Duration::from_secs(600)).build()?;
        Ok(Self { folder, shop, hub, database, began, client, admin_token })
    }

    /// Waits until the hub has subscribed to what it needs.
    pub async fn subscribed(&self) -> anyhow::Result<()> {
        let wait = async {
            while self.shop.stats().subscriptions < 3 {
                pause(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), wait)
            .await
            .with_context(|| format!("the hub made no webhook subscriptions: see {}", self.log().display()))
    }

    pub fn log(&self) -> PathBuf {
        self.folder.join(if self.database.is_some() { "hub-1.log" } else { "hub.log" })
    }

    pub fn token_file(&self) -> PathBuf {
        self.folder.join("secrets/admin.token")
    }

    /// What the hub says of itself; for waiting and for reasons, never for counts.
    pub async fn status(&self) -> anyhow::Result<Value> {
        self.status_of(self.hub.url()).await
    }

    async fn status_of(&self, hub: &str) -> anyhow::Result<Value> {
        let asked = self.client.get(format!("{hub}/admin/v1/status")).bearer_auth(&self.admin_token);
        Ok(asked.send().await?.error_for_status()?.json().await?)
    }

    /// Open dead letters, as the hub counts them, but for orders that do not reserve and such as were charged otherwise than
    /// agreed.
    pub async fn dead_letters(&self) -> anyhow::Result<u64> {
        self.letters(|flow| flow != warehouse::FLOW && flow != counter::FLOW).await
    }

    /// Open dead letters of orders that do not reserve.
    pub async fn unreserved(&self) -> anyhow::Result<u64> {
        self.letters(|flow| flow == warehouse::FLOW).await
    }

    /// Open dead letters of these flows.
    pub async fn letters(&self, counts: impl Fn(&Value) -> bool) -> anyhow::Result<u64> {
        let status = self.status().await?;
        let groups = status["dead_letters"].as_array().context("the status has no dead letters")?;
        let own = groups.iter().filter(|group| counts(&group["flow"]));
        Ok(own.filter_map(|group| group["count"].as_u64()).sum())
    }

    /// Something of the admin API that is read.
    pub async fn see(&self, what: &str) -> anyhow::Result<Value> {
        let asked = self.client.get(self.at(what)).bearer_auth(&self.admin_token);
        Ok(asked.send().await?.error_for_status()?.json().await?)
    }

    /// Something of the admin API that is done; of work that tells how far it is, what it came to.
    pub async fn ask(&self, what: &str, asked: &Value) -> anyhow::Result<Value> {
        let request = self.client.post(self.at(what)).bearer_auth(&self.admin_token).json(asked);
        let answer = request.send().await?;
        let (status, text) = (answer.status(), answer.text().await?);
        if !status.is_success() {
            bail!("{what}: {status}: {text}");
        }
        let last: Value = serde_json::from_str(text.trim().lines().last().unwrap_or_default())
            .with_context(|| format!("{what} answered with {text:?}"))?;
        if let Some(error) = last.get("error") {
            bail!("{what} failed: {error}");
        }
        Ok(last.get("result").cloned().unwrap_or(last))
    }

    /// What `prove` says of each day of the play: one account for each order, and what both sides come to.
    pub async fn proofs(&self) -> anyhow::Result<Vec<Value>> {
        let mut proofs = Vec::new();
        for day in self.days() {
            let asked = serde_json::json!({ "flow": FLOW, "shop": SHOP, "day": day });
            proofs.push(self.ask("prove", &asked).await?);
        }
        Ok(proofs)
    }

    /// The days that the play touched, in the shop's zone.
    fn days(&self) -> Vec<String> {
        let day = |at: Timestamp| at.to_zoned(jiff::tz::TimeZone::UTC).date();
        let (first, last) = (day(self.began), day(now()));
        first
            .series(jiff::Span::new().days(1))
            .take_while(|date| *date <= last)
            .map(|date| date.to_string())
            .collect()
    }

    fn at(&self, what: &str) -> String {
        format!("{}/admin/v1/{what}", self.hub.url())
    }

    /// Until nothing is missing, nothing is due and no webhook is on its way; or until nothing has moved for so long,
    /// which the ledger will show as lost.
    pub async fn caught_up(&self, patience: Duration, missing: impl AsyncFn() -> usize) {
        let (mut quiet, mut least, mut moved_at) = (0, (usize::MAX, u64::MAX), now());
        while quiet < 2 && now() < kernel::clock::after(moved_at, patience) {
            pause(Duration::from_millis(500)).await;
            let (missing, open) = (missing().await, self.open_work().await);
            let on_its_way = self.shop.webhook_counts().borrow().open;
            let still = missing == 0 && open == 0 && on_its_way == 0;
            quiet = if still { quiet + 1 } else { 0 };
            if (missing, open) < least {
                (least, moved_at) = ((missing, open), now());
            }
        }
    }

    /// What is due, without an answer, or not routed; a hub that cannot be asked has some. Each node knows what it has in
    /// work itself.
    async fn open_work(&self) -> u64 {
        let mut all: u64 = 0;
        for hub in self.hub.urls() {
            let of_node = self.status_of(hub).await.map_or(u64::MAX, |status| open_work(&status));
            all = all.saturating_add(of_node);
        }
        all
    }

    /// Ends everything; the folder stays where somebody may want to look into it.
    pub async fn strike(mut self, keep_folder: bool) -> anyhow::Result<()> {
        self.hub.stop().await?;
        self.shop.shutdown().await?;
        if let Some(database) = self.database.filter(|_| !keep_folder) {
            database.drop().await?;
        }
        if !keep_folder {
            std::fs::remove_dir_all(&self.folder)?;
        }
        Ok(())
    }
}

impl Stage {
    pub async fn set(options: StageOptions) -> anyhow::Result<Self> {
        let folder = new_folder(options.dir)?;
        let erp = ErpTwin::start(ErpConfig {
            seed: options.seed,
            ledger_file: Some(folder.join("erp-ledger.ndjson")),
            knobs: knobs(options.by_look_up),
            ..ErpConfig::default()
        })
        .await?;
        let url = erp.url();
        let office = Office::Rest { url: &url, token: erp.token(), by_look_up: options.by_look_up };
        let generated = warehouse::generated(options.pairs);
        let shelves = StockConfig { generated, ..StockConfig::default() };
        let ground = Ground::lay(
            folder,
            options.seed,
            options.mischief,
            &office,
            options.nodes.as_ref(),
            Plan::Plus,
            shelves,
        )
        .await?;
        Ok(Self { ground, erp, warehouse: None, counter: None })
    }

    /// Until every order that can be exported is in the books, as it stands in the shop.
    pub async fn caught_up(&self, played: &Played, patience: Duration, teller: Option<&Teller>) {
        let missing = async || {
            let sales = self.erp.sales();
            let there = sales.iter().map(|sale| sale.content.reference.clone()).collect();
            let missing = played.missing(&self.ground.shop, &there)
                + Played::behind(&self.ground.shop.orders(), &sales);
            if let Some(teller) = teller {
                teller.missing(missing);
            }
            missing
        };
        self.ground.caught_up(patience, missing).await;
    }

    pub async fn strike(self, keep_folder: bool) -> anyhow::Result<()> {
        self.ground.strike(keep_folder).await?;
        self.erp.stop();
        Ok(())
    }

    /// Adds an item to the back office, as a person would.
    pub async fn add_item(&self, sku: &str) -> anyhow::Result<()> {
        add_item(&self.ground.client, &self.erp, sku).await
    }
}

/// One that is there already is well: an earlier request was carried out, and was not answered so.
async fn add_item(client: &reqwest::Client, erp: &ErpTwin, sku: &str) -> anyhow::Result<()> {
    let item = serde_json::json!({ "sku": sku, "description": format!("{sku}, new in the range") });
    let request = client.post(format!("{}/items", erp.url())).bearer_auth(erp.token());
    let answer = request.json(&item).send().await?;
    if answer.status() != StatusCode::CONFLICT {
        answer.error_for_status()?;
    }
    Ok(())
}

/// Work that the hub has now; what cannot be read counts as some.
pub(super) fn open_work(status: &Value) -> u64 {
    let count = |value: &Value| value.as_u64().unwrap_or(1);
    let systems = status["systems"].as_array().map(Vec::as_slice).unwrap_or_default();
    let of_systems: u64 =
        systems.iter().map(|system| count(&system["due"]) + count(&system["unknown"])).sum();
    count(&status["log"]["unrouted"]) + count(&status["in_work"]) + of_systems
}

/// A port that is free now; nobody else on this machine is expected to take it within the second.
pub async fn free_address() -> anyhow::Result<String> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    Ok(format!("http://{}", listener.local_addr()?))
}

fn knobs(by_look_up: bool) -> Knobs {
    let healthy = Knobs { page_size: 50, ..Knobs::default() };
    if by_look_up { Knobs { idempotency_lifetime_ms: None, ..healthy } } else { healthy }
}

/// Times are the shop's: a minute of them is a second.
pub(super) fn mischief(seed: u64) -> Mischief {
    Mischief {
        seed,
        duplicate_per_mille: 100,
        copies_per_mille: 50,
        copies: 5,
        delay_per_mille: 150,
        delay_max: Duration::from_secs(120),
        never_sent_per_mille: 20,
        swap_per_mille: 50,
        stale_per_mille: 30,
        stale_after: Duration::from_secs(600),
    }
}

#[cfg(test)]
mod tests {
    use super::{add_item, open_work};
    use serde_json::json;
    use twin::erp::{ErpConfig, ErpTwin};

    #[tokio::test]
    async fn an_item_that_was_added_without_an_answer_is_there() {
        let (erp, client) = (ErpTwin::start(ErpConfig::default()).await.unwrap(), reqwest::Client::new());
        erp.turn(|knobs| (knobs.error_per_mille, knobs.error_applied_per_mille) = (1000, 1000));
        add_item(&client, &erp, "SKU-9001").await.unwrap_err();
        erp.turn(|knobs| knobs.error_per_mille = 0);
        add_item(&client, &erp, "SKU-9001").await.unwrap();
        erp.stop();
    }

    #[test]
    fn what_cannot_be_read_counts_as_work() {
        assert!(open_work(&json!({})) > 0);
        let quiet =
            json!({ "log": { "unrouted": 0 }, "in_work": 0, "systems": [{ "due": 0, "unknown": 0 }] });
        assert_eq!(open_work(&quiet), 0);
        let due = json!({ "log": { "unrouted": 0 }, "in_work": 0, "systems": [{ "due": 2, "unknown": 1 }] });
        assert_eq!(open_work(&due), 3);
    }
}
