//! What an order was charged, compared with prices that the test says; and what becomes of it.

use super::compare::{Compared, compared};
use super::*;
use connector::port::Stage;
use jiff::Timestamp;
use kernel::flow::{AfterConfirm, Difference};
use kernel::id::ShopId;
use kernel::key::ObjectKey;
use kernel::money::Currency;
use kernel::subject::Subject;
use rust_decimal::Decimal;
use serde_json::json;
use std::sync::Mutex;

const ORDERED: &str = "2026-11-20T10:00:00Z";
const CHANGED: &str = "2026-11-19T03:00:00Z";
const BEFORE_PRICES: &str = "2026-01-01T00:00:00Z";
const LOCATION: &str = "gid://shopify/CompanyLocation/1001";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

/// PUMP is 104.50 for the location, from ten on 99.00, and was 110.00 until the change; 129.00 for everybody. SCREW costs 0.0125
/// and CFG is made by the ERP. Nothing else has a price.
#[derive(Debug, Default)]
struct Book {
    questions: Mutex<u32>,
}

#[async_trait]
impl PricesAt for Book {
    async fn agreed(
        &self,
        company_location: Option<&str>,
        _: Currency,
        asked_at: Timestamp,
        goods: &[Goods],
    ) -> Result<Option<Vec<Agreed>>, Fault> {
        *self.questions.lock().unwrap() += 1;
        if asked_at <= at(BEFORE_PRICES) {
            return Ok(None);
        }
        let price = |list: &str, unit_price: &str, goods: &Goods| {
            Agreed::Price(Price {
                unit_price: decimal(unit_price),
                total: decimal(unit_price) * goods.quantity,
                tax_included: list == "WITH-TAX",
                list: list.to_owned(),
            })
        };
        let one = |goods: &Goods| match (goods.sku.as_str(), company_location) {
            ("PUMP", Some(_)) if asked_at < at(CHANGED) => price("ACME-2026", "110", goods),
            ("PUMP", Some(_)) if goods.quantity >= Decimal::TEN => price("ACME-2026", "99", goods),
            ("PUMP", Some(_)) => price("ACME-2026", "104.5", goods),
            ("PUMP", None) => price("LIST-EUR", "129", goods),
            ("SCREW", _) => price("LIST-EUR", "0.0125", goods),
            ("HOSE", _) => price("WITH-TAX", "11.9", goods),
            ("CFG", _) => Agreed::MadeBy("erp".to_owned()),
            _ => Agreed::NoPrice("no list that is for this buyer has a price for it".to_owned()),
        };
        Ok(Some(goods.iter().map(one).collect()))
    }

    async fn changes(&self, sku: &str, before: Timestamp) -> Result<Vec<Changed>, Fault> {
        assert_eq!(before, at(ORDERED));
        let changed = Changed { at: at(CHANGED), by: "load 12 of erp".to_owned() };
        Ok(if sku == "PUMP" { vec![changed] } else { Vec::new() })
    }
}

fn line(sku: &str, quantity: &str, gross: &str, discount: &str) -> Value {
    json!({ "sku": sku, "quantity": quantity, "gross": gross, "discount": discount, "tax": "1.9" })
}

fn order(lines: &[Value]) -> Value {
    json!({
        "order": "#1001", "at": ORDERED, "currency": "EUR", "company_location": LOCATION,
        "tax_included": false, "lines": lines,
    })
}

fn wanted(body: Value, difference: Difference) -> Wanted {
    let subject = Subject::new(ShopId::new("acme").unwrap(), "order", "5678");
    Wanted {
        object_key: ObjectKey::of(&subject),
        subject,
        body,
        stage: Stage::Present,
        after_confirm: AfterConfirm::default(),
        difference,
        known: None,
        also_known_as: Vec::new(),
    }
}

fn call() -> CallContext {
    CallContext {
        shop: ShopId::new("acme").unwrap(),
        time_out: std::time::Duration::from_secs(1),
        trace: kernel::envelope::TraceId::default(),
        span: 0,
        now: at(ORDERED),
    }
}

