//! What no contract and no scene asks: the page, settings, answers by table, restarts of whoever asks for stock.

use super::contract::{call, fixture};
use super::moved::Told;
use super::scene::{done, next};
use super::scenes_of_refunds::refund_of;
use super::{connect, describe};
use crate::page;
use connector::contract::{CuttingProxy, Fixture as _, Trouble};
use connector::descriptor::UnknownAnswer;
use connector::settings::Settings;
use kernel::fault::FaultKind;
use kernel::key::CallKey;
use serde_json::{Value, json};
use std::collections::BTreeMap;

fn example() -> BTreeMap<String, Value> {
    page::example(&page::text("medusa"), "medusa")
}

#[test]
fn the_example_of_the_page_is_a_connection() {
    let settings = Settings::new(example(), BTreeMap::new());
    let declared = describe(&settings).unwrap();
    assert_eq!(declared.unknown, UnknownAnswer::LookUp { lag: std::time::Duration::ZERO });
    assert!(declared.observe_first && declared.health && declared.resolves_references);
    assert!(!declared.tells_changes && declared.services.len() == 2, "without locations it is not asked");
    let mut asked = example();
    asked.insert("locations".to_owned(), json!({"ROT": "sloc_1"}));
    let declared = describe(&Settings::new(asked, BTreeMap::new())).unwrap();
    assert!(declared.tells_changes && declared.services.len() == 4);
    assert_eq!(connect(&settings).unwrap_err(), ["api_key: the secret was not resolved"]);
}

#[test]
fn every_mistake_is_told_with_its_key() {
    let connection = json!({
        "url": "http://user:pw@medusa.example", "api_key": "hunter2", "region": "Europe", "shipping_option": "so_1",
        "locations": {"ROT": "sloc_1", "HAM": "sloc_1", "BER": "Berlin"}, "ships_when": "later", "wait": "5s",
    });
    let table = connection.as_object().unwrap().clone().into_iter().collect();
    let problems = describe(&Settings::new(table, BTreeMap::new())).unwrap_err();
    for said in [
        "url:",
        "api_key:",
        "region: must be an id",
        "sales_channel: is required",
        "locations: ROT is \"sloc_1\"",
        "locations: BER is \"Berlin\"",
        "ships_when:",
        "wait: is not known here",
    ] {
        assert!(problems.iter().any(|problem| problem.starts_with(said)), "{said} in {problems:#?}");
    }
    assert!(
        !problems.iter().any(|problem| problem.contains("pw") || problem.contains("hunter2")),
        "{problems:#?}"
    );
}

#[test]
fn the_page_lists_every_setting() {
    page::lists("medusa", &describe(&Settings::new(example(), BTreeMap::new())).unwrap().settings);
}

const STOCK: &str = r#"{"type":"not_allowed","message":"Not enough stock available for item iitem_1"}"#;

