//! The feed against a small server that says what docs/connectors/stock_feed.md says, and against one that does not.

use super::*;
use axum::Router;
use axum::extract::{Path, RawQuery};
use axum::routing::get;
use connector::port::FedChange;
use jiff::Timestamp;
use kernel::envelope::TraceId;
use kernel::id::ShopId;
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::net::TcpListener;

const LEVEL: &str = r#"{"version":18,"data":{"sku":"SKU 1/x","location":"WH-1","on_hand":"1.50","changed_at":"2026-11-26T14:00:00Z"}}"#;

async fn served(router: Router) -> Arc<dyn Source> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    source(&settings(json!({ "url": url }))).unwrap()
}

fn settings(table: serde_json::Value) -> Settings {
    let values = table.as_object().unwrap().clone().into_iter().collect();
    Settings::new(values, BTreeMap::new())
}

fn call() -> CallContext {
    CallContext {
        shop: ShopId::new("acme").unwrap(),
        time_out: Duration::from_secs(5),
        trace: TraceId::default(),
        span: 1,
        now: Timestamp::UNIX_EPOCH,
    }
}

fn pair(sku: &str) -> Subject {
    Subject { shop: ShopId::new("acme").unwrap(), path: domains::inventory::path(sku, "WH-1") }
}

#[tokio::test]
async fn one_pair_is_read_under_its_own_name_and_byte_for_byte() {
    // Two parts of a path, whatever stands in them: one that is not encoded would be a third.
    let level = async |Path((sku, location)): Path<(String, String)>| match (sku.as_str(), location.as_str())
    {
        ("SKU 1/x", "WH-1") => Ok(LEVEL),
        _ => Err(StatusCode::NOT_FOUND),
    };
    let source = served(Router::new().route("/stock/{sku}/{location}", get(level))).await;
    let read = source.read(&call(), &pair("SKU 1/x")).await.unwrap().unwrap();
    assert!(String::from_utf8(read.payload).unwrap().contains(r#""on_hand":"1.50""#));
    assert_eq!(read.topic, "stock/level");
    assert_eq!(source.read(&call(), &pair("SKU-2")).await, Ok(None));
}

#[tokio::test]
async fn what_changed_comes_with_its_subject_its_sequence_and_the_point_to_go_on_from() {
    let page = async |RawQuery(query): RawQuery| match query.as_deref() {
        None => format!(r#"{{"items":[{LEVEL}],"next":"a b","more":true}}"#),
        Some("after=a%20b") => r#"{"items":[],"next":"19"}"#.to_owned(),
        Some(other) => panic!("{other}"),
    };
    let source = served(Router::new().route("/stock", get(page))).await;
    let first = source.changes(&call(), "inventory", None).await.unwrap();
    let [fed] = first.items.as_slice() else { panic!("{first:?}") };
    assert_eq!((fed.path.as_str(), fed.sequence), (pair("SKU 1/x").path.as_str(), 18));
    assert!(first.more);
    let second = source.changes(&call(), "inventory", Some(&first.next)).await.unwrap();
    assert_eq!((second.items.len(), second.next.as_str(), second.more), (0, "19", false));
}

#[tokio::test]
async fn changes_stand_among_levels_and_are_known_by_id_or_number() {
    let change = |more: &str, by: &str| {
        format!(
            "{{{more}\"data\":{{\"sku\":\"A\",\"location\":\"WH-1\",\"change\":{by},\"changed_at\":\"2026-11-26T14:00:00Z\"}}}}"
        )
    };
    let by = "{\"on_hand\":\"-3\"}";
    let page = |items: &[String]| format!("{{\"items\":[{}],\"next\":\"2\"}}", items.join(","));
    let good = page(&[LEVEL.to_owned(), change("\"id\":\"m-1\",", by), change("\"version\":19,", by)]);
    let source = served(Router::new().route("/stock", get(async move || good.clone()))).await;
    let items = source.changes(&call(), "inventory", None).await.unwrap().items;
    let topics: Vec<&str> = items.iter().map(|fed| fed.topic.as_str()).collect();
    assert_eq!(topics, ["stock/level", "stock/change", "stock/change"]);
    assert_eq!(items[0].change, None);
    assert_eq!(items[1].change, Some(FedChange { id: Some("m-1".to_owned()), numbered: false }));
    assert_eq!(
        (items[2].sequence, items[2].change.clone().unwrap()),
        (19, FedChange { id: None, numbered: true })
    );
    // What would be counted twice, or not at all, is passed over by nobody.
    for bad in [change("", by), change("\"id\":\"\",", by), change("\"id\":\"m-1\",", "{\"on_hand\":-3.5}")] {
        let body = page(&[bad]);
        let source = served(Router::new().route("/stock", get(async move || body.clone()))).await;
        let fault = source.changes(&call(), "inventory", None).await.unwrap_err();
        assert_eq!((fault.kind, fault.code.as_str()), (FaultKind::Rejected, "TG-3402"), "{fault}");
    }
}

#[tokio::test]
async fn an_answer_that_is_not_in_the_form_is_taken_not_even_in_part() {
    let one_bad = format!(r#"{{"items":[{LEVEL},{{"version":1,"data":{{"sku":"A"}}}}],"next":"2"}}"#);
    for body in ["<html>maintenance</html>".to_owned(), one_bad] {
        let source = served(Router::new().route("/stock", get(async move || body.clone()))).await;
        let fault = source.changes(&call(), "inventory", None).await.unwrap_err();
        assert_eq!((fault.kind, fault.code.as_str()), (FaultKind::Rejected, "TG-3402"), "{fault}");
    }
}

#[tokio::test]
async fn a_system_that_only_pushes_says_what_to_set_when_it_is_asked() {
    let source = source(&settings(json!({}))).unwrap();
    let fault = source.read(&call(), &pair("A")).await.unwrap_err();
    assert_eq!(fault.code, "TG-3401");
    assert!(fault.message.contains("set url"), "{fault}");
}

#[test]
fn a_token_without_an_address_is_a_mistake() {
    let problems = describe(&settings(json!({ "token": "env:WMS" }))).unwrap_err();
    assert_eq!(problems, ["token: means nothing without url"]);
}

/// All that it gives, or why not.
async fn whole(body: String) -> Result<Vec<String>, Fault> {
    let source = served(Router::new().route("/stock/snapshot", get(async move || body.clone()))).await;
    let mut whole = source.whole(&call(), "inventory").await?;
    Ok(crate::whole::by_path(whole.as_mut()).await?.into_keys().collect())
}

#[tokio::test]
async fn the_whole_ends_with_the_line_that_counts_it_and_half_of_it_is_no_whole() {
    let second = LEVEL.replace("WH-1", "WH-2");
    let paths = whole(format!("{LEVEL}\n{second}\n{{\"items\":2,\"next\":\"19\"}}\n")).await.unwrap();
    assert_eq!(paths, ["ats:SKU%201%2Fx@WH-1", "ats:SKU%201%2Fx@WH-2"]);
    assert_eq!(whole("{\"items\":0}".to_owned()).await.unwrap(), Vec::<String>::new());
    for (body, kind, code) in [
        (format!("{LEVEL}\n"), FaultKind::Transient, "TG-3403"),
        (String::new(), FaultKind::Transient, "TG-3403"),
        (format!("{LEVEL}\n{{\"items\":2}}\n"), FaultKind::Rejected, "TG-3402"),
        (format!("{LEVEL}\n<html>\n"), FaultKind::Rejected, "TG-3402"),
        ("x".repeat(70_000), FaultKind::Rejected, "TG-3402"),
    ] {
        let fault = whole(body).await.unwrap_err();
        assert_eq!((fault.kind, fault.code.as_str()), (kind, code), "{fault}");
    }
}

#[tokio::test]
async fn two_snapshots_in_one_answer_are_none() {
    let of = |name: &str, location: &str| {
        LEVEL.replace("WH-1", location).replace("{\"version\"", &format!("{{\"snapshot\":{name},\"version\""))
    };
    let named = whole(format!("{}\n{}\n{{\"items\":2,\"snapshot\":7}}\n", of("7", "A"), of("7", "B"))).await;
    assert_eq!(named.unwrap().len(), 2);
    for (body, why) in [
        (format!("{}\n{}\n{{\"items\":2}}\n", of("7", "A"), of("8", "B")), "line 2"),
        (format!("{}\n{LEVEL}\n{{\"items\":2}}\n", of("7", "A")), "names none"),
        (format!("{LEVEL}\n{{\"items\":1}}\n{}\n{{\"items\":2}}\n", LEVEL.replace("WH-1", "B")), "line 3"),
    ] {
        let fault = whole(body).await.unwrap_err();
        assert_eq!((fault.kind, fault.code.as_str()), (FaultKind::Rejected, "TG-3404"), "{fault}");
        assert!(fault.message.contains(why), "{fault}");
    }
}

#[tokio::test]
async fn shipments_are_told_by_order_and_one_that_is_not_sound_goes_on_as_itself() {
    let good = "{\"version\":1,\"data\":{\"shipment\":\"SH-1\",\"order\":\"5678\",\"lines\":[{\"sku\":\"A\",\"quantity\":\"2\"}],\
                \"shipped_at\":\"2026-11-26T14:00:00Z\"}}";
    let bad = good.replace("SH-1", "SH/2").replace("\"2\"", "\"half\"");
    let body = format!("{{\"items\":[{good},{bad}],\"next\":\"9\",\"more\":true}}");
    let asked = async move |RawQuery(query): RawQuery| match query.as_deref() {
        Some("shop=acme&after=7%2F8") => Ok(body.clone()),
        _ => Err(StatusCode::BAD_REQUEST),
    };
    let source = served(Router::new().route("/shipments", get(asked))).await;
    let changes = source.changes(&call(), "orders", Some("7/8")).await.unwrap();
    let told: Vec<_> = changes.items.iter().map(|fed| (fed.path.as_str(), fed.sequence)).collect();
    assert_eq!(told, [("order:5678/shipment:SH-1", 1), ("order:5678/shipment:SH%2F2", 1)]);
    assert_eq!(
        (changes.next.as_str(), changes.more, changes.items[0].topic.as_str()),
        ("9", true, "shipment/state")
    );
}
