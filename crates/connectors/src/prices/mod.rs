//! The connector `prices`: the hub's own prices as a system that orders go to (docs/prices.md). Nothing is written there: what an
//! order was charged is compared with what its buyer was to pay at that instant, and a difference is explained. Owns the
//! comparison; what a buyer was to pay is asked through [`PricesAt`].

mod asked;
mod body;
mod cause;
mod compare;
mod plan;

#[cfg(test)]
mod tests;

pub use asked::{Agreed, Changed, Goods, Price, PricesAt};
pub use body::SCHEMA;

use async_trait::async_trait;
use body::Order;
use connector::descriptor::{Becomes, Descriptor, OrderAbilities, Service, UnknownAnswer};
use connector::list::Kind;
use connector::port::{
    Applied, CallContext, Connector, Held, ObjectState, Observation, Observed, Plan, Step, Wanted,
};
use connector::settings::{Secrets, Settings};
use kernel::fault::{Fault, FaultKind, Reference};
use kernel::key::CallKey;
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// The word after `connector =`.
pub const NAME: &str = "prices";

/// Prices cannot be asked.
pub const NOT_SERVED: &str = "TG-3602";

/// Our own codes; each has a page in `docs/errors/`.
mod code {
    pub(super) use super::NOT_SERVED;
    /// An order was charged otherwise than agreed.
    pub(super) const DIFFERS: &str = "TG-3601";
    /// What the mapping made is not in the form.
    pub(super) const BODY: &str = "TG-3603";
}

/// It is connected with the hub's prices, and so not from settings alone.
pub const KIND: Kind = Kind {
    name: NAME,
    describe,
    connect: |_| Err(vec!["prices: connected with the hub's own prices".to_owned()]),
    source: None,
    takes: true,
};

/// What it can do. Makes no call.
pub fn describe(settings: &Settings) -> Result<Descriptor, Vec<String>> {
    settings.read(Secrets::Referred, |_| ())?;
    let any = || BTreeSet::from([Becomes::Amend, Becomes::CounterDocument, Becomes::Ticket]);
    Ok(Descriptor {
        kind: NAME.to_owned(),
        title: "the hub's own prices, which orders are compared with".to_owned(),
        services: vec![Service::target("orders", SCHEMA)],
        // Nothing is ever sent of which the answer could be lost.
        unknown: UnknownAnswer::LookUp { lag: Duration::ZERO },
        health: false,
        observe_first: true,
        resolves_references: false,
        tells_changes: false,
        tells_whole: false,
        reads_states: false,
        only_changes: false,
        orders: OrderAbilities {
            confirms: true,
            address: any(),
            line: any(),
            cancel: any(),
            reports_totals: true,
            adjusts_line: false,
            lists_totals: false,
        },
        settings: Vec::new(),
    })
}

/// `prices`: none where this process does not have them.
pub fn connect(settings: &Settings, prices: Option<Arc<dyn PricesAt>>) -> connector::list::Connected {
    let descriptor = describe(settings)?;
    Ok(Arc::new(Prices { descriptor, prices }))
}

#[derive(Debug)]
struct Prices {
    descriptor: Descriptor,
    prices: Option<Arc<dyn PricesAt>>,
}

#[async_trait]
impl Connector for Prices {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    async fn health(&self, _: &CallContext) -> Result<(), Fault> {
        Ok(())
    }

    /// Reads prices, and changes of them where one differs. What it finds is the comparison itself.
    async fn observe(&self, _: &CallContext, wanted: &Wanted) -> Result<Observation, Fault> {
        let Some(prices) = &self.prices else {
            let what = "the configuration has no [prices], or they are not read by this command";
            return Err(Fault::new(FaultKind::Rejected, code::NOT_SERVED, what));
        };
        let order: Order = serde_json::from_value(wanted.body.clone())
            .map_err(|error| Fault::new(FaultKind::Rejected, code::BODY, error.to_string()))?;
        let compared = compare::compared(prices.as_ref(), &order).await?;
        Ok(Observation {
            object: Observed::One(ObjectState {
                external: compared.external(),
                body: compared.written(),
                adopted: false,
            }),
            context: Value::Null,
            missing: Vec::new(),
        })
    }

    fn plan(&self, wanted: &Wanted, observed: &Observation) -> Plan {
        plan::plan(wanted, observed)
    }

    fn held(&self, _: &Observation) -> Option<Held> {
        None
    }

    /// Never called: no plan has a step.
    async fn apply(&self, _: &CallContext, _: &CallKey, step: &Step) -> Result<Applied, Fault> {
        let what = format!("prices are not written to, and {:?} was to be done", step.name);
        Err(Fault::new(FaultKind::Bug, code::NOT_SERVED, what))
    }

    async fn exists(&self, _: &CallContext, _: &Reference) -> Result<bool, Fault> {
        Ok(true)
    }
}
