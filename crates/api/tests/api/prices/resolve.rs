//! A server with a token asks.

use super::{ACME, BOLT, Counter, LOADER, SERVER, cart};
use http::{Method, StatusCode};
use serde_json::json;

#[tokio::test]
async fn a_cart_is_answered_line_by_line_with_its_sources() {
    let counter = Counter::new();
    let asked = json!({"company_location": ACME, "currency": "EUR", "lines": [
        {"id": "1", "sku": "pump", "quantity": 12},
        {"sku": "PUMP", "quantity": "0.5"},
        {"sku": "SECRET-PART", "quantity": 1},
        {"sku": "PUMP", "quantity": "many"},
        {"sku": "CFG-1", "quantity": 1}
    ]});
    let answer = counter.resolve(&asked.to_string()).await;
    let told = answer.json();
    assert_eq!((&told["version"], &told["at"]), (&json!(2), &json!("2026-11-26T12:00:00Z")));
    let lines = told["lines"].as_array().unwrap();
    assert_eq!(
        lines[0],
        json!({"status": "priced", "id": "1", "sku": "pump", "quantity": "12", "unit": "C62", "unit_price": "99.00",
            "total": "1188.00", "list_price": "129.00", "tax": "excluded",
            "breaks": [{"minimum": "1", "unit_price": "104.50"}, {"minimum": "10", "unit_price": "99.00"}],
            "source": {"list": "OF-ACME", "kind": "contract", "for": "company"}})
    );
    let reasons: Vec<&str> = lines.iter().filter_map(|line| line["reason"].as_str()).collect();
    assert_eq!(reasons, ["quantity", "no_price", "unreadable"]);
    assert_eq!(lines[4]["source"]["list"], "LIST");
    assert_eq!(answer.header("cache-control"), "private, no-store");
}

#[tokio::test]
async fn why_is_told_where_it_is_asked() {
    let counter = Counter::new();
    let mut asked: serde_json::Value = serde_json::from_str(&cart(Some(ACME), "PUMP")).unwrap();
    asked["why"] = true.into();
    let told = counter.resolve(&asked.to_string()).await.json();
    let why = told["lines"][0]["why"].as_array().unwrap();
    assert!(why[0].as_str().unwrap().starts_with("Contract 'OF-ACME' counts"), "{why:?}");
}

#[tokio::test]
async fn a_cart_that_cannot_be_read_says_what_to_write() {
    let counter = Counter::new();
    let many: Vec<_> = (0..501).map(|_| json!({"sku": "PUMP", "quantity": 1})).collect();
    let refusals = [
        ("{".to_owned(), StatusCode::BAD_REQUEST, "TG-7204", "not a cart"),
        (
            json!({"currency": "EUR", "lines": []}).to_string(),
            StatusCode::BAD_REQUEST,
            "TG-7204",
            "at least one",
        ),
        (
            json!({"currency": "EUR", "line": []}).to_string(),
            StatusCode::BAD_REQUEST,
            "TG-7204",
            "unknown field",
        ),
        (cart(None, "PUMP").replace("EUR", "EURO"), StatusCode::BAD_REQUEST, "TG-7204", "EURO"),
        (
            json!({"currency": "EUR", "lines": many}).to_string(),
            StatusCode::PAYLOAD_TOO_LARGE,
            "TG-7204",
            "501",
        ),
        ("x".repeat(300_000), StatusCode::PAYLOAD_TOO_LARGE, "TG-7204", "256 KiB"),
        (
            cart(Some("gid://shopify/CompanyLocation/3"), "PUMP"),
            StatusCode::UNPROCESSABLE_ENTITY,
            "TG-7205",
            "terms",
        ),
    ];
    for (body, status, code, words) in refusals {
        counter.resolve(&body).await.refused(status, code, words);
    }
}

#[tokio::test]
async fn nobody_asks_without_a_right() {
    let counter = Counter::new();
    let body = cart(Some(BOLT), "PUMP");
    let ask = |token: &'static str| {
        let (counter, body) = (&counter, &body);
        async move {
            let headers = [("authorization", token)];
            counter.send(Method::POST, "/v1/prices/resolve", &headers, body).await
        }
    };
    for token in ["", "Bearer ", "Bearer wrong", "server-token-00001", "Basic c2VydmVyLXRva2VuLTAwMDAx"] {
        ask(token).await.refused(StatusCode::UNAUTHORIZED, "TG-7201", "Bearer");
    }
    ask(LOADER).await.refused(StatusCode::FORBIDDEN, "TG-7202", "may not ask for prices");
    // What cannot be read is not read for somebody who may not ask.
    let headers = [("authorization", "Bearer wrong")];
    let garbage = counter.send(Method::POST, "/v1/prices/resolve", &headers, "{").await;
    garbage.refused(StatusCode::UNAUTHORIZED, "TG-7201", "Bearer");
}

