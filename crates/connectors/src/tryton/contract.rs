//! The contract's fixtures: before the real Tryton, and before a desk that answers as it was measured to. Owns the
//! order that both are tried with, and what is asked of a Tryton behind the connector's back.

use super::config::Config;
use super::desk::{self, Desk};
use super::rpc::{self, Rpc, Session};
use super::{ask, connect_as, fault};
use async_trait::async_trait;
use connector::contract::{Fixture, Seen};
use connector::outbound::Access;
use connector::port::{CallContext, Connector, Source, Stage, Wanted};
use connector::settings::{Secrets, Settings};
use jiff::Timestamp;
use kernel::envelope::TraceId;
use kernel::fault::Reference;
use kernel::flow::{AfterConfirm, Difference};
use kernel::id::ShopId;
use kernel::key::ObjectKey;
use kernel::money::Money;
use kernel::subject::Subject;
use secrecy::SecretString;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// A Tryton of either kind, and a name of one's own in it.
#[derive(Debug)]
pub(crate) struct Tryton {
    address: SocketAddr,
    settings: Value,
    password: String,
    session: Session,
    /// No other test has it: the shop of all that this one makes.
    shop: String,
    numbers: AtomicU32,
}

pub(super) fn call() -> CallContext {
    CallContext {
        shop: ShopId::new("tests").unwrap(),
        time_out: Duration::from_secs(60),
        trace: TraceId([3; 16]),
        span: 1,
        now: Timestamp::UNIX_EPOCH,
    }
}

impl Tryton {
    pub(super) fn new(address: SocketAddr, database: &str, user: &str, password: &str, shop: String) -> Self {
        let settings = json!({"database": database, "user": user, "password": "env:PASSWORD"});
        let (session, numbers) = (Session::default(), AtomicU32::new(1));
        Self { address, settings, password: password.to_owned(), session, shop, numbers }
    }

