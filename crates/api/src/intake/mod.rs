//! Intake: verify on raw bytes, bound, dedupe, commit, then answer (DESIGN promises 1, 2, 8 and 9).
//!
//! Does nothing else in reaction to a request: no routing, no look-up, no call. Never answers 503 because of a
//! backlog: it does not know of one.

mod answer;
mod body;
mod disk;
mod http_doors;
mod ingest;
mod pushed;
mod room;
mod webhook;

pub use answer::Answer;
pub use body::{Received, receive};
pub use disk::FreeSpace;
pub use http_doors::router;
pub use ingest::{IngestAuth, IngestDoor, SIGNATURE as INGEST_SIGNATURE, sign as sign_ingest};
pub use room::{Held, Room};

use crate::live::LiveHub;
use crate::privacy::Privacy;
use crate::watch::Watching;
use disk::Disk;
use kernel::clock::{Clock, Mono, Now};
use kernel::id::{DomainName, NameError, ShopId, SystemName};
use shopify::webhook::{AppSecrets, ShopEntry};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use store::log::{Appended, NewEnvelope};
use store::{Store, StoreError};
use telemetry::Door;

/// The bounds of DESIGN promise 8.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IntakeLimits {
    pub body_bytes_max: u64,
    /// From the head of the request to the last byte of its body.
    pub body_deadline: Duration,
    pub received_uncommitted_max: u64,
    pub free_disk_min: u64,
}

impl Default for IntakeLimits {
    fn default() -> Self {
        Self {
            body_bytes_max: 2 << 20,
            body_deadline: Duration::from_secs(5),
            received_uncommitted_max: 64 << 20,
            free_disk_min: 512 << 20,
        }
    }
}

/// What the intake is made of.
#[derive(Debug)]
pub struct IntakeParts {
    pub store: Arc<dyn Store>,
    pub hub: Arc<dyn LiveHub>,
    pub clock: Arc<dyn Clock>,
    pub watching: Arc<Watching>,
    pub free_space: Arc<dyn FreeSpace>,
    pub privacy: Arc<Privacy>,
    pub apps: Vec<AppSecrets>,
    pub shops: Vec<ShopEntry>,
    /// The topics that the flows want, by shop.
    pub topics: BTreeMap<ShopId, BTreeSet<String>>,
    /// Systems that push.
    pub doors: Vec<IngestDoor>,
    pub limits: IntakeLimits,
}

/// The service behind both doors; knows no socket.
#[derive(Debug)]
pub struct Intake {
    parts: IntakeParts,
    room: Arc<Room>,
    disk: Disk,
    committing: AtomicBool,
    shopify: SystemName,
    orders: DomainName,
    privacy: DomainName,
    app: DomainName,
    /// Versions that were warned of already.
    warned_versions: Mutex<BTreeSet<(ShopId, String)>>,
    /// By how much the numbers of each system are lifted, and since when that is known.
    lifts: Mutex<BTreeMap<String, (Mono, i64)>>,
}

impl Intake {
    /// # Errors
    /// None that a caller can cause: the names are our own.
    pub fn new(parts: IntakeParts) -> Result<Arc<Self>, NameError> {
        Ok(Arc::new(Self {
            room: Room::new(parts.limits.received_uncommitted_max),
            disk: Disk::new(parts.free_space.clone(), parts.limits.free_disk_min),
            committing: AtomicBool::new(true),
            shopify: SystemName::new("shopify")?,
            orders: DomainName::new("orders")?,
            privacy: DomainName::new("privacy")?,
            app: DomainName::new("app")?,
            warned_versions: Mutex::default(),
            lifts: Mutex::default(),
            parts,
        }))
    }

    pub fn limits(&self) -> &IntakeLimits {
        &self.parts.limits
    }
    pub fn room(&self) -> &Arc<Room> {
        &self.room
    }
    pub fn now(&self) -> Now {
        self.parts.clock.now()
    }
    /// As last asked; `None` where it cannot be told.
    pub fn free_disk(&self) -> Option<u64> {
        self.disk.free_bytes()
    }

    /// Whether there is disk enough to take anything.
    pub fn has_disk(&self, now: Now) -> bool {
        self.disk.is_enough(now.mono)
    }

    /// Whether the store commits, as far as is known. Where it last could not, a small write is tried: while a
    /// balancer sends nothing here because of this very answer, nothing else would find out.
    pub async fn is_committing(&self) -> bool {
        if self.committing.load(Ordering::Relaxed) {
            return true;
        }
        let probe = self.parts.store.set_cursor("intake/probe", &self.now().wall.to_string()).await;
        self.note_commit(probe.is_ok());
        probe.is_ok()
    }

    /// Counts an answer.
    pub fn count(&self, door: Door, answer: &Answer, began: Now) {
        let took = self.now().mono.since(began.mono);
        self.parts.watching.metrics().answered(door, answer.status.as_u16(), answer.reason, took);
    }

    fn note_commit(&self, works: bool) {
        if self.committing.load(Ordering::Relaxed) != works {
            self.committing.store(works, Ordering::Relaxed);
            self.parts.watching.metrics().set_committing(works);
        }
    }

    /// Commits what one request brings, all or nothing, and tells the hub; answers what became of the last. On a task of its own: a client that goes away neither ends the commit
    /// nor gives its room back before it.
    async fn commit(
        self: &Arc<Self>,
        envelopes: Vec<NewEnvelope>,
        held: Held,
    ) -> Result<Appended, StoreError> {
        let intake = self.clone();
        let task = tokio::spawn(async move {
            let result = intake.parts.store.append(envelopes).await;
            drop(held);
            intake.note_commit(result.is_ok());
            let appended = result?;
            if appended.iter().any(|one| matches!(one, Appended::Stored(_))) {
                intake.parts.hub.appended();
            }
            let last = appended.last().copied();
            last.ok_or_else(|| StoreError::Bug("an append was answered with nothing".into()))
        });
        task.await.unwrap_or_else(|_| Err(StoreError::Bug("an append broke off: see the log".into())))
    }

    /// Whether this version of this shop was not warned of before.
    fn is_new_version(&self, shop: &ShopId, version: &str) -> bool {
        let mut warned = self.warned_versions.lock().unwrap_or_else(PoisonError::into_inner);
        warned.insert((shop.clone(), version.to_owned()))
    }
}
