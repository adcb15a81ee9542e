//! The calls of the simulated process: what the target and the shop make of them, when they arrive, and what comes back.

use crate::evidence::{CarriedOut, Seen, Write};
use crate::hub::{Arrival, Fate, Reply, SETTLE, TIME_OUT, ready};
use crate::source::{shop_id, system};
use crate::target::{Object, Request};
use crate::world::{Todo, World};
use connector::port::{Applied, ExternalRef, ObjectState, Observation, Observed, Read, Step, Wanted};
use engine::effect::{Call, Event};
use kernel::fault::{Fault, FaultKind};
use kernel::key::CallKey;
use kernel::rng::Rng;
use serde_json::json;
use std::time::Duration;
use store::port::Store;

impl World {
    pub(crate) fn outage_call(&mut self) {
        if self.down {
            self.judge.calls_in_outage += 1;
        }
    }

    /// The fault that every call meets now.
    pub(crate) fn trouble(&self, node: usize) -> Option<Fault> {
        if self.nodes[node].target_cut {
            Some(Fault::new(FaultKind::Transient, "unreachable", "no way to the target"))
        } else if self.down {
            Some(Fault::new(FaultKind::Transient, "refused", "connection refused"))
        } else if self.unauthorized {
            Some(Fault::new(FaultKind::Unauthorized, "http_401", "the credentials are refused"))
        } else {
            None
        }
    }

    pub(crate) fn latency(&mut self) -> Duration {
        Duration::from_millis(2 + self.rng.below(60))
    }

    // --- reads ----------------------------------------------------------------------------------

    pub(crate) fn observe(&mut self, node: usize, call: Call<Wanted>) {
        let wait = self.latency();
        let at = self.at_node(node);
        let key = call.what.object_key.to_string();
        if crate::stock::is_ours(&call.what.subject) {
            return self.shop_shows(node, call);
        }
        if call.system == system("shopify") {
            let result = Ok(self.written_back(&call.what));
            let event = Event::Observed { lane: call.lane, fence: call.fence, result };
            return self.after(wait, Todo::Tell(at, Box::new(event)));
        }
        self.outage_call();
        self.judge.call_began(node, &call.lane.root, self.is_settled(), self.mix.width);
        self.judge.looks(node, &key, self.now);
        let result = if let Some(fault) = self.trouble(node) {
            Err(fault)
        } else if self.fault(self.mix.read_fails) {
            Err(Fault::new(FaultKind::Transient, "http_503", "a read failed"))
        } else {
            let seen_until = self.now.saturating_sub(crate::world::ns(self.mix.lag));
            let mut observation = self.target.look_up(&key, seen_until);
            let seen = match &observation.object {
                Observed::None => None,
                _ => self.target.objects.iter().find(|object| object.key == key).map(seen),
            };
            self.judge.looked_up(node, &key, seen, self.now);
            if self.is_missing(&key) && !self.references_exist {
                observation.missing.push(connector::port::MissingReference {
                    reference: kernel::fault::Reference { kind: "item".into(), value: "SKU-9".into() },
                    field: "lines[0].sku".into(),
                    similar: None,
                });
            }
            Ok(observation)
        };
        self.trace("observe");
        let event = Event::Observed { lane: call.lane, fence: call.fence, result };
        self.after(wait, Todo::Tell(at, Box::new(event)));
    }

    /// The shop's side of the write-back: the number that the order carries.
    pub(crate) fn written_back(&self, wanted: &Wanted) -> Observation {
        let id: u64 = wanted.subject.key().parse().unwrap_or(0);
        let number = self.shop.orders.get(&id).and_then(|order| order.erp_number.clone());
        Observation {
            object: Observed::One(ObjectState {
                external: ExternalRef { id: id.to_string(), number: None, state: None },
                body: json!({ "number": number }),
                adopted: false,
            }),
            context: serde_json::Value::Null,
            missing: Vec::new(),
        }
    }

    pub(crate) fn read(&mut self, node: usize, call: Call<kernel::subject::Subject>) {
        if crate::stock::is_ours(&call.what) {
            return self.shelf_is_read(node, call);
        }
        if call.what.kind() == "refund" {
            return self.refund_is_read(node, call);
        }
        let wait = self.latency();
        let at = self.at_node(node);
        let id: u64 = call.what.key().parse().unwrap_or(0);
        let result = if self.fault(self.mix.read_fails) {
            Err(Fault::new(FaultKind::Transient, "http_502", "a read failed"))
        } else {
            Ok(self
                .shop
                .orders
                .get(&id)
                .map(|order| Read {
                    payload: serde_json::to_vec(order).unwrap_or_default(),
                    topic: "orders/read".into(),
                    updated_at: order.updated_at,
                    sequence: None,
                })
                .into())
        };
        let event = Event::HasRead { lane: call.lane, fence: call.fence, result };
        self.after(wait, Todo::Tell(at, Box::new(event)));
    }

