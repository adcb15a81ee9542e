//! Why the warehouse does not do what it is asked to: a code for machines and a sentence for people.

use std::fmt;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Of HTTP.
    pub status: u16,
    pub code: &'static str,
    pub message: String,
    /// Of what was sent, where one is to blame.
    pub field: Option<&'static str>,
}

impl Refusal {
    pub(super) fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), field: None }
    }

    pub(super) fn of(self, field: &'static str) -> Self {
        Self { field: Some(field), ..self }
    }

    pub(super) fn unknown_pair(sku: &str, location: Option<&str>) -> Self {
        let place = location.map(|location| format!(" at {location}")).unwrap_or_default();
        Self::new(422, "unknown_item", format!("there is no {sku}{place}"))
    }

    pub(super) fn unknown_order(order: &str) -> Self {
        Self::new(404, "not_found", format!("there is no order {order}"))
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for Refusal {}
