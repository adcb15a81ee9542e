//! Lanes that go together, against a target that notes what it was called with and answers when it is told to.

use super::super::{Called, Watcher};
use super::*;
use crate::notice::Notice;
use connector::descriptor::Descriptor;
use connector::port::{Connector, Held, Observed, Plan, Stage};
use jiff::Timestamp;
use kernel::clock::{Clock, Now};
use kernel::envelope::TraceId;
use kernel::fault::Reference;
use kernel::flow::{AfterConfirm, Difference};
use kernel::key::ObjectKey;
use kernel::subject::Subject;
use std::sync::atomic::{AtomicU64, Ordering};
use store::memory::MemoryStore;
use tokio::sync::{Semaphore, mpsc};

/// What each call had in it, and as many answers as there are permits.
#[derive(Debug)]
struct Target {
    calls: mpsc::UnboundedSender<Vec<String>>,
    answers: Semaphore,
    /// Answers fewer than it was asked for.
    short: bool,
    age: Duration,
}

#[async_trait::async_trait]
impl Connector for Target {
    fn descriptor(&self) -> &Descriptor {
        unreachable!("nobody asks")
    }
    fn together(&self, kind: &str) -> Option<Together> {
        (kind == "ats").then_some(Together { most: 3, at_once: 1, age: self.age })
    }
    async fn health(&self, _: &CallContext) -> Result<(), Fault> {
        Ok(())
    }
    async fn observe(&self, _: &CallContext, _: &Wanted) -> Result<Observation, Fault> {
        unreachable!("they go together")
    }
    async fn observe_many(&self, _: &CallContext, wanted: &[Wanted]) -> Vec<Result<Observation, Fault>> {
        let names = wanted.iter().map(|wanted| wanted.subject.key().to_owned()).collect();
        self.calls.send(names).unwrap();
        self.answers.acquire().await.unwrap().forget();
        let count = if self.short { 1 } else { wanted.len() };
        let seen = |wanted: &Wanted| Observation {
            object: Observed::None,
            context: wanted.subject.key().into(),
            missing: Vec::new(),
        };
        wanted.iter().take(count).map(|wanted| Ok(seen(wanted))).collect()
    }
    async fn apply_many(&self, _: &CallContext, calls: &[(CallKey, Step)]) -> Vec<Result<Applied, Fault>> {
        self.calls.send(calls.iter().map(|(key, _)| key.to_string()).collect()).unwrap();
        panic!("a connector with a bug")
    }
    fn plan(&self, _: &Wanted, _: &Observation) -> Plan {
        unreachable!("nobody plans")
    }
    fn held(&self, _: &Observation) -> Option<Held> {
        None
    }
    async fn apply(&self, _: &CallContext, _: &CallKey, _: &Step) -> Result<Applied, Fault> {
        unreachable!("they go together")
    }
    async fn exists(&self, _: &CallContext, _: &Reference) -> Result<bool, Fault> {
        unreachable!("nobody asks")
    }
}

#[derive(Debug, Default)]
struct HandClock(AtomicU64);

impl Clock for HandClock {
    fn now(&self) -> Now {
        Now { mono: Mono(self.0.load(Ordering::SeqCst)), wall: Timestamp::UNIX_EPOCH }
    }
}

#[derive(Debug)]
struct Nobody;

impl Watcher for Nobody {
    fn notice(&self, _: &Notice) {}
    fn called(&self, _: &Called<'_>) {}
    fn ended(&self, _: &crate::effect::Ending) {}
}

struct Bench {
    shared: Arc<Shared>,
    clock: Arc<HandClock>,
    target: Arc<Target>,
    calls: mpsc::UnboundedReceiver<Vec<String>>,
    events: Events,
    told: mpsc::UnboundedReceiver<Input>,
}

fn bench(short: bool) -> Bench {
    aged(short, Duration::ZERO)
}

fn aged(short: bool, age: Duration) -> Bench {
    let (calls_in, calls) = mpsc::unbounded_channel();
    let (events, told) = mpsc::unbounded_channel();
    let target = Arc::new(Target { calls: calls_in, answers: Semaphore::new(0), short, age });
    let (clock, system) = (Arc::new(HandClock::default()), SystemName::new("shopify").unwrap());
    let shared = Arc::new(Shared {
        store: Arc::new(MemoryStore::new()),
        connectors: BTreeMap::from([(system.clone(), target.clone() as Arc<dyn Connector>)]),
        sources: BTreeMap::new(),
        time_outs: BTreeMap::from([(system, Duration::from_secs(30))]),
        clock: clock.clone(),
        watcher: Arc::new(Nobody),
        owner: "me".to_owned(),
        gathering: Gathering::default(),
    });
    Bench { shared, clock, target, calls, events, told }
}

impl Bench {
    fn look(&self, kind: &str, sku: &str) -> Option<Effect> {
        let subject = Subject::new(ShopId::new("acme").unwrap(), kind, sku);
        let wanted = Wanted {
            object_key: ObjectKey::of(&subject),
            body: serde_json::Value::Null,
            stage: Stage::Present,
            after_confirm: AfterConfirm::default(),
            difference: Difference::Ticket,
            known: None,
            also_known_as: Vec::new(),
            subject: subject.clone(),
        };
        self.shared.gathering.take(&self.shared, Effect::Observe(call(&subject, wanted)))
    }

    fn write(&self, sku: &str, step: &str) {
        let subject = Subject::new(ShopId::new("acme").unwrap(), "ats", sku);
        let step = Step { name: step.to_owned(), creates: false, idempotent: true, request: Vec::new() };
        let what = (CallKey(sku.to_owned()), step);
        assert!(self.shared.gathering.take(&self.shared, Effect::Apply(call(&subject, what))).is_none());
    }

