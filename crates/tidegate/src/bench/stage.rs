//! Where a measurement takes place: a folder, a hub as a process of its own on a configuration like any other, a shop
//! without orders for it to subscribe at, and what stands in for its targets.

use super::orders::Orders;
use crate::demo::{HubProcess, pause};
use anyhow::Context as _;
use config::{ErpKind, InitOptions, starting_configuration};
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;
use twin::shopify::{ShopConfig, ShopifyTwin};

pub const SHOP_DOMAIN: &str = "acme.myshopify.com";
pub const CLIENT_SECRET: &str = "bench-client-secret";
const ACCESS_TOKEN: &str = "shpat_bench";
const ORDERS: &str = include_str!("../../../../mappings/orders_to_http_erp.toml");
const NUMBER_BACK: &str = include_str!("../../../../mappings/erp_number_to_shopify.toml");

/// Requests in flight to a target at once.
pub const CONCURRENCY: u32 = 16;

/// A hub in a folder of its own.
#[derive(Debug)]
pub struct Stage {
    pub folder: PathBuf,
    pub hub: HubProcess,
    pub address: SocketAddr,
    pub shop: ShopifyTwin,
}

/// What the hub delivers to.
#[derive(Debug, Clone, Copy)]
pub struct Targets<'a> {
    pub erp: &'a str,
    /// A second system that gets every order as well.
    pub beside: Option<&'a str>,
}

impl Stage {
    /// Everything but the hub's start.
    pub async fn set(parent: &Path, name: &str, targets: Targets<'_>) -> anyhow::Result<Self> {
        Self::set_at(parent, name, targets, ShopConfig::new(SHOP_DOMAIN)).await
    }

    /// The same, at such a shop.
    pub async fn set_at(
        parent: &Path,
        name: &str,
        targets: Targets<'_>,
        mut shop: ShopConfig,
    ) -> anyhow::Result<Self> {
        let folder = parent.join(name);
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).with_context(|| format!("{} cannot be made", folder.display()))?;
        shop.access_token = ACCESS_TOKEN.to_owned();
        shop.client_secret = CLIENT_SECRET.to_owned();
        let shop = ShopifyTwin::start(shop).await?;
        let address = free_address().await?;
        write(&folder, address, shop.url(), targets)?;
        let url = format!("http://{address}");
        let hub = HubProcess::new(&folder.join("tidegate.toml"), &folder.join("hub.log"), &url)?;
        Ok(Self { folder, hub, address, shop })
    }

    pub fn pid(&self) -> u32 {
        self.hub.pid().unwrap_or_default()
    }

    /// Names a PostgreSQL as its store, before the first start.
    pub fn keep_in(&self, url: &str) -> anyhow::Result<()> {
        let (config, secret) = (self.folder.join("tidegate.toml"), self.folder.join("secrets/postgres.url"));
        let mut options = std::fs::OpenOptions::new();
        let mut opened = options.create(true).truncate(true).write(true).mode(0o600).open(&secret)?;
        std::io::Write::write_all(&mut opened, format!("{url}?sslmode=disable").as_bytes())?;
        let text = std::fs::read_to_string(&config)?;
        std::fs::write(&config, format!("{text}\n[store]\nurl = \"file:secrets/postgres.url\"\n"))?;
        Ok(())
    }

    /// Open dead letters, as the hub itself says.
    pub async fn dead_letters(&self) -> anyhow::Result<u64> {
        let token = std::fs::read_to_string(self.folder.join("secrets/admin.token"))?;
        let client = reqwest::Client::builder().timeout(Duration::from_secs(30)).build()?;
        let ask = client.get(format!("{}/admin/v1/dead-letters", self.hub.url())).bearer_auth(token.trim());
        let answer: serde_json::Value = ask.send().await?.error_for_status()?.json().await?;
        let groups = answer["groups"].as_array().context("the hub lists no dead letters")?;
        Ok(groups.iter().filter_map(|group| group["count"].as_u64()).sum())
    }

    /// Bytes of the data directory.
    pub fn data_bytes(&self) -> u64 {
        let files = std::fs::read_dir(self.folder.join("data")).into_iter().flatten().flatten();
        files.filter_map(|file| file.metadata().ok()).map(|file| file.len()).sum()
    }

    /// Ends the hub and removes its folder.
    pub async fn strike(mut self) -> anyhow::Result<()> {
        self.hub.stop().await?;
        self.shop.shutdown().await?;
        std::fs::remove_dir_all(&self.folder)?;
        Ok(())
    }
}

/// Orders that this stage's hub takes.
pub fn orders() -> anyhow::Result<Orders> {
    Orders::new(SHOP_DOMAIN, CLIENT_SECRET, crate::demo::now())
}

