//! Series: what all nodes hold alike, step by step. Owns that of two nodes which append the same number one does, and is told so.

use crate::bind::args;
use crate::codec::{nanos, time};
use crate::desk::Desk;
use crate::error::{Done, bug};
use jiff::Timestamp;
use store::seal::{compress, expand};
use store::series::SeriesStep;
use tokio_postgres::Row;

const STEP: &str = "SELECT number, body, digest, bytes, whole, at FROM series_steps WHERE series = $1";

fn step(row: &Row) -> Done<SeriesStep> {
    Ok(SeriesStep {
        number: row.try_get::<_, i64>(0)?.cast_unsigned(),
        body: row.try_get(1)?,
        digest: row.try_get(2)?,
        bytes: row.try_get::<_, i64>(3)?.cast_unsigned(),
        whole: row.try_get(4)?,
        at: time(row.try_get(5)?),
    })
}

impl Desk {
    pub(crate) async fn series_head(&self, series: &str) -> Done<Option<SeriesStep>> {
        let sql = format!("{STEP} ORDER BY number DESC LIMIT 1");
        self.one(&sql, args![series]).await?.as_ref().map(step).transpose()
    }

    pub(crate) async fn series_steps(&self, series: &str, from: u64, limit: u32) -> Done<Vec<SeriesStep>> {
        let sql = format!("{STEP} AND number >= $2 ORDER BY number LIMIT $3");
        let rows = self.all(&sql, args![series, from.cast_signed(), i64::from(limit)]).await?;
        rows.iter().map(step).collect()
    }

    /// Another node's commit of the same number is waited for.
    pub(crate) async fn append_step(&self, series: &str, step: &SeriesStep) -> Done<bool> {
        let sql = "INSERT INTO series_steps (series, number, body, digest, bytes, whole, at) \
                   SELECT $1, $2, $3, $4, $5, $6, $7 \
                   WHERE (SELECT coalesce(max(number), 0) + 1 FROM series_steps WHERE series = $1) = $2 \
                   ON CONFLICT DO NOTHING";
        let (number, bytes) = (step.number.cast_signed(), step.bytes.cast_signed());
        let (body, digest, at) = (step.body.as_str(), step.digest.as_str(), nanos(step.at));
        Ok(self.execute(sql, args![series, number, body, digest, bytes, step.whole, at]).await? > 0)
    }

    pub(crate) async fn put_chunk(
        &self,
        series: &str,
        body: &str,
        part: u32,
        bytes: &[u8],
        at: Timestamp,
    ) -> Done<()> {
        let (codec, bytes) = compress(bytes);
        let sql = "INSERT INTO series_chunks (series, body, part, at, codec, bytes) VALUES ($1, $2, $3, $4, $5, $6)";
        let (part, at, codec) = (part.cast_signed(), nanos(at), i32::from(codec));
        self.execute(sql, args![series, body, part, at, codec, &*bytes]).await.map(drop)
    }

    pub(crate) async fn chunk(&self, series: &str, body: &str, part: u32) -> Done<Option<Vec<u8>>> {
        let sql = "SELECT codec, bytes FROM series_chunks WHERE series = $1 AND body = $2 AND part = $3";
        let Some(row) = self.one(sql, args![series, body, part.cast_signed()]).await? else {
            return Ok(None);
        };
        let codec = u8::try_from(row.try_get::<_, i32>(0)?).unwrap_or(u8::MAX);
        let opened = expand(codec, row.try_get(1)?);
        opened.map(Some).map_err(|_| bug(format!("chunk {part} of {body} is not what was written")))
    }

    pub(crate) async fn forget_steps(&self, series: &str, before: u64, unnamed: Timestamp) -> Done<u64> {
        let sql = "DELETE FROM series_steps WHERE series = $1 AND number < $2";
        let gone = self.execute(sql, args![series, before.cast_signed()]).await?;
        let sql = "DELETE FROM series_chunks c WHERE series = $1 AND at < $2 AND NOT EXISTS \
                   (SELECT 1 FROM series_steps s WHERE s.series = c.series AND s.body = c.body)";
        self.execute(sql, args![series, nanos(unnamed)]).await?;
        Ok(gone)
    }
}
