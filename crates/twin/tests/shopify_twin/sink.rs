//! A hub's end of webhooks: takes what comes and answers as the test wants it.

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use std::sync::{Arc, Mutex};
use tokio::sync::watch;

#[derive(Clone, Debug)]
pub(crate) struct Taken {
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Taken {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

#[derive(Clone, Default)]
pub(crate) struct Sink {
    taken: Arc<Mutex<Vec<Taken>>>,
    /// For the next requests; 200 where there is none.
    answers: Arc<Mutex<Vec<u16>>>,
    count: Arc<watch::Sender<usize>>,
}

impl Sink {
    pub(crate) async fn start() -> (Self, String) {
        let sink = Self::default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/webhooks/shopify", listener.local_addr().unwrap());
        let app = Router::new().route("/webhooks/shopify", post(take)).with_state(sink.clone());
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        (sink, url)
    }

    pub(crate) fn answer(&self, statuses: &[u16]) {
        self.answers.lock().unwrap().extend(statuses.iter().rev());
    }

    /// Until that many have come.
    pub(crate) async fn arrived(&self, count: usize) {
        self.count.subscribe().wait_for(|taken| *taken >= count).await.unwrap();
    }

    pub(crate) fn taken(&self) -> Vec<Taken> {
        self.taken.lock().unwrap().clone()
    }
}

async fn take(State(sink): State<Sink>, headers: HeaderMap, body: Bytes) -> StatusCode {
    sink.taken.lock().unwrap().push(Taken { headers, body });
    sink.count.send_modify(|count| *count += 1);
    let status = sink.answers.lock().unwrap().pop().unwrap_or(200);
    StatusCode::from_u16(status).unwrap()
}
