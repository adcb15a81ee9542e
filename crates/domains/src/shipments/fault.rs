//! Why a shipment was refused as its source told it. Always Rejected: the same one will not become better, and a newer state
//! of it takes its place.

use crate::json::JsonFault;
use kernel::fault::{Fault, FaultKind};
use std::fmt;

/// What is wrong, for grouping; the texts may change, these do not. They begin as an order's do: triage lays them at the door of
/// whoever sent the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ShipmentCode {
    NotJson,
    /// A member without which there is no shipment.
    Missing,
    WrongType,
    /// No whole number of units that anybody sends.
    NotQuantity,
    /// A shipment of nothing.
    Empty,
    /// More lines or numbers than any shipment has.
    TooMany,
}

impl ShipmentCode {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotJson => "body_not_json",
            Self::Missing => "body_field_missing",
            Self::WrongType => "body_field_type",
            Self::NotQuantity => "body_quantity_unreadable",
            Self::Empty => "body_shipment_empty",
            Self::TooMany => "body_shipment_too_large",
        }
    }
}

/// A refused shipment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShipmentFault {
    pub code: ShipmentCode,
    /// JSON path, `$.lines[1].quantity`.
    pub path: String,
    /// For a person: what is wrong and what to write.
    pub message: String,
}

impl ShipmentFault {
    pub(super) fn new(code: ShipmentCode, path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code, path: path.into(), message: message.into() }
    }

    /// As the engine stores and shows it.
    #[must_use]
    pub fn into_fault(self) -> Fault {
        Fault::new(FaultKind::Rejected, self.code.as_str(), self.message).field(self.path)
    }
}

impl fmt::Display for ShipmentFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.message)
    }
}

impl std::error::Error for ShipmentFault {}

impl From<JsonFault> for ShipmentFault {
    fn from(fault: JsonFault) -> Self {
        let message = format!("the shipment {}, byte {}", fault.problem, fault.offset);
        Self::new(ShipmentCode::NotJson, fault.path(), message)
    }
}
