//! Who is at the other end of a proxy. `X-Forwarded-For` and `X-Forwarded-Proto` are believed of a trusted proxy alone;
//! from anybody else they are taken away, so that nothing behind believes them. Decides nothing by what it finds.

use crate::server::Peer;
use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use config::Network;
use http::header::HeaderName;
use http::{HeaderMap, HeaderValue};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

const FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// Who asked, among a request's extensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Client {
    /// `None` on a Unix socket.
    pub address: Option<IpAddr>,
    /// A trusted proxy says that the client speaks https.
    pub tls: bool,
}

/// The router, with a [`Client`] in every request.
pub fn behind(router: Router, proxies: Vec<Network>) -> Router {
    router.layer(from_fn_with_state(Arc::new(proxies), told))
}

async fn told(State(proxies): State<Arc<Vec<Network>>>, mut request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<Peer>().and_then(|peer| peer.address);
    let client = client(peer, request.headers_mut(), &proxies);
    request.extensions_mut().insert(client);
    next.run(request).await
}

/// Of somebody else's headers nothing is left; of a proxy's, the protocol as it was understood.
fn client(peer: Option<IpAddr>, headers: &mut HeaderMap, proxies: &[Network]) -> Client {
    let is_proxy = |address: IpAddr| proxies.iter().any(|network| network.contains(address));
    let Some(proxy) = peer.filter(|peer| is_proxy(*peer)) else {
        headers.remove(FOR);
        headers.remove(PROTO);
        return Client { address: peer, tls: false };
    };
    let mut address = proxy;
    // Each proxy adds whom it saw at the end, some as a further line of the header. Whatever stands before the first
    // that is no proxy of ours is its client's to make up.
    for hop in list(headers, &FOR).iter().rev() {
        let Some(seen) = self::address(hop) else { break };
        address = seen;
        if !is_proxy(seen) {
            break;
        }
    }
    let tls = list(headers, &PROTO).last().is_some_and(|proto| proto.eq_ignore_ascii_case("https"));
    headers.insert(PROTO, HeaderValue::from_static(if tls { "https" } else { "http" }));
    Client { address: Some(address), tls }
}

/// Every element of every line, in order.
fn list(headers: &HeaderMap, name: &HeaderName) -> Vec<String> {
    let lines = headers.get_all(name).iter();
    // A line that is no text is an element that is no address, not one that was never there.
    let elements = lines.flat_map(|line| line.to_str().unwrap_or("?").split(','));
    elements.map(|element| element.trim().to_owned()).collect()
}

/// `203.0.113.7`, `2001:db8::7`, and as some proxies write them: `203.0.113.7:4711`, `[2001:db8::7]:4711`.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse().or_else(|_| text.parse().map(|socket: SocketAddr| socket.ip()));
    address.ok().map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn networks() -> Vec<Network> {
        let network = |address: &str, bits| Network { address: address.parse().unwrap(), bits };
        vec![network("10.0.0.0", 8), network("127.0.0.1", 32)]
    }

    fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        let line = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        lines.iter().map(line).collect()
    }

    #[test]
    fn a_trusted_proxy_says_who_asked_and_nobody_else_does() {
        let cases: [(&str, &[&str], &str); 12] = [
            ("203.0.113.7", &[], "203.0.113.7"),
            ("203.0.113.7", &["198.51.100.1"], "203.0.113.7"),
            ("127.0.0.1", &[], "127.0.0.1"),
            ("127.0.0.1", &["198.51.100.1"], "198.51.100.1"),
            ("::ffff:127.0.0.1", &["::ffff:198.51.100.1"], "198.51.100.1"),
            // What the client wrote itself stands before what the proxy saw, in one line or in one of its own.
            ("127.0.0.1", &["1.1.1.1, 198.51.100.1"], "198.51.100.1"),
            ("127.0.0.1", &["1.1.1.1", "198.51.100.1"], "198.51.100.1"),
            // A proxy behind a proxy.
            ("127.0.0.1", &["1.1.1.1, 198.51.100.1, 10.1.1.1"], "198.51.100.1"),
            ("127.0.0.1", &["10.2.2.2,10.1.1.1"], "10.2.2.2"),
            // With ports; and what is no address ends what is known.
            ("127.0.0.1", &["198.51.100.1:4711"], "198.51.100.1"),
            ("127.0.0.1", &["[2001:db8::7]:4711"], "2001:db8::7"),
            ("127.0.0.1", &["198.51.100.1, unknown, 10.1.1.1"], "10.1.1.1"),
        ];
        for (peer, lines, expected) in cases {
            let lines: Vec<_> = lines.iter().map(|line| ("x-forwarded-for", *line)).collect();
            let client = client(Some(peer.parse().unwrap()), &mut headers(&lines), &networks());
            assert_eq!(
                client.address,
                Some(expected.parse().unwrap()).map(|ip: IpAddr| ip.to_canonical()),
                "{peer} {lines:?}"
            );
        }
    }

    #[test]
    fn https_is_the_proxys_word_alone() {
        let cases: [(Option<&str>, &[&str], bool); 6] = [
            (Some("127.0.0.1"), &["https"], true),
            (Some("127.0.0.1"), &["http, HTTPS"], true),
            (Some("127.0.0.1"), &["https", "http"], false),
            (Some("127.0.0.1"), &[], false),
            (Some("203.0.113.7"), &["https"], false),
            (None, &["https"], false),
        ];
        for (peer, lines, expected) in cases {
            let lines: Vec<_> = lines.iter().map(|line| ("x-forwarded-proto", *line)).collect();
            let mut headers = headers(&lines);
            let client = client(peer.map(|peer| peer.parse().unwrap()), &mut headers, &networks());
            assert_eq!(client.tls, expected, "{peer:?} {lines:?}");
            let left: Vec<_> = headers.get_all(PROTO).iter().collect();
            assert!(left.len() <= 1 && (left == ["https"]) == expected, "{peer:?} {lines:?}: {left:?}");
        }
    }

    #[tokio::test]
    async fn every_request_says_who_asked() {
        use axum::Extension;
        use axum::body::Body;
        use axum::routing::get;
        use tower::ServiceExt as _;
        let who = |Extension(client): Extension<Client>, headers: HeaderMap| async move {
            format!("{:?} {}", client.address, headers.contains_key(FOR))
        };
        let router = behind(Router::new().route("/", get(who)), networks());
        for (peer, expected) in
            [("127.0.0.1", "Some(198.51.100.1) true"), ("203.0.113.7", "Some(203.0.113.7) false")]
        {
            let mut request = Request::get("/").header(FOR, "198.51.100.1").body(Body::empty()).unwrap();
            request.extensions_mut().insert(Peer { address: Some(peer.parse().unwrap()) });
            let answer = router.clone().oneshot(request).await.unwrap();
            let body = axum::body::to_bytes(answer.into_body(), 1000).await.unwrap();
            assert_eq!(&body[..], expected.as_bytes());
        }
    }
}
