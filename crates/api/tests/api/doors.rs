//! The doors of one hub in memory, and how Shopify and a pushing system knock at them.

use crate::answer::Answer;
use crate::gated::Gated;
use crate::world::{Heard, Stage, Standing, at, shop, system, watched};
use axum::Router;
use axum::body::Body;
use http::Request;
use kernel::clock::Clock;
use kernel::id::DomainName;
use secrecy::SecretString;
use shopify::webhook::{AppSecrets, ShopEntry, header, sign};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use store::Store;
use store::log::Unrouted;
use telemetry::{Door, Metrics};
use tidegate_api::health::{Health, Readiness};
use tidegate_api::intake::{FreeSpace, IngestAuth, IngestDoor, Intake, IntakeLimits, IntakeParts};
use tidegate_api::privacy::Privacy;
use tidegate_api::sampler::Sampler;
use tidegate_api::watch::Watching;

pub(crate) const SECRET: &str = "shared-with-shopify";
pub(crate) const BEFORE: &str = "shared-before-the-rotation";
pub(crate) const PUSH_TOKEN: &str = "push-token";
pub(crate) const PUSH_SECRET: &str = "push-secret";

pub(crate) fn secret(text: &str) -> SecretString {
    SecretString::from(text.to_owned())
}

/// Free bytes of a disk that nobody fills.
#[derive(Debug)]
pub(crate) struct Free(pub(crate) AtomicU64);

impl FreeSpace for Free {
    fn free_bytes(&self) -> Option<u64> {
        Some(self.0.load(Ordering::SeqCst))
    }
}

pub(crate) struct Doors {
    pub(crate) store: Arc<Gated>,
    pub(crate) clock: Arc<Standing>,
    pub(crate) hub: Arc<Stage>,
    pub(crate) heard: Arc<Heard>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) disk: Arc<Free>,
    pub(crate) intake: Arc<Intake>,
    pub(crate) readiness: Arc<Readiness>,
    watching: Arc<Watching>,
    router: Router,
}

/// How a test wants them.
pub(crate) struct Wish {
    pub(crate) store: Arc<Gated>,
    pub(crate) limits: IntakeLimits,
    pub(crate) redactions: Option<PathBuf>,
}

impl Default for Wish {
    fn default() -> Self {
        Self { store: Gated::new(), limits: IntakeLimits::default(), redactions: None }
    }
}

impl Doors {
    pub(crate) fn new() -> Self {
        Self::with(Wish::default())
    }

    pub(crate) fn with(Wish { store, limits, redactions }: Wish) -> Self {
        let (clock, hub, heard) = (Standing::new(), Arc::new(Stage::default()), Arc::new(Heard::default()));
        let (metrics, disk) = (Arc::new(Metrics::new()), Arc::new(Free(AtomicU64::new(u64::MAX / 2))));
        let watching = Arc::new(Watching::new(metrics.clone(), clock.clone(), vec![heard.clone()]));
        let port: Arc<dyn Store> = store.clone();
        let privacy = Privacy::new(port.clone(), watching.clone(), clock.clone(), redactions);
        let topics = ["orders/create", "orders/updated", "orders/edited", "refunds/create"];
        let app = |name: &str, current, previous: Option<&str>| AppSecrets {
            name: name.into(),
            current: secret(current),
            previous: previous.map(secret),
        };
        let entry = |name: &str, app: &str| ShopEntry {
            id: shop(name),
            domain: format!("{name}.myshopify.com"),
            app: app.into(),
            api_version: "2026-10".into(),
        };
        let domains = ["orders", "inventory"].map(|domain| DomainName::new(domain).unwrap()).to_vec();
        let auth = |bearer: Option<&str>, hmac: Option<&str>| IngestAuth {
            bearer: bearer.map(secret),
            hmac: hmac.map(secret),
        };
        let parts = IntakeParts {
            store: port,
            hub: hub.clone(),
            clock: clock.clone(),
            watching: watching.clone(),
            free_space: disk.clone(),
            privacy: Arc::new(privacy),
            apps: vec![app("main", SECRET, Some(BEFORE)), app("other", "secret-of-another-app", None)],
            shops: vec![entry("acme", "main"), entry("globex", "other")],
            topics: BTreeMap::from([(shop("acme"), BTreeSet::from(topics.map(str::to_owned)))]),
            doors: vec![
                IngestDoor {
                    system: system("erp"),
                    domains: domains.clone(),
                    auth: auth(Some(PUSH_TOKEN), Some(PUSH_SECRET)),
                    is_asked: true,
                },
                // It only tells.
                IngestDoor {
                    system: system("shelves"),
                    domains: domains.clone(),
                    auth: auth(Some(PUSH_TOKEN), None),
                    is_asked: false,
                },
                // Whose secrets were left empty: nobody gets in.
                IngestDoor {
                    system: system("wms"),
                    domains,
                    auth: auth(Some(""), Some("")),
                    is_asked: false,
                },
            ],
            limits,
        };
        let intake = Intake::new(parts).unwrap();
        let readiness = Arc::new(Readiness::default());
        let health =
            Health { intake: intake.clone(), readiness: readiness.clone(), metrics: metrics.clone() };
        let router = tidegate_api::intake::router(intake.clone()).merge(tidegate_api::health::router(health));
        Self { store, clock, hub, heard, metrics, disk, intake, readiness, watching, router }
    }

