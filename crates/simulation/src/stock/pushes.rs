//! How the warehouse tells: each change is pushed, a parcel together with the level that it leaves behind; pushes are lost,
//! doubled and overtake each other; the feed that is asked every few minutes has all of it.

use super::Stock;
use super::shelf::{Level, Shipment};
use super::story::POLLED_EVERY;
use crate::planted::Bug;
use crate::source::{shop_id, subject as order_subject, system};
use crate::world::{Todo, World};
use bytes::Bytes;
use domains::inventory::change::TOPIC as CHANGE;
use kernel::envelope::{FactKind, TraceId, Via};
use kernel::id::DomainName;
use kernel::rng::Rng;
use kernel::subject::Subject;
use kernel::version::EffectiveVersion;
use sha2::{Digest as _, Sha256};
use std::time::Duration;
use store::log::{DedupeKey, NewEnvelope};

/// One push on its way.
#[derive(Debug, Clone)]
pub struct Push {
    levels: Vec<Level>,
    shipment: Option<Shipment>,
    tries: u32,
}

impl World {
    /// Units arrive, or are sold elsewhere; nothing: the level is told for the first time.
    pub(crate) fn shelf_moves(&mut self, bin: usize, units: i64) {
        let Some(stock) = &mut self.stock else { return };
        let of = &mut stock.shelf.bins[bin];
        if units < 0 {
            // Another channel sells what the warehouse has left for it.
            let ours: i64 = stock.shelf.reserved(bin);
            let of = &mut stock.shelf.bins[bin];
            let free = of.on_hand - of.others - ours;
            of.others += (-units).min(free).max(0);
        } else {
            of.on_hand += units;
        }
        self.shelf_changed(&[bin], None);
    }

    /// The warehouse packs what it reserved: all of it, or a part.
    pub(crate) fn shelf_ships(&mut self, object: u64) {
        let split = self.mix.stock.as_ref().is_some_and(|mix| self.rng.chance(mix.splits));
        let wall = self.shop_wall();
        let Some(stock) = &mut self.stock else { return };
        let Some(line) = stock.shelf.lines.get(&object).cloned() else { return };
        // It ships only what the buyer still wants: what nobody can keep apart is not asked here.
        let wanted = stock.shop.orders.get(&line.order);
        if !wanted.is_some_and(|sold| !sold.cancelled && sold.quantity == line.quantity) {
            return;
        }
        let most = if split { 1 } else { u64::MAX };
        // What lies elsewhere is reserved there first, and told by itself: nobody says so in one breath.
        let moved = stock.shelf.moves_to_where_it_lies(object);
        self.shelf_changed(&moved, None);
        let Some(stock) = &mut self.stock else { return };
        let Some((shipment, bins)) = stock.shelf.ships(object, most, wall) else { return };
        let rest = stock.shelf.lines.get(&object).is_some_and(|line| line.shipped() < line.quantity);
        if rest {
            let wait = Duration::from_millis(self.rng.below(200_000));
            self.after(wait, Todo::ShelfShips(object));
        }
        self.shelf_changed(&bins, Some(shipment));
    }

    /// Tells of a change: of each bin by itself, where no parcel takes them along.
    pub(crate) fn shelf_changed(&mut self, bins: &[usize], shipment: Option<Shipment>) {
        let wall = self.shop_wall();
        let bug = self.bug;
        let Some(stock) = &mut self.stock else { return };
        let mix = stock.mix.clone();
        let levels: Vec<Level> = bins.iter().map(|bin| stock.shelf.changed(*bin, wall)).collect();
        for level in &levels {
            self.say(|| format!("* shelf {} {} {}", level.bin, level.sequence, level.body));
        }
        let alone = |level| Push { levels: vec![level], shipment: None, tries: 0 };
        if shipment.is_none() || bug == Some(Bug::ParcelWithoutLevel) {
            // With a parcel it is the bug: that is told by itself, and the level when it comes.
            levels.into_iter().for_each(|level| self.push(alone(level), &mix));
            if shipment.is_some() {
                self.push(Push { levels: Vec::new(), shipment, tries: 0 }, &mix);
            }
        } else {
            self.push(Push { levels, shipment, tries: 0 }, &mix);
        }
    }

    fn push(&mut self, push: Push, mix: &super::StockMix) {
        // Where nobody asks for them, parcels are told until they are heard.
        if mix.polled {
            return;
        }
        let for_sure = mix.deaf && push.shipment.is_some();
        if !for_sure && self.fault(mix.push_lost) {
            return;
        }
        let mut delay = Duration::from_millis(5 + self.rng.below(200));
        if self.fault(mix.push_late) {
            let size = 8 + self.rng.below(10);
            delay = Duration::from_millis(self.rng.below(1 << size));
        }
        if self.fault(mix.push_twice) {
            let again = delay + Duration::from_millis(self.rng.below(20_000));
            self.after(again, Todo::ShelfPush(Box::new(push.clone())));
        }
        self.after(delay, Todo::ShelfPush(Box::new(push)));
    }

    /// A push reaches the intake of one of the nodes.
    pub(crate) fn push_arrives(&mut self, mut push: Push) {
        let first = usize::try_from(self.rng.below(self.nodes.len() as u64)).unwrap_or(0);
        let for_sure = push.shipment.is_some() && self.mix.stock.as_ref().is_some_and(|mix| mix.deaf);
        // What is told until it is heard does not go again and again to a node that is gone for good.
        let stays = |node: &usize| !for_sure || !self.nodes[*node].gone;
        let others = (first..first + self.nodes.len()).map(|node| node % self.nodes.len());
        let node = others.into_iter().find(stays).unwrap_or(first);
        if self.takes_webhooks(node) && !self.fault(self.mix.store_fails) {
            self.append_push(node, &push);
            if !self.fault(self.mix.answer_lost) {
                return;
            }
        }
        push.tries += 1;
        if push.tries <= 6 || for_sure {
            let wait = Duration::from_secs(2 << push.tries.min(6));
            self.after(wait, Todo::ShelfPush(Box::new(push)));
        }
    }

