//! A back office that takes no time: it speaks as much of the look-alike's REST as the hub needs (`POST /sales`, look-up
//! by reference, confirmation, health), keeps no books, and stamps when each order's create arrived. A create that comes
//! again with the idempotency key of the first is the same one, as the hub's configuration says of it. It answers at
//! once, so that what is measured is the hub's. It can be down: then its port takes no connection.

use super::clock::now;
use super::orders::order_in;
use std::collections::BTreeMap;
use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// The running server; it ends with the program.
#[derive(Debug, Clone)]
pub struct Sink {
    address: SocketAddr,
    sales: Arc<Mutex<Sales>>,
    up: watch::Sender<bool>,
    answers: watch::Sender<bool>,
}

#[derive(Debug, Default)]
struct Sales {
    /// By order: when its create arrived, and what is known of it.
    by_order: BTreeMap<u64, Sale>,
    confirmed: u64,
    /// Orders that were created twice, with the time between.
    doubled: Vec<(u64, Duration)>,
}

#[derive(Debug)]
struct Sale {
    at: Instant,
    confirmed: bool,
    /// The idempotency key that its create came with.
    key: Option<String>,
}

impl Sink {
    pub async fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let ((up, seen), (answers, may_answer)) = (watch::channel(true), watch::channel(true));
        let sink = Self { address: listener.local_addr()?, sales: Arc::default(), up, answers };
        let (address, sales) = (sink.address, sink.sales.clone());
        // It is bound anew on its own thread.
        drop(listener);
        std::thread::Builder::new()
            .name("sink".into())
            .spawn(move || serve(address, &sales, seen, &may_answer))?;
        Ok(sink)
    }

    /// Down: connections are broken and none is taken. It keeps what it knows.
    pub fn set_up(&self, up: bool) {
        self.up.send_replace(up);
    }

    /// Silent: what comes is taken down, and its answer waits until it speaks again.
    pub fn set_answers(&self, answers: bool) {
        self.answers.send_replace(answers);
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    fn sales(&self) -> MutexGuard<'_, Sales> {
        locked(&self.sales)
    }

    /// How many orders have arrived so far.
    pub fn count(&self) -> u64 {
        self.sales().by_order.len() as u64
    }

    /// How many of them were confirmed as well.
    pub fn confirmed(&self) -> u64 {
        self.sales().confirmed
    }

    /// When an order arrived.
    pub fn arrival(&self, order: u64) -> Option<Instant> {
        self.sales().by_order.get(&order).map(|sale| sale.at)
    }

    /// Orders that were created twice: nobody may believe a pace that doubles.
    pub fn doubled(&self) -> u64 {
        self.sales().doubled.len() as u64
    }

    /// Which, and how long after the first each second create came.
    pub fn doubles(&self) -> Vec<(u64, Duration)> {
        self.sales().doubled.clone()
    }
}

fn locked(sales: &Mutex<Sales>) -> MutexGuard<'_, Sales> {
    sales.lock().unwrap_or_else(PoisonError::into_inner)
}

fn serve(
    address: SocketAddr,
    sales: &Arc<Mutex<Sales>>,
    mut up: watch::Receiver<bool>,
    may_answer: &watch::Receiver<bool>,
) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let Ok(runtime) = runtime else { return };
    // It ends when nobody can turn it on any more.
    let _: anyhow::Result<()> = runtime.block_on(async {
        loop {
            up.wait_for(|up| *up).await?;
            let listener = TcpListener::bind(address).await?;
            let mut talks = tokio::task::JoinSet::new();
            while *up.borrow_and_update() {
                tokio::select! {
                    accepted = listener.accept() => {
                        let (sales, may_answer) = (sales.clone(), may_answer.clone());
                        // A hub that goes away breaks its connection.
                        talks.spawn(async move { talk(accepted?.0, &sales, may_answer).await });
                    }
                    changed = up.changed() => changed?,
                    Some(_) = talks.join_next() => {}
                }
            }
        }
    });
}

async fn talk(
    mut stream: TcpStream,
    sales: &Mutex<Sales>,
    mut may_answer: watch::Receiver<bool>,
) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = Vec::with_capacity(16 * 1024);
    let mut answer = Vec::with_capacity(8 * 1024);
    loop {
        let Some(request) = Request::in_front_of(&buffer) else {
            if stream.read_buf(&mut buffer).await? == 0 {
                return Ok(());
            }
            continue;
        };
        answer.clear();
        request.answer(sales, &mut answer);
        let taken = request.bytes;
        if may_answer.wait_for(|may| *may).await.is_err() {
            return Ok(());
        }
        stream.write_all(&answer).await?;
        buffer.drain(..taken);
    }
}

/// A whole request at the front of what was read.
struct Request<'a> {
    line: &'a str,
    /// The idempotency key, where there is one.
    key: Option<&'a str>,
    body: &'a [u8],
    bytes: usize,
}

