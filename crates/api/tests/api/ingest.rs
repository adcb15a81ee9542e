//! Systems that push: who they are, what they have to say of a fact, and how a mistake is told.

use crate::answer::Answer;
use crate::doors::{Doors, PUSH_SECRET, PUSH_TOKEN, secret};
use crate::world::order;
use axum::body::Body;
use http::{Request, StatusCode};
use kernel::envelope::{FactKind, Via};
use kernel::version::EffectiveVersion;
use serde_json::{Value, json};
use tidegate_api::intake::{INGEST_SIGNATURE, sign_ingest};

fn told() -> Value {
    json!({ "subject": "acme/order:5001", "version": 17, "data": { "number": "S0001", "browser_ip": "10.1.1.1" } })
}

async fn push(doors: &Doors, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let mut request = Request::post(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    doors.ask(request.body(Body::from(body.to_owned())).unwrap()).await
}

async fn pushed(doors: &Doors, body: &Value) -> Answer {
    let bearer = format!("Bearer {PUSH_TOKEN}");
    push(doors, "/ingest/erp/orders", &[("authorization", &bearer)], &body.to_string()).await
}

#[tokio::test]
async fn a_fact_is_in_the_log_with_its_version_before_it_is_answered() {
    let doors = Doors::new();
    assert_eq!(pushed(&doors, &told()).await.status, StatusCode::OK);
    let log = doors.log().await;
    let envelope = &log[0].envelope;
    assert_eq!((envelope.source.as_str(), envelope.domain.as_str()), ("erp", "orders"));
    assert_eq!((envelope.kind, envelope.via, &envelope.subject), (FactKind::State, Via::Ingest, &order(1)));
    assert_eq!(envelope.version, Some(EffectiveVersion::Sequence { sequence: 17 }));
    assert_eq!(envelope.topic, "object/told");
    assert_eq!(log[0].payload.as_deref(), Some(br#"{"number":"S0001"}"# as &[u8]));
    assert_eq!(doors.counted_ingest(200, "stored"), 1);
}

#[tokio::test]
async fn what_is_pushed_stays_as_it_was_spelled() {
    let doors = Doors::new();
    let data =
        r#"{"total": 1234567890123456.10, "id":12345678901234567890123, "a":{"rate":0.30, "b":"\u00fc"}}"#;
    let body = format!(r#"{{"version":"17","data":{data} ,"subject":"acme/order:5001"}}"#);
    let bearer = format!("Bearer {PUSH_TOKEN}");
    let answer = push(&doors, "/ingest/erp/orders", &[("authorization", &bearer)], &body).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let log = doors.log().await;
    assert_eq!(std::str::from_utf8(log[0].payload.as_deref().unwrap()).unwrap(), data);
}

#[tokio::test]
async fn the_same_state_is_taken_once() {
    let doors = Doors::new();
    let other = json!({ "subject": "acme/order:5001", "version": 17, "data": { "number": "S0002" } });
    let newer = json!({ "subject": "acme/order:5001", "version": 18, "data": { "number": "S0002" } });
    let by_id = json!({ "subject": "acme/order:5001", "version": 19, "id": "e-1", "data": {} });
    let id_again = json!({ "subject": "acme/order:5001", "version": 20, "id": "e-1", "data": {} });
    for body in [&told(), &told(), &other, &newer, &by_id, &id_again] {
        assert_eq!(pushed(&doors, body).await.status, StatusCode::OK);
    }
    assert_eq!(doors.log().await.len(), 3);
    let counted =
        ["stored", "duplicate", "same_id_other_body"].map(|reason| doors.counted_ingest(200, reason));
    assert_eq!(counted, [3, 1, 2]);
    assert_eq!(
        doors.heard.names(),
        ["same_version_other_body"; 2],
        "a state was left out and nobody heard of it"
    );
    assert!(
        doors.heard.summaries().starts_with("TG-7017: erp pushed acme/order:5001 again under version 17")
    );
}

/// Where, with which headers, and the answer.
type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], StatusCode);

#[tokio::test]
async fn a_token_or_a_signature_opens_the_door() {
    let body = told().to_string();
    let signature = sign_ingest(&secret(PUSH_SECRET), body.as_bytes());
    let other = sign_ingest(&secret("another"), body.as_bytes());
    let empty = sign_ingest(&secret(""), body.as_bytes());
    let bearer = format!("Bearer {PUSH_TOKEN}");
    let (ok, no) = (StatusCode::OK, StatusCode::UNAUTHORIZED);
    let erp = "/ingest/erp/orders";
    let cases: [Case<'_>; 11] = [
        (erp, &[("authorization", &bearer)], ok),
        (erp, &[(INGEST_SIGNATURE, &signature)], ok),
        (erp, &[("authorization", "Bearer wrong"), (INGEST_SIGNATURE, &signature)], ok),
        (erp, &[], no),
        (erp, &[("authorization", "Bearer wrong")], no),
        (erp, &[("authorization", PUSH_TOKEN)], no),
        (erp, &[(INGEST_SIGNATURE, &other)], no),
        (erp, &[(INGEST_SIGNATURE, &signature[..20])], no),
        // Empty secrets, an unknown system: no word about which.
        ("/ingest/wms/orders", &[("authorization", "Bearer "), (INGEST_SIGNATURE, &empty)], no),
        ("/ingest/nobody/orders", &[("authorization", &bearer)], no),
        ("/ingest/nobody/nothing", &[("authorization", &bearer)], no),
    ];
    for (path, headers, status) in cases {
        let doors = Doors::new();
        let answer = push(&doors, path, headers, &body).await;
        assert_eq!(answer.status, status, "{path} {headers:?}");
        assert_eq!(doors.log().await.len(), usize::from(status == ok), "{path} {headers:?}");
        if status == no {
            assert_eq!((answer.text.as_str(), doors.counted_ingest(401, "unauthorized")), ("", 1));
        }
    }
}

#[tokio::test]
async fn a_domain_that_no_flow_takes_is_no_door() {
    let doors = Doors::new();
    let bearer = format!("Bearer {PUSH_TOKEN}");
    let headers = [("authorization", bearer.as_str())];
    let answer = push(&doors, "/ingest/erp/pricing", &headers, &told().to_string()).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    assert_eq!(doors.log().await.len(), 0);
}

#[tokio::test]
async fn what_cannot_be_taken_says_what_to_mend() {
    let doors = Doors::new();
    let with = |name: &str, value: Value| {
        let mut body = told();
        body[name] = value;
        body.to_string()
    };
    let without = |name: &str| {
        let mut body = told();
        body.as_object_mut().unwrap().remove(name);
        body.to_string()
    };
    let cases = [
        ("nonsense".to_owned(), "the body"),
        ("[]".to_owned(), "$.subject is missing"),
        (r#"{"subject":"acme/order:1","subject":"acme/order:2"}"#.to_owned(), "subject"),
        (without("subject"), "$.subject is missing"),
        (with("subject", json!(5)), "$.subject is a number"),
        (with("subject", json!("order:5")), "as in \"acme/order:5678\""),
        (with("subject", json!("acme/order")), "as in \"acme/order:5678\""),
        (with("subject", json!("acme/order:../../etc")), "as in \"acme/order:5678\""),
        (with("subject", json!("initech/order:5")), "initech, which is not configured"),
        (without("version"), "an older state could overwrite a newer one"),
        (with("version", json!(1.5)), "no whole number"),
        (with("version", json!("x")), "no whole number"),
        (without("data"), "$.data is missing"),
        (with("data", json!([1])), "no object"),
        (with("topic", json!(7)), "$.topic is"),
        (with("topic", json!("told")), "as in \"object/told\""),
        (with("topic", json!("object/Told to all")), "as in \"object/told\""),
        (with("topic", json!(format!("object/{}", "x".repeat(200)))), "as in \"object/told\""),
        (r#"{"subject":"acme/order:1","version":1,"data":{"total":1e400}}"#.to_owned(), "$.data.total"),
    ];
    for (body, words) in cases {
        let bearer = format!("Bearer {PUSH_TOKEN}");
        let answer = push(&doors, "/ingest/erp/orders", &[("authorization", &bearer)], &body).await;
        assert_eq!(answer.header("content-type"), "application/json", "{body}");
        answer.refused(StatusCode::BAD_REQUEST, "TG-7016", words);
    }
    assert_eq!(doors.log().await.len(), 0);
}

/// What a shipment leaves behind is in the log before it, in one commit: no older level is set once the shop knows of it.
#[tokio::test]
async fn a_shipment_brings_the_levels_that_it_leaves_behind() {
    let doors = Doors::new();
    let level = |version: i64, sku: &str| {
        let data = json!({
            "sku": sku, "location": "WH-1", "on_hand": "4", "changed_at": "2026-11-26T14:00:00Z"
        });
        json!({ "version": version, "data": data })
    };
    let shipment = json!({
        "subject": "acme/order:5001/shipment:SH-1", "version": 1, "topic": "shipment/state",
        "data": {
            "shipment": "SH-1", "order": "5001", "location": "WH-1",
            "lines": [{ "sku": "A/1", "quantity": 2 }], "shipped_at": "2026-11-26T14:00:00Z",
        },
        "levels": [level(17, "A/1"), level(9, "B")],
    });
    assert_eq!(pushed(&doors, &shipment).await.status, StatusCode::OK);
    let told: Vec<(String, String, i64)> = doors
        .log()
        .await
        .iter()
        .map(|item| {
            let envelope = &item.envelope;
            let Some(EffectiveVersion::Sequence { sequence }) = envelope.version else { unreachable!() };
            (envelope.domain.to_string(), envelope.subject.path.clone(), sequence)
        })
        .collect();
    let stock = |path: &str, sequence| ("inventory".to_owned(), path.to_owned(), sequence);
    let sent = ("orders".to_owned(), "order:5001/shipment:SH-1".to_owned(), 1);
    assert_eq!(told, [stock("ats:A%2F1@WH-1", 17), stock("ats:B@WH-1", 9), sent]);
    // Told again, nothing is stored twice; a level alone has its own door.
    assert_eq!(pushed(&doors, &shipment).await.status, StatusCode::OK);
    assert_eq!(doors.log().await.len(), 3);
    let mut alone = told_with(&level(1, "C"));
    let refused = pushed(&doors, &alone).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    assert!(refused.text.contains("$.levels belong to a shipment"), "{}", refused.text);
    alone = shipment.clone();
    alone["levels"][1]["data"] = json!({ "sku": "B" });
    let refused = pushed(&doors, &alone).await;
    assert!(refused.text.contains("$.levels[1].data has no texts sku and location"), "{}", refused.text);
}

/// What the hub composes of levels is nobody's to push: its parts would be taken for levels that their source told.
#[tokio::test]
async fn what_is_composed_of_levels_is_the_hubs_own_to_say() {
    let doors = Doors::new();
    let level = json!({
        "sku": "SET", "location": "WH-1", "on_hand": "900", "changed_at": "2026-11-26T14:00:00Z",
    });
    let body = |topic: &str| {
        json!({
            "subject": "acme/ats:SET@WH-1", "version": 1, "topic": topic,
            "data": {
                "sku": "SET", "location": "WH-1", "on_hand": "900", "changed_at": "2026-11-26T14:00:00Z",
                "parts": [{ "sku": "SET", "quantity": 1, "level": level }],
            },
        })
    };
    let bearer = format!("Bearer {PUSH_TOKEN}");
    let headers = [("authorization", bearer.as_str())];
    let answer = push(&doors, "/ingest/erp/inventory", &headers, &body("stock/composed").to_string()).await;
    answer.refused(StatusCode::BAD_REQUEST, "TG-7016", "is the hub's own");
    assert_eq!(doors.log().await.len(), 0);
    let answer = push(&doors, "/ingest/erp/inventory", &headers, &body("stock/level").to_string()).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
}

/// A level that says not which is newer is nothing to believe, and none of them may be lost: each may tell of another change.
#[tokio::test]
async fn a_level_without_a_number_is_a_hint_and_none_is_lost() {
    let doors = Doors::new();
    let bearer = format!("Bearer {PUSH_TOKEN}");
    let headers = [("authorization", bearer.as_str())];
    let to = async |system: &str, body: &Value| {
        push(&doors, &format!("/ingest/{system}/inventory"), &headers, &body.to_string()).await
    };
    let hint = |more: Value| {
        let mut body = json!({
            "subject": "acme/ats:A%2F1@WH-1", "topic": "stock/level", "data": { "sku": "A/1", "location": "WH-1" },
        });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let nothing = || hint(json!({}));
    let named = |id: &str, on_hand: &str| {
        hint(json!({ "id": id, "data": { "sku": "A/1", "location": "WH-1", "on_hand": on_hand } }))
    };
    // The same again may be another change; a copy is what bears the same id and says the same.
    let told = [nothing(), nothing(), hint(json!({ "version": null })), named("e-1", "4"), named("e-1", "4")];
    for body in told.iter().chain([&named("e-1", "5"), &named("e-2", "5")]) {
        let answer = to("erp", body).await;
        assert_eq!(answer.status, StatusCode::OK, "{body}: {}", answer.text);
    }
    // Nor does it stand in the way of a level that has a number, under whatever id.
    let level =
        json!({ "sku": "A/1", "location": "WH-1", "on_hand": "4", "changed_at": "2026-11-26T14:00:00Z" });
    to("erp", &hint(json!({ "id": "e-1", "version": 18, "data": level }))).await;
    let log = doors.log().await;
    let kinds: Vec<FactKind> = log.iter().map(|item| item.envelope.kind).collect();
    assert_eq!(kinds, [&[FactKind::Hint; 6][..], &[FactKind::State]].concat());
    assert!(log[..6].iter().all(|item| item.envelope.version.is_none()));
    assert_ne!(log[0].envelope.trace, log[3].envelope.trace);
    let counted = ["hint", "duplicate", "stored"].map(|reason| doors.counted_ingest(200, reason));
    assert_eq!(counted, [6, 1, 1]);

    let refused = async |system: &str, body: Value, words: &str| {
        to(system, &body).await.refused(StatusCode::BAD_REQUEST, "TG-7016", words);
    };
    // Whoever cannot be asked is told what to write; what was meant as a number is no hint.
    refused("shelves", nothing(), "only where shelves can be asked for the pair").await;
    refused("shelves", nothing(), "an older state could overwrite a newer one").await;
    refused("erp", hint(json!({ "version": 1.5 })), "Without $.version it is a hint").await;
    refused("erp", hint(json!({ "topic": "object/told" })), "its $.topic is \"stock/level\"").await;
    refused("erp", hint(json!({ "data": { "sku": "A/1" } })), "no texts sku and location").await;
    refused("erp", hint(json!({ "data": { "sku": "A", "location": "WH-1" } })), "and $.data is of").await;
    refused("erp", hint(json!({ "topic": "stock/change" })), "an id of its own").await;
    assert_eq!(doors.log().await.len(), 7);
}

fn told_with(level: &Value) -> Value {
    let mut body = told();
    body["levels"] = json!([level]);
    body
}
