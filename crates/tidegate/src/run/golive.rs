//! A flow that was in shadow and is live now: what it only showed is taken up, so that going live exports the orders
//! since `go_live_at`, and not only those that change from now on.

use super::Running;
use crate::wiring::Loaded;
use kernel::envelope::{Envelope, Via};
use kernel::flow::Mode;
use kernel::id::FlowName;
use store::log::NewEnvelope;
use store::operate::AuditEntry;

/// Before the hub takes its first envelope: compares each flow's mode with that of the last life.
pub async fn take_up(loaded: &Loaded, running: &Running) -> anyhow::Result<()> {
    for (name, flow) in &loaded.config.flows {
        let cursor = format!("mode/{name}");
        let last = running.store.cursor(&cursor).await?;
        if last.as_deref() == Some("shadow") && flow.mode.value == Mode::Live {
            let count = shadowed_again(name, running).await?;
            running.store.audit(entry(name, count, running)).await?;
            tracing::info!(
                flow.name = %name, work.count = count,
                "{name} went live: {count} orders that it had only shown are delivered now"
            );
            running.hub.appended();
        }
        running.store.set_cursor(&cursor, mode_word(flow.mode.value)).await?;
    }
    Ok(())
}

fn mode_word(mode: Mode) -> &'static str {
    match mode {
        Mode::Off => "off",
        Mode::Shadow => "shadow",
        Mode::Live => "live",
    }
}

/// Killed in the middle it begins again: the mode is noted last, and what was delivered meanwhile is found unchanged.
async fn shadowed_again(flow: &FlowName, running: &Running) -> anyhow::Result<u64> {
    let subjects = running.store.filtered_by(flow, "shadow", u32::MAX).await?;
    let mut count = 0;
    for subject in subjects {
        if let Some((envelope, payload)) = running.store.newest_payload(&subject).await? {
            running.store.append(vec![again(envelope, payload, running)]).await?;
            count += 1;
        }
    }
    Ok(count)
}

fn again(envelope: Envelope, payload: bytes::Bytes, running: &Running) -> NewEnvelope {
    NewEnvelope {
        shop: envelope.shop,
        domain: envelope.domain,
        source: envelope.source,
        topic: envelope.topic,
        kind: envelope.kind,
        via: Via::Replay,
        subject: envelope.subject,
        version: None,
        occurred_at: envelope.occurred_at,
        received_at: running.clock.now().wall,
        trace: envelope.trace,
        raw_hash: envelope.raw_hash,
        raw_bytes: envelope.raw_bytes,
        dedupe: None,
        payload,
    }
}

fn entry(flow: &FlowName, count: u64, running: &Running) -> AuditEntry {
    AuditEntry {
        at: running.clock.now().wall,
        who: "tidegate".to_owned(),
        action: "go_live".to_owned(),
        target: format!("flow {flow}"),
        why: "the configuration changed its mode from shadow to live".to_owned(),
        count,
    }
}
