//! `[shops.NAME]`: the shops, each with its app, token, zone and plan.

use crate::code::Code;
use crate::finding::Finding;
use crate::key::Key;
use crate::net::BaseUrl;
use crate::reader::{Reading, Section};
use crate::secret::SecretRef;
use crate::source::{Origin, Setting};
use crate::tree::Node;
use crate::value::{Value, text, words};
use jiff::tz::TimeZone;

pub(crate) const KEYS: &[Key] = &[
    Key::required("domain", "shop domain", "The shop's permanent domain.", "\"acme.myshopify.com\""),
    Key::required("app", "text", "The app (`[apps.NAME]`) that is installed in the shop.", "\"main\""),
    Key::optional(
        "access_token",
        "secret",
        "The shop's Admin API token. Absent: the app's `client_id` and `client_secret` ask for tokens.",
        "\"file:../secrets/acme.token\"",
    ),
    Key::required(
        "time_zone",
        "time zone",
        "The shop's IANA time zone: what a day is, for `prove` and for dates that have no hour.",
        "\"Europe/Amsterdam\"",
    ),
    Key::with(
        "plan",
        "Shopify plan",
        "\"standard\"",
        "`standard`, `advanced`, `plus` or `enterprise`: how fast the cost bucket of the Admin API refills (100, 200, 1000 or 2000 points a second). Corrected by what Shopify answers.",
        "\"plus\"",
    ),
    Key::optional(
        "admin_url",
        "URL",
        "Where the Admin API is asked instead of the shop's domain: a look-alike, in tests and in the demo.",
        "\"http://127.0.0.1:9001\"",
    ),
];

/// What the shop pays for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plan {
    Standard,
    Advanced,
    Plus,
    Enterprise,
}

impl Plan {
    /// Cost points that the bucket regains in a second (shopify.dev: API rate limits).
    pub fn restore_rate(self) -> u32 {
        match self {
            Self::Standard => 100,
            Self::Advanced => 200,
            Self::Plus => 1000,
            Self::Enterprise => 2000,
        }
    }
}

words! {
    Plan, "Shopify plan", "Shopify plan": "standard" => Plan::Standard, "advanced" => Plan::Advanced,
        "plus" => Plan::Plus, "enterprise" => Plan::Enterprise;
}

/// `acme.myshopify.com`, in lower case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ShopDomain(String);

impl ShopDomain {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.to_ascii_lowercase();
        let label = text.strip_suffix(".myshopify.com")?;
        let good = !label.is_empty()
            && label.len() <= 60
            && !label.starts_with('-')
            && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        good.then_some(Self(text))
    }
}

impl Value for ShopDomain {
    const KIND: &'static str = "shop domain";
    fn read(node: &Node, key: &str, reading: &mut Reading) -> Option<Self> {
        let help = "write the permanent domain, without https://, as in \"acme.myshopify.com\": Settings, Domains shows it";
        let written = text(node, key, reading, "a shop's domain", help)?;
        let domain = ShopDomain::parse(&written);
        if domain.is_none() {
            let message = format!("{written:?} is not a shop's permanent domain");
            reading.finding(Finding::new(Code::Value, &node.origin, message, help).key(key));
        }
        domain
    }
}

impl Value for TimeZone {
    const KIND: &'static str = "time zone";
    fn read(node: &Node, key: &str, reading: &mut Reading) -> Option<Self> {
        let help = "write its IANA name, as in \"Europe/Amsterdam\": Settings, General shows the shop's zone";
        let written = text(node, key, reading, "a time zone", help)?;
        let zone = TimeZone::get(&written).ok();
        if zone.is_none() {
            let message = format!("{written:?} is not a time zone");
            reading.finding(Finding::new(Code::Value, &node.origin, message, help).key(key));
        }
        zone
    }
}

/// `[shops.NAME]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Shop {
    pub at: Origin,
    pub domain: Setting<ShopDomain>,
    /// The name of its `[apps.NAME]`.
    pub app: Setting<String>,
    /// Absent: by the app's client id.
    pub access_token: Option<Setting<SecretRef>>,
    pub time_zone: Setting<TimeZone>,
    pub plan: Setting<Plan>,
    pub admin_url: Option<Setting<BaseUrl>>,
}

pub(crate) fn read(mut section: Section<'_>) -> Option<Shop> {
    let (domain, app) = (section.required("domain"), section.required("app"));
    let (access_token, time_zone) = (section.optional("access_token"), section.required("time_zone"));
    let (plan, admin_url) = (section.with_default("plan"), section.optional("admin_url"));
    Some(Shop {
        at: section.at.clone(),
        domain: domain?,
        app: app?,
        access_token,
        time_zone: time_zone?,
        plan: plan?,
        admin_url,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_permanent_domains_are_taken() {
        assert_eq!(ShopDomain::parse("Acme-2.myshopify.com").unwrap().as_str(), "acme-2.myshopify.com");
        for bad in [
            "acme.com",
            "https://acme.myshopify.com",
            ".myshopify.com",
            "a.b.myshopify.com",
            "-a.myshopify.com",
        ] {
            assert_eq!(ShopDomain::parse(bad), None, "{bad}");
        }
    }
}
