//! The load: prebuilt requests over plain connections, on one thread of its own, with next to nothing done for each.
//! Closed loop finds what a server takes; open loop measures what it answers at a rate, each wait counted from when
//! the request was due, so that a stall is felt by all that it would have held up (no coordinated omission).

use super::clock::{block_until, now};
use super::orders::Requests;
use anyhow::Context as _;
use hdrhistogram::Histogram;
use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::{Mutex, mpsc};

/// What came of it.
#[derive(Debug)]
pub struct Answered {
    pub ok: u64,
    /// Any other status, and connections that broke.
    pub refused: u64,
    pub span: Duration,
    /// Microseconds until the answer.
    pub waits: Histogram<u64>,
}

impl Answered {
    fn new() -> anyhow::Result<Self> {
        Ok(Self { ok: 0, refused: 0, span: Duration::ZERO, waits: waits()? })
    }

    pub fn rate(&self) -> f64 {
        self.ok as f64 / self.span.as_secs_f64().max(0.001)
    }

    pub fn at_ms(&self, percentile: f64) -> f64 {
        self.waits.value_at_percentile(percentile) as f64 / 1e3
    }
}

/// From a microsecond to two minutes, three digits.
pub fn waits() -> anyhow::Result<Histogram<u64>> {
    Histogram::new_with_bounds(1, 120_000_000, 3).context("a histogram")
}

/// Each connection sends its next request when the last is answered, until the time is over or the requests are.
pub async fn saturate(
    to: SocketAddr,
    requests: Arc<Requests>,
    connections: usize,
    span: Duration,
) -> anyhow::Result<Answered> {
    on_own_thread(move || async move {
        let answered = Rc::new(RefCell::new(Answered::new()?));
        let next = Rc::new(Cell::new(0_usize));
        let begun = now();
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..connections {
            let (requests, next, answered) = (requests.clone(), next.clone(), answered.clone());
            tasks.spawn_local(async move {
                let mut connection = Connection::open(to).await?;
                while begun.elapsed() < span {
                    let index = next.replace(next.get() + 1);
                    let Some(request) = requests.get(index) else { break };
                    let sent = now();
                    let status = connection.ask(request).await;
                    note(&answered, sent, status);
                }
                anyhow::Ok(())
            });
        }
        while let Some(ended) = tasks.join_next().await {
            ended??;
        }
        let mut answered = answered.take_inner()?;
        answered.span = begun.elapsed();
        Ok(answered)
    })
    .await
}

/// Sends the requests at a steady rate, whatever the answers do. `begun` is when the first is due.
pub async fn steady(
    to: SocketAddr,
    requests: Arc<Requests>,
    connections: usize,
    pace: Pace,
) -> anyhow::Result<Answered> {
    steady_over(&[to], requests, connections, pace).await
}

/// The same over several servers, whose connections are as many each.
pub async fn steady_over(
    to: &[SocketAddr],
    requests: Arc<Requests>,
    connections: usize,
    pace: Pace,
) -> anyhow::Result<Answered> {
    let to: Vec<SocketAddr> = to.iter().copied().cycle().take(connections).collect();
    let (sender, due) = mpsc::unbounded_channel();
    let count = requests.len();
    // The pacer sleeps by itself: a runtime's timer is coarser than a request takes.
    let pacer = std::thread::Builder::new().name("pacer".into()).spawn(move || {
        for index in 0..count {
            block_until(pace.due(index));
            if sender.send(index).is_err() {
                return;
            }
        }
    })?;
    let answered = on_own_thread(move || async move {
        let answered = Rc::new(RefCell::new(Answered::new()?));
        let due = Rc::new(Mutex::new(due));
        let mut tasks = tokio::task::JoinSet::new();
        for to in to {
            let (requests, due, answered) = (requests.clone(), due.clone(), answered.clone());
            tasks.spawn_local(async move {
                let mut connection = Connection::open(to).await?;
                loop {
                    let next = due.lock().await.recv().await;
                    let Some(index) = next else { return anyhow::Ok(()) };
                    let Some(request) = requests.get(index) else { return Ok(()) };
                    let status = connection.ask(request).await;
                    note(&answered, pace.due(index), status);
                }
            });
        }
        while let Some(ended) = tasks.join_next().await {
            ended??;
        }
        let mut answered = answered.take_inner()?;
        answered.span = pace.begun.elapsed();
        Ok(answered)
    })
    .await;
    // It has ended: all its requests were taken, or nobody took any more.
    let _ = pacer.join();
    answered
}

