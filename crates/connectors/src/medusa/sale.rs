//! An order as Medusa has it. Owns what is read of it, in drafts and in orders alike, and the form in which `plan` gets it.

use super::came_back::{RECEIPT, REQUEST};
use super::order::Address;
use super::taken::Edits;
use super::wire::{exact, list, spelled, text};
use connector::port::{ExternalRef, Held, Observation, Observed};
use kernel::money::Money;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What is asked for of an order. Its lines come along in any case, because its totals need them.
pub(super) const FIELDS: &str = "id,display_id,status,is_draft_order,version,metadata,email,currency_code,*summary,*items,\
                                 *items.detail,*shipping_methods,*shipping_address,*billing_address,*fulfillments";

/// Where the object key stands, to be compared exactly.
pub(super) const KEY: &str = "tidegate_key";

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Sale {
    pub(super) id: String,
    pub(super) number: Option<String>,
    pub(super) status: String,
    pub(super) draft: bool,
    pub(super) version: i64,
    pub(super) email: Option<String>,
    pub(super) currency: String,
    pub(super) total: Option<Decimal>,
    pub(super) items: Vec<Item>,
    /// Names and amounts.
    pub(super) shipping: Vec<(String, Decimal)>,
    pub(super) shipping_address: Option<Address>,
    pub(super) billing_address: Option<Address>,
    /// Something of it is packed, or was sent.
    pub(super) packed: bool,
    /// A change that is being made and is not confirmed yet. It keeps the order from being fulfilled.
    pub(super) edit: Option<Edit>,
    /// What was changed of it so far.
    #[serde(default)]
    pub(super) edits: Edits,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Item {
    pub(super) id: String,
    /// Our name of the line.
    pub(super) line: Option<String>,
    pub(super) sku: Option<String>,
    pub(super) title: String,
    pub(super) quantity: Decimal,
    pub(super) unit_price: Decimal,
    /// Units that are packed, or were sent.
    #[serde(default)]
    pub(super) fulfilled: Decimal,
    /// Of these, units that a return has asked for and not received.
    #[serde(default)]
    pub(super) awaited: Decimal,
    /// Of these, units that a return has received, whatever became of them.
    #[serde(default)]
    pub(super) came_back: Decimal,
}

impl Item {
    /// Units that are still to leave.
    pub(super) fn open(&self) -> Decimal {
        (self.quantity - self.fulfilled).max(Decimal::ZERO)
    }

    /// Units that left and have not come back. Medusa itself would take back twice what a return has received.
    pub(super) fn away(&self) -> Decimal {
        (self.fulfilled - self.awaited - self.came_back).max(Decimal::ZERO)
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Edit {
    pub(super) id: String,
    /// Begun by an order's own flow.
    pub(super) ours: bool,
    /// What it was begun for.
    #[serde(default)]
    pub(super) note: Option<String>,
    /// The return that is asked for or received by it.
    #[serde(default)]
    pub(super) of_return: Option<String>,
    /// How much was done in it so far.
    #[serde(default)]
    pub(super) acted: usize,
    /// The lines as they will be.
    pub(super) items: Vec<Item>,
}

/// By which an edit of ours is known.
pub(super) const EDIT_NOTE: &str = "tidegate";

impl Sale {
    /// `None`: it is not of the form that is known.
    pub(super) fn read(record: &Value) -> Option<Self> {
        let shipping = list(record, "shipping_methods")
            .map(|method| Some((text(method, "name").unwrap_or_default(), exact(method, "amount")?)))
            .collect::<Option<_>>()?;
        let address = |field: &str| {
            let part = record.get(field).filter(|part| !part.is_null())?;
            Address::deserialize(part).ok()
        };
        Some(Self {
            id: text(record, "id")?,
            number: record.get("display_id").and_then(Value::as_i64).map(|number| number.to_string()),
            status: text(record, "status")?,
            draft: record.get("is_draft_order")?.as_bool()?,
            version: record.get("version")?.as_i64()?,
            email: text(record, "email"),
            currency: text(record, "currency_code")?,
            total: record.get("summary").and_then(|summary| exact(summary, "current_order_total")),
            items: items(record)?,
            shipping,
            shipping_address: address("shipping_address"),
            billing_address: address("billing_address"),
            packed: list(record, "fulfillments").any(|one| one.get("canceled_at").is_none_or(Value::is_null)),
            edit: None,
            edits: Edits::default(),
        })
    }

    /// What it comes to as it was sold: Medusa takes off its total what a return has received.
    pub(super) fn sold(&self) -> Option<Decimal> {
        let came_back: Decimal = self.items.iter().map(|item| item.came_back * item.unit_price).sum();
        Some(self.total? + came_back)
    }

    pub(super) fn external(&self) -> ExternalRef {
        ExternalRef { id: self.id.clone(), number: self.number.clone(), state: Some(self.state().to_owned()) }
    }

    pub(super) fn state(&self) -> &str {
        &self.status
    }

    pub(super) fn cancelled(&self) -> bool {
        self.status == "canceled"
    }

    pub(super) fn shown(&self) -> String {
        format!("order {} is {}", self.number.as_ref().unwrap_or(&self.id), self.state())
    }
}

/// The lines of an order, of a draft, or of a preview. What was taken out of it is none.
fn items(record: &Value) -> Option<Vec<Item>> {
    let read = |item: &Value| {
        let units = |field: &str| item.get("detail").and_then(|detail| exact(detail, field));
        Some(Item {
            id: text(item, "id")?,
            line: item.get("metadata").and_then(|metadata| text(metadata, "line")),
            sku: text(item, "variant_sku"),
            title: text(item, "title").unwrap_or_default(),
            quantity: exact(item, "quantity").or_else(|| whole(item, "quantity"))?,
            unit_price: price(item)?,
            fulfilled: units("fulfilled_quantity").unwrap_or_default(),
            awaited: units("return_requested_quantity").unwrap_or_default(),
            came_back: units("return_received_quantity").unwrap_or_default()
                + units("return_dismissed_quantity").unwrap_or_default(),
        })
    };
    let items: Vec<Item> = list(record, "items").map(read).collect::<Option<_>>()?;
    Some(items.into_iter().filter(|item| !item.quantity.is_zero()).collect())
}

/// A preview has no exact twin of what was added to it: a whole number is exact as it is.
fn whole(item: &Value, field: &str) -> Option<Decimal> {
    super::wire::decimal(item.get(field)?)
}

/// What one costs.
fn price(item: &Value) -> Option<Decimal> {
    exact(item, "unit_price").or_else(|| spelled(item.get("unit_price")?))
}

impl Edit {
    /// What a preview says; `None`: nothing is being changed.
    pub(super) fn read(preview: &Value) -> Option<Self> {
        let change = preview.get("order_change").filter(|change| !change.is_null())?;
        let open = matches!(text(change, "status").as_deref(), Some("pending" | "requested"));
        let kind = text(change, "change_type").unwrap_or_default();
        let is_ours = matches!(kind.as_str(), "edit" | REQUEST | RECEIPT);
        let note = text(change, "internal_note").filter(|_| is_ours);
        let ours = kind == "edit" && note.as_deref() == Some(EDIT_NOTE);
        let id = text(change, "id").filter(|_| open)?;
        let acted = list(preview, "items").map(|item| list(item, "actions").count()).sum();
        let of_return = text(change, "return_id");
        Some(Self { id, ours, note, of_return, acted, items: items(preview).unwrap_or_default() })
    }
}

/// What an observed order comes to, as edited and not as refunded.
pub(super) fn held(observation: &Observation) -> Option<Held> {
    let Observed::One(state) = &observation.object else { return None };
    let sale = Sale::deserialize(&state.body).ok()?;
    let currency = sale.currency.to_ascii_uppercase().parse().ok()?;
    let total = sale.sold()? + sale.edits.amount(&sale.items)?;
    let gross = Money::parse(&total.to_string(), currency).ok()?;
    Some(Held { gross, void: sale.cancelled() })
}
