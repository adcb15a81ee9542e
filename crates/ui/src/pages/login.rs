//! `/login` and `/logout`: the admin token becomes a session. A wrong token tells nothing but that it was wrong.

use crate::access::{
    ClientAddress, FORM_COOKIE, SESSION_COOKIE, cookie, is_secure, read_cookie, same_origin, same_secret,
};
use crate::chrome::html;
use crate::error::PageError;
use crate::form::{Posted, local, tidy};
use crate::state::Ui;
use askama::Template;
use axum::extract::{Query, State};
use axum::http::header::{RETRY_AFTER, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::{Extension, Form};
use kernel::key::hex;
use secrecy::ExposeSecret;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The longest name that goes into the audit.
const NAME_CHARS_MAX: usize = 64;

#[derive(Template)]
#[template(path = "login.html")]
struct LoginPage {
    form: String,
    next: String,
    problem: Option<String>,
}

pub(crate) async fn show(
    State(ui): State<Arc<Ui>>,
    headers: HeaderMap,
    Query(query): Query<BTreeMap<String, String>>,
) -> Response {
    let next = query.get("next").map_or("/", |next| local(next));
    form(&ui, &headers, StatusCode::OK, next, None)
}

pub(crate) async fn sign_in(
    State(ui): State<Arc<Ui>>,
    address: Option<Extension<ClientAddress>>,
    headers: HeaderMap,
    Form(fields): Form<BTreeMap<String, String>>,
) -> Response {
    let field = |name: &str| fields.get(name).map_or("", String::as_str);
    let next = local(field("next"));
    let address = address.map(|Extension(ClientAddress(address))| address);
    let now = ui.given.clock.now().mono;
    if let Some(wait) = ui.attempts().wait(address, now) {
        let seconds = wait.as_secs() + 1;
        let problem = format!("Too many attempts. Try again in {seconds} s.");
        let mut answer = form(&ui, &headers, StatusCode::TOO_MANY_REQUESTS, next, Some(problem));
        answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        return answer;
    }
    let tied = read_cookie(&headers, FORM_COOKIE).filter(|cookie| !cookie.is_empty());
    let ours = tied.is_some_and(|cookie| same_secret(field("form"), &cookie));
    if !ours || same_origin(&headers).is_err() {
        let problem = "The form was stale, or cookies are off. Try once more.".to_owned();
        return form(&ui, &headers, StatusCode::FORBIDDEN, next, Some(problem));
    }
    if !same_secret(field("token"), ui.given.admin_token.expose_secret()) {
        ui.attempts().failed(address, now);
        tracing::warn!("a login with a wrong token");
        let problem = "That token is not right.".to_owned();
        return form(&ui, &headers, StatusCode::UNAUTHORIZED, next, Some(problem));
    }
    ui.attempts().succeeded(address);
    begin(&ui, &headers, field("name"), next).unwrap_or_else(IntoResponse::into_response)
}

fn begin(ui: &Ui, headers: &HeaderMap, name: &str, next: &str) -> Result<Response, StatusCode> {
    let random = || ui.given.random.bytes().map_err(|_| StatusCode::SERVICE_UNAVAILABLE);
    let now = ui.given.clock.now().mono;
    let id = ui.sessions().begin(random()?, random()?, audited(name, &ui.given.who), now);
    let secure = is_secure(headers, ui.given.behind_tls);
    let mut answer = Redirect::to(next).into_response();
    for (name, value, path) in [(SESSION_COOKIE, id.as_str(), "/"), (FORM_COOKIE, "", "/login")] {
        let cookie = cookie(name, value, path, secure).map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
        answer.headers_mut().append(SET_COOKIE, cookie);
    }
    Ok(answer)
}

pub(crate) async fn logout(
    State(ui): State<Arc<Ui>>,
    headers: HeaderMap,
    posted: Posted,
) -> Result<Response, PageError> {
    ui.sessions().end(&posted.session);
    let mut answer = Redirect::to("/login").into_response();
    if let Ok(cookie) = cookie(SESSION_COOKIE, "", "/", is_secure(&headers, ui.given.behind_tls)) {
        answer.headers_mut().append(SET_COOKIE, cookie);
    }
    Ok(answer)
}

/// Draws the form, tied to the browser by a cookie of its own.
fn form(ui: &Ui, headers: &HeaderMap, status: StatusCode, next: &str, problem: Option<String>) -> Response {
    let Ok(tie) = ui.given.random.bytes().map(|bytes| hex(&bytes)) else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    let secure = is_secure(headers, ui.given.behind_tls);
    let mut answer = html(status, &LoginPage { form: tie.clone(), next: next.to_owned(), problem });
    if let Ok(cookie) = cookie(FORM_COOKIE, &tie, "/login", secure) {
        answer.headers_mut().append(SET_COOKIE, cookie);
    }
    answer
}

/// Who stands in the audit. Nobody signs in as the hub itself.
fn audited(name: &str, otherwise: &str) -> String {
    let name: Option<String> = tidy(name).map(|name| name.chars().take(NAME_CHARS_MAX).collect());
    name.filter(|name| !name.trim().eq_ignore_ascii_case("tidegate")).unwrap_or_else(|| otherwise.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_the_hub() {
        assert_eq!(audited(" ada ", "operator"), "ada");
        assert_eq!(audited("Tidegate", "operator"), "operator");
        assert_eq!(audited("", "operator"), "operator");
        assert_eq!(audited(&"x".repeat(100), "operator").len(), NAME_CHARS_MAX);
    }
}
