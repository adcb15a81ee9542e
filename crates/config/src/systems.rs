//! `[systems.NAME]`: the systems, how each is reached, and how hard it may be driven. What stands in a connection is
//! for its connector to know; `check` holds it against the connector's own list.

use crate::connection::{self, Connection};
use crate::key::Key;
use crate::reader::{Reading, Section};
use crate::secret::SecretRef;
use crate::source::{Origin, Setting};
use crate::unit::Rate;
use crate::value::words;
use std::time::Duration;

/// The system that stands for every shop's own Shopify. It needs no section; `[systems.shopify]` changes its pace.
pub const SHOPIFY: &str = "shopify";

pub(crate) const KEYS: &[Key] = &[
    Key::required(
        "role",
        "role",
        "What the system is: `shopify`, `erp`, `pricing`, `pim`, `dam`, `oms`, `wms`, `crm`, `cdp`, `bus` or `ipaas`.",
        "\"erp\"",
    ),
    Key::required("connector", "text", "The connector that speaks to it.", "\"tryton\""),
    Key::with(
        "request_timeout",
        "duration",
        "\"30s\"",
        "How long one request may take, from connect to the last byte. Shorter than `lease`.",
        "\"10s\"",
    ),
    Key::with(
        "lease",
        "duration",
        "\"60s\"",
        "For how long a worker has a delivery to itself. Longer than `request_timeout`, or two attempts could overlap.",
        "\"2m\"",
    ),
    Key::with(
        "settle_after",
        "duration",
        "\"90s\"",
        "The longest that the system may go on working on a request that nobody waits for any more, plus the lag of its search. Before that time \"not there\" proves nothing.",
        "\"5m\"",
    ),
    Key::with(
        "concurrency",
        "whole number",
        "4",
        "How many requests may be in flight to it at once, over all its lanes.",
        "8",
    ),
    Key::optional(
        "rate_limit",
        "rate",
        "How many requests it may get. Without it the system's own refusals (429) are the only limit.",
        "\"20/s\"",
    ),
    Key::with(
        "unknown",
        "policy for the unknown",
        "\"look_up\"",
        "What becomes of a write whose answer is unknown: `look_up`: the connector looks or resends under a native key; `person`: it goes to a person. A target with neither key nor look-up needs `person`.",
        "\"person\"",
    ),
    Key::table("retry", "How often, and how far apart; see below."),
    Key::table("breaker", "When the system is left alone; see below."),
    Key::table("ingest", "For a system that pushes its facts; see below."),
    Key::table("connection", "What the connector needs to reach it; its keys are the connector's own."),
];

pub(crate) const RETRY_KEYS: &[Key] = &[
    Key::with(
        "attempts_max",
        "whole number",
        "12",
        "After so many attempts a delivery becomes a dead letter. Only attempts count that were made while the system was proved well; age never makes a dead letter.",
        "20",
    ),
    Key::with(
        "first",
        "duration",
        "\"1s\"",
        "The first wait; each further one may be twice as long.",
        "\"500ms\"",
    ),
    Key::with("longest", "duration", "\"5m\"", "No wait is longer.", "\"15m\""),
];

pub(crate) const BREAKER_KEYS: &[Key] = &[
    Key::with(
        "lanes",
        "whole number",
        "3",
        "It opens when so many distinct lanes failed with no success between: one poisoned order never opens it.",
        "5",
    ),
    Key::with(
        "open_first",
        "duration",
        "\"5s\"",
        "How long it stays open the first time, before a probe.",
        "\"10s\"",
    ),
    Key::with("open_longest", "duration", "\"2m\"", "It never waits longer between two probes.", "\"5m\""),
];

pub(crate) const INGEST_KEYS: &[Key] = &[
    Key::optional(
        "bearer_token",
        "secret",
        "What the system sends as `Authorization: Bearer …` to `POST /ingest/{system}/{domain}`.",
        "\"file:../secrets/erp.ingest\"",
    ),
    Key::optional(
        "hmac_secret",
        "secret",
        "What the system signs its bodies with: HMAC-SHA256 in base64, in `X-Tidegate-Hmac-Sha256`.",
        "\"env:ERP_HMAC_SECRET\"",
    ),
];

/// DESIGN section 2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    Shopify,
    Erp,
    Pricing,
    Pim,
    Dam,
    Oms,
    Wms,
    Crm,
    Cdp,
    Bus,
    Ipaas,
}

impl Role {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Shopify => SHOPIFY,
            Self::Erp => "erp",
            Self::Pricing => "pricing",
            Self::Pim => "pim",
            Self::Dam => "dam",
            Self::Oms => "oms",
            Self::Wms => "wms",
            Self::Crm => "crm",
            Self::Cdp => "cdp",
            Self::Bus => "bus",
            Self::Ipaas => "ipaas",
        }
    }
}

/// What becomes of a write whose answer is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unknown {
    LookUp,
    Person,
}

words! {
    Role, "role", "role": "shopify" => Role::Shopify, "erp" => Role::Erp, "pricing" => Role::Pricing,
        "pim" => Role::Pim, "dam" => Role::Dam, "oms" => Role::Oms, "wms" => Role::Wms, "crm" => Role::Crm,
        "cdp" => Role::Cdp, "bus" => Role::Bus, "ipaas" => Role::Ipaas;
    Unknown, "policy for the unknown", "policy for the unknown": "look_up" => Unknown::LookUp,
        "person" => Unknown::Person;
}

