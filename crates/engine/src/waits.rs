//! What a delivery waits for, in words: the one answer that every page, list and command gives.
//!
//! The store knows the delivery's own wait; breaker, limit, pause and place are the engine's. This file puts the two
//! together and names the one that ends last. It decides nothing: what it says is never acted on.

use crate::system::SystemView;
use crate::triage::{Action, cause};
use jiff::Timestamp;
use kernel::clock::{after, elapsed_ms};
use serde::Serialize;
use std::time::Duration;
use store::delivery::{Delivery, DeliveryKind, DeliveryState, Wait};
use store::lane::{Member, head};
use store::operate::{Pause, PauseScope};
use store::query::Life;

/// Which kind of thing it waits for; lists are grouped by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Because {
    Pause,
    Breaker,
    Credentials,
    Limit,
    Backoff,
    /// An answer, or certainty about one.
    Answer,
    Condition,
    Schedule,
    Reading,
    /// Another change of the same root goes first.
    Lane,
    /// All places at the system are taken.
    Place,
    Turn,
    MissingReference,
    NewerState,
    Person,
}

/// What a delivery waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Waits {
    pub because: Because,
    /// After "waits for": `the breaker of erp`. Holds no time that passes.
    pub what: String,
    /// The reason behind it, where there is one: what the breaker opened for, who paused it and why.
    pub why: Option<String>,
    /// When it ends at the latest or is looked at again; absent where only an event ends it.
    pub until: Option<Timestamp>,
}

impl Waits {
    fn new(because: Because, what: impl Into<String>) -> Self {
        Self { because, what: what.into(), why: None, until: None }
    }
    fn until(mut self, until: Option<Timestamp>) -> Self {
        self.until = until;
        self
    }
    fn why(mut self, why: Option<String>) -> Self {
        self.why = why;
        self
    }

    /// `the breaker of erp, 12 s`.
    pub fn text(&self, now: Timestamp) -> String {
        match self.until.map(|until| elapsed_ms(now, until)).filter(|ms| *ms > 0) {
            Some(ms) => format!("{}, {}", self.what, span(ms)),
            None => self.what.clone(),
        }
    }
}

/// What a delivery waits for; `None` once it has ended. `life` is all that is known of its root, empty where it was
/// not asked for: then the other changes of its lane are not seen.
pub fn waits_for(
    delivery: &Delivery,
    systems: &[SystemView],
    pauses: &[Pause],
    life: &Life,
    now: Timestamp,
) -> Option<Waits> {
    match &delivery.state {
        DeliveryState::Ended(_) => None,
        DeliveryState::Dead => Some(dead(delivery, life)),
        DeliveryState::Waiting { due_at, wait } => {
            if let Some(ahead) = held_in_lane(delivery, life) {
                return Some(ahead);
            }
            let own = own_wait(delivery, *due_at, wait, now);
            Some(
                latest(delivery, systems, pauses, own, now)
                    .unwrap_or_else(|| turn(delivery, systems, life, now)),
            )
        }
        DeliveryState::Unknown { due_at, wait } => {
            let own = unanswered(delivery, *due_at, wait, life, now);
            let blocked = latest(delivery, systems, pauses, None, now);
            Some(match blocked {
                Some(blocked) if own.until.is_none() || ends(&blocked) > ends(&own) => blocked,
                _ => own,
            })
        }
    }
}

/// Of a pause, its own wait, the breaker and the limit: the one that ends last; what ends by no clock ends last of
/// all. The first named wins where two are equal.
fn latest(
    delivery: &Delivery,
    systems: &[SystemView],
    pauses: &[Pause],
    own: Option<Waits>,
    now: Timestamp,
) -> Option<Waits> {
    let system = systems.iter().find(|system| system.name == delivery.lane.system.as_str());
    let all = [
        paused(delivery, pauses, now),
        own,
        system.and_then(|system| breaker(system, now)),
        system.and_then(|system| limit(system, now)),
    ];
    all.into_iter().flatten().reduce(|first, next| if ends(&next) > ends(&first) { next } else { first })
}

fn ends(waits: &Waits) -> Timestamp {
    waits.until.unwrap_or(Timestamp::MAX)
}

