//! What the shop makes of calls about stock: a look shows `available` and `committed` of one instant, a set is refused where
//! it was decided upon another value, a parcel is made as often as it is asked for.

use super::item_of;
use super::planner::{Parcel, Set};
use crate::node::At;
use crate::planted::Bug;
use crate::world::{Todo, World, ns};
use connector::port::{Applied, ExternalRef, Found, ObjectState, Observation, Observed, Read, Step, Wanted};
use engine::effect::{Call, Event};
use kernel::fault::{Fault, FaultKind};
use kernel::key::CallKey;
use kernel::rng::Rng;
use kernel::subject::Subject;
use serde_json::{Map, Value, json};
use std::time::Duration;

/// Orders older than this are forgotten by the planted bug that holds back by age.
const YOUNG: Duration = Duration::from_secs(120);
/// The shop carries out what it has within what it declares.
const LATE: Duration = Duration::from_secs(4);
const TIME_OUT: Duration = Duration::from_secs(10);

/// A call about stock on its way to the shop.
#[derive(Debug)]
pub struct ShopCall {
    call: Call<(CallKey, Step)>,
    at: At,
    /// The answer is lost on its way.
    unanswered: bool,
    /// The sender has given up already.
    late: bool,
    /// It lay in the socket of a node that slept, or whose lane was taken by a clock that stands apart: others may have
    /// proved its absence.
    deferred: bool,
}

/// Whether a subject is of the stock's flows.
pub(crate) fn is_ours(subject: &Subject) -> bool {
    matches!(subject.kind(), "ats" | "shipment")
}

/// Whether a frozen step is one of the stock's.
pub(crate) fn is_a_call(step: &Step) -> bool {
    let (set, parcel) =
        (serde_json::from_slice::<Set>(&step.request), serde_json::from_slice::<Parcel>(&step.request));
    set.is_ok() || parcel.is_ok()
}

impl World {
    /// A look at a level or a parcel.
    pub(crate) fn shop_shows(&mut self, node: usize, call: Call<Wanted>) {
        let (wait, at) = (self.latency(), self.at_node(node));
        let result = if self.fault(self.mix.read_fails) {
            Err(Fault::new(FaultKind::Transient, "http_503", "a read failed"))
        } else {
            Ok(self.shown(&call.what))
        };
        let event = Event::Observed { lane: call.lane, fence: call.fence, result };
        self.after(wait, Todo::Tell(at, Box::new(event)));
    }

    pub(super) fn shown(&self, wanted: &Wanted) -> Observation {
        let nothing = Observation::unasked();
        let Some(stock) = &self.stock else { return nothing };
        if wanted.subject.kind() == "shipment" {
            let id: u64 = wanted.subject.key().parse().unwrap_or(0);
            let made = stock.shop.fulfilments.get(&id).copied().unwrap_or_default();
            let external = ExternalRef { id: format!("F{id}"), number: None, state: None };
            let one = || ObjectState { external, body: Value::Null, adopted: false };
            let object = match made {
                0 => Observed::None,
                1 => Observed::One(one()),
                many => Observed::Many((0..many).map(|nth| format!("F{id}.{nth}")).collect()),
            };
            return Observation { object, ..nothing };
        }
        let Some(item) = stock.items.item_at(&wanted.subject.path) else { return nothing };
        let young = |id: &u64| {
            let order = self.shop.orders.get(id);
            let age = order.map(|order| self.shop_wall().duration_since(order.created_at).unsigned_abs());
            age.is_some_and(|age| age < YOUNG)
        };
        let items = stock.items.len();
        let seen = |item: usize| {
            let of = stock.shop.orders.iter();
            let of = of.filter(|(id, sold)| item_of(**id, items) == item && !sold.cancelled && young(id));
            let young: u64 = of.map(|(_, sold)| sold.quantity.saturating_sub(sold.fulfilled)).sum();
            let refused = stock.shop.committed_by(item, &stock.refused_orders);
            let (available, committed) = (stock.shop.available[item], stock.shop.committed(item));
            json!({ "available": available, "committed": committed, "young": young, "refused": refused })
        };
        let mut context = seen(item);
        let name = |item: usize| super::sku(stock.items.kind(item));
        let at = |location: &str| -> Map<String, Value> {
            let there = (0..items).filter(|other| *other != item && stock.items.shown_at(*other) == location);
            there.map(|other| (name(other), seen(other))).collect()
        };
        let own = stock.items.shown_at(item);
        if stock.mix.bundles > 0 {
            context["kin"] = at(&own).into();
        }
        if stock.items.is_divided() {
            let others = (0..items).map(|other| stock.items.shown_at(other)).filter(|other| *other != own);
            context["elsewhere"] =
                others.map(|other| (other.clone(), at(&other).into())).collect::<Map<_, _>>().into();
        }
        let external = ExternalRef { id: format!("{}@{own}", name(item)), number: None, state: None };
        let object = Observed::One(ObjectState { external, body: Value::Null, adopted: false });
        Observation { object, context, ..nothing }
    }

