//! The one writer: a thread that drains whatever waits into one transaction, commits once, then answers all.
//!
//! Nobody waits for a timer: while a commit is on its way to the disk, the next group gathers. A request that fails
//! is undone by its savepoint and fails alone; a disk that fails, fails the whole group, and the next one is tried
//! afresh.

use crate::desk::Desk;
use crate::error::{Done, Fail, bug};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender};
use store::StoreError;
use tokio::sync::oneshot;

/// Requests in one transaction.
const GROUP_MAX: usize = 512;

/// A request to the writer.
pub(crate) trait Job: Send {
    /// Whether it writes rows. One that does not runs after the commit and sees it.
    fn writes(&self) -> bool;
    fn run(&mut self, desk: &mut Desk) -> Result<(), Fail>;
    /// Sends what `run` found, or why it came to nothing.
    fn answer(self: Box<Self>, failed: Option<StoreError>);
}

struct Task<F, T> {
    writes: bool,
    work: Option<F>,
    found: Option<T>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<F, T> Job for Task<F, T>
where
    F: FnOnce(&mut Desk) -> Done<T> + Send,
    T: Send,
{
    fn writes(&self) -> bool {
        self.writes
    }
    fn run(&mut self, desk: &mut Desk) -> Result<(), Fail> {
        if let Some(work) = self.work.take() {
            self.found = Some(work(desk)?);
        }
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
        self.submit(true, work).await
    }

    /// Reads rows or changes what the writer holds in memory, between two transactions.
    pub(crate) async fn between<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Desk) -> Done<T> + Send + 'static,
    {
        self.submit(false, work).await
    }

    async fn submit<T, F>(&self, writes: bool, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Desk) -> Done<T> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let ended = || StoreError::Bug("the writer of the store has ended".into());
        self.0.send(Box::new(Task { writes, work: Some(work), found: None, reply })).map_err(|_| ended())?;
        answer.await.map_err(|_| ended())?
    }
}

/// Runs until every [`Writer`] is dropped.
pub(crate) fn run(mut desk: Desk, requests: &Receiver<Box<dyn Job>>) {
    while let Ok(first) = requests.recv() {
        let (mut writes, mut others) = (Vec::new(), Vec::new());
        let mut next = Some(first);
        while let Some(job) = next {
            if job.writes() {
                writes.push(job)
            } else {
                others.push(job)
            }
            next = if writes.len() < GROUP_MAX { requests.try_recv().ok() } else { None };
        }
        if !writes.is_empty() {
            commit_group(&mut desk, writes);
        }
        for mut job in others {
            let failed = run_caught(&mut *job, &mut desk).err().map(StoreError::from);
            job.answer(failed);
        }
        desk.undo.clear();
    }
    // A store that is closed is one file. If this fails, the log is read at the next start.
    let _ = desk.connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)");
}

fn run_caught(job: &mut dyn Job, desk: &mut Desk) -> Result<(), Fail> {
    catch_unwind(AssertUnwindSafe(|| job.run(desk)))
        .unwrap_or_else(|_| Err(bug("a request to the store panicked; it was undone")))
}

/// One transaction over all; the answers go out after its end.
fn commit_group(desk: &mut Desk, jobs: Vec<Box<dyn Job>>) {
    desk.undo.clear();
    let mut answers: Vec<(Box<dyn Job>, Option<StoreError>)> = Vec::with_capacity(jobs.len());
    let mut broken: Option<StoreError> = begin(desk).err().map(Into::into);
    for mut job in jobs {
        let failed = match &broken {
            Some(error) => Some(error.clone()),
            None => match run_alone(desk, &mut *job) {
                Ok(()) => None,
                Err(fail) => {
                    let of_the_disk = fail.is_of_the_disk() || desk.connection.is_autocommit();
                    let error = StoreError::from(fail);
                    broken = of_the_disk.then(|| error.clone());
                    Some(error)
                }
            },
        };
        answers.push((job, failed));
    }
    if broken.is_none() {
        broken = commit(desk).err().map(Into::into);
    }
    if let Some(error) = &broken {
        tracing::error!(error = %error, requests = answers.len(), "nothing of this group was committed");
        desk.roll_back_to(0);
        if !desk.connection.is_autocommit() {
            // Nothing is kept either way: SQLite rolls back what is open when this fails.
            let _ = desk.execute("ROLLBACK", []);
        }
    }
    for (job, failed) in answers {
        job.answer(failed.or_else(|| broken.clone()));
    }
}

fn begin(desk: &Desk) -> Done<()> {
    desk.execute("BEGIN IMMEDIATE", []).map(drop)
}

fn commit(desk: &mut Desk) -> Done<()> {
    desk.flush_webhook_ids()?;
    desk.execute("COMMIT", []).map(drop)
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
