//! The store's port without HTTP before it: as many appends under way as an intake has, one fact each.

use crate::bench::clock::now;
use crate::bench::growth::{fact_of, opened};
use crate::bench::orders::Requests;
use anyhow::{Context as _, ensure};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use store::log::Appended;

/// Facts, and facts a second.
pub async fn rate(
    database: &str,
    requests: Arc<Requests>,
    clients: usize,
    span: Duration,
) -> anyhow::Result<(u64, f64)> {
    let store = opened(database).await?;
    let at = crate::demo::now();
    let facts = (0..requests.len()).map(|index| {
        let (_, body) = requests.webhook(index).context("a request without a body")?;
        fact_of(index, body.to_vec(), at)
    });
    let facts = Arc::new(facts.collect::<anyhow::Result<Vec<_>>>()?);
    let next = Arc::new(AtomicUsize::new(0));
    let begun = now();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..clients {
        let (store, facts, next) = (store.clone(), facts.clone(), next.clone());
        tasks.spawn(async move {
            let mut taken = 0_u64;
            while begun.elapsed() < span {
                let Some(fact) = facts.get(next.fetch_add(1, Ordering::Relaxed)) else { break };
                let answers = store.append(vec![fact.clone()]).await?;
                ensure!(matches!(answers[..], [Appended::Stored(_)]), "a new fact was no new one");
                taken += 1;
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