    /// What was given back is read at the shop.
    pub(crate) fn refund_is_read(&mut self, node: usize, call: Call<Subject>) {
        let (wait, at) = (self.latency(), self.at_node(node));
        let result = if self.fault(self.mix.read_fails) {
            Err(Fault::new(FaultKind::Transient, "http_502", "a read failed"))
        } else {
            Ok(Found::State(Read {
                payload: json!({ "refund": call.what.key(), "back": self.back_of(call.what.key()) })
                    .to_string()
                    .into_bytes(),
                topic: super::facts::REFUND.to_owned(),
                updated_at: jiff::Timestamp::UNIX_EPOCH,
                sequence: None,
            }))
        };
        let event = Event::HasRead { lane: call.lane, fence: call.fence, result };
        self.after(wait, Todo::Tell(at, Box::new(event)));
    }

    /// The warehouse is read, because a parcel of it was told.
    pub(crate) fn shelf_is_read(&mut self, node: usize, call: Call<Subject>) {
        let (wait, at, wall) = (self.latency(), self.at_node(node), self.shop_wall());
        let trouble = self.trouble(node);
        let fails = self.fault(self.mix.read_fails);
        let is_alone = domains::inventory::alone(&call.what).is_some();
        let read = if is_alone {
            let pair = domains::inventory::parts(&call.what);
            let bin = |stock: &super::Stock| {
                let (sku, location) = pair.as_ref()?;
                stock.items.bin_of(sku, location)
            };
            let level = self.stock.as_mut().and_then(|stock| Some(stock.shelf.level(bin(stock)?, wall)));
            let level = level.map(|level| self.numbered(node, level));
            level.map(|level| Read {
                payload: level.body.to_string().into_bytes(),
                topic: super::facts::LEVEL.to_owned(),
                updated_at: level.changed_at,
                sequence: Some(level.sequence),
            })
        } else {
            self.composed(&call.what)
        };
        let result = match trouble {
            Some(fault) => Err(fault),
            None if fails => Err(Fault::new(FaultKind::Transient, "http_502", "a read failed")),
            None => Ok(read.into()),
        };
        let event = Event::HasRead { lane: call.lane, fence: call.fence, result };
        self.after(wait, Todo::Tell(at, Box::new(event)));
    }

    /// A set or a parcel leaves for the shop.
    pub(crate) fn shop_is_told(&mut self, node: usize, call: Call<(CallKey, Step)>, deferred: bool) {
        let at = self.at_node(node);
        let deferred = deferred || self.holds.was_taken_early(node, &call.lane, call.fence);
        let answered = |fault: Fault| {
            let result = Err(fault);
            let event = Event::Applied { lane: call.lane.clone(), fence: call.fence, result };
            Todo::Tell(at, Box::new(event))
        };
        if self.fault(self.mix.refused) {
            let fault = Fault::new(FaultKind::Transient, "refused", "connection refused");
            return self.after(Duration::from_millis(3), answered(fault));
        }
        if self.fault(self.mix.throttled) {
            let fault = Fault::new(FaultKind::Throttled, "cost", "THROTTLED").retry_after(LATE);
            return self.after(Duration::from_millis(9), answered(fault));
        }
        let no_answer = || Fault::new(FaultKind::Ambiguous, "time_out", "no answer");
        if self.fault(self.mix.unapplied_unanswered) {
            return self.after(TIME_OUT, answered(no_answer()));
        }
        let late = self.fault(self.mix.late_apply);
        let mut wait = self.latency();
        if late {
            self.after(TIME_OUT, answered(no_answer()));
            wait = TIME_OUT + Duration::from_nanos(self.rng.below(ns(LATE)));
        }
        let unanswered = self.fault(self.mix.applied_unanswered);
        self.after(wait, Todo::ShopCall(Box::new(ShopCall { call, at, unanswered, late, deferred })));
    }

