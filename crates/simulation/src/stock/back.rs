//! What comes back, and what is refused. Shipped units come back: the shop gives money for them and restocks them, which puts them on sale
//! there at once, and the warehouse books them, by the hub's word or by itself. The warehouse refuses an order for a while, so that
//! nothing is reserved for it; a person has it tried again, or its next change is taken. Owns both stories; chance comes from a stream of
//! its own, so that a seed without them is the run that it was.

use super::item_of;
use crate::planted::Bug;
use crate::source::subject as order_subject;
use crate::target::{Action, Request};
use crate::world::{Todo, World, ns};
use kernel::fault::{Fault, FaultKind};
use kernel::key::ObjectKey;
use kernel::rng::{Rng, Seeded};
use kernel::subject::Subject;
use std::time::Duration;
use store::operate::By;
use store::port::Store;
use store::query::{DeadLetter, DeliveryFilter};

/// Until a parcel's units come back, and until the warehouse has booked by itself what came, at most.
const COMES_BACK_MS: u64 = 300_000;
const BOOKED_MS: u64 = 180_000;
/// What the warehouse says where it refuses.
const REFUSED: &str = "out_of_stock";
const SALT: u64 = 0x5106_0FBA_C4ED_7A11;

/// Chance that takes nothing from the run's own.
#[derive(Debug, Clone)]
pub(crate) struct Apart(Seeded);

impl Apart {
    /// Of a run; what is drawn from it next stays as it is.
    pub(super) fn of(rng: &Seeded) -> Self {
        Self(Seeded::new(rng.clone().next_u64() ^ SALT))
    }

    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.0.below(bound)
    }

    /// Per mille.
    pub(super) fn chance(&mut self, per_mille: u32) -> bool {
        self.0.chance(per_mille)
    }
}

impl Default for Apart {
    fn default() -> Self {
        Self(Seeded::new(SALT))
    }
}

/// Units of an order that came back, under a refund of the shop.
#[derive(Debug, Clone)]
pub(crate) struct Back {
    pub(crate) order: u64,
    quantity: u64,
    /// How often the warehouse has booked them.
    pub(crate) booked: u32,
}

/// Whether a target's object is a refund's, and which.
fn refund_of(request: &Request) -> Option<u64> {
    request.content["refund"].as_str()?.parse().ok()
}

fn subject_of(refund: u64, back: &Back) -> Subject {
    order_subject(back.order).child("refund", &refund.to_string())
}

impl World {
    /// A parcel is told of: some of it may come back, while chance lasts.
    pub(super) fn may_come_back(&mut self, order: u64, quantity: u64) {
        let (now, until) = (self.now, self.calm_after);
        let Some(stock) = &mut self.stock else { return };
        let returns = stock.mix.returns;
        if returns == 0 || !stock.apart.chance(returns) {
            return;
        }
        let units = 1 + stock.apart.below(quantity);
        let wait = Duration::from_millis(stock.apart.below(COMES_BACK_MS));
        if now + ns(wait) < until {
            self.after(wait, Todo::ComesBack(order, units));
        }
    }

    /// The goods are at the warehouse, and the shop gives the money back and restocks them: it sells them from now on.
    pub(crate) fn comes_back(&mut self, id: u64, quantity: u64) {
        let at = self.shop_wall();
        let Some(stock) = &mut self.stock else { return };
        let (Some(order), Some(place)) = (self.shop.orders.get_mut(&id), stock.shelf.left_from(id)) else {
            return;
        };
        let is_out = |sold: &super::shop::Sold| sold.fulfilled >= sold.returned + quantity;
        let Some(sold) = stock.shop.orders.get_mut(&id).filter(|sold| is_out(sold)) else { return };
        sold.returned += quantity;
        let item = item_of(id, stock.items.len());
        stock.shop.available[item] += i64::try_from(quantity).unwrap_or(0);
        let refund = id * 100 + order.refunds.len() as u64;
        order.refunds.push(refund);
        order.updated_at = at;
        let order = order.clone();
        stock.shelf.lies_unbooked(item, place, quantity);
        stock.backs.insert(refund, Back { order: id, quantity, booked: 0 });
        let wait = Duration::from_millis(stock.apart.below(BOOKED_MS));
        let by_itself = stock.mix.books_itself;
        self.say(|| format!("* {quantity} units of {id} come back, refund {refund}"));
        self.notify(order);
        if by_itself {
            self.after(wait, Todo::BooksBack(refund));
        }
    }

    /// The warehouse puts what came back on its shelves.
    pub(crate) fn books_back(&mut self, refund: u64) {
        let Some(stock) = &mut self.stock else { return };
        let Some(back) = stock.backs.get_mut(&refund) else { return };
        back.booked += 1;
        let (id, quantity) = (back.order, back.quantity);
        let Some(place) = stock.shelf.left_from(id) else { return };
        let bins = stock.shelf.books(item_of(id, stock.items.len()), place, quantity);
        self.shelf_changed(&bins, None);
    }

