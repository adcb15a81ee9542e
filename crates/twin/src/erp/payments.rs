//! Payments: money that was received for a sale, booked as it comes and never changed. Each names a sale that was made, in its
//! currency; a sale that was cancelled since keeps what was paid for it.

use super::books::Books;
use super::content::json as read_json;
use super::fields::Fields;
use super::refusal::{Code, Refusal};
use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    pub id: u64,
    /// `PAY-000001`.
    pub number: String,
    /// Always `booked`.
    pub state: String,
    /// The caller's own key for it; several may have the same, as with sales.
    pub reference: String,
    /// The caller's key of the sale that it is for.
    pub sale: String,
    pub currency: String,
    /// More than nothing.
    pub amount: Decimal,
    /// What took it: `shopify_payments`.
    pub method: Option<String>,
    pub paid_at: Timestamp,
    pub created_at: Timestamp,
}

const FIELDS: [&str; 6] = ["reference", "sale", "currency", "amount", "method", "paid_at"];

#[derive(Debug, Default)]
pub(super) struct Payments(Vec<Payment>);

impl Payments {
    pub(super) fn all(&self) -> &[Payment] {
        &self.0
    }

    pub(super) fn find(&self, reference: Option<&str>) -> Vec<&Payment> {
        self.0.iter().filter(|payment| reference.is_none_or(|wanted| payment.reference == wanted)).collect()
    }

    pub(super) fn one(&self, id: u64) -> Result<&Payment, Refusal> {
        let found = self.0.iter().find(|payment| payment.id == id);
        found.ok_or_else(|| Refusal::new(Code::NotFound, format!("there is no payment {id}")))
    }

    pub(super) fn book(&mut self, body: &[u8], books: &Books, now: Timestamp) -> Result<&Payment, Refusal> {
        let value = read_json(body)?;
        let fields = Fields::of(&value, "", &FIELDS)?;
        let id = self.0.len() as u64 + 1;
        let payment = Payment {
            id,
            number: format!("PAY-{id:06}"),
            state: "booked".to_owned(),
            reference: fields.text("reference", 128)?,
            sale: fields.text("sale", 128)?,
            currency: fields.text("currency", 3)?,
            amount: fields.amount("amount")?,
            method: fields.text_or_null("method", 64)?,
            paid_at: fields.instant("paid_at")?,
            created_at: now,
        };
        check(&payment, books)?;
        self.0.push(payment);
        self.one(id)
    }

    pub(super) fn restore(&mut self, payment: Payment) {
        self.0.push(payment);
    }
}

fn check(payment: &Payment, books: &Books) -> Result<(), Refusal> {
    if payment.amount <= Decimal::ZERO {
        return Err(Refusal::of_field(Code::Refused, "amount", "a payment is more than nothing"));
    }
    let Some(sale) = books.sales().iter().find(|sale| sale.content.reference == payment.sale) else {
        let message = format!("there is no sale {:?}", payment.sale);
        return Err(Refusal::of_field(Code::UnknownSale, "sale", message));
    };
    if sale.content.currency != payment.currency {
        let message = format!("sale {} is in {}", sale.number, sale.content.currency);
        return Err(Refusal::of_field(Code::UnknownCurrency, "currency", message));
    }
    Ok(())
}
