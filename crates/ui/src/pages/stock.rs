//! `/stock`: what may be sold of a SKU, at each shop and location, and why; below it the drift's history, as full checks
//! found it; each leads to its report (`stock_check`). The numbers are the flow's own facts', the same that `tidegate ats show` tells.

use super::stock_by_hand::{HandCard, cards};
use super::stock_pair::{Around, PairCard};
use crate::access::Session;
use crate::chrome::{Chrome, Part, html};
use crate::drift::{causes, point};
use crate::drift_chart::{Point, drift_charts};
use crate::error::PageError;
use crate::over_time::Drawing;
use crate::state::{StockFlow, Ui};
use crate::stock_met::StockMet;
use crate::words::{Moment, many, moment, thousands};
use askama::Template;
use axum::Extension;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use engine::facts::is_shown_by;
use engine::overview::stock;
use engine::work::drift::{Checked, history};
use engine::work::stock_now::look;
use jiff::tz::TimeZone;
use kernel::id::ShopId;
use kernel::subject::Subject;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Pairs of one page; `tidegate ats show` lists all.
const PAIRS_MAX: usize = 50;
/// Checks of the table, and points of one plot: the newest.
const ROWS: usize = 20;
const POINTS: usize = 120;
/// The longest SKU that is looked for; a source's is never longer.
const SKU_CHARS_MAX: usize = 255;

#[derive(Template)]
#[template(path = "stock.html")]
struct StockPage {
    chrome: Chrome,
    /// A flow moves stock.
    configured: bool,
    /// Empty: nothing was asked for.
    sku: String,
    pairs: Vec<PairCard>,
    left_out: usize,
    stock_met: Vec<StockMet>,
    by_hand: Vec<HandCard>,
    plots: Vec<Plot>,
    rows: Vec<CheckRow>,
}

/// The checks of one flow at one shop, over time.
struct Plot {
    name: String,
    words: String,
    charts: [Drawing; 2],
}

struct CheckRow {
    at: Moment,
    who: String,
    why: String,
    of: String,
    /// To its report.
    link: String,
    pairs: String,
    differences: String,
    differs: bool,
    causes: String,
    again: String,
}

pub(crate) async fn show(
    State(ui): State<Arc<Ui>>,
    Extension(session): Extension<Session>,
    Query(query): Query<BTreeMap<String, String>>,
) -> Result<Response, PageError> {
    let sku: String = query.get("sku").map_or("", |sku| sku.trim()).chars().take(SKU_CHARS_MAX).collect();
    let offline = query.get("offline").is_some_and(|offline| offline == "true");
    let configured = !ui.given.stock.is_empty();
    let (mut pairs, mut left_out) = (Vec::new(), 0);
    if configured && !sku.is_empty() {
        (pairs, left_out) = pairs_of(&ui, &sku, offline).await?;
    }
    let unknown = configured && !sku.is_empty() && pairs.is_empty();
    let found = found(&ui).await?;
    let title = if sku.is_empty() { "Stock".to_owned() } else { format!("Stock of {sku}") };
    let chrome = Chrome::new(&ui, &session, Part::Stock, title);
    let page = StockPage {
        // What is not there is not asked for again and again, and a shop not as often as ourselves.
        chrome: match (unknown, sku.is_empty()) {
            (true, _) => chrome,
            (false, true) => chrome.refresh(10),
            (false, false) => chrome.refresh(60),
        },
        configured,
        stock_met: met(&ui).await?,
        by_hand: cards(&ui).await?,
        plots: plots(&found, &ui),
        rows: rows(&found, &ui),
        sku,
        pairs,
        left_out,
    };
    Ok(html(if unknown { StatusCode::NOT_FOUND } else { StatusCode::OK }, &page))
}

async fn met(ui: &Ui) -> Result<Vec<StockMet>, PageError> {
    let now = ui.now();
    let given = &ui.given;
    let seen = stock(given.store.as_ref(), &given.hub.snapshot(), &given.watched, now).await?;
    Ok(seen.iter().map(|met| StockMet::of(met, now, ui.zone(&met.shop))).collect())
}

/// A pair that was found: its shop and location, and the flow that moves it.
type Found<'a> = (ShopId, String, &'a Subject, &'a StockFlow);

