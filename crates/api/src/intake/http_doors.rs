//! The doors as HTTP: takes a request apart, receives its body, hands both to the service, counts the answer.

use super::{Answer, Intake, Received, receive};
use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::routing::post;
use http::HeaderMap;
use kernel::clock::Now;
use std::sync::Arc;
use telemetry::Door;

/// `POST /webhooks/shopify` and `POST /ingest/{system}/{domain}`.
pub fn router(intake: Arc<Intake>) -> Router {
    Router::new()
        .route("/webhooks/shopify", post(webhook))
        .route("/ingest/{system}/{domain}", post(ingest))
        .with_state(intake)
}

async fn webhook(State(intake): State<Arc<Intake>>, request: Request) -> Answer {
    let began = intake.now();
    let (head, body) = request.into_parts();
    let answer = match take(&intake, &head.headers, body, began).await {
        Ok(received) => intake.webhook(&head.headers, received, began).await,
        Err(refused) => refused,
    };
    intake.count(Door::Webhook, &answer, began);
    answer
}

async fn ingest(
    State(intake): State<Arc<Intake>>,
    Path((system, domain)): Path<(String, String)>,
    request: Request,
) -> Answer {
    let began = intake.now();
    let (head, body) = request.into_parts();
    let answer = match take(&intake, &head.headers, body, began).await {
        Ok(received) => intake.ingest(&system, &domain, &head.headers, received, began).await,
        Err(refused) => refused,
    };
    intake.count(Door::Ingest, &answer, began);
    answer
}

async fn take(intake: &Intake, headers: &HeaderMap, body: Body, began: Now) -> Result<Received, Answer> {
    if !intake.has_disk(began) {
        return Err(Answer::disk_full());
    }
    let limits = intake.limits();
    receive(headers, body, limits.body_bytes_max, limits.body_deadline, intake.room()).await
}
