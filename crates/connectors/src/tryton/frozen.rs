//! A step's call as it is frozen: the body that goes out, byte for byte, and what its answer means. Owns its form,
//! which is read again after a restart.

use super::rpc;
use super::sale::{Sale, State};
use connector::port::{ExternalRef, Step};
use kernel::fault::{Fault, FaultKind};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The bytes of [`Step::request`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Frozen {
    /// The JSON that is sent.
    pub(super) body: String,
    /// The sale that it is done to; none yet for its create and for addresses.
    pub(super) object: Option<ExternalRef>,
    pub(super) answer: Answers,
    /// The record whose button is pressed, and the state that the button leads to: pressed already is no error.
    pub(super) button: Option<(i64, State)>,
}

/// What a success's `result` is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Answers {
    /// The ids of what was made; the first is the sale.
    Sale,
    /// The ids of what was made beside the sale.
    Ids,
    /// `null`.
    Nothing,
}

/// A call to be frozen.
#[derive(Debug)]
pub(super) struct Call<'a> {
    pub(super) name: &'static str,
    pub(super) method: String,
    pub(super) params: Vec<Value>,
    pub(super) object: Option<&'a Sale>,
    pub(super) answer: Answers,
    pub(super) button: Option<(i64, State)>,
}

impl Call<'_> {
    /// `creates`: whether a document comes into being, so that an unknown answer may double it.
    pub(super) fn freeze(self, creates: bool) -> Step {
        let object = self.object.map(Sale::external);
        self.frozen(creates, object)
    }

    /// What is done to a document that is no sale.
    pub(super) fn freeze_for(self, object: ExternalRef) -> Step {
        self.frozen(false, Some(object))
    }

    fn frozen(self, creates: bool, object: Option<ExternalRef>) -> Step {
        let frozen = Frozen {
            body: rpc::body(&self.method, &self.params),
            object,
            answer: self.answer,
            button: self.button,
        };
        Step {
            name: self.name.to_owned(),
            creates,
            idempotent: false,
            request: serde_json::to_vec(&frozen).unwrap_or_default(),
        }
    }
}

impl Frozen {
    pub(super) fn of(step: &Step) -> Result<Self, Fault> {
        serde_json::from_slice(&step.request).map_err(|error| {
            let what = format!("the frozen {} cannot be read back: {error}", step.name);
            Fault::new(FaultKind::Bug, connector::outbound::classify::code::NOT_BUILT, what)
        })
    }
}
