//! `/orders/{shop}/{order}`: one order's whole life, what it waits for now, and what a person may do about it.

use super::orders::label;
use super::timeline::{Timeline, timeline};
use crate::access::Session;
use crate::cards::{PauseCard, Tone};
use crate::chrome::{Chrome, Part, html};
use crate::error::PageError;
use crate::standing::{WaitCard, age, brings, is_late, outcome_words, stands};
use crate::state::Ui;
use crate::subjects::{called, noun, order_path, spoken, stock_path};
use crate::words::{Moment, moment};
use askama::Template;
use axum::Extension;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use engine::triage::cause;
use engine::waits::{Waits, waits_for};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use kernel::id::ShopId;
use kernel::subject::Subject;
use std::collections::BTreeSet;
use std::sync::Arc;
use store::delivery::{Delivery, DeliveryKind, DeliveryState};
use store::operate::{AuditEntry, Pause, PauseScope};
use store::query::Life;

/// Lines of the audit looked through for this order's.
const AUDIT_MAX: u32 = 1000;

#[derive(Template)]
#[template(path = "order.html")]
struct OrderPage {
    chrome: Chrome,
    label: String,
    /// Of the list that it belongs to: link and word.
    crumb: (String, &'static str),
    /// `order`, or `pair` where it is stock.
    noun: &'static str,
    subject: String,
    /// Address of this page, and of its forms.
    path: String,
    zone: String,
    tone: Tone,
    word: String,
    summary: String,
    known: Vec<Known>,
    links: Vec<Link>,
    pauses: Vec<PauseCard>,
    paused_itself: bool,
    open: Vec<OpenCard>,
    timeline: Timeline,
}

/// A fact about the order itself.
struct Known {
    label: &'static str,
    at: Option<Moment>,
    code: Option<String>,
    note: String,
}

/// The order as another system has it.
struct Link {
    system: String,
    /// `refund 999`, where it is not the whole.
    part: Option<String>,
    number: String,
    state: Option<String>,
    key: String,
}

/// A delivery that is open or dead.
struct OpenCard {
    id: i64,
    brings: String,
    title: String,
    tone: Tone,
    word: String,
    waits: WaitCard,
    age: String,
    calls: u32,
    advice: Option<String>,
    dead: bool,
    can_skip: bool,
}

/// The root that an address names: `order:5678`, or `5678` alone.
pub(super) fn root(shop: &str, order: &str) -> Result<Subject, PageError> {
    let shop = ShopId::new(shop).map_err(|_| unknown(shop, order))?;
    let path = if order.contains(':') { order.to_owned() } else { format!("order:{order}") };
    let subject = Subject { shop, path };
    Ok(Subject { path: subject.root().to_owned(), ..subject })
}

fn unknown(shop: &str, order: &str) -> PageError {
    let pair = ShopId::new(shop).ok().map(|shop| Subject { shop, path: order.to_owned() });
    if let Some(pair) = pair.filter(|subject| subject.kind() == "ats") {
        return PageError::NotFound(format!(
            "Nothing was ever told of {} of shop {shop}.",
            called(&pair, None)
        ));
    }
    let order = order.strip_prefix("order:").unwrap_or(order);
    PageError::NotFound(format!(
        "Nothing is known of order {order} of shop {shop}. If the shop has it, its webhook has not come: the sweep finds \
         it by itself, and a backfill does so at once."
    ))
}

fn part(root: &Subject) -> Part {
    if noun(root) == "pair" { Part::Stock } else { Part::Orders }
}

fn crumb(root: &Subject) -> (String, &'static str) {
    match domains::inventory::parts(root) {
        Some((sku, _)) => (stock_path(&sku), "Stock"),
        None => ("/orders".to_owned(), "Orders"),
    }
}

/// Its life, or the page that says what to do.
pub(super) async fn life(ui: &Ui, root: &Subject) -> Result<Life, PageError> {
    let life = ui.given.store.life(&root.shop, &root.path).await?;
    if life.envelopes.is_empty() && life.deliveries.is_empty() && life.about.is_none() {
        return Err(unknown(root.shop.as_str(), &root.path));
    }
    Ok(life)
}

pub(crate) async fn show(
    State(ui): State<Arc<Ui>>,
    Extension(session): Extension<Session>,
    Path((shop, order)): Path<(String, String)>,
) -> Result<Response, PageError> {
    let root = root(&shop, &order)?;
    let life = life(&ui, &root).await?;
    let (store, now, zone) = (&ui.given.store, ui.now(), ui.zone(&root.shop));
    let snapshot = ui.given.hub.snapshot();
    let pauses = store.pauses(now).await?;
    let audit = audit_of(store.audit_entries(AUDIT_MAX).await?, &root, &life);
    let waiting: Vec<(&Delivery, Waits)> = life
        .deliveries
        .iter()
        .filter_map(|delivery| Some((delivery, waits_for(delivery, &snapshot.systems, &pauses, &life, now)?)))
        .collect();
    let label = label(&life, &root);
    let open: Vec<OpenCard> =
        waiting.iter().map(|(delivery, waits)| open_card(delivery, waits.clone(), &life, &ui)).collect();
    let (tone, word, summary) = whole(&life, &open, &ui, now);
    let page = OrderPage {
        chrome: Chrome::new(&ui, &session, part(&root), label.clone()).refresh(5).zone(now, zone),
        crumb: crumb(&root),
        noun: noun(&root),
        subject: spoken(&root.to_string()),
        path: order_path(&root),
        zone: zone.iana_name().unwrap_or("the shop's zone").to_owned(),
        tone,
        word,
        summary,
        known: known(&root, &life, now, zone),
        links: links(&life),
        paused_itself: pauses.iter().any(|pause| pause.scope == PauseScope::Subject(root.clone())),
        pauses: concerning(&pauses, &root, &life).map(|pause| PauseCard::of(pause, now, zone)).collect(),
        timeline: timeline(&life, &waiting, &audit, now, zone),
        label,
        open,
    };
    Ok(html(StatusCode::OK, &page))
}

fn open_card(delivery: &Delivery, waits: Waits, life: &Life, ui: &Ui) -> OpenCard {
    let now = ui.now();
    let late = is_late(delivery, &waits, &ui.given.watched, now);
    let (tone, word) = stands(delivery, late);
    let letters = life.dead_letters.iter().rev().filter(|letter| letter.closed.is_none());
    let letter = letters.into_iter().find(|letter| letter.delivery == delivery.id);
    let source = ui.given.watched.flows.get(&delivery.flow).map_or("the source", |flow| flow.source.as_str());
    let known = letter.map(|letter| cause(&letter.fault, letter.system.as_str(), source));
    let unknown = matches!(delivery.state, DeliveryState::Unknown { .. });
    OpenCard {
        id: delivery.id.0,
        brings: brings(delivery),
        title: format!("{}: {} to {}", delivery.flow, brings(delivery), delivery.lane.system),
        tone,
        word,
        waits: WaitCard::of(waits, now, ui.zone(&delivery.lane.shop)),
        age: age(delivery, now),
        calls: delivery.calls,
        advice: known.map(|known| format!("{} (owner: {})", known.advice, known.owner)),
        dead: matches!(delivery.state, DeliveryState::Dead),
        can_skip: !unknown,
    }
}

/// How the order stands as a whole: the worst of what is open, else how its newest export ended.
fn whole(life: &Life, open: &[OpenCard], ui: &Ui, now: Timestamp) -> (Tone, String, String) {
    let rank = |card: &&OpenCard| match card.tone {
        Tone::Bad => 0,
        Tone::Warn => 1,
        Tone::Good | Tone::Idle => 2,
    };
    if let Some(worst) = open.iter().min_by_key(rank) {
        let until = worst.waits.until.as_ref().map(|until| format!(" ({})", until.distance));
        let until = until.unwrap_or_default();
        let summary = format!("{} waits for {}{until}.", worst.brings, worst.waits.what);
        return (worst.tone, worst.word.clone(), sentence(&summary));
    }
    let exports = |delivery: &&Delivery| {
        delivery.kind == DeliveryKind::State && ui.given.watched.objective_of(&delivery.flow).is_some()
    };
    let overtaken = |delivery: &&Delivery| matches!(&delivery.state, DeliveryState::Ended(outcome) if outcome.word() == "superseded");
    let newest = life.deliveries.iter().rev().filter(exports).find(|delivery| !overtaken(delivery));
    match newest.map(|delivery| (delivery, &delivery.state)) {
        Some((delivery, DeliveryState::Ended(outcome))) => {
            let (tone, word) = stands(delivery, false);
            let words = outcome_words(outcome, delivery.lane.system.as_str());
            let took = if word == "delivered" {
                format!(", {} after the change", age(delivery, now))
            } else {
                String::new()
            };
            (tone, word, sentence(&format!("{words}{took}.")))
        }
        _ if life.envelopes.iter().any(|(_, routed)| !routed) => {
            (Tone::Idle, "received".into(), "Committed to the log; it is routed next.".into())
        }
        _ => (Tone::Idle, "not exported".into(), "No export flow had to act on it.".into()),
    }
}

/// Begun with a capital.
pub(super) fn sentence(text: &str) -> String {
    let mut rest = text.chars();
    rest.next().map_or_else(String::new, |first| first.to_uppercase().chain(rest).collect())
}

fn known(root: &Subject, life: &Life, now: Timestamp, zone: &TimeZone) -> Vec<Known> {
    let dated = |label, at| Known { label, at: Some(moment(at, now, zone)), code: None, note: String::new() };
    let mut all = Vec::new();
    if let Some(about) = &life.about {
        let first = if noun(root) == "pair" { "First told" } else { "Placed" };
        all.push(dated(first, about.created_at));
        all.push(dated("Last changed", about.updated_at));
    }
    let traces: BTreeSet<String> =
        life.envelopes.iter().map(|(envelope, _)| envelope.trace.to_string()).collect();
    if let Some((first, _)) = life.envelopes.first() {
        let note = match traces.len() {
            1 => String::new(),
            more => format!("and {} more, each at its fact below", more - 1),
        };
        all.push(Known { label: "Trace", at: None, code: Some(first.trace.to_string()), note });
    }
    all
}

fn links(life: &Life) -> Vec<Link> {
    let link =
        |(system, subject, link): &(kernel::id::SystemName, Subject, store::delivery::StoredRef)| Link {
            system: system.to_string(),
            part: subject.part(),
            number: link.number.clone().unwrap_or_else(|| link.id.clone()),
            state: link.state.clone(),
            key: link.object_key.to_string(),
        };
    life.external.iter().map(link).collect()
}

/// Pauses of the order, and of whatever its open deliveries go through.
fn concerning<'a>(pauses: &'a [Pause], root: &'a Subject, life: &'a Life) -> impl Iterator<Item = &'a Pause> {
    let open = |delivery: &&Delivery| !matches!(delivery.state, DeliveryState::Ended(_));
    pauses.iter().filter(move |pause| match &pause.scope {
        PauseScope::Subject(subject) => subject == root,
        PauseScope::System(system) => {
            life.deliveries.iter().filter(open).any(|delivery| delivery.lane.system == *system)
        }
        PauseScope::Flow(flow) => life.deliveries.iter().filter(open).any(|delivery| delivery.flow == *flow),
    })
}

/// What people did to this order, oldest first; the audit spells what it was done to.
fn audit_of(entries: Vec<AuditEntry>, root: &Subject, life: &Life) -> Vec<AuditEntry> {
    let whole = root.to_string();
    let filtered = format!("shop {}, root {}", root.shop, root.path);
    let ids: BTreeSet<String> =
        life.deliveries.iter().map(|delivery| format!("delivery {}", delivery.id)).collect();
    let concerns = |entry: &AuditEntry| {
        entry.target == whole
            || entry.target == filtered
            || entry.target.split(", ").any(|part| ids.contains(part))
    };
    let mut ours: Vec<AuditEntry> = entries.into_iter().filter(concerns).collect();
    ours.reverse();
    ours
}
