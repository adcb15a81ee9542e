//! `[prices]`: who may ask what a buyer pays, who may load prices, and which loads stop and ask. With the section the hub
//! keeps a read model of prices in its data directory; what they are and how they come is in docs/pricing.md.

use crate::key::Key;
use crate::net::BaseUrl;
use crate::price_sources::{self, PriceFrom};
use crate::prices_hydrate::{self, PriceHydration};
use crate::reader::{Section, named};
use crate::secret::SecretRef;
use crate::source::{Origin, Setting};
use crate::unit::{Rate, Share};
use crate::value::words;
use kernel::id::{NameError, ShopId};
use std::collections::BTreeMap;
use std::time::Duration;

pub(crate) const KEYS: &[Key] = &[
    Key::table("guards", "Which loads stop and ask; see below."),
    Key::table("callers", "Programs that may ask or load; see below."),
    Key::table(
        "hydrate",
        "When price lists are brought into the shops' catalogs by themselves; see below. Without it, by hand alone.",
    ),
    Key::table("sources", "Where prices come from by themselves; see below."),
    Key::table("live", "A system that makes some prices itself, when they are asked for; see below."),
    Key::table(
        "storefront",
        "Storefronts ask through Shopify's app proxy; see below. Without it that door is closed.",
    ),
];

pub(crate) const LIVE_KEYS: &[Key] = &[
    Key::required(
        "url",
        "URL",
        "Where the prices of a cart's lines are asked for, by `POST` (docs/prices.md has the form).",
        "\"https://erp.example.com/prices\"",
    ),
    Key::optional(
        "bearer_token",
        "secret",
        "Sent with it as `Authorization: Bearer …`.",
        "\"env:ERP_PRICES_TOKEN\"",
    ),
    Key::with("system", "text", "\"erp\"", "What the system is called in answers and metrics.", "\"cpq\""),
    Key::required(
        "skus",
        "list of texts",
        "For which SKUs it is asked: SKUs, or how they begin.",
        "[\"CFG-*\"]",
    ),
    Key::with(
        "deadline",
        "duration",
        "\"150ms\"",
        "The longest that a cart waits for it. What it says later counts for the next cart.",
        "\"100ms\"",
    ),
    Key::with(
        "request_timeout",
        "duration",
        "\"5s\"",
        "How long one request may take, behind the cart's back.",
        "\"2s\"",
    ),
    Key::with("fresh", "duration", "\"30s\"", "So long what it said counts without asking again.", "\"5m\""),
    Key::with("stale", "duration", "\"10m\"", "So long it counts while it is asked again.", "\"1h\""),
    Key::with("concurrency", "whole number", "8", "How many requests may be in flight to it at once.", "4"),
];

pub(crate) const STOREFRONT_KEYS: &[Key] = &[
    Key::optional("shops", "list of shops", "Whose storefronts may ask. Absent: all.", "[\"acme\"]"),
    Key::with(
        "rate_limit",
        "rate",
        "\"200/s\"",
        "How many requests one shop's storefront may make; beyond it the answer is 429 with `Retry-After`.",
        "\"500/s\"",
    ),
];

pub(crate) const GUARD_KEYS: &[Key] = &[
    Key::with(
        "changed_max",
        "share",
        "\"25%\"",
        "A load that changes more than so many of the prices that a list has is held, until somebody approves it with name and reason.",
        "\"10%\"",
    ),
    Key::with("fall_max", "share", "\"40%\"", "So is a load in which any price falls by more.", "\"20%\""),
    Key::with(
        "shrink_max",
        "share",
        "\"10%\"",
        "And one after which a list has so many prices fewer. A price of zero, and a currency that vanishes, are held always; a negative price is refused.",
        "\"5%\"",
    ),
];

pub(crate) const CALLER_KEYS: &[Key] = &[
    Key::required(
        "bearer_token",
        "secret",
        "What the caller sends as `Authorization: Bearer …`; at least 16 characters.",
        "\"file:../secrets/storefront.prices\"",
    ),
    Key::with(
        "may",
        "list of rights",
        "[\"resolve\"]",
        "`resolve`: ask what any buyer pays (`POST /v1/prices/resolve`), so it is for a server that knows who asks it; `load`: bring prices and terms (`POST /v1/prices/loads`).",
        "[\"load\"]",
    ),
    Key::with(
        "rate_limit",
        "rate",
        "\"200/s\"",
        "How many requests it may make; beyond it the answer is 429 with `Retry-After`.",
        "\"1000/s\"",
    ),
];

/// What a caller may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Right {
    Resolve,
    Load,
}

words! {
    Right, "a right", "right": "resolve" => Right::Resolve, "load" => Right::Load;
}

/// `[prices]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Prices {
    pub at: Origin,
    pub guards: PriceGuards,
    pub callers: BTreeMap<String, PriceCaller>,
    pub sources: BTreeMap<String, PriceFrom>,
    pub storefront: Option<PriceStorefront>,
    pub live: Option<LivePrices>,
    pub hydrate: Option<PriceHydration>,
}

