//! The floors: what the same server takes when a program only inserts, into a plain table with the key that tells copies
//! apart. The bodies are the hub's, as they came; nothing is verified, compressed, sealed or routed, and there is no HTTP.

use super::connect;
use crate::bench::clock::now;
use crate::bench::orders::Requests;
use anyhow::Context as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// Rows of one statement, and connections that send them.
const BATCH: usize = 512;
const BATCHING: usize = 2;
/// Connections that commit one row at a time.
const SINGLE: usize = 64;

const TABLE: &str = "CREATE TABLE events (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, \
     webhook_id text NOT NULL UNIQUE, body bytea NOT NULL)";
const INSERT: &str = "INSERT INTO events (webhook_id, body) SELECT * FROM unnest($1::text[], $2::bytea[]) \
     ON CONFLICT DO NOTHING";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Floor {
    Batched,
    Single,
}

impl Floor {
    fn rows(self) -> usize {
        match self {
            Self::Batched => BATCH,
            Self::Single => 1,
        }
    }
    fn connections(self) -> usize {
        match self {
            Self::Batched => BATCHING,
            Self::Single => SINGLE,
        }
    }
}

/// Rows a second; each commit is on disk before the next begins on its connection.
pub async fn rate(
    floor: Floor,
    database: &str,
    requests: Arc<Requests>,
    span: Duration,
) -> anyhow::Result<(u64, f64)> {
    connect(database).await?.batch_execute(TABLE).await?;
    let next = Arc::new(AtomicUsize::new(0));
    let mut clients = Vec::new();
    for _ in 0..floor.connections() {
        let client = connect(database).await?;
        let insert = client.prepare(INSERT).await?;
        clients.push((client, insert));
    }
    let begun = now();
    let mut tasks = tokio::task::JoinSet::new();
    for (client, insert) in clients {
        let (requests, next) = (requests.clone(), next.clone());
        tasks.spawn(async move {
            let mut taken = 0;
            while begun.elapsed() < span {
                let first = next.fetch_add(floor.rows(), Ordering::Relaxed);
                let rows = first..(first + floor.rows()).min(requests.len());
                let row = |index| requests.webhook(index).context("a request without a webhook id");
                let rows = rows.map(row).collect::<anyhow::Result<Vec<_>>>()?;
                if rows.is_empty() {
                    break;
                }
                let (ids, bodies): (Vec<&str>, Vec<&[u8]>) = rows.into_iter().unzip();
                taken += client.execute(&insert, &[&ids, &bodies]).await?;
            }
            anyhow::Ok(taken)
        });
    }
    let mut taken = 0;
    while let Some(ended) = tasks.join_next().await {
        taken += ended??;
    }
    Ok((taken, taken as f64 / begun.elapsed().as_secs_f64()))
}
