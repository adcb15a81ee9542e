//! That there is one run of a kind at a time, on however many nodes: one that hydrates a shop, one that checks or backfills the
//! stock of a flow there. Owns the lease of a run in the store and the name by which all nodes know the last one; a run that was
//! asleep while another began is told so before its next write. Refuses to know what is written.

use async_trait::async_trait;
use jiff::SignedDuration;
use kernel::clock::{Clock, Now};
use kernel::id::{FlowName, ShopId};
use shopify::prices::Fence;
use std::fmt;
use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;
use store::{Store, StoreError};
use tokio::task::JoinHandle;

/// Of a node that dies: after so long another goes on. A call that is under way then has been answered or given up.
pub const LEASE: Duration = Duration::from_secs(60);
/// It is renewed so often, whatever the run waits for; a write in between believes what was known that long ago.
const RENEW_EVERY: Duration = Duration::from_secs(10);
/// A folder's name to the store.
const OWNER: &str = "owner";
const HALF: &str = "owner.half";

/// What there is one run of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OneOf {
    /// The lease's name.
    lease: String,
    /// Under which name the store keeps which run was the last.
    last: String,
}

impl OneOf {
    pub fn hydration(shop: &ShopId) -> Self {
        Self { lease: format!("hydrate/{shop}"), last: last_run_of(shop) }
    }

    /// Of full checks and backfills: both read the same, and bring the same.
    pub fn stock(flow: &FlowName, shop: &ShopId) -> Self {
        Self { lease: format!("stock_run/{flow}/{shop}"), last: format!("stock_run/{flow}/{shop}/last") }
    }

    /// Under which name the store knows who holds it.
    pub fn lease(self) -> String {
        self.lease
    }
}

/// Under which name the store keeps which hydration was the last.
pub fn last_run_of(shop: &ShopId) -> String {
    format!("hydrated/{shop}")
}

/// By which name a folder holds a lease: it stays the same over the lives of its node. The folder is locked.
pub fn owner(folder: &Path, new: impl FnOnce() -> u64) -> io::Result<String> {
    let (path, half) = (folder.join(OWNER), folder.join(HALF));
    match std::fs::read_to_string(&path) {
        Ok(owner) if !owner.is_empty() => Ok(owner),
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => {
            let owner = format!("{:016x}", new());
            let mut file = File::create(&half)?;
            file.write_all(owner.as_bytes())?;
            file.sync_all()?;
            std::fs::rename(&half, &path)?;
            File::open(folder)?.sync_all()?;
            Ok(owner)
        }
    }
}

/// Held by one run. It ends with [`Lease::give_back`], or by itself a [`LEASE`] after it was renewed last.
#[derive(Debug)]
pub struct Lease {
    held: Arc<Held>,
    keeper: JoinHandle<()>,
}

struct Held {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    name: String,
    owner: String,
    /// What all nodes know the run by.
    run: String,
    cursor: String,
    renewed: Mutex<Now>,
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Held").field("name", &self.name).field("owner", &self.owner).finish_non_exhaustive()
    }
}

impl Lease {
    /// None: another run holds it. `owner` is one data directory's, whose next life takes up what its last one held. With it
    /// comes the run that was the last before.
    pub async fn take(
        store: &Arc<dyn Store>,
        clock: &Arc<dyn Clock>,
        one_of: OneOf,
        owner: String,
    ) -> Result<Option<(Self, Option<String>)>, StoreError> {
        let (name, now) = (one_of.lease, clock.now());
        if !store.lease(&name, &owner, now.wall, LEASE).await? {
            return Ok(None);
        }
        let (cursor, run) = (one_of.last, format!("{} {owner}", now.wall));
        let before = store.cursor(&cursor).await?;
        store.set_cursor(&cursor, &run).await?;
        let (store, clock, renewed) = (store.clone(), clock.clone(), Mutex::new(now));
        let held = Arc::new(Held { store, clock, name, owner, run, cursor, renewed });
        let kept = held.clone();
        let keeper = tokio::spawn(async move {
            let mut ticks = tokio::time::interval(RENEW_EVERY);
            // The first comes at once.
            ticks.tick().await;
            loop {
                ticks.tick().await;
                // What cannot be renewed is found out before the next write.
                let _ = kept.renew().await;
            }
        });
        Ok(Some((Self { held, keeper }, before)))
    }

    pub fn run(&self) -> &str {
        &self.held.run
    }

    /// To be asked before each write.
    pub fn fence(&self) -> Arc<dyn Fence> {
        self.held.clone()
    }

    /// Another may begin at once.
    pub async fn give_back(mut self) {
        // Or it might take it up again behind this.
        self.keeper.abort();
        let _ = (&mut self.keeper).await;
        let held = &self.held;
        // Where the store cannot be reached, it ends by itself.
        let _ = held.store.lease(&held.name, &held.owner, held.clock.now().wall, Duration::ZERO).await;
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.keeper.abort();
    }
}

