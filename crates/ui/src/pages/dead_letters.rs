//! `/dead-letters`: groups with their cause, owner and what happens by itself; one group with its letters, what it
//! awaits, and its release or skip.

use crate::access::Session;
use crate::cards::{GroupCard, is_stock};
use crate::chrome::{Chrome, Part, html};
use crate::error::PageError;
use crate::form::Posted;
use crate::standing::root_of;
use crate::state::Ui;
use crate::subjects::{called, page_of};
use crate::words::{Moment, many, moment, thousands};
use askama::Template;
use axum::Extension;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{Redirect, Response};
use engine::overview::{Group, groups};
use kernel::id::SystemName;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use store::query::{DeadLetter, DeliveryFilter, Phase};

/// Letters of one page.
const LETTERS: u32 = 50;
/// Of those that were closed last.
const CLOSED: u32 = 20;
/// Between two deliveries of a released group: a system that has just come back is not flooded.
const RAMP: Duration = Duration::from_millis(100);

#[derive(Template)]
#[template(path = "dead_letters.html")]
struct DeadLettersPage {
    chrome: Chrome,
    open: String,
    groups: Vec<GroupCard>,
    closed: Vec<Letter>,
}

#[derive(Template)]
#[template(path = "dead_letter_group.html")]
struct GroupPage {
    chrome: Chrome,
    group: GroupCard,
    awaited: Vec<AwaitedRow>,
    /// What they are of.
    of: &'static str,
    letters: Vec<Letter>,
    older: Option<String>,
}

struct AwaitedRow {
    what: String,
    shop: String,
    waiting: String,
    looks: u32,
    /// The next look is due.
    due: bool,
    next: Moment,
}

struct Letter {
    label: String,
    path: String,
    flow: String,
    message: String,
    field: Option<String>,
    dead: Moment,
    closed: Option<Closed>,
}

struct Closed {
    at: Moment,
    who: String,
    why: String,
}

fn letter(letter: &DeadLetter, ui: &Ui) -> Letter {
    let (now, zone) = (ui.now(), ui.zone(&letter.shop));
    let root = root_of(&letter.subject);
    Letter {
        label: called(&root, letter.label.as_deref()),
        path: page_of(ui, &root),
        flow: letter.flow.to_string(),
        message: letter.fault.message.clone(),
        field: letter.fault.field.clone(),
        dead: moment(letter.dead_at, now, zone),
        closed: letter.closed.as_ref().map(|closed| Closed {
            at: moment(closed.at, now, zone),
            who: closed.who.clone(),
            why: closed.why.clone(),
        }),
    }
}

pub(crate) async fn list(
    State(ui): State<Arc<Ui>>,
    Extension(session): Extension<Session>,
) -> Result<Response, PageError> {
    let (store, now) = (&ui.given.store, ui.now());
    let groups = groups(store.as_ref(), &ui.given.watched).await?;
    let closed = store.dead_letters(DeliveryFilter { limit: CLOSED, ..Default::default() }, true).await?;
    let page = DeadLettersPage {
        chrome: Chrome::new(&ui, &session, Part::DeadLetters, "Dead letters").refresh(10),
        open: many(groups.iter().map(|group| group.group.count).sum(), "dead letter"),
        groups: groups.iter().map(|group| GroupCard::of(group, &ui, now)).collect(),
        closed: closed.iter().map(|closed| letter(closed, &ui)).collect(),
    };
    Ok(html(StatusCode::OK, &page))
}

/// The open group of a system and a fingerprint.
async fn find(ui: &Ui, system: &str, fingerprint: &str) -> Result<Group, PageError> {
    let groups = groups(ui.given.store.as_ref(), &ui.given.watched).await?;
    let same =
        |group: &Group| group.group.system.as_str() == system && group.group.fingerprint == fingerprint;
    groups.into_iter().find(same).ok_or_else(|| {
        PageError::NotFound(
            "This group has no open dead letters: they were released, skipped or healed by a newer state."
                .into(),
        )
    })
}

