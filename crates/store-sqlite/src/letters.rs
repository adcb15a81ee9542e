//! Dead letters as rows: opened with their fault sealed, closed by an outcome or a person, and the references that
//! they wait for, each in one row however many letters want it.

use crate::codec::{fault_number, nanos};
use crate::deliveries::Slim;
use crate::desk::Desk;
use crate::error::{Done, bug};
use crate::roots::{NO_ROOT, Root, shop_id};
use crate::view::{View, flow_name};
use jiff::Timestamp;
use kernel::fault::{Fault, FaultKind, Reference};
use kernel::id::ShopId;
use rusqlite::params;
use sha2::{Digest, Sha256};
use store::dead::{closed_because, fingerprint};
use store::delivery::Outcome;
use store::query::Closed;
use store::seal::vault::column_place;

/// The place of the fault of a letter.
pub(crate) const LETTER_FAULT: &str = "dead_letters.fault";
/// The place of a reference that is awaited.
pub(crate) const AWAITED_REFERENCE: &str = "awaited.reference";

pub(crate) fn reference_hash(reference: &Reference) -> [u8; 16] {
    let mut hash = Sha256::new();
    hash.update((reference.kind.len() as u64).to_be_bytes());
    hash.update(&reference.kind);
    hash.update(&reference.value);
    let mut short = [0; 16];
    short.copy_from_slice(&hash.finalize()[..16]);
    short
}

pub(crate) fn json<T: serde::Serialize>(value: &T) -> Done<Vec<u8>> {
    serde_json::to_vec(value).map_err(|error| bug(format!("a value that is no JSON: {error}")))
}

impl View<'_> {
    /// Shop and path of a root.
    pub(crate) fn root_names(&self, root: Root) -> Done<(ShopId, String)> {
        let sql = "SELECT kind, number, key FROM roots WHERE id = ?1";
        let path = self.one(sql, [root.id], |row| {
            let kind = self.names.name(row.get(0)?)?;
            Ok(crate::roots::path(&kind, row.get(1)?, &row.get::<_, String>(2)?))
        })?;
        Ok((shop_id(self.names, root.shop)?, path.ok_or_else(|| bug("a row of a root that is gone"))?))
    }

    /// A fault from its sealed column; without its text where the key was destroyed.
    pub(crate) fn fault(
        &self,
        shop: &str,
        root: &str,
        column_name: &str,
        row: i64,
        column: &[u8],
    ) -> Done<Option<Fault>> {
        let opened = self.open_column(shop, root, &column_place(column_name, row), column)?;
        opened
            .map(|bytes| serde_json::from_slice(&bytes))
            .transpose()
            .map_err(|error| bug(format!("a fault that no program of this schema wrote: {error}")))
    }
}

impl Desk {
    /// Opens the dead letter of a delivery, or opens it again.
    pub(crate) fn bury(&mut self, row: &Slim, at: Timestamp, fault: Option<&Fault>) -> Done<()> {
        let without = || Fault::new(FaultKind::Bug, "no_reason", "it was given up without a reason");
        let fault = fault.cloned().unwrap_or_else(without);
        let awaits = match &fault.missing {
            Some(reference) => Some(self.await_reference(row, reference, at)?),
            None => None,
        };
        let fingerprint = fingerprint(&flow_name(&self.names, row.flow)?, &fault);
        let fingerprint = self.number(&fingerprint)?;
        let sealed = self.seal_for(row, &column_place(LETTER_FAULT, row.id), &json(&fault)?)?;
        let sql = "INSERT OR REPLACE INTO dead_letters (delivery, shop, root, fingerprint, open, kind, code, field, \
                   fault, awaits, dead_at) VALUES (?1, ?2, ?3, ?4, 1, ?5, ?6, ?7, ?8, ?9, ?10)";
        self.execute(
            sql,
            params![
                row.id,
                row.root.shop,
                row.root.id,
                fingerprint,
                fault_number(fault.kind),
                fault.code,
                fault.field,
                sealed,
                awaits,
                nanos(at),
            ],
        )?;
        Ok(())
    }

    fn await_reference(&mut self, row: &Slim, reference: &Reference, at: Timestamp) -> Done<i64> {
        let hash = reference_hash(reference);
        let sql = "SELECT id FROM awaited WHERE shop = ?1 AND system = ?2 AND hash = ?3";
        let key = params![row.root.shop, row.system, &hash[..]];
        if let Some(id) = self.view().one(sql, key, |row| Ok(row.get::<_, i64>(0)?))? {
            return Ok(id);
        }
        let shop = shop_id(&self.names, row.root.shop)?;
        let mut none = self.no_root(shop.as_str(), row.root.shop)?;
        let sealed = self.seal_column(
            &mut none,
            shop.as_str(),
            NO_ROOT,
            &column_place(AWAITED_REFERENCE, i64::from_be_bytes(std::array::from_fn(|i| hash[i]))),
            &json(reference)?,
        )?;
        let sql = "INSERT INTO awaited (shop, system, hash, reference, looks, next_look_at) \
                   VALUES (?1, ?2, ?3, ?4, 0, ?5)";
        self.execute(sql, params![row.root.shop, row.system, &hash[..], sealed, nanos(at)])?;
        Ok(self.connection.last_insert_rowid())
    }

    /// The root of what belongs to no root, one for each shop.
    fn no_root(&mut self, shop: &str, number: i64) -> Done<Root> {
        let root = self.root_or_new(shop, NO_ROOT)?;
        debug_assert_eq!(root.shop, number);
        Ok(root)
    }

    /// A dead delivery is dead no more: its letter is not open, and waits for nothing.
    pub(crate) fn rise(&mut self, row: &Slim) -> Done<()> {
        let sql = "SELECT awaits FROM dead_letters WHERE delivery = ?1";
        let awaits = self.view().one(sql, [row.id], |row| Ok(row.get::<_, Option<i64>>(0)?))?.flatten();
        self.execute("UPDATE dead_letters SET open = 0 WHERE delivery = ?1", [row.id])?;
        if let Some(awaited) = awaits {
            let sql = "DELETE FROM awaited WHERE id = ?1 AND NOT EXISTS \
                       (SELECT 1 FROM dead_letters WHERE awaits = ?1 AND open = 1)";
            self.execute(sql, [awaited])?;
        }
        Ok(())
    }

    pub(crate) fn close_letter(
        &mut self,
        delivery: i64,
        outcome: &Outcome,
        at: Timestamp,
        closing: Option<Closed>,
    ) -> Done<()> {
        let by_hub = || Closed { at, who: "tidegate".into(), why: closed_because(outcome) };
        let closed = closing.unwrap_or_else(by_hub);
        let sql = "UPDATE dead_letters SET closed_at = ?2, closed_who = ?3, closed_why = ?4 \
                   WHERE delivery = ?1 AND closed_at IS NULL";
        self.execute(sql, params![delivery, nanos(closed.at), closed.who, closed.why])?;
        Ok(())
    }
}
