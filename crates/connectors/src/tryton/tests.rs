//! What no contract asks: settings, answers by table, the session. Without a Tryton.

use super::contract::{Tryton, call, fixture, line, reference};
use super::plans::{nothing, resolved, wanted};
use super::resolved::Context;
use super::{connect, describe, order, rpc, sale, write};
use crate::page;
use connector::contract::{CuttingProxy, Trouble};
use connector::descriptor::UnknownAnswer;
use connector::port::{Connector, Observed, Plan, Stage};
use connector::settings::Settings;
use kernel::fault::FaultKind;
use kernel::key::CallKey;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

fn example() -> BTreeMap<String, Value> {
    page::example(&page::text("tryton"), "tryton")
}

#[test]
fn the_example_of_the_page_is_a_connection() {
    let settings = Settings::new(example(), BTreeMap::new());
    let declared = describe(&settings).unwrap();
    assert_eq!(declared.unknown, UnknownAnswer::LookUp { lag: std::time::Duration::ZERO });
    assert!(declared.observe_first && declared.health && declared.resolves_references);
    assert_eq!(connect(&settings).unwrap_err(), ["password: the secret was not resolved"]);
}

#[test]
fn every_mistake_is_told_with_its_key() {
    let connection = json!({
        "url": "http://user:pw@tryton.example", "database": "a/b", "password": "hunter2", "quote": "later",
        "closed_period": "no", "line_products": {"moon": "X"}, "adjustment": " ", "wait": "5s",
    });
    let table = connection.as_object().unwrap().clone().into_iter().collect();
    let problems = describe(&Settings::new(table, BTreeMap::new())).unwrap_err();
    for key in [
        "url:",
        "database:",
        "user: is required",
        "password:",
        "quote:",
        "closed_period:",
        "line_products:",
        "adjustment:",
        "wait: is not known here",
    ] {
        assert!(problems.iter().any(|problem| problem.starts_with(key)), "{key} in {problems:#?}");
    }
    assert!(
        !problems.iter().any(|problem| problem.contains("pw") || problem.contains("hunter2")),
        "{problems:#?}"
    );
}

#[test]
fn the_page_lists_every_setting() {
    page::lists("tryton", &describe(&Settings::new(example(), BTreeMap::new())).unwrap().settings);
}

#[test]
fn a_line_never_goes_out_without_its_taxes() {
    let wanted = wanted();
    let context = resolved();
    let order = order::Order::read(&wanted.body).unwrap();
    let settings = Tryton::new("127.0.0.1:9".parse().unwrap(), "desk", "u", "p", "plans".into());
    let settings = settings.settings("127.0.0.1:9".parse().unwrap());
    let config = super::Config::read(&settings, super::Secrets::Resolved).unwrap();
    let resolved = context.resolved.as_ref().unwrap();
    let write = write::Write { config: &config, order: &order, context: &context, resolved, reference: "r" };
    let step = write.create().unwrap();
    let frozen = super::Frozen::of(&step).unwrap();
    let body: Value = serde_json::from_str(&frozen.body).unwrap();
    let line = &body["params"][0][0]["lines"][0][1][0];
    assert_eq!(line["taxes"], json!([["add", [1]]]));
    assert_eq!(line["unit_price"], json!({"__class__": "Decimal", "decimal": "4.2500"}));
    assert!(step.creates && body["params"][1] == json!({"company": 1, "language": "en"}), "{body:#}");
}

