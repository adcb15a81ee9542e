//! The wanted sale as a mapping makes it: `tryton.sale/1` (crates/mapping/schemas/tryton.sale.schema.json), typed.
//! Owns its reading and what each line's key is; knows no Tryton.

use super::code;
use jiff::civil::Date;
use kernel::fault::{Fault, FaultKind, Reference};
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::Value;

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct Order {
    pub(super) party: Marker,
    pub(super) invoice_address: Option<Address>,
    pub(super) shipment_address: Option<Address>,
    pub(super) currency: String,
    pub(super) sale_date: Date,
    pub(super) payment_term: Option<Marker>,
    pub(super) po_number: Option<String>,
    description: String,
    comment: Option<String>,
    pub(super) lines: Vec<Line>,
    pub(super) totals: Totals,
}

/// `{"$ref": {"kind": "party", "value": "CUST-001"}}`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Marker {
    #[serde(rename = "$ref")]
    pub(super) reference: Reference,
}

/// As the order has it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub(super) struct Address {
    pub(super) name: Option<String>,
    pub(super) company: Option<String>,
    street: Option<String>,
    street2: Option<String>,
    pub(super) city: Option<String>,
    pub(super) postal_code: Option<String>,
    pub(super) subdivision_code: Option<String>,
    pub(super) country_code: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct Line {
    pub(super) kind: String,
    pub(super) product: Option<Marker>,
    description: String,
    pub(super) quantity: Decimal,
    pub(super) unit_price: Decimal,
    pub(super) net: Decimal,
    pub(super) taxes: Vec<Tax>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct Tax {
    pub(super) rate: Decimal,
    pub(super) amount: Decimal,
    pub(super) title: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(super) struct Totals {
    pub(super) net: Decimal,
    pub(super) tax: Decimal,
    pub(super) gross: Decimal,
}

impl Order {
    /// What a mapping for this schema always makes; anything else is told and nothing is sent.
    pub(super) fn read(body: &Value) -> Result<Self, Fault> {
        Self::deserialize(body).map_err(|error| {
            let what = format!(
                "the mapping's result is no tryton.sale/1 ({error}): nothing was sent; correct the mapping"
            );
            Fault::new(FaultKind::Rejected, code::BODY, what)
        })
    }

    /// With the buyer's number in it: a sale has no field of its own for that.
    pub(super) fn description(&self) -> String {
        let description = self.description.trim();
        match self.po_number.as_deref().map(str::trim) {
            Some(po_number) if !po_number.is_empty() && !description.contains(po_number) => {
                format!("{description} / {po_number}").trim_start_matches(" / ").to_owned()
            }
            _ => description.to_owned(),
        }
    }

    pub(super) fn comment(&self) -> Option<&str> {
        self.comment.as_deref().map(str::trim).filter(|comment| !comment.is_empty())
    }
}

impl Address {
    /// Street and what stands below it, as Tryton keeps them: one text of lines.
    pub(super) fn street(&self) -> Option<String> {
        let lines = [self.street.as_deref(), self.street2.as_deref()];
        let lines: Vec<&str> = lines.into_iter().flatten().map(str::trim).filter(|l| !l.is_empty()).collect();
        (!lines.is_empty()).then(|| lines.join("\n"))
    }

    /// Nothing in it: as good as none.
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Line {
    pub(super) fn description(&self) -> &str {
        self.description.trim()
    }
}

impl Tax {
    /// By what it is told from others: its rate and the shop's title.
    pub(super) fn key(&self) -> String {
        format!("{} {}", self.rate.normalize(), self.title.as_deref().unwrap_or_default().trim())
    }
}
