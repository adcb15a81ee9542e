//! Tryton 8.0 over JSON-RPC: an order becomes a sale, what was given back of it a credit note, and what moves there is told as
//! stock (docs/connectors/tryton.md). Owns
//! what Tryton's calls mean; as a target it keeps a session and nothing else between two calls, and never presses a button
//! whose effect it has not looked for.

mod amounts;
mod ask;
mod compare;
mod config;
mod credit;
mod describe;
mod fault;
mod frozen;
mod levels;
mod moved;
mod observe;
mod order;
mod parcels;
mod payment;
mod places;
mod plan;
mod price_lists;
mod resolve;
mod resolved;
mod rpc;
mod sale;
mod source;
mod whole;
mod wire;
mod write;

#[cfg(test)]
mod contract;
#[cfg(test)]
mod desk;
#[cfg(test)]
mod desk_search;
#[cfg(test)]
mod plans;
#[cfg(test)]
mod real;
#[cfg(test)]
mod real_amounts;
#[cfg(test)]
mod real_cases;
#[cfg(test)]
mod real_causes;
#[cfg(test)]
mod real_credit;
#[cfg(test)]
mod real_parcels;
#[cfg(test)]
mod real_payment;
#[cfg(test)]
mod real_prices;
#[cfg(test)]
mod real_stock;
#[cfg(test)]
mod tests;

use ask::Ask;
use async_trait::async_trait;
use config::Config;
use connector::descriptor::Descriptor;
use connector::list::Connected;
use connector::outbound::{Access, Failure, classify, within};
use connector::port::{Applied, CallContext, Connector, ExternalRef, Held, Observation, Plan, Step, Wanted};
use connector::settings::{Secrets, Settings};
use frozen::{Answers, Frozen};
use kernel::fault::{Fault, FaultKind, Reference};
use kernel::key::CallKey;
use rpc::{Rpc, Session};
use sale::State;
use serde_json::{Value, json};
use std::sync::Arc;

pub use price_lists::{Party, PriceLists, price_source};
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
    pub(super) const RULE: &str = "TG-3301";
    pub(super) const WARNING: &str = "TG-3302";
    pub(super) const CHANGED: &str = "TG-3303";
    pub(super) const BROKE_OFF: &str = "TG-3304";
    pub(super) const LOG_IN: &str = "TG-3305";
    pub(super) const CLOSED_PERIOD: &str = "TG-3306";
    pub(super) const UNCLEAR: &str = "TG-3307";
    pub(super) const BODY: &str = "TG-3308";
    pub(super) const TOO_MANY: &str = "TG-3309";
    pub(super) const NO_SUCH_KIND: &str = "TG-3310";
    pub(super) const LOCATION: &str = "TG-3311";
}

/// More warnings than one step has.
const WARNINGS_MAX: usize = 4;

/// What it can do with these settings, or all that is wrong with them.
pub fn describe(settings: &Settings) -> Result<Descriptor, Vec<String>> {
    Config::read(settings, Secrets::Referred).map(|config| describe::descriptor(&config))
}

/// Ready to be called.
pub fn connect(settings: &Settings) -> Connected {
    connect_as(settings, Session::default())
}

/// With a session that others may have begun.
fn connect_as(settings: &Settings, session: Session) -> Connected {
    let config = Config::read(settings, Secrets::Resolved)?;
    let rpc = Rpc::new(&config, session).map_err(|problem| vec![problem])?;
    let descriptor = describe::descriptor(&config);
    Ok(Arc::new(TrytonConnector { config, rpc, descriptor }))
}

#[derive(Debug)]
pub(crate) struct TrytonConnector {
    config: Config,
    rpc: Rpc,
    descriptor: Descriptor,
}

#[async_trait]
impl Connector for TrytonConnector {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    fn clock_ahead_ms(&self) -> Option<i64> {
        self.rpc.clock_ahead_ms()
    }

