//! One connection with its prepared statements, and the bounded pool of them.
//!
//! Owns how a connection is made and when it is thrown away: one on which a transaction was left open, or that met a
//! server that goes down, is never used again. Whoever waits for one waits for a bounded time.
//!
//! Statements are answered in the order in which they were sent, and what is sent need not wait for the answer before: a
//! transaction's opening goes out with its first statement, and its commit with its last.

use crate::bind::Bound;
use crate::connect::Target;
use crate::error::{Done, Fail, unavailable};
use bytes::Bytes;
use futures_util::future::{BoxFuture, join_all, join3, poll_immediate};
use futures_util::{FutureExt, SinkExt, StreamExt};
use std::collections::BTreeMap;
use std::ops::Deref;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Row, RowStream, SimpleQueryStream, Statement};

/// A write that is on the wire, and its answer.
pub(crate) type Later = BoxFuture<'static, Done<()>>;

/// A connection that this side of the pool uses alone.
pub(crate) struct Session {
    line: Arc<Line>,
    /// A transaction is open.
    open: bool,
    /// The answer to what opened it, which nobody has looked at yet.
    opening: Option<Pin<Box<SimpleQueryStream>>>,
    broken: bool,
    /// No transaction was ended on it yet.
    new: bool,
    /// It has the settings of the hot path, beyond the transaction.
    set_up: bool,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("open", &self.open)
            .field("broken", &self.broken)
            .finish_non_exhaustive()
    }
}

/// What statements go over; shared with those whose answer is waited for later.
#[derive(Debug)]
pub(crate) struct Line {
    client: Client,
    /// Absent: statements are sent unnamed, with their types (a PgBouncer that knows no prepared statements).
    statements: Option<Mutex<BTreeMap<String, Statement>>>,
    /// Statements that somebody has begun and that are not on the wire yet.
    unsent: AtomicUsize,
}

/// One statement on its way to the wire.
struct Unsent<'a>(&'a AtomicUsize);

impl<'a> Unsent<'a> {
    fn one_of(line: &'a Line) -> Self {
        line.unsent.fetch_add(1, Ordering::Relaxed);
        Self(&line.unsent)
    }
}

impl Drop for Unsent<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Sends, which a statement's first poll does, then waits.
async fn answered<T>(
    sending: Unsent<'_>,
    answer: impl Future<Output = Result<T, tokio_postgres::Error>>,
) -> Done<T> {
    let mut answer = pin!(answer);
    let first = poll_immediate(answer.as_mut()).await;
    drop(sending);
    Ok(match first {
        Some(answer) => answer?,
        None => answer.await?,
    })
}

