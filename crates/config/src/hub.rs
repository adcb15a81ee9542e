//! `[hub]` and `[hub.limits]`: the process itself, where it keeps its data, and the bounds of what it takes.

use crate::key::Key;
use crate::net::{BaseUrl, Network};
use crate::reader::Section;
use crate::secret::SecretRef;
use crate::source::{Origin, Setting};
use crate::tls::{self, Tls};
use crate::unit::ByteSize;
use crate::value::words;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

pub(crate) const KEYS: &[Key] = &[
    Key::with(
        "data_dir",
        "path",
        "\"./data\"",
        "Where the database, its copies and the operator's socket lie. A relative path counts from the folder of this file.",
        "\"/var/lib/tidegate\"",
    )
    .local(),
    Key::with(
        "listen",
        "address",
        "\"127.0.0.1:8080\"",
        "Where webhooks, the page and the metrics are served; with `[hub.tls]` over TLS, else TLS is the proxy's work.",
        "\"0.0.0.0:8080\"",
    )
    .local(),
    Key::optional(
        "public_url",
        "URL",
        "Where Shopify reaches the hub, for its webhooks. Without it flows from Shopify can only poll.",
        "\"https://hub.example.com\"",
    ),
    Key::required(
        "master_key",
        "secret",
        "The key that wraps all data keys: 32 bytes as 64 hex digits. It lies outside `data_dir`, so that a copy of the data is of no use alone.",
        "\"file:../secrets/master.key\"",
    ),
    Key::optional(
        "previous_master_key",
        "secret",
        "The former master key, while `tidegate keys rotate` re-wraps the data keys.",
        "\"file:../secrets/master.previous.key\"",
    ),
    Key::required(
        "admin_token",
        "secret",
        "The token for the admin API and for signing in to the page; at least 16 characters.",
        "\"file:../secrets/admin.token\"",
    ),
    Key::with(
        "trusted_proxies",
        "list of networks",
        "[]",
        "Proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed. Nobody else's are.",
        "[\"127.0.0.1/32\"]",
    )
    .local(),
    Key::with(
        "log_format",
        "log format",
        "\"json\"",
        "`json`: one object a line; `text`: for a person.",
        "\"text\"",
    )
    .local(),
    Key::with(
        "log_level",
        "log level",
        "\"info\"",
        "The least level that is logged: `error`, `warn`, `info`, `debug` or `trace`.",
        "\"debug\"",
    )
    .local(),
    Key::with(
        "payload_retention",
        "duration",
        "\"90d\"",
        "How long payloads are kept. One with an open duty stays until the duty ends; what prevents doubles is never dropped by age.",
        "\"30d\"",
    ),
    Key::table("tls", "The certificate of the public port; see below. Without it TLS is the proxy's work."),
    Key::table("limits", "The bounds of what the hub takes at once; see below."),
];

pub(crate) const LIMIT_KEYS: &[Key] = &[
    Key::with(
        "body_bytes_max",
        "size",
        "\"2MiB\"",
        "The largest body that is read; beyond it the answer is 413.",
        "\"4MiB\"",
    ),
    Key::with(
        "received_uncommitted_max",
        "size",
        "\"64MiB\"",
        "How much may be received and not yet on disk; beyond it the answer is 503 with `Retry-After`.",
        "\"128MiB\"",
    ),
    Key::with(
        "free_disk_min",
        "size",
        "\"512MiB\"",
        "Below this free space on the disk of `data_dir` the intake answers 503.",
        "\"2GiB\"",
    ),
    Key::with(
        "connections_max",
        "whole number",
        "1024",
        "Connections that are served at once; further ones wait to be accepted.",
        "4096",
    ),
    Key::with(
        "header_deadline",
        "duration",
        "\"5s\"",
        "A request whose head is not whole by then is cut off.",
        "\"3s\"",
    ),
    Key::with(
        "body_deadline",
        "duration",
        "\"5s\"",
        "A request whose body is not whole by then is answered 408 and cut off. Shopify itself gives up after 5 s.",
        "\"10s\"",
    ),
    Key::with(
        "drain_after",
        "duration",
        "\"1s\"",
        "For how long a stop first answers 503 at `/readyz` and takes everything as before, so that a balancer sends nothing more before the port closes. A second signal ends it. Longer than the balancer's interval times its failures.",
        "\"10s\"",
    )
    .local(),
    Key::with(
        "drain_deadline",
        "duration",
        "\"20s\"",
        "How long a stop waits for requests and attempts that are under way.",
        "\"60s\"",
    ),
];

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    Json,
    Text,
}

