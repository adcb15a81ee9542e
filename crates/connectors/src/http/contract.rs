//! The contract's fixtures: the connector as the examples of docs/connectors/http.md configure it, before the
//! look-alike back office and before a small server that is what the second example describes.

use super::connect;
use super::desk::{self, Desk};
use super::examples::{Example, FIRST, SECOND};
use async_trait::async_trait;
use connector::contract::Fixture;
use connector::outbound::{Outbound, OutboundConfig, Request};
use connector::port::{CallContext, Connector, Stage, Wanted};
use connector::settings::Settings;
use http::Method;
use jiff::Timestamp;
use kernel::envelope::TraceId;
use kernel::fault::{FaultKind, Reference};
use kernel::flow::{AfterConfirm, Difference};
use kernel::id::ShopId;
use kernel::key::ObjectKey;
use kernel::money::Money;
use kernel::subject::Subject;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use twin::erp::{ErpConfig, ErpTwin};

/// The look-alike, spoken to as the first example says.
pub(crate) async fn fixture() -> BackOffice {
    BackOffice::start(Example::read(FIRST)).await
}

pub(crate) struct BackOffice {
    erp: ErpTwin,
    example: Example,
    sku: String,
    party: String,
}

impl BackOffice {
    pub(super) async fn start(example: Example) -> Self {
        let config = ErpConfig::default();
        let (sku, party) = (config.items[0].sku.clone(), config.parties[0].code.clone());
        Self { erp: ErpTwin::start(config).await.unwrap(), example, sku, party }
    }

    pub(super) fn erp(&self) -> &ErpTwin {
        &self.erp
    }
}

pub(super) fn wanted(number: u32, stage: Stage, body: impl FnOnce(&str) -> Value) -> Wanted {
    let subject = Subject::new(ShopId::new("contract").unwrap(), "order", &number.to_string());
    let object_key = ObjectKey::of(&subject);
    Wanted {
        body: body(object_key.as_str()),
        subject,
        object_key,
        stage,
        after_confirm: AfterConfirm::default(),
        difference: Difference::default(),
        known: None,
        also_known_as: Vec::new(),
    }
}

pub(super) fn call() -> CallContext {
    CallContext {
        shop: ShopId::new("contract").unwrap(),
        time_out: Duration::from_secs(10),
        trace: TraceId([3; 16]),
        span: 1,
        now: Timestamp::UNIX_EPOCH,
    }
}

#[async_trait]
impl Fixture for BackOffice {
    fn target(&self) -> SocketAddr {
        self.erp.url().trim_start_matches("http://").parse().unwrap()
    }

    fn connector(&self, at: SocketAddr) -> Arc<dyn Connector> {
        connect(&self.example.settings(&format!("http://{at}"), self.erp.token())).unwrap()
    }

    fn wanted(&self, number: u32) -> Wanted {
        wanted(number, Stage::Confirmed, |key| {
            json!({
                "reference": key,
                "party": self.party,
                "currency": "EUR",
                "po_number": "PO 7",
                "ordered_at": "2026-11-24T10:00:00+01:00",
                "note": null,
                "lines": [
                    {"sku": self.sku, "quantity": "2.0", "unit_price": "10.50", "tax_rate": "0.19"},
                    {"sku": self.sku, "quantity": "1", "unit_price": "3", "discount": "0.50", "tax_rate": "0.19"},
                ],
                "totals": {"net": "23.50", "tax": "4.47", "gross": "27.97"},
            })
        })
    }

    fn changed(&self, wanted: &Wanted) -> Option<Wanted> {
        let mut changed = wanted.clone();
        changed.body["po_number"] = json!("PO 8");
        changed.body["lines"][1]["quantity"] = json!("4");
        changed.body["totals"] = json!({"net": "32.50", "tax": "6.18", "gross": "38.68"});
        Some(changed)
    }

