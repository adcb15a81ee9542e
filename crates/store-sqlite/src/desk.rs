//! The writer's desk: its connection, the names, the keys, and what it holds in memory beside the rows.
//!
//! Memory follows the transaction: each change is noted with its opposite, so that a request that fails, or a commit
//! that fails, leaves memory as it was.

use crate::append::Tally;
use crate::checkpoints::Checkpoints;
use crate::claims::{Claims, Hold, LaneNumber};
use crate::error::Done;
use crate::names::Names;
use crate::transaction::Riding;
use crate::view::View;
use crate::webhook_ids::WebhookIds;
use rusqlite::{CachedStatement, Connection, Params};
use std::sync::Arc;
use store::seal::vault::Vault;

/// The opposite of a change in memory.
#[derive(Debug)]
pub(crate) enum Undo {
    Name(i64),
    Hold(LaneNumber, Option<Hold>),
    WebhookId([u8; 16]),
    WebhookDay(i64),
    PayloadBytes(i64),
    Topic((i64, i64), Option<(i64, i64)>),
}

#[derive(Debug)]
pub(crate) struct Desk {
    pub connection: Connection,
    pub names: Names,
    pub vault: Arc<Vault>,
    pub claims: Claims,
    pub webhook_ids: WebhookIds,
    pub tally: Tally,
    /// The number of the next root. One that was given out in a transaction that failed is not given out again.
    pub next_root: i64,
    pub checkpoints: Checkpoints,
    pub riding: Riding,
    pub undo: Vec<Undo>,
}

impl Desk {
    pub(crate) fn open(
        connection: Connection,
        names: Names,
        vault: Arc<Vault>,
        checkpoints: Checkpoints,
    ) -> Done<Self> {
        let claims = Claims::load(&connection)?;
        let webhook_ids = WebhookIds::load(&connection)?;
        let next_root =
            connection.query_row("SELECT coalesce(max(id), 0) + 1 FROM roots", [], |row| row.get(0))?;
        let (tally, undo) = (Tally::default(), Vec::new());
        Ok(Self {
            connection,
            names,
            vault,
            claims,
            webhook_ids,
            tally,
            next_root,
            checkpoints,
            riding: Riding::default(),
            undo,
        })
    }

    /// The reading side.
    pub(crate) fn view(&self) -> View<'_> {
        View { connection: &self.connection, names: &self.names, vault: &self.vault }
    }

    pub(crate) fn prepared(&self, sql: &str) -> Done<CachedStatement<'_>> {
        Ok(self.connection.prepare_cached(sql)?)
    }

    pub(crate) fn execute(&self, sql: &str, params: impl Params) -> Done<usize> {
        Ok(self.prepared(sql)?.execute(params)?)
    }

    /// The number of a name, given out now if it is new.
    pub(crate) fn number(&mut self, name: &str) -> Done<i64> {
        let (number, new) = self.names.number_or_new(&self.connection, name)?;
        if new {
            self.undo.push(Undo::Name(number));
        }
        Ok(number)
    }

    /// Brings memory back to how it was when `undo` had this length.
    pub(crate) fn roll_back_to(&mut self, length: usize) {
        while self.undo.len() > length {
            match self.undo.pop() {
                Some(Undo::Name(number)) => self.names.forget(number),
                Some(Undo::Hold(lane, before)) => self.claims.put_back(lane, before),
                Some(Undo::WebhookId(id)) => self.webhook_ids.forget(&id),
                Some(Undo::WebhookDay(day)) => self.webhook_ids.back_to(day),
                Some(Undo::PayloadBytes(bytes)) => self.tally.add_payload_bytes(-bytes),
                Some(Undo::Topic(topic, before)) => self.tally.put_back(topic, before),
                None => return,
            }
        }
    }
}
