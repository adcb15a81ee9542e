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
mod tests {
    use super::*;
    use kernel::envelope::Priority;
    use kernel::fault::{Fault, FaultKind};
    use kernel::id::{DeliveryId, FlowName, Position, ShopId, SystemName};
    use kernel::subject::{Lane, Subject};
    use store::log::About;
    use store::operate::By;
    use store::query::DeadLetter;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn delivery(id: i64, kind: DeliveryKind, state: DeliveryState) -> Delivery {
        let subject = Subject::new(ShopId::new("acme").unwrap(), "order", "1");
        Delivery {
            id: DeliveryId(id),
            position: Position(id),
            flow: FlowName::new("orders_to_erp").unwrap(),
            lane: Lane::of(&subject, &SystemName::new("erp").unwrap()),
            subject,
            kind,
            state,
            version: None,
            priority: Priority::Live,
            spent: 0,
            failures: 0,
            calls: 0,
            created_at: at(0),
            changed_at: at(0),
            ended_at: None,
        }
    }

    fn waiting(due: Option<i64>, wait: Wait) -> DeliveryState {
        DeliveryState::Waiting { due_at: due.map(at), wait }
    }

    fn erp() -> SystemView {
        SystemView {
            name: "erp".into(),
            breaker: "closed",
            breaker_opens_in_ms: None,
            trouble: None,
            credentials_refused: false,
            throttled_for_ms: None,
            paused: false,
            in_work: 0,
            concurrency: 8,
        }
    }
    fn open(ms: u64) -> SystemView {
        let trouble = Some("transient (http_502): bad gateway".into());
        SystemView { breaker: "open", breaker_opens_in_ms: Some(ms), trouble, ..erp() }
    }

    fn pause(scope: PauseScope, until: Option<i64>) -> Pause {
        let by = By { who: "ada".into(), why: "stock-taking".into(), at: at(1) };
        Pause { scope, by, until: until.map(at) }
    }

    /// Delivery, system, pauses → what is said at second 100.
    #[test]
    fn what_ends_last_is_what_is_waited_for() {
        let state = |due, wait| delivery(1, DeliveryKind::State, waiting(due, wait));
        let turn = || state(Some(90), Wait::Turn);
        let backoff = |due| {
            state(
                Some(due),
                Wait::Backoff { failures: 3, fault: FaultKind::Transient, code: "http_502".into() },
            )
        };
        let system = || PauseScope::System(SystemName::new("erp").unwrap());
        let other_flow = PauseScope::Flow(FlowName::new("back").unwrap());
        let subject = PauseScope::Subject(Subject::new(ShopId::new("acme").unwrap(), "order", "1"));
        let busy = SystemView { in_work: 8, ..erp() };
        let throttled = SystemView { throttled_for_ms: Some(12_000), ..erp() };
        let refused = SystemView { credentials_refused: true, ..open(30_000) };
        let probing = SystemView { breaker: "probing", breaker_opens_in_ms: None, ..open(0) };
        let unknown = |due| {
            delivery(
                1,
                DeliveryKind::State,
                DeliveryState::Unknown { due_at: at(due), wait: Wait::Settle { not_there: 1 } },
            )
        };
        let table: Vec<(Delivery, SystemView, Vec<Pause>, &str)> = vec![
            (turn(), erp(), vec![], "its turn at erp"),
            (turn(), busy, vec![], "a free place at erp"),
            (turn(), open(12_000), vec![], "the breaker of erp, 12 s"),
            (turn(), probing, vec![], "the breaker of erp"),
            (turn(), refused, vec![], "the credentials of erp to be accepted, 30 s"),
            (turn(), throttled, vec![], "the limit of erp, 12 s"),
            (backoff(150), open(12_000), vec![], "the next try at erp, 50 s"),
            (backoff(105), open(12_000), vec![], "the breaker of erp, 12 s"),
            (backoff(90), erp(), vec![], "its turn at erp"),
            (turn(), open(12_000), vec![pause(system(), None)], "the pause of system erp to end"),
            (turn(), erp(), vec![pause(system(), Some(160))], "the pause of system erp to end, 1 min"),
            (turn(), erp(), vec![pause(system(), Some(99)), pause(other_flow, None)], "its turn at erp"),
            (turn(), erp(), vec![pause(subject, None)], "the pause of acme/order:1 to end"),
            (state(None, Wait::Condition { text: "paid".into() }), open(5), vec![], "paid"),
            (
                state(Some(200), Wait::Scheduled { text: "confirm after 15m".into() }),
                erp(),
                vec![],
                "confirm after 15m, 1 min 40 s",
            ),
            (state(None, Wait::Reading), erp(), vec![], "the source to be read again"),
            (unknown(130), erp(), vec![], "a look-up at erp of what came of its call, 30 s"),
            (unknown(100), erp(), vec![], "the answer of erp to its call"),
            (unknown(100), open(12_000), vec![], "the breaker of erp, 12 s"),
            (unknown(130), open(12_000), vec![], "a look-up at erp of what came of its call, 30 s"),
        ];
        for (row, (delivery, system, pauses, expected)) in table.into_iter().enumerate() {
            let waits = waits_for(&delivery, &[system], &pauses, &Life::default(), at(100)).unwrap();
            assert_eq!(waits.text(at(100)), expected, "row {row}: {waits:?}");
        }
        let paused =
            waits_for(&turn(), &[erp()], &[pause(system(), None)], &Life::default(), at(100)).unwrap();
        assert_eq!(paused.why.as_deref(), Some("ada: stock-taking"));
    }

