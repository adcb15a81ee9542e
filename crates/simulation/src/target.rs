//! The simulated target and the pure half of its connector: objects that are made, amended, confirmed and cancelled;
//! nothing is unique unless a call key says so.

use connector::port::{Done, ExternalRef, ObjectState, Observation, Observed, Plan, Stage, Step, Wanted};
use engine::engine::Planner;
use kernel::fault::{Fault, FaultKind};
use kernel::key::CallKey;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What a frozen request holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Request {
    pub key: String,
    pub id: Option<u64>,
    pub action: Action,
    pub content: Value,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Action {
    Create,
    Amend,
    Confirm,
    Cancel,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Object {
    pub id: u64,
    pub key: String,
    pub content: Value,
    pub confirmed: bool,
    pub cancelled: bool,
    /// Simulated time of its last change, for a look-up that lags.
    pub made_at: u64,
}

/// The target's own database.
#[derive(Debug, Clone, Default)]
pub struct Target {
    pub objects: Vec<Object>,
    answers: BTreeMap<CallKey, u64>,
}

impl Target {
    /// Carries a request out; the id of the object and whether anything was done (a known call key is answered as the
    /// first time). `Err`: already confirmed, or no such object.
    pub fn carry_out(
        &mut self,
        request: &Request,
        call: &CallKey,
        native: bool,
        now: u64,
    ) -> Result<(u64, bool), String> {
        if native && let Some(id) = self.answers.get(call) {
            return Ok((*id, false));
        }
        let id = match request.action {
            Action::Create => {
                let id = self.objects.len() as u64 + 1;
                self.objects.push(Object {
                    id,
                    key: request.key.clone(),
                    content: request.content.clone(),
                    confirmed: false,
                    cancelled: false,
                    made_at: now,
                });
                id
            }
            action => {
                let object = self
                    .objects
                    .iter_mut()
                    .find(|object| Some(object.id) == request.id)
                    .ok_or_else(|| "no such object".to_owned())?;
                match action {
                    Action::Confirm if object.confirmed => return Err("already confirmed".into()),
                    Action::Confirm => object.confirmed = true,
                    Action::Cancel => object.cancelled = true,
                    Action::Amend | Action::Create => object.content = request.content.clone(),
                }
                object.id
            }
        };
        if native {
            self.answers.insert(call.clone(), id);
        }
        Ok((id, true))
    }

    /// What a look-up for a key says; creates younger than the lag are not seen yet.
    pub fn look_up(&self, key: &str, seen_until: u64) -> Observation {
        let found: Vec<&Object> =
            self.objects.iter().filter(|object| object.key == key && object.made_at <= seen_until).collect();
        let object = match found.as_slice() {
            [] => Observed::None,
            [one] => Observed::One(state_of(one)),
            many => Observed::Many(many.iter().map(|object| object.id.to_string()).collect()),
        };
        Observation { object, context: Value::Null, missing: Vec::new() }
    }
}

fn state_of(object: &Object) -> ObjectState {
    ObjectState {
        external: ExternalRef {
            id: object.id.to_string(),
            number: Some(format!("S{}", object.id)),
            state: Some(if object.confirmed { "confirmed" } else { "draft" }.to_owned()),
        },
        body: json!({
            "content": object.content, "confirmed": object.confirmed, "cancelled": object.cancelled,
        }),
        adopted: false,
    }
}

/// The connector's pure half.
#[derive(Debug)]
pub struct Convergence;

impl Planner for Convergence {
    fn plan(&self, wanted: &Wanted, observed: &Observation) -> Plan {
        let step = |name: &str, action: Action, id: Option<u64>, creates: bool| {
            let request =
                Request { key: wanted.object_key.to_string(), id, action, content: wanted.body.clone() };
            Plan::Next(Step {
                name: name.to_owned(),
                creates,
                idempotent: action == Action::Amend,
                request: serde_json::to_vec(&request).unwrap_or_default(),
            })
        };
        let object = match &observed.object {
            Observed::One(object) => object,
            Observed::None | Observed::Many(_) => return step("create", Action::Create, None, true),
        };
        let id = object.external.id.parse().ok();
        let (confirmed, cancelled) =
            (object.body["confirmed"] == Value::Bool(true), object.body["cancelled"] == Value::Bool(true));
        if !cancelled && object.body["content"] != wanted.body {
            return step("amend", Action::Amend, id, false);
        }
        match wanted.stage {
            // As real targets do: what was called off is not brought back.
            Stage::Present | Stage::Confirmed if cancelled => Plan::NotAllowed(Fault::new(
                FaultKind::Rejected,
                "object_closed",
                "the object is cancelled, and something else is wanted of it",
            )),
            Stage::Cancelled if !cancelled => step("cancel", Action::Cancel, id, false),
            Stage::Confirmed if !confirmed => step("confirm", Action::Confirm, id, false),
            _ => Plan::Done(Done {
                external: object.external.clone(),
                note: None,
                unchanged: true,
                adopted: object.adopted,
            }),
        }
    }
}
