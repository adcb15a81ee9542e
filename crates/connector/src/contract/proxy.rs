//! A TCP proxy that cuts, holds and replaces what goes through it. Owns one request for each connection, so that each
//! trouble meets exactly the call that it is meant for; reads of HTTP only where a request ends.

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What happens to each request, until it is set anew.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Trouble {
    #[default]
    Pass,
    /// The request is read and the connection reset; the target hears nothing.
    Reset,
    /// The target gets so many bytes of the request, at most all but one, and then the end of the connection.
    CutRequest { after_bytes: usize },
    /// The target gets the request and answers; the caller gets so many bytes of the answer.
    CutAnswer { after_bytes: usize },
    /// The target gets the request and answers; the caller's connection is reset.
    ApplyAndReset,
    /// The target gets the request and answers; the caller gets the answer only after it has gone.
    ApplyAndHold,
    /// Nobody gets anything.
    Hang,
    /// The caller gets these bytes; the target hears nothing.
    Answer(Vec<u8>),
    /// The target gets the request and answers; the caller gets these bytes instead.
    ApplyAndAnswer(Vec<u8>),
    /// The caller gets an answer of 100 MB, as long as it takes it; the target hears nothing.
    Huge,
}

impl Trouble {
    /// An HTTP answer instead of the target's: status line and headers as given, and a body.
    pub fn answer(head: &str, body: &str) -> Self {
        Trouble::Answer(http(head, body))
    }

    /// The same after the target has done its work.
    pub fn apply_and_answer(head: &str, body: &str) -> Self {
        Trouble::ApplyAndAnswer(http(head, body))
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let first_line =
            |bytes: &[u8]| String::from_utf8_lossy(bytes).lines().next().unwrap_or_default().to_owned();
        match self {
            Trouble::Answer(bytes) => write!(f, "answered with {:?}", first_line(bytes)),
            Trouble::ApplyAndAnswer(bytes) => write!(f, "applied and answered with {:?}", first_line(bytes)),
            other => write!(f, "{other:?}"),
        }
    }
}

fn http(head: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {head}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
        .into_bytes()
}

/// A request that went through, as the caller sent it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The first line: `POST /sales HTTP/1.1`.
    pub line: String,
    /// The first line and the headers.
    pub head: String,
    pub body: Vec<u8>,
    /// How long the target's answer was, where it was asked.
    pub answer_bytes: Option<usize>,
}

impl Seen {
    fn bytes(&self) -> usize {
        self.head.len() + self.body.len()
    }
}

#[derive(Debug, Default)]
struct State {
    trouble: Trouble,
    seen: Vec<Seen>,
    huge_sent_bytes: u64,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    /// How many requests the target has answered, or been cut off from.
    settled: watch::Sender<usize>,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Listens on a port of its own and ends when dropped.
#[derive(Debug)]
pub struct CuttingProxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

impl Drop for CuttingProxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

const HUGE_BYTES: u64 = 100 * 1024 * 1024;
/// No request of a test is longer.
const REQUEST_BYTES_MAX: usize = 16 * 1024 * 1024;

impl CuttingProxy {
    /// `spared` says which requests pass whatever the trouble.
    pub async fn start(target: SocketAddr, spared: fn(&Seen) -> bool) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared { state: Mutex::default(), settled: watch::Sender::new(0) });
        let sharing = shared.clone();
        let accepting = tokio::spawn(async move {
            while let Ok((caller, _)) = listener.accept().await {
                let shared = sharing.clone();
                // How a connection ends is the trouble's business; its error is nobody's.
                tokio::spawn(async move { serve(caller, target, spared, &shared).await.ok() });
            }
        });
        Ok(Self { address, shared, accepting })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn set(&self, trouble: Trouble) {
        self.shared.state().trouble = trouble;
    }

    /// Every request so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.shared.state().seen.clone()
    }

    /// The last request, its bytes and those of its answer.
    pub fn last_lengths(&self) -> Option<(usize, usize)> {
        let state = self.shared.state();
        let seen = state.seen.last()?;
        Some((seen.bytes(), seen.answer_bytes?))
    }

    /// How much of a huge answer the callers have taken.
    pub fn huge_sent_bytes(&self) -> u64 {
        self.shared.state().huge_sent_bytes
    }

    /// Until there were so many requests and the target has nothing more to do for any.
    pub async fn settled(&self, requests: usize) {
        let mut settled = self.shared.settled.subscribe();
        let all = |count: &usize| *count >= requests && *count >= self.shared.state().seen.len();
        // The sender lives as long as the proxy.
        let _ = settled.wait_for(all).await;
    }
}

