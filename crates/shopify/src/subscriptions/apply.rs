//! Reads the live subscriptions and makes the changes of a plan, one call each.

use super::plan::{Action, Change, Live, Spec};
use super::topic::enum_name;
use crate::graphql::{
    CREATE_SUBSCRIPTION, Claim, DELETE_SUBSCRIPTION, Deadline, SUBSCRIPTIONS, ShopClient, UPDATE_SUBSCRIPTION,
};
use crate::source::{connection, need};
use connector::port::CallContext;
use kernel::fault::Fault;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// What came of one change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    pub change: Change,
    pub result: Result<(), Fault>,
}

/// All subscriptions that the app has in the shop. Waits for the cost bucket within the call's time.
pub async fn list(client: &ShopClient, call: &CallContext) -> Result<Vec<Live>, Fault> {
    let (deadline, mut after, mut all) = (Deadline::new(client, call), None, Vec::new());
    loop {
        let variables = json!({ "after": after });
        let reply = client.ask_within(&deadline, Claim::LIVE, &SUBSCRIPTIONS, &variables).await?;
        let (nodes, next) = connection(&reply.data, "webhookSubscriptions")?;
        for node in nodes {
            all.push(live(node)?);
        }
        match next {
            Some(next) => after = Some(next),
            None => return Ok(all),
        }
    }
}

fn live(node: &Value) -> Result<Live, Fault> {
    let texts = |name: &str| -> BTreeSet<String> {
        let list = node.get(name).and_then(Value::as_array);
        list.into_iter().flatten().filter_map(|text| text.as_str().map(str::to_owned)).collect()
    };
    let filter = node.get("filter").and_then(Value::as_str).filter(|filter| !filter.is_empty());
    Ok(Live {
        id: need(node, "id")?.to_owned(),
        topic: need(node, "topic")?.to_owned(),
        uri: need(node, "uri")?.to_owned(),
        format: need(node, "format")?.to_owned(),
        include_fields: texts("includeFields"),
        metafield_namespaces: texts("metafieldNamespaces"),
        filter: filter.map(str::to_owned),
        api_version: need(node.get("apiVersion").unwrap_or(&Value::Null), "handle")?.to_owned(),
    })
}

/// Makes every change that is due, in order; one that fails does not keep the others from being made. What then is
/// live is known by listing again.
pub async fn apply(client: &ShopClient, call: &CallContext, changes: &[Change]) -> Vec<Applied> {
    let deadline = Deadline::new(client, call);
    let mut applied = Vec::new();
    for change in changes.iter().filter(|change| change.is_due()) {
        let (document, variables) = match &change.action {
            Action::Create(spec) => (
                &CREATE_SUBSCRIPTION,
                json!({ "topic": enum_name(&spec.topic), "subscription": input(spec) }),
            ),
            Action::Update { id, spec } => {
                (&UPDATE_SUBSCRIPTION, json!({ "id": id, "subscription": input(spec) }))
            }
            Action::Delete { id } => (&DELETE_SUBSCRIPTION, json!({ "id": id })),
            Action::Keep { .. } => continue,
        };
        let result = client.ask_within(&deadline, Claim::LIVE, document, &variables).await.map(drop);
        applied.push(Applied { change: change.clone(), result });
    }
    applied
}

/// Every field is sent: what is left out would stay as it was.
fn input(spec: &Spec) -> Value {
    json!({
        "uri": spec.uri,
        "format": "JSON",
        "includeFields": spec.include_fields,
        "metafieldNamespaces": spec.metafield_namespaces,
    })
}
