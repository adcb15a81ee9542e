//! The sources of prices, as the configuration has them: who is asked, and what is kept of each.

use super::load::Loaded;
use super::shops;
use anyhow::{Context as _, bail};
use api::prices::Prices;
use api::prices::pull::{Pull, PullSettings};
use config::{PriceFrom, PriceOrigin};
use connector::outbound::{Auth, OutboundConfig};
use connector::prices::PriceSource;
use connectors::price_feed;
use connectors::tryton::{self, Party, PriceLists};
use kernel::clock::Clock;
use kernel::id::ShopId;
use std::sync::Arc;
use std::time::Duration;

/// In place of a shop's name, in calls.
const CALLED: &str = "prices";
/// In which a feed's answer has to begin.
const FEED_TIME_OUT: Duration = Duration::from_secs(60);

/// For one question of the many that an ERP's price lists take.
const QUESTION_TIME_OUT: Duration = Duration::from_secs(60);
/// The connector whose systems tell price lists.
const TRYTON: &str = "tryton";

/// All of them; none where the configuration has no prices. Makes no call.
pub fn all(
    loaded: &Loaded,
    prices: Option<&Arc<Prices>>,
    clock: &Arc<dyn Clock>,
) -> anyhow::Result<Vec<Arc<Pull>>> {
    let (Some(prices), Some(settings)) = (prices, &loaded.config.prices) else { return Ok(Vec::new()) };
    let one = |(name, source): (&String, &PriceFrom)| {
        let (asked, time_out) = asked(loaded, name, source)?;
        let settings = PullSettings {
            name: name.clone(),
            source: asked,
            called: ShopId::new(CALLED)?,
            time_out,
            lists: source.lists.value.iter().map(|list| list.value.clone()).collect(),
            mode: source.mode.value,
            every: source.every.value.clone(),
            snapshot: source.snapshot.as_ref().map(|cadence| cadence.value.clone()),
            in_order: matches!(source.origin, PriceOrigin::Folder(_)),
            kept_in: super::prices::folder(loaded)
                .context("the configuration has no [hub]")?
                .join("sources")
                .join(format!("{name}.json")),
        };
        Ok(Arc::new(Pull::new(settings, prices.read_model().clone(), clock.clone())))
    };
    settings.sources.iter().map(one).collect()
}

fn asked(
    loaded: &Loaded,
    name: &str,
    source: &PriceFrom,
) -> anyhow::Result<(Arc<dyn PriceSource>, Duration)> {
    match &source.origin {
        PriceOrigin::Folder(folder) => Ok((price_feed::folder(folder.value.clone()), FEED_TIME_OUT)),
        PriceOrigin::Feed { url, bearer_token, allow_private } => {
            let mut config = OutboundConfig::new(url.value.as_str());
            config.allow_private = *allow_private;
            if let Some(token) = bearer_token {
                let key = format!("prices.sources.{name}.bearer_token");
                config.auth = Auth::Bearer { token: shops::secret(loaded, &key, token)? };
            }
            let feed = price_feed::feed(&config);
            Ok((
                feed.map_err(|problem| anyhow::anyhow!("prices.sources.{name}.url: {problem}"))?,
                FEED_TIME_OUT,
            ))
        }
        PriceOrigin::Unclear(_) => bail!("prices.sources.{name} does not say where its prices are asked for"),
        PriceOrigin::System(system) => {
            let configured = loaded.config.systems.get(&system.value);
            let configured = configured.with_context(|| format!("prices.sources.{name} names no system"))?;
            if configured.connector.value != TRYTON {
                bail!("prices.sources.{name}: {} tells no price lists", system.value)
            }
            let settings = super::connectors::settings(loaded, &system.value, configured)?;
            let how = PriceLists {
                prefix: name.to_owned(),
                party: match source.party.value.strip_prefix("identifier:") {
                    Some(kind) => Party::Identifier(kind.to_owned()),
                    None => Party::Code,
                },
                default_list: source.default_list.as_ref().map(|list| list.value.clone()),
            };
            let asked = tryton::price_source(&settings, how);
            let asked = asked
                .map_err(|problems| anyhow::anyhow!("systems.{}: {}", system.value, problems.join("; ")))?;
            Ok((asked, QUESTION_TIME_OUT))
        }
    }
}
