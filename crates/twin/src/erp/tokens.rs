//! `POST /oauth/token`: the client credentials grant of RFC 6749, as strict as its text: a form and nothing else, one way
//! of saying who one is, errors by their names. What it gave serves as bearer token until its life is over.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http_body_util::{BodyExt, Limited};
use hyper::Request;
use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap};
use jiff::Timestamp;
use reqwest::Url;
use serde_json::json;

use super::answer::Answer;
use super::office::Office;

pub(super) const PATH: &str = "/oauth/token";
/// The one client that is known.
pub const CLIENT_ID: &str = "tidegate";
const BODY_BYTES_MAX: usize = 64 * 1024;

/// What was given, and until when it serves.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    given: Mutex<(u64, BTreeMap<String, Timestamp>)>,
}

impl Tokens {
    fn give(&self, now: Timestamp, life: Duration) -> String {
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        given.0 += 1;
        let token = format!("erp-access-{:06}", given.0);
        given.1.insert(token.clone(), now.checked_add(life).unwrap_or(Timestamp::MAX));
        token
    }

    pub(super) fn serves(&self, token: &str, now: Timestamp) -> bool {
        let given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        given.1.get(token).is_some_and(|until| now < *until)
    }

    /// How many were given so far.
    pub(super) fn count(&self) -> u64 {
        self.given.lock().unwrap_or_else(PoisonError::into_inner).0
    }

    /// None serves any more, whatever its life.
    pub(super) fn revoke(&self) {
        self.given.lock().unwrap_or_else(PoisonError::into_inner).1.clear();
    }
}

pub(super) async fn grant(office: &Office, request: Request<Incoming>) -> Answer {
    let (head, body) = request.into_parts();
    let whole = Limited::new(body, BODY_BYTES_MAX).collect().await.map(|body| body.to_bytes());
    let Ok(body) = whole else { return refused(400, "invalid_request", "the form is too long") };
    match granted(office, head.method.as_str(), &head.headers, &body) {
        Ok(answer) | Err(answer) => answer,
    }
}

fn granted(office: &Office, method: &str, headers: &HeaderMap, body: &[u8]) -> Result<Answer, Answer> {
    let text = |name| headers.get(name).and_then(|value: &hyper::header::HeaderValue| value.to_str().ok());
    let is_form =
        text(CONTENT_TYPE).is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
    if method != "POST" || !is_form {
        return Err(refused(400, "invalid_request", "a form by POST was expected"));
    }
    let form = form(&String::from_utf8_lossy(body))?;
    let field = |name: &str| form.get(name).map(String::as_str);
    let by_basic = text(AUTHORIZATION).map(basic);
    let by_form = field("client_id").zip(field("client_secret"));
    let (id, secret) = match (by_basic, by_form) {
        (Some(_), Some(_)) => {
            return Err(refused(400, "invalid_request", "a client says in one way who it is"));
        }
        (Some(pair), None) => pair.ok_or_else(unknown_client)?,
        (None, Some((id, secret))) => (id.to_owned(), secret.to_owned()),
        (None, None) => return Err(unknown_client()),
    };
    if (id.as_str(), secret.as_str()) != (CLIENT_ID, office.client_secret.as_str()) {
        return Err(unknown_client());
    }
    if field("grant_type") != Some("client_credentials") {
        return Err(refused(400, "unsupported_grant_type", "client_credentials was expected"));
    }
    if field("scope").is_some_and(|scope| scope.split(' ').any(|one| one != "sales")) {
        return Err(refused(400, "invalid_scope", "there is the scope sales and no other"));
    }
    let life = Duration::from_secs(office.token_life_s);
    let token = office.tokens.give(office.now(), life);
    Ok(Answer::json(
        200,
        &json!({ "access_token": token, "token_type": "Bearer", "expires_in": life.as_secs(), "scope": "sales" }),
    ))
}

/// A name that comes twice is refused, as the standard asks.
fn form(text: &str) -> Result<BTreeMap<String, String>, Answer> {
    let mut fields = BTreeMap::new();
    for (name, value) in pairs(text) {
        if fields.insert(name, value).is_some() {
            return Err(refused(400, "invalid_request", "a field came twice"));
        }
    }
    Ok(fields)
}

fn pairs(text: &str) -> Vec<(String, String)> {
    let url = Url::parse(&format!("http://form/?{text}"));
    url.map(|url| url.query_pairs().into_owned().collect()).unwrap_or_default()
}

/// Each part is spelled as in a form, and both in base64.
fn basic(header: &str) -> Option<(String, String)> {
    let pair = String::from_utf8(STANDARD.decode(header.strip_prefix("Basic ")?).ok()?).ok()?;
    let (id, secret) = pair.split_once(':')?;
    let plain = |part: &str| pairs(&format!("x={part}")).pop().map(|(_, value)| value);
    Some((plain(id)?, plain(secret)?))
}

fn unknown_client() -> Answer {
    refused(401, "invalid_client", "this client is not known, or its secret is another")
}

fn refused(status: u16, error: &str, description: &str) -> Answer {
    Answer::json(status, &json!({ "error": error, "error_description": description }))
}
