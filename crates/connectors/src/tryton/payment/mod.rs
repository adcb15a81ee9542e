//! What was paid for an order becomes a payment in Tryton: a receivable one whose origin is the order's sale, as the module
//! `sale_payment` has it (docs/connectors/tryton.md). Owns its wanted form, `tryton.payment/1`
//! (crates/mapping/schemas/tryton.payment.schema.json), and how far it is brought; processes and clears nothing: that is done
//! with the payout, by whoever reconciles it.

mod look;
mod plan;

#[cfg(test)]
pub(super) mod tests;

use super::code;
use connector::port::{ExternalRef, Wanted};
use jiff::civil::Date;
use kernel::fault::{Fault, FaultKind};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub(super) use plan::plan;

/// The schema that a mapping into a payment is checked against.
pub(super) const SCHEMA: &str = "tryton.payment/1";
/// A sale that is waited for until it is a quotation at least: Tryton takes no payment for a draft.
pub(super) const SALE: &str = "quoted_sale";
/// A payment journal that is waited for, by its name.
pub(super) const JOURNAL: &str = "payment_journal";

/// Whether it is a payment that is wanted, and no order.
pub(super) fn is_wanted(wanted: &Wanted) -> bool {
    wanted.subject.kind() == "payment"
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct Payment {
    /// The reference of the sale that it is for.
    pub(super) sale: String,
    pub(super) currency: String,
    pub(super) amount: Decimal,
    pub(super) date: Date,
    /// By its name.
    pub(super) journal: String,
}

impl Payment {
    pub(super) fn read(body: &Value) -> Result<Self, Fault> {
        Self::deserialize(body).map_err(|error| {
            let what = format!(
                "the mapping's result is no {SCHEMA} ({error}): nothing was sent; correct the mapping"
            );
            Fault::new(FaultKind::Rejected, code::BODY, what)
        })
    }
}

/// What a payment is made of, [`Observation::context`](connector::port::Observation::context).
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(super) struct Context {
    pub(super) sale: Option<Sale>,
    pub(super) journal: Option<Journal>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Sale {
    pub(super) id: i64,
    pub(super) state: String,
    /// Who is invoiced.
    pub(super) party: i64,
    pub(super) currency: String,
    /// What of its posted invoices is still to be paid: the line, and how much.
    pub(super) open: Vec<(i64, Decimal)>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Journal {
    pub(super) id: i64,
    pub(super) currency: String,
}

/// A payment as Tryton has it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Stored {
    pub(super) id: i64,
    pub(super) number: Option<String>,
    pub(super) state: String,
    pub(super) timestamp: Option<String>,
    pub(super) amount: Decimal,
}

impl Stored {
    pub(super) fn external(&self) -> ExternalRef {
        ExternalRef { id: self.id.to_string(), number: self.number.clone(), state: Some(self.state.clone()) }
    }
}
