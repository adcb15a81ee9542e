//! `POST /v1/prices/loads`: the ERP or the pricing engine brings prices itself, as CSV or a JSON object a line. The body is put on
//! the disk first, so that a sender who is slow holds nothing up and one who breaks off has loaded nothing.

use super::{PriceError, Prices};
use axum::Json;
use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, Request, State};
use config::Right;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use http_body_util::BodyExt as _;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use price_store::read::{csv, ndjson};
use price_store::{LoadRequest, Mode, Outcome, Row, RowFault};
use serde::Deserialize;
use serde_json::Value;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::sync::Arc;
use tokio::io::{AsyncSeekExt as _, AsyncWriteExt as _};

/// How a file of prices is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Format {
    Csv,
    Ndjson,
}

impl Format {
    /// By the file's ending.
    pub(crate) fn of(file: &Path) -> Result<Self, String> {
        let ending = file.extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase());
        match ending.as_deref() {
            Some("csv" | "tsv" | "txt") => Ok(Self::Csv),
            Some("ndjson" | "jsonl") => Ok(Self::Ndjson),
            _ => Err(format!(
                "{}: its ending does not say what it is; say format: csv or ndjson",
                file.display()
            )),
        }
    }

    /// By its content type.
    fn of_body(headers: &HeaderMap) -> Result<Self, PriceError> {
        let told = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        match told.split(';').next().unwrap_or_default().trim() {
            "text/csv" => Ok(Self::Csv),
            "application/x-ndjson" | "application/jsonl" => Ok(Self::Ndjson),
            other => Err(PriceError::mend(format!(
                "the content type is {other:?}; send text/csv or application/x-ndjson"
            ))),
        }
    }
}

/// What the rows of a load are, by its word.
pub(crate) fn mode(word: Option<&str>, lists: Vec<String>) -> Result<Mode, String> {
    match word {
        None | Some("changes") if lists.is_empty() => Ok(Mode::Changes),
        Some("lists") => Ok(Mode::Lists(lists)),
        Some("all") if lists.is_empty() => Ok(Mode::All),
        Some("changes" | "all") | None => Err("lists are named with mode lists only".to_owned()),
        Some(other) => Err(format!("mode is {other:?}; write changes, lists or all")),
    }
}

pub(crate) fn rows<R: BufRead + Send + 'static>(
    reader: R,
    format: Format,
    zone: TimeZone,
) -> Box<dyn Iterator<Item = Result<Row<'static>, RowFault>> + Send> {
    match format {
        Format::Csv => Box::new(csv(reader, zone)),
        Format::Ndjson => Box::new(ndjson(reader, zone)),
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    mode: Option<String>,
    /// Separated by commas.
    lists: Option<String>,
    note: Option<String>,
    #[serde(default)]
    dry_run: bool,
}

pub(super) async fn push(
    State(prices): State<Arc<Prices>>,
    asked: Result<Query<Asked>, QueryRejection>,
    request: Request,
) -> Result<(StatusCode, Json<Value>), PriceError> {
    let now = prices.clock.now();
    let (head, body) = request.into_parts();
    let caller = prices.callers.admit(&head.headers, Right::Load, now.mono)?.name.clone();
    let Query(asked) = asked.map_err(|refused| PriceError::mend(refused.body_text()))?;
    let format = Format::of_body(&head.headers)?;
    let lists = asked.lists.iter().flat_map(|lists| lists.split(',')).map(str::trim);
    let lists = lists.filter(|list| !list.is_empty()).map(str::to_owned).collect();
    let mode = mode(asked.mode.as_deref(), lists).map_err(PriceError::mend)?;
    let file = spooled(body).await?;
    let load =
        LoadRequest { source: caller.clone(), by: caller, note: asked.note, mode, dry_run: asked.dry_run };
    let outcome = loaded(&prices, load, file, format, now.wall).await?;
    let status = match &outcome {
        Outcome::Held { .. } => StatusCode::ACCEPTED,
        _ => StatusCode::OK,
    };
    Ok((status, Json(super::outcome_told(&outcome))))
}

async fn loaded(
    prices: &Arc<Prices>,
    load: LoadRequest,
    file: File,
    format: Format,
    now: Timestamp,
) -> Result<Outcome, PriceError> {
    let store = prices.store.clone();
    let work = move || {
        let zone = store.current().terms().zone();
        store.load(load, rows(BufReader::with_capacity(1 << 20, file), format, zone), now)
    };
    match tokio::task::spawn_blocking(work).await {
        Ok(outcome) => Ok(outcome?),
        Err(_) => Err(PriceError::broke_off()),
    }
}

/// The whole body in a file without a name, read from its beginning.
async fn spooled(mut body: Body) -> Result<File, PriceError> {
    let disk = |error: std::io::Error| PriceError::disk(&error);
    let mut file = tokio::fs::File::from_std(tempfile::tempfile().map_err(disk)?);
    while let Some(frame) = body.frame().await {
        let broke_off = |_| PriceError::mend("the body broke off: nothing was loaded, send it again");
        let Ok(bytes) = frame.map_err(broke_off)?.into_data() else { continue };
        file.write_all(&bytes).await.map_err(disk)?;
    }
    file.flush().await.map_err(disk)?;
    file.rewind().await.map_err(disk)?;
    Ok(file.into_std().await)
}
