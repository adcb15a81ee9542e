//! The connector `shopify` as a target: writes the ERP's number and state to the order, as metafields, and where the
//! connection says so the state as a tag. One instance
//! serves all shops; the call names the shop. Owns nothing else of the order, and never creates or deletes one.

mod config;
mod plan;
mod tags;

pub(crate) use config::{Config, NAMESPACE, descriptor};
pub use config::{SCHEMA, SCHEMA_NAME, describe};

use crate::graphql::{Claim, Document, ERP_FIELDS, Reply, SET_ERP_FIELDS, SHOP, Shops, frozen};
use crate::source::{order_gid, order_of};
use async_trait::async_trait;
use connector::descriptor::Descriptor;
use connector::outbound::Access;
use connector::port::{
    Applied, CallContext, Connector, ExternalRef, Held, ObjectState, Observation, Observed, Plan, Step,
    Wanted,
};
use connector::settings::{Secrets, Settings};
use kernel::fault::{Fault, FaultKind, Reference};
use kernel::key::CallKey;
use plan::{Context, Fields};
use serde_json::{Value, json};
use std::sync::Arc;

/// Our own codes; each has a page in `docs/errors/`.
mod code {
    /// Shopify has no such order.
    pub(super) const NO_ORDER: &str = "TG-6301";
    /// What the mapping made is not what the schema says.
    pub(super) const BODY: &str = "TG-6302";
    /// A frozen call that cannot be read back.
    pub(super) const FROZEN: &str = "TG-6303";
    /// The order has no room for a tag.
    pub(super) const TAGS_FULL: &str = "TG-6304";
}

/// Ready to be called. The shops bring their tokens; the connection has none of its own.
pub fn connect(settings: &Settings, shops: Shops) -> Result<Arc<dyn Connector>, Vec<String>> {
    let config = settings.read(Secrets::Resolved, Config::read)?;
    Ok(Arc::new(WriteBack::new(config, shops)))
}

#[derive(Debug)]
pub(crate) struct WriteBack {
    config: Config,
    shops: Shops,
    descriptor: Descriptor,
}

#[async_trait]
impl Connector for WriteBack {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    /// Of the shop that is named; of any shop where none of that name is configured. One shop that is well shows that
    /// Shopify is: another's token is that shop's trouble.
    async fn health(&self, call: &CallContext) -> Result<(), Fault> {
        if self.shops.get(&call.shop).is_ok() {
            return self.shop_health(call).await;
        }
        let mut first = None;
        for shop in self.shops.iter() {
            let call = CallContext { shop: shop.id().clone(), ..call.clone() };
            match self.shop_health(&call).await {
                Ok(()) => return Ok(()),
                Err(fault) => first = first.or(Some(fault)),
            }
        }
        first.map_or(Ok(()), Err)
    }

    async fn observe(&self, call: &CallContext, wanted: &Wanted) -> Result<Observation, Fault> {
        let gid = order_gid(order_of(&wanted.subject)?);
        let Config { namespace, number, state, state_tag } = &self.config;
        let variables = json!({ "id": gid, "namespace": namespace, "number": number, "state": state });
        let shop = self.shops.get(&call.shop)?;
        let reply = shop.ask(call, Claim::LIVE, &ERP_FIELDS, &variables).await?;
        let order = reply.data.get("order").filter(|order| order.is_object());
        let all = order.map(tags::of).unwrap_or_default();
        let context = Context { has_order: order.is_some(), wrote: false, full: all.len() >= tags::TAGS_MAX };
        let tags = state_tag.as_ref().map_or_else(Vec::new, |beginning| tags::own(beginning, all));
        let field = |name: &str| order?.get(name)?.get("value")?.as_str().map(str::to_owned);
        let fields = Fields { number: field("number"), state: field("state"), tags };
        Ok(observation(gid, &fields, context))
    }

    fn plan(&self, wanted: &Wanted, observed: &Observation) -> Plan {
        plan::plan(&self.config, wanted, observed)
    }

    /// An order is the source's; what is written to it comes to nothing.
    fn held(&self, _: &Observation) -> Option<Held> {
        None
    }

    async fn apply(&self, call: &CallContext, _: &CallKey, step: &Step) -> Result<Applied, Fault> {
        // An absolute write needs no key: sent twice it leaves the same.
        let (document, sent) = read_back(step)?;
        let shop = self.shops.get(&call.shop)?;
        let reply = shop.send(call, Claim::LIVE, document, Access::Write, step.request.clone()).await?;
        if document.name == SET_ERP_FIELDS.name { self.applied(&reply, &sent) } else { tagged(&reply, &sent) }
    }

