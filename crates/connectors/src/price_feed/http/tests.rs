//! The feed against a small server that says what docs/prices.md says, and against one that does not.

use super::*;
use axum::Router;
use axum::extract::RawQuery;
use axum::routing::get;
use jiff::Timestamp;
use kernel::envelope::TraceId;
use kernel::id::ShopId;
use std::io::Read as _;
use std::time::Duration;
use tokio::net::TcpListener;

const ROW: &str = r#"{"list":"ERP-1","sku":"A","price":"4.75"}"#;

fn call() -> CallContext {
    CallContext {
        shop: ShopId::new("prices").unwrap(),
        time_out: Duration::from_secs(5),
        trace: TraceId::default(),
        span: 1,
        now: Timestamp::UNIX_EPOCH,
    }
}

async fn served(router: Router) -> Arc<dyn PriceSource> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/prices", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, Router::new().nest("/prices", router)).await.unwrap() });
    feed(&OutboundConfig::new(url)).unwrap()
}

async fn answering(body: impl Into<String>) -> Arc<dyn PriceSource> {
    let body = body.into();
    let say = move || {
        let body = body.clone();
        async move { body }
    };
    served(Router::new().route("/changes", get(say.clone())).route("/snapshot", get(say))).await
}

#[tokio::test]
async fn what_changed_comes_with_its_rows_and_the_point_behind_them() {
    let page = async |RawQuery(query): RawQuery| match query.as_deref() {
        None => format!("{ROW}\n\n{ROW}\n{{\"rows\":2,\"next\":\"a b\",\"more\":true}}\n"),
        Some("after=a%20b") => r#"{"rows":0,"next":"a b"}"#.to_owned(),
        Some(other) => panic!("{other}"),
    };
    let source = served(Router::new().route("/changes", get(page))).await;
    let mut first = source.changes(&call(), None).await.unwrap().unwrap();
    let mut rows = String::new();
    first.rows.read_to_string(&mut rows).unwrap();
    assert_eq!(rows, format!("{ROW}\n\n{ROW}\n"), "the lines keep their numbers");
    assert!(first.more && !first.whole);
    assert!(source.changes(&call(), Some(&first.next)).await.unwrap().is_none(), "nothing changed");
}

#[tokio::test]
async fn half_an_answer_is_none_and_a_point_does_not_jump_back() {
    for (body, code, why) in [
        (format!("{ROW}\n"), "TG-3412", "after 1 rows"),
        (String::new(), "TG-3412", "after 0 rows"),
        (format!("{ROW}\n{{\"rows\":2,\"next\":\"18\"}}"), "TG-3411", "says 2"),
        (format!("{{\"rows\":0,\"next\":\"18\"}}\n{ROW}\n"), "TG-3411", "line 2 comes behind"),
        ("<html>maintenance</html>".to_owned(), "TG-3411", "line 1"),
        ("x".repeat(70_000), "TG-3411", "longer than"),
        (format!("{ROW}\n{{\"rows\":1,\"next\":\"16\"}}"), "TG-3413", "before it"),
        (format!("{ROW}\n{{\"rows\":1,\"next\":\"17\"}}"), "TG-3413", "\"17\" again"),
        ("{\"rows\":0,\"next\":\"17\",\"more\":true}".to_owned(), "TG-3413", "\"17\" again"),
        (format!("{ROW}\n{{\"rows\":1,\"next\":\"18\",\"lists\":[\"B\"]}}"), "TG-3411", "for snapshots"),
        (format!("{ROW}\n{{\"rows\":1,\"next\":\"\"}}"), "TG-3411", "empty"),
    ] {
        let fault = answering(body.clone()).await.changes(&call(), Some("17")).await.unwrap_err();
        assert_eq!(fault.code, code, "{body:.80}: {fault}");
        assert!(fault.message.contains(why), "{body:.80}: {fault}");
    }
}

#[tokio::test]
async fn a_snapshot_names_the_lists_that_are_empty() {
    let source = answering(format!("{ROW}\n{{\"rows\":1,\"next\":\"17\",\"lists\":[\"ERP-2\"]}}")).await;
    let told = source.whole(&call()).await.unwrap().unwrap();
    assert_eq!((told.whole, told.lists, told.next.as_str()), (true, vec!["ERP-2".to_owned()], "17"));
    let cut = answering(ROW).await.whole(&call()).await.unwrap_err();
    assert_eq!(cut.code, "TG-3412");
}
