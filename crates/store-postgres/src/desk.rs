//! A transaction at work: its connection and what all of this process share beside it.
//!
//! A desk that is dropped before its commit has done nothing: its connection is thrown away with what was open on it.

use crate::board::Board;
use crate::error::{Done, Fail};
use crate::names::{Names, of_kind, of_shop};
use crate::partitions::Partitions;
use crate::routing::HandedOut;
use crate::session::{Later, Line, Pool, Pooled, Session};
use crate::wake::Wake;
use futures_util::future::{join_all, poll_immediate};
use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use store::seal::vault::Vault;

/// What one process holds of the store, beside the tables. All of it may be lost.
#[derive(Debug)]
pub(crate) struct Shared {
    pub names: Names,
    pub vault: Vault,
    pub pool: Pool,
    /// Another one at each opening.
    pub node: String,
    pub handed_out: HandedOut,
    pub partitions: Partitions,
    pub wake: Wake,
    pub board: Board,
    /// The newest that this program knows.
    pub schema: u32,
    pub times: Times,
}

/// How long things may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Times {
    pub statement: Duration,
    /// What another node appended is routed by this one after so long.
    pub foreign_after: Duration,
    /// Envelopes and attempts are kept so long; `None`: for ever.
    pub history_days: Option<u32>,
    /// No pooler stands before the server: a connection keeps what was set on it.
    pub keeps_settings: bool,
}

/// A plan is made when a table is small and kept when it has grown, and the partition of a new day is empty: every
/// statement of the hot path finds each row by its whole key from the first one on, whatever the planner knows. It is made
/// once for a connection: left to itself the server plans anew for each few rows, which takes longer than to run it.
pub const PLANS: &str = "; SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = off; \
     SET LOCAL enable_mergejoin = off; SET LOCAL enable_material = off; SET LOCAL enable_bitmapscan = off; \
     SET LOCAL enable_memoize = off; SET LOCAL plan_cache_mode = force_generic_plan";

/// A plan for each statement's own values.
const BY_VALUES: &str = "; SET LOCAL plan_cache_mode = auto";

/// Back to what the server would do, for one transaction of a connection that is set up for the hot path.
const NO_PLANS: &str = "; SET LOCAL enable_seqscan = on; SET LOCAL enable_hashjoin = on; \
     SET LOCAL enable_mergejoin = on; SET LOCAL enable_material = on; SET LOCAL enable_bitmapscan = on; \
     SET LOCAL enable_memoize = on; SET LOCAL plan_cache_mode = auto";

/// How many times longer a statement may take that writes much.
const BULK_TIMES: u128 = 60;

/// What a transaction is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Writes; the commit is on disk before it is answered.
    Write,
    /// Writes what follows from rows that are on disk (docs/adr/0008): a server that loses power may forget it, never
    /// what it rests on, because commits reach the disk in their order.
    Derived,
    /// Writes much, at a person's or the housekeeping's pace: given much longer.
    Bulk,
    /// Reads all at one moment, for each fact or lane.
    Look,
    /// The same for people, who ask for much at once.
    Read,
}

pub(crate) struct Desk {
    pub session: Pooled,
    pub shared: Arc<Shared>,
    /// What the board said before anything was read: an answer is put up only if nothing was written since.
    pub writes: u64,
    /// Writes that are on the wire and whose answers come with that of the commit.
    later: Mutex<Vec<Later>>,
    /// The commit, where it is on the wire already.
    closing: Mutex<Option<Later>>,
}

impl std::fmt::Debug for Desk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Desk").field("session", &self.session).finish_non_exhaustive()
    }
}

impl Deref for Desk {
    type Target = Session;
    fn deref(&self) -> &Session {
        &self.session
    }
}

