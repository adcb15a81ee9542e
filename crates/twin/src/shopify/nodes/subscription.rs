//! `WebhookSubscription`.

use crate::shop::gid;
use crate::shopify::answer::{Answer, Arguments, Node, Record, Request, Resolved, leaf, object, unmodelled};
use crate::shopify::contract::API_VERSION;
use crate::shopify::page::date;
use crate::shopify::webhooks::Subscription;
use std::sync::Arc;

pub(in crate::shopify) struct SubscriptionNode(pub(in crate::shopify) Subscription);

/// `ApiVersion` of the one version that is served.
pub(in crate::shopify) fn api_version() -> Record {
    Record::new("ApiVersion")
        .leaf("handle", API_VERSION)
        .leaf("displayName", format!("{API_VERSION} (Latest)"))
        .leaf("supported", true)
}

impl Node for SubscriptionNode {
    fn type_name(&self) -> &'static str {
        "WebhookSubscription"
    }

    fn field(&self, name: &str, _: &Arguments, _: &Arc<Request>) -> Resolved {
        let Subscription { id, topic, wanted, created_at, updated_at, .. } = &self.0;
        match name {
            "id" => leaf(gid("WebhookSubscription", *id)),
            "legacyResourceId" => leaf(id.to_string()),
            "topic" => leaf(topic.clone()),
            "uri" | "callbackUrl" => leaf(wanted.uri.clone()),
            "endpoint" => object(Record::new("WebhookHttpEndpoint").leaf("callbackUrl", wanted.uri.clone())),
            "format" => leaf("JSON"),
            "includeFields" => leaf(wanted.include_fields.clone()),
            "metafieldNamespaces" => leaf(wanted.metafield_namespaces.clone()),
            "metafields" => Ok(Answer::List(Vec::new())),
            "filter" => leaf(wanted.filter.clone().unwrap_or_default()),
            "name" => leaf(wanted.name.clone()),
            "apiVersion" => object(api_version()),
            "createdAt" => date(*created_at),
            "updatedAt" => date(*updated_at),
            other => Err(unmodelled("WebhookSubscription", other)),
        }
    }
}
