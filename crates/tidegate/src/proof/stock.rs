//! Stock and shipments beside the orders: a real system is asked for both, and its own records are compared with the shop, pair
//! by pair and parcel by parcel. The shelves are not full, so that the shop sells out; nothing but the shop's orders takes of
//! what it sells, so that a unit too few at the end is one that was sold twice.

use super::CreditProof;
use super::refunds::waits;
use crate::demo::{Ground, now, pause};
use jiff::Timestamp;
use kernel::rng::{Rng, Seeded};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use twin::shop::Order;
use twin::shop::catalogue::{ITEMS, Warehouse};
use twin::shopify::{ShopifyTwin, StockConfig};

/// What the system is asked for.
pub const FLOWS: [&str; 2] = ["stock_to_shopify", "shipments_to_shopify"];
const PLACE: &str = "WH-1";
/// Of each other one, whose stock only moves.
const FREE_OF_OTHERS: i64 = 500;
/// Changes at once.
const AT_ONCE: usize = 25;

/// A SKU, and so many of it.
pub type Change = (String, i64);

/// What the system has of a SKU: on hand, to leave for anybody, and of that for this shop's sales.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Truth {
    pub on_hand: f64,
    pub reserved: f64,
    pub counted: f64,
}

/// What was shipped of one sale: units by SKU.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Parcel {
    pub order: u64,
    pub lines: BTreeMap<String, i64>,
}

/// Whether a parcel goes whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Split {
    Whole,
    First,
}

/// A warehouse by hand: what happens there, and what is there.
pub trait Premises {
    /// What an earlier play left open is nobody's order any more.
    async fn clear(&self) -> anyhow::Result<u64>;
    /// So many of each are free.
    async fn fill(&self, wanted: &[Change]) -> anyhow::Result<()>;
    /// So many of each lie there.
    async fn count(&self, counted: &[Change]) -> anyhow::Result<()>;
    /// So many of each come in.
    async fn come(&self, coming: &[Change]) -> anyhow::Result<()>;
    /// Ships what waits for these orders, up to so many parcels. How many left.
    async fn ship(&self, most: usize, which: &dyn Fn(u64) -> Option<Split>) -> anyhow::Result<u64>;
    /// What it says itself of what has not left, for whoever wonders why nothing does.
    async fn waiting(&self) -> anyhow::Result<String>;
    /// What there is of each SKU.
    async fn truth(&self) -> anyhow::Result<BTreeMap<String, Truth>>;
    /// All that has left for this shop's orders, in order.
    async fn parcels(&self) -> anyhow::Result<Vec<Parcel>>;
}

/// What both sides come to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct StockProof {
    pub pairs: u64,
    pub differing: u64,
    /// Units that were sold and that are not there.
    pub oversold: u64,
    /// Orders that the shop refused, because it had sold out.
    pub sold_out: u64,
    pub changes: u64,
    pub parcels: u64,
    pub split_orders: u64,
    /// Parcels without their fulfilment, and fulfilments without a parcel.
    pub parcels_lost: u64,
    pub parcels_doubled: u64,
    /// Where refunds are booked.
    pub refunds: Option<CreditProof>,
    /// From a change's commit at the source until the shop took it; of so many changes.
    pub lag_ms: Lags,
    #[serde(skip)]
    pub named: Vec<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Lags {
    pub of: u64,
    pub p50: u64,
    pub p95: u64,
    pub p99: u64,
}

impl StockProof {
    pub fn holds(&self) -> bool {
        // Where nothing left nothing is shown.
        self.pairs > 0
            && self.parcels > 0
            && [self.differing, self.oversold, self.parcels_lost, self.parcels_doubled]
                .iter()
                .all(|count| *count == 0)
            && self.refunds.as_ref().is_none_or(CreditProof::holds)
    }
}

/// The shop's side: one place, nothing on sale before the source was heard, and no sale of what is not there.
pub fn shelves(others: u32) -> StockConfig {
    StockConfig { generated: others, available: 0, stocked_at: 1, may_oversell: false }
}

