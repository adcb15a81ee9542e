//! What no contract asks: declarations, plans, settings, and that the contract itself sees a connector that breaks it.

use super::contract::{call, wanted};
use super::examples::{Example, FIRST, SECOND};
use super::{connect, describe};
use crate::page;
use connector::contract::{CuttingProxy, Trouble};
use connector::descriptor::{Becomes, Descriptor, UnknownAnswer};
use connector::port::{ExternalRef, ObjectState, Observation, Observed, Plan, Stage, Wanted};
use connector::settings::Settings;
use kernel::fault::{Fault, FaultKind};
use kernel::flow::{ChangeBecomes, Difference};
use kernel::key::CallKey;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

fn described(example: &Example) -> Descriptor {
    describe(&example.settings("http://127.0.0.1:9", "secret")).unwrap()
}

#[test]
fn the_examples_declare_what_the_page_says() {
    let first = described(&Example::read(FIRST));
    assert_eq!(first.unknown, UnknownAnswer::NativeKey { lifetime: Duration::from_secs(86_400) });
    assert!(first.health && first.resolves_references && !first.observe_first && first.orders.confirms);
    assert_eq!(first.orders.cancel, BTreeSet::from([Becomes::Ticket, Becomes::Amend]));
    assert_eq!(first.orders.line, BTreeSet::from([Becomes::Ticket]));
    assert!(first.orders.reports_totals && first.orders.lists_totals);
    let second = described(&Example::read(SECOND));
    assert_eq!(second.unknown, UnknownAnswer::LookUp { lag: Duration::from_secs(5) });
    assert!(second.observe_first && !second.resolves_references && !second.orders.reports_totals);
    let neither = Example::read(SECOND).without("look_up");
    assert_eq!(described(&neither).unknown, UnknownAnswer::Neither);
}

#[test]
fn a_way_to_say_who_we_are_that_is_not_known_is_told() {
    let mut example = Example::read(FIRST).with("auth", json!({"kind": "magic"}));
    let problems = describe(&example.settings("http://127.0.0.1:9", "secret")).unwrap_err();
    assert_eq!(problems, ["auth.kind: must be none, basic, bearer, api_key or oauth2"]);
    let token_url = "http://169.254.169.254/token";
    let oauth = json!({"kind": "oauth2", "token_url": token_url, "client_id": "x", "client_secret": "env:X"});
    example = example.with("auth", oauth);
    let problems = describe(&example.settings("http://127.0.0.1:9", "secret")).unwrap_err();
    assert!(problems[0].starts_with("auth: token_url: ") && problems[0].contains("metadata"), "{problems:?}");
}

#[test]
fn no_secret_is_needed_to_describe_and_each_to_connect() {
    let connection = Example::read(FIRST).connection;
    let without = Settings::new(connection, BTreeMap::new());
    assert!(describe(&without).is_ok());
    assert_eq!(connect(&without).unwrap_err(), ["auth.token: the secret was not resolved"]);
}

#[test]
fn every_mistake_is_told_with_its_key() {
    let connection = json!({
        "url": "http://user:pw@erp.example",
        "auth": {"kind": "oauth2", "client_secret": "hunter2", "client_auth": "magic"},
        "idempotency": {"header": "Idempotency-Key"},
        "create": {"path": "sales/{id}", "method": "GET", "success": [404], "body": 7, "wrap": "x"},
        "confirm": {"path": "/sales/{id}/confirm"},
        "cancel": {"path": "/sales/{nope}"},
        "amend": {"path": "/sales/{id}", "headers": {"If-Match": "{version}"}},
        "object": {"id": "id"},
        "faults": {"codes": {"x": "maybe"}, "statuses": {"200": "rejected"}},
        "total": {"wanted": "/total", "object": "total", "currency": "Euro"},
        "wait": "5s",
    });
    let table = connection.as_object().unwrap().clone();
    let problems = describe(&Settings::new(table.into_iter().collect(), BTreeMap::new())).unwrap_err();
    for key in [
        "url:",
        "auth.token_url: is required",
        "auth.client_id: is required",
        "auth.client_secret: must be a reference",
        "auth.client_auth: must be",
        "idempotency.lifetime:",
        "create.path: \"sales/{id}\" must begin",
        "create.path: \"sales/{id}\" names {id}; known here are {object_key}",
        "create.method:",
        "create.success:",
        "create.body:",
        "create.wrap:",
        "confirm: needs object.state",
        "cancel: needs object.state",
        "cancel.path:",
        "object: has neither version",
        "object.id:",
        "faults.codes:",
        "faults.statuses:",
        "total.object:",
        "total.currency: \"Euro\" is neither a pointer",
        "wait: is not known here",
    ] {
        assert!(problems.iter().any(|problem| problem.starts_with(key)), "{key} in {problems:#?}");
    }
    assert!(!problems.iter().any(|problem| problem.contains("pw")), "{problems:#?}");
}