pub(crate) async fn group(
    State(ui): State<Arc<Ui>>,
    Extension(session): Extension<Session>,
    Query(query): Query<BTreeMap<String, String>>,
) -> Result<Response, PageError> {
    let field = |name: &str| query.get(name).map_or("", String::as_str);
    let now = ui.now();
    let group = find(&ui, field("system"), field("fingerprint")).await?;
    let before = field("before").parse().ok().map(kernel::id::DeliveryId);
    let which = DeliveryFilter { before, limit: LETTERS, ..of(&group) };
    let letters = ui.given.store.dead_letters(which, false).await?;
    let card = GroupCard::of(&group, &ui, now);
    let full = letters.len() >= LETTERS as usize;
    let last = letters.last().map(|letter| letter.delivery).filter(|_| full);
    let awaited = group.awaited.iter().map(|row| AwaitedRow {
        what: row.reference.to_string(),
        shop: row.shop.to_string(),
        waiting: many(row.waiting, "change"),
        looks: row.looks,
        due: row.next_look_at <= now,
        next: moment(row.next_look_at, now, ui.zone(&row.shop)),
    });
    let page = GroupPage {
        chrome: Chrome::new(&ui, &session, Part::DeadLetters, card.cause.clone()).refresh(10),
        of: if is_stock(&ui, &group.group.flow) { "stock" } else { "orders" },
        awaited: awaited.collect(),
        letters: letters.iter().map(|row| letter(row, &ui)).collect(),
        older: last.map(|last| format!("{}&before={last}", card.link)),
        group: card,
    };
    Ok(html(StatusCode::OK, &page))
}

pub(crate) async fn release(State(ui): State<Arc<Ui>>, posted: Posted) -> Result<Redirect, PageError> {
    let (why, now) = (posted.reason()?, ui.now());
    let group = posted_group(&ui, &posted).await?;
    let released = ui.given.store.release(of(&group), posted.by(why, now), now, RAMP).await?;
    let said =
        format!("Released: {} will be tried again, one after the other.", many(released, "dead letter"));
    Ok(done(&ui, &posted, said))
}

pub(crate) async fn skip(State(ui): State<Arc<Ui>>, posted: Posted) -> Result<Redirect, PageError> {
    let (why, now) = (posted.reason()?, ui.now());
    posted.sure()?;
    let group = posted_group(&ui, &posted).await?;
    let skipped = ui.given.store.skip(of(&group), posted.by(why, now)).await?;
    let letters = many(skipped, "dead letter");
    Ok(done(&ui, &posted, format!("Skipped: {letters} will not be sent to {}.", group.group.system)))
}

/// The group that a form names, as it was when the form was drawn: nobody skips more than they saw.
async fn posted_group(ui: &Ui, posted: &Posted) -> Result<Group, PageError> {
    let field = |name: &str| posted.text(name).unwrap_or_default();
    let group = find(ui, &field("system"), &field("fingerprint")).await?;
    let seen: Option<u64> = field("count").parse().ok();
    match seen {
        Some(seen) if group.group.count > seen => Err(PageError::Refused(format!(
            "the group has grown from {} to {} meanwhile: look again",
            thousands(seen),
            thousands(group.group.count)
        ))),
        Some(_) => Ok(group),
        None => Err(PageError::Refused("it is not said how many dead letters were seen".into())),
    }
}

fn of(group: &Group) -> DeliveryFilter {
    let system = SystemName::clone(&group.group.system);
    let fingerprint = Some(group.group.fingerprint.clone());
    DeliveryFilter { system: Some(system), phase: Some(Phase::Dead), fingerprint, ..Default::default() }
}

fn done(ui: &Ui, posted: &Posted, said: String) -> Redirect {
    ui.given.hub.changed();
    ui.sessions().say(&posted.session, said);
    Redirect::to(posted.back("/dead-letters"))
}
