//! The contract judged: connectors that break one promise each, and whether the contract says so. A contract that
//! lets one of these through would let the next connector through too.

use super::contract::BackOffice;
use super::examples::{Example, FIRST};
use async_trait::async_trait;
use connector::contract::Fixture;
use connector::descriptor::Descriptor;
use connector::port::{Applied, CallContext, Connector, Held, Observation, Observed, Plan, Step, Wanted};
use kernel::fault::{Fault, FaultKind, Reference};
use kernel::key::CallKey;
use kernel::money::Money;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::task::JoinSet;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bug {
    /// An unknown answer is taken for "nothing was done".
    UnknownIsTransient,
    /// A read that failed is taken for a write.
    ReadIsAmbiguous,
    /// What was not answered is sent again at once.
    SendsAgain,
    /// A look-up that failed says "not there".
    FailedLookUpIsNone,
    /// The first of several objects is as good as any.
    TakesTheFirst,
    /// The second question gets another answer.
    PlansTwoWays,
    /// When the target said to come back is lost.
    ForgetsWhen,
    /// The time-out is not the caller's.
    TakesItsTime,
    /// An answered create does not say what it made.
    NamesNothing,
    /// What an object comes to is what was once asked for.
    HoldsTheWish,
    /// Done, and yet each time something is to be written.
    NeverDone,
}

/// The bug, and a word of the check that has to see it.
const BUGS: [(Bug, &str); 11] = [
    (Bug::UnknownIsTransient, "applied and not answered"),
    (Bug::ReadIsAmbiguous, "nothing was sent"),
    (Bug::SendsAgain, "applied and not answered"),
    (Bug::FailedLookUpIsNone, "nothing was sent"),
    (Bug::TakesTheFirst, "several objects"),
    (Bug::PlansTwoWays, "what is wanted is reached"),
    (Bug::ForgetsWhen, "throttled"),
    (Bug::TakesItsTime, "silence ends"),
    (Bug::NamesNothing, "what is wanted is reached"),
    (Bug::HoldsTheWish, "what an object comes to"),
    (Bug::NeverDone, "what is wanted is reached"),
];

#[derive(Debug)]
struct Planted {
    inner: Arc<dyn Connector>,
    bug: Bug,
    asked: AtomicBool,
}

impl Planted {
    fn is(&self, bug: Bug) -> bool {
        self.bug == bug
    }

    fn call(&self, call: &CallContext) -> CallContext {
        let mut call = call.clone();
        if self.is(Bug::TakesItsTime) {
            call.time_out = Duration::from_secs(3600);
        }
        call
    }

    fn fault(&self, mut fault: Fault) -> Fault {
        if self.is(Bug::ForgetsWhen) {
            fault.retry_after = None;
        }
        fault
    }
}

#[async_trait]
impl Connector for Planted {
    fn descriptor(&self) -> &Descriptor {
        self.inner.descriptor()
    }

    async fn health(&self, call: &CallContext) -> Result<(), Fault> {
        self.inner.health(&self.call(call)).await.map_err(|fault| self.fault(fault))
    }

    async fn observe(&self, call: &CallContext, wanted: &Wanted) -> Result<Observation, Fault> {
        match self.inner.observe(&self.call(call), wanted).await {
            Err(_) if self.is(Bug::FailedLookUpIsNone) => Ok(Observation::unasked()),
            Err(fault) if self.is(Bug::ReadIsAmbiguous) => {
                Err(Fault { kind: FaultKind::Ambiguous, ..self.fault(fault) })
            }
            Ok(mut observation) if self.is(Bug::TakesTheFirst) => {
                if let Observed::Many(_) = &observation.object {
                    observation.object = Observed::None;
                }
                Ok(observation)
            }
            other => other.map_err(|fault| self.fault(fault)),
        }
    }

    fn plan(&self, wanted: &Wanted, observed: &Observation) -> Plan {
        let nothing = Wanted { known: None, ..wanted.clone() };
        let again = self.is(Bug::PlansTwoWays) && self.asked.fetch_xor(true, Ordering::SeqCst);
        let confirmed = matches!(&observed.object, Observed::One(state)
            if state.external.state.as_deref() == Some("confirmed"));
        if again || (self.is(Bug::NeverDone) && confirmed) {
            return self.inner.plan(&nothing, &Observation::unasked());
        }
        self.inner.plan(wanted, observed)
    }

    fn held(&self, observed: &Observation) -> Option<Held> {
        let held = self.inner.held(observed)?;
        let wish = Money::parse("27.97", held.gross.currency()).unwrap();
        Some(if self.is(Bug::HoldsTheWish) { Held { gross: wish, ..held } } else { held })
    }

    async fn apply(&self, call: &CallContext, key: &CallKey, step: &Step) -> Result<Applied, Fault> {
        let call = self.call(call);
        match self.inner.apply(&call, key, step).await {
            Err(fault) if self.is(Bug::UnknownIsTransient) && fault.kind == FaultKind::Ambiguous => {
                Err(Fault { kind: FaultKind::Transient, ..fault })
            }
            Err(fault) if self.is(Bug::SendsAgain) && fault.kind == FaultKind::Ambiguous => {
                self.inner.apply(&call, key, step).await
            }
            Ok(_) if self.is(Bug::NamesNothing) => Ok(Applied { external: None, observation: None }),
            other => other.map_err(|fault| self.fault(fault)),
        }
    }

    async fn exists(&self, call: &CallContext, reference: &Reference) -> Result<bool, Fault> {
        self.inner.exists(&self.call(call), reference).await
    }
}

struct WithBug {
    office: BackOffice,
    bug: Bug,
}

#[async_trait]
impl Fixture for WithBug {
    fn target(&self) -> SocketAddr {
        self.office.target()
    }
    fn connector(&self, at: SocketAddr) -> Arc<dyn Connector> {
        Arc::new(Planted { inner: self.office.connector(at), bug: self.bug, asked: AtomicBool::new(false) })
    }
    fn wanted(&self, number: u32) -> Wanted {
        self.office.wanted(number)
    }
    fn references(&self) -> Option<(Reference, Reference)> {
        self.office.references()
    }
    async fn count(&self, wanted: &Wanted) -> usize {
        self.office.count(wanted).await
    }
    async fn total(&self, wanted: &Wanted) -> Option<Money> {
        self.office.total(wanted).await
    }
    async fn misprice(&self, wanted: &Wanted) -> bool {
        self.office.misprice(wanted).await
    }
    async fn duplicate(&self, wanted: &Wanted) -> bool {
        self.office.duplicate(wanted).await
    }
    fn grace(&self) -> Duration {
        Duration::from_millis(500)
    }
}

#[tokio::test]
async fn each_planted_bug_is_seen_by_its_check() {
    let mut runs = JoinSet::new();
    for (bug, check) in BUGS {
        runs.spawn(async move {
            let office = BackOffice::start(Example::read(FIRST).without("idempotency")).await;
            office.erp().turn(|knobs| knobs.idempotency_lifetime_ms = None);
            let verdict = connector::contract::run(&WithBug { office, bug }).await;
            let seen = verdict.breaches.iter().any(|breach| breach.check.contains(check));
            assert!(seen, "{bug:?} was not seen by {check:?}: {verdict}");
        });
    }
    runs.join_all().await;
}
