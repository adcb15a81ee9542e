//! Prices that a system makes itself: configured items, and what is priced on request. Owns that a cart never waits for it longer
//! than a deadline: what it said a moment ago counts, what it said a while ago counts while it is asked again, and where it says
//! nothing the cart has the price of the read model, and the reason. However many wait for a line, one question is under way.

mod breaker;
mod known;
#[cfg(test)]
mod tests;

pub use known::Wanted;

use async_trait::async_trait;
use breaker::Breaker;
use kernel::clock::Clock;
use known::Known;
use pricing::goods::Goods;
use rust_decimal::Decimal;
use std::fmt::Debug;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// A system that says prices.
#[async_trait]
pub trait Quotes: Send + Sync + Debug {
    /// The unit price of each, in its order; none where the system has none. All are of one buyer and one currency.
    ///
    /// # Errors
    /// What kept them from being known, for the log.
    async fn ask(&self, wanted: &[Wanted]) -> Result<Vec<Option<Decimal>>, String>;
}

/// Which prices are asked for, and how long a cart waits.
#[derive(Debug, Clone)]
pub struct LiveSettings {
    /// As the configuration calls the system.
    pub system: String,
    pub quotes: Arc<dyn Quotes>,
    pub goods: Goods,
    /// The longest that a cart waits.
    pub deadline: Duration,
    /// So long what was said counts without asking again.
    pub fresh: Duration,
    /// So long it counts while it is asked again.
    pub stale: Duration,
    /// Questions under way at once.
    pub concurrency: u32,
}

/// Of all questions, how they ended; for metrics and pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct LiveCounts {
    /// Lines whose price the system said, a moment ago or on asking.
    pub told: u64,
    /// Lines with a price that it said a while ago.
    pub stale: u64,
    /// Lines that have the read model's price, because it said nothing in time.
    pub fallback: u64,
    pub questions: u64,
    pub failures: u64,
}

/// What became of one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Quote {
    Told {
        unit_price: Decimal,
        age: Duration,
    },
    /// Why the read model's price counts.
    Fallback(String),
}

#[derive(Debug)]
pub(super) struct Live {
    settings: LiveSettings,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    /// Changes when a question has ended.
    ended: watch::Sender<u64>,
    told: AtomicU64,
    stale: AtomicU64,
    fallback: AtomicU64,
    questions: AtomicU64,
    failures: AtomicU64,
}

#[derive(Debug, Default)]
struct State {
    known: Known,
    breaker: Breaker,
    under_way: u32,
}

impl Live {
    pub(super) fn new(settings: LiveSettings, clock: Arc<dyn Clock>) -> Arc<Self> {
        let (ended, _) = watch::channel(0);
        let [told, stale, fallback, questions, failures] = [const { AtomicU64::new(0) }; 5];
        let state = Mutex::default();
        Arc::new(Self { settings, clock, state, ended, told, stale, fallback, questions, failures })
    }

    pub(super) fn system(&self) -> &str {
        &self.settings.system
    }

    /// `sku` in its one spelling.
    pub(super) fn is_for(&self, sku: &str) -> bool {
        self.settings.goods.has(sku)
    }

    pub(super) fn counts(&self) -> LiveCounts {
        let of = |count: &AtomicU64| count.load(Ordering::Relaxed);
        LiveCounts {
            told: of(&self.told),
            stale: of(&self.stale),
            fallback: of(&self.fallback),
            questions: of(&self.questions),
            failures: of(&self.failures),
        }
    }

