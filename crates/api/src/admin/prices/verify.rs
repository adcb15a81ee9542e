//! `POST prices/verify`: reads all that is kept of prices and holds it against the chain of the journal.

use super::{Parts, prices, waiting};
use crate::admin::AdminError;
use axum::Json;
use axum::extract::State;
use price_store::Verified;

pub(super) async fn verify(State(parts): Parts) -> Result<Json<Verified>, AdminError> {
    Ok(Json(waiting(prices(&parts)?, |store| store.verify()).await?))
}
