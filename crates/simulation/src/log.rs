//! The log as a simulated node has it: what it appends, sweeps up and is handed out for routing. Owns what several nodes'
//! store does beyond the one in memory: positions that become visible late, envelopes that are another's for a second,
//! decisions that another node has overtaken.

use crate::hub::ready;
use crate::planted::Bug;
use crate::source::subject;
use crate::world::World;
use engine::effect::Event;
use kernel::envelope::{FactKind, Via};
use kernel::rng::Rng;
use std::collections::BTreeSet;
use std::time::Duration;
use store::delivery::{Delivery, DeliveryKind};
use store::log::{Appended, NewEnvelope, Routed};
use store::port::Store;
use store::query::{DeliveryFilter, Phase};

/// How far a sweep reaches back before the last one, and how old a change is of which that one left no doubt.
const OVERLAP: Duration = Duration::from_secs(600);
const SETTLES: Duration = Duration::from_secs(60);

impl World {
    /// What this node may route: not what is invisible yet, and for a second not what another one appended.
    pub(crate) fn unrouted(&mut self, node: usize, limit: u32) -> Vec<store::log::Unrouted> {
        let mut batch = ready(self.disk.unrouted(limit));
        let now = self.now;
        batch.retain(|item| {
            let position = item.envelope.position.0;
            let foreign = self
                .appended_by
                .get(&position)
                .is_some_and(|(by, at)| *by != node && at + 1_000_000_000 > now);
            !foreign && self.withheld.get(&position).is_none_or(|until| *until <= now)
        });
        for item in &batch {
            let root = item.envelope.subject.root().to_owned();
            let routed = self.routed.get(&root).copied().unwrap_or_default();
            self.handed_out.insert((node, item.envelope.position.0), (root, routed));
        }
        batch
    }

    /// What several nodes' store passes over: a decision about a root of which something was routed since it was handed
    /// out; it would be handed out again.
    pub(crate) fn still_current(&mut self, node: usize, mut decisions: Vec<Routed>) -> Vec<Routed> {
        let mut raised = BTreeSet::new();
        decisions.retain(|decision| {
            let handed = self.handed_out.remove(&(node, decision.position.0));
            let Some((root, then)) = handed else { return true };
            let now = self.routed.get(&root).copied().unwrap_or_default();
            let current = now == then || self.bug == Some(Bug::RoutesStale);
            if current {
                raised.insert(root);
            }
            current
        });
        for root in raised {
            *self.routed.entry(root).or_default() += 1;
        }
        decisions
    }

    /// Appends what the shop has and the log has not. The watermark is the last full pass less an overlap. One node does
    /// it for all.
    pub fn sweep(&mut self, node: usize) {
        let now = self.clock(node).wall;
        if self.nodes[node].store_cut {
            return;
        }
        let owner = crate::node::name(node);
        if !ready(self.disk.lease("singletons", &owner, now, Duration::from_secs(310))) {
            return;
        }
        self.shelf_is_asked(node);
        let Some(process) = &self.nodes[node].process else { return };
        let since = process.swept_to;
        let settled = kernel::clock::after(since, OVERLAP - SETTLES);
        let flow = crate::flows::flow("orders");
        for order in self.changed_since(since) {
            let status = ready(self.disk.status(&flow, &[subject(order.id)]));
            let known = status.first().and_then(|s| s.about.as_ref()).map(|about| about.updated_at);
            // Two changes within one second: the list's fingerprint tells them apart, and that something was given back (it says
            // how an order stands financially, and not how much). What that leaves in doubt is read, until a pass saw it settled.
            let newest = ready(self.disk.newest_payload(&subject(order.id)))
                .and_then(|(_, payload)| serde_json::from_slice::<crate::facts::Order>(&payload).ok());
            let print =
                |order: &crate::facts::Order| (order.content, order.cancelled, order.refunds.is_empty());
            let brings_more = newest.as_ref().is_some_and(|known| known.refunds != order.refunds);
            if known.is_none_or(|known| known < order.updated_at)
                || newest.as_ref().map(print) != Some(print(&order))
                || (brings_more && order.updated_at > settled)
            {
                let envelope = self.envelope(node, &order, "orders/read", FactKind::State, Via::Sweep);
                self.append_envelope(node, envelope);
            }
        }
        if let Some(process) = &mut self.nodes[node].process {
            process.swept_to = now.checked_sub(OVERLAP).unwrap_or(since);
        }
    }

    /// True: stored, not a duplicate.
    pub fn append_envelope(&mut self, node: usize, envelope: NewEnvelope) -> bool {
        let appended = ready(self.disk.append(vec![envelope]));
        let Some(Appended::Stored(position)) = appended.first().copied() else { return false };
        if self.fault(self.mix.withheld) {
            // Another transaction with an earlier position commits later.
            let until = self.now + self.rng.below(3_000_000_000);
            self.withheld.insert(position.0, until);
        }
        if self.nodes.len() > 1 {
            self.appended_by.insert(position.0, (node, self.now));
        }
        self.answer(node, Event::Appended);
        true
    }

    /// What one commit brings becomes visible together.
    pub(crate) fn append_together(&mut self, node: usize, batch: Vec<NewEnvelope>) {
        let appended = ready(self.disk.append(batch));
        let late = self.fault(self.mix.withheld);
        let until = self.now + if late { self.rng.below(3_000_000_000) } else { 0 };
        for stored in appended {
            let Appended::Stored(position) = stored else { continue };
            if late {
                self.withheld.insert(position.0, until);
            }
            if self.nodes.len() > 1 {
                self.appended_by.insert(position.0, (node, self.now));
            }
        }
        self.answer(node, Event::Appended);
    }

    /// Open work, for the end of a run; `steps`: of that, what only waits for its time.
    pub fn open_work(&self, steps: bool) -> usize {
        let filter = DeliveryFilter { phase: Some(Phase::Open), limit: 1000, ..Default::default() };
        let open = ready(self.disk.deliveries(filter));
        let is_step = |delivery: &&Delivery| delivery.kind == DeliveryKind::Step;
        // An event behind a dead one waits for a person.
        let mut held = BTreeSet::new();
        if open.iter().any(|delivery| delivery.kind == DeliveryKind::Event) {
            let letters = ready(self.disk.dead_letters(DeliveryFilter::default(), false));
            held.extend(letters.iter().map(|letter| letter.subject.root().to_owned()));
        }
        let is_held = |of: &&Delivery| of.kind == DeliveryKind::Event && held.contains(of.subject.root());
        open.iter().filter(|delivery| is_step(delivery) == steps && !is_held(delivery)).count()
    }
}
