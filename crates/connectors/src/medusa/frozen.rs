//! A step's call as it is frozen: method, path and the bytes that go out, and what the order looked like when it was planned.
//! Owns its form, which is read again after a restart.

use super::sale::Sale;
use connector::port::{ExternalRef, Step};
use kernel::fault::{Fault, FaultKind};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The bytes of [`Step::request`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Frozen {
    pub(super) path: String,
    /// The JSON that is sent.
    pub(super) body: String,
    /// The order that it is done to; none yet for its create.
    pub(super) object: Option<ExternalRef>,
    pub(super) stood: Option<Stood>,
    /// The order that it concerns, which need not be what it makes or changes.
    #[serde(default)]
    pub(super) order: Option<String>,
    /// It takes away, and has no body.
    #[serde(default)]
    pub(super) deletes: bool,
}

/// How an order stood when a step was planned: a refusal of one that stands otherwise by now is no refusal of ours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stood {
    pub(super) status: String,
    pub(super) draft: bool,
    pub(super) version: i64,
    pub(super) packed: bool,
    pub(super) edit: Option<String>,
    /// How much was done in it.
    #[serde(default)]
    pub(super) acted: usize,
}

impl Stood {
    pub(super) fn of(sale: &Sale) -> Self {
        Self {
            status: sale.status.clone(),
            draft: sale.draft,
            version: sale.version,
            packed: sale.packed,
            edit: sale.edit.as_ref().map(|edit| edit.id.clone()),
            acted: sale.edit.as_ref().map_or(0, |edit| edit.acted),
        }
    }
}

impl Frozen {
    /// `idempotent`: an absolute write, which leaves the same when it is made twice.
    pub(super) fn step(
        name: &str,
        path: String,
        body: &Value,
        sale: Option<&Sale>,
        idempotent: bool,
    ) -> Step {
        let frozen = match sale {
            Some(sale) => Self::of_sale(path, body, sale),
            None => {
                Self { path, body: body.to_string(), object: None, stood: None, order: None, deletes: false }
            }
        };
        frozen.named(name, sale.is_none(), idempotent)
    }

    /// A call that is done to an order.
    pub(super) fn of_sale(path: String, body: &Value, sale: &Sale) -> Self {
        Self {
            path,
            body: body.to_string(),
            object: Some(sale.external()),
            stood: Some(Stood::of(sale)),
            order: Some(sale.id.clone()),
            deletes: false,
        }
    }

    pub(super) fn named(&self, name: &str, creates: bool, idempotent: bool) -> Step {
        let request = serde_json::to_vec(self).unwrap_or_default();
        Step { name: name.to_owned(), creates, idempotent, request }
    }

    pub(super) fn of(step: &Step) -> Result<Self, Fault> {
        serde_json::from_slice(&step.request).map_err(|error| {
            let what = format!("the frozen {} cannot be read back: {error}", step.name);
            Fault::new(FaultKind::Bug, connector::outbound::classify::code::NOT_BUILT, what)
        })
    }
}
