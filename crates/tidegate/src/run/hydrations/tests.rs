//! When a run begins and why, on a clock that is turned, with a shop that writes down what it was asked.

use super::*;
use api::admin::{HydrateError, history};
use async_trait::async_trait;
use kernel::clock::Mono;
use price_store::{LoadRequest, Mode, Options, PriceStore};
use serde_json::{Value, json};
use std::sync::Mutex;
use store::MemoryStore;
use telemetry::Metrics;

#[derive(Debug)]
struct Turned(Mutex<Timestamp>);

impl Turned {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }

    fn to(&self, at: &str) {
        *self.0.lock().unwrap() = at.parse().unwrap();
    }
}

impl Clock for Turned {
    fn now(&self) -> Now {
        let wall = self.now();
        Now { wall, mono: Mono(u64::try_from(wall.as_nanosecond()).unwrap()) }
    }
}

/// What a run is to answer, and how each was asked.
#[derive(Debug)]
struct Asked {
    id: ShopId,
    how: Mutex<Vec<Hydrating>>,
    answer: Mutex<Result<Value, &'static str>>,
}

#[async_trait]
impl Hydrate for Asked {
    fn shop(&self) -> &ShopId {
        &self.id
    }

    async fn run(
        &self,
        prices: &PriceStore,
        how: Hydrating,
        _: &mut (dyn FnMut(u64, u64) + Send),
    ) -> Result<Value, HydrateError> {
        let answer = self.answer.lock().unwrap().clone();
        match answer {
            Ok(mut told) => {
                self.how.lock().unwrap().push(how);
                told["plan"]["version"] = prices.current().number().into();
                Ok(told)
            }
            Err("under way") => Err(HydrateError::under_way("another node")),
            Err(why) => {
                self.how.lock().unwrap().push(how);
                Err(HydrateError::new(why))
            }
        }
    }
}

struct World {
    due: Due,
    shop: Arc<Asked>,
    turned: Arc<Turned>,
    _folder: tempfile::TempDir,
}

impl World {
    fn new(settings: &str) -> Self {
        let turned = Arc::new(Turned(Mutex::new("2026-11-26T12:00:00Z".parse().unwrap())));
        let folder = tempfile::tempdir().unwrap();
        let prices = Arc::new(PriceStore::open(folder.path(), Options::default()).unwrap());
        let clock: Arc<dyn Clock> = turned.clone();
        let metrics = Arc::new(Metrics::new());
        let prices = Prices::new(prices, clock.clone(), Vec::new(), Vec::new(), None, metrics.clone());
        let shop = Arc::new(Asked {
            id: ShopId::new("acme").unwrap(),
            how: Mutex::default(),
            answer: Mutex::new(Ok(told(None))),
        });
        let due = Due {
            shop: shop.clone(),
            settings: settings_of(settings),
            prices: Arc::new(prices),
            store: Arc::new(MemoryStore::new()),
            clock: clock.clone(),
            watching: Arc::new(Watching::new(metrics, clock, Vec::new())),
            failed: None,
            not_before: None,
            refused: 0,
        };
        Self { due, shop, turned, _folder: folder }
    }

    /// At that instant it is looked; which runs were made since the last look, and why.
    async fn at(&mut self, at: &str) -> Vec<(bool, String)> {
        self.turned.to(at);
        let store = self.due.store.clone();
        let before = history(store.as_ref(), &self.shop.id, 1_000).await.unwrap().len();
        self.due.look().await.unwrap();
        let runs = history(store.as_ref(), &self.shop.id, 1_000).await.unwrap();
        runs[..runs.len() - before].iter().map(|run| (run.against_shop, run.why.clone())).collect()
    }

    fn loads(&self) {
        let store = self.due.prices.store();
        let now = self.turned.now();
        if store.current().terms_document().is_none() {
            let terms = "[[lists]]\nid = \"LIST\"\nkind = \"list\"\ncurrency = \"EUR\"\nfor = \"everyone\"\n";
            store.set_terms(terms.as_bytes(), "anna", false, now).unwrap();
        }
        let amount = store.current().number() + 10;
        let rows = format!("list,sku,price\nLIST,PUMP,{amount}\n");
        let request = LoadRequest {
            source: "erp".to_owned(),
            by: "anna".to_owned(),
            note: None,
            mode: Mode::Changes,
            dry_run: false,
        };
        let rows = price_store::read::csv(rows.as_bytes(), jiff::tz::TimeZone::UTC);
        store.load(request, rows, now).unwrap();
    }

    fn answers(&self, answer: Result<Value, &'static str>) {
        *self.shop.answer.lock().unwrap() = answer;
    }
}