#[test]
fn the_page_lists_every_setting() {
    page::lists("http", &described(&Example::read(FIRST)).settings);
}

const CONFIRMED: Stage = Stage::Confirmed;

/// An order as wanted, an object as it is in the target, and what is planned: a step, `done`, or the code of a refusal.
struct Case {
    name: &'static str,
    wanted: Wanted,
    object: Observed,
    context: Value,
    planned: &'static str,
}

fn case(name: &'static str, planned: &'static str) -> Case {
    let wanted = wanted(
        1,
        CONFIRMED,
        |key| json!({"reference": key, "po_number": "7", "shipment_address": {"city": "Utrecht"}, "totals": {"gross": "10.00"}}),
    );
    Case { name, wanted, object: Observed::None, context: Value::Null, planned }
}

impl Case {
    fn object(mut self, state: &str, change: impl FnOnce(&mut Value)) -> Self {
        let mut object = json!({
            "id": 4, "number": "SO-4", "state": state, "version": 2, "reference": "contract-order-1",
            "po_number": "7", "shipment_address": {"city": "Utrecht"}, "totals": {"gross": "10.0"},
        });
        change(&mut object);
        let external =
            ExternalRef { id: "4".into(), number: Some("SO-4".into()), state: Some(state.to_owned()) };
        let body = json!({"object": object, "version": "2"});
        self.object = Observed::One(ObjectState { external, body, adopted: false });
        self
    }

    fn wanted(mut self, change: impl FnOnce(&mut Wanted)) -> Self {
        change(&mut self.wanted);
        self
    }

    fn same(self, state: &str) -> Self {
        self.object(state, |_| {})
    }

    fn other_po(self, state: &str) -> Self {
        self.object(state, |object| object["po_number"] = json!("6"))
    }
}

fn cases() -> Vec<Case> {
    let known = |wanted: &mut Wanted| {
        wanted.known = Some(ExternalRef { id: "4".into(), number: None, state: None });
    };
    let cancelled = |wanted: &mut Wanted| wanted.stage = Stage::Cancelled;
    let present = |wanted: &mut Wanted| wanted.stage = Stage::Present;
    let address = |object: &mut Value| object["shipment_address"]["city"] = json!("Delft");
    let total = |object: &mut Value| object["totals"]["gross"] = json!("10.04");
    let mut adopted = case("an adopted object is not written to", "done adopted").other_po("draft");
    if let Observed::One(state) = &mut adopted.object {
        state.adopted = true;
    }
    let mut many = case("of several, none is written to", "TG-3207");
    many.object = Observed::Many(vec!["4".into(), "5".into()]);
    let mut unversioned = case("an amend without a version to give", "TG-3205").other_po("draft");
    if let Observed::One(state) = &mut unversioned.object {
        state.body["version"] = Value::Null;
    }
    vec![
        case("nothing there", "create"),
        case("nothing there, and it was cancelled", "done unchanged").wanted(cancelled),
        case("what was there is gone", "TG-3206").wanted(known),
        many,
        adopted,
        case("a draft as wanted", "confirm").same("draft"),
        case("a draft as wanted, to be only there", "done unchanged").same("draft").wanted(present),
        case("confirmed as wanted", "done unchanged").same("confirmed"),
        case("a draft with another PO", "amend").other_po("draft"),
        unversioned,
        case("confirmed with another PO", "TG-3203").other_po("confirmed"),
        case("confirmed with another PO, amend not allowed there", "TG-3203").other_po("confirmed").wanted(
            |wanted| {
                wanted.after_confirm.line = ChangeBecomes::Amend;
            },
        ),
        case("confirmed with another address", "TG-3203").object("confirmed", address),
        case("cancelled and wanted", "TG-3202").same("cancelled"),
        case("cancelled as wanted", "done unchanged").same("cancelled").wanted(cancelled),
        case("a draft to be cancelled", "cancel").same("draft").wanted(cancelled),
        case("confirmed, to be cancelled, by policy a ticket", "TG-3203").same("confirmed").wanted(cancelled),
        case("confirmed, to be cancelled", "cancel").same("confirmed").wanted(|wanted| {
            wanted.stage = Stage::Cancelled;
            wanted.after_confirm.cancel = ChangeBecomes::Amend;
        }),
        case("a total that differs", "TG-3204").object("draft", total),
        case("a total that differs by what is accepted", "confirm").object("draft", total).wanted(|wanted| {
            wanted.difference = Difference::Accept("0.04".parse().unwrap());
        }),
        case("a total that differs by more than is accepted", "TG-3204").object("draft", total).wanted(
            |wanted| {
                wanted.difference = Difference::Accept("0.03".parse().unwrap());
            },
        ),
    ]
}

