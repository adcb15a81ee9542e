//! Shop, hub and ERP in one process, on a clock that is turned. Owns what is between them: the hub's own plan and connectors, of the
//! configuration that `init` writes with the flows that docs/refunds.md and docs/payments.md show.

use super::history::Confirmed;
use super::history::DOMAIN;
use super::judge::{self, Books};
use super::planted::{self, Mistake};
use super::play::Webhook;
use crate::wiring;
use crate::wiring::connectors::Connected;
use crate::wiring::load::{Loaded, load};
use crate::wiring::sweeps::{self, Around};
use api::intake::{FreeSpace, Intake, IntakeLimits, IntakeParts};
use api::privacy::Privacy;
use api::watch::Watching;
use axum::body::Body;
use bytes::Bytes;
use config::{ErpKind, InitOptions, starting_configuration};
use engine::Engine;
use engine::effect::{Effect, Event};
use engine::hub::Snapshot;
use engine::plan::Plan;
use http::Request;
use jiff::Timestamp;
use kernel::clock::{Clock, Mono, Now};
use kernel::envelope::{FactKind, TraceId, Via};
use kernel::id::{DomainName, ShopId, SystemName};
use kernel::rng::Seeded;
use kernel::subject::Subject;
use secrecy::SecretString;
use shopify::webhook::header;
use std::collections::VecDeque;
use std::os::unix::fs::OpenOptionsExt as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use store::log::NewEnvelope;
use store::query::DeliveryFilter;
use store::{MemoryStore, Store};
use telemetry::Metrics;
use tempfile::TempDir;
use tower::ServiceExt as _;
use twin::erp::{ErpConfig, ErpTwin, Knobs};
use twin::shop::Order;
use twin::shopify::{Plan as ShopPlan, ShopClock, ShopConfig, ShopifyTwin, signature};

const SECRET: &str = "hush";
const BEGINNING: &str = "2026-11-02T00:00:00Z";
/// By then a hub has done all that it can.
const RESTS_WITHIN: Duration = Duration::from_secs(3_600);

const PAGES: [(&str, &str); 2] = [
    ("refunds", include_str!("../../../../docs/refunds.md")),
    ("payments", include_str!("../../../../docs/payments.md")),
];
const MAPPINGS: [(&str, &str); 4] = [
    ("orders_to_erp.toml", include_str!("../../../../mappings/orders_to_http_erp.toml")),
    ("erp_to_shopify.toml", include_str!("../../../../mappings/erp_number_to_shopify.toml")),
    ("refunds_to_erp.toml", include_str!("../../../../mappings/refunds_to_http_erp.toml")),
    ("payments_to_erp.toml", include_str!("../../../../mappings/payments_to_http_erp.toml")),
];
/// The number goes back by a flow that other tests play.
const SETTINGS: [(&str, &str); 3] = [
    ("flows.erp_number_back.mode", "off"),
    ("shops.acme.plan", "enterprise"),
    ("flows.orders_to_erp.after_confirm.cancel", "amend"),
];

/// Both clocks of the hub; the shop's goes with them.
#[derive(Debug)]
pub(super) struct Turned {
    now: Mutex<Now>,
    shop: ShopClock,
}

impl Clock for Turned {
    fn now(&self) -> Now {
        *self.now.lock().unwrap()
    }
}

impl Turned {
    fn passes(&self, by: Duration) {
        let mut now = self.now.lock().unwrap();
        *now = Now { wall: kernel::clock::after(now.wall, by), mono: now.mono.plus(by) };
        self.shop.advance(by);
    }
}

pub(super) struct World {
    pub(super) shop: ShopifyTwin,
    pub(super) erp: ErpTwin,
    _folder: TempDir,
    pub(super) mistake: Option<Mistake>,
    loaded: Loaded,
    plan: Arc<Plan>,
    pub(super) connected: Connected,
    pub(super) clock: Arc<Turned>,
    hub: Hub,
}

