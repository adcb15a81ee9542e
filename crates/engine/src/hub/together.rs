//! Calls that go together: what comes for one shop while a call is under way gathers for the next one. Owns who waits,
//! for how long, and who gets which answer; each lane is answered for itself, so that the engine knows nothing of it.

use super::perform::{GRACE, answered, no_connector};
use super::{Input, Shared};
use crate::effect::{Call, Effect, Event};
use connector::port::{Applied, CallContext, Observation, Step, Together, Wanted};
use kernel::clock::Mono;
use kernel::fault::{Fault, FaultKind};
use kernel::id::{ShopId, SystemName};
use kernel::key::CallKey;
use kernel::subject::Lane;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc::UnboundedSender;

type Events = UnboundedSender<Input>;

/// What goes together: one way to one kind of thing of one shop.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Way {
    system: SystemName,
    shop: ShopId,
    kind: String,
    /// `None`: a look; else the step's name.
    step: Option<String>,
}

#[derive(Debug)]
enum What {
    Look(Wanted),
    Write(CallKey, Step),
}

#[derive(Debug)]
struct Member {
    call: Call<()>,
    asked_at: Mono,
    what: What,
}

#[derive(Debug)]
struct Queue {
    together: Together,
    under_way: usize,
    waiting: VecDeque<Member>,
}

impl Queue {
    fn has_room(&self) -> bool {
        self.under_way < self.together.at_once.max(1)
    }

    /// How long the next call still waits for others; `None` where there is nothing to send.
    fn due_in(&self, now: Mono) -> Option<Duration> {
        let first = self.waiting.front()?;
        let is_full = self.waiting.len() >= self.together.most.max(1);
        Some(if is_full {
            Duration::ZERO
        } else {
            self.together.age.saturating_sub(now.since(first.asked_at))
        })
    }
}

/// Everything that waits to go together.
#[derive(Debug, Default)]
pub(crate) struct Gathering(Mutex<BTreeMap<Way, Queue>>);

impl Gathering {
    fn queues(&self) -> MutexGuard<'_, BTreeMap<Way, Queue>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes an effect that goes together with others; gives back what goes by itself.
    pub(crate) fn take(&self, shared: &Shared, effect: Effect) -> Option<Effect> {
        let (system, lane) = match &effect {
            Effect::Observe(call) => (&call.system, &call.lane),
            Effect::Apply(call) => (&call.system, &call.lane),
            _ => return Some(effect),
        };
        let kind = lane.root.split(':').next().unwrap_or_default();
        let together = shared.connectors.get(system).and_then(|connector| connector.together(kind));
        let Some(together) = together else { return Some(effect) };
        let kind = kind.to_owned();
        let asked_at = shared.clock.now().mono;
        let (call, what, step) = match effect {
            Effect::Observe(call) => {
                let (call, wanted) = apart(call);
                (call, What::Look(wanted), None)
            }
            Effect::Apply(call) => {
                let (call, (key, step)) = apart(call);
                let name = step.name.clone();
                (call, What::Write(key, step), Some(name))
            }
            other => return Some(other),
        };
        let way = Way { system: call.system.clone(), shop: call.lane.shop.clone(), kind, step };
        let queue = Queue { together, under_way: 0, waiting: VecDeque::new() };
        self.queues().entry(way).or_insert(queue).waiting.push_back(Member { call, asked_at, what });
        None
    }

    /// When the next call is due that is not full by then.
    pub(crate) fn due_in(&self, now: Mono) -> Option<Duration> {
        let queues = self.queues();
        queues.values().filter(|queue| queue.has_room()).filter_map(|queue| queue.due_in(now)).min()
    }

    /// Sends what is full or has waited for its age, as far as calls may be under way.
    pub(crate) fn flush(shared: &Arc<Shared>, events: &Events) {
        let now = shared.clock.now().mono;
        let mut ready = Vec::new();
        {
            let mut queues = shared.gathering.queues();
            for (way, queue) in queues.iter_mut() {
                while queue.has_room() && queue.due_in(now) == Some(Duration::ZERO) {
                    let count = queue.waiting.len().min(queue.together.most.max(1));
                    queue.under_way += 1;
                    ready.push((way.clone(), queue.waiting.drain(..count).collect::<Vec<_>>()));
                }
            }
            queues.retain(|_, queue| queue.under_way > 0 || !queue.waiting.is_empty());
        }
        for (way, members) in ready {
            let (shared, events) = (shared.clone(), events.clone());
            tokio::spawn(async move {
                send(&shared, &way, members, &events).await;
                if let Some(queue) = shared.gathering.queues().get_mut(&way) {
                    queue.under_way = queue.under_way.saturating_sub(1);
                }
                Self::flush(&shared, &events);
            });
        }
    }
}