fn told(ends: Option<&str>) -> Value {
    json!({
        "plan": { "counts": { "up": 2 }, "drift": 1, "largest_drift": "PUMP 10 → 1",
            "lists": [{ "prices": 5, "at_the_cart": { "cart": 3 }, "ends": ends }], "left_at_the_cart": [{}] },
        "written": { "calls": 1, "lines": 0, "points": 10 }, "refused": [], "unsettled": 0,
    })
}

fn settings_of(text: &str) -> Hydration {
    let is = |name: &str| text.split(' ').any(|word| word == name);
    let cadence = |name: &str| {
        let value = text.split(' ').find_map(|word| word.strip_prefix(name))?;
        Some(config::Setting::new(Cadence::parse(value).unwrap(), config::Origin::Default))
    };
    let flag = |value| config::Setting::new(value, config::Origin::Default);
    Hydration {
        at: config::Origin::Default,
        cadence: cadence("cadence="),
        after_load: flag(is("after_load")),
        when_prices_end: flag(is("when_prices_end")),
        against_shop: cadence("against="),
        lists: None,
        markets: None,
    }
}

fn because(why: Why) -> Vec<(bool, String)> {
    vec![(why == Why::AgainstShop, why.words().to_owned())]
}

#[tokio::test]
async fn a_run_begins_at_its_cadence_and_a_comparison_takes_its_place() {
    let mut world = World::new("cadence=1h against=24h");
    assert_eq!(world.at("2026-11-26T12:00:00Z").await, [], "the first comes when it is due after now");
    assert_eq!(world.at("2026-11-26T12:59:59Z").await, []);
    assert_eq!(world.at("2026-11-26T13:00:00Z").await, because(Why::Cadence));
    assert_eq!(world.at("2026-11-26T13:00:05Z").await, []);
    assert_eq!(world.at("2026-11-27T12:00:00Z").await, because(Why::AgainstShop), "one run does both");
    assert_eq!(world.at("2026-11-27T12:00:05Z").await, []);
    assert_eq!(world.at("2026-11-27T13:00:00Z").await, because(Why::Cadence));
    let how = world.shop.how.lock().unwrap().clone();
    assert_eq!(how.iter().map(|how| how.against_shop).collect::<Vec<_>>(), [false, true, false]);
    assert!(how.iter().all(|how| !how.dry_run));
    let kept = history(world.due.store.as_ref(), &world.shop.id, 1).await.unwrap().remove(0);
    assert_eq!(
        (kept.up, kept.points, kept.drift, kept.at_the_cart, kept.lists_at_the_cart),
        (2, 10, 1, 3, 1)
    );
    assert_eq!(kept.largest_drift.as_deref(), Some("PUMP 10 → 1"));
    let page = world.due.watching.metrics().encode();
    for line in [
        "tidegate_hydrations_total{shop=\"acme\",outcome=\"whole\"} 3",
        "tidegate_catalog_drift{shop=\"acme\"} 1",
        "tidegate_price_lists_at_the_cart{shop=\"acme\"} 1",
    ] {
        assert!(page.contains(line), "{line}: {page}");
    }
}

#[tokio::test]
async fn what_went_live_is_brought_out_once() {
    let mut world = World::new("after_load");
    assert_eq!(world.at("2026-11-26T12:00:00Z").await, [], "there are no terms yet");
    world.loads();
    assert_eq!(world.at("2026-11-26T12:00:05Z").await, because(Why::Load));
    assert_eq!(world.at("2026-11-26T12:00:10Z").await, []);
    world.loads();
    assert_eq!(world.at("2026-11-26T12:00:15Z").await, because(Why::Load));
}

#[tokio::test]
async fn a_run_begins_at_the_second_at_which_prices_end() {
    let mut world = World::new("after_load when_prices_end");
    world.loads();
    world.answers(Ok(told(Some("2026-11-26T12:00:12Z"))));
    assert_eq!(world.at("2026-11-26T12:00:10Z").await, because(Why::Load));
    assert_eq!(world.due.wait().await, Duration::from_secs(2), "it is not looked seconds too late");
    world.answers(Ok(told(None)));
    assert_eq!(world.at("2026-11-26T12:00:12Z").await, because(Why::PricesEnd));
    assert_eq!(world.at("2026-11-26T12:00:17Z").await, []);
    assert_eq!(world.due.wait().await, LOOK_EVERY);
}

