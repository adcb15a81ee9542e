//! Serves a router on a TCP port or a Unix socket: bounded in connections, with deadlines on heads, bodies, idle
//! connections and answers that nobody takes, and with a stop that lets what is under way end. Decides nothing about
//! requests.

mod taken;
mod tls;
mod whole;

pub use tls::{Pair, PairError, Tls};

use crate::timer::{timer, wait};
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::future::ready;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use taken::Taken;
use telemetry::Metrics;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::{Semaphore, watch};
use tower::ServiceExt as _;
use whole::Whole;

/// The bounds of one server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServerLimits {
    /// Further ones wait to be accepted.
    pub connections_max: usize,
    /// From the first byte of a connection, or from the answer before, to the last byte of a head: a client that
    /// stalls, and one that only keeps its connection, are cut off.
    pub header_deadline: Duration,
    /// From when a body is first waited for to its last byte. What reads it without a deadline of its own is given up a
    /// little later.
    pub body_deadline: Duration,
    /// How long a stop waits for requests that are under way.
    pub drain_deadline: Duration,
}

/// What every server needs.
#[derive(Debug, Clone)]
pub struct Serving {
    pub router: Router,
    pub limits: ServerLimits,
    pub metrics: Arc<Metrics>,
    /// For the metrics: `public`, `operator`.
    pub name: &'static str,
    /// True: accept no more, end.
    pub stop: watch::Receiver<bool>,
}

/// Where a request came from, among its extensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    /// Who connected; `None` on a Unix socket. No proxy header is believed here.
    pub address: Option<IpAddr>,
}

/// A connection that could not be accepted (no file handle left): the next try comes after this.
const ACCEPT_AGAIN: Duration = Duration::from_millis(50);

/// Until the stop, and until what was under way has ended.
pub async fn serve_tcp(listener: TcpListener, serving: Serving) {
    let desk = Desk::new(serving);
    while let Some(permit) = desk.permit().await {
        let Some(accepted) = desk.unless_stopped(listener.accept()).await else { break };
        match accepted {
            Ok((stream, peer)) => {
                // Without it small answers wait for an acknowledgement.
                let _ = stream.set_nodelay(true);
                desk.attend(ready(Ok(stream)), Peer { address: Some(address(peer)) }, permit);
            }
            Err(error) => desk.not_accepted(&error).await,
        }
    }
    drop(listener);
    desk.drained().await;
}

/// The same over TLS. A client that does not greet within the deadline of a head is cut off.
pub async fn serve_tls(listener: TcpListener, serving: Serving, tls: Tls) {
    let desk = Desk::new(serving);
    while let Some(permit) = desk.permit().await {
        let Some(accepted) = desk.unless_stopped(listener.accept()).await else { break };
        match accepted {
            Ok((stream, peer)) => {
                let _ = stream.set_nodelay(true);
                let greeted = tls.acceptor().accept(stream);
                desk.attend(greeted, Peer { address: Some(address(peer)) }, permit);
            }
            Err(error) => desk.not_accepted(&error).await,
        }
    }
    drop(listener);
    desk.drained().await;
}

/// The same on a Unix socket.
pub async fn serve_unix(listener: UnixListener, serving: Serving) {
    let desk = Desk::new(serving);
    while let Some(permit) = desk.permit().await {
        let Some(accepted) = desk.unless_stopped(listener.accept()).await else { break };
        match accepted {
            Ok((stream, _)) => desk.attend(ready(Ok(stream)), Peer { address: None }, permit),
            Err(error) => desk.not_accepted(&error).await,
        }
    }
    drop(listener);
    desk.drained().await;
}

/// An IPv4 address that came by an IPv6 socket is that IPv4 address.
fn address(peer: SocketAddr) -> IpAddr {
    peer.ip().to_canonical()
}

struct Desk {
    serving: Serving,
    slots: Arc<Semaphore>,
}

type Permit = tokio::sync::OwnedSemaphorePermit;

impl Desk {
    fn new(serving: Serving) -> Self {
        let slots = Arc::new(Semaphore::new(serving.limits.connections_max.max(1)));
        Self { serving, slots }
    }

    /// A slot for the next connection; `None` at the stop.
    async fn permit(&self) -> Option<Permit> {
        self.unless_stopped(self.slots.clone().acquire_owned()).await?.ok()
    }

