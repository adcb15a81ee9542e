//! The way to the server: the address, TLS, and what is asked of a server before it is trusted with a commit.
//!
//! Where TLS is spoken the server's certificate is verified, always: against the operating system's authorities, or
//! those of one file. Without a word about it TLS is left out on the machine itself alone.

use crate::error::{Done, Fail, bug, unavailable};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls_platform_verifier::BuilderVerifierExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use store::StoreError;
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};
use tokio_postgres::{AsyncMessage, Client, Config, NoTls, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

/// Where to connect to and how. Its configuration never prints its password.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    config: Config,
    tls: Option<Tls>,
}

#[derive(Clone)]
struct Tls(MakeRustlsConnect);

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tls")
    }
}

fn unreadable(what: impl std::fmt::Display) -> Fail {
    Fail::Store(StoreError::Unreadable(format!("the address of the PostgreSQL store: {what}")))
}

impl Target {
    /// Reads `postgres://user:password@host:port/database?sslmode=…`, with several hosts if need be.
    pub(crate) fn parse(url: &str, ca_file: Option<&Path>) -> Done<Self> {
        // libpq's two strictest words mean here what `require` means: the certificate is verified in any case.
        let plain = url
            .replace("sslmode=verify-full", "sslmode=require")
            .replace("sslmode=verify-ca", "sslmode=require");
        let mut config: Config = plain.parse().map_err(unreadable)?;
        let local = config.get_hosts().iter().all(|host| match host {
            Host::Tcp(name) => ["localhost", "127.0.0.1", "::1"].contains(&name.as_str()),
            Host::Unix(_) => true,
        });
        if !url.contains("sslmode=") {
            config.ssl_mode(if local { SslMode::Disable } else { SslMode::Require });
        }
        if config.get_application_name().is_none() {
            config.application_name("tidegate");
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(Duration::from_secs(5));
        }
        config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        config.keepalives_idle(Duration::from_secs(30));
        config.tcp_user_timeout(Duration::from_secs(30));
        let tls = match config.get_ssl_mode() {
            SslMode::Disable => None,
            _ => Some(tls(ca_file)?),
        };
        Ok(Self { config, tls })
    }

    /// Where it is, without who connects and with what.
    pub(crate) fn place(&self) -> String {
        let hosts = self.config.get_hosts().iter().map(|host| match host {
            Host::Tcp(name) => name.clone(),
            Host::Unix(path) => path.display().to_string(),
        });
        let ports = self.config.get_ports();
        let port = |at: usize| ports.get(at).or_else(|| ports.first()).copied().unwrap_or(5432);
        let hosts: Vec<String> = hosts.enumerate().map(|(at, host)| format!("{host}:{}", port(at))).collect();
        let database = self.config.get_dbname().unwrap_or_default();
        format!("postgres://{}/{database}", hosts.join(","))
    }

    /// A connection to a server that writes, and keeps what it says it has committed.
    pub(crate) async fn connect(&self) -> Done<Client> {
        let client = self.connect_with(|_| ()).await?;
        let sql =
            "SELECT current_setting('fsync'), current_setting('synchronous_commit'), pg_is_in_recovery()";
        let row = client.query_typed(sql, &[]).await?;
        let row = row.first().ok_or_else(|| bug("a SELECT without FROM gave no row"))?;
        let (fsync, commit, standby): (String, String, bool) =
            (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        if standby {
            return Err(unavailable("the database is a read-only standby; it goes on when one writes"));
        }
        if fsync == "off" || commit == "off" {
            return Err(Fail::Store(StoreError::Unreadable(format!(
                "PostgreSQL runs with fsync = {fsync} and synchronous_commit = {commit}: it would answer before a commit is on disk. Set both to on"
            ))));
        }
        Ok(client)
    }

    /// A connection whose notifications go to `heard`; it is driven by a task of its own until the client is dropped.
    pub(crate) async fn connect_with(&self, heard: impl Fn(&str) + Send + 'static) -> Done<Client> {
        match &self.tls {
            Some(Tls(tls)) => {
                let (client, connection) = self.config.connect(tls.clone()).await?;
                drive(connection, heard);
                Ok(client)
            }
            None => {
                let (client, connection) = self.config.connect(NoTls).await?;
                drive(connection, heard);
                Ok(client)
            }
        }
    }
}

fn drive<S>(mut connection: tokio_postgres::Connection<Socket, S>, heard: impl Fn(&str) + Send + 'static)
where
    S: tokio_postgres::tls::TlsStream + Unpin + Send + 'static,
{
    tokio::spawn(async move {
        loop {
            match std::future::poll_fn(|context| connection.poll_message(context)).await {
                Some(Ok(AsyncMessage::Notification(notification))) => heard(notification.payload()),
                Some(Ok(_)) => {}
                // Whoever waits for an answer on it is told by the client.
                Some(Err(error)) => {
                    tracing::debug!(error = %error, "a connection to PostgreSQL ended");
                    return;
                }
                None => return,
            }
        }
    });
}

fn tls(ca_file: Option<&Path>) -> Done<Tls> {
    let builder =
        rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| bug(error.to_string()))?;
    let config = match ca_file {
        Some(path) => {
            let mut roots = rustls::RootCertStore::empty();
            let of_file = |error: &dyn std::fmt::Display| unreadable(format!("{}: {error}", path.display()));
            for certificate in CertificateDer::pem_file_iter(path).map_err(|error| of_file(&error))? {
                roots.add(certificate.map_err(|error| of_file(&error))?).map_err(|error| of_file(&error))?;
            }
            builder.with_root_certificates(roots)
        }
        None => builder.with_platform_verifier().map_err(unreadable)?,
    };
    Ok(Tls(MakeRustlsConnect::new(config.with_no_client_auth())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tls_is_left_out_on_the_machine_itself_alone() {
        let mode = |url: &str| Target::parse(url, None).unwrap().config.get_ssl_mode();
        for (url, expected) in [
            ("postgres://u:p@localhost/db", SslMode::Disable),
            ("postgres://u:p@127.0.0.1:5433/db", SslMode::Disable),
            ("host=/run/postgresql user=u", SslMode::Disable),
            ("postgres://u:p@db.internal/db", SslMode::Require),
            ("postgres://u:p@localhost,db.internal/db", SslMode::Require),
            ("postgres://u:p@db.internal/db?sslmode=disable", SslMode::Disable),
            ("postgres://u:p@db.internal/db?sslmode=verify-full", SslMode::Require),
        ] {
            assert_eq!(mode(url), expected, "{url}");
        }
        assert!(Target::parse("postgres://u:p@localhost:port/db", None).is_err());
    }

    #[test]
    fn the_password_is_not_printed() {
        let target = Target::parse("postgres://u:geheim@localhost/db", None).unwrap();
        assert!(!format!("{target:?}").contains("geheim"));
    }
}
