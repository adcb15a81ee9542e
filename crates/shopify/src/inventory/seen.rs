//! What Shopify shows of one pair of SKU and location, in the form that an observation carries from a look to a plan.

use super::code;
use connector::port::{ExternalRef, MissingReference, ObjectState, Observation, Observed};
use kernel::fault::{Fault, FaultKind, Reference};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// One level.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Level {
    pub(super) id: String,
    pub(super) item: String,
    pub(super) location: String,
    pub(super) sku: String,
    pub(super) tracked: bool,
    /// Whether the item is stocked there.
    pub(super) active: bool,
    pub(super) available: i64,
    pub(super) committed: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Seen {
    Level(Level),
    /// The item is there, and nothing of it at the location.
    NotStocked {
        item: String,
        location: String,
        sku: String,
        tracked: bool,
    },
    NoSku {
        sku: String,
        similar: Option<String>,
    },
    NoLocation {
        name: String,
        similar: Option<String>,
    },
    /// What the mapping made names no pair.
    Unreadable,
}

/// The context of an observation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Context {
    pub(super) seen: Seen,
    /// The observation is the answer to a write.
    pub(super) wrote: bool,
    /// What shares its units, as it was seen in the same look.
    #[serde(flatten)]
    pub(super) kin: AllKin,
}

/// What shares the units of a pair, by SKU.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct AllKin {
    /// At the same location, without its own.
    #[serde(default, rename = "kin", skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) here: BTreeMap<String, Kin>,
    /// At the other locations that show the same units, itself among them: by location as the mapping calls it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) elsewhere: BTreeMap<String, BTreeMap<String, Kin>>,
}

impl AllKin {
    /// What is shown of a SKU at the same location, or at another; `None`: the shop has it not there.
    pub(super) fn get(&self, sku: &str, at: Option<&str>) -> Option<&Kin> {
        at.map_or(Some(&self.here), |at| self.elsewhere.get(at))?.get(sku)
    }
}

/// What is shown of a SKU, and sold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Kin {
    pub(super) available: i64,
    pub(super) committed: i64,
}

impl Context {
    /// `None` where nothing was asked.
    pub(super) fn read(value: &Value) -> Option<Self> {
        serde_json::from_value(value.clone()).ok()
    }
}

impl Level {
    /// A node `InventoryLevel`; item and location where the document does not ask the node itself for them.
    pub(super) fn read(node: &Value, item: &Value, location: Option<&str>, sku: &str) -> Result<Self, Fault> {
        let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
        let quantity = |name: &str| {
            let all = node.get("quantities").and_then(Value::as_array);
            let mut all = all.into_iter().flatten();
            all.find(|one| one["name"] == name)?.get("quantity")?.as_i64()
        };
        let read = || {
            Some(Self {
                id: text(node, "id")?,
                item: text(item, "id")?,
                location: location.map(str::to_owned).or_else(|| text(node.get("location")?, "id"))?,
                sku: sku.to_owned(),
                tracked: item.get("tracked")?.as_bool()?,
                active: node.get("isActive")?.as_bool()?,
                // What is not said is not 0.
                available: quantity("available")?,
                committed: quantity("committed")?,
            })
        };
        read().ok_or_else(unreadable)
    }

    pub(super) fn external(&self) -> ExternalRef {
        let (number, state) = (Some(self.sku.clone()), Some(self.available.to_string()));
        ExternalRef { id: self.id.clone(), number, state }
    }
}

/// A look whose answer lacks what its document asks for.
pub(super) fn unreadable() -> Fault {
    let what = "Shopify's answer does not hold what was asked of a stock level; it is asked again";
    Fault::new(FaultKind::Transient, code::SHAPE, what)
}

/// `known`: what we set before. It is not called gone because Shopify does not show it now: `plan` says what is amiss.
pub(super) fn observation(seen: Seen, wrote: bool, known: Option<&ExternalRef>) -> Observation {
    among(seen, wrote, known, AllKin::default())
}

/// The same, with what shares its units.
pub(super) fn among(seen: Seen, wrote: bool, known: Option<&ExternalRef>, kin: AllKin) -> Observation {
    let external = match &seen {
        Seen::Level(level) => Some(level.external()),
        _ => known.cloned(),
    };
    let missing = match &seen {
        Seen::NoSku { sku, similar } => Some(missing("sku", sku, similar.clone())),
        Seen::NoLocation { name, similar } => Some(missing("location", name, similar.clone())),
        _ => None,
    };
    let object = external.map_or(Observed::None, |external| {
        Observed::One(ObjectState { external, body: Value::Null, adopted: false })
    });
    // Plain data always serialises.
    let context = serde_json::to_value(Context { seen, wrote, kin }).unwrap_or_default();
    Observation { object, context, missing: missing.into_iter().collect() }
}

fn missing(kind: &str, value: &str, similar: Option<String>) -> MissingReference {
    let reference = Reference { kind: kind.to_owned(), value: value.to_owned() };
    MissingReference { reference, field: kind.to_owned(), similar }
}

/// Alike but for case and blanks: what somebody mistyped.
pub(super) fn alike(one: &str, other: &str) -> bool {
    let bare = |text: &str| -> String {
        text.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).collect()
    };
    bare(one) == bare(other)
}
