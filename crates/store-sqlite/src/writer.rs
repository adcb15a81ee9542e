//! The one writer. Whatever waits goes into one transaction, which is committed once, then all are answered; while a
//! commit is on its way to the disk, the next group gathers. Nobody waits for a timer.
//!
//! Commits are made by a thread. What commits nothing (it reads, or it [rides](crate::transaction)) is run by whoever
//! asks, if the desk is free at that moment, which saves waking the thread and being woken by it; else it waits with
//! the others.

use crate::desk::Desk;
use crate::error::{Done, Fail, bug};
use crate::transaction::{self, Group, Riding};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};
use store::StoreError;
use tokio::sync::oneshot;

/// Requests in one transaction.
const GROUP_MAX: usize = 512;
/// What rides is committed at the latest when for so long nothing else was.
const RIDES_AT_MOST: Duration = Duration::from_millis(10);

/// How a request is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// Writes rows, once.
    Once,
    /// The same of rows that follow from others: it rides.
    Derived,
    /// Writes rows; may be run again after it was undone.
    Again,
    /// Writes none; sees what was written so far.
    Between,
    /// The same while no transaction is open.
    Alone,
}

/// A request to the writer.
pub(crate) trait Job: Send {
    fn way(&self) -> Way;
    fn run(&mut self, desk: &mut Desk) -> Result<(), Fail>;
    /// Sends what `run` found, or why it came to nothing.
    fn answer(self: Box<Self>, failed: Option<StoreError>);
}

struct Task<F, T> {
    way: Way,
    work: F,
    found: Option<T>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<F, T> Job for Task<F, T>
where
    F: FnMut(&mut Desk) -> Done<T> + Send,
    T: Send,
{
    fn way(&self) -> Way {
        self.way
    }
    fn run(&mut self, desk: &mut Desk) -> Result<(), Fail> {
        self.found = Some((self.work)(desk)?);
        Ok(())
    }
    fn answer(self: Box<Self>, failed: Option<StoreError>) {
        let answer = match (failed, self.found) {
            (None, Some(found)) => Ok(found),
            (failed, _) => Err(failed.unwrap_or_else(|| StoreError::Bug("a request was not run".into()))),
        };
        // Whoever asked may be gone; what was committed stays committed.
        let _ = reply_to(self.reply, answer);
    }
}

/// Work that is given away when it is run.
fn once<T>(work: impl FnOnce(&mut Desk) -> Done<T>) -> impl FnMut(&mut Desk) -> Done<T> {
    let mut work = Some(work);
    move |desk| match work.take() {
        Some(work) => work(desk),
        None => Err(bug("a request to the store was run twice")),
    }
}

fn reply_to<T>(reply: oneshot::Sender<T>, answer: T) -> Result<(), T> {
    reply.send(answer)
}

/// Hands requests to the writer.
#[derive(Clone)]
pub(crate) struct Writer {
    requests: Sender<Box<dyn Job>>,
    pub(crate) desk: Arc<Mutex<Desk>>,
    pub(crate) riding: Riding,
    /// The thread will look at what rides by itself.
    watched: Arc<AtomicBool>,
}

/// The other end: what the thread runs.
pub(crate) struct Thread {
    requests: Receiver<Box<dyn Job>>,
    desk: Arc<Mutex<Desk>>,
    watched: Arc<AtomicBool>,
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Writer")
    }
}

impl Writer {
    pub(crate) fn pair(desk: Desk) -> (Self, Thread) {
        let (sender, requests) = std::sync::mpsc::channel();
        let watched = Arc::new(AtomicBool::new(true));
        let riding = desk.riding.clone();
        let desk = Arc::new(Mutex::new(desk));
        let thread = Thread { requests, desk: desk.clone(), watched: watched.clone() };
        (Self { requests: sender, desk, riding, watched }, thread)
    }

