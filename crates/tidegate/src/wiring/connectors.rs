//! Every configured system, connected: connectors to deliver to, sources to read from.

use super::load::{Loaded, kinds};
use super::shops;
use anyhow::bail;
use config::{SHOPIFY, System};
use connector::port::{Connector, Source};
use connector::settings::Settings;
use connectors::prices::PricesAt;
use kernel::id::SystemName;
use shopify::graphql::Shops;
use shopify::source::OrderSource;
use std::collections::BTreeMap;
use std::sync::Arc;

#[derive(Debug, Clone)]
pub struct Connected {
    pub connectors: BTreeMap<SystemName, Arc<dyn Connector>>,
    pub sources: BTreeMap<SystemName, Arc<dyn Source>>,
    pub shops: Shops,
}

/// Connects all of them; makes no call.
/// `prices`: those that orders are compared with, where this process has them.
pub fn build(loaded: &Loaded, shops: Shops, prices: Option<Arc<dyn PricesAt>>) -> anyhow::Result<Connected> {
    let mut connectors: BTreeMap<SystemName, Arc<dyn Connector>> = BTreeMap::new();
    let mut sources: BTreeMap<SystemName, Arc<dyn Source>> = BTreeMap::new();
    let kinds = kinds();
    for (name, system) in &loaded.config.systems {
        let settings = settings(loaded, name, system)?;
        if name.as_str() == SHOPIFY {
            let target = shopify::target::connect(&settings, shops.clone());
            connectors.insert(name.clone(), connected(name, target)?);
            sources.insert(name.clone(), Arc::new(OrderSource::new(shops.clone())));
            continue;
        }
        if system.connector.value == connectors::prices::NAME {
            let target = connectors::prices::connect(&settings, prices.clone());
            connectors.insert(name.clone(), connected(name, target)?);
            continue;
        }
        let Some(kind) = kinds.iter().find(|kind| kind.name == system.connector.value) else {
            bail!(
                "systems.{name} names the connector {:?}, which this build does not have",
                system.connector.value
            )
        };
        if let Some(source) = kind.source {
            sources.insert(name.clone(), connected(name, source(&settings))?);
        }
        if kind.takes {
            connectors.insert(name.clone(), connected(name, (kind.connect)(&settings))?);
        }
    }
    Ok(Connected { connectors, sources, shops })
}

/// A system's connection, with its secrets.
pub fn settings(loaded: &Loaded, name: &SystemName, system: &System) -> anyhow::Result<Settings> {
    let mut secrets = BTreeMap::new();
    for (key, reference, origin) in system.connection.secrets() {
        let dotted = format!("systems.{name}.connection.{key}");
        secrets.insert(key, shops::resolve(loaded, &dotted, reference, origin)?);
    }
    Ok(Settings::new(system.connection.values(), secrets))
}

fn connected<T>(name: &SystemName, result: Result<T, Vec<String>>) -> anyhow::Result<T> {
    result.map_err(|problems| anyhow::anyhow!("systems.{name}.connection: {}", problems.join("; ")))
}
