//! The floors: servers of the same HTTP stack as the hub, as processes of their own like it, that do the least.
//!
//! `reading` reads a webhook and checks its signature. `plain` also commits it to SQLite as one would who thinks of
//! nothing: a text index on the webhook id for dedupe, the body as it came, default checkpoints; whatever waits goes
//! into one transaction (WAL, `synchronous=FULL`), then 200. Neither compresses, seals, routes or delivers.

use crate::cli::{Failure, block_on};
use anyhow::Context as _;
use api::server::{ServerLimits, Serving};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::routing::{get, post};
use http::{HeaderMap, StatusCode};
use rusqlite::Connection;
use secrecy::SecretString;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, mpsc};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Floor {
    Reading,
    Plain,
}

/// As in a hub without settings.
const DEADLINE: Duration = Duration::from_secs(5);

impl Floor {
    pub fn name(self) -> &'static str {
        match self {
            Self::Reading => "reading",
            Self::Plain => "plain",
        }
    }
}

#[derive(Debug)]
struct Desk {
    secret: SecretString,
    writer: Option<mpsc::Sender<Row>>,
}

/// A webhook that waits for its commit.
#[derive(Debug)]
struct Row {
    webhook_id: String,
    body: Bytes,
    committed: oneshot::Sender<bool>,
}

/// Serves until the process is ended.
pub fn serve(floor: Floor, listen: SocketAddr, folder: &Path, secret: &str) -> Result<(), Failure> {
    let writer = match floor {
        Floor::Reading => None,
        Floor::Plain => Some(plain_writer(&folder.join("plain.db"))?),
    };
    let desk = Arc::new(Desk { secret: SecretString::from(secret), writer });
    block_on(async move {
        let router = Router::new()
            .route("/webhooks/shopify", post(webhook))
            .route("/readyz", get(|| async {}))
            .with_state(desk);
        let listener =
            TcpListener::bind(listen).await.with_context(|| format!("{listen} cannot be listened on"))?;
        // The hub's own server, with its deadlines and its bound on connections; nobody stops it but a signal.
        let (_running, stop) = watch::channel(false);
        let limits = ServerLimits {
            connections_max: 1024,
            header_deadline: DEADLINE,
            body_deadline: DEADLINE,
            drain_deadline: DEADLINE,
        };
        let metrics = Arc::new(telemetry::Metrics::new());
        api::server::serve_tcp(listener, Serving { router, limits, metrics, name: "floor", stop }).await;
        Ok(())
    })
}

async fn webhook(State(desk): State<Arc<Desk>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let signature = shopify::webhook::sign(&desk.secret, &body);
    if signature != header(shopify::webhook::header::SIGNATURE) {
        return StatusCode::UNAUTHORIZED;
    }
    let Some(writer) = &desk.writer else { return StatusCode::OK };
    let (committed, done) = oneshot::channel();
    let webhook_id = header(shopify::webhook::header::WEBHOOK_ID).to_owned();
    if writer.send(Row { webhook_id, body, committed }).is_err() {
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    if done.await.unwrap_or(false) { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }
}

fn plain_writer(path: &Path) -> anyhow::Result<mpsc::Sender<Row>> {
    let connection = plain_database(path)?;
    let (sender, rows) = mpsc::channel::<Row>();
    std::thread::Builder::new().name("plain-writer".into()).spawn(move || {
        while let Ok(first) = rows.recv() {
            let group: Vec<Row> = std::iter::once(first).chain(rows.try_iter().take(511)).collect();
            let committed = commit(&connection, &group).is_ok();
            for row in group {
                // Whoever sent it may be gone.
                let _ = row.committed.send(committed);
            }
        }
    })?;
    Ok(sender)
}

pub fn plain_database(path: &Path) -> anyhow::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
         CREATE TABLE events (id INTEGER PRIMARY KEY, webhook_id TEXT NOT NULL UNIQUE, body BLOB NOT NULL)",
    )?;
    Ok(connection)
}

fn commit(connection: &Connection, group: &[Row]) -> rusqlite::Result<()> {
    connection.execute_batch("BEGIN")?;
    {
        let sql = "INSERT INTO events (webhook_id, body) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
        let mut insert = connection.prepare_cached(sql)?;
        for row in group {
            insert.execute((&row.webhook_id, &row.body[..]))?;
        }
    }
    connection.execute_batch("COMMIT")
}