#[tokio::test]
async fn a_caller_that_asks_too_often_is_told_when_to_come_again() {
    let counter = Counter::new();
    for _ in 0..50 {
        assert_eq!(counter.resolve(&cart(None, "PUMP")).await.status, StatusCode::OK);
    }
    let refused = counter.resolve(&cart(None, "PUMP")).await;
    refused.refused(StatusCode::TOO_MANY_REQUESTS, "TG-7203", "rate_limit");
    assert_eq!(refused.header("retry-after"), "1");
}

#[tokio::test]
async fn one_line_is_asked_by_get_and_again_for_nothing_while_nothing_changed() {
    let counter = Counter::new();
    let path = "/v1/prices/resolve?sku=PUMP&quantity=10&currency=EUR&company_location=gid://shopify/CompanyLocation/1";
    let first = counter.send(Method::GET, path, &[("authorization", SERVER)], "").await;
    assert_eq!(first.json()["lines"][0]["unit_price"], "99.00");
    let tag = first.header("etag").to_owned();
    let again = |path: &'static str| {
        let (counter, tag) = (&counter, &tag);
        async move {
            let headers = [("authorization", SERVER), ("if-none-match", tag.as_str())];
            counter.send(Method::GET, path, &headers, "").await
        }
    };
    counter.clock.forward(std::time::Duration::from_secs(60));
    let same = again(path).await;
    assert_eq!((same.status, same.text.as_str()), (StatusCode::NOT_MODIFIED, ""));
    // Another buyer's answer is another one, whoever has the tag of the first.
    let others = "/v1/prices/resolve?sku=PUMP&quantity=10&currency=EUR&company_location=gid://shopify/CompanyLocation/9";
    assert_eq!(again(others).await.json()["lines"][0]["unit_price"], "40.00");
}

#[tokio::test]
async fn a_large_answer_is_compressed_for_who_takes_it() {
    let counter = Counter::new();
    let lines: Vec<_> = (0..100).map(|_| json!({"sku": "PUMP", "quantity": 1})).collect();
    let body = json!({"currency": "EUR", "lines": lines}).to_string();
    let plain = counter.resolve(&body).await;
    assert_eq!(plain.header("content-encoding"), "");
    let headers = [("authorization", SERVER), ("accept-encoding", "br, gzip;q=0.5")];
    let (encoding, small) = counter.bytes(Method::POST, "/v1/prices/resolve", &headers, &body).await;
    assert_eq!(encoding, "gzip");
    assert!(small.len() * 5 < plain.text.len(), "{} of {}", small.len(), plain.text.len());
    let mut told = String::new();
    std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(&small[..]), &mut told).unwrap();
    assert_eq!(told, plain.text);
}

#[tokio::test]
async fn before_there_are_terms_and_of_former_instants_it_says_so() {
    let counter = Counter::empty(None);
    counter.resolve(&cart(None, "PUMP")).await.refused(StatusCode::SERVICE_UNAVAILABLE, "TG-7206", "terms");
    let counter = Counter::new();
    let mut asked: serde_json::Value = serde_json::from_str(&cart(None, "PUMP")).unwrap();
    asked["at"] = "2026-11-26T11:59:59Z".into();
    let refused = counter.resolve(&asked.to_string()).await;
    refused.refused(StatusCode::UNPROCESSABLE_ENTITY, "TG-7207", "explain --at");
    asked["at"] = "2027-01-01T00:00:00Z".into();
    assert_eq!(counter.resolve(&asked.to_string()).await.json()["at"], "2027-01-01T00:00:00Z");
}

#[tokio::test]
async fn in_the_second_in_which_a_version_began_it_counts() {
    let counter = Counter::new();
    let half = crate::world::at("2026-11-26T12:00:00.5Z");
    counter.clock.forward(std::time::Duration::from_millis(600));
    counter.bring("list,sku,price\nOF-ACME,PUMP,101\n", half);
    let told = counter.resolve(&cart(Some(ACME), "PUMP")).await.json();
    assert_eq!((&told["version"], &told["lines"][0]["unit_price"]), (&json!(3), &json!("101.00")));
    let explained = counter.prices.explain(counter.asks(ACME, "PUMP", None)).await.unwrap();
    assert_eq!((explained.version, &explained.line["unit_price"]), (3, &json!("101.00")));
    // Before it began the former one did.
    let before = counter.asks(ACME, "PUMP", Some(crate::world::at("2026-11-26T12:00:00Z")));
    let explained = counter.prices.explain(before).await.unwrap();
    assert_eq!((explained.version, &explained.line["unit_price"]), (2, &json!("104.50")));
}