/// An answer to a create, and what it ends in.
const ANSWERS: [(&str, &str, FaultKind, &str); 12] = [
    ("400 Bad Request", STOCK, FaultKind::Rejected, "TG-3501"),
    (
        "400 Bad Request",
        r#"{"type":"invalid_data","message":"Unrecognized fields: 'x'"}"#,
        FaultKind::Rejected,
        "TG-3501",
    ),
    ("404 Not Found", r#"{"type":"not_found","message":"Region not found"}"#, FaultKind::Rejected, "TG-3501"),
    ("400 Bad Request", "<html>", FaultKind::Rejected, "http_400"),
    ("401 Unauthorized", r#"{"message":"Unauthorized"}"#, FaultKind::Unauthorized, "http_401"),
    ("403 Forbidden", "<html>", FaultKind::Rejected, "http_403"),
    ("429 Too Many", "<html>", FaultKind::Throttled, "http_429"),
    // It may have come after the commit.
    (
        "500 Internal Server Error",
        r#"{"code":"unknown_error","type":"unknown_error","message":"An unknown error occurred."}"#,
        FaultKind::Ambiguous,
        "http_500",
    ),
    ("504 Gateway Timeout", "<html>", FaultKind::Ambiguous, "http_504"),
    ("200 OK", "[]", FaultKind::Ambiguous, "TG-3106"),
    ("200 OK", r#"{"draft_order":{}}"#, FaultKind::Ambiguous, "TG-3106"),
    ("200 OK", r#"{"order":{"id":"order_1"}}"#, FaultKind::Ambiguous, "TG-3106"),
];

#[tokio::test]
async fn the_table_of_answers_to_a_create() {
    let desk = fixture().await;
    let wanted = desk.wanted(1);
    let step = next(&desk, &wanted).await;
    assert!(step.name == "create" && step.creates && !step.idempotent);
    let proxy = CuttingProxy::start(desk.target(), |_| false).await.unwrap();
    let connector = desk.connector(proxy.address());
    let key = CallKey("tg-1".to_owned());
    for (status, body, kind, code) in ANSWERS {
        proxy.set(Trouble::answer(status, body));
        let fault = connector.apply(&call(), &key, &step).await.unwrap_err();
        assert_eq!((fault.kind, fault.code.as_str()), (kind, code), "{status} {body}: {fault}");
        // A read of the same answer has changed nothing.
        if let Err(fault) = connector.observe(&call(), &wanted).await {
            assert_ne!(fault.kind, FaultKind::Ambiguous, "{status} {body}: {fault}");
        }
    }
    let seen = proxy.seen();
    let creates: Vec<_> = seen.iter().filter(|seen| seen.line.starts_with("POST")).collect();
    assert!(creates.len() >= ANSWERS.len() && creates.iter().all(|seen| seen.body == creates[0].body));
}

/// Medusa reckons what is reserved in two steps, and edits at the same time confuse it: no person is asked at once.
#[tokio::test]
async fn too_little_for_an_edit_is_tried_again() {
    let desk = fixture().await;
    let order = desk.wanted(1);
    done(&desk, &order).await;
    let refund = refund_of(&order, 1, &[("1", 1, "cancel")]);
    let mut step = next(&desk, &refund).await;
    while step.name != "edit_confirm" {
        desk.here().apply(&call(), &CallKey("tg-1".to_owned()), &step).await.unwrap();
        step = next(&desk, &refund).await;
    }
    let proxy = CuttingProxy::start(desk.target(), |seen| !seen.line.starts_with("POST")).await.unwrap();
    let connector = desk.connector(proxy.address());
    let other = r#"{"type":"invalid_data","message":"Order change is not open"}"#;
    for (body, kind, code) in
        [(STOCK, FaultKind::Conflict, "TG-3510"), (other, FaultKind::Rejected, "TG-3501")]
    {
        proxy.set(Trouble::answer("400 Bad Request", body));
        let fault = connector.apply(&call(), &CallKey("tg-2".to_owned()), &step).await.unwrap_err();
        assert_eq!((fault.kind, fault.code.as_str()), (kind, code), "{fault}");
        assert!(fault.message.contains("Medusa refuses it"), "{fault}");
    }
    assert_eq!(done(&desk, &refund).await.0, ["edit_confirm"]);
}

#[tokio::test]
async fn without_locations_it_is_asked_for_nothing() {
    let desk = fixture().await;
    let source = super::source(&desk.settings(desk.target())).unwrap();
    for domain in ["inventory", "orders"] {
        let fault = source.changes(&call(), domain, None).await.unwrap_err();
        assert!(fault.code == "TG-3506" && fault.to_string().contains("locations"), "{fault}");
    }
}

#[test]
fn a_key_is_never_shown() {
    let mut table = example();
    table.insert("url".to_owned(), json!("http://127.0.0.1:9"));
    let secret = secrecy::SecretString::from("sk_not_to_be_seen".to_owned());
    let settings = Settings::new(table, BTreeMap::from([("api_key".to_owned(), secret)]));
    let shown = format!("{:?}", connect(&settings).unwrap());
    assert!(!shown.contains("not_to_be_seen") && !shown.contains("Basic"), "{shown}");
}

#[test]
fn a_thousand_and_more_levels_are_told_in_parts_each_under_a_point_of_its_own() {
    let mut told = Told::default();
    let levels = || super::levels::many(2_500);
    let first = told.compared(levels(), None, 7, String::new());
    assert!(first.more && first.items.len() == 1_000);
    let second = told.came_back(Some(&first.next)).expect("the rest of it");
    let third = told.came_back(Some(&second.next)).expect("the rest of it");
    assert_eq!((second.items.len(), third.items.len(), third.more), (1_000, 500, false));
    assert!(first.next != second.next && second.next != third.next);
    // Whoever begins anew in the middle has the first part told again, and nothing is lost.
    let mut anew = Told::default();
    assert!(anew.came_back(Some(&second.next)).is_none());
    let again = anew.compared(levels(), Some(&second.next), 8, String::new());
    assert!(again.more && again.items.len() == 1_000);
    // After the last part, only what was written lately.
    let mut after = Told::default();
    assert!(after.came_back(Some(&third.next)).is_none());
    let lately = after.compared(levels(), Some(&third.next), 9, String::new());
    assert!(lately.items.len() < 500 && !lately.items.is_empty(), "{}", lately.items.len());
    assert!(told.came_back(Some(&third.next)).is_none());
    let same = told.compared(levels(), Some(&third.next), 10, String::new());
    assert!(same.items.is_empty() && same.next == third.next, "nothing moved");
    // Other locations are told of anew.
    let other = told.compared(levels(), Some(&third.next), 11, "ROT=sloc_1".to_owned());
    assert!(
        other.items.is_empty()
            && Told::default().compared(levels(), Some(&third.next), 12, "ROT=sloc_1".to_owned()).more
    );
}
