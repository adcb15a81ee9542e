//! A sale of stock: a thousand changes a second over a hundred thousand pairs, pushed by a warehouse, within the limits of
//! the shop's plan. How late Shopify has what may be sold, how late it has what came on sale or went off it, how many calls
//! that took, and whether both sides agree at the end. The look-alike's own clock says when a quantity was set.

use super::clock::{Neighbours, cpu_s, now, resident_mb};
use super::figure::Figure;
use super::load::{Pace, steady};
use super::orders::Requests;
use super::sink::Sink;
use super::stage::{SHOP_DOMAIN, Stage, Targets};
use super::{Bench, PART_STOCK as PART};
use anyhow::{Context as _, ensure};
use hdrhistogram::Histogram;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::os::unix::fs::OpenOptionsExt as _;
use std::sync::Arc;
use std::time::Duration;
use twin::shopify::{ShopConfig, StockConfig, StockSet, signature};

const SECRET: &str = "bench-warehouse";
pub(super) const MAPPING: &str = include_str!("../../../../mappings/stock_to_shopify.toml");
pub(super) const STOCK_FLOW: &str = include_str!("../../stock_flow.toml");
/// What is its own.
const OWN: &str = r#"
[systems.wms.connection]
"#;
pub(super) const SCOPES: &str = "\"read_products\"]";
pub(super) const MORE_SCOPES: &str =
    "\"read_products\", \"read_inventory\", \"write_inventory\", \"read_locations\"]";

/// Changes a second, and what they are over.
const RATE: u64 = 1_000;
const CONNECTIONS: usize = 32;
/// Of a hundred changes so many take a pair to zero or from it.
const CROSSINGS_PERCENT: u64 = 5;

/// One pushed level, in the order of the pushes.
#[derive(Debug, Clone)]
pub(super) struct Pushed {
    sku: String,
    location: &'static str,
    available: i64,
    crosses: bool,
}

pub async fn measure(bench: &Bench) -> anyhow::Result<Vec<Figure>> {
    let (goods, seconds) = if bench.quick { (5_000, 5) } else { (50_000, 30) };
    bench.tell(&format!("{RATE} stock changes a second over {} pairs, for {seconds} s", goods * 2));
    // Nothing is delivered there: no order is placed.
    let sink = Sink::start().await?;
    let mut shop = ShopConfig::new(SHOP_DOMAIN);
    shop.stock = StockConfig { generated: goods, stocked_at: 2, ..StockConfig::default() };
    let opening = shop.stock.available;
    let targets = Targets { erp: &sink.url(), beside: None };
    let mut stage = Stage::set_at(&bench.folder, "stock", targets, shop).await?;
    with_stock(&stage)?;
    stage.hub.start().await?;
    let pushed = changes(goods, usize::try_from(RATE * seconds)?, opening);
    let requests = Arc::new(Requests::of(pushed.iter().enumerate().map(|(index, one)| request(index, one))));
    let (pid, cpu) = (stage.pid(), cpu_s(stage.pid()));
    let neighbours = Neighbours::look(&[pid]);
    let pace = Pace::from_now(RATE);
    let begun_wall = crate::demo::now();
    let offset = pace.begun.saturating_duration_since(now());
    let answered = steady(stage.address, requests, CONNECTIONS, pace).await?;
    let newest = newest(&pushed);
    let drained = drained(&stage, &newest).await;
    let busy = neighbours.since(&[pid]);
    let cpu = cpu_s(pid) - cpu;
    let resident = resident_mb(pid);
    let (sets, counts) = (stage.shop.stock_sets(), stage.shop.stock_counts());
    let wrong = newest
        .iter()
        .filter(|(pair, quantity)| {
            stage.shop.stock(&pair.0, pair.1).map(|level| level.available) != Some(**quantity)
        })
        .count();
    ensure!(drained.is_some() || wrong > 0, "it drained, and nobody saw it");
    let due = |index: usize| {
        let since = pace.due(index).saturating_duration_since(pace.begun) + offset;
        begun_wall.checked_add(since).unwrap_or(begun_wall)
    };
    let lags = Lags::of(&pushed, &sets, due)?;
    stage.strike().await?;
    ensure!(answered.refused == 0, "{} pushes were refused", answered.refused);
    let changes = pushed.len() as f64;
    let note = format!(
        "{} pushes answered, p99 {:.0} ms; {} sets in {} calls, {} found stale; others took {busy:.1} processors",
        answered.ok,
        answered.at_ms(99.0),
        counts.sets,
        counts.calls,
        counts.stale
    );
    let left = drained
        .map_or("never".to_owned(), |after| format!("{:.1} s after the last push", after.as_secs_f64()));
    Ok(vec![
        Figure::new(PART, "change → accepted, p95", lags.at_s(&lags.all, 95.0), "s")
            .target("< 120")
            .note(note),
        Figure::new(PART, "change → accepted, p99", lags.at_s(&lags.all, 99.0), "s").target("aim < 10"),
        Figure::new(PART, "oldest change that was sent", lags.at_s(&lags.all, 100.0), "s").note(format!(
            "{} of {} changes were overtaken by a newer one and never sent",
            lags.overtaken,
            pushed.len()
        )),
        Figure::new(PART, "to zero or from it → accepted, p99", lags.at_s(&lags.crossing, 99.0), "s")
            .target("< 10")
            .note(format!("{} of them", lags.crossing.len())),
        Figure::new(PART, "pairs that differ at the end", wrong as f64, "pairs").target("0").note(left),
        Figure::new(PART, "changes in a call", counts.sets as f64 / (counts.calls.max(1) as f64), "")
            .target("≤ 250"),
        Figure::new(PART, "CPU a change", cpu * 1e3 / changes, "ms"),
        Figure::new(PART, "resident size", resident, "MB"),
    ])
}

