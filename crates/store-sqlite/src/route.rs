//! Routing: what waits for it, found by its state, and the commit of what was decided.

use crate::append::{Keys, prepare};
use crate::codec::{nanos, version_bytes};
use crate::desk::Desk;
use crate::error::Done;
use crate::roots::{Root, child, label_number, parts};
use crate::view::{ENVELOPE, SealedPayload, View, const_format, flow_name};
use bytes::Bytes;
use jiff::Timestamp;
use kernel::envelope::{Envelope, FactKind};
use kernel::id::FlowName;
use kernel::subject::Subject;
use rusqlite::params;
use store::StoreError;
use store::delivery::Standing;
use store::log::{About, Record, Routed, Unrouted};
use store::seal::vault::Vault;

/// An envelope that waits for routing, its payload not yet opened.
#[derive(Debug)]
pub(crate) struct SealedUnrouted {
    envelope: Envelope,
    payload: Option<SealedPayload>,
    standings: Vec<(FlowName, Standing)>,
    record: Option<Record>,
    base: Option<(Envelope, SealedPayload)>,
}

impl SealedUnrouted {
    pub(crate) fn open(self, vault: &Vault) -> Done<Unrouted> {
        let Self { envelope, payload, standings, record, base } = self;
        let base = match base {
            Some((of, sealed)) => Some((of.clone(), opened_or_empty(sealed.open(vault, &of))?)),
            None => None,
        };
        let payload = match payload {
            Some(sealed) => Some(opened_or_empty(sealed.open(vault, &envelope))?),
            None => None,
        };
        Ok(Unrouted { envelope, payload, standings, record, base })
    }
}

impl View<'_> {
    /// Envelopes that are not routed, oldest position first; their payloads still sealed.
    pub(crate) fn unrouted(&self, limit: u32) -> Done<Vec<SealedUnrouted>> {
        let sql = const_format(
            ENVELOPE,
            "FROM envelopes e INDEXED BY envelopes_unrouted JOIN roots r ON r.id = e.root",
            "WHERE e.routed_at IS NULL ORDER BY e.position LIMIT ?1",
        );
        let envelopes = self.all(&sql, [limit], |row| self.envelope_of(row))?;
        let mut found = Vec::with_capacity(envelopes.len());
        for envelope in envelopes {
            let payload = self.sealed_payload(envelope.position.0)?;
            let standings = self.standings(&envelope.subject)?;
            let record = self.record_for(&envelope)?;
            let base = match &record {
                None if envelope.kind == FactKind::Change => self.base_for(&envelope, &standings)?,
                _ => None,
            };
            found.push(SealedUnrouted { envelope, payload, standings, record, base });
        }
        Ok(found)
    }

    /// How a subject stands at each flow that has had it.
    fn standings(&self, subject: &Subject) -> Done<Vec<(FlowName, Standing)>> {
        let Some(root) = self.root(subject.shop.as_str(), subject.root())? else { return Ok(Vec::new()) };
        let sql = "SELECT flow FROM standings WHERE shop = ?1 AND root = ?2 AND child = ?3";
        let key = params![root.shop, root.id, child(subject)];
        let flows = self.all(sql, key, |row| Ok(row.get::<_, i64>(0)?))?;
        let mut standings = Vec::with_capacity(flows.len());
        for flow in flows {
            standings.push((flow_name(self.names, flow)?, self.standing(root, subject, flow, 0)?));
        }
        standings.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(standings)
    }
}

/// A payload that was altered must not hold up all others: it is handed on as empty, which no reader takes for a
/// fact, and ends as a dead letter of its own.
pub(crate) fn opened_or_empty(opened: Done<Bytes>) -> Done<Bytes> {
    match opened.map_err(StoreError::from) {
        Err(StoreError::Unreadable(why)) => {
            tracing::error!(error = %why, "a payload is damaged");
            Ok(Bytes::new())
        }
        other => other.map_err(Into::into),
    }
}

impl Desk {
    pub(crate) fn route(&mut self, decisions: Vec<Routed>, at: Timestamp) -> Done<()> {
        for decision in decisions {
            if self.stands_upon(decision.record.as_ref())? {
                self.route_one(decision, at)?;
            }
        }
        Ok(())
    }

    fn route_one(&mut self, decision: Routed, at: Timestamp) -> Done<()> {
        let sql = "UPDATE envelopes SET routed_at = ?2, version = coalesce(?3, version) \
                   WHERE position = ?1 AND routed_at IS NULL";
        let version = decision.version.as_ref().map(version_bytes);
        if self.execute(sql, params![decision.position.0, nanos(at), version])? == 0 {
            return Ok(());
        }
        let mut last: Option<(Subject, Root)> = None;
        if let Some(about) = decision.about {
            let root = self.root_or_new(about.subject.shop.as_str(), about.subject.root())?;
            last = Some((about.subject.clone(), root));
            self.learn(root, &about)?;
        }
        for new in decision.deliveries {
            let root = match &last {
                Some((subject, root)) if *subject == new.subject => *root,
                _ => self.root_or_new(new.subject.shop.as_str(), new.subject.root())?,
            };
            last = Some((new.subject.clone(), root));
            self.insert_delivery(root, new, decision.position, at)?;
        }
        if let Some(new) = decision.record {
            self.write_record(&new)?;
        }
        if !decision.follow_ups.is_empty() {
            let follow_ups = prepare(&self.vault, decision.follow_ups)?;
            self.append(&follow_ups, &mut Keys::new())?;
        }
        Ok(())
    }

    /// Keeps what the newest state says of a subject; a customer once known stays, for redaction.
    fn learn(&self, root: Root, about: &About) -> Done<()> {
        let (created_at, updated_at) = (nanos(about.created_at), nanos(about.updated_at));
        let number = label_number(&about.label);
        let customer = about.customer.as_deref();
        if child(&about.subject).is_empty() {
            let sql = "UPDATE roots SET label = ?2, label_number = ?3, customer = coalesce(?4, customer), \
                       customer_number = coalesce(?5, customer_number), created_at = ?6, updated_at = ?7 \
                       WHERE id = ?1 AND coalesce(updated_at <= ?7, 1)";
            let customer_number = customer.map(customer_number);
            let row =
                params![root.id, about.label, number, customer, customer_number, created_at, updated_at];
            self.execute(sql, row)?;
        } else {
            let sql = "INSERT INTO abouts (shop, root, child, label, label_number, customer, created_at, updated_at) \
                       VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO UPDATE SET label = ?4, \
                       label_number = ?5, customer = coalesce(?6, customer), created_at = ?7, updated_at = ?8 \
                       WHERE updated_at <= ?8";
            let row = params![
                root.shop,
                root.id,
                child(&about.subject),
                about.label,
                number,
                customer,
                created_at,
                updated_at
            ];
            self.execute(sql, row)?;
            self.learn_customer(root, customer)?;
        }
        Ok(())
    }

    /// A customer known of a part is the root's, unless it has one.
    fn learn_customer(&self, root: Root, customer: Option<&str>) -> Done<()> {
        if let Some(customer) = customer {
            let sql =
                "UPDATE roots SET customer = ?2, customer_number = ?3 WHERE id = ?1 AND customer IS NULL";
            self.execute(sql, params![root.id, customer, customer_number(customer)])?;
        }
        Ok(())
    }
}

/// The number under which a customer is indexed.
pub(crate) fn customer_number(customer: &str) -> i64 {
    parts(&["customer:", customer].concat()).1
}
