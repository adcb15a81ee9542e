//! The stack against real sockets: what left and what did not, each way that a network breaks a call.

use super::address::Guard;
use super::classify::code;
use super::{Access, Answer, Auth, Outbound, OutboundConfig, Request};
use crate::contract::{CuttingProxy, FullPort, RefusingPort, Trouble};
use crate::port::CallContext;
use http::Method;
use jiff::Timestamp;
use kernel::envelope::TraceId;
use kernel::fault::{Fault, FaultKind};
use kernel::id::ShopId;
use secrecy::SecretString;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

const LONG: Duration = Duration::from_secs(10);
const SHORT: Duration = Duration::from_millis(80);

fn call(time_out: Duration) -> CallContext {
    CallContext {
        shop: ShopId::new("acme").unwrap(),
        time_out,
        trace: TraceId([1; 16]),
        span: 2,
        now: Timestamp::UNIX_EPOCH,
    }
}

fn outbound(base: &str, change: impl FnOnce(&mut OutboundConfig)) -> Outbound {
    let mut config = OutboundConfig::new(base);
    change(&mut config);
    Outbound::new(&config).unwrap()
}

/// A write with a body, a write without one, and a read.
fn requests() -> [Request; 3] {
    [
        Request::write(Method::POST, "/sales").json_bytes(b"{\"n\":1}".as_slice()),
        Request::write(Method::POST, "/sales/1/confirm"),
        Request::read(Method::GET, "/sales"),
    ]
}

async fn fault_of(outbound: &Outbound, time_out: Duration, request: Request) -> Fault {
    outbound.call(&call(time_out), request).await.map(|answer: Answer| answer.status).unwrap_err()
}

/// A proxy whose target is never asked.
async fn replacing(answer: Trouble) -> (CuttingProxy, String) {
    let proxy = CuttingProxy::start(SocketAddr::from(([127, 0, 0, 1], 9)), |_| false).await.unwrap();
    proxy.set(answer);
    let base = format!("http://{}", proxy.address());
    (proxy, base)
}

#[tokio::test]
async fn nothing_left_where_no_connection_was_made() {
    let refusing = RefusingPort::bind().unwrap();
    let full = FullPort::bind().await.unwrap();
    let (_hanging, hanging) = replacing(Trouble::Hang).await;
    let speaking = listening(|mut stream| async move {
        read_some(&mut stream).await?;
        stream.write_all(b"this is not TLS\r\n").await
    })
    .await;
    let tls = |base: &str| base.replace("http:", "https:");
    let refused = format!("http://{}", refusing.address().unwrap());
    let never = format!("http://{}", full.address());
    // Base, connect time-out, total time-out.
    let table = [
        ("refused", refused.clone(), LONG, LONG),
        ("no connection, the connect time-out ends it", never.clone(), SHORT, LONG),
        ("no connection, the call's time-out ends it", never, LONG, SHORT),
        ("TLS that is never answered, by the connect time-out", tls(&hanging), SHORT, LONG),
        ("TLS that is never answered, by the call's time-out", tls(&hanging), LONG, SHORT),
        ("TLS to what speaks none", tls(&speaking), LONG, LONG),
        // No part of a name is longer than 63 bytes (RFC 1035): refused before a name server is asked.
        ("no such name", format!("http://{}.invalid", "x".repeat(70)), LONG, LONG),
    ];
    for (what, base, connect, total) in table {
        let outbound = outbound(&base, |config| config.connect_time_out = connect);
        for request in requests() {
            let fault = fault_of(&outbound, total, request.clone()).await;
            assert_eq!(
                (fault.kind, fault.code.as_str()),
                (FaultKind::Transient, code::NOT_REACHED),
                "{what}: {fault} for {request:?}"
            );
        }
    }
}

