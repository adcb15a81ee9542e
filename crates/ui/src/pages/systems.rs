//! `/systems`: each system and flow with what holds it; pause and resume with a reason; what people did last.

use crate::access::Session;
use crate::cards::{PauseCard, SystemCard};
use crate::chrome::{Chrome, Part, html};
use crate::error::PageError;
use crate::form::Posted;
use crate::standing::{deed, system_names};
use crate::state::Ui;
use crate::subjects::spoken;
use crate::words::{Moment, moment};
use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{Redirect, Response};
use engine::overview::overview;
use jiff::Timestamp;
use kernel::id::{FlowName, ShopId, SystemName};
use kernel::subject::Subject;
use std::sync::Arc;
use store::operate::{AuditEntry, Pause, PauseScope};

/// Lines of the audit that are shown.
const AUDIT: u32 = 30;

#[derive(Template)]
#[template(path = "systems.html")]
struct SystemsPage {
    chrome: Chrome,
    systems: Vec<SystemCard>,
    flows: Vec<FlowRow>,
    /// Those of single orders; the others stand at their system or flow.
    pauses: Vec<PauseCard>,
    audit: Vec<AuditRow>,
}

struct FlowRow {
    name: String,
    source: String,
    target: String,
    exports: bool,
    paused: Option<PauseCard>,
}

struct AuditRow {
    at: Moment,
    who: String,
    action: String,
    target: String,
    why: String,
    count: u64,
}

pub(crate) async fn show(
    State(ui): State<Arc<Ui>>,
    Extension(session): Extension<Session>,
) -> Result<Response, PageError> {
    let (store, now) = (&ui.given.store, ui.now());
    let seen = overview(store.as_ref(), &ui.given.hub.snapshot(), &ui.given.watched, now).await?;
    let audit = store.audit_entries(AUDIT).await?;
    let of_order = |pause: &&Pause| matches!(pause.scope, PauseScope::Subject(_));
    let page = SystemsPage {
        chrome: Chrome::new(&ui, &session, Part::Systems, "Systems").refresh(5),
        systems: seen.systems.iter().map(|line| SystemCard::of(line, &seen.pauses, &ui, now)).collect(),
        flows: flows(&seen.pauses, &ui, now),
        pauses: seen
            .pauses
            .iter()
            .filter(of_order)
            .map(|pause| PauseCard::of(pause, now, &ui.given.time_zone))
            .collect(),
        audit: audit.into_iter().map(|entry| audit_row(entry, &ui, now)).collect(),
    };
    Ok(html(StatusCode::OK, &page))
}

fn flows(pauses: &[Pause], ui: &Ui, now: Timestamp) -> Vec<FlowRow> {
    let row = |(name, flow): (&FlowName, &engine::overview::WatchedFlow)| {
        let paused = pauses.iter().find(|pause| pause.scope == PauseScope::Flow(name.clone()));
        FlowRow {
            name: name.to_string(),
            source: flow.source.to_string(),
            target: flow.target.to_string(),
            exports: ui.given.watched.objective_of(name).is_some(),
            paused: paused.map(|pause| PauseCard::of(pause, now, &ui.given.time_zone)),
        }
    };
    ui.given.watched.flows.iter().map(row).collect()
}

fn audit_row(entry: AuditEntry, ui: &Ui, now: Timestamp) -> AuditRow {
    AuditRow {
        at: moment(entry.at, now, &ui.given.time_zone),
        who: entry.who,
        action: deed(&entry.action).to_owned(),
        target: spoken(&entry.target),
        why: entry.why,
        count: entry.count,
    }
}

pub(crate) async fn pause(State(ui): State<Arc<Ui>>, posted: Posted) -> Result<Redirect, PageError> {
    let (why, now) = (posted.reason()?, ui.now());
    let scope = scope(&ui, &posted)?;
    if matches!(scope, PauseScope::Subject(_)) {
        return Err(PageError::Refused("an order is paused on its own page".into()));
    }
    let said = format!("Paused: {scope}. What arrives is kept and waits.");
    ui.given.store.pause(Pause { scope, by: posted.by(why, now), until: posted.until(now)? }).await?;
    Ok(done(&ui, &posted, said))
}

pub(crate) async fn resume(State(ui): State<Arc<Ui>>, posted: Posted) -> Result<Redirect, PageError> {
    let (why, now) = (posted.reason()?, ui.now());
    let scope = scope(&ui, &posted)?;
    let resumed = ui.given.store.resume(&scope, posted.by(why, now)).await?;
    let named = spoken(&scope.to_string());
    let said = if resumed { format!("Resumed: {named}.") } else { format!("There was no pause of {named}.") };
    Ok(done(&ui, &posted, said))
}

/// What a form names: `system`, `flow` or `subject`, and which.
fn scope(ui: &Ui, posted: &Posted) -> Result<PauseScope, PageError> {
    let name = posted.text("name").unwrap_or_default();
    let kind = posted.text("kind").unwrap_or_default();
    let scope = match kind.as_str() {
        "system" if system_names(ui).contains(&name) => SystemName::new(&name).ok().map(PauseScope::System),
        "flow" => FlowName::new(&name)
            .ok()
            .filter(|flow| ui.given.watched.flows.contains_key(flow))
            .map(PauseScope::Flow),
        "subject" => name.split_once('/').and_then(|(shop, path)| {
            let shop = ShopId::new(shop).ok()?;
            Some(PauseScope::Subject(Subject { shop, path: path.to_owned() }))
        }),
        _ => None,
    };
    scope.ok_or_else(|| PageError::Refused(format!("no {kind} {name:?} is known here")))
}

fn done(ui: &Ui, posted: &Posted, said: String) -> Redirect {
    ui.given.hub.changed();
    ui.sessions().say(&posted.session, said);
    Redirect::to(posted.back("/systems"))
}
