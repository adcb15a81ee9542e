//! What an error says must happen next (DESIGN section 5). A fault is classified once, by the connector; nothing
//! after it looks at texts.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;

/// The seven kinds. The table of DESIGN section 5 is the source of each method here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// Nothing reached the target, or a read failed, or the connector declares that nothing was done.
    Transient,
    /// 429, Shopify cost.
    Throttled,
    /// A write whose first byte may have left and whose answer is not conclusive.
    Ambiguous,
    /// Version, duplicate, stale compare.
    Conflict,
    /// 401; 403 on the health call.
    Unauthorized,
    /// Other 4xx, `userErrors`, mapping error.
    Rejected,
    /// Our own invariant broke.
    Bug,
}

/// Who hears of it when it ends in a dead letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    Info,
    Ticket,
    Page,
}

impl FaultKind {
    pub const ALL: [FaultKind; 7] = [
        FaultKind::Transient,
        FaultKind::Throttled,
        FaultKind::Ambiguous,
        FaultKind::Conflict,
        FaultKind::Unauthorized,
        FaultKind::Rejected,
        FaultKind::Bug,
    ];
    pub fn as_str(self) -> &'static str {
        match self {
            FaultKind::Transient => "transient",
            FaultKind::Throttled => "throttled",
            FaultKind::Ambiguous => "ambiguous",
            FaultKind::Conflict => "conflict",
            FaultKind::Unauthorized => "unauthorized",
            FaultKind::Rejected => "rejected",
            FaultKind::Bug => "bug",
        }
    }
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
    /// Spends an attempt, if the system was proved well since the lane's attempt before.
    pub fn spends_attempt(self) -> bool {
        matches!(self, FaultKind::Transient | FaultKind::Ambiguous)
    }
    pub fn trips_breaker(self) -> bool {
        matches!(self, FaultKind::Transient | FaultKind::Ambiguous | FaultKind::Unauthorized)
    }
    /// Ends in a dead letter at once.
    pub fn is_final(self) -> bool {
        matches!(self, FaultKind::Rejected | FaultKind::Bug)
    }
    pub fn severity(self) -> Severity {
        match self {
            FaultKind::Transient | FaultKind::Throttled => Severity::Info,
            FaultKind::Ambiguous | FaultKind::Conflict | FaultKind::Rejected => Severity::Ticket,
            FaultKind::Unauthorized | FaultKind::Bug => Severity::Page,
        }
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A fault as it is stored, shown and acted on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    pub kind: FaultKind,
    /// The target's or our own code, short and stable: `unknown_item`, `http_502`, `time_out`, `TG-2104`.
    pub code: String,
    /// For a person: what is wrong and what to do. No personal data, no secret.
    pub message: String,
    /// The field that is at fault, as a path, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The reference that is missing, where that is the cause.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing: Option<Reference>,
    /// When the target said to come back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<Duration>,
    /// Which call failed, where many things went in it: they count once toward the breaker. Means nothing once the call is
    /// over, so it is not stored.
    #[serde(skip)]
    pub shared_call: Option<u64>,
}

/// A thing in another system that a fact refers to: a SKU, a party, a payment term, a tax.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Reference {
    /// `item`, `party`, `payment_term`, `tax`, `period`, `currency`.
    pub kind: String,
    /// As the source spells it.
    pub value: String,
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?}", self.kind, self.value)
    }
}

impl Fault {
    pub fn new(kind: FaultKind, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            kind,
            code: code.into(),
            message: message.into(),
            field: None,
            missing: None,
            retry_after: None,
            shared_call: None,
        }
    }
    pub fn field(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }
    pub fn missing(mut self, kind: impl Into<String>, value: impl Into<String>) -> Self {
        self.missing = Some(Reference { kind: kind.into(), value: value.into() });
        self
    }
    pub fn retry_after(mut self, after: Duration) -> Self {
        self.retry_after = Some(after);
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}): {}", self.kind, self.code, self.message)?;
        if let Some(field) = &self.field {
            write!(f, " [{field}]")?;
        }
        Ok(())
    }
}
impl std::error::Error for Fault {}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table of DESIGN section 5, row by row: spends an attempt, trips the breaker, final, severity.
    #[test]
    fn the_table_of_the_design() {
        use FaultKind::*;
        let table = [
            (Transient, true, true, false, Severity::Info),
            (Throttled, false, false, false, Severity::Info),
            (Ambiguous, true, true, false, Severity::Ticket),
            (Conflict, false, false, false, Severity::Ticket),
            (Unauthorized, false, true, false, Severity::Page),
            (Rejected, false, false, true, Severity::Ticket),
            (Bug, false, false, true, Severity::Page),
        ];
        for (kind, spends, trips, is_final, severity) in table {
            assert_eq!(
                (kind.spends_attempt(), kind.trips_breaker(), kind.is_final(), kind.severity()),
                (spends, trips, is_final, severity),
                "{kind}"
            );
            assert_eq!(FaultKind::parse(kind.as_str()), Some(kind));
        }
    }
}
