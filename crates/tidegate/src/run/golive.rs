//! A flow that was in shadow and is live now: what it only showed is taken up, so that going live exports the orders
//! since `go_live_at`, and not only those that change from now on.

use crate::wiring::Loaded;
use engine::hub::Hub;
use kernel::clock::Clock;
use kernel::envelope::{Envelope, Via};
use kernel::flow::Mode;
use kernel::id::FlowName;
use std::sync::Arc;
use store::Store;
use store::log::NewEnvelope;
use store::operate::AuditEntry;

/// Each flow's mode as this process has it, and what comparing it with that of the last life needs.
#[derive(Debug, Clone)]
pub struct GoLive {
    modes: Vec<(FlowName, Mode)>,
    store: Arc<dyn Store>,
    hub: Hub,
    clock: Arc<dyn Clock>,
}

impl GoLive {
    pub fn of(loaded: &Loaded, store: &Arc<dyn Store>, hub: &Hub, clock: &Arc<dyn Clock>) -> Self {
        let flows = loaded.config.flows.iter();
        Self {
            modes: flows.map(|(name, flow)| (name.clone(), flow.mode.value)).collect(),
            store: store.clone(),
            hub: hub.clone(),
            clock: clock.clone(),
        }
    }

    /// Before the hub takes its first envelope: compares each flow's mode with that of the last life.
    pub async fn take_up(&self) -> anyhow::Result<()> {
        for (name, mode) in &self.modes {
            let cursor = format!("mode/{name}");
            let last = self.store.cursor(&cursor).await?;
            if last.as_deref() == Some("shadow") && *mode == Mode::Live {
                let count = self.shadowed_again(name).await?;
                self.store.audit(self.entry(name, count)).await?;
                tracing::info!(
                    flow.name = %name, work.count = count,
                    "{name} went live: {count} orders that it had only shown are delivered now"
                );
                self.hub.appended();
            }
            self.store.set_cursor(&cursor, mode_word(*mode)).await?;
        }
        Ok(())
    }

    /// Killed in the middle it begins again: the mode is noted last, and what was delivered meanwhile is found unchanged.
    async fn shadowed_again(&self, flow: &FlowName) -> anyhow::Result<u64> {
        let subjects = self.store.filtered_by(flow, "shadow", u32::MAX).await?;
        let mut count = 0;
        for subject in subjects {
            if let Some((envelope, payload)) = self.store.newest_payload(&subject).await? {
                self.store.append(vec![self.again(envelope, payload)]).await?;
                count += 1;
            }
        }
        Ok(count)
    }

    fn again(&self, envelope: Envelope, payload: bytes::Bytes) -> NewEnvelope {
        NewEnvelope {
            version: None,
            ..NewEnvelope::again(envelope, payload, Via::Replay, self.clock.now().wall)
        }
    }

    fn entry(&self, flow: &FlowName, count: u64) -> AuditEntry {
        AuditEntry {
            at: self.clock.now().wall,
            who: "tidegate".to_owned(),
            action: "go_live".to_owned(),
            target: format!("flow {flow}"),
            why: "the configuration changed its mode from shadow to live".to_owned(),
            count,
        }
    }
}

fn mode_word(mode: Mode) -> &'static str {
    match mode {
        Mode::Off => "off",
        Mode::Shadow => "shadow",
        Mode::Live => "live",
    }
}
