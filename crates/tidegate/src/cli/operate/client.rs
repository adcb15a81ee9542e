//! How a command asks: over the operator's socket where a hub runs, else in this process over the same router. One
//! question and one stream of lines serve every command.
//!
//! Knows no endpoint: what is asked, and what of the answer is shown, is each command's.

use super::{offline, page};
use crate::cli::{Common, Failure, say};
use crate::wiring::clock::SystemClock;
use crate::wiring::{self, Loaded};
use axum::Router;
use axum::body::Body;
use http::header::{CONTENT_TYPE, HOST};
use http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use hyper_util::rt::TokioIo;
use kernel::clock::Clock;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::UnixStream;
use tower::ServiceExt as _;

/// A hub that says nothing for so long does not answer. A work tells its first line at once, and may be silent then.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);
/// An answer that is longer is none of ours.
const ANSWER_BYTES_MAX: usize = 64 << 20;

/// Where questions go.
pub struct Client {
    loaded: Loaded,
    way: Way,
}

enum Way {
    /// A hub runs and listens there.
    Socket(PathBuf),
    /// No hub runs: the store is opened by this process, for as long as the command takes.
    Here(Router),
    /// No hub has ever run: there is nothing yet, and what is done would be forgotten.
    Nothing(Router, String),
}

/// How far a work is.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    pub done: u64,
    /// 0: not known.
    pub total: u64,
    pub rate_per_s: u64,
}

impl Client {
    /// `of_prices`: without a hub the read model of prices is opened as well, which takes seconds where it is large.
    pub async fn open(common: &Common, of_prices: bool) -> Result<Self, Failure> {
        let mut loaded = wiring::load(&common.config, &common.overrides, true);
        // A configuration that somebody is just editing does not keep a running hub from being asked.
        if let Some(socket) = listening(&loaded).await? {
            return Ok(Self { loaded, way: Way::Socket(socket) });
        }
        if !loaded.is_good() {
            say::note(config::render(&loaded.report.findings));
            say::note(format_args!(
                "No hub runs, and without one the configuration has to be right: {} to mend first.",
                loaded.report.findings.len()
            ));
            if common.json {
                page::json(&json!({ "findings": loaded.report.findings }));
            }
            return Err(Failure::Found);
        }
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let not_made_yet = wiring::open::not_made_yet(&loaded, &clock).await?;
        let router = offline::router(&mut loaded, not_made_yet.is_some(), of_prices).await?;
        let way = match not_made_yet {
            Some(missing) => {
                say::note("note: no hub has ever run here; start it with `tidegate run`");
                Way::Nothing(router, missing)
            }
            None => {
                say::note("note: no hub runs here; this is the store as it was left");
                Way::Here(router)
            }
        };
        Ok(Self { loaded, way })
    }

    /// Else it is the store alone that answers.
    pub fn hub_runs(&self) -> bool {
        matches!(self.way, Way::Socket(_))
    }

    /// The configuration that is in the file, which a running hub may not have read yet.
    pub fn config(&self) -> &config::Config {
        &self.loaded.config
    }