fn apart<T>(call: Call<T>) -> (Call<()>, T) {
    let Call { system, lane, fence, trace, span, what } = call;
    (Call { system, lane, fence, trace, span, what: () }, what)
}

/// One call for all of them, or none where they have waited too long for one.
async fn send(shared: &Arc<Shared>, way: &Way, members: Vec<Member>, events: &Events) {
    let now = shared.clock.now();
    let time_out = shared.time_outs.get(&way.system).copied().unwrap_or(Duration::from_secs(30));
    let (late, members): (Vec<_>, Vec<_>) =
        members.into_iter().partition(|member| now.mono.since(member.asked_at) * 2 > time_out);
    for member in late {
        // The rest of the lease would not hold a request's whole time.
        let what = "other calls to this shop went first for too long: nothing was sent";
        let fault = Fault::new(FaultKind::Throttled, "waited", what).retry_after(Duration::ZERO);
        let (lane, fence) = (member.call.lane, member.call.fence);
        tell(
            events,
            match member.what {
                What::Look(_) => Event::Observed { lane, fence, result: Err(fault) },
                What::Write(..) => Event::Applied { lane, fence, result: Err(fault) },
            },
        );
    }
    let Some(first) = members.first() else { return };
    let waited = members.iter().map(|member| now.mono.since(member.asked_at)).max().unwrap_or_default();
    let context = CallContext {
        shop: way.shop.clone(),
        time_out: time_out.saturating_sub(waited),
        trace: first.call.trace,
        span: first.call.span,
        now: now.wall,
    };
    let (mut looks, mut writes, mut calls) = (Vec::new(), Vec::new(), Vec::with_capacity(members.len()));
    for member in members {
        match member.what {
            What::Look(wanted) => looks.push(wanted),
            What::Write(key, step) => writes.push((key, step)),
        }
        calls.push(member.call);
    }
    let connector = shared.connectors.get(&way.system).cloned();
    let deadline = context.time_out + GRACE;
    let what = way.step.clone().unwrap_or_else(|| "observe".to_owned());
    let count = calls.len();
    if way.step.is_none() {
        let work = async move {
            match connector {
                Some(connector) => connector.observe_many(&context, &looks).await,
                None => vec![Err(no_connector()); count],
            }
        };
        let answers = answered(shared, &way.system, &what, deadline, work, false).await;
        deal(events, calls, answers, |lane, fence, result: Result<Observation, Fault>| Event::Observed {
            lane,
            fence,
            result,
        });
    } else {
        let work = async move {
            match connector {
                Some(connector) => connector.apply_many(&context, &writes).await,
                None => vec![Err(no_connector()); count],
            }
        };
        let answers = answered(shared, &way.system, &what, deadline, work, true).await;
        deal(events, calls, answers, |lane, fence, result: Result<Applied, Fault>| Event::Applied {
            lane,
            fence,
            result,
        });
    }
}

/// To each its own answer; who got none is told so.
fn deal<A>(
    events: &Events,
    calls: Vec<Call<()>>,
    answers: Result<Vec<Result<A, Fault>>, Fault>,
    event: fn(Lane, i64, Result<A, Fault>) -> Event,
) {
    let (mut answers, otherwise) = match answers {
        Ok(answers) => {
            // Whatever became of it, it was sent: a write among them is looked up.
            let what = "the connector gave fewer answers than it was asked for";
            (answers.into_iter(), Fault::new(FaultKind::Ambiguous, "TG-5009", what))
        }
        Err(fault) => (Vec::new().into_iter(), fault),
    };
    let shared_call = calls.first().map(|call| call.span);
    for call in calls {
        let mut result = answers.next().unwrap_or_else(|| Err(otherwise.clone()));
        if let Err(fault) = &mut result {
            fault.shared_call = shared_call;
        }
        tell(events, event(call.lane, call.fence, result));
    }
}

fn tell(events: &Events, event: Event) {
    let _ = events.send(Input::Event(Box::new(event)));
}

#[cfg(test)]
mod tests;