#[tokio::test]
async fn a_run_that_failed_is_made_again_later_and_later_and_raises_a_ticket_each_time() {
    let mut world = World::new("cadence=24h");
    world.at("2026-11-26T12:00:00Z").await;
    world.answers(Err("the shop is locked"));
    let tried = because(Why::Cadence);
    assert_eq!(world.at("2026-11-27T12:00:00Z").await, tried);
    assert_eq!(world.at("2026-11-27T12:00:59Z").await, []);
    assert_eq!(world.at("2026-11-27T12:01:00Z").await, tried);
    assert_eq!(world.at("2026-11-27T12:02:59Z").await, []);
    assert_eq!(world.at("2026-11-27T12:03:00Z").await, tried);
    let page = world.due.watching.metrics().encode();
    let line = "tidegate_notices_total{notice=\"hydration_failed\",severity=\"ticket\"} 3";
    assert!(page.contains(line), "{page}");
    let kept = history(world.due.store.as_ref(), &world.shop.id, 1).await.unwrap().remove(0);
    assert_eq!((kept.failed.as_deref(), kept.up), (Some("the shop is locked"), 0));
    let mut left = told(None);
    left["unsettled"] = 4.into();
    world.answers(Ok(left));
    assert_eq!(world.at("2026-11-27T12:07:00Z").await, tried, "what is left is a failure too");
    world.answers(Ok(told(None)));
    assert_eq!(world.at("2026-11-27T12:15:00Z").await, tried);
    assert_eq!(world.at("2026-11-27T13:15:00Z").await, [], "it is whole");
}

#[tokio::test]
async fn a_run_that_failed_is_due_in_another_life_of_the_hub_too() {
    let mut world = World::new("cadence=24h against=48h");
    world.at("2026-11-26T12:00:00Z").await;
    for (day, why) in [("2026-11-27", Why::Cadence), ("2026-11-28", Why::AgainstShop)] {
        world.answers(Err("the shop is locked"));
        assert_eq!(world.at(&format!("{day}T12:00:00Z")).await, because(why));
        // As a process that starts anew has it, and another node whose turn comes.
        (world.due.failed, world.due.not_before) = (None, None);
        world.answers(Ok(told(None)));
        assert_eq!(world.at(&format!("{day}T12:00:30Z")).await, because(why), "it waits for its next time");
        assert_eq!(world.at(&format!("{day}T12:00:35Z")).await, []);
    }
}

#[tokio::test]
async fn what_shopify_refuses_raises_a_ticket_once_as_long_as_it_is_as_much() {
    let mut world = World::new("cadence=1h");
    world.at("2026-11-26T12:00:00Z").await;
    for (hour, refused, tickets) in [(13, 2, 1), (14, 2, 1), (15, 3, 2), (16, 0, 2), (17, 3, 3)] {
        let mut some = told(None);
        some["refused"] = vec![json!({ "code": "PRICE_LIST_LOCKED" }); refused].into();
        world.answers(Ok(some));
        assert_eq!(world.at(&format!("2026-11-26T{hour}:00:00Z")).await, because(Why::Cadence));
        let page = world.due.watching.metrics().encode();
        let line =
            format!("tidegate_notices_total{{notice=\"hydration_failed\",severity=\"ticket\"}} {tickets}");
        assert!(page.contains(&line), "{hour}: {page}");
    }
}

#[tokio::test]
async fn the_gauges_of_a_hub_that_starts_say_what_the_last_whole_runs_said() {
    let mut world = World::new("cadence=24h against=48h");
    world.at("2026-11-26T12:00:00Z").await;
    for (day, answer) in [(28, Ok(told(None))), (29, Ok(told(None))), (30, Err("the shop is locked"))] {
        world.answers(answer);
        world.at(&format!("2026-11-{day}T12:00:00Z")).await;
    }
    let metrics = Arc::new(Metrics::new());
    let watching = Arc::new(Watching::new(metrics.clone(), world.due.clock.clone(), Vec::new()));
    gauges(world.due.store.clone(), watching, vec![world.shop.id.clone()]).await;
    let page = metrics.encode();
    let began: Timestamp = "2026-11-29T12:00:00Z".parse().unwrap();
    for line in [
        format!("tidegate_hydrated_last_seconds{{shop=\"acme\"}} {}", began.as_second()),
        "tidegate_catalog_drift{shop=\"acme\"} 1".to_owned(),
    ] {
        assert!(page.contains(&line), "{line}: {page}");
    }
}

#[tokio::test]
async fn a_run_beside_another_one_waits_and_leaves_no_trace() {
    let mut world = World::new("after_load");
    world.loads();
    world.answers(Err("under way"));
    assert_eq!(world.at("2026-11-26T12:00:05Z").await, []);
    world.answers(Ok(told(None)));
    assert_eq!(world.at("2026-11-26T12:00:10Z").await, []);
    assert_eq!(world.at("2026-11-26T12:00:15Z").await, because(Why::Load));
}
