//! `/orders`: search by name or id, and the list of what is late, open, dead or has ended, each with what it waits for.

use crate::access::Session;
use crate::cards::Tone;
use crate::chrome::{Chrome, Part, html};
use crate::error::PageError;
use crate::standing::{WaitCard, age, brings, is_late, outcome_words, root_of, stands, system_names};
use crate::state::Ui;
use crate::subjects::{called, page_of, stock_path};
use crate::words::{Moment, escaped, moment};
use askama::Template;
use axum::Extension;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use engine::waits::waits_for;
use kernel::id::{DeliveryId, SystemName};
use kernel::subject::Subject;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use store::delivery::{Delivery, DeliveryState};
use store::query::{DeliveryFilter, Life, Phase};

/// Rows of one page.
const ROWS: usize = 50;
/// Open deliveries looked at for one page of late ones.
const LOOKED_AT_MAX: usize = 2000;

#[derive(Template)]
#[template(path = "orders.html")]
struct OrdersPage {
    chrome: Chrome,
    /// Set where something was searched for: what was found under it, if not one order alone.
    searched: bool,
    found: Vec<Found>,
    phases: Vec<Choice>,
    systems: Vec<Choice>,
    heading: String,
    rows: Vec<Row>,
    older: Option<String>,
    empty: &'static str,
}

struct Choice {
    value: String,
    text: String,
    chosen: bool,
}

struct Found {
    label: String,
    subject: String,
    path: String,
}

struct Row {
    label: String,
    path: String,
    shop: String,
    brings: String,
    flow: String,
    system: String,
    tone: Tone,
    word: String,
    waits: Option<WaitCard>,
    outcome: Option<String>,
    age: String,
    changed: Moment,
}

pub(crate) async fn show(
    State(ui): State<Arc<Ui>>,
    Extension(session): Extension<Session>,
    Query(query): Query<BTreeMap<String, String>>,
) -> Result<Response, PageError> {
    let field = |name: &str| query.get(name).map_or("", |text| text.trim());
    let searched = !field("q").is_empty();
    let found = if searched { search(&ui, field("q")).await? } else { Vec::new() };
    if let [only] = &found[..] {
        return Ok(Redirect::to(&page_of(&ui, only)).into_response());
    }
    if let Some(sku) = one_sku(&ui, &found) {
        return Ok(Redirect::to(&stock_path(&sku)).into_response());
    }
    let view = View::of(field("phase"));
    let system = SystemName::new(field("system")).ok();
    let mut chrome = Chrome::new(&ui, &session, Part::Orders, "Orders");
    chrome.search = field("q").to_owned();
    let status = if searched && found.is_empty() { StatusCode::NOT_FOUND } else { StatusCode::OK };
    let mut page = OrdersPage {
        chrome,
        searched,
        found: Vec::new(),
        phases: VIEWS.iter().map(|(view_of, value, text)| choice(value, text, *view_of == view)).collect(),
        systems: systems(&ui, system.as_ref()),
        heading: view.heading(system.as_ref()),
        rows: Vec::new(),
        older: None,
        empty: view.empty(),
    };
    for subject in &found {
        let life = ui.given.store.life(&subject.shop, subject.root()).await?;
        page.found.push(Found {
            label: label(&life, subject),
            subject: subject.to_string(),
            path: page_of(&ui, subject),
        });
    }
    if !searched {
        let before = field("before").parse().ok().map(DeliveryId);
        let (rows, last) = rows(&ui, view, system.clone(), before).await?;
        page.rows = rows;
        let system = system.map_or_else(String::new, |system| system.to_string());
        page.older = last.map(|last| format!("/orders?phase={}&system={system}&before={last}", view.value()));
        page.chrome = page.chrome.refresh(10);
    }
    Ok(html(status, &page))
}

/// The SKU, where all that was found is its stock at several locations.
fn one_sku(ui: &Ui, found: &[Subject]) -> Option<String> {
    let skus = found.iter().map(|subject| Some(domains::inventory::parts(subject)?.0));
    let skus: BTreeSet<String> = skus.collect::<Option<_>>()?;
    skus.into_iter().next().filter(|_| !ui.given.stock.is_empty())
}

/// Roots that a person may mean: by name with or without `#`, by id, by a link to Shopify's own page.
async fn search(ui: &Ui, text: &str) -> Result<Vec<Subject>, PageError> {
    let last = text.trim_end_matches('/').rsplit(['/', ':']).next().unwrap_or(text);
    let bare = last.split('?').next().unwrap_or(last).trim_start_matches('#');
    let named = format!("#{bare}");
    let mut found = BTreeSet::new();
    for text in [text, bare, &named] {
        found.extend(ui.given.store.find(text).await?.iter().map(root_of));
    }
    Ok(found.into_iter().collect())
}