impl Line {
    async fn prepared(&self, sql: &str, values: &[Bound<'_>]) -> Done<Option<Statement>> {
        let Some(statements) = &self.statements else { return Ok(None) };
        let known = statements.lock().unwrap_or_else(PoisonError::into_inner).get(sql).cloned();
        if known.is_some() {
            return Ok(known);
        }
        let types: Vec<_> = values.iter().map(|(_, sql_type)| sql_type.clone()).collect();
        let statement = self.client.prepare_typed(sql, &types).await?;
        let mut statements = statements.lock().unwrap_or_else(PoisonError::into_inner);
        statements.insert(sql.to_owned(), statement.clone());
        Ok(Some(statement))
    }

    /// Whether this statement goes out with its first poll.
    pub(crate) fn is_prepared(&self, sql: &str) -> bool {
        let Some(statements) = &self.statements else { return true };
        statements.lock().unwrap_or_else(PoisonError::into_inner).contains_key(sql)
    }

    pub(crate) async fn all(&self, sql: &str, values: &[Bound<'_>]) -> Done<Vec<Row>> {
        let sending = Unsent::one_of(self);
        match self.prepared(sql, values).await? {
            Some(statement) => {
                let values: Vec<_> = values.iter().map(|(value, _)| *value).collect();
                answered(sending, self.client.query(&statement, &values)).await
            }
            None => answered(sending, self.client.query_typed(sql, values)).await,
        }
    }

    pub(crate) async fn one(&self, sql: &str, values: &[Bound<'_>]) -> Done<Option<Row>> {
        Ok(self.all(sql, values).await?.into_iter().next())
    }

    pub(crate) async fn execute(&self, sql: &str, values: &[Bound<'_>]) -> Done<u64> {
        let sending = Unsent::one_of(self);
        match self.prepared(sql, values).await? {
            Some(statement) => {
                let values: Vec<_> = values.iter().map(|(value, _)| *value).collect();
                answered(sending, self.client.execute(&statement, &values)).await
            }
            None => answered(sending, self.client.execute_typed(sql, values)).await,
        }
    }

    /// Whether all that anybody has begun is on the wire: what is sent now comes after it.
    pub(crate) fn all_is_sent(&self) -> bool {
        self.unsent.load(Ordering::Relaxed) == 0
    }

    /// Several statements without values.
    pub(crate) async fn batch(&self, sql: &str) -> Done<()> {
        Ok(self.client.batch_execute(sql).await?)
    }

    /// Rows of a statement without values, as they come.
    pub(crate) async fn stream(&self, sql: &str) -> Done<RowStream> {
        Ok(self.client.query_typed_raw(sql, std::iter::empty::<(&str, Type)>()).await?)
    }

    /// Sends what a `COPY … FROM STDIN` takes.
    pub(crate) async fn copy_in(&self, sql: &str, bytes: Bytes) -> Done<u64> {
        let mut sink = std::pin::pin!(self.client.copy_in::<_, Bytes>(sql).await?);
        sink.send(bytes).await?;
        Ok(sink.finish().await?)
    }
}

impl Deref for Session {
    type Target = Arc<Line>;
    fn deref(&self) -> &Arc<Line> {
        &self.line
    }
}

impl Session {
    pub(crate) fn new(client: Client, prepared_statements: bool) -> Self {
        let statements = prepared_statements.then(Mutex::default);
        Self {
            line: Arc::new(Line { client, statements, unsent: AtomicUsize::new(0) }),
            open: false,
            opening: None,
            broken: false,
            new: true,
            set_up: false,
        }
    }

    /// Opens a transaction with its settings in one message; they end with it, so that a pooler between may hand the
    /// server's side to somebody else.
    pub(crate) async fn begin(&mut self, sql: &str) -> Done<()> {
        self.begin_with_the_first(sql).await?;
        self.opened().await
    }

    /// The same without waiting for the answer, which comes before that of the first statement.
    pub(crate) async fn begin_with_the_first(&mut self, sql: &str) -> Done<()> {
        self.open = true;
        self.opening = Some(Box::pin(self.line.client.simple_query_raw(sql).await?));
        Ok(())
    }

    /// Whether the transaction was opened, once its first statement was answered, or failed.
    pub(crate) async fn opened(&mut self) -> Done<()> {
        if let Some(mut opening) = self.opening.take() {
            while let Some(answer) = opening.next().await {
                answer?;
            }
        }
        Ok(())
    }

    /// Gives it settings that last, unless it has them.
    pub(crate) async fn set_up(&mut self, sql: &str) -> Done<()> {
        if !self.set_up {
            self.batch(sql).await?;
            self.set_up = true;
        }
        Ok(())
    }

    /// Back to the server's own settings.
    async fn reset(&mut self) -> Done<()> {
        if self.set_up {
            self.broken = true;
            self.batch("RESET ALL").await?;
            (self.broken, self.set_up) = (false, false);
        }
        Ok(())
    }

    /// The commit is on disk when this returns.
    /// `last`: what was sent before it and is not answered yet; where any of it failed, the server has given up the
    /// transaction. `closing`: the commit itself, where it was sent already.
    pub(crate) async fn commit(&mut self, last: Vec<Later>, closing: Option<Later>) -> Done<()> {
        let line = self.line.clone();
        // On the wire with its first poll, behind all of them.
        let closing = closing.unwrap_or_else(|| Box::pin(async move { line.batch("COMMIT").await }));
        let (opened, written, committed) = join3(self.opened(), join_all(last), closing).await;
        opened?;
        written.into_iter().collect::<Done<()>>()?;
        committed?;
        self.open = false;
        self.new = false;
        Ok(())
    }

    /// A commit that was on the wire when something failed here.
    pub(crate) fn ended(&mut self, commit: Done<()>) {
        self.open = commit.is_err();
    }

    /// After a failure: gives up what was done, and the connection with it where it is spoilt.
    pub(crate) async fn roll_back(&mut self, after: &Fail) {
        self.opening = None;
        self.broken |= after.spoils_the_connection() || self.line.client.is_closed();
        if self.open && !self.broken {
            match self.batch("ROLLBACK").await {
                Ok(()) => self.open = false,
                Err(_) => self.broken = true,
            }
        }
    }

    pub(crate) fn is_new(&self) -> bool {
        self.new
    }

    fn is_sound(&self) -> bool {
        !self.open && !self.broken && !self.line.client.is_closed()
    }
}

/// The pool: at most so many connections, each used by one at a time.
#[derive(Debug, Clone)]
pub(crate) struct Pool(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    target: Target,
    prepared_statements: bool,
    wait_max: Duration,
    idle: Mutex<Vec<Session>>,
    free: Arc<Semaphore>,
}

/// A session that goes back to the pool when it is dropped sound.
#[derive(Debug)]
pub(crate) struct Pooled {
    /// Absent only while it is dropped.
    session: Option<Session>,
    pool: Arc<Inner>,
    _permit: OwnedSemaphorePermit,
}

impl Pool {
    pub(crate) fn new(
        target: Target,
        connections: usize,
        prepared_statements: bool,
        wait_max: Duration,
    ) -> Self {
        let free = Arc::new(Semaphore::new(connections.max(1)));
        Self(Arc::new(Inner { target, prepared_statements, wait_max, idle: Mutex::default(), free }))
    }

    /// One with the server's own settings.
    pub(crate) async fn session(&self) -> Done<Pooled> {
        loop {
            let mut session = self.any_session().await?;
            match session.reset().await {
                Ok(()) => return Ok(session),
                // It rested while its server went away: the next one may be sound, and a new one is not set up.
                Err(fail) => session.roll_back(&fail).await,
            }
        }
    }

    /// One as its last user left it.
    pub(crate) async fn any_session(&self) -> Done<Pooled> {
        let permit = self.0.free.clone().acquire_owned();
        let permit = tokio::time::timeout(self.0.wait_max, permit).await;
        let permit = permit
            .map_err(|_| {
                unavailable("every connection to PostgreSQL is in use; more are opened by `connections`")
            })?
            .map_err(|_| unavailable("the store is closed"))?;
        let idle = || self.0.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let kept = std::iter::from_fn(idle).find(Session::is_sound);
        let session = match kept {
            Some(session) => session,
            None => self.connect().await?,
        };
        Ok(Pooled { session: Some(session), pool: self.0.clone(), _permit: permit })
    }

    /// None of those that rest is used again: the server that they were made to is gone.
    pub(crate) fn clear(&self) {
        self.0.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    async fn connect(&self) -> Done<Session> {
        let connecting = self.0.target.connect().boxed();
        match tokio::time::timeout(self.0.wait_max, connecting).await {
            Ok(client) => Ok(Session::new(client?, self.0.prepared_statements)),
            Err(_) => Err(unavailable("PostgreSQL does not answer")),
        }
    }
}

impl std::ops::Deref for Pooled {
    type Target = Session;
    fn deref(&self) -> &Session {
        // Filled from its making to its drop.
        self.session.as_ref().unwrap_or_else(|| unreachable!("a pooled session after its drop"))
    }
}

impl std::ops::DerefMut for Pooled {
    fn deref_mut(&mut self) -> &mut Session {
        self.session.as_mut().unwrap_or_else(|| unreachable!("a pooled session after its drop"))
    }
}

impl Drop for Pooled {
    fn drop(&mut self) {
        if let Some(session) = self.session.take().filter(Session::is_sound) {
            self.pool.idle.lock().unwrap_or_else(PoisonError::into_inner).push(session);
        }
    }
}