impl Desk {
    pub(crate) async fn begin(shared: &Arc<Shared>, purpose: Purpose) -> Done<Self> {
        loop {
            let writes = shared.board.writes();
            let mut session = shared.pool.any_session().await?;
            let (keeps, statement) = (shared.times.keeps_settings, shared.times.statement);
            let begun = async {
                if keeps {
                    session.set_up(&settings(statement)).await?;
                }
                session.begin_with_the_first(&opening(statement, purpose, keeps)).await
            };
            let Err(fail) = begun.await else {
                let (later, closing) = Default::default();
                return Ok(Self { session, shared: shared.clone(), writes, later, closing });
            };
            session.roll_back(&fail).await;
            // A connection that rested while its server went away: the next one may be sound, and a new one tells.
            if session.is_new() || !fail.spoils_the_connection() {
                return Err(fail);
            }
        }
    }

    pub(crate) fn names(&self) -> &Names {
        &self.shared.names
    }

    pub(crate) fn vault(&self) -> &Vault {
        &self.shared.vault
    }

    /// Sends a write whose answer says nothing but that it was done: that is waited for with the commit. `write` sends one
    /// statement.
    pub(crate) async fn later<F>(&self, write: impl FnOnce(Arc<Line>) -> F) -> Done<()>
    where
        F: Future<Output = Done<()>> + Send + 'static,
    {
        let line: Arc<Line> = Arc::clone(&**self.session);
        let mut write: Later = Box::pin(write(line.clone()));
        match poll_immediate(write.as_mut()).await {
            Some(done) => done,
            None if line.all_is_sent() => {
                self.later.lock().unwrap_or_else(PoisonError::into_inner).push(write);
                Ok(())
            }
            // It is prepared first, on this connection for the first time: what comes next must not overtake it.
            None => write.await,
        }
    }

    /// Sends the commit behind what is on the wire, if all that was begun is: for whoever sends nothing more and waits for
    /// answers that decide nothing. To be polled after them.
    pub(crate) async fn close(&self) -> Done<()> {
        let line: Arc<Line> = Arc::clone(&**self.session);
        if !line.all_is_sent() {
            return Ok(());
        }
        let mut commit: Later = Box::pin(async move { line.batch("COMMIT").await });
        match poll_immediate(commit.as_mut()).await {
            Some(done) => done?,
            None => {
                *self.closing.lock().unwrap_or_else(PoisonError::into_inner) = Some(commit);
            }
        }
        Ok(())
    }

    /// Commits what was found, or gives up all of it.
    pub(crate) async fn end<T>(mut self, found: Done<T>) -> Done<T> {
        let later = std::mem::take(self.later.get_mut().unwrap_or_else(PoisonError::into_inner));
        let closing = self.closing.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        let is_closing = closing.is_some();
        let (fail, before_commit) = match found {
            Ok(found) => match self.session.commit(later, closing).await {
                Ok(()) => return Ok(found),
                Err(fail) => (fail, false),
            },
            Err(fail) => {
                let opened = self.session.opened().await;
                let written = join_all(later).await;
                if let Some(closing) = closing {
                    // It has ended the transaction, whichever way.
                    self.session.ended(closing.await);
                }
                // After the first failure the server says of all else that the transaction is aborted.
                let first = std::iter::once(opened).chain(written).find_map(Result::err);
                (first.unwrap_or(fail), !is_closing)
            }
        };
        self.session.roll_back(&fail).await;
        // A connection that rested while its server went away: a new one tells whether there is a server.
        if before_commit && !self.session.is_new() && fail.says_the_connection_is_gone() {
            self.shared.pool.clear();
            return Err(Fail::Gone(Box::new(fail)));
        }
        Err(fail)
    }
}