pub fn skus(others: u32) -> Vec<String> {
    let generated = (1..=others).map(|number| format!("GEN-{number:06}"));
    ITEMS.iter().map(|item| item.sku.to_owned()).chain(generated).collect()
}

/// What happens in the house while the shop sells.
#[derive(Debug)]
pub struct Everyday<'a, H> {
    house: &'a H,
    shop: &'a ShopifyTwin,
    others: u32,
    /// Free of each item that has orders, at the beginning.
    free: u32,
    /// By SKU, when each change was committed.
    made: Mutex<Vec<(String, Timestamp)>>,
    over: AtomicBool,
    /// Some orders do not leave until then.
    waiting: AtomicBool,
    left: AtomicU64,
    split: Mutex<BTreeSet<u64>>,
}

impl<'a, H: Premises> Everyday<'a, H> {
    pub fn new(house: &'a H, shop: &'a ShopifyTwin, others: u32, free: u32) -> Self {
        Self {
            house,
            shop,
            others,
            free,
            made: Mutex::default(),
            over: AtomicBool::new(false),
            waiting: AtomicBool::new(false),
            left: AtomicU64::new(0),
            split: Mutex::default(),
        }
    }

    pub fn waiting(self, waiting: bool) -> Self {
        Self { waiting: AtomicBool::new(waiting), ..self }
    }

    /// What waited leaves, less what was given back of it.
    pub fn let_go(&self) {
        self.waiting.store(false, Ordering::Relaxed);
    }

    /// Shelves before the first order: scarce where there are orders.
    pub async fn prepare(&self) -> anyhow::Result<()> {
        let cleared = self.house.clear().await?;
        if cleared > 0 {
            eprintln!("{cleared} shipments of earlier plays were called off");
        }
        let scarce = i64::from(self.free);
        let free = |sku: String| if sku.starts_with("GEN-") { (sku, FREE_OF_OTHERS) } else { (sku, scarce) };
        let wanted: Vec<Change> = skus(self.others).into_iter().map(free).collect();
        self.house.fill(&wanted).await
    }

    /// Goods come of what is sold; the rest comes and goes.
    pub async fn changes(&self, seed: u64, changes: u64, span: Duration) -> anyhow::Result<()> {
        let mut rng = Seeded::new(seed);
        let mut free: BTreeMap<String, i64> = BTreeMap::new();
        let all = skus(self.others);
        let (began, batches) = (now(), changes.div_ceil(AT_ONCE as u64));
        let mut left = changes;
        for batch in 0..batches {
            let due = span.mul_f64(batch as f64 / batches as f64);
            let wait = Duration::try_from(kernel::clock::after(began, due).duration_since(now()));
            pause(wait.unwrap_or_default()).await;
            let (mut coming, mut counted) = (BTreeMap::new(), BTreeMap::new());
            while coming.len() + counted.len() < AT_ONCE.min(left as usize) {
                let sku = &all[rng.below(all.len() as u64) as usize];
                if !sku.starts_with("GEN-") {
                    coming.entry(sku.clone()).or_insert(1 + rng.below(6) as i64);
                    continue;
                }
                let there = free.entry(sku.clone()).or_insert(FREE_OF_OTHERS);
                let to = rng.below(2 * FREE_OF_OTHERS as u64) as i64;
                if to != *there && !counted.contains_key(sku) {
                    *there = to;
                    counted.insert(sku.clone(), to);
                }
            }
            left -= (coming.len() + counted.len()) as u64;
            let [coming, counted] = [coming, counted].map(|some| some.into_iter().collect::<Vec<Change>>());
            self.house.come(&coming).await?;
            self.note(&coming);
            self.house.count(&counted).await?;
            self.note(&counted);
        }
        Ok(())
    }

