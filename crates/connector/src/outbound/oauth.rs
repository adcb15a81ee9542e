//! Access tokens by the client credentials grant (RFC 6749, section 4.4). Owns the token of one system: asked for once
//! however many wait for it, kept until shortly before its end, asked for anew after a 401, which says that nothing was
//! done. A token is in no log, in no excerpt and in no store; it dies with the process.

use super::answer::Answer;
use super::auth::Auth;
use super::classify;
use super::redact::Redactor;
use super::request::Request;
use super::transport::{Outbound, OutboundConfig};
use crate::port::CallContext;
use http::Method;
use http::header::{AUTHORIZATION, HeaderName, HeaderValue};
use jiff::Timestamp;
use kernel::fault::{Fault, FaultKind};
use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::Mutex;
use zeroize::Zeroizing;

/// Where tokens come from, and who asks. `Debug` shows no secret.
#[derive(Debug, Clone)]
pub struct ClientCredentials {
    /// May be another host than the system's.
    pub token_url: String,
    pub client_id: String,
    pub client_secret: SecretString,
    pub scope: Option<String>,
    /// What some servers want besides: for whom the token is meant.
    pub audience: Option<String>,
    pub client_auth: ClientAuth,
    pub carrier: Carrier,
}

/// How the client says who it is (RFC 6749, section 2.3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ClientAuth {
    /// By HTTP Basic: what every server has to understand.
    #[default]
    Basic,
    /// In the form itself.
    Body,
}

/// How a call carries the token.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Carrier {
    /// `Authorization: Bearer …` (RFC 6750).
    #[default]
    Bearer,
    /// A header of the target's own: `X-Shopify-Access-Token`.
    Header(String),
}

/// An answer of a token endpoint is short.
const ANSWER_BYTES_MAX: u64 = 64 * 1024;
/// So long before its end a token is used no more: a call that carries it takes its time too.
const MARGIN: Duration = Duration::from_secs(60);

/// A token in use.
#[derive(Debug)]
pub(super) struct Token {
    pub(super) name: HeaderName,
    /// Marked sensitive.
    pub(super) value: HeaderValue,
    /// Knows the token besides the system's secrets.
    pub(super) redactor: Arc<Redactor>,
    /// Absent: the server names no end, and a 401 tells.
    until: Option<Timestamp>,
}

/// The tokens of one system.
#[derive(Debug)]
pub(super) struct Tokens {
    credentials: ClientCredentials,
    door: Outbound,
    known: Mutex<Known>,
    /// How often the endpoint has answered, well or not: who waited through a round shares what came of it.
    rounds: AtomicU64,
}

#[derive(Debug, Default)]
struct Known {
    token: Option<Arc<Token>>,
    /// Of the last round, if it failed.
    fault: Option<Fault>,
}

#[derive(Deserialize)]
struct Granted {
    access_token: String,
    #[serde(default)]
    token_type: Option<String>,
    /// Seconds; some servers write them as a text.
    #[serde(default)]
    expires_in: Option<Value>,
}

impl ClientCredentials {
    /// The token endpoint as a place of its own, under the same bounds as the system.
    fn door(&self, system: &OutboundConfig) -> OutboundConfig {
        let auth = match self.client_auth {
            ClientAuth::Basic => Auth::Basic {
                user: encoded(&self.client_id),
                password: SecretString::from(encoded(self.client_secret.expose_secret())),
            },
            ClientAuth::Body => Auth::None,
        };
        OutboundConfig {
            base: self.token_url.clone(),
            auth,
            headers: Vec::new(),
            answer_bytes_max: ANSWER_BYTES_MAX,
            ..system.clone()
        }
    }

    /// What can be seen to be wrong without a call.
    pub(super) fn check(&self, system: &OutboundConfig) -> Result<(), String> {
        self.carrier.name()?;
        if self.client_id.trim().is_empty() {
            return Err("client_id is empty: take it from the server that gives the tokens".to_owned());
        }
        self.door(system).check().map_err(|problem| format!("token_url: {problem}"))
    }

    pub(super) fn secrets(&self) -> Vec<String> {
        let secret = self.client_secret.expose_secret();
        vec![secret.to_owned(), encoded(secret)]
    }

    fn asked(&self) -> String {
        let mut pairs = vec![("grant_type", "client_credentials")];
        if self.client_auth == ClientAuth::Body {
            pairs.push(("client_id", &self.client_id));
            pairs.push(("client_secret", self.client_secret.expose_secret()));
        }
        let further = [("scope", &self.scope), ("audience", &self.audience)];
        pairs.extend(further.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?))));
        form(pairs)
    }
}

impl Carrier {
    fn name(&self) -> Result<HeaderName, String> {
        match self {
            Carrier::Bearer => Ok(AUTHORIZATION),
            Carrier::Header(name) => HeaderName::try_from(name.as_str())
                .map_err(|_| format!("{name:?} is not the name of a header")),
        }
    }
}