/// One life of a hub, with its store.
pub(super) struct Hub {
    pub(super) store: Arc<dyn Store>,
    engine: Engine,
    rng: Seeded,
    to_do: VecDeque<Effect>,
    intake: Arc<Intake>,
}

impl World {
    pub(super) async fn open(confirmed: Confirmed, mistake: Option<Mistake>) -> Self {
        let start: Timestamp = BEGINNING.parse().unwrap();
        let shop_clock = ShopClock::manual(start);
        let mut config = ShopConfig::new(DOMAIN);
        config.access_token = "shpat_test".to_owned();
        config.client_secret = SECRET.to_owned();
        config.plan = ShopPlan::Enterprise;
        config.clock = shop_clock.clone();
        let shop = ShopifyTwin::start(config).await.unwrap();
        let knobs = Knobs { accept_any_item: true, credit_any_sale: true, ..Knobs::default() };
        let erp = ErpConfig { token: "erp".to_owned(), knobs, ..ErpConfig::default() };
        let erp = ErpTwin::start(erp).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        write(&folder, shop.url(), &erp.url());
        let confirm_when = [("flows.orders_to_erp.confirm_when", confirmed.as_setting())];
        let settings = SETTINGS.into_iter().chain(confirm_when);
        let overrides: Vec<_> = settings.map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
        let mut loaded = load(&folder.path().join("tidegate.toml"), &overrides, true);
        assert!(loaded.is_good(), "{}", config::render(&loaded.report.findings));
        let clock =
            Arc::new(Turned { now: Mutex::new(Now { wall: start, mono: Mono(1) }), shop: shop_clock });
        let ticking: Arc<dyn Clock> = clock.clone();
        let shops = wiring::shops::clients(&loaded, &ticking).unwrap();
        let connected = wiring::connectors::build(&loaded, shops, None).unwrap();
        let mut plan = wiring::plan::build(&mut loaded).unwrap();
        if let Some(mistake) = mistake {
            planted::plant(&mut plan, mistake);
        }
        let plan = Arc::new(plan);
        let hub = Hub::new(&loaded, &plan, &connected, &ticking);
        Self { shop, erp, _folder: folder, mistake, loaded, plan, connected, clock, hub }
    }

    /// A hub that knows nothing, so much later: its sweeps begin here.
    pub(super) fn begins(&mut self, later: Duration) {
        self.passes(later);
        let clock: Arc<dyn Clock> = self.clock.clone();
        self.hub = Hub::new(&self.loaded, &self.plan, &self.connected, &clock);
    }

    pub(super) fn passes(&self, by: Duration) {
        self.clock.passes(by);
    }

    /// As Shopify tells it.
    pub(super) fn second(&self) -> Timestamp {
        twin::shop::whole_second(self.clock.now().wall)
    }

    /// One webhook, through the door.
    pub(super) async fn arrives(&mut self, webhook: &Webhook) {
        let request = Request::post("/webhooks/shopify")
            .header(header::TOPIC, webhook.topic)
            .header(header::WEBHOOK_ID, &webhook.id)
            .header(header::SHOP_DOMAIN, DOMAIN)
            .header(header::API_VERSION, twin::shopify::API_VERSION)
            .header(header::TRIGGERED_AT, self.clock.now().wall.to_string())
            .header(header::SIGNATURE, signature(SECRET, webhook.body.as_bytes()))
            .body(Body::from(webhook.body.clone()))
            .unwrap();
        let answer = api::intake::router(self.hub.intake.clone()).oneshot(request).await.unwrap();
        assert_eq!(answer.status(), 200, "{}", webhook.topic);
        if self.mistake == Some(Mistake::BeforeItsOrder) && webhook.topic == "refunds/create" {
            self.refund_is_named(webhook).await;
        }
        self.step(Event::Appended);
    }