    #[test]
    fn the_lane_is_named_where_another_change_goes_first() {
        let event = |id| delivery(id, DeliveryKind::Event, waiting(Some(1), Wait::Turn));
        let unknown = DeliveryState::Unknown { due_at: at(500), wait: Wait::Settle { not_there: 0 } };
        let about = About {
            subject: event(1).subject,
            label: "#1001".into(),
            customer: None,
            created_at: at(0),
            updated_at: at(0),
        };
        let life = |deliveries| Life { about: Some(about.clone()), deliveries, ..Life::default() };
        let say = |delivery: &Delivery, life: &Life| {
            waits_for(delivery, &[erp()], &[], life, at(100)).map(|waits| (waits.because, waits.what))
        };
        let ahead = |what: &str| Some((Because::Lane, what.to_owned()));

        let both = life(vec![event(1), event(2)]);
        assert_eq!(say(&event(2), &both), ahead("an earlier event of #1001 (delivery 1)"));
        let state = delivery(3, DeliveryKind::State, waiting(Some(1), Wait::Turn));
        let held = life(vec![delivery(1, DeliveryKind::State, unknown), state.clone()]);
        assert_eq!(say(&state, &held), ahead("an earlier state of #1001 (delivery 1)"));
        let first = life(vec![event(1), state.clone()]);
        assert_eq!(say(&event(1), &first), ahead("an earlier state of #1001 (delivery 3)"));
        let dead = life(vec![delivery(1, DeliveryKind::Event, DeliveryState::Dead), event(2)]);
        let waits = waits_for(&event(2), &[erp()], &[], &dead, at(100)).unwrap();
        assert_eq!(waits.why.as_deref(), Some("it is a dead letter: release or skip it"));
    }

    #[test]
    fn a_dead_letter_waits_for_what_closes_it() {
        let dead = delivery(1, DeliveryKind::State, DeliveryState::Dead);
        let life = |fault: Fault| Life {
            dead_letters: vec![DeadLetter {
                delivery: dead.id,
                shop: dead.lane.shop.clone(),
                system: dead.lane.system.clone(),
                flow: dead.flow.clone(),
                subject: dead.subject.clone(),
                label: None,
                fingerprint: "f".into(),
                fault,
                dead_at: at(1),
                closed: None,
            }],
            ..Life::default()
        };
        let say = |fault| waits_for(&dead, &[], &[], &life(fault), at(100)).unwrap();
        let rejected = Fault::new(FaultKind::Rejected, "x", "y");
        let missing = say(rejected.clone().missing("item", "SKU-9"));
        assert_eq!(
            (missing.because, missing.what.as_str()),
            (Because::MissingReference, "item \"SKU-9\" to exist in erp")
        );
        assert_eq!(say(rejected).because, Because::NewerState);
        assert_eq!(say(Fault::new(FaultKind::Bug, "TG-1", "y")).because, Because::Person);
        let ended = DeliveryState::Ended(store::delivery::Outcome::Unchanged);
        assert_eq!(
            waits_for(&delivery(1, DeliveryKind::State, ended), &[], &[], &Life::default(), at(1)),
            None
        );
    }

    #[test]
    fn lengths_of_time_are_read_at_a_glance() {
        let table = [
            (0, "0 ms"),
            (850, "850 ms"),
            (3_240, "3.2 s"),
            (3_040, "3 s"),
            (12_700, "12 s"),
            (60_000, "1 min"),
            (100_000, "1 min 40 s"),
            (754_000, "12 min"),
            (7_500_000, "2 h 5 min"),
            (86_400_000 * 3 + 3_600_000 * 4, "3 d 4 h"),
        ];
        for (ms, text) in table {
            assert_eq!(span(ms), text, "{ms}");
        }
    }
}