/// `[systems.NAME]`.
#[derive(Debug, Clone, PartialEq)]
pub struct System {
    pub at: Origin,
    pub role: Setting<Role>,
    pub connector: Setting<String>,
    pub request_timeout: Setting<Duration>,
    pub lease: Setting<Duration>,
    pub settle_after: Setting<Duration>,
    pub concurrency: Setting<u32>,
    pub rate_limit: Option<Setting<Rate>>,
    pub unknown: Setting<Unknown>,
    pub retry: Retry,
    pub breaker: Breaker,
    pub ingest: Ingest,
    pub connection: Connection,
}

/// `[systems.NAME.retry]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Retry {
    pub attempts_max: Setting<u32>,
    pub first: Setting<Duration>,
    pub longest: Setting<Duration>,
}

/// `[systems.NAME.breaker]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Breaker {
    pub lanes: Setting<u32>,
    pub open_first: Setting<Duration>,
    pub open_longest: Setting<Duration>,
}

/// `[systems.NAME.ingest]`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Ingest {
    pub bearer_token: Option<Setting<SecretRef>>,
    pub hmac_secret: Option<Setting<SecretRef>>,
}

impl Ingest {
    /// Whether the system may push at all.
    pub fn is_open(&self) -> bool {
        self.bearer_token.is_some() || self.hmac_secret.is_some()
    }
}

pub(crate) fn read(mut section: Section<'_>) -> Option<System> {
    let entry = section.entry("connection");
    let connection = connection::read(entry, &section.path_of("connection"), section.reading());
    let retry = retry(section.table("retry", RETRY_KEYS));
    let breaker = breaker(section.table("breaker", BREAKER_KEYS));
    let ingest = ingest(section.table("ingest", INGEST_KEYS));
    let (role, connector) = (section.required("role"), section.required("connector"));
    body(section, role, connector, (retry, breaker, ingest, connection))
}

/// Every shop's own Shopify: role and connector are given, all else may be set in `[systems.shopify]`.
pub(crate) fn read_shopify(mut section: Section<'_>) -> Option<System> {
    let retry = retry(section.table("retry", RETRY_KEYS));
    let breaker = breaker(section.table("breaker", BREAKER_KEYS));
    let role = section.optional("role").unwrap_or(Setting::new(Role::Shopify, Origin::Default));
    let connector =
        section.optional("connector").unwrap_or(Setting::new(SHOPIFY.to_owned(), Origin::Default));
    body(section, Some(role), Some(connector), (retry, breaker, Ingest::default(), Connection::default()))
}

type Tables = (Option<Retry>, Option<Breaker>, Ingest, Connection);

fn body(
    mut section: Section<'_>,
    role: Option<Setting<Role>>,
    connector: Option<Setting<String>>,
    (retry, breaker, ingest, connection): Tables,
) -> Option<System> {
    let [request_timeout, lease, settle_after] =
        ["request_timeout", "lease", "settle_after"].map(|name| section.with_default(name));
    let (concurrency, rate_limit) = (section.with_default("concurrency"), section.optional("rate_limit"));
    let unknown = section.with_default("unknown");
    Some(System {
        at: section.at.clone(),
        role: role?,
        connector: connector?,
        request_timeout: request_timeout?,
        lease: lease?,
        settle_after: settle_after?,
        concurrency: concurrency?,
        rate_limit,
        unknown: unknown?,
        retry: retry?,
        breaker: breaker?,
        ingest,
        connection,
    })
}

fn retry(mut section: Section<'_>) -> Option<Retry> {
    let attempts_max = section.with_default("attempts_max");
    let (first, longest) = (section.with_default("first"), section.with_default("longest"));
    let retry = Retry { attempts_max: attempts_max?, first: first?, longest: longest? };
    ordered(&section.path_of("longest"), &retry.first, &retry.longest, section.reading());
    Some(retry)
}

fn breaker(mut section: Section<'_>) -> Option<Breaker> {
    let lanes = section.with_default("lanes");
    let (first, longest) = (section.with_default("open_first"), section.with_default("open_longest"));
    let breaker = Breaker { lanes: lanes?, open_first: first?, open_longest: longest? };
    ordered(&section.path_of("open_longest"), &breaker.open_first, &breaker.open_longest, section.reading());
    Some(breaker)
}

fn ordered(key: &str, first: &Setting<Duration>, longest: &Setting<Duration>, reading: &mut Reading) {
    if first.value <= longest.value {
        return;
    }
    let at = if longest.origin == Origin::Default { &first.origin } else { &longest.origin };
    let text = kernel::flow::duration_text;
    let message = format!(
        "the longest wait ({}) is shorter than the first ({})",
        text(longest.value),
        text(first.value)
    );
    let help = format!("write {} or more for {key}", text(first.value));
    reading.finding(crate::finding::Finding::new(crate::code::Code::Value, at, message, help).key(key));
}

fn ingest(mut section: Section<'_>) -> Ingest {
    Ingest { bearer_token: section.optional("bearer_token"), hmac_secret: section.optional("hmac_secret") }
}
