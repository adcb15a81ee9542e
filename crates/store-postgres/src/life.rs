//! One thing at a time: the whole life of a root, the status of subjects, a name that is looked for, a payload.

use crate::bind::args;
use crate::codec::{
    self, ENDED, OUTCOME_FILTERED, OUTCOME_SHADOWED, OUTCOME_SUPERSEDED, OUTCOME_UNCHANGED, fact_number,
    kind_number, via_number,
};
use crate::deliveries::{BY_A_PERSON, RELEASED};
use crate::desk::Desk;
use crate::error::Done;
use crate::moves::ATTEMPT_FAULT;
use crate::questions::{LETTER, LETTER_FROM};
use crate::view::{
    DELIVERY, DELIVERY_FROM, ENVELOPE, ENVELOPE_COLUMNS, PAYLOAD, PAYLOAD_FROM, child, external_of, key_of,
    subject,
};
use bytes::Bytes;
use kernel::envelope::{Envelope, FactKind, Via};
use kernel::fault::Fault;
use kernel::id::{AttemptId, DeliveryId, FlowName, ShopId};
use kernel::subject::Subject;
use store::delivery::{Delivery, DeliveryKind, DeliveryState, Outcome, StoredRef};
use store::log::About;
use store::query::{AttemptRow, Life, SubjectStatus};
use store::seal::vault::column_place;
use tokio_postgres::Row;

impl Desk {
    pub(crate) async fn life(&self, shop_id: &ShopId, root: &str) -> Done<Life> {
        let Some(shop) = self.names().shop_number(shop_id) else { return Ok(Life::default()) };
        let key = args![shop, root];
        let sql = format!(
            "SELECT {ENVELOPE}, e.routed_at IS NOT NULL FROM envelopes e WHERE e.shop = $1 AND e.root = $2 ORDER BY e.position"
        );
        let mut life =
            Life { about: self.about(shop, &subject(shop_id.clone(), root, "")).await?, ..Life::default() };
        for row in self.all(&sql, key).await? {
            life.envelopes.push((self.shared.envelope_of(&row, 0)?, row.try_get(ENVELOPE_COLUMNS)?));
        }
        let sql =
            format!("SELECT {DELIVERY} {DELIVERY_FROM} WHERE d.shop = $1 AND d.root = $2 ORDER BY d.id");
        for row in self.all(&sql, key).await? {
            life.deliveries.push(self.shared.delivery_of(&row)?);
        }
        for delivery in &life.deliveries {
            life.attempts.extend(self.attempts(shop, delivery).await?);
        }
        let sql = format!("SELECT {LETTER} {LETTER_FROM} WHERE d.shop = $1 AND d.root = $2 ORDER BY d.id");
        for row in self.all(&sql, key).await? {
            life.dead_letters.push(self.shared.letter_of(&row)?);
        }
        let sql = "SELECT system, child, object_key, id, number, state, created_at, adopted FROM external_refs \
                   WHERE shop = $1 AND root = $2 ORDER BY child, system";
        for row in self.all(sql, key).await? {
            let of = subject(shop_id.clone(), root, row.try_get(1)?);
            life.external.push((self.names().system(row.try_get(0)?)?, of, external_of(&row, 2)?));
        }
        Ok(life)
    }

    async fn attempts(&self, shop: i32, of: &Delivery) -> Done<Vec<AttemptRow>> {
        let sql = "SELECT a.id, a.step, a.call_key, a.started_at, a.ended_at, a.by_look_up, a.revision, a.fault, k.id, \
                   k.master, k.wrapped FROM attempts a LEFT JOIN data_keys k ON k.shop = a.shop AND k.root = a.root \
                   WHERE a.shop = $1 AND a.delivery = $2 ORDER BY a.id";
        let rows = self.all(sql, args![shop, of.id.0]).await?;
        let attempts = rows.iter().map(|row| {
            let ended_at: Option<i64> = row.try_get(4)?;
            let name = |column: usize| -> Done<String> {
                Ok(self.names().name(row.try_get(column)?)?.as_ref().to_owned())
            };
            Ok(AttemptRow {
                id: AttemptId(row.try_get(0)?),
                delivery: of.id,
                step: name(1)?,
                call_key: row.try_get(2)?,
                started_at: codec::time(row.try_get(3)?),
                ended_at: ended_at.map(codec::time),
                fault: self.attempt_fault(of, row, 0, 7)?,
                by_look_up: row.try_get(5)?,
                revision: name(6)?,
            })
        });
        attempts.collect()
    }

