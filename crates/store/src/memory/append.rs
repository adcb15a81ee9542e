//! The log of the memory store: appending, what waits for routing, and the duties that routing finds.

use super::bug::Bug;
use super::rows::{Fact, Row, State};
use crate::delivery::{Delivery, DeliveryKind, DeliveryState, NewDelivery, Outcome};
use crate::log::{About, Appended, DedupeKey, NewEnvelope, NewRecord, Record, Routed, Unrouted};
use bytes::Bytes;
use jiff::Timestamp;
use kernel::envelope::{Envelope, FactKind, Via};
use kernel::id::{DeliveryId, Position};
use kernel::subject::Subject;
use kernel::version::Order;

/// Days since 1970 in UTC: the generation of a webhook id.
pub(super) fn day(at: Timestamp) -> i64 {
    at.as_second().div_euclid(86_400)
}

impl State {
    pub(super) fn append(&mut self, batch: Vec<NewEnvelope>) -> Vec<Appended> {
        batch.into_iter().map(|new| self.append_one(new)).collect()
    }

    pub(super) fn append_one(&mut self, new: NewEnvelope) -> Appended {
        if let Some(key) = new.dedupe {
            if let Some(first) = self.known_webhook(key, new.received_at) {
                return Appended::Duplicate { same_body: first == new.raw_hash };
            }
            self.webhook_ids.entry(day(new.received_at)).or_default().insert(key, new.raw_hash);
        }
        self.position += 1;
        let position = Position(self.position);
        if matches!(new.via, Via::Webhook | Via::Ingest) {
            let seen =
                self.topics.entry((new.shop.clone(), new.topic.clone())).or_insert((new.received_at, 0));
            *seen = (seen.0.max(new.received_at), seen.1 + 1);
        }
        self.subjects.entry(new.subject.clone()).or_default().push(position);
        let root = self.roots.entry((new.shop.clone(), new.subject.root().to_owned())).or_default();
        root.positions.push(position);
        if root.positions.len() == 1 {
            let of_root = Subject { shop: new.shop.clone(), path: new.subject.root().to_owned() };
            self.names.entry(of_root.key().to_owned()).or_default().insert(of_root);
        }
        let envelope = Envelope {
            position,
            shop: new.shop,
            domain: new.domain,
            source: new.source,
            topic: new.topic,
            kind: new.kind,
            via: new.via,
            subject: new.subject,
            version: new.version,
            occurred_at: new.occurred_at,
            received_at: new.received_at,
            trace: new.trace,
            raw_hash: new.raw_hash,
            raw_bytes: new.raw_bytes,
        };
        let payload = Some(new.payload);
        self.facts.insert(position, Fact { envelope, payload, routed: false, deliveries: Vec::new() });
        self.unrouted.insert(position);
        Appended::Stored(position)
    }

    /// The hash of the body that came first under this id, today or yesterday.
    fn known_webhook(&self, key: DedupeKey, at: Timestamp) -> Option<[u8; 32]> {
        let newest = self.webhook_ids.keys().next_back().copied().unwrap_or(i64::MIN).max(day(at));
        self.webhook_ids.range(newest - 1..).find_map(|(_, ids)| ids.get(&key)).copied()
    }

    pub(super) fn unrouted(&self, limit: u32) -> Vec<Unrouted> {
        let facts = self.unrouted.iter().filter_map(|position| self.facts.get(position));
        facts
            .take(limit as usize)
            .map(|fact| Unrouted {
                envelope: fact.envelope.clone(),
                payload: fact.payload.clone(),
                standings: self
                    .known
                    .get(&fact.envelope.subject)
                    .into_iter()
                    .flat_map(|flows| flows.keys())
                    .map(|flow| (flow.clone(), self.standing(flow, &fact.envelope.subject)))
                    .collect(),
                record: self.record_of(&fact.envelope),
                base: self.base_of(&fact.envelope),
            })
            .collect()
    }

    fn record_of(&self, envelope: &Envelope) -> Option<Record> {
        let folds = matches!(envelope.kind, FactKind::Change | FactKind::State);
        let key = (envelope.subject.clone(), envelope.source.clone());
        self.records.get(&key).filter(|_| folds).cloned()
    }

    /// The newest state that was routed, for a change that begins a record.
    fn base_of(&self, envelope: &Envelope) -> Option<(Envelope, Bytes)> {
        if envelope.kind != FactKind::Change || self.record_of(envelope).is_some() {
            return None;
        }
        let newest =
            self.known.get(&envelope.subject)?.values().filter_map(|known| known.routed_position).max()?;
        let fact = self.facts.get(&newest)?;
        let is_base = fact.envelope.subject == envelope.subject && fact.envelope.source == envelope.source;
        Some((fact.envelope.clone(), fact.payload.clone().filter(|_| is_base)?))
    }

