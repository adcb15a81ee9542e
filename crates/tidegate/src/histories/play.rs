//! One history in one arrival: what happens in the shop, which webhooks come when, and how the books are in the end.

use super::arrival::Arrival;
use super::history::{Action, History};
use super::judge::{self, Sold};
use super::world::World;
use kernel::rng::{Rng as _, Seeded};
use std::sync::Arc;
use std::time::Duration;
use twin::shop::{Change, Order, What, placed};

/// Between two changes, and before a sweep: what is younger is left to its webhook.
const BETWEEN: Duration = Duration::from_secs(45);
/// Between two plays: no sweep reaches the play before.
const APART: Duration = Duration::from_secs(3_600);

/// A webhook that the shop raised, with its body as it was.
#[derive(Debug, Clone)]
pub(super) struct Webhook {
    pub(super) topic: &'static str,
    pub(super) body: String,
    pub(super) id: String,
}

/// How it ended.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) order: Arc<Order>,
    pub(super) wrong: Vec<String>,
    /// Documents of refunds and payments, and whether there is a sale.
    pub(super) documents: usize,
    pub(super) sold: bool,
}

pub(super) async fn play(world: &mut World, history: &History, arrival: &Arrival, number: u64) -> Found {
    world.begins(APART);
    let order = history.order(number, world.second());
    let id = order.id;
    let mut shop =
        Shop { id, start: Some(order), changes: history.actions.clone(), raised: 0, was_ready: false };
    let changes = history.actions.len() + 1;
    match arrival {
        Arrival::Prompt => shop.each(world, changes, |_| How::Once).await,
        Arrival::Lost(lost) => {
            shop.each(world, changes, |change| if change == *lost { How::Never } else { How::Once }).await;
            world.sweeps().await;
        }
        Arrival::Late(late) => {
            shop.each(world, changes, |change| if change == *late { How::Last } else { How::Once }).await;
        }
        Arrival::Doubled(twice) => {
            shop.each(world, changes, |change| if change == *twice { How::Thrice } else { How::Once }).await;
        }
        Arrival::AllLost => {
            for change in 0..changes {
                shop.next(world, change);
                world.passes(BETWEEN);
                world.sweeps().await;
            }
        }
        Arrival::After | Arrival::Backwards | Arrival::Shuffled(_) | Arrival::SameSecond(_) => {
            let mut webhooks = Vec::new();
            for change in 0..changes {
                webhooks.extend(shop.next(world, change));
                if !matches!(arrival, Arrival::SameSecond(_)) {
                    world.passes(BETWEEN);
                }
            }
            let mut rests = Seeded::new(number);
            match arrival {
                Arrival::Backwards => webhooks.reverse(),
                Arrival::Shuffled(seed) | Arrival::SameSecond(seed) => {
                    shuffle(&mut webhooks, &mut Seeded::new(*seed));
                }
                _ => {}
            }
            let all = !matches!(arrival, Arrival::Shuffled(_) | Arrival::SameSecond(_));
            for webhook in &webhooks {
                world.arrives(webhook).await;
                if all || rests.chance(500) {
                    world.settles().await;
                }
            }
        }
    }
    world.settles().await;
    let order = world.shop.order(id).unwrap();
    let mut wrong = world.unrest().await;
    let books = world.books(&order);
    let sold = match (judge::is_ready(&order), shop.was_ready) {
        (true, _) => Sold::Must,
        (false, true) => Sold::May,
        (false, false) => Sold::MustNot,
    };
    wrong.extend(judge::judge(&order, sold, &books));
    let documents = books.credit_notes.len() + books.payments.len();
    let sold = !books.sales.is_empty();
    if !wrong.is_empty() {
        wrong.push(world.told().await);
    }
    world.shop.delete(id).unwrap();
    Found { order, wrong, documents, sold }
}

/// How the webhooks of a change come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum How {
    Once,
    Never,
    /// When all others have been done.
    Last,
    /// Twice at once, and in the end under other ids.
    Thrice,
}

/// What is still to happen in the shop.
struct Shop {
    id: u64,
    start: Option<Order>,
    changes: Vec<Action>,
    raised: u64,
    was_ready: bool,
}

impl Shop {
    async fn each(&mut self, world: &mut World, changes: usize, how: impl Fn(usize) -> How) {
        let mut last = Vec::new();
        for change in 0..changes {
            let webhooks = self.next(world, change);
            let how = how(change);
            for webhook in &webhooks {
                if matches!(how, How::Once | How::Thrice) {
                    world.arrives(webhook).await;
                }
                if how == How::Thrice {
                    world.arrives(webhook).await;
                    last.push(Webhook { id: format!("{}-again", webhook.id), ..webhook.clone() });
                }
                if how == How::Last {
                    last.push(webhook.clone());
                }
            }
            world.settles().await;
            world.passes(BETWEEN);
        }
        for webhook in &last {
            world.arrives(webhook).await;
            world.settles().await;
        }
    }

    /// The next thing happens; the webhooks that it raises.
    fn next(&mut self, world: &World, change: usize) -> Vec<Webhook> {
        let at = world.second();
        let (order, notices) = match self.start.take() {
            Some(order) => {
                let notices = placed(&order);
                let change = Change { order_id: order.id, what: What::Place(Box::new(order)) };
                (world.shop.apply_at(&change, at).unwrap(), notices)
            }
            None => {
                let mut before = (*world.shop.order(self.id).unwrap()).clone();
                let change = self.changes[change - 1].change(&before).unwrap();
                let notices = change.apply(&mut before, at).unwrap();
                (world.shop.apply_at(&change, at).unwrap(), notices)
            }
        };
        self.was_ready |= judge::is_ready(&order);
        let webhooks = notices.into_iter().map(|notice| {
            self.raised += 1;
            let body = notice.body(&order);
            assert!(!body.is_null(), "{notice:?} is about nothing");
            Webhook {
                topic: notice.topic,
                body: body.to_string(),
                id: format!("{}-{}", self.id, self.raised),
            }
        });
        webhooks.collect()
    }
}

fn shuffle(webhooks: &mut [Webhook], rng: &mut Seeded) {
    for index in (1..webhooks.len()).rev() {
        webhooks.swap(index, usize::try_from(rng.below(index as u64 + 1)).unwrap());
    }
}
