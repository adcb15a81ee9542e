//! Who gets in, and what everybody else learns: nothing.

use crate::desk::{Desk, TOKEN, form, from};
use crate::world::night::rich;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use std::time::Duration;

const PAGES: [&str; 6] = [
    "/",
    "/orders",
    "/orders/acme/order%3A5600000001042",
    "/dead-letters",
    "/dead-letters/group?system=erp&fingerprint=x",
    "/systems",
];
const ACTS: [&str; 9] = [
    "/orders/acme/order%3A5600000001042/release",
    "/orders/acme/order%3A5600000001042/skip",
    "/orders/acme/order%3A5600000001042/pause",
    "/orders/acme/order%3A5600000001042/resume",
    "/dead-letters/release",
    "/dead-letters/skip",
    "/systems/pause",
    "/systems/resume",
    "/logout",
];

#[tokio::test]
async fn without_a_session_every_page_leads_to_the_login_and_every_form_is_refused() {
    let desk = Desk::new();
    rich(&desk.scribe(), 1042).await;
    for path in PAGES {
        let seen = desk.get(path).await;
        assert_eq!(seen.status, StatusCode::SEE_OTHER, "{path}");
        assert!(seen.location().starts_with("/login"), "{path}: {}", seen.location());
        assert!(seen.body.is_empty(), "{path}");
    }
    let refused = desk.post(ACTS[0], &[("why", "x")]).await;
    for path in ACTS {
        let seen = desk.post(path, &[("why", "x")]).await;
        assert_eq!((seen.status, &seen.body), (StatusCode::UNAUTHORIZED, &refused.body), "{path}");
    }
    // An order that exists and one that does not are told apart by nobody.
    let unknown = desk.get("/orders/acme/order%3A1").await;
    assert_eq!(unknown.status, StatusCode::SEE_OTHER);
    assert_eq!(desk.post("/orders/acme/order%3A1/skip", &[]).await.body, refused.body);
}

#[tokio::test]
async fn the_right_token_opens_what_was_asked_for() {
    let desk = Desk::new();
    assert_eq!(desk.get("/systems?x=1").await.location(), "/login?next=%2Fsystems%3Fx%3D1");
    let page = desk.get("/login?next=%2Fsystems%3Fx%3D1").await;
    let (tie, next) = (page.field("form"), page.field("next"));
    let seen = desk.post("/login", &[("form", &tie), ("next", &next), ("token", TOKEN)]).await;
    assert_eq!((seen.status, seen.location()), (StatusCode::SEE_OTHER, "/systems?x=1"));
    let cookie = seen.headers.get("set-cookie").unwrap().to_str().unwrap();
    assert!(cookie.contains("HttpOnly; SameSite=Strict"), "{cookie}");
    assert_eq!(desk.get("/systems").await.status, StatusCode::OK);
    desk.get("/systems").await.says("operator");
}

