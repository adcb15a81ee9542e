//! A cart and a system that answers, answers late, lies and comes back; by a clock that the tests turn.

use super::*;
use jiff::Timestamp;
use kernel::clock::{Mono, Now};
use kernel::money::Currency;
use std::collections::VecDeque;
use tokio::sync::oneshot;

#[derive(Debug, Default)]
struct Turned(AtomicU64);

impl Clock for Turned {
    fn now(&self) -> Now {
        Now { wall: Timestamp::UNIX_EPOCH, mono: Mono(self.0.load(Ordering::Relaxed)) }
    }
}

type Answer = Result<Vec<Option<Decimal>>, String>;

/// Says what it is told to say, when it is told.
#[derive(Debug, Default)]
struct Erp {
    asked: Mutex<Vec<Vec<Wanted>>>,
    answers: Mutex<VecDeque<oneshot::Receiver<Answer>>>,
}

#[async_trait]
impl Quotes for Erp {
    async fn ask(&self, wanted: &[Wanted]) -> Answer {
        self.asked.lock().unwrap().push(wanted.to_vec());
        let next = self.answers.lock().unwrap().pop_front();
        match next {
            Some(answer) => answer.await.unwrap_or_else(|_| Err("gone".to_owned())),
            None => std::future::pending().await,
        }
    }
}

struct Stage {
    erp: Arc<Erp>,
    clock: Arc<Turned>,
    live: Arc<Live>,
}

impl Stage {
    fn new() -> Self {
        Self::with(8)
    }

    /// So many questions may be under way.
    fn with(concurrency: u32) -> Self {
        let (erp, clock) = (Arc::<Erp>::default(), Arc::<Turned>::default());
        let settings = LiveSettings {
            system: "erp".to_owned(),
            quotes: erp.clone(),
            goods: Goods::parse(&["CFG-*"]).unwrap(),
            deadline: Duration::from_millis(150),
            fresh: Duration::from_secs(30),
            stale: Duration::from_secs(600),
            concurrency,
        };
        let live = Live::new(settings, clock.clone());
        Self { erp, clock, live }
    }

    /// The next question's answer, to be given.
    fn next(&self) -> oneshot::Sender<Answer> {
        let (give, answer) = oneshot::channel();
        self.erp.answers.lock().unwrap().push_back(answer);
        give
    }

    fn says(&self, answer: Answer) {
        self.next().send(answer).unwrap();
    }

    fn later(&self, seconds: u64) {
        self.clock.0.fetch_add(seconds * 1_000_000_000, Ordering::Relaxed);
    }

    fn questions(&self) -> usize {
        self.erp.asked.lock().unwrap().len()
    }
}

fn wanted(sku: &str) -> Wanted {
    Wanted {
        company_location: Some("L-1".into()),
        currency: Currency::from_code("EUR").unwrap(),
        sku: sku.into(),
        quantity: Decimal::ONE,
        unit: "C62".into(),
    }
}

fn price(text: &str) -> Answer {
    Ok(vec![Some(text.parse().unwrap())])
}

fn told(text: &str, age_s: u64) -> Vec<Quote> {
    vec![Quote::Told { unit_price: text.parse().unwrap(), age: Duration::from_secs(age_s) }]
}

fn fallback(why: &str) -> Vec<Quote> {
    vec![Quote::Fallback(why.to_owned())]
}

