//! The newest state of a subject as a flow has it: by its version, and not by when it came.

use crate::delivery::{Delivery, DeliveryKind};
use crate::port::{Store, StoreResult};
use crate::query::Life;
use bytes::Bytes;
use kernel::envelope::Envelope;
use kernel::id::FlowName;
use kernel::subject::Subject;
use kernel::version::Order;

/// Its envelope and its payload; `None` where it is kept no more. What no flow has had yet is taken as it came.
pub async fn newest_state(
    store: &dyn Store,
    life: &Life,
    flow: &FlowName,
    subject: &Subject,
) -> StoreResult<Option<(Envelope, Bytes)>> {
    // What is composed of others has a delivery before it has a state: that one is of another's envelope.
    let is_of_its_own = |delivery: &Delivery| {
        life.envelopes
            .iter()
            .any(|(envelope, _)| envelope.position == delivery.position && envelope.subject == *subject)
    };
    let states = life.deliveries.iter().filter(|delivery| {
        delivery.flow == *flow
            && delivery.subject == *subject
            && delivery.kind == DeliveryKind::State
            && is_of_its_own(delivery)
    });
    let mut in_order: Vec<&Delivery> = states.collect();
    in_order.sort_by_key(|delivery| delivery.position);
    let newest = in_order.into_iter().reduce(|known, next| match (&next.version, &known.version) {
        (Some(version), Some(before)) if version.against(before) == Order::Older => known,
        _ => next,
    });
    let Some(newest) = newest else { return store.newest_payload(subject).await };
    let envelope = life.envelopes.iter().find(|(envelope, _)| envelope.position == newest.position);
    let Some((envelope, _)) = envelope else { return Ok(None) };
    Ok(store.delivery_payload(newest.id).await?.map(|payload| (envelope.clone(), payload)))
}
