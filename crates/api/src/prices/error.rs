//! What the prices' door refuses as a whole, and how: `{"error": {"code": "TG-72xx", "message": "…"}}`. A line that has no
//! price is no refusal: it says so in the answer.

use axum::Json;
use axum::response::{IntoResponse, Response};
use config::{Rate, Right};
use http::header::{CACHE_CONTROL, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use price_store::PriceStoreError;
use serde_json::json;
use std::time::Duration;

/// One refusal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct PriceError {
    pub status: StatusCode,
    pub code: &'static str,
    pub message: String,
    pub retry_after: Option<Duration>,
}

const SOON: Duration = Duration::from_secs(5);

impl PriceError {
    fn of(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), retry_after: None }
    }

    pub(super) fn unauthorized() -> Self {
        let message =
            "this needs the header Authorization: Bearer <token> of a caller below [prices.callers]";
        Self::of(StatusCode::UNAUTHORIZED, "TG-7201", message)
    }

    pub(super) fn not_allowed(caller: &str, right: Right) -> Self {
        let (what, word) = match right {
            Right::Resolve => ("ask for prices", "resolve"),
            Right::Load => ("bring prices", "load"),
        };
        let message = format!("{caller} may not {what}: \"{word}\" is not in prices.callers.{caller}.may");
        Self::of(StatusCode::FORBIDDEN, "TG-7202", message)
    }

    pub(super) fn too_often(caller: &str, rate: Rate, wait: Duration) -> Self {
        Self::paced(
            format!("{caller} asks more often than prices.callers.{caller}.rate_limit = \"{rate}\" allows"),
            wait,
        )
    }

    pub(super) fn storefront_too_often(shop: &str, wait: Duration) -> Self {
        Self::paced(
            format!("the storefront of {shop} asks more often than prices.storefront.rate_limit allows"),
            wait,
        )
    }

    fn paced(message: String, wait: Duration) -> Self {
        Self { retry_after: Some(wait), ..Self::of(StatusCode::TOO_MANY_REQUESTS, "TG-7203", message) }
    }

    /// The question is not as the endpoint takes it.
    pub(crate) fn mend(message: impl Into<String>) -> Self {
        Self::of(StatusCode::BAD_REQUEST, "TG-7204", message)
    }

    pub(crate) fn large(message: impl Into<String>) -> Self {
        Self::of(StatusCode::PAYLOAD_TOO_LARGE, "TG-7204", message)
    }

    pub(super) fn too_long() -> Self {
        Self::large(format!("a cart has at most {} KiB: ask in parts", super::BODY_BYTES_MAX >> 10))
    }

    pub(crate) fn unknown_buyer(company_location: &str) -> Self {
        let message = format!(
            "{company_location:?} is none of the locations in the terms of prices; leave company_location out to ask for \
             nobody in particular"
        );
        Self::of(StatusCode::UNPROCESSABLE_ENTITY, "TG-7205", message)
    }

    /// There is nothing to answer from.
    pub(crate) fn no_prices(message: impl Into<String>) -> Self {
        let refused = Self::of(StatusCode::SERVICE_UNAVAILABLE, "TG-7206", message);
        Self { retry_after: Some(SOON), ..refused }
    }

    /// The disk, or what is kept of prices. What counts goes on counting.
    pub(crate) fn disk(error: &dyn std::fmt::Display) -> Self {
        let message = format!("prices cannot be written now: {error}");
        Self { retry_after: Some(SOON), ..Self::of(StatusCode::SERVICE_UNAVAILABLE, "TG-7210", message) }
    }

    pub(crate) fn broke_off() -> Self {
        Self::disk(&"the work broke off, see the log")
    }

    /// Not forwarded by Shopify, or too long ago: one answer for all of it.
    pub(super) fn not_shopifys() -> Self {
        let message =
            "this is for requests that Shopify forwards from a storefront (app proxy), at most 90 s old";
        Self::of(StatusCode::UNAUTHORIZED, "TG-7211", message)
    }

    pub(super) fn not_for_storefronts() -> Self {
        Self::mend("at and why are not for storefronts: ask for now, and for the price alone")
    }

    /// One answer for a location that is another's and for one that is not.
    pub(super) fn not_theirs() -> Self {
        let message = "whoever is logged in has no role at this company location";
        Self::of(StatusCode::FORBIDDEN, "TG-7212", message)
    }

    pub(super) fn which(locations: &[Box<str>]) -> Self {
        let message = format!("say company_location: there are several, {}", locations.join(", "));
        Self::of(StatusCode::CONFLICT, "TG-7213", message)
    }

    pub(super) fn roles_unknown() -> Self {
        let message = "Shopify does not say now for whom this customer buys: ask again in a moment";
        Self { retry_after: Some(SOON), ..Self::of(StatusCode::SERVICE_UNAVAILABLE, "TG-7214", message) }
    }

    /// A former instant of which nothing is kept any more.
    pub(crate) fn not_kept(message: impl Into<String>) -> Self {
        Self::of(StatusCode::UNPROCESSABLE_ENTITY, "TG-7207", message)
    }
}

impl From<PriceStoreError> for PriceError {
    fn from(error: PriceStoreError) -> Self {
        use PriceStoreError as Refused;
        let message = told(&error);
        let (status, code) = match &error {
            Refused::Rows { .. }
            | Refused::Terms(_)
            | Refused::TermsUnreadable(_)
            | Refused::NeedsWhole(_) => (StatusCode::UNPROCESSABLE_ENTITY, "TG-7208"),
            Refused::ListFull | Refused::TooMany(_) => (StatusCode::UNPROCESSABLE_ENTITY, "TG-7208"),
            Refused::LookAgain(_) => (StatusCode::CONFLICT, "TG-7209"),
            Refused::NotHeld(_) => (StatusCode::NOT_FOUND, "TG-7209"),
            Refused::Nameless => (StatusCode::BAD_REQUEST, "TG-7204"),
            _ => return Self::disk(&error),
        };
        Self::of(status, code, message)
    }
}

/// With each fault that is known: who mends a file wants to see all of them.
fn told(error: &PriceStoreError) -> String {
    match error {
        PriceStoreError::Rows { faults, count } => {
            let of = if *count > faults.len() as u64 {
                format!(" (the first {})", faults.len())
            } else {
                String::new()
            };
            let lines: Vec<String> = faults.iter().map(ToString::to_string).collect();
            format!("{count} rows are refused, so that nothing of the load counts{of}:\n{}", lines.join("\n"))
        }
        PriceStoreError::Terms(faults) => {
            let lines: Vec<String> = faults.iter().map(ToString::to_string).collect();
            format!("the terms have {} faults:\n{}", faults.len(), lines.join("\n"))
        }
        PriceStoreError::LookAgain(held) => {
            let lines: Vec<String> = held.reasons.iter().map(ToString::to_string).collect();
            format!("{error}:\n{}", lines.join("\n"))
        }
        error => error.to_string(),
    }
}

impl IntoResponse for PriceError {
    fn into_response(self) -> Response {
        let body = json!({"error": {"code": self.code, "message": self.message}});
        let mut response = (self.status, Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static(super::NOT_KEPT));
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(wait) = self.retry_after {
            // Rounded up: who comes earlier is refused again.
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            headers.insert(RETRY_AFTER, seconds.into());
        }
        response
    }
}