/// When each request of a steady load is due.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    pub begun: Instant,
    pub per_second: u64,
}

impl Pace {
    /// Begins shortly after now, so that the first is not late.
    pub fn from_now(per_second: u64) -> Self {
        Self { begun: now() + Duration::from_millis(50), per_second: per_second.max(1) }
    }

    pub fn due(&self, index: usize) -> Instant {
        let nanos = index as u128 * 1_000_000_000 / u128::from(self.per_second);
        self.begun + Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}

fn note(answered: &RefCell<Answered>, since: Instant, status: anyhow::Result<u16>) {
    let mut answered = answered.borrow_mut();
    match status {
        Ok(200) => {
            answered.ok += 1;
            let micros = u64::try_from(since.elapsed().as_micros()).unwrap_or(u64::MAX);
            answered.waits.saturating_record(micros.max(1));
        }
        _ => answered.refused += 1,
    }
}

trait TakeInner<T> {
    fn take_inner(self) -> anyhow::Result<T>;
}

impl<T> TakeInner<T> for Rc<RefCell<T>> {
    fn take_inner(self) -> anyhow::Result<T> {
        Ok(Rc::into_inner(self).context("a connection is still counted")?.into_inner())
    }
}

/// Runs on one thread of its own, so that the load takes one processor at most.
pub(super) async fn on_own_thread<T, F, W>(work: W) -> anyhow::Result<T>
where
    T: Send + 'static,
    F: Future<Output = anyhow::Result<T>>,
    W: FnOnce() -> F + Send + 'static,
{
    tokio::task::spawn_blocking(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        tokio::task::LocalSet::new().block_on(&runtime, work())
    })
    .await?
}

/// One connection that is kept open; one request at a time.
pub(super) struct Connection {
    to: SocketAddr,
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    pub(super) async fn open(to: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(to).await.with_context(|| format!("{to} takes no connection"))?;
        stream.set_nodelay(true)?;
        Ok(Self { to, stream, buffer: Vec::with_capacity(1024) })
    }

    /// The status. After a broken connection, or an answer that closes it, the next goes over a new one.
    async fn ask(&mut self, request: &[u8]) -> anyhow::Result<u16> {
        match self.exchange(request).await {
            Ok(200) => Ok(200),
            other => {
                self.stream = Self::open(self.to).await?.stream;
                other
            }
        }
    }

    pub(super) async fn exchange(&mut self, request: &[u8]) -> anyhow::Result<u16> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        loop {
            let read = self.stream.read_buf(&mut self.buffer).await?;
            anyhow::ensure!(read > 0, "the connection was closed");
            if let Some(answer) = Head::of(&self.buffer)
                && self.buffer.len() >= answer.bytes
            {
                return Ok(answer.status);
            }
        }
    }
}

/// What is needed of an answer.
struct Head {
    status: u16,
    /// Head and body.
    bytes: usize,
}

impl Head {
    fn of(bytes: &[u8]) -> Option<Self> {
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
        let head = std::str::from_utf8(&bytes[..end]).ok()?;
        let status = head.split(' ').nth(1)?.parse().ok()?;
        let body = head.split("\r\n").find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
        });
        Some(Self { status, bytes: end + body.unwrap_or(0) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_whole_with_its_body() {
        let head = Head::of(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 5\r\n\r\n").unwrap();
        assert_eq!((head.status, head.bytes), (503, 60));
        assert!(Head::of(b"HTTP/1.1 200 OK\r\n").is_none());
        assert_eq!(Head::of(b"HTTP/1.1 200 OK\r\n\r\n").unwrap().bytes, 19);
    }

    #[test]
    fn a_steady_pace_does_not_drift() {
        let pace = Pace { begun: now(), per_second: 3 };
        assert_eq!(pace.due(3) - pace.begun, Duration::from_secs(1));
        assert_eq!(pace.due(3_000_000) - pace.begun, Duration::from_secs(1_000_000));
    }
}
