//! What was given back of an order becomes a credit note: an invoice of negative quantities that stands against the one Tryton
//! made of the order's sale (docs/connectors/tryton.md). Owns its wanted form, `tryton.credit_note/1`
//! (crates/mapping/schemas/tryton.credit_note.schema.json), and what of the original it is made of; moves no stock.

mod look;
mod plan;
mod write;

#[cfg(test)]
pub(super) mod tests;

use super::code;
use super::order::Marker;
use connector::port::{ExternalRef, Wanted};
use kernel::fault::{Fault, FaultKind};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub(super) use plan::plan;

/// The schema that a mapping into a credit note is checked against.
pub(super) const SCHEMA: &str = "tryton.credit_note/1";
/// A sale whose invoice is waited for.
pub(super) const INVOICE_OF: &str = "sale_invoice";

/// Whether it is a refund that is wanted, and not an order.
pub(super) fn is_wanted(wanted: &Wanted) -> bool {
    wanted.subject.kind() == "refund"
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct Credit {
    /// The reference of the sale that it stands against.
    pub(super) sale: String,
    pub(super) currency: String,
    description: String,
    comment: Option<String>,
    #[serde(default)]
    pub(super) lines: Vec<Line>,
    /// What was given back beyond the lines; negative where less was.
    pub(super) other: Decimal,
    pub(super) total: Decimal,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct Line {
    pub(super) product: Option<Marker>,
    description: String,
    pub(super) quantity: Decimal,
    /// Of all units, without tax.
    pub(super) net: Decimal,
    pub(super) tax: Decimal,
}

impl Credit {
    pub(super) fn read(body: &Value) -> Result<Self, Fault> {
        Self::deserialize(body).map_err(|error| {
            let what = format!(
                "the mapping's result is no {SCHEMA} ({error}): nothing was sent; correct the mapping"
            );
            Fault::new(FaultKind::Rejected, code::BODY, what)
        })
    }

    /// The lines that have an amount: units that came back for nothing are no matter of money.
    pub(super) fn worth(&self) -> impl Iterator<Item = &Line> {
        self.lines.iter().filter(|line| !line.net.is_zero() || !line.tax.is_zero())
    }

    fn is_nothing(&self) -> bool {
        self.total.is_zero() && self.other.is_zero() && self.worth().next().is_none()
    }
}

/// What a credit note is built from, [`Observation::context`](connector::port::Observation::context).
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(super) struct Context {
    /// Looked for where it may have to be made.
    pub(super) original: Option<Original>,
}

/// The invoice of the sale.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Original {
    pub(super) party: i64,
    pub(super) invoice_address: Option<i64>,
    pub(super) account: i64,
    pub(super) journal: Option<i64>,
    pub(super) currency: i64,
    pub(super) currency_code: String,
    pub(super) payment_term: Option<i64>,
    pub(super) lines: Vec<OriginalLine>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct OriginalLine {
    pub(super) id: i64,
    /// Id and code.
    pub(super) product: Option<(i64, String)>,
    pub(super) description: String,
    pub(super) account: i64,
    pub(super) unit: Option<i64>,
    pub(super) taxes: Vec<i64>,
    /// Of all its taxes.
    pub(super) rate: Decimal,
}

impl Original {
    /// The line that something was given back of: one of the same product, else of the same words, else any; of several the one
    /// whose taxes come nearest to what was given back of them.
    pub(super) fn of(&self, line: &Line) -> Option<&OriginalLine> {
        let code = line.product.as_ref().map(|marker| marker.reference.value.as_str());
        let same_product =
            |of: &&OriginalLine| code.is_some() && of.product.as_ref().map(|(_, code)| code.as_str()) == code;
        let same_words =
            |of: &&OriginalLine| of.product.is_none() && of.description == line.description.trim();
        let nearest = |of: &&OriginalLine| (line.net * of.rate - line.tax).abs();
        let all = || self.lines.iter();
        all()
            .filter(same_product)
            .min_by_key(nearest)
            .or_else(|| all().filter(same_words).min_by_key(nearest))
            .or_else(|| all().min_by_key(nearest))
    }
}

/// A credit note as Tryton has it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Note {
    pub(super) id: i64,
    pub(super) number: Option<String>,
    pub(super) state: String,
    pub(super) timestamp: Option<String>,
    /// Negative.
    pub(super) gross: Decimal,
}

impl Note {
    pub(super) fn external(&self) -> ExternalRef {
        ExternalRef { id: self.id.to_string(), number: self.number.clone(), state: Some(self.state.clone()) }
    }

    fn shown(&self) -> String {
        let name = self.number.clone().unwrap_or_else(|| format!("with id {}", self.id));
        format!("credit note {name} is in state {}", self.state)
    }
}