fn planned(plan: Plan) -> String {
    match plan {
        Plan::Next(step) => step.name,
        Plan::Done(done) if done.adopted => "done adopted".to_owned(),
        Plan::Done(done) if done.unchanged => "done unchanged".to_owned(),
        Plan::Done(_) => "done".to_owned(),
        Plan::NotAllowed(fault) => fault.code,
    }
}

#[test]
fn the_table_of_plans() {
    let connector = connect(&Example::read(FIRST).settings("http://127.0.0.1:9", "secret")).unwrap();
    for case in cases() {
        let observation = Observation { object: case.object, context: case.context, missing: Vec::new() };
        assert_eq!(planned(connector.plan(&case.wanted, &observation)), case.planned, "{}", case.name);
    }
}

#[test]
fn what_the_target_echoes_otherwise_is_written_once() {
    let connector = connect(&Example::read(FIRST).settings("http://127.0.0.1:9", "secret")).unwrap();
    let case = case("", "").other_po("draft");
    let mut observation = Observation { object: case.object, context: Value::Null, missing: Vec::new() };
    assert_eq!(planned(connector.plan(&case.wanted, &observation)), "amend");
    let written = super::frozen::digest(&case.wanted.body);
    observation.context = json!({"written": written, "wrote": true});
    assert_eq!(planned(connector.plan(&case.wanted, &observation)), "confirm");
    let mut newer = case.wanted.clone();
    newer.body["po_number"] = json!("8");
    assert_eq!(planned(connector.plan(&newer, &observation)), "amend");
}

#[tokio::test]
async fn a_former_connectors_object_is_found_and_a_doubled_one_is_told() {
    let desk = super::desk::Desk::start().await;
    let settings =
        Example::read(SECOND).settings(&format!("http://{}/api/v2", desk.address), super::desk::PASSWORD);
    let connector = connect(&settings).unwrap();
    let mut wanted = wanted(1, CONFIRMED, |key| json!({"external_id": key, "lines": []}));
    // The search is by prefix: another's longer key is no hit.
    desk.add(&json!({"external_id": "contract-order-10", "lines": []}));
    assert_eq!(connector.observe(&call(), &wanted).await.unwrap().object, Observed::None);
    desk.add(&json!({"external_id": "web-1", "lines": []}));
    wanted.also_known_as = vec!["web-0".into(), "web-1".into()];
    let observation = connector.observe(&call(), &wanted).await.unwrap();
    assert!(matches!(&observation.object, Observed::One(state) if state.adopted && state.external.id == "2"));
    assert_eq!(planned(connector.plan(&wanted, &observation)), "done adopted");
    desk.add(&json!({"external_id": "web-1", "lines": []}));
    let observation = connector.observe(&call(), &wanted).await.unwrap();
    assert_eq!(observation.object, Observed::Many(vec!["2".into(), "3".into()]));
}

#[tokio::test]
async fn a_look_up_that_is_not_as_described_is_told_and_never_taken_for_none() {
    let wrong = [
        ("items elsewhere", "items", "/found"),
        ("a list that is not there", "path", "/nowhere?x={object_key}"),
        ("more pages than one", "more", "/orders/0/id"),
    ];
    let desk = super::desk::Desk::start().await;
    desk.add(&json!({"external_id": "contract-order-12", "lines": []}));
    for (name, key, value) in wrong {
        let mut example = Example::read(SECOND);
        example.connection.get_mut("look_up").unwrap()[key] = json!(value);
        let base = format!("http://{}/api/v2", desk.address);
        let connector = connect(&example.settings(&base, super::desk::PASSWORD)).unwrap();
        let wanted = wanted(1, CONFIRMED, |_| Value::Null);
        let fault: Fault = connector.observe(&call(), &wanted).await.unwrap_err();
        assert_eq!(fault.code, "TG-3208", "{name}: {fault}");
    }
}