    /// Committed just now.
    fn note(&self, changes: &[Change]) {
        let at = now();
        let mut made = self.made.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        made.extend(changes.iter().map(|(sku, _)| (sku.clone(), at)));
    }

    /// Every third order leaves in two parcels.
    fn which(&self, order: u64) -> Option<Split> {
        let of = self.shop.order(order)?;
        let waiting = self.waiting.load(Ordering::Relaxed) && waits(order);
        let untouched = of.cancelled_at.is_none() && !waiting && (of.refunds.is_empty() || waits(order));
        let mut split = self.split.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        untouched
            .then(|| if order.is_multiple_of(3) && split.insert(order) { Split::First } else { Split::Whole })
    }

    /// Ships until it is told that the day is over.
    pub async fn shipping(&self) -> anyhow::Result<()> {
        while !self.over.load(Ordering::Relaxed) {
            if self.ship(5).await? == 0 {
                pause(Duration::from_secs(2)).await;
            }
        }
        Ok(())
    }

    pub fn evening(&self) {
        self.over.store(true, Ordering::Relaxed);
    }

    async fn ship(&self, most: usize) -> anyhow::Result<u64> {
        let left = self.house.ship(most, &|order| self.which(order)).await?;
        self.left.fetch_add(left, Ordering::Relaxed);
        Ok(left)
    }

    /// All that waits and is there leaves. Of a day on which nothing did it is waited for so long; then the house is asked why.
    pub async fn ship_rest(&self, patience: Duration) -> anyhow::Result<()> {
        let until = kernel::clock::after(now(), patience);
        loop {
            while self.ship(50).await? > 0 {}
            if self.left.load(Ordering::Relaxed) > 0 {
                return Ok(());
            }
            if now() >= until {
                eprintln!("nothing has left: {}", self.house.waiting().await?);
                return Ok(());
            }
            pause(Duration::from_secs(2)).await;
        }
    }

    /// Until both sides agree, or for so long: the look by which they did, or the last. Others may sell the same goods, and the next
    /// look finds both a moment apart.
    pub async fn agreed(&self, patience: Duration) -> anyhow::Result<StockProof> {
        let until = kernel::clock::after(now(), patience);
        loop {
            let proof = self.judge().await?;
            if proof.differing + proof.parcels_lost + proof.parcels_doubled == 0 || now() >= until {
                return Ok(proof);
            }
            pause(Duration::from_secs(2)).await;
        }
    }

    /// Its records beside the shop's.
    pub async fn judge(&self) -> anyhow::Result<StockProof> {
        let truth = self.house.truth().await?;
        let mut proof = StockProof { pairs: truth.len() as u64, ..StockProof::default() };
        for (sku, of) in &truth {
            let Some(there) = self.shop.stock(sku, PLACE) else {
                proof.differs(format!("{sku} is not in the shop"));
                continue;
            };
            let free = free(of, there.committed);
            if there.available != free {
                proof.differs(format!(
                    "{sku}: the shop sells {}, and {free} are free ({of:?}, {} committed)",
                    there.available, there.committed
                ));
            }
            proof.oversold += u64::try_from(-free).unwrap_or(0);
        }
        let orders = self.shop.orders();
        let known: BTreeSet<u64> = orders.iter().map(|order| order.id).collect();
        let parcels = self.house.parcels().await?.into_iter().filter(|parcel| known.contains(&parcel.order));
        let told: Vec<Parcel> = parcels.collect();
        let mut recorded: Vec<Parcel> = orders.iter().flat_map(|order| fulfilled(order)).collect();
        proof.parcels = told.len() as u64;
        let mut of_order: BTreeMap<u64, u64> = BTreeMap::new();
        for parcel in told {
            *of_order.entry(parcel.order).or_default() += 1;
            match recorded.iter().position(|known| *known == parcel) {
                Some(at) => drop(recorded.swap_remove(at)),
                None => {
                    proof.parcels_lost += 1;
                    proof.name(format!("{parcel:?} is not in the shop"));
                }
            }
        }
        for parcel in recorded {
            proof.parcels_doubled += 1;
            proof.name(format!("{parcel:?} is in the shop and never left"));
        }
        proof.split_orders = of_order.values().filter(|parcels| **parcels > 1).count() as u64;
        proof.lag_ms = self.lags();
        let made = self.made.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        proof.changes = made.len() as u64;
        Ok(proof)
    }

