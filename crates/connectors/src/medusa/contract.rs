//! The contract's fixture: the connector before the desk, and before a real Medusa where one is told of.

use super::config::Config;
use super::connect;
use super::desk::{self, Desk};
use super::desk_stock;
use async_trait::async_trait;
use connector::contract::Fixture;
use connector::outbound::{Outbound, Request};
use connector::port::{CallContext, Connector, Stage, Wanted};
use connector::settings::{Secrets, Settings};
use http::Method;
use jiff::Timestamp;
use kernel::envelope::TraceId;
use kernel::fault::Reference;
use kernel::flow::{AfterConfirm, ChangeBecomes, Difference};
use kernel::id::ShopId;
use kernel::key::ObjectKey;
use kernel::money::Money;
use kernel::subject::Subject;
use secrecy::SecretString;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

pub(super) fn call() -> CallContext {
    CallContext {
        shop: ShopId::new("contract").unwrap(),
        time_out: Duration::from_secs(60),
        trace: TraceId([3; 16]),
        span: 1,
        now: Timestamp::from_second(1_795_478_400).unwrap(),
    }
}

pub(super) fn line(name: &str, sku: &str, quantity: &str, unit_price: &str) -> Value {
    let mut line = json!({"line": name, "title": format!("{sku} as sold"), "quantity": quantity, "unit_price": unit_price});
    if !sku.is_empty() {
        line["variant"] = json!({"$ref": {"kind": "variant", "value": sku}});
    }
    line
}

#[expect(clippy::disallowed_methods, reason = "the database outlives the test: its names must be new")]
pub(super) fn now() -> Timestamp {
    Timestamp::now()
}

/// A Medusa of either kind, and names of one's own in it.
#[derive(Debug)]
pub(crate) struct Fitted {
    address: SocketAddr,
    connection: Value,
    key: String,
    shop: String,
    places: [String; 2],
    desk: Option<Desk>,
}

/// Without a Medusa: the desk.
pub(crate) async fn fixture() -> Fitted {
    let desk = Desk::start().await;
    let connection =
        json!({"api_key": "env:KEY", "region": "reg_1", "sales_channel": "sc_1", "shipping_option": "so_1"});
    let (key, shop) = (desk::KEY.to_owned(), "desk".to_owned());
    let places = desk_stock::PLACES.map(str::to_owned);
    Fitted { address: desk.address, connection, key, shop, places, desk: Some(desk) }
}

impl Fitted {
    /// The one that `cargo xtask services ensure medusa` starts.
    pub(super) fn real() -> Self {
        let told = |name: &str| {
            std::env::var(name).unwrap_or_else(|_| {
                panic!("{name} is not set: take the lines of `cargo xtask services env medusa`")
            })
        };
        let now = now().as_nanosecond();
        let connection = json!({
            "api_key": "env:KEY", "region": told("MEDUSA_REGION"), "sales_channel": told("MEDUSA_SALES_CHANNEL"),
            "shipping_option": told("MEDUSA_SHIPPING_OPTION"),
        });
        let address = told("MEDUSA_URL").trim_start_matches("http://").parse().unwrap();
        let places = [told("MEDUSA_LOCATION"), told("MEDUSA_SECOND_LOCATION")];
        Self {
            address,
            connection,
            key: told("MEDUSA_API_KEY"),
            shop: format!("t{now:x}"),
            places,
            desk: None,
        }
    }

    pub(super) fn settings(&self, at: SocketAddr) -> Settings {
        let mut table = self.connection.as_object().unwrap().clone();
        table.insert("url".to_owned(), json!(format!("http://{at}")));
        let secrets = BTreeMap::from([("api_key".to_owned(), SecretString::from(self.key.clone()))]);
        Settings::new(table.into_iter().collect(), secrets)
    }

    pub(super) fn with(mut self, key: &str, value: Value) -> Self {
        self.connection[key] = value;
        self
    }

    pub(super) fn here(&self) -> Arc<dyn Connector> {
        self.connector(self.address)
    }

    pub(super) fn desk(&self) -> &Desk {
        self.desk.as_ref().unwrap()
    }

    pub(super) fn is_desk(&self) -> bool {
        self.desk.is_some()
    }

    pub(super) fn shop(&self) -> &str {
        &self.shop
    }

    pub(super) fn places(&self) -> [String; 2] {
        self.places.clone()
    }

    pub(super) fn sales_channel(&self) -> &str {
        self.connection["sales_channel"].as_str().unwrap()
    }

    /// A call behind the connector's back.
    pub(super) async fn ask(&self, method: Method, path: &str, body: Option<&Value>) -> Value {
        let config = Config::read(&self.settings(self.address), Secrets::Resolved).unwrap();
        let mut request = Request::write(method, path);
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = Outbound::new(&config.outbound).unwrap().send(&call(), request).await.unwrap();
        serde_json::from_slice(&answer.body).unwrap()
    }

