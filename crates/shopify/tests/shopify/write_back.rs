//! The connector `shopify`, on the contract that every connector passes and beyond it.

use crate::support::{acme, call, config, connection, noon, ports};
use async_trait::async_trait;
use connector::contract::Fixture;
use connector::descriptor::Direction;
use connector::port::{Connector, Observation, Observed, Plan, Stage, Wanted};
use connector::settings::Settings;
use kernel::fault::FaultKind;
use kernel::flow::{AfterConfirm, Difference};
use kernel::id::ShopId;
use kernel::key::{CallKey, ObjectKey};
use kernel::subject::Subject;
use secrecy::SecretString;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use tidegate_shopify::graphql::{ShopAccess, ShopClient, ShopConnection, Shops};
use tidegate_shopify::write_back::{SCHEMA, SCHEMA_NAME, connect, describe};
use twin::shop::{Mix, Order, What, Workload, WorkloadConfig};
use twin::shopify::{ShopClock, ShopConfig, ShopifyTwin};

const NAMESPACE: &str = "$app:tidegate";

fn settings(value: Value) -> Settings {
    let Value::Object(table) = value else { panic!("a table") };
    Settings::new(table.into_iter().collect(), BTreeMap::new())
}

fn wanted(shop: &ShopId, id: u64, number: Option<&str>, state: Option<&str>) -> Wanted {
    let subject = Subject::new(shop.clone(), "order", &id.to_string());
    Wanted {
        object_key: ObjectKey::of(&subject),
        subject,
        body: json!({ "erp": { "number": number, "state": state } }),
        stage: Stage::Present,
        after_confirm: AfterConfirm::default(),
        difference: Difference::default(),
        known: None,
        also_known_as: Vec::new(),
    }
}

fn template(config: &ShopConfig) -> Order {
    let mut workload = Workload::new(WorkloadConfig {
        seed: 3,
        orders: 1,
        first_number: 1,
        start: noon(),
        interval_ms: 1000,
        shop: Arc::new(config.profile.clone()),
        mix: Mix::plain(),
    });
    match workload.next().map(|(_, change)| change.what) {
        Some(What::Place(order)) => *order,
        other => panic!("an order is placed first, not {other:?}"),
    }
}

struct Shop {
    twin: ShopifyTwin,
    clock: ShopClock,
    template: Order,
}

impl Shop {
    async fn start() -> Self {
        let config = config();
        let (clock, template) = (config.clock.clone(), template(&config));
        Self { twin: ShopifyTwin::start(config).await.unwrap(), clock, template }
    }

    /// An order of that id, placed when it is asked for first.
    fn order(&self, id: u64) -> u64 {
        if self.twin.order(id).is_none() {
            self.twin.place(Order { id, ..self.template.clone() }).unwrap();
        }
        id
    }

    fn field(&self, id: u64, key: &str) -> Option<String> {
        self.twin.order(id)?.metafield(NAMESPACE, key).map(|field| field.value.clone())
    }

    fn connector_of(&self, shop: &ShopId, url: &str) -> Arc<dyn Connector> {
        self.connected(shop, url, json!({}))
    }

    fn connected(&self, shop: &ShopId, url: &str, with: Value) -> Arc<dyn Connector> {
        let connection = ShopConnection { id: shop.clone(), ..connection(url) };
        let client = ShopClient::connect(connection, ports(&self.clock)).unwrap();
        connect(&settings(with), Shops::new([client])).unwrap()
    }

    fn tags(&self, id: u64) -> Vec<String> {
        self.twin.order(id).unwrap().tags.clone()
    }
}

fn contract_shop() -> ShopId {
    ShopId::new("contract").unwrap()
}

#[async_trait]
impl Fixture for Shop {
    fn target(&self) -> SocketAddr {
        self.twin.url().trim_start_matches("http://").parse().unwrap()
    }

    fn connector(&self, at: SocketAddr) -> Arc<dyn Connector> {
        self.connector_of(&contract_shop(), &format!("http://{at}"))
    }

    fn wanted(&self, number: u32) -> Wanted {
        let id = self.order(u64::from(number));
        wanted(&contract_shop(), id, Some(&format!("SO-{number}")), Some("processing"))
    }

    fn changed(&self, wanted: &Wanted) -> Option<Wanted> {
        let mut changed = wanted.clone();
        changed.body["erp"]["state"] = json!("done");
        Some(changed)
    }