    // --- writes ---------------------------------------------------------------------------------

    pub(crate) fn send(&mut self, node: usize, call: Call<(CallKey, Step)>, deferred: bool) {
        let Ok(request) = serde_json::from_slice::<Request>(&call.what.1.request) else {
            return match crate::stock::is_a_call(&call.what.1) {
                true => self.shop_is_told(node, call, deferred),
                false => self.write_back(node, call),
            };
        };
        let (at, key) = (self.at_node(node), request.key.clone());
        // Whose lane was taken by a clock that stands apart sends as one that slept: the fence refuses what comes of it.
        let deferred = deferred || self.holds.was_taken_early(node, &call.lane, call.fence);
        let committed = deferred || self.is_committed(&call);
        let begun_at = self.begun.get(call.what.0.as_str()).map_or(self.now, |(when, _)| *when);
        self.judge.call_began(node, &call.lane.root, self.is_settled(), self.mix.width);
        let number = self.judge.write_begins(
            &Write {
                key: &key,
                call: call.what.0.as_str(),
                action: request.action,
                content: request.content["content"].as_u64().unwrap_or(0),
                committed,
                settle: SETTLE,
                native: self.mix.native_key,
                node,
                deferred,
            },
            self.now,
        );
        self.outage_call();
        self.trace("send");
        let reply = |fault: Fault, lost: bool, conclusive: bool| {
            let result = Err(fault);
            let event = Event::Applied { lane: call.lane.clone(), fence: call.fence, result };
            Todo::Answer(Box::new(Reply { at, key: key.clone(), number, lost, conclusive, event }))
        };
        if let Some(fault) = self.trouble(node) {
            return self.after(Duration::from_millis(3), reply(fault, false, false));
        }
        if self.fault(self.mix.refused) {
            let fault = Fault::new(FaultKind::Transient, "refused", "connection refused");
            return self.after(Duration::from_millis(3), reply(fault, false, false));
        }
        let throttling = self.throttling;
        if throttling || self.fault(self.mix.throttled) {
            let fault =
                Fault::new(FaultKind::Throttled, "http_429", "too many").retry_after(Duration::from_secs(2));
            return self.after(Duration::from_millis(9), reply(fault, false, false));
        }
        if self.is_poison(&key) {
            let fault = Fault::new(FaultKind::Rejected, "refused_for_ever", "no").field("lines[0].quantity");
            return self.after(Duration::from_millis(9), reply(fault, false, true));
        }
        if let Some(fault) = self.is_refused(&request) {
            return self.after(Duration::from_millis(9), reply(fault, false, true));
        }
        if self.fault(self.mix.unapplied_unanswered) {
            let fault = Fault::new(FaultKind::Ambiguous, "time_out", "no answer");
            return self.after(TIME_OUT, reply(fault, true, false));
        }
        let fate = if self.fault(self.mix.applied_unanswered) {
            Fate::Unanswered
        } else if self.fault(self.mix.bad_gateway) {
            Fate::BadGateway
        } else if self.fault(self.mix.late_apply) {
            Fate::Late
        } else {
            Fate::Answered
        };
        let mut wait = self.latency();
        if fate == Fate::Late {
            let fault = Fault::new(FaultKind::Ambiguous, "time_out", "no answer");
            self.after(TIME_OUT, reply(fault, true, false));
            // Within what the target declares, counted from when it got it: settle_after less the lag of its search. And
            // sometimes later than that.
            let most = SETTLE.saturating_sub(self.mix.lag + TIME_OUT + Duration::from_secs(1));
            wait = TIME_OUT + Duration::from_nanos(self.rng.below(crate::world::ns(most)));
            if self.fault(self.mix.very_late) {
                wait += SETTLE + Duration::from_millis(self.rng.below(240_000));
            }
        }
        let arrival = Arrival { call, request, fate, number, at, begun_at };
        self.after(wait, Todo::Arrive(Box::new(arrival)));
    }

