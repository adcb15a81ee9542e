//! `POST prices/function {company_location, skus, zone}`: the metafield by which a Shopify Function prices the carts of one company
//! location. It changes nothing.

use super::{Parts, prices};
use crate::admin::AdminError;
use crate::admin::asked::Body;
use crate::prices::{Carriage, Carry};
use axum::Json;
use axum::extract::State;

pub(super) async fn show(
    State(parts): Parts,
    Body(asked): Body<Carry>,
) -> Result<Json<Carriage>, AdminError> {
    Ok(Json(prices(&parts)?.function(asked).await?))
}
