//! The judge of stock: no set puts a unit on sale that somebody has a right to already; each parcel is one fulfilment; and
//! when all is quiet both sides agree.

use crate::facts::Order;
use crate::hub::ready;
use crate::judge::Violation;
use crate::source::subject as order_subject;
use crate::world::World;
use kernel::key::ObjectKey;
use std::collections::BTreeSet;
use store::port::Store;
use store::query::DeliveryFilter;

/// Stock is bound by promises 2, 3 and 5 alike; this one is what it is all for.
const SOLD_TWICE: u8 = 5;
const DOUBLED: u8 = 3;
const AT_REST: u8 = 6;

impl World {
    fn stock_broke(&mut self, promise: u8, what: String) {
        self.judge.violated(promise, what);
    }

    /// A set was carried out: with what the level's own truth was, and what the shop has sold by now.
    /// `deferred`: it left a sleeper's socket, and met whatever was there by then.
    pub(super) fn judge_set(&mut self, pair: usize, quantity: i64, changed_at: &str, deferred: bool) {
        let Some(stock) = &self.stock else { return };
        if self.is_doubled(pair) {
            return;
        }
        let Some(truth) = stock.shelf.truth(pair, changed_at) else {
            return self.stock_broke(SOLD_TWICE, format!("pair {pair}: set by a level that nobody told"));
        };
        let claims = stock.shop.claims(pair, &truth.shipped);
        if quantity > (truth.units - claims).max(0) {
            let what = format!(
                "pair {pair}: {quantity} put on sale, of {} units of which {claims} are somebody's",
                truth.units
            );
            match &mut self.stock {
                // Nobody could stop it, and a last look mends it; what was sold meanwhile is sold.
                Some(stock) if deferred => _ = stock.shop.set_by_sleepers.insert(pair),
                _ => self.stock_broke(SOLD_TWICE, what),
            }
        }
    }

    /// What the warehouse reserves of an order is what was sold of it: a refund is no edit.
    fn not_as_sold(&self, order: &Order) -> Option<String> {
        let stock = self.stock.as_ref()?;
        let mut of = stock.shelf.lines.values().filter(|line| line.order == order.id && !line.cancelled);
        let (line, other) = (of.next()?, of.next());
        let is_refused = self.is_poison(&crate::hub::object_key(order.id));
        let is_the_same = order.cancelled || line.quantity == order.quantity;
        let what =
            || format!("{} of order {} are reserved, of {} sold", line.quantity, order.id, order.quantity);
        (other.is_none() && !is_refused && !is_the_same).then(what)
    }

    /// The warehouse has two objects of one of this pair's orders, of which people were told: it reserves and ships both.
    fn is_twice_at_the_shelf(&self, pair: usize) -> bool {
        let Some(stock) = &self.stock else { return false };
        let mut seen = BTreeSet::new();
        let pairs = stock.shelf.pairs.len();
        let mut of = stock.shelf.lines.values().filter(|line| super::pair_of(line.order, pairs) == pair);
        of.any(|line| !seen.insert(line.order))
    }

    /// A parcel of this pair was made twice, from the socket of a node that slept: the shop believes that more has left than
    /// has, and only a person can mend it.
    fn is_doubled(&self, pair: usize) -> bool {
        let Some(stock) = &self.stock else { return false };
        let made = |id: &u64| stock.shop.fulfilments.get(id).copied().unwrap_or_default();
        stock.shelf.shipments.iter().any(|shipment| shipment.pair == pair && made(&shipment.id) > 1)
    }

    pub(super) fn judge_parcel(&mut self, id: u64, order: u64) {
        let Some(stock) = &self.stock else { return };
        let times = stock.shop.fulfilments.get(&id).copied().unwrap_or_default();
        // What leaves a sleeper's socket cannot be stopped; then people are told (at the end).
        if times > 1 && !stock.shop.from_sleepers.contains(&id) {
            self.stock_broke(DOUBLED, format!("parcel {id} of {order} became {times} fulfilments"));
        }
    }

    /// Both sides, when all is quiet.
    pub(crate) fn judge_stock(&mut self) {
        let Some(stock) = &self.stock else { return };
        let mut found = Vec::new();
        let letters = ready(self.disk.dead_letters(DeliveryFilter::default(), false));
        for shipment in &stock.shelf.shipments {
            let subject = order_subject(shipment.order).child("shipment", &shipment.id.to_string());
            let told = letters.iter().any(|letter| letter.subject.root() == subject.root());
            let made = stock.shop.fulfilments.get(&shipment.id).copied().unwrap_or_default();
            if made > 1 && !told {
                found.push(format!(
                    "parcel {} of {} was doubled, and nobody was told",
                    shipment.id, shipment.order
                ));
            }
            // The units of a doubled one are missing for the next, whose refusal a person sees.
            if (self.is_doubled(shipment.pair) || self.is_twice_at_the_shelf(shipment.pair)) && told {
                continue;
            }
            if !stock.shop.fulfilments.contains_key(&shipment.id) {
                found.push(format!("parcel {} of {} was never told", shipment.id, shipment.order));
            }
        }
        for order in self.shop.orders.values() {
            found.extend(self.not_as_sold(order));
            for refund in &order.refunds {
                let subject = order_subject(order.id).child("refund", &refund.to_string());
                let key = ObjectKey::of(&subject).to_string();
                let made = self.target.objects.iter().filter(|object| object.key == key).count();
                let told = letters.iter().any(|letter| letter.subject == subject);
                // What the target refuses, or has twice, people are told of: its refunds wait for them.
                let of = crate::hub::object_key(order.id);
                let brought = self.target.objects.iter().any(|object| object.key == of);
                let waits = letters.iter().any(|letter| letter.subject.root() == subject.root());
                if made == 0 && brought && !waits {
                    found.push(format!("{subject}: given back, and never booked"));
                } else if made > 1 && !(told && self.judge.late.contains(&key)) {
                    found.push(format!("{subject}: booked {made} times"));
                }
            }
        }
        for pair in (0..stock.shelf.pairs.len())
            .filter(|pair| !self.is_doubled(*pair) && !self.is_twice_at_the_shelf(*pair))
        {
            let of = &stock.shelf.pairs[pair];
            let (committed, ours) = (stock.shop.committed(pair), stock.shelf.reserved(pair));
            let free = of.on_hand - of.others;
            // What the warehouse has not counted the shop holds back; of one that says nothing, all of it.
            let expected = match stock.shelf.counts {
                true => free - committed.max(ours),
                false => free - ours - committed,
            };
            let shown = stock.shop.available[pair];
            if shown != expected {
                found.push(format!(
                    "pair {pair}: shows {shown} and should show {expected}: on hand {}, others {}, reserved {ours}, \
                     committed {committed}",
                    of.on_hand, of.others
                ));
            }
            let by_sleepers = stock.shop.set_by_sleepers.contains(&pair);
            if !stock.mix.others && !by_sleepers && free < committed {
                found.push(format!("pair {pair}: {committed} units are sold of {free}"));
            }
        }
        for what in found {
            self.judge.violations.push(Violation { promise: AT_REST, what });
        }
    }
}
