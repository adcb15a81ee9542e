//! `POST backfill/inventory`: of one SKU, one location, what changed since a time, or all, each pair that the shop does not
//! have as its source says is taken up again, behind live facts; with `dry_run` it only counts. Whoever asks says what is
//! meant: nothing named is refused, and `all` has to be written.

use super::asked::{Body, Hand, NothingElse};
use super::backfill::Awake;
use super::reconcile::{StockCheck, meant};
use super::stream::{Teller, streamed};
use super::works::When;
use super::{AdminError, AdminParts, Parts};
use axum::extract::State;
use axum::response::Response;
use jiff::Timestamp;
use kernel::id::{FlowName, ShopId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use store::operate::{AuditEntry, By};

/// Which pairs of a source are meant; all that are named have to fit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct StockNamed {
    /// As the source spells it.
    pub sku: Option<String>,
    /// As the source calls it.
    pub location: Option<String>,
    /// What the source says was changed at or after this instant.
    pub since: Option<Timestamp>,
}

impl std::fmt::Display for StockNamed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let named = [
            self.sku.as_ref().map(|sku| format!("SKU {sku}")),
            self.location.as_ref().map(|location| format!("location {location}")),
            self.since.map(|since| format!("changed since {since}")),
        ];
        let named: Vec<String> = named.into_iter().flatten().collect();
        f.write_str(if named.is_empty() { "all stock" } else { "" })?;
        f.write_str(&named.join(", "))
    }
}

/// What a backfill of stock did, or would do, of one flow at one shop.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct StockBackfilled {
    pub flow: String,
    pub shop: String,
    pub named: StockNamed,
    /// Pairs of the source that were looked through.
    pub source: u64,
    /// Of these, those that are meant.
    pub meant: u64,
    /// The shop has what the source says.
    pub agree: u64,
    /// Taken up again (or, in a dry run, to be taken up).
    pub appended: u64,
    /// Waiting or unknown already: the live delivery does it.
    pub under_way: u64,
    /// Dead: they are released, not brought anew.
    pub dead_letter: u64,
    /// The source counts anew: a person has to say so first.
    pub sequence_back: u64,
    /// Somebody typed it in the shop, and by policy it is not set back.
    pub by_hand: u64,
    /// Twice at a side: which one is meant nobody can tell.
    pub twice: u64,
    /// Could not be read or mapped.
    pub unreadable: u64,
    /// The source has it no more.
    pub gone: u64,
    /// What a reader should know of how it was made.
    pub notes: Vec<String>,
    /// An outcome for each pair: of one SKU for all of them, else for each that does not agree, the first of these.
    pub pairs: Vec<StockPair>,
    pub took_ms: BTreeMap<String, u64>,
}

/// What became of one pair.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StockPair {
    pub sku: String,
    pub location: String,
    /// What the source says may be sold; less what is in flight, it is what the shop is set to.
    pub available: i64,
    /// `agrees`, `brought` (in a dry run: to be brought), `under_way`, `dead_letter`, `sequence_back`, `changed_in_shop` (it stands, by
    /// policy), `twice`.
    pub outcome: &'static str,
    /// Of what is brought: `missed` (it never came) or `changed_in_shop`.
    pub why: Option<&'static str>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Asked {
    flow: Option<FlowName>,
    shop: Option<ShopId>,
    sku: Option<String>,
    location: Option<String>,
    since: Option<When>,
    #[serde(default)]
    all: bool,
    #[serde(default)]
    dry_run: bool,
    #[serde(flatten)]
    hand: Hand,
    #[serde(flatten)]
    _rest: NothingElse,
}

#[derive(Debug, Default, Serialize)]
struct Backfilled {
    dry_run: bool,
    meant: u64,
    appended: u64,
    parts: Vec<StockBackfilled>,
}

pub(super) async fn backfill(State(parts): Parts, Body(asked): Body<Asked>) -> Result<Response, AdminError> {
    let by = asked.hand.by_or("a backfill", parts.clock.now().wall)?;
    let sku = spelt("sku", asked.sku.as_deref())?;
    let location = spelt("location", asked.location.as_deref())?;
    let names_any = sku.is_some() || location.is_some() || asked.since.is_some();
    if names_any == asked.all {
        let what = if asked.all {
            "\"all\" is everything: leave out sku, location and since, or leave out all"
        } else {
            "nothing says which stock is meant: name a sku, a location or since; or write \"all\": true for everything"
        };
        return Err(AdminError::mend(what));
    }
    let mut works = Vec::new();
    for check in meant(&parts, asked.flow.as_ref(), asked.shop.as_ref())? {
        let since = asked.since.as_ref().map(|since| since.at(check.zone())).transpose()?;
        works.push((check, StockNamed { sku: sku.clone(), location: location.clone(), since }));
    }
    let (given, dry_run) = (parts.clone(), asked.dry_run);
    Ok(streamed(&parts, move |teller| walk(given, works, dry_run, by, teller)))
}

fn spelt(name: &str, text: Option<&str>) -> Result<Option<String>, AdminError> {
    match text.map(str::trim) {
        Some("") => Err(AdminError::mend(format!("{name} is empty: write it as its source spells it"))),
        text => Ok(text.map(str::to_owned)),
    }
}

async fn walk(
    parts: Arc<AdminParts>,
    works: Vec<(Arc<dyn StockCheck>, StockNamed)>,
    dry_run: bool,
    by: By,
    teller: Arc<Teller>,
) -> Result<Backfilled, AdminError> {
    let mut all = Backfilled { dry_run, ..Backfilled::default() };
    for (check, named) in works {
        let progress = Awake { parts: &parts, after: teller.after(0), dry_run };
        let told = check.backfill(&named, !dry_run, &progress).await?;
        if !dry_run {
            parts.hub.appended();
            parts.store.audit(entry(&told, &by)).await?;
        }
        all.meant += told.meant;
        all.appended += told.appended;
        all.parts.push(told);
    }
    Ok(all)
}

fn entry(told: &StockBackfilled, by: &By) -> AuditEntry {
    AuditEntry {
        at: by.at,
        who: by.who.clone(),
        action: "backfill".to_owned(),
        target: format!("{}, shop {}, {}: {} of the source", told.flow, told.shop, told.named, told.meant),
        why: by.why.clone(),
        count: told.appended,
    }
}
