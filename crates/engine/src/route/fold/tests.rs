//! Folding within routing, over a domain of sums: what is decided upon which record, and what follows.

use super::*;
use crate::facts::{Admission, Facts, History, Mapped, Mapper, State};
use crate::mutant::Planted;
use crate::route::decide;
use jiff::Timestamp;
use kernel::clock::{Mono, Now};
use kernel::envelope::TraceId;
use kernel::fault::FaultKind;
use kernel::flow::{AfterConfirm, ConfirmWhen, Difference, Mode, OrderPolicy};
use kernel::id::{DomainName, FlowName, ShopId};
use kernel::key::ObjectKey;
use std::sync::Arc;
use store::delivery::Standing;

/// `=5` is a state, `+3` and `-3` are changes; the record is the state. One that ends in `?` has the source read.
#[derive(Debug)]
struct Sums;

fn number(payload: &[u8]) -> i64 {
    let text = std::str::from_utf8(payload).unwrap();
    text.trim_start_matches(['=', '+']).trim_end_matches('?').parse().unwrap()
}

impl Facts for Sums {
    fn kind_of(&self, topic: &str) -> Option<FactKind> {
        match topic {
            "sum/state" => Some(FactKind::State),
            "sum/change" => Some(FactKind::Change),
            _ => None,
        }
    }
    fn read(&self, _: &str, payload: &[u8]) -> Result<State, Fault> {
        let number = number(payload);
        Ok(State {
            body: Arc::new(number.into()),
            label: "sum".to_owned(),
            customer: None,
            created_at: at(0),
            updated_at: at(0),
            digest: [u8::try_from(number.rem_euclid(250)).unwrap(); 32],
            changed_at: at(0),
            cancelled: false,
        })
    }
    fn admit(&self, _: &State, _: &OrderPolicy, _: History, _: Timestamp) -> Admission {
        Admission::Export
    }
    fn fold(&self, told: &Told<'_>, record: Option<&[u8]>) -> Result<Folding, Fault> {
        let none = || Fault::new(FaultKind::Rejected, "no_state", "send a state");
        if told.payload == b"nonsense" {
            return Err(Fault::new(FaultKind::Rejected, "nonsense", "it is no change"));
        }
        let became = match (told.topic, record) {
            ("sum/state", Some(known)) if told.sequence < Some(0) && !known.is_empty() => Became::Older,
            ("sum/state", _) => Became::AsTold,
            (_, Some(known)) => {
                let payload = format!("={}", number(known) + number(told.payload)).into_bytes();
                Became::State { topic: "sum/state", payload }
            }
            (_, None) => Became::NoState(none()),
        };
        let record = match &became {
            Became::AsTold => Some(told.payload.to_vec()),
            Became::State { payload, .. } => Some(payload.clone()),
            _ => None,
        };
        Ok(Folding {
            record,
            read: told.payload.ends_with(b"?") || matches!(became, Became::NoState(_)),
            became,
        })
    }
}