/// An answer to the create, and the kind, the code and the missing reference that it ends in.
const ANSWERS: [(&str, &str, FaultKind, &str, Option<&str>); 12] = [
    (
        "200 OK",
        r#"{"error":{"code":"unknown_item","field":"lines[0].sku"}}"#,
        FaultKind::Rejected,
        "unknown_item",
        Some("item \"A-1\""),
    ),
    ("200 OK", r#"{"error":{"code":"whatever","message":"no"}}"#, FaultKind::Rejected, "whatever", None),
    (
        "200 OK",
        r#"{"id":4,"error":{"code":"unknown_party","field":"/party"}}"#,
        FaultKind::Rejected,
        "unknown_party",
        Some("party \"P\""),
    ),
    ("201 Created", r#"{"number":"SO-4"}"#, FaultKind::Ambiguous, "TG-3106", None),
    ("201 Created", r#"[]"#, FaultKind::Ambiguous, "TG-3106", None),
    ("204 No Content", "", FaultKind::Ambiguous, "TG-3106", None),
    (
        "422 Unprocessable",
        r#"{"error":{"code":"unknown_item","field":"lines.0.sku"}}"#,
        FaultKind::Rejected,
        "unknown_item",
        Some("item \"A-1\""),
    ),
    (
        "422 Unprocessable",
        r#"{"error":{"code":"other","message":"mail jo@example.com"}}"#,
        FaultKind::Rejected,
        "other",
        None,
    ),
    (
        "409 Conflict",
        r#"{"error":{"code":"idempotency_in_progress"}}"#,
        FaultKind::Conflict,
        "idempotency_in_progress",
        None,
    ),
    ("500 Oops", r#"{"error":{"code":"internal"}}"#, FaultKind::Ambiguous, "internal", None),
    ("502 Bad Gateway", "<html>", FaultKind::Transient, "http_502", None),
    ("503 Later", "", FaultKind::Ambiguous, "http_503", None),
];

#[tokio::test]
async fn the_table_of_answers_to_a_create() {
    let proxy = CuttingProxy::start("127.0.0.1:9".parse().unwrap(), |_| false).await.unwrap();
    let mut example = Example::read(FIRST);
    example.connection.get_mut("faults").unwrap()["statuses"] = json!({"502": "transient"});
    let connector = connect(&example.settings(&format!("http://{}", proxy.address()), "secret")).unwrap();
    let wanted = wanted(1, CONFIRMED, |_| json!({"party": "P", "lines": [{"sku": "A-1"}]}));
    let Plan::Next(step) = connector.plan(&wanted, &Observation::unasked()) else { panic!("a create") };
    for (status, body, kind, code, missing) in ANSWERS {
        proxy.set(Trouble::answer(status, body));
        let fault = connector.apply(&call(), &CallKey("tg-1".to_owned()), &step).await.unwrap_err();
        let named = fault.missing.as_ref().map(ToString::to_string);
        assert_eq!(
            (fault.kind, fault.code.as_str(), named.as_deref()),
            (kind, code, missing),
            "{status} {body}: {fault}"
        );
        assert!(!fault.message.contains("jo@"), "{fault}");
    }
    proxy.set(Trouble::answer("201 Created", r#"{"id":4,"number":"SO-4","state":"draft","version":1}"#));
    let applied = connector.apply(&call(), &CallKey("tg-1".to_owned()), &step).await.unwrap();
    let told = ExternalRef { id: "4".into(), number: Some("SO-4".into()), state: Some("draft".into()) };
    assert_eq!(applied.external, Some(told));
    let sent = proxy.seen();
    assert!(sent.iter().all(|seen| seen.head.contains("idempotency-key: tg-1\r\n")), "{:?}", sent[0].head);
    assert!(sent.iter().all(|seen| seen.body == sent[0].body), "the same step sends the same bytes");
}
