//! One frozen call of a hold. Owns how it shows whether it was carried out, and what a refusal means.

use super::code;
use super::look::again;
use super::seen::{Part, Seen};
use crate::graphql::{Claim, Deadline, Document, HOLD_FULFILMENT_ORDER, RELEASE_HOLD, ShopClient};
use connector::outbound::Access;
use connector::port::{Applied, CallContext, Observation, Step};
use kernel::fault::{Fault, FaultKind};
use serde_json::Value;

/// Shopify's own.
const LIMIT_REACHED: &str = "FULFILLMENT_ORDER_HOLD_LIMIT_REACHED";

/// What a frozen call does, and to which fulfilment order.
pub(super) enum Call {
    Hold { part: Value, handle: String },
    Release { part: Value, hold: String },
}

impl Call {
    /// `None`: it is none of ours.
    pub(super) fn read(step: &Step) -> Option<Self> {
        let body: Value = serde_json::from_slice(&step.request).ok()?;
        let variables = body.get("variables")?;
        let part = variables.get("id")?.clone();
        let text = |path: &str| Some(variables.pointer(path)?.as_str()?.to_owned());
        match body.get("operationName")?.as_str()? {
            name if name == HOLD_FULFILMENT_ORDER.name => {
                Some(Self::Hold { part, handle: text("/hold/handle")? })
            }
            name if name == RELEASE_HOLD.name => Some(Self::Release { part, hold: text("/holds/0")? }),
            _ => None,
        }
    }

    fn document(&self) -> &'static Document {
        match self {
            Self::Hold { .. } => &HOLD_FULFILMENT_ORDER,
            Self::Release { .. } => &RELEASE_HOLD,
        }
    }

    fn part(&self) -> &Value {
        match self {
            Self::Hold { part, .. } | Self::Release { part, .. } => part,
        }
    }

    /// By what the fulfilment order shows now.
    fn is_done(&self, part: &Part) -> bool {
        match self {
            Self::Hold { handle, .. } => part.ours(handle).is_some(),
            Self::Release { hold, .. } => !part.held.iter().any(|(id, _)| id == hold),
        }
    }
}

/// `false` also where the fulfilment order is there no more: the call may still be on its way, and comes to nothing.
pub(super) fn shows(step: &Step, observed: &Observation) -> Option<bool> {
    let (call, seen) = (Call::read(step)?, Seen::of(observed)?);
    let part = seen.parts.iter().find(|part| *call.part() == *part.id);
    Some(part.is_some_and(|part| call.is_done(part)))
}

pub(super) async fn apply(client: &ShopClient, call: &CallContext, step: &Step) -> Result<Applied, Fault> {
    let Some(wanted) = Call::read(step) else {
        let what = format!("the frozen {} cannot be read back; nothing was sent", step.name);
        return Err(Fault::new(FaultKind::Bug, code::FROZEN, what));
    };
    let deadline = Deadline::new(client, call);
    let sent = client.send(call, Claim::LIVE, wanted.document(), Access::Write, step.request.clone()).await;
    match sent {
        // All that the order shows is looked at again.
        Ok(_) => Ok(Applied { external: None, observation: None }),
        Err(refused) if refused.kind != FaultKind::Rejected => Err(refused),
        Err(refused) if refused.code == LIMIT_REACHED => {
            let what =
                format!("{}: release one of the app's own holds there, then release this", refused.message);
            Err(Fault::new(FaultKind::Rejected, code::FULL, what))
        }
        Err(refused) => Err(match has_moved(client, &deadline, &wanted).await {
            true => {
                let what = format!(
                    "what is to leave of the order changed between the look and the call; it is looked at again. {}",
                    refused.message
                );
                Fault::new(FaultKind::Conflict, code::MOVED, what)
            }
            false => refused,
        }),
    }
}

/// Whether a refused call was decided upon what is so no more: somebody shipped, cancelled, held or released meanwhile. Shopify
/// gives most refusals no code, so it is asked and not read out of their text. Only reads, within the call's own time.
async fn has_moved(client: &ShopClient, deadline: &Deadline, wanted: &Call) -> bool {
    match again(client, deadline, wanted.part()).await {
        Ok(Some(part)) => wanted.is_done(&part) || !part.may_be_held,
        Ok(None) => true,
        Err(_) => false,
    }
}