fn paused(delivery: &Delivery, pauses: &[Pause], now: Timestamp) -> Option<Waits> {
    let holds = |scope: &PauseScope| match scope {
        PauseScope::System(system) => *system == delivery.lane.system,
        PauseScope::Flow(flow) => *flow == delivery.flow,
        PauseScope::Subject(subject) => {
            subject.shop == delivery.lane.shop && subject.root() == delivery.lane.root
        }
    };
    let active = |pause: &&Pause| pause.until.is_none_or(|until| until > now) && holds(&pause.scope);
    let pause = pauses.iter().filter(active).max_by_key(|pause| pause.until.unwrap_or(Timestamp::MAX))?;
    let why = format!("{}: {}", pause.by.who, pause.by.why);
    Some(
        Waits::new(Because::Pause, format!("the pause of {} to end", pause.scope))
            .why(Some(why))
            .until(pause.until),
    )
}

/// What the store knows, as long as it lies ahead.
fn own_wait(delivery: &Delivery, due_at: Option<Timestamp>, wait: &Wait, now: Timestamp) -> Option<Waits> {
    if due_at.is_some_and(|due_at| due_at <= now) {
        return None;
    }
    let waits = match wait {
        Wait::Turn if due_at.is_none() => return None,
        Wait::Turn => Waits::new(Because::Turn, "its time"),
        Wait::Backoff { failures, fault, code } => {
            let times = if *failures == 1 { "failure" } else { "failures in a row" };
            Waits::new(Because::Backoff, format!("the next try at {}", delivery.lane.system))
                .why(Some(format!("{failures} {times}, the last one {fault} ({code})")))
        }
        Wait::Settle { .. } => Waits::new(Because::Answer, wait.to_string()),
        Wait::Condition { text } => Waits::new(Because::Condition, text.clone()),
        Wait::Scheduled { text } => Waits::new(Because::Schedule, text.clone()),
        Wait::Reading => Waits::new(Because::Reading, wait.to_string()),
    };
    Some(waits.until(due_at))
}

fn unanswered(delivery: &Delivery, due_at: Timestamp, wait: &Wait, life: &Life, now: Timestamp) -> Waits {
    let system = &delivery.lane.system;
    let open = life.attempts.iter().rev().find(|a| a.delivery == delivery.id && a.ended_at.is_none());
    if due_at > now {
        let look = Waits::new(Because::Answer, format!("a look-up at {system} of what came of its call"));
        return look.why(Some(wait.to_string())).until(Some(due_at));
    }
    let step = open.map_or_else(|| "its call".to_owned(), |attempt| format!("{:?}", attempt.step));
    Waits::new(Because::Answer, format!("the answer of {system} to {step}"))
}

fn breaker(system: &SystemView, now: Timestamp) -> Option<Waits> {
    let because = if system.credentials_refused { Because::Credentials } else { Because::Breaker };
    let what = match (system.breaker, system.credentials_refused) {
        ("closed", _) => return None,
        (_, true) => format!("the credentials of {} to be accepted", system.name),
        (_, false) => format!("the breaker of {}", system.name),
    };
    // A probe under way ends at any moment.
    let until = after(now, Duration::from_millis(system.breaker_opens_in_ms.unwrap_or(0)));
    Some(Waits::new(because, what).why(system.trouble.clone()).until(Some(until)))
}

fn limit(system: &SystemView, now: Timestamp) -> Option<Waits> {
    let wait = Duration::from_millis(system.throttled_for_ms?);
    Some(Waits::new(Because::Limit, format!("the limit of {}", system.name)).until(Some(after(now, wait))))
}

