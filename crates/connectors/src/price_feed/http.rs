//! Asked over HTTP: `GET URL/changes?after=POINT` gives the rows that changed, `GET URL/snapshot` all of them; each a JSON object a
//! line, and a last line that counts them: `{"rows": 2, "next": "17"}`. Owns that half an answer is never taken for a whole one, and that
//! the point behind it goes forward.

use super::code;
use super::spool::Spool;
use async_trait::async_trait;
use bytes::{Buf as _, Bytes, BytesMut};
use connector::outbound::{Outbound, OutboundConfig, Pieces, segment};
use connector::port::CallContext;
use connector::prices::{PriceSource, RowCount, RowFormat, Settled, ToldPrices, lies_before};
use kernel::fault::{Fault, FaultKind};
use serde::Deserialize;
use std::sync::Arc;

/// A hundred million rows, at some hundred bytes each.
const BYTES_MAX: u64 = 20_000_000_000;
/// As a file's row.
const LINE_BYTES_MAX: usize = 64 * 1024;

/// A feed at this address; makes no call.
///
/// # Errors
/// What is wrong with the address.
pub fn feed(config: &OutboundConfig) -> Result<Arc<dyn PriceSource>, String> {
    Ok(Arc::new(Feed { outbound: Outbound::new(config)? }))
}

#[derive(Debug)]
struct Feed {
    outbound: Outbound,
}

/// The last line.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct End {
    rows: u64,
    next: String,
    #[serde(default)]
    more: bool,
    #[serde(default)]
    lists: Vec<String>,
}

#[async_trait]
impl PriceSource for Feed {
    async fn changes(&self, call: &CallContext, after: Option<&str>) -> Result<Option<ToldPrices>, Fault> {
        let path =
            after.map_or_else(|| "/changes".to_owned(), |after| format!("/changes?after={}", segment(after)));
        let told = self.told(call, &path, false).await?;
        let Some(after) = after else { return Ok(Some(told)) };
        if lies_before(&told.next, after) {
            return Err(back(&format!(
                "it was asked what changed after {after:?}, and goes on at {:?}, before it",
                told.next
            )));
        }
        if told.next == after && (told.more || told.count != RowCount::Known(0)) {
            return Err(back(&format!(
                "it told rows after {after:?}, and the point behind them is {after:?} again"
            )));
        }
        let nothing = told.count == RowCount::Known(0) && told.next == after;
        Ok(Some(told).filter(|_| !nothing))
    }

    async fn whole(&self, call: &CallContext) -> Result<Option<ToldPrices>, Fault> {
        self.told(call, "/snapshot", true).await.map(Some)
    }

    /// A feed hears nothing of it.
    async fn settled(&self, _: &str, _: Settled<'_>) -> Result<(), Fault> {
        Ok(())
    }

    fn describe(&self) -> String {
        self.outbound.base().to_string()
    }
}

impl Feed {
    async fn told(&self, call: &CallContext, path: &str, whole: bool) -> Result<ToldPrices, Fault> {
        let pieces = self.outbound.pieces(call, path, BYTES_MAX).await?;
        let mut lines = Lines { pieces, held: BytesMut::new(), number: 0 };
        let mut spool = Spool::new()?;
        let end = loop {
            let Some(line) = lines.next().await? else { return Err(cut_short(spool.rows())) };
            if line.trim_ascii().is_empty() {
                spool.line(b"").await?;
                continue;
            }
            // A row is judged where it is loaded, with its line.
            if has_field(&line, b"\"list\"") || has_field(&line, b"\"sku\"") {
                spool.row(&line).await?;
                continue;
            }
            let end: End = serde_json::from_slice(&line).map_err(|error| {
                form(&format!("line {} is neither a row nor the last line: {error}", lines.number))
            })?;
            break end;
        };
        while let Some(line) = lines.next().await? {
            if !line.trim_ascii().is_empty() {
                return Err(form(&format!(
                    "line {} comes behind the last one, which counts the rows",
                    lines.number
                )));
            }
        }
        if end.rows != spool.rows() {
            let rows = spool.rows();
            return Err(form(&format!(
                "{rows} rows came, and the last line says {}: none is taken",
                end.rows
            )));
        }
        if end.next.is_empty() {
            return Err(form("the last line's \"next\" is empty: say from where to ask on"));
        }
        if whole && end.more {
            return Err(form("a snapshot is told as a whole: its last line cannot say that there is more"));
        }
        if !whole && !end.lists.is_empty() {
            return Err(form("\"lists\" is for snapshots: among changes a price that is gone is null"));
        }
        let (rows, count) = spool.end().await?;
        Ok(ToldPrices {
            rows,
            format: RowFormat::Ndjson,
            count: RowCount::Known(count),
            whole,
            lists: end.lists,
            next: end.next,
            more: end.more,
            terms: None,
        })
    }
}

fn has_field(line: &[u8], name: &[u8]) -> bool {
    line.windows(name.len()).any(|part| part == name)
}

/// The lines of an answer as it comes.
struct Lines {
    pieces: Pieces,
    held: BytesMut,
    number: u64,
}

impl Lines {
    /// Without its end; `None` where no more comes.
    async fn next(&mut self) -> Result<Option<Bytes>, Fault> {
        let mut searched = 0;
        loop {
            if let Some(at) = self.held[searched..].iter().position(|byte| *byte == b'\n') {
                let line = self.held.split_to(searched + at).freeze();
                self.held.advance(1);
                self.number += 1;
                return Ok(Some(line));
            }
            searched = self.held.len();
            if searched > LINE_BYTES_MAX {
                return Err(form(&format!("line {} is longer than {LINE_BYTES_MAX} bytes", self.number + 1)));
            }
            match self.pieces.next().await? {
                Some(piece) => self.held.extend_from_slice(&piece),
                None if self.held.is_empty() => return Ok(None),
                None => {
                    self.number += 1;
                    return Ok(Some(self.held.split().freeze()));
                }
            }
        }
    }
}

/// Asked again it would say the same: a person has to look.
fn form(what: &str) -> Fault {
    let what = format!("the feed's answer is not in the form of docs/prices.md: {what}");
    Fault::new(FaultKind::Rejected, code::FORM, what)
}

fn cut_short(rows: u64) -> Fault {
    let what = format!(
        "the feed's answer ends after {rows} rows without the last line, which says how many there are: nothing of it is taken"
    );
    Fault::new(FaultKind::Transient, code::CUT_SHORT, what)
}

fn back(what: &str) -> Fault {
    let what = format!("the feed does not go forward: {what}. Nothing of it is taken");
    Fault::new(FaultKind::Rejected, code::BACK, what)
}

#[cfg(test)]
mod tests;
