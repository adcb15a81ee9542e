//! `GET cadence`: the work that no event drives: what is due next, when it was made last, how long that took and what came of
//! it, which of its times went by, and who has its lease. Owns what is kept of a run ([`Ran`]); whoever makes a run keeps it.

use super::{AdminError, Parts};
use axum::Json;
use axum::extract::State;
use config::Cadence;
use jiff::{SignedDuration, Timestamp};
use kernel::clock::{Clock, Now, after};
use kernel::id::{FlowName, ShopId};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use store::operate::AuditEntry;
use store::{Store, StoreError};

/// Which work it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Work {
    /// All stock of the source against all of the shop.
    FullCheck,
    /// What no webhook told of is looked for.
    Sweep,
    /// A system is asked what changed.
    Feed,
    /// Prices are asked of a source.
    PricePull,
    /// What price lists say is brought into a shop's catalogs.
    Hydration,
    /// All that a shop's catalogs say is compared with what they are to say.
    CatalogCheck,
}

/// One work with its cadence.
#[derive(Debug, Clone)]
pub struct Cadenced {
    pub work: Work,
    /// None: it belongs to no flow.
    pub flow: Option<FlowName>,
    /// None: it belongs to no shop, or to all of them.
    pub shop: Option<ShopId>,
    /// The system that it asks, where no flow says it.
    pub source: Option<String>,
    pub cadence: Cadence,
    /// By up to how much each of its runs is put off.
    pub jitter: Duration,
    /// Under which name the store keeps when it was made last ([`Ran`] beside it).
    pub cursor: String,
    /// Under which name the store knows who makes it; none: it is made by whoever makes all that one node makes alone.
    pub lease: Option<String>,
    /// Under which name the store keeps an instant at which it is due whatever the cadence says; what lies before the last
    /// run no longer counts.
    pub due_at: Option<String>,
}

impl Cadenced {
    /// Of a flow at a shop.
    pub fn of_flow(work: Work, flow: &FlowName, shop: &ShopId, cadence: Cadence, cursor: String) -> Self {
        let (flow, shop) = (Some(flow.clone()), Some(shop.clone()));
        let jitter = Duration::ZERO;
        Self { work, flow, shop, source: None, cadence, jitter, cursor, lease: None, due_at: None }
    }

    /// Each of its runs is put off by up to so long.
    #[must_use]
    pub fn put_off(self, jitter: Duration) -> Self {
        Self { jitter, ..self }
    }

    /// By how much the run that is due at an instant is put off, where that is known before. A pass that is made all day long is
    /// put off from when the one before it ended.
    fn known_jitter(&self) -> Duration {
        if self.cadence.is_steady() && self.work != Work::FullCheck { Duration::ZERO } else { self.jitter }
    }

    /// Made by whoever has this lease.
    #[must_use]
    pub fn under(self, lease: String) -> Self {
        Self { lease: Some(lease), ..self }
    }

    /// Its times that went by since it was made last; it is made once for all of them. What is due has a minute, in which it is
    /// looked for.
    fn missed(&self, last: Timestamp, now: Timestamp) -> u32 {
        let Ok(by_now) = now.checked_sub(LOOKED_WITHIN) else { return 0 };
        let put_off = |due| after(due, config::put_off(&self.cursor, due, self.known_jitter()));
        let (mut missed, mut at) = (0, last);
        while missed < MISSED_MAX {
            match self.cadence.after(at) {
                Some(next) if put_off(next) <= by_now && next > at => (missed, at) = (missed + 1, next),
                _ => break,
            }
        }
        missed
    }
}

/// A work is looked at so often.
const LOOKED_WITHIN: SignedDuration = SignedDuration::from_secs(60);
/// Times that went by are counted up to here.
const MISSED_MAX: u32 = 1_000;

/// What is kept of the last run of a work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ran {
    pub began: Timestamp,
    pub took_ms: u64,
    /// It did not come to its end: `what` says why.
    pub failed: bool,
    /// What came of it, in words.
    pub what: String,
}

impl Ran {
    /// One that ends now.
    pub fn since(began: Now, clock: &dyn Clock, outcome: Result<String, String>) -> Self {
        let took = clock.now().mono.since(began.mono);
        let failed = outcome.is_err();
        let (Ok(what) | Err(what)) = outcome;
        let took_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        Self { began: began.wall, took_ms, failed, what }
    }

    /// # Errors
    /// The store's. The work itself is done.
    pub async fn keep(&self, store: &dyn Store, cursor: &str) -> Result<(), StoreError> {
        let text = serde_json::json!(self).to_string();
        store.set_cursor(&beside(cursor), &text).await
    }

    /// None: there was no run, or what was kept is of another version.
    async fn last(store: &dyn Store, cursor: &str) -> Result<Option<Self>, StoreError> {
        let text = store.cursor(&beside(cursor)).await?;
        Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
    }
}

