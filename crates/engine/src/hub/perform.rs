//! One effect, performed: a store operation or a call, on a task of its own, answered by one event. What goes together
//! with others is `together`'s.

use super::{Called, Input, Shared};
use crate::effect::{Call, Effect, Event, StoreWork};
use crate::work::{lift, sweep};
use connector::port::{CallContext, Found, Read};
use kernel::fault::{Fault, FaultKind};
use kernel::id::{ShopId, SystemName};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use store::StoreError;
use store::delivery::Move;
use store::operate::By;
use store::query::Awaited;
use tokio::sync::mpsc::UnboundedSender;

type Events = UnboundedSender<Input>;

/// Past the connector's own time-out by this much, an answer is given in its place: the engine is owed one.
pub(super) const GRACE: Duration = Duration::from_secs(2);

/// What goes together with others waits for [`Gathering::flush`].
pub(crate) fn perform(shared: &Arc<Shared>, effect: Effect, events: &Events) {
    let Some(effect) = shared.gathering.take(shared, effect) else { return };
    let store = shared.store.clone();
    match effect {
        Effect::FetchUnrouted { limit } => {
            ask(events, StoreWork::Unrouted, async move { store.unrouted(limit).await.map(Event::Unrouted) });
        }
        Effect::Route { decisions, at, claims } => {
            let owner = shared.owner.clone();
            let along = claims.iter().map(|request| request.system.clone()).collect();
            ask(events, StoreWork::Route(along), async move {
                store.route_and_claim(decisions, at, claims, &owner).await.map(Event::Routed)
            });
        }
        Effect::Claim(request) => {
            let (system, owner) = (request.system.clone(), shared.owner.clone());
            ask(events, StoreWork::Claim(system.clone()), async move {
                let claims = store.claim(request, &owner).await?;
                Ok(Event::Claimed { system, claims })
            });
        }
        Effect::Advance(moves) => advance(shared, moves, events),
        Effect::GiveBack(lanes) => tell_store(events, async move { store.give_back(lanes).await }),
        Effect::FetchNextDue => {
            ask(events, StoreWork::NextDue, async move { store.next_due().await.map(Event::NextDue) });
        }
        Effect::Recall(asked) => {
            ask(events, StoreWork::Recall(asked.lane.clone()), async move {
                let recalled = crate::last_look::recall(store.as_ref(), &asked).await?;
                Ok(Event::Recalled { lane: asked.lane, fence: asked.fence, recalled })
            });
        }
        Effect::FetchPauses => {
            let now = shared.clock.now().wall;
            ask(events, StoreWork::Pauses, async move { store.pauses(now).await.map(Event::Pauses) });
        }
        Effect::FetchAwaited { due, limit } => {
            ask(events, StoreWork::Awaited, async move {
                store.awaited(Some(due), limit).await.map(Event::Awaited)
            });
        }
        Effect::AwaitedAgain { awaited, next } => tell_store(events, async move {
            store.awaited_again(&awaited.shop, &awaited.system, &awaited.reference, next).await
        }),
        Effect::AwaitedFound { awaited, at } => {
            ask(events, StoreWork::Other, async move {
                let by = By::hub(format!("{} exists now", awaited.reference), at);
                store.awaited_found(&awaited.shop, &awaited.system, &awaited.reference, by).await?;
                Ok(Event::Changed)
            });
        }
        Effect::Raise(notice) => shared.watcher.notice(&notice),
        Effect::Ended(ending) => shared.watcher.ended(&ending),
        Effect::Folded(folded) => shared.watcher.folded(&folded),
        Effect::Unaccounted(unheard) => tell_store(events, async move {
            store.set_cursor(&sweep::asked_of(&unheard.shop), &unheard.at.to_string()).await
        }),
        Effect::Observe(call) => {
            let connector = shared.connectors.get(&call.system).cloned();
            let (context, wanted) = (context(shared, &call), call.what.clone());
            make(
                shared,
                call,
                events,
                "observe".into(),
                async move {
                    match connector {
                        Some(connector) => connector.observe(&context, &wanted).await,
                        None => Err(no_connector()),
                    }
                },
                |lane, fence, result| Event::Observed { lane, fence, result },
                false,
            );
        }
        Effect::Apply(call) => {
            let connector = shared.connectors.get(&call.system).cloned();
            let (context, (key, step)) = (context(shared, &call), call.what.clone());
            make(
                shared,
                call,
                events,
                step.name.clone(),
                async move {
                    match connector {
                        Some(connector) => connector.apply(&context, &key, &step).await,
                        None => Err(no_connector()),
                    }
                },
                |lane, fence, result| Event::Applied { lane, fence, result },
                true,
            );
        }
        Effect::Read(call) => {
            let source = shared.sources.get(&call.system).cloned();
            let (context, subject) = (context(shared, &call), call.what.clone());
            let (store, system) = (shared.store.clone(), call.system.clone());
            make(
                shared,
                call,
                events,
                "read".into(),
                async move {
                    let Some(source) = source else { return Err(no_connector()) };
                    if let Some(parts) = source.parts(&context, &subject).await? {
                        return Ok(Found::Parts(parts));
                    }
                    match source.read(&context, &subject).await? {
                        Some(read @ Read { sequence: Some(sequence), .. }) => {
                            let lift = lift::of(store.as_ref(), &system, &subject.shop).await;
                            let lift = lift.map_err(|error| no_store(&error))?;
                            let sequence = Some(lift::lifted(sequence, lift));
                            Ok(Found::State(Read { sequence, ..read }))
                        }
                        read => Ok(read.into()),
                    }
                },
                |lane, fence, result| Event::HasRead { lane, fence, result },
                false,
            );
        }
        Effect::Health { system } => health(shared, system, events),
        Effect::Look { system, shop, awaited, .. } => look(shared, &system, shop, awaited, events),
    }
}