    /// All orders under the key of what is wanted, drafts as well.
    pub(super) async fn found(&self, wanted: &Wanted) -> Vec<Value> {
        let key = wanted.object_key.as_str();
        let mut found = Vec::new();
        for (list, name) in [("draft-orders", "draft_orders"), ("orders", "orders")] {
            let path = format!("/admin/{list}?q={key}&limit=1000&fields=id,metadata,currency_code,*summary");
            let answer = self.ask(Method::GET, &path, None).await;
            let own = |order: &&Value| order["metadata"]["tidegate_key"] == key;
            found.extend(answer[name].as_array().unwrap().iter().filter(own).cloned());
        }
        found
    }
}

#[async_trait]
impl Fixture for Fitted {
    fn target(&self) -> SocketAddr {
        self.address
    }

    fn connector(&self, at: SocketAddr) -> Arc<dyn Connector> {
        connect(&self.settings(at)).unwrap()
    }

    fn wanted(&self, number: u32) -> Wanted {
        let subject = Subject::new(ShopId::new(&self.shop).unwrap(), "order", &number.to_string());
        let object_key = ObjectKey::of(&subject);
        Wanted {
            body: json!({
                "reference": object_key.as_str(),
                "order_number": format!("#{number}"),
                "email": "orders@cust-001.example",
                "currency": "EUR",
                "shipping_address": {"first_name": "Harbour", "last_name": "Retail", "address_1": "Havenstraat 12",
                                     "city": "Rotterdam", "postal_code": "3011 AA", "country_code": "NL"},
                "lines": [line("1", "SKU-0001", "1", "9.1234"), line("2", "", "1", "0.10")],
                "shipping": [{"name": "Standard", "amount": "9.50"}],
                "gross": "18.72",
            }),
            subject,
            object_key,
            stage: Stage::Confirmed,
            after_confirm: AfterConfirm {
                address: ChangeBecomes::Amend,
                line: ChangeBecomes::Amend,
                cancel: ChangeBecomes::Amend,
            },
            difference: Difference::default(),
            known: None,
            also_known_as: Vec::new(),
        }
    }

    /// Another address, a line more, a line less, another price.
    fn changed(&self, wanted: &Wanted) -> Option<Wanted> {
        let mut changed = wanted.clone();
        changed.stage = Stage::Confirmed;
        changed.body["shipping_address"]["last_name"] = json!("Wholesale");
        changed.body["lines"] =
            json!([line("1", "SKU-0001", "2", "7.25"), line("3", "SKU-0002", "3", "1.5")]);
        changed.body["gross"] = json!("28.50");
        Some(changed)
    }

    fn with_missing_reference(&self, number: u32) -> Option<Wanted> {
        let mut wanted = self.wanted(number);
        wanted.body["lines"][1] = line("2", "no-such-sku", "1", "1");
        Some(wanted)
    }

    fn references(&self) -> Option<(Reference, Reference)> {
        let variant = |value: &str| Reference { kind: "variant".to_owned(), value: value.to_owned() };
        Some((variant("SKU-0001"), variant("no-such-sku")))
    }

    async fn count(&self, wanted: &Wanted) -> usize {
        self.found(wanted).await.len()
    }

    async fn total(&self, wanted: &Wanted) -> Option<Money> {
        let orders = self.found(wanted).await;
        let [order] = orders.as_slice() else { return None };
        let total = order.pointer("/summary/raw_current_order_total/value")?.as_str()?;
        Money::parse(total, order["currency_code"].as_str()?.to_ascii_uppercase().parse().ok()?).ok()
    }

    /// Somebody edits it by hand.
    async fn misprice(&self, wanted: &Wanted) -> bool {
        let id = self.found(wanted).await[0]["id"].as_str().unwrap().to_owned();
        self.ask(Method::POST, &format!("/admin/draft-orders/{id}/convert-to-order"), Some(&json!({}))).await;
        self.ask(Method::POST, "/admin/order-edits", Some(&json!({"order_id": id}))).await;
        let item = json!({"items": [{"title": "by hand", "quantity": 1, "unit_price": 0.07}]});
        self.ask(Method::POST, &format!("/admin/order-edits/{id}/items"), Some(&item)).await;
        self.ask(Method::POST, &format!("/admin/order-edits/{id}/confirm"), Some(&json!({}))).await;
        true
    }

    async fn duplicate(&self, wanted: &Wanted) -> bool {
        let key = wanted.object_key.as_str();
        let body = json!({
            "region_id": self.connection["region"], "sales_channel_id": self.connection["sales_channel"], "currency_code": "eur",
            "email": "orders@cust-001.example", "billing_address": {"address_2": format!("[{key}]")}, "items": [],
            "shipping_methods": [], "metadata": {"tidegate_key": key},
        });
        self.ask(Method::POST, "/admin/draft-orders", Some(&body)).await["draft_order"].is_object()
    }

    fn time_out(&self) -> Duration {
        Duration::from_secs(30)
    }
}

#[tokio::test]
async fn real_medusa_keeps_the_contract() {
    connector::contract::run(&Fitted::real()).await.assert_kept();
}
