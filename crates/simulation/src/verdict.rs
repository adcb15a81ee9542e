//! The end of a run: what the judge is shown of the shop, the target and the log.

use crate::evidence::{Exempt, Expected, Outage};
use crate::flows::flow;
use crate::hub::{object_key, ready};
use crate::judge::Violation;
use crate::run::{EVENTS_MAX, chosen};
use crate::source::subject;
use crate::world::World;
use store::delivery::DeliveryState;
use store::port::Store;
use store::query::{DeliveryFilter, Phase};

/// Each order of the shop against the target, then the log.
pub(crate) fn judge(world: &mut World, stuck: bool) {
    if stuck {
        let filter = DeliveryFilter { phase: Some(Phase::Open), limit: 1, ..Default::default() };
        let first = ready(world.disk.deliveries(filter)).into_iter().next();
        let first = first.map(|of| format!(": {} of {} is {:?}", of.id.0, of.subject, of.state));
        let what = format!(
            "not quiet after {EVENTS_MAX} events, {} open deliveries{}",
            world.open_work(false),
            first.unwrap_or_default()
        );
        world.judge.violations.push(Violation { promise: 6, what });
    }
    let orders: Vec<_> = world.shop.orders.values().cloned().collect();
    let status = {
        let subjects: Vec<_> = orders.iter().map(|order| subject(order.id)).collect();
        ready(world.disk.status(&flow("orders"), &subjects))
    };
    // A later look finds the second object: its letter stands beside the state's own outcome.
    let letters = ready(world.disk.dead_letters(DeliveryFilter::default(), false));
    let told_of_many = |of: u64| {
        letters.iter().any(|letter| letter.subject == subject(of) && letter.fault.code == "many_objects")
    };
    let expected: Vec<Expected> = orders
        .iter()
        .zip(&status)
        .map(|(order, status)| {
            let key = object_key(order.id);
            let dead = status.delivery.as_ref().is_some_and(|d| d.state == DeliveryState::Dead);
            Expected {
                content: order.content,
                quantity: order.quantity,
                address: order.address.clone(),
                cancelled: order.cancelled,
                exempt: if chosen(&key, world.mix.poison, 1) || world.stays_refused(order.id) {
                    Exempt::Refused
                } else if order.cancelled {
                    Exempt::Filtered
                } else {
                    Exempt::No
                },
                dead,
                told_of_many: told_of_many(order.id),
                told: format!(
                    "{:?} {:?}",
                    status.delivery.as_ref().map(|delivery| &delivery.state),
                    status.fault.as_ref().map(ToString::to_string)
                ),
                key,
            }
        })
        .collect();
    let outage = world.mix.outage.map(|outage| Outage {
        seconds: outage.as_secs(),
        lanes: orders.len() as u64,
        lives: world.nodes.iter().map(|node| u64::from(node.life) + 1).sum::<u64>() - 1,
        nodes: world.nodes.len() as u64,
    });
    let target = world.target.clone();
    world.judge.settle(&expected, &target, outage);
    // Nobody but the shop calls orders off here, and it never takes that back: no step has a reason to meet a closed object.
    for letter in letters.iter().filter(|letter| letter.fault.code == "object_closed") {
        let what = format!("{}: pressed on after it was called off", letter.subject);
        world.judge.violations.push(Violation { promise: 6, what });
    }
    for (id, times) in &world.stored {
        if *times > 1 {
            let what = format!("webhook {id} was stored {times} times");
            world.judge.violations.push(Violation { promise: 2, what });
        }
    }
    let lost: Vec<u64> =
        world.acknowledged.iter().filter(|id| !world.stored.contains_key(id)).copied().collect();
    if !lost.is_empty() {
        let what = format!("webhooks {lost:?} were answered 200 and are not in the log");
        world.judge.violations.push(Violation { promise: 1, what });
    }
    world.judge_stock();
    let unrouted = ready(world.disk.log_size()).unrouted;
    if unrouted > 0 {
        let what = format!("{unrouted} committed envelopes were never routed");
        world.judge.violations.push(Violation { promise: 1, what });
    }
}
