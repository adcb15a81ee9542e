//! `GET prices/explain?sku&quantity&unit&currency&company_location&at`: one price with every step of its derivation.

use super::{Parts, prices};
use crate::admin::AdminError;
use crate::admin::asked::Question;
use crate::prices::{Explain, Explanation};
use axum::Json;
use axum::extract::State;

pub(super) async fn show(
    State(parts): Parts,
    Question(asked): Question<Explain>,
) -> Result<Json<Explanation>, AdminError> {
    Ok(Json(prices(&parts)?.explain(asked).await?))
}