    /// The shop carries a call out.
    pub(crate) fn shop_carries_out(&mut self, arrived: ShopCall) {
        let ShopCall { call, at, unanswered, late, deferred } = arrived;
        let request = &call.what.1.request;
        self.judge_key(call.what.0.as_str(), request);
        let result = if let Ok(set) = serde_json::from_slice::<Set>(request) {
            self.is_set(&set, deferred)
        } else if let Ok(parcel) = serde_json::from_slice::<Parcel>(request) {
            self.is_shipped(&parcel, deferred)
        } else {
            Err(Fault::new(FaultKind::Bug, "frozen", "a call that is none of stock"))
        };
        if late || !self.is_alive(at) {
            return;
        }
        let result = match unanswered {
            true => Err(Fault::new(FaultKind::Ambiguous, "reset", "connection reset")),
            false => result,
        };
        let event = Event::Applied { lane: call.lane, fence: call.fence, result };
        let wait = self.latency();
        self.after(wait, Todo::Tell(at, Box::new(event)));
    }

    fn is_set(&mut self, set: &Set, deferred: bool) -> Result<Applied, Fault> {
        let bug = self.bug;
        let Some(stock) = &mut self.stock else { return Ok(Applied { external: None, observation: None }) };
        let Some(item) = stock.items.item(&set.sku, &set.location) else {
            return Err(Fault::new(FaultKind::Bug, "frozen", "a set of what is not sold"));
        };
        let available = &mut stock.shop.available[item];
        let blind = matches!(bug, Some(Bug::SetsWithoutComparing));
        if *available != set.from && !blind {
            stock.refused.insert(item, set.quantity);
            let what = format!("it is {available} and not {}", set.from);
            return Err(Fault::new(FaultKind::Conflict, "CHANGE_FROM_QUANTITY_STALE", what));
        }
        let refused = stock.refused.remove(&item).filter(|_| bug == Some(Bug::SetsTheSameAgain));
        let set = &Set { quantity: refused.unwrap_or(set.quantity), ..set.clone() };
        *available = set.quantity;
        self.say(|| format!("* shop {item} set to {} (from {})", set.quantity, set.from));
        self.judge_set(item, set.quantity, &set.levels, deferred);
        let id = format!("{}@{}", set.sku, set.location);
        let external = ExternalRef { id, number: None, state: None };
        // The answer shows the pair as it was set: whatever happened since is another fact's.
        let context = json!({
            "available": set.quantity, "committed": set.committed, "young": set.committed, "kin": set.kin,
            "elsewhere": set.elsewhere,
        });
        let state = ObjectState { external: external.clone(), body: Value::Null, adopted: false };
        let observation = Observation { object: Observed::One(state), context, missing: Vec::new() };
        Ok(Applied { external: Some(external), observation: Some(observation) })
    }

    fn is_shipped(&mut self, parcel: &Parcel, deferred: bool) -> Result<Applied, Fault> {
        if let Some(stock) = &mut self.stock {
            let shop = &mut stock.shop;
            let sold = shop.orders.get(&parcel.order);
            // As the real one: no more units than are open.
            if sold.is_none_or(|sold| sold.fulfilled + parcel.quantity > sold.quantity) {
                return Err(Fault::new(FaultKind::Rejected, "too_many_units", "more than are open"));
            }
            shop.is_fulfilled(parcel.order, parcel.id, parcel.quantity);
            if deferred {
                shop.from_sleepers.insert(parcel.id);
            }
        }
        self.say(|| format!("* shop: parcel {} of {} ({} units)", parcel.id, parcel.order, parcel.quantity));
        self.judge_parcel(parcel.id, parcel.order);
        self.may_come_back(parcel.order, parcel.quantity);
        self.shop_order_touched(parcel.order);
        let external = ExternalRef { id: format!("F{}", parcel.id), number: None, state: None };
        Ok(Applied { external: Some(external), observation: None })
    }
}
