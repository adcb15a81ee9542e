//! Who may ask: with the token, over the socket, and nobody else.

use crate::answer::Answer;
use crate::world::{TOKEN, World};
use http::{Method, StatusCode};
use tidegate_api::admin::Guard;

/// Every endpoint, some that do not exist, and methods that they do not take.
const PATHS: [(Method, &str); 13] = [
    (Method::GET, "/admin/v1/status"),
    (Method::POST, "/admin/v1/status"),
    (Method::GET, "/admin/v1/orders/acme/1"),
    (Method::GET, "/admin/v1/dead-letters/1"),
    (Method::POST, "/admin/v1/dead-letters/release"),
    (Method::POST, "/admin/v1/replay"),
    (Method::POST, "/admin/v1/prove"),
    (Method::POST, "/admin/v1/backup"),
    (Method::GET, "/admin/v1/nothing/of/the/kind"),
    (Method::GET, "/admin/v2/status"),
    (Method::GET, "/admin"),
    (Method::GET, "/admin/"),
    (Method::DELETE, "/admin/v1/audit"),
];

#[tokio::test]
async fn without_the_token_every_path_answers_alike() {
    let world = World::new().await;
    let mut answers = Vec::new();
    let wrong = [
        None,
        Some("Bearer "),
        Some("Bearer wrong"),
        Some(TOKEN),
        Some("bearer the-admin-token"),
        Some("Bearer the-admin-token "),
        Some("Basic dGhlLWFkbWluLXRva2Vu"),
    ];
    for (method, path) in &PATHS {
        for authorization in wrong {
            let answer = world.ask_as(authorization, method.clone(), path, Some("{}")).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{method} {path} {authorization:?}");
            assert_eq!(answer.header("www-authenticate"), "Bearer");
            answers.push(answer.text);
        }
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "an answer differs, and tells what exists: {answers:?}");
    assert!(answers[0].contains("TG-7020"));
}

#[tokio::test]
async fn with_the_token_what_does_not_exist_says_so() {
    let world = World::new().await;
    assert_eq!(world.get("status").await.status, StatusCode::OK);
    for path in ["/admin", "/admin/", "/admin/v1", "/admin/v1/nothing", "/admin/v2/status"] {
        let answer = world.ask(Method::GET, path, None).await;
        answer.refused(StatusCode::NOT_FOUND, "TG-7022", path);
    }
    let answer = world.ask(Method::DELETE, "/admin/v1/status", None).await;
    answer.refused(StatusCode::METHOD_NOT_ALLOWED, "TG-7021", "does not take DELETE");
}

#[tokio::test]
async fn the_socket_asks_for_no_token() {
    let world = World::new().await;
    let router = tidegate_api::admin::router(world.parts.clone(), Guard::Socket);
    let answer = Answer::of(router, Method::GET, "/admin/v1/status", None, None).await;
    assert_eq!(answer.status, StatusCode::OK);
}

#[tokio::test]
async fn an_empty_token_opens_nothing() {
    let world = World::new().await;
    let router = tidegate_api::admin::router(world.parts.clone(), Guard::Bearer(String::new().into()));
    let answer = Answer::of(router, Method::GET, "/admin/v1/status", Some("Bearer "), None).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
}
