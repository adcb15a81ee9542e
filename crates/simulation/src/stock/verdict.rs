//! The judge of stock: no set puts a unit on sale that somebody has a right to already; each parcel is one fulfilment; and
//! when all is quiet both sides agree.

use super::bundles::{INCOMPLETE, Told};
use super::shelf::Truth;
use crate::facts::Order;
use crate::hub::ready;
use crate::judge::Violation;
use crate::planted::Bug;
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

    /// A set was carried out: with what the truth of each of its levels was, and what the shop has sold by now. What the other
    /// items show of the same units is on sale as well.
    /// `deferred`: it left a sleeper's socket, and met whatever was there by then.
    pub(super) fn judge_set(&mut self, item: usize, quantity: i64, levels: &[Told], deferred: bool) {
        let Some(stock) = &self.stock else { return };
        let pairs = stock.items.pairs_of(item);
        if levels.iter().any(|(_, told)| told.ends_with(INCOMPLETE)) {
            // Folded behind a gap: marked, and the warehouse is asked; what is known counts meanwhile (ADR 0018).
            return;
        }
        let doubled = |pair: &usize| self.is_doubled(*pair) || self.is_booked_twice(*pair);
        if pairs.iter().any(doubled) || (pairs.len() > levels.len() && quantity <= 0) {
            return;
        }
        let mut found = Vec::new();
        for pair in pairs {
            let bins = stock.items.bins(pair);
            let told = levels.iter().filter(|(bin, _)| bins.contains(bin));
            let truths: Option<Vec<&Truth>> =
                told.map(|(bin, changed_at)| stock.shelf.truth(*bin, changed_at)).collect();
            let Some(truths) = truths.filter(|truths| !truths.is_empty()) else {
                found.push((pair, format!("item {item}: set by a level of pair {pair} that nobody told")));
                continue;
            };
            let truth = Truth::of_all(&truths);
            // What came back the shop sells at once, whether the level has it or not; and none of it twice.
            let units = truth.units + stock.shelf.came_back_in_all(pair);
            let claims = stock.shop.claims(pair, &truth.shipped);
            let on_sale = stock.shop.on_sale(pair);
            if quantity > 0 && on_sale > (units - claims).max(0) {
                let what = format!(
                    "item {item}: {quantity} put on sale, so that {on_sale} are of pair {pair}, of {units} units of which {claims} are \
                     somebody's"
                );
                found.push((pair, what));
            }
        }
        for (pair, what) in found {
            match &mut self.stock {
                // Nobody could stop it, and a last look mends it; what was sold meanwhile is sold.
                Some(stock) if deferred => _ = stock.shop.set_by_sleepers.insert(pair),
                _ => self.stock_broke(SOLD_TWICE, what),
            }
        }
    }

    /// What an item is to show at rest.
    fn expected(&self, item: usize) -> Option<i64> {
        let stock = self.stock.as_ref()?;
        let free = |pair: usize| self.free(pair);
        // Of what is free, each of the shop's locations has its part, and half of that is for bundles, in equal parts.
        let own = |pair: usize| stock.items.part(item, free(pair));
        let bundled = |pair: usize| if stock.items.bundles_with(pair) > 0 { own(pair).max(0) / 2 } else { 0 };
        let kind = stock.items.kind(item);
        if kind < stock.items.pairs {
            return Some(own(kind) - bundled(kind));
        }
        let part =
            |pair: usize| bundled(pair) / stock.items.bundles_with(pair) / stock.items.holds(item, pair);
        stock.items.pairs_of(item).into_iter().map(part).min()
    }

    /// What the warehouse reserves of an order is what was sold of it: a refund is no edit.
    fn not_as_sold(&self, order: &Order) -> Option<String> {
        let stock = self.stock.as_ref()?;
        let mut of = stock.shelf.lines.values().filter(|line| line.order == order.id && !line.cancelled);
        let (line, other) = (of.next()?, of.next());
        let is_refused = self.is_poison(&crate::hub::object_key(order.id)) || self.stays_refused(order.id);
        let is_the_same = order.cancelled || line.quantity == order.quantity;
        let what =
            || format!("{} of order {} are reserved, of {} sold", line.quantity, order.id, order.quantity);
        (other.is_none() && !is_refused && !is_the_same).then(what)
    }

    /// The warehouse has two objects of one of this pair's orders, of which people were told: it reserves and ships both.
    fn is_twice_at_the_shelf(&self, pair: usize) -> bool {
        let Some(stock) = &self.stock else { return false };
        let mut seen = BTreeSet::new();
        stock.shelf.lines_of(pair).any(|(line, _)| !seen.insert(line.order))
    }

    /// A parcel of this pair was made twice, from the socket of a node that slept: the shop believes that more has left than
    /// has, and only a person can mend it.
    fn is_doubled(&self, pair: usize) -> bool {
        let Some(stock) = &self.stock else { return false };
        let made = |id: &u64| stock.shop.fulfilments.get(id).copied().unwrap_or_default();
        let takes = |item: usize| stock.items.holds(item, pair) > 0;
        stock.shelf.shipments.iter().any(|shipment| takes(shipment.item) && made(&shipment.id) > 1)
    }

    /// It shares units of which some were sold or called off without the warehouse: no level came after that, and what is left is
    /// divided anew with the next one. Until then no more may be on sale than there is.
    fn is_divided_later(&self, item: usize) -> bool {
        let Some(stock) = &self.stock else { return false };
        let untaken = |pair: usize| stock.shop.committed_of(pair) > stock.shelf.in_all(pair).1;
        let took = |order: u64| stock.shelf.lines.values().any(|line| line.order == order);
        let of = |order: u64, pair: usize| {
            stock.items.holds(super::item_of(order, stock.items.len()), pair) > 0 && !took(order)
        };
        let called_off =
            |pair: usize| stock.shop.orders.iter().any(|(id, sold)| sold.cancelled && of(*id, pair));
        let shares = |pair: &usize| stock.items.bundles_with(*pair) > 0 || stock.items.is_divided();
        let within = |pair: usize| stock.shop.on_sale(pair) <= self.free(pair).max(0);
        let pairs: Vec<usize> = stock.items.pairs_of(item).into_iter().filter(shares).collect();
        pairs.iter().any(|pair| untaken(*pair) || called_off(*pair)) && pairs.iter().all(|pair| within(*pair))
    }

    /// Of a pair, what may be on sale in all.
    fn free(&self, pair: usize) -> i64 {
        let Some(stock) = &self.stock else { return 0 };
        let ((units, ours), committed) = (stock.shelf.in_all(pair), stock.shop.committed_of(pair));
        // What the warehouse has not counted the shop holds back; of one that says nothing, all of it.
        match stock.shelf.counts {
            true => units - committed.max(ours),
            false => units - ours - committed,
        }
    }

    /// Either of these, of a pair that an item is made of.
    fn is_muddled(&self, item: usize) -> bool {
        let Some(stock) = &self.stock else { return false };
        let pairs = stock.items.pairs_of(item);
        pairs.into_iter().any(|pair| {
            self.is_doubled(pair) || self.is_twice_at_the_shelf(pair) || self.is_booked_twice(pair)
        })
    }

    /// A key belongs to one call, with its bytes (`IDEMPOTENCY_KEY_PARAMETER_MISMATCH`).
    pub(super) fn judge_key(&mut self, key: &str, request: &[u8]) {
        // The bug: whichever call of its delivery it is.
        let (of_delivery, _) = key.rsplit_once('-').unwrap_or((key, ""));
        let key = if self.bug == Some(Bug::ReusesKey) { of_delivery } else { key };
        let Some(stock) = &mut self.stock else { return };
        let known = stock.keys.insert(key.to_owned(), request.to_vec());
        if known.is_some_and(|known| known != request) {
            self.stock_broke(DOUBLED, format!("{key} came again with other bytes"));
        }
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
            if self.is_muddled(shipment.item) && told {
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
        found.extend(self.judge_backs(|subject| {
            let key = ObjectKey::of(subject).to_string();
            letters.iter().any(|letter| letter.subject == *subject) && self.judge.late.contains(&key)
        }));
        // What is not booked the shop shows, and its source does not tell: a person sees it.
        let unbooked =
            |item: usize| stock.items.pairs_of(item).into_iter().any(|pair| self.is_unbooked(pair));
        for item in (0..stock.items.len()).filter(|item| !self.is_muddled(*item) && !unbooked(*item)) {
            let (shown, expected) = (stock.shop.available[item], self.expected(item));
            if Some(shown) != expected && !self.is_divided_later(item) {
                let of: Vec<_> = stock.items.pairs_of(item);
                let of: Vec<_> = of.into_iter().map(|pair| self.told_of(pair)).collect();
                found.push(format!(
                    "item {item}: shows {shown} and should show {expected:?}: {}",
                    of.join("; ")
                ));
            }
        }
        for pair in (0..stock.items.pairs).filter(|pair| !self.is_muddled(*pair)) {
            let ((free, _), committed) = (stock.shelf.in_all(pair), stock.shop.committed_of(pair));
            let by_sleepers = stock.shop.set_by_sleepers.contains(&pair);
            let free = free + stock.shelf.unbooked_in_all(pair);
            if !stock.mix.others && !by_sleepers && free < committed {
                found.push(format!("pair {pair}: {committed} units are sold of {free}"));
            }
        }
        for what in found {
            self.judge.violations.push(Violation { promise: AT_REST, what });
        }
    }

    fn told_of(&self, pair: usize) -> String {
        let Some(stock) = &self.stock else { return String::new() };
        let ((units, reserved), committed) = (stock.shelf.in_all(pair), stock.shop.committed_of(pair));
        let bins = &stock.shelf.bins[stock.items.bins(pair)];
        format!("pair {pair}: {units} units, reserved {reserved}, committed {committed}, of {bins:?}")
    }
}
