//! Records: what a source's changes of a subject were folded into, and the state with which one is begun.
//!
//! A record is written under the lock of its root; two nodes that fold into one at once fold one after the other.

use crate::bind::args;
use crate::codec::fact_number;
use crate::desk::{Desk, later};
use crate::error::Done;
use crate::routing::Place;
use crate::view::{ENVELOPE, ENVELOPE_COLUMNS, PAYLOAD, PAYLOAD_FROM, child, key_of};
use crate::work::Work;
use bytes::Bytes;
use kernel::envelope::{Envelope, FactKind};
use std::collections::BTreeMap;
use store::log::{NewRecord, Record, Routed, Unrouted};
use store::seal::vault::record_place;
use tokio_postgres::Row;

/// Columns of the record `c` of an envelope `e`; its key is that of the payload.
pub(crate) const RECORD: &str = "c.revision, c.body";
/// After an envelope `e`.
pub(crate) const RECORD_FROM: &str = "LEFT JOIN LATERAL (SELECT * FROM records WHERE shop = $1 AND root = e.root \
     AND child = e.child AND source = e.source OFFSET 0) c ON true";

/// Root, child and source.
type Of = (String, String, i32);

impl crate::desk::Shared {
    /// A row with [`PAYLOAD`] behind the envelope, and [`RECORD`] from a column on.
    pub(crate) fn record_of(&self, row: &Row, first: usize, envelope: &Envelope) -> Done<Option<Record>> {
        if !matches!(envelope.kind, FactKind::Change | FactKind::State) {
            return Ok(None);
        }
        let (revision, body): (Option<i64>, Option<Vec<u8>>) = (row.try_get(first)?, row.try_get(first + 1)?);
        let (Some(revision), Some(body)) = (revision, body) else { return Ok(None) };
        if body.is_empty() {
            return Ok(Some(Record { revision, body: Bytes::new() }));
        }
        let (subject, key) = (&envelope.subject, key_of(row, ENVELOPE_COLUMNS + 3)?);
        let place = record_place(subject, &envelope.source);
        let opened = self.open_column(&subject.shop, subject.root(), key.as_ref(), &place, &body)?;
        Ok(Some(Record { revision, body: opened.unwrap_or_default().into() }))
    }
}

/// Whether any of these is to begin a record.
pub(crate) fn begin_one(found: &[Unrouted]) -> bool {
    found.iter().any(begins)
}

fn begins(one: &Unrouted) -> bool {
    one.envelope.kind == FactKind::Change && one.record.is_none() && newest(one).is_some()
}

fn newest(one: &Unrouted) -> Option<i64> {
    one.standings.iter().filter_map(|(_, standing)| standing.routed_position).map(|position| position.0).max()
}

impl Desk {
    /// With the states with which records are begun. Where another node routes a newer one meanwhile, the decision is passed over.
    pub(crate) async fn with_bases(&self, mut found: Vec<Unrouted>) -> Done<Vec<Unrouted>> {
        for one in found.iter_mut().filter(|one| begins(one)) {
            one.base = self.base_of(one).await?;
        }
        Ok(found)
    }

    /// The newest state that was routed, if it is of the same source and kept.
    async fn base_of(&self, of: &Unrouted) -> Done<Option<(Envelope, Bytes)>> {
        let (subject, newest) = (&of.envelope.subject, newest(of));
        let (Some(shop), Some(newest)) = (self.names().shop_number(&subject.shop), newest) else {
            return Ok(None);
        };
        let sql = format!(
            "SELECT {ENVELOPE}, {PAYLOAD} FROM envelopes e {PAYLOAD_FROM} WHERE e.shop = $1 AND e.root = $2 \
             AND e.child = $3 AND e.position = $4 AND e.kind = $5"
        );
        let state = fact_number(FactKind::State);
        let row = self.one(&sql, args![shop, subject.root(), child(subject), newest, state]).await?;
        let Some(row) = row else { return Ok(None) };
        let envelope = self.shared.envelope_of(&row, 0)?;
        if envelope.source != of.envelope.source {
            return Ok(None);
        }
        let payload =
            crate::unrouted::opened_or_empty(self.shared.payload_of(&row, ENVELOPE_COLUMNS, &envelope))?;
        Ok(payload.map(|payload| (envelope, payload)))
    }

    /// Those whose record is still the one that they were decided upon; of several in one batch each stands upon the one before.
    pub(crate) async fn upon_their_records<'a>(
        &self,
        shop: i32,
        decisions: Vec<(&'a Routed, Place)>,
    ) -> Done<Vec<(&'a Routed, Place)>> {
        let records = decisions.iter().filter_map(|(decision, _)| decision.record.as_ref());
        let roots: Vec<&str> = records.map(|record| record.subject.root()).collect();
        let mut known: BTreeMap<Of, i64> = BTreeMap::new();
        for row in self.all(REVISIONS, args![shop, roots]).await? {
            known.insert((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?), row.try_get(3)?);
        }
        let mut standing = Vec::with_capacity(decisions.len());
        for (decision, place) in decisions {
            if let Some(new) = &decision.record {
                let revision = known.entry(self.of(new)?).or_default();
                if *revision != new.upon {
                    continue;
                }
                *revision += 1;
            }
            standing.push((decision, place));
        }
        Ok(standing)
    }

    fn of(&self, new: &NewRecord) -> Done<Of> {
        let source = self.names().given(new.source.as_str())?;
        Ok((new.subject.root().to_owned(), child(&new.subject).to_owned(), source))
    }
}

impl Work<'_> {
    /// The last of each.
    pub(crate) async fn write_records(&mut self, new: impl Iterator<Item = &NewRecord>) -> Done<()> {
        let mut last: BTreeMap<Of, &NewRecord> = BTreeMap::new();
        for new in new {
            last.insert(self.desk.of(new)?, new);
        }
        if last.is_empty() {
            return Ok(());
        }
        let (mut roots, mut children, mut sources) = (Vec::new(), Vec::new(), Vec::new());
        let (mut revisions, mut bodies) = (Vec::new(), Vec::new());
        for ((root, child, source), new) in last {
            bodies.push(self.seal(&root, &record_place(&new.subject, &new.source), &new.body).await?);
            revisions.push(new.upon + 1);
            roots.push(root);
            children.push(child);
            sources.push(source);
        }
        let shop = self.shop;
        later!(self.desk, RECORDS, shop, roots, children, sources, revisions, bodies)
    }
}

const REVISIONS: &str = "SELECT c.root, c.child, c.source, c.revision FROM unnest($2::text[]) AS n (root) \
     CROSS JOIN LATERAL (SELECT * FROM records WHERE shop = $1 AND root = n.root OFFSET 0) c";

const RECORDS: &str = "INSERT INTO records (shop, root, child, source, revision, body) \
     SELECT $1, n.* FROM unnest($2::text[], $3::text[], $4::int4[], $5::int8[], $6::bytea[]) AS n \
     ON CONFLICT (shop, root, child, source) DO UPDATE SET revision = excluded.revision, body = excluded.body";

/// The hot statements of this file, for the test that looks at their plans.
pub(crate) const STATEMENTS: &[(&str, &str)] =
    &[("records.revisions", REVISIONS), ("records.write", RECORDS)];