    async fn unless_stopped<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let mut stop = self.serving.stop.clone();
        tokio::select! {
            biased;
            // Whoever could say stop being gone is a stop too.
            _ = stop.wait_for(|stop| *stop) => None,
            done = work => Some(done),
        }
    }

    async fn not_accepted(&self, error: &std::io::Error) {
        tracing::warn!(
            server.name = self.serving.name,
            error.message = %error,
            "a connection could not be accepted"
        );
        wait(ACCEPT_AGAIN).await;
    }

    /// `opened`: the stream, once both sides agree on how to speak.
    fn attend<S>(
        &self,
        opened: impl Future<Output = std::io::Result<S>> + Send + 'static,
        peer: Peer,
        permit: Permit,
    ) where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let Serving { router, limits, metrics, name, stop } = self.serving.clone();
        metrics.connection_opened(name);
        tokio::spawn(async move {
            // Who cannot greet is no client of ours.
            if let Ok(Ok(stream)) = tokio::time::timeout(limits.header_deadline, opened).await {
                attended(stream, peer, router, limits, stop).await;
            }
            metrics.connection_closed(name);
            drop(permit);
        });
    }

    /// Every slot free again, or the deadline.
    async fn drained(&self) {
        let all = u32::try_from(self.serving.limits.connections_max.max(1)).unwrap_or(u32::MAX);
        // Connections that do not end in time are dropped with the process.
        let _ = tokio::time::timeout(self.serving.limits.drain_deadline, self.slots.acquire_many(all)).await;
    }
}

