//! Folding: what a source tells of a pair, levels and changes, in whatever order and however often, becomes one level (DESIGN section 4,
//! ADR 0018). Owns what is in what already: by its number where it has one, else by its place in the log. Pure; who keeps the record, and
//! that nothing is folded twice at once, is the engine's and the store's.
//!
//! - A level is absolute: it takes the place of the level before it. With a number, the changes up to it are in it, and one below that of
//!   the level before is an older one. Without, all that was folded before it in the log is in it.
//! - A change with a number is folded once, however often it comes, and not at all where the level has it already. Numbers of one pair
//!   go up by one: a gap is a change that is missing. What is known behind it counts meanwhile, and is marked.
//! - A change without a number is folded in the order of the log. That it comes once is its id's to say, at the intake.

mod record;
#[cfg(test)]
mod tests;

use super::change::{self, Change};
use super::fault::{StockCode, StockFault};
use super::level::{self, Stock};
use jiff::Timestamp;
use record::{Base, Kept, Record};
use serde_json::Value;

/// Changes that are kept apart from the level, so that one that came late finds its place, where nothing is missing among them.
const APART: usize = 32;
/// And at most: what is missing before the oldest of them is waited for no longer.
const APART_MAX: usize = 256;
/// How often in a row a source is asked whose level may be older than a change of it; then it is taken at its word.
const ASKED_MAX: u8 = 3;

