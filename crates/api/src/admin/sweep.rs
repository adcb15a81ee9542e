//! `POST sweep`: one full pass now, of the flows and shops that are named.

use super::asked::{Body, NothingElse};
use super::stream::{Teller, streamed};
use super::works::{Named, Place};
use super::{AdminError, AdminParts, Parts, WorkScope};
use axum::extract::State;
use axum::response::Response;
use engine::work::sweep::pass;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

#[derive(Debug, Deserialize)]
pub(super) struct Asked {
    #[serde(flatten)]
    named: Named,
    #[serde(flatten)]
    _rest: NothingElse,
}

#[derive(Debug, Default, Serialize)]
struct Swept {
    listed: u64,
    /// Not in the log, or older there.
    missed: u64,
    passes: Vec<Pass>,
}

#[derive(Debug, Serialize)]
struct Pass {
    #[serde(flatten)]
    place: Place,
    listed: u64,
    missed: u64,
    /// What changed since was left to its webhook.
    grace_ms: u64,
}

pub(super) async fn sweep(State(parts): Parts, Body(asked): Body<Asked>) -> Result<Response, AdminError> {
    let works = asked.named.works(&parts)?;
    let given = parts.clone();
    Ok(streamed(&parts, |teller| walk(given, works, teller)))
}

async fn walk(
    parts: Arc<AdminParts>,
    works: Vec<WorkScope>,
    teller: Arc<Teller>,
) -> Result<Swept, AdminError> {
    let mut all = Swept::default();
    let found = AtomicU64::new(0);
    let news = || {
        parts.hub.appended();
        // A pass that nobody waits for any more is dropped as a whole; its watermark has not moved.
        let _ = teller.tell(found.fetch_add(1, Ordering::Relaxed) + 1, 0);
    };
    for work in works {
        let pass = pass(&work.scope, work.sweep, &news).await?;
        parts.watching.metrics().missed_webhooks(&work.scope.shop, pass.missed);
        all.listed += pass.listed;
        all.missed += pass.missed;
        let grace_ms = u64::try_from(work.sweep.grace.as_millis()).unwrap_or(u64::MAX);
        let place = Place::of(&work);
        all.passes.push(Pass { place, listed: pass.listed, missed: pass.missed, grace_ms });
    }
    Ok(all)
}
