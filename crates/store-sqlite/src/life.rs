//! One thing at a time: the whole life of a root, the status of subjects, a name that is looked for, a payload.

use crate::codec::{
    self, ENDED, OUTCOME_FILTERED, OUTCOME_SHADOWED, OUTCOME_SUPERSEDED, OUTCOME_UNCHANGED, kind_number,
    via_number,
};
use crate::deliveries::{BY_A_PERSON, RELEASED};
use crate::error::Done;
use crate::moves::ATTEMPT_FAULT;
use crate::questions::{LETTER, LETTER_FROM};
use crate::roots::{Root, child, label_number, path, shop_id, subject};
use crate::view::{DELIVERY, DELIVERY_FROM, ENVELOPE, View, const_format, external_of, system_name};
use bytes::Bytes;
use kernel::envelope::{Envelope, FactKind, Via};
use kernel::fault::Fault;
use kernel::id::{AttemptId, DeliveryId, FlowName, ShopId};
use kernel::subject::Subject;
use rusqlite::{Row, params};
use store::delivery::{Delivery, DeliveryKind, DeliveryState, Outcome};
use store::log::About;
use store::query::{AttemptRow, Life, SubjectStatus};

impl View<'_> {
    pub(crate) fn life(&self, shop: &ShopId, root_path: &str) -> Done<Life> {
        let Some(root) = self.root(shop.as_str(), root_path)? else { return Ok(Life::default()) };
        let key = [root.shop, root.id];
        let of_root = "WHERE e.shop = ?1 AND e.root = ?2 ORDER BY e.position";
        let envelopes = const_format(
            &[ENVELOPE, ", e.routed_at IS NOT NULL"].concat(),
            "FROM envelopes e JOIN roots r ON r.id = e.root",
            of_root,
        );
        let deliveries =
            const_format(DELIVERY, DELIVERY_FROM, "WHERE d.shop = ?1 AND d.root = ?2 ORDER BY d.id");
        let letters = const_format(LETTER, LETTER_FROM, "WHERE d.shop = ?1 AND d.root = ?2 ORDER BY d.id");
        let deliveries = self.all(&deliveries, key, |row| Ok(self.delivery_of(row)?.0))?;
        let mut attempts = Vec::new();
        for delivery in &deliveries {
            attempts.extend(self.attempts(delivery)?);
        }
        let external = "SELECT system, child, object_key, id, number, state, created_at, adopted FROM external_refs \
                        WHERE shop = ?1 AND root = ?2 ORDER BY child, system";
        Ok(Life {
            about: self.about(root, &subject(shop.clone(), root_path, ""))?,
            envelopes: self.all(&envelopes, key, |row| Ok((self.envelope_of(row)?, row.get(17)?)))?,
            deliveries,
            attempts,
            dead_letters: self.all(&letters, key, |row| self.letter_of(row))?,
            external: self.all(external, key, |row| {
                let of = subject(shop.clone(), root_path, &row.get::<_, String>(1)?);
                Ok((system_name(self.names, row.get(0)?)?, of, external_of(row, 2)?))
            })?,
        })
    }

    fn attempts(&self, delivery: &Delivery) -> Done<Vec<AttemptRow>> {
        let sql = "SELECT id, step, call_key, started_at, ended_at, fault, by_look_up, revision FROM attempts \
                   WHERE delivery = ?1 ORDER BY id";
        self.all(sql, [delivery.id.0], |row| {
            let ended_at: Option<i64> = row.get(4)?;
            let name =
                |column| -> Done<String> { Ok(self.names.name(row.get(column)?)?.as_ref().to_owned()) };
            Ok(AttemptRow {
                id: AttemptId(row.get(0)?),
                delivery: delivery.id,
                step: name(1)?,
                call_key: row.get(2)?,
                started_at: codec::time(row.get(3)?),
                ended_at: ended_at.map(codec::time),
                fault: self.attempt_fault(delivery, row.get(0)?, row.get(5)?)?,
                by_look_up: row.get(6)?,
                revision: name(7)?,
            })
        })
    }

    fn attempt_fault(&self, of: &Delivery, attempt: i64, column: Option<Vec<u8>>) -> Done<Option<Fault>> {
        let Some(column) = column else { return Ok(None) };
        self.fault(of.lane.shop.as_str(), &of.lane.root, ATTEMPT_FAULT, attempt, &column)
    }

    fn about(&self, root: Root, of: &Subject) -> Done<Option<About>> {
        let read = |row: &Row<'_>| {
            let label: Option<String> = row.get(0)?;
            let times: (Option<i64>, Option<i64>) = (row.get(2)?, row.get(3)?);
            let customer = row.get(1)?;
            Ok(label.zip(times.0.zip(times.1)).map(|(label, (created_at, updated_at))| About {
                subject: of.clone(),
                label,
                customer,
                created_at: codec::time(created_at),
                updated_at: codec::time(updated_at),
            }))
        };
        let found = if child(of).is_empty() {
            let sql = "SELECT label, customer, created_at, updated_at FROM roots WHERE id = ?1";
            self.one(sql, [root.id], read)?
        } else {
            let sql = "SELECT label, customer, created_at, updated_at FROM abouts \
                       WHERE shop = ?1 AND root = ?2 AND child = ?3";
            self.one(sql, params![root.shop, root.id, child(of)], read)?
        };
        Ok(found.flatten())
    }

    /// Subjects with this label, and roots with this key.
    pub(crate) fn find(&self, text: &str) -> Done<Vec<Subject>> {
        let number = label_number(text);
        let root_of = |row: &Row<'_>| {
            let kind = self.names.name(row.get(1)?)?;
            let root_path = path(&kind, row.get(2)?, &row.get::<_, String>(3)?);
            Ok(subject(shop_id(self.names, row.get(0)?)?, &root_path, &row.get::<_, String>(4)?))
        };
        let sql = "SELECT shop, kind, number, key, '' FROM roots WHERE label_number = ?1 AND label = ?2";
        let mut found = self.all(sql, params![number, text], root_of)?;
        let sql = "SELECT r.shop, r.kind, r.number, r.key, b.child FROM abouts b JOIN roots r ON r.id = b.root \
                   WHERE b.label_number = ?1 AND b.label = ?2";
        found.extend(self.all(sql, params![number, text], root_of)?);
        // By key: one look for each shop and kind that there is.
        let as_key = ["x:", text].concat();
        let (_, number, key) = crate::roots::parts(&as_key);
        let sql = "SELECT shop, kind, number, key, '' FROM roots WHERE (shop, kind) IN \
                   (SELECT s.id, k.id FROM names s, names k WHERE k.id IN (SELECT DISTINCT kind FROM roots) \
                   AND s.id IN (SELECT DISTINCT shop FROM roots)) AND number = ?1 AND key = ?2";
        found.extend(self.all(sql, params![number, key], root_of)?);
        found.sort();
        found.dedup();
        Ok(found)
    }

    pub(crate) fn status(&self, flow: &FlowName, of: &Subject) -> Done<SubjectStatus> {
        let mut status = SubjectStatus {
            subject: of.clone(),
            about: None,
            delivery: None,
            routed: None,
            outcome: None,
            fault: None,
            external: None,
            hands: false,
            released: false,
            swept: false,
        };
        let Some(root) = self.root(of.shop.as_str(), of.root())? else { return Ok(status) };
        status.about = self.about(root, of)?;
        let sql = "SELECT 1 FROM envelopes WHERE shop = ?1 AND root = ?2 AND via = ?3 AND child = ?4 LIMIT 1";
        let key = params![root.shop, root.id, via_number(Via::Sweep), child(of)];
        status.swept = self.count(sql, key)? > 0;
        let Some(flow) = self.names.number(flow.as_str()) else { return Ok(status) };
        let sql = "SELECT newest, target, routed FROM standings WHERE shop = ?1 AND root = ?2 AND child = ?3 AND flow = ?4";
        let key = params![root.shop, root.id, child(of), flow];
        let known = self.one(sql, key, |row| {
            let numbers = (row.get::<_, Option<i64>>(0)?, row.get::<_, Option<i64>>(1)?);
            Ok((numbers, codec::version(row.get(2)?)?))
        })?;
        let Some(((newest, target), routed)) = known else { return Ok(status) };
        status.routed = routed;
        if let Some(target) = target {
            status.external = self.external(root, child(of), target)?;
        }
        let newest = match newest {
            Some(newest) => Some(newest),
            None => self.newest_of_any_kind(root, of, flow)?,
        };
        status.delivery = match newest {
            Some(id) => self.delivery(id)?.map(|(delivery, _)| delivery),
            None => None,
        };
        if matches!(&status.delivery, Some(d) if d.state == DeliveryState::Ended(Outcome::Unchanged))
            && let Some(first) = self.not_a_copy(root, of, flow)?
        {
            status.delivery = self.delivery(first)?.map(|(delivery, _)| delivery);
        }
        if let Some(delivery) = &status.delivery {
            status.fault = self.fault_of(delivery)?;
            if let DeliveryState::Ended(outcome) = &delivery.state {
                status.outcome = Some(outcome.clone());
            }
        }
        let sql = "SELECT max(touched & ?5), max(touched & ?6) FROM deliveries \
                   WHERE shop = ?1 AND root = ?2 AND child = ?3 AND flow = ?4";
        let key = params![root.shop, root.id, child(of), flow, BY_A_PERSON, RELEASED];
        let bits =
            self.one(sql, key, |row| Ok((row.get::<_, Option<i64>>(0)?, row.get::<_, Option<i64>>(1)?)))?;
        let (hands, released) = bits.unwrap_or_default();
        status.hands = hands.is_some_and(|bits| bits > 0);
        status.released = released.is_some_and(|bits| bits > 0);
        Ok(status)
    }

    /// The newest state that was neither overtaken nor found unchanged: what a later copy is a copy of.
    fn not_a_copy(&self, root: Root, of: &Subject, flow: i64) -> Done<Option<i64>> {
        let sql = "SELECT id FROM deliveries WHERE shop = ?1 AND root = ?2 AND child = ?3 AND flow = ?4 AND kind = ?5 \
                   AND NOT (phase = ?6 AND wait IN (?7, ?8)) ORDER BY id DESC LIMIT 1";
        let kind = kind_number(DeliveryKind::State);
        let key =
            params![root.shop, root.id, child(of), flow, kind, ENDED, OUTCOME_SUPERSEDED, OUTCOME_UNCHANGED];
        self.one(sql, key, |row| Ok(row.get(0)?))
    }

    fn newest_of_any_kind(&self, root: Root, of: &Subject, flow: i64) -> Done<Option<i64>> {
        let sql = "SELECT id FROM deliveries WHERE shop = ?1 AND root = ?2 AND child = ?3 AND flow = ?4 \
                   AND wait <> ?5 ORDER BY id DESC LIMIT 1";
        let key = params![root.shop, root.id, child(of), flow, OUTCOME_SUPERSEDED];
        self.one(sql, key, |row| Ok(row.get(0)?))
    }

    /// Why a delivery is dead, or what its last attempt met while it waits.
    fn fault_of(&self, delivery: &Delivery) -> Done<Option<Fault>> {
        match &delivery.state {
            DeliveryState::Dead => {
                let sql = const_format(LETTER, LETTER_FROM, "WHERE l.delivery = ?1");
                Ok(self.one(&sql, [delivery.id.0], |row| self.letter_of(row))?.map(|letter| letter.fault))
            }
            DeliveryState::Waiting { .. } | DeliveryState::Unknown { .. } => {
                let sql = "SELECT id, fault FROM attempts WHERE delivery = ?1 AND fault IS NOT NULL \
                           ORDER BY id DESC LIMIT 1";
                let last = self.one(sql, [delivery.id.0], |row| {
                    self.attempt_fault(delivery, row.get(0)?, row.get(1)?)
                })?;
                Ok(last.flatten())
            }
            DeliveryState::Ended(_) => Ok(None),
        }
    }

    /// Subjects whose newest state at the flow was filtered by this rule; `shadow`: was shadowed.
    pub(crate) fn filtered_by(&self, flow: &FlowName, rule: &str, limit: u32) -> Done<Vec<Subject>> {
        let Some(flow) = self.names.number(flow.as_str()) else { return Ok(Vec::new()) };
        let sql = "SELECT r.shop, r.kind, r.number, r.key, s.child FROM standings s \
                   JOIN deliveries d ON d.id = s.newest JOIN roots r ON r.id = s.root \
                   WHERE s.flow = ?1 AND d.kind = ?2 AND d.phase = 3 AND ((d.wait = ?3 AND d.detail = ?4) \
                   OR (d.wait = ?5 AND ?4 = 'shadow')) LIMIT ?6";
        let state = kind_number(DeliveryKind::State);
        let key = params![flow, state, OUTCOME_FILTERED, rule, OUTCOME_SHADOWED, limit];
        self.all(sql, key, |row| {
            let kind = self.names.name(row.get(1)?)?;
            let root_path = path(&kind, row.get(2)?, &row.get::<_, String>(3)?);
            Ok(subject(shop_id(self.names, row.get(0)?)?, &root_path, &row.get::<_, String>(4)?))
        })
    }

    /// The newest fact of a subject whose payload is there.
    pub(crate) fn newest_payload(&self, of: &Subject) -> Done<Option<(Envelope, Bytes)>> {
        let Some(root) = self.root(of.shop.as_str(), of.root())? else { return Ok(None) };
        let sql = const_format(
            ENVELOPE,
            "FROM envelopes e JOIN roots r ON r.id = e.root JOIN payloads p ON p.position = e.position \
             JOIN data_keys k ON k.id = p.data_key",
            "WHERE e.shop = ?1 AND e.root = ?2 AND e.child = ?3 AND e.kind IN (?4, ?5) \
             ORDER BY e.position DESC LIMIT 1",
        );
        let (state, event) = (codec::fact_number(FactKind::State), codec::fact_number(FactKind::Event));
        let key = params![root.shop, root.id, child(of), state, event];
        let Some(envelope) = self.one(&sql, key, |row| self.envelope_of(row))? else { return Ok(None) };
        let Some(sealed) = self.sealed_payload(envelope.position.0)? else { return Ok(None) };
        let payload = sealed.open(self.vault, &envelope)?;
        Ok(Some((envelope, payload)))
    }

    pub(crate) fn delivery_payload(&self, delivery: DeliveryId) -> Done<Option<Bytes>> {
        let Some((delivery, _)) = self.delivery(delivery.0)? else { return Ok(None) };
        let Some(envelope) = self.envelope(delivery.position.0)? else { return Ok(None) };
        let sealed = self.sealed_payload(delivery.position.0)?;
        sealed.map(|sealed| sealed.open(self.vault, &envelope)).transpose()
    }
}
