//! What was brought into the shops' catalogs, on `/prices`: the drift that comparisons found over time, and the last runs.

use crate::drift_chart::{Point, drift_charts};
use crate::over_time::Drawing;
use crate::prices::{Prices, PricesHydrated};
use crate::state::Ui;
use crate::words::{Moment, many, moment, thousands};
use kernel::id::ShopId;
use std::collections::BTreeMap;

/// Runs that are looked at, of the table, and points of one plot: the newest.
const RUNS: usize = 400;
const ROWS: usize = 20;
const POINTS: usize = 120;

#[derive(Default)]
pub(super) struct Hydrations {
    pub(super) plots: Vec<Plot>,
    pub(super) rows: Vec<Row>,
    /// Why they cannot be shown.
    pub(super) wrong: Option<String>,
}

/// The comparisons of one shop, over time.
pub(super) struct Plot {
    pub(super) name: String,
    pub(super) words: String,
    pub(super) charts: [Drawing; 2],
}

pub(super) struct Row {
    pub(super) at: Moment,
    pub(super) took: String,
    pub(super) changes: String,
    pub(super) at_the_cart: String,
    pub(super) run: PricesHydrated,
}

pub(super) async fn of(ui: &Ui, prices: &dyn Prices) -> Hydrations {
    let runs = match prices.hydrations(RUNS).await {
        Ok(runs) => runs,
        Err(why) => return Hydrations { wrong: Some(why), ..Hydrations::default() },
    };
    let plots = plots(&runs, ui);
    Hydrations { plots, rows: runs.into_iter().take(ROWS).map(|run| row(run, ui)).collect(), wrong: None }
}

fn row(run: PricesHydrated, ui: &Ui) -> Row {
    Row {
        at: moment(run.at, ui.now(), &ui.given.time_zone),
        took: match run.took_ms {
            ms @ ..1_000 => format!("{ms} ms"),
            ms => format!("{} s", thousands(ms / 1_000)),
        },
        changes: thousands(run.changes),
        at_the_cart: thousands(run.at_the_cart),
        run,
    }
}

/// Only a comparison with all that the shop has finds what somebody else changed.
fn plots(runs: &[PricesHydrated], ui: &Ui) -> Vec<Plot> {
    let mut shops: BTreeMap<&str, Vec<Point>> = BTreeMap::new();
    for run in runs.iter().rev().filter(|run| run.against_shop && run.failed.is_none()) {
        let point = Point { at: run.at, count: run.drift, more: String::new() };
        shops.entry(&run.shop).or_default().push(point);
    }
    let plot = |(shop, all): (&str, Vec<Point>)| {
        let newest = &all[all.len().saturating_sub(POINTS)..];
        let differing = newest.iter().filter(|check| check.count > 0).count();
        let zone = ShopId::new(shop).map_or(&ui.given.time_zone, |shop| ui.zone(&shop));
        let words = format!(
            "Prices in the catalogs of {shop} that somebody else had changed, over time: {differing} of {} found any.",
            many(newest.len() as u64, "comparison")
        );
        Plot { charts: drift_charts(newest, ui.now(), zone), name: shop.to_owned(), words }
    };
    shops.into_iter().map(plot).collect()
}
