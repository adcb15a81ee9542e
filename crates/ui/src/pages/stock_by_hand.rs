//! What somebody typed in a shop where another system owns stock: shown on the page of stock, and decided there by a person, with name and
//! reason. What a decision does is `engine::work::by_hand`'s.

use crate::error::PageError;
use crate::form::Posted;
use crate::state::Ui;
use crate::words::{Moment, moment};
use axum::extract::State;
use axum::response::Redirect;
use engine::work::by_hand::{ByHand, DecideError, Questions, decide};
use kernel::id::{FlowName, ShopId};
use std::sync::Arc;

/// One that is to be decided.
#[derive(Debug)]
pub(crate) struct HandCard {
    pub(crate) id: String,
    pub(crate) flow: String,
    pub(crate) shop: String,
    pub(crate) path: String,
    pub(crate) pair: String,
    pub(crate) wanted: String,
    pub(crate) has: String,
    pub(crate) seen: Moment,
    pub(crate) changed: Option<Moment>,
    pub(crate) history_url: Option<String>,
}

pub(crate) async fn cards(ui: &Ui) -> Result<Vec<HandCard>, PageError> {
    let mut cards = Vec::new();
    for flow in &ui.given.stock {
        for shop in &flow.shops {
            let questions = Questions::load(ui.given.store.as_ref(), &flow.name, shop).await?;
            cards.extend(questions.open().map(|one| card(one, &flow.name, shop, ui)));
        }
    }
    Ok(cards)
}

fn card(one: &ByHand, flow: &FlowName, shop: &ShopId, ui: &Ui) -> HandCard {
    let (now, zone) = (ui.now(), ui.zone(shop));
    HandCard {
        id: format!("{flow}-{shop}-{}", one.path),
        flow: flow.to_string(),
        shop: shop.to_string(),
        path: one.path.clone(),
        pair: format!("{} at {}", one.sku, one.location),
        wanted: one.wanted.to_string(),
        has: one.has.to_string(),
        seen: moment(one.seen_at, now, zone),
        changed: one.changed_at.map(|at| moment(at, now, zone)),
        history_url: one.history_url.clone().filter(|url| url.starts_with("https://")),
    }
}

pub(crate) async fn decided(State(ui): State<Arc<Ui>>, posted: Posted) -> Result<Redirect, PageError> {
    let (why, now) = (posted.reason()?, ui.now());
    let named = |name: &str| posted.text(name).unwrap_or_default();
    let place = ui.given.stock.iter().find_map(|flow| {
        let shop = flow.shops.iter().find(|shop| shop.as_str() == named("shop"))?;
        (flow.name.as_str() == named("flow")).then_some((&flow.name, shop))
    });
    let (flow, shop) =
        place.ok_or_else(|| PageError::Refused("no flow of that name moves stock there".into()))?;
    let stands = match named("decision").as_str() {
        "accept" => true,
        "revert" => false,
        _ => return Err(PageError::Refused("it is not said whether it stands or is set back".into())),
    };
    let by = posted.by(why, now);
    let one = decide(ui.given.store.as_ref(), flow, shop, &named("path"), stands, &by).await;
    let one = one.map_err(|error| match error {
        DecideError::Store(error) => error.into(),
        other => PageError::Refused(other.to_string()),
    })?;
    let pair = format!("{} at {}", one.sku, one.location);
    let said = match stands {
        true => format!("{} of {pair} stands until the source changes it.", one.has),
        false => format!("{pair} is set back to what the source says: {}.", one.wanted),
    };
    if !stands {
        // It is a fact anew, which nobody takes up who is not told.
        ui.given.hub.appended();
    }
    ui.sessions().say(&posted.session, said);
    Ok(Redirect::to("/stock"))
}
