//! What can go wrong with a page, and the page that says so.

use crate::chrome::html;
use askama::Template;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use store::StoreError;

#[derive(Debug)]
pub(crate) enum PageError {
    /// No session, and no page to lead to the login.
    SignedOut,
    /// A form without the token of its session.
    Forged,
    /// What was asked for is not there.
    NotFound(String),
    /// The form cannot be carried out as it is.
    Refused(String),
    Store(StoreError),
}

impl From<StoreError> for PageError {
    fn from(error: StoreError) -> Self {
        PageError::Store(error)
    }
}

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage {
    title: &'static str,
    what: String,
    next: &'static str,
    link: &'static str,
    link_text: &'static str,
    /// With a field to search by.
    search: bool,
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        let search = matches!(self, PageError::NotFound(_));
        let again = ("/", "To the front page");
        let (status, title, what, next, (link, link_text)) = match self {
            PageError::SignedOut => (
                StatusCode::UNAUTHORIZED,
                "You are signed out",
                "Your session has ended. Nothing was changed.".to_owned(),
                "Sign in, then do it again.",
                ("/login", "Sign in"),
            ),
            PageError::Forged => (
                StatusCode::FORBIDDEN,
                "This form is stale",
                "The form does not belong to your session. Nothing was changed.".to_owned(),
                "Open the page again and send its form.",
                again,
            ),
            PageError::NotFound(what) => (
                StatusCode::NOT_FOUND,
                "Not found",
                what,
                "Search by the order's name or id.",
                ("/orders", "To the orders"),
            ),
            PageError::Refused(what) => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "That cannot be done",
                what,
                "Nothing was changed. Go back, correct it and send it again.",
                again,
            ),
            PageError::Store(error) => {
                tracing::error!(error = %error, "a page could not read the store");
                (
                    StatusCode::SERVICE_UNAVAILABLE,
                    "The store does not answer",
                    error.to_string(),
                    "See the hub's log and the free space of its disk. What was acknowledged is not lost.",
                    again,
                )
            }
        };
        html(status, &ErrorPage { title, what, next, link, link_text, search })
    }
}
