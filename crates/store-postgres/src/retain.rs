//! Retention: whole partitions go once their days are past; what has an open duty moves on before that. What was moved
//! on is looked at again until its duty ends.

use crate::bind::args;
use crate::codec::{day, nanos};
use crate::desk::{Desk, Purpose, Shared};
use crate::error::{Done, bug};
use crate::partitions::{Partitions, Table, partition};
use jiff::Timestamp;
use std::sync::Arc;
use std::time::Duration;
use store::operate::Retained;

/// Series of lags are kept this long.
const LAG_DAYS: u64 = 7;
/// Webhook ids are kept this long.
const ID_DAYS: i32 = 7;

/// An envelope `e`, or a payload by the same key, that a duty is open for.
const HAS_A_DUTY: &str = "(EXISTS (SELECT 1 FROM unrouted u WHERE u.shop = e.shop AND u.position = e.position) \
     OR EXISTS (SELECT 1 FROM deliveries d WHERE d.shop = e.shop AND d.root = e.root AND d.phase < 3 \
     AND d.position = e.position))";

pub(crate) async fn retain(shared: &Arc<Shared>, now: Timestamp, payload_days: u32) -> Done<Retained> {
    let past =
        now.checked_sub(Duration::from_secs(u64::from(payload_days) * 86_400)).unwrap_or(Timestamp::MIN);
    let mut retained = Retained::default();
    look_again(shared, past, &mut retained).await?;
    for start in before(shared, Table::Payloads, day(past)).await? {
        drop_payloads(shared, start, &mut retained).await?;
    }
    for start in before(shared, Table::WebhookIds, day(now) - (ID_DAYS - 1)).await? {
        let session = shared.pool.session().await?;
        // An id near midnight stands in two generations: it is counted where it came.
        let sql = format!("SELECT count(*) FROM {}", partition(Table::WebhookIds, start));
        let row = session.one(&sql, &[]).await?.ok_or_else(|| bug("a count without a row"))?;
        retained.webhook_ids_dropped += row.try_get::<_, i64>(0)?.unsigned_abs();
        shared.partitions.drop(&session, Table::WebhookIds, start).await?;
    }
    drop_history(shared, now).await?;
    let session = shared.pool.session().await?;
    let lags = now.checked_sub(Duration::from_secs(LAG_DAYS * 86_400)).unwrap_or(Timestamp::MIN);
    let shops = shared.names.shops();
    session
        .execute("DELETE FROM lags WHERE shop = ANY($1) AND ended_at < $2", args![shops, nanos(lags)])
        .await?;
    drop(session);
    ahead(shared, now).await?;
    Ok(retained)
}

/// Places for the rows of the next days.
pub(crate) async fn ahead(shared: &Shared, now: Timestamp) -> Done<()> {
    let today = day(now);
    let days = (today - 1)..=(today + 2);
    let wanted: Vec<_> = days.flat_map(|day| Table::ALL.map(|table| (table, day))).collect();
    shared.partitions.ensure(&shared.pool, &wanted).await
}

async fn before(shared: &Shared, table: Table, day: i32) -> Done<Vec<i32>> {
    let session = shared.pool.session().await?;
    Partitions::before(&session, table, day).await
}

/// Those that were moved on: dropped once their duty is done.
async fn look_again(shared: &Arc<Shared>, past: Timestamp, retained: &mut Retained) -> Done<()> {
    let desk = Desk::begin(shared, Purpose::Bulk).await?;
    let work = async {
        let sql = format!(
            "WITH gone AS (DELETE FROM payloads_kept q USING envelopes e WHERE q.day < $1 AND e.shop = q.shop \
             AND e.day = q.day AND e.position = q.position AND NOT {HAS_A_DUTY} RETURNING q.shop, length(q.body) AS bytes) \
             SELECT shop, count(*), sum(bytes)::int8 FROM gone GROUP BY shop"
        );
        count_dropped(&desk, &sql, args![day(past)], retained).await?;
        let row = desk.one("SELECT count(*) FROM payloads_kept WHERE day < $1", args![day(past)]).await?;
        let row = row.ok_or_else(|| bug("a count without a row"))?;
        retained.kept_for_duty += row.try_get::<_, i64>(0)?.unsigned_abs();
        Ok(())
    };
    let found = work.await;
    desk.end(found).await
}

async fn count_dropped(
    desk: &Desk,
    sql: &str,
    values: &[crate::bind::Bound<'_>],
    retained: &mut Retained,
) -> Done<()> {
    for row in desk.all(sql, values).await? {
        let (shop, count, bytes): (i32, i64, i64) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        retained.payloads_dropped += count.unsigned_abs();
        desk.execute(crate::append::TALLY, args![shop, 0_i64, -bytes]).await?;
    }
    Ok(())
}

/// Moves on what has a duty, counts the rest, then drops the partition.
async fn drop_payloads(shared: &Arc<Shared>, start: i32, retained: &mut Retained) -> Done<()> {
    let table = partition(Table::Payloads, start);
    let desk = Desk::begin(shared, Purpose::Bulk).await?;
    let work = async {
        let sql = format!(
            "INSERT INTO payloads_kept SELECT p.* FROM {table} p JOIN envelopes e ON e.shop = p.shop AND e.day = p.day \
             AND e.position = p.position WHERE {HAS_A_DUTY} ON CONFLICT DO NOTHING"
        );
        retained.kept_for_duty += desk.execute(&sql, &[]).await?;
        let sql = format!(
            "SELECT p.shop, count(*), sum(length(p.body))::int8 FROM {table} p WHERE NOT EXISTS (SELECT 1 \
             FROM payloads_kept q WHERE q.shop = p.shop AND q.day = p.day AND q.position = p.position) GROUP BY p.shop"
        );
        count_dropped(&desk, &sql, &[], retained).await
    };
    let found = work.await;
    desk.end(found).await?;
    let session = shared.pool.session().await?;
    shared.partitions.drop(&session, Table::Payloads, start).await
}

/// Envelopes and attempts past the time that was set for them, where no open delivery needs them.
async fn drop_history(shared: &Arc<Shared>, now: Timestamp) -> Done<()> {
    let Some(days) = shared.times.history_days else { return Ok(()) };
    let past = day(now).saturating_sub(days.cast_signed());
    for table in [Table::Envelopes, Table::Attempts] {
        for start in before(shared, table, past).await? {
            let session = shared.pool.session().await?;
            let name = partition(table, start);
            let sql = match table {
                Table::Envelopes => format!("SELECT 1 FROM {name} e WHERE {HAS_A_DUTY} LIMIT 1"),
                _ => format!(
                    "SELECT 1 FROM {name} a JOIN deliveries d ON d.shop = a.shop AND d.id = a.delivery \
                     WHERE d.phase < 3 LIMIT 1"
                ),
            };
            if session.one(&sql, &[]).await?.is_none() {
                shared.partitions.drop(&session, table, start).await?;
            }
        }
    }
    Ok(())
}