/// What a source told.
#[derive(Debug, Clone, Copy)]
pub struct Told<'a> {
    pub topic: &'a str,
    pub payload: &'a [u8],
    /// Its number, where it has one.
    pub sequence: Option<i64>,
    pub at: Timestamp,
    /// The source was asked, and did not tell by itself: of a level with the same number this one counts.
    pub asked: bool,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Folding {
    /// The record as it is now; absent: as it was.
    pub record: Option<Vec<u8>>,
    pub became: Became,
    /// The source is to be asked for the level.
    pub ask: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Became {
    /// The level is this now; a payload of the topic of a level.
    Level(Vec<u8>),
    /// The level is just what was told.
    AsTold,
    /// It was known, or is in the level already.
    Known,
    /// A newer level is known.
    Older,
    /// There is no level yet to fold it into. With a number it is kept until there is one.
    NoLevel(StockFault),
}

/// Folds what was told into the record of its pair. `record`: as it was kept; absent: there is none.
///
/// # Errors
/// What was told is no level or no change, or the record is not one.
pub fn fold(told: &Told<'_>, record: Option<&[u8]>) -> Result<Folding, StockFault> {
    let mut known = Record::read(record)?;
    if told.topic == change::TOPIC {
        let change = change::read(told.payload)?;
        return changed(&change, told, &mut known);
    }
    let level = level::read(told.payload)?;
    levelled(&level, told, &mut known)
}

fn unchanged(became: Became, known: &Record) -> Folding {
    Folding { record: None, became, ask: !known.missing().is_empty() }
}

fn levelled(level: &Stock, told: &Told<'_>, known: &mut Record) -> Result<Folding, StockFault> {
    let before = known.base.as_ref().map(|base| base.sequence);
    if let (Some(Some(known_to)), Some(sequence)) = (before, told.sequence)
        && (sequence < known_to || (sequence == known_to && !told.asked))
    {
        return Ok(unchanged(Became::Older, known));
    }
    // What has a number is in the level by that; what has none, by its place in the log.
    let (kept, contained): (Vec<Kept>, Vec<Kept>) = std::mem::take(&mut known.changes).into_iter().partition(|kept| {
        matches!((kept.sequence, told.sequence), (Some(of_change), Some(of_level)) if of_change > of_level)
    });
    let highest = contained.iter().filter_map(|kept| kept.sequence).max();
    let sequence = told.sequence.or_else(|| highest.max(before.flatten()));
    // By the source's own clock the level may be from before a change without a number.
    let by_place = contained.iter().filter(|kept| kept.sequence.is_none() || told.sequence.is_none());
    let in_doubt = by_place.map(|kept| kept.changed_at).max().is_some_and(|newest| newest > level.changed_at);
    let ask = in_doubt && known.asked < ASKED_MAX;
    known.asked = if ask { known.asked + 1 } else { 0 };
    known.base = Some(Base::new(level, sequence, told.at)?);
    known.changes = kept;
    let became = if known.changes.is_empty() { Became::AsTold } else { level_of(known)? };
    Ok(Folding { record: Some(known.write()?), became, ask: ask || !known.missing().is_empty() })
}

fn changed(change: &Change, told: &Told<'_>, known: &mut Record) -> Result<Folding, StockFault> {
    let kept = Kept::new(change.by, told.sequence, change.changed_at);
    let is_known = told.sequence.is_some_and(|sequence| {
        let in_level = known.base.as_ref().and_then(|base| base.sequence).is_some_and(|to| sequence <= to);
        in_level || known.changes.iter().any(|kept| kept.sequence == Some(sequence))
    });
    if is_known {
        return Ok(unchanged(Became::Known, known));
    }
    // Kept also where it has no number: that the level which comes may be from before it is seen by its time.
    known.changes.push(kept);
    if known.base.is_none() {
        drop_oldest(known);
        let fault = no_level(change, told.sequence.is_some());
        return Ok(Folding { record: Some(known.write()?), became: Became::NoLevel(fault), ask: true });
    }
    put_into_base(known)?;
    Ok(Folding { record: Some(known.write()?), became: level_of(known)?, ask: !known.missing().is_empty() })
}

fn level_of(known: &Record) -> Result<Became, StockFault> {
    let none = || StockFault::new(StockCode::NoLevel, "$", "there is no level");
    known.level()?.map(Became::Level).ok_or_else(none)
}

/// Puts the oldest changes into the level for good, as long as nothing before them is missing; and where too many wait for one that is
/// missing, without it.
fn put_into_base(known: &mut Record) -> Result<(), StockFault> {
    while known.changes.len() > APART {
        let Some(base) = &mut known.base else { return Ok(()) };
        let lowest = known.changes.iter().filter_map(|kept| kept.sequence).min();
        let without = known.changes.iter().position(|kept| kept.sequence.is_none());
        let follows = |next: i64| base.sequence.is_none_or(|to| next == to + 1);
        let index = match (without, lowest) {
            (Some(index), _) => index,
            (None, Some(next)) if follows(next) || known.changes.len() > APART_MAX => {
                let gap = base.sequence.map_or(0, |to| next.saturating_sub(to).saturating_sub(1));
                base.given_up = base.given_up.saturating_add(gap.unsigned_abs());
                known.changes.iter().position(|kept| kept.sequence == Some(next)).unwrap_or_default()
            }
            _ => return Ok(()),
        };
        let change = known.changes.remove(index);
        base.add(&change)?;
    }
    Ok(())
}

/// Of changes that wait for a first level only so many are kept: what is missing then, a level that comes is asked for.
fn drop_oldest(known: &mut Record) {
    let excess = known.changes.len().saturating_sub(APART_MAX);
    known.changes.drain(..excess);
}

/// Why a change by itself is nothing that can be set.
#[must_use]
pub fn not_alone(change: &Change) -> StockFault {
    no_level(change, false)
}

fn no_level(change: &Change, is_kept: bool) -> StockFault {
    let (sku, location) = (&change.sku, &change.location);
    let then =
        if is_kept { "this change is kept until it comes" } else { "it has to hold this change already" };
    let what = format!(
        "no level of {sku:?} at {location:?} was ever told, so that nothing is there to be changed: send one under the topic \
         \"stock/level\"; {then}"
    );
    StockFault::new(StockCode::NoLevel, "$.change", what)
}

/// How a level was folded, a line each; empty where it was told as it is.
#[must_use]
pub fn explain(payload: &[u8]) -> Vec<String> {
    let Ok(body) = serde_json::from_slice::<Value>(payload) else { return Vec::new() };
    let folded = &body["folded"];
    let Some(told_at) = folded["told_at"].as_str() else { return Vec::new() };
    let number =
        folded["version"].as_i64().map_or_else(String::new, |version| format!(" (version {version})"));
    let changes = match folded["changes"].as_u64().unwrap_or_default() {
        1 => "1 change".to_owned(),
        changes => format!("{changes} changes"),
    };
    let mut lines = vec![format!("folded: the level told at {told_at}{number}, and {changes} since")];
    if let Some(missing) = stretches(&folded["missing"]) {
        lines.push(format!("incomplete: no change {missing} came, and the source tells of later ones"));
    }
    let given_up = folded["given_up"].as_u64().unwrap_or_default();
    if given_up > 0 {
        lines.push(format!("incomplete: {given_up} changes never came; only a level mends it"));
    }
    lines
}

/// The number of the level that it was folded into; `None`: it was not folded, or that had none.
#[must_use]
pub fn told_version(payload: &[u8]) -> Option<i64> {
    let body: Value = serde_json::from_slice(payload).ok()?;
    body["folded"]["version"].as_i64()
}

/// Whether both are the same level, whenever it was told.
#[must_use]
pub fn is_same(one: &[u8], other: &[u8]) -> bool {
    match (level::read(one), level::read(other)) {
        (Ok(one), Ok(other)) => Stock { changed_at: other.changed_at, ..one } == other,
        _ => false,
    }
}

/// `18, 20 to 24`.
fn stretches(missing: &Value) -> Option<String> {
    let stretch = |pair: &Value| match (pair[0].as_i64()?, pair[1].as_i64()?) {
        (first, last) if first == last => Some(first.to_string()),
        (first, last) => Some(format!("{first} to {last}")),
    };
    let all: Vec<String> = missing.as_array()?.iter().filter_map(stretch).collect();
    (!all.is_empty()).then(|| all.join(", "))
}
