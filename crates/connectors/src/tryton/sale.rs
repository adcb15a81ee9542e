//! A sale as Tryton stored it. Owns which fields are read, in one call with all that they lead to, and its typed form,
//! which is the connector's own form of an observed object.

use super::resolved::Context;
use super::wire;
use connector::port::{ExternalRef, Held, Observation, Observed};
use jiff::civil::Date;
use kernel::money::Money;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Read with each look-up: what is compared, and what tells the state.
pub(super) const FIELDS: &[&str] = &[
    "reference",
    "number",
    "state",
    "_timestamp",
    "description",
    "comment",
    "sale_date",
    "party.code",
    "currency.code",
    "currency.rounding",
    "payment_term.name",
    "warehouse",
    "untaxed_amount",
    "tax_amount",
    "total_amount",
    "invoice_address.street",
    "invoice_address.postal_code",
    "invoice_address.city",
    "invoice_address.country.code",
    "invoice_address.attn",
    "invoice_address.party_name",
    "shipment_address.street",
    "shipment_address.postal_code",
    "shipment_address.city",
    "shipment_address.country.code",
    "shipment_address.attn",
    "shipment_address.party_name",
    "shipments.state",
    "shipments.delivery_address",
    "invoices.state",
    "invoices.invoice_address",
    "lines.type",
    "lines.product.code",
    "lines.description",
    "lines.quantity",
    "lines.unit",
    "lines.unit_price",
    "lines.amount",
    "lines.taxes.rate",
];

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Sale {
    pub(super) id: i64,
    pub(super) reference: String,
    pub(super) number: Option<String>,
    pub(super) state: State,
    /// The version: a write that gives another one is refused.
    pub(super) timestamp: Option<String>,
    pub(super) description: String,
    pub(super) comment: String,
    pub(super) date: Option<Date>,
    pub(super) party: Option<String>,
    pub(super) currency: Option<String>,
    /// The smallest amount of its currency.
    pub(super) rounding: Decimal,
    pub(super) payment_term: Option<String>,
    pub(super) net: Decimal,
    pub(super) tax: Decimal,
    pub(super) gross: Decimal,
    pub(super) invoice_address: Option<Address>,
    pub(super) shipment_address: Option<Address>,
    pub(super) shipments: Vec<Document>,
    pub(super) invoices: Vec<Document>,
    pub(super) lines: Vec<Line>,
    pub(super) links: Links,
}

/// Ids, for a sale that is to be like this one.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Links {
    pub(super) party: Option<i64>,
    pub(super) currency: Option<i64>,
    pub(super) payment_term: Option<i64>,
    pub(super) warehouse: Option<i64>,
}

/// Tryton's own words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum State {
    Draft,
    Quotation,
    Confirmed,
    Processing,
    Done,
    Cancelled,
}

/// An address of a party, without what we do not compare.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Address {
    pub(super) id: i64,
    pub(super) street: String,
    pub(super) postal_code: String,
    pub(super) city: String,
    pub(super) country: String,
    pub(super) attn: String,
    pub(super) party_name: String,
}

/// A shipment or an invoice that Tryton made for the sale.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Document {
    pub(super) id: i64,
    pub(super) state: String,
    pub(super) address: Option<i64>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Line {
    pub(super) id: i64,
    pub(super) kind: String,
    /// Id and code.
    pub(super) product: Option<(i64, String)>,
    pub(super) description: String,
    pub(super) quantity: Decimal,
    pub(super) unit: Option<i64>,
    pub(super) unit_price: Decimal,
    pub(super) amount: Decimal,
    /// Id and rate, by id.
    pub(super) taxes: Vec<(i64, Decimal)>,
}

impl State {
    pub(super) fn parse(text: &str) -> Option<Self> {
        serde_json::from_value(Value::from(text)).ok()
    }

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Quotation => "quotation",
            Self::Confirmed => "confirmed",
            Self::Processing => "processing",
            Self::Done => "done",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether a sale in this state has been through the other one on its way forward.
    pub(super) fn is_after(self, other: Self) -> bool {
        let rank = |state| match state {
            Self::Draft => Some(0),
            Self::Quotation => Some(1),
            Self::Confirmed => Some(2),
            Self::Processing => Some(3),
            Self::Done => Some(4),
            Self::Cancelled => None,
        };
        // Nobody comes to a draft by going forward.
        other != Self::Draft && rank(self).zip(rank(other)).is_some_and(|(mine, others)| mine > others)
    }

    /// From here on Tryton has made, or may make, shipments and invoices of it.
    pub(super) fn is_confirmed(self) -> bool {
        matches!(self, Self::Confirmed | Self::Processing | Self::Done)
    }
}