    /// The target carries a write out.
    pub fn arrive(&mut self, arrival: Arrival) {
        let Arrival { call, request, fate, number, at, begun_at } = arrival;
        self.say(|| {
            format!(
                "* {:?} {} {} {fate:?} {}",
                request.action, request.key, request.content["content"], call.what.0
            )
        });
        let before = self.target.objects.iter().find(|o| Some(o.id) == request.id).map(|o| o.content.clone());
        let native = self.mix.native_key;
        let done = self.target.carry_out(&request, &call.what.0, native, self.now);
        let content = request.content["content"].as_u64().unwrap_or(0);
        if matches!(done, Ok((_, true))) {
            let same = before.as_ref() == Some(&request.content);
            // Later than the target declares: what comes of it is to be told of.
            let declared = crate::world::ns(SETTLE.saturating_sub(self.mix.lag));
            let late = self.now > begun_at + declared.saturating_sub(100_000_000);
            let may_repeat = fate == Fate::Late || native || late;
            let (key, action) = (request.key.as_str(), request.action);
            let told = CarriedOut { key, action, content, same, may_repeat, late, node: at.node, begun_at };
            self.judge.carried_out(&told, self.now);
            if let Ok((id, _)) = &done {
                self.shelf_takes(*id, &request);
            }
        }
        if fate == Fate::Late || !self.is_alive(at) {
            return;
        }
        let fate = if self.nodes[at.node].target_cut { Fate::Unanswered } else { fate };
        let result = match (fate, done) {
            (Fate::Answered, Ok((id, _))) => {
                let object = self.target.objects.iter().find(|object| object.id == id).cloned();
                let external = object.as_ref().map(external_of);
                let shown = object.filter(|_| self.rng.chance(500));
                Ok(Applied { external, observation: shown.map(|object| observation_of(&object)) })
            }
            (Fate::Answered, Err(text)) => Err(Fault::new(FaultKind::Conflict, "state", text)),
            (Fate::BadGateway, _) => Err(Fault::new(FaultKind::Ambiguous, "http_502", "bad gateway")),
            (Fate::Unanswered | Fate::Late, _) => {
                Err(Fault::new(FaultKind::Ambiguous, "reset", "connection reset"))
            }
        };
        let lost = fate != Fate::Answered;
        let event = Event::Applied { lane: call.lane, fence: call.fence, result };
        let reply = Reply { at, key: request.key, number, lost, conclusive: !lost, event };
        let wait = self.latency();
        self.after(wait, Todo::Answer(Box::new(reply)));
    }

    pub fn reply(&mut self, reply: Reply) {
        if reply.lost {
            self.judge.write_lost(&reply.key, reply.number, self.now);
        } else {
            self.judge.write_answered(&reply.key, reply.number, reply.conclusive, self.now);
        }
        self.tell(reply.at.node, reply.event);
    }

    pub(crate) fn write_back(&mut self, node: usize, call: Call<(CallKey, Step)>) {
        let body: serde_json::Value = serde_json::from_slice(&call.what.1.request).unwrap_or_default();
        let id: u64 = body["order"].as_str().and_then(|text| text.parse().ok()).unwrap_or(0);
        let result = if self.fault(self.mix.applied_unanswered) {
            Err(Fault::new(FaultKind::Ambiguous, "reset", "connection reset"))
        } else {
            Ok(Applied { external: None, observation: None })
        };
        let number = body["number"].as_str().unwrap_or_default().to_owned();
        self.shop_number_set(id, &number);
        let (wait, at) = (self.latency(), self.at_node(node));
        let event = Event::Applied { lane: call.lane, fence: call.fence, result };
        self.after(wait, Todo::Tell(at, Box::new(event)));
    }

    /// Nobody came or went for a while, so that each node has its share. A clock that is a beat apart from the others
    /// takes them for dead, as ADR 0006 says, and its node for the only one.
    fn is_settled(&self) -> bool {
        self.now > self.changed_at + crate::world::ns(crate::node::SHARES_SETTLE) && self.clocks_agree()
    }

    /// Whether the disk has this call as begun and not ended: what promise 3 asks before the first byte.
    pub(crate) fn is_committed(&self, call: &Call<(CallKey, Step)>) -> bool {
        let life = ready(self.disk.life(&shop_id(), &call.lane.root));
        let key = call.what.0.as_str();
        life.attempts.iter().any(|attempt| attempt.call_key == key && attempt.ended_at.is_none())
    }

    pub(crate) fn is_poison(&self, key: &str) -> bool {
        crate::run::chosen(key, self.mix.poison, 1)
    }
    pub(crate) fn is_missing(&self, key: &str) -> bool {
        crate::run::chosen(key, self.mix.missing, 2)
    }
}

fn external_of(object: &Object) -> ExternalRef {
    ExternalRef {
        id: object.id.to_string(),
        number: Some(format!("S{}", object.id)),
        state: Some(if object.confirmed { "confirmed" } else { "draft" }.to_owned()),
    }
}

fn seen(object: &Object) -> Seen {
    Seen {
        content: object.content["content"].as_u64().unwrap_or(0),
        confirmed: object.confirmed,
        cancelled: object.cancelled,
    }
}

fn observation_of(object: &Object) -> Observation {
    let mut one = crate::target::Target::default();
    one.objects.push(object.clone());
    one.look_up(&object.key, u64::MAX)
}
