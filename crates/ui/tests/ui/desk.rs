//! A browser at the pages: keeps its cookies, fills in forms, reads what it sees.

use crate::world::stock::flow_of_stock;
use crate::world::{Scribe, Stage, acme, truth, watched};
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode, header};
use http_body_util::BodyExt;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use kernel::clock::{Clock, Mono, Now};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use store::MemoryStore;
use tidegate_ui::{Cadences, ClientAddress, Prices, Random, StockFlow, UiState, router};
use tower::ServiceExt;

pub(crate) const TOKEN: &str = "a-token-that-nobody-guesses";

/// Stands until it is moved.
#[derive(Debug, Default)]
pub(crate) struct Stopped {
    mono: AtomicU64,
}

impl Stopped {
    pub(crate) fn pass(&self, time: Duration) {
        self.mono.fetch_add(u64::try_from(time.as_nanos()).unwrap(), Ordering::SeqCst);
    }
}

/// The night of the tests: 02:13:05 in Amsterdam.
fn night_at() -> Timestamp {
    "2026-11-24T01:13:05Z".parse().unwrap()
}

impl Clock for Stopped {
    fn now(&self) -> Now {
        let mono = Mono(self.mono.load(Ordering::SeqCst));
        Now { wall: kernel::clock::after(night_at(), mono.since(Mono::default())), mono }
    }
}

/// Different each time, and known.
#[derive(Debug, Default)]
struct Counted(AtomicU64);

impl Random for Counted {
    fn bytes(&self) -> std::io::Result<[u8; 32]> {
        let mut bytes = [7; 32];
        bytes[..8].copy_from_slice(&self.0.fetch_add(1, Ordering::SeqCst).to_be_bytes());
        Ok(bytes)
    }
}

#[derive(Debug)]
pub(crate) struct Desk {
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) stage: Arc<Stage>,
    pub(crate) clock: Arc<Stopped>,
    pub(crate) watched: engine::overview::Watched,
    pages: Router,
    cookies: Mutex<BTreeMap<String, String>>,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Seen {
    pub(crate) fn location(&self) -> &str {
        self.headers.get(header::LOCATION).map_or("", |location| location.to_str().unwrap())
    }
    /// The page as it is read: without tags, with single blanks.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        let mut inside = false;
        for c in self.body.chars() {
            match c {
                '<' => inside = true,
                '>' => {
                    inside = false;
                    text.push(' ');
                }
                c if !inside => text.push(c),
                _ => {}
            }
        }
        let text = text.replace("&#34;", "\"").replace("&#39;", "'").replace("&#38;", "&");
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        // A tag that ends before a stop leaves no blank.
        text.replace(" :", ":").replace(" .", ".").replace(" ,", ",")
    }
    /// The first link that holds this.
    pub(crate) fn link(&self, part: &str) -> String {
        let links = self.body.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next());
        links.map(|link| link.replace("&#38;", "&")).find(|link| link.contains(part)).unwrap()
    }
    /// The value of the first field of that name.
    pub(crate) fn field(&self, name: &str) -> String {
        let (_, rest) = self.body.split_once(&format!("name=\"{name}\" value=\"")).unwrap();
        rest.split('"').next().unwrap().replace("&#38;", "&")
    }
    #[track_caller]
    pub(crate) fn says(&self, wanted: &str) {
        let text = self.text();
        assert!(text.contains(wanted), "{wanted:?} is not in:\n{text}");
    }
    #[track_caller]
    pub(crate) fn says_not(&self, unwanted: &str) {
        assert!(!self.body.contains(unwanted), "{unwanted:?} is in:\n{}", self.body);
    }
}

impl Desk {
    pub(crate) fn new() -> Self {
        Self::with(vec![flow_of_stock()])
    }

    /// With these flows of stock.
    pub(crate) fn with(stock: Vec<StockFlow>) -> Self {
        Self::made_of(stock, None)
    }

    /// With somebody who knows prices.
    pub(crate) fn priced(prices: Arc<dyn Prices>) -> Self {
        Self::made_of(Vec::new(), Some(prices))
    }

