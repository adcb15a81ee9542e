//! Opening: a database that is ours or empty, a schema we know, the right key; only then is anything written. What is
//! refused is left untouched. Several nodes that open at once wait for each other.

use crate::bind::args;
use crate::codec::nanos;
use crate::error::{Done, bug};
use crate::migrate::{self, MIGRATIONS, Migration};
use crate::moving::refuse_half_a_copy;
use crate::session::Session;
use jiff::Timestamp;
use store::StoreError;
use store::seal::{MasterKey, Random};

/// Held while a schema is looked at and made: "TGopen".
const LOCK: i64 = 0x5447_6f70_656e;

/// The number of the master key in force. Refuses half a copy, and a store that was moved on.
pub(crate) async fn open(
    session: &mut Session,
    master_key: &MasterKey,
    random: &dyn Random,
    now: Timestamp,
) -> Done<i32> {
    let master = prepare(session, master_key, random, now).await?;
    refuse_half_a_copy(session).await?;
    Ok(master)
}

/// Begins a transaction during which nobody opens a store. The lock is of the transaction: a pooler between does not keep
/// it for somebody else.
pub(crate) fn locked() -> String {
    format!("BEGIN; SET LOCAL lock_timeout = 30000; SELECT pg_advisory_xact_lock({LOCK})")
}

/// The schema, made or migrated where need be, and the right key.
pub(crate) async fn prepare(
    session: &mut Session,
    master_key: &MasterKey,
    random: &dyn Random,
    now: Timestamp,
) -> Done<i32> {
    loop {
        session.begin(&locked()).await?;
        let pending = migrate::pending(session, MIGRATIONS).await?;
        let is_new = pending.len() == MIGRATIONS.len();
        if !is_new {
            look(session, master_key).await?;
        }
        let Some(next) = pending.first() else {
            session.commit().await?;
            break;
        };
        migrate::apply(session, next, now).await?;
        if is_new {
            install(session, master_key, random, now).await?;
        }
        session.commit().await?;
    }
    look(session, master_key).await
}

/// Whether the key is that of the store; the number of the one in force.
async fn look(session: &Session, master_key: &MasterKey) -> Done<i32> {
    let row = session.one("SELECT id, key_check, master FROM installation", &[]).await?;
    let row = row.ok_or_else(|| bug("the store has lost its installation row"))?;
    let (id, check): (String, Vec<u8>) = (row.try_get(0)?, row.try_get(1)?);
    if check != master_key.check_value(&id) {
        return Err(StoreError::WrongKey.into());
    }
    Ok(row.try_get(2)?)
}

async fn install(session: &Session, master_key: &MasterKey, random: &dyn Random, now: Timestamp) -> Done<()> {
    let mut id = [0; 16];
    random.fill(&mut id)?;
    let id = kernel::key::hex(&id);
    let sql = "INSERT INTO installation (one, id, created_at, epoch, key_check, master) VALUES (1, $1, $2, 1, $3, 1)";
    let check = master_key.check_value(&id).to_vec();
    session.execute(sql, args![id, nanos(now), check]).await.map(drop)
}

/// What opening would do to the schema, without doing it (`--dry-run`).
pub(crate) async fn pending(session: &Session) -> Done<Vec<&'static Migration>> {
    migrate::pending(session, MIGRATIONS).await
}