    /// Of each change, until the shop next took a quantity of its SKU: that one holds it, and whatever came after it.
    fn lags(&self) -> Lags {
        let mut sets: BTreeMap<String, Vec<Timestamp>> = BTreeMap::new();
        for set in self.shop.stock_sets() {
            sets.entry(set.sku).or_default().push(set.at);
        }
        let made = self.made.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut lags: Vec<u64> = made
            .iter()
            .filter_map(|(sku, at)| {
                let next = sets.get(sku)?.iter().filter(|set| *set >= at).min()?;
                u64::try_from(next.as_millisecond() - at.as_millisecond()).ok()
            })
            .collect();
        lags.sort_unstable();
        let at = |per_cent: usize| {
            lags.get((lags.len() * per_cent / 100).min(lags.len().saturating_sub(1)))
                .copied()
                .unwrap_or_default()
        };
        Lags { of: lags.len() as u64, p50: at(50), p95: at(95), p99: at(99) }
    }
}

impl StockProof {
    fn differs(&mut self, what: String) {
        self.differing += 1;
        self.name(what);
    }

    fn name(&mut self, what: String) {
        if self.named.len() < 10 {
            self.named.push(what);
        }
    }

    pub fn written(&self) -> String {
        let lag = &self.lag_ms;
        format!(
            "stock      {}/{} pairs agree after {} changes; {} units oversold; {} orders refused by the shop as sold out\n\
             parcels    {}{} left, {} orders in more than one; {} not in the shop, {} there twice or never sent\n\
             {}\
             change to accepted, of {}: p50 {} ms, p95 {} ms, p99 {} ms{}",
            self.pairs - self.differing,
            self.pairs,
            self.changes,
            self.oversold,
            self.sold_out,
            if self.parcels == 0 { "nothing is shown: " } else { "" },
            self.parcels,
            self.split_orders,
            self.parcels_lost,
            self.parcels_doubled,
            self.refunds.as_ref().map(|refunds| refunds.written() + "\n").unwrap_or_default(),
            lag.of,
            lag.p50,
            lag.p95,
            lag.p99,
            self.named.iter().map(|what| format!("\n  {what}")).collect::<String>()
        )
    }
}

/// What there is to sell, less what it has not heard of.
fn free(of: &Truth, committed: i64) -> i64 {
    let in_flight = (committed as f64 - of.counted).max(0.0);
    (of.on_hand - of.reserved - in_flight).floor() as i64
}

fn fulfilled(order: &Order) -> Vec<Parcel> {
    let live = order.fulfilments.iter().filter(|one| one.cancelled_at.is_none());
    live.map(|one| {
        let mut lines: BTreeMap<String, i64> = BTreeMap::new();
        for (line, units) in &one.lines {
            let sku = order.line(*line).and_then(|line| line.sku.clone()).unwrap_or_default();
            *lines.entry(sku).or_default() += i64::from(*units);
        }
        let here = Warehouse::find(&one.location_id.to_string()).is_some_and(|place| place.code == PLACE);
        Parcel { order: if here { order.id } else { 0 }, lines }
    })
    .collect()
}

/// Until nothing differs before the first order.
pub async fn ready<H: Premises>(everyday: &Everyday<'_, H>, ground: &Ground) -> anyhow::Result<()> {
    let proof = everyday.agreed(Duration::from_secs(180)).await?;
    let log = ground.log();
    anyhow::ensure!(
        proof.differing == 0,
        "the shop never sold what is there: see {}\n{}",
        log.display(),
        proof.written()
    );
    Ok(())
}