    /// The one that `cargo xtask test` starts.
    pub(super) fn real() -> Self {
        let told = |name: &str| {
            std::env::var(name).unwrap_or_else(|_| {
                panic!(
                    "{name} is not set: run `cargo xtask test`, or `cargo xtask services ensure tryton` and take its \
                     lines into the environment"
                )
            })
        };
        let address = told("TRYTON_URL").trim_start_matches("http://").parse().unwrap();
        #[expect(
            clippy::disallowed_methods,
            reason = "the database outlives the test: its names must be new"
        )]
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos();
        let shop = format!("t{now:x}");
        Self::new(address, &told("TRYTON_DATABASE"), &told("TRYTON_USER"), &told("TRYTON_PASSWORD"), shop)
    }

    /// The same as another user of Tryton.
    pub(super) fn as_admin(&self) -> Self {
        let (user, password) =
            (std::env::var("TRYTON_ADMIN_USER").unwrap(), std::env::var("TRYTON_ADMIN_PASSWORD").unwrap());
        Self::new(
            self.address,
            self.settings["database"].as_str().unwrap(),
            &user,
            &password,
            self.shop.clone(),
        )
    }

    /// With a further setting of the connection.
    pub(super) fn with(mut self, key: &str, value: Value) -> Self {
        self.settings[key] = value;
        self
    }

    pub(super) fn settings(&self, at: SocketAddr) -> Settings {
        let mut table = self.settings.as_object().unwrap().clone();
        table.insert("url".to_owned(), json!(format!("http://{at}")));
        let secrets = BTreeMap::from([("password".to_owned(), SecretString::from(self.password.clone()))]);
        Settings::new(table.into_iter().collect(), secrets)
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// What the proxy lets through, whatever the trouble.
    pub(super) fn log_ins(&self) -> fn(&Seen) -> bool {
        |seen| String::from_utf8_lossy(&seen.body).contains("common.db.login")
    }

    pub(super) fn at(&self, at: SocketAddr) -> Arc<dyn Connector> {
        connect_as(&self.settings(at), self.session.clone()).unwrap()
    }

    pub(super) fn here(&self) -> Arc<dyn Connector> {
        self.at(self.address)
    }

    /// Asked as a source, by one that was never asked before.
    pub(super) fn source(&self) -> Arc<dyn Source> {
        super::source(&self.settings(self.address)).unwrap()
    }

    pub(super) fn shop(&self) -> ShopId {
        ShopId::new(&self.shop).unwrap()
    }

    /// A call behind the connector's back.
    pub(super) async fn ask(&self, method: &str, params: Vec<Value>) -> Value {
        self.ask_in(method, params, json!({})).await
    }

    /// The same in a context of its own besides.
    pub(super) async fn ask_in(&self, method: &str, mut params: Vec<Value>, within: Value) -> Value {
        let config = Config::read(&self.settings(self.address), Secrets::Resolved).unwrap();
        let mut context = ask::context(&config);
        context.as_object_mut().unwrap().extend(within.as_object().unwrap().clone());
        params.push(context.clone());
        let rpc = Rpc::new(&config, self.session.clone()).unwrap();
        let body = rpc::body(method, &params);
        let answer = rpc.answer(&call(), Access::Read, &body).await.unwrap();
        // As who sits before it would.
        if let Some(warning) = fault::warning(&answer) {
            rpc.say_yes(&call(), &warning, context).await.unwrap();
            return rpc.call(&call(), Access::Read, &body).await.unwrap();
        }
        fault::result(answer).unwrap()
    }

    /// The sale under the key of what is wanted.
    async fn sale_id(&self, wanted: &Wanted) -> Value {
        let domain = json!([["reference", "=", wanted.object_key.as_str()]]);
        let found =
            self.ask("model.sale.sale.search", vec![domain, json!(0), json!(null), json!(null)]).await;
        found[0].clone()
    }

    /// An order that no test had: a line of each rate and shipping.
    pub(super) fn order(&self) -> Wanted {
        self.order_of(self.numbers.fetch_add(1, Ordering::Relaxed))
    }

    fn order_of(&self, number: u32) -> Wanted {
        let subject = Subject::new(ShopId::new(&self.shop).unwrap(), "order", &number.to_string());
        let object_key = ObjectKey::of(&subject);
        Wanted {
            body: json!({
                "reference": object_key.as_str(),
                "party": reference("party", "CUST-001"),
                "payment_term": reference("payment_term", "Net 60"),
                "currency": "EUR",
                "sale_date": "2026-11-23",
                "po_number": "PO 4711",
                "description": format!("#{number} / PO 4711"),
                "comment": "Ring twice.\nThank you.",
                "cancelled": false,
                "lines": [
                    line("SKU-0001", "12", "4.2500", "51.00", &[("0.21", "10.71")]),
                    line("SKU-0005", "2.5", "23.3560", "58.39", &[("0.09", "5.26")]),
                    line("SHIPPING", "1", "10.0000", "10.00", &[("0.21", "2.10")]),
                ],
                "totals": {"net": "119.39", "tax": "18.07", "gross": "137.46"},
            }),
            subject,
            object_key,
            stage: Stage::Confirmed,
            after_confirm: AfterConfirm::default(),
            difference: Difference::default(),
            known: None,
            also_known_as: Vec::new(),
        }
    }
}

pub(super) fn reference(kind: &str, value: &str) -> Value {
    json!({"$ref": {"kind": kind, "value": value}})
}

/// A line of `tryton.sale/1`: its taxes as rate and amount.
pub(super) fn line(sku: &str, quantity: &str, unit_price: &str, net: &str, taxes: &[(&str, &str)]) -> Value {
    let tax = |(rate, amount): &(&str, &str)| json!({"rate": rate, "amount": amount, "included": false, "title": "VAT"});
    let mut line = json!({
        "kind": "goods", "description": format!("{sku} as sold"), "quantity": quantity,
        "unit_price": unit_price, "net": net, "tax": "0", "gross": "0",
        "taxes": taxes.iter().map(tax).collect::<Vec<_>>(),
    });
    if !sku.is_empty() {
        line["product"] = reference("product", sku);
    }
    line
}

#[async_trait]
impl Fixture for Tryton {
    fn target(&self) -> SocketAddr {
        self.address
    }

    fn connector(&self, at: SocketAddr) -> Arc<dyn Connector> {
        self.at(at)
    }

    /// Without goods: Tryton makes no shipment of it, which is what takes it longest.
    fn wanted(&self, number: u32) -> Wanted {
        let mut wanted = self.order_of(number);
        wanted.body["lines"] = json!([line("SHIPPING", "1", "10.0000", "10.00", &[("0.21", "2.10")])]);
        wanted.body["totals"] = json!({"net": "10.00", "tax": "2.10", "gross": "12.10"});
        wanted
    }

    fn changed(&self, wanted: &Wanted) -> Option<Wanted> {
        let mut changed = wanted.clone();
        changed.body["comment"] = json!("Ring once.");
        changed.body["lines"] = json!([line("SKU-0002", "3", "9.1234", "27.37", &[("0.21", "5.75")])]);
        changed.body["totals"] = json!({"net": "27.37", "tax": "5.75", "gross": "33.12"});
        Some(changed)
    }

