//! The one writer: a thread that drains whatever waits into one transaction, commits once, then answers all.
//!
//! Nobody waits for a timer: while a commit is on its way to the disk, the next group gathers. A request that fails
//! fails alone: it is undone by its savepoint, or, where the request can be run again (appends: most of them, and a
//! savepoint costs them a copy of every page), the group's first part is undone and run once more, each alone. A disk
//! that fails, fails the whole group, and the next one is tried afresh.

use crate::desk::Desk;
use crate::durability::{SYNC_WHEN_IDLE, Weight};
use crate::error::{Done, Fail, bug};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use store::StoreError;
use tokio::sync::oneshot;

/// Requests in one transaction.
const GROUP_MAX: usize = 512;
/// From so many appends on, a commit of their own is worth its while.
const QUICK_FIRST: usize = 16;

/// How a request is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// Writes rows, once.
    Once,
    /// The same of rows that follow from others.
    Derived,
    /// Writes rows; may be run again after it was undone.
    Again,
    /// Writes none: runs after the commit and sees it.
    Between,
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
pub(crate) struct Writer(Sender<Box<dyn Job>>);

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Writer")
    }
}

impl Writer {
    pub(crate) fn channel() -> (Self, Receiver<Box<dyn Job>>) {
        let (sender, receiver) = std::sync::mpsc::channel();
        (Self(sender), receiver)
    }

    /// Writes rows; answered after the commit is on disk.
    pub(crate) async fn write<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Desk) -> Done<T> + Send + 'static,
    {
        self.submit(Way::Once, once(work)).await
    }

    /// Writes rows that follow from rows that are on disk; answered after the commit, which the end of the process does
    /// not undo, and a power cut may.
    pub(crate) async fn write_derived<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Desk) -> Done<T> + Send + 'static,
    {
        self.submit(Way::Derived, once(work)).await
    }

    /// As [`write`](Writer::write), of work that can be run again after it was undone.
    pub(crate) async fn write_again<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnMut(&mut Desk) -> Done<T> + Send + 'static,
    {
        self.submit(Way::Again, work).await
    }

    /// Reads rows or changes what the writer holds in memory, between two transactions.
    pub(crate) async fn between<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Desk) -> Done<T> + Send + 'static,
    {
        self.submit(Way::Between, once(work)).await
    }

    async fn submit<T, F>(&self, way: Way, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnMut(&mut Desk) -> Done<T> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let ended = || StoreError::Bug("the writer of the store has ended".into());
        self.0.send(Box::new(Task { way, work, found: None, reply })).map_err(|_| ended())?;
        answer.await.map_err(|_| ended())?
    }
}

/// Runs until every [`Writer`] is dropped.
pub(crate) fn run(mut desk: Desk, requests: &Receiver<Box<dyn Job>>) {
    while let Some(first) = next(&mut desk, requests) {
        let mut group = Group::default();
        let mut others = Vec::new();
        let mut next = Some(first);
        while let Some(job) = next {
            match job.way() {
                Way::Again => group.again.push(job),
                Way::Once | Way::Derived => group.once.push(job),
                Way::Between => others.push(job),
            }
            next = if group.len() < GROUP_MAX { requests.try_recv().ok() } else { None };
        }
        let of_group = group.len();
        if of_group > 0 {
            commit(&mut desk, group);
        }
        for mut job in others {
            let failed = run_caught(&mut *job, &mut desk).err().map(StoreError::from);
            job.answer(failed);
        }
        desk.undo.clear();
        desk.checkpoints.committed(&desk.connection, of_group);
    }
    // A store that is closed is one file. If this fails, the log is read at the next start.
    let _turn = desk.checkpoints.turn();
    let _ = desk.connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)");
}

/// Waits for a request; `None` when nobody can ask any more. Catches up with the disk where none comes.
fn next(desk: &mut Desk, requests: &Receiver<Box<dyn Job>>) -> Option<Box<dyn Job>> {
    if desk.durability.is_behind() {
        match requests.recv_timeout(SYNC_WHEN_IDLE) {
            Ok(job) => return Some(job),
            Err(RecvTimeoutError::Timeout) => desk.durability.catch_up(),
            Err(RecvTimeoutError::Disconnected) => return None,
        }
    }
    requests.recv().ok()
}

fn run_caught(job: &mut dyn Job, desk: &mut Desk) -> Result<(), Fail> {
    catch_unwind(AssertUnwindSafe(|| job.run(desk)))
        .unwrap_or_else(|_| Err(bug("a request to the store panicked; it was undone")))
}

/// The requests of one transaction.
#[derive(Default)]
struct Group {
    /// Run first and together.
    again: Vec<Box<dyn Job>>,
    once: Vec<Box<dyn Job>>,
}

impl Group {
    fn len(&self) -> usize {
        self.again.len() + self.once.len()
    }

    fn weight(&self) -> Weight {
        let derived = self.again.is_empty() && self.once.iter().all(|job| job.way() == Way::Derived);
        if derived { Weight::Derived } else { Weight::OnDisk }
    }
}