    fn with_missing_reference(&self, number: u32) -> Option<Wanted> {
        let mut wanted = self.wanted(number);
        wanted.body["lines"][1]["sku"] = json!("no-such-sku");
        Some(wanted)
    }

    fn references(&self) -> Option<(Reference, Reference)> {
        let item = |value: &str| Reference { kind: "item".to_owned(), value: value.to_owned() };
        Some((item(&self.sku), item("no-such-sku")))
    }

    async fn count(&self, wanted: &Wanted) -> usize {
        self.erp.sales().iter().filter(|sale| sale.content.reference == wanted.object_key.as_str()).count()
    }

    async fn total(&self, wanted: &Wanted) -> Option<Money> {
        let sales = self.erp.sales();
        let sale = sales.iter().find(|sale| sale.content.reference == wanted.object_key.as_str())?;
        Money::parse(&sale.totals.gross.to_string(), sale.content.currency.parse().ok()?).ok()
    }

    async fn misprice(&self, wanted: &Wanted) -> bool {
        self.erp.misprice(wanted.object_key.as_str(), rust_decimal::Decimal::new(7, 2))
    }

    async fn duplicate(&self, wanted: &Wanted) -> bool {
        let mut config = OutboundConfig::new(self.erp.url());
        config.headers = vec![("authorization".into(), format!("Bearer {}", self.erp.token()))];
        let request = Request::write(Method::POST, "/sales").json(&wanted.body);
        Outbound::new(&config).unwrap().call(&call(), request).await.is_ok()
    }
}

/// The same back office by its look-up alone.
#[tokio::test]
async fn the_contract_is_kept_by_look_up_alone() {
    let fixture = BackOffice::start(Example::read(FIRST).without("idempotency")).await;
    fixture.erp().turn(|knobs| knobs.idempotency_lifetime_ms = None);
    connector::contract::run(&fixture).await.assert_kept();
}

/// With a key and nothing else: what is known of an object is what was committed.
#[tokio::test]
async fn the_contract_is_kept_by_an_idempotency_key_alone() {
    let example = Example::read(FIRST).without("look_up").with("read", json!("/sales/{id}"));
    connector::contract::run(&Keyed(BackOffice::start(example).await)).await.assert_kept();
}

/// A target that cannot be searched: nobody can find a second object.
struct Keyed(BackOffice);

#[async_trait]
impl Fixture for Keyed {
    fn target(&self) -> SocketAddr {
        self.0.target()
    }
    fn connector(&self, at: SocketAddr) -> Arc<dyn Connector> {
        self.0.connector(at)
    }
    fn wanted(&self, number: u32) -> Wanted {
        self.0.wanted(number)
    }
    fn changed(&self, wanted: &Wanted) -> Option<Wanted> {
        self.0.changed(wanted)
    }
    fn references(&self) -> Option<(Reference, Reference)> {
        self.0.references()
    }
    async fn count(&self, wanted: &Wanted) -> usize {
        self.0.count(wanted).await
    }
    async fn total(&self, wanted: &Wanted) -> Option<Money> {
        self.0.total(wanted).await
    }
    async fn misprice(&self, wanted: &Wanted) -> bool {
        self.0.misprice(wanted).await
    }
}

/// With tokens that are asked for at the same place, which no trouble meets.
struct Granted(BackOffice);

impl Granted {
    async fn start() -> Self {
        Self(BackOffice::start(Example::read(FIRST)).await)
    }

    fn settings(&self, at: SocketAddr, secret: &str) -> Settings {
        let auth = json!({
            "kind": "oauth2", "token_url": format!("http://{at}/oauth/token"), "client_id": "tidegate",
            "client_secret": "env:SECRET", "scope": "sales",
        });
        let example = self.0.example.clone().with("auth", auth);
        example.settings(&format!("http://{at}"), secret)
    }
}

