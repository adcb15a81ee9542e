//! Whether stock touches the orders: their p99 to the ERP without any flow of stock, and beside one with changes all the
//! time. Pairs are interleaved, and each has a second run alone beside it: what two equal runs differ by is what no
//! difference means.

use super::clock::{median, spread};
use super::figure::Figure;
use super::latency::{arrived, lags};
use super::load::{Pace, steady};
use super::orders::Requests;
use super::sink::Sink;
use super::stage::{SHOP_DOMAIN, Stage, Targets, orders};
use super::stock::{changes, request, with_stock};
use super::{Bench, PART_STOCK_BESIDE as PART};
use anyhow::ensure;
use std::sync::Arc;
use std::time::Duration;
use twin::shopify::{ShopConfig, StockConfig};

const ORDERS: u64 = 200;
const CHANGES: u64 = 100;
const CONNECTIONS: usize = 16;
const GOODS: u32 = 5_000;
const WARM_S: u64 = 2;

pub async fn measure(bench: &Bench) -> anyhow::Result<Vec<Figure>> {
    let (pairs, span_s) = if bench.quick { (1, 2) } else { (7, 6) };
    let (mut beside_ratios, mut alone_ratios, mut alone_p99) = (Vec::new(), Vec::new(), Vec::new());
    for pair in 0..pairs {
        // The order changes, so that what drifts touches all alike.
        let runs = match pair % 3 {
            0 => [false, true, false],
            1 => [true, false, false],
            _ => [false, false, true],
        };
        let (mut alone, mut beside) = (Vec::new(), f64::NAN);
        for with in runs {
            let p99 = run(bench, with, span_s).await?;
            if with { beside = p99 } else { alone.push(p99) }
        }
        bench.tell(&format!(
            "pair {} of {pairs}: alone {:.1} and {:.1} ms, beside stock {beside:.1} ms",
            pair + 1,
            alone[0],
            alone[1]
        ));
        beside_ratios.push(beside / alone[0]);
        alone_ratios.push(alone[1] / alone[0]);
        alone_p99.extend(alone);
    }
    let ((low, high), (a_low, a_high)) = (spread(&beside_ratios), spread(&alone_ratios));
    let note = format!(
        "{CHANGES} changes/s; {pairs} pairs, {low:.2} to {high:.2}; alone against alone: median {:.2}, {a_low:.2} to \
         {a_high:.2}",
        median(alone_ratios)
    );
    Ok(vec![
        Figure::new(PART, "p99 at 200 orders/s without stock", median(alone_p99), "ms"),
        Figure::new(PART, "p99 beside stock, as a ratio", median(beside_ratios), "")
            .target("≤ 1.15")
            .note(note),
    ])
}

/// The orders' p99, in milliseconds.
async fn run(bench: &Bench, beside: bool, span_s: u64) -> anyhow::Result<f64> {
    let sink = Sink::start().await?;
    let mut shop = ShopConfig::new(SHOP_DOMAIN);
    shop.stock = StockConfig { generated: GOODS, stocked_at: 2, ..StockConfig::default() };
    let opening = shop.stock.available;
    let targets = Targets { erp: &sink.url(), beside: None };
    let mut stage = Stage::set_at(&bench.folder, "stock-beside", targets, shop).await?;
    if beside {
        with_stock(&stage)?;
    }
    stage.hub.start().await?;
    let seconds = if beside { WARM_S + span_s } else { 0 };
    let pushed = changes(GOODS, usize::try_from(CHANGES * seconds)?, opening);
    let pushes = Arc::new(Requests::of(pushed.iter().enumerate().map(|(index, one)| request(index, one))));
    let mut orders = orders()?;
    let warm = Arc::new(orders.make(usize::try_from(ORDERS * WARM_S)?));
    let requests = Arc::new(orders.make(usize::try_from(ORDERS * span_s)?));
    let stock = steady(stage.address, pushes, CONNECTIONS, Pace::from_now(CHANGES));
    let sale = async {
        steady(stage.address, warm, CONNECTIONS, Pace::from_now(ORDERS)).await?;
        let pace = Pace::from_now(ORDERS);
        steady(stage.address, requests.clone(), CONNECTIONS, pace).await?;
        anyhow::Ok(pace)
    };
    let (told, pace) = tokio::try_join!(stock, sale)?;
    ensure!(told.refused == 0, "{} pushes were refused", told.refused);
    let all = arrived(&sink, &requests, Duration::from_secs(20)).await;
    ensure!(all, "the hub did not deliver: see {}", stage.folder.display());
    ensure!(!beside || stage.shop.stock_counts().sets > 0, "no level was set: there was nothing beside");
    let p99 = lags(&sink, &requests, pace)?.value_at_percentile(99.0) as f64 / 1e3;
    stage.strike().await?;
    Ok(p99)
}
