//! The door: accepts connections, reads requests, and lets each meet its fate. It can shut (connections are refused and
//! open ones dropped) and open again on the same port.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use anyhow::{Context, Result};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, HeaderMap, HeaderName, IF_MATCH};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::answer::{Answer, AnswerBody, Dropped};
use super::call::Call;
use super::clock::pause;
use super::control;
use super::fate::{Fate, Weight, decide};
use super::knobs::{LateAnswer, Outage};
use super::office::{Asked, Office};
use super::refusal::{Code, Refusal};
use super::tokens;
use super::twin::Desk;

const BODY_BYTES_MAX: usize = 8 << 20;
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Door {
    Open,
    Shut,
    /// For good.
    Gone,
}

pub(super) async fn bind(port: u16) -> Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind(("127.0.0.1", port)).await;
    let listener = listener.with_context(|| format!("the back office cannot listen on 127.0.0.1:{port}"))?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

/// Serves until the door is gone; says in `is_open` what the port does right now.
pub(super) async fn keep_door(
    listener: TcpListener,
    address: SocketAddr,
    desk: Arc<Desk>,
    mut door: watch::Receiver<Door>,
    is_open: watch::Sender<bool>,
) {
    let mut listener = Some(listener);
    loop {
        let wanted = *door.borrow_and_update();
        match (wanted, &listener) {
            (Door::Gone, _) => return,
            (Door::Shut, _) => {
                listener = None;
                is_open.send_replace(false);
                if door.changed().await.is_err() {
                    return;
                }
            }
            (Door::Open, None) => match bind(address.port()).await {
                Ok((again, _)) => listener = Some(again),
                Err(error) => {
                    tracing::warn!(%error, "trying again");
                    pause(20).await;
                }
            },
            (Door::Open, Some(open)) => {
                is_open.send_replace(true);
                tokio::select! {
                    biased;
                    changed = door.changed() => if changed.is_err() { return },
                    accepted = open.accept() => if let Ok((stream, _)) = accepted {
                        tokio::spawn(attend(stream, desk.clone(), door.clone(), false));
                    },
                }
            }
        }
    }
}

/// The control port: never shuts before the end.
pub(super) async fn keep_control_door(listener: TcpListener, desk: Arc<Desk>, door: watch::Receiver<Door>) {
    let mut leaving = door.clone();
    loop {
        tokio::select! {
            biased;
            _ = leaving.wait_for(|door| *door == Door::Gone) => return,
            accepted = listener.accept() => if let Ok((stream, _)) = accepted {
                tokio::spawn(attend(stream, desk.clone(), door.clone(), true));
            },
        }
    }
}

/// One connection, until it ends or the door shuts on it.
async fn attend(stream: TcpStream, desk: Arc<Desk>, mut door: watch::Receiver<Door>, control: bool) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| {
        let desk = desk.clone();
        async move { if control { Ok(control::serve(&desk, request).await) } else { serve(&desk, request).await } }
    });
    let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    tokio::select! {
        biased;
        shut = door.wait_for(|door| *door == Door::Gone || (*door == Door::Shut && !control)) => drop(shut),
        // Broken connections are what this server is for.
        _ = connection => {}
    }
}

