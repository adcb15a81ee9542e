//! One connection with its prepared statements, and the bounded pool of them.
//!
//! Owns how a connection is made and when it is thrown away: one on which a transaction was left open, or that met a
//! server that goes down, is never used again. Whoever waits for one waits for a bounded time.

use crate::bind::Bound;
use crate::connect::Target;
use crate::error::{Done, Fail, unavailable};
use bytes::Bytes;
use futures_util::{FutureExt, SinkExt};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Row, RowStream, Statement};

/// A connection that this side of the pool uses alone.
#[derive(Debug)]
pub(crate) struct Session {
    client: Client,
    /// Absent: statements are sent unnamed, with their types (a PgBouncer that knows no prepared statements).
    statements: Option<Mutex<BTreeMap<String, Statement>>>,
    /// A transaction is open.
    open: bool,
    broken: bool,
    /// No transaction was ended on it yet.
    new: bool,
}

impl Session {
    pub(crate) fn new(client: Client, prepared_statements: bool) -> Self {
        Self {
            client,
            statements: prepared_statements.then(Mutex::default),
            open: false,
            broken: false,
            new: true,
        }
    }

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

    pub(crate) async fn all(&self, sql: &str, values: &[Bound<'_>]) -> Done<Vec<Row>> {
        let rows = match self.prepared(sql, values).await? {
            Some(statement) => {
                let values: Vec<_> = values.iter().map(|(value, _)| *value).collect();
                self.client.query(&statement, &values).await?
            }
            None => self.client.query_typed(sql, values).await?,
        };
        Ok(rows)
    }

    pub(crate) async fn one(&self, sql: &str, values: &[Bound<'_>]) -> Done<Option<Row>> {
        Ok(self.all(sql, values).await?.into_iter().next())
    }

    pub(crate) async fn execute(&self, sql: &str, values: &[Bound<'_>]) -> Done<u64> {
        match self.prepared(sql, values).await? {
            Some(statement) => {
                let values: Vec<_> = values.iter().map(|(value, _)| *value).collect();
                Ok(self.client.execute(&statement, &values).await?)
            }
            None => Ok(self.client.execute_typed(sql, values).await?),
        }
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

    /// Several statements without values.
    pub(crate) async fn batch(&self, sql: &str) -> Done<()> {
        Ok(self.client.batch_execute(sql).await?)
    }

    /// Opens a transaction with its settings in one message; they end with it, so that a pooler between may hand the
    /// server's side to somebody else.
    pub(crate) async fn begin(&mut self, sql: &str) -> Done<()> {
        self.open = true;
        self.batch(sql).await
    }

    /// The commit is on disk when this returns.
    pub(crate) async fn commit(&mut self) -> Done<()> {
        self.batch("COMMIT").await?;
        self.open = false;
        self.new = false;
        Ok(())
    }

    /// After a failure: gives up what was done, and the connection with it where it is spoilt.
    pub(crate) async fn roll_back(&mut self, after: &Fail) {
        self.broken |= after.spoils_the_connection() || self.client.is_closed();
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
        !self.open && !self.broken && !self.client.is_closed()
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

    pub(crate) async fn session(&self) -> Done<Pooled> {
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
