//! A database as the target of a move: filled in batches that are committed together with the place to go on from, read
//! back to be compared, and made a store only when it is whole.
//!
//! Owns the note that says it is not whole; no hub starts on it until then. What a hub does in it stands elsewhere.

mod back;
mod binary;
mod finish;

use crate::bind::args;
use crate::error::{Done, Fail, bug};
use crate::names::{Names, of_kind, of_shop};
use crate::partitions::{Partitions, Table as Partitioned};
use crate::session::{Pool, Session};
use crate::{Options, migrate, open};
use binary::Encoder;
use std::collections::BTreeSet;
use store::StoreError;
use store::moving::note::{self, COPYING, MOVED, MOVING};
use store::moving::{Batch, Kind, Note, Sum, Table, Value};

/// A database that is being filled.
#[derive(Debug)]
pub struct Target {
    place: String,
    names: Names,
    partitions: Partitions,
    pool: Pool,
}

/// How a database stands to a copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Nothing is in it: a copy may begin.
    Empty,
    /// A copy was begun.
    Begun(Note),
    /// Somebody's store, with the id of its installation.
    InUse(String),
}

/// Where the copy of a table goes on.
fn place_of(table: Table) -> String {
    format!("{COPYING}/{}", table.name())
}

impl Target {
    /// Opens the database, with the schema made where it is missing. Refuses what a store refuses: tables of another
    /// program, another master key, a server that does not sync its commits.
    pub async fn open(options: Options) -> Result<Self, StoreError> {
        Ok(Self::opened(options).await?)
    }

    async fn opened(options: Options) -> Done<Self> {
        let target = options.target()?;
        let now = kernel::clock::Clock::now(&*options.clock).wall;
        let mut session = Session::new(target.connect().await?, options.prepared_statements);
        open::prepare(&mut session, &options, now).await?;
        let names = Names::default();
        names.load(&session).await?;
        let place = target.place();
        let pool =
            Pool::new(target, options.connections, options.prepared_statements, options.statement_timeout);
        Ok(Self { place, names, partitions: Partitions::default(), pool })
    }

    /// How a database stands, without making a schema in it: for a dry run.
    pub async fn look(options: &Options) -> Result<(String, Standing), StoreError> {
        let target = options.target()?;
        let session =
            Session::new(target.connect().await.map_err(StoreError::from)?, options.prepared_statements);
        let pending = migrate::pending(&session, options.migrations).await?;
        let found = match pending.len() == options.migrations.len() {
            true => Standing::Empty,
            false => standing(&session).await?,
        };
        Ok((target.place(), found))
    }

    /// Host, port and database.
    pub fn place(&self) -> &str {
        &self.place
    }

    pub async fn standing(&self) -> Result<Standing, StoreError> {
        let session = self.pool.session().await?;
        Ok(standing(&session).await?)
    }

    /// From now on no hub starts here until the copy has come to its end.
    pub async fn begin(&self, note: &Note) -> Result<(), StoreError> {
        let text = note.text()?;
        let mut session = self.pool.session().await?;
        let begun = async {
            // Nobody opens a store meanwhile.
            session.begin(&open::locked()).await?;
            match standing(&session).await? {
                Standing::Empty => set(&session, COPYING, &text).await?,
                Standing::Begun(of) if of.copy == note.copy => {}
                other => return Err(bug(format!("a copy begins in a database that is {other:?}"))),
            }
            session.commit(Vec::new(), None).await
        };
        let begun = begun.await;
        ended(&mut session, begun).await
    }

    /// Throws away what a copy that was given up has left here. Open the target anew after that.
    pub async fn empty(self) -> Result<(), StoreError> {
        let mut session = self.pool.session().await?;
        let emptied = async {
            session.begin(&open::locked()).await?;
            if let Standing::InUse(_) = standing(&session).await? {
                return Err(bug("a store in use is not emptied"));
            }
            let tables: Vec<&str> = Table::ALL
                .into_iter()
                .filter(|table| *table != Table::Installation)
                .map(Table::name)
                .chain(["names", "payloads_kept", "unrouted", "tallies", "leases"])
                .collect();
            session.batch(&format!("TRUNCATE {}", tables.join(", "))).await?;
            session.commit(Vec::new(), None).await
        };
        let emptied = emptied.await;
        ended(&mut session, emptied).await
    }

    /// The key behind which a table goes on; `None`: from its beginning.
    pub async fn place_in(&self, table: Table) -> Result<Option<String>, StoreError> {
        let session = self.pool.session().await?;
        Ok(cursor(&session, &place_of(table)).await?)
    }

    /// Commits some rows, and with them where to go on.
    pub async fn put(&self, table: Table, batch: &Batch) -> Result<(), StoreError> {
        Ok(self.put_in(table, batch).await?)
    }