    fn flush(&self) {
        Gathering::flush(&self.shared, &self.events);
    }

    async fn called(&mut self) -> Vec<String> {
        self.calls.recv().await.unwrap()
    }

    async fn told(&mut self) -> Event {
        match self.told.recv().await.unwrap() {
            Input::Event(event) => *event,
            Input::Drain(_) => panic!("nobody drains"),
        }
    }

    /// A lane's key, and its answer or its fault.
    async fn answer(&mut self) -> (String, Result<(), Fault>) {
        match self.told().await {
            Event::Observed { lane, result, .. } => {
                let key = lane.root.trim_start_matches("ats:").to_owned();
                if let Ok(seen) = &result {
                    assert_eq!(seen.context, key.as_str(), "another's answer");
                }
                (key, result.map(drop))
            }
            Event::Applied { lane, result, .. } => {
                (lane.root.trim_start_matches("ats:").to_owned(), result.map(drop))
            }
            other => panic!("{other:?}"),
        }
    }
}

fn call<T>(subject: &Subject, what: T) -> Call<T> {
    let system = SystemName::new("shopify").unwrap();
    Call { lane: Lane::of(subject, &system), system, fence: 1, trace: TraceId::default(), span: 7, what }
}

#[tokio::test]
async fn what_comes_while_a_call_is_under_way_goes_with_the_next_one_and_each_lane_has_its_own_answer() {
    let mut bench = bench(false);
    assert!(bench.look("ats", "A").is_none());
    bench.flush();
    assert_eq!(bench.called().await, ["A"]);
    for sku in ["B", "C", "D", "E"] {
        bench.look("ats", sku);
    }
    bench.flush();
    assert!(bench.calls.try_recv().is_err(), "one call at once");
    bench.target.answers.add_permits(3);
    assert_eq!(bench.called().await, ["B", "C", "D"]);
    assert_eq!(bench.called().await, ["E"]);
    for sku in ["A", "B", "C", "D", "E"] {
        assert_eq!(bench.answer().await, (sku.to_owned(), Ok(())));
    }
}

#[tokio::test]
async fn what_the_target_takes_one_by_one_goes_by_itself() {
    let bench = bench(false);
    assert!(matches!(bench.look("order", "5678"), Some(Effect::Observe(_))));
    assert!(matches!(
        bench.shared.gathering.take(&bench.shared, Effect::FetchPauses),
        Some(Effect::FetchPauses)
    ));
}

#[tokio::test]
async fn steps_of_two_kinds_do_not_go_in_one_call_and_a_bug_leaves_each_write_unknown() {
    let mut bench = bench(false);
    bench.write("A", "set");
    bench.write("B", "activate");
    bench.write("C", "set");
    bench.flush();
    let mut calls = [bench.called().await, bench.called().await];
    calls.sort();
    assert_eq!(calls, [vec!["A".to_owned(), "C".to_owned()], vec!["B".to_owned()]]);
    for _ in 0..3 {
        let (_, result) = bench.answer().await;
        let fault = result.unwrap_err();
        assert_eq!(
            (fault.kind, fault.code.as_str(), fault.shared_call),
            (FaultKind::Ambiguous, "TG-5005", Some(7))
        );
    }
}

#[tokio::test]
async fn who_got_no_answer_is_told_so() {
    let mut bench = bench(true);
    bench.look("ats", "A");
    bench.look("ats", "B");
    bench.flush();
    bench.target.answers.add_permits(1);
    assert_eq!(bench.answer().await, ("A".to_owned(), Ok(())));
    let (key, result) = bench.answer().await;
    assert_eq!((key.as_str(), result.unwrap_err().code.as_str()), ("B", "TG-5009"));
}

#[tokio::test]
async fn what_waited_for_half_of_its_time_is_not_sent_any_more() {
    let mut bench = bench(false);
    bench.look("ats", "A");
    bench.flush();
    assert_eq!(bench.called().await, ["A"]);
    bench.look("ats", "B");
    bench.clock.0.fetch_add(16_000_000_000, Ordering::SeqCst);
    bench.look("ats", "C");
    bench.target.answers.add_permits(2);
    assert_eq!(bench.called().await, ["C"]);
    assert_eq!(bench.answer().await, ("A".to_owned(), Ok(())));
    let (key, result) = bench.answer().await;
    let fault = result.unwrap_err();
    assert_eq!((key.as_str(), fault.kind, fault.code.as_str()), ("B", FaultKind::Throttled, "waited"));
    assert_eq!(bench.answer().await, ("C".to_owned(), Ok(())));
}

#[tokio::test]
async fn a_call_that_is_not_full_waits_for_others_up_to_its_age() {
    let mut bench = aged(false, Duration::from_millis(200));
    let pass = |bench: &Bench, ms: u64| {
        bench.clock.0.fetch_add(ms * 1_000_000, Ordering::SeqCst);
    };
    let due = |bench: &Bench| bench.shared.gathering.due_in(bench.shared.clock.now().mono);
    assert_eq!(due(&bench), None);
    bench.look("ats", "A");
    pass(&bench, 150);
    bench.look("ats", "B");
    bench.flush();
    assert!(bench.calls.try_recv().is_err(), "neither full nor old");
    assert_eq!(due(&bench), Some(Duration::from_millis(50)));
    pass(&bench, 50);
    bench.flush();
    assert_eq!(bench.called().await, ["A", "B"]);
    bench.target.answers.add_permits(9);
    for sku in ["A", "B"] {
        assert_eq!(bench.answer().await, (sku.to_owned(), Ok(())));
    }
    // A full one waits for nobody.
    for sku in ["C", "D", "E"] {
        bench.look("ats", sku);
    }
    bench.flush();
    assert_eq!(bench.called().await, ["C", "D", "E"]);
}