/// A store operation whose answer the engine waits for.
fn ask(
    events: &Events,
    what: StoreWork,
    work: impl Future<Output = Result<Event, StoreError>> + Send + 'static,
) {
    let events = events.clone();
    tokio::spawn(async move {
        let event = work.await.unwrap_or_else(|error| Event::StoreFailed { what, why: error.to_string() });
        let _ = events.send(Input::Event(Box::new(event)));
    });
}

/// A store operation that only its failure is told of.
fn tell_store(events: &Events, work: impl Future<Output = Result<(), StoreError>> + Send + 'static) {
    let events = events.clone();
    tokio::spawn(async move {
        if let Err(error) = work.await {
            let event = Event::StoreFailed { what: StoreWork::Other, why: error.to_string() };
            let _ = events.send(Input::Event(Box::new(event)));
        }
    });
}

fn advance(shared: &Arc<Shared>, moves: Vec<Move>, events: &Events) {
    let (shared, events) = (shared.clone(), events.clone());
    tokio::spawn(async move {
        let lanes: Vec<_> = moves.iter().map(|movement| movement.lane.clone()).collect();
        let tells = moves.iter().any(|movement| !movement.follow_ups.is_empty());
        match shared.store.advance(moves).await {
            Ok(moved) => {
                let _ = events
                    .send(Input::Event(Box::new(Event::Advanced(lanes.into_iter().zip(moved).collect()))));
                if tells {
                    let _ = events.send(Input::Event(Box::new(Event::Appended)));
                }
            }
            Err(error) => {
                let event = Event::StoreFailed { what: StoreWork::Advance(lanes), why: error.to_string() };
                let _ = events.send(Input::Event(Box::new(event)));
            }
        }
    });
}

fn context<T>(shared: &Shared, call: &Call<T>) -> CallContext {
    CallContext {
        shop: call.lane.shop.clone(),
        time_out: shared.time_outs.get(&call.system).copied().unwrap_or(Duration::from_secs(30)),
        trace: call.trace,
        span: call.span,
        now: shared.clock.now().wall,
    }
}

fn no_store(error: &StoreError) -> Fault {
    Fault::new(FaultKind::Transient, "TG-7024", format!("what was read cannot be numbered: {error}"))
}

pub(super) fn no_connector() -> Fault {
    Fault::new(FaultKind::Bug, "TG-5004", "the plan names a system that was not connected")
}

/// Makes a call; whatever happens, one answer comes back.
fn make<T, A: Send + 'static>(
    shared: &Arc<Shared>,
    call: Call<T>,
    events: &Events,
    what: String,
    work: impl Future<Output = Result<A, Fault>> + Send + 'static,
    event: fn(kernel::subject::Lane, i64, Result<A, Fault>) -> Event,
    write: bool,
) {
    let (shared, events) = (shared.clone(), events.clone());
    let (system, lane, fence) = (call.system, call.lane, call.fence);
    let deadline = shared.time_outs.get(&system).copied().unwrap_or(Duration::from_secs(30)) + GRACE;
    tokio::spawn(async move {
        let result = answered(&shared, &system, &what, deadline, work, write).await;
        let result = result.and_then(|result| result);
        let _ = events.send(Input::Event(Box::new(event(lane, fence, result))));
    });
}