    /// A refund of the hub's was taken, with what came back where the mapping has it.
    pub(super) fn refund_is_taken(&mut self, request: &Request) {
        let back = request.content["back"].as_u64().unwrap_or(0);
        if let (Some(refund), Action::Create, 1..) = (refund_of(request), request.action, back) {
            self.books_back(refund);
        }
    }

    /// What Shopify says of a refund: how many units came back with it.
    pub(super) fn back_of(&self, refund: &str) -> u64 {
        let back = |stock: &super::Stock| Some(stock.backs.get(&refund.parse().ok()?)?.quantity);
        self.stock.as_ref().and_then(back).unwrap_or(0)
    }

    /// Whether the mapping of refunds has what came back: not where the warehouse books that by itself.
    pub(super) fn tells_what_came_back(&self) -> bool {
        let by_itself = self.stock.as_ref().is_some_and(|stock| stock.mix.books_itself);
        !by_itself || self.bug == Some(Bug::BooksBackTwice)
    }

    /// The warehouse takes neither this order nor its change now.
    pub(crate) fn is_refused(&mut self, request: &Request) -> Option<Fault> {
        let stock = self.stock.as_mut().filter(|stock| stock.refuses)?;
        let writes = matches!(request.action, Action::Create | Action::Amend);
        let chosen = crate::run::chosen(&request.key, stock.mix.refuses, 3);
        let id = self.shop.orders.keys().copied().find(|id| crate::hub::object_key(*id) == request.key)?;
        if !writes || !chosen {
            return None;
        }
        stock.refused_orders.insert(id);
        Some(Fault::new(FaultKind::Rejected, REFUSED, "nothing is left of it").field("lines[0].quantity"))
    }

    /// It has what it lacked: whatever comes from now on is taken. Some orders a person has tried again.
    pub(crate) fn refusals_end(&mut self) {
        let Some(stock) = &mut self.stock else { return };
        stock.refuses = false;
        let wait = Duration::from_millis(stock.apart.below(BOOKED_MS));
        self.after(wait, Todo::PersonSettles);
    }

    /// Half of what the warehouse refused is tried again, because a person says so; the rest waits for its next change.
    pub(crate) fn person_settles(&mut self) {
        let now = self.shop_wall();
        let tried = |letter: &DeadLetter| {
            letter.fault.code == REFUSED && crate::run::chosen(&letter.subject.path, 500, 4)
        };
        let ids = self.dead_letters().into_iter().filter(&tried).map(|letter| letter.delivery);
        let ids: Vec<_> = ids.collect();
        if ids.is_empty() {
            return;
        }
        let which = DeliveryFilter { ids, ..DeliveryFilter::default() };
        let by = By::hub("the warehouse has it again", now);
        crate::hub::ready(self.disk.release(which, by, now, Duration::ZERO));
        for node in
            (0..self.nodes.len()).filter(|node| self.nodes[*node].process.is_some()).collect::<Vec<_>>()
        {
            self.answer(node, engine::effect::Event::Changed);
        }
    }

    fn dead_letters(&self) -> Vec<DeadLetter> {
        crate::hub::ready(self.disk.dead_letters(DeliveryFilter::default(), false))
    }

    /// It was refused, nobody had it tried again, and it did not change since: a person sees it.
    pub(crate) fn stays_refused(&self, id: u64) -> bool {
        self.dead_letters()
            .iter()
            .any(|letter| letter.fault.code == REFUSED && letter.subject == order_subject(id))
    }

    /// Came back, and is not booked: the refund is a dead letter, or waits behind one.
    pub(super) fn is_unbooked(&self, pair: usize) -> bool {
        self.backs_of(pair).any(|(_, back)| back.booked == 0)
    }

    /// The target has two objects of a refund, because it carried one out later than it declares, and booked what came back for each:
    /// nobody could stop it, and people are told.
    pub(super) fn is_booked_twice(&self, pair: usize) -> bool {
        let late = |refund: &u64, back: &Back| {
            self.judge.late.contains(&ObjectKey::of(&subject_of(*refund, back)).to_string())
        };
        self.backs_of(pair).any(|(refund, back)| back.booked > 1 && late(refund, back))
    }

    fn backs_of(&self, pair: usize) -> impl Iterator<Item = (&u64, &Back)> {
        let items = self.stock.as_ref().map(|stock| &stock.items);
        let holds = move |(_, back): &(&u64, &Back)| {
            items.is_some_and(|items| items.holds(item_of(back.order, items.len()), pair) > 0)
        };
        self.stock.iter().flat_map(|stock| &stock.backs).filter(holds)
    }

    /// What came back and was booked more than once without anybody being told.
    pub(super) fn judge_backs(&self, told: impl Fn(&Subject) -> bool) -> Vec<String> {
        let Some(stock) = &self.stock else { return Vec::new() };
        let wrong = |(refund, back): (&u64, &Back)| match back.booked {
            0 if stock.mix.books_itself => Some(format!("{refund}: came back, and was never booked")),
            2.. if !told(&subject_of(*refund, back)) => {
                Some(format!("{refund}: came back once, and was booked {} times", back.booked))
            }
            _ => None,
        };
        stock.backs.iter().filter_map(wrong).collect()
    }
}
