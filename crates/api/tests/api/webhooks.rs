//! What Shopify, and whoever pretends to be Shopify, is answered; and what is then in the log.

use crate::doors::{BEFORE, Doors, SECRET, Webhook, noon};
use crate::world::{order, shop};
use http::StatusCode;
use kernel::envelope::{FactKind, Via};
use kernel::fault::Severity;
use shopify::webhook::header;
use std::sync::atomic::Ordering;

#[tokio::test]
async fn what_is_not_proved_leaves_no_trace_but_a_counter() {
    let good = || Webhook::order("w-1");
    let signature = good().headers[header::SIGNATURE].clone();
    let flipped = signature.replacen(&signature[..1], if signature.starts_with('A') { "B" } else { "A" }, 1);
    let mut other_body = good();
    other_body.body.push(b' ');
    let cases = [
        ("missing", good().without(header::SIGNATURE), "missing_signature"),
        ("empty", good().header(header::SIGNATURE, ""), "missing_signature"),
        ("truncated", good().header(header::SIGNATURE, &signature[..20]), "malformed_signature"),
        ("no base64", good().header(header::SIGNATURE, "§"), "malformed_signature"),
        ("one bit", good().header(header::SIGNATURE, &flipped), "wrong_signature"),
        ("of another body", other_body, "wrong_signature"),
        ("of a secret of no app", good().signed("somebody-else"), "wrong_signature"),
        ("of an empty secret", good().signed(""), "wrong_signature"),
        ("of nobody's shop", good().signed("x").header(header::SHOP_DOMAIN, "who.knows"), "wrong_signature"),
    ];
    for (what, webhook, reason) in cases {
        let doors = Doors::new();
        let answer = doors.knock(webhook).await;
        assert_eq!((answer.status, answer.text.as_str()), (StatusCode::UNAUTHORIZED, ""), "{what}");
        assert_eq!(doors.log().await.len(), 0, "{what}");
        assert_eq!(doors.store.at_gate.load(Ordering::SeqCst), 0, "{what}");
        let counted = doors.counted(401, reason) + doors.counted(401, "unreadable_header");
        assert_eq!(counted, 1, "{what} is not counted as {reason}: {}", doors.metrics.encode());
        assert_eq!(doors.heard.names(), Vec::<String>::new(), "{what}");
        assert_eq!(doors.intake.room().used(), 0, "{what}");
    }
}

#[tokio::test]
async fn during_a_rotation_both_secrets_are_good() {
    for signer in [SECRET, BEFORE] {
        let doors = Doors::new();
        let answer = doors.knock(Webhook::order("w-1").signed(signer)).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(doors.log().await.len(), 1);
    }
}

#[tokio::test]
async fn a_webhook_is_in_the_log_before_it_is_answered() {
    let store = crate::gated::Gated::shut();
    let doors = Doors::with(crate::doors::Wish { store: store.clone(), ..Default::default() });
    let answer = doors.begin(Webhook::order("w-1").request());
    doors.at_gate(1).await;
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert!(!answer.is_finished(), "answered before the commit");
    assert_eq!(doors.hub.appended.load(Ordering::SeqCst), 0);
    store.open();
    assert_eq!(answer.await.unwrap().status, StatusCode::OK);
    assert_eq!(doors.hub.appended.load(Ordering::SeqCst), 1);
    let log = doors.log().await;
    let envelope = &log[0].envelope;
    assert_eq!((&envelope.shop, envelope.topic.as_str()), (&shop("acme"), "orders/create"));
    assert_eq!((envelope.kind, envelope.via, &envelope.subject), (FactKind::State, Via::Webhook, &order(1)));
    assert_eq!(envelope.received_at, noon());
    assert_eq!(envelope.occurred_at, "2026-11-26T11:59:58.5Z".parse().unwrap());
}

#[tokio::test]
async fn a_client_that_goes_away_ends_no_commit() {
    let store = crate::gated::Gated::shut();
    let doors = Doors::with(crate::doors::Wish { store: store.clone(), ..Default::default() });
    let answer = doors.begin(Webhook::order("w-1").request());
    doors.at_gate(1).await;
    answer.abort();
    assert!(answer.await.unwrap_err().is_cancelled());
    assert!(doors.intake.room().used() > 0, "its bytes are still in memory");
    store.open();
    while doors.hub.appended.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(doors.log().await.len(), 1);
    assert_eq!(doors.intake.room().used(), 0);
}

#[tokio::test]
async fn copies_at_once_are_stored_once() {
    let store = crate::gated::Gated::shut();
    let doors = Doors::with(crate::doors::Wish { store: store.clone(), ..Default::default() });
    let copies: Vec<_> = (0..16).map(|_| doors.begin(Webhook::order("w-1").request())).collect();
    doors.at_gate(16).await;
    store.open();
    for copy in copies {
        assert_eq!(copy.await.unwrap().status, StatusCode::OK);
    }
    assert_eq!(doors.log().await.len(), 1);
    assert_eq!((doors.counted(200, "stored"), doors.counted(200, "duplicate")), (1, 15));
}

