//! The writer's one open transaction: who begins it, what rides in it, and its end.
//!
//! What has to be on disk before it is answered (a fact that is acknowledged, an attempt whose first byte is about to
//! leave, a person's act) commits, and waits for the disk. What follows from rows that are on disk (a routing decision,
//! an outcome) *rides*: it is answered as soon as it is run, and committed along with the next that commits, or by the
//! writer a moment later. Whatever ends the process takes along what still rides and nothing that it rests on: an
//! envelope is routed again, an attempt is found without an answer and looked up. Why: docs/adr/0010.
//!
//! A request that fails fails alone: it is undone by its savepoint, or, where it is the first of its transaction, with
//! that. Requests that can be run again (appends: most of them, and a savepoint costs each a copy of every page) are
//! run together, and once more one by one if one of them fails. A disk that fails, fails all that is open.

use crate::desk::Desk;
use crate::error::{Done, Fail, bug};
use crate::writer::{Job, Way};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use store::StoreError;

/// From so many appends on, a commit of their own is worth its while.
const QUICK_FIRST: usize = 16;

/// How many answered requests ride in the open transaction; shared with whoever has to know without asking the writer.
#[derive(Debug, Clone, Default)]
pub(crate) struct Riding(Arc<AtomicUsize>);

impl Riding {
    pub(crate) fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
    fn one_more(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
    fn take(&self) -> usize {
        self.0.swap(0, Ordering::SeqCst)
    }
}

/// The requests of one commit.
#[derive(Default)]
pub(crate) struct Group {
    /// Run first and together.
    pub again: Vec<Box<dyn Job>>,
    pub once: Vec<Box<dyn Job>>,
}

impl Group {
    pub(crate) fn len(&self) -> usize {
        self.again.len() + self.once.len()
    }

