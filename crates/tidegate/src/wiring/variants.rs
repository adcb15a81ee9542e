//! What a shop sells, asked of Shopify: which SKU a variant has, where a cart names the variant.

use super::Loaded;
use super::open;
use api::prices::{Sold, VariantShop};
use async_trait::async_trait;
use connector::port::CallContext;
use kernel::clock::Clock;
use kernel::envelope::TraceId;
use shopify::graphql::{ShopClient, Shops};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// For one question; a cart waits less, and the next one finds the answer.
const TIME_OUT: Duration = Duration::from_secs(5);
/// For one call while all are read.
const READ_TIME_OUT: Duration = Duration::from_secs(60);

/// All shops of the configuration.
pub fn all(loaded: &Loaded, shops: &Shops, clock: &Arc<dyn Clock>) -> Vec<VariantShop> {
    let Some(folder) = open::data_dir(&loaded.config).map(|data_dir| data_dir.join("variants")) else {
        return Vec::new();
    };
    let of = |client: &Arc<ShopClient>| {
        let id = client.id();
        let shop = loaded.config.shops.get(id)?;
        let (client, clock) = (client.clone(), clock.clone());
        Some(VariantShop {
            id: id.as_str().to_owned(),
            domain: shop.domain.as_str().to_owned(),
            file: folder.join(id.as_str()),
            sold: Arc::new(ShopSells { client, clock, asked: AtomicU64::new(0) }),
        })
    };
    shops.iter().filter_map(of).collect()
}

#[derive(Debug)]
struct ShopSells {
    client: Arc<ShopClient>,
    clock: Arc<dyn Clock>,
    asked: AtomicU64,
}

impl ShopSells {
    fn call(&self, time_out: Duration) -> CallContext {
        CallContext {
            shop: self.client.id().clone(),
            time_out,
            trace: TraceId::default(),
            span: self.asked.fetch_add(1, Ordering::Relaxed),
            now: self.clock.now().wall,
        }
    }
}

#[async_trait]
impl Sold for ShopSells {
    async fn skus(&self, variants: &[u64]) -> Result<Vec<Option<Box<str>>>, String> {
        let skus = shopify::variants::skus(&self.client, &self.call(TIME_OUT), variants).await;
        skus.map_err(|fault| fault.to_string())
    }

    async fn all(&self, take: &mut (dyn for<'s> FnMut(u64, &'s str) + Send)) -> Result<(), String> {
        let read = shopify::prices::variants(&self.client, &self.call(READ_TIME_OUT), take).await;
        read.map_err(|fault| fault.to_string())
    }
}