/// The flow and all that it needs, beside what a stage has.
pub(super) fn with_stock(stage: &Stage) -> anyhow::Result<()> {
    let config = stage.folder.join("tidegate.toml");
    let text = std::fs::read_to_string(&config)?;
    ensure!(text.contains(SCOPES), "the starting configuration has no {SCOPES}");
    std::fs::write(&config, text.replace(SCOPES, MORE_SCOPES) + STOCK_FLOW + OWN)?;
    std::fs::write(stage.folder.join("mappings/stock_to_shopify.toml"), MAPPING)?;
    let mut options = std::fs::OpenOptions::new();
    let mut opened = options
        .create(true)
        .write(true)
        .truncate(true)
        .mode(0o600)
        .open(stage.folder.join("secrets/wms.push"))?;
    Ok(std::io::Write::write_all(&mut opened, SECRET.as_bytes())?)
}

/// What the warehouse says: most changes move a number, a few take a pair off sale or bring it back. No chance: the same
/// at each run.
pub(super) fn changes(goods: u32, count: usize, opening: i64) -> Vec<Pushed> {
    let mut levels: BTreeMap<(u64, usize), i64> = BTreeMap::new();
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut draw = |below: u64| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random % below.max(1)
    };
    let places = ["WH-1", "WH-2"];
    (0..count)
        .map(|_| {
            // A sale is about few things: half of the changes are of a tenth of the goods.
            let among = if draw(2) == 0 { u64::from(goods / 10) } else { u64::from(goods) };
            let (good, place) = (draw(among), usize::try_from(draw(2)).unwrap_or(0));
            let level = levels.entry((good, place)).or_insert(opening);
            let was = *level;
            *level = if was == 0 || draw(100) < CROSSINGS_PERCENT {
                if was == 0 { 50 } else { 0 }
            } else {
                (was + 1 + i64::try_from(draw(9)).unwrap_or(0)) % 900 + 1
            };
            Pushed {
                sku: format!("GEN-{:06}", good + 1),
                location: places[place],
                available: *level,
                crosses: (was > 0) != (*level > 0),
            }
        })
        .collect()
}

pub(super) fn request(index: usize, one: &Pushed) -> Vec<u8> {
    let version = index + 1;
    let Pushed { sku, location, available, .. } = one;
    let body = format!(
        "{{\"subject\":\"acme/ats:{sku}@{location}\",\"version\":{version},\"topic\":\"stock/level\",\"data\":{{\
         \"sku\":\"{sku}\",\"location\":\"{location}\",\"on_hand\":\"{available}\",\"counted\":\"0\",\
         \"changed_at\":\"{}\"}}}}",
        crate::demo::now()
    );
    let signed = signature(SECRET, body.as_bytes());
    format!(
        "POST /ingest/wms/inventory HTTP/1.1\r\nHost: hub\r\nContent-Type: application/json\r\n\
         X-Tidegate-Hmac-Sha256: {signed}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

type Newest = BTreeMap<(String, &'static str), i64>;

fn newest(pushed: &[Pushed]) -> Newest {
    pushed.iter().map(|one| ((one.sku.clone(), one.location), one.available)).collect()
}

/// How long after the last push the shop has all of it.
async fn drained(stage: &Stage, newest: &Newest) -> Option<Duration> {
    let begun = now();
    while begun.elapsed() < Duration::from_secs(300) {
        let has = |(pair, quantity): (&(String, &'static str), &i64)| {
            stage.shop.stock(&pair.0, pair.1).is_some_and(|level| level.available == *quantity)
        };
        if newest.iter().all(has) {
            return Some(begun.elapsed());
        }
        crate::demo::pause(Duration::from_millis(100)).await;
    }
    None
}

/// How late the shop had each change that it was told.
struct Lags {
    all: Histogram<u64>,
    crossing: Histogram<u64>,
    overtaken: usize,
}

impl Lags {
    /// A change was accepted when a set of its pair brought its quantity, after it was due and before a newer one was.
    fn of(pushed: &[Pushed], sets: &[StockSet], due: impl Fn(usize) -> Timestamp) -> anyhow::Result<Self> {
        let histogram = || Histogram::<u64>::new_with_bounds(1, 600_000, 3).context("a histogram");
        let mut lags = Self { all: histogram()?, crossing: histogram()?, overtaken: 0 };
        let mut by_pair: BTreeMap<(&str, &str), Vec<&StockSet>> = BTreeMap::new();
        for set in sets {
            by_pair.entry((set.sku.as_str(), set.location)).or_default().push(set);
        }
        let mut taken: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for (index, one) in pushed.iter().enumerate() {
            let pair = (one.sku.as_str(), one.location);
            let from = taken.entry(pair).or_default();
            let sets = by_pair.get(&pair).map(Vec::as_slice).unwrap_or_default();
            let at = due(index);
            let found = sets.iter().skip(*from).position(|set| set.to == one.available && set.at >= at);
            let Some(found) = found else {
                lags.overtaken += 1;
                continue;
            };
            *from += found + 1;
            let lag = sets[*from - 1].at.duration_since(at).as_millis();
            let lag = u64::try_from(lag).unwrap_or(0).max(1);
            lags.all.saturating_record(lag);
            if one.crosses {
                lags.crossing.saturating_record(lag);
            }
        }
        Ok(lags)
    }

    fn at_s(&self, of: &Histogram<u64>, percentile: f64) -> f64 {
        of.value_at_percentile(percentile) as f64 / 1e3
    }
}
