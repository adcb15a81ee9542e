//! `/prices`: which price a buyer pays, step by step, now or at an instant; and who changed it, as a plot and a table. For the
//! finance person who asks "which price, and why?".

use super::prices_hydrated::{self, Hydrations};
use crate::access::Session;
use crate::chrome::{Chrome, Part, html};
use crate::error::PageError;
use crate::over_time::Drawing;
use crate::price_chart::price_charts;
use crate::prices::{PriceAsked, PriceChanged, PriceStanding, PriceTold};
use crate::state::Ui;
use crate::words::{Moment, many, moment};
use askama::Template;
use axum::Extension;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The longest field that is read.
const CHARS_MAX: usize = 255;
/// Changes that are looked at; `tidegate prices changes` finds all.
const CHANGES_MAX: usize = 400;
/// Rows of the table.
const ROWS: usize = 50;

#[derive(Template)]
#[template(path = "prices.html")]
struct PricesPage {
    chrome: Chrome,
    configured: bool,
    standing: PriceStanding,
    asked: Asked,
    told: Option<Told>,
    /// What is wrong with the question.
    wrong: Option<String>,
    plots: Vec<Plot>,
    rows: Vec<Row>,
    left_out: usize,
    /// Where no SKU is asked for.
    hydrations: Hydrations,
}

/// As it was typed, for the form.
#[derive(Default)]
struct Asked {
    sku: String,
    quantity: String,
    currency: String,
    location: String,
    at: String,
}

struct Told {
    at: Moment,
    answer: PriceTold,
}

/// One list's price of the SKU.
struct Plot {
    list: String,
    words: String,
    charts: Vec<Drawing>,
}

struct Row {
    at: Moment,
    change: PriceChanged,
}

pub(crate) async fn show(
    State(ui): State<Arc<Ui>>,
    Extension(session): Extension<Session>,
    Query(query): Query<BTreeMap<String, String>>,
) -> Result<Response, PageError> {
    let field = |name: &str| -> String {
        query.get(name).map_or("", |text| text.trim()).chars().take(CHARS_MAX).collect()
    };
    let asked = Asked {
        sku: field("sku"),
        quantity: field("quantity"),
        currency: field("currency"),
        location: field("location"),
        at: field("at"),
    };
    let title = if asked.sku.is_empty() { "Prices".to_owned() } else { format!("Price of {}", asked.sku) };
    let mut page = PricesPage {
        chrome: Chrome::new(&ui, &session, Part::Prices, title),
        configured: ui.given.prices.is_some(),
        standing: PriceStanding::default(),
        asked,
        told: None,
        wrong: None,
        plots: Vec::new(),
        rows: Vec::new(),
        left_out: 0,
        hydrations: Hydrations::default(),
    };
    let Some(prices) = &ui.given.prices else { return Ok(html(StatusCode::OK, &page)) };
    match prices.standing().await {
        Ok(standing) => page.standing = standing,
        Err(why) => page.standing.words = why,
    }
    if page.asked.sku.is_empty() {
        page.hydrations = prices_hydrated::of(&ui, prices.as_ref()).await;
        return Ok(html(StatusCode::OK, &page));
    }
    match page.asked.read() {
        Err(why) => page.wrong = Some(why),
        Ok(question) => match prices.explain(question).await {
            Err(why) => page.wrong = Some(why),
            Ok(answer) => {
                let at = moment(answer.at, ui.now(), &ui.given.time_zone);
                page.told = Some(Told { at, answer });
            }
        },
    }
    let changes = prices.changes(page.asked.sku.clone(), CHANGES_MAX).await.unwrap_or_default();
    page.plots = plots(&changes, &ui);
    page.left_out = changes.len().saturating_sub(ROWS);
    let row = |change: PriceChanged| Row { at: moment(change.at, ui.now(), &ui.given.time_zone), change };
    page.rows = changes.into_iter().take(ROWS).map(row).collect();
    let status = if page.wrong.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    Ok(html(status, &page))
}

impl Asked {
    fn read(&self) -> Result<PriceAsked, String> {
        let at = match self.at.as_str() {
            "" => None,
            text => Some(text.parse::<Timestamp>().map_err(|_| {
                format!("“{text}” is no instant: write it as 2026-03-01T12:00:00Z, or leave it out")
            })?),
        };
        if self.currency.is_empty() {
            return Err("Say the currency: nothing is ever converted.".to_owned());
        }
        let quantity = if self.quantity.is_empty() { "1" } else { &self.quantity };
        Ok(PriceAsked {
            sku: self.sku.clone(),
            quantity: quantity.to_owned(),
            currency: self.currency.clone(),
            company_location: (!self.location.is_empty()).then(|| self.location.clone()),
            at,
        })
    }
}

fn plots(changes: &[PriceChanged], ui: &Ui) -> Vec<Plot> {
    let mut lists: BTreeMap<&str, Vec<&PriceChanged>> = BTreeMap::new();
    for change in changes.iter().rev() {
        lists.entry(&change.list).or_default().push(change);
    }
    let plot = |(list, all): (&str, Vec<&PriceChanged>)| {
        let last = all.last().map_or("", |change| change.after.as_str());
        let words = format!(
            "The price in {list} over time: {}; now {}.",
            many(all.len() as u64, "change"),
            if last.is_empty() { "none" } else { last }
        );
        Plot { charts: price_charts(&all, ui.now(), &ui.given.time_zone), list: list.to_owned(), words }
    };
    lists.into_iter().map(plot).filter(|plot| !plot.charts.is_empty()).collect()
}
