//! `POST reconcile`: all that a source has of stock against all that its shop has; with `dry_run` it only tells, else what
//! differs is taken up again, behind live facts. Every check leaves a line in the audit and its report in the store
//! (`engine::work::drift`).

use super::asked::{Body, Hand, NothingElse};
use super::stream::{Teller, streamed};
use super::{AdminError, AdminParts, Parts, StockBackfilled, StockNamed};
use async_trait::async_trait;
use axum::extract::State;
use axum::response::Response;
use engine::work::drift::{self, Checked, Difference, Report};
use engine::work::{Progress, WorkError};
use jiff::tz::TimeZone;
use kernel::clock::{Clock, Now};
use kernel::fault::Fault;
use kernel::id::{FlowName, ShopId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;
use store::operate::{AuditEntry, By};
use store::{Store, StoreError};

/// A full check that can be asked for: one flow at one shop.
#[async_trait]
pub trait StockCheck: Send + Sync + Debug {
    fn flow(&self) -> &FlowName;
    fn shop(&self) -> &ShopId;
    /// The shop's: a day is a day there.
    fn zone(&self) -> &TimeZone;
    async fn run(&self, asked: &Checking, progress: &dyn Progress) -> Result<StockChecked, CheckError>;
    /// Of the pairs that are named, those of which the shop has not what the source says; with `brings` they are taken up
    /// again, else only counted. Nothing is concluded from what the source does not name.
    async fn backfill(
        &self,
        named: &StockNamed,
        brings: bool,
        progress: &dyn Progress,
    ) -> Result<StockBackfilled, CheckError>;
}

/// How a full check is asked for.
#[derive(Debug, Clone, Default)]
pub struct Checking {
    /// What differs is taken up again.
    pub mends: bool,
    /// What an interrupted check has read is left where it is, and all is read again.
    pub anew: bool,
    /// A snapshot like the one that was refused is the whole by now: who says so, and why.
    pub accepts: Option<By>,
}

/// Why a full check came to no end. It changed nothing.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum CheckError {
    #[error(transparent)]
    Work(#[from] WorkError),
    /// What the source says that it has is not believed; what to do stands in the text.
    #[error("{0}")]
    Doubted(String),
    #[error(
        "a full check or a backfill of the stock of {flow} at {shop} is under way, here or at another node: ask again when it has \
         ended; that of a node that died counts for a minute"
    )]
    UnderWay { flow: FlowName, shop: ShopId },
}

impl From<Fault> for CheckError {
    fn from(fault: Fault) -> Self {
        Self::Work(fault.into())
    }
}

impl From<StoreError> for CheckError {
    fn from(error: StoreError) -> Self {
        Self::Work(error.into())
    }
}

/// What a full check found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct StockChecked {
    pub flow: String,
    pub shop: String,
    /// Pairs that the source named.
    pub source: u64,
    /// Pairs that the shop has.
    pub shop_has: u64,
    pub same: u64,
    /// Pairs of the source that could not be read or mapped.
    pub unreadable: u64,
    /// Levels of the shop whose item has no SKU.
    pub without_sku: u64,
    /// How many, by cause: `differs`, `missing_in_shopify`, `unknown_in_source`, …
    pub causes: BTreeMap<String, u64>,
    /// Of those that were looked at once more, how many, by why: `missed`, `under_way`, `dead_letter`, `changed_in_shop`,
    /// `settled` (they agree by now).
    pub whys: BTreeMap<String, u64>,
    /// What becomes of what somebody typed in the shop: `revert`, `report`, `accept` or `ask`.
    pub by_hand: &'static str,
    /// Of these a person is asked about so many, and so many were not asked about before.
    pub asked: u64,
    pub newly_asked: u64,
    /// How many were taken up again.
    pub appended: u64,
    /// What a reader should know of how it was made: from where it went on, what was approved.
    pub notes: Vec<String>,
    /// How long each part took: `waiting` (for Shopify's list), `shop`, `source`, `second_look`.
    pub took_ms: BTreeMap<String, u64>,
    /// Some of them, with their names.
    pub differences: Vec<Difference>,
    /// Under which number it is kept (`tidegate reconcile show`).
    pub report: Option<u64>,
}

