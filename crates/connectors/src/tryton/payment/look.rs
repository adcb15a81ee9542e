//! What Tryton has of a payment: the one under its key, and where there is none, the sale and the journal that it is made of.
//! Its search reads the database itself and does not lag.

use super::super::ask::Ask;
use super::super::wire;
use super::{Context, Journal, Payment, Sale, Stored};
use connector::outbound::{Access, Failure, classify};
use connector::port::{ObjectState, Observation, Observed, Wanted};
use kernel::fault::Fault;
use rust_decimal::Decimal;
use serde_json::{Value, json};

const PAYMENT: [&str; 4] = ["number", "state", "amount", "_timestamp"];
const OF_SALE: [&str; 5] = ["state", "party", "invoice_party", "currency.code", "invoices"];
const OF_INVOICE: [&str; 3] = ["state", "lines_to_pay.reconciliation", "lines_to_pay.payment_amount"];

impl Ask<'_> {
    pub(in super::super) async fn observe_payment(&self, wanted: &Wanted) -> Result<Observation, Fault> {
        let mut found = self.payments(json!(["reference", "=", wanted.object_key.as_str()])).await?;
        let known = wanted.known.as_ref().and_then(|known| known.id.parse::<i64>().ok());
        if let (true, Some(known)) = (found.is_empty(), known) {
            found = self.payments(json!(["id", "=", known])).await?;
        }
        let object = match found.as_slice() {
            [] => Observed::None,
            [payment] => {
                let stored = stored(payment).ok_or_else(|| unreadable("a payment"))?;
                let body = serde_json::to_value(&stored).unwrap_or_default();
                Observed::One(ObjectState { external: stored.external(), body, adopted: false })
            }
            several => Observed::Many(several.iter().filter_map(wire::id).map(|id| id.to_string()).collect()),
        };
        let mut context = Context::default();
        // A body that cannot be read is told by `plan`.
        if let (Ok(payment), Observed::None) = (Payment::read(&wanted.body), &object) {
            context.sale = self.sale_paid(&payment.sale).await?;
            context.journal = self.journal(&payment.journal).await?;
        }
        let context = serde_json::to_value(&context).unwrap_or_default();
        Ok(Observation { object, context, missing: Vec::new() })
    }

    async fn payments(&self, which: Value) -> Result<Vec<Value>, Fault> {
        let domain = json!([["company", "=", self.config.company], ["kind", "=", "receivable"], which]);
        self.records("account.payment", domain, &PAYMENT).await
    }

    /// `None`: there is none, or more than one.
    async fn sale_paid(&self, reference: &str) -> Result<Option<Sale>, Fault> {
        let Some(record) = self.sale_called(reference, &OF_SALE).await? else { return Ok(None) };
        let record = &record;
        let id = |field: &str| record.get(field).and_then(Value::as_i64);
        let invoices = wire::ids(record, "invoices");
        let sale = || {
            Some(Sale {
                id: wire::id(record)?,
                state: wire::text(record, "state")?,
                party: id("invoice_party").or_else(|| id("party"))?,
                currency: wire::linked_text(record, "currency", "code")?,
                open: Vec::new(),
            })
        };
        let mut sale = sale().ok_or_else(|| unreadable("a sale"))?;
        if !invoices.is_empty() {
            let params = vec![json!(invoices), json!(OF_INVOICE)];
            let records = self.call("model.account.invoice.read", params).await?;
            sale.open = records.as_array().into_iter().flatten().flat_map(open_of).collect();
        }
        Ok(Some(sale))
    }

    async fn journal(&self, name: &str) -> Result<Option<Journal>, Fault> {
        let domain = json!([["company", "=", self.config.company], ["name", "=", name]]);
        let found = self.records("account.payment.journal", domain, &["currency.code"]).await?;
        let [record] = found.as_slice() else { return Ok(None) };
        let journal = || {
            Some(Journal { id: wire::id(record)?, currency: wire::linked_text(record, "currency", "code")? })
        };
        journal().map(Some).ok_or_else(|| unreadable("a payment journal"))
    }

    /// Whether the sale takes payments by now.
    pub(in super::super) async fn takes_payments(&self, reference: &str) -> Result<bool, Fault> {
        Ok(self.sale_paid(reference).await?.is_some_and(|sale| sale.state != super::plan::DRAFT))
    }

    pub(in super::super) async fn has_journal(&self, name: &str) -> Result<bool, Fault> {
        Ok(self.journal(name).await?.is_some())
    }
}

/// Of a posted invoice, the lines that are not paid.
fn open_of(invoice: &Value) -> Vec<(i64, Decimal)> {
    if wire::text(invoice, "state").as_deref() != Some("posted") {
        return Vec::new();
    }
    let open = |line: &Value| {
        let is_open = line.get("reconciliation").is_none_or(Value::is_null);
        let amount = line.get("payment_amount").and_then(wire::read_decimal).filter(|_| is_open)?;
        Some((wire::id(line)?, amount))
    };
    wire::many(invoice, "lines_to_pay").filter_map(open).collect()
}

fn stored(record: &Value) -> Option<Stored> {
    Some(Stored {
        id: wire::id(record)?,
        number: wire::text(record, "number"),
        state: wire::text(record, "state")?,
        timestamp: wire::text(record, "_timestamp"),
        amount: record.get("amount").and_then(wire::read_decimal)?,
    })
}

fn unreadable(what: &str) -> Fault {
    classify::failure(Access::Read, &Failure::Unreadable(format!("{what} is not of the form that is known")))
}
