//! What runs at a cadence, as its page shows it: the same lines that the admin API answers with.

use api::admin::{CadenceLine, Cadenced, cadence_lines};
use kernel::clock::Clock;
use std::sync::Arc;
use store::Store;
use ui::{Paced, Waiting};

/// Whom the page asks.
#[derive(Debug)]
pub struct CadencePages {
    pub cadences: Vec<Cadenced>,
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
}

impl ui::Cadences for CadencePages {
    fn all(&self) -> Waiting<'_, Result<Vec<Paced>, String>> {
        Box::pin(async move {
            let lines = cadence_lines(self.store.as_ref(), &self.cadences, self.clock.now().wall).await;
            Ok(lines.map_err(|error| error.to_string())?.into_iter().map(paced).collect())
        })
    }
}

fn paced(line: CadenceLine) -> Paced {
    let result = line.result().map(|(failed, what)| (failed, what.to_owned()));
    // The API's own word.
    let work = serde_json::json!(line.work).as_str().unwrap_or_default().replace('_', " ");
    Paced {
        work,
        of: line.flow.map(|flow| flow.to_string()).or(line.source),
        shop: line.shop.map(|shop| shop.to_string()),
        cadence: line.cadence,
        jitter_ms: line.jitter_ms,
        next: line.next,
        due: line.due,
        last: line.last,
        took_ms: line.ran.as_ref().map(|ran| ran.took_ms),
        missed: line.missed,
        held_by: line.held_by.map(|holder| (holder.node, holder.until)),
        failed: result.as_ref().is_some_and(|(failed, _)| *failed),
        result: result.map(|(_, what)| what),
    }
}
