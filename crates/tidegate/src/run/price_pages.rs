//! Prices as the pages show them. Owns the words in which a read model of prices tells a finance person what it is.

use api::admin::{Hydrated, history};
use api::prices::{Explain, Explanation, Prices};
use kernel::id::ShopId;
use price_store::{PriceAudit, PriceForm};
use rust_decimal::prelude::ToPrimitive as _;
use serde_json::Value;
use std::sync::Arc;
use store::Store;
use ui::{PriceAsked, PriceChanged, PriceStanding, PriceTold, PricesHydrated, Waiting};

/// Whom the pages ask.
#[derive(Debug)]
pub struct PricePages {
    pub prices: Arc<Prices>,
    pub store: Arc<dyn Store>,
    pub shops: Vec<ShopId>,
}

impl ui::Prices for PricePages {
    fn explain(&self, asked: PriceAsked) -> Waiting<'_, Result<PriceTold, String>> {
        let PriceAsked { sku, quantity, currency, company_location, at } = asked;
        let (sku, quantity) = (Some(sku), Some(quantity));
        let (variant, shop, unit) = (None, None, None);
        let asked = Explain { sku, variant, shop, quantity, unit, currency, company_location, at };
        Box::pin(async move { self.prices.explain(asked).await.map(told).map_err(|error| error.message) })
    }

    fn changes(&self, sku: String, limit: usize) -> Waiting<'_, Result<Vec<PriceChanged>, String>> {
        Box::pin(async move {
            let changes = self.prices.changes(sku, limit).await.map_err(|error| error.message)?;
            Ok(changes.into_iter().map(changed).collect())
        })
    }

    fn hydrations(&self, limit: usize) -> Waiting<'_, Result<Vec<PricesHydrated>, String>> {
        Box::pin(async move {
            let mut runs = Vec::new();
            for shop in &self.shops {
                let of_shop = history(self.store.as_ref(), shop, limit).await;
                runs.extend(of_shop.map_err(|error| error.to_string())?);
            }
            runs.sort_by_key(|run| std::cmp::Reverse(run.began));
            Ok(runs.into_iter().take(limit).map(hydrated).collect())
        })
    }

    fn standing(&self) -> Waiting<'_, Result<PriceStanding, String>> {
        Box::pin(async move {
            let version = self.prices.store().current();
            let held = self.prices.held().await.map_err(|error| error.message)?;
            let mut words = format!(
                "Version {} with {} prices in {} lists.",
                version.number(),
                version.prices(),
                version.lists().count()
            );
            if let Some((system, left_alone, counts)) = self.prices.live_counts() {
                let alone = if left_alone {
                    " It failed again and again and is left alone for a moment."
                } else {
                    ""
                };
                words = format!(
                    "{words} Since the start {system} said the price of {} lines, of {} a while before, and {} lines had another price \
                     because it said nothing in time.{alone}",
                    counts.told, counts.stale, counts.fallback
                );
            }
            let held = held.iter().map(|load| {
                let because: Vec<String> = load.reasons.iter().map(ToString::to_string).collect();
                format!("load {} of {} by {}: {}", load.load, load.source, load.by, because.join("; "))
            });
            Ok(PriceStanding { words, held: held.collect(), damage: version.damage().findings.clone() })
        })
    }
}

fn hydrated(run: Hydrated) -> PricesHydrated {
    let counts = [
        (run.new, "new"),
        (run.up, "up"),
        (run.down, "down"),
        (run.gone, "gone"),
        (run.quantities, "in their breaks"),
    ];
    let told = counts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}"));
    PricesHydrated {
        at: run.began,
        changes: run.changes(),
        of_these: told.collect::<Vec<_>>().join(", "),
        shop: run.shop,
        took_ms: run.took_ms,
        who: run.who,
        why: run.why,
        against_shop: run.against_shop,
        failed: run.failed,
        drift: run.drift,
        largest_drift: run.largest_drift,
        at_the_cart: run.at_the_cart,
    }
}

fn told(explanation: Explanation) -> PriceTold {
    let line = &explanation.line;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let price = if line["status"] == "priced" {
        Ok(["unit_price", "total", "list_price"].map(|name| text(&line[name])))
    } else {
        Err(text(&line["message"]))
    };
    PriceTold {
        version: explanation.version,
        at: explanation.at,
        buyer: explanation.buyer,
        price,
        list: line["source"]["list"].as_str().map(str::to_owned),
        steps: line["why"].as_array().into_iter().flatten().map(text).collect(),
    }
}

fn changed(change: PriceAudit) -> PriceChanged {
    PriceChanged {
        at: change.at,
        list: change.list,
        before: change.before.as_ref().map(ToString::to_string).unwrap_or_default(),
        amount: change.after.as_ref().and_then(smallest),
        after: change.after.as_ref().map(ToString::to_string).unwrap_or_default(),
        load: change.load,
        source: change.source,
        by: change.by,
        approved_because: change.approved_because,
    }
}

/// Of the smallest quantity in the first window, to be drawn.
fn smallest(price: &PriceForm) -> Option<f64> {
    let amount = match price {
        PriceForm::Plain(amount) => amount,
        PriceForm::Windows(windows) => &windows.first()?.tiers.first()?[1],
    };
    amount.parse::<rust_decimal::Decimal>().ok()?.to_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_is_drawn_by_its_smallest_quantity() {
        let drawn = |text: &str| smallest(&serde_json::from_str::<PriceForm>(text).unwrap());
        assert_eq!(drawn(r#"[{"tiers": [["1", "5"], ["10", "4.5"]], "unit": "CS"}]"#), Some(5.0));
        assert_eq!(drawn("\"4.75\""), Some(4.75));
    }
}
