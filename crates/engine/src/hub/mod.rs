//! The hub drives the step function with tokio: performs effects, brings their answers back as events, wakes it in
//! time. It decides nothing.

mod perform;
mod together;

use crate::effect::{Effect, Ending, Event, Folded};
use crate::engine::{Engine, Totals};
use crate::notice::Notice;
use crate::system::SystemView;
use connector::port::{Connector, Source};
use kernel::clock::{Clock, Mono};
use kernel::fault::FaultKind;
use kernel::id::SystemName;
use kernel::rng::Rng;
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use store::Store;
use together::Gathering;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

/// Who watches: metrics, logs, escalation. Called on the hub's own task, so it must not block.
pub trait Watcher: Send + Sync + Debug {
    fn notice(&self, notice: &Notice);
    /// A call to a system ended.
    fn called(&self, call: &Called<'_>);
    /// A delivery ended or died.
    fn ended(&self, ending: &Ending);
    /// It was decided what becomes of a change.
    fn folded(&self, _folded: &Folded) {}
}

/// One call, for metrics.
#[derive(Debug, Clone, Copy)]
pub struct Called<'a> {
    pub system: &'a SystemName,
    /// `observe`, `read`, `health`, `look`, or the step's name.
    pub what: &'a str,
    pub fault: Option<FaultKind>,
    pub took: Duration,
}

/// What the hub is made of.
#[derive(Debug)]
pub struct Parts {
    pub engine: Engine,
    pub store: Arc<dyn Store>,
    pub connectors: BTreeMap<SystemName, Arc<dyn Connector>>,
    pub sources: BTreeMap<SystemName, Arc<dyn Source>>,
    pub clock: Arc<dyn Clock>,
    pub watcher: Arc<dyn Watcher>,
    /// This process, as the store knows it.
    pub owner: String,
}

/// A look at the running engine.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    pub systems: Vec<SystemView>,
    pub totals: Totals,
    pub in_work: usize,
    /// Lanes that other nodes of the store have in work, by system.
    pub in_work_elsewhere: BTreeMap<SystemName, u32>,
}

/// The handle of a running hub.
#[derive(Debug, Clone)]
pub struct Hub {
    events: mpsc::UnboundedSender<Input>,
    /// The hub was told of commits and has not yet looked: it need not be told again.
    appended: Arc<AtomicBool>,
    snapshot: watch::Receiver<Snapshot>,
}

#[derive(Debug)]
pub(crate) enum Input {
    Event(Box<Event>),
    Drain(oneshot::Sender<()>),
}

impl Hub {
    /// Starts the task. Ends when every handle is dropped, or by [`Hub::drain`].
    pub fn start(parts: Parts, rng: Box<dyn Rng>) -> (Hub, JoinHandle<()>) {
        // Every effect is answered once and the engine bounds its effects, so the queue is bounded by them.
        let (events, inbox) = mpsc::unbounded_channel();
        let (publish, snapshot) = watch::channel(Snapshot::default());
        let appended = Arc::new(AtomicBool::new(false));
        let hub = Hub { events: events.clone(), appended: appended.clone(), snapshot };
        let shared = Arc::new(Shared::of(&parts));
        let driver = Driver { parts: shared, engine: parts.engine, rng, inbox, events, appended, publish };
        (hub, tokio::spawn(driver.run()))
    }

    /// Envelopes were committed.
    pub fn appended(&self) {
        if !self.appended.swap(true, Ordering::AcqRel) {
            self.tell(Event::Appended);
        }
    }

    /// An operator changed something in the store.
    pub fn changed(&self) {
        self.tell(Event::Changed);
    }

    /// A hub that has ended hears nothing; what it would have done is in the store.
    pub fn tell(&self, event: Event) {
        let _ = self.events.send(Input::Event(Box::new(event)));
    }

    pub fn snapshot(&self) -> Snapshot {
        self.snapshot.borrow().clone()
    }

