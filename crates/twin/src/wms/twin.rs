//! `WmsTwin`: starts the warehouse, moves its goods and reads its books from within the process.

use super::books::{Books, Truth};
use super::config::{Knobs, PushTarget, WmsConfig};
use super::counts::WmsLedger;
use super::form::{Told, TruthRow};
use super::orders::{OrderView, WantedLine};
use super::push::Pusher;
use super::refusal::Refusal;
use super::releases::ReleaseView;
use super::server::router;
use super::shelf::Slot;
use super::shipments::ShipmentView;
use crate::shopify::ShopClock;
use anyhow::{Context as _, Result};
use jiff::Timestamp;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// The books, and who is told of them.
#[derive(Debug)]
pub(super) struct Desk {
    books: Mutex<Books>,
    knobs: Mutex<Knobs>,
    pusher: Arc<Pusher>,
    clock: ShopClock,
    pub(super) token: String,
    pub(super) seed: u64,
    requests: AtomicU64,
}

impl Desk {
    /// To read; who changes something goes through `act`, so that it is told.
    pub(super) fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn knobs(&self) -> Knobs {
        self.knobs.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Orders that were held are counted when that ends.
    pub(super) fn set_knobs(&self, knobs: Knobs) {
        let ends_hold = self.knobs().hold_orders && !knobs.hold_orders;
        *self.knobs.lock().unwrap_or_else(PoisonError::into_inner) = knobs;
        if ends_hold {
            self.count_held();
        }
    }

    pub(super) fn next_request(&self) -> u64 {
        self.requests.fetch_add(1, Ordering::Relaxed)
    }

    fn change<T>(&self, how: impl FnOnce(&mut Books, Timestamp) -> T) -> T {
        let at = self.clock.now();
        let knobs = self.knobs();
        let mut books = self.books();
        books.unlisted = knobs.unlisted;
        let done = how(&mut books, at);
        let (told, shipments) = (books.take_told(), books.take_told_shipments());
        // Still under the lock: pushes are numbered in the order of the changes.
        self.pusher.tell_shipments(&shipments, &told, &knobs);
        self.pusher.tell(told, &knobs);
        done
    }

    /// A change that may be refused; a refusal changes nothing.
    pub(super) fn act<T>(
        &self,
        how: impl FnOnce(&mut Books, Timestamp) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        self.change(|books, at| how(books, at).inspect_err(|_| books.counts.refused += 1))
    }

    pub(super) fn reserve(
        &self,
        key: &str,
        order: &str,
        lines: &[WantedLine],
    ) -> Result<(OrderView, bool), Refusal> {
        let Knobs { hold_orders, refuses_short, .. } = self.knobs();
        self.act(|books, at| {
            if refuses_short && !books.orders.is_known(order) {
                books.enough(order, lines)?;
            }
            books.reserve(key, order, lines, hold_orders, at)
        })
    }

    pub(super) fn replace(&self, order: &str, lines: &[WantedLine]) -> Result<OrderView, Refusal> {
        let refuses_short = self.knobs().refuses_short;
        self.act(|books, at| {
            if refuses_short {
                books.enough(order, lines)?;
            }
            books.replace(order, lines, at)
        })
    }

    /// Who tells shipments counts what has left no longer: until the shop knows of it, both sides hold it back.
    pub(super) fn ship(&self, order: &str, some: &[WantedLine]) -> Result<OrderView, Refusal> {
        let settles = self.knobs().tells_shipments;
        self.act(|books, at| {
            let shipped = books.ship(order, some, at)?;
            if settles { books.settle(order, at) } else { Ok(shipped) }
        })
    }

    pub(super) fn told(&self, sku: &str, location: &str) -> Option<Told> {
        let books = self.books();
        let slot = books.shelf.slot(sku, location)?;
        Some(Told { slot, truth: books.truth(slot) })
    }

    pub(super) fn stir(&self, count: u32) {
        let knobs = self.knobs();
        for _ in 0..count {
            self.change(|books, at| books.stir(&knobs, at));
        }
    }

    fn count_held(&self) -> usize {
        self.change(Books::count_held)
    }

    pub(super) fn ledger(&self) -> WmsLedger {
        let books = self.books();
        let mut ledger = WmsLedger {
            pairs: books.pair_count(),
            position: books.position(),
            counts: books.counts,
            pushes: *self.pusher.counts().borrow(),
            ..WmsLedger::default()
        };
        for told in books.stretch(0, usize::MAX) {
            ledger.on_hand += told.truth.on_hand;
            ledger.reserved += told.truth.reserved;
            ledger.counted += told.truth.counted;
        }
        ledger
    }
}

/// A warehouse that is served until it is shut down or dropped.
#[derive(Debug)]
pub struct WmsTwin {
    desk: Arc<Desk>,
    url: String,
    stop: Option<oneshot::Sender<()>>,
    server: JoinHandle<()>,
}

impl WmsTwin {
    /// Listens on 127.0.0.1 when it returns.
    pub async fn start(config: WmsConfig) -> Result<Self> {
        let address = ("127.0.0.1", config.port);
        let listener =
            TcpListener::bind(address).await.with_context(|| format!("listening on {address:?}"))?;
        let url = format!("http://{}", listener.local_addr()?);
        let books = Books::open(&config, config.clock.now());
        let at_once = config.knobs.pushes_at_once;
        let pusher = Pusher::new(config.push, config.clock.clone(), config.seed, at_once)?;
        let desk = Arc::new(Desk {
            books: Mutex::new(books),
            knobs: Mutex::new(config.knobs),
            pusher: Arc::new(pusher),
            clock: config.clock,
            token: config.token,
            seed: config.seed,
            requests: AtomicU64::new(0),
        });
        let (stop, stopped) = oneshot::channel::<()>();
        let app = router(desk.clone());
        let server = tokio::spawn(async move {
            let until = async {
                // A dropped handle stops it too.
                let _ = stopped.await;
            };
            if let Err(error) = axum::serve(listener, app).with_graceful_shutdown(until).await {
                tracing::error!(error = %error, "the stock keeper stopped serving");
            }
        });
        Ok(Self { desk, url, stop: Some(stop), server })
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    pub fn token(&self) -> &str {
        &self.desk.token
    }

    /// Stops answering; pushes that are under way end by themselves.
    pub async fn shutdown(mut self) -> Result<()> {
        if let Some(stop) = self.stop.take() {
            // An error means that the server has stopped already.
            let _ = stop.send(());
        }
        (&mut self.server).await.context("the server's task")
    }

    /// Who is told from the next change on.
    pub fn push_to(&self, target: Option<PushTarget>) {
        self.desk.pusher.aim(target);
    }

    pub fn knobs(&self) -> Knobs {
        self.desk.knobs()
    }

    /// `wms.turn(|knobs| knobs.mute = true)`.
    pub fn turn(&self, how: impl FnOnce(&mut Knobs)) {
        let mut knobs = self.desk.knobs();
        how(&mut knobs);
        self.desk.set_knobs(knobs);
    }

    /// What a pair has; none where there is no such pair.
    pub fn truth(&self, sku: &str, location: &str) -> Option<Truth> {
        self.desk.told(sku, location).map(|told| told.truth)
    }

    /// All pairs, in the order of the books.
    pub fn all_stock(&self) -> Vec<TruthRow> {
        self.desk.books().stretch(0, usize::MAX).into_iter().map(Told::row).collect()
    }

    pub fn ledger(&self) -> WmsLedger {
        self.desk.ledger()
    }

    /// Movements that are not the shop's, so many of them, from the seed.
    pub fn stir(&self, count: u32) {
        self.desk.stir(count);
    }

    /// Goods come in.
    pub fn receive(&self, sku: &str, location: &str, units: u32) -> Result<Truth, Refusal> {
        self.at(sku, location, |books, slot, at| books.receive(slot, i64::from(units), at))
    }

    /// Another channel takes what is free, and no more.
    pub fn pick(&self, sku: &str, location: &str, units: u32) -> Result<Truth, Refusal> {
        self.at(sku, location, |books, slot, at| {
            books.pick(slot, i64::from(units), at);
        })
    }

    /// Somebody counted.
    pub fn correct(&self, sku: &str, location: &str, on_hand: i64) -> Result<Truth, Refusal> {
        self.at(sku, location, |books, slot, at| books.correct(slot, on_hand, at))
    }

    fn at(
        &self,
        sku: &str,
        location: &str,
        how: impl FnOnce(&mut Books, Slot, Timestamp),
    ) -> Result<Truth, Refusal> {
        self.desk.act(|books, at| {
            let slot = books.shelf.slot(sku, location);
            let slot = slot.ok_or_else(|| Refusal::unknown_pair(sku, Some(location)))?;
            how(books, slot, at);
            Ok(books.truth(slot))
        })
    }

    /// As `POST /orders`; true: just now.
    pub fn reserve(
        &self,
        key: &str,
        order: &str,
        lines: &[WantedLine],
    ) -> Result<(OrderView, bool), Refusal> {
        self.desk.reserve(key, order, lines)
    }

    pub fn order(&self, order: &str) -> Result<OrderView, Refusal> {
        self.desk.books().order(order)
    }

    /// By their references.
    pub fn releases(&self) -> Vec<ReleaseView> {
        self.desk.books().releases.all().cloned().collect()
    }

    /// Reserves other lines instead.
    pub fn replace(&self, order: &str, lines: &[WantedLine]) -> Result<OrderView, Refusal> {
        self.desk.replace(order, lines)
    }

    /// Gives back what is open.
    pub fn cancel(&self, order: &str) -> Result<OrderView, Refusal> {
        self.desk.act(|books, at| books.cancel(order, at))
    }

    /// Ships what is open, or these.
    pub fn ship(&self, order: &str, some: &[WantedLine]) -> Result<OrderView, Refusal> {
        self.desk.ship(order, some)
    }

    /// All of them, in the order in which they left.
    pub fn shipments(&self) -> Vec<ShipmentView> {
        self.desk.books().shipments.all().to_vec()
    }

    /// Takes one back: its units are on their shelf again, and reserved for its order.
    pub fn cancel_shipment(&self, shipment: &str) -> Result<ShipmentView, Refusal> {
        self.desk.act(|books, at| books.cancel_shipment(shipment, at))
    }

    /// The shop has taken what was shipped out of what it has sold.
    pub fn settle(&self, order: &str) -> Result<OrderView, Refusal> {
        self.desk.act(|books, at| books.settle(order, at))
    }

    /// Counts the orders that were accepted and held; how many.
    pub fn count_held(&self) -> usize {
        self.desk.count_held()
    }

    /// Until no push is in flight or waits for anything.
    pub async fn settled(&self) {
        // The sender lives as long as this handle.
        let _ = self.desk.pusher.counts().wait_for(|counts| counts.open == 0).await;
    }
}
