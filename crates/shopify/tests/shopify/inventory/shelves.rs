//! Against the look-alike's stock: it takes a call whole or not at all, compares, and remembers keys as Shopify does.

use super::{call_key, connected, known, next, wanted};
use crate::support::{call, config, connection, noon, ports};
use async_trait::async_trait;
use connector::contract::{CuttingProxy, Fixture, Trouble};
use connector::descriptor::Descriptor;
use connector::port::{Applied, CallContext, Connector, Held, Observation, Plan, Step, Together, Wanted};
use kernel::fault::{Fault, FaultKind, Reference};
use kernel::id::ShopId;
use kernel::key::CallKey;
use kernel::subject::Subject;
use serde_json::json;
use std::net::SocketAddr;
use std::sync::Arc;
use tidegate_shopify::graphql::{ShopClient, ShopConnection, Shops};
use tidegate_shopify::target::connect;
use twin::shop::catalogue::generated;
use twin::shop::{Mix, What, Workload, WorkloadConfig};
use twin::shopify::{ShopClock, ShopConfig, ShopifyTwin, StockConfig};

struct Shelves {
    twin: ShopifyTwin,
    clock: ShopClock,
}

fn stocked(stock: StockConfig) -> ShopConfig {
    ShopConfig { stock, ..config() }
}

impl Shelves {
    async fn start(stock: StockConfig) -> Self {
        let config = stocked(stock);
        let clock = config.clock.clone();
        Self { twin: ShopifyTwin::start(config).await.unwrap(), clock }
    }

    async fn full() -> Self {
        Self::start(StockConfig { generated: 6000, available: 10, ..StockConfig::default() }).await
    }

    fn connector(&self) -> Arc<dyn Connector> {
        connected(self.twin.url(), &self.clock, json!({}))
    }

    fn available(&self, sku: &str) -> i64 {
        self.twin.stock(sku, "WH-1").unwrap().available
    }
}

fn gen_wanted(number: u32, available: i64) -> Wanted {
    wanted(&generated::sku(number), "Warehouse 1", available, None)
}

/// What each is to become next, of those that are not what is wanted.
async fn steps(connector: &dyn Connector, wanted: &[Wanted], round: usize) -> Vec<(CallKey, Step)> {
    let observed = connector.observe_many(&call(), wanted).await;
    let plans = wanted.iter().zip(&observed);
    let mut steps = Vec::new();
    for (number, (wanted, observed)) in plans.enumerate() {
        match connector.plan(wanted, observed.as_ref().unwrap()) {
            Plan::Next(step) => steps.push((call_key(round * 1000 + number), step)),
            Plan::Done(_) => {}
            Plan::NotAllowed(fault) => panic!("{fault}"),
        }
    }
    steps
}

fn count(answers: &[Result<Applied, Fault>], kind: Option<FaultKind>) -> usize {
    answers.iter().filter(|answer| answer.as_ref().err().map(|fault| fault.kind) == kind).count()
}

#[tokio::test]
async fn two_hundred_and_fifty_go_in_one_call_and_one_that_is_stale_holds_up_nobody() {
    let shelves = Shelves::full().await;
    let connector = shelves.connector();
    let mut wanted: Vec<Wanted> = (1..=250).map(|number| gen_wanted(number, 7)).collect();
    let calls = steps(&*connector, &wanted, 0).await;
    assert_eq!(calls.len(), 250);
    let answers = connector.apply_many(&call(), &calls).await;
    assert_eq!((count(&answers, None), shelves.twin.stock_counts().calls), (250, 1));
    for (wanted, answer) in wanted.iter_mut().zip(answers) {
        let applied = answer.unwrap();
        wanted.body["available"] = json!(5);
        wanted.known = applied.external;
    }
    // Now by their ids; one is changed by hand between the look and the write.
    let calls = steps(&*connector, &wanted, 1).await;
    shelves.twin.set_by_hand(&generated::sku(13), "WH-1", 6).unwrap();
    let answers = connector.apply_many(&call(), &calls).await;
    assert_eq!(
        (count(&answers, Some(FaultKind::Conflict)), count(&answers, Some(FaultKind::Throttled))),
        (1, 249)
    );
    assert_eq!(shelves.available(&generated::sku(1)), 7, "all or none");
    let calls = steps(&*connector, &wanted, 2).await;
    assert_eq!(count(&connector.apply_many(&call(), &calls).await, None), 250);
    assert!((1..=250).all(|number| shelves.available(&generated::sku(number)) == 5));
    assert!(steps(&*connector, &wanted, 3).await.is_empty(), "and nothing is left to do");
    let counts = shelves.twin.stock_counts();
    assert_eq!((counts.calls, counts.stale, counts.refused), (3, 1, 0));
}

