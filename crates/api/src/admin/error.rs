//! What the admin API refuses, and how: `{"error": {"code": "TG-70xx", "message": "…"}}`. A message says what is wrong
//! and what to do.

use super::prices::HydrateError;
use super::reconcile::CheckError;
use crate::prices::PriceError;
use crate::prices::pull::PullError;
use axum::Json;
use axum::response::{IntoResponse, Response};
use engine::work::WorkError;
use http::header::RETRY_AFTER;
use http::{Method, StatusCode, Uri};
use kernel::id::NameError;
use price_store::PriceStoreError;
use serde::Serialize;
use store::StoreError;

/// One refusal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct AdminError {
    pub status: StatusCode,
    pub code: &'static str,
    pub message: String,
}

/// As it is answered, and as the last line of a stream.
#[derive(Debug, Serialize)]
pub(super) struct Told<'a> {
    error: Error<'a>,
}

#[derive(Debug, Serialize)]
struct Error<'a> {
    code: &'a str,
    message: &'a str,
}

const STORE_RETRY_S: u32 = 5;

impl AdminError {
    fn of(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }

    pub(super) fn unauthorized() -> Self {
        let message = "this needs the header Authorization: Bearer <token> with the hub's admin token";
        Self::of(StatusCode::UNAUTHORIZED, "TG-7020", message)
    }
    /// The question is not as the endpoint takes it.
    pub(super) fn mend(message: impl Into<String>) -> Self {
        Self::of(StatusCode::BAD_REQUEST, "TG-7021", message)
    }
    pub(super) fn not_found(message: impl Into<String>) -> Self {
        Self::of(StatusCode::NOT_FOUND, "TG-7022", message)
    }
    pub(super) fn nothing_selected() -> Self {
        let message = "nothing says which dead letters are meant: name a fingerprint, ids, flow, system, shop or \
                       root; or write \"all\": true for every one";
        Self::of(StatusCode::BAD_REQUEST, "TG-7023", message)
    }
    /// A day that the source does not show to this app.
    pub(super) fn too_old(message: impl Into<String>) -> Self {
        Self::of(StatusCode::UNPROCESSABLE_ENTITY, "TG-7026", message)
    }
    pub(super) fn nothing_to_replay(message: impl Into<String>) -> Self {
        Self::of(StatusCode::CONFLICT, "TG-7027", message)
    }
    pub(super) fn no_backup(message: impl Into<String>) -> Self {
        Self::of(StatusCode::CONFLICT, "TG-7028", message)
    }

    /// A correction that cannot be taken.
    pub(super) fn not_mended(message: impl Into<String>) -> Self {
        Self::of(StatusCode::UNPROCESSABLE_ENTITY, "TG-7029", message)
    }

    /// It goes on with what is left when it is begun again.
    pub(super) fn hydration(error: &HydrateError) -> Self {
        match error.is_under_way {
            true => Self::of(StatusCode::CONFLICT, "TG-7033", error.to_string()),
            false => Self::of(StatusCode::BAD_GATEWAY, "TG-7215", error.to_string()),
        }
    }

    pub(super) fn prices_broke_off() -> Self {
        PriceError::broke_off().into()
    }

    pub(super) fn told(&self) -> Told<'_> {
        Told { error: Error { code: self.code, message: &self.message } }
    }
}

impl From<StoreError> for AdminError {
    fn from(error: StoreError) -> Self {
        Self::of(StatusCode::SERVICE_UNAVAILABLE, "TG-7024", error.to_string())
    }
}

/// As the prices' door says it.
impl From<PriceError> for AdminError {
    fn from(PriceError { status, code, message, .. }: PriceError) -> Self {
        Self { status, code, message }
    }
}

impl From<PriceStoreError> for AdminError {
    fn from(error: PriceStoreError) -> Self {
        PriceError::from(error).into()
    }
}

impl From<PullError> for AdminError {
    fn from(error: PullError) -> Self {
        let message = error.to_string();
        match error {
            PullError::Store(error) => error.into(),
            PullError::UnderWay(_) => Self::of(StatusCode::CONFLICT, "TG-7216", message),
            PullError::Source(fault) => {
                let message = format!(
                    "{}: {message}; what was loaded before counts, ask again to go on from there",
                    fault.code
                );
                Self::of(StatusCode::BAD_GATEWAY, "TG-7217", message)
            }
            PullError::Terms(_) => Self::of(StatusCode::UNPROCESSABLE_ENTITY, "TG-7208", message),
            PullError::Kept(_) | PullError::BrokeOff => {
                Self::of(StatusCode::SERVICE_UNAVAILABLE, "TG-7210", message)
            }
        }
    }
}

impl From<NameError> for AdminError {
    fn from(error: NameError) -> Self {
        Self::mend(error.to_string())
    }
}

impl From<WorkError> for AdminError {
    fn from(error: WorkError) -> Self {
        match error {
            WorkError::Store(error) => error.into(),
            WorkError::Source(_) | WorkError::Stopped => {
                let message = format!("{error}; what was done is committed: ask again to go on from there");
                Self::of(StatusCode::BAD_GATEWAY, "TG-7025", message)
            }
        }
    }
}

impl From<CheckError> for AdminError {
    fn from(error: CheckError) -> Self {
        match error {
            CheckError::Work(error) => error.into(),
            CheckError::Doubted(what) => Self::of(StatusCode::CONFLICT, "TG-7030", what),
            CheckError::UnderWay { .. } => Self::of(StatusCode::CONFLICT, "TG-7031", error.to_string()),
        }
    }
}

impl IntoResponse for AdminError {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(self.told())).into_response();
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(RETRY_AFTER, STORE_RETRY_S.into());
        }
        response
    }
}

pub(super) async fn no_such_endpoint(uri: Uri) -> AdminError {
    AdminError::not_found(format!("{} is no endpoint of admin v1; docs/api.md has all", uri.path()))
}

pub(super) async fn other_method(method: Method, uri: Uri) -> AdminError {
    let message = format!("{} does not take {method}; docs/api.md says what it takes", uri.path());
    AdminError::of(StatusCode::METHOD_NOT_ALLOWED, "TG-7021", message)
}