#[async_trait]
impl Fixture for Granted {
    fn target(&self) -> SocketAddr {
        self.0.target()
    }
    fn connector(&self, at: SocketAddr) -> Arc<dyn Connector> {
        connect(&self.settings(at, self.0.erp.client_secret())).unwrap()
    }
    fn wanted(&self, number: u32) -> Wanted {
        self.0.wanted(number)
    }
    fn changed(&self, wanted: &Wanted) -> Option<Wanted> {
        self.0.changed(wanted)
    }
    fn references(&self) -> Option<(Reference, Reference)> {
        self.0.references()
    }
    async fn count(&self, wanted: &Wanted) -> usize {
        self.0.count(wanted).await
    }
    async fn total(&self, wanted: &Wanted) -> Option<Money> {
        self.0.total(wanted).await
    }
    async fn misprice(&self, wanted: &Wanted) -> bool {
        self.0.misprice(wanted).await
    }
    async fn duplicate(&self, wanted: &Wanted) -> bool {
        self.0.duplicate(wanted).await
    }
    fn spared(&self) -> fn(&connector::contract::Seen) -> bool {
        |seen| seen.head.starts_with("POST /oauth/token")
    }
}

#[tokio::test]
async fn the_contract_is_kept_with_tokens_that_are_asked_for() {
    connector::contract::run(&Granted::start().await).await.assert_kept();
}

#[tokio::test]
async fn a_token_that_the_office_took_back_is_renewed_and_a_wrong_secret_is_unauthorized() {
    let fixture = Granted::start().await;
    let erp = fixture.0.erp();
    let connector = fixture.connector(fixture.target());
    connector.health(&call()).await.unwrap();
    connector.health(&call()).await.unwrap();
    assert_eq!(erp.tokens_given(), 1);
    erp.revoke_tokens();
    connector.health(&call()).await.unwrap();
    assert_eq!(erp.tokens_given(), 2);
    // Two hours on by the office's clock: refused there, and renewed once.
    erp.advance(7_200_000);
    connector.health(&call()).await.unwrap();
    assert_eq!(erp.tokens_given(), 3);
    let fault = connect(&fixture.settings(fixture.target(), "another secret"))
        .unwrap()
        .health(&call())
        .await
        .unwrap_err();
    assert_eq!((fault.kind, fault.code.as_str()), (FaultKind::Unauthorized, "TG-3109"), "{fault}");
    assert!(fault.message.contains("invalid_client") && !fault.message.contains("another secret"), "{fault}");
}

/// The second example before what it describes.
struct OrderDesk {
    desk: Desk,
    example: Example,
}

#[async_trait]
impl Fixture for OrderDesk {
    fn target(&self) -> SocketAddr {
        self.desk.address
    }

    fn connector(&self, at: SocketAddr) -> Arc<dyn Connector> {
        connect(&self.example.settings(&format!("http://{at}/api/v2"), desk::PASSWORD)).unwrap()
    }

    fn wanted(&self, number: u32) -> Wanted {
        wanted(number, Stage::Confirmed, |key| {
            json!({
                "external_id": key,
                "customer": "C-1",
                "lines": [{"sku": "SKU-A", "quantity": 2, "price": "10.50"}],
            })
        })
    }

    fn changed(&self, wanted: &Wanted) -> Option<Wanted> {
        let mut changed = wanted.clone();
        changed.body["lines"][0]["quantity"] = json!(3);
        Some(changed)
    }

    fn with_missing_reference(&self, number: u32) -> Option<Wanted> {
        let mut wanted = self.wanted(number);
        wanted.body["lines"][0]["sku"] = json!("SKU-C");
        Some(wanted)
    }

    async fn count(&self, wanted: &Wanted) -> usize {
        self.desk.orders(wanted.object_key.as_str()).len()
    }

    async fn duplicate(&self, wanted: &Wanted) -> bool {
        self.desk.add(&wanted.body);
        true
    }
}

#[tokio::test]
async fn the_contract_is_kept_by_the_second_example() {
    let fixture = OrderDesk { desk: Desk::start().await, example: Example::read(SECOND) };
    connector::contract::run(&fixture).await.assert_kept();
}