impl StockChecked {
    /// As it is kept.
    fn report(&self, check: &dyn StockCheck, made: &Made<'_>, took: Duration) -> Report {
        Report {
            checked: Checked {
                number: 0,
                flow: check.flow().to_string(),
                shop: check.shop().to_string(),
                began: made.began.wall,
                took_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
                who: made.by.who.clone(),
                why: made.by.why.clone(),
                dry_run: made.dry_run,
                source: self.source,
                shop_has: self.shop_has,
                same: self.same,
                unreadable: self.unreadable,
                without_sku: self.without_sku,
                causes: self.causes.clone(),
                whys: self.whys.clone(),
                appended: self.appended,
                notes: self.notes.clone(),
                whole: true,
            },
            differences: self.differences.clone(),
        }
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Asked {
    flow: Option<FlowName>,
    shop: Option<ShopId>,
    #[serde(default)]
    dry_run: bool,
    #[serde(default)]
    anew: bool,
    #[serde(default)]
    accept_smaller: bool,
    #[serde(flatten)]
    hand: Hand,
    #[serde(flatten)]
    _rest: NothingElse,
}

#[derive(Debug, Default, Serialize)]
struct Reconciled {
    dry_run: bool,
    parts: Vec<StockChecked>,
}

pub(super) async fn reconcile(State(parts): Parts, Body(asked): Body<Asked>) -> Result<Response, AdminError> {
    let now = parts.clock.now().wall;
    // Whoever approves says why.
    let by =
        if asked.accept_smaller { asked.hand.by(now)? } else { asked.hand.by_or("a full check", now)? };
    let checks = meant(&parts, asked.flow.as_ref(), asked.shop.as_ref())?;
    if asked.accept_smaller && (asked.dry_run || checks.len() > 1) {
        let what = "what is approved is one flow's snapshot at one shop, for good: name flow and shop, and leave dry_run out";
        return Err(AdminError::mend(what));
    }
    let checking = Checking {
        mends: !asked.dry_run,
        anew: asked.anew,
        accepts: asked.accept_smaller.then(|| by.clone()),
    };
    let given = parts.clone();
    Ok(streamed(&parts, move |teller| walk(given, checks, checking, by, teller)))
}

/// Those of a flow and a shop; at least one.
pub(super) fn meant(
    parts: &AdminParts,
    flow: Option<&FlowName>,
    shop: Option<&ShopId>,
) -> Result<Vec<Arc<dyn StockCheck>>, AdminError> {
    let meant = |check: &&Arc<dyn StockCheck>| {
        flow.is_none_or(|flow| flow == check.flow()) && shop.is_none_or(|shop| shop == check.shop())
    };
    let checks: Vec<_> = parts.checks.iter().filter(meant).cloned().collect();
    if checks.is_empty() {
        let known: Vec<String> =
            parts.checks.iter().map(|check| format!("{} at {}", check.flow(), check.shop())).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        return Err(AdminError::not_found(format!(
            "no flow brings stock to Shopify under that name and shop; there are: {known}"
        )));
    }
    Ok(checks)
}

async fn walk(
    parts: Arc<AdminParts>,
    checks: Vec<Arc<dyn StockCheck>>,
    checking: Checking,
    by: By,
    teller: Arc<Teller>,
) -> Result<Reconciled, AdminError> {
    let dry_run = !checking.mends;
    let mut all = Reconciled { dry_run, parts: Vec::new() };
    for check in checks {
        let made = Made { by: &by, dry_run, began: parts.clock.now() };
        let mut told = check.run(&checking, &teller.after(0)).await?;
        if told.appended > 0 {
            parts.hub.appended();
        }
        parts.watching.asked(check.as_ref(), &told);
        let report = kept(parts.store.as_ref(), parts.clock.as_ref(), check.as_ref(), &told, &made).await?;
        told.report = Some(report);
        all.parts.push(told);
    }
    Ok(all)
}

/// How a check was made.
#[derive(Debug, Clone, Copy)]
pub struct Made<'a> {
    pub by: &'a By,
    pub dry_run: bool,
    pub began: Now,
}

/// What a check found stands in the audit and, with every pair, in the store; under this number.
///
/// # Errors
/// The store's: of a check that mended, what it took up again stays so.
pub async fn kept(
    store: &dyn Store,
    clock: &dyn Clock,
    check: &dyn StockCheck,
    told: &StockChecked,
    made: &Made<'_>,
) -> Result<u64, StoreError> {
    store.audit(record(check, told, made.dry_run, made.by)).await?;
    let now = clock.now();
    let report = told.report(check, made, now.mono.since(made.began.mono));
    drift::keep(store, (check.flow(), check.shop()), report, now.wall).await
}

/// What a check found, for the audit.
pub fn record(check: &dyn StockCheck, told: &StockChecked, dry_run: bool, by: &By) -> AuditEntry {
    let causes: Vec<String> = told.causes.iter().map(|(cause, count)| format!("{count} {cause}")).collect();
    let causes = if causes.is_empty() { "no difference".to_owned() } else { causes.join(", ") };
    let what = if dry_run { ", changed nothing" } else { "" };
    AuditEntry {
        at: by.at,
        who: by.who.clone(),
        action: "reconcile".to_owned(),
        target: format!(
            "{}, shop {}: {} pairs against {}; {causes}{what}",
            check.flow(),
            check.shop(),
            told.source,
            told.shop_has
        ),
        why: by.why.clone(),
        count: told.appended,
    }
}
