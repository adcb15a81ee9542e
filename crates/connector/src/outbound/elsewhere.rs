//! A file at another place, named by an answer of a system: the result of a bulk operation behind a signed address. Owns
//! that nobody is led by it to where the system itself may not be, that it learns nothing of who we are, and that it is
//! read in pieces, because it may be longer than what is held in memory.

use super::body::MayHaveLeft;
use super::classify::{self, Access, Failure};
use super::request::Request;
use super::transport::{Outbound, OutboundConfig, lost};
use crate::port::CallContext;
use bytes::Bytes;
use http::Method;
use kernel::fault::Fault;
use reqwest::{Response, Url};
use std::fmt;
use std::time::Duration;
use tokio::time::timeout;

/// Where it is. Its address is a secret as long as it is signed, and is not shown.
pub struct Elsewhere {
    place: Outbound,
    path: String,
}

impl fmt::Debug for Elsewhere {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Elsewhere").field("host", &self.place.base().host_str()).finish_non_exhaustive()
    }
}

impl Outbound {
    /// A place that an answer of this system names. Makes no call.
    pub fn elsewhere(&self, url: &str) -> Result<Elsewhere, Fault> {
        let refused = |why: &str| {
            let what = format!("an answer names a file at a place that {why}");
            classify::failure(Access::Read, &Failure::Forbidden(what))
        };
        let url = Url::parse(url).map_err(|_| refused("is no URL"))?;
        let host = url.host_str().ok_or_else(|| refused("has no host"))?;
        if url.scheme() != "https" && url.scheme() != self.base().scheme() {
            return Err(refused("is not reached by https"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(refused("wants a user or a password"));
        }
        let guard = self.guard();
        guard.judge_literal(&url).map_err(|forbidden| refused(&format!("is none: {forbidden}")))?;
        let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
        let mut config = OutboundConfig::new(format!("{}://{host}{port}", url.scheme()));
        config.read_time_out = self.read_time_out();
        let base = Url::parse(&config.base).map_err(|_| refused("is no URL"))?;
        let place =
            Outbound::guarded(&config, base, guard).map_err(|why| refused(&format!("is none: {why}")))?;
        let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
        Ok(Elsewhere { place, path: format!("{}{query}", url.path()) })
    }
}

/// A refusal is as long as an error page.
const REFUSAL_BYTES_MAX: usize = 64 * 1024;

impl Elsewhere {
    /// Begins to read it. The call's time is for the beginning; each piece has the system's own, and the whole is its
    /// reader's to bound in time.
    pub async fn open(&self, call: &CallContext, bytes_max: u64) -> Result<Pieces, Fault> {
        self.place.pieces(call, &self.path, bytes_max).await
    }

    /// Puts bytes there, of a kind that a header names: a file that is looked at only once it is named elsewhere, so that
    /// one that may have arrived changes nothing.
    pub async fn put(&self, call: &CallContext, kind: &str, bytes: Vec<u8>) -> Result<(), Fault> {
        let request = Request::read(Method::POST, &self.path).header("content-type", kind).body(bytes);
        let answer = self.place.send_bare(call, request).await?;
        if answer.status.is_success() {
            return Ok(());
        }
        // Its text may be that of a place that we know nothing of: only the status counts.
        let kind = classify::kind_of(Access::Read, answer.status);
        let code = format!("http_{}", answer.status.as_u16());
        let what = format!("the place for a file does not take it: HTTP {}", answer.status.as_u16());
        Err(Fault::new(kind, code, what))
    }
}

impl Outbound {
    /// A long answer of the system itself, read in pieces; as [`Elsewhere::open`]. Not where a token has to be asked for
    /// first.
    pub async fn pieces(&self, call: &CallContext, path: &str, bytes_max: u64) -> Result<Pieces, Fault> {
        let left = MayHaveLeft::default();
        let begin = self.begin(call, Request::read(Method::GET, path), None, &left);
        let response = match timeout(call.time_out, begin).await {
            Ok(begun) => begun.map_err(|failure| classify::failure(Access::Read, &failure))?,
            Err(_) => {
                let failure = Failure::TimedOut { after: call.time_out };
                return Err(classify::failure(Access::Read, &failure));
            }
        };
        let (status, silence) = (response.status(), self.read_time_out());
        let mut pieces = Pieces { response, read: 0, bytes_max, silence, left };
        if status.is_success() {
            return Ok(pieces);
        }
        // Its text may be that of a place that we know nothing of: only the status counts.
        pieces.bytes_max = REFUSAL_BYTES_MAX as u64;
        while let Ok(Some(_)) = pieces.next().await {}
        let kind = classify::kind_of(Access::Read, status);
        let code = format!("http_{}", status.as_u16());
        Err(Fault::new(
            kind,
            code,
            format!("what was to be read in pieces is not given: HTTP {}", status.as_u16()),
        ))
    }
}

/// A file that is being read.
pub struct Pieces {
    response: Response,
    read: u64,
    bytes_max: u64,
    silence: Duration,
    left: MayHaveLeft,
}

impl fmt::Debug for Pieces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pieces").field("read", &self.read).finish_non_exhaustive()
    }
}

