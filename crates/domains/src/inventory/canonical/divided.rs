//! Over which of the shop's locations something is divided, in the canonical state and for a person.

use super::Term;
use crate::inventory::division::Takes;
use crate::inventory::outlets::Outlet;
use crate::inventory::rules::Rules;
use schemars::JsonSchema;
use serde::Serialize;

/// One of several of the shop's locations that units are divided over. Without percent and units it has what the others leave.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "StockOutlet")]
pub(in super::super) struct Shown {
    /// As the flow's `outlets` call it.
    location: String,
    /// Of what is free, rounded down; of the first also what rounding leaves where no other has the rest.
    #[serde(skip_serializing_if = "Option::is_none")]
    percent: Option<u8>,
    /// So many sales units, as long as there are.
    #[serde(skip_serializing_if = "Option::is_none")]
    units: Option<i64>,
}

impl Shown {
    fn of(outlet: &Outlet) -> Self {
        let (percent, units) = match outlet.takes {
            Takes::Percent(percent) => (Some(percent), None),
            Takes::Units(units) => (None, Some(units)),
            Takes::Rest => (None, None),
        };
        Self { location: outlet.location.clone(), percent, units }
    }
}

/// How what is shown at a location is divided, where it is; with the parts of what is available, where that is known.
pub(in super::super) fn divided(
    location: &str,
    available: Option<i64>,
    rules: &Rules,
    why: &mut Vec<Term>,
) -> Vec<Shown> {
    let divisions = rules.outlets().divisions(location);
    for (outlet, division) in &divisions {
        let part =
            available.map(|available| format!(", now {}", division.part(available))).unwrap_or_default();
        let text = format!("of what is free of these, {} shows {}{part}", outlet.location, outlet.takes);
        why.push(Term { adds: None, text });
    }
    divisions.into_iter().map(|(outlet, _)| Shown::of(outlet)).collect()
}