#[tokio::test]
async fn the_same_id_with_another_body_changes_nothing_and_is_told() {
    let doors = Doors::new();
    doors.knock(Webhook::order("w-1")).await;
    let other = Webhook::new("orders/create", "w-1", br#"{"id":5002}"#.to_vec());
    assert_eq!(doors.knock(other).await.status, StatusCode::OK);
    let log = doors.log().await;
    assert_eq!((log.len(), &log[0].envelope.subject), (1, &order(1)));
    assert_eq!(doors.heard.names(), ["same_id_other_body"]);
    assert!(doors.heard.summaries().starts_with("TG-7009"));
    // Under another topic the same id is another webhook.
    let topic = Webhook::new("orders/updated", "w-1", br#"{"id":5001}"#.to_vec());
    assert_eq!(doors.knock(topic).await.status, StatusCode::OK);
    assert_eq!(doors.log().await.len(), 2);
}

#[tokio::test]
async fn a_body_of_another_shop_is_kept_aside() {
    let doors = Doors::new();
    let body = br#"{"id":5001,"order_status_url":"https://globex.myshopify.com/1/orders/x"}"#;
    assert_eq!(doors.knock(Webhook::new("orders/create", "w-1", body.to_vec())).await.status, StatusCode::OK);
    let log = doors.log().await;
    assert_eq!(log[0].envelope.kind, FactKind::Unreadable);
    assert!(log[0].envelope.subject.path.starts_with("wrong_shop:"), "{}", log[0].envelope.subject);
    assert_eq!(doors.heard.names(), ["wrong_shop"]);
    assert!(doors.heard.summaries().contains("globex.myshopify.com"));
}

#[tokio::test]
async fn a_shop_of_another_app_or_of_nobody_is_not_taken() {
    let doors = Doors::new();
    for (domain, reason) in [("globex.myshopify.com", "other_app"), ("who.knows", "unknown_shop")] {
        let answer = doors.knock(Webhook::order("w-1").header(header::SHOP_DOMAIN, domain)).await;
        assert!(answer.status.is_client_error(), "{domain}: {}", answer.status);
        assert_eq!(doors.counted(answer.status.as_u16(), reason), 1, "{}", doors.metrics.encode());
    }
    assert_eq!(doors.log().await.len(), 0);
}

#[tokio::test]
async fn a_signed_body_that_cannot_be_read_is_kept_as_it_came() {
    let deep = format!("{}1{}", "[".repeat(10_000), "]".repeat(10_000));
    let deep_in_order = format!(r#"{{"id":5001,"note":{deep}}}"#);
    let bodies: [(&str, Vec<u8>); 17] = [
        ("empty", Vec::new()),
        ("no JSON", b"<order/>".to_vec()),
        ("half of it", br#"{"id":5001,"#.to_vec()),
        ("two of it", br#"{"id":5001}{"id":5002}"#.to_vec()),
        ("a list", br#"[{"id":5001}]"#.to_vec()),
        ("a number", b"5001".to_vec()),
        ("no id", br##"{"name":"#1001"}"##.to_vec()),
        ("an id that is none", br#"{"id":{"a":1}}"#.to_vec()),
        ("depth 10,000", deep.into_bytes()),
        ("depth 10,000 within", deep_in_order.into_bytes()),
        ("duplicate keys", br#"{"id":5001,"id":5002}"#.to_vec()),
        ("NaN", br#"{"id":5001,"total_price":NaN}"#.to_vec()),
        ("Infinity", br#"{"id":5001,"total_price":-Infinity}"#.to_vec()),
        ("lone surrogate", br#"{"id":5001,"note":"\ud800"}"#.to_vec()),
        ("1e400", br#"{"id":5001,"total_price":1e400}"#.to_vec()),
        ("no UTF-8", b"{\"id\":5001,\"note\":\"\xff\"}".to_vec()),
        ("a zero byte", b"{\"id\":5001,\"note\":\"\0\"}".to_vec()),
    ];
    let doors = Doors::new();
    for (number, (what, body)) in bodies.iter().enumerate() {
        let answer = doors.knock(Webhook::new("orders/create", &format!("w-{number}"), body.clone())).await;
        assert_eq!(answer.status, StatusCode::OK, "{what}");
        let log = doors.log().await;
        assert_eq!(log.len(), number + 1, "{what}");
        let kept = log.last().unwrap();
        let (envelope, payload) = (&kept.envelope, kept.payload.as_deref().unwrap());
        assert_eq!(envelope.raw_bytes as usize, body.len(), "{what}");
        if envelope.kind == FactKind::Unreadable {
            assert_eq!(payload, body, "{what}");
            assert!(envelope.subject.path.starts_with("unreadable:"), "{what}");
        } else {
            // What the door can take is refused when it is read as an order, and names the field.
            let fault = domains::orders::from_rest(payload).unwrap_err();
            assert!(fault.path.starts_with('$'), "{what}: {fault:?}");
        }
    }
    let unreadable = doors.heard.names().iter().filter(|name| *name == "unreadable_body").count();
    assert_eq!(unreadable as u64, doors.counted(200, "unreadable"));
    assert!(unreadable >= 12, "{}", doors.heard.summaries());
    assert!(doors.heard.0.lock().unwrap().iter().all(|heard| heard.severity == Severity::Ticket));
    assert_eq!(doors.knock(Webhook::order("good")).await.status, StatusCode::OK);
    assert_eq!(doors.log().await.last().unwrap().envelope.kind, FactKind::State);
}

#[tokio::test]
async fn what_no_flow_uses_and_every_card_field_is_left_out() {
    let body =
        br#"{"id":5001,"browser_ip":"10.1.1.1","client_details":{"user_agent":"x"},"total_price":"10.00",
        "payment_details":{"credit_card_number":"4242"},"credit_card_bin":"424242"}"#;
    let doors = Doors::new();
    doors.knock(Webhook::new("orders/create", "w-1", body.to_vec())).await;
    let log = doors.log().await;
    let kept = String::from_utf8(log[0].payload.clone().unwrap().to_vec()).unwrap();
    assert!(kept.contains("\"total_price\":\"10.00\""), "{kept}");
    for gone in ["10.1.1.1", "user_agent", "4242"] {
        assert!(!kept.contains(gone), "{gone} is in {kept}");
    }
}

#[tokio::test]
async fn a_body_that_is_not_the_order_is_a_hint_to_read_it() {
    let doors = Doors::new();
    let refund = Webhook::new("refunds/create", "w-1", br#"{"id":999,"order_id":5001}"#.to_vec());
    let edited = Webhook::new("orders/edited", "w-2", br#"{"order_edit":{"id":3,"order_id":5001}}"#.to_vec());
    for webhook in [refund, edited] {
        assert_eq!(doors.knock(webhook).await.status, StatusCode::OK);
    }
    let log = doors.log().await;
    for row in &log {
        assert_eq!((row.envelope.kind, &row.envelope.subject), (FactKind::Hint, &order(1)));
    }
}

#[tokio::test]
async fn a_topic_that_no_flow_wants_is_counted_and_not_stored() {
    let doors = Doors::new();
    for topic in ["products/update", "orders/paid"] {
        let answer = doors.knock(Webhook::new(topic, "w-1", br#"{"id":1}"#.to_vec())).await;
        assert_eq!(answer.status, StatusCode::OK);
    }
    assert_eq!((doors.log().await.len(), doors.counted(200, "unwanted")), (0, 2));
}

#[tokio::test]
async fn the_end_of_an_app_is_told_at_once_and_nothing_of_its_body_is_kept() {
    let doors = Doors::new();
    let body = br#"{"id":1,"email":"owner@acme.example"}"#;
    for (topic, id) in [("app/uninstalled", "w-1"), ("app/scopes_update", "w-2"), ("app/uninstalled", "w-1")]
    {
        let answer = doors.knock(Webhook::new(topic, id, body.to_vec())).await;
        assert_eq!(answer.status, StatusCode::OK);
    }
    let log = doors.log().await;
    assert_eq!(log.len(), 2);
    assert!(log.iter().all(|row| row.payload.as_deref() == Some(b"{}" as &[u8])));
    assert_eq!(doors.heard.names(), ["app_uninstalled", "scopes_changed"]);
    let severities: Vec<Severity> =
        doors.heard.0.lock().unwrap().iter().map(|heard| heard.severity).collect();
    assert_eq!(severities, [Severity::Page, Severity::Ticket]);
}

#[tokio::test]
async fn another_api_version_is_read_and_warned_of_once() {
    let doors = Doors::new();
    for id in ["w-1", "w-2"] {
        let other = Webhook::order(id).header(header::API_VERSION, "2026-07");
        assert_eq!(doors.knock(other).await.status, StatusCode::OK);
    }
    assert_eq!(doors.log().await.len(), 2);
    assert_eq!(doors.heard.names(), ["other_api_version"]);
}

#[tokio::test]
async fn a_trace_that_comes_with_it_is_taken_on() {
    let doors = Doors::new();
    let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    doors.knock(Webhook::order("w-1").header("traceparent", parent)).await;
    doors.knock(Webhook::new("orders/updated", "w-2", br#"{"id":5001}"#.to_vec())).await;
    let log = doors.log().await;
    assert_eq!(log[0].envelope.trace.to_string(), "0af7651916cd43dd8448eb211c80319c");
    assert_ne!(log[1].envelope.trace.to_string(), "0".repeat(32), "one begins here");
}