    /// From a row with the attempt's number, and its sealed fault before the key.
    fn attempt_fault(&self, of: &Delivery, row: &Row, id: usize, fault: usize) -> Done<Option<Fault>> {
        let Some(column) = row.try_get::<_, Option<Vec<u8>>>(fault)? else { return Ok(None) };
        let (place, key) = (column_place(ATTEMPT_FAULT, row.try_get(id)?), key_of(row, fault + 1)?);
        self.shared.fault(&of.lane.shop, &of.lane.root, key.as_ref(), &place, &column)
    }

    async fn about(&self, shop: i32, of: &Subject) -> Done<Option<About>> {
        let row = if child(of).is_empty() {
            let sql =
                "SELECT label, customer, created_at, updated_at FROM roots WHERE shop = $1 AND root = $2";
            self.one(sql, args![shop, of.root()]).await?
        } else {
            let sql = "SELECT label, customer, created_at, updated_at FROM abouts \
                       WHERE shop = $1 AND root = $2 AND child = $3";
            self.one(sql, args![shop, of.root(), child(of)]).await?
        };
        let Some(row) = row else { return Ok(None) };
        let label: Option<String> = row.try_get(0)?;
        let times: (Option<i64>, Option<i64>) = (row.try_get(2)?, row.try_get(3)?);
        let customer = row.try_get(1)?;
        Ok(label.zip(times.0.zip(times.1)).map(|(label, (created_at, updated_at))| About {
            subject: of.clone(),
            label,
            customer,
            created_at: codec::time(created_at),
            updated_at: codec::time(updated_at),
        }))
    }

    /// Subjects with this label, and roots with this key.
    pub(crate) async fn find(&self, text: &str) -> Done<Vec<Subject>> {
        let shops = self.names().shops();
        let kinds = self.names().kinds();
        let roots: Vec<String> = kinds.iter().map(|kind| format!("{kind}:{text}")).collect();
        let sql = "SELECT shop, root, '' AS child FROM roots WHERE shop = ANY($1) AND label = $2 \
                   UNION SELECT shop, root, child FROM abouts WHERE shop = ANY($1) AND label = $2 \
                   UNION SELECT shop, root, '' FROM roots WHERE shop = ANY($1) AND root = ANY($3)";
        let rows = self.all(sql, args![shops, text, roots]).await?;
        let found = rows.iter().map(|row| {
            let (root, child): (&str, &str) = (row.try_get(1)?, row.try_get(2)?);
            Ok(subject(self.names().shop(row.try_get(0)?)?, root, child))
        });
        let mut found = found.collect::<Done<Vec<Subject>>>()?;
        found.sort();
        found.dedup();
        Ok(found)
    }