    /// The planted mistake: what the body names is looked for, whether the ERP has its order or not.
    async fn refund_is_named(&self, webhook: &Webhook) {
        let body: serde_json::Value = serde_json::from_str(&webhook.body).unwrap();
        let path = domains::refunds::path(&body["order_id"].to_string(), &body["id"].to_string());
        let now = self.clock.now().wall;
        let hint = NewEnvelope {
            shop: ShopId::new("acme").unwrap(),
            domain: DomainName::new("orders").unwrap(),
            source: SystemName::new("shopify").unwrap(),
            topic: engine::facts::AGAIN.to_owned(),
            kind: FactKind::Hint,
            via: Via::Webhook,
            subject: Subject { shop: ShopId::new("acme").unwrap(), path },
            version: None,
            occurred_at: now,
            received_at: now,
            trace: TraceId::default(),
            raw_hash: [0; 32],
            raw_bytes: 0,
            dedupe: None,
            payload: Bytes::from_static(b"{}"),
        };
        self.hub.store.append(vec![hint]).await.unwrap();
    }

    /// One pass of the sweep; then all that it found is done.
    pub(super) async fn sweeps(&mut self) {
        let source = self.connected.sources.values().next().unwrap().clone();
        let (store, clock) = (self.hub.store.clone(), self.clock.clone());
        let around = Around { store, source, clock, owner: "here".to_owned() };
        for sweep in sweeps::all(&self.loaded, &self.plan, &around) {
            engine::work::sweep::pass(&sweep.scope, sweep.settings, &|| ()).await.unwrap();
        }
        self.step(Event::Appended);
        self.settles().await;
    }

    /// The hub goes on until nothing is left to do, however much time that takes it.
    pub(super) async fn settles(&mut self) {
        let begun = self.clock.now().mono;
        self.step(Event::Wake);
        loop {
            while let Some(effect) = self.hub.to_do.pop_front() {
                for event in super::performed::perform(self, effect).await {
                    self.step(event);
                }
            }
            let now = self.clock.now();
            if self.is_at_rest().await || now.mono.since(begun) > RESTS_WITHIN {
                return;
            }
            let wait = self.hub.engine.wake_at(now).since(now.mono).max(Duration::from_millis(1));
            self.passes(wait);
            self.step(Event::Wake);
        }
    }

    fn step(&mut self, event: Event) {
        let now = self.clock.now();
        let effects = self.hub.engine.step(event, now, &mut self.hub.rng);
        self.hub.to_do.extend(effects);
    }

    async fn is_at_rest(&self) -> bool {
        let store = &self.hub.store;
        self.hub.engine.in_work() == 0
            && store.unrouted(1).await.unwrap().is_empty()
            && store.next_due().await.unwrap().is_empty()
            && store.awaited(None, 1).await.unwrap().is_empty()
    }

    /// What is left to do for ever, or for a person.
    pub(super) async fn unrest(&self) -> Vec<String> {
        let mut unrest = Vec::new();
        if !self.is_at_rest().await {
            unrest.push(format!("the hub did not come to rest within {RESTS_WITHIN:?}"));
        }
        let letters = self.hub.store.dead_letters(DeliveryFilter::default(), false).await.unwrap();
        unrest.extend(letters.iter().map(|letter| format!("a dead letter: {letter:?}")));
        unrest
    }

    /// All deliveries, for whoever looks into a failure.
    pub(super) async fn told(&self) -> String {
        let all = self.hub.store.deliveries(DeliveryFilter::default()).await.unwrap();
        let lines = all
            .iter()
            .rev()
            .map(|one| format!("\n      {} {} {:?} {:?}", one.flow, one.subject.path, one.kind, one.state));
        lines.collect()
    }

