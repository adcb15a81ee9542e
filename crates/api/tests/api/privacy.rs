//! The three obligatory requests: carried out, certified, told, and nothing personal kept of them.

use crate::doors::{Doors, Webhook, Wish};
use crate::world::{ago, due, order, routed, shop};
use http::StatusCode;
use kernel::fault::Severity;
use std::sync::atomic::Ordering;
use store::Store as _;
use store::delivery::{DeliveryState, Outcome};

const REDACT: &str = r#"{"shop_id":1,"shop_domain":"acme.myshopify.com",
    "customer":{"id":7001,"email":"grace@navy.example","phone":"+31 20 555 0199"},"orders_to_redact":[5009]}"#;

/// Two orders of the customer, each with an open duty.
async fn two_orders(doors: &Doors) {
    for number in 1..=2 {
        routed(&doors.store.inner, number, ago(60), due(ago(60)), None).await;
    }
}

#[tokio::test]
async fn a_redaction_destroys_keys_and_leaves_a_certificate() {
    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("redactions.ndjson");
    let doors = Doors::with(Wish { redactions: Some(list.clone()), ..Default::default() });
    two_orders(&doors).await;
    let answer = doors.knock(Webhook::new("customers/redact", "w-1", REDACT)).await;
    assert_eq!(answer.status, StatusCode::OK);

    let certificates = doors.store.inner.certificates().await.unwrap();
    let [certificate] = &certificates[..] else { panic!("{certificates:?}") };
    assert_eq!(certificate.requested, "customers/redact w-1");
    assert_eq!((certificate.keys_destroyed, certificate.duties_ended), (2, 2));
    for number in 1..=2 {
        assert!(doors.store.inner.newest_payload(&order(number)).await.unwrap().is_none());
        let life = doors.store.inner.life(&shop("acme"), &order(number).path).await.unwrap();
        assert_eq!(life.deliveries[0].state, DeliveryState::Ended(Outcome::Redacted));
    }
    assert_eq!(doors.heard.names(), ["redacted"]);
    let kept = std::fs::read_to_string(&list).unwrap();
    assert!(kept.contains("order:5009") && kept.contains("\"7001\""), "{kept}");
    // Of the request itself ids are kept, and nothing else.
    let log = doors.log().await;
    let payload = String::from_utf8(log[0].payload.clone().unwrap().to_vec()).unwrap();
    assert_eq!(log[0].envelope.subject.to_string(), "acme/privacy:w-1");
    assert_eq!(payload, r#"{"redact":{"customer":"7001","orders":["5009"]}}"#);
    for personal in ["grace", "555"] {
        assert!(!kept.contains(personal) && !payload.contains(personal));
    }
}

#[tokio::test]
async fn a_request_that_was_not_carried_out_is_not_answered_as_if_it_were() {
    let doors = Doors::new();
    two_orders(&doors).await;
    doors.store.fails.store(true, Ordering::SeqCst);
    let request = || Webhook::new("customers/redact", "w-1", REDACT);
    assert_eq!(doors.knock(request()).await.status, StatusCode::SERVICE_UNAVAILABLE);
    doors.store.fails.store(false, Ordering::SeqCst);
    assert_eq!(doors.knock(request()).await.status, StatusCode::OK);
    assert!(doors.store.inner.newest_payload(&order(1)).await.unwrap().is_none());
    // And once more: a copy does no harm, because the process may have died between commit and redaction.
    assert_eq!(doors.knock(request()).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_late_copy_of_a_request_destroys_nothing_that_came_since() {
    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("redactions.ndjson");
    let doors = Doors::with(Wish { redactions: Some(list.clone()), ..Default::default() });
    two_orders(&doors).await;
    let shops_end = r#"{"shop_id":1,"shop_domain":"acme.myshopify.com"}"#;
    let requests = || [("customers/redact", "w-1", REDACT), ("shop/redact", "w-2", shops_end)];
    for (topic, id, body) in requests() {
        assert_eq!(doors.knock(Webhook::new(topic, id, body)).await.status, StatusCode::OK);
    }
    // The shop is installed again, and the customer buys again.
    routed(&doors.store.inner, 3, ago(5), due(ago(5)), None).await;
    for (topic, id, body) in requests() {
        assert_eq!(doors.knock(Webhook::new(topic, id, body)).await.status, StatusCode::OK, "{topic}");
        assert!(doors.store.inner.newest_payload(&order(3)).await.unwrap().is_some(), "{topic}");
    }
    assert_eq!(doors.store.inner.certificates().await.unwrap().len(), 2);
    assert_eq!(std::fs::read_to_string(&list).unwrap().lines().count(), 2);
}

#[tokio::test]
async fn a_list_that_cannot_be_written_destroys_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("no/such/folder/redactions.ndjson");
    let doors = Doors::with(Wish { redactions: Some(list), ..Default::default() });
    two_orders(&doors).await;
    let answer = doors.knock(Webhook::new("customers/redact", "w-1", REDACT)).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(
        doors.store.inner.newest_payload(&order(1)).await.unwrap().is_some(),
        "a restore would bring it back"
    );
}

#[tokio::test]
async fn a_data_request_says_how_much_is_held() {
    let doors = Doors::new();
    two_orders(&doors).await;
    let answer = doors.knock(Webhook::new("customers/data_request", "w-1", REDACT)).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(doors.heard.names(), ["data_request"]);
    assert!(doors.heard.summaries().contains("customer 7001: 2 subjects"), "{}", doors.heard.summaries());
    assert!(doors.store.inner.newest_payload(&order(1)).await.unwrap().is_some());
}

#[tokio::test]
async fn the_end_of_a_shop_takes_all_of_it() {
    let doors = Doors::new();
    two_orders(&doors).await;
    let body = r#"{"shop_id":1,"shop_domain":"acme.myshopify.com"}"#;
    assert_eq!(doors.knock(Webhook::new("shop/redact", "w-1", body)).await.status, StatusCode::OK);
    let certificates = doors.store.inner.certificates().await.unwrap();
    // And the request itself, of which ids alone were kept.
    assert_eq!(certificates[0].roots, ["order:5001", "order:5002", "privacy:w-1"]);
    assert!(doors.store.inner.newest_payload(&order(2)).await.unwrap().is_none());
}

#[tokio::test]
async fn a_request_that_nobody_can_read_goes_to_a_person() {
    let doors = Doors::new();
    two_orders(&doors).await;
    let answer = doors.knock(Webhook::new("customers/redact", "w-1", "{\"customer\":{}}")).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(doors.heard.names(), ["privacy_unreadable"]);
    assert_eq!(doors.heard.0.lock().unwrap()[0].severity, Severity::Page);
    assert!(doors.heard.summaries().contains("NOT carried out"));
    assert!(doors.log().await[0].envelope.subject.path.starts_with("unreadable:"));
    assert_eq!(doors.store.inner.certificates().await.unwrap().len(), 0);
}

#[tokio::test]
async fn a_request_of_another_shop_is_kept_aside_and_not_carried_out() {
    let doors = Doors::new();
    two_orders(&doors).await;
    let body = REDACT.replace("acme.", "globex.");
    assert_eq!(doors.knock(Webhook::new("customers/redact", "w-1", body)).await.status, StatusCode::OK);
    assert_eq!(doors.heard.names(), ["wrong_shop"]);
    assert_eq!(doors.store.inner.certificates().await.unwrap().len(), 0);
}
