//! What a play needs: a shop, a back office, a hub as a process of its own, and a folder. Also the torture's stage.

use super::config::{self, Addresses, FLOW, SHOP, SHOP_DOMAIN};
use super::hub_process::HubProcess;
use super::play::Played;
use super::report::Teller;
use anyhow::{Context as _, bail};
use jiff::Timestamp;
use serde_json::Value;
use std::path::PathBuf;
use std::time::Duration;
use twin::erp::{ErpConfig, ErpTwin, Knobs};
use twin::shopify::{Mischief, Plan, ShopClock, ShopConfig, ShopifyTwin};

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
}

#[derive(Debug)]
pub struct Stage {
    pub folder: PathBuf,
    pub shop: ShopifyTwin,
    pub erp: ErpTwin,
    pub hub: HubProcess,
    pub began: Timestamp,
    client: reqwest::Client,
    admin_token: String,
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

impl Stage {
    /// Everything but the hub's start.
    pub async fn set(options: StageOptions) -> anyhow::Result<Self> {
        let began = now();
        let folder = match options.dir {
            Some(dir) => dir,
            None => std::env::temp_dir().join(format!(
                "tidegate-demo-{}-{}",
                std::process::id(),
                began.as_millisecond()
            )),
        };
        std::fs::create_dir_all(&folder).with_context(|| format!("{} cannot be made", folder.display()))?;
        if folder.join("tidegate.toml").exists() {
            bail!("{} holds a hub already: name a new folder", folder.display());
        }
        let folder = folder.canonicalize()?;
        let mut shop = ShopConfig::new(SHOP_DOMAIN);
        shop.access_token = ACCESS_TOKEN.to_owned();
        shop.client_secret = CLIENT_SECRET.to_owned();
        shop.plan = Plan::Plus;
        shop.clock = ShopClock::real(COMPRESSION);
        shop.mischief = if options.mischief { mischief(options.seed) } else { Mischief::default() };
        let shop = ShopifyTwin::start(shop).await?;
        let erp = ErpTwin::start(ErpConfig {
            seed: options.seed,
            ledger_file: Some(folder.join("erp-ledger.ndjson")),
            knobs: knobs(options.by_look_up),
            ..ErpConfig::default()
        })
        .await?;
        let url = free_address().await?;
        let at = Addresses {
            hub: &url,
            shop: shop.url(),
            erp: &erp.url(),
            access_token: ACCESS_TOKEN,
            client_secret: CLIENT_SECRET,
            erp_token: erp.token(),
        };
        config::write(&folder, &at, began, options.by_look_up)?;
        let hub = HubProcess::new(&folder.join("tidegate.toml"), &folder.join("hub.log"), &url)?;
        let admin_token = std::fs::read_to_string(folder.join("secrets/admin.token"))?.trim().to_owned();
        let client = reqwest::Client::builder().timeout(Duration::from_secs(120)).build()?;
        Ok(Self { folder, shop, erp, hub, began, client, admin_token })
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
        self.folder.join("hub.log")
    }

    pub fn token_file(&self) -> PathBuf {
        self.folder.join("secrets/admin.token")
    }

    /// What the hub says of itself; for waiting and for reasons, never for counts.
    pub async fn status(&self) -> anyhow::Result<Value> {
        let answer = self.client.get(self.at("status")).bearer_auth(&self.admin_token).send().await?;
        Ok(answer.error_for_status()?.json().await?)
    }

    /// Open dead letters, as the hub counts them.
    pub async fn dead_letters(&self) -> anyhow::Result<u64> {
        let status = self.status().await?;
        let groups = status["dead_letters"].as_array().context("the status has no dead letters")?;
        Ok(groups.iter().filter_map(|group| group["count"].as_u64()).sum())
    }

    /// Why each order is not at the target, by `prove`: one account for each.
    pub async fn accounts(&self) -> anyhow::Result<Vec<Value>> {
        let mut accounts = Vec::new();
        for day in self.days() {
            let asked = serde_json::json!({ "flow": FLOW, "shop": SHOP, "day": day });
            let request = self.client.post(self.at("prove")).bearer_auth(&self.admin_token).json(&asked);
            let text = request.send().await?.error_for_status()?.text().await?;
            let last = text.lines().last().context("prove answered with nothing")?;
            let last: Value = serde_json::from_str(last)?;
            if let Some(error) = last.get("error") {
                bail!("prove failed: {error}");
            }
            let list = last["result"]["accounts"].as_array().context("prove gave no accounts")?;
            accounts.extend(list.iter().cloned());
        }
        Ok(accounts)
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

    /// Until every order that can be exported is, and nothing is due; or until the time is over, which the ledger will
    /// show.
    pub async fn caught_up(&self, played: &Played, within: Duration, teller: Option<&Teller>) {
        let caught_up = async {
            let mut quiet = 0;
            while quiet < 2 {
                pause(Duration::from_millis(500)).await;
                let missing = played.missing(self);
                let busy = self.status().await.map_or(true, |status| is_busy(&status));
                quiet = if missing == 0 && !busy && self.shop.webhook_counts().borrow().open == 0 {
                    quiet + 1
                } else {
                    0
                };
                if let Some(teller) = teller {
                    teller.missing(missing);
                }
            }
        };
        // What is then still missing stands in the ledger as lost.
        let _ = tokio::time::timeout(within, caught_up).await;
    }

    /// Ends everything; the folder stays where somebody may want to look into it.
    pub async fn strike(mut self, keep_folder: bool) -> anyhow::Result<()> {
        self.hub.stop().await?;
        self.shop.shutdown().await?;
        self.erp.stop();
        if !keep_folder {
            std::fs::remove_dir_all(&self.folder)?;
        }
        Ok(())
    }

    /// Adds an item to the back office, as a person would.
    pub async fn add_item(&self, sku: &str) -> anyhow::Result<()> {
        let item = serde_json::json!({ "sku": sku, "description": format!("{sku}, new in the range") });
        let request = self.client.post(format!("{}/items", self.erp.url())).bearer_auth(self.erp.token());
        request.json(&item).send().await?.error_for_status()?;
        Ok(())
    }
}

/// Whether the hub has work that is due, without an answer, or not routed.
fn is_busy(status: &Value) -> bool {
    let count = |value: &Value| value.as_u64().unwrap_or(1);
    let systems = status["systems"].as_array().map(Vec::as_slice).unwrap_or_default();
    count(&status["log"]["unrouted"]) > 0
        || count(&status["in_work"]) > 0
        || systems.iter().any(|system| count(&system["due"]) + count(&system["unknown"]) > 0)
}

/// A port that is free now; nobody else on this machine is expected to take it within the second.
async fn free_address() -> anyhow::Result<String> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    Ok(format!("http://{}", listener.local_addr()?))
}

fn knobs(by_look_up: bool) -> Knobs {
    let healthy = Knobs { page_size: 50, ..Knobs::default() };
    if by_look_up { Knobs { idempotency_lifetime_ms: None, ..healthy } } else { healthy }
}

/// Times are the shop's: a minute of them is a second.
fn mischief(seed: u64) -> Mischief {
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
    use super::is_busy;
    use serde_json::json;

    #[test]
    fn what_cannot_be_read_counts_as_busy() {
        assert!(is_busy(&json!({})));
        let quiet =
            json!({ "log": { "unrouted": 0 }, "in_work": 0, "systems": [{ "due": 0, "unknown": 0 }] });
        assert!(!is_busy(&quiet));
        let due = json!({ "log": { "unrouted": 0 }, "in_work": 0, "systems": [{ "due": 1, "unknown": 0 }] });
        assert!(is_busy(&due));
    }
}