fn beside(cursor: &str) -> String {
    format!("ran/{cursor}")
}

#[derive(Debug, Serialize)]
pub(super) struct Cadences {
    cadences: Vec<CadenceLine>,
}

/// How one work stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CadenceLine {
    pub work: Work,
    pub flow: Option<FlowName>,
    pub shop: Option<ShopId>,
    pub source: Option<String>,
    pub cadence: String,
    /// By up to how much each run is put off, in milliseconds.
    pub jitter_ms: u64,
    /// Absent: not since this store began.
    pub last: Option<Timestamp>,
    /// Absent: nobody knows before it was looked for once.
    pub next: Option<Timestamp>,
    /// It is due: at its next look it is made.
    pub due: bool,
    /// Its times that went by since the last, for which it is made up once: 1000 are 1000 or more.
    pub missed: u32,
    /// Who makes it, or made it last and may go on with it.
    pub held_by: Option<Holder>,
    /// The last run: when it began, how long it took, what came of it.
    pub ran: Option<Ran>,
    /// What the last one found, of those that leave an entry in the audit, by hand or at the cadence.
    pub found: Option<Found>,
}

/// Who has the lease of a work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Holder {
    pub node: String,
    pub until: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Found {
    pub at: Timestamp,
    pub who: String,
    pub what: String,
}

impl CadenceLine {
    /// What came of it: of the last run at the cadence and of the audit's newest entry, what is newer; and whether that failed.
    #[must_use]
    pub fn result(&self) -> Option<(bool, &str)> {
        let of_run = self.ran.as_ref().map(|ran| (ran.began, ran.failed, ran.what.as_str()));
        let of_audit = self.found.as_ref().map(|found| (found.at, false, found.what.as_str()));
        let newest = match (of_run, of_audit) {
            (Some(run), Some(by_hand)) if by_hand.0 > run.0 => Some(by_hand),
            (run, by_hand) => run.or(by_hand),
        };
        newest.map(|(_, failed, what)| (failed, what))
    }
}

/// The newest entries of the audit in which a result is looked for.
const ENTRIES: u32 = 1_000;

pub(super) async fn list(State(parts): Parts) -> Result<Json<Cadences>, AdminError> {
    let now = parts.clock.now().wall;
    Ok(Json(Cadences { cadences: lines(parts.store.as_ref(), &parts.cadences, now).await? }))
}

/// How each stands, what is due first at the top.
///
/// # Errors
/// The store's.
pub async fn lines(
    store: &dyn Store,
    all: &[Cadenced],
    now: Timestamp,
) -> Result<Vec<CadenceLine>, StoreError> {
    let found = match all.iter().any(|of| of.work == Work::FullCheck) {
        true => store.audit_entries(ENTRIES).await?,
        false => Vec::new(),
    };
    let mut cadences = Vec::with_capacity(all.len());
    for of in all {
        let last = instant(store, &of.cursor).await?;
        // What is overdue waits for its window, where that is not open.
        let comes = |last, now| of.cadence.next_put_off(&of.cursor, of.known_jitter(), last, now);
        let opens = |last| comes(last, now).filter(|next| *next > now);
        let mut next = last.and_then(|last| opens(last).or_else(|| comes(last, last)));
        if let Some(name) = &of.due_at {
            let own = instant(store, name).await?.filter(|at| last.is_none_or(|last| *at > last));
            next = next.into_iter().chain(own).min();
        }
        let held_by = match &of.lease {
            Some(lease) => store.leased(lease, now).await?.map(|(node, until)| Holder { node, until }),
            None => None,
        };
        cadences.push(CadenceLine {
            work: of.work,
            flow: of.flow.clone(),
            shop: of.shop.clone(),
            source: of.source.clone(),
            cadence: of.cadence.to_string(),
            jitter_ms: u64::try_from(of.jitter.as_millis()).unwrap_or(u64::MAX),
            last,
            next,
            due: next.is_some_and(|next| next <= now),
            missed: last.map_or(0, |last| of.missed(last, now)),
            held_by,
            ran: Ran::last(store, &of.cursor).await?,
            found: (of.work == Work::FullCheck).then(|| newest(&found, of)).flatten(),
        });
    }
    cadences.sort_by_key(|of| (of.next.is_none(), of.next));
    Ok(cadences)
}

async fn instant(store: &dyn Store, name: &str) -> Result<Option<Timestamp>, StoreError> {
    Ok(store.cursor(name).await?.and_then(|text| text.parse().ok()))
}

fn newest(entries: &[AuditEntry], of: &Cadenced) -> Option<Found> {
    let head = format!("{}, shop {}: ", of.flow.as_ref()?, of.shop.as_ref()?);
    let entry =
        entries.iter().find(|entry| entry.action == "reconcile" && entry.target.starts_with(&head))?;
    let what = entry.target[head.len()..].to_owned();
    Some(Found { at: entry.at, who: entry.who.clone(), what })
}