    fn with_missing_reference(&self, number: u32) -> Option<Wanted> {
        let mut wanted = self.order_of(number);
        wanted.body["lines"][1]["product"] = reference("product", "no-such-sku");
        Some(wanted)
    }

    fn references(&self) -> Option<(Reference, Reference)> {
        let product = |value: &str| Reference { kind: "product".to_owned(), value: value.to_owned() };
        Some((product("SKU-0001"), product("no-such-sku")))
    }

    async fn count(&self, wanted: &Wanted) -> usize {
        let domain = json!([["reference", "=", wanted.object_key.as_str()]]);
        let found =
            self.ask("model.sale.sale.search", vec![domain, json!(0), json!(null), json!(null)]).await;
        found.as_array().unwrap().len()
    }

    async fn total(&self, wanted: &Wanted) -> Option<Money> {
        let id = self.sale_id(wanted).await;
        let fields = json!(["total_amount", "currency.code"]);
        let sale = self.ask("model.sale.sale.read", vec![json!([id]), fields]).await[0].clone();
        let (gross, currency) = (&sale["total_amount"]["decimal"], &sale["currency."]["code"]);
        Money::parse(gross.as_str()?, currency.as_str()?.parse().ok()?).ok()
    }

    /// Back to a draft, and a line more.
    async fn misprice(&self, wanted: &Wanted) -> bool {
        let id = self.sale_id(wanted).await;
        self.ask("model.sale.sale.draft", vec![json!([id])]).await;
        let line = json!({"type": "line", "description": "by hand", "quantity": 1, "taxes": [["add", []]],
                          "unit_price": {"__class__": "Decimal", "decimal": "0.07"}});
        self.ask("model.sale.sale.write", vec![json!([id]), json!({"lines": [["create", [line]]]})]).await;
        true
    }

    async fn duplicate(&self, wanted: &Wanted) -> bool {
        let values = json!({"reference": wanted.object_key.as_str(), "company": 1, "currency": 1, "party": 2,
                            "invoice_address": 2, "shipment_address": 2});
        self.ask("model.sale.sale.create", vec![json!([values])]).await.is_array()
    }

    fn spared(&self) -> fn(&Seen) -> bool {
        self.log_ins()
    }

    /// The last line of 300 is confirmed after seconds.
    fn time_out(&self) -> Duration {
        Duration::from_secs(30)
    }
}

/// Without a Tryton: the desk.
pub(crate) async fn fixture() -> Desked {
    let desk = Desk::start().await;
    let shop = "desk".to_owned();
    Desked {
        tryton: Tryton::new(desk.address, desk::DATABASE, desk::USER, desk::PASSWORD, shop),
        _desk: desk,
    }
}

/// The desk as a Tryton: it ends with this.
pub(crate) struct Desked {
    pub(super) tryton: Tryton,
    _desk: Desk,
}

#[async_trait]
impl Fixture for Desked {
    fn target(&self) -> SocketAddr {
        self.tryton.target()
    }
    fn connector(&self, at: SocketAddr) -> Arc<dyn Connector> {
        self.tryton.connector(at)
    }
    fn wanted(&self, number: u32) -> Wanted {
        self.tryton.wanted(number)
    }
    fn changed(&self, wanted: &Wanted) -> Option<Wanted> {
        self.tryton.changed(wanted)
    }
    fn with_missing_reference(&self, number: u32) -> Option<Wanted> {
        self.tryton.with_missing_reference(number)
    }
    fn references(&self) -> Option<(Reference, Reference)> {
        self.tryton.references()
    }
    async fn count(&self, wanted: &Wanted) -> usize {
        self.tryton.count(wanted).await
    }
    async fn total(&self, wanted: &Wanted) -> Option<Money> {
        self.tryton.total(wanted).await
    }
    async fn misprice(&self, wanted: &Wanted) -> bool {
        self.tryton.misprice(wanted).await
    }
    async fn duplicate(&self, wanted: &Wanted) -> bool {
        self.tryton.duplicate(wanted).await
    }
    fn spared(&self) -> fn(&Seen) -> bool {
        self.tryton.spared()
    }
}

#[tokio::test]
async fn real_tryton_keeps_the_contract() {
    connector::contract::run(&Tryton::real()).await.assert_kept();
}
