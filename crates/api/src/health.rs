//! `/healthz`: the process lives. `/readyz`: it can take webhooks, or why not. `/metrics`: what is measured. Nothing
//! here needs a token, and nothing here names an order, a shop's data or a secret.

use crate::intake::Intake;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use http::StatusCode;
use http::header::CONTENT_TYPE;
use serde::Serialize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use telemetry::Metrics;

/// Whether this process wants more work.
#[derive(Debug, Default)]
pub struct Readiness {
    draining: AtomicBool,
}

impl Readiness {
    /// It is stopping: a balancer should send nothing more.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }
}

#[derive(Debug, Clone)]
pub struct Health {
    pub intake: Arc<Intake>,
    pub readiness: Arc<Readiness>,
    pub metrics: Arc<Metrics>,
}

/// What `/readyz` answers.
#[derive(Debug, Serialize, PartialEq, Eq)]
struct Ready {
    ready: bool,
    /// What has to be mended first; empty when ready.
    reasons: Vec<&'static str>,
}

pub fn router(health: Health) -> Router {
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(health)
}

async fn ready(State(health): State<Health>) -> Response {
    let mut reasons = Vec::new();
    if health.readiness.is_draining() {
        reasons.push("it is stopping");
    }
    if !health.intake.has_disk(health.intake.now()) {
        reasons.push("the disk has less free space than hub.limits.free_disk_min");
    }
    if !health.intake.is_committing().await {
        reasons.push("the store cannot commit");
    }
    let ready = reasons.is_empty();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(Ready { ready, reasons })).into_response()
}

async fn metrics(State(health): State<Health>) -> Response {
    let room = health.intake.room();
    health.metrics.set_uncommitted(room.used(), room.bytes_max());
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(CONTENT_TYPE, kind)], health.metrics.encode()).into_response()
}