#[tokio::test]
async fn what_may_have_left_is_ambiguous_after_a_write() {
    let cut = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"id\"".to_vec();
    let table = [
        ("hang", Trouble::Hang, SHORT, code::TIMED_OUT),
        ("reset", Trouble::Reset, LONG, code::LOST),
        ("closed", Trouble::Answer(Vec::new()), LONG, code::LOST),
        ("not HTTP", Trouble::Answer(b"\x00\x01 garbage\r\n\r\n".to_vec()), LONG, code::LOST),
        ("half a head", Trouble::Answer(b"HTTP/1.1 200 OK\r\ncont".to_vec()), LONG, code::LOST),
        ("half a body", Trouble::Answer(cut), LONG, code::LOST),
        ("endless", Trouble::Huge, LONG, code::TOO_LARGE),
        ("500", Trouble::answer("500 Internal Server Error", ""), LONG, "http_500"),
        ("502", Trouble::answer("502 Bad Gateway", "<html>"), LONG, "http_502"),
    ];
    for (what, trouble, time_out, code) in table {
        for request in requests() {
            let (_proxy, base) = replacing(trouble.clone()).await;
            let fault = fault_of(&outbound(&base, |_| {}), time_out, request.clone()).await;
            let kind = if request.access.is_write() { FaultKind::Ambiguous } else { FaultKind::Transient };
            assert_eq!((fault.kind, fault.code.as_str()), (kind, code), "{what}: {fault} for {request:?}");
        }
    }
}

/// A server that hands each connection to `serve`, one after the other.
async fn listening<F, Fut>(serve: F) -> String
where
    F: Fn(TcpStream) -> Fut + Send + 'static,
    Fut: Future<Output = std::io::Result<()>> + Send,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            // How it ends is the caller's to see.
            serve(stream).await.ok();
        }
    });
    base
}

async fn read_some(stream: &mut TcpStream) -> std::io::Result<String> {
    let mut bytes = vec![0; 64 * 1024];
    let length = stream.read(&mut bytes).await?;
    Ok(String::from_utf8_lossy(&bytes[..length]).into_owned())
}

const FINE: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";

#[tokio::test]
async fn a_kept_connection_that_dies_under_a_write_leaves_it_ambiguous() {
    for request in &requests()[..2] {
        let base = listening(|mut stream| async move {
            read_some(&mut stream).await?;
            stream.write_all(FINE).await?;
            // The second request on the same connection is read and never answered.
            read_some(&mut stream).await?;
            stream.set_zero_linger()
        })
        .await;
        let outbound = outbound(&base, |_| {});
        outbound.call(&call(LONG), Request::read(Method::GET, "/")).await.unwrap();
        let fault = fault_of(&outbound, LONG, request.clone()).await;
        assert_eq!((fault.kind, fault.code.as_str()), (FaultKind::Ambiguous, code::LOST), "{fault}");
    }
}

