//! Bringing the log (`-wal`) into the database, beside the writer: what the writer would stand still for, tens of
//! milliseconds at every few thousand pages, a thread of its own does while the writer goes on.
//!
//! Such a pass leaves over what was committed meanwhile; where the log has grown long, the writer brings in that rest
//! itself, which is little, and the log begins anew. Only one at a time brings in anything.

use crate::error::Done;
use rusqlite::{Connection, OpenFlags};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Requests to the writer between two passes: about as many thousand pages as an order life takes.
const REQUESTS: usize = 512;
/// The same where as many come in one commit as in a busy minute: a pass that brings much to the disk has the next commit wait there
/// behind it, and all who wait for that (measured at half of what the hub takes: an answer's p99 is 25 ms after passes of 512, 110 after
/// such of 4,096, 15 after these). Where more come than can be taken they wait for each other, and small passes cost them some of their rate.
const REQUESTS_OF_A_CROWD: usize = 128;
const CROWD: std::ops::Range<usize> = 16..128;
/// Pages of a log that is long (measured: DEPENDENCIES, SQLite).
const LONG_PAGES: i64 = 16_000;
/// The writer does it all by itself beyond this, whatever became of the passes.
pub(crate) const BACKSTOP_PAGES: i64 = 4 * LONG_PAGES;

/// The writer's side.
#[derive(Debug)]
pub(crate) struct Checkpoints {
    ask: SyncSender<()>,
    shared: Arc<Shared>,
    requests: usize,
}

#[derive(Debug, Default)]
struct Shared {
    turn: Mutex<()>,
    /// A pass was made and the log is long: its rest is the writer's, and no pass begins before it has seen to that, or it would stand
    /// still for the whole of that pass.
    rest: AtomicBool,
}

/// The other side: what the thread runs.
#[derive(Debug)]
pub(crate) struct Passes {
    connection: Connection,
    asked: Receiver<()>,
    shared: Arc<Shared>,
}

pub(crate) fn pair(path: &Path) -> Done<(Checkpoints, Passes)> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.execute_batch(
        "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0; PRAGMA cache_size = -256; PRAGMA busy_timeout = 5000",
    )?;
    let (ask, asked) = sync_channel(1);
    let shared = Arc::new(Shared::default());
    Ok((Checkpoints { ask, shared: shared.clone(), requests: 0 }, Passes { connection, asked, shared }))
}

impl Checkpoints {
    /// After each commit of the writer, with the requests in it.
    pub(crate) fn committed(&mut self, connection: &Connection, requests: usize) {
        self.requests += requests;
        if self.shared.rest.load(Ordering::Acquire) {
            let _turn = self.turn();
            // What could not be brought in now is brought in with the next: the log is as safe as the database.
            let _ = pass(connection);
            self.shared.rest.store(false, Ordering::Release);
        } else if self.requests >= if CROWD.contains(&requests) { REQUESTS_OF_A_CROWD } else { REQUESTS } {
            self.requests = 0;
            // It is on its way, or the thread has ended: then the backstop holds.
            let _ = self.ask.try_send(());
        }
    }

    /// Nobody else brings in anything while this is held.
    pub(crate) fn turn(&self) -> MutexGuard<'_, ()> {
        self.shared.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Passes {
    /// Until the writer has ended.
    pub(crate) fn run(self) {
        while self.asked.recv().is_ok() {
            if self.shared.rest.load(Ordering::Acquire) {
                continue;
            }
            let turn = self.shared.turn.lock().unwrap_or_else(PoisonError::into_inner);
            let pages = pass(&self.connection);
            drop(turn);
            if pages.is_ok_and(|pages| pages > LONG_PAGES) {
                self.shared.rest.store(true, Ordering::Release);
            }
        }
    }
}

/// Brings in what no reader still needs as it was; waits for nobody. The pages of the log, brought in or not.
fn pass(connection: &Connection) -> Done<i64> {
    Ok(connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| row.get(1))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_stays_short_while_the_writer_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.db");
        let connection = Connection::open(&path).unwrap();
        connection
            .execute_batch(
                "PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; CREATE TABLE t (b BLOB)",
            )
            .unwrap();
        let (mut checkpoints, passes) = pair(&path).unwrap();
        let thread = std::thread::spawn(move || passes.run());
        // About seventy-five thousand pages, five times a long log.
        for _ in 0..1_500 {
            connection.execute("INSERT INTO t VALUES (zeroblob(200000))", []).unwrap();
            checkpoints.committed(&connection, 16);
        }
        let log = std::fs::metadata(folder.path().join("log.db-wal")).unwrap().len();
        let bound = BACKSTOP_PAGES.unsigned_abs() * 4096;
        assert!(log < bound, "{log} bytes of log");
        drop(checkpoints);
        thread.join().unwrap();
    }
}