#[tokio::test]
async fn an_answer_that_was_cut_off_is_looked_up_and_a_call_made_again_is_one_call() {
    let shelves = Shelves::full().await;
    let at = shelves.twin.url().trim_start_matches("http://").parse().unwrap();
    let proxy = CuttingProxy::start(at, |_| false).await.unwrap();
    let connector = connected(&format!("http://{}", proxy.address()), &shelves.clock, json!({}));
    let wanted: Vec<Wanted> = (1..=20).map(|number| gen_wanted(number, 7)).collect();
    let mut calls = steps(&*connector, &wanted, 0).await;
    proxy.set(Trouble::CutAnswer { after_bytes: 100 });
    let answers = connector.apply_many(&call(), &calls).await;
    assert_eq!(count(&answers, Some(FaultKind::Ambiguous)), 20);
    proxy.set(Trouble::Pass);
    // Whoever makes the same call again, in whatever order, makes none.
    calls.reverse();
    shelves.twin.set_by_hand(&generated::sku(1), "WH-1", 3).unwrap();
    let answers = connector.apply_many(&call(), &calls).await;
    assert_eq!(count(&answers, None), 20);
    let counts = shelves.twin.stock_counts();
    assert_eq!((counts.calls, counts.repeated, counts.sets), (1, 1, 20));
    assert_eq!(shelves.available(&generated::sku(1)), 3, "and it does nothing a second time");
    // Looked up: all but the one that somebody changed since are done.
    assert_eq!(steps(&*connector, &wanted, 1).await.len(), 1);
}

#[tokio::test]
async fn what_is_sold_between_the_look_and_the_write_stays_sold() {
    let config = stocked(StockConfig { available: 10, ..StockConfig::default() });
    let clock = config.clock.clone();
    let mut workload = Workload::new(WorkloadConfig {
        seed: 7,
        orders: 1,
        first_number: 1,
        start: noon(),
        interval_ms: 1000,
        shop: Arc::new(config.profile.clone()),
        mix: Mix::plain(),
    });
    let shelves = Shelves { twin: ShopifyTwin::start(config).await.unwrap(), clock };
    let change = workload.next().map(|(_, change)| change).unwrap();
    let What::Place(order) = &change.what else { panic!("an order is placed first") };
    let sku = order.lines.iter().find_map(|line| line.sku.clone()).unwrap();
    let connector = shelves.connector();
    // The source has 40 and has counted none of the shop's orders.
    let wanted = wanted(&sku, "Warehouse 1", 40, Some(0));
    let calls = steps(&*connector, std::slice::from_ref(&wanted), 0).await;
    shelves.twin.apply(&change).unwrap();
    let levels = shelves.twin.stock(&sku, "WH-1").unwrap();
    assert!(levels.committed > 0 && levels.available == 10 - levels.committed);
    let answers = connector.apply_many(&call(), &calls).await;
    assert_eq!(count(&answers, Some(FaultKind::Conflict)), 1);
    let calls = steps(&*connector, std::slice::from_ref(&wanted), 1).await;
    assert_eq!(count(&connector.apply_many(&call(), &calls).await, None), 1);
    assert_eq!(shelves.available(&sku), 40 - levels.committed);
    // The source has counted them by now, and lowered its own figure.
    let mut counted = wanted.clone();
    counted.body["available"] = json!(40 - levels.committed);
    counted.body["counted"] = json!(levels.committed);
    assert!(steps(&*connector, &[counted], 2).await.is_empty());
}

#[tokio::test]
async fn an_item_is_stocked_where_the_source_has_it_and_found_again_when_it_was_made_anew() {
    let shelves = Shelves::start(StockConfig { generated: 3, stocked_at: 1, ..StockConfig::default() }).await;
    let connector = shelves.connector();
    let sku = generated::sku(2);
    assert!(shelves.twin.stock(&sku, "WH-2").is_none());
    let wanted = wanted(&sku, "Warehouse 2", 12, None);
    let mut observation = connector.observe(&call(), &wanted).await.unwrap();
    let mut external = None;
    for (round, name) in ["activate", "set"].into_iter().enumerate() {
        let step = next(&*connector, &wanted, &observation);
        assert_eq!(step.name, name);
        let applied = connector.apply(&call(), &call_key(round), &step).await.unwrap();
        (observation, external) = (applied.observation.unwrap(), applied.external);
    }
    assert_eq!(shelves.twin.stock(&sku, "WH-2").unwrap().available, 12);
    // A person takes it off the location.
    shelves.twin.set_stocked(&sku, "WH-2", false).unwrap();
    let known_before = Wanted { known: external, ..wanted.clone() };
    let observation = connector.observe(&call(), &known_before).await.unwrap();
    assert_eq!(next(&*connector, &known_before, &observation).name, "activate");
    // The level that we knew is of an item that is no more.
    let gone = known(wanted, "gid://shopify/InventoryLevel/72212345679?inventory_item_id=999");
    let observation = connector.observe(&call(), &gone).await.unwrap();
    assert_eq!(next(&*connector, &gone, &observation).name, "activate");
}

