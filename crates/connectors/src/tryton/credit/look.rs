//! What Tryton has of a credit note: the invoice under its key, and where there is none, the invoice of the sale that it is to
//! stand against. Its search reads the database itself and does not lag.

use super::super::ask::Ask;
use super::super::wire;
use super::{Context, Credit, Note, Original, OriginalLine};
use connector::outbound::{Access, Failure, classify};
use connector::port::{ObjectState, Observation, Observed, Wanted};
use kernel::fault::Fault;
use rust_decimal::Decimal;
use serde_json::{Value, json};

/// More than one is written to by nobody.
const NOTES_MAX: usize = 10;
const NOTE: [&str; 4] = ["number", "state", "total_amount", "_timestamp"];
const HEAD: [&str; 7] =
    ["party", "invoice_address", "account", "journal", "currency", "currency.code", "payment_term"];
const LINES: [&str; 9] = [
    "lines.type",
    "lines.product",
    "lines.product.code",
    "lines.description",
    "lines.account",
    "lines.unit",
    "lines.taxes",
    "lines.taxes.rate",
    "state",
];

impl Ask<'_> {
    pub(in super::super) async fn observe_credit(&self, wanted: &Wanted) -> Result<Observation, Fault> {
        let mut found = self.notes(json!([["reference", "=", wanted.object_key.as_str()]])).await?;
        let known = wanted.known.as_ref().and_then(|known| known.id.parse::<i64>().ok());
        if let (true, Some(known)) = (found.is_empty(), known) {
            found = self.notes(json!([["id", "=", known]])).await?;
        }
        let object = match found.as_slice() {
            [] => Observed::None,
            [note] => {
                let note = note_of(note)
                    .ok_or_else(|| unreadable("a credit note is not of the form that is known"))?;
                let body = serde_json::to_value(&note).unwrap_or_default();
                Observed::One(ObjectState { external: note.external(), body, adopted: false })
            }
            several => Observed::Many(several.iter().filter_map(wire::id).map(|id| id.to_string()).collect()),
        };
        let mut context = Context::default();
        // A body that cannot be read is told by `plan`.
        if let (Ok(credit), Observed::None | Observed::One(_)) = (Credit::read(&wanted.body), &object) {
            context.original = self.original(&credit.sale).await?;
        }
        let context = serde_json::to_value(&context).unwrap_or_default();
        Ok(Observation { object, context, missing: Vec::new() })
    }

    async fn notes(&self, domain: Value) -> Result<Vec<Value>, Fault> {
        let domain = json!([["company", "=", self.config.company], ["type", "=", "out"], domain]);
        let params = vec![domain, json!(0), json!(NOTES_MAX), json!([["id", "ASC"]]), json!(NOTE)];
        match self.call("model.account.invoice.search_read", params).await? {
            Value::Array(records) => Ok(records),
            _ => Err(unreadable("a look-up of invoices gives no list")),
        }
    }

    /// The first invoice of the sale that was not called off, with the lines of all of them: one that invoices what was shipped
    /// has several.
    async fn original(&self, sale: &str) -> Result<Option<Original>, Fault> {
        let Some(sale) = self.sale_called(sale, &["invoices"]).await? else { return Ok(None) };
        let ids = wire::ids(&sale, "invoices");
        if ids.is_empty() {
            return Ok(None);
        }
        let fields: Vec<&str> = HEAD.iter().chain(&LINES).copied().collect();
        let records = self.call("model.account.invoice.read", vec![json!(ids), json!(fields)]).await?;
        let mut originals = records
            .as_array()
            .into_iter()
            .flatten()
            .filter(|record| state(record) != "cancelled")
            .map(original);
        let Some(first) = originals.next() else { return Ok(None) };
        let mut first = first.ok_or_else(|| unreadable("an invoice is not of the form that is known"))?;
        first.lines.extend(originals.flatten().flat_map(|other| other.lines));
        Ok(Some(first).filter(|original| !original.lines.is_empty()))
    }

    /// Whether the sale has an invoice by now.
    pub(in super::super) async fn is_invoiced(&self, sale: &str) -> Result<bool, Fault> {
        Ok(self.original(sale).await?.is_some())
    }
}

fn state(record: &Value) -> String {
    wire::text(record, "state").unwrap_or_default()
}

fn note_of(record: &Value) -> Option<Note> {
    Some(Note {
        id: wire::id(record)?,
        number: wire::text(record, "number"),
        state: wire::text(record, "state")?,
        timestamp: wire::text(record, "_timestamp"),
        gross: record.get("total_amount").and_then(wire::read_decimal)?,
    })
}

fn original(record: &Value) -> Option<Original> {
    let id = |field: &str| record.get(field).and_then(Value::as_i64);
    Some(Original {
        party: id("party")?,
        invoice_address: id("invoice_address"),
        account: id("account")?,
        journal: id("journal"),
        currency: id("currency")?,
        currency_code: wire::linked_text(record, "currency", "code")?,
        payment_term: id("payment_term"),
        lines: wire::many(record, "lines").filter_map(line).collect(),
    })
}

/// `None`: a title, or a subtotal.
fn line(record: &Value) -> Option<OriginalLine> {
    let id = |field: &str| record.get(field).and_then(Value::as_i64);
    if wire::text(record, "type").as_deref() != Some("line") {
        return None;
    }
    let taxes = record.get("taxes").and_then(Value::as_array);
    let rates = wire::many(record, "taxes").filter_map(|tax| wire::read_decimal(tax.get("rate")?));
    Some(OriginalLine {
        id: wire::id(record)?,
        product: id("product")
            .map(|id| (id, wire::linked_text(record, "product", "code").unwrap_or_default())),
        description: wire::text(record, "description").unwrap_or_default().trim().to_owned(),
        account: id("account")?,
        unit: id("unit"),
        taxes: taxes.into_iter().flatten().filter_map(Value::as_i64).collect(),
        rate: rates.sum::<Decimal>(),
    })
}

fn unreadable(why: &str) -> Fault {
    classify::failure(Access::Read, &Failure::Unreadable(why.to_owned()))
}