    /// With somebody who knows what runs by the clock, at the desk's own.
    pub(crate) fn paced(cadences: impl FnOnce(Timestamp) -> Arc<dyn Cadences>) -> Self {
        let clock = Stopped::default();
        Self::all_of(Vec::new(), None, Some(cadences(clock.now().wall)))
    }

    fn made_of(stock: Vec<StockFlow>, prices: Option<Arc<dyn Prices>>) -> Self {
        Self::all_of(stock, prices, None)
    }

    fn all_of(
        stock: Vec<StockFlow>,
        prices: Option<Arc<dyn Prices>>,
        cadences: Option<Arc<dyn Cadences>>,
    ) -> Self {
        let (store, stage) = (Arc::new(MemoryStore::new()), Arc::new(Stage::default()));
        let clock = Arc::new(Stopped::default());
        let watched = watched();
        let zone = TimeZone::get("Europe/Amsterdam").unwrap();
        let pages = router(UiState {
            store: store.clone(),
            hub: stage.clone(),
            clock: clock.clone(),
            random: Arc::new(Counted::default()),
            admin_token: TOKEN.to_owned().into(),
            watched: watched.clone(),
            stock,
            prices,
            cadences,
            shops: BTreeMap::from([(acme(), zone)]),
            time_zone: TimeZone::UTC,
            truth: truth(),
            who: "operator".into(),
            behind_tls: false,
        });
        Self { store, stage, clock, watched, pages, cookies: Mutex::default() }
    }

    /// Signed in as `ada`.
    pub(crate) async fn signed_in() -> Self {
        let desk = Self::new();
        let answer = desk.sign_in(TOKEN).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER);
        desk
    }

    pub(crate) fn scribe(&self) -> Scribe<'_> {
        Scribe { store: &self.store, now: self.clock.now().wall }
    }

    pub(crate) async fn sign_in(&self, token: &str) -> Seen {
        let form = self.get("/login").await.field("form");
        self.post("/login", &[("form", &form), ("token", token), ("name", "ada")]).await
    }

    pub(crate) async fn get(&self, path: &str) -> Seen {
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Seen {
        self.send(form(path, fields)).await
    }

    /// Sends a form of a page with the token of its session.
    pub(crate) async fn act(&self, path: &str, fields: &[(&str, &str)]) -> Seen {
        let csrf = self.get("/systems").await.field("csrf");
        let all: Vec<(&str, &str)> =
            std::iter::once(("csrf", csrf.as_str())).chain(fields.iter().copied()).collect();
        self.post(path, &all).await
    }

    pub(crate) async fn send(&self, mut request: Request<Body>) -> Seen {
        let cookies = self.cookies.lock().unwrap().clone();
        let cookies: Vec<String> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if !cookies.is_empty() {
            request.headers_mut().insert(header::COOKIE, cookies.join("; ").parse().unwrap());
        }
        let answer = self.pages.clone().oneshot(request).await.unwrap();
        let (status, headers) = (answer.status(), answer.headers().clone());
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        for cookie in headers.get_all(header::SET_COOKIE) {
            let (name, value) = cookie.to_str().unwrap().split(';').next().unwrap().split_once('=').unwrap();
            self.cookies.lock().unwrap().insert(name.to_owned(), value.to_owned());
        }
        Seen { status, headers, body: String::from_utf8(body.to_vec()).unwrap() }
    }

    pub(crate) fn set_cookie(&self, name: &str, value: &str) {
        self.cookies.lock().unwrap().insert(name.to_owned(), value.to_owned());
    }
}

pub(crate) fn form(path: &str, fields: &[(&str, &str)]) -> Request<Body> {
    let escaped = |text: &str| -> String { text.bytes().map(|byte| format!("%{byte:02X}")).collect() };
    let pairs: Vec<String> =
        fields.iter().map(|(name, value)| format!("{name}={}", escaped(value))).collect();
    Request::post(path)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(pairs.join("&")))
        .unwrap()
}

/// The same request from another address.
pub(crate) fn from(mut request: Request<Body>, address: &str) -> Request<Body> {
    request.extensions_mut().insert(ClientAddress(address.parse().unwrap()));
    request
}
