//! What of a file stays when retention has been at it: generations of orders, ten days apart, on SQLite, and retention
//! after each. Room that retention makes is used again; the small rows of an order, which prevent doubles and tell its
//! life, are never dropped by age, and so are told apart.

use super::ground::embedded;
use super::life::Life;
use crate::bench::figure::Figure;
use crate::bench::{Bench, PART_RETENTION as PART};
use rusqlite::{Connection, OpenFlags};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use store::Store as _;

/// Between two generations: longer than payloads, webhook ids and lags are kept here.
const APART_DAYS: u32 = 10;
const PAYLOAD_DAYS: u32 = 9;
const GENERATIONS: u32 = 10;
/// The generation after which the room in use has settled.
const SETTLED: usize = 3;

/// What a database file is made of, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Room {
    /// Payloads, webhook ids, lags, frozen calls: what goes by age or with its duty, and the room that it left free.
    passing: u64,
    /// All else.
    for_ever: u64,
}

pub async fn measure(bench: &Bench) -> anyhow::Result<Vec<Figure>> {
    let orders = bench.orders.unwrap_or(if bench.quick { 1_000 } else { 20_000 });
    let kept = generations(bench, orders, Some(PAYLOAD_DAYS)).await?;
    let each = orders as f64;
    let (settled, last) = (kept[SETTLED - 1], kept[kept.len() - 1]);
    let ratio = last.passing as f64 / settled.passing as f64;
    let stays = (last.for_ever - settled.for_ever) as f64 / (each * (kept.len() - SETTLED) as f64);
    let name = format!("room of what goes by age, after {GENERATIONS} generations");
    Ok(vec![
        Figure::new(PART, name, ratio, "× 3").target("within 1.1").note(format!(
            "{:.1} MB after generation {SETTLED}, {:.1} after {GENERATIONS}; {orders} orders each, {APART_DAYS} days apart",
            settled.passing as f64 / 1e6,
            last.passing as f64 / 1e6
        )),
        Figure::new(PART, "of an order while its payload is kept", last.passing as f64 / each, "bytes"),
        Figure::new(PART, "of an order for ever", stays, "bytes")
            .note("rows that prevent doubles and tell its life; all indexes included"),
    ])
}

/// After each generation, and after retention where it is asked for.
async fn generations(bench: &Bench, orders: usize, payload_days: Option<u32>) -> anyhow::Result<Vec<Room>> {
    let path = bench.folder.join("retention.db");
    let store = Arc::new(embedded(path.clone())?);
    let mut life = Life::new(store.clone(), 1);
    let mut rooms = Vec::new();
    for generation in 0..GENERATIONS {
        let days = u64::from(generation * APART_DAYS);
        life = life.later(Duration::from_secs(days * 86_400));
        let all = life.orders + orders;
        life.grow_to(all, bench, &format!("generation {} of {GENERATIONS}", generation + 1)).await?;
        if let Some(payload_days) = payload_days {
            store.retain(life.now(), payload_days).await?;
        }
        let path = path.clone();
        rooms.push(tokio::task::spawn_blocking(move || room(&path)).await??);
    }
    drop((life, store));
    for (file, _) in store_sqlite::inspect::files(&path) {
        std::fs::remove_file(file)?;
    }
    Ok(rooms)
}

/// By page, as the file itself says.
fn room(path: &Path) -> anyhow::Result<Room> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let number = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0)).map(i64::unsigned_abs);
    let page_bytes = number("PRAGMA page_size")?;
    let all = number("PRAGMA page_count")? * page_bytes;
    let free = number("PRAGMA freelist_count")? * page_bytes;
    let passing = number(
        "SELECT coalesce(sum(pgsize), 0) FROM dbstat WHERE aggregate = TRUE \
         AND (name IN ('payloads', 'lags', 'frozen_calls') OR name LIKE 'webhook_ids_%')",
    )?;
    Ok(Room { passing: passing + free, for_ever: all - free - passing })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn within(of: u64, asked: u64, share: f64) -> bool {
        (asked as f64 / of as f64 - 1.0).abs() <= share
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_file_takes_no_more_room_for_what_goes_by_age_however_many_generations_come() {
        let folder = tempfile::tempdir().unwrap();
        let bench = Bench { quick: true, folder: folder.path().to_owned(), orders: None };
        let rooms = generations(&bench, 300, Some(PAYLOAD_DAYS)).await.unwrap();
        let (settled, last) = (rooms[SETTLED - 1], rooms[rooms.len() - 1]);
        assert!(within(settled.passing, last.passing, 0.1), "{rooms:?}");
        // What stays is as much for each generation: nothing of a payload is among it.
        let a_generation = (settled.for_ever - rooms[0].for_ever) / (SETTLED - 1) as u64;
        let later = (last.for_ever - settled.for_ever) / (rooms.len() - SETTLED) as u64;
        assert!(within(a_generation, later, 0.25), "{rooms:?}");
        assert!(later < last.passing / 2, "{rooms:?}");
    }
}