    async fn exists(&self, _: &CallContext, reference: &Reference) -> Result<bool, Fault> {
        let what =
            format!("{reference} is not looked for in Shopify: nothing that is written there refers to it");
        Err(Fault::new(FaultKind::Rejected, code::BODY, what))
    }
}

impl WriteBack {
    pub(crate) fn new(config: Config, shops: Shops) -> Self {
        Self { config, shops, descriptor: config::descriptor() }
    }

    async fn shop_health(&self, call: &CallContext) -> Result<(), Fault> {
        let shop = self.shops.get(&call.shop)?;
        let body = frozen(&SHOP, &json!({}));
        shop.send(call, Claim::LIVE, &SHOP, Access::Health, body).await.map(drop)
    }

    /// The answer names each field that it set; one that it does not name was not set.
    fn applied(&self, reply: &Reply, sent: &Value) -> Result<Applied, Fault> {
        let asked = sent["metafields"].as_array().map(Vec::as_slice).unwrap_or_default();
        let set = reply.data.pointer("/metafieldsSet/metafields").and_then(Value::as_array);
        let text = |node: &Value, name: &str| node.get(name).and_then(Value::as_str).map(str::to_owned);
        let mut fields = Fields::default();
        for input in asked {
            let (key, value) = (text(input, "key"), text(input, "value"));
            let found = set
                .into_iter()
                .flatten()
                .any(|node| text(node, "key") == key && text(node, "value") == value);
            if !found {
                let key = key.unwrap_or_default();
                return Err(not_shown(&key));
            }
            match key {
                Some(key) if key == self.config.number => fields.number = value,
                Some(key) if key == self.config.state => fields.state = value,
                _ => {}
            }
        }
        let owner = asked.first().and_then(|input| text(input, "ownerId"));
        let external = owner.clone().map(|gid| external(gid, &fields));
        // A field that was not written is not in the answer, and the tags never are: only all of them are the whole state.
        let whole = fields.number.is_some() && fields.state.is_some() && self.config.state_tag.is_none();
        let context = Context { has_order: true, wrote: true, full: false };
        let observation = owner.filter(|_| whole).map(|gid| observation(gid, &fields, context));
        Ok(Applied { external, observation })
    }
}

/// The answer shows the order's tags as they are now; what else stands at the order is observed.
fn tagged(reply: &Reply, sent: &Value) -> Result<Applied, Fault> {
    let (added, removed) = (reply.data.pointer("/tagsAdd/node"), reply.data.pointer("/tagsRemove/node"));
    let now = tags::of(added.or(removed).unwrap_or(&Value::Null));
    let expected = added.is_some();
    match tags::of(sent).iter().find(|tag| tags::holds(&now, tag) != expected) {
        Some(tag) => Err(not_shown(tag)),
        None => Ok(Applied { external: None, observation: None }),
    }
}

fn not_shown(what: &str) -> Fault {
    let text = format!("Shopify's answer does not show {what} as it was written: it will be looked up");
    Fault::new(FaultKind::Ambiguous, code::FROZEN, text).field(what)
}

fn external(gid: String, fields: &Fields) -> ExternalRef {
    ExternalRef { id: gid, number: fields.number.clone(), state: fields.state.clone() }
}

fn observation(gid: String, fields: &Fields, context: Context) -> Observation {
    let object = if fields.is_empty() {
        Observed::None
    } else {
        Observed::One(ObjectState { external: external(gid, fields), body: fields.body(), adopted: false })
    };
    Observation { object, context: context.value(), missing: Vec::new() }
}

/// The document and the variables of a frozen call: metafields or tags.
fn read_back(step: &Step) -> Result<(&'static Document, Value), Fault> {
    let body: Option<Value> = serde_json::from_slice(&step.request).ok();
    let document = body.as_ref().and_then(|body| Document::named(body.get("operationName")?.as_str()?));
    let sent = body.as_ref().and_then(|body| body.get("variables")).cloned();
    let sent = sent.filter(|sent| sent["metafields"].is_array() || sent["tags"].is_array());
    match (document, sent) {
        (Some(document), Some(sent)) => Ok((document, sent)),
        _ => {
            let what = format!("the frozen {} cannot be read back; nothing was sent", step.name);
            Err(Fault::new(FaultKind::Bug, code::FROZEN, what))
        }
    }
}
