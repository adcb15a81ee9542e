//! Records: what a source's changes of a subject were folded into, and the state with which one is begun.

use crate::desk::Desk;
use crate::error::Done;
use crate::roots::child;
use crate::view::{SealedPayload, View};
use bytes::Bytes;
use kernel::envelope::{Envelope, FactKind};
use kernel::id::{FlowName, SystemName};
use kernel::subject::Subject;
use rusqlite::params;
use store::delivery::Standing;
use store::log::{NewRecord, Record};
use store::seal::vault::record_place;

impl View<'_> {
    /// That of a change or a state; what else there is has none.
    pub(crate) fn record_for(&self, envelope: &Envelope) -> Done<Option<Record>> {
        if !matches!(envelope.kind, FactKind::Change | FactKind::State) {
            return Ok(None);
        }
        let (subject, source) = (&envelope.subject, &envelope.source);
        let Some((revision, sealed)) = self.sealed_record(subject, source)? else { return Ok(None) };
        if sealed.is_empty() {
            return Ok(Some(Record { revision, body: Bytes::new() }));
        }
        let place = record_place(subject, source);
        let opened = self.open_column(subject.shop.as_str(), subject.root(), &place, &sealed)?;
        Ok(Some(Record { revision, body: opened.unwrap_or_default().into() }))
    }

    fn sealed_record(&self, subject: &Subject, source: &SystemName) -> Done<Option<(i64, Vec<u8>)>> {
        if !self.names.has_records() {
            return Ok(None);
        }
        let Some(source) = self.names.number(source.as_str()) else { return Ok(None) };
        let Some(root) = self.root(subject.shop.as_str(), subject.root())? else { return Ok(None) };
        let sql =
            "SELECT revision, body FROM records WHERE shop = ?1 AND root = ?2 AND child = ?3 AND source = ?4";
        self.one(sql, params![root.shop, root.id, child(subject), source], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
    }

    /// The newest state that was routed, if it is of the same source and kept.
    pub(crate) fn base_for(
        &self,
        change: &Envelope,
        standings: &[(FlowName, Standing)],
    ) -> Done<Option<(Envelope, SealedPayload)>> {
        let newest = standings.iter().filter_map(|(_, standing)| standing.routed_position).max();
        let Some(newest) = newest else { return Ok(None) };
        let envelope = self.envelope(newest.0)?;
        let is_base = |of: &Envelope| of.subject == change.subject && of.source == change.source;
        let Some(envelope) = envelope.filter(is_base) else { return Ok(None) };
        Ok(self.sealed_payload(newest.0)?.map(|payload| (envelope, payload)))
    }
}

impl Desk {
    /// Whether the record is still the one that a decision was made upon.
    pub(crate) fn stands_upon(&self, new: Option<&NewRecord>) -> Done<bool> {
        let Some(new) = new else { return Ok(true) };
        let known = self.view().sealed_record(&new.subject, &new.source)?;
        Ok(known.map_or(0, |(revision, _)| revision) == new.upon)
    }

    pub(crate) fn write_record(&mut self, new: &NewRecord) -> Done<()> {
        self.names.gets_records();
        let (shop, path) = (new.subject.shop.as_str(), new.subject.root());
        let mut root = self.root_or_new(shop, path)?;
        let source = self.number(new.source.as_str())?;
        let body =
            self.seal_column(&mut root, shop, path, &record_place(&new.subject, &new.source), &new.body)?;
        let sql = "INSERT OR REPLACE INTO records (shop, root, child, source, revision, body) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        self.execute(sql, params![root.shop, root.id, child(&new.subject), source, new.upon + 1, body])?;
        Ok(())
    }
}
