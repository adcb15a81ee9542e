//! Any REST system by configuration alone (docs/connectors/http.md). Owns how a connection's settings become calls;
//! knows no system, keeps nothing between two calls, guesses nothing that the configuration does not say.

mod compare;
mod config;
#[cfg(test)]
mod contract;
mod describe;
#[cfg(test)]
mod desk;
#[cfg(test)]
mod examples;
mod fault;
mod frozen;
mod object;
mod observe;
mod plan;
#[cfg(test)]
mod planted;
mod sections;
mod template;
#[cfg(test)]
mod tests;

use async_trait::async_trait;
use config::{Config, StepConfig, StepKind};
use connector::descriptor::Descriptor;
use connector::list::Connected;
use connector::outbound::{Answer, Outbound, Request};
use connector::port::{
    Applied, CallContext, Connector, ExternalRef, Held, Observation, Observed, Plan, Step, Wanted,
};
use connector::settings::{Secrets, Settings};
use frozen::Frozen;
use http::Method;
use kernel::fault::{Fault, FaultKind, Reference};
use kernel::key::CallKey;
use object::{Context, scalar};
use serde_json::Value;
use std::sync::Arc;

#[cfg(test)]
pub(crate) use contract::fixture;

/// What it can do with these settings, or all that is wrong with them.
pub fn describe(settings: &Settings) -> Result<Descriptor, Vec<String>> {
    Config::read(settings, Secrets::Referred).map(|config| describe::descriptor(&config))
}

/// Ready to be called.
pub fn connect(settings: &Settings) -> Connected {
    let config = Config::read(settings, Secrets::Resolved)?;
    let outbound = Outbound::new(&config.outbound).map_err(|problem| vec![problem])?;
    let descriptor = describe::descriptor(&config);
    Ok(Arc::new(HttpConnector { config, outbound, descriptor }))
}

#[derive(Debug)]
pub(crate) struct HttpConnector {
    config: Config,
    outbound: Outbound,
    descriptor: Descriptor,
}

#[async_trait]
impl Connector for HttpConnector {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    fn looks_up(&self) -> bool {
        self.config.look_up.is_some()
    }

    fn clock_ahead_ms(&self) -> Option<i64> {
        self.outbound.clock_ahead_ms()
    }

    async fn health(&self, call: &CallContext) -> Result<(), Fault> {
        let Some(path) = &self.config.health else { return Ok(()) };
        let answer = self.outbound.call(call, Request::health(Method::GET, path)).await?;
        if answer.body.is_empty() {
            return Ok(());
        }
        // A log-in page with status 200 is not health.
        answer.json::<Value>().map(drop)
    }

    async fn observe(&self, call: &CallContext, wanted: &Wanted) -> Result<Observation, Fault> {
        let object = self.look(call, wanted).await?;
        Ok(Observation { object, context: Context::default().value(), missing: Vec::new() })
    }

    fn plan(&self, wanted: &Wanted, observed: &Observation) -> Plan {
        plan::plan(&self.config, wanted, observed)
    }

    fn held(&self, observed: &Observation) -> Option<Held> {
        let Observed::One(state) = &observed.object else { return None };
        self.config.held(state)
    }

    async fn apply(&self, call: &CallContext, key: &CallKey, step: &Step) -> Result<Applied, Fault> {
        let (kind, how) = self.configured(step)?;
        let frozen: Frozen =
            serde_json::from_slice(&step.request).map_err(|error| broken(step, &error.to_string()))?;
        let answer = self.outbound.send(call, self.request(key, step, &frozen)?).await?;
        self.applied(kind, how, &frozen, &answer)
    }

    async fn exists(&self, call: &CallContext, reference: &Reference) -> Result<bool, Fault> {
        self.resolve(call, reference).await
    }
}

impl HttpConnector {
    fn configured(&self, step: &Step) -> Result<(StepKind, &StepConfig), Fault> {
        let kind = StepKind::ALL.into_iter().find(|kind| kind.name() == step.name);
        kind.and_then(|kind| Some((kind, self.config.step(kind)?))).ok_or_else(|| {
            let what =
                format!("a frozen {} is to be sent, and the system's connection has no such step", step.name);
            Fault::new(FaultKind::Rejected, plan::code::NO_STEP, what)
        })
    }

    fn request(&self, key: &CallKey, step: &Step, frozen: &Frozen) -> Result<Request, Fault> {
        let method =
            Method::from_bytes(frozen.method.as_bytes()).map_err(|error| broken(step, &error.to_string()))?;
        let mut request = Request::write(method, &frozen.path);
        if let Some(body) = &frozen.body {
            request = request.json_bytes(body.as_bytes());
        }
        for (name, value) in &frozen.headers {
            request = request.header(name, value);
        }
        Ok(match &self.config.idempotency {
            Some(native) => request.header(&native.header, key.as_str()),
            None => request,
        })
    }