async fn found(body: Value) -> Compared {
    let found = compared(&Book::default(), &serde_json::from_value(body).unwrap()).await.unwrap();
    // As it is when it has been kept.
    assert_eq!(serde_json::from_value::<Compared>(found.written()).unwrap(), found);
    found
}

/// What the one line of an order came to.
async fn cause(one: Value) -> String {
    let found = found(order(&[one])).await;
    assert_eq!(found.lines.len(), 1);
    found.lines[0].sentence(found.currency)
}

async fn planned(body: Value, difference: Difference) -> Plan {
    let connector = connect(&Settings::default(), Some(Arc::new(Book::default()))).unwrap();
    let wanted = wanted(body, difference);
    let observed = connector.observe(&call(), &wanted).await.unwrap();
    connector.plan(&wanted, &observed)
}

fn ended(plan: Plan) -> (String, Option<String>) {
    match plan {
        Plan::Done(done) => (done.external.state.unwrap(), done.note),
        other => panic!("{other:?}"),
    }
}

fn refused(plan: Plan) -> Fault {
    match plan {
        Plan::NotAllowed(fault) => fault,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn every_difference_has_its_cause_and_what_to_do() {
    for (one, says) in [
        (line("PUMP", "2", "209.00", "0"), "2 × PUMP: charged 209.00 EUR, as agreed by ACME-2026"),
        // The share of a discount is rounded a line at a time.
        (line("PUMP", "2", "209.01", "0"), "as agreed"),
        (
            line("PUMP", "2", "209.02", "0"),
            "2 × PUMP: charged 209.02 EUR, and 209.00 EUR by ACME-2026 is right; nothing that is known explains it",
        ),
        (
            line("PUMP", "2", "220.00", "0"),
            "it is what counted until 2026-11-19T03:00:00Z (load 12 of erp): Shopify's catalog is behind",
        ),
        // A discount that came upon it does not hide it.
        (
            line("PUMP", "1", "110.00", "3.00"),
            "it is what counted until 2026-11-19T03:00:00Z (load 12 of erp)",
        ),
        (
            line("PUMP", "2", "258.00", "0"),
            "it is what anybody pays: no catalog of this location had its price",
        ),
        (line("PUMP", "10", "1045.00", "0"), "it is the price of a single one"),
        (line("PUMP", "2", "209.00", "20.90"), "a discount of Shopify came on top"),
        // One that only brings it to what was agreed is none.
        (line("PUMP", "2", "258.00", "49.00"), "as agreed"),
        (
            line("SCREW", "1000", "10.00", "0"),
            "charged 10.00 EUR, and 12.50 EUR by LIST-EUR is right; Shopify rounds the price of a unit",
        ),
        (line("SCREW", "1000", "20.00", "0"), "nothing that is known explains it"),
        // 10.00 and 1.90 of tax.
        (line("HOSE", "1", "10.00", "0"), "charged 11.90 EUR, as agreed by WITH-TAX"),
        (line("CFG", "1", "77.00", "0"), "charged 77.00 EUR; erp makes this price when it is asked"),
        (
            line("NEW", "1", "5.00", "0"),
            "charged 5.00 EUR; nothing was agreed (no list that is for this buyer",
        ),
    ] {
        let told = cause(one).await;
        assert!(told.contains(says), "{told}");
    }
}

#[tokio::test]
async fn a_price_that_nothing_explains_in_an_order_that_a_person_made_is_said_to_be_that_persons() {
    let mut by_hand = order(&[line("PUMP", "2", "200.00", "0")]);
    by_hand["by_hand"] = json!(true);
    let told = found(by_hand).await;
    assert!(told.lines[0].sentence(told.currency).contains("a person made the order in Shopify"));
}

#[tokio::test]
async fn what_was_charged_as_agreed_asks_once_and_what_was_not_is_looked_into() {
    let book = Book::default();
    let lines = [line("PUMP", "2", "209.00", "0"), line("PUMP", "1", "104.50", "0")];
    compared(&book, &serde_json::from_value(order(&lines)).unwrap()).await.unwrap();
    assert_eq!(*book.questions.lock().unwrap(), 1);
    let lines = [line("PUMP", "2", "209.00", "0"), line("PUMP", "2", "999.00", "0")];
    compared(&book, &serde_json::from_value(order(&lines)).unwrap()).await.unwrap();
    assert!(*book.questions.lock().unwrap() > 2);
}

#[tokio::test]
async fn a_difference_is_a_persons_unless_the_flow_accepts_it() {
    let good = order(&[line("PUMP", "2", "209.00", "0")]);
    assert_eq!(ended(planned(good, Difference::Ticket).await), ("as_agreed".to_owned(), None));

    let bad = || order(&[line("PUMP", "2", "209.00", "0"), line("PUMP", "1", "104.00", "0")]);
    let fault = refused(planned(bad(), Difference::Ticket).await);
    assert_eq!((fault.kind, fault.code.as_str()), (FaultKind::Rejected, "TG-3601"));
    assert!(
        fault.message.starts_with("1 line was not charged as agreed, 0.50 EUR in all: 1 × PUMP"),
        "{fault}"
    );
    let (state, note) = ended(planned(bad(), Difference::Accept(decimal("0.50"))).await);
    assert_eq!(state, "differs");
    assert!(note.unwrap().starts_with("differs by 0.50 EUR, which the flow accepts: 1 × PUMP"));
    let fault = refused(planned(bad(), Difference::Accept(decimal("0.49"))).await);
    assert_eq!(fault.code, "TG-3601");

    // What one buyer paid too much and another too little does not even out.
    let both = order(&[line("PUMP", "1", "104.00", "0"), line("PUMP", "1", "105.00", "0")]);
    assert!(
        refused(planned(both, Difference::Ticket).await)
            .message
            .starts_with("2 lines were not charged as agreed, 1.00 EUR")
    );
    let many: Vec<Value> = (0..7).map(|_| line("PUMP", "1", "100.00", "0")).collect();
    let fault = refused(planned(order(&many), Difference::Ticket).await);
    assert!(fault.message.ends_with(". and 2 more"), "{fault}");
}

#[tokio::test]
async fn an_order_that_was_cancelled_or_is_older_than_all_prices_is_nobodys_to_explain() {
    let mut old = order(&[line("PUMP", "2", "1.00", "0")]);
    old["at"] = json!(BEFORE_PRICES);
    let (state, note) = ended(planned(old, Difference::Ticket).await);
    assert_eq!(
        (state.as_str(), note.as_deref()),
        ("not_compared", Some("no prices were there yet when it was placed"))
    );

    let connector = connect(&Settings::default(), Some(Arc::new(Book::default()))).unwrap();
    let mut wanted = wanted(order(&[line("PUMP", "2", "1.00", "0")]), Difference::Ticket);
    wanted.stage = Stage::Cancelled;
    let observed = connector.observe(&call(), &wanted).await.unwrap();
    let (_, note) = ended(connector.plan(&wanted, &observed));
    assert_eq!(note.as_deref(), Some("the order is cancelled: nothing is charged for it"));
}

#[tokio::test]
async fn what_cannot_be_compared_says_why() {
    let connector = connect(&Settings::default(), None).unwrap();
    let fault = connector.observe(&call(), &wanted(order(&[]), Difference::Ticket)).await.unwrap_err();
    assert_eq!(fault.code, "TG-3602");
    let connector = connect(&Settings::default(), Some(Arc::new(Book::default()))).unwrap();
    let fault =
        connector.observe(&call(), &wanted(json!({ "order": "#1" }), Difference::Ticket)).await.unwrap_err();
    assert_eq!(fault.code, "TG-3603");
    let step = Step { name: "create".to_owned(), creates: true, idempotent: false, request: Vec::new() };
    let refused = connector.apply(&call(), &CallKey("1".to_owned()), &step).await.unwrap_err();
    assert_eq!(refused.kind, FaultKind::Bug);
    let values = [("url".to_owned(), json!("https://erp"))].into();
    let problems = describe(&Settings::new(values, std::collections::BTreeMap::new())).unwrap_err();
    assert!(problems[0].contains("url"), "{problems:?}");
}
