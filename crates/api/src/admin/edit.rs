//! `POST dead-letters/{delivery}/order` and `…/edit`: the order of a dead letter, for a person who corrects it, and the
//! corrected one. It is appended as a newer state, which takes the place of the dead one and is delivered like any
//! other; the order as it came stays in the log.

use super::asked::{Body, Hand, NothingElse};
use super::{AdminError, AdminParts, Parts};
use axum::Json;
use axum::extract::{DefaultBodyLimit, Path, State};
use bytes::Bytes;
use domains::orders::{self, MENDED_TOPIC, MendFault, Order, changed_paths};
use kernel::envelope::{Envelope, Via};
use kernel::id::DeliveryId;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use shopify::source::READ_TOPIC;
use store::log::NewEnvelope;
use store::operate::{AuditEntry, By};
use store::query::{DeadLetter, DeliveryFilter};

/// An order of some hundred lines is longer than any other question.
const BODY_BYTES_MAX: usize = 8 << 20;
/// So many changed fields are named in the audit.
const NAMED_MAX: usize = 20;

#[derive(Debug, Deserialize)]
pub(super) struct OrderAsked {
    #[serde(flatten)]
    hand: Hand,
    #[serde(flatten)]
    _rest: NothingElse,
}

/// What is to be corrected.
#[derive(Debug, Serialize)]
pub(super) struct OrderGiven {
    form: Form,
    order: Value,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Form {
    /// The canonical order (docs/schema/order.schema.json).
    Canonical,
    /// The body as it came: no canonical order could be made of it.
    Body,
}

#[derive(Debug, Deserialize)]
pub(super) struct EditAsked {
    order: Value,
    #[serde(flatten)]
    hand: Hand,
    #[serde(flatten)]
    _rest: NothingElse,
}

#[derive(Debug, Serialize)]
pub(super) struct Edited {
    subject: String,
    /// Which fields, without their values.
    changed: Vec<String>,
}

/// Of what is posted to [`edit`].
pub(super) fn bound() -> DefaultBodyLimit {
    DefaultBodyLimit::max(BODY_BYTES_MAX)
}

pub(super) async fn order(
    State(parts): Parts,
    Path(delivery): Path<String>,
    Body(asked): Body<OrderAsked>,
) -> Result<Json<OrderGiven>, AdminError> {
    let by = asked.hand.by_or("to correct it", parts.clock.now().wall)?;
    let dead = Dead::find(&parts, &delivery).await?;
    let (form, order) = dead.given()?;
    parts.store.audit(dead.entry("read_order", by, 1)).await?;
    Ok(Json(OrderGiven { form, order }))
}

pub(super) async fn edit(
    State(parts): Parts,
    Path(delivery): Path<String>,
    Body(asked): Body<EditAsked>,
) -> Result<Json<Edited>, AdminError> {
    let by = asked.hand.by(parts.clock.now().wall)?;
    let dead = Dead::find(&parts, &delivery).await?;
    let (form, before) = dead.given()?;
    let mended = dead.mended(form, &asked.order).map_err(|faults| refused(&faults))?;
    if mended.order_id != dead.letter.subject.key() {
        return Err(AdminError::not_mended(format!(
            "it says order {}, and the dead letter is of {}: nothing was taken",
            mended.order_id, dead.letter.subject
        )));
    }
    let changed = changed_paths(&before, &asked.order, NAMED_MAX);
    let subject = dead.letter.subject.to_string();
    parts.store.append(vec![dead.again(&mended, &by)?]).await?;
    parts.hub.appended();
    let why = format!("{} ({})", by.why, changed.join(", "));
    parts.store.audit(dead.entry("edit", By { why, ..by }, 1)).await?;
    Ok(Json(Edited { subject, changed }))
}

/// An open dead letter of an order, with the newest body that the log has of it.
struct Dead {
    letter: DeadLetter,
    envelope: Envelope,
    payload: Bytes,
}

impl Dead {
    async fn find(parts: &AdminParts, delivery: &str) -> Result<Self, AdminError> {
        let id = delivery.parse().map(DeliveryId).map_err(|_| {
            AdminError::mend(format!(
                "{delivery:?} is no delivery; GET /admin/v1/dead-letters has their numbers"
            ))
        })?;
        let which = DeliveryFilter { ids: vec![id], ..Default::default() };
        let Some(letter) = parts.store.dead_letters(which.clone(), false).await?.pop() else {
            return Err(AdminError::not_found(format!("delivery {id} is no open dead letter")));
        };
        let exports =
            |work: &&super::WorkScope| work.scope.flow == letter.flow && work.scope.shop == letter.shop;
        if parts.works.iter().find(exports).is_none() || letter.subject.root() != letter.subject.path {
            return Err(AdminError::not_mended(format!(
                "delivery {id} brings no order to a target (flow {}, {}): only orders are corrected here",
                letter.flow, letter.subject
            )));
        }
        let newest = parts.store.newest_payload(&letter.subject).await?;
        let (Some((envelope, payload)), Some(delivery)) =
            (newest, parts.store.deliveries(which).await?.pop())
        else {
            return Err(AdminError::nothing_to_replay(format!(
                "the log no longer has a body of {} (past its time, or redacted): a backfill of its day reads it anew",
                letter.subject
            )));
        };
        if envelope.position != delivery.position {
            return Err(AdminError::not_mended(format!(
                "a newer state of {} lies in the log: that is what a target gets, and delivery {id} is not",
                letter.subject
            )));
        }
        Ok(Self { letter, envelope, payload })
    }

