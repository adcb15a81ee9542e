//! Medusa 2 over its admin API (docs/connectors/medusa.md): an order of the shop becomes an order there, which reserves; what was
//! given back of it before it left is taken off it, and what came back is received. Owns what Medusa's calls mean; keeps nothing of
//! an order between two calls, and makes nothing that it has not looked for.

mod ask;
mod came_back;
mod compare;
mod config;
mod describe;
mod fault;
mod frozen;
mod levels;
mod moved;
mod observe;
mod order;
mod ours;
mod parcels;
mod plan;
mod receipt;
mod refund;
mod sale;
mod source;
mod taken;
mod wire;
mod write;

#[cfg(test)]
mod contract;
#[cfg(test)]
mod contract_refund;
#[cfg(test)]
mod desk;
#[cfg(test)]
mod desk_edits;
#[cfg(test)]
mod desk_returns;
#[cfg(test)]
mod desk_stock;
#[cfg(test)]
mod scene;
#[cfg(test)]
mod scenes_of;
#[cfg(test)]
mod scenes_of_refunds;
#[cfg(test)]
mod scenes_of_returns;
#[cfg(test)]
mod tests;

use ask::Ask;
use async_trait::async_trait;
use config::Config;
use connector::descriptor::Descriptor;
use connector::list::Connected;
use connector::outbound::{Outbound, Request, segment, within};
use connector::port::{Applied, CallContext, Connector, ExternalRef, Held, Observation, Plan, Step, Wanted};
use connector::settings::{Secrets, Settings};
use frozen::{Frozen, Stood};
use http::{Method, StatusCode};
use kernel::fault::{Fault, FaultKind, Reference};
use kernel::key::CallKey;
use serde_json::Value;
use std::sync::Arc;

pub use source::source;

#[cfg(test)]
pub(crate) use contract::fixture;

/// Our codes; each has a page in `docs/errors/`.
mod code {
    pub(super) const CLOSED: &str = "TG-3202";
    pub(super) const BY_POLICY: &str = "TG-3203";
    pub(super) const TOTALS_DIFFER: &str = "TG-3204";
    pub(super) const GONE: &str = "TG-3206";
    pub(super) const MANY: &str = "TG-3207";
    pub(super) const REFUSED: &str = "TG-3501";
    pub(super) const CHANGED: &str = "TG-3502";
    pub(super) const BODY: &str = "TG-3503";
    pub(super) const EDITED: &str = "TG-3504";
    pub(super) const MOVED: &str = "TG-3505";
    pub(super) const NOT_SERVED: &str = "TG-3506";
    pub(super) const LEFT: &str = "TG-3507";
    pub(super) const NEVER_LEFT: &str = "TG-3508";
    pub(super) const NO_SHELF: &str = "TG-3509";
    pub(super) const SHORT: &str = "TG-3510";
    pub(super) const OTHERWISE: &str = "TG-3511";
}

/// What it can do with these settings, or all that is wrong with them.
pub fn describe(settings: &Settings) -> Result<Descriptor, Vec<String>> {
    let config = Config::read(settings, Secrets::Referred)?;
    Ok(describe::descriptor(config.is_asked()))
}

/// Ready to be called.
pub fn connect(settings: &Settings) -> Connected {
    let config = Config::read(settings, Secrets::Resolved)?;
    let outbound = Outbound::new(&config.outbound).map_err(|problem| vec![problem])?;
    let descriptor = describe::descriptor(config.is_asked());
    Ok(Arc::new(Medusa { config, outbound, descriptor }))
}

#[derive(Debug)]
pub(crate) struct Medusa {
    config: Config,
    outbound: Outbound,
    descriptor: Descriptor,
}

#[async_trait]
impl Connector for Medusa {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    fn clock_ahead_ms(&self) -> Option<i64> {
        self.outbound.clock_ahead_ms()
    }