    /// What an answer to a step says.
    fn applied(
        &self,
        kind: StepKind,
        how: &StepConfig,
        frozen: &Frozen,
        answer: &Answer,
    ) -> Result<Applied, Fault> {
        let status = answer.status;
        let success =
            how.success.as_ref().map_or(status.is_success(), |known| known.contains(&status.as_u16()));
        let sent = frozen.sent(how);
        if !success {
            return Err(match self.config.faults.of(answer, &sent) {
                // A success that the configuration does not take for one: what was done is not known.
                _ if status.is_success() => {
                    answer.unreadable(format!("its status {status} is not among success"))
                }
                fault => fault,
            });
        }
        let body: Value = if answer.body.is_empty() { Value::Null } else { answer.json()? };
        let object = self.config.object.in_answer(&body);
        let state = object.and_then(|object| self.config.object.state_of(object, Some(answer)));
        if let Some(fault) = self.config.faults.in_success(answer, &body, &sent, state.is_some()) {
            return Err(fault);
        }
        if state.is_none() && kind == StepKind::Create {
            let at = format!("{}{}", self.config.object.at, self.config.object.id);
            return Err(answer.unreadable(format!("it names no id at {at}: {}", answer.excerpt())));
        }
        let external =
            state.as_ref().map_or_else(|| self.assumed(kind, frozen), |state| Some(state.external.clone()));
        let whole =
            state.filter(|state| self.config.object.state.is_none() || state.external.state.is_some());
        let context = Context { written: frozen.written.clone(), wrote: true };
        let observation = whole.or_else(|| self.blind(external.as_ref())).map(|object| Observation {
            object: Observed::One(object),
            context: context.value(),
            missing: Vec::new(),
        });
        Ok(Applied { external, observation })
    }

    /// The object after a step whose answer does not show it: as it was, in the state that the step leads to.
    fn assumed(&self, kind: StepKind, frozen: &Frozen) -> Option<ExternalRef> {
        let states = &self.config.states;
        let mut external = frozen.object.clone()?;
        let led_to = match kind {
            StepKind::Confirm => states.confirmed.first(),
            StepKind::Cancel => states.cancelled.first(),
            StepKind::Create | StepKind::Amend => None,
        };
        if let Some(state) = led_to {
            external.state = Some(state.clone());
        }
        Some(external)
    }

    /// Where the target can be asked, it is observed again; where it cannot, what we know has to do.
    fn blind(&self, external: Option<&ExternalRef>) -> Option<connector::port::ObjectState> {
        let asks = self.config.look_up.is_some() || self.config.read.is_some();
        external.filter(|_| !asks).map(object::remembered)
    }

    async fn resolve(&self, call: &CallContext, reference: &Reference) -> Result<bool, Fault> {
        let Some(exists) = self.config.exists.get(&reference.kind) else {
            let what = format!("the system's connection does not say how a {} is looked for", reference.kind);
            return Err(Fault::new(FaultKind::Rejected, plan::code::NO_STEP, what));
        };
        let values = template::Values::from([("value", reference.value.clone())]);
        let Ok(path) = exists.path.fill_path(&values) else { return Ok(false) };
        let answer = self.outbound.send(call, Request::read(Method::GET, path)).await?;
        if answer.status == http::StatusCode::NOT_FOUND {
            return Ok(false);
        }
        let answer = self.checked(answer)?;
        match &exists.found {
            None => Ok(true),
            Some(at) => Ok(scalar(&answer.json()?, at).is_some_and(|found| found == reference.value)),
        }
    }

    /// A read's answer, or the fault that the configuration or HTTP sees in its status.
    fn checked(&self, answer: Answer) -> Result<Answer, Fault> {
        if answer.status.is_success() {
            return Ok(answer);
        }
        let fault = self.config.faults.of(&answer, &Value::Null);
        // A declaration is about writes; a read that says nothing changes nothing.
        Err(if fault.kind == FaultKind::Ambiguous {
            Fault { kind: FaultKind::Transient, ..fault }
        } else {
            fault
        })
    }
}

fn broken(step: &Step, why: &str) -> Fault {
    let what = format!("the frozen {} cannot be read back: {why}", step.name);
    Fault::new(FaultKind::Bug, connector::outbound::classify::code::NOT_BUILT, what)
}