impl<'a> Request<'a> {
    fn in_front_of(buffer: &'a [u8]) -> Option<Self> {
        let end = buffer.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
        let head = std::str::from_utf8(&buffer[..end]).ok()?;
        let header = |wanted: &str| {
            let mut headers = head.split("\r\n").filter_map(|line| line.split_once(':'));
            headers.find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value.trim())
        };
        let length = header("content-length").and_then(|value| value.parse().ok()).unwrap_or(0);
        let body = buffer.get(end..end + length)?;
        Some(Self { line: head.lines().next()?, key: header("idempotency-key"), body, bytes: end + length })
    }

    fn answer(&self, sales: &Mutex<Sales>, to: &mut Vec<u8>) {
        let mut sales = locked(sales);
        let order = order_in(self.line.as_bytes()).or_else(|| order_in(self.body));
        match (self.line.split(' ').next(), order) {
            (Some("POST"), Some(order)) if self.line.starts_with("POST /sales ") => {
                let sale = Sale { at: now(), confirmed: false, key: self.key.map(str::to_owned) };
                match sales.by_order.get(&order).map(|first| (first.at, first.key == sale.key)) {
                    None => drop(sales.by_order.insert(order, sale)),
                    // The same request again, whose answer was lost.
                    Some((_, true)) if sale.key.is_some() => {}
                    Some((first, _)) => {
                        let apart = sale.at.duration_since(first);
                        sales.doubled.push((order, apart));
                    }
                }
                // The sale as it was sent, with what a back office adds.
                let added = format!(r#"{{"id":"{order}","number":"S{order}","state":"draft","version":1,"#);
                let rest = self.body.strip_prefix(b"{").unwrap_or_default();
                respond(to, "201 Created", &[added.as_bytes(), rest]);
            }
            (Some("POST"), _) if self.line.contains("/confirm ") => {
                let order = self.sale_in_path();
                if let Some(sale) = order.and_then(|order| sales.by_order.get_mut(&order)) {
                    let first = !std::mem::replace(&mut sale.confirmed, true);
                    sales.confirmed += u64::from(first);
                }
                let order = order.unwrap_or(0);
                let text =
                    format!(r#"{{"id":"{order}","number":"S{order}","state":"confirmed","version":2}}"#);
                respond(to, "200 OK", &[text.as_bytes()]);
            }
            (Some("GET"), Some(order)) => {
                let found = sales.by_order.get(&order).map(|sale| {
                    let (state, version) = if sale.confirmed { ("confirmed", 2) } else { ("draft", 1) };
                    format!(
                        r#"{{"id":"{order}","number":"S{order}","state":"{state}","version":{version},"reference":"acme-order-{order}"}}"#
                    )
                });
                let text = format!(r#"{{"sales":[{}],"next_page":null}}"#, found.unwrap_or_default());
                respond(to, "200 OK", &[text.as_bytes()]);
            }
            _ => respond(to, "200 OK", &[b"{}"]),
        }
    }

    /// `/sales/5100000000007/confirm`.
    fn sale_in_path(&self) -> Option<u64> {
        self.line.split('/').nth(2)?.parse().ok()
    }
}

fn respond(to: &mut Vec<u8>, status: &str, body: &[&[u8]]) {
    let length: usize = body.iter().map(|part| part.len()).sum();
    // Writing to memory does not fail.
    let _ =
        write!(to, "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n");
    for part in body {
        to.extend_from_slice(part);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(sales: &Mutex<Sales>, request: &str) -> String {
        let request = Request::in_front_of(request.as_bytes()).unwrap();
        let mut to = Vec::new();
        request.answer(sales, &mut to);
        String::from_utf8(to).unwrap()
    }

    #[test]
    fn a_sale_is_created_found_and_confirmed() {
        let sales = Mutex::<Sales>::default();
        let find = "GET /sales?reference=acme-order-5100000000001 HTTP/1.1\r\n\r\n";
        assert!(answered(&sales, find).ends_with(r#"{"sales":[],"next_page":null}"#));
        let body = r#"{"reference":"acme-order-5100000000001"}"#;
        let create = format!("POST /sales HTTP/1.1\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        let created = answered(&sales, &create);
        assert!(created.ends_with(r#""version":1,"reference":"acme-order-5100000000001"}"#), "{created}");
        let confirm = "POST /sales/5100000000001/confirm HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}";
        assert!(answered(&sales, confirm).contains(r#""state":"confirmed""#));
        assert!(answered(&sales, find).contains(r#""version":2"#));
        assert!(locked(&sales).doubled.is_empty());
        answered(&sales, &create);
        assert_eq!(locked(&sales).doubled.len(), 1);
        let keyed = |order: u64, key: &str| {
            let body = format!(r#"{{"reference":"acme-order-{order}"}}"#);
            let length = body.len();
            let create = format!(
                "POST /sales HTTP/1.1\r\nIdempotency-Key: {key}\r\nContent-Length: {length}\r\n\r\n{body}"
            );
            answered(&sales, &create);
            locked(&sales).doubled.len()
        };
        // Once more with its key: the same create. With another key: another one.
        assert_eq!((keyed(5_100_000_000_002, "a"), keyed(5_100_000_000_002, "a")), (1, 1));
        assert_eq!(keyed(5_100_000_000_002, "b"), 2);
        assert!(Request::in_front_of(&create.as_bytes()[..create.len() - 1]).is_none());
    }
}
