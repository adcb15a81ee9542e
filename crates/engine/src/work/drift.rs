//! What full checks of stock found, kept in the store, so that all nodes show the same: the figures of each check (the drift's
//! history), and of the newest that found something every pair as well. Owns what is kept and how much of it; refuses to judge
//! what a difference means. Of people it knows only who asked for a check.

mod table;

pub use table::csv;

use jiff::Timestamp;
use kernel::id::{FlowName, ShopId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;
use store::series::SeriesStep;
use store::{Store, StoreError};

/// Checks of one flow at one shop whose figures are kept.
pub const CHECKS_MAX: u64 = 1_000;
/// Of these, the newest that found something are kept with every pair: so many, and no more than so many bytes of JSON. The newest
/// one always is.
pub const REPORTS_MAX: usize = 30;
pub const REPORTS_BYTES_MAX: u64 = 64 << 20;
/// Of a report, in the store.
const CHUNK_BYTES: usize = 1 << 20;
/// What was put this long ago and is of no report is of one that never came to its end.
const UNNAMED: Duration = Duration::from_secs(600);
/// Other nodes' checks may end at the same time.
const TRIES: u32 = 10;

/// The figures of one check.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Checked {
    /// From 1, of the flow at the shop.
    pub number: u64,
    pub flow: String,
    pub shop: String,
    pub began: Timestamp,
    pub took_ms: u64,
    pub who: String,
    pub why: String,
    /// It only told.
    pub dry_run: bool,
    /// Pairs that the source named, that the shop has, and on which they agreed.
    pub source: u64,
    pub shop_has: u64,
    pub same: u64,
    pub unreadable: u64,
    pub without_sku: u64,
    /// How many differences, by cause; and of those that were looked at once more, by why.
    pub causes: BTreeMap<String, u64>,
    pub whys: BTreeMap<String, u64>,
    pub appended: u64,
    pub notes: Vec<String>,
    /// What it found can be shown pair by pair. One that found nothing has no pairs.
    pub whole: bool,
}

impl Checked {
    pub fn differences(&self) -> u64 {
        self.causes.values().sum()
    }
}

/// One pair on which the sides did not agree.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Difference {
    pub sku: String,
    pub location: String,
    pub cause: String,
    pub why: Option<String>,
    /// What the shop's available should be.
    pub wanted: Option<i64>,
    pub has: Option<i64>,
    /// How the other side spells the SKU, where it differs by capitals or blanks alone.
    pub spelt: Option<String>,
    /// When the shop says that the quantity was changed last, where somebody changed it there.
    pub changed_at: Option<Timestamp>,
    /// Of a wrong location, where the shop sells units of which the source does not tell, and how many.
    pub elsewhere: Option<String>,
    pub elsewhere_has: Option<i64>,
}

/// A check with its pairs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Report {
    #[serde(flatten)]
    pub checked: Checked,
    pub differences: Vec<Difference>,
}