/// What opens a transaction. A connection of our own has the settings of the hot path already; one of a pooler is somebody
/// else's after the transaction, and so each transaction has its own.
fn opening(statement: Duration, purpose: Purpose, keeps: bool) -> String {
    let isolation = match purpose {
        Purpose::Look | Purpose::Read => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        Purpose::Write | Purpose::Bulk => "BEGIN ISOLATION LEVEL READ COMMITTED",
        Purpose::Derived => "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL synchronous_commit = off",
    };
    let times = match purpose {
        // What people ask for is asked seldom, and of other rows each time.
        Purpose::Bulk => format!("{}{BY_VALUES}", within(statement.as_millis() * BULK_TIMES)),
        _ if keeps => String::new(),
        _ => within(statement.as_millis()),
    };
    let plans = match (purpose, keeps) {
        (Purpose::Read, true) => NO_PLANS,
        (Purpose::Read, false) | (_, true) => "",
        (_, false) => PLANS,
    };
    format!("{isolation}{plans}{times}")
}

/// A lock is waited for half as long: whoever waits learns it from the lock, not from the whole statement.
fn within(statement_ms: u128) -> String {
    format!(
        "; SET LOCAL statement_timeout = {statement_ms}; SET LOCAL lock_timeout = {}; \
         SET LOCAL idle_in_transaction_session_timeout = {statement_ms}; SET LOCAL jit = off",
        statement_ms / 2
    )
}

/// Those of the hot path, for as long as the connection lives.
fn settings(statement: Duration) -> String {
    let all = format!("{}{PLANS}", within(statement.as_millis())).replace("SET LOCAL", "SET");
    all.trim_start_matches("; ").to_owned()
}

impl Shared {
    /// Something of these shops was committed: what is known of them is looked at again, here and at the other nodes.
    pub(crate) fn committed(&self, shops: impl IntoIterator<Item = i32>) {
        let shops: Vec<i32> = shops.into_iter().collect();
        self.board.stir(shops.iter().copied());
        self.wake.tell(shops);
    }

    /// Sees to it that these names have numbers, before a transaction needs them.
    pub(crate) async fn ensure<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> Done<()> {
        let unknown = self.names.unknown(names);
        if unknown.is_empty() {
            return Ok(());
        }
        let mut session = self.pool.session().await?;
        let given = self.names.give_out(&session, &unknown).await;
        if let Err(fail) = &given {
            session.roll_back(fail).await;
        }
        given
    }

    pub(crate) async fn reload_names(&self) -> Done<()> {
        let session = self.pool.session().await?;
        self.names.load(&session).await
    }
}

/// Names that a subject's row needs.
pub(crate) fn names_of(subject: &kernel::subject::Subject) -> [String; 2] {
    [of_shop(&subject.shop), of_kind(subject.root())]
}

/// Tries again what is worth it, with the names of other nodes read where one was missing.
pub(crate) async fn again(shared: &Shared, fail: &Fail, tries: &mut u32) -> bool {
    *tries += 1;
    if *tries > 5 || !fail.is_worth_another_try() {
        return false;
    }
    match fail {
        Fail::UnknownName(_) => shared.reload_names().await.is_ok(),
        _ => true,
    }
}

/// One transaction, tried again where the server says that nothing of it was done.
macro_rules! transact {
    ($store:expr, $purpose:ident, $desk:ident => $work:expr) => {{
        let shared = $store.shared.clone();
        let mut tries = 0;
        loop {
            let ended = match $crate::desk::Desk::begin(&shared, $crate::desk::Purpose::$purpose).await {
                Ok($desk) => {
                    let found = async { $work }.await;
                    $desk.end(found).await
                }
                Err(fail) => Err(fail),
            };
            match ended {
                Err(fail) if $crate::desk::again(&shared, &fail, &mut tries).await => {}
                ended => break ended,
            }
        }
    }};
}
pub(crate) use transact;

/// One write of [`Desk::later`]; its values are names of what is moved into it.
macro_rules! later {
    ($desk:expr, $sql:expr, $($value:ident),* $(,)?) => {
        $desk
            .later(move |line| async move {
                line.execute($sql, $crate::bind::args![$($value),*]).await.map(drop)
            })
            .await
    };
}
pub(crate) use later;
