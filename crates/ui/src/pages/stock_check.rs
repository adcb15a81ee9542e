//! `/stock/checks/FLOW/SHOP/NUMBER`: what one full check of stock found, pair by pair, and the same as a file. What is kept is
//! `engine::work::drift`'s.

use super::stock::zone_of;
use crate::access::Session;
use crate::chrome::{Chrome, Part, html};
use crate::drift::{cause, causes, why, whys};
use crate::error::PageError;
use crate::state::Ui;
use crate::words::{Moment, escaped, moment, thousands};
use askama::Template;
use axum::Extension;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use engine::work::drift::{self, Checked, Difference, Known, REPORTS_MAX, Report};
use kernel::id::{FlowName, ShopId};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Pairs of the page; the files have all.
const PAIRS_MAX: usize = 300;

#[derive(Template)]
#[template(path = "stock_check.html")]
struct CheckPage {
    chrome: Chrome,
    of: String,
    at: Moment,
    took: String,
    who: String,
    why: String,
    pairs: String,
    same: String,
    again: String,
    causes: String,
    whys: String,
    notes: Vec<String>,
    /// Its pairs are kept no more.
    gone: bool,
    /// So many reports are kept.
    kept: usize,
    /// To show one cause alone, with how many; the one that is shown is no link.
    kinds: Vec<Kind>,
    rows: Vec<Row>,
    left_out: usize,
    path: String,
}

struct Kind {
    text: String,
    link: Option<String>,
}

struct Row {
    sku: String,
    /// To the page of its SKU.
    link: String,
    location: String,
    wanted: String,
    has: String,
    what: String,
    why: String,
    /// When the shop says that it was changed.
    changed: Option<Moment>,
}

type Named = (String, String, u64);

pub(crate) async fn show(
    State(ui): State<Arc<Ui>>,
    Extension(session): Extension<Session>,
    Path(named): Path<Named>,
    Query(query): Query<BTreeMap<String, String>>,
) -> Result<Response, PageError> {
    let (checked, differences, gone) = match known(&ui, &named).await? {
        Known::Whole(report) => (report.checked, report.differences, false),
        Known::Figures(checked) => (*checked, Vec::new(), true),
        Known::Nothing => return Err(nothing(&named)),
    };
    let path = format!("/stock/checks/{}/{}/{}", checked.flow, checked.shop, checked.number);
    let shown = query.get("cause").map(String::as_str);
    let meant: Vec<&Difference> =
        differences.iter().filter(|one| shown.is_none_or(|shown| shown == one.cause)).collect();
    let title = format!("Full check {}", checked.number);
    let page = CheckPage {
        of: format!("{} at {}", checked.flow, checked.shop),
        at: moment(checked.began, ui.now(), zone_of(&ui, &checked.shop)),
        took: engine::waits::span(checked.took_ms),
        pairs: format!("{} / {}", thousands(checked.source), thousands(checked.shop_has)),
        same: thousands(checked.same),
        again: if checked.dry_run { "nothing, it only told".to_owned() } else { thousands(checked.appended) },
        causes: found(&checked),
        whys: whys(&checked.whys),
        kinds: if gone { Vec::new() } else { kinds(&checked, &path, shown) },
        rows: meant.iter().take(PAIRS_MAX).map(|one| row(one, &ui, &checked.shop)).collect(),
        left_out: meant.len().saturating_sub(PAIRS_MAX),
        who: checked.who,
        why: checked.why,
        notes: checked.notes,
        kept: REPORTS_MAX,
        gone,
        path,
        chrome: Chrome::new(&ui, &session, Part::Stock, title),
    };
    Ok(html(StatusCode::OK, &page))
}

/// `differences.csv` and `check.json`, to be kept.
pub(crate) async fn file(
    State(ui): State<Arc<Ui>>,
    Path((flow, shop, number, file)): Path<(String, String, u64, String)>,
) -> Result<Response, PageError> {
    let named = (flow, shop, number);
    let Known::Whole(report) = known(&ui, &named).await? else { return Err(nothing(&named)) };
    let (kind, body) = match file.as_str() {
        "differences.csv" => ("text/csv; charset=utf-8", drift::csv([report.as_ref()])),
        "check.json" => ("application/json", Report::json(&report)),
        _ => return Err(nothing(&named)),
    };
    // Flow and shop are names of ours: they need no quoting.
    let (flow, shop, number) = named;
    let name = format!("attachment; filename=\"{flow}-{shop}-{number}-{file}\"");
    Ok(([(header::CONTENT_TYPE, kind.to_owned()), (header::CONTENT_DISPOSITION, name)], body).into_response())
}

async fn known(ui: &Ui, (flow, shop, number): &Named) -> Result<Known, PageError> {
    let (Ok(flow), Ok(shop)) = (FlowName::new(flow.as_str()), ShopId::new(shop.as_str())) else {
        return Ok(Known::Nothing);
    };
    Ok(drift::report(ui.given.store.as_ref(), &flow, &shop, Some(*number)).await?)
}

fn nothing((flow, shop, number): &Named) -> PageError {
    PageError::NotFound(format!(
        "Of check {number} of {flow} at {shop} nothing is kept. The page of stock lists the newest."
    ))
}

fn found(checked: &Checked) -> String {
    match checked.differences() {
        0 => "none".to_owned(),
        all => format!("{} – {}", thousands(all), causes(&checked.causes)),
    }
}

fn kinds(checked: &Checked, path: &str, shown: Option<&str>) -> Vec<Kind> {
    if checked.causes.len() < 2 {
        return Vec::new();
    }
    let all = Kind { text: "all".to_owned(), link: shown.map(|_| path.to_owned()) };
    let kind = |(name, count): (&String, &u64)| Kind {
        text: format!("{} {}", thousands(*count), cause(*count, name)),
        link: (shown != Some(name)).then(|| format!("{path}?cause={}", escaped(name))),
    };
    std::iter::once(all).chain(checked.causes.iter().map(kind)).collect()
}

fn row(one: &Difference, ui: &Ui, shop: &str) -> Row {
    let number = |number: Option<i64>| number.map_or_else(|| "–".to_owned(), |number| number.to_string());
    let mut what = cause(1, &one.cause).to_owned();
    if let Some(spelt) = &one.spelt {
        what.push_str(&format!(": the other side spells it {spelt:?}"));
    }
    if let Some(elsewhere) = &one.elsewhere {
        let has = number(one.elsewhere_has);
        what.push_str(&format!(": {has} at {elsewhere}, of which the source does not tell"));
    }
    Row {
        link: format!("/stock?sku={}", escaped(&one.sku)),
        sku: one.sku.clone(),
        location: one.location.clone(),
        wanted: number(one.wanted),
        has: number(one.has),
        what,
        why: one.why.as_deref().map(why).unwrap_or_default().to_owned(),
        changed: one.changed_at.map(|at| moment(at, ui.now(), zone_of(ui, shop))),
    }
}
