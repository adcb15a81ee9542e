//! What Shopify shows of an order's fulfilment orders and who holds them, in the form that an observation carries from a look to
//! a plan.

use super::code;
use connector::port::{ExternalRef, ObjectState, Observation, Observed};
use kernel::fault::{Fault, FaultKind};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// All that an order has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Seen {
    /// Shopify shows the order.
    pub(super) has_order: bool,
    pub(super) parts: Vec<Part>,
}

/// A fulfilment order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Part {
    pub(super) id: String,
    pub(super) status: String,
    /// Shopify takes a hold of it now.
    pub(super) may_be_held: bool,
    /// Of this app: id and handle.
    pub(super) held: Vec<(String, String)>,
}

impl Part {
    pub(super) fn read(node: &Value) -> Result<Self, Fault> {
        let (id, status) = (text(node, "id")?, text(node, "status")?);
        let actions = node.get("supportedActions").and_then(Value::as_array).ok_or_else(shape)?;
        let holds = node.get("fulfillmentHolds").and_then(Value::as_array).ok_or_else(shape)?;
        let ours = holds.iter().filter(|hold| hold["heldByRequestingApp"] == true);
        let held = ours.map(|hold| {
            let handle = hold.get("handle").and_then(Value::as_str).unwrap_or_default();
            Ok((text(hold, "id")?, handle.to_owned()))
        });
        // What is on hold takes further ones, whatever it says to support (shopify.dev: fulfillmentOrderHold, since 2025-01).
        let may_be_held = status == "ON_HOLD" || actions.iter().any(|one| one["action"] == "HOLD");
        Ok(Self { held: held.collect::<Result<_, Fault>>()?, id, status, may_be_held })
    }

    /// The id of our hold under that handle.
    pub(super) fn ours(&self, handle: &str) -> Option<&str> {
        self.held.iter().find(|(_, known)| known == handle).map(|(id, _)| id.as_str())
    }

    /// Something of it may still leave.
    pub(super) fn is_left(&self) -> bool {
        !matches!(self.status.as_str(), "CLOSED" | "CANCELLED" | "INCOMPLETE")
    }
}

impl Seen {
    /// `None` where nothing was asked.
    pub(super) fn of(observed: &Observation) -> Option<Self> {
        match &observed.object {
            Observed::One(state) => serde_json::from_value(state.body.clone()).ok(),
            Observed::None | Observed::Many(_) => None,
        }
    }

    /// An order has one set of holds, perhaps an empty one.
    pub(super) fn observation(&self, gid: String, handle: Option<&str>) -> Observation {
        // Plain data always serialises.
        let body = serde_json::to_value(self).unwrap_or_default();
        let state = ObjectState { external: self.external(gid, handle), body, adopted: false };
        Observation { object: Observed::One(state), context: Value::Null, missing: Vec::new() }
    }

    pub(super) fn external(&self, gid: String, handle: Option<&str>) -> ExternalRef {
        let is_held = handle.is_some_and(|handle| self.parts.iter().any(|part| part.ours(handle).is_some()));
        let state = if is_held { "held" } else { "free" };
        ExternalRef { id: gid, number: None, state: Some(state.to_owned()) }
    }
}

fn text(node: &Value, name: &str) -> Result<String, Fault> {
    node.get(name).and_then(Value::as_str).map(str::to_owned).ok_or_else(shape)
}

/// A look whose answer lacks what its document asks for.
pub(super) fn shape() -> Fault {
    let what = "Shopify's answer does not hold what was asked of an order's holds; it is asked again";
    Fault::new(FaultKind::Transient, code::SHAPE, what)
}
