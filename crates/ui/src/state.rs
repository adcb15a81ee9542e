//! What the pages are given, and what they keep between two requests: sessions and failed logins, in memory only.

use crate::access::{Attempts, Sessions};
use crate::cadence::Cadences;
use crate::prices::Prices;
use engine::facts::Facts;
use engine::hub::{Hub, Snapshot};
use engine::overview::Watched;
use engine::work::stock_now::LooksNow;
use jiff::tz::TimeZone;
use kernel::clock::Clock;
use kernel::id::{FlowName, ShopId, SystemName};
use secrecy::SecretString;
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use store::Store;

/// The running hub, as far as the pages need it.
pub trait Running: Send + Sync + Debug {
    fn snapshot(&self) -> Snapshot;
    /// Something was changed in the store: there may be work.
    fn changed(&self);
    /// Facts were committed.
    fn appended(&self);
}

impl Running for Hub {
    fn snapshot(&self) -> Snapshot {
        Hub::snapshot(self)
    }
    fn changed(&self) {
        Hub::changed(self);
    }
    fn appended(&self) {
        Hub::appended(self);
    }
}

/// Where unguessable numbers come from: session ids and form tokens.
pub trait Random: Send + Sync + Debug {
    /// 32 bytes of the operating system's randomness; an error refuses the login.
    fn bytes(&self) -> std::io::Result<[u8; 32]>;
}

/// The flow of truth of the configuration in force, drawn and told by whoever judged it.
#[derive(Debug, Clone, Default)]
pub struct Truth {
    pub wide_svg: String,
    pub narrow_svg: String,
    pub text: String,
}

/// A flow of stock: how its facts are read.
#[derive(Debug, Clone)]
pub struct StockFlow {
    pub name: FlowName,
    pub source: SystemName,
    pub target: SystemName,
    pub shops: Vec<ShopId>,
    pub facts: Arc<dyn Facts>,
    /// Who asks a shop what it has this moment; a shop that is not among them is not asked.
    pub now: BTreeMap<ShopId, Arc<dyn LooksNow>>,
}

/// What the pages are made of.
#[derive(Debug)]
pub struct UiState {
    pub store: Arc<dyn Store>,
    pub hub: Arc<dyn Running>,
    pub clock: Arc<dyn Clock>,
    pub random: Arc<dyn Random>,
    /// What `/login` asks for.
    pub admin_token: SecretString,
    /// The flows, and the objective of their lag.
    pub watched: Watched,
    /// Those that move stock; without one its page is not in the navigation.
    pub stock: Vec<StockFlow>,
    /// None: its page is not in the navigation.
    pub prices: Option<Arc<dyn Prices>>,
    /// None: its page is not in the navigation.
    pub cadences: Option<Arc<dyn Cadences>>,
    /// Times of an order are shown in its shop's zone.
    pub shops: BTreeMap<ShopId, TimeZone>,
    /// All other times.
    pub time_zone: TimeZone,
    pub truth: Truth,
    /// Who stands in the audit where the login names nobody. Never `tidegate`, which is the hub itself.
    pub who: String,
    /// The public address is https: cookies are `Secure`. Also taken from `X-Forwarded-Proto`.
    pub behind_tls: bool,
}

#[derive(Debug)]
pub(crate) struct Ui {
    pub(crate) given: UiState,
    sessions: Mutex<Sessions>,
    attempts: Mutex<Attempts>,
}

impl Ui {
    pub(crate) fn new(given: UiState) -> Self {
        Self { given, sessions: Mutex::default(), attempts: Mutex::default() }
    }
    pub(crate) fn sessions(&self) -> MutexGuard<'_, Sessions> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
    pub(crate) fn attempts(&self) -> MutexGuard<'_, Attempts> {
        self.attempts.lock().unwrap_or_else(PoisonError::into_inner)
    }
    pub(crate) fn now(&self) -> jiff::Timestamp {
        self.given.clock.now().wall
    }
    pub(crate) fn zone(&self, shop: &ShopId) -> &TimeZone {
        self.given.shops.get(shop).unwrap_or(&self.given.time_zone)
    }
}