    /// Whether none of them has to be on disk.
    fn rides(&self) -> bool {
        self.again.is_empty() && self.once.iter().all(|job| job.way() == Way::Derived)
    }
}

/// Runs what rides, beginning a transaction where none is open.
pub(crate) fn ride<T>(desk: &mut Desk, work: impl FnOnce(&mut Desk) -> Done<T>) -> Result<T, StoreError> {
    let done = begin(desk).and_then(|()| alone(desk, work));
    match done {
        Ok(found) => {
            desk.riding.one_more();
            Ok(found)
        }
        Err(fail) => {
            if is_of_the_disk(desk, &fail) || desk.riding.count() == 0 {
                give_up(desk);
            }
            Err(fail.into())
        }
    }
}

/// Runs what writes no rows: it sees all that was written so far, and what it changes in memory stands and falls with
/// the open transaction, if there is one.
pub(crate) fn between<T>(desk: &mut Desk, work: impl FnOnce(&mut Desk) -> Done<T>) -> Result<T, StoreError> {
    let mark = desk.undo.len();
    let done = caught(desk, work);
    if done.is_err() {
        desk.roll_back_to(mark);
    }
    if desk.connection.is_autocommit() {
        desk.undo.clear();
    }
    done.map_err(Into::into)
}

/// Commits what rides. A disk that refuses it has been told of when this returns.
pub(crate) fn settle(desk: &mut Desk) {
    if desk.connection.is_autocommit() {
        return;
    }
    if let Err(fail) = end(desk) {
        let error = StoreError::from(fail);
        tracing::error!(error = %error, "what was open was not committed");
        give_up(desk);
    }
}

/// Runs a group and commits it with what rides; or lets it ride along, where nothing of it has to be on disk. In two
/// commits where many wait that are quick: they are answered before what takes longer.
pub(crate) fn commit(desk: &mut Desk, mut group: Group) {
    if group.rides() {
        for mut job in group.once {
            let failed = ride(desk, |desk| job.run(desk)).err();
            job.answer(failed);
        }
        return;
    }
    if group.again.len() >= QUICK_FIRST && !group.once.is_empty() {
        let once = std::mem::take(&mut group.once);
        commit_group(desk, group);
        group = Group { again: Vec::new(), once };
    }
    commit_group(desk, group);
}

/// One transaction over all; the answers go out after its end.
fn commit_group(desk: &mut Desk, group: Group) {
    let mut answers: Vec<(Box<dyn Job>, Option<StoreError>)> = Vec::with_capacity(group.len());
    // A lone request is undone with its transaction, unless others ride in that.
    let lone = group.len() == 1 && desk.connection.is_autocommit();
    let mut broken: Option<StoreError> = begin(desk).err().map(Into::into);
    let Group { mut again, once } = group;
    let together = broken.is_none() && !lone && run_together(desk, &mut again, &mut broken);
    let one_by_one = if together {
        answers.extend(again.into_iter().map(|job| (job, None)));
        once
    } else {
        again.extend(once);
        again
    };
    for mut job in one_by_one {
        let failed = match &broken {
            Some(error) => Some(error.clone()),
            None => {
                let done =
                    if lone { caught(desk, |desk| job.run(desk)) } else { alone(desk, |desk| job.run(desk)) };
                done.err().map(|fail| {
                    let of_the_disk = is_of_the_disk(desk, &fail);
                    let error = StoreError::from(fail);
                    if of_the_disk {
                        broken = Some(error.clone());
                    } else if lone {
                        roll_back(desk);
                    }
                    error
                })
            }
        };
        answers.push((job, failed));
    }
    if broken.is_none() && !desk.connection.is_autocommit() {
        broken = end(desk).err().map(Into::into);
    }
    if let Some(error) = &broken {
        tracing::error!(error = %error, requests = answers.len(), "nothing of this group was committed");
        give_up(desk);
    }
    for (job, failed) in answers {
        job.answer(failed.or_else(|| broken.clone()));
    }
}

/// Runs requests that can be run again, all of them or none. `false`: they were undone, or `broken` says why there is
/// no transaction.
fn run_together(desk: &mut Desk, jobs: &mut [Box<dyn Job>], broken: &mut Option<StoreError>) -> bool {
    if jobs.is_empty() {
        return true;
    }
    let all = |desk: &mut Desk| jobs.iter_mut().try_for_each(|job| job.run(desk));
    let riding = desk.riding.count() > 0;
    let done = if riding { alone(desk, all) } else { caught(desk, all) };
    let Err(fail) = done else { return true };
    if is_of_the_disk(desk, &fail) {
        *broken = Some(fail.into());
    } else if !riding {
        roll_back(desk);
        *broken = begin(desk).err().map(Into::into);
    }
    false
}

/// Whether the whole transaction is lost.
fn is_of_the_disk(desk: &Desk, fail: &Fail) -> bool {
    fail.is_of_the_disk() || desk.connection.is_autocommit()
}

/// Nothing that is open is kept. What rode in it was answered: it is found again as after the end of the process.
fn give_up(desk: &mut Desk) {
    roll_back(desk);
    let lost = desk.riding.take();
    if lost > 0 {
        tracing::error!(requests = lost, "decisions and outcomes were lost with it, and are found again");
    }
}

fn roll_back(desk: &mut Desk) {
    desk.roll_back_to(0);
    if !desk.connection.is_autocommit() {
        // Nothing is kept either way: SQLite rolls back what is open when this fails.
        let _ = desk.execute("ROLLBACK", []);
    }
}

/// Unless a transaction is open.
fn begin(desk: &mut Desk) -> Done<()> {
    if desk.connection.is_autocommit() {
        desk.undo.clear();
        desk.execute("BEGIN IMMEDIATE", [])?;
    }
    Ok(())
}

fn end(desk: &mut Desk) -> Done<()> {
    desk.flush_webhook_ids()?;
    desk.flush_tally()?;
    desk.execute("COMMIT", [])?;
    desk.undo.clear();
    desk.riding.take();
    Ok(())
}

/// Under a savepoint of its own.
fn alone<T>(desk: &mut Desk, work: impl FnOnce(&mut Desk) -> Done<T>) -> Done<T> {
    desk.execute("SAVEPOINT request", [])?;
    let mark = desk.undo.len();
    let done = caught(desk, work);
    if done.is_err() && !desk.connection.is_autocommit() {
        desk.roll_back_to(mark);
        desk.execute("ROLLBACK TO request", [])?;
    }
    if !desk.connection.is_autocommit() {
        desk.execute("RELEASE request", [])?;
    }
    done
}

fn caught<T>(desk: &mut Desk, work: impl FnOnce(&mut Desk) -> Done<T>) -> Done<T> {
    catch_unwind(AssertUnwindSafe(|| work(desk)))
        .unwrap_or_else(|_| Err(bug("a request to the store panicked; it was undone")))
}

#[cfg(test)]
mod tests;
