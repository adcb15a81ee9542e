//! Reads `tidegate.toml`: file, then `TIDEGATE__…` variables, then `--set` flags; every value knows where it came
//! from, and all mistakes come in one go.
//!
//! It reads, types and documents. It does not judge what needs a connector's word (that is `check`), opens no
//! network, and never prints a secret.

mod apps;
mod cadence;
mod code;
mod connection;
mod document;
mod escalation;
mod finding;
mod flows;
mod hub;
mod init;
mod key;
mod layers;
mod load;
mod market_list;
mod mask;
mod nearest;
mod net;
mod order_policy;
mod ownership;
mod price_sources;
mod prices;
mod prices_hydrate;
mod reader;
mod revision;
mod secret;
mod secrets;
mod shops;
mod source;
mod store;
mod systems;
mod tls;
mod tree;
mod unit;
mod value;

pub use apps::{ApiVersion, App};
pub use cadence::{Cadence, put_off};
pub use code::Code;
pub use connection::{Connection, ConnectionValue};
pub use document::reference;
pub use escalation::Escalation;
pub use finding::{Finding, render};
pub use flows::{Flow, Intake, OnlyInShop, Slo, Sweep};
pub use hub::{Hub, Limits, LogFormat, LogLevel};
pub use init::{ErpKind, InitError, InitFile, InitOptions, starting_configuration};
pub use key::{Default, Key, Section};
pub use load::{Config, Reading};
pub use market_list::MarketList;
pub use nearest::nearest;
pub use net::{BaseUrl, Network};
pub use order_policy::OrderSettings;
pub use ownership::{FieldOwnership, Owners, Ownership, Violation};
pub use price_sources::{
    PriceFrom, PriceMode, PriceOrigin, matches as list_matches, overlap as lists_overlap,
};
pub use prices::{LivePrices, PriceCaller, PriceGuards, PriceStorefront, Prices, Right};
pub use prices_hydrate::{Hydration, PriceHydration};
pub use reader::InForce;
pub use revision::{revision, revision_with_mappings, targets};
pub use secret::SecretRef;
pub use secrets::SecretUse;
pub use shops::{Plan, Shop, ShopDomain};
pub use source::{Origin, Setting, Source, Spot};
pub use store::Postgres;
pub use systems::{Breaker, Ingest, Retry, Role, SHOPIFY, System, Unknown};
pub use tls::Tls;
pub use unit::{ByteSize, Rate, Share};
pub use value::DOMAINS;
