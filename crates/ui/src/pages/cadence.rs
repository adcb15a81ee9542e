//! `/cadence`: the work that no event drives, for each flow and shop: what runs next, what ran last, how long, with what result, what
//! was missed, and who holds it. The same that `tidegate cadence` tells.

use crate::access::Session;
use crate::cadence::Paced;
use crate::cards::Tone;
use crate::chrome::{Chrome, Part, html};
use crate::error::PageError;
use crate::state::Ui;
use crate::words::{Moment, many, moment};
use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use engine::waits::span;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use kernel::id::ShopId;
use std::sync::Arc;

/// As many times as are counted.
const MISSED_MAX: u32 = 1_000;

#[derive(Template)]
#[template(path = "cadence.html")]
struct CadencePage {
    chrome: Chrome,
    cards: Vec<Card>,
    /// Why nothing can be told.
    wrong: Option<String>,
}

struct Card {
    work: String,
    of: String,
    cadence: String,
    /// By up to how much each is put off.
    jitter: Option<String>,
    tone: Tone,
    word: &'static str,
    next: Option<Moment>,
    /// In place of an instant: why there is none.
    no_next: &'static str,
    last: Option<Moment>,
    took: Option<String>,
    missed: Option<String>,
    held_by: Option<(String, Moment)>,
    result: Option<String>,
}

pub(crate) async fn show(
    State(ui): State<Arc<Ui>>,
    Extension(session): Extension<Session>,
) -> Result<Response, PageError> {
    let asked = match &ui.given.cadences {
        Some(cadences) => cadences.all().await,
        None => Ok(Vec::new()),
    };
    let (cards, wrong) = match asked {
        Ok(all) => (all.into_iter().map(|paced| card(&ui, paced)).collect(), None),
        Err(wrong) => (Vec::new(), Some(wrong)),
    };
    let chrome = Chrome::new(&ui, &session, Part::Cadence, "Cadence").refresh(10).reload();
    Ok(html(StatusCode::OK, &CadencePage { chrome, cards, wrong }))
}

fn card(ui: &Ui, paced: Paced) -> Card {
    let shop = paced.shop.as_deref().and_then(|shop| ShopId::new(shop).ok());
    made(paced, ui.now(), shop.map_or(&ui.given.time_zone, |shop| ui.zone(&shop)))
}

fn made(paced: Paced, now: Timestamp, zone: &TimeZone) -> Card {
    let moment = |at: Timestamp| moment(at, now, zone);
    let on_demand = paced.cadence == "on demand";
    let (tone, word) = match &paced {
        Paced { failed: true, .. } => (Tone::Bad, "failed"),
        Paced { missed: 1.., .. } => (Tone::Warn, "missed"),
        Paced { due: true, .. } => (Tone::Idle, "due"),
        Paced { last: None, .. } if on_demand => (Tone::Idle, "on demand"),
        Paced { last: None, .. } => (Tone::Idle, "not yet"),
        _ => (Tone::Good, "made"),
    };
    let of = [paced.of, paced.shop].into_iter().flatten().collect::<Vec<_>>();
    Card {
        work: paced.work,
        of: of.join(" at "),
        tone,
        word,
        no_next: if on_demand { "on demand" } else { "not known yet" },
        next: paced.next.map(moment),
        last: paced.last.map(moment),
        took: paced.took_ms.map(span),
        missed: (paced.missed > 0).then(|| {
            let more = if paced.missed >= MISSED_MAX { " or more" } else { "" };
            format!("{}{more} went by; it is made up for once", many(u64::from(paced.missed), "time"))
        }),
        held_by: paced.held_by.map(|(node, until)| (node, moment(until))),
        result: paced.result,
        jitter: (paced.jitter_ms > 0).then(|| span(paced.jitter_ms)),
        cadence: paced.cadence,
    }
}
