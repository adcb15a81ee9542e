//! `GET held?shop&customer`: what is held of a customer, by its subjects; for a data request.

use super::asked::Question;
use super::{AdminError, Parts};
use axum::Json;
use axum::extract::State;
use kernel::id::ShopId;
use serde::{Deserialize, Serialize};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    shop: ShopId,
    /// The source's id of the customer.
    customer: String,
}

#[derive(Debug, Serialize)]
pub(super) struct Held {
    shop: ShopId,
    customer: String,
    subjects: Vec<String>,
}

pub(super) async fn list(
    State(parts): Parts,
    Question(Asked { shop, customer }): Question<Asked>,
) -> Result<Json<Held>, AdminError> {
    let held = parts.store.held(&shop, std::slice::from_ref(&customer)).await?;
    Ok(Json(Held { shop, customer, subjects: held.iter().map(ToString::to_string).collect() }))
}