/// Waits for a call; what became of it is counted. A call that broke off or outlasted its deadline has a fault in place of
/// an answer.
pub(super) async fn answered<A: Answer>(
    shared: &Shared,
    system: &SystemName,
    what: &str,
    deadline: Duration,
    work: impl Future<Output = A> + Send + 'static,
    write: bool,
) -> Result<A, Fault> {
    let began = shared.clock.now().mono;
    // A task of its own, so that a panic in a connector is a fault like any other.
    let task = tokio::spawn(tokio::time::timeout(deadline, work));
    let kind = if write { FaultKind::Ambiguous } else { FaultKind::Transient };
    let result = match task.await {
        Ok(Ok(result)) => Ok(result),
        Ok(Err(_)) => Err(Fault::new(kind, "time_out", "the connector gave no answer in its time")),
        Err(_) => Err(Fault::new(kind, "TG-5005", "the connector broke off: see the log, and report it")),
    };
    let took = shared.clock.now().mono.since(began);
    let fault = match &result {
        Ok(answer) => answer.fault(),
        Err(fault) => Some(fault.kind),
    };
    shared.watcher.called(&Called { system, what, fault, took });
    result
}

/// What came of a call, for the count of calls.
pub(super) trait Answer: Send + 'static {
    fn fault(&self) -> Option<FaultKind>;
}

impl<A: Send + 'static> Answer for Result<A, Fault> {
    fn fault(&self) -> Option<FaultKind> {
        self.as_ref().err().map(|fault| fault.kind)
    }
}

/// A call that went well for one of its members was answered.
impl<A: Send + 'static> Answer for Vec<Result<A, Fault>> {
    fn fault(&self) -> Option<FaultKind> {
        if self.iter().any(Result::is_ok) { None } else { self.first().and_then(Answer::fault) }
    }
}

fn plain_context(shared: &Shared, system: &SystemName, shop: ShopId) -> CallContext {
    CallContext {
        shop,
        time_out: shared.time_outs.get(system).copied().unwrap_or(Duration::from_secs(30)),
        trace: kernel::envelope::TraceId::default(),
        span: 1,
        now: shared.clock.now().wall,
    }
}

fn health(shared: &Arc<Shared>, system: SystemName, events: &Events) {
    let (shared, events) = (shared.clone(), events.clone());
    tokio::spawn(async move {
        let result = match (shared.connectors.get(&system), ShopId::new("any")) {
            (Some(connector), Ok(shop)) => {
                let context = plain_context(&shared, &system, shop);
                let deadline = context.time_out + GRACE;
                tokio::time::timeout(deadline, connector.health(&context)).await.unwrap_or_else(|_| {
                    Err(Fault::new(FaultKind::Transient, "time_out", "no answer to the health call"))
                })
            }
            _ => Err(no_connector()),
        };
        let fault = result.as_ref().err().map(|fault| fault.kind);
        shared.watcher.called(&Called { system: &system, what: "health", fault, took: Duration::ZERO });
        let _ = events.send(Input::Event(Box::new(Event::Health { system, result })));
    });
}

fn look(shared: &Arc<Shared>, system: &SystemName, shop: ShopId, awaited: Awaited, events: &Events) {
    let (shared, events, system) = (shared.clone(), events.clone(), system.clone());
    tokio::spawn(async move {
        let result = match shared.connectors.get(&system) {
            Some(connector) => {
                let context = plain_context(&shared, &system, shop);
                let deadline = context.time_out + GRACE;
                let look = connector.exists(&context, &awaited.reference);
                tokio::time::timeout(deadline, look).await.unwrap_or_else(|_| {
                    Err(Fault::new(FaultKind::Transient, "time_out", "no answer to a look-up of a reference"))
                })
            }
            None => Err(no_connector()),
        };
        let fault = result.as_ref().err().map(|fault| fault.kind);
        shared.watcher.called(&Called { system: &system, what: "look", fault, took: Duration::ZERO });
        let _ = events.send(Input::Event(Box::new(Event::Looked { awaited, result })));
    });
}
