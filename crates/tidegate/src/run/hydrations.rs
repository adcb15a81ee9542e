//! Price lists into the shops' catalogs by themselves (`[prices.hydrate]`): at a cadence, after a load went live, when prices
//! begin or end, and compared with all that the shop has; at the node whose turn it is. Owns when a run begins and why; that
//! there are never two at a time is the run's own (`wiring::hydrate`).

use super::Running;
use crate::wiring::Loaded;
use crate::wiring::again::Again;
use crate::wiring::node::Turn;
use api::admin::{
    Around, Hydrate, Hydrated, Hydrating, Ran, carried_out, due_of, gauges_of_history, version_of,
};
use api::prices::Prices;
use api::watch::{IntakeNotice, Watching};
use config::{Cadence, Hydration};
use jiff::Timestamp;
use kernel::clock::{Clock, Now};
use kernel::fault::Severity;
use kernel::id::ShopId;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use store::operate::By;
use store::{Store, StoreError};

/// How often it is looked whether a run is due. A cart path never waits for it.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// After another run that was under way.
const UNDER_WAY: Duration = Duration::from_secs(10);

/// Under which name the store keeps when a shop was hydrated last at its cadence.
pub fn cursor(shop: &ShopId) -> String {
    format!("hydration/{shop}")
}

/// The same of a comparison with all that the shop has.
pub fn against_cursor(shop: &ShopId) -> String {
    format!("hydration/{shop}/against")
}

/// One shop that is hydrated by itself.
struct Due {
    shop: Arc<dyn Hydrate>,
    settings: Hydration,
    prices: Arc<Prices>,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    watching: Arc<Watching>,
    /// What the last one was for, where it failed: it is made again.
    failed: Option<(Why, Again)>,
    not_before: Option<Timestamp>,
    /// So much Shopify refused in the last run: a person was told.
    refused: u64,
}

/// Why a run begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Why {
    AgainstShop,
    Cadence,
    Load,
    PricesEnd,
}

impl Why {
    fn words(self) -> &'static str {
        match self {
            Self::AgainstShop => "the cadence of against_shop",
            Self::Cadence => "the cadence of [prices.hydrate]",
            Self::Load => "other prices went live",
            Self::PricesEnd => "prices begin or end",
        }
    }
}

/// Those that the configuration asks for; each until the hub stops.
pub fn all(
    loaded: &Loaded,
    running: &Running,
    hydrates: &[Arc<dyn Hydrate>],
) -> Vec<impl Future<Output = ()> + Send + use<>> {
    let settings = loaded.config.prices.as_ref().and_then(|prices| prices.hydrate.as_ref());
    let (Some(settings), Some(prices)) = (settings, &running.prices) else { return Vec::new() };
    let due = hydrates.iter().filter_map(|shop| {
        let due = Due {
            shop: shop.clone(),
            settings: settings.of(shop.shop())?.clone(),
            prices: prices.clone(),
            store: running.store.clone(),
            clock: running.clock.clone(),
            watching: running.watching.clone(),
            failed: None,
            not_before: None,
            refused: 0,
        };
        Some(due.keep(running.turn()))
    });
    due.collect()
}

/// What the gauges said before this life of the hub, once, of each of these shops.
pub async fn gauges(store: Arc<dyn Store>, watching: Arc<Watching>, shops: Vec<ShopId>) {
    for shop in shops {
        if let Err(error) = gauges_of_history(store.as_ref(), watching.metrics(), &shop).await {
            tracing::warn!(shop.id = %shop, error = %error, "when prices were brought out last is not among the metrics");
        }
    }
}

impl Due {
    async fn keep(mut self, mut turn: Turn) {
        while turn.comes().await {
            let mut stopping = turn.clone();
            tokio::select! {
                biased;
                // Whoever stops waits for no bulk operation: the next run finds what is done.
                () = stopping.over() => return,
                looked = self.look() => if let Err(error) = looked {
                    tracing::warn!(shop.id = %self.shop.shop(), error = %error, "whether prices are to be brought out cannot be known");
                }
            }
            let wait = self.wait().await;
            if turn.stopped(wait).await {
                return;
            }
        }
    }

    /// Until the next look: at the second at which prices end, not seconds after it.
    async fn wait(&self) -> Duration {
        let spans = [&self.settings.cadence, &self.settings.against_shop];
        let spans = spans.into_iter().flatten().filter_map(|cadence| cadence.value.span());
        let mut wait = spans.chain([LOOK_EVERY]).min().unwrap_or(LOOK_EVERY);
        if self.settings.when_prices_end.value
            && let Ok(Some(ends)) = self.instant(&due_of(self.shop.shop())).await
        {
            let left = ends.duration_since(self.clock.now().wall);
            if left.is_positive() {
                wait = wait.min(left.unsigned_abs());
            }
        }
        wait
    }

    async fn look(&mut self) -> Result<(), StoreError> {
        let now = self.clock.now();
        if self.not_before.is_some_and(|at| at > now.wall) {
            return Ok(());
        }
        let Some(why) = self.due(now.wall).await? else { return Ok(()) };
        self.make(why, now).await
    }

