//! What a sale says, read from a request: shape, types and sizes. Whether the things that it names exist is the books'
//! business. It is strict: an unknown field is refused by name, and amounts are strings.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::fields::Fields;
use super::refusal::{Code, Refusal};

/// The part of a sale that a caller writes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// The caller's own key for it; several sales may have the same unless the knob says otherwise.
    pub reference: String,
    /// Code of a party, spelled exactly.
    pub party: String,
    /// The shop's number, for people: `#1001`.
    pub order_number: Option<String>,
    pub ordered_at: Option<Timestamp>,
    pub currency: String,
    /// Unit prices and discounts are with tax.
    pub tax_included: bool,
    pub po_number: Option<String>,
    pub payment_term: Option<String>,
    pub invoice_address: Option<PostalAddress>,
    pub shipment_address: Option<PostalAddress>,
    pub note: Option<String>,
    pub metadata: BTreeMap<String, String>,
    pub lines: Vec<SaleLine>,
    /// What the sender computed; kept beside what the back office computes.
    pub stated_totals: Option<SaleTotals>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SaleLine {
    /// Spelled exactly: case and blanks count.
    pub sku: String,
    pub description: Option<String>,
    pub quantity: Decimal,
    pub unit_price: Decimal,
    /// Off the whole line.
    pub discount: Decimal,
    /// 0.19 for 19 %; several where taxes are stacked.
    pub tax_rates: Vec<Decimal>,
    /// Given by the sender, who then vouches for it; else computed.
    pub tax: Option<Decimal>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PostalAddress {
    pub name: Option<String>,
    pub company: Option<String>,
    pub street: Option<String>,
    pub street2: Option<String>,
    pub city: Option<String>,
    pub zip: Option<String>,
    pub province: Option<String>,
    pub country: Option<String>,
    pub phone: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SaleTotals {
    pub net: Decimal,
    pub tax: Decimal,
    pub gross: Decimal,
}

const LINES_MAX: usize = 1000;

const SALE_FIELDS: [&str; 14] = [
    "reference",
    "party",
    "order_number",
    "ordered_at",
    "currency",
    "tax_included",
    "po_number",
    "payment_term",
    "invoice_address",
    "shipment_address",
    "note",
    "metadata",
    "lines",
    "totals",
];

impl Content {
    /// Reads a new sale.
    pub(super) fn read(body: &[u8]) -> Result<Self, Refusal> {
        let value = json(body)?;
        let fields = Fields::of(&value, "", &SALE_FIELDS)?;
        Ok(Self {
            reference: fields.text("reference", 128)?,
            party: fields.text("party", 64)?,
            order_number: fields.text_or_null("order_number", 64)?,
            ordered_at: fields.instant_or_null("ordered_at")?,
            currency: fields.text("currency", 3)?,
            tax_included: fields.truth("tax_included", false)?,
            po_number: fields.text_or_null("po_number", 255)?,
            payment_term: fields.text_or_null("payment_term", 64)?,
            invoice_address: address(&fields, "invoice_address")?,
            shipment_address: address(&fields, "shipment_address")?,
            note: fields.text_or_null("note", 5000)?,
            metadata: fields.texts("metadata")?,
            lines: lines(&fields)?,
            stated_totals: totals(&fields)?,
        })
    }

    /// Reads an amendment: what is absent stays, what is null goes. Reference, party and currency are for good.
    pub(super) fn amended(&self, body: &[u8]) -> Result<Self, Refusal> {
        let value = json(body)?;
        let fields = Fields::of(&value, "", &SALE_FIELDS)?;
        let mut content = self.clone();
        for (name, kept) in
            [("reference", &self.reference), ("party", &self.party), ("currency", &self.currency)]
        {
            if fields.has(name) && fields.text(name, 128)? != *kept {
                return Err(Refusal::of_field(
                    Code::Refused,
                    name,
                    format!("{name} of a sale cannot change"),
                ));
            }
        }
        if fields.has("order_number") {
            content.order_number = fields.text_or_null("order_number", 64)?;
        }
        if fields.has("ordered_at") {
            content.ordered_at = fields.instant_or_null("ordered_at")?;
        }
        content.tax_included = fields.truth("tax_included", self.tax_included)?;
        if fields.has("po_number") {
            content.po_number = fields.text_or_null("po_number", 255)?;
        }
        if fields.has("payment_term") {
            content.payment_term = fields.text_or_null("payment_term", 64)?;
        }
        if fields.has("invoice_address") {
            content.invoice_address = address(&fields, "invoice_address")?;
        }
        if fields.has("shipment_address") {
            content.shipment_address = address(&fields, "shipment_address")?;
        }
        if fields.has("note") {
            content.note = fields.text_or_null("note", 5000)?;
        }
        if fields.has("metadata") {
            content.metadata = fields.texts("metadata")?;
        }
        if fields.has("lines") {
            content.lines = lines(&fields)?;
        }
        if fields.has("totals") {
            content.stated_totals = totals(&fields)?;
        }
        Ok(content)
    }
}

pub(super) fn json(body: &[u8]) -> Result<Value, Refusal> {
    serde_json::from_slice(body)
        .map_err(|error| Refusal::new(Code::BadRequest, format!("the body is not JSON: {error}")))
}

fn address(fields: &Fields<'_>, name: &str) -> Result<Option<PostalAddress>, Refusal> {
    let known = ["name", "company", "street", "street2", "city", "zip", "province", "country", "phone"];
    let Some(fields) = fields.object_or_null(name, &known)? else { return Ok(None) };
    let text = |name| fields.text_or_null(name, 255);
    Ok(Some(PostalAddress {
        name: text("name")?,
        company: text("company")?,
        street: text("street")?,
        street2: text("street2")?,
        city: text("city")?,
        zip: text("zip")?,
        province: text("province")?,
        country: text("country")?,
        phone: text("phone")?,
    }))
}

fn totals(fields: &Fields<'_>) -> Result<Option<SaleTotals>, Refusal> {
    let Some(fields) = fields.object_or_null("totals", &["net", "tax", "gross"])? else { return Ok(None) };
    let [net, tax, gross] = [fields.amount("net")?, fields.amount("tax")?, fields.amount("gross")?];
    Ok(Some(SaleTotals { net, tax, gross }))
}

fn lines(fields: &Fields<'_>) -> Result<Vec<SaleLine>, Refusal> {
    let items = fields.list("lines")?;
    if items.is_empty() || items.len() > LINES_MAX {
        let message = format!("a sale has 1 to {LINES_MAX} lines, this one {}", items.len());
        return Err(Refusal::of_field(Code::BadRequest, "lines", message));
    }
    items.iter().enumerate().map(|(index, item)| line(item, index)).collect()
}

fn line(item: &Value, index: usize) -> Result<SaleLine, Refusal> {
    let known = ["sku", "description", "quantity", "unit_price", "discount", "tax_rate", "tax_rates", "tax"];
    let fields = Fields::of(item, &format!("lines[{index}]"), &known)?;
    let quantity = fields.quantity("quantity")?;
    if quantity <= Decimal::ZERO {
        return Err(Refusal::of_field(Code::BadRequest, fields.path("quantity"), "a quantity is above zero"));
    }
    let mut tax_rates = fields.amounts("tax_rates")?;
    if let Some(rate) = fields.amount_or_null("tax_rate")? {
        tax_rates.push(rate);
    }
    Ok(SaleLine {
        sku: fields.text("sku", 64)?,
        description: fields.text_or_null("description", 1000)?,
        quantity,
        unit_price: fields.amount("unit_price")?,
        discount: fields.amount_or_null("discount")?.unwrap_or_default(),
        tax_rates,
        tax: fields.amount_or_null("tax")?,
    })
}