/// The time of tokio is paused: a wait ends when nothing else can go on.
#[tokio::test(start_paused = true)]
async fn an_answer_counts_for_a_moment_and_then_while_it_is_asked_again() {
    let stage = Stage::new();
    let cart = [wanted("CFG-1")];
    stage.says(price("12.5"));
    assert_eq!(stage.live.quotes(&cart).await, told("12.5", 0));
    stage.later(29);
    assert_eq!(stage.live.quotes(&cart).await, told("12.5", 29));
    assert_eq!(stage.questions(), 1);
    // A while ago: it counts at once, and is asked for again behind the cart's back.
    stage.later(10);
    let answer = stage.next();
    assert_eq!(stage.live.quotes(&cart).await, told("12.5", 39));
    answer.send(price("13")).unwrap();
    tokio::task::yield_now().await;
    tokio::task::yield_now().await;
    assert_eq!(stage.live.quotes(&cart).await, told("13", 0));
    assert_eq!((stage.questions(), stage.live.counts().stale), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn a_cart_waits_no_longer_than_the_deadline_and_the_next_one_finds_the_answer() {
    let stage = Stage::new();
    let cart = [wanted("CFG-1")];
    let answer = stage.next();
    assert_eq!(stage.live.quotes(&cart).await, fallback("erp did not answer in 150 ms"));
    // Whoever asks meanwhile waits for the same question.
    assert_eq!(stage.live.quotes(&cart).await, fallback("erp did not answer in 150 ms"));
    assert_eq!(stage.questions(), 1);
    answer.send(price("7")).unwrap();
    tokio::task::yield_now().await;
    tokio::task::yield_now().await;
    assert_eq!(stage.live.quotes(&cart).await, told("7", 0));
    assert_eq!((stage.questions(), stage.live.counts().fallback), (1, 2));
}

#[tokio::test(start_paused = true)]
async fn one_that_lies_is_not_believed_and_one_that_fails_again_and_again_is_left_alone() {
    let stage = Stage::new();
    let lies = [Ok(Vec::new()), price("-1"), price("0.0000001"), Err("500".to_owned()), Ok(vec![None, None])];
    for (index, lie) in lies.into_iter().enumerate() {
        stage.says(lie);
        assert_eq!(stage.live.quotes(&[wanted("CFG-1")]).await, fallback("erp failed"), "{index}");
    }
    assert_eq!(stage.live.counts().failures, 5);
    // Nobody waits for it any more.
    let alone = fallback("erp did not answer before and is left alone for a moment");
    assert_eq!(stage.live.quotes(&[wanted("CFG-1")]).await, alone);
    assert!(stage.live.is_open());
    assert_eq!(stage.questions(), 5);
    // It is back.
    stage.later(1);
    stage.says(price("3"));
    assert_eq!(stage.live.quotes(&[wanted("CFG-1")]).await, told("3", 0));
    assert!(!stage.live.is_open());
}

#[tokio::test(start_paused = true)]
async fn what_was_said_counts_on_while_the_system_hangs_and_not_for_ever() {
    let stage = Stage::new();
    let cart = [wanted("CFG-1")];
    stage.says(price("5"));
    stage.live.quotes(&cart).await;
    stage.later(599);
    assert_eq!(stage.live.quotes(&cart).await, told("5", 599));
    stage.later(1);
    assert_eq!(stage.live.quotes(&cart).await, fallback("erp did not answer in 150 ms"));
}

#[tokio::test(start_paused = true)]
async fn one_buyers_price_is_never_anothers() {
    let stage = Stage::new();
    stage.says(price("5"));
    stage.live.quotes(&[wanted("CFG-1")]).await;
    let others = [
        Wanted { company_location: Some("L-2".into()), ..wanted("CFG-1") },
        Wanted { company_location: None, ..wanted("CFG-1") },
        Wanted { quantity: Decimal::TWO, ..wanted("CFG-1") },
        Wanted { currency: Currency::from_code("USD").unwrap(), ..wanted("CFG-1") },
        Wanted { unit: "CS".into(), ..wanted("CFG-1") },
    ];
    for other in others {
        stage.says(price("6"));
        assert_eq!(stage.live.quotes(std::slice::from_ref(&other)).await, told("6", 0), "{other:?}");
    }
    assert_eq!(stage.questions(), 6);
}

#[tokio::test(start_paused = true)]
async fn a_system_that_hangs_is_asked_no_more_than_so_often_at_once() {
    let stage = Stage::with(1);
    let answer = stage.next();
    let hangs = stage.live.quotes(&[wanted("CFG-1")]).await;
    assert_eq!(hangs, fallback("erp did not answer in 150 ms"));
    assert_eq!(stage.live.quotes(&[wanted("CFG-2")]).await, fallback("erp has too many questions under way"));
    assert_eq!(stage.questions(), 1);
    // Once it has answered there is room again.
    answer.send(price("7")).unwrap();
    tokio::task::yield_now().await;
    tokio::task::yield_now().await;
    stage.says(price("8"));
    assert_eq!(stage.live.quotes(&[wanted("CFG-2")]).await, told("8", 0));
}

/// Breaks off on the first question, and answers the next.
#[derive(Debug, Default)]
struct Broken(AtomicU64);

#[async_trait]
impl Quotes for Broken {
    async fn ask(&self, _: &[Wanted]) -> Answer {
        assert!(self.0.fetch_add(1, Ordering::Relaxed) > 0, "it breaks off");
        price("9")
    }
}

#[tokio::test(start_paused = true)]
async fn a_question_that_breaks_off_is_asked_again_by_the_next_cart() {
    let stage = Stage::new();
    let settings = LiveSettings { quotes: Arc::<Broken>::default(), ..stage.live.settings.clone() };
    let live = Live::new(settings, stage.clock.clone());
    assert_eq!(live.quotes(&[wanted("CFG-1")]).await, fallback("erp failed"));
    assert_eq!(live.quotes(&[wanted("CFG-1")]).await, told("9", 0));
}

#[test]
fn what_was_said_is_forgotten_before_it_fills_the_memory_and_what_is_asked_for_is_not() {
    let (mut known, counts) = (known::Known::default(), Duration::from_secs(600));
    let lines: Vec<Wanted> = (0..known::LINES_MAX).map(|i| wanted(&format!("CFG-{i}"))).collect();
    let all: Vec<&Wanted> = lines.iter().collect();
    let at = |seconds: u64| Mono(seconds * 1_000_000_000);
    let begun = known.begin(&all, at(0), counts);
    assert_eq!(begun.len(), known::LINES_MAX);
    // All but the last are answered; that one is still asked for.
    let said: Vec<Option<Decimal>> = vec![Some(Decimal::ONE); begun.len() - 1];
    known.end(&begun[..said.len()], Some(&said), at(0));
    let one_more = wanted("CFG-more");
    known.begin(&[&one_more], at(1), counts);
    assert!(known.said(&lines[0], at(1), counts).is_none(), "nothing was forgotten");
    assert!(known.is_asked_for(&one_more) && known.is_asked_for(lines.last().unwrap()));
}
