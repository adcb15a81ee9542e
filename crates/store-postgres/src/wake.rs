//! Who has to be woken: what this process has committed is told to the other nodes, and what they have told is told to
//! whoever waits here.
//!
//! Owns one connection of its own, which no pooler may stand before: `LISTEN` belongs to a session. A notification is
//! sent apart from the commit that it is about and at most every few milliseconds, because PostgreSQL lets
//! transactions that notify commit one at a time. One that is lost costs a poll: the tables say what there is to do.

use crate::connect::Target;
use crate::desk::Shared;
use crate::error::Done;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;
use tokio::sync::{Notify, watch};

const CHANNEL: &str = "tidegate";
/// Between two notifications of this node.
const PACE: Duration = Duration::from_millis(20);
/// Between two tries to connect.
const AGAIN: Duration = Duration::from_secs(1);

#[derive(Debug, Clone)]
pub(crate) struct Wake(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// Shops in which something came to be done, not told yet.
    to_tell: Mutex<BTreeSet<i32>>,
    told: Notify,
    heard: watch::Sender<u64>,
}

impl Wake {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Inner { to_tell: Mutex::default(), told: Notify::new(), heard: watch::Sender::new(0) }))
    }

    /// Something was committed that others may work on.
    pub(crate) fn tell(&self, shops: impl IntoIterator<Item = i32>) {
        let mut to_tell = self.0.to_tell.lock().unwrap_or_else(PoisonError::into_inner);
        let before = to_tell.len();
        to_tell.extend(shops);
        if to_tell.len() > before {
            self.0.told.notify_one();
        }
    }

    /// Changes whenever another node says that there is something to do.
    pub(crate) fn heard(&self) -> watch::Receiver<u64> {
        self.0.heard.subscribe()
    }

    /// Listens and tells until the store is dropped, which ends the task.
    pub(crate) async fn run(self, target: Target, shared: Weak<Shared>) {
        let mut again = tokio::time::interval(AGAIN);
        let mut said = false;
        loop {
            again.tick().await;
            let before = *self.0.heard.borrow();
            let ended = self.listen(&target, &shared).await;
            let Some(shared) = shared.upgrade() else { return };
            shared.board.wipe(false);
            // Once for each time that it is gone, not for each try to have it back.
            said &= *self.0.heard.borrow() == before;
            if let Err(fail) = ended
                && !std::mem::replace(&mut said, true)
            {
                tracing::warn!(error = %fail, "other nodes are not heard; work is found by polling until they are");
            }
        }
    }

    async fn listen(&self, target: &Target, shared: &Weak<Shared>) -> Done<()> {
        let Some(node) = shared.upgrade().map(|shared| shared.node.clone()) else { return Ok(()) };
        let (heard, own, of_process) = (self.0.heard.clone(), node.clone(), shared.clone());
        let client = target
            .connect_with(move |payload| {
                let Some((_, shops)) = payload.split_once(' ').filter(|(node, _)| *node != own) else {
                    return;
                };
                if let Some(shared) = of_process.upgrade() {
                    shared.board.stir(shops.split(',').filter_map(|shop| shop.parse().ok()));
                }
                heard.send_modify(|count| *count += 1);
            })
            .await?;
        client.batch_execute(&format!("LISTEN {CHANNEL}")).await?;
        // What was told while nobody listened.
        self.0.heard.send_modify(|count| *count += 1);
        let mut pace = tokio::time::interval(PACE);
        pace.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut alive = tokio::time::interval(AGAIN);
        loop {
            tokio::select! {
                biased;
                () = self.0.told.notified() => {
                    pace.tick().await;
                    let shops = std::mem::take(&mut *self.0.to_tell.lock().unwrap_or_else(PoisonError::into_inner));
                    let shops: Vec<String> = shops.iter().take(500).map(ToString::to_string).collect();
                    let payload = format!("{node} {}", shops.join(","));
                    client.batch_execute(&format!("NOTIFY {CHANNEL}, '{payload}'")).await?;
                }
                _ = alive.tick() => {
                    // A connection whose other end is gone is noticed only by who uses it. And a shop that another
                    // node met first is known here from now on.
                    let newest = client.query_typed("SELECT coalesce(max(id), 0) FROM names", &[]).await?;
                    let newest: i32 = newest.first().map(|row| row.try_get(0)).transpose()?.unwrap_or(0);
                    let Some(shared) = shared.upgrade() else { return Ok(()) };
                    if newest > shared.names.newest() {
                        shared.reload_names().await?;
                    }
                    shared.board.wipe(true);
                }
            }
        }
    }
}