#[tokio::test]
async fn an_unknown_sku_among_many_is_named_and_the_others_are_set() {
    let shelves = Shelves::full().await;
    let connector = shelves.connector();
    let mut wanted: Vec<Wanted> = (1..=5).map(|number| gen_wanted(number, 7)).collect();
    wanted[2].body["sku"] = json!("gen-000003");
    let observed = connector.observe_many(&call(), &wanted).await;
    let plans: Vec<Plan> = wanted
        .iter()
        .zip(&observed)
        .map(|(wanted, observed)| connector.plan(wanted, observed.as_ref().unwrap()))
        .collect();
    let Plan::NotAllowed(fault) = &plans[2] else { panic!("{:?}", plans[2]) };
    assert_eq!(fault.missing, Some(Reference { kind: "sku".into(), value: "gen-000003".into() }));
    assert!(fault.message.contains("GEN-000003"), "{}", fault.message);
    assert_eq!(plans.iter().filter(|plan| matches!(plan, Plan::Next(_))).count(), 4);
}

/// The contract, with the flow's word that stock is looked at first: an order need not be.
#[derive(Debug)]
struct LooksFirst(Arc<dyn Connector>, Descriptor);

#[async_trait]
impl Connector for LooksFirst {
    fn descriptor(&self) -> &Descriptor {
        &self.1
    }
    fn together(&self, kind: &str) -> Option<Together> {
        self.0.together(kind)
    }
    async fn health(&self, call: &CallContext) -> Result<(), Fault> {
        self.0.health(call).await
    }
    async fn observe(&self, call: &CallContext, wanted: &Wanted) -> Result<Observation, Fault> {
        self.0.observe(call, wanted).await
    }
    fn plan(&self, wanted: &Wanted, observed: &Observation) -> Plan {
        self.0.plan(wanted, observed)
    }
    fn held(&self, observed: &Observation) -> Option<Held> {
        self.0.held(observed)
    }
    async fn apply(&self, call: &CallContext, key: &CallKey, step: &Step) -> Result<Applied, Fault> {
        self.0.apply(call, key, step).await
    }
    async fn exists(&self, call: &CallContext, reference: &Reference) -> Result<bool, Fault> {
        self.0.exists(call, reference).await
    }
}

fn contract_shop() -> ShopId {
    ShopId::new("contract").unwrap()
}

fn of_contract(wanted: Wanted) -> Wanted {
    let subject = Subject { shop: contract_shop(), path: wanted.subject.path.clone() };
    Wanted { subject, ..wanted }
}

#[async_trait]
impl Fixture for Shelves {
    fn target(&self) -> SocketAddr {
        self.twin.url().trim_start_matches("http://").parse().unwrap()
    }
    fn connector(&self, at: SocketAddr) -> Arc<dyn Connector> {
        let connection = ShopConnection { id: contract_shop(), ..connection(&format!("http://{at}")) };
        let client = ShopClient::connect(connection, ports(&self.clock)).unwrap();
        let inner = connect(&super::settings(json!({})), Shops::new([client])).unwrap();
        let descriptor = Descriptor { observe_first: true, ..inner.descriptor().clone() };
        Arc::new(LooksFirst(inner, descriptor))
    }
    fn wanted(&self, number: u32) -> Wanted {
        of_contract(gen_wanted(number + 1, 7))
    }
    fn changed(&self, wanted: &Wanted) -> Option<Wanted> {
        let mut changed = wanted.clone();
        changed.body["available"] = json!(6);
        Some(changed)
    }
    fn with_missing_reference(&self, number: u32) -> Option<Wanted> {
        let mut wanted = Fixture::wanted(self, number);
        wanted.body["sku"] = json!("no such SKU");
        Some(wanted)
    }
    fn references(&self) -> Option<(Reference, Reference)> {
        let sku = |value: &str| Reference { kind: "sku".into(), value: value.to_owned() };
        Some((sku("GEN-000001"), sku("GEN-X")))
    }
    async fn count(&self, wanted: &Wanted) -> usize {
        let text = |name: &str| wanted.body[name].as_str().unwrap_or_default();
        let levels = self.twin.stock(text("sku"), text("location"));
        usize::from(levels.is_some_and(|levels| wanted.body["available"] == levels.available))
    }
}

#[tokio::test]
async fn the_contract_is_kept() {
    let shelves = Shelves::full().await;
    connector::contract::run(&shelves).await.assert_kept();
}