async fn rows(
    ui: &Ui,
    view: View,
    system: Option<SystemName>,
    before: Option<DeliveryId>,
) -> Result<(Vec<Row>, Option<DeliveryId>), PageError> {
    let (store, now) = (&ui.given.store, ui.now());
    let snapshot = ui.given.hub.snapshot();
    let pauses = store.pauses(now).await?;
    let page = u32::try_from(ROWS).unwrap_or(u32::MAX);
    let mut filter =
        DeliveryFilter { system, phase: view.phase(), before, limit: page, ..Default::default() };
    let mut lives: BTreeMap<Subject, Life> = BTreeMap::new();
    let mut rows = Vec::new();
    let mut seen = 0;
    loop {
        let deliveries = store.deliveries(filter.clone()).await?;
        let full = deliveries.len() >= ROWS;
        seen += deliveries.len();
        filter.before = deliveries.last().map(|delivery| delivery.id);
        for delivery in deliveries {
            let short = waits_for(&delivery, &snapshot.systems, &pauses, &Life::default(), now);
            let late = short.is_some_and(|waits| is_late(&delivery, &waits, &ui.given.watched, now));
            if view == View::Late && !late {
                continue;
            }
            let root = root_of(&delivery.subject);
            if !lives.contains_key(&root) {
                lives.insert(root.clone(), store.life(&root.shop, &root.path).await?);
            }
            let life = &lives[&root];
            let zone = ui.zone(&root.shop);
            let waits = waits_for(&delivery, &snapshot.systems, &pauses, life, now);
            rows.push(row(&delivery, life, waits.map(|waits| WaitCard::of(waits, now, zone)), late, ui));
        }
        let last = filter.before.filter(|_| full);
        if last.is_none() || rows.len() >= ROWS || seen >= LOOKED_AT_MAX {
            return Ok((rows, last));
        }
    }
}

fn row(delivery: &Delivery, life: &Life, waits: Option<WaitCard>, late: bool, ui: &Ui) -> Row {
    let (tone, word) = stands(delivery, late);
    let root = root_of(&delivery.subject);
    let system = delivery.lane.system.to_string();
    Row {
        label: label(life, &root),
        path: page_of(ui, &root),
        shop: root.shop.to_string(),
        brings: brings(delivery),
        flow: delivery.flow.to_string(),
        tone,
        word,
        waits,
        outcome: match &delivery.state {
            DeliveryState::Ended(outcome) => Some(outcome_words(outcome, &system)),
            _ => None,
        },
        age: age(delivery, ui.now()),
        changed: moment(delivery.changed_at, ui.now(), ui.zone(&root.shop)),
        system,
    }
}

/// As people call it, or its path where no name is known.
pub(super) fn label(life: &Life, root: &Subject) -> String {
    called(root, life.about.as_ref().map(|about| about.label.as_str()))
}

fn choice(value: &str, text: &str, chosen: bool) -> Choice {
    Choice { value: value.to_owned(), text: text.to_owned(), chosen }
}

fn systems(ui: &Ui, chosen: Option<&SystemName>) -> Vec<Choice> {
    let all = choice("", "every system", chosen.is_none());
    let named = system_names(ui).into_iter().map(|name| {
        let is_chosen = chosen.is_some_and(|chosen| chosen.as_str() == name);
        choice(&escaped(&name), &name, is_chosen)
    });
    std::iter::once(all).chain(named).collect()
}

/// What the list shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum View {
    Open,
    Late,
    Waiting,
    Unknown,
    Dead,
    Ended,
}

/// Each with its value in the address and its word.
const VIEWS: [(View, &str, &str); 6] = [
    (View::Open, "open", "open"),
    (View::Late, "late", "late"),
    (View::Waiting, "waiting", "waiting"),
    (View::Unknown, "unknown", "answer unknown"),
    (View::Dead, "dead", "dead letters"),
    (View::Ended, "ended", "ended"),
];

impl View {
    /// Anything unknown is the first.
    fn of(value: &str) -> Self {
        VIEWS.into_iter().find(|(_, known, _)| *known == value).map_or(View::Open, |(view, ..)| view)
    }
    fn value(self) -> &'static str {
        VIEWS.into_iter().find(|(view, ..)| *view == self).map_or("open", |(_, value, _)| value)
    }
    fn phase(self) -> Option<Phase> {
        Some(match self {
            View::Open | View::Late => Phase::Open,
            View::Waiting => Phase::Waiting,
            View::Unknown => Phase::Unknown,
            View::Dead => Phase::Dead,
            View::Ended => Phase::Ended,
        })
    }
    fn heading(self, system: Option<&SystemName>) -> String {
        let what = match self {
            View::Open => "Open changes",
            View::Late => "Late exports",
            View::Waiting => "Waiting changes",
            View::Unknown => "Changes whose answer is unknown",
            View::Dead => "Dead letters",
            View::Ended => "Changes that have ended",
        };
        system.map_or_else(|| what.to_owned(), |system| format!("{what} for {system}"))
    }
    fn empty(self) -> &'static str {
        match self {
            View::Open => "Nothing is open: every change has ended.",
            View::Late => "Nothing is late.",
            View::Waiting => "Nothing waits.",
            View::Unknown => "Every call has its answer.",
            View::Dead => "No dead letters.",
            View::Ended => "Nothing has ended yet.",
        }
    }
}
