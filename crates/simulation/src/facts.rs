//! The simulation's own domain: an order with a few fields, so that ten thousand runs take minutes. The engine cannot
//! tell it from a real one.

use engine::facts::{Admission, Confirm, Facts, History, Mapped, Mapper, State, Touched};
use jiff::Timestamp;
use kernel::clock::after;
use kernel::envelope::FactKind;
use kernel::fault::{Fault, FaultKind};
use kernel::flow::{ConfirmWhen, OrderPolicy};
use kernel::key::ObjectKey;
use kernel::subject::Subject;
use kernel::version::Digest;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::sync::Arc;

/// An order as the simulated shop has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    pub id: u64,
    /// Raised by each change of content; the judge's measure of newer and older.
    pub content: u64,
    pub quantity: u64,
    pub address: String,
    pub cancelled: bool,
    pub created_at: Timestamp,
    /// Whole seconds, as Shopify's.
    pub updated_at: Timestamp,
    /// What our own write-back sets; no part of the digest.
    pub erp_number: Option<String>,
    /// What was given back of it; no part of its content.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refunds: Vec<u64>,
}

#[derive(Debug, Clone)]
pub struct Orders {
    /// The planted bug "a digest that ignores a field".
    pub forget_address: bool,
    /// The planted bug "what was given back is not looked for".
    pub forget_refunds: bool,
}

impl Orders {
    fn digest(&self, order: &Order) -> Digest {
        let address = if self.forget_address { "" } else { order.address.as_str() };
        let mut hash = Sha256::new();
        for part in
            [&order.id.to_string(), &order.quantity.to_string(), address, &order.cancelled.to_string()]
        {
            hash.update(part.as_bytes());
            hash.update([0]);
        }
        // Of two refunds within a second neither hides the other.
        order.refunds.iter().for_each(|refund| hash.update(refund.to_be_bytes()));
        hash.finalize().into()
    }
}

impl Facts for Orders {
    fn kind_of(&self, topic: &str) -> Option<FactKind> {
        match topic {
            "orders/edited" => Some(FactKind::Hint),
            "orders/updated" | "orders/create" | "orders/read" => Some(FactKind::State),
            _ => None,
        }
    }

    fn read(&self, _topic: &str, payload: &[u8]) -> Result<State, Fault> {
        let order: Order = serde_json::from_slice(payload)
            .map_err(|error| Fault::new(FaultKind::Rejected, "unreadable_body", error.to_string()))?;
        Ok(State {
            label: format!("#{}", order.id),
            customer: None,
            created_at: order.created_at,
            updated_at: order.updated_at,
            digest: self.digest(&order),
            changed_at: order.updated_at,
            cancelled: order.cancelled,
            body: Arc::new(json!(order)),
        })
    }

    fn touches(&self, _topic: &str, payload: &[u8], _state: &State) -> Vec<Touched> {
        let order: Option<Order> = serde_json::from_slice(payload).ok().filter(|_| !self.forget_refunds);
        let refunds = |order: Order| crate::stock::refunds_of(order.id, &order.refunds);
        order.map(refunds).unwrap_or_default()
    }

    fn admit(&self, state: &State, _policy: &OrderPolicy, history: History, _now: Timestamp) -> Admission {
        if state.cancelled && !history.exported && !history.attempted {
            return Admission::Filtered { rule: "cancelled before export".into() };
        }
        Admission::Export
    }

    fn confirm(
        &self,
        _state: &State,
        policy: &OrderPolicy,
        created_at: Timestamp,
        now: Timestamp,
    ) -> Confirm {
        match policy.confirm_when {
            ConfirmWhen::AtOnce => Confirm::Now,
            ConfirmWhen::After(wait) if after(created_at, wait) <= now => Confirm::Now,
            ConfirmWhen::After(wait) => Confirm::At(after(created_at, wait)),
            ConfirmWhen::Paid | ConfirmWhen::Never => Confirm::NotByThis,
        }
    }
}

/// Everything but what we write ourselves and what only orders versions.
#[derive(Debug)]
pub struct Content {
    /// The planted bug "a refund is booked as an edit as well".
    pub less_refunds: bool,
}

impl Mapper for Content {
    fn revision(&self) -> &str {
        "r1"
    }
    fn map(&self, body: &Value, _: &Subject, _: &ObjectKey, _: Timestamp) -> Result<Mapped, Fault> {
        let refunds = body["refunds"].as_array().map_or(0, Vec::len) as u64;
        let less = if self.less_refunds { refunds } else { 0 };
        let quantity = body["quantity"].as_u64().unwrap_or(0).saturating_sub(less);
        let body = json!({
            "content": body["content"],
            "quantity": quantity,
            "address": body["address"],
        });
        let digest = Sha256::digest(body.to_string().as_bytes()).into();
        Ok(Mapped { body, digest })
    }
}
