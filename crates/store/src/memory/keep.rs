//! Housekeeping of the memory store: cursors, leases, redaction, retention.

use super::append::day;
use super::rows::State;
use crate::delivery::{DeliveryState, Outcome};
use crate::operate::{Beat, By, Certificate, EVERY_ROOT, Retained};
use jiff::Timestamp;
use kernel::clock::after;
use kernel::fault::Fault;
use kernel::id::{DeliveryId, Position, ShopId};
use kernel::subject::Subject;
use std::collections::BTreeSet;
use std::time::Duration;

impl State {
    pub(super) fn lease(&mut self, name: &str, owner: &str, now: Timestamp, length: Duration) -> bool {
        let taken = self.leases.get(name).is_some_and(|(holder, until)| holder != owner && *until > now);
        if !taken {
            self.leases.insert(name.to_owned(), (owner.to_owned(), after(now, length)));
        }
        !taken
    }

    pub(super) fn beat(&mut self, beat: Beat, now: Timestamp, length: Duration) -> Vec<Beat> {
        self.beats.insert(beat.node, (beat.says, after(now, length)));
        self.beats.retain(|_, (_, until)| *until > now);
        let live = self.beats.iter().map(|(node, (says, _))| Beat { node: node.clone(), says: says.clone() });
        live.collect()
    }

    fn roots_of(&self, shop: &ShopId, customers: &[String]) -> BTreeSet<String> {
        let of_customer =
            |customer: &Option<String>| customer.as_ref().is_some_and(|c| customers.contains(c));
        let abouts = self.abouts.values().filter(|about| about.subject.shop == *shop);
        abouts
            .filter(|about| of_customer(&about.customer))
            .map(|about| about.subject.root().to_owned())
            .collect()
    }

    pub(super) fn held(&self, shop: &ShopId, customers: &[String]) -> Vec<Subject> {
        let roots = self.roots_of(shop, customers).into_iter();
        roots.map(|path| Subject { shop: shop.clone(), path }).collect()
    }

    pub(super) fn redact(
        &mut self,
        shop: &ShopId,
        roots: &[String],
        customers: &[String],
        requested: &str,
        at: Timestamp,
    ) -> Certificate {
        let mut all = self.roots_of(shop, customers);
        if roots.iter().any(|root| root == EVERY_ROOT) {
            all.extend(self.roots.keys().filter(|(of, _)| of == shop).map(|(_, root)| root.clone()));
        } else {
            all.extend(roots.iter().cloned());
        }
        let (mut keys_destroyed, mut duties_ended) = (0, 0);
        for root in &all {
            let Some(row) = self.roots.get(&(shop.clone(), root.clone())) else { continue };
            let (positions, deliveries) = (row.positions.clone(), row.deliveries.clone());
            let of_root = |subject: &Subject| subject.shop == *shop && subject.root() == root;
            for (_, record) in self.records.iter_mut().filter(|((subject, _), _)| of_root(subject)) {
                record.body = Default::default();
            }
            keys_destroyed += u64::from(self.destroy(&positions));
            duties_ended += self.end_redacted(&deliveries, at);
        }
        let certificate = Certificate {
            id: format!("R-{:06}", self.certificates.len() + 1),
            shop: shop.clone(),
            requested: requested.to_owned(),
            at,
            roots: all.into_iter().collect(),
            keys_destroyed,
            duties_ended,
        };
        self.certificates.push(certificate.clone());
        let by = By { who: requested.to_owned(), why: certificate.id.clone(), at };
        self.note("redact", format!("{shop}: {} roots", certificate.roots.len()), &by, duties_ended);
        certificate
    }

    fn destroy(&mut self, positions: &[Position]) -> bool {
        let mut any = false;
        for position in positions {
            if let Some(fact) = self.facts.get_mut(position) {
                any |= fact.payload.take().is_some();
            }
        }
        any
    }

    /// Ends open duties of a redacted root, whatever their state, and what was derived from its payloads.
    fn end_redacted(&mut self, deliveries: &[DeliveryId], at: Timestamp) -> u64 {
        let mut ended = 0;
        for id in deliveries {
            let Some(row) = self.rows.get(id) else { continue };
            let (attempts, open) = (row.attempts.clone(), !row.is_ended());
            for attempt in attempts {
                if let Some(attempt) = self.attempts.get_mut(&attempt) {
                    attempt.frozen = Default::default();
                    attempt.row.fault = attempt.row.fault.take().map(without_text);
                }
            }
            if open {
                ended += 1;
                self.set_state(*id, DeliveryState::Ended(Outcome::Redacted), at, None, None);
            }
            if let Some(dead) = self.dead.get_mut(id) {
                dead.fault = without_text(dead.fault.clone());
            }
        }
        ended
    }

    pub(super) fn retain(&mut self, now: Timestamp, payload_days: u32) -> Retained {
        let mut retained = Retained::default();
        let past = now.checked_sub(Duration::from_secs(u64::from(payload_days) * 86_400));
        let past = past.unwrap_or(Timestamp::MIN);
        let positions: Vec<Position> = self.facts.keys().copied().collect();
        for position in positions {
            let duty = self.has_duty(position);
            let Some(fact) = self.facts.get_mut(&position) else { continue };
            if fact.envelope.received_at >= past || fact.payload.is_none() {
                continue;
            }
            if duty {
                retained.kept_for_duty += 1;
            } else {
                fact.payload = None;
                retained.payloads_dropped += 1;
            }
        }
        let kept = self.webhook_ids.split_off(&(day(now) - 6));
        retained.webhook_ids_dropped = self.webhook_ids.values().map(|ids| ids.len() as u64).sum();
        self.webhook_ids = kept;
        retained
    }

    fn has_duty(&self, position: Position) -> bool {
        let Some(fact) = self.facts.get(&position) else { return false };
        let open = |id: &DeliveryId| self.rows.get(id).is_some_and(|row| !row.is_ended());
        !fact.routed || fact.deliveries.iter().any(open)
    }
}

/// A fault without what a target may have quoted from the payload.
fn without_text(fault: Fault) -> Fault {
    Fault { message: "redacted".into(), missing: None, ..fault }
}
