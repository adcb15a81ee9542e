//! The contract that every connector passes. Owns the checks and the proxy that they look through; knows no system.
//!
//! A connector hands in a [`Fixture`]: itself, speaking to any address that it is given, and a target whose objects
//! can be counted. [`run`] puts a [`CuttingProxy`] between them and breaks each promise that a network breaks. The
//! whole list is kept in one go, so that a failing test names every breach at once.

mod converge;
mod effect;
mod faults;
mod ports;
mod proxy;

pub use ports::{FullPort, RefusingPort, Witness};
pub use proxy::{CuttingProxy, Seen, Trouble};

use crate::port::{CallContext, Connector, Wanted};
use async_trait::async_trait;
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use kernel::envelope::TraceId;
use kernel::fault::Reference;
use kernel::id::{NameError, ShopId};
use kernel::key::CallKey;
use kernel::money::Money;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// A connector and a target to try it on.
#[async_trait]
pub trait Fixture: Send + Sync {
    /// Where the target listens, in plain HTTP.
    fn target(&self) -> SocketAddr;

    /// A new instance that speaks to `at` instead of to the target and holds no connection yet.
    fn connector(&self, at: SocketAddr) -> Arc<dyn Connector>;

    /// What is wanted of the object of this number: as far as the target goes (confirmed, where it confirms). The
    /// same number gives the same; another number another object. Every reference in it exists in the target.
    fn wanted(&self, number: u32) -> Wanted;

    /// The same object with another content, at a stage from which the target still takes it; `None` where it never
    /// does.
    fn changed(&self, _wanted: &Wanted) -> Option<Wanted> {
        None
    }

    /// One that refers to something which the target does not have; `None` where nothing can be missing.
    fn with_missing_reference(&self, _number: u32) -> Option<Wanted> {
        None
    }

    /// A reference that exists and one that does not, for a connector that resolves references.
    fn references(&self) -> Option<(Reference, Reference)> {
        None
    }

    /// How many objects the target holds for what is wanted, counted in the target itself and not by the connector.
    async fn count(&self, wanted: &Wanted) -> usize;

    /// What the object of what is wanted comes to in the target's own books, for a connector that lists totals.
    async fn total(&self, _wanted: &Wanted) -> Option<Money> {
        None
    }

    /// Changes what the object comes to behind the connector's back; `false` where the target refuses that.
    async fn misprice(&self, _wanted: &Wanted) -> bool {
        false
    }

    /// Makes a second object under the same key behind the connector's back; `false` where the target refuses that.
    async fn duplicate(&self, _wanted: &Wanted) -> bool {
        false
    }

    /// A request that no trouble is made for: a log-in that the connector makes before its one call.
    fn spared(&self) -> fn(&Seen) -> bool {
        |_| false
    }

    /// Enough for the target to answer.
    fn time_out(&self) -> Duration {
        Duration::from_secs(10)
    }

    /// A time-out for calls that are meant to run into it.
    fn short_time_out(&self) -> Duration {
        Duration::from_millis(200)
    }

    /// How far beyond its time-out a call may end on a busy machine.
    fn grace(&self) -> Duration {
        Duration::from_secs(5)
    }
}

/// One check that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breach {
    pub check: &'static str,
    pub what: String,
}

/// What came of the contract.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "a contract that nobody looks at is not kept"]
pub struct Verdict {
    pub kept: Vec<&'static str>,
    pub breaches: Vec<Breach>,
}

impl Verdict {
    /// Panics with every breach.
    pub fn assert_kept(&self) {
        assert!(self.breaches.is_empty(), "{self}");
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} checks of the contract kept, {} broken", self.kept.len(), self.breaches.len())?;
        for breach in &self.breaches {
            writeln!(f, "- {}: {}", breach.check, breach.what)?;
        }
        Ok(())
    }
}

/// What a check works with.
struct Bench<'a> {
    fixture: &'a dyn Fixture,
    proxy: CuttingProxy,
    shop: ShopId,
    /// Each check has objects of its own: a hundred numbers from here.
    first: u32,
    calls: AtomicU32,
}

type Kept = Result<(), String>;
type Check = (&'static str, for<'a> fn(&'a Bench<'a>) -> BoxFuture<'a, Kept>);

/// Runs every check, in order, each with objects of its own.
pub async fn run(fixture: &dyn Fixture) -> Verdict {
    let mut verdict = Verdict { kept: Vec::new(), breaches: Vec::new() };
    for (number, (check, keep)) in effect::CHECKS.iter().chain(faults::CHECKS).enumerate() {
        let kept = match bench(fixture, number).await {
            Ok(bench) => keep(&bench).await,
            Err(error) => Err(error),
        };
        match kept {
            Ok(()) => verdict.kept.push(check),
            Err(what) => verdict.breaches.push(Breach { check, what }),
        }
    }
    verdict
}

async fn bench(fixture: &dyn Fixture, number: usize) -> Result<Bench<'_>, String> {
    let proxy = CuttingProxy::start(fixture.target(), fixture.spared()).await.map_err(|e| e.to_string())?;
    let shop = ShopId::new("contract").map_err(|error: NameError| error.to_string())?;
    let first = u32::try_from(number * 100 + 1).unwrap_or(u32::MAX);
    Ok(Bench { fixture, proxy, shop, first, calls: AtomicU32::new(0) })
}

impl Bench<'_> {
    fn call(&self) -> CallContext {
        self.call_within(self.fixture.time_out())
    }

    fn short_call(&self) -> CallContext {
        self.call_within(self.fixture.short_time_out())
    }

    fn call_within(&self, time_out: Duration) -> CallContext {
        CallContext {
            shop: self.shop.clone(),
            time_out,
            trace: TraceId([7; 16]),
            span: 1,
            // A fixed day: 2026-11-24.
            now: Timestamp::from_second(1_795_478_400).unwrap_or_default(),
        }
    }

    /// A new instance behind the proxy: what a restarted hub has.
    fn connector(&self) -> Arc<dyn Connector> {
        self.fixture.connector(self.proxy.address())
    }

    fn wanted(&self, offset: u32) -> Wanted {
        self.fixture.wanted(self.first + offset)
    }

    /// A key that no other call had.
    fn call_key(&self, wanted: &Wanted) -> CallKey {
        let number = self.calls.fetch_add(1, Ordering::Relaxed) + 1;
        CallKey(format!("tg-contract-{}-{number}", wanted.object_key))
    }

    async fn count_is(&self, wanted: &Wanted, expected: usize, when: &str) -> Kept {
        match self.fixture.count(wanted).await {
            count if count == expected => Ok(()),
            count => Err(format!(
                "{when}: the target has {count} objects for {}, not {expected}",
                wanted.object_key
            )),
        }
    }
}
