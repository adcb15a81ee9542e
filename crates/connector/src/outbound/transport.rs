//! Sends one request and reads its whole answer, within the call's time and the answer's bound. Owns the translation
//! of what can go wrong on the way into a [`Failure`]; what that means is `classify`'s.

use super::address::{Forbidden, Guard, GuardedResolver};
use super::answer::Answer;
use super::auth::Auth;
use super::body::{MarkedBody, MayHaveLeft};
use super::classify::{self, Access, Failure};
use super::oauth::{Token, Tokens};
use super::redact::Redactor;
use super::request::Request;
use crate::port::CallContext;
use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_LENGTH, HeaderMap, HeaderName, HeaderValue};
use http::{Method, StatusCode};
use kernel::fault::Fault;
use reqwest::{Client, Response, Url};
use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use tokio::time::timeout;

/// How one system is reached.
#[derive(Debug, Clone)]
pub struct OutboundConfig {
    /// `https://erp.example/api`: every request goes below it.
    pub base: String,
    pub auth: Auth,
    /// Sent with each request.
    pub headers: Vec<(String, String)>,
    /// Name, connection and TLS together. The call's own time-out ends them too.
    pub connect_time_out: Duration,
    /// The longest silence within an answer that has begun.
    pub read_time_out: Duration,
    pub answer_bytes_max: u64,
    /// Addresses inside a network may be called although the base names none.
    pub allow_private: bool,
}

impl OutboundConfig {
    pub const CONNECT_TIME_OUT: Duration = Duration::from_secs(5);
    pub const READ_TIME_OUT: Duration = Duration::from_secs(15);
    pub const ANSWER_BYTES_MAX: u64 = 2 * 1024 * 1024;

    /// The defaults, without authentication.
    pub fn new(base: impl Into<String>) -> Self {
        Self {
            base: base.into(),
            auth: Auth::None,
            headers: Vec::new(),
            connect_time_out: Self::CONNECT_TIME_OUT,
            read_time_out: Self::READ_TIME_OUT,
            answer_bytes_max: Self::ANSWER_BYTES_MAX,
            allow_private: false,
        }
    }

    /// All that [`Outbound::new`] would refuse, without making one.
    pub fn check(&self) -> Result<(), String> {
        self.judged()?;
        if let Auth::OAuth2(credentials) = &self.auth {
            credentials.check(self)?;
        }
        headers(self).map(drop)
    }

    fn judged(&self) -> Result<(Url, Guard), String> {
        let base = Url::parse(&self.base)
            .map_err(|error| format!("url {:?} is not a URL: {error}", redacted_url(&self.base)))?;
        check_base(&base)?;
        let guard = Guard::new(&base, self.allow_private).map_err(|forbidden| forbidden.to_string())?;
        Ok((base, guard))
    }
}

/// A connection is kept for the next call this long: shorter than most targets keep theirs, so that few calls meet
/// one that the target is just closing.
const IDLE_MAX: Duration = Duration::from_secs(4);
/// hyper would flush a longer head before it asks for the body, and [`MayHaveLeft`] would be wrong.
const HEAD_BYTES_MAX: usize = 64 * 1024;

/// One origin, its connections, and who we are there.
#[derive(Debug, Clone)]
pub struct Outbound {
    client: Client,
    base: Url,
    guard: Guard,
    /// The base without a slash at its end.
    prefix: String,
    headers: HeaderMap,
    /// Where who we are is a token that has to be asked for.
    tokens: Option<Arc<Tokens>>,
    redactor: Arc<Redactor>,
    read_time_out: Duration,
    answer_bytes_max: u64,
    /// What the clock of the last answer said, against ours; [`NO_DATE`]: none did.
    ahead_ms: Arc<AtomicI64>,
}

const NO_DATE: i64 = i64::MIN;

impl Outbound {
    /// Refuses a base, a header or a secret that cannot be used, with what to do. Makes no call.
    pub fn new(config: &OutboundConfig) -> Result<Self, String> {
        let (base, guard) = config.judged()?;
        Self::guarded(config, base, guard)
    }