/// An answer to a create, and what it ends in.
const ANSWERS: [(&str, &str, FaultKind, &str); 13] = [
    ("200 OK", r#"{"id":1,"error":["UserError",["No.","Really.",null]]}"#, FaultKind::Rejected, "TG-3301"),
    ("200 OK", r#"{"id":1,"error":["UserWarning",["w.1","Sure?",""]]}"#, FaultKind::Rejected, "TG-3302"),
    (
        "200 OK",
        r#"{"id":1,"error":["ConcurrencyException","Records were modified in the meanwhile"]}"#,
        FaultKind::Conflict,
        "TG-3303",
    ),
    ("200 OK", r#"{"id":1,"error":["'nofield'",""]}"#, FaultKind::Ambiguous, "TG-3304"),
    (
        "200 OK",
        r#"{"id":1,"error":["LoginException",["code","?","char"]]}"#,
        FaultKind::Unauthorized,
        "TG-3305",
    ),
    ("200 OK", r#"{"id":1,"result":null}"#, FaultKind::Ambiguous, "TG-3106"),
    ("200 OK", r#"{"id":7,"result":[4]}"#, FaultKind::Ambiguous, "TG-3106"),
    ("200 OK", r#"[]"#, FaultKind::Ambiguous, "TG-3106"),
    ("403 Forbidden", "<html>", FaultKind::Rejected, "http_403"),
    ("413 Too Large", "<html>", FaultKind::Rejected, "http_413"),
    ("422 Unprocessable", "<html>", FaultKind::Rejected, "http_422"),
    ("429 Too Many", "<html>", FaultKind::Throttled, "http_429"),
    ("504 Gateway Timeout", "<html>", FaultKind::Ambiguous, "http_504"),
];

#[tokio::test]
async fn the_table_of_answers_to_a_create() {
    let desk = fixture().await;
    let proxy = CuttingProxy::start(desk.tryton.address(), desk.tryton.log_ins()).await.unwrap();
    let connector = desk.tryton.at(proxy.address());
    let case = nothing("a create", "create");
    let Plan::Next(step) = connector.plan(&case.wanted, &case.observation) else { panic!("a create") };
    let key = CallKey("tg-1".to_owned());
    for (status, body, kind, code) in ANSWERS {
        proxy.set(Trouble::answer(status, body));
        let fault = connector.apply(&call(), &key, &step).await.unwrap_err();
        assert_eq!((fault.kind, fault.code.as_str()), (kind, code), "{status} {body}: {fault}");
        // A read of the same answer has changed nothing.
        if let Err(fault) = connector.observe(&call(), &case.wanted).await {
            assert_ne!(fault.kind, FaultKind::Ambiguous, "{status} {body}: {fault}");
        }
    }
    let creates: Vec<_> =
        proxy.seen().into_iter().filter(|seen| seen.body.windows(11).any(|w| w == b"sale.create")).collect();
    assert!(creates.len() >= ANSWERS.len() && creates.iter().all(|seen| seen.body == creates[0].body));
}

/// A button that was pressed already is no error, whoever pressed it; one that does not lead there is.
#[tokio::test]
async fn a_button_pressed_already_is_done() {
    let desk = fixture().await;
    let (tryton, connector) = (&desk.tryton, desk.tryton.here());
    let mut wanted = tryton.order();
    wanted.stage = Stage::Present;
    super::real::done(&*connector, &mut wanted).await;
    wanted.stage = Stage::Confirmed;
    let observation = connector.observe(&call(), &wanted).await.unwrap();
    let Plan::Next(confirm) = connector.plan(&wanted, &observation) else { panic!("a confirmation") };
    let unstamped = |step: &connector::port::Step| {
        let mut frozen: Value = serde_json::from_slice(&step.request).unwrap();
        let mut body: Value = serde_json::from_str(frozen["body"].as_str().unwrap()).unwrap();
        body["params"][1].as_object_mut().unwrap().remove("_timestamp");
        frozen["body"] = json!(body.to_string());
        connector::port::Step { request: serde_json::to_vec(&frozen).unwrap(), ..step.clone() }
    };
    let key = CallKey("tg-1".to_owned());
    connector.apply(&call(), &key, &confirm).await.unwrap();
    assert_eq!(connector.apply(&call(), &key, &confirm).await.unwrap_err().code, "TG-3303");
    connector.apply(&call(), &key, &unstamped(&confirm)).await.unwrap();
    let Observed::One(object) = observation.object else { panic!("a sale") };
    let sale: sale::Sale = serde_json::from_value(object.body).unwrap();
    let settings = tryton.settings(tryton.address());
    let config = super::Config::read(&settings, super::Secrets::Resolved).unwrap();
    let cancel = write::press(&config, "cancel", "cancel", sale::State::Cancelled, &sale);
    assert_eq!(connector.apply(&call(), &key, &unstamped(&cancel)).await.unwrap_err().code, "TG-3301");
}

#[tokio::test]
async fn a_session_that_has_ended_is_begun_anew_and_once_for_all() {
    let desk = fixture().await;
    let proxy = CuttingProxy::start(desk.tryton.address(), |_| false).await.unwrap();
    let session = rpc::Session::of("a session that ended");
    let connector = super::connect_as(&desk.tryton.settings(proxy.address()), session).unwrap();
    let wanted = desk.tryton.order();
    let call = call();
    let many = (0..4).map(|_| connector.observe(&call, &wanted));
    for observed in futures_of(many).await {
        observed.unwrap();
    }
    let log_ins = proxy.seen().iter().filter(|seen| desk.tryton.log_ins()(seen)).count();
    assert_eq!(log_ins, 1);
}

/// All of them side by side.
async fn futures_of<T>(many: impl Iterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut pending: Vec<_> = many.map(Box::pin).collect();
    let mut ended = Vec::new();
    std::future::poll_fn(|context| {
        pending.retain_mut(|one| match one.as_mut().poll(context) {
            std::task::Poll::Ready(value) => {
                ended.push(value);
                false
            }
            std::task::Poll::Pending => true,
        });
        if pending.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    ended
}

#[tokio::test]
async fn a_wrong_password_is_told_as_such_and_never_shown() {
    let desk = fixture().await;
    let wrong = Tryton::new(desk.tryton.address(), "desk", "tidegate", "wr0ng-passw0rd", "wrong".into());
    let connector: Arc<dyn Connector> = wrong.here();
    let fault = connector.health(&call()).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Unauthorized, "{fault}");
    assert!(!format!("{fault:?} {connector:?}").contains("wr0ng"), "{connector:?}");
    let fault = connector.observe(&call(), &wrong.order()).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Unauthorized, "{fault}");
}

/// The rate alone does not tell, or the connection calls the tax by its name.
#[tokio::test]
async fn taxes_are_found_by_rate_title_and_name() {
    let desk = fixture().await;
    let named = |taxes: Value| {
        let tryton =
            Tryton::new(desk.tryton.address(), "desk", "tidegate", super::desk::PASSWORD, "taxes".into());
        tryton.with("taxes", taxes)
    };
    let table = [
        (json!({}), Ok(Some(1))),
        (json!({"0.210": "VAT 9 %"}), Ok(Some(2))),
        (json!({"VAT": "VAT 9 %", "0.21": "VAT 21 %"}), Ok(Some(2))),
        (json!({"VAT": "VAT 17 %"}), Err("VAT 17 %")),
    ];
    for (taxes, expected) in table {
        let tryton = named(taxes.clone());
        let mut wanted = tryton.order();
        wanted.body["lines"] = json!([line("SKU-0001", "1", "1", "1", &[("0.21", "0.21"), ("0", "0")])]);
        let observation = tryton.here().observe(&call(), &wanted).await.unwrap();
        let context = Context::of(&observation);
        match expected {
            Ok(id) => assert_eq!(context.taxes["0.21 VAT"], id, "{taxes}"),
            Err(name) => assert_eq!(observation.missing[0].reference.value, name, "{taxes}"),
        }
    }
    let mut unknown = desk.tryton.order();
    unknown.body["party"] = reference("party", "cust-001");
    let observation = desk.tryton.here().observe(&call(), &unknown).await.unwrap();
    assert_eq!(observation.missing[0].similar.as_deref(), Some("CUST-001"));
    // Tryton's search takes a blank at the end for nothing; the connector does not.
    unknown.body["party"] = reference("party", "CUST-001 ");
    let observation = desk.tryton.here().observe(&call(), &unknown).await.unwrap();
    assert_eq!(observation.missing[0].similar.as_deref(), Some("CUST-001"));
    assert!(!desk.tryton.here().exists(&call(), &observation.missing[0].reference).await.unwrap());
}