    async fn health(&self, call: &CallContext) -> Result<(), Fault> {
        let path = format!("/admin/regions/{}?fields=id", segment(&self.config.region));
        let answer = self.outbound.send(call, Request::health(Method::GET, path)).await?;
        fault::result(&answer).map(drop)
    }

    async fn observe(&self, call: &CallContext, wanted: &Wanted) -> Result<Observation, Fault> {
        if refund::is_wanted(wanted) {
            return within(call, self.ask(call).observe_refund(wanted)).await;
        }
        within(call, self.ask(call).observe(wanted)).await
    }

    fn plan(&self, wanted: &Wanted, observed: &Observation) -> Plan {
        if refund::is_wanted(wanted) {
            return refund::plan(wanted, observed);
        }
        plan::plan(&self.config, wanted, observed)
    }

    fn held(&self, observed: &Observation) -> Option<Held> {
        sale::held(observed).or_else(|| refund::held(observed))
    }

    async fn apply(&self, call: &CallContext, _key: &CallKey, step: &Step) -> Result<Applied, Fault> {
        let frozen = Frozen::of(step)?;
        let request = if frozen.deletes {
            Request::write(Method::DELETE, &frozen.path)
        } else {
            Request::write(Method::POST, &frozen.path).json_bytes(frozen.body.as_bytes())
        };
        let answer = self.outbound.send(call, request).await?;
        match fault::result(&answer) {
            Ok(body) => match &frozen.object {
                Some(object) => Ok(Applied { external: Some(object.clone()), observation: None }),
                None => created(&body).ok_or_else(|| {
                    answer.unreadable(format!("it does not name what was made: {}", answer.excerpt()))
                }),
            },
            Err(fault) if fault.code == code::REFUSED => {
                let refused = self.refused(call, &frozen, answer.status, fault).await;
                Err(if step.name == write::CONFIRM_EDIT { fault::of_edit(&answer, refused) } else { refused })
            }
            Err(fault) => Err(fault),
        }
    }

    async fn exists(&self, call: &CallContext, reference: &Reference) -> Result<bool, Fault> {
        let exists = within(call, self.ask(call).exists(reference)).await?;
        exists.ok_or_else(|| {
            let what = format!("Medusa is not asked for a {}", reference.kind);
            Fault::new(FaultKind::Rejected, code::NOT_SERVED, what)
        })
    }
}

impl Medusa {
    fn ask<'a>(&'a self, call: &'a CallContext) -> Ask<'a> {
        Ask { outbound: &self.outbound, config: &self.config, call }
    }

    /// Medusa refuses what was done already, in words alone. Whether the order still stands as it did when this was planned is
    /// asked: if it does not, it is looked at again and planned anew.
    async fn refused(
        &self,
        call: &CallContext,
        frozen: &Frozen,
        status: StatusCode,
        refused: Fault,
    ) -> Fault {
        let order = frozen.order.as_ref().or(frozen.object.as_ref().map(|object| &object.id));
        let (Some(order), Some(stood)) = (order, &frozen.stood) else { return refused };
        match within(call, self.ask(call).known(order)).await {
            Ok(Some(sale)) if Stood::of(&sale) == *stood => refused,
            Ok(None) if status != StatusCode::NOT_FOUND => refused,
            Ok(_) => {
                let what = format!(
                    "the order has changed in Medusa since it was looked at: it is looked at again ({refused})"
                );
                Fault::new(FaultKind::Conflict, code::CHANGED, what)
            }
            Err(_) => refused,
        }
    }
}

/// The link that a create answers with: that of a draft, or of an edit or a return that was begun for a refund.
fn created(body: &Value) -> Option<Applied> {
    let draft = ["draft_order", "order_change", "return"].iter().find_map(|name| body.get(name))?;
    let external = ExternalRef {
        id: wire::text(draft, "id")?,
        number: draft.get("display_id").and_then(Value::as_i64).map(|number| number.to_string()),
        state: wire::text(draft, "status"),
    };
    Some(Applied { external: Some(external), observation: None })
}
