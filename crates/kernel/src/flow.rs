//! The words in which a flow is described: mode, when an order is exported and confirmed, what a later change
//! becomes. Owns their spelling in configuration; knows no order.

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// What a flow does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Facts are recorded and nothing is delivered.
    Off,
    /// All but send; writes no record and no external ref.
    Shadow,
    #[default]
    Live,
}

/// When an order is ready for the target; any one suffices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExportWhen {
    /// Financial status paid.
    Paid,
    /// Payment authorised, or paid.
    Authorised,
    /// The order has payment terms: it is paid later by agreement.
    PaymentTerms,
}

/// When the object in the target is confirmed. Text form: `at_once`, `after("15m")`, `paid`, `never`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum ConfirmWhen {
    #[default]
    AtOnce,
    /// Counted from the object's create, not restarted by a newer state.
    After(Duration),
    Paid,
    Never,
}

/// What a change becomes after the object was confirmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeBecomes {
    Amend,
    CounterDocument,
    Ticket,
}

/// `after_confirm` of a flow, by kind of change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AfterConfirm {
    pub address: ChangeBecomes,
    pub line: ChangeBecomes,
    pub cancel: ChangeBecomes,
}

impl Default for AfterConfirm {
    /// A person decides, until somebody has said otherwise.
    fn default() -> Self {
        Self { address: ChangeBecomes::Ticket, line: ChangeBecomes::Ticket, cancel: ChangeBecomes::Ticket }
    }
}

/// What happens to a difference between Shopify's totals and what the target computed. Text form: `adjust_line`,
/// `accept("0.05")`, `ticket`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Difference {
    AdjustLine,
    /// Up to this amount, in the order's currency.
    Accept(Decimal),
    #[default]
    Ticket,
}

/// The whole policy of one order flow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderPolicy {
    pub mode: Mode,
    /// Orders created before are filtered, whatever event they get, unless a backfill names them.
    pub go_live_at: Timestamp,
    pub export_when: BTreeSet<ExportWhen>,
    pub confirm_when: ConfirmWhen,
    pub after_confirm: AfterConfirm,
    pub difference: Difference,
}

/// A policy's text that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not one of {expected}")]
pub struct PolicyError {
    pub text: String,
    pub expected: &'static str,
}

fn argument<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let inner = text.trim().strip_prefix(name)?.trim_start().strip_prefix('(')?.strip_suffix(')')?;
    Some(inner.trim().trim_matches('"'))
}

impl FromStr for ConfirmWhen {
    type Err = PolicyError;
    fn from_str(text: &str) -> Result<Self, PolicyError> {
        let refused = || PolicyError {
            text: text.to_owned(),
            expected: "at_once, after(\"15m\"), paid, never; a duration needs its unit",
        };
        match text.trim() {
            "at_once" => Ok(Self::AtOnce),
            "paid" => Ok(Self::Paid),
            "never" => Ok(Self::Never),
            other => argument(other, "after").and_then(duration).map(Self::After).ok_or_else(refused),
        }
    }
}

impl FromStr for Difference {
    type Err = PolicyError;
    fn from_str(text: &str) -> Result<Self, PolicyError> {
        let refused =
            || PolicyError { text: text.to_owned(), expected: "adjust_line, accept(\"0.05\"), ticket" };
        match text.trim() {
            "adjust_line" => Ok(Self::AdjustLine),
            "ticket" => Ok(Self::Ticket),
            other => {
                let amount = argument(other, "accept").ok_or_else(refused)?;
                match Decimal::from_str_exact(amount) {
                    Ok(amount) if !amount.is_sign_negative() => Ok(Self::Accept(amount)),
                    _ => Err(refused()),
                }
            }
        }
    }
}

/// `90s`, `15m`, `2h`, `7d`, `250ms`; `None` where the unit is missing or unknown.
pub fn duration(text: &str) -> Option<Duration> {
    let text = text.trim();
    let split = text.find(|c: char| !c.is_ascii_digit())?;
    let number: u64 = text[..split].parse().ok()?;
    let seconds = match text[split..].trim() {
        "ms" => return Some(Duration::from_millis(number)),
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return None,
    };
    number.checked_mul(seconds).map(Duration::from_secs)
}

/// The text form of a duration, in its largest whole unit.
pub fn duration_text(duration: Duration) -> String {
    let ms = duration.as_millis();
    for (unit, size) in [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000)] {
        if ms >= size && ms.is_multiple_of(size) {
            return format!("{}{unit}", ms / size);
        }
    }
    format!("{ms}ms")
}

impl fmt::Display for ConfirmWhen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtOnce => f.write_str("at_once"),
            Self::After(wait) => write!(f, "after(\"{}\")", duration_text(*wait)),
            Self::Paid => f.write_str("paid"),
            Self::Never => f.write_str("never"),
        }
    }
}
impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AdjustLine => f.write_str("adjust_line"),
            Self::Accept(amount) => write!(f, "accept(\"{amount}\")"),
            Self::Ticket => f.write_str("ticket"),
        }
    }
}
impl TryFrom<String> for ConfirmWhen {
    type Error = PolicyError;
    fn try_from(text: String) -> Result<Self, PolicyError> {
        text.parse()
    }
}
impl From<ConfirmWhen> for String {
    fn from(when: ConfirmWhen) -> String {
        when.to_string()
    }
}
impl TryFrom<String> for Difference {
    type Error = PolicyError;
    fn try_from(text: String) -> Result<Self, PolicyError> {
        text.parse()
    }
}
impl From<Difference> for String {
    fn from(difference: Difference) -> String {
        difference.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies_are_read_back_as_they_are_written() {
        for text in ["at_once", "after(\"15m\")", "paid", "never"] {
            assert_eq!(text.parse::<ConfirmWhen>().unwrap().to_string(), text);
        }
        for text in ["adjust_line", "accept(\"0.05\")", "ticket"] {
            assert_eq!(text.parse::<Difference>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_duration_without_a_unit_and_a_negative_amount_are_refused() {
        for text in ["after(\"15\")", "after()", "later", "after(\"1y\")"] {
            assert!(text.parse::<ConfirmWhen>().is_err(), "{text}");
        }
        for text in ["accept(\"-1\")", "accept(\"x\")", "accept"] {
            assert!(text.parse::<Difference>().is_err(), "{text}");
        }
    }
}