/// Each pair of the SKU by each flow that moves its shop's stock, in the order of shops and locations; and how many more
/// there are.
async fn pairs_of(ui: &Ui, sku: &str, offline: bool) -> Result<(Vec<PairCard>, usize), PageError> {
    let found = ui.given.store.find(sku).await?;
    let mut all: Vec<Found<'_>> = Vec::new();
    for subject in &found {
        let Some((_, location)) = domains::inventory::parts(subject) else { continue };
        let of_shop = ui.given.stock.iter().filter(|flow| flow.shops.contains(&subject.shop));
        for flow in of_shop.filter(|flow| !is_shown_by(flow.facts.as_ref(), subject, &found)) {
            all.push((subject.shop.clone(), location.clone(), subject, flow));
        }
    }
    all.sort_by(|a, b| (&a.0, &a.1, &a.3.name).cmp(&(&b.0, &b.1, &b.3.name)));
    let left_out = all.len().saturating_sub(PAIRS_MAX);
    let pauses = ui.given.store.pauses(ui.now()).await?;
    let around = Around { systems: ui.given.hub.snapshot().systems, pauses };
    let mut pairs = Vec::new();
    all.truncate(PAIRS_MAX);
    let of: Vec<_> =
        all.iter().map(|(shop, _, subject, flow)| (&flow.name, *subject, flow.now.get(shop))).collect();
    let nows = look(&of, offline).await;
    for ((_, _, subject, flow), there) in all.into_iter().zip(nows) {
        let life = ui.given.store.life(&subject.shop, subject.root()).await?.only(subject);
        let newest = store::newest_state(ui.given.store.as_ref(), &life, &flow.name, subject).await?;
        pairs.push(PairCard::of(ui, flow, subject, &life, newest, &around, there));
    }
    Ok((pairs, left_out))
}

/// The newest checks of each flow and shop, newest first.
async fn found(ui: &Ui) -> Result<Vec<Vec<Checked>>, PageError> {
    let mut found = Vec::new();
    for flow in &ui.given.stock {
        for shop in &flow.shops {
            let checks = history(ui.given.store.as_ref(), &flow.name, shop, POINTS).await?;
            found.extend((!checks.is_empty()).then_some(checks));
        }
    }
    Ok(found)
}

fn plots(found: &[Vec<Checked>], ui: &Ui) -> Vec<Plot> {
    let plot = |checks: &Vec<Checked>| {
        let points: Vec<Point> = checks.iter().rev().map(point).collect();
        let (flow, shop) = checks.first().map_or(("", ""), |check| (&check.flow, &check.shop));
        let name = format!("{flow} at {shop}");
        let differing = points.iter().filter(|point| point.count > 0).count();
        let words = format!(
            "Differences that {} of {name} found, over time: {differing} of them found any; the last found {}.",
            many(points.len() as u64, "full check"),
            thousands(points.last().map_or(0, |point| point.count)),
        );
        Plot { charts: drift_charts(&points, ui.now(), zone_of(ui, shop)), name, words }
    };
    found.iter().map(plot).collect()
}

/// The newest of all.
fn rows(found: &[Vec<Checked>], ui: &Ui) -> Vec<CheckRow> {
    let mut all: Vec<&Checked> = found.iter().flatten().collect();
    all.sort_by_key(|check| std::cmp::Reverse(check.began));
    all.into_iter().take(ROWS).map(|check| row(check, ui)).collect()
}

fn row(check: &Checked, ui: &Ui) -> CheckRow {
    let differences = check.differences();
    CheckRow {
        at: moment(check.began, ui.now(), zone_of(ui, &check.shop)),
        who: check.who.clone(),
        why: check.why.clone(),
        of: format!("{} at {}", check.flow, check.shop),
        link: format!("/stock/checks/{}/{}/{}", check.flow, check.shop, check.number),
        pairs: format!("{} / {}", thousands(check.source), thousands(check.shop_has)),
        differences: thousands(differences),
        differs: differences > 0,
        causes: causes(&check.causes),
        again: if check.dry_run { "only told".to_owned() } else { thousands(check.appended) },
    }
}

pub(super) fn zone_of<'a>(ui: &'a Ui, shop: &str) -> &'a TimeZone {
    ShopId::new(shop).map_or(&ui.given.time_zone, |shop| ui.zone(&shop))
}
