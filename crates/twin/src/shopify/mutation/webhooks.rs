//! `webhookSubscriptionCreate`, `…Update`, `…Delete`.

use super::{payload, plain_error};
use crate::shop::gid;
use crate::shopify::answer::{Answer, Arguments, Refusal, Request, Resolved};
use crate::shopify::nodes::{SubscriptionNode, id_of};
use crate::shopify::webhooks::{Subscription, Wanted, forbidden};
use serde_json::{Map, Value};
use std::sync::Arc;

pub(super) fn create(args: &Arguments, request: &Arc<Request>) -> Resolved {
    const PAYLOAD: &str = "WebhookSubscriptionCreatePayload";
    let refused = |error: Answer| payload(PAYLOAD, "webhookSubscription", None, vec![error]);
    let topic = args.text("topic").unwrap_or_default().to_owned();
    if let Some(text) = forbidden(request, &topic) {
        return refused(plain_error(Some(&["webhookSubscription"]), &text));
    }
    let wanted = match wanted(args, Wanted::default())? {
        Ok(wanted) => wanted,
        Err(error) => return refused(error),
    };
    let mut state = request.shop.state();
    state.prune();
    if let Some(error) = taken(state.subscriptions.values(), &topic, &wanted, 0) {
        return refused(error);
    }
    let id = state.next_id();
    let subscription = Subscription::new(id, topic, wanted, request.shop.now());
    state.subscriptions.insert(id, subscription.clone());
    payload(PAYLOAD, "webhookSubscription", Some(node(subscription)), Vec::new())
}

pub(super) fn update(args: &Arguments, request: &Arc<Request>) -> Resolved {
    const PAYLOAD: &str = "WebhookSubscriptionUpdatePayload";
    let refused = |error: Answer| payload(PAYLOAD, "webhookSubscription", None, vec![error]);
    let id = id_of("WebhookSubscription", args.text("id").unwrap_or_default())?;
    let mut state = request.shop.state();
    state.prune();
    let Some(known) = state.subscriptions.get(&id).cloned() else {
        return refused(plain_error(Some(&["id"]), "Webhook subscription does not exist"));
    };
    let wanted = match wanted(args, known.wanted.clone())? {
        Ok(wanted) => wanted,
        Err(error) => return refused(error),
    };
    if let Some(error) = taken(state.subscriptions.values(), &known.topic, &wanted, id) {
        return refused(error);
    }
    let changed = Subscription { wanted, updated_at: request.shop.now(), ..known };
    state.subscriptions.insert(id, changed.clone());
    payload(PAYLOAD, "webhookSubscription", Some(node(changed)), Vec::new())
}

pub(super) fn delete(args: &Arguments, request: &Arc<Request>) -> Resolved {
    const PAYLOAD: &str = "WebhookSubscriptionDeletePayload";
    let id = id_of("WebhookSubscription", args.text("id").unwrap_or_default())?;
    let mut state = request.shop.state();
    state.prune();
    match state.subscriptions.remove(&id) {
        Some(gone) => {
            gone.health.delete();
            let id = Answer::Leaf(gid("WebhookSubscription", id).into());
            payload(PAYLOAD, "deletedWebhookSubscriptionId", Some(id), Vec::new())
        }
        None => {
            let error = plain_error(Some(&["id"]), "Webhook subscription does not exist");
            payload(PAYLOAD, "deletedWebhookSubscriptionId", None, vec![error])
        }
    }
}

fn node(subscription: Subscription) -> Answer {
    Answer::node(SubscriptionNode(subscription))
}

/// What the input asks for, over what was there; the inner error is a `userError`.
fn wanted(args: &Arguments, known: Wanted) -> Result<Result<Wanted, Answer>, Refusal> {
    let empty = Map::new();
    let input = args.get("webhookSubscription").and_then(Value::as_object).unwrap_or(&empty);
    let given = |name: &str| input.get(name).filter(|value| !value.is_null());
    if given("metafields").is_some() {
        return Err(Refusal::not_modelled(
            "webhook subscriptions with `metafields`; use metafieldNamespaces",
        ));
    }
    let text = |name: &str| given(name).and_then(Value::as_str).map(str::to_owned);
    let texts = |name: &str, known: Vec<String>| match given(name).and_then(Value::as_array) {
        Some(items) => items.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect(),
        None => known,
    };
    if text("format").is_some_and(|format| format != "JSON") {
        let error = "Format 'xml' is invalid for this webhook topic. Allowed formats: json";
        return Ok(Err(plain_error(Some(&["webhookSubscription", "format"]), error)));
    }
    let wanted = Wanted {
        uri: text("uri").or_else(|| text("callbackUrl")).unwrap_or(known.uri),
        include_fields: texts("includeFields", known.include_fields),
        metafield_namespaces: texts("metafieldNamespaces", known.metafield_namespaces),
        filter: text("filter").or(known.filter),
        name: text("name").or(known.name),
    };
    Ok(match wanted.fault() {
        Some((field, text)) => Err(plain_error(Some(&field), &text)),
        None => Ok(wanted),
    })
}

/// One subscription for a topic, an address and a filter; one for a name.
fn taken<'a>(
    mut others: impl Iterator<Item = &'a Subscription>,
    topic: &str,
    wanted: &Wanted,
    own_id: u64,
) -> Option<Answer> {
    others.find_map(|other| {
        let same_name = wanted.name.is_some() && other.wanted.name == wanted.name;
        let same_address =
            other.topic == topic && other.wanted.uri == wanted.uri && other.wanted.filter == wanted.filter;
        match () {
            () if other.id == own_id => None,
            () if same_name => Some(plain_error(
                Some(&["webhookSubscription", "name"]),
                "Name already exists, no duplicate allowed",
            )),
            () if same_address => Some(plain_error(
                Some(&["webhookSubscription", "callbackUrl"]),
                "Address for this topic has already been taken",
            )),
            () => None,
        }
    })
}