    /// One question, one answer.
    pub async fn ask(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, Failure> {
        let response = self.send(method, path, body).await?;
        let status = response.status();
        let answer = whole(response.into_body()).await?;
        if status.is_success() { Ok(answer) } else { Err(refused(status, &answer)) }
    }

    pub async fn get(&self, path: &str) -> Result<Value, Failure> {
        self.ask(Method::GET, path, None).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        self.ask(Method::POST, path, Some(body)).await
    }

    /// A work that takes its time: its result, and how far it is meanwhile. Dropped, it ends the work.
    pub async fn stream(
        &self,
        path: &str,
        body: &Value,
        on_progress: &mut (dyn FnMut(Progress) + Send),
    ) -> Result<Value, Failure> {
        let response = self.send(Method::POST, path, Some(body)).await?;
        let status = response.status();
        if !status.is_success() {
            return Err(refused(status, &whole(response.into_body()).await?));
        }
        let mut lines = response.into_body();
        let mut unread = Vec::new();
        while let Some(frame) = lines.frame().await {
            let frame = frame.map_err(|error| broken(&error))?;
            let Ok(data) = frame.into_data() else { continue };
            unread.extend_from_slice(&data);
            while let Some(end) = unread.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = unread.drain(..=end).collect();
                if let Some(result) = told(&line, on_progress)? {
                    return Ok(result);
                }
            }
            if unread.len() > ANSWER_BYTES_MAX {
                return Err(broken(&"a line has no end"));
            }
        }
        Err(broken(&"it ended before the result was told; ask again to go on from there"))
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Response<Body>, Failure> {
        let bytes = body.map(|body| body.to_string().into_bytes()).unwrap_or_default();
        let request = Request::builder()
            .method(method)
            .uri(format!("/admin/v1{path}"))
            .header(HOST, "tidegate")
            .header(CONTENT_TYPE, "application/json")
            .body(Body::from(bytes))
            .map_err(|error| Failure::Failed(anyhow::anyhow!("{path} cannot be asked: {error}")))?;
        match &self.way {
            Way::Socket(socket) => over_socket(socket, request).await,
            Way::Nothing(_, missing) if request.method() != Method::GET => Err(Failure::NotFound(format!(
                "{missing} is not there: no hub has ever run here. Start it first: tidegate run"
            ))),
            Way::Here(router) | Way::Nothing(router, _) => match router.clone().oneshot(request).await {
                Ok(response) => Ok(response),
                Err(never) => match never {},
            },
        }
    }
}

/// The socket, where somebody listens on it. One that was left behind by a hub that was killed is no hub.
async fn listening(loaded: &Loaded) -> Result<Option<PathBuf>, Failure> {
    let Some(folder) = wiring::open::data_dir(&loaded.config) else { return Ok(None) };
    let socket = folder.join(crate::run::SOCKET);
    match UnixStream::connect(&socket).await {
        Ok(_) => Ok(Some(socket)),
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
            Err(Failure::Unreachable(format!(
                "{} may not be opened by this user: ask as the user that the hub runs as",
                socket.display()
            )))
        }
        Err(_) => Ok(None),
    }
}

async fn over_socket(socket: &Path, request: Request<Body>) -> Result<Response<Body>, Failure> {
    let silent = |why: &dyn std::fmt::Display| {
        Failure::Unreachable(format!(
            "the hub at {} does not answer ({why}): see its log; it may be restarted at any time, nothing is lost",
            socket.display()
        ))
    };
    let asked = async {
        let stream = UnixStream::connect(socket).await.map_err(|error| silent(&error))?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| silent(&error))?;
        // Ends with the answer's last byte, or with this process.
        tokio::spawn(connection);
        sender.send_request(request).await.map_err(|error| silent(&error))
    };
    let answered = tokio::time::timeout(ANSWER_WITHIN, asked).await;
    let response =
        answered.map_err(|_| silent(&format_args!("silent for {} s", ANSWER_WITHIN.as_secs())))??;
    Ok(response.map(Body::new))
}

/// The result, at the last line.
fn told(line: &[u8], on_progress: &mut (dyn FnMut(Progress) + Send)) -> Result<Option<Value>, Failure> {
    let mut line: Value = serde_json::from_slice(line).map_err(|error| broken(&error))?;
    if let Some(progress) = line.get("progress") {
        let number = |name: &str| progress.get(name).and_then(Value::as_u64).unwrap_or_default();
        on_progress(Progress {
            done: number("done"),
            total: number("total"),
            rate_per_s: number("rate_per_s"),
        });
        return Ok(None);
    }
    if line.get("error").is_some() {
        // As of a work that could not go on: what is wrong with a question is told by the status.
        return Err(refused(StatusCode::BAD_GATEWAY, &line));
    }
    match line.get_mut("result") {
        Some(result) => Ok(Some(result.take())),
        None => Ok(None),
    }
}

async fn whole(body: Body) -> Result<Value, Failure> {
    let read = axum::body::to_bytes(body, ANSWER_BYTES_MAX);
    let bytes = tokio::time::timeout(ANSWER_WITHIN, read)
        .await
        .map_err(|_| broken(&"it broke off"))?
        .map_err(|error| broken(&error))?;
    serde_json::from_slice(&bytes).map_err(|error| broken(&error))
}

fn broken(why: &dyn std::fmt::Display) -> Failure {
    Failure::Unreachable(format!("the hub's answer cannot be read: {why}"))
}

fn refused(status: StatusCode, answer: &Value) -> Failure {
    let of = |name: &str| answer["error"][name].as_str().unwrap_or_default();
    let message = match (of("code"), of("message")) {
        ("", _) => format!("the hub answered {status}"),
        (code, message) => format!("{code}: {message}"),
    };
    match status {
        StatusCode::NOT_FOUND => Failure::NotFound(message),
        StatusCode::BAD_REQUEST => Failure::Usage(message),
        _ => Failure::Failed(anyhow::anyhow!(message)),
    }
}