async fn serve(desk: &Arc<Desk>, request: Request<Incoming>) -> Result<Response<AnswerBody>, Dropped> {
    if request.uri().path().starts_with("/twin/") {
        return Ok(control::serve(desk, request).await);
    }
    let office = &desk.office;
    let count = office.requests.fetch_add(1, Ordering::Relaxed);
    let knobs = office.knobs();
    if knobs.outage == Outage::Unavailable {
        office.count_fault("outage");
        let refusal = Refusal::new(Code::Unavailable, "down for maintenance");
        return Ok(Answer::refusal(&refusal).with_retry_after(knobs.retry_after_s).whole());
    }
    if request.uri().path() == tokens::PATH {
        return Ok(tokens::grant(office, request).await.whole());
    }
    let asked = match read(office, request).await {
        Ok(asked) => asked,
        Err(refusal) => return Ok(office.refuse(&refusal).whole()),
    };
    let (fate, delay_ms) = decide(&knobs, office.seed, count, asked.call.weight());
    if let Some(name) = fate.name() {
        office.count_fault(name);
    }
    if delay_ms > 0 {
        pause(delay_ms).await;
    }
    let carried_out = || office.carry_out(&asked, &knobs);
    match fate {
        Fate::Answered => Ok(carried_out().whole()),
        Fate::Error { status, applied } => {
            if applied {
                carried_out();
            }
            Ok(failed(status).whole())
        }
        Fate::Throttled { retry_after_s } => {
            let refusal = Refusal::new(Code::Throttled, "too many requests");
            Ok(Answer::refusal(&refusal).with_retry_after(retry_after_s).whole())
        }
        Fate::Unanswered => {
            carried_out();
            Err(Dropped)
        }
        Fate::LateApply { after_ms, answer } => late(office, asked, after_ms, answer).await,
        Fate::HalfAnswer => Ok(carried_out().half()),
        Fate::SlowAnswer { ms } => Ok(carried_out().slow(ms)),
        Fate::Hang => std::future::pending().await,
        Fate::Redirect => {
            Ok(Answer::json(307, &serde_json::Value::Null).with_location(&knobs.redirect_to).whole())
        }
        Fate::HugeAnswer { bytes } => Ok(carried_out().huge(bytes)),
        Fate::Garbage => Ok(carried_out().garbage()),
    }
}

fn failed(status: u16) -> Answer {
    let refusal = Refusal::new(Code::InternalError, "something went wrong");
    Answer { status, ..Answer::refusal(&refusal) }
}

/// Says what is no answer, and carries the request out when nobody waits for it any more.
async fn late(
    office: &Arc<Office>,
    asked: Asked,
    after_ms: u64,
    answer: LateAnswer,
) -> Result<Response<AnswerBody>, Dropped> {
    if asked.call.weight() != Weight::Read && office.reserve(&asked) {
        let office = office.clone();
        tokio::spawn(async move {
            pause(after_ms).await;
            office.carry_out_late(&asked);
        });
    }
    match answer {
        LateAnswer::Reset => Err(Dropped),
        LateAnswer::Hang => std::future::pending().await,
        LateAnswer::GatewayTimeout => Ok(failed(504).whole()),
    }
}

async fn read(office: &Office, request: Request<Incoming>) -> Result<Asked, Refusal> {
    let (head, body) = request.into_parts();
    let given = text_header(&head.headers, &AUTHORIZATION).and_then(|value| value.strip_prefix("Bearer "));
    let known = |given: &str| given == office.token || office.tokens.serves(given, office.now());
    if !given.is_some_and(known) {
        return Err(Refusal::new(Code::Unauthorized, "a bearer token is needed, and it is not this one"));
    }
    let (method, path) = (head.method.as_str(), head.uri.path());
    let call = Call::read(method, path, head.uri.query().unwrap_or_default())?;
    let seen_version = text_header(&head.headers, &IF_MATCH)
        .map(|value| {
            let digits = value.trim_start_matches("W/").trim_matches('"');
            digits.parse().map_err(|_| Refusal::of_field(Code::BadRequest, "If-Match", "is to be a version"))
        })
        .transpose()?;
    let key = text_header(&head.headers, &IDEMPOTENCY_KEY).map(str::to_owned);
    let (method, path) = (method.to_owned(), path.to_owned());
    let body = Limited::new(body, BODY_BYTES_MAX).collect().await.map_err(|_| {
        Refusal::new(Code::TooLarge, format!("a body of at most {BODY_BYTES_MAX} bytes was expected"))
    })?;
    Ok(Asked { call, method, path, body: body.to_bytes(), key, seen_version })
}

fn text_header<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}
