//! What a buyer pays, as those who ask meet it: over the router that is served, with the read model in a folder and a clock
//! that stands. Two companies, each with a contract that the other must not learn.

mod described;
mod draft;
mod function;
mod live;
mod loads;
mod resolve;
mod storefront;
mod variants;

use crate::answer::Answer;
use crate::world::{NOW, Standing, at};
use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use config::{Rate, Right};
use http::{Method, Request};
use http_body_util::BodyExt as _;
use jiff::Timestamp;
use kernel::clock::Clock as _;
use price_store::{Guards, Options, PriceStore};
use secrecy::SecretString;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use telemetry::Metrics;
use tempfile::TempDir;
use tidegate_api::prices::{Caller, Explain, LiveSettings, Prices, Roles, Storefront, VariantShop};
use tower::ServiceExt as _;

pub(crate) const ACME: &str = "gid://shopify/CompanyLocation/1";
pub(crate) const ACME_SOUTH: &str = "gid://shopify/CompanyLocation/2";
pub(crate) const BOLT: &str = "gid://shopify/CompanyLocation/9";
pub(crate) const SHOP: &str = "acme.myshopify.com";
pub(crate) const SECRET: &str = "hush";
pub(crate) const SERVER: &str = "Bearer server-token-00001";
pub(crate) const LOADER: &str = "Bearer loader-token-00001";

const TERMS: &str = r#"
[[lists]]
id = "LIST"
kind = "list"
currency = "EUR"
for = "everyone"
[[lists]]
id = "OF-ACME"
kind = "contract"
currency = "EUR"
for = "company:ACME"
[[lists]]
id = "OF-BOLT"
kind = "contract"
currency = "EUR"
for = "company:BOLT"
[[promotions]]
id = "ONLY-BOLT"
for = "company:BOLT"
skus = "*"
percent_off = "50"
combines_with = ["contract", "list"]
[[locations]]
id = "gid://shopify/CompanyLocation/1"
company = "ACME"
[[locations]]
id = "gid://shopify/CompanyLocation/2"
company = "ACME"
[[locations]]
id = "gid://shopify/CompanyLocation/9"
company = "BOLT"
"#;

const PRICES: &str = "list,sku,price,min\n\
    LIST,PUMP,129,\nLIST,CFG-1,1000,\n\
    OF-ACME,PUMP,104.5,1\nOF-ACME,PUMP,99,10\n\
    OF-BOLT,PUMP,80,\nOF-BOLT,SECRET-PART,7,\n";

/// Who has a role where; refuses to say while it is down.
#[derive(Debug, Default)]
pub(crate) struct Assigned {
    pub(crate) roles: Mutex<BTreeMap<u64, Vec<&'static str>>>,
    pub(crate) asked: AtomicU32,
    pub(crate) down: AtomicBool,
}

#[async_trait]
impl Roles for Assigned {
    async fn locations(&self, customer: u64) -> Result<Vec<Box<str>>, String> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        if self.down.load(Ordering::Relaxed) {
            return Err("Shopify is down".to_owned());
        }
        let roles = self.roles.lock().unwrap();
        Ok(roles.get(&customer).into_iter().flatten().map(|id| (*id).into()).collect())
    }
}

pub(crate) struct Counter {
    pub(crate) store: Arc<PriceStore>,
    pub(crate) clock: Arc<Standing>,
    pub(crate) roles: Arc<Assigned>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) sells: Arc<variants::Sells>,
    pub(crate) prices: Arc<Prices>,
    router: Router,
    pub(crate) folder: TempDir,
}

impl Counter {
    /// With terms and prices.
    pub(crate) fn new() -> Self {
        Self::with(None)
    }

    pub(crate) fn with(live: Option<LiveSettings>) -> Self {
        let counter = Self::empty(live);
        counter.store.set_terms(TERMS.as_bytes(), "anna", false, at(NOW)).unwrap();
        counter.bring(PRICES, at(NOW));
        counter
    }

    /// Prices that go live.
    pub(crate) fn bring(&self, csv: &'static str, now: Timestamp) {
        let request = price_store::LoadRequest {
            source: "erp".to_owned(),
            by: "anna".to_owned(),
            note: None,
            mode: price_store::Mode::Changes,
            dry_run: false,
        };
        let rows = price_store::read::csv(csv.as_bytes(), jiff::tz::TimeZone::UTC);
        self.store.load(request, rows, now).unwrap();
    }

