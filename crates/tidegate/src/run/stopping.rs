//! When the hub stops, and in which order: it is announced; then no new requests, no new work, what is under way ends
//! or is left to be looked up, the store is closed last.

use super::Running;
use super::doors::Doors;
use super::nodes::AtWork;
use super::tasks::Tasks;
use crate::wiring::Loaded;
use anyhow::Context as _;
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// The requests to stop: SIGTERM, or Ctrl-C. From when this exists neither ends the process by itself.
#[derive(Debug)]
pub struct Requests {
    terminate: Signal,
    interrupt: Signal,
}

impl Requests {
    pub fn heard() -> anyhow::Result<Self> {
        let terminate = signal(SignalKind::terminate()).context("SIGTERM cannot be awaited")?;
        let interrupt = signal(SignalKind::interrupt()).context("Ctrl-C cannot be awaited")?;
        Ok(Self { terminate, interrupt })
    }

    /// Until the next one.
    pub async fn next(&mut self) {
        tokio::select! {
            biased;
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// `/readyz` is red and all goes on as before, so that a balancer sends nothing more before the port closes. Whoever
/// asks a second time does not want to wait.
async fn announced(loaded: &Loaded, running: &Running, requests: &mut Requests) {
    running.readiness.drain();
    let for_ = loaded.config.hub().map_or(Duration::ZERO, |hub| hub.limits.drain_after.value);
    if for_.is_zero() {
        return;
    }
    tracing::info!("asked to stop: /readyz says so for {} s before the port closes", for_.as_secs_f32());
    // Asked again, or the time is over: it stops either way.
    let _ = tokio::time::timeout(for_, requests.next()).await;
}

/// Stops everything within the drain deadline.
pub async fn stop(
    loaded: &Loaded,
    running: Running,
    doors: Doors,
    tasks: Tasks,
    at_work: Option<AtWork>,
    mut requests: Requests,
) {
    let deadline = loaded.config.hub().map_or(Duration::from_secs(20), |hub| hub.limits.drain_deadline.value);
    announced(loaded, &running, &mut requests).await;
    tracing::info!("stopping: no new work is taken; what is under way has {} s", deadline.as_secs());
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
}
