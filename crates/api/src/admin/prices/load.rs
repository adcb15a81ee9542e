//! `POST prices/loads {file, mode, source, dry_run}`: loads a file on the hub's own machine. The answer is a stream: how far it
//! is, and last what became of it.

use super::{Parts, prices};
use crate::admin::AdminError;
use crate::admin::asked::{Body, Hand, NothingElse};
use crate::admin::stream::{Teller, streamed};
use crate::prices::{Format, mode, outcome_told, rows};
use axum::extract::State;
use axum::response::Response;
use price_store::{LoadRequest, PriceStore};
use serde::Deserialize;
use serde_json::Value;
use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;
use std::sync::Arc;

#[derive(Debug, Deserialize)]
pub(super) struct Asked {
    file: PathBuf,
    /// By the file's ending, where it is absent.
    format: Option<Format>,
    /// `changes`, `lists`, `all`.
    #[serde(default)]
    mode: Option<String>,
    /// With mode `lists`: these too; one without a row becomes empty.
    #[serde(default)]
    lists: Vec<String>,
    /// Where the prices are from; the file's name, where it is absent.
    source: Option<String>,
    #[serde(default)]
    dry_run: bool,
    #[serde(flatten)]
    hand: Hand,
    #[serde(flatten)]
    _rest: NothingElse,
}

/// A line of progress each so many rows.
const TELL_EVERY: u64 = 10_000;

pub(super) async fn load(State(parts): Parts, Body(asked): Body<Asked>) -> Result<Response, AdminError> {
    let now = parts.clock.now().wall;
    let by = asked.hand.by_or("", now)?;
    let store = prices(&parts)?.store.clone();
    let format = match asked.format {
        Some(format) => format,
        None => Format::of(&asked.file).map_err(AdminError::mend)?,
    };
    let mode = mode(asked.mode.as_deref(), asked.lists).map_err(AdminError::mend)?;
    let file = File::open(&asked.file).map_err(|error| {
        AdminError::mend(format!("{} cannot be read by the hub: {error}", asked.file.display()))
    })?;
    let name = asked.file.file_name().map(|name| name.to_string_lossy().into_owned());
    let request = LoadRequest {
        source: asked.source.or(name).unwrap_or_default(),
        by: by.who,
        note: (!by.why.is_empty()).then_some(by.why),
        mode,
        dry_run: asked.dry_run,
    };
    Ok(streamed(&parts, move |teller| loaded(store, request, (file, format), now, teller)))
}

/// On a thread of its own, and to its end: a client that goes away finds what became of it in the journal.
async fn loaded(
    store: Arc<PriceStore>,
    request: LoadRequest,
    (file, format): (File, Format),
    now: jiff::Timestamp,
    teller: Arc<Teller>,
) -> Result<Value, AdminError> {
    let work = move || {
        let zone = store.current().terms().zone();
        let mut read = 0_u64;
        let rows = rows(BufReader::with_capacity(1 << 20, file), format, zone).inspect(|_| {
            read += 1;
            if read.is_multiple_of(TELL_EVERY) {
                teller.tell(read, 0);
            }
        });
        store.load(request, rows, now)
    };
    match tokio::task::spawn_blocking(work).await {
        Ok(outcome) => Ok(outcome_told(&outcome?)),
        Err(_) => Err(AdminError::prices_broke_off()),
    }
}
