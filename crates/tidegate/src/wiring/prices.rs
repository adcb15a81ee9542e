//! Prices as the configuration has them: the read model in the data directory, who may ask it, and what is asked elsewhere.

use super::Loaded;
use super::open;
use super::price_series::{Noted, PriceSeries};
use super::quotes::HttpQuotes;
use super::shops;
use super::variants;
use anyhow::Context as _;
use api::prices::{Caller, LiveSettings, Prices, Roles, Storefront};
use async_trait::async_trait;
use config::{LivePrices, Prices as Settings, Share};
use connector::port::CallContext;
use kernel::clock::Clock;
use kernel::envelope::TraceId;
use price_store::{Guards, Options, PriceStore};
use pricing::goods::Goods;
use rust_decimal::Decimal;
use shopify::graphql::{ShopClient, Shops};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use store::Store;
use telemetry::Metrics;

/// How long a storefront's buyer waits for Shopify to say where a customer has a role.
const ROLES_TIME_OUT: Duration = Duration::from_secs(3);

/// Where prices are kept.
pub fn folder(loaded: &Loaded) -> Option<PathBuf> {
    Some(open::data_dir(&loaded.config)?.join("prices"))
}

/// None: the configuration has no prices. Reads the version that counts, which takes seconds where it is large. `shared`: the store, where
/// other nodes may work on it too.
pub async fn open(
    loaded: &Loaded,
    shops: &Shops,
    shared: Option<&Arc<dyn Store>>,
    clock: &Arc<dyn Clock>,
    metrics: &Arc<Metrics>,
) -> anyhow::Result<Option<Arc<Prices>>> {
    let Some(settings) = &loaded.config.prices else { return Ok(None) };
    let folder = folder(loaded).context("the configuration has no [hub]")?;
    let options = options(settings);
    let (series, now) = (shared.map(|store| Arc::new(PriceSeries::new(store.clone()))), clock.now().wall);
    let opening = move || match series {
        Some(series) => PriceStore::open_shared(&folder, options, series, now),
        None => PriceStore::open(&folder, options),
    };
    let opened = tokio::task::spawn_blocking(opening).await?;
    let store = Arc::new(opened.context("the read model of prices")?);
    let callers = callers(loaded, settings)?;
    let storefronts = storefronts(loaded, settings, shops, clock)?;
    let live = settings.live.as_ref().map(|live| live_settings(loaded, live, clock)).transpose()?;
    let variants = variants::all(loaded, shops, clock);
    let prices = Prices::new(store, clock.clone(), callers, storefronts, live, metrics.clone());
    let mut prices = tokio::task::spawn_blocking(move || prices.with_variants(variants)).await?;
    if let Some(store) = shared {
        prices = prices.with_nodes(Arc::new(Noted::new(store.clone(), clock.clone())));
    }
    Ok(Some(Arc::new(prices)))
}

fn options(settings: &Settings) -> Options {
    let percent = |share: &config::Setting<Share>| Some(Decimal::from(share.value.percent()));
    let guards = Guards {
        change_percent: percent(&settings.guards.changed_max),
        fall_percent: percent(&settings.guards.fall_max),
        shrink_percent: percent(&settings.guards.shrink_max),
        ..Guards::default()
    };
    Options { guards }
}

fn callers(loaded: &Loaded, settings: &Settings) -> anyhow::Result<Vec<Caller>> {
    let of = |(name, caller): (&String, &config::PriceCaller)| {
        let key = format!("prices.callers.{name}.bearer_token");
        Ok(Caller {
            name: name.clone(),
            token: shops::secret(loaded, &key, &caller.bearer_token)?,
            may: caller.may.value.iter().map(|right| right.value).collect(),
            rate: caller.rate_limit.value,
        })
    };
    settings.callers.iter().map(of).collect()
}

fn storefronts(
    loaded: &Loaded,
    settings: &Settings,
    clients: &Shops,
    clock: &Arc<dyn Clock>,
) -> anyhow::Result<Vec<Storefront>> {
    let Some(storefront) = &settings.storefront else { return Ok(Vec::new()) };
    let mut storefronts = Vec::new();
    for (id, shop) in loaded.config.shops.iter().filter(|(id, _)| storefront.serves(id)) {
        let name = &shop.app.value;
        let app = loaded.config.apps.get(name).with_context(|| format!("shop {id} names no app"))?;
        let mut secrets =
            vec![shops::secret(loaded, &format!("apps.{name}.client_secret"), &app.client_secret)?];
        if let Some(previous) = &app.previous_client_secret {
            secrets.push(shops::secret(loaded, &format!("apps.{name}.previous_client_secret"), previous)?);
        }
        let client = clients.get(id).map_err(|fault| anyhow::anyhow!(fault.to_string()))?.clone();
        let roles = ShopRoles { client, clock: clock.clone(), asked: AtomicU64::new(0) };
        storefronts.push(Storefront {
            shop: shop.domain.as_str().to_owned(),
            secrets,
            roles: Arc::new(roles),
            rate: storefront.rate_limit.value,
        });
    }
    Ok(storefronts)
}

fn live_settings(loaded: &Loaded, live: &LivePrices, clock: &Arc<dyn Clock>) -> anyhow::Result<LiveSettings> {
    let skus: Vec<&String> = live.skus.value.iter().map(|sku| &sku.value).collect();
    let goods = Goods::parse(&skus).map_err(|(_, problem)| anyhow::anyhow!("prices.live.skus: {problem}"))?;
    Ok(LiveSettings {
        system: live.system.value.clone(),
        quotes: Arc::new(HttpQuotes::new(loaded, live, clock.clone())?),
        goods,
        deadline: live.deadline.value,
        fresh: live.fresh.value,
        stale: live.stale.value,
        concurrency: live.concurrency.value,
    })
}

/// Asked of Shopify.
#[derive(Debug)]
struct ShopRoles {
    client: Arc<ShopClient>,
    clock: Arc<dyn Clock>,
    asked: AtomicU64,
}

#[async_trait]
impl Roles for ShopRoles {
    async fn locations(&self, customer: u64) -> Result<Vec<Box<str>>, String> {
        let call = CallContext {
            shop: self.client.id().clone(),
            time_out: ROLES_TIME_OUT,
            trace: TraceId::default(),
            span: self.asked.fetch_add(1, Ordering::Relaxed),
            now: self.clock.now().wall,
        };
        shopify::roles::locations(&self.client, &call, customer).await.map_err(|fault| fault.to_string())
    }
}
