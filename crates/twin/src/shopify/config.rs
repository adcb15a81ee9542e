//! What a look-alike shop is started with: who it is, who may read it, which plan it pays for, and what mischief its
//! webhooks make. Everything has a default that behaves.

use super::clock::ShopClock;
use super::faults::ApiFaults;
use crate::shop::catalogue::WAREHOUSES;
use crate::shop::{Currency, ShopProfile};
use jiff::tz::TimeZone;
use std::collections::BTreeSet;
use std::time::Duration;

/// One shop, one app installed on it.
#[derive(Clone, Debug)]
pub struct ShopConfig {
    pub profile: ShopProfile,
    pub name: String,
    pub currency: Currency,
    /// On 127.0.0.1; 0 takes a free one.
    pub port: u16,
    /// What `X-Shopify-Access-Token` must hold.
    pub access_token: String,
    /// Granted to the app; a `write_` scope holds its `read_`.
    pub scopes: BTreeSet<String>,
    /// Protected customer data that the app is approved for: `name`, `address`, `email`, `phone`.
    pub approved: BTreeSet<String>,
    /// Of the app, which may ask for a token by its id and secret.
    pub client_id: String,
    /// App and shop belong to one organisation; else no such token is given.
    pub own_organisation: bool,
    /// Signs webhooks.
    pub client_secret: String,
    pub plan: Plan,
    pub clock: ShopClock,
    pub mischief: Mischief,
    pub api_faults: ApiFaults,
    pub stock: StockConfig,
    /// Webhook requests in flight at one time.
    pub webhooks_at_once: usize,
    /// Real time, whatever the clock: Shopify gives up connecting after a second,
    pub connect_timeout: Duration,
    /// and on the whole answer after five.
    pub answer_timeout: Duration,
}

impl ShopConfig {
    /// A shop in EUR on Plus, with every scope that the look-alike's schema asks for.
    pub fn new(domain: &str) -> Self {
        Self {
            profile: ShopProfile {
                id: 68_817_321,
                domain: domain.to_owned(),
                time_zone: TimeZone::UTC,
                location_id: WAREHOUSES[0].id,
            },
            name: domain.split('.').next().unwrap_or(domain).to_owned(),
            currency: Currency::EUR,
            port: 0,
            access_token: "shpat_twin".to_owned(),
            scopes: [
                "write_orders",
                "read_all_orders",
                "write_customers",
                "write_companies",
                "write_products",
                "read_locations",
                "write_inventory",
                "write_payment_terms",
                "write_merchant_managed_fulfillment_orders",
            ]
            .map(str::to_owned)
            .into(),
            approved: ["name", "address", "email", "phone"].map(str::to_owned).into(),
            client_id: "twin-client-id".to_owned(),
            own_organisation: true,
            client_secret: "hush".to_owned(),
            plan: Plan::Plus,
            clock: ShopClock::default(),
            mischief: Mischief::default(),
            api_faults: ApiFaults::default(),
            stock: StockConfig::default(),
            webhooks_at_once: 32,
            connect_timeout: Duration::from_secs(1),
            answer_timeout: Duration::from_secs(5),
        }
    }
}

/// What the shop has in stock when it opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StockConfig {
    /// SKUs beyond the catalogue's twenty: `GEN-000001`, …
    pub generated: u32,
    /// Of each item at each location that stocks it.
    pub available: i64,
    /// How many of the locations stock each item, from the first on.
    pub stocked_at: usize,
    /// The variants' inventory policy is `CONTINUE`: an order for more than there is takes `available` below zero. Else
    /// such an order is refused, as the checkout does.
    pub may_oversell: bool,
}

impl Default for StockConfig {
    /// Full shelves.
    fn default() -> Self {
        Self { generated: 0, available: 100_000, stocked_at: WAREHOUSES.len(), may_oversell: true }
    }
}

/// Sets the cost bucket of the Admin API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plan {
    Standard,
    Advanced,
    Plus,
    Enterprise,
}

impl Plan {
    /// Points a second.
    pub fn restore_rate(self) -> u32 {
        match self {
            Self::Standard => 100,
            Self::Advanced => 200,
            Self::Plus => 1000,
            Self::Enterprise => 2000,
        }
    }

    /// Twenty seconds' worth, as recorded answers show (100 → 2,000; 200 → 4,000).
    pub fn bucket(self) -> u32 {
        self.restore_rate() * 20
    }

    /// As a configuration has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Advanced => "advanced",
            Self::Plus => "plus",
            Self::Enterprise => "enterprise",
        }
    }

    pub(super) fn display_name(self) -> &'static str {
        match self {
            Self::Standard => "Basic",
            Self::Advanced => "Advanced",
            Self::Plus => "Shopify Plus",
            Self::Enterprise => "Commerce Components",
        }
    }
}

impl std::str::FromStr for Plan {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        Ok(match text {
            "standard" => Self::Standard,
            "advanced" => Self::Advanced,
            "plus" => Self::Plus,
            "enterprise" => Self::Enterprise,
            other => anyhow::bail!("no plan {other:?}: standard, advanced, plus or enterprise"),
        })
    }
}

/// What goes wrong with webhooks on purpose. Shares are per mille of deliveries, drawn from the seed, the event and
/// the subscription, so that a run can be repeated.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mischief {
    pub seed: u64,
    /// Sent again, with the same webhook id, after `delay_max`.
    pub duplicate_per_mille: u32,
    /// Sent several times at the same instant.
    pub copies_per_mille: u32,
    /// How many, in that case.
    pub copies: u32,
    /// Held back for a random while up to `delay_max`, so that later ones overtake it.
    pub delay_per_mille: u32,
    /// Shop time.
    pub delay_max: Duration,
    /// Not sent at all.
    pub never_sent_per_mille: u32,
    /// Held until a later change of the same order was sent: of two changes in one second the older comes second.
    pub swap_per_mille: u32,
    /// The same old payload once more, under a new webhook id, `stale_after` later.
    pub stale_per_mille: u32,
    /// Shop time.
    pub stale_after: Duration,
}