    /// Writes rows; answered after the commit is on disk.
    pub(crate) async fn write<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Desk) -> Done<T> + Send + 'static,
    {
        self.submit(Way::Once, once(work)).await
    }

    /// Writes rows that follow from rows that are on disk; answered when it has run. The end of the process may undo
    /// it: the answer must be such that nothing is wrong then, as long as it is found again.
    pub(crate) async fn write_derived<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Desk) -> Done<T> + Send + 'static,
    {
        let done = match self.at_once(work, transaction::ride) {
            Ok(done) => done,
            Err(work) => return self.submit(Way::Derived, once(work)).await,
        };
        // The thread sleeps until it is asked: somebody has to look after what rides now.
        if self.riding.count() > 0 && !self.watched.swap(true, Ordering::SeqCst) {
            self.send(Way::Between, |_| Ok(()))?;
        }
        done
    }

    /// As [`write`](Writer::write), of work that can be run again after it was undone.
    pub(crate) async fn write_again<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnMut(&mut Desk) -> Done<T> + Send + 'static,
    {
        self.submit(Way::Again, work).await
    }

    /// Reads rows, those that ride among them, or changes what the writer holds in memory.
    pub(crate) async fn between<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Desk) -> Done<T> + Send + 'static,
    {
        match self.at_once(work, transaction::between) {
            Ok(done) => done,
            Err(work) => self.submit(Way::Between, once(work)).await,
        }
    }

    /// Works on the database while no transaction is open.
    pub(crate) async fn alone<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Desk) -> Done<T> + Send + 'static,
    {
        self.submit(Way::Alone, once(work)).await
    }

    /// Returns when what rides now is committed: whoever reads beside the writer sees it then.
    pub(crate) async fn settled(&self) -> Result<(), StoreError> {
        if self.riding.count() == 0 { Ok(()) } else { self.alone(|_| Ok(())).await }
    }

    /// Runs the work if the desk is free, and hands it back if it is not.
    fn at_once<T, F>(
        &self,
        work: F,
        run: impl FnOnce(&mut Desk, F) -> Result<T, StoreError>,
    ) -> Result<Result<T, StoreError>, F> {
        match self.desk.try_lock() {
            Ok(mut desk) => Ok(run(&mut desk, work)),
            Err(TryLockError::Poisoned(poisoned)) => Ok(run(&mut poisoned.into_inner(), work)),
            Err(TryLockError::WouldBlock) => Err(work),
        }
    }

    async fn submit<T, F>(&self, way: Way, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnMut(&mut Desk) -> Done<T> + Send + 'static,
    {
        self.send(way, work)?.await.map_err(|_| ended())?
    }

    fn send<T, F>(&self, way: Way, work: F) -> Result<oneshot::Receiver<Result<T, StoreError>>, StoreError>
    where
        T: Send + 'static,
        F: FnMut(&mut Desk) -> Done<T> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        self.requests.send(Box::new(Task { way, work, found: None, reply })).map_err(|_| ended())?;
        Ok(answer)
    }
}

fn ended() -> StoreError {
    StoreError::Bug("the writer of the store has ended".into())
}