/// A port that is free now; nobody else on this machine is expected to take it within the second.
pub async fn free_address() -> anyhow::Result<SocketAddr> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    Ok(listener.local_addr()?)
}

/// Looks every few milliseconds until it holds; false when the time is over.
pub async fn until(within: Duration, mut holds: impl FnMut() -> bool) -> bool {
    let look = async {
        while !holds() {
            pause(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(within, look).await.is_ok()
}

fn write(folder: &Path, hub: SocketAddr, shop: &str, targets: Targets<'_>) -> anyhow::Result<()> {
    let mut random = |bytes: &mut [u8]| {
        // Keys of a bench guard a bench's data; without randomness there is no bench.
        let filled = getrandom::fill(bytes);
        assert!(filled.is_ok(), "the system gives no random bytes");
    };
    // Orders may be a little older than the hub.
    let go_live = go_live()?;
    let files = starting_configuration(InitOptions {
        shop_domain: SHOP_DOMAIN,
        erp: ErpKind::Http,
        erp_url: Some(targets.erp),
        time_zone: Some("UTC"),
        now: go_live,
        random: &mut random,
        twin: true,
        access_token: Some(SecretString::from(ACCESS_TOKEN)),
        client_secret: Some(SecretString::from(CLIENT_SECRET)),
        erp_secret: Some(SecretString::from("bench-erp-token")),
        mappings: vec![
            ("orders_to_erp.toml".to_owned(), ORDERS.to_owned()),
            ("erp_to_shopify.toml".to_owned(), NUMBER_BACK.to_owned()),
        ],
    })?;
    for file in files {
        let path = folder.join(&file.path);
        std::fs::create_dir_all(path.parent().context("a file has a folder")?)?;
        let contents = if file.path.ends_with("tidegate.toml") {
            adapted(&file.contents, hub, shop, targets)?
        } else {
            file.contents
        };
        let mut options = std::fs::OpenOptions::new();
        let mut opened = options.create(true).truncate(true).write(true).mode(file.mode).open(&path)?;
        std::io::Write::write_all(&mut opened, contents.as_bytes())
            .with_context(|| format!("{} cannot be written", path.display()))?;
    }
    Ok(())
}

fn go_live() -> anyhow::Result<Timestamp> {
    Ok(crate::demo::now().checked_sub(SignedDuration::from_secs(3600))?)
}

/// Each replacement has to find its place: a starting configuration that was reworded is not passed over in silence.
fn adapted(text: &str, hub: SocketAddr, shop: &str, targets: Targets<'_>) -> anyhow::Result<String> {
    let replacements = [
        (
            "listen = \"127.0.0.1:8080\"",
            format!("listen = \"{hub}\"\nlog_format = \"text\"\nlog_level = \"warn\""),
        ),
        ("public_url = \"http://127.0.0.1:8080\"", format!("public_url = \"http://{hub}\"")),
        ("admin_url = \"http://127.0.0.1:9001\"", format!("admin_url = \"{shop}\"")),
        ("request_timeout = \"20s\"", format!("concurrency = {CONCURRENCY}\nrequest_timeout = \"20s\"")),
        // The shop here knows none of the orders: what would be written back to it has nowhere to go.
        ("target = \"shopify\"\n", "target = \"shopify\"\nmode = \"off\"\n".to_owned()),
    ];
    let mut text = text.to_owned();
    for (from, to) in replacements {
        anyhow::ensure!(text.contains(from), "the starting configuration has no line {from:?}");
        text = text.replacen(from, &to, 1);
    }
    if let Some(beside) = targets.beside {
        text.push_str(&second(&text, targets.erp, beside)?);
    }
    Ok(text)
}

/// The sections of a second system and of its flow: the first one's, under other names.
fn second(text: &str, erp: &str, beside: &str) -> anyhow::Result<String> {
    let section = |from: &str, to: Option<&str>| {
        let begin = text.find(from).with_context(|| format!("the starting configuration has no {from}"))?;
        let end = to.and_then(|to| text[begin..].find(to)).map_or(text.len(), |at| begin + at);
        anyhow::Ok(text[begin..end].to_owned())
    };
    let system = section("[systems.erp]", Some("\n[ownership"))?;
    let flow = section("[flows.orders_to_erp]", Some("[flows.erp_number_back]"))?;
    let system =
        system.replace("[systems.erp", "[systems.oms").replace(erp, beside).replacen("\"erp\"", "\"oms\"", 1);
    let flow =
        flow.replace("orders_to_erp]", "orders_to_oms]").replace("target = \"erp\"", "target = \"oms\"");
    Ok(format!("\n{system}\n{flow}"))
}
