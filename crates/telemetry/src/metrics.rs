//! The one struct of all metrics: what is measured, in words; registration and encoding.

use crate::labels::{
    Action, Answer, AtDoor, AtShop, AtShopByCause, AtShopOnTime, BreakerValue, Build, Called, Came, Door,
    Ended, Folded, Hydration, Noticed, OfFlow, OfServer, OfShop, OfSink, OfSystem, OfTopic, OnTime,
    PriceAnswer, Queue, QueueState, SourceAtShop, Topic,
};
use crate::names::{self, Name};
use kernel::fault::{FaultKind, Severity};
use kernel::id::{FlowName, ShopId, SystemName};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Metric, Registry};
use std::hash::Hash;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

/// All that Shopify waits for an answer.
const ANSWERED_WITHIN: Duration = Duration::from_secs(5);

/// Edges in seconds; every objective (0.3, 60, 120) is one, so that the share within it is exact.
const LATENCY_EDGES: [f64; 15] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.3, 1.0, 2.5, 5.0, 10.0, 60.0, 120.0];
const LAG_EDGES: [f64; 15] =
    [0.01, 0.05, 0.1, 0.3, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 3600.0, 21_600.0, 86_400.0];
/// The word where nothing was at fault.
const NO_FAULT: &str = "none";

fn latency() -> Histogram {
    Histogram::new(LATENCY_EDGES)
}
fn lag() -> Histogram {
    Histogram::new(LAG_EDGES)
}

type Histograms<L> = Family<L, Histogram, fn() -> Histogram>;
type Seconds = Gauge<f64, AtomicU64>;

/// What the queue of one system looks like; set by the sampler.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct QueueSample {
    pub waiting: u64,
    pub due: u64,
    pub unknown: u64,
    pub dead: u64,
    pub oldest_s: f64,
}

/// All metrics of the process. Cheap to share: every method takes `&self`.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    webhook_latency: Histograms<AtDoor>,
    intake: Family<Answer, Counter>,
    intake_on_time: Family<OnTime, Counter>,
    price_latency: Histograms<AtDoor>,
    price_answers: Family<PriceAnswer, Counter>,
    price_lines: Family<Came, Counter>,
    hydrations: Family<Hydration, Counter>,
    hydrated_last: Family<OfShop, Gauge>,
    catalog_drift: Family<OfShop, Gauge>,
    at_the_cart: Family<OfShop, Gauge>,
    lists_at_the_cart: Family<OfShop, Gauge>,
    uncommitted_bytes: Gauge,
    uncommitted_bytes_max: Gauge,
    connections: Family<OfServer, Gauge>,
    store_committing: Gauge,
    free_disk_bytes: Gauge,
    ended: Family<Ended, Counter>,
    export_lag: Histograms<OfFlow>,
    stock_lag: Histograms<AtShop>,
    stock_on_time: Family<AtShopOnTime, Counter>,
    stock_drift: Family<AtShopByCause, Gauge>,
    stock_checked_last: Family<AtShop, Gauge>,
    source_clock: Family<SourceAtShop, Seconds>,
    changes: Family<Folded, Counter>,
    calls: Family<Called, Counter>,
    call_duration: Histograms<OfSystem>,
    queue_depth: Family<Queue, Gauge>,
    queue_age: Family<OfSystem, Seconds>,
    in_work: Family<OfSystem, Gauge>,
    breaker: Family<OfSystem, Gauge>,
    paused: Family<OfSystem, Gauge>,
    log_envelopes: Gauge,
    log_unrouted: Gauge,
    log_payload_bytes: Gauge,
    topic_last: Family<OfTopic, Gauge>,
    hands: Family<Action, Counter>,
    missed: Family<OfShop, Counter>,
    redactions: Family<Topic, Counter>,
    notices: Family<Noticed, Counter>,
    escalations_lost: Family<OfSink, Counter>,
    build: Family<Build, Gauge>,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

fn histograms<L: Clone + Hash + Eq>(make: fn() -> Histogram) -> Histograms<L> {
    Family::new_with_constructor(make)
}

