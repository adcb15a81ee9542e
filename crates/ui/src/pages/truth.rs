//! `/flow-of-truth`: who owns what, what moves it, what happens on failure, as it stands in the configuration in force.
//! The drawings are given; they are pictures of their own, because a page of ours carries no style within.

use crate::access::Session;
use crate::chrome::{Chrome, Part, html};
use crate::state::Ui;
use askama::Template;
use axum::Extension;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

/// A picture may style itself, and nothing else.
const PICTURE_MAY: &str = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";

#[derive(Template)]
#[template(path = "truth.html")]
struct TruthPage<'a> {
    chrome: Chrome,
    text: &'a str,
}

pub(crate) async fn show(State(ui): State<Arc<Ui>>, Extension(session): Extension<Session>) -> Response {
    let chrome = Chrome::new(&ui, &session, Part::Systems, "The flow of truth");
    html(StatusCode::OK, &TruthPage { chrome, text: &ui.given.truth.text })
}

pub(crate) async fn drawing(State(ui): State<Arc<Ui>>, Path(file): Path<String>) -> Response {
    let drawn = match file.as_str() {
        "wide.svg" => &ui.given.truth.wide_svg,
        "narrow.svg" => &ui.given.truth.narrow_svg,
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    let mut answer = ([(header::CONTENT_TYPE, "image/svg+xml")], drawn.clone()).into_response();
    answer.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(PICTURE_MAY));
    answer
}