    /// The levels first, then the parcel, in one commit: whoever routes the one has the other.
    fn append_push(&mut self, node: usize, push: &Push) {
        let mut batch = Vec::new();
        batch.extend(push.levels.iter().map(|level| self.level_fact(node, level)));
        batch.extend(push.shipment.as_ref().map(|shipment| self.shipment_fact(node, shipment)));
        self.append_together(node, batch);
    }

    /// One of the nodes asks, and some time later again.
    pub(crate) fn shelf_is_polled(&mut self) {
        self.after(POLLED_EVERY, Todo::ShelfPoll);
        let node = usize::try_from(self.rng.below(self.nodes.len() as u64)).unwrap_or(0);
        if self.takes_webhooks(node) && !self.fault(self.mix.read_fails) {
            self.shelf_is_asked(node);
        }
    }

    /// What numbers a level that has no number of its own: the clock of whoever reads it, from before it was read.
    pub(super) fn numbered(&mut self, node: usize, level: Level) -> Level {
        let polled = self.stock.as_ref().is_some_and(|stock| stock.mix.polled);
        if !polled {
            return level;
        }
        let began = i64::try_from(self.rng.below(60)).unwrap_or(0);
        Level { sequence: self.clock(node).wall.as_millisecond() - began, ..level }
    }

    /// The feed: every level as it is now, and every parcel; what is known already is a duplicate.
    pub(crate) fn shelf_is_asked(&mut self, node: usize) {
        if self.nodes[node].store_cut || self.trouble(node).is_some() {
            return;
        }
        let wall = self.shop_wall();
        let Some(Stock { shelf, mix, .. }) = &mut self.stock else { return };
        if mix.deaf {
            return;
        }
        // No change, so no new number: the truth behind it is told again under the same instant.
        let levels: Vec<Level> = (0..shelf.bins.len()).map(|bin| shelf.level(bin, wall)).collect();
        let shipments = shelf.shipments.clone();
        // One that is polled tells what has changed since it was asked last, whoever asked.
        let levels: Vec<Level> =
            levels.into_iter().filter(|level| !mix.polled || shelf.is_news(level)).collect();
        let levels: Vec<Level> = levels.into_iter().map(|level| self.numbered(node, level)).collect();
        let mut batch: Vec<NewEnvelope> = levels.iter().map(|level| self.level_fact(node, level)).collect();
        batch.extend(shipments.iter().map(|shipment| self.shipment_fact(node, shipment)));
        self.append_together(node, batch);
    }

    pub(super) fn level_fact(&self, node: usize, level: &Level) -> NewEnvelope {
        let text = |name: &str| level.body[name].as_str().unwrap_or_default();
        let subject = super::subject((text("sku"), text("location")));
        let tells_changes = self.mix.stock.as_ref().is_some_and(|mix| mix.changes);
        let change = level.change.as_ref().filter(|_| tells_changes);
        let payload = Bytes::from(change.unwrap_or(&level.body).to_string());
        let (topic, kind) = match change {
            Some(_) => (CHANGE, FactKind::Change),
            None => (super::facts::LEVEL, FactKind::State),
        };
        let dedupe = DedupeKey::sequenced(&subject, level.sequence);
        // The bug: by when it came.
        let arrival = i64::try_from(self.now).ok().filter(|_| self.bug == Some(Bug::LevelsByArrival));
        let version = EffectiveVersion::Sequence { sequence: arrival.unwrap_or(level.sequence) };
        let base = self.fact(node, super::facts::stock_domain(), subject, payload);
        let dedupe = DedupeKey::of_system(&system("erp"), &super::facts::stock_domain(), topic, &dedupe);
        NewEnvelope {
            topic: topic.to_owned(),
            kind,
            version: Some(version),
            occurred_at: level.changed_at,
            dedupe: Some(dedupe),
            ..base
        }
    }

    fn shipment_fact(&self, node: usize, shipment: &Shipment) -> NewEnvelope {
        let subject = order_subject(shipment.order).child("shipment", &shipment.id.to_string());
        let payload = Bytes::from(serde_json::to_vec(shipment).unwrap_or_default());
        let dedupe = DedupeKey::sequenced(&subject, 1);
        let base = self.fact(node, super::facts::parcel_domain(), subject, payload);
        NewEnvelope {
            topic: super::facts::PARCEL.to_owned(),
            kind: FactKind::Event,
            version: Some(EffectiveVersion::Sequence { sequence: 1 }),
            occurred_at: shipment.shipped_at,
            dedupe: Some(DedupeKey::of_system(
                &system("erp"),
                &super::facts::parcel_domain(),
                super::facts::PARCEL,
                &dedupe,
            )),
            ..base
        }
    }

    fn fact(&self, node: usize, domain: DomainName, subject: Subject, payload: Bytes) -> NewEnvelope {
        NewEnvelope {
            shop: shop_id(),
            domain,
            source: system("erp"),
            topic: String::new(),
            kind: FactKind::State,
            via: Via::Ingest,
            subject,
            version: None,
            occurred_at: self.shop_wall(),
            received_at: self.clock(node).wall,
            trace: TraceId([2; 16]),
            raw_hash: Sha256::digest(&payload).into(),
            raw_bytes: u32::try_from(payload.len()).unwrap_or(0),
            dedupe: None,
            payload,
        }
    }
}
