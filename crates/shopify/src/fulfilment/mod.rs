//! What was shipped, recorded in Shopify: the part of the connector `shopify` that takes subjects of kind `shipment`, each as
//! one fulfilment of its order, or as one for each location that its units are assigned to: Shopify takes no fulfilment of two.
//!
//! A fulfilment carries no reference of ours: it has neither an idempotency key nor metafields, and two parcels of an order may
//! hold the same and have no tracking number. So before a shipment is sent, the order is given a note of which fulfilments it
//! had, and of how the shipment is divided (`note`). What came after that note, and before the next shipment's, and holds what
//! the shipment or a piece of it holds, is it (`find`). Where two could be it, neither is touched. Owns no stock, and never
//! makes, moves, splits or releases a fulfilment order.

mod apply;
mod config;
mod find;
mod look;
mod note;
mod parcel;
mod plan;
mod refusal;
mod seen;
mod want;

pub(crate) use config::Config;
pub use config::{SCHEMA, SCHEMA_NAME};
pub use domains::shipments::KIND;

use crate::graphql::{Claim, Shops, VERSION_OF_ORDER};
use crate::source::order_gid;
use connector::port::{Applied, CallContext, Observation, Plan, Step, Wanted};
use kernel::fault::{Fault, Reference};
use kernel::subject::Subject;
use serde_json::json;

/// Our own codes; each has a page in `docs/errors/`.
mod code {
    /// What the mapping made is not what the schema says.
    pub(super) const BODY: &str = "TG-6501";
    /// A frozen call that cannot be read back.
    pub(super) const FROZEN: &str = "TG-6502";
    /// The units may not leave yet: on hold, or scheduled.
    pub(super) const LATER: &str = "TG-6503";
    /// The order has no such SKU.
    pub(super) const UNKNOWN_SKU: &str = "TG-6504";
    /// More than is open.
    pub(super) const TOO_MANY: &str = "TG-6505";
    /// The units are at a location that the shipment does not name.
    pub(super) const ELSEWHERE: &str = "TG-6506";
    /// Somebody cancelled the fulfilment in Shopify.
    pub(super) const CANCELLED_THERE: &str = "TG-6507";
    /// An answer without what its document asks for.
    pub(super) const SHAPE: &str = "TG-6508";
    /// The order has more fulfilments than can be told apart.
    pub(super) const TOO_LARGE: &str = "TG-6509";
    /// What was open changed between the look and the call.
    pub(super) const MOVED: &str = "TG-6510";
}

/// Whether a subject is a shipment.
pub(crate) fn is_shipment(subject: &Subject) -> bool {
    domains::shipments::parts(&subject.path).is_some()
}

/// Whether a frozen call is one of shipments.
pub(crate) fn is_ours(step: &Step) -> bool {
    apply::document(step).is_some()
}

/// Of a piece of a parcel, what is there tells whether it was made; of a note, that it stands at the order.
pub(crate) fn shows(step: &Step, observed: &Observation) -> Option<bool> {
    let context = seen::Context::read(&observed.context).filter(|_| is_ours(step))?;
    apply::shows(step, &context, &observed.object)
}

/// Looks at fulfilments and makes them, in all shops.
#[derive(Debug)]
pub(crate) struct Fulfilments {
    config: Config,
    shops: Shops,
}

impl Fulfilments {
    pub(crate) fn new(config: Config, shops: Shops) -> Self {
        Self { config, shops }
    }

    pub(crate) async fn observe(&self, call: &CallContext, wanted: &Wanted) -> Result<Observation, Fault> {
        look::look(self.shops.get(&call.shop)?, &self.config, call, wanted).await
    }

    pub(crate) fn plan(&self, wanted: &Wanted, observed: &Observation) -> Plan {
        plan::plan(&self.config, wanted, observed)
    }

    pub(crate) async fn apply(&self, call: &CallContext, step: &Step) -> Result<Applied, Fault> {
        apply::apply(self.shops.get(&call.shop)?, call, step).await
    }

    /// Whether an order that was not there is there by now.
    pub(crate) async fn exists(&self, call: &CallContext, order: &Reference) -> Result<bool, Fault> {
        let variables = json!({ "id": order_gid(&order.value) });
        let reply = self.shops.get(&call.shop)?.ask(call, Claim::LIVE, &VERSION_OF_ORDER, &variables).await?;
        Ok(reply.data.get("order").is_some_and(serde_json::Value::is_object))
    }
}