impl Pieces {
    /// `None` at its end, if it was whole.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Fault> {
        let fault = |failure: &Failure| classify::failure(Access::Read, failure);
        let piece = match timeout(self.silence, self.response.chunk()).await {
            Ok(piece) => piece.map_err(|error| fault(&lost(&error, &self.left)))?,
            Err(_) => return Err(fault(&Failure::TimedOut { after: self.silence })),
        };
        self.read += piece.as_ref().map_or(0, |piece| piece.len() as u64);
        if self.read > self.bytes_max {
            return Err(fault(&Failure::TooLarge { bytes_max: self.bytes_max }));
        }
        Ok(piece)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;
    use kernel::envelope::TraceId;
    use kernel::fault::FaultKind;
    use kernel::id::ShopId;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    fn system(base: &str) -> Outbound {
        Outbound::new(&OutboundConfig::new(base)).unwrap()
    }

    #[test]
    fn no_answer_leads_to_where_the_system_may_not_be() {
        let public = system("https://shop.example");
        for url in [
            "https://127.0.0.1/file",
            "https://10.0.0.5/file",
            "https://[::1]/file",
            "https://169.254.169.254/latest/meta-data",
            "http://files.example/file",
            "file:///etc/passwd",
            "https://user:secret@files.example/file",
            "no url",
        ] {
            let fault = public.elsewhere(url).unwrap_err();
            assert_eq!(
                (fault.kind, fault.code.as_str()),
                (FaultKind::Transient, classify::code::ADDRESS_REFUSED),
                "{url}"
            );
            assert!(!fault.message.contains("secret"), "{fault}");
        }
        let found = public.elsewhere("https://files.example/a/b.jsonl?signature=s%2F1").unwrap();
        assert_eq!(found.path, "/a/b.jsonl?signature=s%2F1");
        assert!(!format!("{found:?}").contains("signature"));
        // A look-alike on this machine was meant, and so is its file.
        assert!(system("http://127.0.0.1:9").elsewhere("http://127.0.0.1:8/file").is_ok());
        assert!(system("http://127.0.0.1:9").elsewhere("http://169.254.169.254/file").is_err());
    }

    fn call() -> CallContext {
        CallContext {
            shop: ShopId::new("acme").unwrap(),
            time_out: Duration::from_secs(5),
            trace: TraceId([7; 16]),
            span: 1,
            now: Timestamp::UNIX_EPOCH,
        }
    }