impl Metrics {
    pub fn new() -> Self {
        let mut metrics = Self {
            registry: Registry::default(),
            webhook_latency: histograms(latency),
            intake: Family::default(),
            intake_on_time: Family::default(),
            price_latency: histograms(latency),
            price_answers: Family::default(),
            price_lines: Family::default(),
            hydrations: Family::default(),
            hydrated_last: Family::default(),
            catalog_drift: Family::default(),
            at_the_cart: Family::default(),
            lists_at_the_cart: Family::default(),
            uncommitted_bytes: Gauge::default(),
            uncommitted_bytes_max: Gauge::default(),
            connections: Family::default(),
            store_committing: Gauge::default(),
            free_disk_bytes: Gauge::default(),
            ended: Family::default(),
            export_lag: histograms(lag),
            stock_lag: histograms(lag),
            stock_on_time: Family::default(),
            stock_drift: Family::default(),
            stock_checked_last: Family::default(),
            source_clock: Family::default(),
            changes: Family::default(),
            calls: Family::default(),
            call_duration: histograms(latency),
            queue_depth: Family::default(),
            queue_age: Family::default(),
            in_work: Family::default(),
            breaker: Family::default(),
            paused: Family::default(),
            log_envelopes: Gauge::default(),
            log_unrouted: Gauge::default(),
            log_payload_bytes: Gauge::default(),
            topic_last: Family::default(),
            hands: Family::default(),
            missed: Family::default(),
            redactions: Family::default(),
            notices: Family::default(),
            escalations_lost: Family::default(),
            build: Family::default(),
        };
        metrics.store_committing.set(1);
        metrics.register();
        metrics
    }

    fn register(&mut self) {
        let to = &mut self.registry;
        add(to, &names::WEBHOOK_LATENCY, self.webhook_latency.clone());
        add(to, &names::INTAKE, self.intake.clone());
        add(to, &names::INTAKE_ON_TIME, self.intake_on_time.clone());
        add(to, &names::PRICE_LATENCY, self.price_latency.clone());
        add(to, &names::PRICE_ANSWERS, self.price_answers.clone());
        add(to, &names::PRICE_LINES, self.price_lines.clone());
        add(to, &names::HYDRATIONS, self.hydrations.clone());
        add(to, &names::HYDRATED_LAST, self.hydrated_last.clone());
        add(to, &names::CATALOG_DRIFT, self.catalog_drift.clone());
        add(to, &names::AT_THE_CART, self.at_the_cart.clone());
        add(to, &names::LISTS_AT_THE_CART, self.lists_at_the_cart.clone());
        add(to, &names::UNCOMMITTED_BYTES, self.uncommitted_bytes.clone());
        add(to, &names::UNCOMMITTED_BYTES_MAX, self.uncommitted_bytes_max.clone());
        add(to, &names::CONNECTIONS, self.connections.clone());
        add(to, &names::STORE_COMMITTING, self.store_committing.clone());
        add(to, &names::FREE_DISK_BYTES, self.free_disk_bytes.clone());
        add(to, &names::ENDED, self.ended.clone());
        add(to, &names::EXPORT_LAG, self.export_lag.clone());
        add(to, &names::STOCK_LAG, self.stock_lag.clone());
        add(to, &names::STOCK_ON_TIME, self.stock_on_time.clone());
        add(to, &names::STOCK_DRIFT, self.stock_drift.clone());
        add(to, &names::STOCK_CHECKED_LAST, self.stock_checked_last.clone());
        add(to, &names::SOURCE_CLOCK, self.source_clock.clone());
        add(to, &names::CHANGES, self.changes.clone());
        add(to, &names::CALLS, self.calls.clone());
        add(to, &names::CALL_DURATION, self.call_duration.clone());
        add(to, &names::QUEUE_DEPTH, self.queue_depth.clone());
        add(to, &names::QUEUE_AGE, self.queue_age.clone());
        add(to, &names::IN_WORK, self.in_work.clone());
        add(to, &names::BREAKER, self.breaker.clone());
        add(to, &names::PAUSED, self.paused.clone());
        add(to, &names::LOG_ENVELOPES, self.log_envelopes.clone());
        add(to, &names::LOG_UNROUTED, self.log_unrouted.clone());
        add(to, &names::LOG_PAYLOAD_BYTES, self.log_payload_bytes.clone());
        add(to, &names::TOPIC_LAST, self.topic_last.clone());
        add(to, &names::HANDS, self.hands.clone());
        add(to, &names::MISSED, self.missed.clone());
        add(to, &names::REDACTIONS, self.redactions.clone());
        add(to, &names::NOTICES, self.notices.clone());
        add(to, &names::ESCALATIONS_LOST, self.escalations_lost.clone());
        add(to, &names::BUILD, self.build.clone());
    }