/// One connection, until it ends, or until its last request at the stop.
async fn attended<S>(
    stream: S,
    peer: Peer,
    router: Router,
    limits: ServerLimits,
    mut stop: watch::Receiver<bool>,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request: Request<Incoming>| {
        let router = router.clone();
        async move {
            let flows = request.uri().path() == crate::prices::LOADS;
            let whole = if flows { Whole::flowing } else { Whole::new };
            let mut request = request.map(|body| Body::new(whole(body, limits.body_deadline)));
            request.extensions_mut().insert(peer);
            match router.oneshot(request).await {
                Ok(response) => Ok::<_, Infallible>(response),
                Err(never) => match never {},
            }
        }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_deadline)
        .serve_connection(TokioIo::new(Taken::new(stream)), service);
    tokio::pin!(connection);
    tokio::select! {
        biased;
        // Broken connections are the client's business.
        _ = connection.as_mut() => return,
        _ = stop.wait_for(|stop| *stop) => {}
    }
    connection.as_mut().graceful_shutdown();
    tokio::select! {
        biased;
        _ = connection.as_mut() => {}
        _ = timer(limits.drain_deadline) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::routing::get;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpStream;
    use tokio::sync::Notify;

    const LIMITS: ServerLimits = ServerLimits {
        connections_max: 1,
        header_deadline: Duration::from_secs(5),
        body_deadline: Duration::from_secs(5),
        drain_deadline: Duration::from_secs(10),
    };

    struct Running {
        address: SocketAddr,
        stop: watch::Sender<bool>,
        task: tokio::task::JoinHandle<()>,
    }

    async fn running(router: Router, connections_max: usize, header_deadline: Duration) -> Running {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = watch::channel(false);
        let limits = ServerLimits { connections_max, header_deadline, ..LIMITS };
        let metrics = Arc::new(Metrics::new());
        let serving = Serving { router, limits, metrics, name: "public", stop: stopped };
        Running { address, stop, task: tokio::spawn(serve_tcp(listener, serving)) }
    }

    fn hello() -> Router {
        Router::new().route("/", get(|| async { "hello" }))
    }

    async fn asked(stream: &mut TcpStream) -> String {
        stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
        let mut answer = vec![0; 1024];
        let length = stream.read(&mut answer).await.unwrap();
        String::from_utf8_lossy(&answer[..length]).into_owned()
    }

    #[tokio::test]
    async fn a_client_that_stalls_in_its_head_is_cut_off_and_frees_its_slot() {
        let server = running(hello(), 1, Duration::from_millis(150)).await;
        let mut slow = TcpStream::connect(server.address).await.unwrap();
        slow.write_all(b"GET / HTTP/1.1\r\nHo").await.unwrap();
        // The one slot is taken: this one waits to be accepted until the other is cut off.
        let mut patient = TcpStream::connect(server.address).await.unwrap();
        assert!(asked(&mut patient).await.ends_with("hello"));
        let mut rest = Vec::new();
        slow.read_to_end(&mut rest).await.unwrap();
        assert!(!String::from_utf8_lossy(&rest).contains("200 OK"));
    }

    #[tokio::test]
    async fn a_connection_that_is_only_kept_is_cut_off() {
        let server = running(hello(), 4, Duration::from_millis(150)).await;
        let mut kept = TcpStream::connect(server.address).await.unwrap();
        assert!(asked(&mut kept).await.ends_with("hello"));
        assert_eq!(kept.read(&mut [0; 16]).await.unwrap_or(0), 0);
    }

    /// A connection whose other end holds so many bytes that nobody reads; ends when it is given up.
    fn connected(router: Router, bytes: usize) -> (tokio::io::DuplexStream, tokio::task::JoinHandle<()>) {
        let (client, server) = tokio::io::duplex(bytes);
        let task = tokio::spawn(async move {
            let (_stop, stopped) = watch::channel(false);
            attended(server, Peer { address: None }, router, LIMITS, stopped).await;
        });
        (client, task)
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_does_not_take_its_answer_is_cut_off() {
        let long = || Router::new().route("/", get(|| async { "x".repeat(100_000) }));
        let (mut client, task) = connected(long(), 1024);
        client.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
        tokio::time::timeout(taken::TAKEN_WITHIN * 2, task)
            .await
            .expect("its slot is held for ever")
            .unwrap();
        // One that reads slowly, and reads, gets all of it, however long that takes.
        let (mut client, _task) = connected(long(), 1024);
        client.write_all(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await.unwrap();
        let (mut piece, mut length) = ([0; 1024], 0);
        loop {
            wait(Duration::from_secs(10)).await;
            match client.read(&mut piece).await.unwrap() {
                0 => break,
                taken => length += taken,
            }
        }
        assert!(length > 100_000, "{length} bytes");
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_never_ends_holds_no_slot_whoever_reads_it() {
        let form = |body: axum::body::Bytes| async move { body.len().to_string() };
        let router = Router::new().route("/", axum::routing::post(form));
        let (mut client, task) = connected(router.clone(), 1024);
        client.write_all(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n").await.unwrap();
        let began = tokio::time::timeout(Duration::from_secs(1), async {
            // Something comes now and then, and never the end.
            while client.write_all(b"x").await.is_ok() {
                wait(Duration::from_millis(100)).await;
            }
        });
        assert!(began.await.is_err(), "cut off before its deadline");
        let drip = async {
            while client.write_all(b"x").await.is_ok() {
                wait(Duration::from_millis(100)).await
            }
        };
        tokio::time::timeout(Duration::from_secs(20), drip).await.expect("its slot is held for ever");
        tokio::time::timeout(Duration::from_secs(1), task).await.expect("its slot is held for ever").unwrap();
        // One that ends in time is read.
        let (mut client, _task) = connected(router, 1024);
        client.write_all(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nx").await.unwrap();
        wait(Duration::from_secs(4)).await;
        client.write_all(b"x").await.unwrap();
        let mut answer = vec![0; 1024];
        let length = client.read(&mut answer).await.unwrap();
        assert!(String::from_utf8_lossy(&answer[..length]).ends_with("\r\n2"));
    }

    #[tokio::test(start_paused = true)]
    async fn prices_that_are_brought_may_take_their_time_as_long_as_they_come() {
        let form = |body: axum::body::Bytes| async move { body.len().to_string() };
        let router = Router::new().route(crate::prices::LOADS, axum::routing::post(form));
        let (mut client, _task) = connected(router.clone(), 1024);
        let head = format!("POST {} HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n", crate::prices::LOADS);
        client.write_all(head.as_bytes()).await.unwrap();
        for _ in 0..10 {
            wait(Duration::from_secs(6)).await;
            client.write_all(b"x").await.unwrap();
        }
        let mut answer = vec![0; 1024];
        let length = client.read(&mut answer).await.unwrap();
        assert!(String::from_utf8_lossy(&answer[..length]).ends_with("\r\n10"));
        // One that is silent is cut off.
        let (mut client, task) = connected(router, 1024);
        client.write_all(head.as_bytes()).await.unwrap();
        client.write_all(b"x").await.unwrap();
        tokio::time::timeout(Duration::from_secs(10), task)
            .await
            .expect("its slot is held for ever")
            .unwrap();
    }

    #[tokio::test]
    async fn a_stop_lets_the_request_under_way_end_and_takes_no_other() {
        let (begun, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (tell, wait) = (begun.clone(), go_on.clone());
        let router = Router::new().route(
            "/",
            get(move || async move {
                tell.notify_one();
                wait.notified().await;
                "done"
            }),
        );
        let server = running(router, 4, Duration::from_secs(5)).await;
        let mut client = TcpStream::connect(server.address).await.unwrap();
        client.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
        begun.notified().await;
        server.stop.send_replace(true);
        go_on.notify_one();
        let mut answer = Vec::new();
        client.read_to_end(&mut answer).await.unwrap();
        assert!(String::from_utf8_lossy(&answer).ends_with("done"));
        server.task.await.unwrap();
        assert!(TcpStream::connect(server.address).await.is_err());
    }
}