async fn serve(
    mut caller: TcpStream,
    target: SocketAddr,
    spared: fn(&Seen) -> bool,
    shared: &Shared,
) -> io::Result<()> {
    let seen = read_request(&mut caller).await?;
    let (number, trouble) = {
        let mut state = shared.state();
        let trouble = if spared(&seen) { Trouble::Pass } else { state.trouble.clone() };
        state.seen.push(seen.clone());
        (state.seen.len() - 1, trouble)
    };
    let request = closing(&seen);
    let answer = match &trouble {
        Trouble::CutRequest { after_bytes } => {
            let kept = (*after_bytes).min(request.len().saturating_sub(1));
            ask(target, &request[..kept]).await.unwrap_or_default()
        }
        Trouble::Hang | Trouble::Answer(_) | Trouble::Huge | Trouble::Reset => Vec::new(),
        // A target that cannot be asked has an empty answer: the caller sees its connection close.
        _ => ask(target, &request).await.unwrap_or_default(),
    };
    shared.state().seen[number].answer_bytes = Some(answer.len());
    shared.settled.send_modify(|count| *count += 1);
    reply(caller, &trouble, &answer, shared).await
}

async fn reply(mut caller: TcpStream, trouble: &Trouble, answer: &[u8], shared: &Shared) -> io::Result<()> {
    match trouble {
        Trouble::Pass => caller.write_all(answer).await?,
        Trouble::CutAnswer { after_bytes } => {
            caller.write_all(&answer[..(*after_bytes).min(answer.len())]).await?
        }
        Trouble::Answer(bytes) | Trouble::ApplyAndAnswer(bytes) => caller.write_all(bytes).await?,
        Trouble::Huge => return huge(caller, shared).await,
        Trouble::ApplyAndReset | Trouble::Reset => return reset(&caller),
        Trouble::CutRequest { .. } => {}
        Trouble::Hang | Trouble::ApplyAndHold => {
            // Until the caller has gone: it sends nothing more, so the next thing to read is its end.
            let mut byte = [0];
            while caller.read(&mut byte).await? > 0 {}
            return caller.write_all(answer).await;
        }
    }
    caller.shutdown().await
}

/// Closes with a reset instead of an orderly end.
fn reset(caller: &TcpStream) -> io::Result<()> {
    caller.set_zero_linger()
}

async fn huge(mut caller: TcpStream, shared: &Shared) -> io::Result<()> {
    caller
        .write_all(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n")
        .await?;
    let blanks = vec![b' '; 64 * 1024];
    let mut sent = 0;
    while sent < HUGE_BYTES {
        caller.write_all(&blanks).await?;
        sent += blanks.len() as u64;
        shared.state().huge_sent_bytes += blanks.len() as u64;
    }
    caller.shutdown().await
}

/// Sends to the target and reads until it closes.
async fn ask(target: SocketAddr, request: &[u8]) -> io::Result<Vec<u8>> {
    let mut connection = TcpStream::connect(target).await?;
    connection.write_all(request).await?;
    if !ends(request) {
        // A part of a request: say that no more will come.
        connection.shutdown().await?;
    }
    let mut answer = Vec::new();
    connection.read_to_end(&mut answer).await?;
    Ok(answer)
}

/// The request with `connection: close`, so that the target's answer ends with its connection.
fn closing(seen: &Seen) -> Vec<u8> {
    let head = seen.head.trim_end_matches("\r\n");
    let mut bytes = format!("{head}\r\nconnection: close\r\n\r\n").into_bytes();
    bytes.extend_from_slice(&seen.body);
    bytes
}

async fn read_request(caller: &mut TcpStream) -> io::Result<Seen> {
    let mut bytes = Vec::new();
    while !ends(&bytes) {
        if bytes.len() > REQUEST_BYTES_MAX || caller.read_buf(&mut bytes).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    let head_bytes = head_bytes(&bytes).unwrap_or(bytes.len());
    let body = bytes.split_off(head_bytes);
    let head = String::from_utf8_lossy(&bytes).into_owned();
    let line = head.lines().next().unwrap_or_default().to_owned();
    Ok(Seen { line, head, body, answer_bytes: None })
}

fn head_bytes(bytes: &[u8]) -> Option<usize> {
    bytes.windows(4).position(|window| window == b"\r\n\r\n").map(|at| at + 4)
}

/// Whether a whole request is there. Our stack always says how long it is.
fn ends(bytes: &[u8]) -> bool {
    let Some(head) = head_bytes(bytes) else { return false };
    let text = String::from_utf8_lossy(&bytes[..head]).to_ascii_lowercase();
    let length = text.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
    bytes.len() - head >= length.unwrap_or(0usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_ends_where_it_says() {
        let table: [(&str, bool); 5] = [
            ("", false),
            ("GET / HTTP/1.1\r\n", false),
            ("GET / HTTP/1.1\r\nHost: x\r\n\r\n", true),
            ("POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nab", false),
            ("POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc", true),
        ];
        for (bytes, whole) in table {
            assert_eq!(ends(bytes.as_bytes()), whole, "{bytes:?}");
        }
    }
}
