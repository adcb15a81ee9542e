//! What a database holds, asked without opening it as a store; its schema brought up to date, and a new epoch opened in
//! one that was put back to an earlier moment, by whoever runs the database.

use crate::bind::args;
use crate::codec::time;
use crate::error::{Done, bug};
use crate::migrate;
use crate::moving::cursor;
use crate::session::Session;
use crate::{Migration, Options, open};
use jiff::Timestamp;
use store::moving::note::{COPYING, RESTORED, Restored};
use store::moving::{Note, Table};
use store::operate::Installation;
use store::{Schema, StoreError};

/// What is open of one system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenDuties {
    pub system: String,
    pub waiting: u64,
    pub unknown: u64,
    pub dead: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contents {
    /// Host, port and database.
    pub place: String,
    /// Absent: no hub has made a store here yet.
    pub installation: Option<Installation>,
    pub pending: Vec<&'static str>,
    /// Absent: no store.
    pub schema: Option<Schema>,
    pub bytes: u64,
    pub newest: Timestamp,
    pub unrouted: u64,
    pub open: Vec<OpenDuties>,
    /// Shop and request of each redaction that was carried out.
    pub certified: Vec<(String, String)>,
    /// It is half a copy.
    pub copying: Option<Note>,
    pub restored: Option<Restored>,
}

async fn session(options: &Options) -> Done<(Session, String)> {
    let target = options.target()?;
    let place = target.place();
    Ok((Session::new(target.connect().await?, options.prepared_statements), place))
}

/// Looks at a database. Refuses one of another program, or of a newer one of ours.
pub async fn inspect(options: &Options) -> Result<Contents, StoreError> {
    Ok(inspected(options).await?)
}

async fn inspected(options: &Options) -> Done<Contents> {
    let (session, place) = session(options).await?;
    let pending = migrate::pending(&session, options.migrations).await?;
    let bytes = number(&session, "SELECT pg_database_size(current_database())").await?;
    let mut contents = Contents {
        place,
        installation: None,
        pending: pending.iter().map(|migration| migration.name).collect(),
        schema: migrate::schema(&session).await?,
        bytes,
        newest: Timestamp::UNIX_EPOCH,
        unrouted: 0,
        open: Vec::new(),
        certified: Vec::new(),
        copying: None,
        restored: None,
    };
    if pending.len() == options.migrations.len() {
        return Ok(contents);
    }
    let installation = installation(&session).await?;
    contents.newest = newest(&session, installation.created_at).await?;
    contents.installation = Some(installation);
    contents.unrouted = number(&session, "SELECT count(*) FROM unrouted").await?;
    contents.open = open_duties(&session).await?;
    contents.certified = certified(&session).await?;
    contents.copying = cursor(&session, COPYING).await?.map(|value| Note::parse(&value)).transpose()?;
    contents.restored = cursor(&session, RESTORED).await?.map(|value| Restored::parse(&value)).transpose()?;
    Ok(contents)
}

/// How many rows each table has, counted.
pub async fn counts(options: &Options) -> Result<Vec<(Table, u64)>, StoreError> {
    let (session, _) = session(options).await.map_err(StoreError::from)?;
    let mut counts = Vec::new();
    for table in Table::ALL {
        let rows = number(&session, &format!("SELECT count(*) FROM {}", table.name())).await;
        counts.push((table, rows.map_err(StoreError::from)?));
    }
    Ok(counts)
}

/// Applies what is pending. Which migrations that were.
pub async fn migrate(options: &Options) -> Result<Vec<&'static Migration>, StoreError> {
    let now = kernel::clock::Clock::now(&*options.clock).wall;
    let done = async {
        let (mut session, _) = session(options).await?;
        let pending = migrate::pending(&session, options.migrations).await?;
        open::prepare(&mut session, options, now).await?;
        Done::Ok(pending)
    };
    Ok(done.await?)
}

/// A new epoch: what is without an answer, and whatever a forgotten life may have done, is looked up. No node may run.
pub async fn open_epoch(options: &Options, restored: &mut Restored) -> Result<(), StoreError> {
    let done = async {
        let (mut session, _) = session(options).await?;
        session.begin(&open::locked()).await?;
        let sql = "UPDATE installation SET epoch = epoch + 1 RETURNING epoch";
        let row =
            session.one(sql, &[]).await?.ok_or_else(|| bug("the store has lost its installation row"))?;
        restored.epoch = crate::view::unsigned(row.try_get(0)?);
        // Who held a lease, or a lane, is gone with its life.
        session.batch("DELETE FROM leases").await?;
        let free = "UPDATE lanes SET owner = NULL, fence = NULL, held_until = NULL, lease_ns = NULL, delivery = NULL \
                    WHERE owner IS NOT NULL";
        session.batch(free).await?;
        crate::moving::set(&session, RESTORED, &restored.text()?).await?;
        session.commit(Vec::new(), None).await
    };
    let done: Done<()> = done.await;
    Ok(done?)
}

async fn number(session: &Session, sql: &str) -> Done<u64> {
    let row = session.one(sql, &[]).await?.ok_or_else(|| bug("a count without a row"))?;
    Ok(row.try_get::<_, i64>(0)?.unsigned_abs())
}

async fn installation(session: &Session) -> Done<Installation> {
    let sql = "SELECT id, created_at, epoch, revision, place, (SELECT max(number) FROM migrations) FROM installation";
    let row = session.one(sql, &[]).await?.ok_or_else(|| bug("the store has lost its installation row"))?;
    Ok(Installation {
        id: row.try_get(0)?,
        created_at: time(row.try_get(1)?),
        epoch: crate::view::unsigned(row.try_get(2)?),
        revision: row.try_get(3)?,
        place: row.try_get(4)?,
        schema: crate::view::unsigned(row.try_get(5)?),
    })
}

async fn newest(session: &Session, created_at: Timestamp) -> Done<Timestamp> {
    let sql = "SELECT greatest($1, (SELECT max(greatest(received_at, routed_at)) FROM envelopes), \
               (SELECT max(greatest(created_at, ended_at)) FROM deliveries), \
               (SELECT max(greatest(started_at, ended_at)) FROM attempts), (SELECT max(at) FROM audit))";
    let row = session.one(sql, args![crate::codec::nanos(created_at)]).await?;
    let row = row.ok_or_else(|| bug("a SELECT without FROM gave no row"))?;
    Ok(time(row.try_get(0)?))
}

async fn open_duties(session: &Session) -> Done<Vec<OpenDuties>> {
    let sql = "SELECT n.name, sum(l.waiting), sum(l.unknown), sum(l.dead) FROM lanes l JOIN names n ON n.id = l.system \
               GROUP BY n.name ORDER BY n.name";
    let rows = session.all(sql, &[]).await?;
    let count = |row: &tokio_postgres::Row, at: usize| row.try_get::<_, i64>(at).map(i64::unsigned_abs);
    rows.iter()
        .map(|row| {
            Ok(OpenDuties {
                system: row.try_get(0)?,
                waiting: count(row, 1)?,
                unknown: count(row, 2)?,
                dead: count(row, 3)?,
            })
        })
        .collect()
}

async fn certified(session: &Session) -> Done<Vec<(String, String)>> {
    let rows = session.all("SELECT certificate FROM certificates", &[]).await?;
    rows.iter()
        .map(|row| {
            let certificate: store::operate::Certificate =
                serde_json::from_str(row.try_get(0)?).map_err(|error| {
                    bug(format!("a certificate that no program of this schema wrote: {error}"))
                })?;
            Ok((certificate.shop.as_str().to_owned(), certificate.requested))
        })
        .collect()
}
