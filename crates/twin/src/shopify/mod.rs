//! The Shopify look-alike: one shop with its orders, stock and prices, its Admin GraphQL API, its webhooks and the mischief they
//! make.
//!
//! As strict as the original: every document is validated against the published schema and executed, priced and
//! throttled; scopes, page sizes and `userErrors` are the real ones. It refuses what it does not model by name and
//! never makes a value up.

mod access;
mod answer;
mod app_proxy;
mod bucket;
mod bulk;
mod bulk_fault;
mod bulk_import;
pub(crate) mod clock;
mod config;
mod contract;
mod cost;
mod cut_off;
mod document;
mod faults;
mod fulfil;
mod http;
mod judge;
mod mutation;
mod nodes;
mod orders;
mod page;
mod prices;
mod query;
mod roles;
mod search;
mod shop;
mod spool;
mod staged;
mod standalone;
mod stock;
mod stock_query;
mod tokens;
mod twin;
mod webhooks;

pub use app_proxy::Forwarded;
pub use bulk_fault::BulkFault;
pub use clock::ShopClock;
pub use config::{Mischief, Plan, ShopConfig, StockConfig};
pub use contract::API_VERSION;
pub use faults::{ApiFault, ApiFaults};
pub use fulfil::holds::Hold;
pub use judge::{Judgement, judge, spoiled};
pub use prices::{Charge, Offer, PriceCounts};
pub use roles::Role;
pub use standalone::{StandaloneOptions, run_standalone};
pub use stock::{Levels, StockCounts, StockRow, StockSet};
pub use twin::{ShopifyTwin, Stats};
pub use webhooks::{SentWebhook, WebhookCounts, signature};
