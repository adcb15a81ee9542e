//! Series: steps in one order, each with its chunks.

use crate::codec::{nanos, time};
use crate::desk::Desk;
use crate::error::{Done, bug};
use crate::view::View;
use jiff::Timestamp;
use rusqlite::{Row, params};
use store::seal::{compress, expand};
use store::series::SeriesStep;

const STEP: &str = "SELECT number, body, digest, bytes, whole, at FROM series_steps WHERE series = ?1";

fn step(row: &Row<'_>) -> Done<SeriesStep> {
    Ok(SeriesStep {
        number: row.get::<_, i64>(0)?.cast_unsigned(),
        body: row.get(1)?,
        digest: row.get(2)?,
        bytes: row.get::<_, i64>(3)?.cast_unsigned(),
        whole: row.get(4)?,
        at: time(row.get(5)?),
    })
}

impl View<'_> {
    pub(crate) fn series_head(&self, series: &str) -> Done<Option<SeriesStep>> {
        self.one(&format!("{STEP} ORDER BY number DESC LIMIT 1"), [series], step)
    }

    pub(crate) fn series_steps(&self, series: &str, from: u64, limit: u32) -> Done<Vec<SeriesStep>> {
        let sql = format!("{STEP} AND number >= ?2 ORDER BY number LIMIT ?3");
        self.all(&sql, params![series, from.cast_signed(), limit], step)
    }

    pub(crate) fn chunk(&self, series: &str, body: &str, part: u32) -> Done<Option<Vec<u8>>> {
        let sql = "SELECT codec, bytes FROM series_chunks WHERE series = ?1 AND body = ?2 AND part = ?3";
        let found: Option<(u8, Vec<u8>)> =
            self.one(sql, params![series, body, part], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let opened = found.map(|(codec, bytes)| expand(codec, bytes)).transpose();
        opened.map_err(|_| bug(format!("chunk {part} of {body} is not what was written")))
    }
}

impl Desk {
    pub(crate) fn append_step(&self, series: &str, step: &SeriesStep) -> Done<bool> {
        let sql = "INSERT INTO series_steps (series, number, body, digest, bytes, whole, at) \
                   SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7 \
                   WHERE (SELECT coalesce(max(number), 0) + 1 FROM series_steps WHERE series = ?1) = ?2";
        let (number, bytes) = (step.number.cast_signed(), step.bytes.cast_signed());
        let values = params![series, number, step.body, step.digest, bytes, step.whole, nanos(step.at)];
        Ok(self.execute(sql, values)? > 0)
    }

    pub(crate) fn put_chunk(
        &self,
        (series, body, part): (&str, &str, u32),
        bytes: &[u8],
        at: Timestamp,
    ) -> Done<()> {
        let (codec, bytes) = compress(bytes);
        let sql = "INSERT INTO series_chunks (series, body, part, at, codec, bytes) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        self.execute(sql, params![series, body, part, nanos(at), codec, &*bytes])?;
        Ok(())
    }

    pub(crate) fn forget_steps(&self, series: &str, before: u64, unnamed: Timestamp) -> Done<u64> {
        let sql = "DELETE FROM series_steps WHERE series = ?1 AND number < ?2";
        let gone = self.execute(sql, params![series, before.cast_signed()])?;
        let sql = "DELETE FROM series_chunks AS c WHERE series = ?1 AND at < ?2 AND NOT EXISTS \
                   (SELECT 1 FROM series_steps s WHERE s.series = c.series AND s.body = c.body)";
        self.execute(sql, params![series, nanos(unnamed)])?;
        Ok(gone as u64)
    }
}
