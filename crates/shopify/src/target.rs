//! The connector `shopify` as a target of all that is written there: orders go to [`write_back`](crate::write_back), stock
//! to [`inventory`](crate::inventory), shipments to [`fulfilment`](crate::fulfilment), refusals to [`hold`](crate::hold). Owns which subject is whose, and what
//! they declare together.

use crate::fulfilment::{self, Fulfilments};
use crate::graphql::Shops;
use crate::hold::{self, Holds};
use crate::inventory::{self, Inventory, only};
use crate::write_back;
use async_trait::async_trait;
use connector::descriptor::{Descriptor, Direction, Service};
use connector::port::{Applied, CallContext, Connector, Held, Observation, Plan, Step, Together, Wanted};
use connector::settings::{Secrets, Settings};
use kernel::fault::{Fault, Reference};
use kernel::key::CallKey;
use kernel::subject::Subject;
use std::sync::Arc;

/// Ready to be called. The shops bring their tokens; the connection has none of its own.
pub fn connect(settings: &Settings, shops: Shops) -> Result<Arc<dyn Connector>, Vec<String>> {
    let (orders, stock, shipments) = settings.read(Secrets::Resolved, |at| {
        (write_back::Config::read(at), inventory::Config::read(at), fulfilment::Config::read(at))
    })?;
    Ok(Arc::new(Target {
        orders: write_back::WriteBack::new(orders, shops.clone()),
        stock: Inventory::new(stock, shops.clone()),
        shipments: Fulfilments::new(shipments, shops.clone()),
        holds: Holds::new(shops),
        descriptor: descriptor(),
    }))
}

/// What it can do with these settings, or all that is wrong with them. Makes no call and needs no secret.
pub fn describe(settings: &Settings) -> Result<Descriptor, Vec<String>> {
    settings.read(Secrets::Referred, |at| {
        write_back::Config::read(at);
        inventory::Config::read(at);
        fulfilment::Config::read(at);
    })?;
    Ok(descriptor())
}

fn descriptor() -> Descriptor {
    let mut descriptor = write_back::descriptor();
    descriptor.services.push(Service {
        domain: "inventory".to_owned(),
        direction: Direction::Target,
        schema: inventory::SCHEMA_NAME.to_owned(),
    });
    descriptor.services.push(Service {
        domain: "orders".to_owned(),
        direction: Direction::Target,
        schema: fulfilment::SCHEMA_NAME.to_owned(),
    });
    descriptor.services.push(Service {
        domain: "orders".to_owned(),
        direction: Direction::Target,
        schema: hold::SCHEMA_NAME.to_owned(),
    });
    // Stock waits for the SKU that it is of, a shipment or a hold for its order; what else is written to an order refers to nothing.
    descriptor.resolves_references = true;
    descriptor.settings.extend_from_slice(inventory::SETTINGS);
    descriptor
}

#[derive(Debug)]
struct Target {
    orders: write_back::WriteBack,
    stock: Inventory,
    shipments: Fulfilments,
    holds: Holds,
    descriptor: Descriptor,
}

/// By the root, as lanes are: a SKU may hold a slash.
fn is_stock(subject: &Subject) -> bool {
    subject.path.split(':').next() == Some(inventory::KIND)
}

#[async_trait]
impl Connector for Target {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    fn together(&self, kind: &str) -> Option<Together> {
        (kind == inventory::KIND).then(|| self.stock.together())
    }

    async fn observe_many(&self, call: &CallContext, wanted: &[Wanted]) -> Vec<Result<Observation, Fault>> {
        self.stock.observe_many(call, wanted).await
    }

    async fn apply_many(&self, call: &CallContext, calls: &[(CallKey, Step)]) -> Vec<Result<Applied, Fault>> {
        self.stock.apply_many(call, calls).await
    }

    async fn health(&self, call: &CallContext) -> Result<(), Fault> {
        self.orders.health(call).await
    }

    async fn observe(&self, call: &CallContext, wanted: &Wanted) -> Result<Observation, Fault> {
        match is_stock(&wanted.subject) {
            true => only(self.stock.observe_many(call, std::slice::from_ref(wanted)).await),
            false if fulfilment::is_shipment(&wanted.subject) => self.shipments.observe(call, wanted).await,
            false if hold::is_refusal(&wanted.subject) => self.holds.observe(call, wanted).await,
            false => self.orders.observe(call, wanted).await,
        }
    }

    fn plan(&self, wanted: &Wanted, observed: &Observation) -> Plan {
        match is_stock(&wanted.subject) {
            true => self.stock.plan(wanted, observed),
            false if fulfilment::is_shipment(&wanted.subject) => self.shipments.plan(wanted, observed),
            false if hold::is_refusal(&wanted.subject) => self.holds.plan(wanted, observed),
            false => self.orders.plan(wanted, observed),
        }
    }

    fn shows(&self, step: &Step, observed: &Observation) -> Option<bool> {
        if inventory::is_ours(step) {
            inventory::shows(step, observed)
        } else {
            fulfilment::shows(step, observed).or_else(|| hold::shows(step, observed))
        }
    }

    fn unaccounted(&self, wanted: &Wanted, observed: &Observation) -> bool {
        is_stock(&wanted.subject) && inventory::unaccounted(wanted, observed)
    }

    /// Neither an order's fields nor a stock level nor a shipment nor a hold come to money.
    fn held(&self, _: &Observation) -> Option<Held> {
        None
    }

    async fn apply(&self, call: &CallContext, key: &CallKey, step: &Step) -> Result<Applied, Fault> {
        match inventory::is_ours(step) {
            true => only(self.stock.apply_many(call, &[(key.clone(), step.clone())]).await),
            false if fulfilment::is_ours(step) => self.shipments.apply(call, step).await,
            false if hold::is_ours(step) => self.holds.apply(call, step).await,
            false => self.orders.apply(call, key, step).await,
        }
    }

    async fn exists(&self, call: &CallContext, reference: &Reference) -> Result<bool, Fault> {
        match reference.kind.as_str() {
            "order" => self.shipments.exists(call, reference).await,
            _ => self.stock.exists(call, reference).await,
        }
    }
}