/// `[prices.live]`.
#[derive(Debug, Clone, PartialEq)]
pub struct LivePrices {
    pub at: Origin,
    pub url: Setting<BaseUrl>,
    pub bearer_token: Option<Setting<SecretRef>>,
    pub system: Setting<String>,
    pub skus: Setting<Vec<Setting<String>>>,
    pub deadline: Setting<Duration>,
    pub request_timeout: Setting<Duration>,
    pub fresh: Setting<Duration>,
    pub stale: Setting<Duration>,
    pub concurrency: Setting<u32>,
}

/// `[prices.storefront]`.
#[derive(Debug, Clone, PartialEq)]
pub struct PriceStorefront {
    pub at: Origin,
    pub shops: Option<Setting<Vec<Setting<ShopId>>>>,
    pub rate_limit: Setting<Rate>,
}

impl PriceStorefront {
    pub fn serves(&self, shop: &ShopId) -> bool {
        self.shops.as_ref().is_none_or(|shops| shops.value.iter().any(|one| one.value == *shop))
    }
}

/// `[prices.guards]`.
#[derive(Debug, Clone, PartialEq)]
pub struct PriceGuards {
    pub changed_max: Setting<Share>,
    pub fall_max: Setting<Share>,
    pub shrink_max: Setting<Share>,
}

/// `[prices.callers.NAME]`.
#[derive(Debug, Clone, PartialEq)]
pub struct PriceCaller {
    pub at: Origin,
    pub bearer_token: Setting<SecretRef>,
    pub may: Setting<Vec<Setting<Right>>>,
    pub rate_limit: Setting<Rate>,
}

pub(crate) fn read(mut section: Section<'_>) -> Option<Prices> {
    let (path, entry) = (section.path_of("callers"), section.entry("callers"));
    let mut callers = BTreeMap::new();
    for (name, path, entry) in named(section.reading(), &path, entry, caller_name) {
        if let Some(caller) = caller(Section::open(section.reading(), path, Some(entry), CALLER_KEYS)) {
            callers.insert(name, caller);
        }
    }
    let sources = price_sources::read(&mut section);
    let guards = guards(section.table("guards", GUARD_KEYS));
    let written = section.entry("storefront").is_some();
    let storefront = written.then(|| storefront(section.table("storefront", STOREFRONT_KEYS))).flatten();
    let written = section.entry("live").is_some();
    let live = written.then(|| live(section.table("live", LIVE_KEYS))).flatten();
    let written = section.entry("hydrate").is_some();
    let hydrate =
        written.then(|| prices_hydrate::read(section.table("hydrate", prices_hydrate::KEYS))).flatten();
    Some(Prices { at: section.at.clone(), guards: guards?, callers, sources, storefront, live, hydrate })
}

fn guards(mut section: Section<'_>) -> Option<PriceGuards> {
    let [changed_max, fall_max, shrink_max] =
        ["changed_max", "fall_max", "shrink_max"].map(|name| section.with_default(name));
    Some(PriceGuards { changed_max: changed_max?, fall_max: fall_max?, shrink_max: shrink_max? })
}

fn live(mut section: Section<'_>) -> Option<LivePrices> {
    let (url, bearer_token) = (section.required("url"), section.optional("bearer_token"));
    let (system, skus) = (section.with_default("system"), section.required("skus"));
    let [deadline, request_timeout, fresh, stale] =
        ["deadline", "request_timeout", "fresh", "stale"].map(|name| section.with_default(name));
    let concurrency = section.with_default("concurrency");
    Some(LivePrices {
        at: section.at.clone(),
        url: url?,
        bearer_token,
        system: system?,
        skus: skus?,
        deadline: deadline?,
        request_timeout: request_timeout?,
        fresh: fresh?,
        stale: stale?,
        concurrency: concurrency?,
    })
}

fn storefront(mut section: Section<'_>) -> Option<PriceStorefront> {
    let (shops, rate_limit) = (section.optional("shops"), section.with_default("rate_limit"));
    Some(PriceStorefront { at: section.at.clone(), shops, rate_limit: rate_limit? })
}

fn caller(mut section: Section<'_>) -> Option<PriceCaller> {
    let (bearer_token, may) = (section.required("bearer_token"), section.with_default("may"));
    let rate_limit = section.with_default("rate_limit");
    Some(PriceCaller {
        at: section.at.clone(),
        bearer_token: bearer_token?,
        may: may?,
        rate_limit: rate_limit?,
    })
}

/// A caller's name is spelled as all names are: it stands in the audit trail.
fn caller_name(name: &str) -> Result<String, NameError> {
    ShopId::new(name).map(String::from).map_err(|refused| NameError { what: "caller", ..refused })
}
