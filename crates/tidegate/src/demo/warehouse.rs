//! The play's warehouse: it owns the stock, sells through other channels too, and reserves the shop's orders by a second
//! flow. Its books are the truth that the shop's quantities are compared with, pair by pair.

use super::report::Teller;
use super::stage::{Ground, pause};
use anyhow::Context as _;
use serde::Serialize;
use serde_json::json;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use twin::shop::catalogue::{ITEMS, WAREHOUSES};
use twin::shopify::ShopifyTwin;
use twin::wms::{Knobs, PushTarget, TruthRow, WmsConfig, WmsTwin};

pub const FLOW: &str = "orders_to_wms";
const SECRET: &str = "demo-push-secret";
const STOCK: &str = include_str!("../../../../mappings/stock_to_shopify.toml");
const RESERVE: &str = include_str!("../../../../mappings/orders_to_wms.toml");
/// Movements that are not the shop's, in each beat.
const MOVES: u32 = 2;
const BEAT: Duration = Duration::from_millis(100);
/// How many agree, while it is waited for.
const TOLD_EVERY: Duration = Duration::from_secs(10);

/// As docs/inventory.md shows it, with the play's shorter waits.
const STOCK_FLOW: &str = include_str!("../../stock_flow.toml");
/// What is its own.
const OWN: &str = r#"
[systems.wms.connection]
url = "WMS_URL"
token = "file:secrets/wms.token"

[flows.stock_to_shopify.sweep]
every = "5s"

[systems.wms_orders]
role = "wms"
connector = "http"
request_timeout = "2s"
lease = "10s"
settle_after = "3s"

[systems.wms_orders.connection]
url = "WMS_URL"
auth = { kind = "bearer", token = "file:secrets/wms.token" }
idempotency = { header = "Idempotency-Key", lifetime = "24h" }
health = "/health"
look_up = { path = "/orders/{object_key}" }
object = { id = "/order", state = "/state", reference = "/order" }
states = { cancelled = ["cancelled"], finished = ["shipped"] }
create = { path = "/orders" }
amend = { method = "PUT", path = "/orders/{id}" }
cancel = { path = "/orders/{id}/cancel" }
faults = { code = "/error/code", message = "/error/message", statuses = { 503 = "transient" } }

[systems.wms_orders.retry]
first = "200ms"
longest = "4s"

[flows.orders_to_wms]
domain = "orders"
source = "shopify"
target = "wms_orders"
mapping = "mappings/orders_to_wms.toml"
mode = "live"
go_live_at = "2026-01-01T00:00:00Z"
confirm_when = "never"
sweep = { every = "5s", overlap = "20s" }
"#;

/// What the shop's quantities come to beside the warehouse's truth.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct StockLedger {
    pub pairs: u64,
    /// The shop does not sell what the warehouse has to sell, less what it has not counted.
    pub differing: u64,
    /// Units that were sold and that nobody has: in the shop or at the warehouse.
    pub oversold: u64,
    /// Orders that the warehouse reserved, and of these such as it was asked for again.
    pub reserved: u64,
    pub asked_again: u64,
    /// Dead letters of orders that did not reserve; and those of them that no unknown item explains.
    pub unreserved: u64,
    pub stray_dead_letters: u64,
    /// Changes of a pair that it made; those that it told nobody of, and those that not even its list of changes has.
    pub changes: u64,
    pub untold: u64,
    pub unlisted: u64,
    /// Pairs that the full check found to differ and took up again.
    pub found: u64,
    /// Up to ten pairs, each with both sides.
    #[serde(skip)]
    pub named: Vec<String>,
}

impl StockLedger {
    pub fn holds(&self) -> bool {
        self.pairs > 0 && self.differing == 0 && self.oversold == 0 && self.stray_dead_letters == 0
    }
}

#[derive(Debug)]
pub struct Warehouse {
    wms: Arc<WmsTwin>,
    moving: Option<JoinHandle<()>>,
    found: u64,
}

/// So many SKUs beside the catalogue's, which no order has, that there are about so many pairs of SKU and location.
pub fn generated(pairs: u32) -> u32 {
    #[expect(clippy::cast_possible_truncation, reason = "twenty, and two")]
    let (items, places) = (ITEMS.len() as u32, WAREHOUSES.len() as u32);
    (pairs / places).saturating_sub(items)
}

impl Warehouse {
    /// Opens it and tells the hub's configuration of it; before the hub starts.
    pub async fn open(ground: &Ground, seed: u64, orders: u64, pairs: u32) -> anyhow::Result<Self> {
        // Full shelves: what is sold twice here was sold by a wrong number.
        let least = 20_000.max(orders * 50);
        let (generated, on_hand) = (generated(pairs), (least, least * 2));
        let config = WmsConfig { seed, generated, on_hand, ..WmsConfig::default() };
        let wms = WmsTwin::start(config).await?;
        configure(&ground.folder, &wms)?;
        wms.push_to(Some(PushTarget {
            url: format!("{}/ingest/wms/inventory", ground.hub.url()),
            secret: SECRET.to_owned(),
            shop: super::config::SHOP.to_owned(),
        }));
        Ok(Self { wms: Arc::new(wms), moving: None, found: 0 })
    }

