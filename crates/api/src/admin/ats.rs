//! `GET ats?sku=SKU-0001`: what may be sold of one SKU, at each of its locations: what the source said last, what follows
//! from it and why, what the target was set to, and what waits; and what the shop has this moment, which is asked of it unless
//! `offline=true`. A shop that does not answer is said, and is no failure.

use super::asked::Question;
use super::lines::{DeliveryLine, LetterLine, RefLine};
use super::{AdminError, Parts, StockFlow};
use axum::Json;
use axum::extract::State;
use domains::inventory::{self, Part};
use engine::facts::is_shown_by;
use engine::work::stock_now::{StockNow, look};
use jiff::Timestamp;
use kernel::subject::Subject;
use serde::{Deserialize, Serialize};
use serde_json::Value;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    sku: String,
    shop: Option<String>,
    /// The shop is not asked what it has this moment.
    #[serde(default)]
    offline: bool,
}

#[derive(Debug, Serialize)]
pub(super) struct Stock {
    stock: Vec<Pair>,
}

/// One SKU at one location, by one flow.
#[derive(Debug, Serialize)]
struct Pair {
    shop: String,
    subject: String,
    flow: String,
    source: String,
    target: String,
    /// What the source said last; absent where it was redacted or cannot be read.
    fact: Option<Said>,
    /// Why there is none.
    unreadable: Option<String>,
    /// What the shop has this moment, and why it is not what it is to have.
    now: StockNow,
    external: Vec<RefLine>,
    open: Vec<DeliveryLine>,
    dead_letters: Vec<LetterLine>,
}

#[derive(Debug, Serialize)]
struct Said {
    received_at: Timestamp,
    changed_at: Timestamp,
    sequence: Option<i64>,
    /// The canonical state: on hand, reserved, available, …
    state: Value,
    /// The same in sales units, with all that is kept back, and what may be promised of what is on its way.
    figures: Value,
    /// Where that is divided over several of the shop's locations: what of it this one has.
    #[serde(skip_serializing_if = "Option::is_none")]
    part: Option<Part>,
    /// How `available` came about, a line for each term.
    why: Vec<String>,
}

pub(super) async fn show(
    State(parts): Parts,
    Question(asked): Question<Asked>,
) -> Result<Json<Stock>, AdminError> {
    let sku = asked.sku.trim();
    if sku.is_empty() {
        return Err(AdminError::mend(
            "sku is empty: write a SKU as its source spells it, as in ?sku=SKU-0001",
        ));
    }
    if parts.stock.is_empty() {
        let text = "no flow moves stock: add one of domain \"inventory\" (docs/connectors/stock_feed.md)";
        return Err(AdminError::not_found(text.to_owned()));
    }
    let here = |shop: &str| asked.shop.as_deref().is_none_or(|asked| asked == shop);
    let mut stock = Vec::new();
    let found = parts.store.find(sku).await?;
    let mut found_of: Vec<(&StockFlow, &Subject)> = Vec::new();
    for subject in &found {
        if subject.kind() != "ats" || !here(subject.shop.as_str()) {
            continue;
        }
        let of_shop = parts.stock.iter().filter(|flow| flow.shops.contains(&subject.shop));
        for flow in of_shop.filter(|flow| !is_shown_by(flow.facts.as_ref(), subject, &found)) {
            found_of.push((flow, subject));
        }
    }
    let of: Vec<_> =
        found_of.iter().map(|(flow, subject)| (&flow.name, *subject, flow.now.get(&subject.shop))).collect();
    let nows = look(&of, asked.offline).await;
    for ((flow, subject), now) in found_of.into_iter().zip(nows) {
        stock.push(pair(&parts, flow, subject, now).await?);
    }
    if stock.is_empty() {
        return Err(AdminError::not_found(format!(
            "nothing was ever told of the SKU {sku:?}: is it spelled as its source spells it? Capitals count"
        )));
    }
    Ok(Json(Stock { stock }))
}

async fn pair(
    parts: &super::AdminParts,
    flow: &StockFlow,
    subject: &Subject,
    now_there: StockNow,
) -> Result<Pair, AdminError> {
    let life = parts.store.life(&subject.shop, subject.root()).await?.only(subject);
    let now = parts.clock.now().wall;
    let pauses = parts.store.pauses(now).await?;
    let (mut fact, mut unreadable) = (None, None);
    match store::newest_state(parts.store.as_ref(), &life, &flow.name, subject).await? {
        None => unreadable = Some("it is kept no more".to_owned()),
        Some((envelope, payload)) => match flow.facts.read(&envelope.topic, &payload) {
            Err(fault) => unreadable = Some(fault.to_string()),
            Ok(state) => {
                let sequence = match &envelope.version {
                    Some(kernel::version::EffectiveVersion::Sequence { sequence }) => Some(*sequence),
                    _ => None,
                };
                fact = Some(Said {
                    received_at: envelope.received_at,
                    changed_at: state.changed_at,
                    sequence,
                    part: inventory::part(&state.body),
                    state: state.body.as_ref().clone(),
                    figures: flow.facts.figures(&envelope.topic, &payload),
                    why: flow.facts.explain(&envelope.topic, &payload),
                });
            }
        },
    }
    let of_flow =
        |delivery: &&store::delivery::Delivery| delivery.flow == flow.name && delivery.ended_at.is_none();
    Ok(Pair {
        shop: subject.shop.to_string(),
        subject: subject.to_string(),
        flow: flow.name.to_string(),
        source: flow.source.to_string(),
        target: flow.target.to_string(),
        fact,
        unreadable,
        now: now_there,
        external: RefLine::all(&life),
        open: life
            .deliveries
            .iter()
            .filter(of_flow)
            .map(|delivery| DeliveryLine::of(delivery, parts, &pauses, &life, now))
            .collect(),
        dead_letters: life
            .dead_letters
            .iter()
            .filter(|letter| letter.closed.is_none())
            .map(|letter| LetterLine::of(letter, parts))
            .collect(),
    })
}