    pub(crate) async fn status(&self, flow: &FlowName, of: &Subject) -> Done<SubjectStatus> {
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
        let Some(shop) = self.names().shop_number(&of.shop) else { return Ok(status) };
        status.about = self.about(shop, of).await?;
        let (root, child) = (of.root(), child(of));
        let sql = "SELECT 1 FROM envelopes WHERE shop = $1 AND root = $2 AND child = $3 AND via = $4 LIMIT 1";
        status.swept = self.one(sql, args![shop, root, child, via_number(Via::Sweep)]).await?.is_some();
        let Some(flow) = self.names().number(flow.as_str()) else { return Ok(status) };
        let sql = "SELECT newest, target, routed FROM standings WHERE shop = $1 AND root = $2 AND child = $3 AND flow = $4";
        let Some(known) = self.one(sql, args![shop, root, child, flow]).await? else { return Ok(status) };
        status.routed = codec::version(known.try_get(2)?)?;
        if let Some(target) = known.try_get::<_, Option<i32>>(1)? {
            status.external = self.external(shop, root, child, target).await?;
        }
        let newest = match known.try_get::<_, Option<i64>>(0)? {
            Some(newest) => Some(newest),
            None => self.newest_of_any_kind(shop, of, flow).await?,
        };
        status.delivery = self.delivery(shop, newest).await?;
        if matches!(&status.delivery, Some(d) if d.state == DeliveryState::Ended(Outcome::Unchanged))
            && let Some(first) = self.not_a_copy(shop, of, flow).await?
        {
            status.delivery = self.delivery(shop, Some(first)).await?;
        }
        if let Some(delivery) = &status.delivery {
            status.fault = self.fault_of(shop, delivery).await?;
            if let DeliveryState::Ended(outcome) = &delivery.state {
                status.outcome = Some(outcome.clone());
            }
        }
        let sql = "SELECT coalesce(bit_or(touched), 0) FROM deliveries \
                   WHERE shop = $1 AND root = $2 AND child = $3 AND flow = $4";
        let touched: i32 = match self.one(sql, args![shop, root, child, flow]).await? {
            Some(row) => row.try_get(0)?,
            None => 0,
        };
        status.hands = touched & BY_A_PERSON != 0;
        status.released = touched & RELEASED != 0;
        Ok(status)
    }

    async fn external(&self, shop: i32, root: &str, child: &str, system: i32) -> Done<Option<StoredRef>> {
        let sql = "SELECT object_key, id, number, state, created_at, adopted FROM external_refs \
                   WHERE shop = $1 AND root = $2 AND child = $3 AND system = $4";
        let row = self.one(sql, args![shop, root, child, system]).await?;
        row.map(|row| external_of(&row, 0)).transpose()
    }

    async fn delivery(&self, shop: i32, id: Option<i64>) -> Done<Option<Delivery>> {
        let Some(id) = id else { return Ok(None) };
        let sql = format!("SELECT {DELIVERY} {DELIVERY_FROM} WHERE d.shop = $1 AND d.id = $2");
        let row = self.one(&sql, args![shop, id]).await?;
        row.map(|row| self.shared.delivery_of(&row)).transpose()
    }

    /// The newest state that was neither overtaken nor found unchanged: what a later copy is a copy of.
    async fn not_a_copy(&self, shop: i32, of: &Subject, flow: i32) -> Done<Option<i64>> {
        let sql = "SELECT id FROM deliveries WHERE shop = $1 AND root = $2 AND child = $3 AND flow = $4 AND kind = $5 \
                   AND NOT (phase = $6 AND wait IN ($7, $8)) ORDER BY id DESC LIMIT 1";
        let kind = kind_number(DeliveryKind::State);
        let row = self
            .one(
                sql,
                args![shop, of.root(), child(of), flow, kind, ENDED, OUTCOME_SUPERSEDED, OUTCOME_UNCHANGED],
            )
            .await?;
        Ok(row.map(|row| row.try_get(0)).transpose()?)
    }

    async fn newest_of_any_kind(&self, shop: i32, of: &Subject, flow: i32) -> Done<Option<i64>> {
        let sql = "SELECT id FROM deliveries WHERE shop = $1 AND root = $2 AND child = $3 AND flow = $4 \
                   AND wait <> $5 ORDER BY id DESC LIMIT 1";
        let row = self.one(sql, args![shop, of.root(), child(of), flow, OUTCOME_SUPERSEDED]).await?;
        Ok(row.map(|row| row.try_get(0)).transpose()?)
    }