    pub(super) fn guarded(config: &OutboundConfig, base: Url, guard: Guard) -> Result<Self, String> {
        let tokens = match &config.auth {
            Auth::OAuth2(credentials) => Some(Arc::new(Tokens::new(credentials, config)?)),
            _ => None,
        };
        let mut builder = Client::builder();
        if base.scheme() == "http" {
            // No TLS is ever spoken there, and reading the machine's certificates takes longer than all the rest.
            builder = builder.tls_certs_only([]);
        }
        let client = builder
            .user_agent(concat!("tidegate/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .no_proxy()
            .http1_only()
            .connect_timeout(config.connect_time_out)
            .pool_idle_timeout(IDLE_MAX)
            .dns_resolver(Arc::new(GuardedResolver(guard)))
            .build()
            .map_err(|error| format!("no HTTP client: {}", innermost(&error)))?;
        Ok(Self {
            client,
            prefix: base.as_str().trim_end_matches('/').to_owned(),
            base,
            guard,
            headers: headers(config)?,
            tokens,
            redactor: Arc::new(Redactor::new(config.auth.secrets())),
            read_time_out: config.read_time_out,
            answer_bytes_max: config.answer_bytes_max,
            ahead_ms: Arc::new(AtomicI64::new(NO_DATE)),
        })
    }

    pub fn base(&self) -> &Url {
        &self.base
    }

    /// By how many milliseconds the system's clock was ahead of ours when the call of its last answer that had a `Date` began;
    /// negative: behind. To the second, and off by as much as the call took.
    pub fn clock_ahead_ms(&self) -> Option<i64> {
        Some(self.ahead_ms.load(Ordering::Relaxed)).filter(|ahead| *ahead != NO_DATE)
    }

    pub(super) fn guard(&self) -> Guard {
        self.guard
    }

    pub(super) fn read_time_out(&self) -> Duration {
        self.read_time_out
    }

    /// The same place, of whose answers these are not shown either.
    pub(super) fn masking(mut self, secrets: Vec<String>) -> Self {
        self.redactor = Arc::new(Redactor::new(secrets));
        self
    }

    /// One request, one answer of any status. A fault if there is no whole answer; [`Answer::success`] judges the
    /// status.
    pub async fn send(&self, call: &CallContext, request: Request) -> Result<Answer, Fault> {
        let Some(tokens) = &self.tokens else { return self.send_bare(call, request).await };
        let (access, left) = (request.access, MayHaveLeft::default());
        // Boxed, so that a call without tokens is not as large as one with them.
        let work = Box::pin(self.exchange_with(tokens, call, request, &left));
        in_time(call, access, &left, "no access token and no connection", work).await
    }

    /// [`send`](Self::send) to a place that knows us without a token: that which gives them.
    pub(super) async fn send_bare(&self, call: &CallContext, request: Request) -> Result<Answer, Fault> {
        let (access, left) = (request.access, MayHaveLeft::default());
        let work = self.exchange(call, request, None, &left);
        in_time(call, access, &left, "no connection", work).await
    }

    /// With a token; once more with a new one where the target does not take it, which says that nothing was done. The
    /// second refusal is the answer.
    async fn exchange_with(
        &self,
        tokens: &Tokens,
        call: &CallContext,
        request: Request,
        left: &MayHaveLeft,
    ) -> Result<Answer, Fault> {
        let token = tokens.get(call, None).await?;
        let answer = self.exchange(call, request.clone(), Some(&token), left).await?;
        if answer.status != StatusCode::UNAUTHORIZED {
            return Ok(answer);
        }
        left.nothing_was_done();
        let newer = tokens.get(call, Some(&token)).await?;
        self.exchange(call, request, Some(&newer), left).await
    }

    /// [`send`](Self::send) and [`Answer::success`].
    pub async fn call(&self, call: &CallContext, request: Request) -> Result<Answer, Fault> {
        self.send(call, request).await?.success()
    }

    async fn exchange(
        &self,
        call: &CallContext,
        request: Request,
        token: Option<&Token>,
        left: &MayHaveLeft,
    ) -> Result<Answer, Fault> {
        let (access, bytes_max) = (request.access, request.answer_bytes_max.unwrap_or(self.answer_bytes_max));
        let answer = async {
            let response = self.begin(call, request, token, left).await?;
            self.read(response, bytes_max, left).await
        };
        let (status, headers, body) = answer.await.map_err(|failure| classify::failure(access, &failure))?;
        if let Some(date) = classify::date(&headers) {
            let ahead_ms = date.as_millisecond().saturating_sub(call.now.as_millisecond());
            self.ahead_ms.store(ahead_ms, Ordering::Relaxed);
        }
        let redactor = token.map_or(&self.redactor, |token| &token.redactor).clone();
        Ok(Answer { status, headers, body, access, now: call.now, redactor })
    }

    /// Sends it; the answer's head.
    pub(super) async fn begin(
        &self,
        call: &CallContext,
        request: Request,
        token: Option<&Token>,
        left: &MayHaveLeft,
    ) -> Result<Response, Failure> {
        let built = self.build(call, request, token, left)?;
        self.client.execute(built).await.map_err(|error| lost(&error, left))
    }

    fn build(
        &self,
        call: &CallContext,
        request: Request,
        token: Option<&Token>,
        left: &MayHaveLeft,
    ) -> Result<reqwest::Request, Failure> {
        let not_built = |why: String| Failure::NotBuilt(why);
        let url = self.url(&request.path)?;
        let mut headers = self.headers.clone();
        for (name, value) in &request.headers {
            let (name, value) = header(name, value).map_err(not_built)?;
            headers.insert(name, value);
        }
        if let Some(token) = token {
            headers.insert(token.name.clone(), token.value.clone());
        }
        let trace = call.trace.traceparent(call.span);
        headers.insert("traceparent", HeaderValue::try_from(trace).map_err(|e| not_built(e.to_string()))?);
        let body = Bytes::from(request.body.unwrap_or_default());
        if body.is_empty() && request.method != Method::GET && request.method != Method::HEAD {
            // Some targets answer 411 to a write that does not say how long it is.
            headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        let head_bytes: usize =
            headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
        if head_bytes + url.as_str().len() > HEAD_BYTES_MAX {
            return Err(Failure::NotBuilt(format!("its head is longer than {HEAD_BYTES_MAX} bytes")));
        }
        let mut built = reqwest::Request::new(request.method, url);
        *built.headers_mut() = headers;
        *built.body_mut() = Some(reqwest::Body::wrap(MarkedBody::new(body, left.clone())));
        Ok(built)
    }

    /// A path cannot lead to another origin, nor out of the base's own path by `..`.
    fn url(&self, path: &str) -> Result<Url, Failure> {
        let not_built = |why: &str| Failure::NotBuilt(format!("{path:?} {why} the system's url"));
        if !path.is_empty() && !path.starts_with(['/', '?']) {
            return Err(not_built("must begin with a slash to stand below"));
        }
        let text = format!("{}{path}", self.prefix);
        let url = Url::parse(&text).map_err(|_| not_built("cannot stand below"))?;
        let below = self.base.path().trim_end_matches('/');
        let rest = url.path().strip_prefix(below);
        if url.origin() != self.base.origin()
            || !rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        {
            return Err(not_built("leads out of"));
        }
        Ok(url)
    }

    async fn read(
        &self,
        mut response: Response,
        bytes_max: u64,
        left: &MayHaveLeft,
    ) -> Result<(StatusCode, HeaderMap, Bytes), Failure> {
        let too_large = Failure::TooLarge { bytes_max };
        let announced = response.content_length().unwrap_or(0);
        if announced > bytes_max {
            return Err(too_large);
        }
        let mut body = BytesMut::new();
        loop {
            let next = timeout(self.read_time_out, response.chunk()).await;
            let chunk = match next {
                Ok(chunk) => chunk.map_err(|error| lost(&error, left))?,
                Err(_) => return Err(Failure::TimedOut { after: self.read_time_out }),
            };
            let Some(chunk) = chunk else { break };
            if (body.len() + chunk.len()) as u64 > bytes_max {
                return Err(too_large);
            }
            body.extend_from_slice(&chunk);
        }
        Ok((response.status(), std::mem::take(response.headers_mut()), body.freeze()))
    }
}

/// The call's time is for all of it; what may have left by then decides what its end means.
async fn in_time(
    call: &CallContext,
    access: Access,
    left: &MayHaveLeft,
    lacking: &str,
    work: impl Future<Output = Result<Answer, Fault>>,
) -> Result<Answer, Fault> {
    let failure = match timeout(call.time_out, work).await {
        Ok(answer) => return answer,
        Err(_) if left.get() => Failure::TimedOut { after: call.time_out },
        Err(_) => {
            let waited = kernel::flow::duration_text(call.time_out);
            Failure::NotReached(format!("{lacking} within {waited}"))
        }
    };
    Err(classify::failure(access, &failure))
}

/// What a transport error means. `left` decides; an error of the connector (name, connection, TLS) is certain too,
/// because it comes before there is anything to write to.
pub(super) fn lost(error: &reqwest::Error, left: &MayHaveLeft) -> Failure {
    if let Some(forbidden) = find::<Forbidden>(error) {
        return Failure::Forbidden(forbidden.to_string());
    }
    let why = innermost(error);
    if error.is_builder() {
        Failure::NotBuilt(why)
    } else if error.is_connect() || !left.get() {
        Failure::NotReached(why)
    } else {
        Failure::Lost(why)
    }
}

fn find<E: Error + 'static>(error: &reqwest::Error) -> Option<&E> {
    let mut source = error.source();
    while let Some(inner) = source {
        if let Some(found) = inner.downcast_ref::<E>() {
            return Some(found);
        }
        source = inner.source();
    }
    None
}

/// The last cause, which says most: "connection refused". It holds no URL, so no secret of one.
fn innermost(error: &reqwest::Error) -> String {
    let mut source = error.source();
    let mut text = None;
    while let Some(inner) = source {
        text = Some(inner.to_string());
        source = inner.source();
    }
    text.unwrap_or_else(|| "no cause given".to_owned())
}

fn check_base(base: &Url) -> Result<(), String> {
    let shown = redacted_url(base.as_str());
    if !matches!(base.scheme(), "http" | "https") || base.host_str().is_none() {
        return Err(format!("url {shown:?} must begin with http:// or https:// and name a host"));
    }
    if !base.username().is_empty() || base.password().is_some() {
        return Err(format!(
            "url {shown:?} must hold no user or password: use auth with a secret's reference"
        ));
    }
    if base.query().is_some() || base.fragment().is_some() {
        return Err(format!("url {shown:?} must end with its path: no '?' and no '#'"));
    }
    Ok(())
}

/// Without what stands between the scheme and `@`.
fn redacted_url(url: &str) -> String {
    match (url.split_once("://"), url.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, rest))) => format!("{scheme}://•••@{rest}"),
        _ => url.to_owned(),
    }
}

fn headers(config: &OutboundConfig) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    headers.insert(http::header::ACCEPT, HeaderValue::from_static("application/json"));
    for (name, value) in &config.headers {
        let (name, value) = header(name, value)?;
        headers.insert(name, value);
    }
    if let Some((name, value)) = config.auth.header()? {
        headers.insert(name, value);
    }
    Ok(headers)
}

fn header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), String> {
    let name_of = HeaderName::try_from(name).map_err(|_| format!("{name:?} is not the name of a header"))?;
    let value =
        HeaderValue::try_from(value).map_err(|_| format!("header {name}: its value cannot be sent"))?;
    Ok((name_of, value))
}

/// Whether a call with this access may be made again without asking first.
impl Access {
    pub fn is_write(self) -> bool {
        self == Access::Write
    }
}
