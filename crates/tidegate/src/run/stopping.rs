//! When the hub stops, and in which order: no new requests, no new work, what is under way ends or is left to be
//! looked up, the store is closed last.

use super::Running;
use super::doors::Doors;
use super::nodes::AtWork;
use super::tasks::Tasks;
use crate::wiring::Loaded;
use anyhow::Context as _;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};

/// Until SIGTERM, or Ctrl-C.
pub async fn wait() -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("SIGTERM cannot be awaited")?;
    tokio::select! {
        biased;
        _ = terminate.recv() => Ok(()),
        interrupted = tokio::signal::ctrl_c() => interrupted.context("Ctrl-C cannot be awaited"),
    }
}

/// Stops everything within the drain deadline.
pub async fn stop(
    loaded: &Loaded,
    running: Running,
    doors: Doors,
    tasks: Tasks,
    at_work: Option<AtWork>,
) -> anyhow::Result<()> {
    let deadline = loaded.config.hub().map_or(Duration::from_secs(20), |hub| hub.limits.drain_deadline.value);
    tracing::info!("stopping: no new work is taken; what is under way has {} s", deadline.as_secs());
    running.readiness.drain();
    running.stop.send_replace(true);
    let drained = running.hub.drain(deadline).await;
    if let Some(at_work) = at_work {
        at_work.leave().await;
    }
    doors.closed(deadline).await;
    tasks.ended(deadline).await;
    if drained {
        tracing::info!("stopped; nothing is under way");
    } else {
        tracing::warn!("stopped with calls under way; they are looked up at the next start");
    }
    Ok(())
}
