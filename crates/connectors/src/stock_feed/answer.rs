//! What the system answers: `{"version": 17, "data": {…}}` for one pair; `{"items": [those], "next": "17", "more": false}`
//! for what changed; one pair a line, and a last line `{"items": N}`, for the whole. Owns the form; the data itself is the
//! domain's to judge, byte for byte as it came.

use super::{TOPIC, code};
use connector::outbound::Answer;
use connector::port::{Changes, Fed, FedChange, Read};
use domains::inventory::change;
use jiff::Timestamp;
use kernel::fault::{Fault, FaultKind};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

#[derive(Deserialize)]
struct Item<'a> {
    /// Only a change may have none.
    version: Option<i64>,
    /// Of a change.
    #[serde(borrow)]
    id: Option<Cow<'a, str>>,
    /// Of a line of the whole: which snapshot it is of, where the source says so.
    #[serde(borrow)]
    snapshot: Option<&'a RawValue>,
    #[serde(borrow)]
    data: &'a RawValue,
}

#[derive(Deserialize)]
struct Page<'a> {
    #[serde(borrow)]
    items: Vec<Item<'a>>,
    next: String,
    #[serde(default)]
    more: bool,
}

/// The part of the data by which it is known. What else a level has to be is the domain's to judge.
#[derive(Deserialize)]
struct Pair<'a> {
    #[serde(borrow)]
    sku: Cow<'a, str>,
    #[serde(borrow)]
    location: Cow<'a, str>,
}

/// What makes it a change.
#[derive(Deserialize)]
struct By<'a> {
    #[serde(borrow)]
    change: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Changed {
    changed_at: Timestamp,
}

pub(super) fn read(answer: &Answer) -> Result<Read, Fault> {
    let item: Item<'_> = parsed(answer)?;
    pair(&item)?;
    let Changed { changed_at } = of_data(&item)?;
    Ok(Read {
        payload: item.data.get().as_bytes().to_vec(),
        topic: TOPIC.to_owned(),
        updated_at: changed_at,
        sequence: Some(version(&item)?),
    })
}

/// Of a level, which has one always.
fn version(item: &Item<'_>) -> Result<i64, Fault> {
    item.version.ok_or_else(|| form(format!("a level has no version: {}", item.data)))
}

pub(super) fn changes(answer: &Answer) -> Result<Changes, Fault> {
    let page: Page<'_> = parsed(answer)?;
    let items = page.items.iter().map(fed).collect::<Result<_, Fault>>()?;
    Ok(Changes { items, next: page.next, more: page.more })
}

/// A line of the whole: a pair, or the last line, which says how many there were.
pub(super) struct Line<'a> {
    pub(super) says: Says<'a>,
    /// Which snapshot it is of, as it is written; absent: it does not say.
    pub(super) snapshot: Option<&'a str>,
}

pub(super) enum Says<'a> {
    /// What it has of one; whose it is stands in it.
    Pair {
        sequence: i64,
        data: &'a str,
    },
    End {
        items: u64,
    },
}

pub(super) fn line(text: &[u8], number: u64) -> Result<Line<'_>, Fault> {
    #[derive(Deserialize)]
    struct End<'a> {
        items: u64,
        #[serde(borrow)]
        snapshot: Option<&'a RawValue>,
    }
    let wrong = |error: serde_json::Error| form(format!("line {number} of the whole: {error}"));
    match serde_json::from_slice::<Item<'_>>(text) {
        Ok(item) => Ok(Line {
            says: Says::Pair { sequence: version(&item)?, data: item.data.get() },
            snapshot: item.snapshot.map(RawValue::get),
        }),
        Err(error) => match serde_json::from_slice::<End<'_>>(text) {
            Ok(End { items, snapshot }) => {
                Ok(Line { says: Says::End { items }, snapshot: snapshot.map(RawValue::get) })
            }
            Err(_) => Err(wrong(error)),
        },
    }
}

fn fed(item: &Item<'_>) -> Result<Fed, Fault> {
    let pair = pair(item)?;
    let By { change } = of_data(item)?;
    let path = domains::inventory::path(&pair.sku, &pair.location);
    let payload = item.data.get().as_bytes().to_vec();
    if change.is_none() {
        let sequence = version(item)?;
        return Ok(Fed { path, topic: TOPIC.to_owned(), sequence, payload, change: None });
    }
    let id = item.id.as_deref().filter(|id| !id.is_empty()).map(str::to_owned);
    if id.is_none() && item.version.is_none() {
        let what = format!(
            "a change has neither an id nor a version, so that a copy of it is not known: {}",
            item.data
        );
        return Err(form(what));
    }
    // Nothing later tells its quantity again, so that it is not passed over.
    change::read(&payload).map_err(|fault| form(format!("a change: {fault}; {}", item.data)))?;
    let change = Some(FedChange { id, numbered: item.version.is_some() });
    let sequence = item.version.unwrap_or_default();
    Ok(Fed { path, topic: change::TOPIC.to_owned(), sequence, payload, change })
}

fn pair<'a>(item: &Item<'a>) -> Result<Pair<'a>, Fault> {
    of_data(item)
}

fn of_data<'a, T: Deserialize<'a>>(item: &Item<'a>) -> Result<T, Fault> {
    let which = || item.version.map_or_else(|| item.data.to_string(), |version| format!("version {version}"));
    serde_json::from_str(item.data.get()).map_err(|error| form(format!("{}: {error}", which())))
}

pub(super) fn parsed<'a, T: Deserialize<'a>>(answer: &'a Answer) -> Result<T, Fault> {
    serde_json::from_slice(&answer.body).map_err(|error| form(format!("{error}; {}", answer.excerpt())))
}

/// Asked again it would say the same: a person has to look.
pub(super) fn form(what: String) -> Fault {
    let what = format!("the system's answer is not in the form of docs/connectors/stock_feed.md: {what}");
    Fault::new(FaultKind::Rejected, code::FORM, what)
}