    /// Why a delivery is dead, or what its last attempt met while it waits.
    async fn fault_of(&self, shop: i32, of: &Delivery) -> Done<Option<Fault>> {
        match &of.state {
            DeliveryState::Dead => Ok(self.letter(shop, of.id.0).await?.map(|letter| letter.fault)),
            DeliveryState::Waiting { .. } | DeliveryState::Unknown { .. } => {
                let sql = "SELECT a.id, a.fault, k.id, k.master, k.wrapped FROM attempts a \
                           LEFT JOIN data_keys k ON k.shop = a.shop AND k.root = a.root \
                           WHERE a.shop = $1 AND a.delivery = $2 AND a.fault IS NOT NULL ORDER BY a.id DESC LIMIT 1";
                let row = self.one(sql, args![shop, of.id.0]).await?;
                Ok(row.map(|row| self.attempt_fault(of, &row, 0, 1)).transpose()?.flatten())
            }
            DeliveryState::Ended(_) => Ok(None),
        }
    }

    /// Subjects whose newest state at the flow was filtered by this rule; `shadow`: was shadowed.
    pub(crate) async fn filtered_by(&self, flow: &FlowName, rule: &str, limit: u32) -> Done<Vec<Subject>> {
        let Some(flow) = self.names().number(flow.as_str()) else { return Ok(Vec::new()) };
        let sql = "SELECT s.shop, s.root, s.child FROM standings s \
                   JOIN deliveries d ON d.shop = s.shop AND d.id = s.newest \
                   WHERE s.flow = $1 AND d.kind = $2 AND d.phase = 3 AND ((d.wait = $3 AND d.detail = $4) \
                   OR (d.wait = $5 AND $4 = 'shadow')) LIMIT $6";
        let state = kind_number(DeliveryKind::State);
        let rows = self
            .all(sql, args![flow, state, OUTCOME_FILTERED, rule, OUTCOME_SHADOWED, i64::from(limit)])
            .await?;
        let found = rows.iter().map(|row| {
            let (root, child): (&str, &str) = (row.try_get(1)?, row.try_get(2)?);
            Ok(subject(self.names().shop(row.try_get(0)?)?, root, child))
        });
        found.collect()
    }

    /// The newest fact of a subject whose payload is there.
    pub(crate) async fn newest_payload(&self, of: &Subject) -> Done<Option<(Envelope, Bytes)>> {
        let Some(shop) = self.names().shop_number(&of.shop) else { return Ok(None) };
        let sql = format!(
            "SELECT {ENVELOPE}, {PAYLOAD} FROM envelopes e {PAYLOAD_FROM} WHERE e.shop = $1 AND e.root = $2 \
             AND e.child = $3 AND e.kind IN ($4, $5) AND coalesce(p.data_key, q.data_key) = y.id \
             ORDER BY e.position DESC LIMIT 1"
        );
        let (state, event) = (fact_number(FactKind::State), fact_number(FactKind::Event));
        let Some(row) = self.one(&sql, args![shop, of.root(), child(of), state, event]).await? else {
            return Ok(None);
        };
        let envelope = self.shared.envelope_of(&row, 0)?;
        let payload = self.shared.payload_of(&row, ENVELOPE_COLUMNS, &envelope)?;
        Ok(payload.map(|payload| (envelope, payload)))
    }

    pub(crate) async fn delivery_payload(&self, delivery: DeliveryId) -> Done<Option<Bytes>> {
        let sql = format!(
            "SELECT {ENVELOPE}, {PAYLOAD} FROM deliveries d JOIN envelopes e ON e.shop = d.shop AND e.day = d.day \
             AND e.position = d.position {PAYLOAD_FROM} WHERE d.shop = ANY($1) AND d.id = $2"
        );
        let Some(row) = self.one(&sql, args![self.names().shops(), delivery.0]).await? else {
            return Ok(None);
        };
        let envelope = self.shared.envelope_of(&row, 0)?;
        self.shared.payload_of(&row, ENVELOPE_COLUMNS, &envelope)
    }
}