    async fn count(&self, wanted: &Wanted) -> usize {
        let order = self.twin.order(wanted.subject.key().parse().unwrap()).unwrap();
        order
            .metafields
            .iter()
            .filter(|field| field.namespace == NAMESPACE && field.key == "erp_number")
            .count()
    }
}

#[tokio::test]
async fn the_contract_is_kept() {
    connector::contract::run(&Shop::start().await).await.assert_kept();
}

/// The same shop, with the state as a tag too.
struct Tagging(Shop);

#[async_trait]
impl Fixture for Tagging {
    fn target(&self) -> SocketAddr {
        self.0.target()
    }
    fn connector(&self, at: SocketAddr) -> Arc<dyn Connector> {
        self.0.connected(&contract_shop(), &format!("http://{at}"), json!({ "state_tag": "tidegate:" }))
    }
    fn wanted(&self, number: u32) -> Wanted {
        self.0.wanted(number)
    }
    fn changed(&self, wanted: &Wanted) -> Option<Wanted> {
        self.0.changed(wanted)
    }
    async fn count(&self, wanted: &Wanted) -> usize {
        self.0.count(wanted).await
    }
}

#[tokio::test]
async fn the_contract_is_kept_with_the_state_as_a_tag() {
    connector::contract::run(&Tagging(Shop::start().await)).await.assert_kept();
}

#[tokio::test]
async fn the_state_is_a_tag_the_former_one_goes_and_others_stay() {
    let shop = Shop::start().await;
    let connector = shop.connected(&acme(), shop.twin.url(), json!({ "state_tag": "tidegate:" }));
    let id = shop.order(7);
    shop.twin
        .update(id, |order| order.tags = ["vip", "tidegates", "Tidegate:Draft"].map(str::to_owned).to_vec())
        .unwrap();
    // Wanted state, the steps that it takes, and the tags afterwards.
    let table = [
        (Some("draft"), "set", vec!["Tidegate:Draft", "tidegates", "vip"]),
        (Some("draft"), "", vec!["Tidegate:Draft", "tidegates", "vip"]),
        (Some("confirmed, late"), "set tag untag", vec!["tidegate:confirmed late", "tidegates", "vip"]),
        (Some("confirmed, late"), "", vec!["tidegate:confirmed late", "tidegates", "vip"]),
        (None, "", vec!["tidegate:confirmed late", "tidegates", "vip"]),
    ];
    for (state, steps, tags) in table {
        let wanted = wanted(&acme(), id, Some("SO-1"), state);
        assert_eq!(steps_of(&*connector, &wanted).await.unwrap().join(" "), steps, "{state:?}");
        let mut now = shop.tags(id);
        now.sort();
        assert_eq!(now, tags, "{state:?}");
    }
    // Somebody took it off: it is set again, and nothing else is.
    shop.twin.update(id, |order| order.tags.retain(|tag| !tag.starts_with("tidegate:"))).unwrap();
    let again = wanted(&acme(), id, Some("SO-1"), Some("confirmed, late"));
    assert_eq!(steps_of(&*connector, &again).await.unwrap(), ["tag"]);
    shop.twin.update(id, |order| order.tags = (0..250).map(|number| format!("t{number}")).collect()).unwrap();
    assert_eq!(steps_of(&*connector, &again).await.unwrap_err().code, "TG-6304");
}

/// Our own tag is no change of the order: what comes home ends as *unchanged*.
#[tokio::test]
async fn the_echo_of_a_tag_is_the_same_order() {
    let shop = Shop::start().await;
    let connector = shop.connected(&acme(), shop.twin.url(), json!({ "state_tag": "tidegate " }));
    let id = shop.order(7);
    let digest = || {
        let body = serde_json::to_vec(&twin::shop::webhook_body(&shop.twin.order(id).unwrap())).unwrap();
        domains::orders::digest(&domains::orders::from_rest(&body).unwrap()).unwrap()
    };
    let (before, updated_at) = (digest(), shop.twin.order(id).unwrap().updated_at);
    shop.clock.advance(std::time::Duration::from_secs(5));
    steps_of(&*connector, &wanted(&acme(), id, Some("SO-1"), Some("processing"))).await.unwrap();
    assert!(shop.tags(id).contains(&"tidegate processing".to_owned()));
    assert!(shop.twin.order(id).unwrap().updated_at > updated_at);
    assert_eq!(digest(), before);
    shop.twin.update(id, |order| order.tags.push("vip".to_owned())).unwrap();
    assert_ne!(digest(), before, "others' tags are a change");
}

