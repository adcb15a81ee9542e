//! A transaction at work: its connection and what all of this process share beside it.
//!
//! A desk that is dropped before its commit has done nothing: its connection is thrown away with what was open on it.

use crate::board::Board;
use crate::error::{Done, Fail};
use crate::names::{Names, of_kind, of_shop};
use crate::partitions::Partitions;
use crate::routing::HandedOut;
use crate::session::{Pool, Pooled, Session};
use crate::wake::Wake;
use std::ops::Deref;
use std::sync::Arc;
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
}

/// A plan is made when a table is small and kept when it has grown, and the partition of a new day is empty: every
/// statement of the hot path finds each row by its whole key from the first one on, whatever the planner knows.
pub const PLANS: &str = "; SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = off; \
     SET LOCAL enable_mergejoin = off; SET LOCAL enable_material = off; SET LOCAL enable_bitmapscan = off; \
     SET LOCAL enable_memoize = off";

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

#[derive(Debug)]
pub(crate) struct Desk {
    pub session: Pooled,
    pub shared: Arc<Shared>,
    /// What the board said before anything was read: an answer is put up only if nothing was written since.
    pub writes: u64,
}

impl Deref for Desk {
    type Target = Session;
    fn deref(&self) -> &Session {
        &self.session
    }
}

impl Desk {
    pub(crate) async fn begin(shared: &Arc<Shared>, purpose: Purpose) -> Done<Self> {
        let isolation = match purpose {
            Purpose::Look | Purpose::Read => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
            Purpose::Write | Purpose::Bulk => "BEGIN ISOLATION LEVEL READ COMMITTED",
            Purpose::Derived => "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL synchronous_commit = off",
        };
        let longer = if purpose == Purpose::Bulk { BULK_TIMES } else { 1 };
        let statement = shared.times.statement.as_millis() * longer;
        // A lock is waited for half as long: whoever waits learns it from the lock, not from the whole statement.
        let sql = format!(
            "{isolation}; SET LOCAL statement_timeout = {statement}; SET LOCAL lock_timeout = {}; \
             SET LOCAL idle_in_transaction_session_timeout = {statement}; SET LOCAL jit = off{}",
            statement / 2,
            if purpose == Purpose::Read { "" } else { PLANS }
        );
        loop {
            let writes = shared.board.writes();
            let mut session = shared.pool.session().await?;
            let Err(fail) = session.begin(&sql).await else {
                return Ok(Self { session, shared: shared.clone(), writes });
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

    /// Commits what was found, or gives up all of it.
    pub(crate) async fn end<T>(mut self, found: Done<T>) -> Done<T> {
        let ended = match found {
            Ok(found) => self.session.commit().await.map(|()| found),
            Err(fail) => Err(fail),
        };
        if let Err(fail) = &ended {
            self.session.roll_back(fail).await;
        }
        ended
    }
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
