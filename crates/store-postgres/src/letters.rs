//! Dead letters as rows: opened with their fault sealed, closed by an outcome or a person, and the references that
//! they wait for, each in one row however many letters want it.

use crate::bind::args;
use crate::codec::{fault_number, nanos};
use crate::error::{Done, bug};
use crate::work::{Slim, Work};
use jiff::Timestamp;
use kernel::fault::{Fault, FaultKind, Reference};
use sha2::{Digest, Sha256};
use store::dead::{closed_because, fingerprint};
use store::delivery::Outcome;
use store::query::Closed;
use store::seal::vault::column_place;

/// The place of the fault of a letter.
pub(crate) const LETTER_FAULT: &str = "dead_letters.fault";
/// The place of a reference that is awaited.
const AWAITED_REFERENCE: &str = "awaited.reference";
/// The root of what belongs to no root, one for each shop.
pub(crate) const NO_ROOT: &str = "";

pub(crate) fn reference_hash(reference: &Reference) -> [u8; 16] {
    let mut hash = Sha256::new();
    hash.update((reference.kind.len() as u64).to_be_bytes());
    hash.update(&reference.kind);
    hash.update(&reference.value);
    let mut short = [0; 16];
    short.copy_from_slice(&hash.finalize()[..16]);
    short
}

pub(crate) fn reference_place(hash: &[u8]) -> store::seal::Place {
    let first = hash.first_chunk().copied().map(i64::from_be_bytes).unwrap_or_default();
    column_place(AWAITED_REFERENCE, first)
}

pub(crate) fn json<T: serde::Serialize>(value: &T) -> Done<Vec<u8>> {
    serde_json::to_vec(value).map_err(|error| bug(format!("a value that is no JSON: {error}")))
}

impl Work<'_> {
    /// Opens the dead letter of a delivery, or opens it again.
    pub(crate) async fn bury(&mut self, row: &Slim, at: Timestamp, fault: Option<&Fault>) -> Done<()> {
        let without = || Fault::new(FaultKind::Bug, "no_reason", "it was given up without a reason");
        let fault = fault.cloned().unwrap_or_else(without);
        let awaits = match &fault.missing {
            Some(reference) => Some(self.await_reference(row, reference, at).await?),
            None => None,
        };
        let fingerprint = fingerprint(&self.desk.names().flow(row.flow)?, &fault);
        let sealed = self.seal(&row.root, &column_place(LETTER_FAULT, row.id), &json(&fault)?).await?;
        let sql = "INSERT INTO dead_letters (shop, delivery, root, system, fingerprint, open, kind, code, field, fault, \
                   awaits, dead_at) VALUES ($1, $2, $3, $4, $5, true, $6, $7, $8, $9, $10, $11) \
                   ON CONFLICT (shop, delivery) DO UPDATE SET fingerprint = excluded.fingerprint, open = true, \
                   kind = excluded.kind, code = excluded.code, field = excluded.field, fault = excluded.fault, \
                   awaits = excluded.awaits, dead_at = excluded.dead_at, closed_at = NULL, closed_who = NULL, \
                   closed_why = NULL";
        let (kind, dead_at) = (fault_number(fault.kind), nanos(at));
        self.desk
            .execute(
                sql,
                args![
                    self.shop,
                    row.id,
                    row.root,
                    row.system,
                    fingerprint,
                    kind,
                    fault.code,
                    fault.field,
                    sealed,
                    awaits,
                    dead_at
                ],
            )
            .await?;
        Ok(())
    }

    /// The row of a reference, locked: nobody finds it wanted by no letter while ours is not committed.
    async fn await_reference(&mut self, row: &Slim, reference: &Reference, at: Timestamp) -> Done<Vec<u8>> {
        let hash = reference_hash(reference).to_vec();
        let sql = "SELECT 1 FROM awaited WHERE shop = $1 AND system = $2 AND hash = $3 FOR UPDATE";
        if self.desk.one(sql, args![self.shop, row.system, hash]).await?.is_none() {
            let sealed = self.seal(NO_ROOT, &reference_place(&hash), &json(reference)?).await?;
            let sql = "INSERT INTO awaited (shop, system, hash, reference, looks, next_look_at) \
                       VALUES ($1, $2, $3, $4, 0, $5) ON CONFLICT (shop, system, hash) DO UPDATE \
                       SET looks = awaited.looks";
            self.desk.execute(sql, args![self.shop, row.system, hash, sealed, nanos(at)]).await?;
        }
        Ok(hash)
    }

    /// A dead delivery is dead no more: its letter is not open, and waits for nothing.
    pub(crate) async fn rise(&mut self, row: &Slim) -> Done<()> {
        let sql = "UPDATE dead_letters SET open = false WHERE shop = $1 AND delivery = $2 RETURNING awaits";
        let letter = self.desk.one(sql, args![self.shop, row.id]).await?;
        let awaits = letter.map(|row| row.try_get::<_, Option<Vec<u8>>>(0)).transpose()?.flatten();
        if let Some(hash) = awaits {
            // Locked first: the statement after that sees a letter that came meanwhile.
            let values = args![self.shop, row.system, hash];
            let lock = "SELECT 1 FROM awaited WHERE shop = $1 AND system = $2 AND hash = $3 FOR UPDATE";
            self.desk.one(lock, values).await?;
            let sql = "DELETE FROM awaited WHERE shop = $1 AND system = $2 AND hash = $3 AND NOT EXISTS \
                       (SELECT 1 FROM dead_letters WHERE shop = $1 AND system = $2 AND awaits = $3 AND open)";
            self.desk.execute(sql, values).await?;
        }
        Ok(())
    }

    pub(crate) async fn close_letter(
        &mut self,
        delivery: i64,
        outcome: &Outcome,
        at: Timestamp,
        closing: Option<Closed>,
    ) -> Done<()> {
        let by_hub = || Closed { at, who: "tidegate".into(), why: closed_because(outcome) };
        let closed = closing.unwrap_or_else(by_hub);
        let sql = "UPDATE dead_letters SET closed_at = $3, closed_who = $4, closed_why = $5 \
                   WHERE shop = $1 AND delivery = $2 AND closed_at IS NULL";
        self.desk.execute(sql, args![self.shop, delivery, nanos(closed.at), closed.who, closed.why]).await?;
        Ok(())
    }
}