/// A change of the same root at the same system that nothing may overtake: one without an answer, or an earlier event.
fn held_in_lane(delivery: &Delivery, life: &Life) -> Option<Waits> {
    let order = |other: &&Delivery| (other.position, other.id);
    let of_lane = || {
        let open = |other: &&Delivery| !matches!(other.state, DeliveryState::Ended(_));
        life.deliveries
            .iter()
            .filter(|other| other.lane == delivery.lane && other.id != delivery.id)
            .filter(open)
    };
    let unknown =
        of_lane().filter(|other| matches!(other.state, DeliveryState::Unknown { .. })).min_by_key(order);
    let event = of_lane()
        .filter(|other| other.kind == DeliveryKind::Event && delivery.kind == DeliveryKind::Event)
        .filter(|other| order(other) < order(&delivery))
        .min_by_key(order);
    let ahead = unknown.or(event)?;
    let how = match (&ahead.state, unknown) {
        (_, Some(_)) => "its answer is not known yet",
        (DeliveryState::Dead, None) => "it is a dead letter: release or skip it",
        _ => "events go in their order",
    };
    Some(before(ahead, life).why(Some(how.to_owned())))
}

fn before(ahead: &Delivery, life: &Life) -> Waits {
    let name = life.about.as_ref().map_or(ahead.lane.root.as_str(), |about| about.label.as_str());
    let what = format!("an earlier {} of {name} (delivery {})", ahead.kind.as_str(), ahead.id);
    Waits::new(Because::Lane, what)
}

/// Nothing holds it back but others that are due as well.
fn turn(delivery: &Delivery, systems: &[SystemView], life: &Life, now: Timestamp) -> Waits {
    let of_lane = life.deliveries.iter().filter(|other| other.lane == delivery.lane);
    let members: Vec<_> = of_lane.filter_map(Member::of).collect();
    let first = head(&members, now, |_| false).filter(|first| *first != delivery.id);
    if let Some(first) = life.deliveries.iter().find(|other| Some(other.id) == first) {
        return before(first, life).why(Some("one change of an order at a time".to_owned()));
    }
    let system = systems.iter().find(|system| system.name == delivery.lane.system.as_str());
    match system {
        Some(system) if system.in_work >= system.concurrency => {
            Waits::new(Because::Place, format!("a free place at {}", system.name))
                .why(Some(format!("{} of {} in work", system.in_work, system.concurrency)))
        }
        _ => Waits::new(Because::Turn, format!("its turn at {}", delivery.lane.system)),
    }
}

fn dead(delivery: &Delivery, life: &Life) -> Waits {
    let letters = life.dead_letters.iter().rev();
    let open = letters.filter(|letter| letter.closed.is_none()).find(|letter| letter.delivery == delivery.id);
    let Some(letter) = open else {
        return Waits::new(Because::Person, "a person: it is a dead letter");
    };
    let source = life.envelopes.iter().find(|(envelope, _)| envelope.position == delivery.position);
    let source = source.map_or("the source", |(envelope, _)| envelope.source.as_str());
    let target = delivery.lane.system.as_str();
    let known = cause(&letter.fault, target, source);
    let waits = match (known.action, &letter.fault.missing) {
        (Action::ReleaseWhenItExists, Some(reference)) => {
            Waits::new(Because::MissingReference, format!("{reference} to exist in {target}"))
        }
        (Action::HealedByNewerState, _) => {
            Waits::new(Because::NewerState, format!("a newer state from {source}, or a person"))
        }
        _ => Waits::new(Because::Person, "a person"),
    };
    waits.why(Some(known.cause))
}

/// A length of time as people say it: `850 ms`, `3.2 s`, `12 s`, `4 min`, `2 h 5 min`, `3 d 4 h`.
pub fn span(ms: u64) -> String {
    let (s, min, h) = (ms / 1000, ms / 60_000, ms / 3_600_000);
    let with = |big: u64, big_unit: &str, small: u64, small_unit: &str| match small {
        0 => format!("{big} {big_unit}"),
        small => format!("{big} {big_unit} {small} {small_unit}"),
    };
    match ms {
        0..1000 => format!("{ms} ms"),
        1000..10_000 if ms % 1000 >= 100 => format!("{s}.{} s", ms % 1000 / 100),
        1000..60_000 => format!("{s} s"),
        60_000..600_000 => with(min, "min", s % 60, "s"),
        600_000..3_600_000 => format!("{min} min"),
        3_600_000..86_400_000 => with(h, "h", min % 60, "min"),
        _ => with(h / 24, "d", h % 24, "h"),
    }
}

#[cfg(test)]
mod tests;