#[tokio::test]
async fn a_wrong_token_is_refused_and_the_sixth_attempt_waits() {
    let desk = Desk::new();
    for attempt in 0..5 {
        let wrong = ["", "x", &TOKEN[1..], &TOKEN.to_uppercase(), &format!("{TOKEN} ")][attempt].to_owned();
        let seen = desk.sign_in(&wrong).await;
        assert_eq!(seen.status, StatusCode::UNAUTHORIZED, "{wrong:?}");
        seen.says("That token is not right.");
        seen.says_not(TOKEN);
    }
    let seen = desk.sign_in(TOKEN).await;
    assert_eq!(seen.status, StatusCode::TOO_MANY_REQUESTS, "also with the right one");
    assert!(seen.headers.contains_key("retry-after"));
    assert_eq!(desk.get("/").await.status, StatusCode::SEE_OTHER);
    // Another address is not held up by it.
    let tie = desk.get("/login").await.field("form");
    let other = from(form("/login", &[("form", &tie), ("token", TOKEN)]), "10.0.0.9");
    assert_eq!(desk.send(other).await.status, StatusCode::SEE_OTHER);
    desk.clock.pass(Duration::from_secs(61));
    assert_eq!(desk.sign_in(TOKEN).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_login_form_of_another_browser_or_origin_is_refused() {
    let desk = Desk::new();
    desk.get("/login").await;
    let seen = desk.post("/login", &[("form", "guessed"), ("token", TOKEN)]).await;
    assert_eq!(seen.status, StatusCode::FORBIDDEN);
    let tie = seen.field("form");
    let mut foreign = form("/login", &[("form", &tie), ("token", TOKEN)]);
    foreign.headers_mut().insert("sec-fetch-site", "cross-site".parse().unwrap());
    assert_eq!(desk.send(foreign).await.status, StatusCode::FORBIDDEN);
    assert_eq!(desk.get("/").await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_form_without_the_token_of_its_session_is_refused() {
    let desk = Desk::signed_in().await;
    rich(&desk.scribe(), 1042).await;
    for path in ACTS {
        for csrf in ["", "0000"] {
            let seen = desk.post(path, &[("csrf", csrf), ("why", "x"), ("sure", "yes")]).await;
            assert_eq!(seen.status, StatusCode::FORBIDDEN, "{path} {csrf:?}");
            seen.says("Nothing was changed");
        }
    }
    let csrf = desk.get("/systems").await.field("csrf");
    let fields = [("csrf", csrf.as_str()), ("kind", "system"), ("name", "erp"), ("why", "x")];
    let mut foreign = form("/systems/pause", &fields);
    foreign.headers_mut().insert("sec-fetch-site", "same-site".parse().unwrap());
    assert_eq!(desk.send(foreign).await.status, StatusCode::FORBIDDEN);
    assert_eq!(desk.get("/").await.status, StatusCode::OK, "the session stands");
}

#[tokio::test]
async fn a_session_ends_by_logout_by_idleness_and_by_a_stale_cookie() {
    let desk = Desk::signed_in().await;
    assert_eq!(desk.act("/logout", &[]).await.location(), "/login");
    assert_eq!(desk.get("/").await.location(), "/login");

    let desk = Desk::signed_in().await;
    desk.clock.pass(Duration::from_secs(2 * 3600));
    assert_eq!(desk.get("/").await.location(), "/login");

    let desk = Desk::signed_in().await;
    desk.set_cookie("tidegate_session", &"0".repeat(64));
    assert_eq!(desk.get("/").await.location(), "/login");
    assert_eq!(desk.post("/systems/pause", &[]).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn every_answer_forbids_inline_script_frames_and_caches() {
    let desk = Desk::signed_in().await;
    for path in PAGES.into_iter().chain(["/login"]) {
        let seen = desk.get(path).await;
        let policy = seen.headers.get("content-security-policy").unwrap().to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'; style-src 'self'"), "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(seen.headers.get("cache-control").unwrap(), "no-store", "{path}");
        assert_eq!(seen.headers.get("x-frame-options").unwrap(), "DENY");
        // What the policy would stop must not be there.
        for inline in ["style=\"", "<style", "onclick", "javascript:", "<script>"] {
            seen.says_not(inline);
        }
    }
}

#[tokio::test]
async fn assets_are_served_under_the_address_that_the_page_names() {
    let desk = Desk::signed_in().await;
    let page = desk.get("/").await;
    let named = page.body.split('"').filter(|part| part.starts_with("/assets/")).map(str::to_owned);
    let named: Vec<String> = named.collect();
    assert!(named.len() >= 3, "{named:?}");
    for path in named {
        let seen = desk.get(&path).await;
        assert_eq!(seen.status, StatusCode::OK, "{path}");
        assert!(seen.headers.get("cache-control").unwrap().to_str().unwrap().contains("immutable"));
    }
    assert_eq!(desk.get("/assets/style.css").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_form_has_a_bound() {
    let desk = Desk::signed_in().await;
    let huge = Request::post("/systems/pause")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from(format!("why={}", "x".repeat(64 * 1024))));
    assert_eq!(desk.send(huge.unwrap()).await.status, StatusCode::UNPROCESSABLE_ENTITY);
}