    fn is_read(&self) -> bool {
        self.envelope.topic == READ_TOPIC
    }

    /// The canonical order, if there is one.
    fn canonical(&self) -> Option<Order> {
        match self.envelope.topic.as_str() {
            MENDED_TOPIC => orders::read_canonical(&self.payload).ok(),
            READ_TOPIC => orders::from_graphql(&self.payload).ok(),
            _ => orders::from_rest(&self.payload).ok(),
        }
    }

    fn given(&self) -> Result<(Form, Value), AdminError> {
        if let Some(order) = self.canonical() {
            let value = serde_json::to_value(&order);
            return value.map(|value| (Form::Canonical, value)).map_err(|error| {
                AdminError::not_mended(format!("the order cannot be written down: {error}"))
            });
        }
        serde_json::from_slice(&self.payload).map(|body| (Form::Body, body)).map_err(|error| {
            AdminError::not_mended(format!("the body is no JSON ({error}): the sender's copy is needed"))
        })
    }

    fn mended(&self, form: Form, order: &Value) -> Result<Order, Vec<MendFault>> {
        match (form, self.canonical()) {
            (Form::Canonical, Some(original)) => orders::mend(&original, order),
            _ => orders::mend_body(order, self.is_read()),
        }
    }

    /// Under the same trace, so that the timeline of the order goes on.
    fn again(&self, order: &Order, by: &By) -> Result<NewEnvelope, AdminError> {
        let payload = serde_json::to_vec(order)
            .map_err(|error| AdminError::not_mended(format!("the order cannot be written down: {error}")))?;
        Ok(NewEnvelope {
            subject: self.letter.subject.clone(),
            occurred_at: order.updated_at,
            received_at: by.at,
            ..NewEnvelope::follows(&self.envelope, MENDED_TOPIC.to_owned(), Via::Replay, payload)
        })
    }

    fn entry(&self, action: &str, by: By, count: u64) -> AuditEntry {
        AuditEntry {
            at: by.at,
            who: by.who,
            action: action.to_owned(),
            target: format!("{}, delivery {}", self.letter.subject, self.letter.delivery),
            why: by.why,
            count,
        }
    }
}

fn refused(faults: &[MendFault]) -> AdminError {
    let all: Vec<String> = faults.iter().map(ToString::to_string).collect();
    AdminError::not_mended(format!("the corrected order is not taken:\n- {}", all.join("\n- ")))
}