/// In one transaction; in two where many wait that are quick: they are answered before what takes longer.
fn commit(desk: &mut Desk, mut group: Group) {
    if group.again.len() >= QUICK_FIRST && !group.once.is_empty() {
        let once = std::mem::take(&mut group.once);
        commit_group(desk, group);
        group = Group { again: Vec::new(), once };
    }
    match (group.len(), group.once.pop()) {
        (1, Some(job)) => commit_lone(desk, job),
        (_, job) => {
            group.once.extend(job);
            commit_group(desk, group);
        }
    }
}

/// One request in a transaction of its own, which is what undoes it: a savepoint would copy pages.
fn commit_lone(desk: &mut Desk, mut job: Box<dyn Job>) {
    desk.undo.clear();
    let weight = if job.way() == Way::Derived { Weight::Derived } else { Weight::OnDisk };
    let done = begin(desk, weight).and_then(|()| run_caught(&mut *job, desk)).and_then(|()| end(desk));
    let failed = done.err().map(|fail| {
        let of_the_disk = is_of_the_disk(desk, &fail);
        roll_back(desk);
        let error = StoreError::from(fail);
        if of_the_disk {
            tracing::error!(error = %error, "a request was not committed");
        }
        error
    });
    job.answer(failed);
}

/// One transaction over all; the answers go out after its end.
fn commit_group(desk: &mut Desk, group: Group) {
    desk.undo.clear();
    let mut answers: Vec<(Box<dyn Job>, Option<StoreError>)> = Vec::with_capacity(group.len());
    let weight = group.weight();
    let mut broken: Option<StoreError> = begin(desk, weight).err().map(Into::into);
    let Group { mut again, once } = group;
    let together = broken.is_none() && run_together(desk, &mut again, weight, &mut broken);
    let alone = if together {
        answers.extend(again.into_iter().map(|job| (job, None)));
        once
    } else {
        again.extend(once);
        again
    };
    for mut job in alone {
        let failed = match &broken {
            Some(error) => Some(error.clone()),
            None => match run_alone(desk, &mut *job) {
                Ok(()) => None,
                Err(fail) => {
                    let of_the_disk = is_of_the_disk(desk, &fail);
                    let error = StoreError::from(fail);
                    broken = of_the_disk.then(|| error.clone());
                    Some(error)
                }
            },
        };
        answers.push((job, failed));
    }
    if broken.is_none() {
        broken = end(desk).err().map(Into::into);
    }
    if let Some(error) = &broken {
        tracing::error!(error = %error, requests = answers.len(), "nothing of this group was committed");
        roll_back(desk);
    }
    for (job, failed) in answers {
        job.answer(failed.or_else(|| broken.clone()));
    }
}

/// Runs requests that can be run again, all of them or none. `false`: all were undone, and the transaction is as it
/// began, or `broken` says why there is none.
fn run_together(
    desk: &mut Desk,
    jobs: &mut [Box<dyn Job>],
    weight: Weight,
    broken: &mut Option<StoreError>,
) -> bool {
    for job in jobs {
        if let Err(fail) = run_caught(&mut **job, desk) {
            if is_of_the_disk(desk, &fail) {
                *broken = Some(fail.into());
            } else {
                roll_back(desk);
                *broken = begin(desk, weight).err().map(Into::into);
            }
            return false;
        }
    }
    true
}

/// Whether the whole transaction is lost.
fn is_of_the_disk(desk: &Desk, fail: &Fail) -> bool {
    fail.is_of_the_disk() || desk.connection.is_autocommit()
}

fn roll_back(desk: &mut Desk) {
    desk.roll_back_to(0);
    if !desk.connection.is_autocommit() {
        // Nothing is kept either way: SQLite rolls back what is open when this fails.
        let _ = desk.execute("ROLLBACK", []);
    }
}

fn begin(desk: &mut Desk, weight: Weight) -> Done<()> {
    desk.durability.set(&desk.connection, weight)?;
    desk.execute("BEGIN IMMEDIATE", []).map(drop)
}

fn end(desk: &mut Desk) -> Done<()> {
    desk.flush_webhook_ids()?;
    desk.flush_tally()?;
    desk.execute("COMMIT", [])?;
    desk.durability.committed();
    Ok(())
}

/// Runs one request under its own savepoint.
fn run_alone(desk: &mut Desk, job: &mut dyn Job) -> Result<(), Fail> {
    desk.execute("SAVEPOINT request", [])?;
    let mark = desk.undo.len();
    let result = run_caught(job, desk);
    if result.is_err() && !desk.connection.is_autocommit() {
        desk.roll_back_to(mark);
        desk.execute("ROLLBACK TO request", [])?;
    }
    if !desk.connection.is_autocommit() {
        desk.execute("RELEASE request", [])?;
    }
    result
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
        let durability = crate::durability::Durability::new(folder.join("tidegate.db-wal"));
        Desk::open(opened.connection, names, vault, checkpoints, durability).unwrap()
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
        let (writer, requests) = Writer::channel();
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
            let thread = std::thread::spawn(move || run(desk, &requests));
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
        let (writer, requests) = Writer::channel();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let thread = std::thread::spawn(move || run(desk, &requests));
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