impl Mapper for Sums {
    fn revision(&self) -> &str {
        "r1"
    }
    fn map(&self, _: &serde_json::Value, _: &Subject, _: &ObjectKey, _: Timestamp) -> Result<Mapped, Fault> {
        unreachable!("routing maps nothing")
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn system(name: &str) -> SystemName {
    SystemName::new(name).unwrap()
}

fn subject() -> Subject {
    Subject::new(ShopId::new("acme").unwrap(), "sum", "1")
}

fn plan(readable: bool, mode: Mode) -> Plan {
    let name = FlowName::new("sums").unwrap();
    let flow = FlowPlan {
        name: name.clone(),
        domain: DomainName::new("inventory").unwrap(),
        source: system("wms"),
        target: system("shopify"),
        shops: BTreeSet::new(),
        policy: OrderPolicy {
            mode,
            go_live_at: Timestamp::MIN,
            export_when: BTreeSet::new(),
            confirm_when: ConfirmWhen::AtOnce,
            after_confirm: AfterConfirm::default(),
            difference: Difference::default(),
        },
        facts: Arc::new(Sums),
        mapper: Arc::new(Sums),
        also_known_as: Vec::new(),
        tells: false,
        tells_refusals: false,
        readable,
        observe_first: true,
    };
    Plan {
        revision: "r1".to_owned(),
        flows: BTreeMap::from([(name, flow)]),
        systems: BTreeMap::new(),
        reading: FlowName::new("reading").unwrap(),
    }
}

fn item(position: i64, payload: &'static str) -> Unrouted {
    let is_state = payload.starts_with('=');
    Unrouted {
        envelope: Envelope {
            position: Position(position),
            shop: subject().shop,
            domain: DomainName::new("inventory").unwrap(),
            source: system("wms"),
            topic: if is_state { "sum/state" } else { "sum/change" }.to_owned(),
            kind: if is_state { FactKind::State } else { FactKind::Change },
            via: Via::Ingest,
            subject: subject(),
            version: Some(EffectiveVersion::Sequence { sequence: position }),
            occurred_at: at(0),
            received_at: at(0),
            trace: TraceId::default(),
            raw_hash: [0; 32],
            raw_bytes: 0,
        },
        payload: Some(Bytes::from_static(payload.as_bytes())),
        standings: Vec::new(),
        record: None,
        base: None,
    }
}

fn upon(item: Unrouted, revision: i64, body: &'static str) -> Unrouted {
    Unrouted { record: Some(Record { revision, body: Bytes::from_static(body.as_bytes()) }), ..item }
}

fn decided(plan: &Plan, batch: &[Unrouted]) -> Vec<Routed> {
    decide(plan, &Planted::default(), batch, Now { mono: Mono(0), wall: at(9) }).0
}

type Follows<'a> = Vec<(&'a str, Option<EffectiveVersion>)>;

/// Upon which revision, and what the record is then; what follows, and under which version.
fn shown(routed: &Routed) -> (Option<(i64, &str)>, Follows<'_>) {
    let text = |bytes| std::str::from_utf8(bytes).unwrap();
    let follows = routed.follow_ups.iter().map(|new| (text(&new.payload), new.version.clone()));
    (routed.record.as_ref().map(|new| (new.upon, text(&new.body))), follows.collect())
}

fn version(revision: i64) -> Option<EffectiveVersion> {
    Some(EffectiveVersion::Folded { revision })
}

fn outcomes(routed: &Routed) -> Vec<(DeliveryKind, &DeliveryState)> {
    routed.deliveries.iter().map(|delivery| (delivery.kind, &delivery.state)).collect()
}

#[test]
fn changes_of_one_batch_are_folded_upon_each_other_and_the_last_says_it_all() {
    let plan = plan(false, Mode::Live);
    // Begun with the state of the batch before them.
    let batch = [item(1, "=10"), item(2, "-3"), item(3, "-1"), item(4, "+5")];
    let decisions = decided(&plan, &batch);
    assert_eq!(decisions[0].record, None, "a source that tells states alone has no record");
    assert_eq!(shown(&decisions[1]), (Some((0, "=7")), vec![]));
    assert_eq!(shown(&decisions[2]), (Some((1, "=6")), vec![]));
    assert_eq!(shown(&decisions[3]), (Some((2, "=11")), vec![("=11", version(3))]));
    assert!(decisions[1..].iter().all(|routed| routed.deliveries.is_empty()), "a change is no duty");
    // Or with the newest that was routed before.
    let base = (item(1, "=100").envelope, Bytes::from_static(b"=100"));
    let standing = Standing { routed_position: Some(Position(1)), ..Standing::default() };
    let standings = vec![(FlowName::new("sums").unwrap(), standing)];
    let begun = Unrouted { base: Some(base), standings, ..item(5, "-1") };
    assert_eq!(shown(&decided(&plan, &[begun])[0]), (Some((0, "=99")), vec![("=99", version(1))]));
    // A flow that is off folds as well: it would be missing later.
    let off = decided(&self::plan(false, Mode::Off), &[upon(item(6, "-1"), 7, "=50")]);
    assert_eq!(shown(&off[0]), (Some((7, "=49")), vec![("=49", version(8))]));
}

#[test]
fn a_state_of_what_has_a_record_is_ordered_by_it() {
    let plan = plan(false, Mode::Live);
    let decisions = decided(&plan, &[upon(item(1, "=20"), 4, "=7"), item(2, "-1")]);
    assert_eq!(decisions[0].version, version(5), "whatever its number says");
    assert_eq!(shown(&decisions[0]), (Some((4, "=20")), vec![]));
    assert_eq!(outcomes(&decisions[0]).len(), 1);
    assert_eq!(shown(&decisions[1]), (Some((5, "=19")), vec![("=19", version(6))]));
    // What follows is routed as what it is.
    let mut follows = upon(item(3, "=19"), 6, "=19");
    follows.envelope.version = version(6);
    let routed = &decided(&plan, &[follows])[0];
    assert_eq!((routed.record.clone(), routed.version.clone()), (None, version(6)));
    // An older one goes nowhere.
    let mut older = upon(item(4, "=3"), 6, "=19");
    older.envelope.version = Some(EffectiveVersion::Sequence { sequence: -1 });
    let decisions = decided(&plan, &[older]);
    let superseded = DeliveryState::Ended(Outcome::Superseded { by: Position(4) });
    assert_eq!(outcomes(&decisions[0]), [(DeliveryKind::State, &superseded)]);
    assert_eq!(decisions[0].record, None);
}

#[test]
fn without_a_state_the_source_is_read_or_it_is_said_what_to_send() {
    let told = decided(&plan(false, Mode::Live), &[item(1, "-3")]);
    assert_eq!(outcomes(&told[0]), [(DeliveryKind::State, &DeliveryState::Dead)]);
    assert_eq!(told[0].deliveries[0].fault.as_ref().unwrap().code, "no_state");
    let asked = decided(&plan(true, Mode::Live), &[item(1, "-3")]);
    let kinds: Vec<DeliveryKind> = asked[0].deliveries.iter().map(|delivery| delivery.kind).collect();
    assert_eq!(kinds, [DeliveryKind::State, DeliveryKind::Read]);
    let waits = DeliveryState::Waiting { due_at: None, wait: Wait::Reading };
    assert_eq!(asked[0].deliveries[0].state, waits);
    // A gap: what is known is folded, and the source is read.
    let gap = decided(&plan(true, Mode::Live), &[upon(item(2, "-3?"), 1, "=9")]);
    assert_eq!(shown(&gap[0]), (Some((1, "=6")), vec![("=6", version(2))]));
    assert_eq!(gap[0].deliveries[0].kind, DeliveryKind::Read);
}

#[test]
fn what_is_no_change_stays_dead_and_one_that_is_sent_again_is_not_folded_again() {
    let told = decided(&plan(false, Mode::Live), &[upon(item(1, "nonsense"), 1, "=9"), item(2, "-1")]);
    assert_eq!(outcomes(&told[0]), [(DeliveryKind::Event, &DeliveryState::Dead)]);
    assert!(!told[0].deliveries[0].supersedes, "no later state heals it");
    let mut again = upon(item(3, "-1"), 1, "=9");
    (again.envelope.via, again.envelope.version) = (Via::Replay, None);
    let again = decided(&plan(false, Mode::Live), &[again]);
    let filtered = DeliveryState::Ended(Outcome::Filtered { rule: COUNTS_ONCE.to_owned() });
    assert_eq!(
        (again[0].record.clone(), outcomes(&again[0])),
        (None, vec![(DeliveryKind::Event, &filtered)])
    );
}

/// What the warehouse sent: it leaves levels behind (stock, seed 45185).
#[derive(Debug)]
struct Parcels;

impl Facts for Parcels {
    fn kind_of(&self, topic: &str) -> Option<FactKind> {
        (topic == "parcel").then_some(FactKind::Event)
    }
    fn follows_levels(&self) -> bool {
        true
    }
    fn read(&self, _: &str, payload: &[u8]) -> Result<State, Fault> {
        Sums.read("sum/state", payload)
    }
    fn admit(&self, _: &State, _: &OrderPolicy, _: History, _: Timestamp) -> Admission {
        Admission::Export
    }
}

#[test]
fn a_parcel_waits_for_the_levels_that_its_source_told_before_it() {
    let mut plan = plan(false, Mode::Live);
    let levels = plan.flows[&FlowName::new("sums").unwrap()].clone();
    let name = FlowName::new("parcels").unwrap();
    let shipments = DomainName::new("shipments").unwrap();
    let parcels = FlowPlan {
        name: name.clone(),
        domain: shipments.clone(),
        facts: Arc::new(Parcels),
        observe_first: false,
        ..levels
    };
    plan.flows.insert(name, parcels);
    let parcel = |position| {
        let mut item = item(position, "=1");
        let of = &mut item.envelope;
        (of.topic, of.kind, of.domain) = ("parcel".to_owned(), FactKind::Event, shipments.clone());
        of.subject = Subject::new(subject().shop, "parcel", "1");
        item
    };
    let elsewhere = |position| {
        let mut item = item(position, "=5");
        item.envelope.source = system("other");
        item
    };
    let routed = |batch: &[Unrouted]| -> Vec<i64> {
        decided(&plan, batch).iter().map(|routed| routed.position.0).collect()
    };
    assert_eq!(
        routed(&[item(1, "=5"), parcel(2)]),
        [1],
        "the level goes first, the parcel with the next batch"
    );
    assert_eq!(
        routed(&[parcel(1), item(2, "=5")]),
        [1, 2],
        "a level that was told after it holds up nothing"
    );
    assert_eq!(routed(&[elsewhere(1), parcel(2)]), [1, 2], "nor does another source's");
    assert_eq!(routed(&[parcel(2)]), [2]);
}
