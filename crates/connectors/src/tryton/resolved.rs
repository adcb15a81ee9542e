//! The references of a wanted sale as Tryton has them: what `plan` builds calls from. Owns the form in which an
//! observation carries them; asks nothing.

use super::order::{Line, Tax};
use connector::port::{MissingReference, Observation};
use kernel::fault::{Fault, FaultKind, Reference};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// [`Observation::context`].
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(super) struct Context {
    /// By [`Tax::key`]: the tax of Tryton, or none where a rate of zero has none.
    pub(super) taxes: BTreeMap<String, Option<i64>>,
    /// Looked for where something may have to be written.
    pub(super) resolved: Option<Resolved>,
    /// References that cannot be used, each with its field: two products of one code.
    pub(super) unclear: Vec<Unclear>,
    /// The closed accounting period that the order is dated in.
    pub(super) closed_period: Option<String>,
    /// Whether Tryton would add a line of its own for shipping: looked for where a sale may have to be made.
    pub(super) adds_shipping: bool,
    /// The sale that stands against this one.
    pub(super) counter: Option<Counter>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Unclear {
    pub(super) field: String,
    pub(super) why: String,
}

/// A counter document, as far as it has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Counter {
    pub(super) id: i64,
    pub(super) number: Option<String>,
    pub(super) state: String,
}

/// Ids. What is missing is in [`Observation::missing`] as well, and then nothing is built from this.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(super) struct Resolved {
    pub(super) party: Option<i64>,
    pub(super) currency: Option<i64>,
    pub(super) payment_term: Option<i64>,
    pub(super) warehouse: Option<i64>,
    /// By code.
    pub(super) products: BTreeMap<String, Product>,
    pub(super) invoice_address: Where,
    pub(super) shipment_address: Where,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Product {
    pub(super) id: i64,
    pub(super) unit: i64,
}

/// Where an address is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Where {
    /// The party has none at all.
    #[default]
    Nowhere,
    At(i64),
    /// It has to be made: country and subdivision are found.
    Make {
        country: Option<i64>,
        subdivision: Option<i64>,
    },
}

impl Context {
    pub(super) fn of(observation: &Observation) -> Self {
        serde_json::from_value(observation.context.clone()).unwrap_or_default()
    }

    pub(super) fn value(&self) -> serde_json::Value {
        serde_json::to_value(self).unwrap_or_default()
    }

    /// The taxes that Tryton is to compute, by id.
    pub(super) fn tax_ids(&self, taxes: &[Tax]) -> Vec<i64> {
        let mut ids: Vec<i64> =
            taxes.iter().filter_map(|tax| self.taxes.get(&tax.key()).copied().flatten()).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }
}

/// The code of the product that a line is sold as.
pub(super) fn product_of<'a>(line: &'a Line, by_kind: &'a BTreeMap<String, String>) -> Option<&'a str> {
    match &line.product {
        Some(marker) => Some(&marker.reference.value),
        None => by_kind.get(&line.kind).map(String::as_str),
    }
}

/// The first missing reference as a fault; further ones are named in it.
pub(super) fn missing_fault(missing: &[MissingReference]) -> Option<Fault> {
    let (first, rest) = missing.split_first()?;
    let Reference { kind, value } = &first.reference;
    let mut message = match &first.similar {
        Some(similar) => format!(
            "Tryton has no {} {value:?}, but {similar:?}, which {}: correct one of the two",
            words(kind),
            nearness(value, similar)
        ),
        None => format!("Tryton has no {} {value:?}: create it there", words(kind)),
    };
    message.push_str("; this is released by itself as soon as it exists");
    if !rest.is_empty() {
        let others: Vec<String> = rest.iter().take(5).map(|missing| missing.reference.to_string()).collect();
        let more = if rest.len() > others.len() { ", …" } else { "" };
        message.push_str(&format!(" (and {} more: {}{more})", rest.len(), others.join(", ")));
    }
    let fault = Fault::new(FaultKind::Rejected, format!("missing_{kind}"), message);
    Some(fault.field(first.field.clone()).missing(kind, value))
}

fn words(kind: &str) -> String {
    kind.replace('_', " ")
}

/// How two texts differ that are the same without case and blanks.
fn nearness(wanted: &str, similar: &str) -> &'static str {
    let (wanted_trimmed, similar_trimmed) = (wanted.trim(), similar.trim());
    if wanted_trimmed == similar_trimmed {
        let leads = |text: &str| text.starts_with(char::is_whitespace);
        let at_start = leads(wanted) != leads(similar);
        return if at_start { "differs by a leading blank" } else { "differs by a trailing blank" };
    }
    if wanted_trimmed.to_lowercase() == similar_trimmed.to_lowercase() {
        return if wanted == wanted_trimmed && similar == similar_trimmed {
            "differs by case"
        } else {
            "differs by case and blanks"
        };
    }
    "differs by blanks within"
}

/// Two codes that a person would take for one.
pub(super) fn alike(one: &str, other: &str) -> bool {
    let plain = |text: &str| text.split_whitespace().collect::<String>().to_lowercase();
    plain(one) == plain(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_two_codes_differ_is_said() {
        let table = [
            ("SKU-1 ", "SKU-1", "differs by a trailing blank"),
            (" SKU-1", "SKU-1", "differs by a leading blank"),
            ("sku-1", "SKU-1", "differs by case"),
            ("sku-1 ", "SKU-1", "differs by case and blanks"),
            ("SKU- 1", "SKU-1", "differs by blanks within"),
        ];
        for (wanted, similar, expected) in table {
            assert!(alike(wanted, similar), "{wanted:?} {similar:?}");
            assert_eq!(nearness(wanted, similar), expected, "{wanted:?} {similar:?}");
        }
        assert!(!alike("SKU-1", "SKU-10"));
    }
}
