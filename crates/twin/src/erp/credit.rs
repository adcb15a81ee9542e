//! Credit notes: what was given back of a sale, posted as it comes and never changed. They add up, stand against a sale that
//! is there, and together never exceed it.

use super::books::{Books, SaleState};
use super::content::json as read_json;
use super::fields::Fields;
use super::refusal::{Code, Refusal};
use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreditNote {
    pub id: u64,
    /// `CN-000001`.
    pub number: String,
    /// Always `posted`.
    pub state: String,
    /// The caller's own key for it; several may have the same, as with sales.
    pub reference: String,
    /// The caller's key of the sale that it stands against.
    pub sale: String,
    pub currency: String,
    pub note: Option<String>,
    pub lines: Vec<CreditLine>,
    /// Beyond the lines; negative where something was kept.
    pub other: Decimal,
    /// Lines with their taxes, and `other`.
    pub total: Decimal,
    pub created_at: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreditLine {
    pub sku: Option<String>,
    pub description: Option<String>,
    pub quantity: Decimal,
    pub amount: Decimal,
    pub tax: Decimal,
    /// Whether the goods come back to the shelf.
    pub restock: bool,
}

const FIELDS: [&str; 7] = ["reference", "sale", "currency", "note", "lines", "other", "total"];
const LINE_FIELDS: [&str; 6] = ["sku", "description", "quantity", "amount", "tax", "restock"];

#[derive(Debug, Default)]
pub(super) struct CreditNotes(Vec<CreditNote>);

impl CreditNotes {
    pub(super) fn all(&self) -> &[CreditNote] {
        &self.0
    }

    pub(super) fn find(&self, reference: Option<&str>) -> Vec<&CreditNote> {
        self.0.iter().filter(|note| reference.is_none_or(|wanted| note.reference == wanted)).collect()
    }

    pub(super) fn one(&self, id: u64) -> Result<&CreditNote, Refusal> {
        let found = self.0.iter().find(|note| note.id == id);
        found.ok_or_else(|| Refusal::new(Code::NotFound, format!("there is no credit note {id}")))
    }

    pub(super) fn post(
        &mut self,
        body: &[u8],
        books: &Books,
        any_sale: bool,
        now: Timestamp,
    ) -> Result<&CreditNote, Refusal> {
        let value = read_json(body)?;
        let fields = Fields::of(&value, "", &FIELDS)?;
        let id = self.0.len() as u64 + 1;
        let mut lines = Vec::new();
        for (index, line) in fields.list("lines")?.iter().enumerate() {
            let line = Fields::of(line, &format!("lines[{index}]"), &LINE_FIELDS)?;
            lines.push(CreditLine {
                sku: line.text_or_null("sku", 64)?,
                description: line.text_or_null("description", 1000)?,
                quantity: line.quantity("quantity")?,
                amount: line.amount("amount")?,
                tax: line.amount("tax")?,
                restock: line.truth("restock", false)?,
            });
        }
        let note = CreditNote {
            id,
            number: format!("CN-{id:06}"),
            state: "posted".to_owned(),
            reference: fields.text("reference", 128)?,
            sale: fields.text("sale", 128)?,
            currency: fields.text("currency", 3)?,
            note: fields.text_or_null("note", 5000)?,
            lines,
            other: fields.amount_or_null("other")?.unwrap_or_default(),
            total: fields.amount("total")?,
            created_at: now,
        };
        self.check(&note, books, any_sale)?;
        self.0.push(note);
        self.one(id)
    }

    pub(super) fn restore(&mut self, note: CreditNote) {
        self.0.push(note);
    }

    fn check(&self, note: &CreditNote, books: &Books, any_sale: bool) -> Result<(), Refusal> {
        let named: Decimal =
            note.lines.iter().map(|line| line.amount + line.tax).sum::<Decimal>() + note.other;
        if named != note.total {
            let message = format!("lines and other come to {named}, not {}", note.total);
            return Err(Refusal::of_field(Code::TotalsMismatch, "total", message));
        }
        let standing = books.sales().iter().find(|sale| {
            sale.content.reference == note.sale && (any_sale || sale.state != SaleState::Cancelled)
        });
        let Some(sale) = standing else {
            let message = format!("there is no sale {:?} that stands", note.sale);
            return Err(Refusal::of_field(Code::UnknownSale, "sale", message));
        };
        if sale.content.currency != note.currency {
            let message = format!("sale {} is in {}", sale.number, sale.content.currency);
            return Err(Refusal::of_field(Code::UnknownCurrency, "currency", message));
        }
        let before = self.0.iter().filter(|known| known.sale == note.sale).map(|known| known.total);
        let together = before.sum::<Decimal>() + note.total;
        if together > sale.totals.gross && !any_sale {
            let message = format!("credit notes of {together} against a sale of {}", sale.totals.gross);
            return Err(Refusal::of_field(Code::Refused, "total", message));
        }
        Ok(())
    }
}