impl Held {
    fn renewed(&self) -> std::sync::MutexGuard<'_, Now> {
        self.renewed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn renew(&self) -> Result<(), String> {
        let now = self.clock.now();
        let said = |error: StoreError| format!("the store cannot be asked whose turn it is ({error})");
        if !self.store.lease(&self.name, &self.owner, now.wall, LEASE).await.map_err(said)? {
            return Err("another run has begun while this one was not heard of".to_owned());
        }
        // One that has begun and ended meanwhile leaves no lease, but its name.
        let last = self.store.cursor(&self.cursor).await.map_err(said)?;
        if last.as_deref() != Some(&self.run) {
            return Err("another run has begun and ended while this one was not heard of".to_owned());
        }
        *self.renewed() = now;
        Ok(())
    }
}

#[async_trait]
impl Fence for Held {
    async fn holds(&self) -> Result<(), String> {
        let (now, renewed) = (self.clock.now(), *self.renewed());
        // A machine that sleeps may stop the one clock and not the other.
        let by_wall = now.wall.duration_since(renewed.wall);
        let is_fresh = now.mono.since(renewed.mono) < RENEW_EVERY
            && by_wall >= SignedDuration::ZERO
            && by_wall.unsigned_abs() < RENEW_EVERY;
        if is_fresh { Ok(()) } else { self.renew().await }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use jiff::Timestamp;
    use kernel::clock::Mono;
    use store::MemoryStore;

    #[derive(Debug)]
    pub(in crate::wiring) struct Turned(Mutex<u64>);

    impl Turned {
        pub(in crate::wiring) fn new() -> Self {
            Self(Mutex::new(0))
        }

        pub(in crate::wiring) fn later(&self, seconds: u64) {
            *self.0.lock().unwrap() += seconds;
        }
    }

    impl Clock for Turned {
        fn now(&self) -> Now {
            let seconds = *self.0.lock().unwrap();
            let wall = Timestamp::from_second(1_800_000_000 + i64::try_from(seconds).unwrap()).unwrap();
            Now { wall, mono: Mono(seconds * 1_000_000_000) }
        }
    }

    struct World {
        store: Arc<dyn Store>,
        turned: Arc<Turned>,
    }

    impl World {
        fn new() -> Self {
            Self { store: Arc::new(MemoryStore::new()), turned: Arc::new(Turned::new()) }
        }

        async fn take(&self, owner: &str) -> Option<(Lease, Option<String>)> {
            let clock: Arc<dyn Clock> = self.turned.clone();
            let shop = ShopId::new("acme").unwrap();
            Lease::take(&self.store, &clock, OneOf::hydration(&shop), owner.to_owned()).await.unwrap()
        }
    }

    #[tokio::test]
    async fn one_run_at_a_time_and_the_next_one_after_it() {
        let world = World::new();
        let (first, before) = world.take("a").await.unwrap();
        assert_eq!(before, None);
        assert!(world.take("b").await.is_none(), "two runs write against each other");
        let run = first.run().to_owned();
        first.give_back().await;
        let (_second, before) = world.take("b").await.unwrap();
        assert_eq!(before, Some(run), "it is known who wrote last");
    }

    #[tokio::test]
    async fn a_node_that_died_is_waited_for_as_long_as_its_lease_and_its_next_life_is_not() {
        let world = World::new();
        drop(world.take("a").await.unwrap());
        world.turned.later(59);
        assert!(world.take("b").await.is_none());
        drop(world.take("a").await.expect("its own next life takes up what it held"));
        world.turned.later(61);
        assert!(world.take("b").await.is_some());
    }

    #[tokio::test]
    async fn a_node_that_slept_writes_no_more() {
        let world = World::new();
        let (sleeper, _) = world.take("a").await.unwrap();
        let fence = sleeper.fence();
        world.turned.later(30);
        assert_eq!(fence.holds().await, Ok(()), "it is renewed by whoever writes");
        world.turned.later(61);
        let (other, _) = world.take("b").await.unwrap();
        assert!(fence.holds().await.unwrap_err().contains("another run has begun"));
        other.give_back().await;
        assert!(fence.holds().await.unwrap_err().contains("begun and ended"));
        let (again, _) = world.take("a").await.unwrap();
        assert_eq!(again.fence().holds().await, Ok(()));
        world.turned.later(10);
        assert!(
            fence.holds().await.is_err(),
            "the lease is of its own data directory by now, the run is not"
        );
    }

    #[tokio::test]
    async fn one_that_slept_while_nobody_else_began_goes_on() {
        let world = World::new();
        let (sleeper, _) = world.take("a").await.unwrap();
        world.turned.later(3_600);
        assert_eq!(sleeper.fence().holds().await, Ok(()));
    }
}
