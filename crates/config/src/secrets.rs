//! All secrets that a configuration refers to, with why each is needed. Owns the list; a new secret key that is not
//! in it would not be looked for before the start.

use crate::load::Config;
use crate::price_sources::PriceOrigin;
use crate::secret::SecretRef;
use crate::source::{Origin, Setting};

/// One reference to a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretUse {
    pub key: String,
    pub reference: SecretRef,
    pub origin: Origin,
}

impl Config {
    /// Every reference to a secret, in the order of their keys.
    pub fn secrets(&self) -> Vec<SecretUse> {
        let mut found = Vec::new();
        let mut add = |key: String, setting: Option<&Setting<SecretRef>>| {
            if let Some(setting) = setting {
                let (reference, origin) = (setting.value.clone(), setting.origin.clone());
                found.push(SecretUse { key, reference, origin });
            }
        };
        if let Some(hub) = self.hub() {
            add("hub.master_key".to_owned(), Some(&hub.master_key));
            add("hub.previous_master_key".to_owned(), hub.previous_master_key.as_ref());
            add("hub.admin_token".to_owned(), Some(&hub.admin_token));
            let key = hub.tls.as_ref().map(|tls| tls.key_secret(&self.base_dir));
            add("hub.tls.key_file".to_owned(), key.as_ref());
        }
        if let Some(postgres) = &self.postgres {
            add("store.url".to_owned(), Some(&postgres.url));
            add("store.listen_url".to_owned(), postgres.listen_url.as_ref());
        }
        add("escalation.bearer_token".to_owned(), self.escalation.bearer_token.as_ref());
        for (name, caller) in self.prices.iter().flat_map(|prices| &prices.callers) {
            add(format!("prices.callers.{name}.bearer_token"), Some(&caller.bearer_token));
        }
        let live = self.prices.as_ref().and_then(|prices| prices.live.as_ref());
        add("prices.live.bearer_token".to_owned(), live.and_then(|live| live.bearer_token.as_ref()));
        for (name, source) in self.prices.iter().flat_map(|prices| &prices.sources) {
            if let PriceOrigin::Feed { bearer_token, .. } = &source.origin {
                add(format!("prices.sources.{name}.bearer_token"), bearer_token.as_ref());
            }
        }
        for (name, app) in &self.apps {
            add(format!("apps.{name}.client_secret"), Some(&app.client_secret));
            add(format!("apps.{name}.previous_client_secret"), app.previous_client_secret.as_ref());
        }
        for (name, shop) in &self.shops {
            add(format!("shops.{name}.access_token"), shop.access_token.as_ref());
        }
        for (name, system) in &self.systems {
            add(format!("systems.{name}.ingest.bearer_token"), system.ingest.bearer_token.as_ref());
            add(format!("systems.{name}.ingest.hmac_secret"), system.ingest.hmac_secret.as_ref());
        }
        for (name, system) in &self.systems {
            for (key, reference, origin) in system.connection.secrets() {
                let key = format!("systems.{name}.connection.{key}");
                found.push(SecretUse { key, reference: reference.clone(), origin: origin.clone() });
            }
        }
        found.sort_by(|one, other| one.key.cmp(&other.key));
        found
    }
}