    /// What a person asks.
    pub(crate) fn asks(&self, location: &str, sku: &str, at: Option<Timestamp>) -> Explain {
        Explain {
            sku: Some(sku.to_owned()),
            variant: None,
            shop: None,
            quantity: None,
            unit: None,
            currency: "EUR".to_owned(),
            company_location: Some(location.to_owned()),
            at,
        }
    }

    pub(crate) fn empty(live: Option<LiveSettings>) -> Self {
        let folder = TempDir::new().unwrap();
        let options = Options { guards: Guards::default() };
        let store = Arc::new(PriceStore::open(folder.path(), options).unwrap());
        let (clock, roles) = (Standing::new(), Arc::<Assigned>::default());
        roles.roles.lock().unwrap().extend([(7, vec![ACME]), (8, vec![ACME, ACME_SOUTH]), (9, vec![BOLT])]);
        let rate = Rate { count: 50, per: Duration::from_secs(1) };
        let caller = |name: &str, token: &str, load: bool| Caller {
            name: name.to_owned(),
            token: SecretString::from(token.strip_prefix("Bearer ").unwrap()),
            may: vec![if load { Right::Load } else { Right::Resolve }],
            rate,
        };
        let callers = vec![caller("shop", SERVER, false), caller("erp", LOADER, true)];
        let storefront = Storefront {
            shop: SHOP.to_owned(),
            secrets: vec![SecretString::from(SECRET)],
            roles: roles.clone(),
            rate,
        };
        let metrics = Arc::new(Metrics::new());
        let prices =
            Prices::new(store.clone(), clock.clone(), callers, vec![storefront], live, metrics.clone());
        let sells = Arc::<variants::Sells>::default();
        let file = folder.path().join("variants");
        let prices = Arc::new(prices.with_variants(vec![sells.shop("acme", SHOP, file)]));
        let router = tidegate_api::prices::router(prices.clone());
        Self { store, clock, roles, metrics, sells, prices, router, folder }
    }

    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (verb, path) =
            (request.method_ref().unwrap().clone(), request.uri_ref().unwrap().path().to_owned());
        let request = request.body(Body::from(body.to_owned())).unwrap();
        let answer = Answer::to(self.router.clone(), request).await;
        described::is(&verb, &path, &answer, body);
        answer
    }

    /// What the answer is encoded with, and its bytes.
    pub(crate) async fn bytes(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> (String, Vec<u8>) {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::from(body.to_owned())).unwrap();
        let (head, body) = self.router.clone().oneshot(request).await.unwrap().into_parts();
        let encoding = head.headers.get("content-encoding").map_or("", |value| value.to_str().unwrap());
        (encoding.to_owned(), body.collect().await.unwrap().to_bytes().to_vec())
    }

    /// Of the wall clock.
    pub(crate) fn second(&self) -> i64 {
        self.clock.now().wall.as_second()
    }

    /// After a restart, with other shops.
    pub(crate) fn again(&mut self, shops: Vec<VariantShop>) {
        let caller = Caller {
            name: "shop".to_owned(),
            token: SecretString::from(SERVER.strip_prefix("Bearer ").unwrap()),
            may: vec![Right::Resolve],
            rate: Rate { count: 50, per: Duration::from_secs(1) },
        };
        let prices = Prices::new(
            self.store.clone(),
            self.clock.clone(),
            vec![caller],
            Vec::new(),
            None,
            self.metrics.clone(),
        );
        self.prices = Arc::new(prices.with_variants(shops));
        self.router = tidegate_api::prices::router(self.prices.clone());
    }

    pub(crate) async fn resolve(&self, body: &str) -> Answer {
        self.send(Method::POST, "/v1/prices/resolve", &[("authorization", SERVER)], body).await
    }
}

/// A cart of one line for a location.
pub(crate) fn cart(location: Option<&str>, sku: &str) -> String {
    let location =
        location.map(|location| format!("\"company_location\":\"{location}\",")).unwrap_or_default();
    format!("{{{location}\"currency\":\"EUR\",\"lines\":[{{\"sku\":\"{sku}\",\"quantity\":1}}]}}")
}