    /// What is read of an answer, and how that ends; and what was asked.
    async fn read(answer: &'static str, bytes_max: u64) -> (Vec<u8>, Option<Fault>, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let asked = tokio::spawn(async move {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut asked = vec![0; 4096];
            let length = socket.read(&mut asked).await.unwrap();
            socket.write_all(answer.as_bytes()).await.unwrap();
            socket.shutdown().await.unwrap();
            String::from_utf8_lossy(&asked[..length]).into_owned()
        });
        let mut config = OutboundConfig::new("http://127.0.0.1:9");
        config.auth =
            super::super::Auth::ApiKey { header: "x-token".to_owned(), key: "hush".to_owned().into() };
        let file = Outbound::new(&config).unwrap().elsewhere(&format!("http://{address}/f?s=1")).unwrap();
        let mut whole = Vec::new();
        let fault = match file.open(&call(), bytes_max).await {
            Err(fault) => Some(fault),
            Ok(mut pieces) => loop {
                match pieces.next().await {
                    Ok(Some(piece)) => whole.extend_from_slice(&piece),
                    Ok(None) => break None,
                    Err(fault) => break Some(fault),
                }
            },
        };
        (whole, fault, asked.await.unwrap())
    }

    #[tokio::test]
    async fn a_file_is_put_where_an_answer_says_and_what_is_refused_there_is_a_fault() {
        for (answer, expected) in [
            ("HTTP/1.1 201 Created\r\ncontent-length: 0\r\n\r\n", None),
            (
                "HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\n\r\nno",
                Some((FaultKind::Rejected, "http_403")),
            ),
            ("HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n", Some((FaultKind::Transient, "http_503"))),
        ] {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let asked = tokio::spawn(async move {
                let (mut socket, _) = listener.accept().await.unwrap();
                let mut asked = Vec::new();
                while !asked.ends_with(b"END") {
                    let mut piece = vec![0; 4096];
                    let length = socket.read(&mut piece).await.unwrap();
                    asked.extend_from_slice(&piece[..length]);
                }
                socket.write_all(answer.as_bytes()).await.unwrap();
                socket.shutdown().await.unwrap();
                String::from_utf8_lossy(&asked).into_owned()
            });
            let mut config = OutboundConfig::new("http://127.0.0.1:9");
            config.auth =
                super::super::Auth::ApiKey { header: "x-token".to_owned(), key: "hush".to_owned().into() };
            let place = Outbound::new(&config).unwrap().elsewhere(&format!("http://{address}/f")).unwrap();
            let fault =
                place.put(&call(), "multipart/form-data; boundary=b", b"the END".to_vec()).await.err();
            let found = fault.as_ref().map(|fault| (fault.kind, fault.code.as_str()));
            assert_eq!(found, expected, "{answer}");
            let asked = asked.await.unwrap();
            assert!(asked.starts_with("POST /f HTTP/1.1\r\n") && !asked.contains("hush"), "{asked}");
        }
    }

    #[tokio::test]
    async fn a_file_is_read_to_its_end_or_it_is_said_that_it_was_not() {
        let whole = "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n1\n2\n";
        let (read_of_it, fault, asked) = read(whole, 4).await;
        assert_eq!((read_of_it.as_slice(), fault), (b"1\n2\n".as_slice(), None));
        assert!(asked.starts_with("GET /f?s=1 HTTP/1.1\r\n") && !asked.contains("hush"), "{asked}");
        for (answer, bytes_max, kind, code) in [
            (whole, 3, FaultKind::Transient, classify::code::TOO_LARGE),
            (
                "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n1\n",
                9,
                FaultKind::Transient,
                classify::code::LOST,
            ),
            ("HTTP/1.1 403 Forbidden\r\ncontent-length: 3\r\n\r\nno\n", 9, FaultKind::Rejected, "http_403"),
            ("HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n", 9, FaultKind::Transient, "http_503"),
            (
                "HTTP/1.1 302 Found\r\nlocation: http://10.0.0.1/\r\ncontent-length: 0\r\n\r\n",
                9,
                FaultKind::Rejected,
                "http_302",
            ),
        ] {
            let (_, fault, _) = read(answer, bytes_max).await;
            let fault = fault.unwrap();
            assert_eq!((fault.kind, fault.code.as_str()), (kind, code), "{answer}");
        }
    }
}