/// The least level that is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogLevel {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

impl LogLevel {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

words! {
    LogFormat, "log format", "log format": "json" => LogFormat::Json, "text" => LogFormat::Text;
    LogLevel, "log level", "log level": "error" => LogLevel::Error, "warn" => LogLevel::Warn, "info" => LogLevel::Info,
        "debug" => LogLevel::Debug, "trace" => LogLevel::Trace;
}

/// `[hub]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Hub {
    pub at: Origin,
    pub data_dir: Setting<PathBuf>,
    pub listen: Setting<SocketAddr>,
    pub public_url: Option<Setting<BaseUrl>>,
    pub master_key: Setting<SecretRef>,
    pub previous_master_key: Option<Setting<SecretRef>>,
    pub admin_token: Setting<SecretRef>,
    pub trusted_proxies: Setting<Vec<Setting<Network>>>,
    pub log_format: Setting<LogFormat>,
    pub log_level: Setting<LogLevel>,
    pub payload_retention: Setting<Duration>,
    pub tls: Option<Tls>,
    pub limits: Limits,
}

/// `[hub.limits]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Limits {
    pub body_bytes_max: Setting<ByteSize>,
    pub received_uncommitted_max: Setting<ByteSize>,
    pub free_disk_min: Setting<ByteSize>,
    pub connections_max: Setting<u32>,
    pub header_deadline: Setting<Duration>,
    pub body_deadline: Setting<Duration>,
    pub drain_after: Setting<Duration>,
    pub drain_deadline: Setting<Duration>,
}

pub(crate) fn read(mut section: Section<'_>) -> Option<Hub> {
    // All keys are read before the first missing one ends it: all findings in one go.
    let limits = limits(section.table("limits", LIMIT_KEYS));
    let written = section.entry("tls").is_some();
    let tls = written.then(|| tls::read(section.table("tls", tls::KEYS))).flatten();
    let (data_dir, listen) = (section.with_default("data_dir"), section.with_default("listen"));
    let (public_url, master_key) = (section.optional("public_url"), section.required("master_key"));
    let (previous_master_key, admin_token) =
        (section.optional("previous_master_key"), section.required("admin_token"));
    let trusted_proxies = section.with_default("trusted_proxies");
    let (log_format, log_level) = (section.with_default("log_format"), section.with_default("log_level"));
    let payload_retention = section.with_default("payload_retention");
    Some(Hub {
        at: section.at.clone(),
        data_dir: data_dir?,
        listen: listen?,
        public_url,
        master_key: master_key?,
        previous_master_key,
        admin_token: admin_token?,
        trusted_proxies: trusted_proxies?,
        log_format: log_format?,
        log_level: log_level?,
        payload_retention: payload_retention?,
        tls,
        limits: limits?,
    })
}

fn limits(mut section: Section<'_>) -> Option<Limits> {
    let sizes = [
        section.with_default("body_bytes_max"),
        section.with_default("received_uncommitted_max"),
        section.with_default("free_disk_min"),
    ];
    let connections_max = section.with_default("connections_max");
    let [header_deadline, body_deadline, drain_after, drain_deadline] =
        ["header_deadline", "body_deadline", "drain_after", "drain_deadline"]
            .map(|name| section.with_default(name));
    let [body_bytes_max, received_uncommitted_max, free_disk_min] = sizes;
    Some(Limits {
        body_bytes_max: body_bytes_max?,
        received_uncommitted_max: received_uncommitted_max?,
        free_disk_min: free_disk_min?,
        connections_max: connections_max?,
        header_deadline: header_deadline?,
        body_deadline: body_deadline?,
        drain_after: drain_after?,
        drain_deadline: drain_deadline?,
    })
}
