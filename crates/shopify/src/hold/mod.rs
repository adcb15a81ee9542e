//! What may not leave, because another system refuses the order: the part of the connector `shopify` that takes subjects of
//! kind `refusal`, each as one hold on each fulfilment order that is open.
//!
//! A hold has a handle, which Shopify takes once of an app on a fulfilment order: so none is placed twice, and ours is told
//! from a person's and from another app's. Only ours is released. Owns no fulfilment, and decides nothing of when an order is
//! refused.

mod apply;
mod look;
mod plan;
mod seen;
mod want;

use crate::graphql::Shops;
use connector::port::{Applied, CallContext, Observation, Plan, Step, Wanted};
use kernel::fault::Fault;
use kernel::subject::Subject;

/// What a mapping of refusals into Shopify names.
pub const SCHEMA_NAME: &str = "shopify.hold/1";
/// Its JSON Schema.
pub const SCHEMA: &str = include_str!("../../schemas/hold.schema.json");
/// `order:5678/refusal:orders_to_wms`
pub const KIND: &str = "refusal";

/// Our own codes; each has a page in `docs/errors/`.
mod code {
    /// What the mapping made is not what the schema says.
    pub(super) const BODY: &str = "TG-6521";
    /// A frozen call that cannot be read back.
    pub(super) const FROZEN: &str = "TG-6522";
    /// An answer without what its document asks for.
    pub(super) const SHAPE: &str = "TG-6523";
    /// More fulfilment orders than are held one by one.
    pub(super) const TOO_MANY: &str = "TG-6524";
    /// What is to leave changed between the look and the call.
    pub(super) const MOVED: &str = "TG-6525";
    /// The app has as many holds there as Shopify allows.
    pub(super) const FULL: &str = "TG-6526";
}

/// Whether a subject is a refusal.
pub(crate) fn is_refusal(subject: &Subject) -> bool {
    let below = subject.path.split_once('/').map(|(_, below)| below);
    below.and_then(|below| below.split_once(':')).is_some_and(|(kind, _)| kind == KIND)
}

/// Whether a frozen call is one of holds.
pub(crate) fn is_ours(step: &Step) -> bool {
    apply::Call::read(step).is_some()
}

/// A hold that stands was placed, and one that stands no more was released.
pub(crate) fn shows(step: &Step, observed: &Observation) -> Option<bool> {
    apply::shows(step, observed)
}

/// Looks at holds, places and releases them, in all shops.
#[derive(Debug)]
pub(crate) struct Holds {
    shops: Shops,
}

impl Holds {
    pub(crate) fn new(shops: Shops) -> Self {
        Self { shops }
    }

    pub(crate) async fn observe(&self, call: &CallContext, wanted: &Wanted) -> Result<Observation, Fault> {
        look::look(self.shops.get(&call.shop)?, call, wanted).await
    }

    pub(crate) fn plan(&self, wanted: &Wanted, observed: &Observation) -> Plan {
        plan::plan(wanted, observed)
    }

    pub(crate) async fn apply(&self, call: &CallContext, step: &Step) -> Result<Applied, Fault> {
        apply::apply(self.shops.get(&call.shop)?, call, step).await
    }
}
