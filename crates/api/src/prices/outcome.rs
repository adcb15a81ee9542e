//! What became of a load, on the wire: one word, the difference, and why it is held.

use price_store::{Outcome, Reason};
use serde_json::{Value, json};

/// One word for what became of a load, and the difference.
pub(crate) fn outcome_told(outcome: &Outcome) -> Value {
    let words = |reasons: &[Reason]| -> Vec<String> { reasons.iter().map(ToString::to_string).collect() };
    match outcome {
        Outcome::Live { load, version, diff } => {
            json!({ "outcome": "live", "load": load, "version": version, "difference": diff })
        }
        Outcome::Unchanged { load, version, diff } => {
            json!({ "outcome": "unchanged", "load": load, "version": version, "difference": diff })
        }
        Outcome::Held { load, diff, reasons } => {
            json!({ "outcome": "held", "load": load, "difference": diff, "because": words(reasons), "reasons": reasons })
        }
        Outcome::DryRun { diff, reasons } => {
            json!({ "outcome": "dry_run", "difference": diff, "because": words(reasons), "reasons": reasons })
        }
    }
}