impl Thread {
    /// Runs until every [`Writer`] is dropped.
    pub(crate) fn run(self) {
        let mut rides_since: Option<Instant> = None;
        while let Some(first) = self.next() {
            let mut desk = self.desk();
            let mut group = Group::default();
            let mut others = Vec::new();
            let mut next = Some(first);
            while let Some(job) = next {
                match job.way() {
                    Way::Again => group.again.push(job),
                    Way::Once | Way::Derived => group.once.push(job),
                    Way::Between | Way::Alone => others.push(job),
                }
                next = if group.len() < GROUP_MAX { self.requests.try_recv().ok() } else { None };
            }
            let requests = group.len() + desk.riding.count();
            if group.len() > 0 {
                transaction::commit(&mut desk, group);
            }
            let long =
                desk.riding.count() > 0 && rides_since.get_or_insert_with(now).elapsed() >= RIDES_AT_MOST;
            if long || others.iter().any(|job| job.way() == Way::Alone) {
                transaction::settle(&mut desk);
            }
            if desk.riding.count() == 0 {
                rides_since = None;
            }
            for mut job in others {
                let failed = transaction::between(&mut desk, |desk| job.run(desk)).err();
                job.answer(failed);
            }
            brought_on(&mut desk, requests);
        }
        let mut desk = self.desk();
        transaction::settle(&mut desk);
        // A store that is closed is one file. If this fails, the log is read at the next start.
        let _turn = desk.checkpoints.turn();
        let _ = desk.connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)");
    }

    /// Waits for a request; `None` when nobody can ask any more. Commits what rides where none comes.
    fn next(&self) -> Option<Box<dyn Job>> {
        loop {
            self.watched.store(true, Ordering::SeqCst);
            if self.desk().riding.count() > 0 {
                match self.requests.recv_timeout(RIDES_AT_MOST) {
                    Ok(job) => return Some(job),
                    Err(RecvTimeoutError::Disconnected) => return None,
                    Err(RecvTimeoutError::Timeout) => {
                        let mut desk = self.desk();
                        let requests = desk.riding.count();
                        transaction::settle(&mut desk);
                        brought_on(&mut desk, requests);
                    }
                }
                continue;
            }
            self.watched.store(false, Ordering::SeqCst);
            // What began to ride before that was said is looked after here; what begins after it asks.
            if self.desk().riding.count() == 0 {
                return self.requests.recv().ok();
            }
        }
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        // A request that panics is caught before its panic gets here.
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[expect(clippy::disallowed_methods, reason = "an edge: nothing is decided by this time but when to commit")]
fn now() -> Instant {
    Instant::now()
}

/// After requests that were committed.
fn brought_on(desk: &mut Desk, requests: usize) {
    if desk.connection.is_autocommit() {
        let Desk { checkpoints, connection, .. } = desk;
        checkpoints.committed(connection, requests);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::Names;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};
    use store::seal::MasterKey;
    use store::seal::vault::Vault;

    fn desk(folder: &std::path::Path) -> Desk {
        let (key, random) = (MasterKey::from_bytes([1; 32]), crate::tests_random());
        let at = jiff::Timestamp::UNIX_EPOCH;
        let opened = crate::open::open(&folder.join("tidegate.db"), &key, &*random, at).unwrap();
        let names = Names::load(&opened.connection).unwrap();
        let (checkpoints, _) = crate::checkpoints::pair(&folder.join("tidegate.db")).unwrap();
        let vault = Arc::new(Vault::new(opened.master, key, random));
        Desk::open(opened.connection, names, vault, checkpoints).unwrap()
    }

    /// One of them may fail; `runs` counts how often they are run.
    async fn request(writer: Writer, name: &'static str, fails: bool, runs: Arc<AtomicU32>) -> bool {
        let work = move |desk: &mut Desk| {
            runs.fetch_add(1, Ordering::Relaxed);
            desk.execute("INSERT INTO cursors (name, value) VALUES (?1, '')", [name])?;
            desk.add_payload_bytes(1);
            if fails { Err(bug("poison")) } else { Ok(()) }
        };
        writer.write_again(work).await.is_ok()
    }

    #[test]
    fn a_request_that_fails_fails_alone_among_those_that_run_together() {
        let folder = tempfile::tempdir().unwrap();
        let desk = desk(folder.path());
        let (writer, thread) = Writer::pair(desk);
        let runs = Arc::new(AtomicU32::new(0));
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let tasks: Vec<_> = [("a", false), ("b", true), ("c", false)]
                .map(|(name, fails)| tokio::spawn(request(writer.clone(), name, fails, runs.clone())))
                .into();
            let once = writer.clone();
            let once = tokio::spawn(async move { once.write(|desk| desk.number("d")).await.is_ok() });
            // All wait before the writer begins: they are one group.
            tokio::task::yield_now().await;
            let thread = std::thread::spawn(move || thread.run());
            let mut answers = Vec::new();
            for task in tasks {
                answers.push(task.await.unwrap());
            }
            assert_eq!((answers, once.await.unwrap()), (vec![true, false, true], true));
            // Together up to the one that fails, then each alone.
            assert_eq!(runs.load(Ordering::Relaxed), 2 + 3);
            let kept = writer.between(|desk| {
                let names =
                    desk.view().all("SELECT name FROM cursors ORDER BY name", [], |row| Ok(row.get(0)?))?;
                let sum = "SELECT value FROM counters WHERE name = 'payload_bytes'";
                Ok::<(Vec<String>, u64), Fail>((names, desk.view().count(sum, [])?))
            });
            assert_eq!(kept.await.unwrap(), (vec!["a".to_owned(), "c".to_owned()], 2));
            drop(writer);
            thread.join().unwrap();
        });
    }

    #[test]
    fn a_lone_request_that_fails_leaves_neither_rows_nor_memory_behind() {
        let folder = tempfile::tempdir().unwrap();
        let desk = desk(folder.path());
        let (writer, thread) = Writer::pair(desk);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let thread = std::thread::spawn(move || thread.run());
            let failed = writer.write(|desk| {
                desk.number("half done")?;
                desk.add_payload_bytes(1);
                Err::<(), Fail>(bug("poison"))
            });
            assert!(failed.await.unwrap_err().to_string().contains("poison"));
            let kept = writer.write(|desk| {
                let sql = "SELECT count(*) FROM names WHERE name = 'half done'";
                let (rows, first) = (desk.view().count(sql, [])?, desk.number("half done")?);
                desk.add_payload_bytes(2);
                Ok::<_, Fail>((rows, first))
            });
            assert_eq!(kept.await.unwrap().0, 0);
            let sum = "SELECT value FROM counters WHERE name = 'payload_bytes'";
            let sum = writer.between(|desk| desk.view().count(sum, []));
            assert_eq!(sum.await.unwrap(), 2);
            drop(writer);
            thread.join().unwrap();
        });
    }
}