    /// Whether the system is left alone for a while.
    pub(super) fn is_open(&self) -> bool {
        self.state().breaker.is_open()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One for each, in their order, by the deadline.
    pub(super) async fn quotes(self: &Arc<Self>, wanted: &[Wanted]) -> Vec<Quote> {
        // Before anything is asked, so that no end is missed.
        let mut ended = self.ended.subscribe();
        let refused = self.begin(wanted);
        if refused.is_none() {
            let all_told = async { while self.is_awaited(wanted) && ended.changed().await.is_ok() {} };
            // What has not been said by then has its reason.
            let _ = tokio::time::timeout(self.settings.deadline, all_told).await;
        }
        let quotes: Vec<Quote> = wanted.iter().map(|one| self.quote(one, refused)).collect();
        let fallbacks = quotes.iter().filter(|quote| matches!(quote, Quote::Fallback(_))).count();
        self.fallback.fetch_add(fallbacks as u64, Ordering::Relaxed);
        quotes
    }

    /// Has the question asked that is nobody's yet. Some: the system is not asked now, and why.
    fn begin(self: &Arc<Self>, wanted: &[Wanted]) -> Option<&'static str> {
        let now = self.clock.now().mono;
        let (fresh, stale) = (self.settings.fresh, self.settings.stale);
        let mut state = self.state();
        let open: Vec<&Wanted> =
            wanted.iter().filter(|one| state.known.said(one, now, fresh).is_none()).collect();
        if open.iter().all(|one| state.known.is_asked_for(one)) {
            return None;
        }
        if state.under_way >= self.settings.concurrency {
            return Some("has too many questions under way");
        }
        if !state.breaker.admits(now) {
            return Some("did not answer before and is left alone for a moment");
        }
        let begun = state.known.begin(&open, now, stale);
        state.under_way += 1;
        drop(state);
        self.questions.fetch_add(1, Ordering::Relaxed);
        // Goes on when the cart waits no longer: the next one finds the answer.
        tokio::spawn(self.clone().ask(begun));
        None
    }

    async fn ask(self: Arc<Self>, wanted: Vec<Wanted>) {
        let (quotes, asked) = (self.settings.quotes.clone(), wanted.clone());
        // Apart, so that also a question that panics has an end: its lines would be asked for for ever.
        let said = tokio::spawn(async move { quotes.ask(&asked).await }).await;
        let said = said.unwrap_or_else(|broke_off| Err(broke_off.to_string()));
        let said = said.and_then(|said| readable(said, wanted.len()));
        let now = self.clock.now().mono;
        if let Err(error) = &said {
            self.failures.fetch_add(1, Ordering::Relaxed);
            tracing::warn!(
                system = self.settings.system,
                error,
                "no live price: carts have the read model's"
            );
        }
        let mut state = self.state();
        state.under_way -= 1;
        state.breaker.ended(said.is_ok(), now);
        state.known.end(&wanted, said.as_deref().ok(), now);
        drop(state);
        self.ended.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Something is asked for that nobody has said, also not a while ago.
    fn is_awaited(&self, wanted: &[Wanted]) -> bool {
        let (now, state) = (self.clock.now().mono, self.state());
        let open = |one: &Wanted| state.known.said(one, now, self.settings.stale).is_none();
        wanted.iter().any(|one| open(one) && state.known.is_asked_for(one))
    }

    fn quote(&self, wanted: &Wanted, refused: Option<&'static str>) -> Quote {
        let (now, state) = (self.clock.now().mono, self.state());
        let system = &self.settings.system;
        let Some(said) = state.known.said(wanted, now, self.settings.stale) else {
            let deadline_ms = self.settings.deadline.as_millis();
            return Quote::Fallback(match refused {
                Some(why) => format!("{system} {why}"),
                None if state.known.is_asked_for(wanted) => {
                    format!("{system} did not answer in {deadline_ms} ms")
                }
                None => format!("{system} failed"),
            });
        };
        let age = now.since(said.at);
        let Some(unit_price) = said.unit_price else {
            return Quote::Fallback(format!("{system} has no price for it"));
        };
        let count = if age < self.settings.fresh { &self.told } else { &self.stale };
        count.fetch_add(1, Ordering::Relaxed);
        Quote::Told { unit_price, age }
    }
}

/// A price that no price list could have is no price.
fn readable(said: Vec<Option<Decimal>>, wanted: usize) -> Result<Vec<Option<Decimal>>, String> {
    if said.len() != wanted {
        return Err(format!("{} prices for {wanted} lines", said.len()));
    }
    match said.iter().flatten().find(|price| pricing::Price::plain(**price).is_err()) {
        Some(price) => Err(format!("a price of {price}")),
        None => Ok(said),
    }
}