    async fn put_in(&self, table: Table, batch: &Batch) -> Done<()> {
        self.name_all(table, batch).await?;
        self.partitions.ensure(&self.pool, &days(table, batch)).await?;
        let encoder = Encoder::new(table, &self.names);
        let bytes = encoder.encode(&batch.rows)?;
        let mut session = self.pool.session().await?;
        let put = async {
            session.begin("BEGIN").await?;
            session.copy_in(&encoder.sql(), bytes).await?;
            set(&session, &place_of(table), &batch.key).await?;
            session.commit(Vec::new(), None).await
        };
        let put = put.await;
        if let Err(fail) = &put {
            session.roll_back(fail).await;
        }
        put
    }

    /// Sees to it that every name in these rows has a number here.
    async fn name_all(&self, table: Table, batch: &Batch) -> Done<()> {
        let columns = table.columns();
        let mut wanted: BTreeSet<&str> = BTreeSet::new();
        let mut shops: BTreeSet<&str> = BTreeSet::new();
        let mut kinds: BTreeSet<String> = BTreeSet::new();
        for row in &batch.rows {
            for (column, value) in columns.iter().zip(row) {
                match (value, column.kind) {
                    (Value::Name(name), Kind::Shop) => _ = shops.insert(name),
                    (Value::Name(name), _) => _ = wanted.insert(name),
                    (Value::Text(root), _) if table == Table::Roots && column.name == "root" => {
                        kinds.insert(of_kind(root));
                    }
                    _ => {}
                }
            }
        }
        let mut all: Vec<String> = wanted.into_iter().map(str::to_owned).collect();
        for shop in shops {
            all.push(of_shop(&kernel::id::ShopId::new(shop).map_err(|error| bug(error.to_string()))?));
        }
        all.extend(kinds);
        let unknown = self.names.unknown(all.iter().map(String::as_str));
        if unknown.is_empty() {
            return Ok(());
        }
        let session = self.pool.session().await?;
        self.names.give_out(&session, &unknown).await
    }

    /// What is in a table, read back.
    pub async fn sum(&self, table: Table) -> Result<Sum, StoreError> {
        let mut session = self.pool.session().await?;
        let summed = back::sum(&session, &self.names, table).await;
        if let Err(fail) = &summed {
            session.roll_back(fail).await;
        }
        Ok(summed?)
    }

    /// The rows are all here: sums and sequences follow them, and the database becomes the store that was moved.
    pub async fn end(&self, installation: &Batch) -> Result<(), StoreError> {
        let mut session = self.pool.session().await?;
        let done = finish::finish(&mut session, installation).await;
        ended(&mut session, done).await
    }
}

async fn ended(session: &mut Session, done: Done<()>) -> Result<(), StoreError> {
    if let Err(fail) = &done {
        session.roll_back(fail).await;
    }
    Ok(done?)
}

/// Days that the rows of a partitioned table need a place for.
fn days(table: Table, batch: &Batch) -> Vec<(Partitioned, i32)> {
    let of = match table {
        Table::Envelopes => Partitioned::Envelopes,
        Table::Payloads => Partitioned::Payloads,
        Table::Attempts => Partitioned::Attempts,
        Table::WebhookIds => Partitioned::WebhookIds,
        _ => return Vec::new(),
    };
    let Some(at) = table.index("day") else { return Vec::new() };
    let day = |row: &store::moving::Row| match row.get(at) {
        Some(Value::Int(day)) => i32::try_from(*day).ok(),
        _ => None,
    };
    let days: BTreeSet<i32> = batch.rows.iter().filter_map(day).collect();
    days.into_iter().map(|day| (of, day)).collect()
}

pub(crate) async fn cursor(session: &Session, name: &str) -> Done<Option<String>> {
    let row = session.one("SELECT value FROM cursors WHERE name = $1", args![name]).await?;
    Ok(row.map(|row| row.try_get(0)).transpose()?)
}

pub(crate) async fn set(session: &Session, name: &str, value: &str) -> Done<()> {
    let sql = "INSERT INTO cursors (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    session.execute(sql, args![name, value]).await.map(drop)
}

async fn standing(session: &Session) -> Done<Standing> {
    if let Some(value) = cursor(session, COPYING).await? {
        return Ok(Standing::Begun(Note::parse(&value)?));
    }
    // What a hub writes first: its names, what is in force, a line of its audit.
    let sql = "SELECT id, EXISTS (SELECT 1 FROM names) OR EXISTS (SELECT 1 FROM cursors) OR EXISTS (SELECT 1 FROM audit) \
               OR revision IS NOT NULL FROM installation";
    let row = session.one(sql, &[]).await?.ok_or_else(|| bug("the store has lost its installation row"))?;
    Ok(if row.try_get(1)? { Standing::InUse(row.try_get(0)?) } else { Standing::Empty })
}

/// No hub starts on half a copy, nor on a store that was moved on.
pub(crate) async fn refuse_half_a_copy(session: &Session) -> Done<()> {
    for name in [COPYING, MOVED, MOVING] {
        if let Some(value) = cursor(session, name).await?
            && let Some(refusal) = note::refusal("this database", name, &value)?
        {
            return Err(Fail::Store(refusal));
        }
    }
    Ok(())
}

/// The cursors that are none of a move's own notes.
const NO_NOTE: &str = "name NOT LIKE 'store.%'";
