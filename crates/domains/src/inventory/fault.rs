//! Why a level was refused. Always Rejected: the same level will not become better, and a newer one takes its place.

use crate::json::JsonFault;
use kernel::fault::{Fault, FaultKind};
use std::fmt;

/// What is wrong, for grouping; the texts may change, these do not. They begin as an order's do: triage lays them at the door of
/// whoever sent the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum StockCode {
    NotJson,
    /// A member without which there is no level.
    Missing,
    WrongType,
    /// No exact decimal, or none that a shelf holds.
    NotQuantity,
    Negative,
    /// A unit without a rule that says how many sales units it holds.
    UnknownUnit,
    /// The level of what is written down as a bundle.
    Bundle,
    /// The level of a location that is made of others.
    Pool,
    /// The level of a name under which the shop shows a part of what lies elsewhere.
    Outlet,
    /// A change of what no level was told of.
    NoLevel,
}

impl StockCode {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotJson => "body_not_json",
            Self::Missing => "body_field_missing",
            Self::WrongType => "body_field_type",
            Self::NotQuantity => "body_quantity_unreadable",
            Self::Negative => "body_quantity_negative",
            Self::UnknownUnit => "body_unit_unknown",
            Self::Bundle => "body_sku_is_bundle",
            Self::Pool => "body_location_is_pool",
            Self::Outlet => "body_location_is_outlet",
            Self::NoLevel => "body_change_without_level",
        }
    }
}

/// A refused level.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StockFault {
    pub code: StockCode,
    /// JSON path, `$.incoming[1].quantity`.
    pub path: String,
    /// For a person: what is wrong and what to write.
    pub message: String,
}

impl StockFault {
    pub(super) fn new(code: StockCode, path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code, path: path.into(), message: message.into() }
    }

    /// As the engine stores and shows it.
    #[must_use]
    pub fn into_fault(self) -> Fault {
        Fault::new(FaultKind::Rejected, self.code.as_str(), self.message).field(self.path)
    }
}

impl fmt::Display for StockFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.message)
    }
}

impl std::error::Error for StockFault {}

impl From<JsonFault> for StockFault {
    fn from(fault: JsonFault) -> Self {
        let message = format!("the level {}, byte {}", fault.problem, fault.offset);
        Self::new(StockCode::NotJson, fault.path(), message)
    }
}
