//! That a target refuses a thing, and that it takes it after all: a fact of its own, where a flow takes it up (and holds in the
//! shop what nobody has reserved). Owns when it is told and what it says; knows no order and no hold.
//!
//! Both are told with the commit that makes them so. That a thing is refused stands in its small row, in place of the digest of
//! what was delivered: whatever is delivered next is looked at first, ends it, and says so, on whichever node and after
//! whatever restart.

use crate::running::{Look, Running};
use jiff::Timestamp;
use kernel::fault::{Fault, FaultKind};
use kernel::flow::Mode;
use kernel::version::Digest;
use serde_json::{Value, json};
use store::delivery::{DeliveryKind, Standing};
use store::log::NewEnvelope;

/// The topic of both.
pub const REFUSAL: &str = "object/refusal";

/// In place of a digest. No mapped body has it: it is no hash.
const REFUSED: Digest = [0; 32];

/// Of a target's own words.
const MESSAGE_MAX: usize = 500;

/// Whether the newest state that the target was asked to take is one that it refused.
pub(crate) fn stands(standing: &Standing) -> bool {
    standing.delivered_digest == Some(REFUSED)
}

/// The digest to be kept once a delivery has ended well: what is only a step of an older state does not end a refusal.
pub(crate) fn kept(running: &Running, digest: Digest) -> Digest {
    let is_step = running.claim.delivery.kind == DeliveryKind::Step;
    if is_step && stands(&running.claim.standing) { REFUSED } else { digest }
}

/// The delivery dies: what is told of it, and the digest that stands for it. `None` where nobody takes it up, where the thing was
/// called off, or where it was not the target that refused (its attempts ended, our own invariant broke, the mapping failed).
pub(crate) fn refused(running: &Running, fault: &Fault, now: Timestamp) -> Option<(NewEnvelope, Digest)> {
    let goal = running.goal.as_ref()?;
    let told = goal.flow.tells_refusals && goal.flow.policy.mode == Mode::Live;
    let is_state = running.claim.delivery.kind == DeliveryKind::State && goal.look == Look::No;
    if !told || !is_state || goal.cancelled || fault.kind != FaultKind::Rejected {
        return None;
    }
    let message: String = fault.message.chars().take(MESSAGE_MAX).collect();
    let more = json!({ "refused": true, "code": fault.code, "field": fault.field, "message": message });
    Some((fact(running, more, now), REFUSED))
}

/// The delivery ended well, or is not wanted any more: what is told of it, where it was refused before.
pub(crate) fn taken(running: &Running, tells: bool, now: Timestamp) -> Option<NewEnvelope> {
    let is_state = running.claim.delivery.kind == DeliveryKind::State;
    let ends = tells && is_state && stands(&running.claim.standing);
    ends.then(|| fact(running, json!({ "refused": false }), now))
}

fn fact(running: &Running, more: Value, now: Timestamp) -> NewEnvelope {
    let claim = &running.claim;
    let flow = claim.delivery.flow.as_str();
    let mut payload = json!({ "flow": flow, "system": claim.lane.system.as_str(), "at": now.to_string() });
    if let (Value::Object(payload), Value::Object(more)) = (&mut payload, more) {
        payload.extend(more);
    }
    running.told(REFUSAL, claim.delivery.subject.child("refusal", flow), &payload, now)
}
