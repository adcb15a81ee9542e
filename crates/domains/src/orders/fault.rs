//! Why a body was refused: the code, the path and a sentence. Always Rejected: the same body will not become better.

use std::fmt;

use kernel::fault::{Fault, FaultKind};

use crate::json::{JsonFault, JsonProblem};

/// What is wrong, for grouping; the texts may change, these do not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum BodyCode {
    /// Not JSON at all, or JSON that is refused (depth, duplicate keys, numbers beyond range).
    NotJson,
    /// A member without which there is no order.
    Missing,
    WrongType,
    UnknownCurrency,
    /// Money of another currency than the order's.
    OtherCurrency,
    NotDecimal,
    Negative,
    /// A status or kind that the API version does not have.
    UnknownValue,
    /// The totals do not follow from the lines.
    TotalsDisagree,
    /// A GraphQL answer with pages missing, or with more than the documents can read.
    Incomplete,
    /// The answer says that there is no such order.
    NoSuchOrder,
}

impl BodyCode {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotJson => "body_not_json",
            Self::Missing => "body_field_missing",
            Self::WrongType => "body_field_type",
            Self::UnknownCurrency => "body_currency_unknown",
            Self::OtherCurrency => "body_currency_other",
            Self::NotDecimal => "body_amount_unreadable",
            Self::Negative => "body_amount_negative",
            Self::UnknownValue => "body_value_unknown",
            Self::TotalsDisagree => "body_totals_disagree",
            Self::Incomplete => "body_incomplete",
            Self::NoSuchOrder => "order_not_found",
        }
    }
}

/// A refused body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BodyFault {
    pub code: BodyCode,
    /// JSON path into the body, `$.line_items[3].price`.
    pub path: String,
    /// For a person; holds no personal data: of the body only amounts, currencies and statuses are repeated.
    pub message: String,
}

impl BodyFault {
    pub(crate) fn new(code: BodyCode, path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code, path: path.into(), message: message.into() }
    }

    /// As the engine stores and shows it.
    #[must_use]
    pub fn into_fault(self) -> Fault {
        Fault::new(FaultKind::Rejected, self.code.as_str(), self.message).field(self.path)
    }
}

impl fmt::Display for BodyFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.message)
    }
}

impl std::error::Error for BodyFault {}

impl From<JsonFault> for BodyFault {
    fn from(fault: JsonFault) -> Self {
        let advice = match fault.problem {
            JsonProblem::Truncated => "; the sender's copy is needed, this one is cut off",
            JsonProblem::DuplicateKey => "; which of the two counts cannot be known",
            _ => "",
        };
        Self::new(
            BodyCode::NotJson,
            fault.path(),
            format!("the body {}, byte {}{advice}", fault.problem, fault.offset),
        )
    }
}
