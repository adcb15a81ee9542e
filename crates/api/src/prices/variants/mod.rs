//! A theme knows a variant, price lists know SKUs. Owns the memory of which SKU each variant of a shop has, and that a cart never
//! waits for it beyond a deadline: what is not known, or has no price, is asked of the shop once in a while, however many carts
//! wait, and the line of a variant that stays unknown says so. All variants are read anew in the background while carts ask.

mod file;
mod known;
#[cfg(test)]
mod tests;

use async_trait::async_trait;
use file::VariantFile;
use kernel::clock::{Clock, Mono};
use known::Known;
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// The longest that a cart waits for a shop to say which SKU a variant has.
const DEADLINE: Duration = Duration::from_millis(120);
/// What the shop said of one variant is not asked again for so long: also that it has none.
const BELIEVED: Duration = Duration::from_secs(60);
/// All are read anew after so long, while carts ask by variant.
const REFRESHED: Duration = Duration::from_secs(3600);
/// After a read of all that failed.
const AGAIN: Duration = Duration::from_secs(300);
/// Questions under way at once, and variants in each: more are answered as unknown until the next cart.
const QUESTIONS_MAX: u32 = 2;
const ASKED_MAX: usize = shopify::variants::ASKED_MAX;
/// Variants that were asked for one by one and are kept apart; beyond it they are put among all others.
const APART_MAX: usize = 100_000;

/// One shop that can be asked what it sells.
#[async_trait]
pub trait Sold: Send + Sync + Debug {
    /// The SKU of each, in their order: none where the shop has no such variant, an empty one where it has no SKU.
    ///
    /// # Errors
    /// What kept it from being known, for the log.
    async fn skus(&self, variants: &[u64]) -> Result<Vec<Option<Box<str>>>, String>;

    /// All of them, with their SKUs. May take minutes.
    ///
    /// # Errors
    /// What kept it from being known, for the log.
    async fn all(&self, take: &mut (dyn for<'s> FnMut(u64, &'s str) + Send)) -> Result<(), String>;
}

/// The variants of one shop.
#[derive(Debug, Clone)]
pub struct VariantShop {
    /// As the configuration calls it.
    pub id: String,
    /// `….myshopify.com`.
    pub domain: String,
    pub sold: Arc<dyn Sold>,
    /// Where they are kept between two starts.
    pub file: PathBuf,
}

/// What is known of one shop.
#[derive(Debug)]
pub(super) struct Variants {
    id: String,
    domain: String,
    sold: Arc<dyn Sold>,
    clock: Arc<dyn Clock>,
    file: Mutex<VariantFile>,
    state: Mutex<State>,
    /// Changes when a question has ended.
    ended: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct State {
    known: Arc<Known>,
    /// Of these the shop was asked one by one, since all were read.
    apart: BTreeMap<u64, Apart>,
    under_way: u32,
    reading: bool,
    /// When all were read last, or tried to be.
    read_at: Option<(Mono, bool)>,
}

#[derive(Debug, Default)]
struct Apart {
    said: Option<(Mono, Option<Box<str>>)>,
    asking: bool,
}

impl State {
    fn sku(&self, variant: u64) -> Option<&str> {
        match self.apart.get(&variant).and_then(|apart| apart.said.as_ref()) {
            Some((_, said)) => said.as_deref(),
            None => self.known.sku(variant),
        }
    }

    /// Whether asking it now could tell anything new.
    fn is_due(&self, variant: u64, now: Mono) -> bool {
        let said = self.apart.get(&variant).and_then(|apart| apart.said.as_ref());
        said.is_none_or(|(at, _)| now.since(*at) >= BELIEVED)
    }

    fn is_asked_for(&self, variant: u64) -> bool {
        self.apart.get(&variant).is_some_and(|apart| apart.asking)
    }

    /// What was said one by one, before `until`, becomes one with all others; what is being asked for stays.
    fn fold(&mut self, onto: Known, until: Option<Mono>) {
        let mut changes = BTreeMap::new();
        self.apart.retain(|variant, apart| {
            let is_over = |at: Mono| until.is_some_and(|until| at < until);
            if let Some((at, sku)) = &apart.said
                && !is_over(*at)
            {
                changes.insert(*variant, sku.clone());
            }
            let stays = apart.asking;
            if stays {
                apart.said = None;
            }
            stays
        });
        self.known = Arc::new(onto.with(&changes));
    }
}

impl Variants {
    /// With what is in the file; reads it, which takes a moment where there are millions.
    pub(super) fn open(shop: VariantShop, clock: Arc<dyn Clock>) -> Self {
        let VariantShop { id, domain, sold, file } = shop;
        let (file, known) = VariantFile::open(file);
        let state = Mutex::new(State { known: Arc::new(known), ..State::default() });
        Self { id, domain, sold, clock, file: Mutex::new(file), state, ended: watch::channel(0).0 }
    }