impl Token {
    fn serves(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

impl Tokens {
    pub(super) fn new(credentials: &ClientCredentials, system: &OutboundConfig) -> Result<Self, String> {
        credentials.check(system)?;
        let door = credentials.door(system);
        Ok(Self {
            door: Outbound::new(&door)?.masking(credentials.secrets()),
            credentials: credentials.clone(),
            known: Mutex::default(),
            rounds: AtomicU64::new(0),
        })
    }

    /// The token to call with; a new one where there is none, where its end is near, or where it is the one that was
    /// refused. Its faults say that nothing was sent to the system.
    pub(super) async fn get(
        &self,
        call: &CallContext,
        refused: Option<&Arc<Token>>,
    ) -> Result<Arc<Token>, Fault> {
        let before = self.rounds.load(Ordering::Acquire);
        let mut known = self.known.lock().await;
        let usable = |token: &&Arc<Token>| {
            token.serves(call.now) && refused.is_none_or(|refused| !Arc::ptr_eq(token, refused))
        };
        if let Some(token) = known.token.as_ref().filter(usable) {
            return Ok(token.clone());
        }
        if let Some(fault) = known.fault.as_ref().filter(|_| self.rounds.load(Ordering::Acquire) != before) {
            return Err(fault.clone());
        }
        known.token = None;
        let asked = self.ask(call).await;
        self.rounds.fetch_add(1, Ordering::AcqRel);
        known.fault = asked.as_ref().err().cloned();
        known.token = asked.as_ref().ok().cloned();
        asked
    }

    async fn ask(&self, call: &CallContext) -> Result<Arc<Token>, Fault> {
        let request = Request::read(Method::POST, "")
            .body(self.credentials.asked())
            .header("content-type", "application/x-www-form-urlencoded");
        let answer = self.door.send_bare(call, request).await.map_err(|fault| no_token(&fault))?;
        if !answer.status.is_success() {
            return Err(refusal(&answer));
        }
        let granted: Granted = serde_json::from_slice(&answer.body).map_err(|error| {
            no_token(&answer.unreadable(format!("{error}; it begins: {}", answer.excerpt())))
        })?;
        self.token(granted, call.now).map(Arc::new).map_err(|why| no_token(&answer.unreadable(why)))
    }

    fn token(&self, granted: Granted, now: Timestamp) -> Result<Token, String> {
        let kind = granted.token_type.as_deref().unwrap_or("bearer");
        if !kind.eq_ignore_ascii_case("bearer") {
            return Err(format!("its token is of type {kind:?}, and only bearer tokens are carried"));
        }
        let secret = Zeroizing::new(granted.access_token);
        let secret = secret.as_str();
        let carrier = &self.credentials.carrier;
        let text = match carrier {
            Carrier::Bearer => format!("Bearer {secret}"),
            Carrier::Header(_) => secret.to_owned(),
        };
        let mut value = HeaderValue::try_from(text)
            .ok()
            .filter(|_| !secret.is_empty())
            .ok_or("its token holds what no header may hold, or nothing")?;
        value.set_sensitive(true);
        let secrets = self.credentials.secrets().into_iter().chain([secret.to_owned()]);
        Ok(Token {
            name: carrier.name()?,
            value,
            redactor: Arc::new(Redactor::new(secrets)),
            until: granted.expires_in.as_ref().and_then(seconds).map(|seconds| end(now, seconds)),
        })
    }
}

/// A short-lived token keeps most of its life.
fn end(now: Timestamp, seconds: u64) -> Timestamp {
    let life = Duration::from_secs(seconds);
    kernel::clock::after(now, life.saturating_sub(MARGIN.min(life / 4)))
}

fn seconds(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.trim().parse().ok())
}

/// What came to the endpoint, or from it, came to nothing: the call itself was never made.
fn no_token(fault: &Fault) -> Fault {
    let mut told = Fault::new(fault.kind, fault.code.clone(), format!("no access token: {}", fault.message));
    told.retry_after = fault.retry_after;
    told
}

/// A refusal is about who we are, so that it stops the system and no single order: in doubt it is a person's.
fn refusal(answer: &Answer) -> Fault {
    let by_http = classify::status(answer);
    let kind = by_http.as_ref().map_or(FaultKind::Transient, |fault| fault.kind);
    if matches!(kind, FaultKind::Transient | FaultKind::Throttled) {
        return by_http.map_or_else(|| answer.unreadable("it has no status"), |fault| no_token(&fault));
    }
    let said: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let part = |name: &str| said.get(name).and_then(Value::as_str).map(|text| answer.redacted(text));
    let why = match (part("error"), part("error_description")) {
        (Some(error), Some(description)) => format!("{error}: {description}"),
        (Some(error), None) => error,
        _ => by_http.map_or_else(String::new, |fault| fault.message),
    };
    let what = format!(
        "the token endpoint gives no access token (HTTP {}, {why}); check client_id, client_secret, scope and token_url",
        answer.status.as_u16()
    );
    Fault::new(FaultKind::Unauthorized, classify::code::NO_TOKEN, what)
}

/// As a form spells a part, which RFC 6749 asks of both parts of its Basic too.
fn encoded(text: &str) -> String {
    form([(text, "")]).trim_end_matches('=').to_owned()
}

/// By the one who does it for URLs.
fn form<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let Ok(mut url) = Url::parse("http://form/") else { return String::new() };
    url.query_pairs_mut().extend_pairs(pairs);
    url.query().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests;
