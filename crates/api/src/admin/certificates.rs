//! `GET certificates`: what redactions destroyed. Holds ids and counts alone.

use super::{AdminError, Parts};
use axum::Json;
use axum::extract::State;
use serde::Serialize;
use store::operate::Certificate;

#[derive(Debug, Serialize)]
pub(super) struct Certificates {
    certificates: Vec<Certificate>,
}

pub(super) async fn list(State(parts): Parts) -> Result<Json<Certificates>, AdminError> {
    Ok(Json(Certificates { certificates: parts.store.certificates().await? }))
}