impl Sale {
    /// A record of a read with [`FIELDS`]; `None` where it is not of that form.
    pub(super) fn read(record: &Value) -> Option<Self> {
        let amount = |field: &str| wire::read_decimal(record.get(field)?);
        let words = |field: &str| wire::text(record, field).unwrap_or_default().trim().to_owned();
        let linked_id = |link: &str| wire::linked(record, link, "id")?.as_i64();
        Some(Self {
            id: wire::id(record)?,
            reference: wire::text(record, "reference").unwrap_or_default(),
            number: wire::text(record, "number"),
            state: State::parse(record.get("state")?.as_str()?)?,
            timestamp: wire::text(record, "_timestamp"),
            description: words("description"),
            comment: words("comment"),
            date: record.get("sale_date").and_then(wire::read_date),
            party: wire::linked_text(record, "party", "code"),
            currency: wire::linked_text(record, "currency", "code"),
            rounding: wire::read_decimal(wire::linked(record, "currency", "rounding")?)?,
            payment_term: wire::linked_text(record, "payment_term", "name"),
            net: amount("untaxed_amount")?,
            tax: amount("tax_amount")?,
            gross: amount("total_amount")?,
            invoice_address: record.get("invoice_address.").and_then(Address::read),
            shipment_address: record.get("shipment_address.").and_then(Address::read),
            shipments: wire::many(record, "shipments")
                .filter_map(|of| document(of, "delivery_address"))
                .collect(),
            invoices: wire::many(record, "invoices")
                .filter_map(|of| document(of, "invoice_address"))
                .collect(),
            lines: wire::many(record, "lines").map(Line::read).collect::<Option<_>>()?,
            links: Links {
                party: linked_id("party"),
                currency: linked_id("currency"),
                payment_term: linked_id("payment_term"),
                warehouse: record.get("warehouse").and_then(Value::as_i64),
            },
        })
    }

    pub(super) fn external(&self) -> ExternalRef {
        ExternalRef {
            id: self.id.to_string(),
            number: self.number.clone(),
            state: Some(self.state.as_str().to_owned()),
        }
    }

    /// "12 is processing".
    pub(super) fn shown(&self) -> String {
        let id = || format!("the sale with id {}", self.id);
        let name = self.number.clone().map_or_else(id, |number| format!("sale {number}"));
        format!("{name} is in state {}", self.state.as_str())
    }
}

/// What the observed sale comes to by Tryton's own sums. One that a confirmed counter document stands against comes to
/// nothing, like a cancelled one.
pub(super) fn held(observed: &Observation) -> Option<Held> {
    let Observed::One(state) = &observed.object else { return None };
    let sale: Sale = serde_json::from_value(state.body.clone()).ok()?;
    let countered = Context::of(observed)
        .counter
        .and_then(|counter| State::parse(&counter.state))
        .is_some_and(State::is_confirmed);
    let gross = Money::new(sale.gross, sale.currency?.parse().ok()?);
    Some(Held { gross, void: sale.state == State::Cancelled || countered })
}

impl Address {
    pub(super) fn read(record: &Value) -> Option<Self> {
        let words = |field: &str| wire::text(record, field).unwrap_or_default().trim().to_owned();
        Some(Self {
            id: wire::id(record)?,
            street: words("street"),
            postal_code: words("postal_code"),
            city: words("city"),
            country: wire::linked_text(record, "country", "code").unwrap_or_default(),
            attn: words("attn"),
            party_name: words("party_name"),
        })
    }
}

fn document(record: &Value, address: &str) -> Option<Document> {
    Some(Document {
        id: wire::id(record)?,
        state: wire::text(record, "state")?,
        address: record.get(address).and_then(Value::as_i64),
    })
}

impl Line {
    fn read(record: &Value) -> Option<Self> {
        let amount = |field: &str| record.get(field).and_then(wire::read_decimal).unwrap_or_default();
        let product = record
            .get("product.")
            .and_then(|product| Some((wire::id(product)?, wire::text(product, "code").unwrap_or_default())));
        let mut taxes: Vec<_> = wire::many(record, "taxes")
            .filter_map(|tax| {
                Some((wire::id(tax)?, tax.get("rate").and_then(wire::read_decimal).unwrap_or_default()))
            })
            .collect();
        taxes.sort();
        Some(Self {
            id: wire::id(record)?,
            kind: wire::text(record, "type")?,
            product,
            description: wire::text(record, "description").unwrap_or_default().trim().to_owned(),
            quantity: amount("quantity"),
            unit: record.get("unit").and_then(Value::as_i64),
            unit_price: amount("unit_price"),
            amount: amount("amount"),
            taxes,
        })
    }
}