    pub(crate) fn sampler(&self) -> Sampler {
        let clock: Arc<dyn Clock> = self.clock.clone();
        let (store, hub) = (self.store.clone(), self.hub.clone());
        Sampler::new(store, hub, self.watching.clone(), clock, self.intake.clone(), watched())
    }

    pub(crate) async fn ask(&self, request: Request<Body>) -> Answer {
        Answer::to(self.router.clone(), request).await
    }
    /// The same on a task of its own, so that it may wait.
    pub(crate) fn begin(&self, request: Request<Body>) -> tokio::task::JoinHandle<Answer> {
        tokio::spawn(Answer::to(self.router.clone(), request))
    }
    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask(Request::get(path).body(Body::empty()).unwrap()).await
    }
    pub(crate) async fn knock(&self, webhook: Webhook) -> Answer {
        self.ask(webhook.request()).await
    }

    /// Everything in the log, oldest first: nothing routes here.
    pub(crate) async fn log(&self) -> Vec<Unrouted> {
        self.store.inner.unrouted(1000).await.unwrap()
    }
    pub(crate) fn counted(&self, status: u16, reason: &'static str) -> u64 {
        self.metrics.answers(Door::Webhook, status, reason)
    }
    pub(crate) fn counted_ingest(&self, status: u16, reason: &'static str) -> u64 {
        self.metrics.answers(Door::Ingest, status, reason)
    }

    /// Until so many appends wait for the store.
    pub(crate) async fn at_gate(&self, count: u32) {
        while self.store.at_gate.load(Ordering::SeqCst) < count {
            tokio::task::yield_now().await;
        }
    }
}

/// As Shopify sends it.
#[derive(Debug, Clone)]
pub(crate) struct Webhook {
    pub(crate) body: Vec<u8>,
    pub(crate) headers: BTreeMap<&'static str, String>,
}

impl Webhook {
    pub(crate) fn new(topic: &str, id: &str, body: impl Into<Vec<u8>>) -> Self {
        let body = body.into();
        let headers = [
            (header::TOPIC, topic.to_owned()),
            (header::WEBHOOK_ID, id.to_owned()),
            (header::SHOP_DOMAIN, "acme.myshopify.com".to_owned()),
            (header::API_VERSION, "2026-10".to_owned()),
            (header::TRIGGERED_AT, "2026-11-26T11:59:58.5Z".to_owned()),
        ];
        Self { body, headers: BTreeMap::from(headers) }.signed(SECRET)
    }
    pub(crate) fn order(id: &str) -> Self {
        Self::new("orders/create", id, br##"{"id":5001,"name":"#1001"}"##.to_vec())
    }

    pub(crate) fn signed(self, with: &str) -> Self {
        let signature = sign(&secret(with), &self.body);
        self.header(header::SIGNATURE, &signature)
    }
    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.insert(name, value.to_owned());
        self
    }
    pub(crate) fn without(mut self, name: &'static str) -> Self {
        self.headers.remove(name);
        self
    }
    pub(crate) fn request(self) -> Request<Body> {
        let body = Body::from(self.body.clone());
        self.request_with(body)
    }
    /// The same headers over another body.
    pub(crate) fn request_with(self, body: Body) -> Request<Body> {
        let mut request = Request::post("/webhooks/shopify");
        for (name, value) in self.headers {
            request = request.header(name, value);
        }
        request.body(body).unwrap()
    }
}

pub(crate) fn noon() -> jiff::Timestamp {
    at(crate::world::NOW)
}