    /// The text of `/metrics` (OpenMetrics 1.0).
    pub fn encode(&self) -> String {
        let mut text = String::with_capacity(16 * 1024);
        // Writing to a String cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }

    // --- intake ---------------------------------------------------------------------------------

    /// A request at a door was answered.
    pub fn answered(&self, door: Door, status: u16, reason: &'static str, took: Duration) {
        let door = door.as_str();
        self.intake.get_or_create(&Answer { door, status, reason }).inc();
        self.webhook_latency.get_or_create(&AtDoor { door }).observe(took.as_secs_f64());
        // What its sender has to mend is nobody's absence.
        if !(400..500).contains(&status) {
            let met = if (200..300).contains(&status) && took <= ANSWERED_WITHIN { "yes" } else { "no" };
            self.intake_on_time.get_or_create(&OnTime { door, met }).inc();
        }
    }
    /// A cart was answered; `door` is `server` or `storefront`.
    pub fn priced(&self, door: &'static str, status: u16, took: Duration) {
        self.price_answers.get_or_create(&PriceAnswer { door, status }).inc();
        self.price_latency.get_or_create(&AtDoor { door }).observe(took.as_secs_f64());
    }
    /// Where the prices of its lines came from: `list`, `live`, `fallback`, `none`.
    pub fn price_lines(&self, came: &'static str, count: u64) {
        self.price_lines.get_or_create(&Came { came }).inc_by(count);
    }
    /// A run that was to write a shop's catalogs ended: `whole` or `failed`.
    pub fn hydration(&self, shop: &ShopId, outcome: &'static str) {
        self.hydrations.get_or_create(&Hydration { shop: shop.to_string(), outcome }).inc();
    }
    /// The catalogs of a shop say what they are to say since then (Unix time); so many lists, and prices, stay at the cart.
    pub fn hydrated(&self, shop: &ShopId, began_s: i64, lists_at_the_cart: u64, at_the_cart: u64) {
        let of = OfShop { shop: shop.to_string() };
        self.hydrated_last.get_or_create(&of).set(began_s);
        self.lists_at_the_cart.get_or_create(&of).set(i64::try_from(lists_at_the_cart).unwrap_or(i64::MAX));
        self.at_the_cart.get_or_create(&of).set(i64::try_from(at_the_cart).unwrap_or(i64::MAX));
    }
    /// When the newest full check of stock began, and how many differences it found, by cause; a cause that it does not name is
    /// told as none from then on.
    pub fn stock_checked<'a>(
        &self,
        flow: &FlowName,
        shop: &ShopId,
        began_s: i64,
        causes: impl IntoIterator<Item = (&'a str, u64)>,
    ) {
        let (flow, shop) = (flow.to_string(), shop.to_string());
        for (cause, count) in causes {
            let of = AtShopByCause { flow: flow.clone(), shop: shop.clone(), cause: cause.to_owned() };
            self.stock_drift.get_or_create(&of).set(i64::try_from(count).unwrap_or(i64::MAX));
        }
        self.stock_checked_last.get_or_create(&AtShop { flow, shop }).set(began_s);
    }
    /// Prices that somebody else had changed, by a comparison with all that the shop has.
    pub fn catalog_drift(&self, shop: &ShopId, prices: u64) {
        let of = OfShop { shop: shop.to_string() };
        self.catalog_drift.get_or_create(&of).set(i64::try_from(prices).unwrap_or(i64::MAX));
    }
    /// How many lines came from there.
    pub fn lines_that_came(&self, came: &'static str) -> u64 {
        value(&self.price_lines, &Came { came })
    }
    /// How many carts a door answered so.
    pub fn carts(&self, door: &'static str, status: u16) -> u64 {
        value(&self.price_answers, &PriceAnswer { door, status })
    }
    /// How often a door was in time, or was not.
    pub fn on_time(&self, door: Door, met: bool) -> u64 {
        value(&self.intake_on_time, &OnTime { door: door.as_str(), met: if met { "yes" } else { "no" } })
    }
    /// How often a door answered so.
    pub fn answers(&self, door: Door, status: u16, reason: &'static str) -> u64 {
        value(&self.intake, &Answer { door: door.as_str(), status, reason })
    }
    pub fn set_uncommitted(&self, bytes: u64, bytes_max: u64) {
        self.uncommitted_bytes.set(signed(bytes));
        self.uncommitted_bytes_max.set(signed(bytes_max));
    }
    pub fn connection_opened(&self, server: &'static str) {
        self.connections.get_or_create(&OfServer { server }).inc();
    }
    pub fn connection_closed(&self, server: &'static str) {
        self.connections.get_or_create(&OfServer { server }).dec();
    }
    pub fn set_committing(&self, committing: bool) {
        self.store_committing.set(i64::from(committing));
    }
    pub fn set_free_disk(&self, bytes: u64) {
        self.free_disk_bytes.set(signed(bytes));
    }

    // --- delivery -------------------------------------------------------------------------------

    /// A delivery ended or died.
    pub fn ended(
        &self,
        system: &SystemName,
        flow: &FlowName,
        outcome: &'static str,
        fault: Option<FaultKind>,
        lag_ms: Option<u64>,
    ) {
        let (system, flow) = (system.to_string(), flow.to_string());
        if let Some(lag_ms) = lag_ms {
            let of_flow = OfFlow { system: system.clone(), flow: flow.clone() };
            self.export_lag.get_or_create(&of_flow).observe(Duration::from_millis(lag_ms).as_secs_f64());
        }
        let fault = fault.map_or(NO_FAULT, FaultKind::as_str);
        self.ended.get_or_create(&Ended { system, flow, outcome, fault }).inc();
    }
    /// A change of stock was accepted by its target.
    pub fn stock_accepted(&self, flow: &FlowName, shop: &ShopId, lag_ms: u64, in_time: bool) {
        let (flow, shop) = (flow.to_string(), shop.to_string());
        let met = if in_time { "yes" } else { "no" };
        let lag = Duration::from_millis(lag_ms).as_secs_f64();
        self.stock_lag.get_or_create(&AtShop { flow: flow.clone(), shop: shop.clone() }).observe(lag);
        self.stock_on_time.get_or_create(&AtShopOnTime { flow, shop, met }).inc();
    }
    /// How far a source's clock may be off, by what it dated; negative: ahead of ours.
    pub fn set_source_clock(&self, system: &SystemName, shop: &ShopId, least_ms: i64) {
        let least_s = Duration::from_millis(least_ms.unsigned_abs()).as_secs_f64();
        let least_s = if least_ms < 0 { -least_s } else { least_s };
        let labels = SourceAtShop { system: system.to_string(), shop: shop.to_string() };
        self.source_clock.get_or_create(&labels).set(least_s);
    }
    /// How many changes of stock were in time, or were not.
    pub fn stock_on_time(&self, flow: &FlowName, shop: &ShopId, in_time: bool) -> u64 {
        let met = if in_time { "yes" } else { "no" };
        value(&self.stock_on_time, &AtShopOnTime { flow: flow.to_string(), shop: shop.to_string(), met })
    }
    /// It was decided what becomes of a change that a source told.
    pub fn change_folded(&self, system: &SystemName, shop: &ShopId, outcome: &'static str) {
        let labels = Folded { system: system.to_string(), shop: shop.to_string(), outcome };
        self.changes.get_or_create(&labels).inc();
    }
    /// A call to a system ended.
    pub fn called(&self, system: &SystemName, step: &str, fault: Option<FaultKind>, took: Duration) {
        let system = system.to_string();
        self.call_duration.get_or_create(&OfSystem { system: system.clone() }).observe(took.as_secs_f64());
        let fault = fault.map_or(NO_FAULT, FaultKind::as_str);
        self.calls.get_or_create(&Called { system, step: step.to_owned(), fault }).inc();
    }

    // --- what the sampler sets ------------------------------------------------------------------

    pub fn set_queue(&self, system: &SystemName, sample: QueueSample) {
        for state in QueueState::ALL {
            let count = match state {
                QueueState::Waiting => sample.waiting,
                QueueState::Due => sample.due,
                QueueState::Unknown => sample.unknown,
                QueueState::Dead => sample.dead,
            };
            let labels = Queue { system: system.to_string(), state: state.as_str() };
            self.queue_depth.get_or_create(&labels).set(signed(count));
        }
        self.queue_age.get_or_create(&OfSystem { system: system.to_string() }).set(sample.oldest_s);
    }
    pub fn set_system(&self, system: &str, breaker: BreakerValue, paused: bool, in_work: u32) {
        let labels = OfSystem { system: system.to_owned() };
        self.breaker.get_or_create(&labels).set(breaker as i64);
        self.paused.get_or_create(&labels).set(i64::from(paused));
        self.in_work.get_or_create(&labels).set(i64::from(in_work));
    }
    pub fn set_log(&self, envelopes: u64, unrouted: u64, payload_bytes: u64) {
        self.log_envelopes.set(signed(envelopes));
        self.log_unrouted.set(signed(unrouted));
        self.log_payload_bytes.set(signed(payload_bytes));
    }
    pub fn set_topic_seen(&self, shop: &ShopId, topic: &str, unix_s: i64) {
        let labels = OfTopic { shop: shop.to_string(), topic: topic.to_owned() };
        self.topic_last.get_or_create(&labels).set(unix_s);
    }

    // --- people ---------------------------------------------------------------------------------

    /// A person released, skipped or replayed so many.
    pub fn touched_by_hand(&self, action: &'static str, count: u64) {
        self.hands.get_or_create(&Action { action }).inc_by(count);
    }
    /// The sweep found changes that no webhook told of.
    pub fn missed_webhooks(&self, shop: &ShopId, count: u64) {
        self.missed.get_or_create(&OfShop { shop: shop.to_string() }).inc_by(count);
    }
    pub fn missed(&self, shop: &ShopId) -> u64 {
        value(&self.missed, &OfShop { shop: shop.to_string() })
    }
    pub fn redacted(&self, topic: &str) {
        self.redactions.get_or_create(&Topic { topic: topic.to_owned() }).inc();
    }
    pub fn noticed(&self, notice: &str, severity: Severity) {
        let labels = Noticed { notice: notice.to_owned(), severity: severity_word(severity) };
        self.notices.get_or_create(&labels).inc();
    }
    pub fn notices(&self, notice: &str, severity: Severity) -> u64 {
        value(&self.notices, &Noticed { notice: notice.to_owned(), severity: severity_word(severity) })
    }
    pub fn escalation_lost(&self, sink: &'static str) {
        self.escalations_lost.get_or_create(&OfSink { sink }).inc();
    }
    pub fn set_build(&self, version: &'static str, revision: &str) {
        self.build.clear();
        self.build.get_or_create(&Build { version, revision: revision.to_owned() }).set(1);
    }
}

fn add(registry: &mut Registry, name: &Name, metric: impl Metric) {
    registry.register(name.name, name.help, metric);
}

fn value<L: Clone + Hash + Eq + EncodeLabelSet>(family: &Family<L, Counter>, labels: &L) -> u64 {
    family.get(labels).map_or(0, |counter| counter.get())
}

fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn severity_word(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "info",
        Severity::Ticket => "ticket",
        Severity::Page => "page",
    }
}
