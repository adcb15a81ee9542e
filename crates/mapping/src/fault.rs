//! Why one fact could not be mapped. A mapping fault is `Rejected` (DESIGN section 5): the same input and the same
//! mapping give the same fault, so it becomes a dead letter that names the field; nothing is guessed instead.

use std::fmt;

use serde::Serialize;
use serde::ser::Serializer;

/// The kinds of fault when a mapping runs. Each has a page in `docs/errors/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FaultCode {
    /// TG-2101: the target requires the field and the source has no value.
    Missing,
    /// TG-2102: a decimal was expected.
    NotDecimal,
    /// TG-2103: the value is not in the look-up table.
    NotInTable,
    /// TG-2104: overflow, division by zero, or a result that is not exact.
    Arithmetic,
    /// TG-2105: not a date or time of the expected form.
    NotDate,
    /// TG-2106: the value cannot become the wanted type without loss.
    NotConvertible,
    /// TG-2107: an expression ended in an error.
    Expression,
    /// TG-2108: the value does not fit the target's field (length, type, allowed values).
    DoesNotFit,
    /// TG-2109: the context lacks what the mapping asks for.
    Context,
    /// TG-2110: the result would be larger than the bound.
    TooLarge,
}

impl FaultCode {
    /// Every code, in the order of its number.
    pub const ALL: [Self; 10] = [
        Self::Missing,
        Self::NotDecimal,
        Self::NotInTable,
        Self::Arithmetic,
        Self::NotDate,
        Self::NotConvertible,
        Self::Expression,
        Self::DoesNotFit,
        Self::Context,
        Self::TooLarge,
    ];

    /// The public code, `TG-2101` to `TG-2110`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "TG-2101",
            Self::NotDecimal => "TG-2102",
            Self::NotInTable => "TG-2103",
            Self::Arithmetic => "TG-2104",
            Self::NotDate => "TG-2105",
            Self::NotConvertible => "TG-2106",
            Self::Expression => "TG-2107",
            Self::DoesNotFit => "TG-2108",
            Self::Context => "TG-2109",
            Self::TooLarge => "TG-2110",
        }
    }
}

impl fmt::Display for FaultCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for FaultCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// The fault of one run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{code}: {target_path}: {message}")]
pub struct MapFault {
    /// What kind of fault this is.
    pub code: FaultCode,
    /// The source field that was read last, with list positions: `lines[3].sku`. Empty if none was.
    pub source_path: String,
    /// The target field that could not be written, with list positions.
    pub target_path: String,
    /// What is wrong and what to do, without the value itself.
    pub message: String,
    /// The offending value, shortened. It may hold personal data: seal it, do not log it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

/// A fault before it is known where it happened.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) code: FaultCode,
    pub(crate) message: String,
    pub(crate) value: Option<String>,
}

impl Failure {
    pub(crate) fn new(code: FaultCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), value: None }
    }

    pub(crate) fn with_value(code: FaultCode, message: impl Into<String>, value: &str) -> Self {
        Self { code, message: message.into(), value: Some(shorten(value)) }
    }
}

/// The first 80 characters: enough to recognise a value, too few to be a copy of the payload.
fn shorten(value: &str) -> String {
    const CHARS_MAX: usize = 80;
    if value.chars().count() <= CHARS_MAX {
        return value.to_owned();
    }
    let mut short: String = value.chars().take(CHARS_MAX).collect();
    short.push('…');
    short
}
