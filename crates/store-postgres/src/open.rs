//! Opening: a database that is ours or empty, a schema we know, the right key; only then is anything written. What is
//! refused is left untouched. Several nodes that open at once wait for each other.

use crate::Options;
use crate::bind::args;
use crate::codec::nanos;
use crate::error::{Done, Fail, bug};
use crate::migrate;
use crate::moving::refuse_half_a_copy;
use crate::session::Session;
use jiff::Timestamp;
use kernel::clock::after;
use std::time::Duration;
use store::StoreError;
use store::seal::{MasterKey, Random};

/// Held while a schema is looked at and made: "TGopen".
const LOCK: i64 = 0x5447_6f70_656e;

/// The number of the master key in force. Refuses half a copy, and a store that was moved on.
pub(crate) async fn open(session: &mut Session, options: &Options, now: Timestamp) -> Done<i32> {
    let master = prepare(session, options, now).await?;
    refuse_half_a_copy(session).await?;
    Ok(master)
}

/// Begins a transaction during which nobody opens a store. The lock is of the transaction: a pooler between does not keep
/// it for somebody else.
pub(crate) fn locked() -> String {
    format!("BEGIN; SET LOCAL lock_timeout = 30000; SELECT pg_advisory_xact_lock({LOCK})")
}

/// How long a migration waits for a table that nodes work on, while they wait behind it; and how often it tries.
const TABLE_WITHIN: &str = "SET LOCAL lock_timeout = 2000";
const TRIES_MAX: u32 = 30;
const BEATS_END_WITHIN_S: u32 = 4;

/// The schema, made or migrated where need be, and the right key. Nodes may work on it meanwhile: a migration that cannot
/// have its tables at once lets them go on, and tries again.
pub(crate) async fn prepare(session: &mut Session, options: &Options, now: Timestamp) -> Done<i32> {
    let (mut tries, mut now) = (0, now);
    loop {
        match step(session, options, now).await {
            Ok(true) => {}
            Ok(false) => break,
            Err(fail) => {
                session.roll_back(&fail).await;
                tries += 1;
                match &fail {
                    // A node that has just stopped counts as running until its last beat is over.
                    Fail::Store(StoreError::TooOldBeside { .. }) if tries <= BEATS_END_WITHIN_S => {
                        session.batch("SELECT pg_sleep(1)").await?;
                        // At least so much has passed: beats are held against this time.
                        now = after(now, Duration::from_secs(1));
                    }
                    _ if fail.is_of_a_lock() && tries < TRIES_MAX => {
                        tracing::info!("a migration waits for tables that other nodes work on");
                    }
                    _ => return Err(fail),
                }
            }
        }
    }
    look(session, &options.master_key).await
}

/// Applies the first that is pending. False: none is.
async fn step(session: &mut Session, options: &Options, now: Timestamp) -> Done<bool> {
    session.begin(&locked()).await?;
    let pending = migrate::pending(session, options.migrations).await?;
    let is_new = pending.len() == options.migrations.len();
    if !is_new {
        look(session, &options.master_key).await?;
    }
    if let Some(next) = pending.first() {
        session.batch(TABLE_WITHIN).await?;
        migrate::apply(session, next, now).await?;
        if is_new {
            install(session, &options.master_key, &*options.random, now).await?;
        }
    }
    session.commit(Vec::new(), None).await?;
    Ok(!pending.is_empty())
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