    /// Takes no more work and ends once every call under way has its answer committed, or at the deadline: what is
    /// then still under way is found without an answer at the next start.
    pub async fn drain(&self, deadline: Duration) -> bool {
        let (done, wait) = oneshot::channel();
        if self.events.send(Input::Drain(done)).is_err() {
            return true;
        }
        tokio::time::timeout(deadline, wait).await.is_ok()
    }
}

/// What performing an effect needs.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) connectors: BTreeMap<SystemName, Arc<dyn Connector>>,
    pub(crate) sources: BTreeMap<SystemName, Arc<dyn Source>>,
    pub(crate) time_outs: BTreeMap<SystemName, Duration>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) watcher: Arc<dyn Watcher>,
    pub(crate) owner: String,
    pub(crate) gathering: Gathering,
}

impl Shared {
    fn of(parts: &Parts) -> Self {
        let plan = &parts.engine.plan;
        Self {
            store: parts.store.clone(),
            connectors: parts.connectors.clone(),
            sources: parts.sources.clone(),
            time_outs: plan.systems.iter().map(|(name, system)| (name.clone(), system.time_out)).collect(),
            clock: parts.clock.clone(),
            watcher: parts.watcher.clone(),
            owner: parts.owner.clone(),
            gathering: Gathering::default(),
        }
    }
}

struct Driver {
    parts: Arc<Shared>,
    engine: Engine,
    rng: Box<dyn Rng>,
    inbox: mpsc::UnboundedReceiver<Input>,
    events: mpsc::UnboundedSender<Input>,
    appended: Arc<AtomicBool>,
    publish: watch::Sender<Snapshot>,
}

/// A snapshot is published at most this often.
const PUBLISH_EVERY: Duration = Duration::from_millis(100);
/// Events taken in one go before effects are looked at again.
const EVENTS_AT_ONCE: usize = 64;

impl Driver {
    async fn run(mut self) {
        let mut draining: Option<oneshot::Sender<()>> = None;
        let mut published = Mono::default();
        self.step(Event::Wake);
        let mut batch = Vec::with_capacity(EVENTS_AT_ONCE);
        loop {
            let now = self.parts.clock.now();
            let wait = self.engine.wake_at(now).since(now.mono);
            let wait = self.parts.gathering.due_in(now.mono).map_or(wait, |due| due.min(wait));
            let wait = wait.max(Duration::from_millis(1));
            match tokio::time::timeout(wait, self.inbox.recv_many(&mut batch, EVENTS_AT_ONCE)).await {
                Err(_) => self.step(Event::Wake),
                Ok(0) => return,
                Ok(_) => {
                    for input in batch.drain(..) {
                        match input {
                            Input::Event(event) => self.step(*event),
                            Input::Drain(done) => {
                                self.engine.drain();
                                draining = Some(done);
                            }
                        }
                    }
                }
            }
            Gathering::flush(&self.parts, &self.events);
            let now = self.parts.clock.now();
            if now.mono.since(published) >= PUBLISH_EVERY {
                published = now.mono;
                self.publish.send_replace(Snapshot {
                    systems: self.engine.views(now),
                    totals: self.engine.totals(),
                    in_work: self.engine.in_work(),
                    in_work_elsewhere: self.engine.in_work_elsewhere(),
                });
            }
            if draining.is_some() && self.engine.in_work() == 0 {
                if let Some(done) = draining.take() {
                    // Nobody waits any more if the deadline has passed.
                    let _ = done.send(());
                }
                return;
            }
        }
    }

    fn step(&mut self, event: Event) {
        let now = self.parts.clock.now();
        let effects = self.engine.step(event, now, self.rng.as_mut());
        for effect in effects {
            if matches!(effect, Effect::FetchUnrouted { .. }) {
                // Before it looks: what is committed after this is told of anew, and what was told of before it finds.
                self.appended.store(false, Ordering::Release);
            }
            perform::perform(&self.parts, effect, &self.events);
        }
    }
}
