//! The store for several nodes: one PostgreSQL, any number of processes. Appends are committed in groups, lanes are
//! claimed in batches under leases with a fence, and every statement that runs often is of one shop.
//!
//! Owns the schema and every statement. It keeps the promises of `store::Store`, held to them by the conformance
//! suite; it knows no order, no connector and no clock of its own. `docs/store-postgres.md` tells those who run the
//! database about it.

mod append;
mod bind;
mod board;
mod claims;
mod codec;
mod connect;
mod deliveries;
mod desk;
mod error;
mod filter;
mod flush;
pub mod inspect;
mod keep;
mod letters;
mod life;
mod migrate;
mod moves;
pub mod moving;
mod names;
mod open;
mod partitions;
mod port;
mod questions;
mod records;
mod retain;
mod route;
mod routing;
mod series;
mod session;
mod standing;
mod triage;
mod unrouted;
mod view;
mod wake;
mod webhook_ids;
mod work;
mod writer;

pub use desk::PLANS as HOT_SETTINGS;
pub use migrate::{MIGRATIONS, Migration};

use crate::append::Prepared;
use crate::board::Board;
use crate::connect::Target;
use crate::desk::{Shared, Times};
use crate::error::{Done, Fail};
use crate::moves::PreparedMove;
use crate::names::Names;
use crate::partitions::Partitions;
use crate::routing::HandedOut;
use crate::session::{Pool, Session};
use crate::wake::Wake;
use crate::writer::Writer;
use kernel::clock::Clock;
use secrecy::{ExposeSecret, SecretString};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use store::StoreError;
use store::pressure::Pressure;
use store::seal::vault::Vault;
use store::seal::{MasterKey, Random};
use tokio::sync::watch;
use tokio::task::AbortHandle;

/// What the store is opened with. [`Options::new`] has what is right for most.
#[derive(Debug)]
pub struct Options {
    /// `postgres://user:password@host:port/database?sslmode=…`. Several hosts are tried in turn for the one that writes.
    /// TLS unless the host is this machine; then the certificate is verified.
    pub url: SecretString,
    /// Where to listen for other nodes, where `url` is a pooler in transaction mode: the server itself.
    pub listen_url: Option<SecretString>,
    /// Certificates of the authorities to believe; absent: those of the operating system.
    pub ca_file: Option<PathBuf>,
    /// Connections of this process beside the one that listens.
    pub connections: usize,
    /// A statement that takes longer is given up, as is the wait for a connection.
    pub statement_timeout: Duration,
    /// `false` for a pooler in transaction mode that knows no prepared statements (PgBouncer before 1.21, or with
    /// `max_prepared_statements = 0`): the server then plans each statement anew.
    pub prepared_statements: bool,
    /// What another node appended and has not routed for so long is routed by this one.
    pub foreign_after: Duration,
    /// Envelopes and attempts are dropped after so many days; `None`: never, as in the embedded store.
    pub history_days: Option<u32>,
    /// Those that this program knows; another list is a rehearsal of the next version.
    pub migrations: &'static [Migration],
    pub master_key: MasterKey,
    pub random: Arc<dyn Random>,
    pub clock: Arc<dyn Clock>,
}

impl Options {
    pub fn new(
        url: impl Into<SecretString>,
        master_key: MasterKey,
        random: Arc<dyn Random>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            url: url.into(),
            listen_url: None,
            ca_file: None,
            connections: 8,
            statement_timeout: Duration::from_secs(10),
            prepared_statements: true,
            foreign_after: Duration::from_secs(1),
            history_days: None,
            migrations: MIGRATIONS,
            master_key,
            random,
            clock,
        }
    }

    fn target(&self) -> Done<Target> {
        Target::parse(self.url.expose_secret(), self.ca_file.as_deref())
    }
}

/// A handle to the open store; clones share it. Its tasks end and its connections close when the last one is dropped.
#[derive(Debug, Clone)]
pub struct PostgresStore {
    shared: Arc<Shared>,
    appends: Arc<Writer<Prepared>>,
    moves: Arc<Writer<PreparedMove>>,
    pressure: Arc<Pressure>,
    _listener: Arc<Listener>,
}

#[derive(Debug)]
struct Listener(AbortHandle);

impl Drop for Listener {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl PostgresStore {
    /// Opens the store, made or migrated first where need be; on a tokio runtime. Refuses, touching nothing: a database
    /// with tables of another program, a newer schema, a wrong master key, a server that does not sync its commits.
    pub async fn open(options: Options) -> Result<Self, StoreError> {
        Ok(Self::opened(options).await?)
    }

    async fn opened(options: Options) -> Done<Self> {
        let target = options.target()?;
        let listen = match &options.listen_url {
            Some(url) => Target::parse(url.expose_secret(), options.ca_file.as_deref())?,
            None => target.clone(),
        };
        let now = options.clock.now().wall;
        let mut session = Session::new(target.connect().await?, options.prepared_statements);
        let master = open::open(&mut session, &options, now).await?;
        let names = Names::default();
        names.load(&session).await?;
        let mut node = [0; 8];
        options.random.fill(&mut node).map_err(Fail::Store)?;
        let node = kernel::key::hex(&node);
        let pool =
            Pool::new(target, options.connections, options.prepared_statements, options.statement_timeout);
        let shared = Arc::new(Shared {
            names,
            vault: Vault::new(master, options.master_key, options.random),
            pool,
            node: node.clone(),
            handed_out: HandedOut::default(),
            partitions: Partitions::default(),
            wake: Wake::new(),
            board: Board::default(),
            schema: migrate::known(options.migrations),
            times: Times {
                statement: options.statement_timeout,
                foreign_after: options.foreign_after,
                history_days: options.history_days,
                keeps_settings: options.listen_url.is_none() && options.prepared_statements,
            },
        });
        retain::ahead(&shared, now).await?;
        let listening = tokio::spawn(shared.wake.clone().run(listen, Arc::downgrade(&shared)));
        let (appends, moves) = (Arc::new(Writer::start(&shared)), Arc::new(Writer::start(&shared)));
        let _listener = Arc::new(Listener(listening.abort_handle()));
        Ok(Self { shared, appends, moves, pressure: Arc::default(), _listener })
    }

    /// The migrations that opening this database would apply, without touching it.
    pub async fn pending_migrations(options: &Options) -> Result<Vec<&'static Migration>, StoreError> {
        let session = Session::new(options.target()?.connect().await?, options.prepared_statements);
        Ok(migrate::pending(&session, options.migrations).await?)
    }

    /// Changes whenever another node says that there is something to route or to claim. Polling is what finds it; this
    /// only makes it sooner.
    pub fn woken(&self) -> watch::Receiver<u64> {
        self.shared.wake.heard()
    }
}

/// Every statement that runs for each fact or lane, by name: for the tests that look at their plans, and for those who
/// run the database.
pub fn hot_statements() -> Vec<(&'static str, &'static str)> {
    let mut all = append::statements();
    all.extend(unrouted::statements());
    all.extend(route::statements());
    all.extend(records::STATEMENTS);
    all.extend(claims::statements());
    all.extend([work::STATEMENTS, flush::STATEMENTS, standing::STATEMENTS].concat());
    all
}