    /// As the configuration calls it, or as Shopify does.
    pub(super) fn is_called(&self, shop: &str) -> bool {
        self.id == shop || self.domain.eq_ignore_ascii_case(shop)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The SKU of each, in their order, as far as it is known. An empty one: the variant has none.
    pub(super) fn skus(&self, variants: &[Option<u64>]) -> Vec<Option<Box<str>>> {
        let state = self.state();
        variants.iter().map(|variant| variant.and_then(|id| state.sku(id)).map(Into::into)).collect()
    }

    /// Has the shop asked for those of which nothing was heard of late, and waits for it until the deadline. True: something was heard.
    pub(super) async fn ask(self: &Arc<Self>, variants: &[u64]) -> bool {
        // Before anything is asked, so that no end is missed.
        let mut ended = self.ended.subscribe();
        let due: Vec<u64> = {
            let (now, state) = (self.clock.now().mono, self.state());
            variants.iter().copied().filter(|id| state.is_due(*id, now)).collect()
        };
        if due.is_empty() {
            return false;
        }
        self.begin(&due);
        let is_awaited = || {
            let state = self.state();
            due.iter().any(|id| state.is_asked_for(*id))
        };
        let all_said = async { while is_awaited() && ended.changed().await.is_ok() {} };
        // What has not been said by then is unknown to this cart.
        let _ = tokio::time::timeout(DEADLINE, all_said).await;
        true
    }

    /// Has asked what nobody asks for yet.
    fn begin(self: &Arc<Self>, due: &[u64]) {
        let mut state = self.state();
        let mut begun: Vec<u64> = due.iter().copied().filter(|id| !state.is_asked_for(*id)).collect();
        begun.sort_unstable();
        begun.dedup();
        begun.truncate(ASKED_MAX);
        if begun.is_empty() || state.under_way >= QUESTIONS_MAX {
            return;
        }
        if state.apart.len() + begun.len() > APART_MAX {
            let onto = state.known.as_ref().clone();
            state.fold(onto, None);
        }
        for id in &begun {
            state.apart.entry(*id).or_default().asking = true;
        }
        state.under_way += 1;
        drop(state);
        // Goes on when the cart waits no longer: the next one finds the answer.
        tokio::spawn(self.clone().question(begun));
    }

    async fn question(self: Arc<Self>, asked: Vec<u64>) {
        let (sold, of) = (self.sold.clone(), asked.clone());
        // Apart, so that also a question that panics has an end.
        let said = tokio::spawn(async move { sold.skus(&of).await }).await;
        let said = said.unwrap_or_else(|broke_off| Err(broke_off.to_string()));
        let said = said.and_then(|said| match said.len() == asked.len() {
            true => Ok(said),
            false => Err(format!("{} answers for {} variants", said.len(), asked.len())),
        });
        if let Err(error) = &said {
            tracing::warn!(shop.id = self.id, error, "a shop does not say which SKU a variant has");
        }
        let changes = self.take(&asked, said.ok());
        if !changes.is_empty() {
            let this = self.clone();
            let kept = tokio::task::spawn_blocking(move || this.file().append(&changes)).await;
            self.log_unkept(kept.map_err(std::io::Error::other).flatten());
        }
        self.ended.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// The end of a question; what is other than it was known.
    fn take(&self, asked: &[u64], said: Option<Vec<Option<Box<str>>>>) -> Vec<(u64, Option<Box<str>>)> {
        let now = self.clock.now().mono;
        let mut state = self.state();
        state.under_way -= 1;
        let mut changes = Vec::new();
        let mut said = said.map(Vec::into_iter);
        for id in asked {
            let sku = said.as_mut().and_then(Iterator::next);
            if let Some(sku) = &sku
                && state.sku(*id) != sku.as_deref()
            {
                changes.push((*id, sku.clone()));
            }
            let Some(apart) = state.apart.get_mut(id) else { continue };
            apart.asking = false;
            if let Some(sku) = sku {
                apart.said = Some((now, sku));
            } else if apart.said.is_none() {
                state.apart.remove(id);
            }
        }
        changes
    }

    fn file(&self) -> MutexGuard<'_, VariantFile> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn log_unkept(&self, kept: std::io::Result<()>) {
        if let Err(error) = kept {
            let error = error.to_string();
            tracing::warn!(
                shop.id = self.id,
                error,
                "variants cannot be kept: they are read again after a restart"
            );
        }
    }

    /// Has all read anew, in the background, where that was long ago.
    pub(super) fn refresh(self: &Arc<Self>) {
        let now = self.clock.now().mono;
        let mut state = self.state();
        let is_due =
            state.read_at.is_none_or(|(at, read)| now.since(at) >= if read { REFRESHED } else { AGAIN });
        if !is_due || state.reading {
            return;
        }
        state.reading = true;
        drop(state);
        tokio::spawn(self.clone().read());
    }

    async fn read(self: Arc<Self>) {
        let (sold, began) = (self.sold.clone(), self.clock.now().mono);
        let read = tokio::spawn(async move {
            let mut all: Vec<(u64, Box<str>)> = Vec::new();
            sold.all(&mut |id, sku| all.push((id, sku.into()))).await.map(|()| Known::of(all))
        });
        let read = read.await.unwrap_or_else(|broke_off| Err(broke_off.to_string()));
        let now = self.clock.now().mono;
        let known = {
            let mut state = self.state();
            state.reading = false;
            state.read_at = Some((now, read.is_ok()));
            match read {
                Ok(known) => {
                    // Of what was asked for meanwhile, the answer is the newer one.
                    state.fold(known, Some(began));
                    state.known.clone()
                }
                Err(error) => {
                    drop(state);
                    tracing::warn!(shop.id = self.id, error, "the variants of a shop cannot be read");
                    return;
                }
            }
        };
        let this = self.clone();
        let kept = tokio::task::spawn_blocking(move || this.file().write(&known)).await;
        self.log_unkept(kept.map_err(std::io::Error::other).flatten());
        self.ended.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// How many are known.
    #[cfg(test)]
    fn count(&self) -> usize {
        self.state().known.len()
    }
}
