//! What the back office says when it will not do something: `{"error": {"code", "message", "field"}}` under a 4xx or
//! 5xx status. The codes are stable; the messages are for people.

use serde_json::{Value, json};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub code: Code,
    pub message: String,
    /// `lines[3].sku`, where one field is to blame.
    pub field: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Code {
    BadRequest,
    Unauthorized,
    NotFound,
    MethodNotAllowed,
    TooLarge,
    UnknownItem,
    UnknownSale,
    UnknownParty,
    UnknownCurrency,
    UnknownPaymentTerm,
    UnknownTax,
    Refused,
    PartyBlocked,
    ClosedPeriod,
    TotalsMismatch,
    DuplicateReference,
    DuplicateItem,
    VersionRequired,
    VersionMismatch,
    AlreadyConfirmed,
    AlreadyCancelled,
    NotDraft,
    IdempotencyConflict,
    IdempotencyInProgress,
    Throttled,
    InternalError,
    Unavailable,
}

impl Code {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BadRequest => "bad_request",
            Self::Unauthorized => "unauthorized",
            Self::NotFound => "not_found",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::TooLarge => "too_large",
            Self::UnknownItem => "unknown_item",
            Self::UnknownSale => "unknown_sale",
            Self::UnknownParty => "unknown_party",
            Self::UnknownCurrency => "unknown_currency",
            Self::UnknownPaymentTerm => "unknown_payment_term",
            Self::UnknownTax => "unknown_tax",
            Self::Refused => "refused",
            Self::PartyBlocked => "party_blocked",
            Self::ClosedPeriod => "closed_period",
            Self::TotalsMismatch => "totals_mismatch",
            Self::DuplicateReference => "duplicate_reference",
            Self::DuplicateItem => "duplicate_item",
            Self::VersionRequired => "version_required",
            Self::VersionMismatch => "version_mismatch",
            Self::AlreadyConfirmed => "already_confirmed",
            Self::AlreadyCancelled => "already_cancelled",
            Self::NotDraft => "not_draft",
            Self::IdempotencyConflict => "idempotency_conflict",
            Self::IdempotencyInProgress => "idempotency_in_progress",
            Self::Throttled => "throttled",
            Self::InternalError => "internal_error",
            Self::Unavailable => "unavailable",
        }
    }

    pub fn status(self) -> u16 {
        match self {
            Self::BadRequest => 400,
            Self::Unauthorized => 401,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::TooLarge => 413,
            Self::DuplicateReference
            | Self::DuplicateItem
            | Self::AlreadyConfirmed
            | Self::AlreadyCancelled
            | Self::NotDraft
            | Self::IdempotencyConflict
            | Self::IdempotencyInProgress => 409,
            Self::VersionMismatch => 412,
            Self::VersionRequired => 428,
            Self::Throttled => 429,
            Self::InternalError => 500,
            Self::Unavailable => 503,
            Self::UnknownItem
            | Self::UnknownSale
            | Self::UnknownParty
            | Self::UnknownCurrency
            | Self::UnknownPaymentTerm
            | Self::UnknownTax
            | Self::Refused
            | Self::PartyBlocked
            | Self::ClosedPeriod
            | Self::TotalsMismatch => 422,
        }
    }
}

impl Refusal {
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), field: None }
    }

    pub fn of_field(code: Code, field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), field: Some(field.into()) }
    }

    pub fn body(&self) -> Value {
        json!({ "error": { "code": self.code.as_str(), "message": self.message, "field": self.field } })
    }
}
