//! `GET ats/by-hand` and `POST ats/by-hand`: quantities that somebody typed in a shop, and what a person says of them. What a
//! decision does is `engine::work::by_hand`'s.

use super::asked::{Body, Hand, NothingElse};
use super::{AdminError, AdminParts, Parts, StockFlow};
use axum::Json;
use axum::extract::State;
use engine::work::by_hand::{self, ByHand, DecideError, Questions};
use kernel::id::{FlowName, ShopId};
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize)]
pub(super) struct All {
    by_hand: Vec<Line>,
}

#[derive(Debug, Serialize)]
pub(super) struct Line {
    flow: FlowName,
    shop: ShopId,
    #[serde(flatten)]
    by_hand: ByHand,
}

pub(super) async fn list(State(parts): Parts) -> Result<Json<All>, AdminError> {
    let mut all = All { by_hand: Vec::new() };
    for (flow, shop) in places(&parts) {
        let questions = Questions::load(parts.store.as_ref(), &flow.name, shop).await?;
        let line = |by_hand| Line { flow: flow.name.clone(), shop: shop.clone(), by_hand };
        all.by_hand.extend(questions.0.into_values().map(line));
    }
    Ok(Json(all))
}

#[derive(Debug, Deserialize)]
pub(super) struct Asked {
    flow: Option<FlowName>,
    shop: Option<ShopId>,
    sku: String,
    location: String,
    /// It stands; else what the source says is set again.
    stands: bool,
    #[serde(flatten)]
    hand: Hand,
    #[serde(flatten)]
    _rest: NothingElse,
}

pub(super) async fn decide(State(parts): Parts, Body(asked): Body<Asked>) -> Result<Json<Line>, AdminError> {
    let by = asked.hand.by(parts.clock.now().wall)?;
    let named = |(flow, shop): &(&StockFlow, &ShopId)| {
        asked.flow.as_ref().is_none_or(|named| *named == flow.name)
            && asked.shop.as_ref().is_none_or(|named| named == *shop)
    };
    let store = parts.store.as_ref();
    for (flow, shop) in places(&parts).into_iter().filter(named) {
        let questions = Questions::load(store, &flow.name, shop).await?;
        let path = questions.open().find(|one| one.sku == asked.sku && one.location == asked.location);
        let Some(path) = path.map(|one| one.path.clone()) else { continue };
        let by_hand = by_hand::decide(store, &flow.name, shop, &path, asked.stands, &by).await?;
        if !asked.stands {
            parts.hub.appended();
        }
        return Ok(Json(Line { flow: flow.name.clone(), shop: shop.clone(), by_hand }));
    }
    Err(AdminError::not_found(format!(
        "nobody is asked about {} at {}: `tidegate ats by-hand` lists what is to be decided",
        asked.sku, asked.location
    )))
}

fn places(parts: &AdminParts) -> Vec<(&StockFlow, &ShopId)> {
    parts.stock.iter().flat_map(|flow| flow.shops.iter().map(move |shop| (flow, shop))).collect()
}

impl From<DecideError> for AdminError {
    fn from(error: DecideError) -> Self {
        match error {
            DecideError::Store(error) => error.into(),
            DecideError::NotAsked(_) => Self::not_found(error.to_string()),
            DecideError::Gone(_) => Self::nothing_to_replay(error.to_string()),
        }
    }
}