/// Step by step to the end.
async fn steps_of(connector: &dyn Connector, wanted: &Wanted) -> Result<Vec<String>, kernel::fault::Fault> {
    let mut steps = Vec::new();
    let mut observation = connector.observe(&call(), wanted).await?;
    loop {
        match connector.plan(wanted, &observation) {
            Plan::Done(_) => return Ok(steps),
            Plan::NotAllowed(fault) => return Err(fault),
            Plan::Next(step) => {
                let applied = connector.apply(&call(), &CallKey("k".into()), &step).await?;
                steps.push(step.name);
                observation = match applied.observation {
                    Some(observation) => observation,
                    None => connector.observe(&call(), wanted).await?,
                };
            }
        }
    }
}

async fn settle(connector: &dyn Connector, wanted: &Wanted) -> Result<bool, kernel::fault::Fault> {
    let mut observation = connector.observe(&call(), wanted).await?;
    let mut wrote = false;
    loop {
        match connector.plan(wanted, &observation) {
            Plan::Done(_) => return Ok(wrote),
            Plan::NotAllowed(fault) => return Err(fault),
            Plan::Next(step) => {
                assert!(step.idempotent && !wrote);
                let applied = connector.apply(&call(), &CallKey("k".into()), &step).await?;
                observation = match applied.observation {
                    Some(observation) => observation,
                    None => connector.observe(&call(), wanted).await?,
                };
                wrote = true;
            }
        }
    }
}

#[tokio::test]
async fn what_is_there_is_not_written_again_and_what_is_not_wanted_is_left() {
    let shop = Shop::start().await;
    let connector = shop.connector_of(&acme(), shop.twin.url());
    let id = shop.order(7);
    // Wanted number and state; whether something is written; number and state afterwards.
    let table = [
        (None, None, false, None, None),
        (Some(" "), None, false, None, None),
        (Some("SO-1"), None, true, Some("SO-1"), None),
        (Some("SO-1"), None, false, Some("SO-1"), None),
        (None, Some("draft"), true, Some("SO-1"), Some("draft")),
        (Some("SO-1"), Some("draft"), false, Some("SO-1"), Some("draft")),
        (Some("SO-1"), Some("done"), true, Some("SO-1"), Some("done")),
        (None, None, false, Some("SO-1"), Some("done")),
        (Some("SO-2"), Some("done"), true, Some("SO-2"), Some("done")),
    ];
    for (number, state, writes, number_then, state_then) in table {
        let wrote = settle(&*connector, &wanted(&acme(), id, number, state)).await.unwrap();
        assert_eq!(wrote, writes, "{number:?} {state:?}");
        assert_eq!(shop.field(id, "erp_number").as_deref(), number_then);
        assert_eq!(shop.field(id, "erp_state").as_deref(), state_then);
    }
}

#[tokio::test]
async fn an_order_that_is_gone_and_a_body_that_is_none_are_rejected() {
    let shop = Shop::start().await;
    let connector = shop.connector_of(&acme(), shop.twin.url());
    let gone = wanted(&acme(), 404, Some("SO-1"), None);
    let fault = settle(&*connector, &gone).await.unwrap_err();
    assert_eq!((fault.kind, fault.code.as_str()), (FaultKind::Rejected, "TG-6301"));
    // Without a look beforehand the write finds out.
    let Plan::Next(step) = connector.plan(&gone, &Observation::unasked()) else { panic!("a step") };
    assert!(step.creates);
    let fault = connector.apply(&call(), &CallKey("k".into()), &step).await.unwrap_err();
    assert_eq!((fault.kind, fault.field.as_deref()), (FaultKind::Rejected, Some("metafields.0.ownerId")));
    for body in [json!({ "erp": 1 }), json!({ "erp": { "number": 17 } })] {
        let bad = Wanted { body, ..wanted(&acme(), shop.order(1), None, None) };
        let fault = settle(&*connector, &bad).await.unwrap_err();
        assert_eq!((fault.kind, fault.code.as_str()), (FaultKind::Rejected, "TG-6302"));
    }
    let product = Wanted { subject: Subject::new(acme(), "product", "1"), ..gone.clone() };
    assert_eq!(settle(&*connector, &product).await.unwrap_err().kind, FaultKind::Rejected);
    let broken = connector::port::Step { request: b"{}".to_vec(), ..step };
    assert_eq!(
        connector.apply(&call(), &CallKey("k".into()), &broken).await.unwrap_err().kind,
        FaultKind::Bug
    );
}

