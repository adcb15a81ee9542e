//! The shops as they are reached: one client each, shared by everything that speaks to it, so that nothing goes round
//! its cost bucket.

use super::load::Loaded;
use anyhow::bail;
use async_trait::async_trait;
use config::{App, Finding, Origin, SecretRef, Setting, Shop};
use connector::list::Kind;
use kernel::clock::Clock;
use kernel::id::ShopId;
use secrecy::SecretString;
use shopify::graphql::{Pause, Ports, ShopAccess, ShopClient, ShopConnection, Shops};
use shopify::webhook::{AppSecrets, ShopEntry};
use std::sync::Arc;
use std::time::Duration;

/// Lets real time pass.
#[derive(Debug)]
pub struct Timer;

#[async_trait]
impl Pause for Timer {
    #[expect(clippy::disallowed_methods, reason = "the edge where waiting is done")]
    async fn pause(&self, wait: Duration) {
        tokio::time::sleep(wait).await;
    }
}

/// A secret of the configuration.
pub fn secret(loaded: &Loaded, key: &str, reference: &Setting<SecretRef>) -> anyhow::Result<SecretString> {
    resolve(loaded, key, &reference.value, &reference.origin)
}

pub fn resolve(
    loaded: &Loaded,
    key: &str,
    reference: &SecretRef,
    origin: &Origin,
) -> anyhow::Result<SecretString> {
    match reference.resolve(&loaded.env, &loaded.config.base_dir, key, origin) {
        Ok(secret) => Ok(secret),
        Err(finding) => bail!(told(&finding)),
    }
}

fn told(finding: &Finding) -> String {
    config::render(std::slice::from_ref(finding))
}

pub fn clients(loaded: &Loaded, clock: &Arc<dyn Clock>) -> anyhow::Result<Shops> {
    let mut clients = Vec::new();
    for (id, shop) in &loaded.config.shops {
        let Some(app) = loaded.config.apps.get(&shop.app.value) else {
            bail!("shop {id} names an app that is not there")
        };
        let connection = ShopConnection {
            id: id.clone(),
            domain: shop.domain.as_str().to_owned(),
            admin_url: shop.admin_url.as_ref().map(|url| url.value.as_str().to_owned()),
            api_version: app.api_version.as_str().to_owned(),
            access: access(loaded, id, shop, app)?,
            restore_rate: shop.plan.restore_rate(),
        };
        let ports = Ports { clock: clock.clone(), pause: Arc::new(Timer) };
        clients.push(ShopClient::connect(connection, ports).map_err(anyhow::Error::msg)?);
    }
    Ok(Shops::new(clients))
}

/// By a token of the shop's own, else by the app's id and secret.
fn access(loaded: &Loaded, id: &ShopId, shop: &Shop, app: &App) -> anyhow::Result<ShopAccess> {
    if let Some(token) = &shop.access_token {
        return Ok(ShopAccess::Token(secret(loaded, &format!("shops.{id}.access_token"), token)?));
    }
    let name = &shop.app.value;
    let Some(client_id) = &app.client_id else {
        bail!("shop {id} has no access_token, and app {name} no client_id")
    };
    let client_secret = secret(loaded, &format!("apps.{name}.client_secret"), &app.client_secret)?;
    Ok(ShopAccess::ClientCredentials { client_id: client_id.value.clone(), client_secret })
}

pub fn entries(loaded: &Loaded) -> Vec<ShopEntry> {
    loaded
        .config
        .shops
        .iter()
        .filter_map(|(id, shop)| {
            let app = loaded.config.apps.get(&shop.app.value)?;
            Some(ShopEntry {
                id: id.clone(),
                domain: shop.domain.as_str().to_ascii_lowercase(),
                app: shop.app.value.clone(),
                api_version: app.api_version.as_str().to_owned(),
            })
        })
        .collect()
}

pub fn apps(loaded: &Loaded) -> anyhow::Result<Vec<AppSecrets>> {
    loaded
        .config
        .apps
        .iter()
        .map(|(name, app)| {
            let previous = app.previous_client_secret.as_ref();
            Ok(AppSecrets {
                name: name.clone(),
                current: secret(loaded, &format!("apps.{name}.client_secret"), &app.client_secret)?,
                previous: previous
                    .map(|previous| secret(loaded, &format!("apps.{name}.previous_client_secret"), previous))
                    .transpose()?,
            })
        })
        .collect()
}

/// The connector that writes to orders in Shopify. It is made of the shops' clients, so it cannot be connected from
/// settings alone.
pub fn kind() -> Kind {
    Kind {
        name: config::SHOPIFY,
        describe: shopify::target::describe,
        connect: |_| Err(vec!["shopify: connected with the shops' own tokens".to_owned()]),
        source: None,
        takes: true,
    }
}
