//! A plan for a store that was restored: each system is told until when a forgotten life may have written to it.

use super::connectors::Connected;
use engine::plan::{Doubt, Plan};
use std::sync::Arc;
use std::time::Duration;
use store::Store;
use store::moving::note::{RESTORED, Restored};

/// How far the clocks of a source and of this machine may differ.
const CLOCKS_DIFFER: Duration = Duration::from_secs(600);

/// What the source made before the restore, a former life may have sent.
pub async fn doubt(plan: &mut Plan, store: &Arc<dyn Store>, connected: &Connected) -> anyhow::Result<()> {
    let Some(note) = store.cursor(RESTORED).await? else { return Ok(()) };
    let before = kernel::clock::after(Restored::parse(&note)?.at, CLOCKS_DIFFER);
    for (name, system) in &mut plan.systems {
        let looks_up = connected.connectors.get(name).is_none_or(|connector| connector.looks_up());
        system.doubt = Some(Doubt { before, looks_up });
    }
    Ok(())
}