    async fn health(&self, call: &CallContext) -> Result<(), Fault> {
        let params = [json!(true), ask::context(&self.config)];
        let body = rpc::body("model.res.user.get_preferences", &params);
        within(call, self.rpc.call(call, Access::Health, &body)).await.map(drop)
    }

    async fn observe(&self, call: &CallContext, wanted: &Wanted) -> Result<Observation, Fault> {
        if credit::is_wanted(wanted) {
            return within(call, self.ask(call).observe_credit(wanted)).await;
        }
        if payment::is_wanted(wanted) {
            return within(call, self.ask(call).observe_payment(wanted)).await;
        }
        within(call, self.ask(call).observe(wanted)).await
    }

    fn plan(&self, wanted: &Wanted, observed: &Observation) -> Plan {
        if credit::is_wanted(wanted) {
            return credit::plan(&self.config, wanted, observed);
        }
        if payment::is_wanted(wanted) {
            return payment::plan(&self.config, wanted, observed);
        }
        plan::plan(&self.config, wanted, observed)
    }

    fn held(&self, observed: &Observation) -> Option<Held> {
        sale::held(observed)
    }

    async fn apply(&self, call: &CallContext, _key: &CallKey, step: &Step) -> Result<Applied, Fault> {
        let frozen = Frozen::of(step)?;
        match self.write(call, &frozen.body).await {
            Ok(result) => applied(&frozen, &result),
            Err(fault) => match frozen.button {
                Some(button) if fault.code == code::RULE => self.pressed(call, &frozen, button, fault).await,
                _ => Err(fault),
            },
        }
    }

    async fn exists(&self, call: &CallContext, reference: &Reference) -> Result<bool, Fault> {
        let exists = within(call, self.ask(call).exists(reference)).await?;
        exists.ok_or_else(|| {
            let what = format!("Tryton is not asked for a {}", reference.kind);
            Fault::new(FaultKind::Rejected, code::NO_SUCH_KIND, what)
        })
    }
}

impl TrytonConnector {
    fn ask<'a>(&'a self, call: &'a CallContext) -> Ask<'a> {
        Ask { rpc: &self.rpc, config: &self.config, call }
    }

    /// The call; again after each warning that is to be accepted, because a warning has undone all of it.
    async fn write(&self, call: &CallContext, body: &str) -> Result<Value, Fault> {
        for _ in 0..WARNINGS_MAX {
            let answer = self.rpc.answer(call, Access::Write, body).await?;
            match fault::warning(&answer) {
                Some(warning) if self.config.accept_warnings => {
                    self.rpc.say_yes(call, &warning, ask::context(&self.config)).await?;
                }
                _ => return fault::result(answer),
            }
        }
        self.rpc.call(call, Access::Write, body).await
    }

    /// Tryton refuses a button that was pressed already. Whether it was is asked, not read from the text.
    async fn pressed(
        &self,
        call: &CallContext,
        frozen: &Frozen,
        (id, leads_to): (i64, State),
        refused: Fault,
    ) -> Result<Applied, Fault> {
        let params = vec![json!([id]), json!(["state"])];
        let Ok(records) = self.ask(call).call("model.sale.sale.read", params).await else {
            return Err(refused);
        };
        let state = records.pointer("/0/state").and_then(Value::as_str).and_then(State::parse);
        match state {
            Some(state) if state == leads_to || state.is_after(leads_to) => applied(frozen, &Value::Null),
            _ => Err(refused),
        }
    }
}

/// What a success says. What became of the sale is observed, not assumed.
fn applied(frozen: &Frozen, result: &Value) -> Result<Applied, Fault> {
    let external = match frozen.answer {
        Answers::Sale => {
            let id = result.get(0).and_then(Value::as_i64).ok_or_else(|| {
                let why = "the answer to a create names no document".to_owned();
                classify::failure(Access::Write, &Failure::Unreadable(why))
            })?;
            Some(ExternalRef {
                id: id.to_string(),
                number: None,
                state: Some(State::Draft.as_str().to_owned()),
            })
        }
        Answers::Ids | Answers::Nothing => frozen.object.clone(),
    };
    Ok(Applied { external, observation: None })
}