    pub(super) fn books(&self, order: &Order) -> Books {
        let reference = judge::reference(order);
        let sales = self.erp.sales().into_iter().filter(|sale| sale.content.reference == reference);
        let notes = self.erp.credit_notes().into_iter().filter(|note| note.sale == reference);
        let payments = self.erp.payments().into_iter().filter(|payment| payment.sale == reference);
        Books { sales: sales.collect(), credit_notes: notes.collect(), payments: payments.collect() }
    }

    pub(super) fn store(&self) -> Arc<dyn Store> {
        self.hub.store.clone()
    }
}

impl Hub {
    fn new(loaded: &Loaded, plan: &Arc<Plan>, connected: &Connected, clock: &Arc<dyn Clock>) -> Self {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let planners = connected.connectors.iter().map(|(name, connector)| {
            (name.clone(), Arc::new(connector.clone()) as Arc<dyn engine::engine::Planner>)
        });
        let planners = planners.collect::<std::collections::BTreeMap<SystemName, _>>();
        let engine = Engine::new(plan.clone(), planners, engine::mutant::Planted::default(), clock.now());
        let watching = Arc::new(Watching::new(Arc::new(Metrics::new()), clock.clone(), Vec::new()));
        let intake = Intake::new(IntakeParts {
            store: store.clone(),
            hub: Arc::new(Unheard),
            clock: clock.clone(),
            watching: watching.clone(),
            free_space: Arc::new(Unheard),
            privacy: Arc::new(Privacy::new(store.clone(), watching, clock.clone(), None)),
            apps: wiring::shops::apps(loaded).unwrap(),
            shops: wiring::shops::entries(loaded),
            topics: wiring::subscriptions::topics(loaded),
            doors: Vec::new(),
            limits: IntakeLimits::default(),
        });
        Self { store, engine, rng: Seeded::new(1), to_do: VecDeque::new(), intake: intake.unwrap() }
    }
}

/// Whoever appends says so to the engine itself; and there is room on the disk.
#[derive(Debug)]
struct Unheard;

impl api::LiveHub for Unheard {
    fn appended(&self) {}
    fn changed(&self) {}
    fn snapshot(&self) -> Snapshot {
        Snapshot::default()
    }
}

impl FreeSpace for Unheard {
    fn free_bytes(&self) -> Option<u64> {
        None
    }
}

/// The folder as `tidegate init` writes it, and what both pages add.
fn write(folder: &TempDir, shop: &str, erp: &str) {
    let mut next = 0u8;
    let files = starting_configuration(InitOptions {
        shop_domain: DOMAIN,
        erp: ErpKind::Http,
        erp_url: Some(erp),
        time_zone: Some("UTC"),
        now: "2026-11-01T00:00:00Z".parse().unwrap(),
        random: &mut |buffer: &mut [u8]| {
            for byte in buffer {
                next = next.wrapping_add(37);
                *byte = next;
            }
        },
        twin: true,
        access_token: Some(SecretString::from("shpat_test")),
        client_secret: Some(SecretString::from(SECRET)),
        erp_secret: Some(SecretString::from("erp")),
        mappings: MAPPINGS.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect(),
    });
    let token = ("secrets/erp.token".into(), 0o600, "erp".to_owned());
    let files = files.unwrap().into_iter().map(|file| (file.path, file.mode, file.contents));
    for (name, mode, contents) in files.chain([token]) {
        let path = folder.path().join(&name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let mut contents = contents.replace("http://127.0.0.1:9001", shop);
        if name.ends_with("tidegate.toml") {
            for (mark, page) in PAGES {
                let (_, shown) = page.split_once(&format!("<!-- example: {mark} -->\n```toml\n")).unwrap();
                let shown = shown.split_once("```").unwrap().0;
                contents = contents + "\n" + &shown.replace("http://127.0.0.1:9002", erp);
            }
        }
        let mut options = std::fs::OpenOptions::new();
        let mut opened = options.create(true).write(true).mode(mode).open(path).unwrap();
        std::io::Write::write_all(&mut opened, contents.as_bytes()).unwrap();
    }
}
