//! What Shopify shows of an order's fulfilments and of what is open, in the form that an observation carries from a look to a
//! plan.

use super::code;
use super::note::Notes;
use domains::shipments::{Open, OpenLine, Stand};
use kernel::fault::{Fault, FaultKind};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One fulfilment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Made {
    pub(super) id: String,
    /// `#1001.1`
    pub(super) name: String,
    pub(super) status: String,
    pub(super) units: u64,
    /// `None`: the location is no more.
    pub(super) place: Option<(String, String)>,
    pub(super) numbers: Vec<String>,
}

/// The context of an observation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Context {
    /// Shopify shows the order.
    pub(super) has_order: bool,
    pub(super) order_cancelled: bool,
    pub(super) notes: Notes,
    /// All that the order has, by id.
    pub(super) made: Vec<String>,
    pub(super) open: Vec<Open>,
}

impl Context {
    /// `None` where nothing was asked.
    pub(super) fn read(value: &Value) -> Option<Self> {
        serde_json::from_value(value.clone()).ok()
    }

    pub(super) fn no_order() -> Self {
        Self { has_order: false, ..Self::unread() }
    }

    /// Of an answer that shows the fulfilment alone.
    pub(super) fn unread() -> Self {
        Self {
            has_order: true,
            order_cancelled: false,
            notes: Notes::default(),
            made: Vec::new(),
            open: Vec::new(),
        }
    }

    pub(super) fn value(&self) -> Value {
        // Plain data always serialises.
        serde_json::to_value(self).unwrap_or_default()
    }
}

impl Made {
    pub(super) fn read(node: &Value) -> Result<Self, Fault> {
        let tracking = node.get("trackingInfo").and_then(Value::as_array).ok_or_else(shape)?;
        let numbers = tracking.iter().filter_map(|one| one.get("number")?.as_str());
        Ok(Self {
            id: text(node, "id")?,
            name: text(node, "name")?,
            status: text(node, "status")?,
            units: node.get("totalQuantity").and_then(Value::as_u64).ok_or_else(shape)?,
            place: node
                .get("location")
                .filter(|place| place.is_object())
                .map(|place| Ok::<_, Fault>((text(place, "id")?, text(place, "name")?)))
                .transpose()?,
            numbers: numbers.map(str::to_owned).collect(),
        })
    }

    pub(super) fn is_cancelled(&self) -> bool {
        self.status == "CANCELLED"
    }
}

/// A fulfilment order with the first page of its lines.
pub(super) fn open(node: &Value) -> Result<Open, Fault> {
    let place = node.get("assignedLocation").ok_or_else(shape)?;
    let name = text(place, "name")?;
    let id = place.pointer("/location/id").and_then(Value::as_str).map(str::to_owned);
    Ok(Open {
        id: text(node, "id")?,
        place: id.unwrap_or_else(|| name.clone()),
        place_name: name,
        stand: stand(node)?,
        lines: Vec::new(),
    })
}

/// Whether Shopify takes a fulfilment of it now.
pub(super) fn may_leave(node: &Value) -> Result<bool, Fault> {
    let actions = node.get("supportedActions").and_then(Value::as_array).ok_or_else(shape)?;
    Ok(actions.iter().any(|one| one["action"] == "CREATE_FULFILLMENT"))
}

/// By what Shopify says may be done with it: a status alone does not tell, for one in progress may be in the hands of a
/// fulfilment service.
fn stand(node: &Value) -> Result<Stand, Fault> {
    let status = text(node, "status")?;
    if may_leave(node)? {
        return Ok(Stand::Open);
    }
    Ok(match status.as_str() {
        "ON_HOLD" => {
            let holds = node.get("fulfillmentHolds").and_then(Value::as_array).ok_or_else(shape)?;
            let why = holds.iter().filter_map(|hold| hold.get("displayReason")?.as_str());
            let why: Vec<&str> = why.collect();
            let why = if why.is_empty() { String::new() } else { format!(" ({})", why.join(", ")) };
            Stand::Later(format!("on hold{why}"))
        }
        "SCHEDULED" => match node.get("fulfillAt").and_then(Value::as_str) {
            Some(at) => Stand::Later(format!("scheduled for {at}")),
            None => Stand::Later("scheduled".to_owned()),
        },
        "CLOSED" | "CANCELLED" | "INCOMPLETE" => Stand::Closed(status.to_ascii_lowercase()),
        _ => Stand::Closed("in the hands of a fulfilment service".to_owned()),
    })
}

pub(super) fn line(node: &Value) -> Result<OpenLine, Fault> {
    let remaining = node.get("remainingQuantity").and_then(Value::as_u64);
    Ok(OpenLine {
        id: text(node, "id")?,
        sku: node.get("sku").and_then(Value::as_str).filter(|sku| !sku.is_empty()).map(str::to_owned),
        remaining: remaining.and_then(|units| u32::try_from(units).ok()).ok_or_else(shape)?,
    })
}

fn text(node: &Value, name: &str) -> Result<String, Fault> {
    node.get(name).and_then(Value::as_str).map(str::to_owned).ok_or_else(shape)
}

/// A look whose answer lacks what its document asks for.
pub(super) fn shape() -> Fault {
    let what = "Shopify's answer does not hold what was asked of an order's fulfilments; it is asked again";
    Fault::new(FaultKind::Transient, code::SHAPE, what)
}
