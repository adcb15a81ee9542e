//! The words of every wait, by tables.

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
        state(Some(due), Wait::Backoff { failures: 3, fault: FaultKind::Transient, code: "http_502".into() })
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
    let paused = waits_for(&turn(), &[erp()], &[pause(system(), None)], &Life::default(), at(100)).unwrap();
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
    assert_eq!(waits_for(&delivery(1, DeliveryKind::State, ended), &[], &[], &Life::default(), at(1)), None);
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