    /// None: nothing is.
    async fn due(&self, now: Timestamp) -> Result<Option<Why>, StoreError> {
        if let Some((why, _)) = self.failed {
            return Ok(Some(why));
        }
        let (shop, settings) = (self.shop.shop(), &self.settings);
        let cadences = [
            (Why::AgainstShop, &settings.against_shop, against_cursor(shop)),
            (Why::Cadence, &settings.cadence, cursor(shop)),
        ];
        for (why, cadence, cursor) in cadences {
            let Some(cadence) = cadence else { continue };
            if self.comes(&cadence.value, &cursor, now).await? {
                return Ok(Some(why));
            }
        }
        let version = self.prices.store().current();
        let has_terms = version.terms_document().is_some();
        let brought = self.store.cursor(&version_of(shop)).await?;
        if settings.after_load.value && has_terms && brought != Some(version.number().to_string()) {
            return Ok(Some(Why::Load));
        }
        let ends = if settings.when_prices_end.value { self.instant(&due_of(shop)).await? } else { None };
        Ok(ends.filter(|ends| *ends <= now).map(|_| Why::PricesEnd))
    }

    async fn comes(&self, cadence: &Cadence, cursor: &str, now: Timestamp) -> Result<bool, StoreError> {
        match self.instant(cursor).await? {
            Some(last) => Ok(cadence.after(last).is_some_and(|due| due <= now)),
            // The first comes when it is due after now, as a full check does.
            None => self.store.set_cursor(cursor, &now.to_string()).await.map(|()| false),
        }
    }

    async fn instant(&self, name: &str) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.store.cursor(name).await?.and_then(|text| text.parse().ok()))
    }

    async fn make(&mut self, why: Why, began: Now) -> Result<(), StoreError> {
        let shop = self.shop.shop().clone();
        let how = Hydrating { dry_run: false, against_shop: why == Why::AgainstShop };
        let by = By::hub(why.words(), began.wall);
        let around = Around {
            store: self.store.as_ref(),
            clock: self.clock.as_ref(),
            metrics: self.watching.metrics(),
        };
        let (result, kept) =
            carried_out(&around, self.shop.as_ref(), self.prices.store(), (how, by), &mut |_, _| {}).await?;
        let Some(kept) = kept else {
            self.not_before = after(self.clock.now().wall, UNDER_WAY);
            return Ok(());
        };
        if matches!(&result, Err(error) if error.is_stopped) {
            return Ok(());
        }
        let outcome = result.map_err(|error| error.to_string()).and_then(|_| settled(&kept));
        match &outcome {
            Ok(words) => {
                (self.failed, self.not_before) = (None, None);
                self.refused_by_shopify(&kept);
                tracing::info!(shop.id = %shop, work.count = kept.changes(), "prices in the catalogs, because {}: {words}", why.words());
            }
            Err(error) => {
                let before = self.failed.map(|(_, again)| again).unwrap_or_default();
                let again = before.failed(self.clock.now().wall);
                (self.failed, self.not_before) = (Some((why, again)), again.at());
                let notice = IntakeNotice::HydrationFailed { shop: shop.clone(), why: error.clone() };
                self.watching.intake(Severity::Ticket, &notice);
            }
        }
        let ran = Ran::since(began, self.clock.as_ref(), outcome);
        ran.keep(self.store.as_ref(), &cursor(&shop)).await?;
        if why == Why::AgainstShop {
            ran.keep(self.store.as_ref(), &against_cursor(&shop)).await?;
        }
        // One that failed is due still: whoever starts anew, or takes this node's turn, knows nothing of when it is made again.
        if ran.failed {
            return Ok(());
        }
        if why == Why::AgainstShop {
            self.store.set_cursor(&against_cursor(&shop), &began.wall.to_string()).await?;
        }
        // Each run does what the cadence's would have done.
        self.store.set_cursor(&cursor(&shop), &began.wall.to_string()).await
    }
}

impl Due {
    /// A run that is settled but for what Shopify refuses is refused the same the next time: it is said once, as long as it is as much.
    fn refused_by_shopify(&mut self, kept: &Hydrated) {
        let before = std::mem::replace(&mut self.refused, kept.refused);
        if kept.refused == 0 || kept.refused == before {
            return;
        }
        let why = format!(
            "{} writes were refused by Shopify, and buyers are not charged these prices: tidegate prices hydrate says which and why",
            kept.refused
        );
        let notice = IntakeNotice::HydrationFailed { shop: self.shop.shop().clone(), why };
        self.watching.intake(Severity::Ticket, &notice);
    }
}

fn settled(kept: &Hydrated) -> Result<String, String> {
    match kept.unsettled {
        0 => Ok(kept.in_words()),
        left => Err(format!("{left} calls are left after it was written and read back again and again")),
    }
}

fn after(now: Timestamp, wait: Duration) -> Option<Timestamp> {
    now.checked_add(wait).ok()
}

#[cfg(test)]
mod tests;