    /// Its everyday: goods come and go, and pushes are lost, doubled and overtaken.
    pub fn everyday(&mut self) {
        self.wms.turn(|knobs| {
            *knobs = Knobs {
                drop_per_mille: 20,
                duplicate_per_mille: 50,
                reorder_per_mille: 50,
                error_per_mille: 10,
                error_after_per_mille: 20,
                ..Knobs::default()
            }
        });
        let wms = self.wms.clone();
        self.moving.get_or_insert_with(|| {
            tokio::spawn(async move {
                loop {
                    wms.stir(MOVES);
                    pause(BEAT).await;
                }
            })
        });
    }

    /// It tells nobody of anything, and goes on.
    pub fn mute(&self) {
        self.wms.turn(|knobs| knobs.mute = true);
    }

    /// What changes is written past its books.
    pub fn past_its_books(&self) {
        self.wms.turn(|knobs| knobs.unlisted = true);
    }

    /// The nightly one: what neither push nor list has told is found and taken up again.
    async fn full_check(&mut self, ground: &Ground) -> anyhow::Result<()> {
        let asked = json!({ "who": "demo", "why": "the nightly full check" });
        let told = ground.ask("reconcile", &asked).await?;
        let part = told["parts"].get(0).context("the full check had nothing to check")?;
        self.found = part["appended"].as_u64().context("the full check says how much it took up again")?;
        Ok(())
    }

    /// A full check, and until what it took up again has come.
    pub async fn checked(
        &mut self,
        ground: &Ground,
        patience: Duration,
        teller: &Teller,
    ) -> anyhow::Result<()> {
        self.full_check(ground).await?;
        teller.act("the full check has compared all of the warehouse with all of the shop");
        self.agreed(&ground.shop, patience, teller).await;
        Ok(())
    }

    /// Nothing moves by itself any more, and nothing fails.
    pub fn rest(&mut self) {
        if let Some(moving) = self.moving.take() {
            moving.abort();
        }
        self.wms.turn(|knobs| *knobs = Knobs::default());
    }

    /// Until the shop sells what there is to sell, or nothing has come nearer to it for so long.
    pub async fn agreed(&self, shop: &ShopifyTwin, patience: Duration, teller: &Teller) {
        let (mut least, mut moved_at, mut told_at) = (u64::MAX, super::now(), super::now());
        while super::now() < kernel::clock::after(moved_at, patience) {
            let StockLedger { pairs, differing, .. } = self.ledger(shop);
            if differing == 0 {
                return;
            }
            if differing < least {
                (least, moved_at) = (differing, super::now());
            }
            if super::now() >= kernel::clock::after(told_at, TOLD_EVERY) {
                told_at = super::now();
                teller.act(&format!("{} of {pairs} pairs agree", pairs - differing));
            }
            pause(Duration::from_millis(500)).await;
        }
    }

    pub fn ledger(&self, shop: &ShopifyTwin) -> StockLedger {
        let (rows, books) = (self.wms.all_stock(), self.wms.ledger());
        let differing: Vec<_> = rows.iter().filter_map(|row| difference(shop, row)).collect();
        StockLedger {
            pairs: rows.len() as u64,
            differing: differing.len() as u64,
            oversold: shop.stock_counts().oversold + books.counts.oversold,
            reserved: books.counts.orders,
            asked_again: books.counts.repeated,
            changes: books.counts.changes,
            untold: books.pushes.dropped + books.pushes.given_up,
            unlisted: books.counts.unlisted,
            found: self.found,
            named: differing.into_iter().take(10).collect(),
            ..StockLedger::default()
        }
    }
}

fn difference(shop: &ShopifyTwin, row: &TruthRow) -> Option<String> {
    let truth = row.truth;
    let Some(there) = shop.stock(&row.sku, row.location) else {
        return Some(format!("{} at {} is not in the shop", row.sku, row.location));
    };
    let in_flight = (there.committed - truth.counted).max(0);
    let free = truth.on_hand - truth.reserved - in_flight;
    (there.available != free).then(|| {
        format!("{} at {}: the shop sells {}, and {free} are free", row.sku, row.location, there.available)
    })
}

fn configure(folder: &Path, wms: &WmsTwin) -> anyhow::Result<()> {
    let path = folder.join("tidegate.toml");
    let text = std::fs::read_to_string(&path)?;
    let scopes = "\"read_products\"]";
    anyhow::ensure!(text.contains(scopes), "the starting configuration has no line {scopes:?}");
    let more = "\"read_products\", \"read_inventory\", \"write_inventory\", \"read_locations\"]";
    let text = text.replace(scopes, more) + STOCK_FLOW + &OWN.replace("WMS_URL", wms.url());
    std::fs::write(&path, text)?;
    std::fs::write(folder.join("mappings/stock_to_shopify.toml"), STOCK)?;
    std::fs::write(folder.join("mappings/orders_to_wms.toml"), RESERVE)?;
    for (name, secret) in [("wms.push", SECRET), ("wms.token", wms.token())] {
        let path = folder.join("secrets").join(name);
        let mut file =
            std::fs::OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&path)?;
        std::io::Write::write_all(&mut file, secret.as_bytes())
            .with_context(|| format!("{} cannot be written", path.display()))?;
    }
    Ok(())
}
