//! `POST replay`: brings an order to its targets again. One that died is released; else its newest state is appended
//! once more, under the same keys, so that the effect is once.

use super::asked::{self, Body, Hand, NothingElse};
use super::order::life;
use super::{AdminError, AdminParts, Parts};
use axum::Json;
use axum::extract::State;
use kernel::envelope::Via;
use kernel::id::{DeliveryId, FlowName};
use kernel::subject::Subject;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;
use store::delivery::{Delivery, DeliveryKind, DeliveryState};
use store::log::NewEnvelope;
use store::operate::{AuditEntry, By};
use store::query::{DeliveryFilter, Life, Phase};

#[derive(Debug, Deserialize)]
pub(super) struct Asked {
    shop: String,
    order: String,
    #[serde(flatten)]
    hand: Hand,
    #[serde(flatten)]
    _rest: NothingElse,
}

#[derive(Debug, Serialize)]
pub(super) struct Replayed {
    /// Deliveries that wait again.
    released: u64,
    /// The newest state lies in the log once more.
    appended: bool,
}

pub(super) async fn replay(
    State(parts): Parts,
    Body(asked): Body<Asked>,
) -> Result<Json<Replayed>, AdminError> {
    let root = asked::order(&asked.shop, &asked.order)?;
    let now = parts.clock.now().wall;
    let by = asked.hand.by(now)?;
    let dead = newest_dead(&life(&parts, &root).await?, &root);
    let replayed = if dead.is_empty() {
        append(&parts, &root, by).await?;
        Replayed { released: 0, appended: true }
    } else {
        let which = DeliveryFilter { ids: dead, phase: Some(Phase::Dead), ..Default::default() };
        let released = parts.store.release(which, by, now, Duration::ZERO).await?;
        parts.hub.changed();
        Replayed { released, appended: false }
    };
    Ok(Json(replayed))
}

/// The newest state of the order at each flow, where that one died.
fn newest_dead(life: &Life, root: &Subject) -> Vec<DeliveryId> {
    let mut newest: BTreeMap<&FlowName, &Delivery> = BTreeMap::new();
    let states = life.deliveries.iter().filter(|row| row.kind == DeliveryKind::State && row.subject == *root);
    for delivery in states {
        let known = newest.entry(&delivery.flow).or_insert(delivery);
        if (delivery.position, delivery.id) > (known.position, known.id) {
            *known = delivery;
        }
    }
    let dead = |row: &&Delivery| matches!(row.state, DeliveryState::Dead);
    newest.into_values().filter(dead).map(|row| row.id).collect()
}

async fn append(parts: &AdminParts, root: &Subject, by: By) -> Result<(), AdminError> {
    let Some((envelope, payload)) = parts.store.newest_payload(root).await? else {
        return Err(AdminError::nothing_to_replay(format!(
            "the log no longer has a body of {root} (past its time, or redacted): a backfill of its day reads it anew"
        )));
    };
    parts.store.append(vec![NewEnvelope::again(envelope, payload, Via::Replay, by.at)]).await?;
    let entry = AuditEntry {
        at: by.at,
        who: by.who,
        action: "replay".to_owned(),
        target: root.to_string(),
        why: by.why,
        count: 1,
    };
    parts.hub.appended();
    parts.store.audit(entry).await?;
    Ok(())
}