/// The number of what the order gave rise to is the order's.
#[tokio::test]
async fn a_fact_below_an_order_is_written_to_the_order() {
    let shop = Shop::start().await;
    let connector = shop.connector_of(&acme(), shop.twin.url());
    let mut below = wanted(&acme(), shop.order(9), Some("SO-9"), None);
    below.subject = below.subject.child("erp_number", "SO-9");
    assert!(settle(&*connector, &below).await.unwrap());
    assert_eq!(shop.field(9, "erp_number").as_deref(), Some("SO-9"));
}

/// One instance, several shops: the call says which.
#[tokio::test]
async fn each_shop_has_its_own_orders_token_and_bucket() {
    let (one, two) = (Shop::start().await, Shop::start().await);
    let beta = ShopId::new("beta").unwrap();
    let client = |id: &ShopId, shop: &Shop, token: &str| {
        let connection = ShopConnection {
            id: id.clone(),
            access: ShopAccess::Token(SecretString::from(token.to_owned())),
            ..connection(shop.twin.url())
        };
        ShopClient::connect(connection, ports(&shop.clock)).unwrap()
    };
    let shops = Shops::new([client(&acme(), &one, "shpat_twin"), client(&beta, &two, "wrong")]);
    let connector = connect(&settings(json!({})), shops.clone()).unwrap();
    one.order(5);
    assert!(settle(&*connector, &wanted(&acme(), 5, Some("SO-5"), None)).await.unwrap());
    assert_eq!(two.twin.stats().api.get("metafieldsSet"), None);
    let of = |shop: &str| connector::port::CallContext { shop: ShopId::new(shop).unwrap(), ..call() };
    assert!(connector.health(&of("acme")).await.is_ok());
    assert_eq!(connector.health(&of("beta")).await.unwrap_err().kind, FaultKind::Unauthorized);
    assert!(connector.health(&of("any")).await.is_ok(), "one shop that is well shows that Shopify is");
    let other = wanted(&ShopId::new("gamma").unwrap(), 5, Some("SO-5"), None);
    let fault = connector.observe(&of("gamma"), &other).await.unwrap_err();
    assert_eq!(fault.code, "TG-6104");
    assert_eq!(shops.get(&beta).unwrap().bucket().status().available, 19_996);
}

#[tokio::test]
async fn throttled_says_when_and_spends_nothing() {
    let shop = Shop::start().await;
    let client = ShopClient::connect(connection(shop.twin.url()), ports(&shop.clock)).unwrap();
    let all = client.bucket().take(tidegate_shopify::graphql::Claim::LIVE, 20_000).unwrap();
    let connector = connect(&settings(json!({})), Shops::new([client])).unwrap();
    let wanted = wanted(&acme(), shop.order(3), Some("SO-3"), None);
    let fault = connector.observe(&call(), &wanted).await.unwrap_err();
    assert_eq!(
        (fault.kind, fault.retry_after),
        (FaultKind::Throttled, Some(std::time::Duration::from_millis(3)))
    );
    assert_eq!(shop.twin.stats().api.get("requests"), None);
    shop.clock.advance(fault.retry_after.unwrap());
    assert_eq!(connector.observe(&call(), &wanted).await.unwrap().object, Observed::None);
    drop(all);
}

#[test]
fn settings_are_judged_and_the_schema_is_declared() {
    let descriptor = describe(&settings(json!({}))).unwrap();
    let target = descriptor.services.iter().find(|service| service.direction == Direction::Target).unwrap();
    assert_eq!(target.schema, SCHEMA_NAME);
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    assert_eq!(schema["title"], SCHEMA_NAME);
    assert!(describe(&settings(json!({ "namespace": "custom", "number_key": "sales_order" }))).is_ok());
    let problems = describe(&settings(
        json!({ "namespace": "a", "number_key": "x y", "state_key": "x y", "url": "https://x" }),
    ))
    .unwrap_err();
    for bad in ["erp:", "tidegate", "tidegate,", "tidegate: for all who filter"] {
        let problems = describe(&settings(json!({ "state_tag": bad }))).unwrap_err();
        assert!(problems.len() == 1 && problems[0].starts_with("state_tag: must begin"), "{problems:?}");
    }
    assert_eq!(problems.len(), 5, "{problems:?}");
    for (problem, key) in problems.iter().zip(["namespace", "number_key", "state_key", "state_key", "url"]) {
        assert!(problem.starts_with(&format!("{key}: ")), "{problem}");
    }
}