impl Report {
    /// One object.
    pub fn json(&self) -> String {
        // Plain data always serialises.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// What is known of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known {
    Whole(Box<Report>),
    /// Its pairs are kept no more.
    Figures(Box<Checked>),
    /// There is no such check, or nothing of it is kept.
    Nothing,
}

/// Of its reports; under the same name how many checks there were, which moves to another store with the figures (pairs do not).
fn series(flow: &FlowName, shop: &ShopId) -> String {
    format!("full_checks/{flow}/{shop}")
}

/// The check whose report a step is.
fn check_of(step: &SeriesStep) -> u64 {
    step.body.split_once('/').and_then(|(number, _)| number.parse().ok()).unwrap_or(0)
}

/// The newest check; 0: there was none.
async fn newest(store: &dyn Store, series: &str, head: Option<&SeriesStep>) -> Result<u64, StoreError> {
    let counted = store.cursor(series).await?.and_then(|text| text.parse().ok()).unwrap_or(0);
    Ok(head.map_or(0, check_of).max(counted))
}

/// Under which name the store keeps the figures of a check; an older one's place is taken.
fn place(flow: &FlowName, shop: &ShopId, number: u64) -> String {
    format!("{}/{}", series(flow, shop), number % CHECKS_MAX)
}

/// Puts a check at the end of the history of its flow and shop, gives it its number, and drops what is beyond the bounds.
///
/// # Errors
/// The store's.
pub async fn keep(
    store: &dyn Store,
    (flow, shop): (&FlowName, &ShopId),
    mut report: Report,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let series = series(flow, shop);
    for _ in 0..TRIES {
        let head = store.series_head(&series).await?;
        let number = newest(store, &series, head.as_ref()).await? + 1;
        report.checked.number = number;
        report.checked.whole = true;
        let bytes = if report.differences.is_empty() { String::new() } else { report.json() }.into_bytes();
        // Of two nodes that take one number, each has its own.
        let body = format!("{number}/{}/{}", now.as_nanosecond(), bytes.len());
        for (part, chunk) in (0..).zip(bytes.chunks(CHUNK_BYTES)) {
            store.put_chunk(&series, &body, part, chunk.to_vec(), now).await?;
        }
        let bytes = bytes.len() as u64;
        let step = head.map_or(0, |head| head.number) + 1;
        let step = SeriesStep { number: step, body, digest: String::new(), bytes, whole: true, at: now };
        if store.append_step(&series, &step).await? {
            let figures = serde_json::to_string(&report.checked).unwrap_or_default();
            store.set_cursor(&place(flow, shop, number), &figures).await?;
            store.set_cursor(&series, &number.to_string()).await?;
            let steps = store.series_steps(&series, 0, u32::MAX).await?;
            store.forget_steps(&series, oldest_of(&steps), now.checked_sub(UNNAMED).unwrap_or(now)).await?;
            return Ok(number);
        }
    }
    let what = format!("{TRIES} other full checks of {flow} at {shop} ended in this moment");
    Err(StoreError::Unavailable(what))
}

/// The oldest step that is kept.
fn oldest_of(steps: &[SeriesStep]) -> u64 {
    let (mut oldest, mut reports, mut bytes) = (0, 0, 0);
    for step in steps.iter().rev() {
        if step.bytes > 0 {
            (reports, bytes) = (reports + 1, bytes + step.bytes);
        }
        let is_beyond = reports > REPORTS_MAX || bytes > REPORTS_BYTES_MAX && reports > 1;
        if is_beyond || steps.last().is_some_and(|newest| newest.number - step.number >= CHECKS_MAX) {
            break;
        }
        oldest = step.number;
    }
    oldest
}

/// The figures of the checks of a flow at a shop, newest first.
///
/// # Errors
/// The store's.
pub async fn history(
    store: &dyn Store,
    flow: &FlowName,
    shop: &ShopId,
    limit: usize,
) -> Result<Vec<Checked>, StoreError> {
    let series = series(flow, shop);
    let newest = newest(store, &series, store.series_head(&series).await?.as_ref()).await?;
    let oldest = oldest_kept(store, &series).await?;
    let mut checks = Vec::new();
    for number in (1..=newest).rev().take(limit.min(CHECKS_MAX as usize)) {
        checks.extend(figures(store, flow, shop, number, oldest).await?);
    }
    Ok(checks)
}

async fn oldest_kept(store: &dyn Store, series: &str) -> Result<u64, StoreError> {
    Ok(store.series_steps(series, 0, 1).await?.first().map_or(u64::MAX, check_of))
}

/// None: they are kept no more, or another version wrote them in another form.
async fn figures(
    store: &dyn Store,
    flow: &FlowName,
    shop: &ShopId,
    number: u64,
    oldest: u64,
) -> Result<Option<Checked>, StoreError> {
    let text = store.cursor(&place(flow, shop, number)).await?;
    let read = text.and_then(|text| serde_json::from_str::<Checked>(&text).ok());
    Ok(read.filter(|checked| checked.number == number).map(|mut checked| {
        checked.whole = number >= oldest || checked.causes.is_empty();
        checked
    }))
}

/// One check by its number, the newest where none is named.
///
/// # Errors
/// The store's.
pub async fn report(
    store: &dyn Store,
    flow: &FlowName,
    shop: &ShopId,
    number: Option<u64>,
) -> Result<Known, StoreError> {
    let series = series(flow, shop);
    let number = match number {
        Some(number) => number,
        None => newest(store, &series, store.series_head(&series).await?.as_ref()).await?,
    };
    let steps = store.series_steps(&series, 0, u32::MAX).await?;
    let oldest = steps.first().map_or(u64::MAX, check_of);
    if let Some(step) = steps.into_iter().find(|step| check_of(step) == number)
        && step.bytes > 0
        && let Some(report) = pairs(store, &series, &step).await?
    {
        return Ok(Known::Whole(Box::new(report)));
    }
    Ok(match figures(store, flow, shop, number, oldest).await? {
        Some(checked) if checked.causes.is_empty() => {
            Known::Whole(Box::new(Report { checked, differences: Vec::new() }))
        }
        Some(checked) => Known::Figures(Box::new(Checked { whole: false, ..checked })),
        None => Known::Nothing,
    })
}

/// None: it was dropped meanwhile, or another version wrote it in another form.
async fn pairs(store: &dyn Store, series: &str, step: &SeriesStep) -> Result<Option<Report>, StoreError> {
    let mut bytes = Vec::new();
    for part in 0.. {
        if bytes.len() as u64 >= step.bytes {
            break;
        }
        let Some(chunk) = store.chunk(series, &step.body, part).await? else { return Ok(None) };
        bytes.extend(chunk);
    }
    Ok(serde_json::from_slice(&bytes).ok())
}

#[cfg(test)]
mod tests;
