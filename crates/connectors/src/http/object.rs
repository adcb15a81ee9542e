//! Objects as a target's answers hold them. Owns where the id and the rest are found; what is not where the
//! configuration says is not guessed.

use super::compare::amount;
use super::config::{Config, CurrencyAt, ObjectAt};
use connector::outbound::Answer;
use connector::port::{ExternalRef, Held, ObjectState};
use kernel::money::Money;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What `plan` needs besides the object itself: kept in [`Observation::context`](connector::port::Observation).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Context {
    /// The digest of the wanted body that we last wrote, as far as this observation comes from our own write.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) written: Option<String>,
    /// It is the answer to a write.
    #[serde(default)]
    pub(super) wrote: bool,
}

impl Context {
    pub(super) fn of(value: &Value) -> Self {
        serde_json::from_value(value.clone()).unwrap_or_default()
    }

    pub(super) fn value(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }
}

/// The connector's own form of [`ObjectState::body`].
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(super) struct Body {
    /// As the target gave it; `Null` if it never does.
    pub(super) object: Value,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) version: Option<String>,
}

impl Body {
    pub(super) fn of(state: &ObjectState) -> Self {
        serde_json::from_value(state.body.clone()).unwrap_or_default()
    }
}

impl ObjectAt {
    /// The object in the answer to a step or a read.
    pub(super) fn in_answer<'a>(&self, answer: &'a Value) -> Option<&'a Value> {
        answer.pointer(&self.at).filter(|object| object.is_object())
    }

    /// The object, if it has an id.
    pub(super) fn state_of(&self, object: &Value, answer: Option<&Answer>) -> Option<ObjectState> {
        let external = ExternalRef {
            id: scalar(object, &self.id)?,
            number: self.number.as_ref().and_then(|at| scalar(object, at)),
            state: self.state.as_ref().and_then(|at| scalar(object, at)),
        };
        let header = || answer?.header(self.version_header.as_deref()?).map(str::to_owned);
        let version = self.version.as_ref().and_then(|at| scalar(object, at)).or_else(header);
        Some(state(external, Body { object: object.clone(), version }))
    }

    /// Whether the object bears this reference; any does where the configuration does not say where it stands.
    pub(super) fn bears(&self, object: &Value, reference: &str) -> bool {
        self.reference.as_ref().is_none_or(|at| scalar(object, at).is_some_and(|found| found == reference))
    }
}

impl Config {
    /// What the object comes to by its own account, where the configuration says in which currency.
    pub(super) fn held(&self, state: &ObjectState) -> Option<Held> {
        let total = self.total.as_ref()?;
        let object = Body::of(state).object;
        let currency = match total.currency.as_ref()? {
            CurrencyAt::Always(currency) => *currency,
            CurrencyAt::Pointer(at) => scalar(&object, at)?.parse().ok()?,
        };
        let gross = Money::new(object.pointer(&total.object).and_then(amount)?, currency);
        let void = state.external.state.as_ref().is_some_and(|is| self.states.cancelled.contains(is));
        Some(Held { gross, void })
    }
}

/// An object of which only the link is known.
pub(super) fn remembered(known: &ExternalRef) -> ObjectState {
    state(known.clone(), Body::default())
}

fn state(external: ExternalRef, body: Body) -> ObjectState {
    ObjectState { external, body: serde_json::to_value(body).unwrap_or_default(), adopted: false }
}

/// A text, a number or a truth value as text.
pub(super) fn scalar(value: &Value, at: &str) -> Option<String> {
    match value.pointer(at)? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        _ => None,
    }
}