    pub(super) fn route(&mut self, decisions: Vec<Routed>, at: Timestamp) {
        for decision in decisions {
            if !self.unrouted.contains(&decision.position) || !self.stands_upon(decision.record.as_ref()) {
                continue;
            }
            self.unrouted.remove(&decision.position);
            let Some(fact) = self.facts.get_mut(&decision.position) else { continue };
            fact.routed = true;
            if decision.version.is_some() {
                fact.envelope.version = decision.version;
            }
            if let Some(about) = decision.about {
                self.learn(about);
            }
            for new in decision.deliveries {
                self.note_routed(&new, decision.position);
                self.insert(new, decision.position, at);
            }
            if let Some(new) = decision.record {
                let record = Record { revision: new.upon + 1, body: new.body };
                self.records.insert((new.subject, new.source), record);
            }
            self.append(decision.follow_ups);
        }
    }

    /// Whether the record is still the one that a decision was made upon.
    fn stands_upon(&self, new: Option<&NewRecord>) -> bool {
        let Some(new) = new else { return true };
        let known = self.records.get(&(new.subject.clone(), new.source.clone()));
        known.map_or(0, |record| record.revision) == new.upon
    }

    /// Keeps what the newest state says of a subject; a customer once known stays, for redaction.
    fn learn(&mut self, mut about: About) {
        if let Some(known) = self.abouts.get(&about.subject) {
            if known.updated_at > about.updated_at {
                return;
            }
            about.customer = about.customer.or_else(|| known.customer.clone());
        }
        self.names.entry(about.label.clone()).or_default().insert(about.subject.clone());
        self.abouts.insert(about.subject.clone(), about);
    }

    /// The newest version that routing took; one that is older than what is known is not taken.
    fn note_routed(&mut self, new: &NewDelivery, position: Position) {
        let overtaken = matches!(new.state, DeliveryState::Ended(Outcome::Superseded { .. }));
        let Some(version) = new.version.as_ref().filter(|_| new.kind == DeliveryKind::State && !overtaken)
        else {
            return;
        };
        let known = self.known_mut(&new.flow, &new.subject);
        if known.routed.as_ref().is_none_or(|routed| version.against(routed) != Order::Older) {
            known.routed = Some(version.clone());
            known.routed_position = Some(position);
        }
    }

    /// Adds a duty, by the rules of [`NewDelivery::supersedes`].
    pub(super) fn insert(&mut self, mut new: NewDelivery, position: Position, at: Timestamp) {
        if new.supersedes && !self.make_room(&mut new, position, at) {
            return;
        }
        self.delivery += 1;
        let id = DeliveryId(self.delivery);
        let known = self.known_mut(&new.flow, &new.subject);
        if new.kind != DeliveryKind::Read {
            known.target = Some(new.lane.system.clone());
        }
        known.deliveries.push(id);
        let root = self.roots.entry((new.lane.shop.clone(), new.lane.root.clone())).or_default();
        root.deliveries.push(id);
        if let Some(fact) = self.facts.get_mut(&position) {
            fact.deliveries.push(id);
        }
        let delivery = Delivery {
            id,
            position,
            flow: new.flow,
            lane: new.lane,
            subject: new.subject,
            kind: new.kind,
            // Below, with all that a state brings with it.
            state: DeliveryState::Waiting { due_at: None, wait: crate::delivery::Wait::Turn },
            version: new.version,
            priority: new.priority,
            spent: 0,
            failures: 0,
            calls: 0,
            created_at: at,
            changed_at: new.changed_at,
            ended_at: None,
        };
        let lane = delivery.lane.clone();
        self.lanes.entry(lane).or_default().members.insert(id);
        self.rows.insert(id, Row { delivery, hands: false, released: false, attempts: Vec::new() });
        self.set_state(id, new.state, at, new.fault, None);
    }

    /// Ends what the new one overtakes and takes over its priority; `false`: the new one is dropped, because one
    /// of the same kind is open already.
    fn make_room(&mut self, new: &mut NewDelivery, position: Position, at: Timestamp) -> bool {
        for id in self.of_subject(&new.flow, &new.subject) {
            let Some(row) = self.rows.get_mut(&id) else { continue };
            if row.delivery.kind != new.kind || row.is_ended() {
                continue;
            }
            if new.kind == DeliveryKind::Read && row.is_open() {
                // One that may be under way could miss what the new one is about.
                let lane = row.delivery.lane.clone();
                let under_way = self
                    .lanes
                    .get(&lane)
                    .is_some_and(|lane| lane.holder.as_ref().is_some_and(|holder| holder.delivery == id));
                if under_way {
                    continue;
                }
                row.delivery.priority = row.delivery.priority.min(new.priority);
                self.refresh(&lane);
                return false;
            }
            if !row.is_unknown() || self.bug == Some(Bug::SupersedesUnknown) {
                new.priority = new.priority.min(row.delivery.priority);
                let outcome = Outcome::Superseded { by: position };
                self.set_state(id, DeliveryState::Ended(outcome), at, None, None);
            }
        }
        true
    }
}
