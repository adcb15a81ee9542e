//! The buyers: they order what the shop shows, change their minds and call off what has not left. And what an order does at
//! the warehouse when the hub brings it there.

use crate::facts::Order;
use crate::target::{Action, Request};
use crate::world::{Todo, World};
use kernel::rng::Rng;
use std::time::Duration;

impl World {
    /// An order is placed, edited or called off, as far as the shop lets it.
    pub(crate) fn buyer_acts(&mut self, id: u64) {
        let at = self.shop_wall();
        let (units, dice, other) = (1 + self.rng.below(3), self.rng.below(10), self.rng.below(5));
        let same_second = self.fault(self.mix.same_second);
        let Some(stock) = &mut self.stock else { return };
        let order = match self.shop.orders.get(&id) {
            None => {
                if !stock.shop.order_changes(id, units) {
                    return;
                }
                Order {
                    id,
                    content: 1,
                    quantity: units,
                    address: format!("first street {other}"),
                    cancelled: false,
                    created_at: at,
                    updated_at: at,
                    erp_number: None,
                    refunds: Vec::new(),
                }
            }
            Some(known) if known.cancelled => return,
            Some(known) => {
                let mut order = Order { updated_at: at, ..known.clone() };
                let untouched = stock.is_untouched(id);
                match dice {
                    0 if untouched => {
                        order.cancelled = true;
                        stock.shop.is_cancelled(id);
                    }
                    1..=3 if stock.shop.order_changes(id, order.quantity + 1) => order.quantity += 1,
                    4 | 5 if untouched && order.quantity > 1 => {
                        order.quantity -= 1;
                        stock.shop.order_changes(id, order.quantity);
                    }
                    // Money alone goes back: no content of the order.
                    6 => order.refunds.push(id * 100 + order.refunds.len() as u64),
                    _ => order.address = format!("street {}", order.content + 1),
                }
                if !order.cancelled && dice != 6 {
                    order.content += 1;
                }
                order
            }
        };
        self.say(|| format!("* buyer {id}: {} units, cancelled {}", order.quantity, order.cancelled));
        self.shop.orders.insert(id, order.clone());
        self.notify(order);
        if same_second {
            self.after(Duration::from_millis(1), Todo::ShopChanges(id));
        }
    }

    /// Something was fulfilled: the order comes home as a webhook.
    pub(super) fn shop_order_touched(&mut self, id: u64) {
        let at = self.shop_wall();
        let Some(order) = self.shop.orders.get_mut(&id) else { return };
        order.updated_at = at;
        let order = order.clone();
        self.notify(order);
    }

    /// The warehouse took an order, its change or its end: it reserves, and packs some time later.
    pub(crate) fn shelf_takes(&mut self, object: u64, request: &Request) {
        let ships = self.mix.stock.as_ref().map_or(0, |mix| mix.ships);
        let Some(stock) = &mut self.stock else { return };
        let key = &request.key;
        let id = self.shop.orders.keys().copied().find(|id| crate::hub::object_key(*id) == *key);
        let Some(id) = id else { return self.refund_is_taken(request) };
        let quantity = match request.action {
            Action::Confirm => return,
            Action::Cancel => None,
            Action::Create | Action::Amend => request.content["quantity"].as_u64(),
        };
        stock.refused_orders.remove(&id);
        let bins = stock.shelf.takes(object, id, quantity);
        self.shelf_changed(&bins, None);
        if quantity.is_some() && self.rng.chance(ships) {
            let wait = Duration::from_millis(self.rng.below(240_000));
            self.after(wait, Todo::ShelfShips(object));
        }
    }
}