#[tokio::test]
async fn an_answer_that_falls_silent_ends_at_the_read_time_out() {
    let base = listening(|mut stream| async move {
        read_some(&mut stream).await?;
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{").await?;
        read_some(&mut stream).await.map(drop)
    })
    .await;
    let outbound = outbound(&base, |config| config.read_time_out = SHORT);
    let fault = fault_of(&outbound, LONG, requests()[0].clone()).await;
    assert_eq!((fault.kind, fault.code.as_str()), (FaultKind::Ambiguous, code::TIMED_OUT));
}

#[tokio::test]
async fn a_head_says_who_we_are_and_under_which_trace_and_how_long_it_is() {
    let auth = || Auth::Bearer { token: SecretString::from("t0k3n-of-acme".to_owned()) };
    for (request, length) in requests().into_iter().zip([Some("7"), Some("0"), None]) {
        let (tell, mut told) = mpsc::unbounded_channel();
        let base = listening(move |mut stream| {
            let tell = tell.clone();
            async move {
                let head = read_some(&mut stream).await?.to_ascii_lowercase();
                stream.write_all(FINE).await?;
                tell.send(head).map_err(std::io::Error::other)
            }
        })
        .await;
        let outbound = outbound(&base, |config| {
            config.auth = auth();
            config.headers = vec![("accept-language".into(), "nl".into())];
        });
        let request = request.header("Idempotency-Key", "k-1");
        outbound.call(&call(LONG), request).await.unwrap();
        let head = told.recv().await.unwrap();
        for line in [
            "authorization: bearer t0k3n-of-acme",
            "accept-language: nl",
            "idempotency-key: k-1",
            "traceparent: 00-01010101010101010101010101010101-0000000000000002-01",
        ] {
            assert!(head.contains(&format!("\r\n{line}\r\n")), "{line} in {head}");
        }
        let sent = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        assert_eq!(sent, length, "{head}");
        assert!(!head.contains("chunked") && !format!("{outbound:?}").contains("t0k3n"), "{head}");
    }
}

#[tokio::test]
async fn an_answer_may_be_as_long_as_its_bound_and_no_longer() {
    let (_proxy, base) = replacing(Trouble::answer("200 OK", "12345678")).await;
    for (bound, fits) in [(8, true), (7, false)] {
        let outbound = outbound(&base, |config| config.answer_bytes_max = bound);
        let answer = outbound.call(&call(LONG), Request::read(Method::GET, "/")).await;
        assert_eq!(answer.is_ok(), fits, "{answer:?}");
        let own = Request::read(Method::GET, "/").answer_bytes_max(8);
        assert!(outbound.call(&call(LONG), own).await.is_ok());
    }
}

#[tokio::test]
async fn a_name_that_leads_inside_is_refused_and_nothing_is_sent() {
    let (proxy, base) = replacing(Trouble::answer("200 OK", "{}")).await;
    let config = OutboundConfig::new(base.replace("127.0.0.1", "localhost"));
    let url = reqwest::Url::parse(&config.base).unwrap();
    let elsewhere = Guard::new(&reqwest::Url::parse("https://erp.example").unwrap(), false).unwrap();
    let outbound = Outbound::guarded(&config, url, elsewhere).unwrap();
    let fault = fault_of(&outbound, LONG, requests()[0].clone()).await;
    assert_eq!((fault.kind, fault.code.as_str()), (FaultKind::Transient, code::ADDRESS_REFUSED), "{fault}");
    assert!(fault.message.contains("allow_private"), "{fault}");
    assert!(proxy.seen().is_empty());
}

#[tokio::test]
async fn a_path_cannot_leave_the_systems_url() {
    let outbound = outbound("http://127.0.0.1:9/api/", |_| {});
    for path in ["sales", "@evil.example/", "/../admin", "/%2e%2e/admin", "/a/../../admin", ":80/x"] {
        let fault = fault_of(&outbound, LONG, Request::write(Method::POST, path)).await;
        assert_eq!((fault.kind, fault.code.as_str()), (FaultKind::Bug, code::NOT_BUILT), "{path}: {fault}");
    }
    for header in [("bad name", "x"), ("x", "two\nlines")] {
        let request = Request::write(Method::POST, "/x").header(header.0, header.1);
        assert_eq!(fault_of(&outbound, LONG, request).await.kind, FaultKind::Bug);
    }
    let long = Request::write(Method::POST, "/x").header("x", "x".repeat(70_000));
    assert_eq!(fault_of(&outbound, LONG, long).await.code, code::NOT_BUILT);
}

#[test]
fn a_base_is_an_origin_and_a_path() {
    let table = [
        ("ftp://erp.example", "http://"),
        ("http://user:hunter2@erp.example", "no user or password"),
        ("https://erp.example/?a=b", "no '?'"),
        ("erp.example", "not a URL"),
        ("http://169.254.169.254/", "metadata"),
    ];
    for (base, why) in table {
        let refused = Outbound::new(&OutboundConfig::new(base)).unwrap_err();
        assert!(refused.contains(why) && !refused.contains("hunter2"), "{base}: {refused}");
    }
}

#[tokio::test]
async fn what_a_person_reads_holds_the_status_and_no_secret() {
    let (_proxy, base) =
        replacing(Trouble::answer("422 Unprocessable Content", "key t0k3n-of-acme: no such SKU")).await;
    let outbound = outbound(&base, |config| {
        config.auth =
            Auth::ApiKey { header: "X-Api-Key".into(), key: SecretString::from("t0k3n-of-acme".to_owned()) };
    });
    let fault = fault_of(&outbound, LONG, requests()[0].clone()).await;
    assert_eq!((fault.kind, fault.code.as_str()), (FaultKind::Rejected, "http_422"));
    assert_eq!(fault.message, "the target answered HTTP 422 (Unprocessable Entity): key •••: no such SKU");
    assert!(!Access::Read.is_write() && Access::Write.is_write());
}
