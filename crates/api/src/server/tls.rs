//! What the public port shows who it is with: a certificate and its key, which may be replaced while it serves.
//! Connections that are open stay as they are. Owns no file: whoever reads them hands the bytes in.

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{InconsistentKeys, ServerConfig};
use std::sync::{Arc, PoisonError, RwLock};
use thiserror::Error;
use tokio_rustls::TlsAcceptor;

/// Why a certificate and a key cannot be served. No text of either is in it.
#[derive(Debug, Error)]
pub enum PairError {
    #[error("the certificate file holds no certificate in PEM")]
    NoCertificate,
    #[error("the certificate file is damaged: {0}")]
    Certificate(rustls::pki_types::pem::Error),
    #[error("the key file holds no private key in PEM")]
    Key,
    #[error("the key belongs to another certificate")]
    Apart,
    #[error("the pair cannot be served: {0}")]
    Refused(rustls::Error),
}

/// A certificate with those above it, and its key.
#[derive(Debug, Clone)]
pub struct Pair(Arc<CertifiedKey>);

impl Pair {
    /// From PEM; checks that the key is the certificate's.
    pub fn from_pem(certificate: &[u8], key: &[u8]) -> Result<Self, PairError> {
        let chain: Vec<_> = CertificateDer::pem_slice_iter(certificate)
            .collect::<Result<_, _>>()
            .map_err(PairError::Certificate)?;
        if chain.is_empty() {
            return Err(PairError::NoCertificate);
        }
        // What is wrong with it is not repeated: it may quote the key.
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| PairError::Key)?;
        match CertifiedKey::from_der(chain, key, &aws_lc_rs::default_provider()) {
            Ok(pair) => Ok(Self(Arc::new(pair))),
            Err(rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch)) => Err(PairError::Apart),
            Err(error) => Err(PairError::Refused(error)),
        }
    }
}

/// TLS of one port: 1.2 and 1.3, HTTP/1.1, no certificate asked of clients.
#[derive(Clone)]
pub struct Tls {
    acceptor: TlsAcceptor,
    shown: Arc<Shown>,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls").finish_non_exhaustive()
    }
}

#[derive(Debug)]
struct Shown(RwLock<Pair>);

impl ResolvesServerCert for Shown {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.read().unwrap_or_else(PoisonError::into_inner).0.clone())
    }
}

impl Tls {
    pub fn new(pair: Pair) -> Result<Self, PairError> {
        let shown = Arc::new(Shown(RwLock::new(pair)));
        let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(PairError::Refused)?
            .with_no_client_auth()
            .with_cert_resolver(shown.clone());
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { acceptor: TlsAcceptor::from(Arc::new(config)), shown })
    }

    /// Whoever connects from now on sees this pair.
    pub fn show(&self, pair: Pair) {
        *self.shown.0.write().unwrap_or_else(PoisonError::into_inner) = pair;
    }

    pub(super) fn acceptor(&self) -> &TlsAcceptor {
        &self.acceptor
    }
}

#[cfg(test)]
#[path = "../../tests/support/certificate.rs"]
mod certificate;

#[cfg(test)]
mod tests {
    use super::certificate::made;
    use super::*;
    use crate::server::{ServerLimits, Serving, serve_tls};
    use axum::Router;
    use axum::routing::get;
    use rustls::pki_types::ServerName;
    use rustls::{ClientConfig, RootCertStore};
    use std::net::SocketAddr;
    use std::time::Duration;
    use telemetry::Metrics;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::{TcpListener, TcpStream};
    use tokio::sync::watch;
    use tokio_rustls::TlsConnector;
    use tokio_rustls::client::TlsStream;

    fn pair((certificate, key): &(String, String)) -> Pair {
        Pair::from_pem(certificate.as_bytes(), key.as_bytes()).unwrap()
    }

    /// A client that believes one certificate alone.
    async fn connected(address: SocketAddr, believed: &str) -> std::io::Result<TlsStream<TcpStream>> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(believed.as_bytes()).unwrap()).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let stream = TcpStream::connect(address).await?;
        let name = ServerName::try_from("hub.example").unwrap();
        TlsConnector::from(Arc::new(config)).connect(name, stream).await
    }

    async fn asked(stream: &mut TlsStream<TcpStream>) -> String {
        stream.write_all(b"GET / HTTP/1.1\r\nHost: hub.example\r\n\r\n").await.unwrap();
        let mut answer = vec![0; 1024];
        let length = stream.read(&mut answer).await.unwrap();
        String::from_utf8_lossy(&answer[..length]).into_owned()
    }

    async fn serving(
        first: &(String, String),
        header_deadline: Duration,
    ) -> (SocketAddr, Tls, watch::Sender<bool>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = watch::channel(false);
        let serving = Serving {
            router: Router::new().route("/", get(|| async { "hello" })),
            limits: ServerLimits {
                connections_max: 2,
                header_deadline,
                body_deadline: Duration::from_secs(5),
                drain_deadline: Duration::from_secs(5),
            },
            metrics: Arc::new(Metrics::new()),
            name: "public",
            stop: stopped,
        };
        let tls = Tls::new(pair(first)).unwrap();
        tokio::spawn(serve_tls(listener, serving, tls.clone()));
        (address, tls, stop)
    }

    #[tokio::test]
    async fn a_new_pair_is_shown_to_whoever_connects_and_open_connections_go_on() {
        let (first, second) = (made(), made());
        let (address, tls, _stop) = serving(&first, Duration::from_secs(5)).await;
        let mut open = connected(address, &first.0).await.unwrap();
        assert!(asked(&mut open).await.ends_with("hello"));
        assert!(connected(address, &second.0).await.is_err(), "it shows what it does not have yet");

        tls.show(pair(&second));
        let mut new = connected(address, &second.0).await.unwrap();
        assert!(asked(&mut new).await.ends_with("hello"));
        assert!(asked(&mut open).await.ends_with("hello"), "the open connection was ended");
        assert!(connected(address, &first.0).await.is_err(), "it still shows the former one");
    }

    #[tokio::test]
    async fn a_client_that_does_not_greet_frees_its_slot() {
        let first = made();
        let (address, _tls, _stop) = serving(&first, Duration::from_millis(150)).await;
        // Both slots are taken by clients that say nothing, and something else.
        let _silent = TcpStream::connect(address).await.unwrap();
        let mut plain = TcpStream::connect(address).await.unwrap();
        plain.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
        let mut patient = connected(address, &first.0).await.unwrap();
        assert!(asked(&mut patient).await.ends_with("hello"));
    }

    #[test]
    fn what_does_not_fit_is_refused_by_its_cause_and_the_key_is_not_repeated() {
        let (one, other) = (made(), made());
        let refused = |certificate: &str, key: &str| {
            Pair::from_pem(certificate.as_bytes(), key.as_bytes()).unwrap_err()
        };
        assert!(matches!(refused(&one.0, &other.1), PairError::Apart));
        assert!(matches!(refused("", &one.1), PairError::NoCertificate));
        assert!(matches!(refused(&one.0, &one.0), PairError::Key));
        // Half a file: it is just being written.
        let half = &one.0[..one.0.len() / 2];
        assert!(matches!(refused(half, &one.1), PairError::Certificate(_) | PairError::NoCertificate));
        let body = one.1.lines().nth(1).unwrap();
        let damaged = one.1.replace(body, &body[1..]);
        assert!(!format!("{:?}", refused(&one.0, &damaged)).contains(&body[10..30]));
    }
}
