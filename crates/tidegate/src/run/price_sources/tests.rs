//! Which node asks, and what a person is told, with a source whose answers the test writes.

use super::*;
use crate::wiring::clock::SystemClock;
use api::prices::pull::PullSettings;
use async_trait::async_trait;
use config::{Cadence, PriceMode};
use connector::port::CallContext;
use connector::prices::{PriceSource, RowCount, RowFormat, Settled, ToldPrices};
use kernel::clock::{Mono, Now};
use kernel::fault::Fault;
use kernel::id::ShopId;
use price_store::{Options, PriceStore};
use std::collections::VecDeque;
use std::io::{Seek as _, Write as _};
use std::sync::Mutex;
use store::MemoryStore;
use telemetry::Metrics;
use tempfile::TempDir;
use tokio::sync::{mpsc, watch};

/// Turned by the test.
#[derive(Debug)]
struct Turned(Mutex<Timestamp>);

impl Clock for Turned {
    fn now(&self) -> Now {
        let wall = *self.0.lock().unwrap();
        Now { wall, mono: Mono(u64::try_from(wall.as_nanosecond()).unwrap()) }
    }
}

/// Rows, and whether there is more behind them; nothing where no answer is left.
type Answer = Result<(&'static str, bool), Fault>;

#[derive(Debug)]
struct Scripted {
    answers: Mutex<VecDeque<Answer>>,
    asked: mpsc::UnboundedSender<()>,
}

#[async_trait]
impl PriceSource for Scripted {
    async fn changes(&self, _: &CallContext, after: Option<&str>) -> Result<Option<ToldPrices>, Fault> {
        // Nobody listens any more: the test is over.
        let _ = self.asked.send(());
        let Some(answer) = self.answers.lock().unwrap().pop_front() else { return Ok(None) };
        let (rows, more) = answer?;
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(format!("list,sku,price\n{rows}").as_bytes()).unwrap();
        file.rewind().unwrap();
        let before: u64 = after.map_or(0, |after| after.parse().unwrap());
        Ok(Some(ToldPrices {
            rows: file,
            format: RowFormat::Csv,
            count: RowCount::Known(rows.lines().count() as u64),
            whole: false,
            lists: Vec::new(),
            next: (before + 1).to_string(),
            more,
            terms: None,
        }))
    }

    async fn whole(&self, call: &CallContext) -> Result<Option<ToldPrices>, Fault> {
        self.changes(call, None).await
    }

    async fn settled(&self, _: &str, _: Settled<'_>) -> Result<(), Fault> {
        Ok(())
    }

    fn describe(&self) -> String {
        "a script".to_owned()
    }
}

struct Node {
    pull: Arc<Pull>,
    around: Around,
    first: watch::Sender<bool>,
    stop: watch::Sender<bool>,
    asked: mpsc::UnboundedReceiver<()>,
    _folder: TempDir,
}

impl Node {
    fn new(first: bool, answers: impl IntoIterator<Item = Answer>) -> Self {
        Self::with(first, answers, Cadence::every(Duration::from_millis(20)), Arc::new(SystemClock::new()))
    }

    fn with(
        first: bool,
        answers: impl IntoIterator<Item = Answer>,
        every: Cadence,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let prices = Arc::new(PriceStore::open(&folder.path().join("prices"), Options::default()).unwrap());
        let (told, asked) = mpsc::unbounded_channel();
        let source = Scripted { answers: Mutex::new(answers.into_iter().collect()), asked: told };
        let settings = PullSettings {
            name: "erp".to_owned(),
            source: Arc::new(source),
            called: ShopId::new("prices").unwrap(),
            time_out: Duration::from_secs(5),
            lists: vec!["ERP-*".to_owned()],
            mode: PriceMode::Changes,
            every,
            snapshot: None,
            in_order: false,
            kept_in: folder.path().join("prices/sources/erp.json"),
        };
        let pull = Arc::new(Pull::new(settings, prices, clock.clone()));
        let watching = Arc::new(Watching::new(Arc::new(Metrics::new()), clock.clone(), Vec::new()));
        let around = Around { store: Arc::new(MemoryStore::new()), clock, watching };
        let (first, stop) = (watch::channel(first).0, watch::channel(false).0);
        Self { pull, around, first, stop, asked, _folder: folder }
    }

    fn runs(&self) -> tokio::task::JoinHandle<()> {
        let turn = Turn { first: self.first.subscribe(), stop: self.stop.subscribe() };
        tokio::spawn(keep(self.pull.clone(), self.around.clone(), turn))
    }
}

#[tokio::test]
async fn a_source_is_asked_by_the_node_whose_turn_it_is_and_by_no_other() {
    let (mut one, mut two) = (Node::new(true, []), Node::new(false, []));
    let running = [one.runs(), two.runs()];
    for _ in 0..5 {
        one.asked.recv().await.unwrap();
    }
    assert!(two.asked.try_recv().is_err(), "both ask");
    two.first.send_replace(true);
    two.asked.recv().await.unwrap();
    for node in [&one, &two] {
        node.stop.send_replace(true);
    }
    for one in running {
        one.await.unwrap();
    }
}

/// The point behind what was refused is kept, and the next run begins there.
#[tokio::test]
async fn what_is_refused_is_said_though_the_next_answer_does_not_come() {
    let down = Fault::new(FaultKind::Transient, "connect", "nobody listens");
    let mut node = Node::new(true, [Ok(("LIST-EUR,A,5\n", true)), Err(down)]);
    let running = node.runs();
    // The third question is of the next run.
    for _ in 0..3 {
        node.asked.recv().await.unwrap();
    }
    node.stop.send_replace(true);
    running.await.unwrap();
    let page = node.around.watching.metrics().encode();
    let line = "tidegate_notices_total{notice=\"prices_refused\",severity=\"ticket\"} 1";
    assert!(page.contains(line), "{page}");
}

#[tokio::test]
async fn a_nightly_source_that_was_down_for_a_moment_is_asked_again_in_the_same_night() {
    let down = || Err(Fault::new(FaultKind::Transient, "connect", "nobody listens"));
    let clock = Arc::new(Turned(Mutex::new("2026-11-26T01:00:00Z".parse().unwrap())));
    let every = Cadence::parse("30 2 * * * UTC").unwrap();
    let mut node =
        Node::with(true, [down(), down(), Ok(("ERP-1,A,5\n", false)), down()], every, clock.clone());
    let mut said = Said::before(&node.pull, clock.now().wall);
    for (time, questions) in [
        ("02:29:59", 0),
        ("02:30:20", 1),
        ("02:31:00", 0),
        ("02:31:30", 1),
        ("02:32:40", 0),
        ("02:33:40", 1),
        ("02:55:00", 0),
        ("10:00:00", 0),
    ] {
        let now = format!("2026-11-26T{time}Z").parse().unwrap();
        *clock.0.lock().unwrap() = now;
        look(&node.pull, &node.around, now, &mut said).await;
        let asked = std::iter::from_fn(|| node.asked.try_recv().ok()).count();
        assert_eq!(asked, questions, "{time}");
    }
    // Another life of the hub knows that the last question failed.
    for (time, questions) in [("02:30:20", 1), ("02:30:21", 1), ("02:30:22", 0)] {
        let now = format!("2026-11-27T{time}Z").parse().unwrap();
        *clock.0.lock().unwrap() = now;
        let mut said = Said::before(&node.pull, now);
        look(&node.pull, &node.around, now, &mut said).await;
        let asked = std::iter::from_fn(|| node.asked.try_recv().ok()).count();
        assert_eq!(asked, questions, "{time}");
    }
}
