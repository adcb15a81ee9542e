//! Serves the pages over a made-up night, to look at them: `cargo run -p tidegate-ui --example look -- [PORT]`, and
//! open `http://127.0.0.1:PORT/`. Signed in by itself: every request gets the cookie of one session.

#[path = "../tests/ui/world/mod.rs"]
mod world;

use axum::body::Body;
use axum::http::{Request, header};
use axum::middleware::{Next, from_fn};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use kernel::clock::{Clock, Mono, Now};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;
use store::MemoryStore;
use tidegate_ui::{Random, UiState, router};
use tower::ServiceExt;
use world::night::night;
use world::stock::{flow_of_stock, stock_room};
use world::{Scribe, Stage, acme, watched};

#[derive(Debug)]
struct Real(Instant);

impl Clock for Real {
    #[expect(clippy::disallowed_methods, reason = "the edge: this is a program to look with")]
    fn now(&self) -> Now {
        let nanos = u64::try_from(self.0.elapsed().as_nanos()).unwrap_or(u64::MAX);
        Now { wall: Timestamp::now(), mono: Mono(nanos) }
    }
}

#[derive(Debug)]
struct System;

impl Random for System {
    fn bytes(&self) -> std::io::Result<[u8; 32]> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(std::io::Error::other)?;
        Ok(bytes)
    }
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let mut given = std::env::args().skip(1);
    let port = given.next().unwrap_or_else(|| "8788".into());
    let fresh = given.next().as_deref() == Some("fresh");
    #[expect(clippy::disallowed_methods, reason = "the edge: this is a program to look with")]
    let clock = Real(Instant::now());
    let (store, stage) = (Arc::new(MemoryStore::new()), Arc::new(Stage::default()));
    if !fresh {
        let scribe = Scribe { store: &store, now: clock.now().wall };
        stock_room(&scribe).await;
        night(&scribe, &stage).await;
    }
    let zone = TimeZone::get("Europe/Amsterdam").unwrap_or(TimeZone::UTC);
    let now = clock.now().wall;
    let pages = router(UiState {
        store,
        hub: stage,
        clock: Arc::new(clock),
        random: Arc::new(System),
        admin_token: "look".to_owned().into(),
        watched: watched(),
        stock: vec![flow_of_stock()],
        prices: None,
        cadences: Some(Arc::new(world::cadence::Nights { now })),
        shops: BTreeMap::from([(acme(), zone.clone())]),
        time_zone: zone,
        truth: world::truth(),
        who: "operator".into(),
        behind_tls: false,
    });
    let cookie = sign_in(&pages).await;
    let pages = pages.layer(from_fn(move |mut request: Request<Body>, next: Next| {
        if let Ok(cookie) = cookie.parse() {
            request.headers_mut().entry(header::COOKIE).or_insert(cookie);
        }
        next.run(request)
    }));
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    eprintln!("http://{}/", listener.local_addr()?);
    axum::serve(listener, pages).await
}

/// Logs in as a browser would; gives the session's cookie.
async fn sign_in(pages: &axum::Router) -> String {
    let send = |request: Request<Body>| pages.clone().oneshot(request);
    let cookies = |response: &axum::response::Response| -> Vec<String> {
        let set = response.headers().get_all(header::SET_COOKIE);
        set.iter().filter_map(|cookie| cookie.to_str().ok()?.split(';').next().map(str::to_owned)).collect()
    };
    let Ok(form) = send(Request::get("/login").body(Body::empty()).unwrap_or_default()).await;
    let tie = cookies(&form).concat();
    let fields = format!("form={}&token=look&name=ada", tie.split('=').nth(1).unwrap_or_default());
    let request = Request::post("/login")
        .header(header::COOKIE, &tie)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(fields));
    let Ok(answer) = send(request.unwrap_or_default()).await;
    cookies(&answer).into_iter().find(|cookie| cookie.starts_with("tidegate_session=")).unwrap_or_default()
}
